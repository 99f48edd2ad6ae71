//! orchestrate runs a migration document. The essay on the house follows here.

pub mod base;
pub mod plan;
pub mod run;
pub mod review;
pub mod show;
pub mod cli;
