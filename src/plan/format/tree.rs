//! The block structure of a text, with the comments and blank lines between its parts.

use super::tokens::{Is, Token, Tokens};

/// A line without content.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Trivia<'a> {
    Blank,
    Comment(&'a str),
}

/// A block mapping or list.
#[derive(Debug)]
pub(super) struct Node<'a> {
    pub(super) list: bool,
    pub(super) parts: Vec<Part<'a>>,
    /// Comments below its last part.
    pub(super) trail: Vec<Trivia<'a>>,
}

/// A key with its value, or an item of a list.
#[derive(Debug)]
pub(super) struct Part<'a> {
    /// Comments and blank lines above it.
    pub(super) lead: Vec<Trivia<'a>>,
    /// The key as it is written, with its colon; or a dash.
    pub(super) head: String,
    /// The key as it is read, as far as ordering needs it; empty for an item.
    pub(super) key: &'a str,
    pub(super) body: Body<'a>,
    /// Comments below it that stand deeper than it.
    pub(super) after: Vec<Trivia<'a>>,
    /// Its bytes, to find the anchors in it.
    pub(super) start: usize,
    pub(super) end: usize,
}

/// What follows a key or a dash.
#[derive(Debug)]
pub(super) enum Body<'a> {
    /// Text: nothing, a scalar, an alias, a flow collection. With the comment behind it, and its further lines.
    Text {
        /// What stands between the head and the end of its line.
        tail: &'a str,
        /// Comments below the head's line, above `below`.
        lead: Vec<Trivia<'a>>,
        /// The text, if it begins below the head's line.
        below: Option<&'a str>,
        /// Further lines of the text; each with its columns to the right of the part.
        more: Vec<(usize, &'a str)>,
        /// The content of a block scalar.
        block: Option<Block<'a>>,
    },
    /// A block collection.
    Node {
        /// Anchor, tag and comment on the head's line.
        tail: &'a str,
        node: Node<'a>,
    },
}

/// The content of a block scalar.
#[derive(Debug)]
pub(super) struct Block<'a> {
    /// Its lines without their indentation.
    pub(super) lines: Vec<&'a str>,
    /// Columns inside its parent: what the header says, else two.
    pub(super) indent: usize,
    /// Whether the blank lines at its end belong to it.
    pub(super) keep: bool,
}

/// A whole text.
#[derive(Debug)]
pub(super) struct Document<'a> {
    /// Lines that stay at the top.
    pub(super) top: Vec<Trivia<'a>>,
    pub(super) root: Node<'a>,
    /// Lines from `...` on.
    pub(super) bottom: Vec<Trivia<'a>>,
}

/// `None` where the text has forms that are left alone.
pub(super) fn read<'a>(text: &'a str, tokens: &Tokens) -> Option<Document<'a>> {
    let mut reader = Reader {
        text,
        tokens: &tokens.all,
        at: 0,
        cursor: 0,
    };
    let mut top = Vec::new();
    if reader.peek().is == Is::Start {
        let start = reader.next();
        let end = reader.line_end(start.end);
        let rest = text[start.end..end].trim();
        if !(rest.is_empty() || rest.starts_with('#')) {
            return None;
        }
        top.extend(trivia_of(&text[..start.start]).into_iter().map(|(_, t)| t));
        top.push(Trivia::Comment(text[start.start..end].trim_end()));
        reader.cursor = end + 1;
    }
    if reader.peek().is != Is::Map || reader.column(reader.peek().start) != 0 {
        return None;
    }
    let mut root = reader.node(0)?;
    let bottom = match reader.peek().is {
        Is::Eof => Vec::new(),
        Is::Stop => trivia_of(&text[reader.peek().start..])
            .into_iter()
            .map(|(_, trivia)| trivia)
            .collect(),
        _ => return None,
    };
    if let Some(first) = root.parts.first_mut() {
        let pinned = pinned(&first.lead);
        top.extend(first.lead.drain(..pinned));
    }
    Some(Document { top, root, bottom })
}

/// How many of the lines above the first section stay at the top.
fn pinned(lead: &[Trivia<'_>]) -> usize {
    let apart = lead.iter().rposition(|trivia| *trivia == Trivia::Blank);
    let to_editor = lead.iter().rposition(|trivia| {
        matches!(trivia, Trivia::Comment(text)
            if text.starts_with("# yaml-language-server:") || text.starts_with("# vim:"))
    });
    apart.max(to_editor).map_or(0, |last| last + 1)
}

struct Reader<'a, 't> {
    text: &'a str,
    tokens: &'t [Token],
    at: usize,
    /// Everything before this byte has its place.
    cursor: usize,
}

impl<'a> Reader<'a, '_> {
    fn peek(&self) -> Token {
        self.tokens[self.at.min(self.tokens.len() - 1)]
    }

    fn next(&mut self) -> Token {
        let token = self.peek();
        self.at += 1;
        token
    }

    fn line_start(&self, byte: usize) -> usize {
        self.text[..byte].rfind('\n').map_or(0, |at| at + 1)
    }

    fn line_end(&self, byte: usize) -> usize {
        self.text[byte..]
            .find('\n')
            .map_or(self.text.len(), |at| byte + at)
    }

    fn same_line(&self, from: usize, to: usize) -> bool {
        !self.text[from.min(to)..to].contains('\n')
    }

    fn column(&self, byte: usize) -> usize {
        byte - self.line_start(byte)
    }

    /// The lines before the line of a byte that have no place yet.
    fn lead(&mut self, byte: usize) -> Vec<Trivia<'a>> {
        let end = self.line_start(byte);
        if end <= self.cursor {
            return Vec::new();
        }
        let lines = trivia_of(&self.text[self.cursor..end]);
        self.cursor = end;
        lines.into_iter().map(|(_, trivia)| trivia).collect()
    }

    /// The lines after the cursor whose comments stand at least in this column, and deeper than what comes next.
    fn trail(&mut self, column: usize) -> Vec<Trivia<'a>> {
        let next = self.tokens[self.at..]
            .iter()
            .find(|token| token.is != Is::End)
            .copied()
            .unwrap_or_else(|| self.peek());
        let (end, floor) = match next.is {
            Is::Eof => (self.text.len(), None),
            Is::Stop => (self.line_start(next.start), None),
            Is::Dash => {
                let dash = self.dash(next);
                (self.line_start(dash), Some(self.column(dash)))
            }
            _ => (self.line_start(next.start), Some(self.column(next.start))),
        };
        if end <= self.cursor {
            return Vec::new();
        }
        let lines = trivia_of(&self.text[self.cursor..end]);
        let mut taken = 0;
        for (at, (stands, trivia)) in lines.iter().enumerate() {
            match trivia {
                Trivia::Blank => {}
                Trivia::Comment(_) if *stands >= column && floor.is_none_or(|f| *stands > f) => {
                    taken = at + 1;
                }
                Trivia::Comment(_) => break,
            }
        }
        for _ in 0..taken {
            self.cursor = (self.line_end(self.cursor) + 1).min(self.text.len());
        }
        lines
            .into_iter()
            .take(taken)
            .map(|(_, trivia)| trivia)
            .collect()
    }

    /// The byte of a dash: its token stands behind it.
    fn dash(&self, token: Token) -> usize {
        self.text[..token.start].rfind('-').unwrap_or(token.start)
    }

    /// A block collection whose first token is next; `column` is where it stands.
    fn node(&mut self, column: usize) -> Option<Node<'a>> {
        let first = self.peek().is;
        let list = first != Is::Map;
        if first != Is::Dash {
            self.next();
        }
        let mut parts = Vec::new();
        loop {
            match self.peek().is {
                Is::Dash if list => parts.push(self.item()?),
                Is::Key if !list => parts.push(self.entry()?),
                _ => break,
            }
        }
        let trail = self.trail(column);
        if first != Is::Dash && self.peek().is == Is::End {
            self.next();
        }
        Some(Node { list, parts, trail })
    }

    fn item(&mut self) -> Option<Part<'a>> {
        let token = self.next();
        let dash = self.dash(token);
        let lead = self.lead(dash);
        self.part(lead, "-".to_owned(), "", dash, dash + 1, false)
    }

    fn entry(&mut self) -> Option<Part<'a>> {
        let start = self.next().start;
        let lead = self.lead(start);
        let mut end = start;
        let mut key = "";
        while let Is::Property | Is::Inline = self.peek().is {
            let token = self.next();
            end = token.end;
            if token.is == Is::Inline {
                key = self.text[token.start..token.end].trim_matches(['"', '\'']);
            }
        }
        let colon = self.next();
        if colon.is != Is::Colon || key.is_empty() || !self.same_line(start, colon.start) {
            return None;
        }
        let written = &self.text[start..end];
        // A colon directly behind an alias would be part of its name.
        let space = if written.starts_with('*') { " " } else { "" };
        let head = format!("{written}{space}:");
        let colon = colon.start.max(end);
        let colon = colon + self.text[colon..].find(':')?;
        self.part(lead, head, key, start, colon + 1, true)
    }

    /// What follows a key or a dash that ends at `behind`.
    fn part(
        &mut self,
        lead: Vec<Trivia<'a>>,
        head: String,
        key: &'a str,
        start: usize,
        behind: usize,
        may_lack_indent: bool,
    ) -> Option<Part<'a>> {
        let column = self.column(start);
        let line_end = self.line_end(behind);
        let mut from = None;
        let mut end = behind;
        while self.peek().is == Is::Property {
            let token = self.next();
            from.get_or_insert(token.start);
            end = token.end;
        }
        let next = self.peek();
        let mut in_block = false;
        let body = match next.is {
            Is::Map | Is::List => {
                // Properties on a line of their own, or in front of a collection on the same line.
                if end > line_end || (from.is_some() && next.start <= line_end) {
                    return None;
                }
                self.collection(behind, next.start)?
            }
            Is::Dash if may_lack_indent => {
                if end > line_end {
                    return None;
                }
                let dash = self.dash(next);
                self.collection(behind, dash)?
            }
            Is::Inline => {
                let token = self.next();
                let from = from.unwrap_or(token.start);
                self.text_from(column, behind, from, token.end)
            }
            Is::Block => {
                self.next();
                in_block = true;
                self.block(column, behind, end)?
            }
            _ => {
                let from = from.unwrap_or(behind);
                self.text_from(column, behind, from, end)
            }
        };
        // Below a block scalar a deeper comment would become its content.
        let after = match in_block {
            true => Vec::new(),
            false => self.trail(column + 1),
        };
        Some(Part {
            lead,
            head,
            key,
            body,
            after,
            start,
            end: self.cursor,
        })
    }

    fn collection(&mut self, behind: usize, first: usize) -> Option<Body<'a>> {
        let line_end = self.line_end(behind);
        let column = self.column(first);
        let tail = if first <= line_end {
            // The first part stands on the head's line.
            self.cursor = first;
            ""
        } else {
            self.cursor = line_end + 1;
            self.text[behind..line_end].trim_end()
        };
        let node = self.node(column)?;
        Some(Body::Node { tail, node })
    }

    /// Text that begins at `from` and ends on the line of `end`.
    fn text_from(&mut self, column: usize, behind: usize, from: usize, end: usize) -> Body<'a> {
        let line_end = self.line_end(behind);
        let last = self.line_end(end.max(behind));
        let mut lead = Vec::new();
        let (mut below, mut first_end) = (None, line_end);
        if from > line_end {
            self.cursor = line_end + 1;
            lead = self.lead(from);
            first_end = self.line_end(from);
            below = Some(trimmed(&self.text[from..first_end]));
        }
        let mut more = Vec::new();
        if last > first_end {
            for line in self.text[first_end + 1..last].split('\n') {
                let content = line.trim_start_matches(' ');
                let stands = line.len() - content.len();
                more.push((stands.saturating_sub(column), trimmed(content)));
            }
        }
        self.cursor = (last + 1).min(self.text.len());
        Body::Text {
            tail: trimmed(&self.text[behind..line_end]),
            lead,
            below,
            more,
            block: None,
        }
    }

    fn block(&mut self, column: usize, behind: usize, end: usize) -> Option<Body<'a>> {
        let line_end = self.line_end(behind);
        // Anything but a header on the head's line is left alone.
        if end > line_end {
            return None;
        }
        let rest = &self.text[end..line_end];
        let header = rest.trim_start();
        if !header.starts_with(['|', '>']) {
            return None;
        }
        let signs = header.split([' ', '\t']).next().unwrap_or_default();
        let keep = signs.contains('+');
        let said = signs
            .chars()
            .find_map(|sign| sign.to_digit(10))
            .map(|digit| digit as usize);
        let first = (line_end + 1).min(self.text.len());
        let content = &self.text[first..];
        let indent_of = |line: &str| line.len() - line.trim_start_matches(' ').len();
        let indent = match said {
            Some(digit) => column + digit,
            None => content
                .split('\n')
                .find(|line| !line.trim_matches(' ').is_empty())
                .map_or(0, indent_of),
        };
        // Without content there are only blank lines, which may belong to it.
        let indent = indent.max(column + 1);
        let mut lines = Vec::new();
        for line in content.split('\n') {
            if indent_of(line) < indent && !line.trim_matches(' ').is_empty() {
                break;
            }
            lines.push(line);
        }
        // Splitting the end of the text yields one empty line more than there are.
        if first + lines.iter().map(|line| line.len() + 1).sum::<usize>() > self.text.len() {
            lines.pop();
        }
        if !keep {
            while lines
                .last()
                .is_some_and(|line| line.len() <= indent && line.trim_matches(' ').is_empty())
            {
                lines.pop();
            }
        }
        let after = first + lines.iter().map(|line| line.len() + 1).sum::<usize>();
        self.cursor = after.min(self.text.len());
        Some(Body::Text {
            tail: self.text[behind..line_end].trim_end(),
            lead: Vec::new(),
            below: None,
            more: Vec::new(),
            block: Some(Block {
                lines: lines
                    .into_iter()
                    .map(|line| line.get(indent..).unwrap_or_default())
                    .collect(),
                indent: said.unwrap_or(2),
                keep,
            }),
        })
    }
}

/// White space at a line's end goes, unless a backslash makes it count.
fn trimmed(line: &str) -> &str {
    let short = line.trim_end_matches([' ', '\t']);
    if short.ends_with('\\') { line } else { short }
}

/// Lines that are blank or comments, each with the column of its comment.
fn trivia_of(text: &str) -> Vec<(usize, Trivia<'_>)> {
    let mut all = Vec::new();
    for line in text.strip_suffix('\n').unwrap_or(text).split('\n') {
        let content = line.trim();
        all.push(match content.is_empty() {
            true => (0, Trivia::Blank),
            false => (
                line.len() - line.trim_start().len(),
                Trivia::Comment(content),
            ),
        });
    }
    if text.is_empty() {
        all.clear();
    }
    all
}
