//! One word: its quotes, and what stands behind dollar signs.

use super::{Lexer, Part, Word};

impl Lexer<'_> {
    /// The word that begins here; nothing where none does.
    pub(super) fn word(&mut self) -> Word {
        let start = self.at;
        let mut parts: Vec<Part> = Vec::new();
        let mut quoted = false;
        let add = |parts: &mut Vec<Part>, c: char| match parts.last_mut() {
            Some(Part::Text(text)) => text.push(c),
            _ => parts.push(Part::Text(c.to_string())),
        };
        while let Some(c) = self.peek() {
            match c {
                '\\' if self.starts("\\\n") => self.at += 2,
                '\\' => {
                    self.at += 1;
                    quoted = true;
                    if let Some(next) = self.peek() {
                        self.at += next.len_utf8();
                        add(&mut parts, next);
                    }
                }
                '\'' => {
                    quoted = true;
                    self.at += 1;
                    let length = self.text[self.at..]
                        .find('\'')
                        .unwrap_or(self.text.len() - self.at);
                    for c in self.text[self.at..self.at + length].chars() {
                        add(&mut parts, c);
                    }
                    self.at = (self.at + length + 1).min(self.text.len());
                }
                '"' => {
                    quoted = true;
                    self.at += 1;
                    while let Some(c) = self.peek() {
                        match c {
                            '"' => break,
                            '\\' => {
                                self.at += 1;
                                if let Some(next) = self.peek() {
                                    self.at += next.len_utf8();
                                    if !matches!(next, '"' | '\\' | '$' | '`' | '\n') {
                                        add(&mut parts, '\\');
                                    }
                                    add(&mut parts, next);
                                }
                            }
                            '$' => parts.push(self.dollar()),
                            '`' => parts.push(self.backtick()),
                            c => {
                                self.at += c.len_utf8();
                                add(&mut parts, c);
                            }
                        }
                    }
                    self.at = (self.at + 1).min(self.text.len());
                }
                '$' => parts.push(self.dollar()),
                '`' => parts.push(self.backtick()),
                '<' | '>' if self.starts("<(") || self.starts(">(") => {
                    self.at += 1;
                    self.balanced('(', ')');
                    parts.push(Part::Unknown);
                }
                '(' if matches!(parts.last(), Some(Part::Text(text)) if text.ends_with('=')) => {
                    self.balanced('(', ')');
                    parts.push(Part::Unknown);
                }
                c if c.is_whitespace() || "|&;()<>".contains(c) => break,
                '{' if !parts.is_empty()
                    || !self.text[self.at + 1..].starts_with([' ', '\n', '\t']) =>
                {
                    // A list in braces is several words.
                    self.at += 1;
                    parts.push(Part::Unknown);
                }
                c => {
                    self.at += c.len_utf8();
                    add(&mut parts, c);
                }
            }
        }
        Word {
            parts,
            range: start..self.at,
            quoted,
        }
    }

    /// Something that begins with a dollar sign.
    fn dollar(&mut self) -> Part {
        self.at += 1;
        match self.peek() {
            Some('(') => {
                self.balanced('(', ')');
                Part::Unknown
            }
            Some('{') => {
                let start = self.at + 1;
                self.balanced('{', '}');
                let inside = self.text[start..self.at].trim_end_matches('}');
                let length = inside
                    .find(|c: char| !(c.is_alphanumeric() || c == '_'))
                    .unwrap_or(inside.len());
                let (name, rest) = inside.split_at(length);
                let same = rest.is_empty() || rest.starts_with(":?") || rest.starts_with('?');
                match same && !name.is_empty() {
                    true => Part::Variable(name.to_owned()),
                    false => Part::Unknown,
                }
            }
            Some(c) if c.is_ascii_digit() => {
                self.at += 1;
                Part::Variable(c.to_string())
            }
            Some(c) if c.is_alphabetic() || c == '_' => {
                let rest = &self.text[self.at..];
                let length = rest
                    .find(|c: char| !(c.is_alphanumeric() || c == '_'))
                    .unwrap_or(rest.len());
                self.at += length;
                Part::Variable(rest[..length].to_owned())
            }
            Some('\'') => {
                self.at += 1;
                let length = self.text[self.at..]
                    .find('\'')
                    .map_or(self.text.len() - self.at, |l| l + 1);
                self.at += length;
                Part::Unknown
            }
            Some(c @ ('?' | '$' | '#' | '@' | '*' | '!' | '-')) => {
                self.at += c.len_utf8();
                Part::Unknown
            }
            _ => Part::Text("$".to_owned()),
        }
    }

    fn backtick(&mut self) -> Part {
        self.at += 1;
        let length = self.text[self.at..]
            .find('`')
            .map_or(self.text.len() - self.at, |l| l + 1);
        self.at += length;
        Part::Unknown
    }

    /// Past the bracket that closes the one here; quotes inside are respected.
    fn balanced(&mut self, open: char, close: char) {
        let mut depth = 0_usize;
        let mut quote = None;
        while let Some(c) = self.peek() {
            self.at += c.len_utf8();
            match (quote, c) {
                (None | Some('"'), '\\') => {
                    self.at += self.peek().map_or(0, char::len_utf8);
                }
                (Some(q), c) if q == c => quote = None,
                (None, '\'' | '"') => quote = Some(c),
                (None, c) if c == open => depth += 1,
                (None, c) if c == close => {
                    depth -= 1;
                    if depth == 0 {
                        return;
                    }
                }
                _ => {}
            }
        }
    }
}
