//! A document as a tree that can be compared: numbers by their digits, objects without regard to order.

use serde_json::Value;

use crate::manifest::json::{Document, Kind, Pointer};

/// A value of a document.
#[derive(Debug, Clone)]
pub(super) enum Node {
    Null,
    Bool(bool),
    /// As it is spelled.
    Number(String),
    Text(String),
    Array(Vec<Self>),
    Object(Vec<(String, Self)>),
}

impl PartialEq for Node {
    fn eq(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Null, Self::Null) => true,
            (Self::Bool(a), Self::Bool(b)) => a == b,
            (Self::Number(a), Self::Number(b)) | (Self::Text(a), Self::Text(b)) => a == b,
            (Self::Array(a), Self::Array(b)) => a == b,
            (Self::Object(a), Self::Object(b)) => {
                a.len() == b.len() && a.iter().all(|(key, value)| find(b, key) == Some(value))
            }
            _ => false,
        }
    }
}

/// The value of a key.
pub(super) fn find<'a>(members: &'a [(String, Node)], key: &str) -> Option<&'a Node> {
    members.iter().find(|(k, _)| k == key).map(|(_, v)| v)
}

impl Node {
    /// The tree of a document, which is nested as deep as documents are read.
    pub(super) fn of(document: &Document<'_>, at: &Pointer) -> Option<Self> {
        Some(match document.kind(at)? {
            Kind::Null => Self::Null,
            Kind::Bool => Self::Bool(document.value(at)? == Value::Bool(true)),
            Kind::Number => Self::Number(String::from_utf8_lossy(&document.raw(at)?).into_owned()),
            Kind::String => Self::Text(document.value(at)?.as_str()?.to_owned()),
            Kind::Array { len } => Self::Array(
                (0..len)
                    .map(|index| Self::of(document, &at.join(index.to_string())))
                    .collect::<Option<_>>()?,
            ),
            Kind::Object { .. } => Self::Object(
                document
                    .keys(at)
                    .into_iter()
                    .map(|key| {
                        let value = Self::of(document, &at.join(key.as_str()))?;
                        Some((key, value))
                    })
                    .collect::<Option<_>>()?,
            ),
        })
    }

    /// The value at a path of keys. Elements of arrays have none.
    pub(super) fn at(&self, path: &[String]) -> Option<&Self> {
        path.iter().try_fold(self, |node, key| match node {
            Self::Object(members) => find(members, key),
            _ => None,
        })
    }

    pub(super) fn at_mut(&mut self, path: &[String]) -> Option<&mut Self> {
        path.iter().try_fold(self, |node, key| match node {
            Self::Object(members) => members.iter_mut().find(|(k, _)| k == key).map(|(_, v)| v),
            _ => None,
        })
    }

    /// Takes a value out.
    pub(super) fn take(&mut self, path: &[String]) -> Option<Self> {
        let (last, before) = path.split_last()?;
        let Self::Object(members) = self.at_mut(before)? else {
            return None;
        };
        let at = members.iter().position(|(key, _)| key == last)?;
        Some(members.remove(at).1)
    }

    /// Puts a value where nothing is; false if there is something, or nothing to hold it.
    pub(super) fn put(&mut self, path: &[String], value: Self) -> bool {
        let Some((last, before)) = path.split_last() else {
            return false;
        };
        match self.at_mut(before) {
            Some(Self::Object(members)) if find(members, last).is_none() => {
                members.push((last.clone(), value));
                true
            }
            _ => false,
        }
    }

    /// A value that says something, so that finding it elsewhere is no accident: a text or number of some length, or a
    /// filled array or object.
    pub(super) fn is_telling(&self) -> bool {
        match self {
            Self::Null | Self::Bool(_) => false,
            Self::Number(digits) => digits.len() > 2,
            Self::Text(text) => text.chars().count() > 2,
            Self::Array(elements) => elements.iter().any(Self::is_telling),
            Self::Object(members) => members.iter().any(|(_, value)| value.is_telling()),
        }
    }

    pub(super) const fn is_plain(&self) -> bool {
        !matches!(self, Self::Array(_) | Self::Object(_))
    }

    /// In a word, as messages name it.
    pub(super) const fn kind(&self) -> &'static str {
        match self {
            Self::Null => "null",
            Self::Bool(_) => "a boolean",
            Self::Number(_) => "a number",
            Self::Text(_) => "a string",
            Self::Array(_) => "an array",
            Self::Object(_) => "an object",
        }
    }
}
