//! The document as a tree of slices, opened only where somebody looks.
//!
//! A value is the bytes that it had, until it is opened: then it is its members, each with the whitespace before and
//! after it, all of them slices of the same bytes. Written one after the other they are the text again.

use std::borrow::Cow;
use std::cell::{Cell, OnceCell};
use std::ops::Range;

use super::scan::{Scanner, index};
use super::style::Layout;
use super::text::{quoted, says};

/// Bytes of the document, or new ones.
pub(super) type Bytes<'t> = Cow<'t, [u8]>;

/// A value.
#[derive(Debug, Clone)]
pub(super) struct Node<'t> {
    /// The bytes that it had before anything in it was changed.
    raw: Bytes<'t>,
    open: OnceCell<Option<Box<Container<'t>>>>,
}

/// An object or array that was opened.
#[derive(Debug, Clone)]
pub(super) struct Container<'t> {
    /// Whether it is an object.
    pub(super) object: bool,
    /// The whitespace between the brackets while nothing else is there.
    pub(super) inner: Bytes<'t>,
    pub(super) items: Vec<Item<'t>>,
    /// The whitespace that the last member had before it was removed, for one that comes in its place.
    pub(super) emptied: Option<Box<Item<'t>>>,
    /// Where the last search ended. Who goes through a large object asks for its keys in order.
    hint: Cell<usize>,
}

/// A member of an object or an element of an array.
#[derive(Debug, Clone)]
pub(super) struct Item<'t> {
    /// Whitespace after the bracket or comma.
    pub(super) before: Bytes<'t>,
    /// The key with its quotes; empty in an array.
    pub(super) key: Bytes<'t>,
    /// The colon with the whitespace around it; empty in an array.
    pub(super) colon: Bytes<'t>,
    pub(super) value: Node<'t>,
    /// Whitespace before the comma or bracket.
    pub(super) after: Bytes<'t>,
}

/// A member that was taken out, with what its neighbours had before they took over its whitespace.
#[derive(Debug)]
pub(super) struct Detached<'t> {
    at: usize,
    item: Item<'t>,
    next_before: Option<Bytes<'t>>,
    last_after: Option<Bytes<'t>>,
    inner: Bytes<'t>,
    emptied: Option<Box<Item<'t>>>,
}

fn cut<'t>(raw: &Bytes<'t>, range: Range<usize>) -> Bytes<'t> {
    match raw {
        Cow::Borrowed(bytes) => Cow::Borrowed(bytes.get(range).unwrap_or_default()),
        Cow::Owned(bytes) => Cow::Owned(bytes.get(range).unwrap_or_default().to_vec()),
    }
}

impl<'t> Node<'t> {
    /// A value of these bytes, which were judged before and have no whitespace around them.
    pub(super) const fn new(raw: Bytes<'t>) -> Self {
        Self {
            raw,
            open: OnceCell::new(),
        }
    }

    /// The first byte, which says what kind of value it is.
    pub(super) fn first(&self) -> u8 {
        self.raw.first().copied().unwrap_or(0)
    }

    /// The bytes that it had when it was made: those of a value that is no container, and a hint to the style of one.
    pub(super) fn raw(&self) -> &[u8] {
        &self.raw
    }

    /// The members, if it has any.
    pub(super) fn opened(&self) -> Option<&Container<'t>> {
        if !matches!(self.first(), b'{' | b'[') {
            return None;
        }
        self.open
            .get_or_init(|| {
                let container = Container::of(&self.raw);
                debug_assert!(container.is_some(), "the text was judged before");
                container.map(Box::new)
            })
            .as_deref()
    }

    pub(super) fn opened_mut(&mut self) -> Option<&mut Container<'t>> {
        self.opened()?;
        self.open.get_mut()?.as_deref_mut()
    }

    /// The bytes as they are now.
    pub(super) fn bytes(&self) -> Cow<'_, [u8]> {
        match self.open.get() {
            Some(Some(container)) => {
                let mut out = Vec::with_capacity(self.raw.len() + 64);
                container.write(&mut out);
                Cow::Owned(out)
            }
            _ => Cow::Borrowed(&self.raw),
        }
    }

    pub(super) fn write(&self, out: &mut Vec<u8>) {
        match self.open.get() {
            Some(Some(container)) => container.write(out),
            _ => out.extend_from_slice(&self.raw),
        }
    }
}

impl<'t> Container<'t> {
    fn of(raw: &Bytes<'t>) -> Option<Self> {
        let mut scanner = Scanner::<false>::new(raw);
        let object = scanner.byte() == b'{';
        let close = if object { b'}' } else { b']' };
        scanner.step();
        let mut container = Self {
            object,
            inner: Cow::Borrowed(&[]),
            items: Vec::new(),
            emptied: None,
            hint: Cell::new(0),
        };
        let mut start = scanner.at();
        scanner.space();
        if scanner.byte() == close {
            container.inner = cut(raw, start..scanner.at());
            return Some(container);
        }
        loop {
            let before = cut(raw, start..scanner.at());
            let mut key = Cow::Borrowed(&[][..]);
            let mut colon = Cow::Borrowed(&[][..]);
            if object {
                start = scanner.at();
                scanner.string().ok()?;
                key = cut(raw, start..scanner.at());
                start = scanner.at();
                scanner.space();
                scanner.step();
                scanner.space();
                colon = cut(raw, start..scanner.at());
            }
            start = scanner.at();
            scanner.value(0, None).ok()?;
            let value = Node::new(cut(raw, start..scanner.at()));
            start = scanner.at();
            scanner.space();
            container.items.push(Item {
                before,
                key,
                colon,
                value,
                after: cut(raw, start..scanner.at()),
            });
            let end = scanner.byte();
            scanner.step();
            start = scanner.at();
            match end {
                b',' => scanner.space(),
                _ if end == close => return Some(container),
                _ => return None,
            }
        }
    }

    fn write(&self, out: &mut Vec<u8>) {
        out.push(if self.object { b'{' } else { b'[' });
        if self.items.is_empty() {
            out.extend_from_slice(&self.inner);
        }
        for (i, item) in self.items.iter().enumerate() {
            if i > 0 {
                out.push(b',');
            }
            out.extend_from_slice(&item.before);
            out.extend_from_slice(&item.key);
            out.extend_from_slice(&item.colon);
            item.value.write(out);
            out.extend_from_slice(&item.after);
        }
        out.push(if self.object { b'}' } else { b']' });
    }

    /// Where the key or index is.
    pub(super) fn position(&self, token: &str) -> Option<usize> {
        let n = self.items.len();
        if !self.object {
            return index(token).filter(|i| *i < n);
        }
        let hint = self.hint.get().min(n);
        let found = (hint..n)
            .chain(0..hint)
            .find(|i| self.items[*i].key_is(token))?;
        self.hint.set(found + 1);
        Some(found)
    }

    /// Puts a member at a place among the others, in the layout of this container.
    pub(super) fn insert(
        &mut self,
        at: usize,
        key: Option<Vec<u8>>,
        value: Node<'t>,
        layout: &Layout,
    ) {
        let n = self.items.len();
        let own = |bytes: &[u8]| Cow::Owned(bytes.to_vec());
        let between = || own(&layout.between);
        let mut item = Item {
            before: between(),
            colon: if key.is_some() {
                own(&layout.colon)
            } else {
                Cow::Borrowed(&[])
            },
            key: Cow::Owned(key.unwrap_or_default()),
            value,
            after: own(&layout.after),
        };
        if n == 0 {
            item.before = own(&layout.first);
            item.after = own(&layout.last);
        } else if at >= n {
            // The whitespace before the closing bracket stays there.
            item.after = std::mem::replace(&mut self.items[n - 1].after, item.after);
        } else if at == 0 {
            item.before = std::mem::replace(&mut self.items[0].before, item.before);
        } else {
            item.before = self.items[at].before.clone();
            item.after = self.items[at - 1].after.clone();
        }
        self.items.insert(at.min(n), item);
    }

    /// Takes a member out, with its separator. The whitespace next to the brackets stays there.
    pub(super) fn detach(&mut self, at: usize) -> Detached<'t> {
        let n = self.items.len();
        let inner = self.inner.clone();
        let emptied = self.emptied.clone();
        let mut next_before = None;
        let mut last_after = None;
        if n == 1 {
            // An object that was empty before it was filled is as it was.
            if emptied.is_none() && self.inner.is_empty() {
                self.emptied = Some(Box::new(Item {
                    value: Node::new(Cow::Borrowed(b"null")),
                    ..self.items[0].clone()
                }));
            }
        } else if at == 0 {
            let before = self.items[0].before.clone();
            next_before = Some(std::mem::replace(&mut self.items[1].before, before));
        } else if at == n - 1 {
            let after = self.items[at].after.clone();
            last_after = Some(std::mem::replace(&mut self.items[at - 1].after, after));
        }
        Detached {
            at,
            item: self.items.remove(at),
            next_before,
            last_after,
            inner,
            emptied,
        }
    }

    /// Undoes [`Self::detach`], if nothing happened in between.
    pub(super) fn attach(&mut self, detached: Detached<'t>) {
        let at = detached.at;
        if let Some(before) = detached.next_before
            && let Some(next) = self.items.first_mut()
        {
            next.before = before;
        }
        if let Some(after) = detached.last_after
            && let Some(last) = self.items.last_mut()
        {
            last.after = after;
        }
        self.inner = detached.inner;
        self.emptied = detached.emptied;
        self.items.insert(at, detached.item);
    }
}

impl Detached<'_> {
    /// The value's bytes as they are now.
    pub(super) fn bytes(&self) -> Vec<u8> {
        self.item.value.bytes().into_owned()
    }
}

impl Item<'_> {
    /// What the key says between its quotes.
    pub(super) fn key_inner(&self) -> &[u8] {
        self.key
            .get(1..self.key.len().max(2) - 1)
            .unwrap_or_default()
    }

    fn key_is(&self, wanted: &str) -> bool {
        says(self.key_inner(), wanted)
    }

    /// Another key in the same place.
    pub(super) fn rename(&mut self, key: &str, ascii: bool) {
        let mut bytes = Vec::with_capacity(key.len() + 2);
        quoted(key, ascii, &mut bytes);
        self.key = Cow::Owned(bytes);
    }
}
