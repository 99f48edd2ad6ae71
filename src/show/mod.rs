//! What people see of a run: every picture is a fold of the program, the state and the records.
//!
//! Nothing here reads the environment, the terminal, a file or the clock: the caller passes the width, whether to use
//! colour, the time and the writers. What a plan or a process wrote is made harmless ([`text::visible`]) before it
//! reaches a line. A command that a person is to type stands on a line of its own and is never cut or broken.

pub mod answer;
pub mod coverage;
pub mod dialog;
pub mod gantt;
pub mod manifest;
pub mod mermaid;
pub mod page;
pub mod plain;
pub mod preview;
pub mod progress;
pub mod status;
pub mod summary;
#[cfg(test)]
mod testing;
pub mod text;
mod words;
