//! The strict filling of the types and the schema accept the same documents.

use std::sync::Arc;

use serde_json::{Map, Value, json};

use super::guide::{choices_of, dereference, required_of};
use super::{shape, typed};
use crate::base::diagnostic::SourceText;
use crate::plan::schema::schema;
use crate::plan::source::parse;

/// Numbers that look random and are the same every time.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 >> 33).unwrap_or_default() % sides.max(1)
    }
}

/// Something that fits a schema, with about half of what may be there.
fn fitting(schema: &'static Value, dice: &mut Dice, depth: usize) -> Value {
    let here = dereference(schema);
    if let Some(branches) = here.get("anyOf").and_then(Value::as_array) {
        return fitting(&branches[dice.roll(branches.len())], dice, depth);
    }
    let choices = choices_of(here);
    if !choices.is_empty() {
        return json!(choices[dice.roll(choices.len())]);
    }
    let kind = match here.get("type") {
        Some(Value::String(kind)) => kind.as_str(),
        Some(Value::Array(kinds)) => kinds[dice.roll(kinds.len())].as_str().unwrap_or_default(),
        // Anything at all.
        _ => ["null", "string", "object"][dice.roll(3)],
    };
    match kind {
        "string" => json!(["text", "5m", "STEP-1", ""][dice.roll(4)]),
        "integer" => json!(dice.roll(40)),
        "number" => json!(1.5),
        "boolean" => json!(dice.roll(2) == 0),
        "array" => {
            let least = usize::from(here.get("minItems").is_some());
            let items = here.get("items");
            (0..least + dice.roll(3))
                .filter_map(|_| items.map(|items| fitting(items, dice, depth + 1)))
                .collect()
        }
        "object" => Value::Object(members(here, dice, depth)),
        _ => Value::Null,
    }
}

fn members(schema: &'static Value, dice: &mut Dice, depth: usize) -> Map<String, Value> {
    let mut all = Map::new();
    if let Some(any) = schema.get("additionalProperties").filter(|a| a.is_object()) {
        for name in ["A", "x-b"].iter().take(dice.roll(3)) {
            all.insert((*name).to_owned(), fitting(any, dice, depth + 1));
        }
    }
    let required = required_of(schema);
    let probes: Vec<&str> = schema
        .get("oneOf")
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
        .filter_map(|branch| branch["required"][0].as_str())
        .collect();
    let probe = probes.get(dice.roll(probes.len()));
    let properties = schema.get("properties").and_then(Value::as_object);
    for (name, property) in properties.into_iter().flatten() {
        let name = name.as_str();
        let wanted = if probes.contains(&name) {
            Some(&name) == probe
        } else {
            required.contains(&name) || dice.roll(2 + depth) == 0
        };
        if wanted {
            all.insert(name.to_owned(), fitting(property, dice, depth + 1));
        } else if dice.roll(9) == 0 && !probes.contains(&name) {
            all.insert(name.to_owned(), Value::Null);
        }
    }
    all
}

/// Breaks one place, or leaves it right by chance.
fn breaks(value: &mut Value, dice: &mut Dice) {
    let inside = dice.roll(9) > 0;
    match value {
        Value::Object(object) if !object.is_empty() => {
            let at = dice.roll(object.len());
            let Some(key) = object.keys().nth(at).cloned() else {
                return;
            };
            if inside {
                if let Some(inner) = object.get_mut(&key) {
                    breaks(inner, dice);
                }
                return;
            }
            let old = object.shift_remove(&key);
            match dice.roll(5) {
                0 => {}
                1 => {
                    object.insert(format!("{key}s"), old.unwrap_or_default());
                }
                2 => {
                    object.insert(format!("x-{key}"), old.unwrap_or_default());
                }
                3 => {
                    object.insert("command".to_owned(), json!("true"));
                }
                _ => {
                    object.insert(key, Value::Null);
                }
            }
        }
        Value::Array(items) if !items.is_empty() && inside => {
            let at = dice.roll(items.len());
            breaks(&mut items[at], dice);
        }
        other => {
            *other = [
                json!(null),
                json!(true),
                json!(7),
                json!(-7),
                json!(0.5),
                json!("word"),
                json!([]),
                json!(["a", "b"]),
                json!([["a"], null]),
                json!({}),
                json!({"check": "c", "command": "true"}),
                json!({"manual": true, "when": "true"}),
            ][dice.roll(12)]
            .clone();
        }
    }
}

#[test]
fn the_types_and_the_schema_accept_the_same() {
    let (mut right, mut wrong) = (0, 0);
    for seed in 1..4_000_u64 {
        let mut dice = Dice(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15));
        let mut plan = fitting(schema(), &mut dice, 0);
        for _ in 0..dice.roll(4) {
            breaks(&mut plan, &mut dice);
        }
        let text = plan.to_string();
        let (arena, findings) = parse(&Arc::new(SourceText::new("plan.yaml", text.clone())));
        assert!(findings.is_empty(), "{findings:?}");
        let Some(arena) = arena else { continue };
        let filled = typed::fill_strictly(&arena);
        let fits = shape::fits(&arena);
        assert_eq!(
            filled.is_ok(),
            fits,
            "seed {seed}: {:?}\n{text}",
            filled.err()
        );
        *(if fits { &mut right } else { &mut wrong }) += 1;
    }
    assert!(right > 500 && wrong > 500, "{right} fit, {wrong} do not");
}
