//! The command line: the only place that reads environment, terminal and user configuration.

pub mod schema;
pub mod validate;
