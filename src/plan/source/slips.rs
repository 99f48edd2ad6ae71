//! What people do to YAML without seeing it: the likely cause of a text that cannot be parsed.

use crate::base::diagnostic::SourceText;

/// Where the parser stopped is often not where the slip is.
const ELSEWHERE: &str =
    "the cause is often a line above: a missing quote, a tab, or wrong indentation";

/// A slip that explains why the parser stopped, and what to do about it.
pub(super) struct Slip {
    /// Where it is, as a byte offset; the place where the parser stopped if it is the same.
    pub(super) at: usize,
    /// What to do.
    pub(super) help: String,
}

/// The likely cause of an error at a byte of a text.
pub(super) fn cause(text: &SourceText, stopped: usize) -> Slip {
    let (line, _) = text.position(stopped);
    // The line where the parser stopped, then the nearest one above that says something.
    let above = (1..line)
        .rev()
        .take(3)
        .find(|line| !content(text, *line).1.trim().is_empty());
    for line in std::iter::once(line).chain(above) {
        let (start, content) = content(text, line);
        if let Some((offset, help)) = slip(content) {
            return Slip {
                at: start + offset,
                help: help.to_owned(),
            };
        }
    }
    Slip {
        at: stopped,
        help: ELSEWHERE.to_owned(),
    }
}

/// A line's offset and text; of a long one the beginning.
fn content(text: &SourceText, line: usize) -> (usize, &str) {
    let (start, end) = text.line_range(line);
    let mut end = end.min(start + 2_000);
    while !text.text().is_char_boundary(end) {
        end -= 1;
    }
    (start, &text.text()[start..end])
}

fn slip(line: &str) -> Option<(usize, &'static str)> {
    let trimmed = line.trim_start();
    let indentation = &line[..line.len() - trimmed.len()];
    if ["<<<<<<<", "=======", ">>>>>>>", "|||||||"]
        .iter()
        .any(|marker| line.starts_with(marker))
    {
        return Some((
            0,
            "this line is left over from a merge: keep one of the two sides and delete the markers",
        ));
    }
    if let Some(at) = indentation.find('\t') {
        return Some((at, "indent with spaces: YAML does not allow tabs there"));
    }
    if let Some(at) = indentation.find(|c| c != ' ') {
        return Some((
            at,
            "this line is indented with characters that look like spaces, such as non-breaking ones: retype them as spaces",
        ));
    }
    if let Some(at) = line.find('\0') {
        return Some((at, "there is a NUL byte here: delete it"));
    }
    let offset = |part: &str| part.as_ptr() as usize - line.as_ptr() as usize;
    // `order:1` and `order 1`: a key that is none.
    let word = trimmed.trim_start_matches("- ");
    let name = word
        .find(|c: char| !(c.is_ascii_alphanumeric() || c == '_' || c == '-'))
        .unwrap_or(word.len());
    let rest = &word[name..];
    if name > 0
        && rest.starts_with(':')
        && rest[1..].starts_with(|c: char| !c.is_whitespace() && c != '/')
    {
        return Some((offset(rest), "write a space after the colon"));
    }
    let follows = rest.trim_start();
    if name > 0 && rest.starts_with(' ') && follows.starts_with(['{', '[', '"', '\'', '*', '&']) {
        return Some((
            offset(rest),
            "a key is followed by a colon and a space: `key: value`",
        ));
    }
    let value = trimmed
        .split_once(": ")
        .map(|(_, value)| value.trim_start());
    if let Some(value) = value {
        if value.starts_with(['\u{201c}', '\u{201d}', '\u{2018}', '\u{2019}']) {
            return Some((
                offset(value),
                "these are the quotes of a text processor, which YAML takes for letters: write \" or '",
            ));
        }
        if value.starts_with('\'') && value.matches('\'').count() % 2 == 1 {
            return Some((
                offset(value),
                "inside single quotes an apostrophe is written twice (''); or use double quotes",
            ));
        }
        if value.starts_with('"') && value.contains('\\') {
            return Some((
                offset(value),
                "inside double quotes a backslash begins an escape: use single quotes, or write it twice",
            ));
        }
        if value.starts_with(['%', '@', '`']) {
            return Some((
                offset(value),
                "a value cannot begin with this character: put it in quotes",
            ));
        }
        if value.starts_with(|c: char| c.is_alphanumeric()) && value.contains(": ") {
            return Some((
                offset(value),
                "a text with a colon and a space in it must be in quotes",
            ));
        }
    }
    None
}

/// A text with the leftovers of a merge, read as its first side says.
pub(super) struct Unmerged {
    /// The text, as long as it was: markers and second sides are spaces.
    pub(super) text: String,
    /// Where the markers begin.
    pub(super) conflicts: Vec<usize>,
}

/// The text of a file that a merge left conflicts in; `None` when there are none.
pub(super) fn unmerged(text: &str) -> Option<Unmerged> {
    let begins = |rest: &str| rest.starts_with("<<<<<<< ");
    if !begins(text) && memchr::memmem::find(text.as_bytes(), b"\n<<<<<<< ").is_none() {
        return None;
    }
    let mut conflicts = Vec::new();
    let mut read = String::with_capacity(text.len());
    let (mut inside, mut second) = (false, false);
    let mut at = 0;
    for line in text.split_inclusive('\n') {
        let marker = if begins(line) && !inside {
            conflicts.push(at);
            inside = true;
            true
        } else if inside && (line.starts_with("||||||| ") || line.trim_end() == "=======") {
            second = true;
            true
        } else if inside && line.starts_with(">>>>>>> ") {
            (inside, second) = (false, false);
            true
        } else {
            false
        };
        if marker || second {
            // Bytes, not characters: places must stay where they are.
            let body = line.trim_end_matches(['\n', '\r']);
            read.extend(std::iter::repeat_n(' ', body.len()));
            read.push_str(&line[body.len()..]);
        } else {
            read.push_str(line);
        }
        at += line.len();
    }
    Some(Unmerged {
        text: read,
        conflicts,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cause_is_where_the_slip_is() {
        for (line, offset, word) in [
            ("\tname: x", 0, "tabs"),
            ("  \u{a0}name: x", 2, "look like spaces"),
            ("order:1", 5, "space after the colon"),
            ("name: \u{201c}a: b\u{201d}", 6, "text processor"),
            ("name: 'Ann's step'", 6, "apostrophe"),
            ("path: \"c:\\dir\"", 6, "backslash"),
            ("name: a: b", 6, "in quotes"),
            ("commands [a]", 8, "followed by a colon"),
        ] {
            let text = SourceText::new("f", format!("a: 1\n{line}\n"));
            let slip = cause(&text, 5);
            assert!(slip.help.contains(word), "{line}: {}", slip.help);
            assert_eq!(slip.at, 5 + offset, "{line}");
        }
        let text = SourceText::new("f", "a: 1\nurl: http://x\n".to_owned());
        assert_eq!(cause(&text, 5).help, ELSEWHERE);
    }

    #[test]
    fn of_a_merge_the_first_side_is_read() {
        let text = "a: 1\r\n<<<<<<< HEAD\nb: é\n=======\nb: ü\n>>>>>>> other\nc: 3\n";
        let unmerged = unmerged(text).expect("there is a conflict");
        assert_eq!(unmerged.text.len(), text.len());
        assert_eq!(unmerged.conflicts, [6]);
        let read: Vec<&str> = unmerged.text.split_whitespace().collect();
        assert_eq!(read, ["a:", "1", "b:", "é", "c:", "3"]);
        assert!(super::unmerged("a: <<<<<<< b\n").is_none());
    }
}
