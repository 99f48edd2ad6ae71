//! perform
