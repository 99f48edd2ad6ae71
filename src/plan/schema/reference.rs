//! The reference of the format as Markdown, made of the schema: every section, key, choice, default and example.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use serde_json::{Map, Value};

use super::editor::stated_default;

/// What stands before the generated part.
const OPENING: &str = include_str!("reference.md");

/// Where the contents are put.
const CONTENTS: &str = "<!-- contents -->\n";

/// Where the small plan is put.
const PLAN: &str = "<!-- plan -->\n";

/// A small plan that a test runs.
const SMALL: &str = include_str!("../../../examples/minimal/migration-strategy.yaml");

/// The title of the chapter with what several sections use.
const SHARED: &str = "Shapes that several sections use";

/// Writes the reference of a described schema whose unions are still references.
pub(super) fn write(root: &Value) -> String {
    let reference = Reference::new(root);
    let mut body = String::new();
    let mut contents = String::new();
    for (name, section) in properties(root) {
        let _ = writeln!(contents, "- [`{name}`](#{name})");
        let _ = writeln!(body, "\n## `{name}`\n");
        reference.section(name, section, &mut body);
        for (title, _) in reference.own_types(name) {
            let _ = writeln!(contents, "  - [{title}](#{})", anchor(&title));
        }
    }
    let _ = writeln!(contents, "- [{SHARED}](#{})", anchor(SHARED));
    let _ = writeln!(body, "\n## {SHARED}");
    for (title, name) in reference.own_types("") {
        let _ = writeln!(contents, "  - [{title}](#{})", anchor(&title));
        reference.a_type(&name, &mut body);
    }
    let small: String = SMALL.lines().filter(|line| !line.starts_with('#')).fold(
        String::new(),
        |mut text, line| {
            text.push_str(line);
            text.push('\n');
            text
        },
    );
    OPENING
        .replace(CONTENTS, &contents)
        .replace(PLAN, &format!("```yaml\n{}\n```\n", small.trim()))
        + &body.replace("\n\n\n", "\n\n")
}

/// The schema, and which type is told where.
struct Reference<'s> {
    root: &'s Value,
    types: &'s Map<String, Value>,
    /// The types that each section tells, in order; those that several sections use stand under the empty name.
    homes: BTreeMap<&'s str, Vec<&'s str>>,
    /// Mappings that are told with the union they belong to.
    forms: BTreeMap<&'s str, &'s str>,
}

impl<'s> Reference<'s> {
    fn new(root: &'s Value) -> Self {
        static NONE: std::sync::LazyLock<Map<String, Value>> = std::sync::LazyLock::new(Map::new);
        let types = root
            .get("$defs")
            .and_then(Value::as_object)
            .unwrap_or(&NONE);
        let mut reference = Self {
            root,
            types,
            homes: BTreeMap::new(),
            forms: BTreeMap::new(),
        };
        for (name, schema) in types {
            for form in forms(schema) {
                if let Some(mapping) = target(form) {
                    reference.forms.entry(mapping).or_insert(name);
                }
            }
        }
        reference.find_homes();
        reference
    }

    /// Each type is told in the one section that uses it, or in the chapter of shared ones.
    fn find_homes(&mut self) {
        let mut users: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
        let mut order: Vec<&'s str> = Vec::new();
        for (section, schema) in properties(self.root) {
            let mut open = vec![schema];
            let mut seen = BTreeSet::new();
            while let Some(schema) = open.pop() {
                let mut named = Vec::new();
                targets(schema, &mut named);
                // Told in the order in which they are written, each with what it uses before the next.
                for name in named.into_iter().rev() {
                    if seen.insert(name)
                        && let Some(schema) = self.types.get(name)
                    {
                        open.push(schema);
                    }
                }
            }
            for name in seen {
                users.entry(name).or_default().insert(section);
            }
        }
        for (_, schema) in properties(self.root) {
            self.in_order(schema, &mut order);
        }
        for name in order {
            // The type of the section itself is told as the section.
            let is_section = properties(self.root).any(|(_, schema)| target(schema) == Some(name));
            if is_section || self.forms.contains_key(name) || is_choice(&self.types[name]) {
                continue;
            }
            let Some(sections) = users.get(name) else {
                continue;
            };
            let home = match sections.iter().collect::<Vec<_>>().as_slice() {
                [only] => properties(self.root)
                    .map(|(section, _)| section)
                    .find(|section| section == *only)
                    .unwrap_or_default(),
                _ => "",
            };
            self.homes.entry(home).or_default().push(name);
        }
    }

    /// Every type below a schema, each before what it uses.
    fn in_order(&self, schema: &'s Value, order: &mut Vec<&'s str>) {
        let mut named = Vec::new();
        targets(schema, &mut named);
        for name in named {
            if !order.contains(&name) {
                order.push(name);
                self.in_order(&self.types[name], order);
            }
        }
    }

    /// The types that a section tells: their titles and names.
    fn own_types(&self, section: &str) -> Vec<(String, String)> {
        self.homes
            .get(section)
            .into_iter()
            .flatten()
            .map(|name| (self.title(name), (*name).to_owned()))
            .collect()
    }

    fn title(&self, name: &str) -> String {
        let title = self
            .types
            .get(name)
            .and_then(|schema| text(schema, "title"));
        title.unwrap_or(name).to_owned()
    }

    fn section(&self, name: &str, schema: &Value, out: &mut String) {
        tell(schema, out);
        let required = requires(self.root, name);
        let need = if required { "Required" } else { "Optional" };
        let _ = writeln!(out, "{need}: {}.\n", self.kind(schema));
        if let Some(own) = target(schema).and_then(|name| self.types.get(name)) {
            self.keys(own, out);
        }
        for (_, name) in self.own_types(name) {
            self.a_type(&name, out);
        }
    }

    fn a_type(&self, name: &str, out: &mut String) {
        let Some(schema) = self.types.get(name) else {
            return;
        };
        let _ = writeln!(out, "\n### {}\n", self.title(name));
        tell(schema, out);
        for form in forms(schema) {
            match target(form) {
                Some(mapping) if self.forms.get(mapping).copied() == Some(name) => {
                    let _ = write!(out, "**As a mapping.** ");
                    tell(&self.types[mapping], out);
                    if let Some(rule) = one_of(&self.types[mapping]) {
                        let _ = writeln!(out, "Exactly one of {rule} must be there.\n");
                    }
                    self.keys(&self.types[mapping], out);
                }
                Some(mapping) => {
                    let _ = writeln!(out, "**As a mapping**, {}.\n", self.link(mapping));
                }
                None => {
                    let kind = if form.get("type").and_then(Value::as_str) == Some("array") {
                        "a list"
                    } else {
                        "text"
                    };
                    let _ = write!(out, "**As {kind}.** ");
                    tell(form, out);
                    choices(form, "", out);
                }
            }
        }
        if let Some(rule) = one_of(schema) {
            let _ = writeln!(out, "Exactly one of {rule} must be there.\n");
        }
        self.keys(schema, out);
    }

    /// The keys of a mapping, one item each.
    fn keys(&self, schema: &Value, out: &mut String) {
        for (name, key) in properties(schema) {
            let required = if requires(schema, name) {
                ", required"
            } else {
                ""
            };
            let _ = write!(out, "- **`{name}`** ({}{required}): ", self.kind(key));
            let _ = writeln!(out, "{}", described(key));
            let chosen = target(key)
                .and_then(|name| self.types.get(name))
                .unwrap_or(key);
            choices(chosen, "  ", out);
        }
    }

    /// What kind of value it is, in words.
    fn kind(&self, schema: &Value) -> String {
        if let Some(name) = target(schema) {
            return self.link(name);
        }
        let types: Vec<&str> = match schema.get("type") {
            Some(Value::String(one)) => vec![one],
            Some(Value::Array(several)) => several.iter().filter_map(Value::as_str).collect(),
            _ => return "any value".to_owned(),
        };
        let words: Vec<String> = types
            .iter()
            .map(|kind| match *kind {
                "array" => format!(
                    "list of {}",
                    schema
                        .get("items")
                        .map_or_else(|| "any value".to_owned(), |items| self.kind(items))
                ),
                "object" => match schema.get("additionalProperties") {
                    Some(values @ Value::Object(_)) => {
                        format!("mapping of names to {}", self.kind(values))
                    }
                    _ => "mapping".to_owned(),
                },
                "integer" => "whole number".to_owned(),
                "boolean" => "true or false".to_owned(),
                "string" => "text".to_owned(),
                other => other.to_owned(),
            })
            .collect();
        words.join(" or ")
    }

    fn link(&self, name: &str) -> String {
        let name = self.forms.get(name).copied().unwrap_or(name);
        let Some(schema) = self.types.get(name) else {
            return name.to_owned();
        };
        if is_choice(schema) {
            return "one of the choices below".to_owned();
        }
        let section = properties(self.root).find(|(_, schema)| target(schema) == Some(name));
        match section {
            Some(_) => "a mapping with the keys below".to_owned(),
            None => {
                let title = self.title(name);
                format!("[{title}](#{})", anchor(&title))
            }
        }
    }
}

/// How a heading is linked to.
pub(super) fn anchor(title: &str) -> String {
    title
        .to_lowercase()
        .chars()
        .filter_map(|letter| match letter {
            ' ' => Some('-'),
            letter if letter.is_alphanumeric() || letter == '_' || letter == '-' => Some(letter),
            _ => None,
        })
        .collect()
}

fn text<'v>(schema: &'v Value, key: &str) -> Option<&'v str> {
    schema.get(key).and_then(Value::as_str)
}

fn target(schema: &Value) -> Option<&str> {
    text(schema, "$ref")?.strip_prefix("#/$defs/")
}

/// The types that a schema names, in the order in which they are written.
fn targets<'v>(schema: &'v Value, into: &mut Vec<&'v str>) {
    match schema {
        Value::Object(object) => {
            into.extend(target(schema));
            object.values().for_each(|child| targets(child, into));
        }
        Value::Array(items) => items.iter().for_each(|item| targets(item, into)),
        _ => {}
    }
}

fn properties(schema: &Value) -> impl Iterator<Item = (&str, &Value)> {
    let properties = schema.get("properties").and_then(Value::as_object);
    properties
        .into_iter()
        .flatten()
        .map(|(name, schema)| (name.as_str(), schema))
}

fn forms(schema: &Value) -> impl Iterator<Item = &Value> {
    schema
        .get("anyOf")
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
}

fn is_choice(schema: &Value) -> bool {
    schema.get("enum").is_some()
}

fn requires(schema: &Value, name: &str) -> bool {
    let required = schema.get("required").and_then(Value::as_array);
    required.is_some_and(|all| all.iter().any(|one| one == name))
}

/// The keys of which exactly one must be there.
fn one_of(schema: &Value) -> Option<String> {
    let keys: Vec<String> = schema
        .get("oneOf")?
        .as_array()?
        .iter()
        .filter_map(|branch| branch.get("required")?.get(0)?.as_str())
        .map(|key| format!("`{key}`"))
        .collect();
    Some(keys.join(", "))
}

fn tell(schema: &Value, out: &mut String) {
    let words = described(schema);
    if !words.is_empty() {
        let _ = writeln!(out, "{words}\n");
    }
}

/// The description, and the examples as they are written in a plan.
fn described(schema: &Value) -> String {
    let mut words = text(schema, "description").unwrap_or_default().to_owned();
    debug_assert!(stated_default(&words).is_none_or(|default| !default.is_empty()));
    let examples: Vec<String> = schema
        .get("examples")
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
        .map(|example| match example {
            // Alone on its line it needs quotes more seldom.
            Value::String(text) => format!("`{}`", word(text, false)),
            other => format!("`{}`", flow(other)),
        })
        .collect();
    if !examples.is_empty() {
        let word = if examples.len() == 1 {
            "Example"
        } else {
            "Examples"
        };
        let _ = write!(words, " {word}: {}.", examples.join(", "));
    }
    words
}

fn choices(schema: &Value, indent: &str, out: &mut String) {
    let all = schema.get("enum").and_then(Value::as_array);
    let meanings = schema.get("enumDescriptions").and_then(Value::as_array);
    for (i, choice) in all.into_iter().flatten().enumerate() {
        let meaning = meanings
            .and_then(|all| all.get(i)?.as_str())
            .unwrap_or_default();
        let _ = writeln!(out, "{indent}- `{}`: {meaning}", flow(choice));
    }
    if all.is_some() && indent.is_empty() {
        out.push('\n');
    }
}

/// A value as YAML on one line.
fn flow(value: &Value) -> String {
    match value {
        Value::Array(items) => {
            let items: Vec<String> = items.iter().map(flow).collect();
            format!("[{}]", items.join(", "))
        }
        Value::Object(object) => {
            let items: Vec<String> = object
                .iter()
                .map(|(key, value)| format!("{key}: {}", flow(value)))
                .collect();
            format!("{{{}}}", items.join(", "))
        }
        Value::String(text) => word(text, true),
        other => other.to_string(),
    }
}

/// A text with quotes where YAML needs them.
fn word(text: &str, within: bool) -> String {
    let special = within && text.contains(['{', '}', '[', ']', ',', '"']);
    let plain = !special
        && serde_yaml::from_str::<Value>(text).is_ok_and(|read| read == text)
        && !text.contains(": ")
        && !text.contains(" #");
    if plain {
        text.to_owned()
    } else if text.contains('"') && !text.contains('\'') {
        format!("'{text}'")
    } else {
        format!("{text:?}")
    }
}
