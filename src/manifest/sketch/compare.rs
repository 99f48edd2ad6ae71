//! What became of one document to make it the other.

use super::draft::{Item, Op, Path, Scalar, is_integer, retype};
use super::node::{Node, find};
use super::pair;

/// What a comparison leaves alone.
#[derive(Debug, Clone, Copy)]
pub(super) struct Compare<'a> {
    /// Fields inside of which nothing is compared, nor taken as one of a map: version, history, identity.
    pub(super) fixed: &'a [Path],
}

/// What is found on the way, before names that come and names that go are paired.
#[derive(Debug, Default)]
pub(super) struct Found {
    /// Changes of what is on both sides.
    pub(super) changed: Vec<Item>,
    pub(super) removed: Vec<(Path, Node)>,
    pub(super) added: Vec<(Path, Node)>,
}

impl Compare<'_> {
    /// The operations that lead from one to the other, as far as they can be told.
    pub(super) fn scope(&self, before: &Node, after: &Node) -> Vec<Item> {
        let mut found = Found::default();
        self.walk(&mut Vec::new(), before, after, &mut found);
        pair::pair(found)
    }

    fn walk(&self, path: &mut Path, before: &Node, after: &Node, found: &mut Found) {
        if before == after {
            return;
        }
        match (before, after) {
            (Node::Object(old), Node::Object(new)) => {
                if let Some(item) = self.map(path, old, new) {
                    found.changed.push(item);
                    return;
                }
                for (key, value) in old {
                    path.push(key.clone());
                    match find(new, key) {
                        Some(now) => self.walk(path, value, now, found),
                        None => found.removed.push((path.clone(), value.clone())),
                    }
                    path.pop();
                }
                for (key, value) in new {
                    if find(old, key).is_none() {
                        path.push(key.clone());
                        found.added.push((path.clone(), value.clone()));
                        path.pop();
                    }
                }
            }
            (Node::Array(old), Node::Array(new)) => found.changed.push(self.array(path, old, new)),
            _ => found.changed.push(plain(path, before, after)),
        }
    }

    fn array(&self, path: &Path, old: &[Node], new: &[Node]) -> Item {
        if old.len() == new.len() {
            let pairs: Vec<_> = old.iter().zip(new).collect();
            if let Some(items) = self.each(&pairs) {
                return Item::plain(Op::ForEach {
                    within: path.clone(),
                    items,
                });
            }
        }
        let why = if old.len() == new.len() {
            "no operation does the same to each of its elements".to_owned()
        } else {
            format!(
                "it has {} elements before and {} after",
                old.len(),
                new.len()
            )
        };
        unexplained(path, &why, &Node::Array(new.to_vec()))
    }

    /// An object whose every value changed in the same way is taken as a map.
    fn map(&self, path: &Path, old: &[(String, Node)], new: &[(String, Node)]) -> Option<Item> {
        let fixed = self.fixed.iter().any(|field| field.starts_with(path));
        if path.is_empty() || fixed || old.len() < 2 || old.len() != new.len() {
            return None;
        }
        let pairs: Vec<(&Node, &Node)> = old
            .iter()
            .map(|(key, value)| Some((value, find(new, key)?)))
            .collect::<Option<_>>()?;
        let alike = pairs.iter().all(|(b, a)| {
            b != a && b.is_plain() == pairs[0].0.is_plain() && b.is_plain() == a.is_plain()
        });
        if !alike {
            return None;
        }
        let items = self.each(&pairs)?;
        // Texts that were exchanged in each of some fields have nothing in common.
        if pairs[0].0.is_plain()
            && !items
                .iter()
                .all(|item| matches!(item.op, Some(Op::Retype { .. })))
        {
            return None;
        }
        Some(Item::asking(
            Op::ForEach {
                within: path.clone(),
                items,
            },
            "every value of this object changed in the same way, so it is taken for a map with keys that differ from \
             document to document; if its keys are always the same, name them"
                .to_owned(),
            Vec::new(),
        ))
    }

    /// Operations that make each first one its second one.
    fn each(&self, pairs: &[(&Node, &Node)]) -> Option<Vec<Item>> {
        let mut merged: Vec<Item> = Vec::new();
        for (before, after) in pairs {
            for item in self.scope(before, after) {
                item.op.as_ref()?;
                merge(&mut merged, item)?;
            }
        }
        for item in &mut merged {
            if let Some(Op::Exchange { at, values }) = &mut item.op {
                // A value that is not listed would be refused, so what stays is listed too.
                for (before, after) in pairs {
                    if let (Some(old), Some(new)) = (before.at(at), after.at(at))
                        && old == new
                        && old.is_plain()
                        && *old != Node::Null
                        && !values.iter().any(|(listed, _)| listed == old)
                    {
                        values.push((old.clone(), new.clone()));
                    }
                }
            }
        }
        let order = |item: &Item| match item.op {
            Some(Op::Add { .. }) => 0,
            Some(Op::Remove { .. }) => 2,
            _ => 1,
        };
        merged.sort_by_key(order);
        pairs
            .iter()
            .all(|(before, after)| {
                let mut tried = (*before).clone();
                merged
                    .iter()
                    .filter_map(|item| item.op.as_ref())
                    .all(|op| op.apply(&mut tried).is_some())
                    && tried == **after
            })
            .then_some(merged)
    }
}

/// Adds an operation of one more element. `None` if it contradicts those of the others.
fn merge(all: &mut Vec<Item>, new: Item) -> Option<()> {
    let Some(op) = &new.op else {
        return None;
    };
    for item in all.iter_mut() {
        let Some(known) = &mut item.op else { continue };
        if known == op {
            return Some(());
        }
        match (known, op) {
            (
                Op::Retype { at, from, to },
                Op::Retype {
                    at: other,
                    from: f,
                    to: t,
                },
            ) if at == other => {
                *from = wider(*from, *f)?;
                *to = wider(*to, *t)?;
                return Some(());
            }
            (
                Op::Exchange { at, values },
                Op::Exchange {
                    at: other,
                    values: more,
                },
            ) if at == other => {
                for (old, new) in more {
                    match values.iter().find(|(listed, _)| listed == old) {
                        Some((_, listed)) if listed != new => return None,
                        Some(_) => {}
                        None => values.push((old.clone(), new.clone())),
                    }
                }
                return Some(());
            }
            (
                Op::ForEach { within, items },
                Op::ForEach {
                    within: other,
                    items: more,
                },
            ) if within == other => {
                for item in more {
                    merge(items, item.clone())?;
                }
                return Some(());
            }
            _ => {}
        }
    }
    all.push(new);
    Some(())
}

/// The type that holds both.
fn wider(a: Scalar, b: Scalar) -> Option<Scalar> {
    match (a, b) {
        _ if a == b => Some(a),
        (Scalar::Integer, Scalar::Number) | (Scalar::Number, Scalar::Integer) => {
            Some(Scalar::Number)
        }
        _ => None,
    }
}

/// A value that became another one, at least one of them neither an array nor an object.
fn plain(path: &Path, before: &Node, after: &Node) -> Item {
    if !before.is_plain() || !after.is_plain() {
        let why = format!("it is {} before and {} after", before.kind(), after.kind());
        return unexplained(path, &why, after);
    }
    if *before == Node::Null || *after == Node::Null {
        let why = format!(
            "it is {} before and {} after, which may be only what these two documents say",
            before.kind(),
            after.kind()
        );
        return unexplained(path, &why, after);
    }
    let exchange = Op::Exchange {
        at: path.clone(),
        values: vec![(before.clone(), after.clone())],
    };
    let (from, to) = (scalar(before), scalar(after));
    let retyped = from != to && retype(before, from, to).as_ref() == Some(after);
    if retyped {
        return Item::plain(Op::Retype {
            at: path.clone(),
            from,
            to,
        });
    }
    Item::asking(
        exchange,
        "another value stands here: if the two documents only happen to differ, remove this; else list every value that \
         there is, as one that is not listed is refused"
            .to_owned(),
        vec![vec![
            Op::Remove { at: path.clone() },
            Op::Add {
                at: path.clone(),
                default: after.clone(),
            },
        ]],
    )
}

fn scalar(node: &Node) -> Scalar {
    match node {
        Node::Bool(_) => Scalar::Boolean,
        Node::Number(digits) if is_integer(digits) => Scalar::Integer,
        Node::Number(_) => Scalar::Number,
        _ => Scalar::String,
    }
}

fn unexplained(path: &Path, why: &str, after: &Node) -> Item {
    Item {
        instead: vec![vec![
            Op::Remove { at: path.clone() },
            Op::Add {
                at: path.clone(),
                default: after.clone(),
            },
        ]],
        ..Item::note(format!(
            "{} changed, and how cannot be told from the examples: {why}",
            super::write::show(path)
        ))
    }
}
