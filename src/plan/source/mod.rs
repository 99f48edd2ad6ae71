//! The plan text as an arena of nodes with spans.
//!
//! One parse feeds everything: the shape check walks the arena, the typed plan is filled from it,
//! and every finding's place comes from it. Reading stops at the limits of the format, so that no
//! file, however hostile, costs more than a second or overflows the stack.

mod comments;
mod parse;
mod scalar;
mod slips;
mod within;

pub use comments::{Comment, comments_of};
pub use parse::parse;
pub use scalar::Number;
pub use within::Within;

use std::collections::HashMap;
use std::fmt::Write as _;
use std::sync::{Arc, Mutex, PoisonError};

use crate::base::diagnostic::{Location, SourceText, Sources};

/// Largest plan file, in bytes.
pub const MAX_BYTES: u64 = 64 * 1024 * 1024;
/// Deepest nesting of collections.
pub const MAX_DEPTH: usize = 250;
/// How many times larger aliases may make a document.
pub const MAX_EXPANSION: u64 = 10;

/// Index of a node in its [`Arena`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct NodeId(u32);

impl NodeId {
    /// The index as a number.
    #[must_use]
    pub const fn index(self) -> u32 {
        self.0
    }
}

/// Byte range in one of the arena's files.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Span {
    /// Index of the file in [`Arena::sources`].
    pub file: u16,
    /// First byte.
    pub start: u32,
    /// Byte after the last one.
    pub end: u32,
}

/// What a node is.
#[derive(Debug, Clone, PartialEq)]
pub enum Kind {
    /// `null`, `~` or nothing at all.
    Null,
    /// `true` or `false`.
    Bool(bool),
    /// A number, with its spelling.
    Number(Number, Box<str>),
    /// A string.
    Text(Box<str>),
    /// A list.
    List(Vec<NodeId>),
    /// A mapping, in source order.
    Map(Vec<Entry>),
}

/// A key and its value.
#[derive(Debug, Clone, PartialEq)]
pub struct Entry {
    /// The key.
    pub key: Box<str>,
    /// Where the key is written.
    pub key_span: Span,
    /// The value.
    pub value: NodeId,
}

/// A value with its place.
#[derive(Debug, Clone, PartialEq)]
pub struct Node {
    /// What it is.
    pub kind: Kind,
    /// Where it is written; a collection's span ends with its last value.
    pub span: Span,
}

/// All nodes of a plan, those of included files too.
#[derive(Debug)]
pub struct Arena {
    nodes: Vec<Node>,
    root: NodeId,
    sources: Sources,
    large: Positions,
}

/// A mapping with more keys than this finds them by hash.
const LINEAR_KEYS: usize = 32;

/// Where each key of the large mappings is, made when the first is looked up: looking through a hundred thousand keys
/// for each of a hundred thousand findings would take minutes.
type Positions = Mutex<HashMap<NodeId, HashMap<Box<str>, usize>>>;

/// What a pointer leads to.
#[derive(Debug, Clone, Copy)]
pub struct Found {
    /// The value.
    pub node: NodeId,
    /// Where its key is written, when it is a mapping's value.
    pub key_span: Option<Span>,
}

impl Arena {
    /// The node of an id.
    #[must_use]
    pub fn node(&self, id: NodeId) -> &Node {
        &self.nodes[id.0 as usize]
    }

    /// Whether there is so much that a second thread is worth its start.
    #[must_use]
    pub const fn is_large(&self) -> bool {
        self.nodes.len() > 20_000
    }

    /// The document's value.
    #[must_use]
    pub const fn root(&self) -> NodeId {
        self.root
    }

    /// The texts that spans point into; the plan's own is the first.
    #[must_use]
    pub const fn sources(&self) -> &Sources {
        &self.sources
    }

    /// Address of the node storage, for identities that must not clash with another arena's.
    pub(crate) fn address(&self) -> usize {
        self.nodes.as_ptr() as usize
    }

    pub(crate) fn push(&mut self, node: Node) -> NodeId {
        let id = NodeId(u32::try_from(self.nodes.len()).unwrap_or(u32::MAX));
        self.nodes.push(node);
        id
    }

    /// Takes in a text that has no nodes, so that findings can show it.
    pub(crate) fn add_source(&mut self, text: Arc<SourceText>) {
        self.sources.add(text);
    }

    pub(crate) fn node_mut(&mut self, id: NodeId) -> &mut Node {
        self.large
            .get_mut()
            .unwrap_or_else(PoisonError::into_inner)
            .remove(&id);
        &mut self.nodes[id.0 as usize]
    }

    /// Takes in all nodes and texts of another arena and returns its root in this one.
    pub(crate) fn absorb(&mut self, other: Self) -> NodeId {
        let shift = u32::try_from(self.nodes.len()).unwrap_or(u32::MAX);
        let files = u16::try_from(self.sources.all().len()).unwrap_or(u16::MAX);
        for text in other.sources.all() {
            self.sources.add(Arc::clone(text));
        }
        let moved = |id: NodeId| NodeId(id.0 + shift);
        for mut node in other.nodes {
            node.span.file += files;
            match &mut node.kind {
                Kind::List(items) => items.iter_mut().for_each(|item| *item = moved(*item)),
                Kind::Map(entries) => {
                    for entry in entries {
                        entry.key_span.file += files;
                        entry.value = moved(entry.value);
                    }
                }
                Kind::Null | Kind::Bool(_) | Kind::Number(..) | Kind::Text(_) => {}
            }
            self.nodes.push(node);
        }
        moved(other.root)
    }

    /// The value of a key, `null` counting as absent.
    #[must_use]
    pub fn get(&self, map: NodeId, key: &str) -> Option<&Entry> {
        let is_there = |entry: &&Entry| self.node(entry.value).kind != Kind::Null;
        match &self.node(map).kind {
            // An include may have put a value beside a `null`.
            Kind::Map(entries) if entries.len() <= LINEAR_KEYS => entries
                .iter()
                .find(|entry| &*entry.key == key && is_there(entry)),
            _ => self.entry(map, key).filter(is_there),
        }
    }

    /// The entry of a key, `null` or not.
    fn entry(&self, map: NodeId, key: &str) -> Option<&Entry> {
        match &self.node(map).kind {
            Kind::Map(entries) => entries.get(self.position(map, key)?),
            _ => None,
        }
    }

    /// Which of a mapping's entries has a key.
    pub(crate) fn position(&self, map: NodeId, key: &str) -> Option<usize> {
        let Kind::Map(entries) = &self.node(map).kind else {
            return None;
        };
        if entries.len() <= LINEAR_KEYS {
            return entries.iter().position(|entry| &*entry.key == key);
        }
        let mut large = self.large.lock().unwrap_or_else(PoisonError::into_inner);
        let positions = large.entry(map).or_insert_with(|| {
            let mut positions = HashMap::with_capacity(entries.len());
            for (at, entry) in entries.iter().enumerate() {
                let first = positions.entry(entry.key.clone()).or_insert(at);
                if self.node(entries[*first].value).kind == Kind::Null {
                    *first = at;
                }
            }
            positions
        });
        positions.get(key).copied()
    }

    /// Follows a JSON pointer. A pointer that leads nowhere yields the last value that exists.
    #[must_use]
    pub fn follow(&self, pointer: &str) -> Found {
        let mut found = Found {
            node: self.root,
            key_span: None,
        };
        for token in pointer.split('/').skip(1) {
            match &self.node(found.node).kind {
                Kind::List(items) => {
                    let item = token.parse::<usize>().ok().and_then(|at| items.get(at));
                    let Some(item) = item else { return found };
                    found = Found {
                        node: *item,
                        key_span: None,
                    };
                }
                Kind::Map(_) => {
                    let Some(entry) = self.entry(found.node, &unescape(token)) else {
                        return found;
                    };
                    found = Found {
                        node: entry.value,
                        key_span: Some(entry.key_span),
                    };
                }
                Kind::Null | Kind::Bool(_) | Kind::Number(..) | Kind::Text(_) => return found,
            }
        }
        found
    }

    /// The place of a value: of a scalar itself; of a collection its key, or its first line.
    #[must_use]
    pub fn locate(&self, pointer: &str) -> Location {
        let found = self.follow(pointer);
        let node = self.node(found.node);
        let span = match &node.kind {
            Kind::List(_) | Kind::Map(_) => found.key_span.unwrap_or(node.span),
            Kind::Null => found.key_span.unwrap_or(node.span),
            Kind::Bool(_) | Kind::Number(..) | Kind::Text(_) => node.span,
        };
        self.location(span, pointer)
    }

    /// The place of a mapping's key; where there is none, that of the value.
    #[must_use]
    pub fn locate_key(&self, pointer: &str) -> Location {
        let found = self.follow(pointer);
        found
            .key_span
            .map_or_else(|| self.locate(pointer), |span| self.location(span, pointer))
    }

    /// A span as lines and columns.
    #[must_use]
    pub fn location(&self, span: Span, pointer: &str) -> Location {
        let text = &self.sources.all()[span.file as usize];
        let (line, column) = text.position(span.start as usize);
        let (end_line, end_column) = text.position(span.end as usize);
        Location {
            file: Arc::clone(text.name()),
            line,
            column,
            end_line,
            end_column,
            pointer: pointer.to_owned(),
        }
    }

    /// A value as it is written.
    #[must_use]
    pub fn written(&self, id: NodeId) -> &str {
        let span = self.node(id).span;
        let text = self.source_of(span).text();
        text.get(span.start as usize..span.end as usize)
            .unwrap_or_default()
    }

    /// The text of a span's file.
    #[must_use]
    pub fn source_of(&self, span: Span) -> &SourceText {
        &self.sources.all()[span.file as usize]
    }
}

/// The number that a plain text is, if it is one.
pub(crate) fn plain_number(text: &str) -> Option<Number> {
    scalar::number(text)
}

/// Appends a token to a JSON pointer.
#[must_use]
pub fn join(pointer: &str, token: impl std::fmt::Display) -> String {
    let mut joined = String::with_capacity(pointer.len() + 16);
    joined.push_str(pointer);
    joined.push('/');
    let start = joined.len();
    // Writing to a String cannot fail.
    let _ = write!(joined, "{token}");
    if joined[start..].contains(['~', '/']) {
        let escaped = joined[start..].replace('~', "~0").replace('/', "~1");
        joined.truncate(start);
        joined.push_str(&escaped);
    }
    joined
}

fn unescape(token: &str) -> std::borrow::Cow<'_, str> {
    if token.contains('~') {
        token.replace("~1", "/").replace("~0", "~").into()
    } else {
        token.into()
    }
}

#[cfg(test)]
mod tests;
