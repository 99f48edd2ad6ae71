//! The shape of a plan, checked against the generated schema.

use std::sync::OnceLock;

use jsonschema::error::{TypeKind, ValidationErrorKind};
use jsonschema::{JsonType, ValidationError, Validator};
use serde_json::Value;

use super::json::{ArenaJson, Handle};
use crate::base::diagnostic::{Finding, codes};
use crate::plan::schema::schema;
use crate::plan::source::{Arena, Kind, join};

/// How many keys a help lists at most.
const MOST_KEYS: usize = 12;

/// Everything that does not fit the format.
pub(super) fn check(arena: &Arena) -> Vec<Finding> {
    let validator = match validator() {
        Ok(validator) => validator,
        Err(message) => {
            // A test builds the same validator, so this says that the binary itself is broken.
            return vec![Finding::new(
                codes::SHAPE,
                arena.locate(""),
                format!("the schema of this version cannot be used: {message}"),
            )];
        }
    };
    let root = Handle::Node(arena, arena.root());
    if validator.is_valid(root) {
        return Vec::new();
    }
    let mut reader = Reader {
        arena,
        findings: Vec::new(),
    };
    for error in validator.iter_errors(root) {
        reader.read(&error);
    }
    reader.findings
}

fn validator() -> Result<&'static Validator<ArenaJson>, String> {
    static VALIDATOR: OnceLock<Result<Validator<ArenaJson>, String>> = OnceLock::new();
    VALIDATOR
        .get_or_init(|| {
            jsonschema::options_for::<ArenaJson>()
                .build(schema())
                .map_err(|error| error.to_string())
        })
        .as_ref()
        .map_err(Clone::clone)
}

struct Reader<'a> {
    arena: &'a Arena,
    findings: Vec<Finding>,
}

impl Reader<'_> {
    fn read(&mut self, error: &ValidationError<'_>) {
        let pointer = error.instance_path().as_str();
        match error.kind() {
            ValidationErrorKind::AdditionalProperties { unexpected } => {
                let known = properties_at(error.schema_path().as_str());
                for key in unexpected {
                    self.unknown_key(pointer, key, &known);
                }
            }
            ValidationErrorKind::Required { property } => {
                let key = property.as_str().unwrap_or_default();
                self.findings.push(
                    Finding::new(
                        codes::MISSING_KEY,
                        self.arena.locate(pointer),
                        format!("{} needs the key `{key}`", owner(pointer)),
                    )
                    .help(format!("add `{key}:` here; `null` counts as missing")),
                );
            }
            ValidationErrorKind::Enum { options } => self.unknown_value(pointer, options),
            ValidationErrorKind::Type { kind } => {
                let types: Vec<JsonType> = match kind {
                    TypeKind::Single(one) => vec![*one],
                    TypeKind::Multiple(set) => set.iter().collect(),
                };
                self.wrong_type(pointer, &types);
            }
            ValidationErrorKind::AnyOf { context } => self.any_of(pointer, context),
            ValidationErrorKind::OneOfNotValid { .. }
            | ValidationErrorKind::OneOfMultipleValid { .. } => {
                self.probes(pointer, error.schema_path().as_str());
            }
            ValidationErrorKind::MinItems { .. } => {
                self.findings.push(
                    Finding::new(
                        codes::TOO_FEW,
                        self.arena.locate(pointer),
                        format!("{} must not be empty", owner(pointer)),
                    )
                    .help("add at least one item"),
                );
            }
            ValidationErrorKind::Minimum { limit }
            | ValidationErrorKind::Maximum { limit }
            | ValidationErrorKind::ExclusiveMinimum { limit }
            | ValidationErrorKind::ExclusiveMaximum { limit } => {
                self.findings.push(
                    Finding::new(
                        codes::OUT_OF_RANGE,
                        self.arena.locate(pointer),
                        format!("{} is out of range", owner(pointer)),
                    )
                    .help(format!("the limit is {limit}")),
                );
            }
            _ => self.findings.push(Finding::new(
                codes::SHAPE,
                self.arena.locate(pointer),
                format!("{} does not fit: {error}", owner(pointer)),
            )),
        }
    }

    fn kind(&self, pointer: &str) -> &Kind {
        &self.arena.node(self.arena.follow(pointer).node).kind
    }

    fn unknown_key(&mut self, pointer: &str, key: &str, known: &[&str]) {
        let below = join(pointer, key);
        let message = format!("{} has no key `{key}`", owner(pointer));
        let help = match closest(key, known) {
            Some(near) => format!("did you mean `{near}`?"),
            None if known.is_empty() => "keys of your own start with `x-`".to_owned(),
            None => {
                let first = &known[..known.len().min(MOST_KEYS)];
                let rest = if known.len() > MOST_KEYS { ", ..." } else { "" };
                format!(
                    "the keys here are {}{rest}; keys of your own start with `x-`",
                    list(first)
                )
            }
        };
        self.findings.push(
            Finding::new(codes::UNKNOWN_KEY, self.arena.locate_key(&below), message).help(help),
        );
    }

    fn unknown_value(&mut self, pointer: &str, options: &Value) {
        let choices: Vec<&str> = options
            .as_array()
            .map(|values| values.iter().filter_map(Value::as_str).collect())
            .unwrap_or_default();
        let given = match self.kind(pointer) {
            Kind::Text(text) => text.to_string(),
            // The type is wrong as well, and that finding is there already.
            _ => return,
        };
        let help = match closest(&given, &choices) {
            Some(near) => format!("did you mean `{near}`? The choices are {}", list(&choices)),
            None => format!("the choices are {}", list(&choices)),
        };
        self.findings.push(
            Finding::new(
                codes::UNKNOWN_VALUE,
                self.arena.locate(pointer),
                format!("`{given}` is not a value of {}", owner(pointer)),
            )
            .help(help),
        );
    }

    fn wrong_type(&mut self, pointer: &str, expected: &[JsonType]) {
        let found = self.kind(pointer).clone();
        if pointer.is_empty() {
            self.findings.push(
                Finding::new(
                    codes::NOT_A_MAPPING,
                    self.arena.locate(""),
                    format!("a plan is a mapping, and this is {}", name_of(&found)),
                )
                .help("write the sections as keys: metadata, migration_overview, migration_phases"),
            );
            return;
        }
        let wanted: Vec<&str> = expected.iter().map(|kind| type_name(*kind)).collect();
        let message = format!(
            "{} must be {}, and this is {}",
            owner(pointer),
            wanted.join(" or "),
            name_of(&found)
        );
        let wants = |kind: JsonType| expected.contains(&kind);
        let help = match &found {
            Kind::Number(_, text) if wants(JsonType::String) => {
                Some(format!("put it in quotes: \"{text}\""))
            }
            Kind::Bool(value) if wants(JsonType::String) => {
                Some(format!("put it in quotes: \"{value}\""))
            }
            Kind::Text(text) if wants(JsonType::Array) && text.len() < 60 => {
                Some(format!("write it as a list: [\"{text}\"]"))
            }
            Kind::Text(text) if wants(JsonType::Integer) && text.parse::<i64>().is_ok() => {
                Some(format!("write it without quotes: {text}"))
            }
            Kind::Text(text)
                if wants(JsonType::Boolean)
                    && ["yes", "no", "on", "off"].contains(&text.to_lowercase().as_str()) =>
            {
                Some("YAML 1.2 knows only `true` and `false`".to_owned())
            }
            Kind::Map(_) if wants(JsonType::String) => Some(
                "if text is meant, put it in quotes: a colon with a space makes it a mapping"
                    .to_owned(),
            ),
            Kind::Map(_) if wants(JsonType::Array) => {
                Some("write each item with a dash in front: `- ...`".to_owned())
            }
            _ => None,
        };
        let mut finding = Finding::new(codes::WRONG_TYPE, self.arena.locate(pointer), message);
        finding.help = help;
        self.findings.push(finding);
    }

    /// A value that may be text or something else: the branch that fits its type explains it.
    fn any_of(&mut self, pointer: &str, context: &[Vec<ValidationError<'static>>]) {
        let other_type = |errors: &[ValidationError<'static>]| {
            errors.iter().any(|error| {
                error.instance_path().as_str() == pointer
                    && matches!(error.kind(), ValidationErrorKind::Type { .. })
            })
        };
        let Some(fitting) = context.iter().find(|errors| !other_type(errors)) else {
            let mut types = Vec::new();
            for error in context.iter().flatten() {
                if let ValidationErrorKind::Type { kind } = error.kind() {
                    match kind {
                        TypeKind::Single(one) => types.push(*one),
                        TypeKind::Multiple(set) => types.extend(set.iter()),
                    }
                }
            }
            self.wrong_type(pointer, &types);
            return;
        };
        if self.is_prose_with_colon(pointer, fitting) {
            self.findings.push(
                Finding::new(
                    codes::WRONG_TYPE,
                    self.arena.locate(pointer),
                    format!("{} is text, and this is a mapping", owner(pointer)),
                )
                .help("put the text in quotes: a colon with a space makes it a mapping"),
            );
            return;
        }
        for error in fitting {
            self.read(error);
        }
    }

    /// Whether a mapping has one key alone, which looks like none of the keys it could have.
    fn is_prose_with_colon(&self, pointer: &str, errors: &[ValidationError<'static>]) -> bool {
        let Kind::Map(entries) = self.kind(pointer) else {
            return false;
        };
        let [entry] = entries.as_slice() else {
            return false;
        };
        errors.iter().any(|error| match error.kind() {
            ValidationErrorKind::AdditionalProperties { .. } => {
                let known = properties_at(error.schema_path().as_str());
                closest(&entry.key, &known).is_none()
            }
            _ => false,
        })
    }

    /// A check has one probe; which ones are there says what to do.
    fn probes(&mut self, pointer: &str, schema_path: &str) {
        let Some(owner_schema) = schema_path.rsplit_once('/').map(|(above, _)| above) else {
            return;
        };
        let Some(schema) = schema_at(owner_schema) else {
            return;
        };
        let probes: Vec<&str> = schema
            .get("oneOf")
            .and_then(Value::as_array)
            .map(|branches| {
                branches
                    .iter()
                    .filter_map(|branch| branch.get("required")?.get(0)?.as_str())
                    .collect()
            })
            .unwrap_or_default();
        let Kind::Map(entries) = self.kind(pointer) else {
            return;
        };
        let known = properties_of(schema);
        let misspelled = entries
            .iter()
            .any(|entry| !known.contains(&&*entry.key) && !entry.key.starts_with("x-"));
        let given: Vec<&str> = probes
            .iter()
            .copied()
            .filter(|probe| {
                self.arena
                    .get(self.arena.follow(pointer).node, probe)
                    .is_some()
            })
            .collect();
        if given.is_empty() && misspelled {
            // The unknown key is the finding.
            return;
        }
        let (message, help) = if given.is_empty() {
            (
                "this check has no probe".to_owned(),
                format!("add one of {}", list(&probes)),
            )
        } else {
            (
                format!("this check has {} probes: {}", given.len(), list(&given)),
                "write each probe as a check of its own".to_owned(),
            )
        };
        self.findings
            .push(Finding::new(codes::PROBE_COUNT, self.arena.locate(pointer), message).help(help));
    }
}

/// The subschema at a path of the schema, through references.
fn schema_at(path: &str) -> Option<&'static Value> {
    let root = schema();
    let mut here = root;
    for token in path.split('/').skip(1) {
        here = dereference(here);
        if token == "$ref" {
            continue;
        }
        let token = token.replace("~1", "/").replace("~0", "~");
        here = match here {
            Value::Object(object) => object.get(&token)?,
            Value::Array(items) => items.get(token.parse::<usize>().ok()?)?,
            _ => return None,
        };
    }
    Some(dereference(here))
}

fn dereference(schema_value: &'static Value) -> &'static Value {
    let mut here = schema_value;
    while let Some(reference) = here.get("$ref").and_then(Value::as_str) {
        match schema().pointer(reference.trim_start_matches('#')) {
            Some(target) => here = target,
            None => break,
        }
    }
    here
}

/// The names of the properties that an `additionalProperties` at that path rules out the rest of.
fn properties_at(path: &str) -> Vec<&'static str> {
    path.rsplit_once('/')
        .and_then(|(above, _)| schema_at(above))
        .map(properties_of)
        .unwrap_or_default()
}

fn properties_of(schema: &'static Value) -> Vec<&'static str> {
    schema
        .get("properties")
        .and_then(Value::as_object)
        .map(|properties| properties.keys().map(String::as_str).collect())
        .unwrap_or_default()
}

/// The candidate that was probably meant.
fn closest<'c>(given: &str, candidates: &[&'c str]) -> Option<&'c str> {
    let plain = |text: &str| text.to_lowercase().replace(['-', ' '], "_");
    let given = plain(given);
    candidates
        .iter()
        .map(|candidate| {
            let near = strsim::normalized_damerau_levenshtein(&given, &plain(candidate));
            let part = given.len() >= 4
                && (candidate.starts_with(&*given) || candidate.ends_with(&format!("_{given}")));
            (if part { near.max(0.75) } else { near }, *candidate)
        })
        .filter(|(near, _)| *near >= 0.6)
        .max_by(|a, b| a.0.total_cmp(&b.0))
        .map(|(_, candidate)| candidate)
}

fn list(words: &[&str]) -> String {
    words
        .iter()
        .map(|word| format!("`{word}`"))
        .collect::<Vec<_>>()
        .join(", ")
}

/// What a pointer leads to, in words: `migration_phases[0].steps[1].name`.
fn owner(pointer: &str) -> String {
    if pointer.is_empty() {
        return "the plan".to_owned();
    }
    let mut words = String::with_capacity(pointer.len() + 2);
    words.push('`');
    for (at, token) in pointer.split('/').skip(1).enumerate() {
        if token.bytes().all(|byte| byte.is_ascii_digit()) {
            words.push('[');
            words.push_str(token);
            words.push(']');
            continue;
        }
        if at > 0 {
            words.push('.');
        }
        words.push_str(&token.replace("~1", "/").replace("~0", "~"));
    }
    words.push('`');
    words
}

fn type_name(kind: JsonType) -> &'static str {
    match kind {
        JsonType::Null => "nothing",
        JsonType::Boolean => "`true` or `false`",
        JsonType::Integer => "a whole number",
        JsonType::Number => "a number",
        JsonType::String => "text",
        JsonType::Array => "a list",
        JsonType::Object => "a mapping",
    }
}

fn name_of(kind: &Kind) -> &'static str {
    match kind {
        Kind::Null => "nothing",
        Kind::Bool(_) => "a truth value",
        Kind::Number(..) => "a number",
        Kind::Text(_) => "text",
        Kind::List(_) => "a list",
        Kind::Map(_) => "a mapping",
    }
}
