//! A finding as one JSON object.

use serde_json::{Value, json};

use super::Finding;

/// The finding as the object that `--output json` prints, a line each.
#[must_use]
pub fn to_json(finding: &Finding) -> Value {
    let place = &finding.primary;
    json!({
        "format_version": 1,
        "type": "finding",
        "code": finding.code.as_str(),
        "level": finding.level.as_str(),
        "message": finding.message,
        "file": &*place.file,
        "line": place.line,
        "column": place.column,
        "end_line": place.end_line,
        "end_column": place.end_column,
        "pointer": place.pointer,
        "story": finding.story,
        "help": finding.help,
        "suppressed": finding.allowed.as_ref().map(|allowed| json!({
            "because": allowed.because,
            "file": &*allowed.at.file,
            "line": allowed.at.line,
        })),
    })
}
