//! What a sketch is made of: operations, and what is to be said about them; and what they do to a document, so that a
//! sketch can be tried out on its own example.

use super::node::Node;

/// A path of keys.
pub(super) type Path = Vec<String>;

/// A drafted operation.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Op {
    Add {
        at: Path,
        default: Node,
    },
    Rename {
        at: Path,
        to: String,
    },
    Move {
        from: Path,
        to: Path,
    },
    /// Written in another type.
    Retype {
        at: Path,
        from: Scalar,
        to: Scalar,
    },
    /// Exchanged: old, new.
    Exchange {
        at: Path,
        values: Vec<(Node, Node)>,
    },
    Remove {
        at: Path,
    },
    ForEach {
        within: Path,
        items: Vec<Item>,
    },
}

/// A type of plain values, as a migration file names it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Scalar {
    String,
    Integer,
    Number,
    Boolean,
}

impl Scalar {
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::String => "string",
            Self::Integer => "integer",
            Self::Number => "number",
            Self::Boolean => "boolean",
        }
    }
}

/// An operation, or only something to say.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Item {
    pub(super) op: Option<Op>,
    /// What a person has to decide, in sentences.
    pub(super) open: Vec<String>,
    /// What could stand in its place.
    pub(super) instead: Vec<Vec<Op>>,
}

impl Item {
    pub(super) const fn plain(op: Op) -> Self {
        Self {
            op: Some(op),
            open: Vec::new(),
            instead: Vec::new(),
        }
    }

    pub(super) fn asking(op: Op, open: String, instead: Vec<Vec<Op>>) -> Self {
        Self {
            op: Some(op),
            open: vec![open],
            instead,
        }
    }

    pub(super) fn note(open: String) -> Self {
        Self {
            op: None,
            open: vec![open],
            instead: Vec::new(),
        }
    }
}

impl Op {
    /// Whether it leaves everything that is there as it is.
    pub(super) fn only_adds(&self) -> bool {
        match self {
            Self::Add { .. } => true,
            Self::ForEach { items, .. } => items
                .iter()
                .filter_map(|item| item.op.as_ref())
                .all(Self::only_adds),
            _ => false,
        }
    }

    /// Does it. `None` where the document is not as the operation needs it.
    pub(super) fn apply(&self, node: &mut Node) -> Option<()> {
        match self {
            Self::Add { at, default } => {
                if node.at(at).is_none() && !node.put(at, default.clone()) {
                    return None;
                }
            }
            Self::Rename { at, to } => {
                let mut new = at.clone();
                *new.last_mut()? = to.clone();
                return relocate(node, at, &new);
            }
            Self::Move { from, to } => return relocate(node, from, to),
            Self::Retype { at, from, to } => {
                if let Some(value) = node.at_mut(at) {
                    *value = retype(value, *from, *to)?;
                }
            }
            Self::Exchange { at, values } => {
                if let Some(value) = node.at_mut(at)
                    && *value != Node::Null
                {
                    *value = values.iter().find(|(old, _)| old == value)?.1.clone();
                }
            }
            Self::Remove { at } => drop(node.take(at)),
            Self::ForEach { within, items } => {
                let mut elements: Vec<&mut Node> = match node.at_mut(within) {
                    None | Some(Node::Null) => return Some(()),
                    Some(Node::Array(elements)) => elements.iter_mut().collect(),
                    Some(Node::Object(members)) => members.iter_mut().map(|(_, v)| v).collect(),
                    Some(_) => return None,
                };
                for element in &mut elements {
                    for item in items {
                        if let Some(op) = &item.op {
                            op.apply(element)?;
                        }
                    }
                }
            }
        }
        Some(())
    }
}

fn relocate(node: &mut Node, from: &[String], to: &[String]) -> Option<()> {
    match node.take(from) {
        Some(value) => node.put(to, value).then_some(()),
        None => Some(()),
    }
}

/// The value in another type, its digits as they are.
pub(super) fn retype(value: &Node, from: Scalar, to: Scalar) -> Option<Node> {
    if *value == Node::Null {
        return Some(Node::Null);
    }
    let text = match (value, from) {
        (Node::Text(text), Scalar::String) => text.clone(),
        (Node::Number(digits), Scalar::Number) => digits.clone(),
        (Node::Number(digits), Scalar::Integer) if is_integer(digits) => digits.clone(),
        (Node::Bool(value), Scalar::Boolean) => value.to_string(),
        _ => return None,
    };
    match (from, to) {
        (Scalar::Boolean, Scalar::String) => Some(Node::Text(text)),
        (Scalar::Boolean, _) => None,
        (_, Scalar::String) => Some(Node::Text(text)),
        (_, Scalar::Integer) => is_integer(&text).then_some(Node::Number(text)),
        (_, Scalar::Number) => is_number(&text).then_some(Node::Number(text)),
        (Scalar::String, Scalar::Boolean) => text.parse().ok().map(Node::Bool),
        (_, Scalar::Boolean) => None,
    }
}

/// Digits without a leading zero, maybe with a minus.
pub(super) fn is_integer(text: &str) -> bool {
    let digits = text.strip_prefix('-').unwrap_or(text);
    !digits.is_empty()
        && digits.bytes().all(|b| b.is_ascii_digit())
        && (digits.len() == 1 || !digits.starts_with('0'))
}

/// Any JSON number, whatever its size.
fn is_number(text: &str) -> bool {
    let mut parts = text.splitn(2, ['e', 'E']);
    let mantissa = parts.next().unwrap_or_default();
    let (whole, fraction) = match mantissa.split_once('.') {
        Some((whole, fraction)) => (whole, Some(fraction)),
        None => (mantissa, None),
    };
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    is_integer(whole)
        && fraction.is_none_or(digits)
        && parts
            .next()
            .is_none_or(|exponent| digits(exponent.strip_prefix(['+', '-']).unwrap_or(exponent)))
}
