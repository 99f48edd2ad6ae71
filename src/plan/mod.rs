//! The plan: what the author wrote, located, checked, and lowered to what the engine walks.

pub mod condition;
pub mod format;
pub mod load;
pub mod migrations;
pub mod model;
pub mod program;
pub mod schedule;
pub mod schema;
pub mod source;
