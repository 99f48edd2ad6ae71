//! A run: its rules, its record, its processes, and the loop that joins them.

pub mod drive;
pub mod engine;
pub mod journal;
pub mod perform;
pub mod supervise;
