//! The JSON Schema that the model generates.
//!
//! One source of truth: editors, the shape check and the checked-in file all use this schema.

use std::sync::OnceLock;

use schemars::Schema;
use schemars::generate::SchemaSettings;
use schemars::transform::{Transform, transform_subschemas};
use serde_json::{Map, Value, json};

use super::model::Plan;

/// The schema of a plan, JSON Schema 2020-12.
#[must_use]
pub fn schema() -> &'static Value {
    static SCHEMA: OnceLock<Value> = OnceLock::new();
    SCHEMA.get_or_init(|| {
        let generator = SchemaSettings::draft2020_12()
            .with_transform(AsWritten)
            .into_generator();
        let mut value = generator.into_root_schema_for::<Plan>().to_value();
        if let Value::Object(root) = &mut value {
            root.insert("title".to_owned(), json!("Migration strategy"));
        }
        value
    })
}

/// The schema as the text that is checked in: indented, with a final newline.
#[must_use]
pub fn schema_text() -> String {
    let mut text = format!("{:#}", schema());
    text.push('\n');
    text
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

/// Documented variants come as `oneOf` constants; their meanings go into the description.
fn plain_enum(object: &mut Map<String, Value>) {
    let Some(Value::Array(branches)) = object.get("oneOf") else {
        return;
    };
    let mut values = Vec::new();
    let mut meanings = Vec::new();
    for branch in branches {
        if let Some(Value::Array(several)) = branch.get("enum") {
            values.extend(several.iter().cloned());
            continue;
        }
        let Some(value) = branch.get("const") else {
            return;
        };
        if let (Some(name), Some(meaning)) = (
            value.as_str(),
            branch.get("description").and_then(Value::as_str),
        ) {
            meanings.push(format!("`{name}`: {meaning}"));
        }
        values.push(value.clone());
    }
    object.remove("oneOf");
    object.insert("type".to_owned(), json!("string"));
    object.insert("enum".to_owned(), Value::Array(values));
    let description = object
        .get("description")
        .and_then(Value::as_str)
        .unwrap_or_default();
    let description = format!("{description}\n\n{}", meanings.join(" "));
    object.insert("description".to_owned(), json!(description.trim()));
}

#[cfg(test)]
mod tests {
    use super::*;

    const FILE: &str = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/schemas/migration-strategy.schema.json"
    );

    #[test]
    fn the_checked_in_schema_is_fresh() {
        let written = std::fs::read_to_string(FILE).unwrap_or_default();
        if std::env::var_os("UPDATE_SCHEMA").is_some() && written != schema_text() {
            assert!(
                std::fs::write(FILE, schema_text()).is_ok(),
                "cannot write {FILE}"
            );
            return;
        }
        assert!(
            written == schema_text(),
            "the model changed; run `orchestrate schema > schemas/migration-strategy.schema.json` \
             (or this test with UPDATE_SCHEMA=1) and commit the file"
        );
    }

    #[test]
    fn nulls_are_not_offered_and_every_property_is_described() {
        fn walk(value: &Value, path: &str, bare: &mut Vec<String>) {
            match value {
                Value::Object(object) => {
                    assert_ne!(object.get("type"), Some(&json!("null")), "{path}");
                    if let Some(Value::Object(properties)) = object.get("properties") {
                        for (name, property) in properties {
                            if property.get("description").is_none() {
                                bare.push(format!("{path}.{name}"));
                            }
                        }
                    }
                    for (key, child) in object {
                        walk(child, &format!("{path}/{key}"), bare);
                    }
                }
                Value::Array(items) => {
                    for item in items {
                        walk(item, path, bare);
                    }
                }
                _ => {}
            }
        }
        let mut bare = Vec::new();
        walk(schema(), "", &mut bare);
        assert!(bare.is_empty(), "no description: {bare:?}");
    }
}
