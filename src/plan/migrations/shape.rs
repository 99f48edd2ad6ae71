//! The shape of a file, held against a generated schema; what fits comes out as a JSON value.
//!
//! A plan's own shape check mends what it finds and takes every `null` for nothing. Here nothing is mended, and `null`
//! is a value where a field may hold any: `default: null` says something.

use serde_json::{Map, Value};

use crate::base::diagnostic::{Code, Finding, codes};
use crate::plan::load::{closest, did_you_mean, list, name_of, owner};
use crate::plan::source::{Arena, Kind, NodeId, Number, join};

/// Reads a document by a schema.
///
/// `None` if anything does not fit; the findings then say what, all of it.
pub(super) fn read(
    arena: &Arena,
    schema: &'static Value,
    noun: &'static str,
    findings: &mut Vec<Finding>,
) -> Option<Value> {
    let before = findings.len();
    let mut reader = Reader {
        arena,
        root: schema,
        noun,
        findings,
    };
    let value = reader.value(arena.root(), schema, "");
    value.filter(|_| findings.len() == before)
}

struct Reader<'a> {
    arena: &'a Arena,
    root: &'static Value,
    noun: &'static str,
    findings: &'a mut Vec<Finding>,
}

impl Reader<'_> {
    fn find(
        &mut self,
        code: Code,
        pointer: &str,
        message: impl Into<String>,
        help: impl Into<String>,
    ) {
        let place = self.arena.locate(pointer);
        self.findings
            .push(Finding::new(code, place, message).help(help));
    }

    fn owner(&self, pointer: &str) -> String {
        if pointer.is_empty() {
            self.noun.to_owned()
        } else {
            owner(pointer)
        }
    }

    fn value(&mut self, node: NodeId, schema: &'static Value, pointer: &str) -> Option<Value> {
        let schema = self.resolve(schema);
        if let Some(choices) = schema.get("enum").and_then(Value::as_array) {
            return self.choice(node, choices, pointer);
        }
        let arena = self.arena;
        let found = &arena.node(node).kind;
        match (schema.get("type").and_then(Value::as_str), found) {
            (None, _) => self.free(node, pointer),
            (Some("object"), Kind::Map(_)) => self.mapping(node, schema, pointer),
            (Some("array"), Kind::List(items)) => {
                let inner = schema.get("items").unwrap_or(&Value::Null);
                let values: Vec<Option<Value>> = items
                    .iter()
                    .enumerate()
                    .map(|(i, item)| self.value(*item, inner, &join(pointer, i)))
                    .collect();
                values
                    .into_iter()
                    .collect::<Option<Vec<_>>>()
                    .map(Value::Array)
            }
            (Some("string"), Kind::Text(text)) => Some(Value::String(text.to_string())),
            // A version of two numbers looks like a number; that it has two is the mistake.
            (Some("string"), Kind::Number(_, text)) if pointer.ends_with("_version") => {
                Some(Value::String(text.to_string()))
            }
            (Some("boolean"), Kind::Bool(value)) => Some(Value::Bool(*value)),
            (Some(expected), found) => {
                self.wrong_type(pointer, expected, found);
                None
            }
        }
    }

    fn resolve(&self, schema: &'static Value) -> &'static Value {
        let mut here = schema;
        while let Some(reference) = here.get("$ref").and_then(Value::as_str) {
            match self.root.pointer(reference.trim_start_matches('#')) {
                Some(target) => here = target,
                None => break,
            }
        }
        here
    }

    fn wrong_type(&mut self, pointer: &str, expected: &str, found: &Kind) {
        if pointer.is_empty() {
            let message = format!(
                "{} file is a mapping, and this is {}",
                self.noun,
                name_of(found)
            );
            let help =
                "write its keys at the beginning of their lines, such as `from_version: 1.2.0`";
            self.find(codes::MIGRATION_NOT_A_MAPPING, "", message, help);
            return;
        }
        let (wanted, help) = match (expected, found) {
            ("string", Kind::Number(_, text)) => ("text", format!("put it in quotes: \"{text}\"")),
            ("string", Kind::Bool(value)) => ("text", format!("put it in quotes: \"{value}\"")),
            ("string", Kind::Null) => ("text", "write a value after the colon".to_owned()),
            ("string", _) => (
                "text",
                "write one text, without brackets and dashes".to_owned(),
            ),
            ("boolean", _) => (
                "`true` or `false`",
                "YAML 1.2 knows only `true` and `false`, without quotes".to_owned(),
            ),
            ("array", _) => (
                "a list",
                "write each item with a dash in front: `- ...`".to_owned(),
            ),
            _ => (
                "a mapping",
                "write its keys with their values, such as `{at: /name, default: null}`".to_owned(),
            ),
        };
        let message = format!(
            "{} must be {wanted}, and this is {}",
            self.owner(pointer),
            name_of(found)
        );
        self.find(codes::WRONG_TYPE, pointer, message, help);
    }

    fn choice(&mut self, node: NodeId, choices: &[Value], pointer: &str) -> Option<Value> {
        let arena = self.arena;
        let choices: Vec<&str> = choices.iter().filter_map(Value::as_str).collect();
        let Kind::Text(text) = &arena.node(node).kind else {
            self.wrong_type(pointer, "string", &arena.node(node).kind);
            return None;
        };
        if choices.contains(&&**text) {
            return Some(Value::String(text.to_string()));
        }
        let near = closest(text, &choices);
        let mut help = format!("the choices are {}", list(&choices));
        if let Some(suggestion) = did_you_mean(&near) {
            help = format!("{suggestion} {help}");
        }
        let message = format!("`{text}` is not a value of {}", self.owner(pointer));
        self.find(codes::UNKNOWN_VALUE, pointer, message, help);
        None
    }

    fn mapping(&mut self, node: NodeId, schema: &'static Value, pointer: &str) -> Option<Value> {
        let arena = self.arena;
        let Kind::Map(entries) = &arena.node(node).kind else {
            return None;
        };
        let properties = schema.get("properties").and_then(Value::as_object);
        let others = schema
            .get("additionalProperties")
            .filter(|any| any.is_object());
        let required: Vec<&str> = schema
            .get("required")
            .and_then(Value::as_array)
            .map(|keys| keys.iter().filter_map(Value::as_str).collect())
            .unwrap_or_default();
        let keys: Vec<&str> = properties
            .map(|all| all.keys().map(String::as_str).collect())
            .unwrap_or_default();
        let mut value = Map::new();
        let mut fits = true;
        let mut misspelt = false;
        for entry in entries {
            let key = &*entry.key;
            let place = join(pointer, key);
            let is_null = arena.node(entry.value).kind == Kind::Null;
            let inner = properties.and_then(|all| all.get(key)).or(others);
            let Some(inner) = inner else {
                if !key.starts_with("x-") {
                    misspelt = true;
                    self.unknown_key(pointer, &place, key, &keys);
                }
                continue;
            };
            if is_null && !self.is_free(inner) {
                // Nothing after the colon is nothing said.
                continue;
            }
            match self.value(entry.value, inner, &place) {
                Some(inner) => drop(value.insert(key.to_owned(), inner)),
                None => {
                    fits = false;
                    // It is there, though not as it should be.
                    value.insert(key.to_owned(), Value::Null);
                }
            }
        }
        for key in required {
            // A misspelt key is why the right one is missing.
            if !value.contains_key(key) && !misspelt {
                let message = format!("{} needs the key `{key}`", self.owner(pointer));
                let help = format!("add `{key}:` here");
                self.find(codes::MISSING_KEY, pointer, message, help);
            }
        }
        fits.then_some(Value::Object(value))
    }

    fn unknown_key(&mut self, pointer: &str, place: &str, key: &str, keys: &[&str]) {
        let near = closest(key, keys);
        let help = did_you_mean(&near).unwrap_or_else(|| {
            format!(
                "the keys here are {}; keys of your own start with `x-`",
                list(keys)
            )
        });
        let message = format!("{} has no key `{key}`", self.owner(pointer));
        let at = self.arena.locate_key(place);
        self.findings
            .push(Finding::new(codes::UNKNOWN_KEY, at, message).help(help));
    }

    fn is_free(&self, schema: &'static Value) -> bool {
        let schema = self.resolve(schema);
        schema.get("type").is_none() && schema.get("enum").is_none()
    }

    /// Any value, as it is.
    fn free(&mut self, node: NodeId, pointer: &str) -> Option<Value> {
        let arena = self.arena;
        match &arena.node(node).kind {
            Kind::Null => Some(Value::Null),
            Kind::Bool(value) => Some(Value::Bool(*value)),
            Kind::Number(Number::Int(value), _) => Some((*value).into()),
            Kind::Number(Number::Uint(value), _) => Some((*value).into()),
            Kind::Number(Number::Float(value), text) => self.float(*value, text, pointer),
            Kind::Text(text) => Some(Value::String(text.to_string())),
            Kind::List(items) => {
                let values: Vec<Option<Value>> = items
                    .iter()
                    .enumerate()
                    .map(|(i, item)| self.free(*item, &join(pointer, i)))
                    .collect();
                values
                    .into_iter()
                    .collect::<Option<Vec<_>>>()
                    .map(Value::Array)
            }
            Kind::Map(entries) => {
                let mut map = Map::new();
                let mut fits = true;
                for entry in entries {
                    match self.free(entry.value, &join(pointer, &entry.key)) {
                        Some(value) => drop(map.insert(entry.key.to_string(), value)),
                        None => fits = false,
                    }
                }
                fits.then_some(Value::Object(map))
            }
        }
    }

    /// JSON knows neither infinity nor NaN, and a whole number of many digits would not stay what it is.
    fn float(&mut self, value: f64, text: &str, pointer: &str) -> Option<Value> {
        let whole = text
            .trim_start_matches(['-', '+'])
            .bytes()
            .all(|byte| byte.is_ascii_digit());
        match serde_json::Number::from_f64(value) {
            Some(number) if !whole => Some(Value::Number(number)),
            _ => {
                let message =
                    format!("`{text}` is a number that JSON documents cannot be given exactly");
                let help =
                    "put it in quotes if text will do, or write a number of at most 18 digits";
                self.find(codes::WRONG_TYPE, pointer, message, help);
                None
            }
        }
    }
}
