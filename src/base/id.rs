//! Identities: parsed once, then trusted.
