//! Who watches a run while it goes on.

use jiff::Timestamp;

use crate::plan::program::Program;
use crate::run::engine::{Record, State, Waiting};

/// Told of everything that happens, in order. Nothing that an audience does can change or slow the run's rules: it
/// only looks.
pub trait Audience {
    /// A record is durable, and `state` includes it.
    fn recorded(&mut self, program: &Program, state: &State, record: &Record);

    /// A running step, undo or check printed a line (masked, control characters made visible). `what` is the id of the
    /// step or check.
    fn output(&mut self, what: &str, line: &str);

    /// What the run waits for is now this (empty: nothing).
    fn waiting(&mut self, program: &Program, state: &State, waiting: &[Waiting]);

    /// Time has passed; a live display redraws.
    fn tick(&mut self, program: &Program, state: &State, now: Timestamp);

    /// Something that the operator must know and that is not in the journal (a file that could not be read, an answer
    /// that was refused).
    fn notice(&mut self, text: &str);
}
