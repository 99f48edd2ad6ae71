//! What was found in one plan, ready to be shown: counted, raised, left out.

use std::fmt;

use serde::Serialize;

use super::{Finding, Level, Sources};

/// How much was found. Every output for programs writes it with these names, in this order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
pub struct Tally {
    /// Errors.
    pub errors: usize,
    /// Warnings.
    pub warnings: usize,
    /// Notes.
    pub notes: usize,
    /// Findings of any level that a comment allows; they count for nothing else.
    pub allowed: usize,
    /// How many of all these are not shown, because they weigh less than was asked for.
    pub hidden: usize,
}

impl Tally {
    /// The sum of both.
    #[must_use]
    pub const fn and(self, other: Self) -> Self {
        Self {
            errors: self.errors + other.errors,
            warnings: self.warnings + other.warnings,
            notes: self.notes + other.notes,
            allowed: self.allowed + other.allowed,
            hidden: self.hidden + other.hidden,
        }
    }

    /// In words: `1 error, 0 warnings, 2 notes, 3 allowed (2 hidden)`.
    #[must_use]
    pub fn words(&self) -> String {
        let some = |number: usize, word: &str| match number {
            1 => format!("1 {word}"),
            _ => format!("{number} {word}s"),
        };
        let mut words = format!(
            "{}, {}, {}",
            some(self.errors, "error"),
            some(self.warnings, "warning"),
            some(self.notes, "note")
        );
        if self.allowed > 0 {
            words.push_str(&format!(", {} allowed", self.allowed));
        }
        if self.hidden > 0 {
            words.push_str(&format!(" ({} hidden)", self.hidden));
        }
        words
    }
}

/// Texts that a linter did not look at: said in the summary, since silence would pass for praise.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Skipped {
    /// The linter.
    pub tool: &'static str,
    /// How many texts.
    pub texts: usize,
    /// Why, fitting after "shellcheck".
    pub why: String,
}

impl fmt::Display for Skipped {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { tool, texts, why } = self;
        let (noun, verb) = match texts {
            1 => ("text", "was"),
            _ => ("texts", "were"),
        };
        write!(f, "{tool} {why}: {texts} {noun} {verb} not linted")
    }
}

/// What was found in one plan.
#[derive(Debug)]
pub struct Report {
    /// The plan, as it was given on the command line.
    pub plan: String,
    /// What is shown, in the order of places. Allowed findings are among it.
    pub findings: Vec<Finding>,
    /// The texts that findings point into.
    pub sources: Sources,
    /// Everything that was found, also what is not shown.
    pub tally: Tally,
    /// What linters did not look at.
    pub skipped: Vec<Skipped>,
}

impl Report {
    /// Counts findings and leaves out what weighs less than `least`. With `strict`, warnings are raised to errors before;
    /// allowed ones keep their level.
    #[must_use]
    pub fn new(
        plan: String,
        mut findings: Vec<Finding>,
        sources: Sources,
        strict: bool,
        least: Level,
    ) -> Self {
        let mut tally = Tally::default();
        for finding in &mut findings {
            if finding.allowed.is_some() {
                tally.allowed += 1;
                continue;
            }
            if strict && finding.level == Level::Warning {
                finding.level = Level::Error;
            }
            match finding.level {
                Level::Error => tally.errors += 1,
                Level::Warning => tally.warnings += 1,
                Level::Note => tally.notes += 1,
            }
        }
        let found = findings.len();
        // The weightiest level is the smallest.
        findings.retain(|finding| finding.level <= least);
        tally.hidden = found - findings.len();
        Self {
            plan,
            findings,
            sources,
            tally,
            skipped: Vec::new(),
        }
    }

    /// The same report, saying what linters did not look at.
    #[must_use]
    pub fn skipping(mut self, skipped: Vec<Skipped>) -> Self {
        self.skipped = skipped;
        self
    }

    /// Whether a run of the plan would be refused.
    #[must_use]
    pub const fn refused(&self) -> bool {
        self.tally.errors > 0
    }

    /// What is shown and not allowed.
    pub fn standing(&self) -> impl Iterator<Item = &Finding> {
        self.findings.iter().filter(|f| f.allowed.is_none())
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Allowed, Location, codes};
    use super::*;

    fn findings() -> Vec<Finding> {
        let at = || Location::file("plan.yaml");
        let mut allowed = Finding::new(codes::NO_WAY_BACK, at(), "allowed");
        allowed.allowed = Some(Allowed {
            because: "so".to_owned(),
            at: at(),
        });
        vec![
            Finding::new(codes::SCRIPT_MISSING, at(), "error"),
            Finding::new(codes::NO_GATE, at(), "warning"),
            Finding::new(codes::SCRIPT_AND_COMMANDS, at(), "note"),
            allowed,
        ]
    }

    fn report(strict: bool, least: Level) -> Report {
        Report::new(
            "p".to_owned(),
            findings(),
            Sources::default(),
            strict,
            least,
        )
    }

    #[test]
    fn what_is_hidden_is_counted() {
        let all = report(false, Level::Note);
        assert_eq!(all.tally.words(), "1 error, 1 warning, 1 note, 1 allowed");
        let errors = report(false, Level::Error);
        assert_eq!(errors.findings.len(), 1);
        assert_eq!(
            errors.tally.words(),
            "1 error, 1 warning, 1 note, 1 allowed (3 hidden)"
        );
        assert_eq!(report(false, Level::Warning).tally.hidden, 1);
    }

    #[test]
    fn strict_raises_warnings_that_are_not_allowed() {
        let strict = report(true, Level::Error);
        assert_eq!(strict.findings.len(), 2, "the raised warning is shown");
        assert_eq!(
            strict.tally.words(),
            "2 errors, 0 warnings, 1 note, 1 allowed (2 hidden)"
        );
        let both = strict.tally.and(report(false, Level::Note).tally);
        assert_eq!(
            both.words(),
            "3 errors, 1 warning, 2 notes, 2 allowed (2 hidden)"
        );
    }
}
