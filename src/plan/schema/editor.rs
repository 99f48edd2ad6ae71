//! What editors want beside the shape: titles, examples, defaults, a meaning for each choice, Markdown.
//!
//! All of it is read from the model's comments, so that there is nothing to keep in step: "Example: `x`" becomes an
//! example, "(default `x`)" a default, and the type's name its title. What the yaml-language-server makes of these is
//! held by a test that asks it.

use serde_json::{Map, Value, json};

/// How an example is announced in a comment, and several of them.
const EXAMPLE: [&str; 2] = ["Example: ", "Examples: "];

/// How a default is announced in a comment.
const DEFAULT: &str = "(default `";

/// Characters that mean something in Markdown, so that an editor would show them escaped.
const MARKED: &[char] = &['`', '_', '*', '[', ']', '<', '>', '{', '}', '#', '|', '\\'];

/// Makes the schema good to hover over and to complete from. What it accepts stays the same, but for `null`: the loader
/// takes every null for an absent key before it looks at shapes, and an editor cannot.
pub(super) fn polish(root: &mut Value) {
    describe(root);
    let types = root.get("$defs").cloned().unwrap_or_default();
    walk(root, &mut |schema| spell_out(schema, &types));
    walk(root, &mut allow_null);
}

/// Titles, descriptions, examples and defaults.
pub(super) fn describe(root: &mut Value) {
    if let Some(Value::Object(types)) = root.get_mut("$defs") {
        for (name, schema) in types.iter_mut() {
            if let Value::Object(schema) = schema {
                schema
                    .entry("title")
                    .or_insert_with(|| Value::String(title(name)));
            }
        }
    }
    walk(root, &mut tell);
}

/// Calls back for every schema below and at a value, children first.
fn walk(value: &mut Value, see: &mut dyn FnMut(&mut Map<String, Value>)) {
    match value {
        Value::Object(object) => {
            for (key, child) in object.iter_mut() {
                match key.as_str() {
                    // Data, not schemas.
                    "examples" | "default" | "enum" => {}
                    "properties" | "$defs" | "patternProperties" => {
                        if let Value::Object(named) = child {
                            for schema in named.values_mut() {
                                walk(schema, see);
                            }
                        }
                    }
                    _ => walk(child, see),
                }
            }
            see(object);
        }
        Value::Array(items) => items.iter_mut().for_each(|item| walk(item, see)),
        _ => {}
    }
}

/// `ValidationGate` is titled "Validation gate"; the mapping form of something has the name of that thing.
fn title(name: &str) -> String {
    let name = ["Mapping", "Item"]
        .iter()
        .find_map(|form| name.strip_suffix(form))
        .unwrap_or(name);
    let mut words = String::new();
    for letter in name.chars() {
        if letter.is_uppercase() && !words.is_empty() {
            words.push(' ');
            words.extend(letter.to_lowercase());
        } else {
            words.push(letter);
        }
    }
    words.replace("Sql ", "SQL ").replace("Http ", "HTTP ")
}

/// A key whose value is text or something else: an editor shows the description of the form that is written, so each
/// form gets the description of the key.
fn spell_out(schema: &mut Map<String, Value>, types: &Value) {
    if !schema.contains_key("description") {
        return;
    }
    let Some(target) = schema
        .get("$ref")
        .and_then(Value::as_str)
        .and_then(|reference| reference.strip_prefix("#/$defs/"))
        .and_then(|name| types.get(name))
    else {
        return;
    };
    let Some(Value::Array(forms)) = target.get("anyOf") else {
        return;
    };
    let mut forms = forms.clone();
    for form in &mut forms {
        let Value::Object(form) = form else { continue };
        for told in ["description", "markdownDescription"] {
            match schema.get(told) {
                Some(text) => drop(form.insert(told.to_owned(), text.clone())),
                None => drop(form.remove(told)),
            }
        }
        if schema.contains_key("examples") {
            form.remove("examples");
        }
        // The yaml-language-server tells two forms apart by title and description.
        if form.get("type") == Some(&json!("array")) {
            let name = target
                .get("title")
                .and_then(Value::as_str)
                .unwrap_or_default();
            form.insert("title".to_owned(), json!(format!("{name}, as a list")));
        }
    }
    schema.remove("$ref");
    schema.insert("anyOf".to_owned(), Value::Array(forms));
}

/// Optional keys with a plain value may be null, which equals absent: people fill in forms that way. Choices and the
/// format's own mappings are left as they are, because an editor would offer `null` among them or lose their description.
fn allow_null(schema: &mut Map<String, Value>) {
    let required = schema.get("required").cloned().unwrap_or_default();
    let is_required = |name: &str| {
        required
            .as_array()
            .is_some_and(|all| all.iter().any(|one| one == name))
    };
    let Some(Value::Object(properties)) = schema.get_mut("properties") else {
        return;
    };
    for (name, property) in properties {
        let Value::Object(property) = property else {
            continue;
        };
        if is_required(name) {
            continue;
        }
        if let Some(Value::Array(forms)) = property.get_mut("anyOf") {
            if let Some(Value::Object(text)) = forms.first_mut() {
                or_null(text);
            }
        } else {
            or_null(property);
        }
    }
}

fn or_null(schema: &mut Map<String, Value>) {
    if schema.contains_key("enum") {
        return;
    }
    match schema.get_mut("type") {
        Some(Value::Array(types)) => types.push(json!("null")),
        Some(one) => *one = json!([one.take(), "null"]),
        None => {}
    }
}

/// Takes examples and a default out of the description, and says it in Markdown where that differs.
fn tell(schema: &mut Map<String, Value>) {
    let Some(Value::String(text)) = schema.get("description") else {
        return;
    };
    let is_text = schema.get("type") == Some(&json!("string"));
    let (text, examples) = take_examples(text);
    // An editor writes defaults into the plan when it completes the key above: only choices are worth that.
    let is_choice = schema.get("type") == Some(&json!("boolean")) || schema.contains_key("$ref");
    let default = stated_default(&text)
        .filter(|_| is_choice)
        .map(|code| data(code, false));
    if !examples.is_empty() && !schema.contains_key("examples") {
        let examples = examples.iter().map(|code| data(code, is_text)).collect();
        schema.insert("examples".to_owned(), Value::Array(examples));
    }
    if let Some(default) = default
        && !schema.contains_key("default")
    {
        schema.insert("default".to_owned(), default);
    }
    // A Markdown text of the type would win over the plain one of the key.
    if text.contains(MARKED) || schema.contains_key("$ref") {
        schema.insert("markdownDescription".to_owned(), json!(text));
    }
    schema.insert("description".to_owned(), json!(text));
    if let Some(Value::Array(meanings)) = schema.get("enumDescriptions") {
        let meanings = meanings.clone();
        schema.insert("markdownEnumDescriptions".to_owned(), json!(meanings));
    }
}

/// The default that a description names.
pub(super) fn stated_default(text: &str) -> Option<&str> {
    let rest = &text[text.find(DEFAULT)? + DEFAULT.len()..];
    rest.split_once('`').map(|(code, _)| code)
}

/// The description without its examples, and these.
fn take_examples(text: &str) -> (String, Vec<String>) {
    let mut examples = Vec::new();
    let mut kept = text.to_owned();
    for announced in EXAMPLE {
        while let Some(at) = kept.find(&format!("{announced}`")) {
            let mut rest = &kept[at + announced.len()..];
            while let Some((code, after)) = rest
                .strip_prefix('`')
                .and_then(|inside| inside.split_once('`'))
            {
                examples.push(code.to_owned());
                rest = after.strip_prefix(", ").unwrap_or(after);
            }
            let rest = rest.strip_prefix('.').unwrap_or(rest).trim_start();
            kept = format!("{}{rest}", &kept[..at]);
        }
    }
    (kept.trim().to_owned(), examples)
}

/// What a piece of YAML in a comment means.
fn data(code: &str, is_text: bool) -> Value {
    match serde_yaml::from_str::<Value>(code) {
        Ok(value) if !is_text || value.is_string() => value,
        _ => json!(code),
    }
}
