#![expect(clippy::unwrap_used, reason = "a test")]

use proptest::prelude::*;
use serde_json::{Map, Value, json};

use super::*;
use crate::manifest::migration::MigrationFile;
use crate::manifest::{Engine, Kind, Outcome, Registry, Target};

fn drafted(before: &str, after: &str) -> Result<Sketch, SketchError> {
    let identity = ["job_id", "run_id"].map(|key| Pointer::of([key]));
    let settings = Settings {
        kind: "run_manifest",
        version_pointer: &Pointer::of(["schema_version"]),
        identity: &identity,
    };
    sketch(before.as_bytes(), after.as_bytes(), settings)
}

/// The text of a document with these further fields.
fn document(version: &str, fields: &Value) -> String {
    let mut all = Map::new();
    all.insert("schema_version".to_owned(), json!(version));
    all.insert("job_id".to_owned(), json!("a job"));
    all.insert("run_id".to_owned(), json!("a run"));
    all.extend(fields.as_object().unwrap().clone());
    Value::Object(all).to_string()
}

fn between(before: &Value, after: &Value) -> Sketch {
    drafted(&document("1.2.0", before), &document("1.3.0", after)).unwrap()
}

/// Does what a file says, by reading it as YAML: another reader than the one that wrote it.
fn apply(text: &str, document: &mut Value) {
    let file: Value = serde_yaml::from_str(text).unwrap_or_else(|e| panic!("{e}:\n{text}"));
    run(&file["operations"], document);
}

fn run(operations: &Value, on: &mut Value) {
    for item in operations.as_array().unwrap() {
        let (name, with) = item.as_object().unwrap().iter().next().unwrap();
        let text = |key: &str| with[key].as_str().unwrap().to_owned();
        match name.as_str() {
            "add" => {
                if on.pointer(&text("at")).is_none() {
                    put(on, &text("at"), with["default"].clone());
                }
            }
            "remove" => drop(take(on, &text("at"))),
            "rename" => {
                let at = text("at");
                let (parent, _) = at.rsplit_once('/').unwrap();
                let key = text("to").replace('~', "~0").replace('/', "~1");
                if let Some(value) = take(on, &at) {
                    put(on, &format!("{parent}/{key}"), value);
                }
            }
            "move" => {
                if let Some(value) = take(on, &text("from")) {
                    put(on, &text("to"), value);
                }
            }
            "convert" => {
                let Some(value) = on.pointer_mut(&text("at")) else {
                    continue;
                };
                match with.get("values") {
                    Some(_) if value.is_null() => {}
                    Some(values) => {
                        let pair = values
                            .as_array()
                            .unwrap()
                            .iter()
                            .find(|p| p["old"] == *value);
                        *value = pair.unwrap()["new"].clone();
                    }
                    None => convert(value, &text("to")),
                }
            }
            "for_each" => match on.pointer_mut(&text("in")).unwrap_or(&mut Value::Null) {
                Value::Null => {}
                Value::Array(all) => all.iter_mut().for_each(|one| run(&with["do"], one)),
                Value::Object(all) => all.values_mut().for_each(|one| run(&with["do"], one)),
                other => panic!("{other}"),
            },
            other => panic!("{other}"),
        }
    }
}

fn convert(value: &mut Value, to: &str) {
    *value = match (&*value, to) {
        (Value::Null, _) => Value::Null,
        (Value::String(text), "integer" | "number" | "boolean") => text.parse().unwrap(),
        (other, "string") => json!(other.to_string()),
        (other, _) => other.clone(),
    };
}

fn take(on: &mut Value, at: &str) -> Option<Value> {
    let (parent, key) = at.rsplit_once('/').unwrap();
    let key = key.replace("~1", "/").replace("~0", "~");
    on.pointer_mut(parent)?.as_object_mut()?.remove(&key)
}

fn put(on: &mut Value, at: &str, value: Value) {
    let (parent, key) = at.rsplit_once('/').unwrap();
    let key = key.replace("~1", "/").replace("~0", "~");
    let parent = on.pointer_mut(parent).unwrap().as_object_mut().unwrap();
    assert!(parent.insert(key, value).is_none(), "{at} is there");
}

/// What the engine makes of the document by this file; the file must break no rule.
fn migrated(sketch: &Sketch, before: &str) -> Value {
    let file: MigrationFile =
        serde_yaml::from_str(&sketch.text).unwrap_or_else(|e| panic!("{e}:\n{}", sketch.text));
    let mut kind = Kind::run_manifest();
    // The generated documents need not be whole run manifests.
    kind.required.clear();
    let checked = file.check(&kind);
    let migration = checked
        .migration
        .unwrap_or_else(|| panic!("{:?}\n{}", checked.problems, sketch.text));
    let mut registry = Registry::of(&kind);
    registry.add(migration).unwrap();
    let engine = Engine::new(kind, registry).unwrap();
    let at = "2026-01-02T03:04:05Z".parse().unwrap();
    match engine.migrate(before.as_bytes(), Target::Exact(sketch.to), at, None) {
        Ok(Outcome::Migrated(migrated)) => serde_json::from_slice(&migrated.text).unwrap(),
        other => panic!("{other:?}\n{}\n{before}", sketch.text),
    }
}

/// Holds that a complete sketch makes one document the other, by two readers of its file.
fn holds(sketch: &Sketch, before: &str, after: &str) {
    let mut wanted: Value = serde_json::from_str(after).unwrap();
    let mut tried: Value = serde_json::from_str(before).unwrap();
    apply(&sketch.text, &mut tried);
    let mut engines = migrated(sketch, before);
    engines.as_object_mut().unwrap().remove(HISTORY);
    for document in [&mut wanted, &mut tried, &mut engines] {
        document["schema_version"] = Value::Null;
    }
    assert_eq!(tried, wanted, "{}", sketch.text);
    assert_eq!(engines, wanted, "{}", sketch.text);
}

/// Drafts, and holds that the draft does what it claims to do.
fn proven(before: &Value, after: &Value) -> Sketch {
    let sketch = between(before, after);
    assert!(sketch.complete, "{}", sketch.text);
    holds(
        &sketch,
        &document("1.2.0", before),
        &document("1.3.0", after),
    );
    sketch
}

#[test]
fn a_field_that_was_added() {
    let sketch = proven(&json!({}), &json!({"priority_level": "normal"}));
    assert!(!sketch.breaking && sketch.open.is_empty());
    insta::assert_snapshot!(sketch.text, @r#"
    # Drafted from two documents, one before and one after. What they show is written down; whether
    # it holds for every document is for you to decide. Look at every default and at each `Decide`.
    from_version: 1.2.0
    to_version: 1.3.0
    kind: run_manifest
    changes:
      - "Add `/priority_level`, \"normal\" where nothing is said"
    operations:
      - add: {at: /priority_level, default: "normal"}
    "#);
}

#[test]
fn what_only_adds_is_not_breaking() {
    let sketch = proven(
        &json!({"chain": {"stage": 1}, "a": [{}, {"x": 1}]}),
        &json!({"chain": {"stage": 1, "more": {"deep": [null, 1.5, "a\nb"]}}, "a": [{"n": false}, {"x": 1, "n": false}]}),
    );
    assert!(!sketch.breaking);
    assert_eq!(sketch.to, Version::new(1, 3, 0));
}

#[test]
fn everything_at_once() {
    let before = json!({
        "state": "completed",
        "owner": "operations",
        "retries": "5",
        "legacy": {"flag": true},
        "level": "low",
        "artifacts": [{"path": "out/a.txt", "bytes": "10"}, {"path": "out/b.txt", "bytes": "2000"}],
        "input_snapshots": {"brief": {"sha": "abc1"}, "doctrine": {"sha": "abc2"}},
    });
    let after = json!({
        "status": "completed",
        "retries": 5,
        "level": "minor",
        "metadata": {"owner": "operations", "tags": []},
        "artifacts": [
            {"path": "out/a.txt", "bytes": 10, "checked": false},
            {"path": "out/b.txt", "bytes": 2000, "checked": false},
        ],
        "input_snapshots": {"brief": {"sha256": "abc1"}, "doctrine": {"sha256": "abc2"}},
    });
    let sketch = proven(&before, &after);
    assert_eq!(sketch.to, Version::new(2, 0, 0));
    insta::assert_snapshot!(sketch.text);
}

#[test]
fn a_guess_is_told_with_what_else_it_could_be() {
    let sketch = proven(
        &json!({"first": "same text", "b": 1}),
        &json!({"one": "same text", "first_one": "same text", "b": 1}),
    );
    assert!(sketch.text.contains("# Or instead:"), "{}", sketch.text);
    assert!(!sketch.open.is_empty());
    // Names that are not alike, and a value that says nothing: not a rename.
    let sketch = proven(&json!({"debug": false}), &json!({"checked": false}));
    assert!(
        sketch.text.contains("\n  - remove: {at: /debug}"),
        "{}",
        sketch.text
    );
    assert!(
        sketch
            .text
            .contains("#   - rename: {at: /debug, to: \"checked\"}"),
        "{}",
        sketch.text
    );
    // Names that are alike.
    let sketch = proven(&json!({"input_hash": null}), &json!({"inputs_hash": null}));
    assert!(sketch.text.contains("\n  - rename:"), "{}", sketch.text);
}

#[test]
fn what_comes_out_of_an_object_that_goes() {
    let sketch = proven(
        &json!({"meta": {"owner": "operations", "junk": 1}}),
        &json!({"owner": "operations"}),
    );
    assert!(
        sketch
            .text
            .contains("move: {from: /meta/owner, to: /owner}"),
        "{}",
        sketch.text
    );
}

#[test]
fn values_that_were_exchanged_list_those_that_stayed() {
    let sketch = proven(
        &json!({"steps": [{"s": "done"}, {"s": "running"}, {"s": "done"}]}),
        &json!({"steps": [{"s": "completed"}, {"s": "running"}, {"s": "completed"}]}),
    );
    assert!(
        sketch.text.contains(r#"{old: "running", new: "running"}"#),
        "{}",
        sketch.text
    );
}

#[test]
fn what_cannot_be_told_is_not_guessed() {
    for (before, after) in [
        (json!({"a": [1]}), json!({"a": [1, 2]})),
        (json!({"a": null}), json!({"a": "x"})),
        (json!({"a": {"x": 1}}), json!({"a": 5})),
        (
            json!({"a": [{"n": 0}, {"n": 0}]}),
            json!({"a": [{"n": 1}, {"n": 2}]}),
        ),
        (json!({}), json!({"-": 1})),
    ] {
        let sketch = between(&before, &after);
        assert!(!sketch.complete, "{}", sketch.text);
        assert!(
            sketch.text.contains("# Decide:") && sketch.text.contains("operations: []"),
            "{}",
            sketch.text
        );
        serde_yaml::from_str::<Value>(&sketch.text).unwrap();
    }
    let (before, after) = (
        document("1.0.0", &json!({})),
        document("1.1.0", &json!({"n": 7})),
    );
    let sketch = drafted(&before, &after.replace('7', "12345678901234567890")).unwrap();
    assert!(!sketch.complete, "{}", sketch.text);
}

#[test]
fn digits_decide_whether_numbers_are_the_same() {
    let text = |n: &str| document("1.0.0", &json!({})).replace('}', &format!(",\"n\":{n}}}"));
    let later = |n: &str| text(n).replace("1.0.0", "1.1.0");
    let same = drafted(
        &text("12345678901234567890"),
        &later("12345678901234567890"),
    )
    .unwrap();
    assert!(same.complete && same.text.contains("operations: []"));
    let other = drafted(
        &text("12345678901234567890"),
        &later("12345678901234567891"),
    )
    .unwrap();
    assert!(!other.complete);
}

#[test]
fn history_and_the_order_of_keys_are_no_changes() {
    let before = r#"{"schema_version":"1.0.0","a":1,"b":"\u00e4"}"#;
    let after = r#"{"b":"ä","migration_history":[1],"a":1,"schema_version":"1.1.0"}"#;
    let sketch = drafted(before, after).unwrap();
    assert!(
        sketch.complete && sketch.text.ends_with("operations: []\n"),
        "{}",
        sketch.text
    );
}

#[test]
fn what_is_refused() {
    let ok = document("1.0.0", &json!({}));
    let other = r#"{"schema_version":"1.1.0","job_id":"another"}"#;
    assert!(matches!(
        drafted(&ok, other),
        Err(SketchError::Identity { .. })
    ));
    let without = r#"{"schema_version":"1.1.0"}"#;
    assert!(matches!(
        drafted(&ok, without),
        Err(SketchError::Identity { .. })
    ));
    assert!(matches!(
        drafted(&ok, &ok),
        Err(SketchError::NotLater { .. })
    ));
    for none in [
        "{}",
        "[]",
        r#"{"schema_version": 1}"#,
        r#"{"schema_version": "v1"}"#,
    ] {
        assert!(matches!(
            drafted(&ok, none),
            Err(SketchError::NoVersion {
                side: Side::After,
                ..
            })
        ));
    }
    let error = drafted("{\"a\":1,\n\"a\":2}", &ok).unwrap_err();
    assert!(
        error
            .to_string()
            .contains("the document before is not valid, at line 2"),
        "{error}"
    );
}

#[test]
fn keys_and_texts_of_any_kind_come_through_yaml() {
    let odd =
        "~ / \" \\ # : {}[],&*!|>'%@` \u{1}\u{7f}\u{85}\u{2028}\u{feff}\u{ffff} ü 🦀\r\n\ttrue";
    proven(
        &json!({}),
        &json!({odd: {odd: [odd, "", "null", "1e5", "0x1f", "12:30:00", "no", "~"]}}),
    );
    proven(&json!({odd: "1"}), &json!({odd: 1}));
    proven(
        &json!({"a": {odd: "text"}, "b": {}}),
        &json!({"a": {}, "b": {odd: "text"}}),
    );
    proven(&json!({odd: "a value"}), &json!({"": "a value"}));
}

fn value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        (-5_i64..100_000).prop_map(Value::from),
        prop::sample::select(vec![
            "",
            "5",
            "17",
            "done",
            "open",
            "true",
            "a long text",
            "another one"
        ])
        .prop_map(Value::from),
        prop::sample::select(vec![1.5, 0.25, -3.75]).prop_map(Value::from),
    ];
    leaf.prop_recursive(3, 20, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            object(inner),
        ]
    })
}

fn object(inner: impl Strategy<Value = Value>) -> impl Strategy<Value = Value> {
    let key = prop::sample::select(vec![
        "a", "b", "c", "state", "status", "x/y", "~z", "0", "-", "job_id",
    ]);
    prop::collection::btree_map(key, inner, 0..5).prop_map(|members| {
        Value::Object(
            members
                .into_iter()
                .map(|(k, v)| (k.to_owned(), v))
                .collect(),
        )
    })
}

/// Changes a document as people do: fields come, go, get other names, move, become numbers, in one place or everywhere.
fn change(value: &mut Value, seed: &mut u64) {
    *seed = seed
        .wrapping_mul(6_364_136_223_846_793_005)
        .wrapping_add(1_442_695_040_888_963_407);
    let dice = *seed >> 33;
    match value {
        Value::Object(members) => {
            let keys: Vec<String> = members.keys().cloned().collect();
            let key = keys.get((dice / 7) as usize % keys.len().max(1)).cloned();
            match (dice % 7, key) {
                (0, _) => drop(members.insert("added".to_owned(), json!("normal"))),
                (1, Some(key)) => drop(members.remove(&key)),
                (2, Some(key)) => {
                    if let Some(value) = members.remove(&key) {
                        members.insert("renamed".to_owned(), value);
                    }
                }
                (3, Some(key)) => {
                    if let Some(value) = members.remove(&key) {
                        members.insert("holder".to_owned(), json!({"moved": value}));
                    }
                }
                (4, _) => members
                    .values_mut()
                    .for_each(|value| change(value, &mut (dice | 1))),
                (_, Some(key)) => change(&mut members[&key], seed),
                (_, None) => {}
            }
        }
        Value::Array(elements) => elements
            .iter_mut()
            .for_each(|one| change(one, &mut (dice | 1))),
        Value::String(text) => {
            if let Ok(number) = text.parse::<i64>() {
                *value = json!(number);
            } else if text == "done" {
                *value = json!("completed");
            }
        }
        Value::Number(_) | Value::Bool(_) => *value = json!(value.to_string()),
        Value::Null => {}
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 512, ..ProptestConfig::default() })]

    #[test]
    fn a_complete_sketch_does_what_it_claims(before in object(value()), seed in any::<u64>(), times in 1..4) {
        let mut after = before.clone();
        let mut seed = seed;
        for _ in 0..times {
            change(&mut after, &mut seed);
        }
        let (first, second) = (document("1.0.0", &before), document("1.1.0", &after));
        if let Ok(sketch) = drafted(&first, &second) {
            let file: Value = serde_yaml::from_str(&sketch.text).unwrap();
            prop_assert_eq!(file["breaking"] == json!(true), sketch.breaking);
            if sketch.complete {
                holds(&sketch, &first, &second);
            } else {
                prop_assert!(!sketch.open.is_empty());
            }
        }
    }

    #[test]
    fn documents_that_have_nothing_in_common_do_no_harm(before in object(value()), after in object(value())) {
        let (first, second) = (document("1.0.0", &before), document("1.1.0", &after));
        if let Ok(sketch) = drafted(&first, &second) {
            serde_yaml::from_str::<Value>(&sketch.text).unwrap();
            if sketch.complete {
                holds(&sketch, &first, &second);
            }
        }
    }
}
