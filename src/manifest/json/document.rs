//! A document that can be asked and edited.

use std::borrow::Cow;
use std::cell::OnceCell;

use serde_json::Value;

use super::node::{Container, Node};
use super::pointer::Pointer;
use super::refusal::Refusal;
use super::style::Layout;
use super::text::{hex, plain};
use super::{build, scan};

pub use super::edit::{EditError, Taken};

/// A text that was judged, with the edits so far.
///
/// What it answers is the state after the edits. What no edit touched is a slice of the text.
#[derive(Debug, Clone)]
pub struct Document<'t> {
    text: &'t [u8],
    /// Byte order mark and whitespace before the value.
    lead: &'t [u8],
    pub(super) root: Node<'t>,
    trail: &'t [u8],
    ascii: OnceCell<bool>,
}

/// What kind of value stands somewhere.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// `{}`.
    Object {
        /// How many members it has.
        len: usize,
    },
    /// `[]`.
    Array {
        /// How many elements it has.
        len: usize,
    },
    /// Text.
    String,
    /// A number, however it is spelled.
    Number,
    /// `true` or `false`.
    Bool,
    /// `null`.
    Null,
}

impl std::fmt::Display for Kind {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Object { .. } => "an object",
            Self::Array { .. } => "an array",
            Self::String => "a string",
            Self::Number => "a number",
            Self::Bool => "a boolean",
            Self::Null => "null",
        })
    }
}

impl<'t> Document<'t> {
    /// Judges a text: all of it is valid and means one thing, or it is refused by name.
    ///
    /// # Errors
    /// The first flaw that was found.
    pub fn parse(text: &'t [u8]) -> Result<Self, Refusal> {
        let whole = scan::check(text, &[])?.unwrap_or(0..text.len());
        debug_assert!(
            serde_json::from_slice::<serde::de::IgnoredAny>(
                text.strip_prefix(super::text::MARK).unwrap_or(text)
            )
            .is_ok(),
            "the judge agrees"
        );
        Ok(Self {
            text,
            lead: &text[..whole.start],
            trail: &text[whole.end..],
            root: Node::new(Cow::Borrowed(&text[whole])),
            ascii: OnceCell::new(),
        })
    }

    /// The value at a place. Integers of up to 64 bits are exact; other numbers are the closest double, and one beyond
    /// all doubles (`1e400`) is the greatest one: [`Document::raw`] has the spelling.
    #[must_use]
    pub fn value(&self, at: &Pointer) -> Option<Value> {
        build::value(&self.find(at)?.bytes())
    }

    /// The bytes at a place as they would be written, without whitespace around them.
    #[must_use]
    pub fn raw(&self, at: &Pointer) -> Option<Cow<'_, [u8]>> {
        Some(self.find(at)?.bytes())
    }

    /// What kind of value is at a place.
    #[must_use]
    pub fn kind(&self, at: &Pointer) -> Option<Kind> {
        Some(kind(self.find(at)?))
    }

    /// Whether anything, be it `null`, is at a place.
    #[must_use]
    pub fn has(&self, at: &Pointer) -> bool {
        self.find(at).is_some()
    }

    /// The keys of the object at a place, in their order; none if it is not an object.
    #[must_use]
    pub fn keys(&self, at: &Pointer) -> Vec<String> {
        let object = self.find(at).and_then(Node::opened).filter(|c| c.object);
        let items = object.map(|c| c.items.as_slice()).unwrap_or_default();
        items
            .iter()
            .map(|item| plain(item.key_inner()).into_owned())
            .collect()
    }

    /// The how-manieth member or element of its container the value at a place is, from 0.
    #[must_use]
    pub fn position(&self, at: &Pointer) -> Option<usize> {
        self.find(&at.parent()?)?.opened()?.position(at.last()?)
    }

    /// The whole text with the edits.
    #[must_use]
    pub fn write(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(self.text.len() + 1024);
        out.extend_from_slice(self.lead);
        self.root.write(&mut out);
        out.extend_from_slice(self.trail);
        out
    }

    pub(super) fn find(&self, at: &Pointer) -> Option<&Node<'t>> {
        let mut node = &self.root;
        for token in at.tokens() {
            let container = node.opened()?;
            node = &container.items[container.position(token)?].value;
        }
        Some(node)
    }

    /// The layout in the container at `parent`; of the surroundings if there is none.
    pub(super) fn layout(&self, parent: &[String]) -> Layout {
        let mut layout = Layout::outermost(self.text);
        let mut node = &self.root;
        let mut tokens = parent.iter();
        while let Some(container) = node.opened() {
            layout = layout.inside(container);
            let next = tokens.next().and_then(|token| container.position(token));
            let Some(next) = next else { break };
            node = &container.items[next].value;
        }
        layout
    }

    /// Whether the text writes all that is not ASCII as escapes. A text without any such letter does not say.
    pub(super) fn ascii(&self) -> bool {
        *self.ascii.get_or_init(|| {
            self.text
                .strip_prefix(super::text::MARK)
                .unwrap_or(self.text)
                .is_ascii()
                && memchr::memmem::find_iter(self.text, b"\\u")
                    .any(|at| hex(&self.text[at + 2..]).is_some_and(|unit| unit > 0x7e))
        })
    }
}

/// What kind of value it is.
pub(super) fn kind(node: &Node<'_>) -> Kind {
    let len = |node: &Node<'_>| node.opened().map_or(0, |c: &Container<'_>| c.items.len());
    match node.first() {
        b'{' => Kind::Object { len: len(node) },
        b'[' => Kind::Array { len: len(node) },
        b'"' => Kind::String,
        b't' | b'f' => Kind::Bool,
        b'n' => Kind::Null,
        _ => Kind::Number,
    }
}
