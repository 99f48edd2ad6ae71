//! Text on a terminal: made harmless, measured, cut, wrapped, painted.

use jiff::Timestamp;
use unicode_width::{UnicodeWidthChar as _, UnicodeWidthStr as _};

/// One line of harmless text: line breaks and tabs become spaces, every other control character and every character
/// that reorders or hides text is written out (`\x1b`, `\u{202e}`).
#[must_use]
pub fn visible(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.trim_end().chars() {
        match c {
            '\n' | '\t' | '\r' => {
                if !out.ends_with(' ') {
                    out.push(' ');
                }
            }
            c if c.is_control() && u32::from(c) < 0x100 => {
                out.push_str(&format!("\\x{:02x}", u32::from(c)));
            }
            c if c.is_control() || misleads(c) => {
                out.push_str(&format!("\\u{{{:x}}}", u32::from(c)));
            }
            c => out.push(c),
        }
    }
    out
}

/// Characters that reorder, hide or break a line without being control characters.
fn misleads(c: char) -> bool {
    matches!(c,
        '\u{200b}' | '\u{200e}' | '\u{200f}' | '\u{061c}' | '\u{feff}' | '\u{2028}' | '\u{2029}' | '\u{00ad}'
        | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{2069}')
}

/// Columns that a text takes.
#[must_use]
pub fn columns(text: &str) -> usize {
    text.width()
}

/// At most `width` columns; what was cut off is marked by an ellipsis.
#[must_use]
pub fn cut(text: &str, width: usize) -> String {
    if columns(text) <= width {
        return text.to_owned();
    }
    let mut out = String::new();
    let mut used = 0;
    for c in text.chars() {
        let w = c.width().unwrap_or(0);
        if used + w + 1 > width {
            break;
        }
        used += w;
        out.push(c);
    }
    if width > 0 {
        out.push('…');
    }
    out
}

/// Breaks a text between words so that no line is wider than `width`; a word that is wider is broken where it must be.
#[must_use]
pub fn wrap(text: &str, width: usize) -> Vec<String> {
    let width = width.max(8);
    let mut lines = Vec::new();
    let mut line = String::new();
    for word in text.split(' ').filter(|w| !w.is_empty()) {
        if !line.is_empty() && columns(&line) + 1 + columns(word) > width {
            lines.push(std::mem::take(&mut line));
        }
        if !line.is_empty() {
            line.push(' ');
        }
        for c in word.chars() {
            if columns(&line) + c.width().unwrap_or(0) > width {
                lines.push(std::mem::take(&mut line));
            }
            line.push(c);
        }
    }
    if !line.is_empty() || lines.is_empty() {
        lines.push(line);
    }
    lines
}

/// A length of time as people say it: `850 ms`, `1.2 s`, `34 s`, `2 min 5 s`, `1 h 2 min`, `3 days 4 h`.
#[must_use]
pub fn millis(ms: u64) -> String {
    let (big, big_name, small, small_name) = match ms {
        0..1_000 => return format!("{ms} ms"),
        1_000..10_000 if ms % 1_000 >= 100 => {
            return format!("{}.{} s", ms / 1_000, ms % 1_000 / 100);
        }
        1_000..60_000 => return format!("{} s", ms / 1_000),
        60_000..3_600_000 => (ms / 60_000, "min", ms % 60_000 / 1_000, "s"),
        3_600_000..86_400_000 => (ms / 3_600_000, "h", ms % 3_600_000 / 60_000, "min"),
        _ => {
            let days = ms / 86_400_000;
            let name = if days == 1 { "day" } else { "days" };
            (days, name, ms % 86_400_000 / 3_600_000, "h")
        }
    };
    if small == 0 {
        format!("{big} {big_name}")
    } else {
        format!("{big} {big_name} {small} {small_name}")
    }
}

/// The same to the second, for what goes on: `0 s`, `2 s`, `2 min 5 s`.
#[must_use]
pub fn seconds(ms: u64) -> String {
    if ms < 60_000 {
        format!("{} s", ms / 1_000)
    } else {
        millis(ms)
    }
}

/// Milliseconds from `from` to `to`, never negative.
#[must_use]
pub fn between(from: Timestamp, to: Timestamp) -> u64 {
    u64::try_from(to.duration_since(from).as_millis()).unwrap_or(0)
}

/// RFC 3339 in UTC, to the second.
#[must_use]
pub fn instant(at: Timestamp) -> String {
    at.strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
}

/// One word for a POSIX shell: as it is where that is safe, else in single quotes.
#[must_use]
pub fn quote(word: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_./:@%+=,".contains(c);
    if !word.is_empty() && word.chars().all(plain) {
        word.to_owned()
    } else {
        format!("'{}'", word.replace('\'', r"'\''"))
    }
}

/// What a colour says. Never the only carrier of a meaning: the word stands there as well.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tone {
    /// It is well.
    Good,
    /// It is not.
    Bad,
    /// It is going on.
    Busy,
    /// Someone is asked.
    Asks,
    /// Not important now.
    Dim,
    /// A heading.
    Strong,
}

/// `text` in a colour, or as it is.
#[must_use]
pub fn paint(colour: bool, tone: Tone, text: &str) -> String {
    if !colour || text.is_empty() {
        return text.to_owned();
    }
    let code = match tone {
        Tone::Good => "32",
        Tone::Bad => "1;31",
        Tone::Busy => "36",
        Tone::Asks => "1;33",
        Tone::Dim => "2",
        Tone::Strong => "1",
    };
    format!("\u{1b}[{code}m{text}\u{1b}[0m")
}

/// A word that stands before a line, and its colour.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Mark {
    /// At most eight columns, so that lines stand below one another.
    pub word: &'static str,
    /// Its colour.
    pub tone: Tone,
}

/// How to draw; the caller knows the terminal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Look {
    /// Columns.
    pub width: usize,
    /// Whether to use colour.
    pub colour: bool,
}

impl Look {
    /// Without colour.
    #[must_use]
    pub const fn plain(width: usize) -> Self {
        Self {
            width,
            colour: false,
        }
    }
}

/// Lines that are being drawn.
#[derive(Debug)]
pub(super) struct Page {
    look: Look,
    lines: Vec<String>,
}

/// Columns of a mark and the gap after it.
const MARK: usize = 9;

impl Page {
    pub(super) const fn new(look: Look) -> Self {
        Self {
            look,
            lines: Vec::new(),
        }
    }

    pub(super) fn blank(&mut self) {
        if self.lines.last().is_some_and(|l| !l.is_empty()) {
            self.lines.push(String::new());
        }
    }

    /// A line in one tone, wrapped, its continuation indented by two more.
    pub(super) fn line(&mut self, indent: usize, tone: Option<Tone>, text: &str) {
        let text = visible(text);
        let room = self.look.width.saturating_sub(indent + 2);
        for (i, part) in wrap(&text, room).into_iter().enumerate() {
            let part = match tone {
                Some(tone) => paint(self.look.colour, tone, &part),
                None => part,
            };
            let pad = if i == 0 { indent } else { indent + 2 };
            self.lines.push(format!("{:pad$}{part}", ""));
        }
    }

    /// `label` in bold, then text that hangs below its own beginning.
    pub(super) fn field(&mut self, indent: usize, label: &str, text: &str) {
        let text = visible(text);
        let hang = indent + columns(label) + 1;
        let hang_rest = hang.min(indent + 4);
        // A label that leaves no room for its text stands alone.
        let word = text.split(' ').next().map_or(0, columns).min(20);
        if hang + word > self.look.width && hang_rest < hang {
            self.line(indent, Some(Tone::Strong), label);
            self.line(hang_rest, None, &text);
            return;
        }
        let mut rest = wrap(&text, self.look.width.saturating_sub(hang)).into_iter();
        let first = rest.next().unwrap_or_default();
        let label = paint(self.look.colour, Tone::Strong, label);
        self.lines.push(format!("{:indent$}{label} {first}", ""));
        let rest: Vec<String> = rest.collect();
        if !rest.is_empty() {
            for part in wrap(&rest.join(" "), self.look.width.saturating_sub(hang_rest)) {
                self.lines.push(format!("{:hang_rest$}{part}", ""));
            }
        }
    }

    /// A command to type: never cut, never broken.
    pub(super) fn command(&mut self, indent: usize, label: &str, command: &str) {
        let label = paint(self.look.colour, Tone::Strong, label);
        let gap = if label.is_empty() { "" } else { " " };
        self.lines
            .push(format!("{:indent$}{label}{gap}{command}", ""));
    }

    /// Text that must be shown exactly as it is, but for control characters: never wrapped, its spaces kept.
    pub(super) fn verbatim(&mut self, indent: usize, text: &str) {
        for line in text.lines() {
            let line = visible(&line.replace('\t', "    "));
            self.lines.push(format!("{:indent$}{line}", ""));
        }
    }

    /// Columns that are left after an indent.
    pub(super) const fn room(&self, indent: usize) -> usize {
        self.look.width.saturating_sub(indent)
    }

    /// A mark, a text, and a detail in brackets where it fits, else below.
    pub(super) fn row(&mut self, indent: usize, mark: Mark, text: &str, detail: &str) {
        let (text, detail) = (visible(text), visible(detail));
        let hang = indent + MARK;
        let room = self.look.width.saturating_sub(hang);
        let word = paint(self.look.colour, mark.tone, mark.word);
        let pad = MARK.saturating_sub(columns(mark.word)).max(1);
        let mut lines = wrap(&text, room);
        let short = if detail.is_empty() {
            String::new()
        } else {
            format!("({detail})")
        };
        if !short.is_empty() {
            let last = lines.last_mut();
            match last {
                Some(last) if columns(last) + 1 + columns(&short) <= room => {
                    last.push(' ');
                    last.push_str(&paint(self.look.colour, Tone::Dim, &short));
                }
                _ => lines.extend(wrap(&short, room)),
            }
        }
        for (i, part) in lines.into_iter().enumerate() {
            if i == 0 {
                self.lines
                    .push(format!("{:indent$}{word}{:pad$}{part}", "", ""));
            } else {
                self.lines.push(format!("{:hang$}{part}", ""));
            }
        }
    }

    /// A row of a table whose columns were laid out already.
    pub(super) fn row_of(&mut self, tone: Option<Tone>, row: &str) {
        let row = row.trim_end();
        self.lines.push(match tone {
            Some(tone) => paint(self.look.colour, tone, row),
            None => row.to_owned(),
        });
    }

    /// The head of a table, put above what was drawn after the first `above` lines.
    pub(super) fn head(&mut self, above: usize, heads: &str) {
        let heads = paint(self.look.colour, Tone::Dim, heads);
        self.lines.insert(above.min(self.lines.len()), heads);
    }

    pub(super) fn finish(self) -> String {
        let mut text = self.lines.join("\n");
        text.push('\n');
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_that_a_plan_says_can_move_the_cursor() {
        assert_eq!(visible("a\u{1b}[2Jb\r\nc\u{7}"), "a\\x1b[2Jb c\\x07");
        assert_eq!(visible("safe \u{202e}txt.exe"), "safe \\u{202e}txt.exe");
        assert_eq!(visible("zwei\u{85}Zeilen"), "zwei\\x85Zeilen");
    }

    #[test]
    fn cutting_counts_columns_not_bytes() {
        assert_eq!(cut("日本語テキスト", 7), "日本語…");
        assert_eq!(cut("short", 5), "short");
        assert!(columns(&cut("ÄÖÜäöüß and more", 8)) <= 8);
    }

    #[test]
    fn wrapping_never_exceeds_the_width() {
        for line in wrap(
            "a-word-that-is-much-longer-than-the-line and 日本語テキスト then",
            10,
        ) {
            assert!(columns(&line) <= 10, "{line}");
        }
    }

    #[test]
    fn times_read_as_people_say_them() {
        let said: Vec<String> = [850, 1_240, 34_000, 125_000, 120_000, 3_720_000, 273_600_000]
            .into_iter()
            .map(millis)
            .collect();
        assert_eq!(
            said,
            [
                "850 ms",
                "1.2 s",
                "34 s",
                "2 min 5 s",
                "2 min",
                "1 h 2 min",
                "3 days 4 h"
            ]
        );
    }

    #[test]
    fn quoting_survives_a_shell() {
        assert_eq!(quote("STEP-1-1"), "STEP-1-1");
        assert_eq!(quote("Schritt 1"), "'Schritt 1'");
        assert_eq!(quote("it's $HOME"), r"'it'\''s $HOME'");
        assert_eq!(quote(""), "''");
    }
}
