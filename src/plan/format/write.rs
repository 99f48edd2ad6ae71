//! The text of a tree: indentation, blank lines.

use super::tree::{Block, Body, Document, Node, Part, Trivia};

/// Where a collection stands, as far as blank lines depend on it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Place {
    Root,
    Phases,
    Phase,
    Steps,
    Other,
}

impl Place {
    /// The place of what a part of this place holds.
    fn of(self, key: &str) -> Self {
        match (self, key) {
            (Self::Root, "migration_phases") => Self::Phases,
            (Self::Phases, _) => Self::Phase,
            (Self::Phase, "steps") => Self::Steps,
            _ => Self::Other,
        }
    }

    /// Whether a blank line stands between its parts.
    fn spaced(self) -> bool {
        matches!(self, Self::Root | Self::Phases | Self::Steps)
    }
}

/// Writes a whole text.
pub(super) fn write(document: Document<'_>) -> String {
    let mut writer = Writer {
        text: String::new(),
        started: None,
        blank: false,
        kept: false,
    };
    for trivia in document.top {
        writer.trivia(0, trivia);
    }
    writer.node(document.root, 0, Place::Root);
    // Blank lines at the end go, unless they are the content of a block scalar.
    writer.blank = false;
    for trivia in document.bottom {
        writer.trivia(0, trivia);
    }
    writer.text
}

struct Writer {
    text: String,
    /// A dash whose line is not complete.
    started: Option<String>,
    /// A blank line is due before the next line.
    blank: bool,
    /// The text ends in a block scalar to which blank lines would be added.
    kept: bool,
}

impl Writer {
    /// A line that is not blank.
    fn line(&mut self, indent: usize, content: &str) {
        match self.started.take() {
            Some(started) => self.text.push_str(&started),
            None => {
                if self.blank && !self.text.is_empty() && !self.kept {
                    self.text.push('\n');
                }
                self.text.extend(std::iter::repeat_n(' ', indent));
            }
        }
        self.blank = false;
        self.kept = false;
        self.text.push_str(content);
        self.text.push('\n');
    }

    fn trivia(&mut self, indent: usize, trivia: Trivia<'_>) {
        match trivia {
            Trivia::Blank => self.blank = true,
            Trivia::Comment(comment) => self.line(indent, comment),
        }
    }

    fn node(&mut self, node: Node<'_>, indent: usize, place: Place) {
        for (at, mut part) in node.parts.into_iter().enumerate() {
            let mut lead = std::mem::take(&mut part.lead);
            lead.append(&mut inner_lead(&mut part));
            if at == 0 {
                // Nothing above it but its key, or the lines at the top of the file, which bring their own.
                let blanks = lead.iter().take_while(|t| **t == Trivia::Blank).count();
                lead.drain(..blanks);
                self.blank &= place == Place::Root;
            } else {
                self.blank |= place.spaced();
            }
            for trivia in lead {
                self.trivia(indent, trivia);
            }
            let key = part.key;
            self.part(part, indent, place.of(key));
        }
        for trivia in node.trail {
            self.trivia(indent, trivia);
        }
    }

    fn part(&mut self, part: Part<'_>, indent: usize, place: Place) {
        match part.body {
            Body::Node { tail, node } => {
                let nested = indent + 2;
                if part.head == "-" && tail.is_empty() {
                    let dash = match self.started.take() {
                        Some(started) => format!("{started}- "),
                        None => {
                            if self.blank && !self.text.is_empty() && !self.kept {
                                self.text.push('\n');
                                self.blank = false;
                            }
                            self.blank = false;
                            format!("{}- ", " ".repeat(indent))
                        }
                    };
                    self.started = Some(dash);
                } else {
                    self.line(indent, &joined(&part.head, tail));
                }
                self.node(node, nested, place);
            }
            Body::Text {
                tail,
                lead,
                below,
                more,
                block,
            } => {
                self.line(indent, &joined(&part.head, tail));
                for trivia in lead {
                    self.trivia(indent + 2, trivia);
                }
                if let Some(below) = below {
                    self.line(indent + 2, below);
                }
                for (column, line) in more {
                    // Blank lines inside of scalars count.
                    if line.is_empty() {
                        self.text.push('\n');
                    } else {
                        self.line(indent + column, line);
                    }
                }
                if let Some(block) = block {
                    self.block(block, indent);
                }
            }
        }
        for trivia in part.after {
            self.trivia(indent + 2, trivia);
        }
    }

    fn block(&mut self, block: Block<'_>, indent: usize) {
        for line in &block.lines {
            if !line.is_empty() {
                let columns = indent + block.indent;
                self.text.extend(std::iter::repeat_n(' ', columns));
                self.text.push_str(line);
            }
            self.text.push('\n');
        }
        self.kept = block.keep;
    }
}

/// The comments above a part that is to stand on the line of this item's dash: they go above the dash.
fn inner_lead<'a>(item: &mut Part<'a>) -> Vec<Trivia<'a>> {
    let Body::Node { tail: "", node } = &mut item.body else {
        return Vec::new();
    };
    if item.head != "-" {
        return Vec::new();
    }
    let Some(first) = node.parts.first_mut() else {
        return Vec::new();
    };
    let mut lead = std::mem::take(&mut first.lead);
    lead.append(&mut inner_lead(first));
    lead
}

/// A key or a dash and what follows it: one space between, more only before a comment.
fn joined(head: &str, tail: &str) -> String {
    let text = tail.trim_start();
    if text.is_empty() {
        head.to_owned()
    } else if text.starts_with('#') {
        format!("{head}{tail}")
    } else {
        format!("{head} {text}")
    }
}
