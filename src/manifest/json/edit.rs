//! The edits, and what can stand in their way. An edit that fails has changed nothing.

use std::borrow::Cow;

use serde_json::Value;

use super::document::{Document, Kind, kind};
use super::node::{Container, Node};
use super::pointer::Pointer;
use super::refusal::Refusal;
use super::scan::index;
use super::style::plain_bytes;
use super::text::quoted;
use super::{MAX_DEPTH, build, scan};

/// Why an edit cannot be done.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum EditError {
    /// Nothing is at the place.
    #[error("nothing is at `{at}`")]
    Missing {
        /// The place.
        at: Pointer,
    },
    /// What should hold the value is not there.
    #[error("nothing is at `{parent}`, which should hold `{at}`: add it first")]
    MissingParent {
        /// The place of the edit.
        at: Pointer,
        /// The part of it that is not there.
        parent: Pointer,
    },
    /// What should hold the value cannot hold any.
    #[error("`{parent}` is {kind}, which holds nothing, so there is no `{at}`")]
    NotAContainer {
        /// The place of the edit.
        at: Pointer,
        /// The part of it that holds nothing.
        parent: Pointer,
        /// What it is.
        kind: Kind,
    },
    /// A key where an array wants an index.
    #[error(
        "`{at}` ends in no index, and what holds it is an array: write a number, or `-` for after the last one"
    )]
    NotAnIndex {
        /// The place.
        at: Pointer,
    },
    /// An index beyond the end.
    #[error("`{at}` is beyond the end of the array, which has {len} elements")]
    OutOfRange {
        /// The place.
        at: Pointer,
        /// How many elements the array has.
        len: usize,
    },
    /// Something is there already.
    #[error("something is at `{at}` already")]
    Exists {
        /// The place.
        at: Pointer,
    },
    /// A value cannot be moved into itself.
    #[error("`{from}` cannot be moved to `{to}`, which is inside of it")]
    IntoItself {
        /// What should be moved.
        from: Pointer,
        /// Where it should go.
        to: Pointer,
    },
    /// The whole document cannot be taken out or renamed.
    #[error("the whole document cannot be removed or renamed")]
    Root,
    /// An element of an array has no key.
    #[error("`{at}` is an element of an array and has no key")]
    NoKey {
        /// The place.
        at: Pointer,
    },
    /// The document would be nested too deep to be read again.
    #[error("`{at}` would be nested more than {MAX_DEPTH} deep")]
    TooDeep {
        /// The place.
        at: Pointer,
    },
}

/// A value that was taken out of a document or copied, byte for byte.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Taken {
    raw: Vec<u8>,
}

impl Taken {
    /// A value of these bytes, whitespace around them left out: what was kept elsewhere and comes back.
    ///
    /// # Errors
    /// The bytes are no document: see [`Document::parse`].
    pub fn parse(text: &[u8]) -> Result<Self, Refusal> {
        let whole = scan::check(text, &[])?.unwrap_or(0..text.len());
        Ok(Self {
            raw: text[whole].to_vec(),
        })
    }

    /// Its bytes.
    #[must_use]
    pub fn raw(&self) -> &[u8] {
        &self.raw
    }

    /// What the bytes say: see [`Document::value`].
    #[must_use]
    pub fn value(&self) -> Value {
        build::value(&self.raw).unwrap_or_default()
    }

    /// How deep containers are nested in it.
    fn depth(&self) -> usize {
        fn depth(node: &Node<'_>) -> usize {
            node.opened().map_or(0, |c| {
                1 + c.items.iter().map(|i| depth(&i.value)).max().unwrap_or(0)
            })
        }
        if memchr::memchr2(b'{', b'[', &self.raw).is_none() {
            return 0;
        }
        depth(&Node::new(Cow::Borrowed(&self.raw)))
    }
}

/// How deep containers are nested in a value.
fn depth(value: &Value) -> usize {
    match value {
        Value::Array(list) => 1 + list.iter().map(depth).max().unwrap_or(0),
        Value::Object(map) => 1 + map.values().map(depth).max().unwrap_or(0),
        _ => 0,
    }
}

/// What a new value does to the one that is there.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Mode {
    /// Takes its place, or is a new member.
    Set,
    /// Takes its place.
    Replace,
    /// Is a new member or element, at a place among the others if one is given.
    Insert(Option<usize>),
}

impl<'t> Document<'t> {
    /// Makes `value` the value at a place: in the place of the one that is there, or as the last member of an object,
    /// or with `-` as the last element of an array. What is new is written as its siblings are.
    ///
    /// # Errors
    /// The parent is missing or holds nothing, the index is out of range, or the document would be too deep.
    pub fn set(&mut self, at: &Pointer, value: &Value) -> Result<(), EditError> {
        let ascii = self.ascii();
        let styled = value.is_object() || value.is_array();
        let bytes = match at.tokens().split_last() {
            // Finding out the layout is the larger part of the work, and plain values have none.
            _ if !styled => plain_bytes(value, ascii),
            Some((_, parent)) => self.layout(parent).render(value, ascii),
            None => self.layout(&[]).around().render(value, ascii),
        };
        self.store(at, Cow::Owned(bytes), depth(value), Mode::Set)
    }

    /// Takes the value at a place out, with its key and comma.
    ///
    /// # Errors
    /// Nothing is there, or it is the whole document.
    pub fn remove(&mut self, at: &Pointer) -> Result<Taken, EditError> {
        let (parent, i) = self.holder(at)?;
        let raw = parent.detach(i).bytes();
        Ok(Taken { raw })
    }

    /// A copy of the value at a place, byte for byte, for [`Document::put`].
    ///
    /// # Errors
    /// Nothing is there.
    pub fn copied(&self, at: &Pointer) -> Result<Taken, EditError> {
        let node = self
            .find(at)
            .ok_or_else(|| EditError::Missing { at: at.clone() })?;
        let raw = node.bytes().into_owned();
        Ok(Taken { raw })
    }

    /// Puts a value that was taken or copied at a place where nothing is, byte for byte: as the last member of an
    /// object, before the element of an array that has the index, or with `-` after the last one.
    ///
    /// # Errors
    /// Something is there, the parent is missing or holds nothing, the index is out of range, or the document would be
    /// too deep.
    pub fn put(&mut self, at: &Pointer, taken: Taken) -> Result<(), EditError> {
        let depth = taken.depth();
        self.store(at, Cow::Owned(taken.raw), depth, Mode::Insert(None))
    }

    /// Like [`Document::put`], as the how-manieth member of an object, from 0: what was removed comes back to where it
    /// was. Beyond the end it becomes the last one.
    ///
    /// # Errors
    /// As for [`Document::put`].
    pub fn put_at(&mut self, at: &Pointer, position: usize, taken: Taken) -> Result<(), EditError> {
        let depth = taken.depth();
        self.store(
            at,
            Cow::Owned(taken.raw),
            depth,
            Mode::Insert(Some(position)),
        )
    }

    /// Puts a value that was taken or copied in the place of another one, byte for byte.
    ///
    /// # Errors
    /// Nothing is there, or the document would be too deep.
    pub fn replace(&mut self, at: &Pointer, taken: Taken) -> Result<(), EditError> {
        let depth = taken.depth();
        self.store(at, Cow::Owned(taken.raw), depth, Mode::Replace)
    }

    /// Moves a value: takes it out, then puts it at a place where nothing is. Places in `to` count after it was taken
    /// out (RFC 6902).
    ///
    /// # Errors
    /// Those of [`Document::remove`] and [`Document::put`], and when `to` is inside of `from`. Nothing is changed then.
    pub fn relocate(&mut self, from: &Pointer, to: &Pointer) -> Result<(), EditError> {
        if from == to {
            return if self.has(from) {
                Ok(())
            } else {
                Err(EditError::Missing { at: from.clone() })
            };
        }
        if from.holds(to) && !from.is_root() {
            return Err(EditError::IntoItself {
                from: from.clone(),
                to: to.clone(),
            });
        }
        let (parent, i) = self.holder(from)?;
        let detached = parent.detach(i);
        let taken = Taken {
            raw: detached.bytes(),
        };
        let done = self.put(to, taken);
        if done.is_err()
            && let Some(parent) = from.parent()
            && let Ok(parent) = self.container(from, parent.tokens())
        {
            parent.attach(detached);
        }
        done
    }

    /// Gives a member another key. Its place and its value's bytes stay.
    ///
    /// # Errors
    /// Nothing is there, it has no key, or another member has that key.
    pub fn rename(&mut self, at: &Pointer, key: &str) -> Result<(), EditError> {
        let ascii = self.ascii();
        let (parent, i) = self.holder(at)?;
        if !parent.object {
            return Err(EditError::NoKey { at: at.clone() });
        }
        match parent.position(key) {
            // Written as it is now: `"\u0061"` stays.
            Some(other) if other == i => Ok(()),
            Some(_) => Err(EditError::Exists {
                at: at.parent().unwrap_or_default().join(key),
            }),
            None => {
                parent.items[i].rename(key, ascii);
                Ok(())
            }
        }
    }

    /// The container of a value that is there, and which of its members the value is.
    fn holder(&mut self, at: &Pointer) -> Result<(&mut Container<'t>, usize), EditError> {
        let Some((last, parent)) = at.tokens().split_last() else {
            return Err(EditError::Root);
        };
        let missing = || EditError::Missing { at: at.clone() };
        let parent = self.container(at, parent).map_err(|_| missing())?;
        let i = parent.position(last).ok_or_else(missing)?;
        Ok((parent, i))
    }

    /// The container at a place, opened.
    fn container(
        &mut self,
        at: &Pointer,
        place: &[String],
    ) -> Result<&mut Container<'t>, EditError> {
        let mut node = &mut self.root;
        for (i, token) in place.iter().enumerate() {
            let kind = kind(node);
            let parent = || Pointer::of(&place[..i]);
            let container = node.opened_mut().ok_or_else(|| EditError::NotAContainer {
                at: at.clone(),
                parent: parent(),
                kind,
            })?;
            let next = container
                .position(token)
                .ok_or_else(|| EditError::MissingParent {
                    at: at.clone(),
                    parent: Pointer::of(&place[..=i]),
                })?;
            node = &mut container.items[next].value;
        }
        let kind = kind(node);
        node.opened_mut().ok_or_else(|| EditError::NotAContainer {
            at: at.clone(),
            parent: Pointer::of(place),
            kind,
        })
    }

    fn store(
        &mut self,
        at: &Pointer,
        bytes: Cow<'t, [u8]>,
        depth: usize,
        mode: Mode,
    ) -> Result<(), EditError> {
        if at.tokens().len() + depth > MAX_DEPTH {
            return Err(EditError::TooDeep { at: at.clone() });
        }
        let exists = || EditError::Exists { at: at.clone() };
        let node = Node::new(bytes);
        let Some((last, parent)) = at.tokens().split_last() else {
            if matches!(mode, Mode::Insert(_)) {
                return Err(exists());
            }
            self.root = node;
            return Ok(());
        };
        let container = self.container(at, parent)?;
        let len = container.items.len();
        let found = container.position(last);
        let insert = matches!(mode, Mode::Insert(_));
        let place = if container.object {
            match (found, mode) {
                (Some(_), Mode::Insert(_)) => return Err(exists()),
                (None, Mode::Replace) => return Err(EditError::Missing { at: at.clone() }),
                (None, Mode::Insert(Some(position))) => position.min(len),
                _ => len,
            }
        } else if last == "-" && mode != Mode::Replace {
            len
        } else {
            match index(last) {
                None => return Err(EditError::NotAnIndex { at: at.clone() }),
                Some(i) if i > len || (i == len && !insert) => {
                    return Err(EditError::OutOfRange {
                        at: at.clone(),
                        len,
                    });
                }
                Some(i) => i,
            }
        };
        if let Some(i) = found.filter(|_| !insert) {
            container.items[i].value = node;
            return Ok(());
        }
        let object = container.object;
        let layout = self.layout(parent);
        let ascii = !last.is_ascii() && self.ascii();
        let key = object.then(|| {
            let mut key = Vec::with_capacity(last.len() + 2);
            quoted(last, ascii, &mut key);
            key
        });
        self.container(at, parent)?
            .insert(place, key, node, &layout);
        Ok(())
    }
}
