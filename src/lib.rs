//! orchestrate runs a migration document. The essay on the house follows here.

pub mod base;
pub mod cli;
pub mod plan;
pub mod review;
pub mod run;
pub mod show;
