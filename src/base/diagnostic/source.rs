//! Source texts with an index of their lines.

use std::sync::Arc;

/// A file's text and where its lines begin.
#[derive(Debug)]
pub struct SourceText {
    name: Arc<str>,
    text: String,
    /// Byte offset of each line's first character.
    lines: Vec<u32>,
    /// How many characters begin before each multiple of [`STRIDE`]: a plan may be one line of many
    /// megabytes, and counting it for each finding would take minutes.
    counts: Vec<u32>,
}

/// Bytes between two counts of characters.
const STRIDE: usize = 1024;

/// How many characters begin in a piece of UTF-8.
fn starts(bytes: &[u8]) -> usize {
    bytes.iter().filter(|byte| **byte & 0xc0 != 0x80).count()
}

impl SourceText {
    /// Indexes a text. Offsets are 32 bits wide: texts of 4 GiB and more are refused by the
    /// loader's size limit long before.
    #[must_use]
    pub fn new(name: impl Into<Arc<str>>, text: String) -> Self {
        let mut lines = vec![0];
        lines.extend(
            text.bytes()
                .enumerate()
                .filter(|(_, byte)| *byte == b'\n')
                .map(|(at, _)| u32::try_from(at + 1).unwrap_or(u32::MAX)),
        );
        let mut counts = Vec::with_capacity(text.len() / STRIDE + 1);
        let mut before = 0_usize;
        for piece in text.as_bytes().chunks(STRIDE) {
            counts.push(u32::try_from(before).unwrap_or(u32::MAX));
            before += starts(piece);
        }
        Self {
            name: name.into(),
            text,
            lines,
            counts,
        }
    }

    /// The file's name as it is shown.
    #[must_use]
    pub fn name(&self) -> &Arc<str> {
        &self.name
    }

    /// The whole text.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Line and column (from 1, columns in characters) of a byte offset.
    #[must_use]
    pub fn position(&self, byte: usize) -> (usize, usize) {
        let byte = self.floor_boundary(byte);
        let line = self
            .lines
            .partition_point(|start| *start as usize <= byte)
            .max(1);
        let start = self.lines[line - 1] as usize;
        (line, self.characters(byte) - self.characters(start) + 1)
    }

    /// How many characters begin before a byte offset.
    fn characters(&self, byte: usize) -> usize {
        let at = (byte / STRIDE).min(self.counts.len().saturating_sub(1));
        let counted = self.counts.get(at).map_or(0, |count| *count as usize);
        counted + starts(&self.text.as_bytes()[(at * STRIDE).min(byte)..byte])
    }

    /// Byte offset of a line and column; past the line's end it is the end.
    #[must_use]
    pub fn byte(&self, line: usize, column: usize) -> usize {
        let (start, end) = self.line_range(line);
        let wanted = self.characters(start) + column.saturating_sub(1);
        let at = self
            .counts
            .partition_point(|count| *count as usize <= wanted)
            .saturating_sub(1);
        let from = (at * STRIDE).max(start);
        let mut left = wanted - self.characters(from).min(wanted);
        for (offset, byte) in self.text.as_bytes()[from.min(end)..end].iter().enumerate() {
            if byte & 0xc0 == 0x80 {
                continue;
            }
            if left == 0 {
                return from + offset;
            }
            left -= 1;
        }
        end
    }

    /// The lines from `first` to `last` (both included) and the offset where they begin.
    #[must_use]
    pub fn window(&self, first: usize, last: usize) -> (&str, usize) {
        let (start, _) = self.line_range(first);
        let (_, end) = self.line_range(last.max(first));
        (&self.text[start..end], start)
    }

    /// How many lines there are.
    #[must_use]
    pub fn line_count(&self) -> usize {
        self.lines.len()
    }

    /// Byte range of a line without its line break.
    #[must_use]
    pub fn line_range(&self, line: usize) -> (usize, usize) {
        let index = line.clamp(1, self.lines.len()) - 1;
        let start = self.lines[index] as usize;
        let end = self
            .lines
            .get(index + 1)
            .map_or(self.text.len(), |next| *next as usize - 1);
        let end = if end > start && self.text.as_bytes()[end - 1] == b'\r' {
            end - 1
        } else {
            end
        };
        (start, end)
    }

    /// A piece of one line around a byte range, and the offset where it begins: for lines that are
    /// too long to show.
    #[must_use]
    pub fn around(&self, from: usize, to: usize, margin: usize) -> (&str, usize) {
        let (line, _) = self.position(from);
        let (start, end) = self.line_range(line);
        let first = self.floor_boundary(from.saturating_sub(margin)).max(start);
        let last = self.floor_boundary(to.saturating_add(margin)).min(end);
        (&self.text[first..last.max(first)], first)
    }

    fn floor_boundary(&self, byte: usize) -> usize {
        let mut byte = byte.min(self.text.len());
        while !self.text.is_char_boundary(byte) {
            byte -= 1;
        }
        byte
    }
}

/// The texts that findings point into.
#[derive(Debug, Clone, Default)]
pub struct Sources(Vec<Arc<SourceText>>);

impl Sources {
    /// Adds a text and returns its index.
    pub fn add(&mut self, text: Arc<SourceText>) -> usize {
        self.0.push(text);
        self.0.len() - 1
    }

    /// The text of that name.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&Arc<SourceText>> {
        self.0.iter().find(|text| &*text.name == name)
    }

    /// All texts, the plan's own first.
    #[must_use]
    pub fn all(&self) -> &[Arc<SourceText>] {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn positions_count_characters_and_survive_odd_offsets() {
        let text = SourceText::new("f", "é: 1\r\nb: ü\n".to_owned());
        assert_eq!(text.position(0), (1, 1));
        assert_eq!(text.position(2), (1, 2));
        assert_eq!(text.position(1), (1, 1), "inside a character");
        assert_eq!(text.position(7), (2, 1));
        assert_eq!(text.position(999), (3, 1));
        assert_eq!(text.byte(1, 2), 2);
        assert_eq!(text.byte(1, 99), 5);
        assert_eq!(text.window(2, 2), ("b: ü", 7));
        assert_eq!(text.line_count(), 3);
    }

    #[test]
    fn long_lines_are_counted_like_short_ones() {
        let line = "aé".repeat(5_000);
        let text = SourceText::new("f", format!("x\n{line}\nend"));
        for column in [1, 2, 3, 700, 1_023, 1_024, 1_025, 2_049, 9_999, 10_000] {
            let byte = text.byte(2, column);
            assert_eq!(text.position(byte), (2, column));
        }
        assert_eq!(text.position(text.byte(3, 2)), (3, 2));
    }
}
