//! Source texts with an index of their lines.

use std::sync::Arc;

/// A file's text and where its lines begin.
#[derive(Debug)]
pub struct SourceText {
    name: Arc<str>,
    text: String,
    /// Byte offset of each line's first character.
    lines: Vec<u32>,
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
        Self {
            name: name.into(),
            text,
            lines,
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
        (line, self.text[start..byte].chars().count() + 1)
    }

    /// Byte offset of a line and column; past the line's end it is the end.
    #[must_use]
    pub fn byte(&self, line: usize, column: usize) -> usize {
        let (start, end) = self.line_range(line);
        self.text[start..end]
            .char_indices()
            .nth(column.saturating_sub(1))
            .map_or(end, |(at, _)| start + at)
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
}
