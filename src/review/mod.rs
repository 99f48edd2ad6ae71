//! The meaning rules: what a reviewer would object to.
