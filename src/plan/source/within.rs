//! From a piece of a scalar's value to the place where it is written.
//!
//! A value of many lines is written with indentation, folds, escapes and doubled quotes, none of
//! which are in the value. The scalar is decoded once more from its source, keeping where each
//! piece came from. What the decoder makes of the source must equal the value that the parser
//! gave: where it does not, the place is the whole value, and never a wrong line.

use std::ops::Range;

use super::{Arena, Kind, NodeId, Span};
use crate::base::diagnostic::Location;

/// Where the pieces of one value are written.
#[derive(Debug, Clone)]
pub struct Within {
    span: Span,
    /// In the order of the value; none when only the whole is known.
    pieces: Vec<Piece>,
}

/// A piece of the value and the bytes of the source that say it.
#[derive(Debug, Clone)]
struct Piece {
    value: Range<usize>,
    source: Range<usize>,
    /// The bytes are the same in both.
    verbatim: bool,
}

impl Within {
    /// Whether places inside the value are known; else each range is the whole value.
    #[must_use]
    pub fn is_exact(&self) -> bool {
        !self.pieces.is_empty()
    }

    /// The source of a range of bytes of the value. A range that leaves the value is cut to it.
    #[must_use]
    pub fn span(&self, range: Range<usize>) -> Span {
        let (Some(first), Some(last)) = (self.pieces.first(), self.pieces.last()) else {
            return self.span;
        };
        let start = if range.start >= last.value.end {
            // After the last line, not at the beginning of what follows the value.
            if last.verbatim {
                last.source.end
            } else {
                last.source.start
            }
        } else {
            let piece = self.piece(range.start.max(first.value.start));
            if piece.verbatim {
                piece.source.start + (range.start - piece.value.start)
            } else {
                piece.source.start
            }
        };
        let end = if range.end <= range.start {
            start
        } else {
            let end = range.end.min(last.value.end);
            let piece = self.piece(end - 1);
            if piece.verbatim {
                piece.source.start + (end - piece.value.start)
            } else {
                piece.source.end
            }
        };
        Span {
            file: self.span.file,
            start: narrow(start),
            end: narrow(end.max(start)),
        }
    }

    /// The piece that holds a byte of the value.
    fn piece(&self, byte: usize) -> &Piece {
        let after = self
            .pieces
            .partition_point(|piece| piece.value.start <= byte);
        &self.pieces[after.saturating_sub(1)]
    }
}

fn narrow(offset: usize) -> u32 {
    // The size limit keeps offsets far below 32 bits.
    u32::try_from(offset).unwrap_or(u32::MAX)
}

impl Arena {
    /// Where the pieces of a scalar are written. An alias leads to the place of its anchor.
    #[must_use]
    pub fn within(&self, id: NodeId) -> Within {
        let node = self.node(id);
        let value: &str = match &node.kind {
            Kind::Text(text) => text,
            Kind::Number(_, spelling) => spelling,
            Kind::Null | Kind::Bool(_) | Kind::List(_) | Kind::Map(_) => "",
        };
        let source = self.source_of(node.span).text();
        let range = node.span.start as usize..node.span.end as usize;
        let pieces = decode(source, range, value).unwrap_or_default();
        Within {
            span: node.span,
            pieces,
        }
    }

    /// The place of a range of bytes of the value at a pointer.
    #[must_use]
    pub fn locate_within(&self, pointer: &str, range: Range<usize>) -> Location {
        let within = self.within(self.follow(pointer).node);
        self.location(within.span(range), pointer)
    }
}

/// Decodes by the style that the first character shows; a block scalar's span does not show its
/// style, so both are tried.
fn decode(source: &str, span: Range<usize>, value: &str) -> Option<Vec<Piece>> {
    if value.is_empty() {
        return None;
    }
    let written = source.get(span.clone())?;
    let flow = match written.as_bytes().first()? {
        b'"' => quoted(written, '"').and_then(|_| flow(source, inner(&span), Some(b'"'))),
        b'\'' => quoted(written, '\'').and_then(|_| flow(source, inner(&span), Some(b'\''))),
        _ => flow(source, span.clone(), None),
    };
    flow.filter(|out| out.value == value)
        .or_else(|| literal(source, &span, value))
        .or_else(|| folded(source, &span, value))
        .map(|out| out.pieces)
}

fn quoted(written: &str, quote: char) -> Option<()> {
    (written.len() >= 2 && written.ends_with(quote)).then_some(())
}

fn inner(span: &Range<usize>) -> Range<usize> {
    span.start + 1..span.end - 1
}

/// The value as it is decoded, with where each piece came from.
#[derive(Default)]
struct Out {
    value: String,
    pieces: Vec<Piece>,
}

impl Out {
    /// Takes over bytes as they are.
    fn verbatim(&mut self, source: &str, range: Range<usize>) {
        if range.is_empty() {
            return;
        }
        let from = self.value.len();
        self.value.push_str(&source[range.clone()]);
        if let Some(last) = self.pieces.last_mut()
            && last.verbatim
            && last.source.end == range.start
        {
            last.value.end = self.value.len();
            last.source.end = range.end;
            return;
        }
        self.pieces.push(Piece {
            value: from..self.value.len(),
            source: range,
            verbatim: true,
        });
    }

    /// Takes what other bytes stand for.
    fn put(&mut self, character: char, range: Range<usize>) {
        let from = self.value.len();
        self.value.push(character);
        self.pieces.push(Piece {
            value: from..self.value.len(),
            source: range,
            verbatim: false,
        });
    }
}

/// The end of a line break that begins here.
fn line_break(bytes: &[u8], at: usize) -> Option<usize> {
    match bytes.get(at)? {
        b'\n' => Some(at + 1),
        b'\r' if bytes.get(at + 1) == Some(&b'\n') => Some(at + 2),
        b'\r' => Some(at + 1),
        _ => None,
    }
}

fn skip_blanks(bytes: &[u8], mut at: usize) -> usize {
    while matches!(bytes.get(at), Some(b' ' | b'\t')) {
        at += 1;
    }
    at
}

/// A plain or quoted scalar, without its quotes: YAML 1.2, section 7.3.
fn flow(source: &str, range: Range<usize>, quote: Option<u8>) -> Option<Out> {
    let text = &source[..range.end];
    let bytes = text.as_bytes();
    let mut out = Out::default();
    let mut at = range.start;
    while at < bytes.len() {
        match bytes[at] {
            b'\n' | b'\r' => at = fold(bytes, at, &mut out)?,
            b' ' | b'\t' => {
                let end = skip_blanks(bytes, at);
                if line_break(bytes, end).is_none() {
                    out.verbatim(text, at..end);
                }
                at = end;
            }
            b'\\' if quote == Some(b'"') => {
                if let Some(next) = line_break(bytes, at + 1) {
                    at = skip_blanks(bytes, next);
                    at = empty_lines(bytes, at, &mut out);
                } else {
                    let (character, end) = escape(text, at)?;
                    out.put(character, at..end);
                    at = end;
                }
            }
            b'\'' if quote == Some(b'\'') => {
                if bytes.get(at + 1) != Some(&b'\'') {
                    return None;
                }
                out.put('\'', at..at + 2);
                at += 2;
            }
            _ => {
                let start = at;
                while at < bytes.len()
                    && !matches!(bytes[at], b'\n' | b'\r' | b' ' | b'\t' | b'\\' | b'\'')
                {
                    at += 1;
                }
                // A back slash or quote that means itself in this style.
                at = at.max(start + 1);
                out.verbatim(text, start..at);
            }
        }
    }
    Some(out)
}

/// One line break is a space; each further one is itself.
fn fold(bytes: &[u8], at: usize, out: &mut Out) -> Option<usize> {
    let next = skip_blanks(bytes, line_break(bytes, at)?);
    if line_break(bytes, next).is_none() {
        out.put(' ', at..next);
        return Some(next);
    }
    Some(empty_lines(bytes, next, out))
}

/// The line breaks of lines on which nothing is written, and the white space before the next text.
fn empty_lines(bytes: &[u8], mut at: usize, out: &mut Out) -> usize {
    while let Some(end) = line_break(bytes, at) {
        out.put('\n', at..end);
        at = skip_blanks(bytes, end);
    }
    at
}

/// The character of an escape sequence and where it ends: YAML 1.2, section 5.7.
fn escape(text: &str, at: usize) -> Option<(char, usize)> {
    let code = *text.as_bytes().get(at + 1)?;
    let digits = match code {
        b'x' => 2,
        b'u' => 4,
        b'U' => 8,
        _ => 0,
    };
    if digits > 0 {
        let end = at + 2 + digits;
        let number = u32::from_str_radix(text.get(at + 2..end)?, 16).ok()?;
        return Some((char::from_u32(number)?, end));
    }
    let character = match code {
        b'0' => '\0',
        b'a' => '\u{7}',
        b'b' => '\u{8}',
        b't' | b'\t' => '\t',
        b'n' => '\n',
        b'v' => '\u{b}',
        b'f' => '\u{c}',
        b'r' => '\r',
        b'e' => '\u{1b}',
        b' ' | b'"' | b'/' | b'\\' => char::from(code),
        b'N' => '\u{85}',
        b'_' => '\u{a0}',
        b'L' => '\u{2028}',
        b'P' => '\u{2029}',
        _ => return None,
    };
    Some((character, at + 2))
}

/// A line of a block scalar.
struct Line {
    /// Without its line break.
    text: Range<usize>,
    /// The line break; empty at the end of the file.
    end: Range<usize>,
}

/// The lines of a block scalar: its span begins at its first text or after its `|`.
fn lines(source: &str, span: &Range<usize>) -> impl Iterator<Item = Line> {
    let bytes = source.as_bytes();
    let before = &source[..span.start];
    let line_start = before.rfind(['\n', '\r']).map_or(0, |at| at + 1);
    let blank = before[line_start..].bytes().all(|byte| byte == b' ');
    let mut at = if blank {
        // Lines without text may stand before the first one, and are lines of the value.
        first_line(before, line_start)
    } else {
        let rest = &source[span.start..];
        rest.find('\n')
            .map_or(source.len(), |end| span.start + end + 1)
    };
    std::iter::from_fn(move || {
        if at >= bytes.len() {
            return None;
        }
        let start = at;
        let end = source[start..]
            .find(['\n', '\r'])
            .map_or(bytes.len(), |length| start + length);
        at = line_break(bytes, end).unwrap_or(end);
        Some(Line {
            text: start..end,
            end: end..at,
        })
    })
}

/// The first of the lines without text that stand before `line`.
fn first_line(before: &str, line: usize) -> usize {
    let mut first = line;
    loop {
        let above = before[..first].trim_end_matches(['\n', '\r']);
        if above.len() == first {
            return first;
        }
        // The breaks of empty lines were all cut off; one of them ends the line above them.
        let breaks = &before[above.len()..first];
        let own = line_break(breaks.as_bytes(), 0).unwrap_or(0);
        let start = above.rfind(['\n', '\r']).map_or(0, |at| at + 1);
        first = above.len() + own;
        if above.is_empty() || !above[start..].bytes().all(|byte| byte == b' ') {
            return first;
        }
        first = start;
        if first == 0 {
            return 0;
        }
    }
}

/// How many spaces of each line are indentation: the first line that has text shows it.
fn indentation(source: &str, span: &Range<usize>, value: &str) -> Option<usize> {
    let spaces = |text: &str| text.len() - text.trim_start_matches(' ').len();
    let in_value = value.split('\n').find(|line| spaces(line) < line.len())?;
    let in_source = lines(source, span)
        .map(|line| &source[line.text])
        .find(|line| spaces(line) < line.len())?;
    spaces(in_source).checked_sub(spaces(in_value))
}

/// The part of a line that belongs to the value; none when the scalar has ended.
fn content(source: &str, line: &Line, indent: usize) -> Option<Range<usize>> {
    let text = &source[line.text.clone()];
    let spaces = text.len() - text.trim_start_matches(' ').len();
    if spaces >= indent {
        Some(line.text.start + indent..line.text.end)
    } else if spaces == text.len() {
        Some(line.text.end..line.text.end)
    } else {
        None
    }
}

/// A `|` scalar: YAML 1.2, section 8.1.2.
fn literal(source: &str, span: &Range<usize>, value: &str) -> Option<Out> {
    let indent = indentation(source, span, value)?;
    let mut out = Out::default();
    let mut same = 0;
    for line in lines(source, span) {
        let Some(content) = content(source, &line, indent) else {
            break;
        };
        out.verbatim(source, content);
        if out.value.len() >= value.len() {
            break;
        }
        out.put('\n', line.end);
        // A difference shows early: the rest of the file need not be read.
        if value.get(same..out.value.len()) != out.value.get(same..) {
            return None;
        }
        same = out.value.len();
        if same >= value.len() {
            break;
        }
    }
    (out.value == value).then_some(out)
}

/// A `>` scalar: YAML 1.2, section 8.1.3.
fn folded(source: &str, span: &Range<usize>, value: &str) -> Option<Out> {
    let indent = indentation(source, span, value)?;
    let mut out = Out::default();
    let mut pending: Vec<Range<usize>> = Vec::new();
    let mut first = true;
    let mut last_blank = false;
    for line in lines(source, span) {
        let Some(content) = content(source, &line, indent) else {
            break;
        };
        if content.is_empty() {
            pending.push(line.end);
            continue;
        }
        if out.value.len() >= value.len() {
            break;
        }
        let blank = matches!(source.as_bytes()[content.start], b' ' | b'\t');
        let mut breaks = pending.drain(..);
        if !first && !blank && !last_blank {
            // The first break folds: away when others follow, else into a space.
            if let Some(fold) = breaks.next()
                && breaks.len() == 0
            {
                out.put(' ', fold.start..content.start);
            }
        }
        for end in breaks {
            out.put('\n', end);
        }
        first = false;
        last_blank = blank;
        out.verbatim(source, content);
        pending.push(line.end);
    }
    for end in pending {
        if out.value.len() >= value.len() {
            break;
        }
        out.put('\n', end);
    }
    (out.value == value).then_some(out)
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test may stop at the first surprise")]

    use std::sync::Arc;

    use super::*;
    use crate::base::diagnostic::SourceText;
    use crate::plan::source::parse;

    fn read(text: &str) -> Option<Arena> {
        parse(&Arc::new(SourceText::new("plan.yaml", text.to_owned()))).0
    }

    /// Each character of the value at `/a` is written where it is said to be.
    fn each_character(text: &str) -> Result<Option<String>, String> {
        let Some(arena) = read(text) else {
            return Ok(None);
        };
        let found = arena.follow("/a");
        let Kind::Text(value) = &arena.node(found.node).kind else {
            return Ok(None);
        };
        if value.trim_matches([' ', '\n']).is_empty() {
            return Ok(None);
        }
        let within = arena.within(found.node);
        if !within.is_exact() {
            return Err(format!("{text:?} gives {value:?}, and no places"));
        }
        let mut last = 0;
        for (at, character) in value.char_indices() {
            let span = within.span(at..at + character.len_utf8());
            let written = &text[span.start as usize..span.end as usize];
            let fits = written.starts_with(character)
                || (character == '\'' && written == "''")
                || (written.starts_with('\\')
                    && escape(written, 0) == Some((character, written.len())))
                || (matches!(character, ' ' | '\n')
                    && written.trim_matches([' ', '\t', '\r', '\n']).is_empty()
                    && (written.contains(['\n', '\r']) || span.end as usize == text.len()));
            if !fits {
                return Err(format!("{text:?}: {character:?} at {at} is {written:?}"));
            }
            if (span.start as usize) < last {
                return Err(format!("{text:?}: {character:?} at {at} goes back"));
            }
            last = span.end as usize;
        }
        Ok(Some(value.to_string()))
    }

    #[test]
    fn every_style_leads_back_to_its_source() {
        for (text, value) in [
            ("a: plain words\nb: 1\n", "plain words"),
            ("a: two\n   lines\n\n   and a gap\n", "two lines\nand a gap"),
            ("a: 'it''s\n  folded'\n", "it's folded"),
            ("a: \"tab\\t \\x41 \\u00e9 end\"\n", "tab\t A é end"),
            ("a: \"joined \\\n   up\"\n", "joined up"),
            (
                "a: |\n  one\n    two\n\n  three\nb: 1\n",
                "one\n  two\n\nthree\n",
            ),
            ("a: |2-\n    deep\n  flat\n", "  deep\nflat"),
            ("a: |+\n  kept\n\n\nb: 1\n", "kept\n\n\n"),
            ("a: |-\n\n\n  late\nb: 1\n", "\n\nlate"),
            (
                "a: >\n  fold\n  ed\n\n  gap\n    more\n  less\nb: 1\n",
                "fold ed\ngap\n  more\nless\n",
            ),
            ("a: >-\n\n  x\n\n\n  y\n", "\nx\n\ny"),
            ("a: |\r\n  one\r\n  two\r\nb: 1\r\n", "one\ntwo\n"),
            ("a: ünï\n   cödé\n", "ünï cödé"),
            ("a: |  # why\n  # no comment\n  x\n", "# no comment\nx\n"),
            ("a: &x |\n  one\n  two\nb: *x\n", "one\ntwo\n"),
        ] {
            assert_eq!(each_character(text), Ok(Some(value.to_owned())), "{text}");
        }
    }

    #[test]
    fn an_alias_leads_to_its_anchor_and_a_range_to_its_line() {
        let arena = read("x: &x |\n  one\n  two\na:\n  - *x\nm: &m {k: 'it''s'}\nn: {<<: *m}\n");
        let arena = arena.unwrap();
        let place = arena.locate_within("/a/0", 4..7);
        assert_eq!((place.line, place.column, place.end_column), (3, 3, 6));
        assert_eq!(place.pointer, "/a/0");
        let place = arena.locate_within("/n/k", 2..4);
        assert_eq!((place.line, place.column, place.end_column), (6, 14, 17));
        let place = arena.locate_within("/a/0", 700..900);
        assert_eq!(
            (place.line, place.column),
            (3, 6),
            "what leaves it ends with it"
        );
    }

    use proptest::prelude::*;

    fn words() -> impl Strategy<Value = String> {
        "[ab'\"\\\\\té#:|> -]{0,6}( ?[ab'é\\\\]){0,3}"
    }

    fn documents() -> impl Strategy<Value = String> {
        let lines = prop::collection::vec((0_usize..5, words(), any::<bool>()), 1..7);
        let header = prop_oneof![
            Just("a: ".to_owned()),
            Just("a:\n  ".to_owned()),
            Just("a: '".to_owned()),
            Just("a: \"".to_owned()),
            "a: [|>][-+]?[1-3]?( # c)?\n".prop_map(|text| text),
            "a: &x [|>][1-3]?[-+]?\n".prop_map(|text| text),
        ];
        (
            header,
            lines,
            any::<bool>(),
            any::<bool>(),
            "(b: 1\n|# end\n|\n\n|)",
        )
            .prop_map(|(header, lines, escapes, crlf, tail)| {
                let mut text = header.clone();
                let block = header.ends_with('\n');
                let double = header.ends_with('"');
                for (number, (indent, words, split)) in lines.iter().enumerate() {
                    if block || number > 0 {
                        text.push_str(&" ".repeat(*indent));
                    }
                    let words = match () {
                        () if header.ends_with('\'') => words.replace('\'', "''"),
                        () if double && escapes => words
                            .replace('\\', "\\\\")
                            .replace('"', "\\\"")
                            .replace('a', "\\x61")
                            .replace('é', "\\u00e9")
                            .replace('b', "\\N\\L"),
                        () => words.clone(),
                    };
                    text.push_str(&words);
                    if double && escapes && *split {
                        text.push('\\');
                    }
                    text.push('\n');
                }
                if header.ends_with(['\'', '"']) {
                    text.push_str("  ");
                    text.push_str(&header[3..]);
                    text.push('\n');
                }
                text.push_str(&tail);
                if crlf {
                    text.replace('\n', "\r\n")
                } else {
                    text
                }
            })
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 4_000, max_global_rejects: 200_000, ..Default::default() })]

        /// Whatever the parser accepts, each character of the value is where it is said to be.
        #[test]
        fn each_character_is_where_it_is_said_to_be(text in documents()) {
            // The parser skips a comment behind a tab inside a plain scalar, where YAML ends the scalar: there the
            // whole value is the place.
            prop_assume!(!text.contains("\t#"));
            let outcome = each_character(&text);
            prop_assert!(outcome.is_ok(), "{}", outcome.unwrap_err());
        }
    }
}
