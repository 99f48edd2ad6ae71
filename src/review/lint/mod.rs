//! What linters say of the texts that a run gives to interpreters: commands in the plan, script
//! files, datasets.
//!
//! Two halves. [`sql`] parses SQL in this process and is quick enough for every review.
//! [`programs`] asks `shellcheck`, `bash -n`, `sh -n` and `python3`, none of which executes the
//! text; only `validate` does that. Findings stand where the text is written: in the plan at the
//! line inside the command, or in the script at its own line.

mod collect;
mod external;
mod report;
mod shellcheck;
mod sql;
mod syntax;
mod tools;

pub use external::programs;
pub use sql::sql;
pub use tools::{Answer, Call, Programs, Tools, Trouble};

use std::sync::Arc;

use crate::base::diagnostic::{Finding, Skipped, SourceText};

/// What was found, and what was not looked at.
#[derive(Debug, Default)]
pub struct Linted {
    /// Findings, not yet in order.
    pub findings: Vec<Finding>,
    /// Texts of script files that findings point into.
    pub sources: Vec<Arc<SourceText>>,
    /// What was not linted, and why.
    pub skipped: Vec<Skipped>,
}

impl Linted {
    /// Takes in what another linter found.
    pub fn extend(&mut self, other: Self) {
        self.findings.extend(other.findings);
        self.sources.extend(other.sources);
        self.skipped.extend(other.skipped);
    }
}
