//! The arena as the shape check reads it, without a copy.
//!
//! `null` equals absent, so members whose value is `null` are not there at all.

use std::borrow::Cow;

use jsonschema::JsonType;
use jsonschema::json::{Array, Json, JsonNumber, Node, NodeIdentity, Object};
use serde_json::Value;

use crate::plan::source::{Arena, Entry, Kind, NodeId, Number};

/// The representation: nodes of an [`Arena`].
pub(super) struct ArenaJson;

/// A node, or a bare string while property names are checked.
#[derive(Clone, Copy)]
pub(super) enum Handle<'a> {
    Node(&'a Arena, NodeId),
    Text(&'a str),
}

impl<'a> Handle<'a> {
    fn kind(self) -> Option<&'a Kind> {
        match self {
            Self::Node(arena, id) => Some(&arena.node(id).kind),
            Self::Text(_) => None,
        }
    }
}

impl Json for ArenaJson {
    type Node<'a> = Handle<'a>;
    type PreparedKey = String;
    type StringBuffer = String;

    fn prepare_key(key: &str) -> String {
        key.to_owned()
    }

    fn with_string_node<T>(
        buffer: &mut String,
        string: &str,
        f: impl FnOnce(Handle<'_>) -> T,
    ) -> T {
        buffer.clear();
        buffer.push_str(string);
        f(Handle::Text(buffer))
    }
}

pub(super) struct Figure<'a>(Number, &'a str);

impl JsonNumber for Figure<'_> {
    fn as_u64(&self) -> Option<u64> {
        match self.0 {
            Number::Int(value) => u64::try_from(value).ok(),
            Number::Uint(value) => Some(value),
            Number::Float(_) => None,
        }
    }
    fn as_i64(&self) -> Option<i64> {
        match self.0 {
            Number::Int(value) => Some(value),
            Number::Uint(_) | Number::Float(_) => None,
        }
    }
    #[expect(
        clippy::cast_precision_loss,
        reason = "limits are compared, not stored"
    )]
    fn as_f64(&self) -> Option<f64> {
        Some(match self.0 {
            Number::Int(value) => value as f64,
            Number::Uint(value) => value as f64,
            Number::Float(value) => value,
        })
    }
    fn as_str(&self) -> Cow<'_, str> {
        Cow::Borrowed(self.1)
    }
    fn to_number(&self) -> Cow<'_, serde_json::Number> {
        Cow::Owned(match self.0 {
            Number::Int(value) => value.into(),
            Number::Uint(value) => value.into(),
            // JSON has no infinity; messages name the text as written instead.
            Number::Float(value) => {
                serde_json::Number::from_f64(value).unwrap_or_else(|| 0_i64.into())
            }
        })
    }
    fn is_integer(&self) -> bool {
        // `1.0` is written as a fraction, and serde would refuse it for an integer.
        !matches!(self.0, Number::Float(_))
    }
}

impl<'a> Node<'a, ArenaJson> for Handle<'a> {
    type Object = Members<'a>;
    type Array = Items<'a>;
    type Number = Figure<'a>;

    fn as_object(&self) -> Option<Members<'a>> {
        match (*self, self.kind()) {
            (Self::Node(arena, _), Some(Kind::Map(entries))) => Some(Members { arena, entries }),
            _ => None,
        }
    }
    fn as_array(&self) -> Option<Items<'a>> {
        match (*self, self.kind()) {
            (Self::Node(arena, _), Some(Kind::List(items))) => Some(Items { arena, items }),
            _ => None,
        }
    }
    fn as_string(&self) -> Option<Cow<'a, str>> {
        match (*self, self.kind()) {
            (Self::Text(text), _) => Some(Cow::Borrowed(text)),
            (_, Some(Kind::Text(text))) => Some(Cow::Borrowed(text)),
            _ => None,
        }
    }
    fn as_number(&self) -> Option<Figure<'a>> {
        match self.kind() {
            Some(Kind::Number(number, text)) => Some(Figure(*number, text)),
            _ => None,
        }
    }
    fn as_boolean(&self) -> Option<bool> {
        match self.kind() {
            Some(Kind::Bool(value)) => Some(*value),
            _ => None,
        }
    }
    fn is_null(&self) -> bool {
        matches!(self.kind(), Some(Kind::Null))
    }
    fn json_type(&self) -> JsonType {
        match self.kind() {
            None | Some(Kind::Text(_)) => JsonType::String,
            Some(Kind::Null) => JsonType::Null,
            Some(Kind::Bool(_)) => JsonType::Boolean,
            Some(Kind::Number(..)) => JsonType::Number,
            Some(Kind::List(_)) => JsonType::Array,
            Some(Kind::Map(_)) => JsonType::Object,
        }
    }
    /// Collections come out empty: only messages ask, which never quote a collection, and a copy of
    /// the whole plan for each error would make errors in large plans slow.
    fn to_value(&self) -> Cow<'a, Value> {
        Cow::Owned(match self.kind() {
            None => self.as_string().map_or(Value::Null, |text| text.into()),
            Some(Kind::Null) => Value::Null,
            Some(Kind::Bool(value)) => Value::Bool(*value),
            Some(Kind::Number(number, text)) => {
                Value::Number(Figure(*number, text).to_number().into_owned())
            }
            Some(Kind::Text(text)) => Value::String(text.to_string()),
            Some(Kind::List(_)) => Value::Array(Vec::new()),
            Some(Kind::Map(_)) => Value::Object(serde_json::Map::new()),
        })
    }
    fn identity(&self) -> Option<NodeIdentity> {
        match *self {
            Self::Node(arena, id) => Some(NodeIdentity::tagged(arena.address(), id.index())),
            Self::Text(_) => None,
        }
    }
}

/// A mapping's members without those that are `null`.
pub(super) struct Members<'a> {
    arena: &'a Arena,
    entries: &'a [Entry],
}

impl<'a> Object<'a, ArenaJson> for Members<'a> {
    type Node = Handle<'a>;
    type MemberName = &'a str;
    type MembersIter = MembersIter<'a>;

    fn len(&self) -> usize {
        self.members().count()
    }
    fn get(&self, key: &String) -> Option<Handle<'a>> {
        self.members()
            .find(|(name, _)| *name == key.as_str())
            .map(|(_, value)| value)
    }
    fn members(&self) -> MembersIter<'a> {
        MembersIter {
            arena: self.arena,
            entries: self.entries.iter(),
        }
    }
}

pub(super) struct MembersIter<'a> {
    arena: &'a Arena,
    entries: std::slice::Iter<'a, Entry>,
}

impl<'a> Iterator for MembersIter<'a> {
    type Item = (&'a str, Handle<'a>);
    fn next(&mut self) -> Option<Self::Item> {
        self.entries
            .find(|entry| self.arena.node(entry.value).kind != Kind::Null)
            .map(|entry| (&*entry.key, Handle::Node(self.arena, entry.value)))
    }
}

/// A list's items.
pub(super) struct Items<'a> {
    arena: &'a Arena,
    items: &'a [NodeId],
}

impl<'a> Array<'a, ArenaJson> for Items<'a> {
    type Node = Handle<'a>;
    type ElementsIter = ItemsIter<'a>;

    fn len(&self) -> usize {
        self.items.len()
    }
    fn elements(&self) -> ItemsIter<'a> {
        ItemsIter {
            arena: self.arena,
            items: self.items.iter(),
        }
    }
}

pub(super) struct ItemsIter<'a> {
    arena: &'a Arena,
    items: std::slice::Iter<'a, NodeId>,
}

impl<'a> Iterator for ItemsIter<'a> {
    type Item = Handle<'a>;
    fn next(&mut self) -> Option<Self::Item> {
        self.items.next().map(|id| Handle::Node(self.arena, *id))
    }
}
