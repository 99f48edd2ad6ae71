//! The rules that a migration file keeps, apart from its shape.
//!
//! A rule that is broken becomes a [`Problem`] with the place in the file, so that whoever read the file can point at
//! the line. All of them come in one go.

use std::fmt::Write as _;

use serde_json::Value;

use super::{
    AddOperation, Conversion, ConvertOperation, ForEachOperation, Migration, MigrationFile,
    Operation, OperationItem, PlacesOperation, RenameOperation, SetOperation, words,
};
use crate::manifest::json::Pointer;
use crate::manifest::kind::{HISTORY, Kind};
use crate::manifest::version::Version;

/// Deepest nesting of `for_each`.
const MAX_NESTING: usize = 8;

/// Which rule is broken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Rule {
    /// A version is three whole numbers.
    Version,
    /// The version rises.
    Rises,
    /// An item has exactly one operation.
    OneOperation,
    /// A pointer can be followed.
    Pointer,
    /// What does more than add says so.
    Additive,
    /// Identity fields are never touched.
    Identity,
    /// The version and the history are the program's.
    Reserved,
    /// Operations do not contradict each other.
    Contradiction,
    /// A conversion is clear.
    Conversion,
    /// What only adds does not say that it breaks.
    NeedlesslyBreaking,
    /// A patch version changes no fields.
    Patch,
}

impl Rule {
    /// Whether a file that breaks it can be used all the same.
    #[must_use]
    pub const fn is_warning(self) -> bool {
        matches!(self, Self::NeedlesslyBreaking | Self::Patch)
    }
}

/// A rule that a file breaks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// Which rule.
    pub rule: Rule,
    /// Where in the file, as a JSON pointer into it.
    pub pointer: String,
    /// What is wrong, in one sentence.
    pub message: String,
    /// How to mend it.
    pub help: String,
}

/// A file that was checked.
#[derive(Debug, Clone, PartialEq)]
pub struct Checked {
    /// The migration, if no rule is broken that makes it unusable.
    pub migration: Option<Migration>,
    /// What was found, in the order of the file.
    pub problems: Vec<Problem>,
}

/// A place in documents: keys, or anything where `for_each` stands for every element.
type Place = Vec<Option<String>>;

impl MigrationFile {
    /// Holds the file against the rules, for a kind of document.
    #[must_use]
    pub fn check(&self, kind: &Kind) -> Checked {
        let mut checker = Checker {
            kind,
            to_version: &self.to_version,
            problems: Vec::new(),
            gone: Vec::new(),
            made: Vec::new(),
            breaking: Vec::new(),
        };
        let from_version = checker.version("/from_version", &self.from_version);
        let to_version = checker.version("/to_version", &self.to_version);
        let operations = checker.operations(&self.operations, "/operations", &Vec::new(), 0);
        if let (Some(from), Some(to)) = (from_version, to_version) {
            checker.rising(from, to, !operations.is_empty());
            checker.additive(self, from, to);
        }
        let problems = checker.problems;
        let usable = problems.iter().all(|problem| problem.rule.is_warning());
        let migration = match (from_version, to_version) {
            (Some(from_version), Some(to_version)) if usable => Some(Migration {
                from_version,
                to_version,
                kind: kind.name.clone(),
                changes: if self.changes.is_empty() {
                    operations.iter().map(words::tell).collect()
                } else {
                    self.changes.clone()
                },
                loses: self.loses.clone(),
                operations,
            }),
            _ => None,
        };
        Checked {
            migration,
            problems,
        }
    }
}

struct Checker<'a> {
    kind: &'a Kind,
    to_version: &'a str,
    problems: Vec<Problem>,
    /// Places from which a field was taken, by the operation at that pointer of the file.
    gone: Vec<(Place, String)>,
    /// Places where a field was put.
    made: Vec<(Place, String)>,
    /// Operations that do more than add: pointer into the file, name.
    breaking: Vec<(String, &'static str)>,
}

impl Checker<'_> {
    fn find(
        &mut self,
        rule: Rule,
        pointer: &str,
        message: impl Into<String>,
        help: impl Into<String>,
    ) {
        self.problems.push(Problem {
            rule,
            pointer: pointer.to_owned(),
            message: message.into(),
            help: help.into(),
        });
    }

    fn version(&mut self, pointer: &str, text: &str) -> Option<Version> {
        let version = text.parse().ok();
        if version.is_none() {
            let name = pointer.trim_start_matches('/');
            self.find(
                Rule::Version,
                pointer,
                format!("`{name}` is `{text}`, which is no version"),
                "write MAJOR.MINOR.PATCH, three whole numbers such as 1.3.0",
            );
        }
        version
    }

    fn rising(&mut self, from: Version, to: Version, has_operations: bool) {
        if to <= from {
            self.find(
                Rule::Rises,
                "/to_version",
                format!("the migration leads from {from} to {to}, which is not a later version"),
                "write the migration upwards; the way back is derived from it",
            );
        } else if (from.major, from.minor) == (to.major, to.minor) && has_operations {
            self.find(
                Rule::Patch,
                "/to_version",
                format!(
                    "a patch version changes fields: {from} and {to} differ in the last number"
                ),
                format!(
                    "raise the minor number: {}.{}.0",
                    from.major,
                    from.minor.saturating_add(1)
                ),
            );
        }
    }

    fn additive(&mut self, file: &MigrationFile, from: Version, to: Version) {
        let says = file.breaking == Some(true);
        let loses = file
            .loses
            .as_deref()
            .is_some_and(|text| !text.trim().is_empty());
        let Some((pointer, name)) = self.breaking.first().cloned() else {
            if says {
                self.find(
                    Rule::NeedlesslyBreaking,
                    "/breaking",
                    "the migration says that it is breaking, and its operations only add",
                    "remove `breaking:` and `loses:`, so that nobody fears it",
                );
            }
            return;
        };
        let mut lacking = Vec::new();
        if to.major <= from.major {
            lacking.push(format!(
                "raise the major version (`to_version: {}.0.0`)",
                from.major.saturating_add(1)
            ));
        }
        if !says {
            lacking.push("say `breaking: true`".to_owned());
        }
        if !loses {
            lacking.push("say what is lost in `loses:`".to_owned());
        }
        if lacking.is_empty() {
            return;
        }
        let more = match self.breaking.len() {
            1 => String::new(),
            all => format!(" (and {} more do)", all - 1),
        };
        self.find(
            Rule::Additive,
            &pointer,
            format!("`{name}` does more than add{more}, and the migration is not declared as one that does"),
            format!("{}; or use `add` and `copy` alone", lacking.join(", ")),
        );
    }

    fn operations(
        &mut self,
        items: &[OperationItem],
        pointer: &str,
        base: &Place,
        depth: usize,
    ) -> Vec<Operation> {
        let mut all = Vec::with_capacity(items.len());
        for (i, item) in items.iter().enumerate() {
            let here = format!("{pointer}/{i}");
            if let Some(operation) = self.operation(item, &here, base, depth) {
                all.push(operation);
            }
        }
        all
    }

    fn operation(
        &mut self,
        item: &OperationItem,
        here: &str,
        base: &Place,
        depth: usize,
    ) -> Option<Operation> {
        // Exhaustive on purpose: a new operation must be thought of here.
        let OperationItem {
            add,
            rename,
            r#move,
            copy,
            set,
            convert,
            remove,
            for_each,
        } = item;
        let given: Vec<&str> = [
            add.is_some(),
            rename.is_some(),
            r#move.is_some(),
            copy.is_some(),
            set.is_some(),
            convert.is_some(),
            remove.is_some(),
            for_each.is_some(),
        ]
        .iter()
        .zip(OperationItem::NAMES)
        .filter_map(|(given, name)| given.then_some(name))
        .collect();
        if given.len() != 1 {
            let (message, help) =
                if given.is_empty() {
                    let mut all = String::new();
                    for name in OperationItem::NAMES {
                        // Writing to a String cannot fail.
                        let _ = write!(all, "`{name}`, ");
                    }
                    (
                        "this item has no operation".to_owned(),
                        format!("give it one of {}", all.trim_end_matches(", ")),
                    )
                } else {
                    (
                    format!("this item has {} operations: `{}`", given.len(), given.join("`, `")),
                    "write each operation as an item of its own, in the order in which they happen"
                        .to_owned(),
                )
                };
            self.find(Rule::OneOperation, here, message, help);
            return None;
        }
        let here = format!("{here}/{}", given[0]);
        let top = depth == 0;
        if let Some(AddOperation { at, default }) = add {
            let at = self.pointer(&here, "at", at, false)?;
            self.makes(&here, "at", base, &at);
            Some(Operation::Add {
                at,
                default: default.clone(),
            })
        } else if let Some(RenameOperation { at, to }) = rename {
            let at = self.pointer(&here, "at", at, false)?;
            let target = at.parent().unwrap_or_default().join(to.as_str());
            self.breaks(&here, "rename");
            if at == target {
                self.find(
                    Rule::Contradiction,
                    &format!("{here}/to"),
                    format!("`{at}` is renamed to the name that it has"),
                    "remove the operation, or give the new name",
                );
            }
            self.takes(&here, "at", base, &at);
            self.makes(&here, "to", base, &target);
            Some(Operation::Rename { at, to: to.clone() })
        } else if let Some(PlacesOperation { from, to }) = r#move {
            let from = self.pointer(&here, "from", from, false);
            let to = self.pointer(&here, "to", to, false);
            let (from, to) = (from?, to?);
            self.breaks(&here, "move");
            if !self.apart(&here, &from, &to) {
                return None;
            }
            self.takes(&here, "from", base, &from);
            self.makes(&here, "to", base, &to);
            Some(Operation::Move { from, to })
        } else if let Some(PlacesOperation { from, to }) = copy {
            let from = self.pointer(&here, "from", from, !top);
            let to = self.pointer(&here, "to", to, false);
            let (from, to) = (from?, to?);
            if !self.apart(&here, &from, &to) {
                return None;
            }
            self.reads(&here, "from", base, &from);
            self.makes(&here, "to", base, &to);
            Some(Operation::Copy { from, to })
        } else if let Some(SetOperation { at, value }) = set {
            let at = self.pointer(&here, "at", at, !top)?;
            if top && at == self.kind.version_pointer {
                self.set_version(&here, value);
                return None;
            }
            self.breaks(&here, "set");
            self.changes(&here, "at", base, &at);
            Some(Operation::Set {
                at,
                value: value.clone(),
            })
        } else if let Some(convert) = convert {
            let at = self.pointer(&here, "at", &convert.at, !top);
            self.breaks(&here, "convert");
            let how = self.conversion(&here, convert);
            let (at, how) = (at?, how?);
            self.changes(&here, "at", base, &at);
            Some(Operation::Convert { at, how })
        } else if let Some(remove) = remove {
            let at = self.pointer(&here, "at", &remove.at, false)?;
            self.breaks(&here, "remove");
            self.takes(&here, "at", base, &at);
            Some(Operation::Remove { at })
        } else if let Some(ForEachOperation { r#in, r#do }) = for_each {
            let within = self.pointer(&here, "in", r#in, !top)?;
            if depth >= MAX_NESTING {
                self.find(
                    Rule::Pointer,
                    &here,
                    format!("`for_each` is nested more than {MAX_NESTING} deep"),
                    "begin nearer to the elements: `in:` may be a longer pointer",
                );
                return None;
            }
            let place = full(base, &within);
            let mut inner = place.clone();
            inner.push(None);
            self.still_there(&format!("{here}/in"), &place);
            let operations = self.operations(r#do, &format!("{here}/do"), &inner, depth + 1);
            Some(Operation::ForEach { within, operations })
        } else {
            None
        }
    }

    /// Setting the version to the one that it gets anyway does no harm.
    fn set_version(&mut self, here: &str, value: &Value) {
        if value.as_str() != Some(self.to_version) {
            self.find(
                Rule::Reserved,
                &format!("{here}/value"),
                format!(
                    "the version is set to {value}, and the migration leads to {}",
                    self.to_version
                ),
                "remove the operation: the version is set to `to_version` by itself",
            );
        }
    }

    fn pointer(&mut self, here: &str, key: &str, text: &str, root: bool) -> Option<Pointer> {
        let place = format!("{here}/{key}");
        let pointer: Pointer = match text.parse() {
            Ok(pointer) => pointer,
            Err(error) => {
                let help = if text.starts_with(['/', '#', '$']) {
                    "write a JSON pointer (RFC 6901): a `/` before each key".to_owned()
                } else {
                    format!("did you mean `/{}`?", text.replace('.', "/"))
                };
                self.find(Rule::Pointer, &place, error.to_string(), help);
                return None;
            }
        };
        if pointer.is_root() && !root {
            self.find(
                Rule::Pointer,
                &place,
                "the pointer is empty: it stands for the whole document or element",
                "name a field: a `/` and its key",
            );
            return None;
        }
        if pointer
            .tokens()
            .iter()
            .any(|token| token == "-" || token == "*")
        {
            self.find(
                Rule::Pointer,
                &place,
                format!("`{text}` names no field: `-` and `*` stand for nothing here"),
                "use `for_each` for every element of an array or object",
            );
            return None;
        }
        Some(pointer)
    }

    fn breaks(&mut self, here: &str, name: &'static str) {
        self.breaking.push((here.to_owned(), name));
    }

    fn apart(&mut self, here: &str, from: &Pointer, to: &Pointer) -> bool {
        let apart = !from.holds(to) && !to.holds(from);
        if !apart {
            self.find(
                Rule::Contradiction,
                &format!("{here}/to"),
                format!("`{from}` and `{to}` are one place, or one is inside of the other"),
                "name two places of which neither holds the other",
            );
        }
        apart
    }

    fn reads(&mut self, here: &str, key: &str, base: &Place, at: &Pointer) {
        let place = full(base, at);
        self.still_there(&format!("{here}/{key}"), &place);
    }

    fn changes(&mut self, here: &str, key: &str, base: &Place, at: &Pointer) {
        let place = full(base, at);
        let pointer = format!("{here}/{key}");
        self.untouchable(&pointer, &place);
        self.still_there(&pointer, &place);
    }

    fn takes(&mut self, here: &str, key: &str, base: &Place, at: &Pointer) {
        self.changes(here, key, base, at);
        let place = full(base, at);
        self.made.retain(|(made, _)| !holds(&place, made));
        self.gone.push((place, here.to_owned()));
    }

    fn makes(&mut self, here: &str, key: &str, base: &Place, at: &Pointer) {
        let place = full(base, at);
        let pointer = format!("{here}/{key}");
        self.untouchable(&pointer, &place);
        if let Some((_, earlier)) = self.made.iter().find(|(made, _)| *made == place) {
            let message = format!(
                "{} is put there by `{}` already",
                show(&place),
                at_item(earlier)
            );
            self.find(
                Rule::Contradiction,
                &pointer,
                message,
                "remove one of the two operations",
            );
        }
        // What holds it must still be there; the place itself may be taken again.
        self.still_there(&pointer, &place[..place.len() - 1]);
        self.gone.retain(|(gone, _)| *gone != place);
        self.made.push((place, here.to_owned()));
    }

    fn still_there(&mut self, pointer: &str, place: &[Option<String>]) {
        let found = self.gone.iter().find(|(gone, _)| holds(gone, place));
        if let Some((_, earlier)) = found {
            let message = format!(
                "nothing is at {} any more: `{}` took it away",
                show(place),
                at_item(earlier)
            );
            self.find(
                Rule::Contradiction,
                pointer,
                message,
                "operations see what those before them left: name the new place, or change the order",
            );
        }
    }

    fn untouchable(&mut self, pointer: &str, place: &[Option<String>]) {
        let overlaps = |field: &Pointer| {
            field
                .tokens()
                .iter()
                .zip(place)
                .all(|(token, here)| here.as_ref().is_none_or(|here| here == token))
        };
        if let Some(field) = self.kind.identity.iter().find(|field| overlaps(field)) {
            let message =
                format!("the operation touches `{field}`, which is the identity of the document");
            let help = format!(
                "identity fields never change ({}); add a field beside it instead",
                list(&self.kind.identity)
            );
            self.find(Rule::Identity, pointer, message, help);
        } else if overlaps(&self.kind.version_pointer) {
            let message = format!(
                "the operation touches the version at `{}`",
                self.kind.version_pointer
            );
            self.find(
                Rule::Reserved,
                pointer,
                message,
                "remove the operation: the version is set to `to_version` by itself",
            );
        } else if overlaps(&Pointer::of([HISTORY])) {
            self.find(
                Rule::Reserved,
                pointer,
                format!(
                    "the operation touches `/{HISTORY}`, where each document records its migrations"
                ),
                "remove the operation: the history is only ever appended to",
            );
        }
    }

    fn conversion(&mut self, here: &str, convert: &ConvertOperation) -> Option<Conversion> {
        let ConvertOperation {
            at: _,
            from,
            to,
            values,
        } = convert;
        match (from, to, values.as_slice()) {
            (Some(from), Some(to), []) if from != to => Some(Conversion::Type {
                from: *from,
                to: *to,
            }),
            (None, None, [_, ..]) => self.pairs(here, convert),
            (Some(_), Some(_), []) => {
                self.find(
                    Rule::Conversion,
                    &format!("{here}/to"),
                    "the types before and after are the same",
                    "name the new type, or remove the operation",
                );
                None
            }
            _ => {
                self.find(
                    Rule::Conversion,
                    here,
                    "a conversion needs either `from` and `to`, or `values`",
                    "give two types (`from: string`, `to: integer`) or a list of pairs (`values: [{old: done, new: completed}]`); both types are needed so that the way back is known",
                );
                None
            }
        }
    }

    fn pairs(&mut self, here: &str, convert: &ConvertOperation) -> Option<Conversion> {
        let mut pairs: Vec<(Value, Value)> = Vec::with_capacity(convert.values.len());
        let mut clear = true;
        for (i, pair) in convert.values.iter().enumerate() {
            for (key, value) in [("old", &pair.old), ("new", &pair.new)] {
                if value.is_array() || value.is_object() || value.is_null() {
                    clear = false;
                    self.find(
                        Rule::Conversion,
                        &format!("{here}/values/{i}/{key}"),
                        format!("`{key}` is no text, number or truth value"),
                        "convert plain values; `null` always stays `null`",
                    );
                }
            }
            if pairs.iter().any(|(old, _)| *old == pair.old) {
                clear = false;
                self.find(
                    Rule::Conversion,
                    &format!("{here}/values/{i}/old"),
                    format!("{} is listed twice", pair.old),
                    "say once what becomes of each value",
                );
            }
            pairs.push((pair.old.clone(), pair.new.clone()));
        }
        clear.then_some(Conversion::Values(pairs))
    }
}

fn full(base: &Place, at: &Pointer) -> Place {
    let mut place = base.clone();
    place.extend(at.tokens().iter().cloned().map(Some));
    place
}

/// Whether a place is at or inside another one; `for_each` holds what stands in each element.
fn holds(outer: &[Option<String>], inner: &[Option<String>]) -> bool {
    outer.len() <= inner.len() && outer.iter().zip(inner).all(|(a, b)| a == b)
}

fn show(place: &[Option<String>]) -> String {
    let mut text = String::from("`");
    for token in place {
        text.push('/');
        text.push_str(token.as_deref().unwrap_or("*"));
    }
    text.push('`');
    text
}

/// `/operations/0/add` as `operations[0].add`.
fn at_item(pointer: &str) -> String {
    let mut words = String::new();
    for token in pointer.split('/').skip(1) {
        if token.bytes().all(|byte| byte.is_ascii_digit()) {
            let _ = write!(words, "[{token}]");
        } else {
            if !words.is_empty() {
                words.push('.');
            }
            words.push_str(token);
        }
    }
    words
}

fn list(pointers: &[Pointer]) -> String {
    let all: Vec<String> = pointers.iter().map(|one| format!("`{one}`")).collect();
    all.join(", ")
}
