//! The shape of a plan, checked against the generated schema: what does not fit, and how the
//! document is mended so that the rest of it can be reviewed.

use std::collections::HashSet;
use std::sync::OnceLock;

use jsonschema::error::{TypeKind, ValidationErrorKind};
use jsonschema::{JsonType, ValidationError, Validator};
use serde_json::Value;

use super::guide::{Trail, home_of, keys_of, required_of};
use super::json::{ArenaJson, Handle};
use super::kinds;
use super::mend::{Mend, Mended};
use super::words::{closest, did_you_mean, is_invisible, is_smart_quote, list, name_of, owner};
use crate::base::diagnostic::{Code, Finding, Location, codes};
use crate::plan::schema::shapes;
use crate::plan::source::{Arena, Kind, NodeId, Span, join};

/// How many keys a help lists at most.
const MOST_KEYS: usize = 12;

/// Unknown keys of one mapping that are reported one by one.
const MOST_UNKNOWN: usize = 100;

/// What one look at the document showed.
#[derive(Default)]
pub(super) struct Look {
    pub(super) findings: Vec<Finding>,
    pub(super) mends: Vec<Mend>,
    /// Places that do not say what their author meant, and need no mending for the types.
    pub(super) vague: Vec<String>,
}

/// Whether a document fits the format as it stands.
#[cfg(test)]
pub(super) fn fits(arena: &Arena) -> bool {
    validator().is_ok_and(|validator| validator.is_valid(Handle::Node(arena, arena.root())))
}

/// What does not fit the format. While there are unknown keys, these alone: a misspelt key is why
/// the right one is missing.
pub(super) fn check(arena: &Arena, mended: &Mended) -> Look {
    let validator = match validator() {
        Ok(validator) => validator,
        Err(message) => {
            // A test builds the same validator, so this says that the binary itself is broken.
            let finding = Finding::new(
                codes::SHAPE,
                arena.locate(""),
                format!("the schema of this version cannot be used: {message}"),
            );
            return Look {
                findings: vec![finding],
                ..Look::default()
            };
        }
    };
    let root = Handle::Node(arena, arena.root());
    let mut reader = Reader {
        arena,
        mended,
        unknown: Look::default(),
        other: Look::default(),
    };
    for error in validator.iter_errors(root) {
        reader.read(&error);
    }
    if reader.unknown.findings.is_empty() {
        reader.other
    } else {
        reader.unknown
    }
}

fn validator() -> Result<&'static Validator<ArenaJson>, String> {
    static VALIDATOR: OnceLock<Result<Validator<ArenaJson>, String>> = OnceLock::new();
    VALIDATOR
        .get_or_init(|| {
            jsonschema::options_for::<ArenaJson>()
                .build(shapes())
                .map_err(|error| error.to_string())
        })
        .as_ref()
        .map_err(Clone::clone)
}

struct Reader<'a> {
    arena: &'a Arena,
    mended: &'a Mended,
    unknown: Look,
    other: Look,
}

impl Reader<'_> {
    fn read(&mut self, error: &ValidationError<'_>) {
        let pointer = error.instance_path().as_str();
        match error.kind() {
            ValidationErrorKind::AdditionalProperties { unexpected } => {
                self.unknown_keys(pointer, unexpected);
            }
            ValidationErrorKind::Required { property } => {
                self.missing(pointer, property.as_str().unwrap_or_default());
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
            | ValidationErrorKind::OneOfMultipleValid { .. } => self.probes(pointer),
            ValidationErrorKind::MinItems { .. } => {
                let message = format!("{} must not be empty", self.owner(pointer));
                self.find(codes::TOO_FEW, pointer, message, "add at least one item");
                self.other.vague.push(pointer.to_owned());
            }
            ValidationErrorKind::Minimum { limit }
            | ValidationErrorKind::Maximum { limit }
            | ValidationErrorKind::ExclusiveMinimum { limit }
            | ValidationErrorKind::ExclusiveMaximum { limit } => {
                let message = format!("{} is out of range", self.owner(pointer));
                let help = match error.kind() {
                    ValidationErrorKind::Minimum { .. } => format!("use {limit} or more"),
                    ValidationErrorKind::Maximum { .. } => format!("use {limit} or less"),
                    ValidationErrorKind::ExclusiveMinimum { .. } => {
                        format!("use more than {limit}")
                    }
                    _ => format!("use less than {limit}"),
                };
                self.find(codes::OUT_OF_RANGE, pointer, message, help);
                self.without(pointer);
            }
            _ => {
                let message = format!("{} does not fit: {error}", self.owner(pointer));
                let help = "the JSON Schema that `orchestrate schema` prints says what fits";
                self.find(codes::SHAPE, pointer, message, help);
                self.without(pointer);
            }
        }
    }

    fn kind(&self, pointer: &str) -> &Kind {
        &self.arena.node(self.arena.follow(pointer).node).kind
    }

    /// The pointer as it was before anything was mended.
    fn written(&self, pointer: &str) -> String {
        self.mended.original(self.arena, pointer)
    }

    fn owner(&self, pointer: &str) -> String {
        owner(&self.written(pointer))
    }

    fn place(&self, pointer: &str) -> Location {
        let mut place = self.arena.locate(pointer);
        place.pointer = self.written(pointer);
        place
    }

    fn find(
        &mut self,
        code: Code,
        pointer: &str,
        message: impl Into<String>,
        help: impl Into<String>,
    ) {
        let place = self.place(pointer);
        // What was read as something else is wrong already.
        if !self.mended.taken.contains(&place.pointer) {
            let finding = Finding::new(code, place, message).help(help);
            self.other.findings.push(finding);
        }
    }

    fn without(&mut self, pointer: &str) {
        self.other.mends.push(Mend::Without {
            at: pointer.to_owned(),
        });
    }

    fn missing(&mut self, pointer: &str, key: &str) {
        let written = self.written(pointer);
        let expected = !self.mended.unsure.contains(&written)
            && !self.mended.maybe.contains(&join(&written, key));
        if expected {
            let message = format!("{} needs the key `{key}`", self.owner(pointer));
            let help = format!("add `{key}:` here; `null` counts as missing");
            self.find(codes::MISSING_KEY, pointer, message, help);
        }
        self.other.mends.push(Mend::Supply {
            map: pointer.to_owned(),
            key: key.to_owned(),
        });
    }

    fn unknown_keys(&mut self, pointer: &str, unexpected: &[String]) {
        let trail = Trail::along(self.arena, pointer);
        let known = trail.value().map(keys_of).unwrap_or_default();
        let unexpected: HashSet<&str> = unexpected.iter().map(String::as_str).collect();
        let Kind::Map(entries) = self.kind(pointer) else {
            return;
        };
        let found: Vec<(String, Span)> = entries
            .iter()
            .filter(|entry| unexpected.contains(&*entry.key))
            .map(|entry| (entry.key.to_string(), entry.key_span))
            .collect();
        let absent: Vec<&'static str> = trail
            .value()
            .map(required_of)
            .unwrap_or_default()
            .into_iter()
            .filter(|key| {
                !entries
                    .iter()
                    .any(|entry| *entry.key == **key && !self.is_null(entry.value))
            })
            .collect();
        let written = self.written(pointer);
        let more = found.len().saturating_sub(MOST_UNKNOWN);
        for (at, (key, span)) in found.into_iter().enumerate() {
            let mut near = closest(&key, &known);
            if near.is_empty() {
                near.extend(meant(&key, &absent));
            }
            if at < MOST_UNKNOWN {
                let place = self.arena.location(span, &join(&written, &key));
                let help = self.about_key(pointer, &key, &near, &known, &trail);
                let mut message = format!("{} has no key `{key}`", owner(&written));
                if at + 1 == MOST_UNKNOWN && more > 0 {
                    message.push_str(&format!(", nor {more} more that follow it"));
                }
                let finding = Finding::new(codes::UNKNOWN_KEY, place, message).help(help);
                self.unknown.findings.push(finding);
            }
            match near[..] {
                [to] => self.unknown.mends.push(Mend::Rename {
                    map: pointer.to_owned(),
                    from: key,
                    to,
                }),
                _ => {
                    self.unknown
                        .mends
                        .extend(near.iter().map(|near| Mend::Maybe {
                            map: pointer.to_owned(),
                            key: (*near).to_owned(),
                        }));
                    if let Some(above) = above(pointer, &key, &trail) {
                        self.unknown.mends.push(Mend::Maybe {
                            map: above.to_owned(),
                            key: key.clone(),
                        });
                    }
                    if let Some(home) = trail.value().and_then(|schema| home_of(&key, schema)) {
                        self.unknown.vague.push(join(&join(pointer, home), &key));
                    }
                    self.unknown.mends.push(Mend::Without {
                        at: join(pointer, &key),
                    });
                }
            }
        }
    }

    fn is_null(&self, node: NodeId) -> bool {
        matches!(self.arena.node(node).kind, Kind::Null)
    }

    /// What a key may have been meant to be, or where it belongs.
    fn about_key(
        &self,
        pointer: &str,
        key: &str,
        near: &[&str],
        known: &[&str],
        trail: &Trail,
    ) -> String {
        if let Some(suggestion) = did_you_mean(near) {
            if key.contains(is_invisible) {
                return format!(
                    "{suggestion} There is a character in it that cannot be seen, such as a non-breaking space: retype the key and what is before it"
                );
            }
            if key.contains(is_smart_quote) {
                return format!("{suggestion} YAML knows only the straight quotes \" and '");
            }
            return suggestion;
        }
        if let Some(home) = trail.value().and_then(|schema| home_of(key, schema)) {
            return format!("`{key}` belongs into `{home}`");
        }
        if let Some(above) = above(pointer, key, trail) {
            return format!(
                "`{key}` is a key of {}: check the indentation",
                self.owner(above)
            );
        }
        if known.is_empty() {
            return "keys of your own start with `x-`".to_owned();
        }
        let first = &known[..known.len().min(MOST_KEYS)];
        let rest = if known.len() > MOST_KEYS { ", ..." } else { "" };
        format!(
            "the keys here are {}{rest}; keys of your own start with `x-`",
            list(first)
        )
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
        let near = closest(&given, &choices);
        let help = match did_you_mean(&near) {
            Some(suggestion) => format!("{suggestion} The choices are {}", list(&choices)),
            None => format!("the choices are {}", list(&choices)),
        };
        let message = format!("`{given}` is not a value of {}", self.owner(pointer));
        self.find(codes::UNKNOWN_VALUE, pointer, message, help);
        match near[..] {
            [one] => self.other.mends.push(Mend::Take {
                at: pointer.to_owned(),
                kind: Kind::Text(one.into()),
            }),
            _ => self.without(pointer),
        }
    }

    fn wrong_type(&mut self, pointer: &str, expected: &[JsonType]) {
        let found = self.kind(pointer);
        if pointer.is_empty() {
            let message = format!("a plan is a mapping, and this is {}", name_of(found));
            let help = "write the sections as keys: metadata, migration_overview, migration_phases";
            self.find(codes::NOT_A_MAPPING, "", message, help);
            return;
        }
        let message = format!(
            "{} must be {}, and this is {}",
            self.owner(pointer),
            kinds::names(expected),
            name_of(found)
        );
        let help = kinds::help(self.arena, found, expected);
        let mend = kinds::mend(self.arena, pointer, found, expected);
        self.find(codes::WRONG_TYPE, pointer, message, help);
        self.other.mends.push(mend);
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
        if self.is_prose_with_colon(pointer) {
            let message = format!("{} is text, and this is a mapping", self.owner(pointer));
            let help = "put the text in quotes: a colon with a space makes it a mapping";
            let node = self.arena.follow(pointer).node;
            let text = Kind::Text(self.arena.written(node).into());
            self.find(codes::WRONG_TYPE, pointer, message, help);
            self.other.mends.push(Mend::Take {
                at: pointer.to_owned(),
                kind: text,
            });
            return;
        }
        for error in fitting {
            self.read(error);
        }
    }

    /// Whether a mapping has one key alone, which looks like none of the keys it could have.
    fn is_prose_with_colon(&self, pointer: &str) -> bool {
        let Kind::Map(entries) = self.kind(pointer) else {
            return false;
        };
        let [entry] = entries.as_slice() else {
            return false;
        };
        let known = Trail::along(self.arena, pointer)
            .value()
            .map(keys_of)
            .unwrap_or_default();
        closest(&entry.key, &known).is_empty() && !entry.key.starts_with("x-")
    }

    /// A check has one probe; which ones are there says what to do.
    fn probes(&mut self, pointer: &str) {
        let trail = Trail::along(self.arena, pointer);
        let probes: Vec<&str> = trail
            .value()
            .and_then(|schema| schema.get("oneOf"))
            .and_then(Value::as_array)
            .map(|branches| {
                branches
                    .iter()
                    .filter_map(|branch| branch.get("required")?.get(0)?.as_str())
                    .collect()
            })
            .unwrap_or_default();
        let node = self.arena.follow(pointer).node;
        let given: Vec<&str> = probes
            .iter()
            .copied()
            .filter(|probe| self.arena.get(node, probe).is_some())
            .collect();
        let written = self.written(pointer);
        let left_out = given.is_empty() && self.mended.left_out_of(&written);
        self.other.vague.push(join(pointer, "command"));
        if left_out {
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
        self.find(codes::PROBE_COUNT, pointer, message, help);
    }
}

/// The required key that is missing and that another word may stand for: `step_name` or `title` for `name`, `id` for
/// `step_id`.
fn meant(key: &str, absent: &[&'static str]) -> Option<&'static str> {
    let key = key.to_lowercase().replace('-', "_");
    let last = key.rsplit('_').next().unwrap_or_default();
    let one = |fits: &dyn Fn(&str) -> bool| {
        let mut all = absent.iter().filter(|word| fits(word));
        all.next().filter(|_| all.next().is_none()).copied()
    };
    one(&|word| word == last)
        .or_else(|| one(&|word| word == "name" && matches!(last, "title" | "label")))
        .or_else(|| {
            one(&|word| matches!(&*key, "id" | "name") && word.ends_with(&format!("_{key}")))
        })
}

/// The nearest place above that has a key of this name.
fn above<'p>(pointer: &'p str, key: &str, trail: &Trail) -> Option<&'p str> {
    let mut above = pointer;
    for schema in trail.above() {
        above = above.rsplit_once('/').map_or("", |(above, _)| above);
        if keys_of(schema).contains(&key) {
            return Some(above);
        }
    }
    None
}
