//! Mending a document whose shape is wrong, so that the rest of it can be reviewed.
//!
//! A misspelt word is read as the word it was meant to be, a value of another kind as what its
//! author most likely meant; what nobody can guess is left out, or stood in for where the types need
//! it. A mended document is only ever reviewed, never run. Pointers into it lead back to the
//! document as it is written, and it is known what was guessed: see [`Mended::original`] and
//! [`Mended::touched`].

use std::collections::hash_map::Entry::Vacant;
use std::collections::{HashMap, HashSet};

use serde_json::Value;

use super::guide::{Trail, choices_of, fitting, required_of};
use crate::plan::source::{Arena, Entry, Kind, Node, NodeId, Number, Span, join};

/// Begins every text that stands in for one that is missing. Nobody writes it by accident.
pub(super) const STAND_IN: &str = "stand-in-5e1f-";

/// How one place is mended. Pointers are those of the document as it stands when it is applied.
#[derive(Debug, Clone)]
pub(super) enum Mend {
    /// A key of the mapping is read as another one; where that is there already, it is left out.
    Rename {
        map: String,
        from: String,
        to: &'static str,
    },
    /// A value is read as another one.
    Take { at: String, kind: Kind },
    /// A value is read as the only item of a list.
    Wrap { at: String },
    /// The values of a mapping are read as the items of a list.
    Items { at: String },
    /// The members of a list's mappings are read as those of one mapping.
    Join { at: String },
    /// A value is left out; where it is needed, something stands in for it.
    Without { at: String },
    /// Something stands in for a key that is missing.
    Supply { map: String, key: String },
    /// A word that is left out may have been meant to be this key.
    Maybe { map: String, key: String },
}

/// A place of which a mended document does not say what its author meant.
#[derive(Debug, Clone)]
pub(super) struct Touched {
    /// Where, in the document as it is written.
    pub(super) pointer: String,
    /// Whether something may be gone that others refer to: an id, a name, a whole section.
    pub(super) names: bool,
}

/// What was mended so far.
#[derive(Debug, Default)]
pub(super) struct Mended {
    pub(super) touched: Vec<Touched>,
    /// Values read as something else: what is found at them afterwards follows from that.
    pub(super) taken: HashSet<String>,
    /// Keys that a word which was left out may have been meant to be.
    pub(super) maybe: HashSet<String>,
    /// Mappings and lists that something was left out of.
    holders: HashSet<String>,
    /// Mappings that may lack keys because a merge or an include failed.
    pub(super) unsure: HashSet<String>,
    /// What a child of a mended collection was called when it was written, below the collection.
    lists: HashMap<NodeId, Vec<String>>,
    maps: HashMap<NodeId, HashMap<String, String>>,
    /// Nodes that no alias shares.
    own: HashSet<NodeId>,
    stand_ins: usize,
}

/// What is taken out of a collection at the end of a round.
#[derive(Default)]
struct Gone {
    items: HashMap<NodeId, HashSet<usize>>,
    keys: HashMap<NodeId, HashSet<String>>,
}

impl Mended {
    /// A pointer into the mended document, as one into the document that was written.
    pub(super) fn original(&self, arena: &Arena, pointer: &str) -> String {
        if self.lists.is_empty() && self.maps.is_empty() {
            return pointer.to_owned();
        }
        let mut written = String::with_capacity(pointer.len() + 8);
        let mut node = Some(arena.root());
        for token in pointer.split('/').skip(1) {
            let Some(id) = node else {
                written.push('/');
                written.push_str(token);
                continue;
            };
            let key = token.replace("~1", "/").replace("~0", "~");
            let known = match token.parse::<usize>() {
                Ok(at) if matches!(arena.node(id).kind, Kind::List(_)) => {
                    self.lists.get(&id).and_then(|items| items.get(at))
                }
                _ => self.maps.get(&id).and_then(|keys| keys.get(&key)),
            };
            match known {
                Some(fragment) => written.push_str(fragment),
                None => {
                    written.push('/');
                    written.push_str(token);
                }
            }
            node = match &arena.node(id).kind {
                Kind::List(items) => token
                    .parse::<usize>()
                    .ok()
                    .and_then(|at| items.get(at).copied()),
                Kind::Map(_) => arena.get(id, &key).map(|entry| entry.value),
                Kind::Null | Kind::Bool(_) | Kind::Number(..) | Kind::Text(_) => None,
            };
        }
        written
    }

    /// Says of a place that it does not show what its author meant.
    pub(super) fn touch(&mut self, pointer: String, names: bool) {
        if let Some((above, _)) = pointer.rsplit_once('/') {
            self.holders.insert(above.to_owned());
        }
        self.touched.push(Touched { pointer, names });
    }

    /// Whether something was left out of the mapping at this place.
    pub(super) fn left_out_of(&self, written: &str) -> bool {
        self.holders.contains(written)
    }

    /// Applies what one look at the document led to.
    pub(super) fn apply(&mut self, arena: &mut Arena, mends: Vec<Mend>) {
        let mut gone = Gone::default();
        for mend in mends {
            match mend {
                Mend::Rename { map, from, to } => self.rename(arena, &map, &from, to, &mut gone),
                Mend::Take { at, kind } => {
                    let Some(id) = self.own(arena, &at) else {
                        continue;
                    };
                    self.taken.insert(self.original(arena, &at));
                    arena.node_mut(id).kind = kind;
                }
                Mend::Wrap { at } => self.wrap(arena, &at),
                Mend::Items { at } => self.items(arena, &at),
                Mend::Join { at } => self.join_maps(arena, &at),
                Mend::Without { at } => self.without(arena, &at, &mut gone),
                Mend::Supply { map, key } => self.supply(arena, &map, &key),
                Mend::Maybe { map, key } => {
                    let expected = join(&self.original(arena, &map), &key);
                    self.maybe.insert(expected);
                }
            }
        }
        self.sweep(arena, &gone);
    }

    /// The node at a pointer, copied as far as aliases share it with other places.
    fn own(&mut self, arena: &mut Arena, pointer: &str) -> Option<NodeId> {
        let mut id = arena.root();
        for token in pointer.split('/').skip(1) {
            let key = token.replace("~1", "/").replace("~0", "~");
            let (slot, child) = match &arena.node(id).kind {
                Kind::List(items) => {
                    let at = token.parse::<usize>().ok()?;
                    (at, *items.get(at)?)
                }
                Kind::Map(entries) => {
                    let at = arena.position(id, &key)?;
                    (at, entries[at].value)
                }
                Kind::Null | Kind::Bool(_) | Kind::Number(..) | Kind::Text(_) => return None,
            };
            if self.own.contains(&child) {
                id = child;
                continue;
            }
            let copy = arena.node(child).clone();
            let copy = arena.push(copy);
            if let Some(names) = self.lists.get(&child).cloned() {
                self.lists.insert(copy, names);
            }
            if let Some(names) = self.maps.get(&child).cloned() {
                self.maps.insert(copy, names);
            }
            match &mut arena.node_mut(id).kind {
                Kind::List(items) => items[slot] = copy,
                Kind::Map(entries) => entries[slot].value = copy,
                Kind::Null | Kind::Bool(_) | Kind::Number(..) | Kind::Text(_) => {}
            }
            self.own.insert(copy);
            id = copy;
        }
        Some(id)
    }

    fn rename(
        &mut self,
        arena: &mut Arena,
        map: &str,
        from: &str,
        to: &'static str,
        gone: &mut Gone,
    ) {
        if from == to {
            return;
        }
        let Some(id) = self.own(arena, map) else {
            return;
        };
        if arena.get(id, to).is_some() {
            self.without(arena, &join(map, from), gone);
            return;
        }
        if let Kind::Map(entries) = &mut arena.node_mut(id).kind {
            // A `null` of that name counts as absent and would be found first.
            entries.retain(|entry| &*entry.key != to);
            if let Some(entry) = entries.iter_mut().find(|entry| *entry.key == *from) {
                entry.key = to.into();
            }
        }
        self.maps
            .entry(id)
            .or_default()
            .insert(to.to_owned(), join("", from));
    }

    fn wrap(&mut self, arena: &mut Arena, at: &str) {
        let Some(id) = self.own(arena, at) else {
            return;
        };
        self.taken.insert(self.original(arena, at));
        let inner = arena.node(id).clone();
        let inner = arena.push(inner);
        if let Some(names) = self.maps.remove(&id) {
            self.maps.insert(inner, names);
        }
        self.own.insert(inner);
        arena.node_mut(id).kind = Kind::List(vec![inner]);
        self.lists.insert(id, vec![String::new()]);
    }

    fn items(&mut self, arena: &mut Arena, at: &str) {
        let Some(id) = self.own(arena, at) else {
            return;
        };
        let Kind::Map(entries) = &arena.node(id).kind else {
            return;
        };
        let base = self.original(arena, at);
        let names: Vec<String> = entries.iter().map(|entry| join("", &entry.key)).collect();
        let values = entries.iter().map(|entry| entry.value).collect();
        self.taken
            .extend(names.iter().map(|name| format!("{base}{name}")));
        self.taken.insert(base);
        self.maps.remove(&id);
        arena.node_mut(id).kind = Kind::List(values);
        self.lists.insert(id, names);
    }

    fn join_maps(&mut self, arena: &mut Arena, at: &str) {
        let Some(id) = self.own(arena, at) else {
            return;
        };
        let Kind::List(items) = &arena.node(id).kind else {
            return;
        };
        let mut names = HashMap::new();
        let mut joined: Vec<Entry> = Vec::new();
        for (index, item) in items.iter().enumerate() {
            let Kind::Map(entries) = &arena.node(*item).kind else {
                continue;
            };
            for entry in entries {
                let key = entry.key.to_string();
                if let Vacant(place) = names.entry(key) {
                    place.insert(format!("/{index}{}", join("", &entry.key)));
                    joined.push(entry.clone());
                }
            }
        }
        self.taken.insert(self.original(arena, at));
        self.lists.remove(&id);
        arena.node_mut(id).kind = Kind::Map(joined);
        self.maps.insert(id, names);
    }

    fn without(&mut self, arena: &mut Arena, at: &str, gone: &mut Gone) {
        let Some((above, token)) = at.rsplit_once('/') else {
            return;
        };
        let Some(holder) = self.own(arena, above) else {
            return;
        };
        let node = arena.follow(at).node;
        let key = token.replace("~1", "/").replace("~0", "~");
        let names = is_name(&key) || names_something(arena, node);
        let written = self.original(arena, at);
        self.taken.insert(written.clone());
        self.touch(written, names);
        let trail = Trail::along(arena, at);
        if let Kind::List(_) = arena.node(holder).kind {
            if let Ok(index) = token.parse() {
                gone.items.entry(holder).or_default().insert(index);
            }
            return;
        }
        let needed = trail
            .holder()
            .is_some_and(|schema| required_of(schema).contains(&key.as_str()));
        let Some(schema) = trail.value().filter(|_| needed) else {
            gone.keys.entry(holder).or_default().insert(key);
            return;
        };
        let span = arena.node(node).span;
        let stand_in = self.stand_in(arena, schema, &key, span);
        if let Kind::Map(entries) = &mut arena.node_mut(holder).kind
            && let Some(entry) = entries.iter_mut().find(|entry| *entry.key == *key)
        {
            entry.value = stand_in;
        }
    }

    fn supply(&mut self, arena: &mut Arena, map: &str, key: &str) {
        let Some(id) = self.own(arena, map) else {
            return;
        };
        let trail = Trail::along(arena, map);
        let schema = trail
            .value()
            .and_then(|schema| schema.get("properties")?.get(key));
        let Some(schema) = schema else {
            return;
        };
        let written = join(&self.original(arena, map), key);
        self.taken.insert(written.clone());
        self.touch(written, is_name(key));
        let span = arena.node(id).span;
        // It is shown where its mapping begins.
        let span = Span {
            end: span.start,
            ..span
        };
        let value = self.stand_in(arena, schema, key, span);
        if let Kind::Map(entries) = &mut arena.node_mut(id).kind {
            entries.retain(|entry| &*entry.key != key);
            entries.push(Entry {
                key: key.into(),
                key_span: span,
                value,
            });
        }
    }

    /// The least that fits a schema.
    fn stand_in(
        &mut self,
        arena: &mut Arena,
        schema: &'static Value,
        key: &str,
        span: Span,
    ) -> NodeId {
        let schema = fitting(schema, None);
        let kind = match schema.get("type").and_then(Value::as_str) {
            Some("integer" | "number") => Kind::Number(Number::Int(1), "1".into()),
            Some("boolean") => Kind::Bool(false),
            Some("array") => Kind::List(Vec::new()),
            Some("object") => {
                let mut entries = Vec::new();
                for key in required_of(schema) {
                    let Some(inner) = schema.get("properties").and_then(|all| all.get(key)) else {
                        continue;
                    };
                    let value = self.stand_in(arena, inner, key, span);
                    entries.push(Entry {
                        key: key.into(),
                        key_span: span,
                        value,
                    });
                }
                Kind::Map(entries)
            }
            _ => match choices_of(schema).first() {
                Some(choice) => Kind::Text((*choice).into()),
                None => {
                    self.stand_ins += 1;
                    Kind::Text(format!("{STAND_IN}{key}-{}", self.stand_ins).into())
                }
            },
        };
        let id = arena.push(Node { kind, span });
        self.own.insert(id);
        id
    }

    /// Takes out what the round left out, each collection once.
    fn sweep(&mut self, arena: &mut Arena, gone: &Gone) {
        for (id, keys) in &gone.keys {
            if let Kind::Map(entries) = &mut arena.node_mut(*id).kind {
                entries.retain(|entry| !keys.contains(&*entry.key));
            }
        }
        for (id, indexes) in &gone.items {
            let Kind::List(items) = &mut arena.node_mut(*id).kind else {
                continue;
            };
            let names = self
                .lists
                .remove(id)
                .unwrap_or_else(|| (0..items.len()).map(|at| format!("/{at}")).collect());
            let mut at = 0;
            items.retain(|_| {
                at += 1;
                !indexes.contains(&(at - 1))
            });
            let names = names
                .into_iter()
                .enumerate()
                .filter(|(at, _)| !indexes.contains(at))
                .map(|(_, name)| name)
                .collect();
            self.lists.insert(*id, names);
        }
    }
}

/// Whether others refer to a thing by the value of this key, or find it below.
pub(super) fn is_name(key: &str) -> bool {
    key.ends_with("_id")
        || matches!(
            key,
            "id" | "name"
                | "metric_name"
                | "order"
                | "location"
                | "depends_on"
                | "level"
                | "steps"
                | "migration_phases"
                | "prerequisites"
                | "variables"
                | "environments"
                | "connections"
                | "includes"
                | "linkage"
        )
}

/// Whether a value, however deep, holds a name or is a collection of things with names as keys.
fn names_something(arena: &Arena, node: NodeId) -> bool {
    let mut open = vec![node];
    let mut looked = 0;
    while let Some(id) = open.pop() {
        looked += 1;
        if looked > 1000 {
            return true;
        }
        match &arena.node(id).kind {
            Kind::List(items) => open.extend(items),
            Kind::Map(entries) => {
                if entries.iter().any(|entry| is_name(&entry.key)) {
                    return true;
                }
                open.extend(entries.iter().map(|entry| entry.value));
            }
            Kind::Null | Kind::Bool(_) | Kind::Number(..) | Kind::Text(_) => {}
        }
    }
    false
}
