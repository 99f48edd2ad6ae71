//! Who watches a run while it goes on.

use jiff::Timestamp;

use crate::plan::program::Program;
use crate::run::engine::{Answer, Record, State, Waiting};
use crate::run::perform::manifest::Progress;

/// Told of everything that happens, in order. Nothing that an audience does can change or slow the run's rules: it
/// only looks.
pub trait Audience {
    /// A record is durable, and `state` includes it.
    fn recorded(&mut self, program: &Program, state: &State, record: &Record);

    /// A running step, undo or check printed a line (masked, control characters made visible). `what` is the id of the
    /// step or check.
    fn output(&mut self, what: &str, line: &str);

    /// A running manifest step is so far; asked before each tick. `what` is the id of the step.
    fn progress(&mut self, _what: &str, _progress: Progress) {}

    /// What the run waits for is now this (empty: nothing).
    fn waiting(&mut self, program: &Program, state: &State, waiting: &[Waiting]);

    /// The operator typed a line on the terminal.
    fn typed(&mut self, _line: &str) -> Typed {
        Typed::Nothing
    }

    /// Time has passed; a live display redraws.
    fn tick(&mut self, program: &Program, state: &State, now: Timestamp);

    /// Something that the operator must know and that is not in the journal (a file that could not be read, an answer
    /// that was refused).
    fn notice(&mut self, text: &str);
}

/// What a typed line amounts to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Typed {
    /// Nothing yet.
    Nothing,
    /// An answer.
    Answer {
        /// What is answered.
        item: String,
        /// How.
        answer: Answer,
        /// The name that was given.
        name: String,
        /// Why.
        reason: Option<String>,
    },
    /// Go ahead outside the window.
    OverrideWindow {
        /// Why.
        reason: String,
    },
    /// Save the run and leave it.
    Leave,
}
