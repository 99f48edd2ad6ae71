//! JSON Pointers (RFC 6901): `/steps/0/name`.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// A path to a value, as RFC 6901 writes it: empty for the whole document, else a `/` before each key or index, with
/// `~1` for a slash and `~0` for a tilde inside a key.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Pointer(Vec<String>);

/// Text that is no pointer.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BadPointer {
    /// It does not start with a slash.
    #[error(
        "`{0}` is no JSON pointer: it starts with `/`, as in `/version`, or is empty for the whole document"
    )]
    NoSlash(String),
    /// A tilde stands for nothing.
    #[error(
        "`{0}` is no JSON pointer: `~` is written `~0` inside a key, and `~1` is a slash inside a key"
    )]
    Tilde(String),
}

impl Pointer {
    /// The whole document.
    #[must_use]
    pub const fn root() -> Self {
        Self(Vec::new())
    }

    /// A pointer of these keys and indices, which are taken as they are, without escapes.
    pub fn of<T: Into<String>>(tokens: impl IntoIterator<Item = T>) -> Self {
        Self(tokens.into_iter().map(Into::into).collect())
    }

    /// Goes one step further, to a key or an index, taken as it is, without escapes.
    pub fn push(&mut self, token: impl Into<String>) {
        self.0.push(token.into());
    }

    /// The pointer one step further.
    #[must_use]
    pub fn join(&self, token: impl Into<String>) -> Self {
        let mut longer = self.clone();
        longer.push(token);
        longer
    }

    /// All of `rest` below this pointer.
    #[must_use]
    pub fn concat(&self, rest: &Self) -> Self {
        let mut longer = self.clone();
        longer.0.extend(rest.0.iter().cloned());
        longer
    }

    /// The pointer to what holds the value; `None` for the whole document.
    #[must_use]
    pub fn parent(&self) -> Option<Self> {
        let (_, before) = self.0.split_last()?;
        Some(Self(before.to_vec()))
    }

    /// The last key or index; `None` for the whole document.
    #[must_use]
    pub fn last(&self) -> Option<&str> {
        self.0.last().map(String::as_str)
    }

    /// The keys and indices, without escapes.
    #[must_use]
    pub fn tokens(&self) -> &[String] {
        &self.0
    }

    /// Whether it is the whole document.
    #[must_use]
    pub fn is_root(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether `other` is this value or inside of it.
    #[must_use]
    pub fn holds(&self, other: &Self) -> bool {
        other.0.starts_with(&self.0)
    }
}

impl FromStr for Pointer {
    type Err = BadPointer;

    fn from_str(text: &str) -> Result<Self, BadPointer> {
        if text.is_empty() {
            return Ok(Self::root());
        }
        let Some(rest) = text.strip_prefix('/') else {
            return Err(BadPointer::NoSlash(text.to_owned()));
        };
        let token = |token: &str| {
            let mut plain = String::with_capacity(token.len());
            let mut letters = token.chars();
            while let Some(c) = letters.next() {
                plain.push(match c {
                    '~' => match letters.next() {
                        Some('0') => '~',
                        Some('1') => '/',
                        _ => return Err(BadPointer::Tilde(text.to_owned())),
                    },
                    c => c,
                });
            }
            Ok(plain)
        };
        rest.split('/')
            .map(token)
            .collect::<Result<_, _>>()
            .map(Self)
    }
}

impl fmt::Display for Pointer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for token in &self.0 {
            write!(f, "/{}", token.replace('~', "~0").replace('/', "~1"))?;
        }
        Ok(())
    }
}

impl TryFrom<String> for Pointer {
    type Error = BadPointer;

    fn try_from(text: String) -> Result<Self, BadPointer> {
        text.parse()
    }
}

impl From<Pointer> for String {
    fn from(pointer: Pointer) -> Self {
        pointer.to_string()
    }
}
