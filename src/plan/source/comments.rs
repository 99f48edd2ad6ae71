//! Comments that begin with a word, and what each of them stands at.
//!
//! YAML has no place for comments in its data, so they are read from the text: by the parser's own scanner, which knows
//! a comment from a `#` inside a block scalar or a quoted string. Only texts that may have such a comment are scanned.

use granit_parser::{Scanner, StrInput, TokenType};
use memchr::memmem;

use super::{Arena, Kind, Node, Span};

/// A comment and its place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Comment {
    /// From the `#` to the end of its line.
    pub span: Span,
    /// What it stands at. At the end of a line: that line, and the value that ends or begins there when it takes several
    /// lines. On a line of its own: the list item, the mapping's entry or the value that begins on the next line that is
    /// no comment, with everything inside. `None` when nothing begins there.
    pub covers: Option<Span>,
}

/// All comments that begin with a word, in the order of files and lines.
#[must_use]
pub fn comments_of(arena: &Arena, word: &str) -> Vec<Comment> {
    let mut files: Vec<Vec<Found>> = Vec::new();
    let mut any = false;
    for (file, text) in arena.sources.all().iter().enumerate() {
        let found = u16::try_from(file).map_or_else(|_| Vec::new(), |_| scan(text.text(), word));
        any |= !found.is_empty();
        files.push(found);
    }
    if any {
        settle(arena, &mut files);
    }
    let mut comments = Vec::new();
    for (file, found) in files.into_iter().enumerate() {
        let text = arena.sources.all()[file].text();
        // What follows several comments in a row belongs to each of them.
        let mut next: Option<Extent> = None;
        let mut covered: Vec<Option<Extent>> = Vec::with_capacity(found.len());
        for comment in found.iter().rev() {
            if comment.own_line {
                next = comment.below.or(next);
                covered.push(next.filter(|item| only_marks(&text[comment.end..item.start])));
            } else {
                // A comment at the end of a line parts what is above it from what is below.
                next = comment.below;
                covered.push(Some(line_of(text, comment)));
            }
        }
        for (comment, covers) in found.iter().zip(covered.into_iter().rev()) {
            comments.push(Comment {
                span: span(file, comment.start, comment.end),
                covers: covers.map(|extent| span(file, extent.start, extent.end)),
            });
        }
    }
    comments
}

#[derive(Debug, Clone, Copy)]
struct Extent {
    start: usize,
    end: usize,
}

/// A comment in one text, and the values next to it.
#[derive(Debug)]
struct Found {
    start: usize,
    end: usize,
    own_line: bool,
    /// The outermost of the items that begin first after it.
    below: Option<Extent>,
    /// The scalar that begins first after it.
    scalar: Option<Extent>,
    /// The value that ends last before it.
    before: Option<Extent>,
}

fn scan(text: &str, word: &str) -> Vec<Found> {
    // Scanning costs as much as parsing, so it ends behind the last place that looks right.
    let mut last = None;
    for at in memmem::find_iter(text.as_bytes(), word.as_bytes()) {
        if text[..at].trim_end_matches([' ', '\t']).ends_with('#') {
            last = Some(at);
        }
    }
    let Some(last) = last else {
        return Vec::new();
    };
    let mut found = Vec::new();
    for token in Scanner::new(StrInput::new(text)) {
        // The arena exists, so the text parses; a scanner that stops has nothing more to tell.
        let Ok(token) = token else { break };
        let (at, kind) = token.into_parts();
        let Some(range) = at.byte_range() else { break };
        // A comment behind the `|` of a block scalar comes after the scalar.
        if range.start > last && !matches!(kind, TokenType::Scalar(..)) {
            break;
        }
        if let TokenType::Comment(_) = kind
            && text
                .get(range.clone())
                .is_some_and(|text| begins_with(text, word))
        {
            let line = text[..range.start].rfind('\n').map_or(0, |at| at + 1);
            found.push(Found {
                start: range.start,
                end: range.end,
                own_line: text[line..range.start].trim().is_empty(),
                below: None,
                scalar: None,
                before: None,
            });
        }
    }
    found
}

fn begins_with(comment: &str, word: &str) -> bool {
    comment
        .trim_start_matches('#')
        .trim_start()
        .starts_with(word)
}

/// Finds the values next to each comment, in one pass over all nodes.
fn settle(arena: &Arena, files: &mut [Vec<Found>]) {
    let mut item = |start: Span, end: u32, whole: bool| {
        let Some(found) = files.get_mut(start.file as usize).filter(|f| !f.is_empty()) else {
            return;
        };
        let (start, end) = (start.start as usize, end as usize);
        let after = found.partition_point(|comment| comment.end <= start);
        if let Some(comment) = after.checked_sub(1).and_then(|at| found.get_mut(at)) {
            let first = comment.below.is_none_or(|below| {
                start < below.start || (start == below.start && end > below.end)
            });
            if first {
                comment.below = Some(Extent { start, end });
            }
        }
        let before = found.partition_point(|comment| comment.start < end);
        if whole
            && let Some(comment) = found.get_mut(before)
            && comment
                .before
                .is_none_or(|old| (end, old.start) > (old.end, start))
        {
            comment.before = Some(Extent { start, end });
        }
    };
    for node in &arena.nodes {
        match &node.kind {
            Kind::List(items) => {
                for id in items {
                    let node = arena.node(*id);
                    item(node.span, node.span.end, is_whole(arena, node));
                }
            }
            Kind::Map(entries) => {
                for entry in entries {
                    let value = arena.node(entry.value);
                    // An alias' value is written elsewhere.
                    let follows = value.span.file == entry.key_span.file
                        && value.span.start >= entry.key_span.end;
                    let end = if follows {
                        value.span.end
                    } else {
                        entry.key_span.end
                    };
                    item(entry.key_span, end, follows && is_whole(arena, value));
                    if follows && is_whole(arena, value) {
                        item(value.span, value.span.end, false);
                    }
                }
            }
            Kind::Null | Kind::Bool(_) | Kind::Number(..) | Kind::Text(_) => {}
        }
    }
    for node in &arena.nodes {
        if !matches!(node.kind, Kind::Text(_)) {
            continue;
        }
        let Some(found) = files.get_mut(node.span.file as usize) else {
            continue;
        };
        let (start, end) = (node.span.start as usize, node.span.end as usize);
        let after = found.partition_point(|comment| comment.end <= start);
        if let Some(comment) = after.checked_sub(1).and_then(|at| found.get_mut(at))
            && comment.scalar.is_none_or(|old| start < old.start)
        {
            comment.scalar = Some(Extent { start, end });
        }
    }
}

/// Whether a value is a scalar or written in brackets: something that a comment can stand behind.
fn is_whole(arena: &Arena, node: &Node) -> bool {
    match node.kind {
        Kind::List(_) | Kind::Map(_) => {
            let text = arena.source_of(node.span).text().as_bytes();
            matches!(text.get(node.span.start as usize), Some(b'[' | b'{'))
        }
        Kind::Null | Kind::Bool(_) | Kind::Number(..) | Kind::Text(_) => true,
    }
}

/// Whether there is nothing but comments, dashes and the like between a comment and what it stands above.
fn only_marks(between: &str) -> bool {
    between
        .lines()
        .map(str::trim_start)
        .filter(|line| !line.starts_with('#'))
        .flat_map(str::split_whitespace)
        .all(|word| {
            matches!(word, "-" | "?" | "---" | "[" | "{" | ",") || word.starts_with(['&', '!'])
        })
}

/// What a comment at the end of a line stands at.
fn line_of(text: &str, comment: &Found) -> Extent {
    let line = text[..comment.start].rfind('\n').map_or(0, |at| at + 1);
    let mut extent = Extent {
        start: line,
        end: comment.end,
    };
    let blank = |from: usize, to: usize| text.get(from..to).is_some_and(|t| t.trim().is_empty());
    if let Some(before) = comment.before
        && text
            .get(before.end..comment.start)
            .is_some_and(|t| t.trim_matches([' ', '\t', ',']).is_empty())
    {
        extent.start = line.min(before.start);
    }
    let head = text[line..comment.start].trim_end();
    let header = head.rsplit([' ', '\t']).next().unwrap_or_default();
    let is_header = header.starts_with(['|', '>'])
        && header[1..]
            .chars()
            .all(|c| matches!(c, '+' | '-' | '0'..='9'));
    if let Some(scalar) = comment.scalar
        && is_header
        && blank(comment.end, scalar.start)
    {
        extent.end = scalar.end;
    }
    extent
}

fn span(file: usize, start: usize, end: usize) -> Span {
    // The size limit keeps offsets far below 32 bits, and files were counted when they were read.
    Span {
        file: u16::try_from(file).unwrap_or(u16::MAX),
        start: u32::try_from(start).unwrap_or(u32::MAX),
        end: u32::try_from(end).unwrap_or(u32::MAX),
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::super::parse;
    use super::*;
    use crate::base::diagnostic::SourceText;

    /// Each comment that begins with `mark`, and the text that it covers.
    fn covered(text: &str) -> Vec<(String, Option<String>)> {
        let source = Arc::new(SourceText::new("f", text.to_owned()));
        let (arena, found) = parse(&source);
        let arena = arena.unwrap_or_else(|| panic!("{text}: {found:#?}"));
        let piece = |span: Span| text[span.start as usize..span.end as usize].to_owned();
        comments_of(&arena, "mark")
            .into_iter()
            .map(|comment| (piece(comment.span), comment.covers.map(piece)))
            .collect()
    }

    fn one(text: &str) -> Option<String> {
        let mut all = covered(text);
        assert_eq!(all.len(), 1, "{all:?}");
        all.remove(0).1
    }

    #[test]
    fn above_an_item_it_covers_the_item() {
        let text = "steps:\n  # mark\n  - id: A\n    x: 1\n  - id: B\n";
        assert_eq!(one(text).as_deref(), Some("id: A\n    x: 1"));
        let text = "a: 1\n# mark\n\n# other\nb:\n  c: 2\nd: 3\n";
        assert_eq!(one(text).as_deref(), Some("b:\n  c: 2"));
        assert_eq!(one("# mark\na: 1\nb: 2\n").as_deref(), Some("a: 1"));
        assert_eq!(one("---\n# mark\na: 1\n").as_deref(), Some("a: 1"));
        assert_eq!(one("# mark\n--- \na: 1\n").as_deref(), Some("a: 1"));
        assert_eq!(
            one("- - x\n  # mark\n  - - y\n    - z\n").as_deref(),
            Some("- y\n    - z")
        );
        assert_eq!(
            one("l:\n# mark\n-\n  a: 1\n  b: 2\n- c\n").as_deref(),
            Some("a: 1\n  b: 2")
        );
        assert_eq!(
            one("l:\n  # mark\n  - &x\n    a: 1\n  - *x\n").as_deref(),
            Some("a: 1")
        );
        assert_eq!(
            one("k:\n  # mark\n  {a: 1,\n   b: 2}\n").as_deref(),
            Some("{a: 1,\n   b: 2}")
        );
        assert_eq!(one("k: [a,\n  # mark\n  b, c]\n").as_deref(), Some("b"));
        assert_eq!(
            one("k:\n  # mark\n  \"v\"\nl: 1\n").as_deref(),
            Some("\"v\"")
        );
    }

    #[test]
    fn several_in_a_row_stand_above_the_same_item() {
        let text = "l:\n  # mark 1\n  # mark 2\n  - a: 1\n";
        let all: Vec<_> = covered(text)
            .into_iter()
            .map(|(_, covers)| covers)
            .collect();
        assert_eq!(all, [Some("a: 1".to_owned()), Some("a: 1".to_owned())]);
        let text = "l:\n  # mark 1\n  - a: 1 # mark 2\n    b: 2\n";
        let all: Vec<_> = covered(text)
            .into_iter()
            .map(|(_, covers)| covers)
            .collect();
        assert_eq!(all[0].as_deref(), Some("a: 1 # mark 2\n    b: 2"));
        assert_eq!(all[1].as_deref(), Some("  - a: 1 # mark 2"));
    }

    #[test]
    fn above_nothing_it_covers_nothing() {
        assert_eq!(one("a: 1\n# mark\n"), None);
        assert_eq!(
            one("a: &x 1\nl:\n  - *x\n  # mark\n  - *x\n  - b: 1\n"),
            None
        );
        assert_eq!(one("a: &x {k: 1}\nb:\n  # mark\n  <<: *x\n  c: 1\n"), None);
    }

    #[test]
    fn at_the_end_of_a_line_it_covers_the_line() {
        assert_eq!(
            one("a: 1\nb: 2 # mark\nc: 3\n").as_deref(),
            Some("b: 2 # mark")
        );
        assert_eq!(
            one("a: 1\r\nb: 2 # mark\r\nc: 3\r\n").as_deref(),
            Some("b: 2 # mark")
        );
        assert_eq!(one("l: # mark\n  - a\n").as_deref(), Some("l: # mark"));
        assert_eq!(
            one("a: \"x\n  y\" # mark\n").as_deref(),
            Some("a: \"x\n  y\" # mark")
        );
        assert_eq!(
            one("- {a: 1,\n   b: 2} # mark\n").as_deref(),
            Some("{a: 1,\n   b: 2} # mark")
        );
        assert_eq!(
            one("a: |- # mark\n  x\n  y\nb: 1\n").as_deref(),
            Some("a: |- # mark\n  x\n  y\n")
        );
        assert_eq!(
            one("a: b | # mark\nc: d\n").as_deref(),
            Some("a: b | # mark")
        );
    }

    #[test]
    fn scalars_hold_no_comments() {
        assert_eq!(
            covered("a: |\n  # mark\n  x # mark\nb: 'x # mark'\nc: \"# mark\"\nd: x#mark\n"),
            []
        );
        assert_eq!(covered("a: >\n  x\n  # mark\n# mark 2\nb: 1\n").len(), 1);
        assert_eq!(covered("a: é # mark ü\n")[0].0, "# mark ü");
    }
}
