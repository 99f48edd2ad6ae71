//! The schema beside a document: which part of it a value must fit.

use serde_json::Value;

use crate::plan::schema::shapes;
use crate::plan::source::{Arena, Kind, NodeId};

/// The schema of a value and of everything above it.
pub(super) struct Trail {
    /// From the document down to the value itself; `None` where the format says nothing.
    steps: Vec<Option<&'static Value>>,
}

impl Trail {
    /// Follows a JSON pointer through document and schema at once.
    pub(super) fn along(arena: &Arena, pointer: &str) -> Self {
        let mut node = Some(arena.root());
        let mut here = Some(fitting(shapes(), kind_of(arena, node)));
        let mut steps = vec![here];
        for token in pointer.split('/').skip(1) {
            let token = token.replace("~1", "/").replace("~0", "~");
            node = node.and_then(|id| child(arena, id, &token));
            here = here
                .and_then(|schema| below(schema, &token))
                .map(|schema| fitting(schema, kind_of(arena, node)));
            steps.push(here);
        }
        Self { steps }
    }

    /// The schema of the value.
    pub(super) fn value(&self) -> Option<&'static Value> {
        self.steps.last().copied().flatten()
    }

    /// The schema of what holds the value.
    pub(super) fn holder(&self) -> Option<&'static Value> {
        let above = self.steps.len().checked_sub(2)?;
        self.steps.get(above).copied().flatten()
    }

    /// The schemas above the value, the nearest first.
    pub(super) fn above(&self) -> impl Iterator<Item = &'static Value> {
        self.steps.iter().rev().skip(1).copied().flatten()
    }
}

fn kind_of(arena: &Arena, node: Option<NodeId>) -> Option<&Kind> {
    node.map(|id| &arena.node(id).kind)
}

fn child(arena: &Arena, of: NodeId, token: &str) -> Option<NodeId> {
    match &arena.node(of).kind {
        Kind::List(items) => items.get(token.parse::<usize>().ok()?).copied(),
        Kind::Map(_) => arena.get(of, token).map(|entry| entry.value),
        Kind::Null | Kind::Bool(_) | Kind::Number(..) | Kind::Text(_) => None,
    }
}

/// The schema of a member or an item.
fn below(schema: &'static Value, token: &str) -> Option<&'static Value> {
    if let Some(items) = schema.get("items") {
        return Some(items);
    }
    schema
        .get("properties")
        .and_then(|properties| properties.get(token))
        .or_else(|| {
            schema
                .get("additionalProperties")
                .filter(|any| any.is_object())
        })
}

/// The schema without its references; of several kinds of value, the one for this kind.
pub(super) fn fitting(schema: &'static Value, kind: Option<&Kind>) -> &'static Value {
    let here = dereference(schema);
    let Some(branches) = here.get("anyOf").and_then(Value::as_array) else {
        return here;
    };
    let wanted = match kind {
        Some(Kind::Map(_)) => "object",
        Some(Kind::List(_)) => "array",
        _ => "string",
    };
    branches
        .iter()
        .map(dereference)
        .find(|branch| branch.get("type").and_then(Value::as_str) == Some(wanted))
        .or_else(|| branches.first().map(dereference))
        .unwrap_or(here)
}

pub(super) fn dereference(schema_value: &'static Value) -> &'static Value {
    let mut here = schema_value;
    while let Some(reference) = here.get("$ref").and_then(Value::as_str) {
        match shapes().pointer(reference.trim_start_matches('#')) {
            Some(target) => here = target,
            None => break,
        }
    }
    here
}

/// The keys that a mapping may have.
pub(super) fn keys_of(schema: &'static Value) -> Vec<&'static str> {
    schema
        .get("properties")
        .and_then(Value::as_object)
        .map(|properties| properties.keys().map(String::as_str).collect())
        .unwrap_or_default()
}

/// The keys that a mapping must have.
pub(super) fn required_of(schema: &'static Value) -> Vec<&'static str> {
    words(schema.get("required"))
}

/// The choices that an enum has.
pub(super) fn choices_of(schema: &'static Value) -> Vec<&'static str> {
    words(schema.get("enum"))
}

fn words(list: Option<&'static Value>) -> Vec<&'static str> {
    list.and_then(Value::as_array)
        .map(|words| words.iter().filter_map(Value::as_str).collect())
        .unwrap_or_default()
}

/// The one key of a mapping whose own value has this key, such as `validation_gate` for `approvers`.
pub(super) fn home_of(key: &str, schema: &'static Value) -> Option<&'static str> {
    let properties = schema.get("properties")?.as_object()?;
    let mut homes = properties.iter().filter(|(_, value)| {
        let inner = fitting(value, Some(&Kind::Map(Vec::new())));
        inner
            .get("properties")
            .is_some_and(|keys| keys.get(key).is_some())
    });
    let (first, _) = homes.next()?;
    homes.next().is_none().then_some(first.as_str())
}
