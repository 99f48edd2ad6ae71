//! The JSON Schema that the model generates.
//!
//! One source of truth: editors, the shape check and the checked-in file all use this schema.

use std::sync::OnceLock;

use schemars::generate::SchemaSettings;
use schemars::transform::{Transform, transform_subschemas};
use schemars::{JsonSchema, Schema};
use serde_json::{Map, Value, json};

use super::model::Plan;
use crate::manifest::kind::KindFile;
use crate::manifest::migration::MigrationFile;

mod editor;
mod reference;

/// The schema of a plan, JSON Schema 2020-12, with all that editors want to show.
#[must_use]
pub fn schema() -> &'static Value {
    static SCHEMA: OnceLock<Value> = OnceLock::new();
    SCHEMA.get_or_init(|| {
        let mut value = generate();
        editor::polish(&mut value);
        value
    })
}

/// The schema of a migration file of manifests, JSON Schema 2020-12, with all that editors want to show.
#[must_use]
pub fn migration_schema() -> &'static Value {
    static SCHEMA: OnceLock<Value> = OnceLock::new();
    SCHEMA.get_or_init(|| {
        let mut value = generate_for::<MigrationFile>("Manifest migration");
        editor::polish(&mut value);
        value
    })
}

/// The shapes of a migration file, without what only editors want.
#[must_use]
pub(super) fn migration_shapes() -> &'static Value {
    static SHAPES: OnceLock<Value> = OnceLock::new();
    SHAPES.get_or_init(|| generate_for::<MigrationFile>("Manifest migration"))
}

/// The shapes of a `kind.yaml`.
#[must_use]
pub(super) fn kind_shapes() -> &'static Value {
    static SHAPES: OnceLock<Value> = OnceLock::new();
    SHAPES.get_or_init(|| generate_for::<KindFile>("Kind of document"))
}

/// The same shapes without what only editors want: what the shape check of every start uses.
#[must_use]
pub(super) fn shapes() -> &'static Value {
    static SHAPES: OnceLock<Value> = OnceLock::new();
    SHAPES.get_or_init(generate)
}

fn generate() -> Value {
    generate_for::<Plan>("Migration strategy")
}

fn generate_for<T: JsonSchema>(title: &str) -> Value {
    let generator = SchemaSettings::draft2020_12()
        .with_transform(AsWritten)
        .into_generator();
    let mut value = generator.into_root_schema_for::<T>().to_value();
    if let Value::Object(root) = &mut value {
        root.insert("title".to_owned(), json!(title));
    }
    value
}

/// The schema as the text that is checked in: indented, with a final newline.
#[must_use]
pub fn schema_text() -> String {
    written(schema())
}

/// The schema of a migration file of manifests as the text that is checked in.
#[must_use]
pub fn migration_schema_text() -> String {
    written(migration_schema())
}

fn written(schema: &Value) -> String {
    let mut text = format!("{schema:#}");
    text.push('\n');
    text
}

/// The reference of the format that is checked in beside the schema: Markdown, with a final newline.
#[must_use]
pub fn reference_text() -> String {
    let mut value = generate();
    editor::describe(&mut value);
    reference::write(&value)
}

/// Makes the generated schema say what the format says: `null` equals absent and is not offered,
/// enums are plain lists, and keys that start with `x-` pass.
#[derive(Debug, Clone)]
struct AsWritten;

impl Transform for AsWritten {
    fn transform(&mut self, schema: &mut Schema) {
        transform_subschemas(self, schema);
        let Some(object) = schema.as_object_mut() else {
            return;
        };
        strip_null(object);
        plain_enum(object);
        if matches!(object.get("default"), Some(Value::Null))
            || object.get("default") == Some(&json!([]))
            || object.get("default") == Some(&json!({}))
        {
            object.remove("default");
        }
        if object.get("additionalProperties") == Some(&Value::Bool(false)) {
            object.insert("patternProperties".to_owned(), json!({ "^x-": true }));
        }
        object.remove("format");
        one_line(object);
    }
}

/// Doc comments are wrapped; editors show descriptions as they are.
fn one_line(object: &mut Map<String, Value>) {
    if let Some(Value::String(text)) = object.get_mut("description") {
        *text = text
            .split("\n\n")
            .map(|paragraph| paragraph.replace('\n', " "))
            .collect::<Vec<_>>()
            .join("\n\n");
    }
}

fn strip_null(object: &mut Map<String, Value>) {
    if let Some(Value::Array(types)) = object.get_mut("type") {
        types.retain(|kind| kind != "null");
        if types.len() == 1 {
            let only = types.remove(0);
            object.insert("type".to_owned(), only);
        }
    }
    let Some(Value::Array(branches)) = object.get_mut("anyOf") else {
        return;
    };
    branches.retain(|branch| branch.get("type") != Some(&json!("null")));
    if branches.len() == 1 {
        let only = branches.remove(0);
        object.remove("anyOf");
        if let Value::Object(only) = only {
            for (key, value) in only {
                object.entry(key).or_insert(value);
            }
        }
    }
}

/// Documented variants come as `oneOf` constants; editors show a meaning beside each choice.
fn plain_enum(object: &mut Map<String, Value>) {
    let Some(Value::Array(branches)) = object.get("oneOf") else {
        return;
    };
    let mut values = Vec::new();
    let mut meanings = Vec::new();
    for branch in branches {
        if let Some(Value::Array(several)) = branch.get("enum") {
            values.extend(several.iter().cloned());
            meanings.resize(values.len(), Value::Null);
            continue;
        }
        let Some(value) = branch.get("const") else {
            return;
        };
        meanings.push(branch.get("description").cloned().unwrap_or_default());
        values.push(value.clone());
    }
    object.remove("oneOf");
    object.insert("type".to_owned(), json!("string"));
    object.insert("enum".to_owned(), Value::Array(values));
    object.insert("enumDescriptions".to_owned(), Value::Array(meanings));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_checked_in_files_are_fresh() {
        for (name, option, text) in [
            ("migration-strategy.schema.json", "", schema_text()),
            ("REFERENCE.md", " --reference", reference_text()),
            (
                "manifest-migration.schema.json",
                " --manifest-migration",
                migration_schema_text(),
            ),
        ] {
            let file = format!("{}/schemas/{name}", env!("CARGO_MANIFEST_DIR"));
            if std::env::var_os("UPDATE_SCHEMA").is_some() {
                assert!(std::fs::write(&file, &text).is_ok(), "cannot write {file}");
            }
            assert!(
                std::fs::read_to_string(&file).unwrap_or_default() == text,
                "the model changed; run `orchestrate schema{option} > schemas/{name}` \
                 (or this test with UPDATE_SCHEMA=1) and commit the file"
            );
        }
    }

    #[test]
    fn the_reference_tells_every_key_and_its_links_lead_somewhere() {
        let text = reference_text();
        walk(shapes(), "", &mut |path, object| {
            if let Some(Value::Object(properties)) = object.get("properties") {
                for name in properties.keys() {
                    let told = format!("- **`{name}`** (");
                    let section = format!("## `{name}`\n");
                    assert!(
                        text.contains(&told) || text.contains(&section),
                        "{path}: {name}"
                    );
                }
            }
        });
        let headings: Vec<String> = text
            .lines()
            .filter(|line| line.starts_with('#'))
            .map(|line| reference::anchor(line.trim_start_matches('#').trim()))
            .collect();
        for (i, heading) in headings.iter().enumerate() {
            assert!(
                !headings[..i].contains(heading),
                "two headings are #{heading}"
            );
        }
        for link in text
            .split("](#")
            .skip(1)
            .filter_map(|rest| rest.split(')').next())
        {
            assert!(
                headings.iter().any(|heading| heading == link),
                "nothing is #{link}"
            );
        }
        let longest = text.lines().map(str::len).max().unwrap_or_default();
        assert!(longest < 900, "a line of {longest} letters");
    }

    /// Fewer letters cannot say what a value does when the plan runs.
    const SHORTEST: usize = 20;

    fn walk(value: &Value, path: &str, see: &mut dyn FnMut(&str, &Map<String, Value>)) {
        match value {
            Value::Object(object) => {
                see(path, object);
                for (key, child) in object {
                    match (key.as_str(), child) {
                        // Data, not schemas.
                        ("examples" | "default" | "enum", _) => {}
                        ("properties" | "$defs", Value::Object(named)) => {
                            for (name, schema) in named {
                                walk(schema, &format!("{path}/{key}/{name}"), see);
                            }
                        }
                        _ => walk(child, &format!("{path}/{key}"), see),
                    }
                }
            }
            Value::Array(items) => {
                for (i, item) in items.iter().enumerate() {
                    walk(item, &format!("{path}/{i}"), see);
                }
            }
            _ => {}
        }
    }

    /// As the loader reads it: null equals absent.
    fn without_nulls(value: &mut Value) {
        match value {
            Value::Object(object) => {
                object.retain(|_, value| !value.is_null());
                object.values_mut().for_each(without_nulls);
            }
            Value::Array(items) => items.iter_mut().for_each(without_nulls),
            _ => {}
        }
    }

    /// What editors see and what the shape check uses accept the same documents: every plan of the corpus, valid or
    /// not, gets the same answer from both.
    #[test]
    fn editors_and_the_shape_check_agree() {
        let validators = [schema(), shapes()].map(|schema| {
            jsonschema::validator_for(schema).unwrap_or_else(|error| panic!("{error}"))
        });
        let mut answers = [0, 0];
        for folder in ["valid", "invalid"] {
            let folder = format!("{}/tests/plans/{folder}", env!("CARGO_MANIFEST_DIR"));
            for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
                let Ok(text) = std::fs::read_to_string(entry.path()) else {
                    continue;
                };
                let Ok(mut plan) = serde_yaml::from_str::<Value>(&text) else {
                    continue;
                };
                without_nulls(&mut plan);
                let [editor, shape] = [0, 1].map(|i| validators[i].is_valid(&plan));
                assert_eq!(editor, shape, "{}", entry.path().display());
                answers[usize::from(shape)] += 1;
            }
        }
        assert!(answers[0] > 10 && answers[1] > 30, "{answers:?}");
    }

    #[test]
    fn the_shape_check_knows_no_null() {
        walk(shapes(), "", &mut |path, object| {
            assert_ne!(object.get("type"), Some(&json!("null")), "{path}");
        });
    }

    #[test]
    fn every_key_and_every_choice_is_explained() {
        let mut bare = Vec::new();
        let short = |text: Option<&Value>| {
            text.and_then(Value::as_str)
                .is_none_or(|text| text.chars().count() < SHORTEST)
        };
        let mut see = |path: &str, object: &Map<String, Value>| {
            if path.starts_with("/$defs/")
                && path.matches('/').count() == 2
                && short(object.get("description"))
            {
                bare.push(path.to_owned());
            }
            if let Some(Value::Object(properties)) = object.get("properties") {
                for (name, property) in properties {
                    if short(property.get("description")) {
                        bare.push(format!("{path}: {name}"));
                    }
                }
            }
            if let Some(Value::Array(choices)) = object.get("enum") {
                for (i, choice) in choices.iter().enumerate() {
                    if short(object.get("enumDescriptions").and_then(|all| all.get(i))) {
                        bare.push(format!("{path}: {choice}"));
                    }
                }
            }
        };
        walk(schema(), "", &mut see);
        walk(migration_schema(), "", &mut see);
        assert!(
            bare.is_empty(),
            "no description, or too short a one:\n{}",
            bare.join("\n")
        );
    }

    #[test]
    fn examples_and_defaults_fit_where_they_stand() {
        let mut seen = 0;
        let mut wrong = Vec::new();
        let mut see = |root: &Value, path: &str, object: &Map<String, Value>| {
            let examples = object.get("examples").and_then(Value::as_array);
            let all = examples.into_iter().flatten().chain(object.get("default"));
            let mut own = object.clone();
            own.insert("$defs".to_owned(), root["$defs"].clone());
            let own = Value::Object(own);
            for example in all {
                seen += 1;
                if !jsonschema::is_valid(&own, example) {
                    wrong.push(format!("{path}: {example}"));
                }
            }
        };
        for root in [schema(), migration_schema()] {
            walk(root, "", &mut |path, object| see(root, path, object));
        }
        assert!(seen > 150, "only {seen} examples and defaults were found");
        assert!(wrong.is_empty(), "these do not fit:\n{}", wrong.join("\n"));
    }
}
