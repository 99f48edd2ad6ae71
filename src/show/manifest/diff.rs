//! What a migration would change in a document, as a unified diff that a terminal can show safely.

use serde_json::{Value, json};
use similar::TextDiff;

use crate::show::text::{Look, Tone, columns, cut, paint, visible};

/// Most lines of one diff that are shown. What is left out is counted.
pub const LONGEST_DIFF: usize = 200;

/// Longest line of a diff that is shown whole, where the terminal is not wider (columns).
const LONGEST_LINE: usize = 400;

/// A line that is longer is broken up before it is compared (bytes).
const LONG_LINE: usize = 160;

/// Lines around a change.
const CONTEXT: usize = 3;

/// A document before and after.
#[derive(Debug, Clone, Copy)]
pub struct Change<'a> {
    /// Where it is.
    pub path: &'a str,
    /// Its version before.
    pub from: &'a str,
    /// Its version after.
    pub to: &'a str,
    /// Its bytes before.
    pub before: &'a [u8],
    /// Its bytes after.
    pub after: &'a [u8],
}

impl Change<'_> {
    /// Its line for programs.
    #[must_use]
    pub fn json(&self) -> Value {
        json!({
            "format_version": 1,
            "type": "change",
            "path": self.path,
            "from": self.from,
            "to": self.to,
            "diff": diff(self, Look::plain(LONGEST_LINE)),
        })
    }
}

/// The diff, or nothing if the bytes are equal. At most [`LONGEST_DIFF`] lines; control characters are written out;
/// bytes that are not UTF-8 (a document that has them is refused before) are replaced.
#[must_use]
pub fn diff(change: &Change<'_>, look: Look) -> String {
    let mut before = String::from_utf8_lossy(change.before);
    let mut after = String::from_utf8_lossy(change.after);
    // A document in one line would differ as a whole, and nobody would see where.
    let broken = is_long(&before) || is_long(&after);
    if broken {
        before = broken_up(&before).into();
        after = broken_up(&after).into();
    }
    let diff = TextDiff::from_lines(before.as_ref(), after.as_ref());
    let path = visible(change.path);
    let mut out = String::new();
    let (mut shown, mut hidden) = (0_usize, 0_usize);
    for hunk in diff.unified_diff().context_radius(CONTEXT).iter_hunks() {
        if shown == 0 {
            for line in [
                format!("--- {path} ({})", visible(change.from)),
                format!("+++ {path} ({})", visible(change.to)),
            ] {
                out.push_str(&paint(look.colour, Tone::Strong, &line));
                out.push('\n');
            }
            if broken {
                let note = "(long lines are broken after commas and brackets here; in the file they are not)";
                out.push_str(&paint(look.colour, Tone::Dim, note));
                out.push('\n');
            }
        }
        let header = hunk.header().to_string();
        let lines =
            std::iter::once((Some(Tone::Busy), header)).chain(hunk.iter_changes().map(|change| {
                let tone = match change.tag() {
                    similar::ChangeTag::Delete => Some(Tone::Bad),
                    similar::ChangeTag::Insert => Some(Tone::Good),
                    similar::ChangeTag::Equal => None,
                };
                (
                    tone,
                    format!("{}{}", change.tag(), harmless(change.value())),
                )
            }));
        for (tone, line) in lines {
            if shown == LONGEST_DIFF {
                hidden += 1;
                continue;
            }
            shown += 1;
            let line = cut(line.trim_end_matches('\n'), LONGEST_LINE.max(look.width));
            match tone {
                Some(tone) => out.push_str(&paint(look.colour, tone, &line)),
                None => out.push_str(&line),
            }
            out.push('\n');
        }
    }
    if hidden > 0 {
        out.push_str(&format!("(and {hidden} more lines of this diff)\n"));
    }
    out
}

fn is_long(text: &str) -> bool {
    text.lines().any(|line| line.len() > LONG_LINE)
}

/// The text with a line break after each comma and each opening bracket of its long lines.
fn broken_up(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + text.len() / 16);
    for line in text.split_inclusive('\n') {
        if line.len() <= LONG_LINE {
            out.push_str(line);
            continue;
        }
        for part in line.split_inclusive([',', '{', '[']) {
            out.push_str(part);
            if !part.ends_with('\n') {
                out.push('\n');
            }
        }
    }
    out
}

/// A line without what could move the cursor; unlike [`visible`] it keeps its spaces, and a carriage return shows.
fn harmless(line: &str) -> String {
    let body = line.strip_suffix('\n').unwrap_or(line);
    let mut out = String::with_capacity(body.len());
    let mut plain = String::new();
    for c in body.chars() {
        match c {
            '\t' | ' ' => {
                flush(&mut plain, &mut out);
                out.push(c);
            }
            '\r' => {
                flush(&mut plain, &mut out);
                out.push_str("\\x0d");
            }
            c => plain.push(c),
        }
    }
    flush(&mut plain, &mut out);
    debug_assert!(columns(&out) >= columns(body.trim_end_matches('\r')));
    out
}

fn flush(plain: &mut String, out: &mut String) {
    if !plain.is_empty() {
        out.push_str(&visible(plain));
        plain.clear();
    }
}
