//! What shellcheck says of texts, many at a time, and which of it a reviewer must know.

use std::ffi::OsString;
use std::ops::Range;

use serde::Deserialize;

use super::collect::{Language, Text};
use super::tools::Trouble;
use crate::base::diagnostic::SourceText;

/// Texts of one call.
pub(super) const BATCH: usize = 64;
/// It takes a second for every ten kilobytes or so: a file of more bytes than this is left out.
pub(super) const LARGEST: usize = 128 * 1024;

#[derive(Deserialize)]
struct Output {
    comments: Vec<Comment>,
}

/// One remark, as `--format json1` has it. Columns count characters from 1.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Comment {
    pub(super) file: String,
    line: usize,
    column: usize,
    end_line: usize,
    end_column: usize,
    level: String,
    pub(super) code: u32,
    pub(super) message: String,
}

/// How much a remark weighs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Weight {
    Objects,
    Remarks,
}

impl Comment {
    /// Its bytes in the text.
    pub(super) fn range(&self, text: &SourceText) -> Range<usize> {
        let start = text.byte(self.line, self.column);
        let end = text.byte(self.end_line, self.end_column).max(start);
        start..end
    }

    pub(super) fn weight(&self) -> Weight {
        match self.level.as_str() {
            "error" | "warning" => Weight::Objects,
            _ => Weight::Remarks,
        }
    }

    /// Whether it is about a text that cannot be parsed.
    pub(super) fn is_syntax(&self) -> bool {
        (1000..2000).contains(&self.code) && self.level == "error"
    }
}

/// The arguments that come before the files.
pub(super) fn arguments(language: Language) -> Vec<OsString> {
    let dialect = match language {
        Language::Sh => "sh",
        _ => "bash",
    };
    // `-x` follows what a script sources, so that names from there are known.
    ["-f", "json1", "-x", "-P", "SCRIPTDIR", "-s", dialect, "--"]
        .into_iter()
        .map(OsString::from)
        .collect()
}

/// The remarks of an answer.
pub(super) fn read(stdout: &[u8], stderr: &[u8]) -> Result<Vec<Comment>, Trouble> {
    match serde_json::from_slice::<Output>(stdout) {
        Ok(output) => Ok(output.comments),
        Err(_) => {
            let said = String::from_utf8_lossy(stderr);
            let line = said.lines().next().unwrap_or("its answer is no JSON");
            Err(Trouble::Failed(line.to_owned()))
        }
    }
}

/// Whether a remark holds for a text as this program runs it.
pub(super) fn holds(comment: &Comment, text: &Text, known: &dyn Fn(&str) -> bool) -> bool {
    let first_word = || {
        let message = comment.message.as_str();
        let name = message.strip_prefix("Possible Misspelling: ");
        let name = name.unwrap_or(message);
        let end = name.find(|c: char| !(c.is_alphanumeric() || c == '_'));
        &name[..end.unwrap_or(name.len())]
    };
    match comment.code {
        // Names that are not assigned: the run assigns its variables.
        2153 | 2154 => {
            let name = first_word();
            !known(name) && !text.names.iter().any(|own| own == name)
        }
        // A failing `cd` ends the script already.
        2103 | 2164 => !text.stops,
        // What a script sources by a computed name is nobody's business here.
        1090 => false,
        1091 => {
            let source = text.source();
            let written = source.text().get(comment.range(source)).unwrap_or("$");
            comment.message.contains("does not exist") && !written.contains(['$', '`'])
        }
        // Only says where a syntax error is, in other words than the error itself.
        1009 => false,
        _ => true,
    }
}
