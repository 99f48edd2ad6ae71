//! A finding as plain data, and its renderers.
//!
//! A finding says what is wrong, where, and how to mend it. It knows nothing of terminals: whoever
//! shows it picks a renderer and decides about colour and width.

pub mod codes;
mod github;
mod json;
mod junit;
mod report;
mod root;
mod sarif;
mod source;
mod terminal;

pub use codes::{Code, CodeInfo};
pub use github::to_github;
pub use json::to_json;
pub use junit::to_junit;
pub use report::{Report, Skipped, Tally};
pub use root::{Root, straight};
pub use sarif::to_sarif;
pub use source::{SourceText, Sources};
pub use terminal::{Style, render};

use std::sync::Arc;

/// How much a finding weighs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Level {
    /// The run could not start or would act wrongly.
    Error,
    /// A reviewer would object.
    Warning,
    /// Worth knowing.
    Note,
}

impl Level {
    /// The word in displays and JSON: `error`, `warning` or `note`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Error => "error",
            Self::Warning => "warning",
            Self::Note => "note",
        }
    }
}

/// A place in a file. Lines and columns count from 1, columns in characters; the end is exclusive.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Location {
    /// The file as it is shown, usually as it was given on the command line.
    pub file: Arc<str>,
    /// First line.
    pub line: usize,
    /// First column.
    pub column: usize,
    /// Last line.
    pub end_line: usize,
    /// Column after the last character.
    pub end_column: usize,
    /// JSON pointer (RFC 6901) of the value; empty for the whole document.
    pub pointer: String,
}

impl Location {
    /// A whole file, for findings that no line explains.
    #[must_use]
    pub fn file(file: impl Into<Arc<str>>) -> Self {
        Self {
            file: file.into(),
            line: 1,
            column: 1,
            end_line: 1,
            end_column: 1,
            pointer: String::new(),
        }
    }
}

/// A second place that belongs to a finding, and what it has to do with it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Label {
    /// The place.
    pub location: Location,
    /// What it has to do with the finding.
    pub message: String,
}

/// Something found in a plan.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// The stable code that `explain` explains.
    pub code: Code,
    /// How much it weighs.
    pub level: Level,
    /// What is wrong, in one sentence.
    pub message: String,
    /// Where.
    pub primary: Location,
    /// Other places that belong to it.
    pub labels: Vec<Label>,
    /// How a run gets there, one sentence after another; empty where the place says it all.
    pub story: Vec<String>,
    /// How to mend it.
    pub help: Option<String>,
    /// Why the author lets it stand: it is shown to machines, and counts for nothing.
    pub allowed: Option<Allowed>,
}

/// The comment that lets a finding stand.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Allowed {
    /// The author's reason.
    pub because: String,
    /// Where the comment is.
    pub at: Location,
}

impl Finding {
    /// A finding of `code`, at the level that the registry gives it.
    #[must_use]
    pub fn new(code: Code, primary: Location, message: impl Into<String>) -> Self {
        Self {
            code,
            level: code.info().level,
            message: message.into(),
            primary,
            labels: Vec::new(),
            story: Vec::new(),
            help: None,
            allowed: None,
        }
    }

    /// Adds how to mend it.
    #[must_use]
    pub fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }

    /// Adds how a run gets there; renderers number the sentences.
    #[must_use]
    pub fn story(mut self, story: Vec<String>) -> Self {
        self.story = story;
        self
    }

    /// The story as numbered lines; none where there is no story.
    #[must_use]
    pub fn told(&self) -> Option<String> {
        let lines: Vec<String> = self
            .story
            .iter()
            .enumerate()
            .map(|(i, sentence)| format!("{}. {sentence}", i + 1))
            .collect();
        (!lines.is_empty()).then(|| lines.join("\n"))
    }

    /// Adds another place that belongs to it.
    #[must_use]
    pub fn label(mut self, location: Location, message: impl Into<String>) -> Self {
        self.labels.push(Label {
            location,
            message: message.into(),
        });
        self
    }
}

/// Whether any finding that is not allowed is an error, or with `strict` a warning.
#[must_use]
pub fn any_error(findings: &[Finding], strict: bool) -> bool {
    findings
        .iter()
        .filter(|finding| finding.allowed.is_none())
        .any(|finding| match finding.level {
            Level::Error => true,
            Level::Warning => strict,
            Level::Note => false,
        })
}

/// Orders findings as people read a file: by file, line, column, then code.
pub fn sort(findings: &mut [Finding]) {
    findings.sort_by(|a, b| {
        let key = |f: &Finding| (f.primary.line, f.primary.column, f.code);
        (&a.primary.file, key(a)).cmp(&(&b.primary.file, key(b)))
    });
}
