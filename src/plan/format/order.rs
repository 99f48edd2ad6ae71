//! The order of keys: that of the schema, unless an alias would come before its anchor.

use std::collections::HashMap;

use serde_json::{Map, Value};

use super::tokens::Mark;
use super::tree::{Body, Document, Node, Part};
use crate::plan::schema::schema;

/// Sections of which at least one is in every plan.
const PLAN: [&str; 3] = ["metadata", "migration_overview", "migration_phases"];

/// Brings the keys of every block mapping into order.
pub(super) fn sort(document: &mut Document<'_>, marks: &[Mark]) {
    let mut defined: HashMap<&str, usize> = HashMap::new();
    for mark in marks.iter().filter(|mark| !mark.alias) {
        *defined.entry(&mark.name).or_default() += 1;
    }
    let sorter = Sorter {
        defs: schema().get("$defs").and_then(Value::as_object),
        marks,
        defined,
    };
    // A file of another kind (a dataset, the operator's settings) shares some names with a plan, not its order.
    let keys: Vec<_> = document.root.parts.iter().map(|part| part.key).collect();
    let known = |key: &&str| {
        key.starts_with("x-")
            || schema()
                .pointer("/properties")
                .and_then(|p| p.get(key))
                .is_some()
    };
    if keys.iter().any(|key| PLAN.contains(key)) || keys.iter().all(known) {
        sorter.node(&mut document.root, &sorter.shapes([schema()]));
    }
}

struct Sorter<'m> {
    defs: Option<&'static Map<String, Value>>,
    marks: &'m [Mark],
    /// How often each anchor's name is defined.
    defined: HashMap<&'m str, usize>,
}

impl Sorter<'_> {
    /// The objects and lists that schemas may stand for, references followed.
    fn shapes(&self, schemas: impl IntoIterator<Item = &'static Value>) -> Vec<&'static Value> {
        let (mut open, mut found): (Vec<_>, Vec<&Value>) =
            (schemas.into_iter().collect(), Vec::new());
        while let Some(schema) = open.pop() {
            if found.iter().any(|other| std::ptr::eq(*other, schema)) || found.len() > 16 {
                continue;
            }
            found.push(schema);
            let name = schema.get("$ref").and_then(Value::as_str);
            let target = name.and_then(|name| self.defs?.get(name.strip_prefix("#/$defs/")?));
            open.extend(target);
            for key in ["anyOf", "oneOf", "allOf"] {
                open.extend(
                    schema
                        .get(key)
                        .and_then(Value::as_array)
                        .into_iter()
                        .flatten(),
                );
            }
        }
        found
    }

    fn node(&self, node: &mut Node<'_>, shapes: &[&'static Value]) {
        if node.list {
            let items = self.shapes(shapes.iter().filter_map(|shape| shape.get("items")));
            for part in &mut node.parts {
                self.part(part, &items);
            }
            return;
        }
        let properties =
            |shape: &&'static Value| shape.get("properties").and_then(Value::as_object);
        let known = shapes
            .iter()
            .filter_map(properties)
            .max_by_key(|properties| {
                let fit = |part: &&Part<'_>| properties.contains_key(part.key);
                node.parts.iter().filter(fit).count()
            });
        let others = shapes
            .iter()
            .filter_map(|shape| shape.get("additionalProperties"))
            .find(|schema| schema.is_object());
        for part in &mut node.parts {
            let schema = known.and_then(|known| known.get(part.key)).or(others);
            let shapes = self.shapes(schema);
            self.part(part, &shapes);
        }
        if let Some(known) = known {
            let ranks: HashMap<&str, usize> = known
                .keys()
                .enumerate()
                .map(|(at, key)| (key.as_str(), at + 1))
                .collect();
            let rank = |part: &Part<'_>| match part.key {
                "<<" => 0,
                key => ranks.get(key).copied().unwrap_or(usize::MAX),
            };
            self.reorder(node, rank);
        }
    }

    fn part(&self, part: &mut Part<'_>, shapes: &[&'static Value]) {
        if let Body::Node { node, .. } = &mut part.body {
            self.node(node, shapes);
        }
    }

    fn reorder(&self, node: &mut Node<'_>, rank: impl Fn(&Part<'_>) -> usize) {
        let mut order: Vec<usize> = (0..node.parts.len()).collect();
        order.sort_by_key(|at| rank(&node.parts[*at]));
        if order.is_sorted() || !self.anchors_allow(node, &order) {
            return;
        }
        let mut parts: Vec<_> = std::mem::take(&mut node.parts)
            .into_iter()
            .map(Some)
            .collect();
        node.parts = order.iter().filter_map(|at| parts[*at].take()).collect();
    }

    /// Whether every alias would still come after its anchor, and mean the same one.
    fn anchors_allow(&self, node: &Node<'_>, order: &[usize]) -> bool {
        let mut place = vec![0; order.len()];
        for (new, old) in order.iter().enumerate() {
            place[*old] = new;
        }
        let mut anchors: HashMap<&str, usize> = HashMap::new();
        for (at, part) in node.parts.iter().enumerate() {
            let first = self.marks.partition_point(|mark| mark.at < part.start);
            for mark in self.marks[first..]
                .iter()
                .take_while(|mark| mark.at < part.end)
            {
                if self.defined.get(mark.name.as_str()) > Some(&1) {
                    return false;
                }
                if !mark.alias {
                    anchors.insert(&mark.name, at);
                } else if let Some(anchor) = anchors.get(mark.name.as_str())
                    && place[*anchor] > place[at]
                {
                    return false;
                }
            }
        }
        true
    }
}
