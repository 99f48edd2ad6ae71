//! From a path to a typed plan, or to findings.
