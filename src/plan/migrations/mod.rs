//! Folders of migration files: read with places, checked, made ready for the engine.
//!
//! A folder holds files of YAML, a migration each, and at most one `kind.yaml` that describes a kind of document. They
//! add to the built-in migrations. All findings come in one go, each with its place; what the files mean is for
//! [`crate::manifest`], which knows no places.

mod shape;

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::base::diagnostic::{
    Code, Finding, Location, SourceText, Sources, any_error, codes, sort,
};
use crate::manifest::json::Pointer;
use crate::manifest::kind::{Kind, KindFile};
use crate::manifest::migration::{Migration, MigrationFile, Rule};
use crate::manifest::registry::{Registry, SameHop};
use crate::manifest::transform::{Engine, compile};
use crate::manifest::version::Version;
use crate::plan::load::{closest, did_you_mean, list, read};
use crate::plan::source::{Arena, parse};

/// The kind of a migration that names none, where the folder describes none.
const DEFAULT_KIND: &str = "run_manifest";

/// The files that describe a kind instead of a migration.
const KIND_FILES: [&str; 2] = ["kind.yaml", "kind.yml"];

/// An engine, and what was found while it was made: nothing that is an error.
#[derive(Debug)]
pub struct Loaded {
    /// The engine of the kind.
    pub engine: Engine,
    /// Warnings and notes, ordered by place.
    pub findings: Vec<Finding>,
    /// The texts that the findings point into.
    pub sources: Sources,
    /// The files that were read.
    pub files: Vec<PathBuf>,
}

/// Why there is no engine: findings, at least one of them an error.
#[derive(Debug)]
pub struct Refused {
    /// What was found, ordered by place.
    pub findings: Vec<Finding>,
    /// The texts that the findings point into.
    pub sources: Sources,
}

/// Makes the engine of a kind from the built-in migrations and those of a folder.
///
/// Without a kind it is the one that the folder's `kind.yaml` describes, else run manifests. A file without `kind:` is
/// of that kind, too; files of other kinds are checked and not used.
///
/// # Errors
/// Everything that is wrong with the folder and its files, in one go.
pub fn load(folder: Option<&Path>, kind: Option<&str>) -> Result<Loaded, Refused> {
    let mut reading = Reading::default();
    let names = folder
        .map(|folder| reading.list(folder))
        .unwrap_or_default();
    let (kinds, migrations): (Vec<PathBuf>, Vec<PathBuf>) =
        names.into_iter().partition(|path| is_kind_file(path));
    let described = kinds.first().and_then(|path| reading.kind(path));
    if let Some(second) = kinds.get(1) {
        reading.find(
            codes::KIND_UNUSABLE,
            Location::file(second.display().to_string()),
            "the folder describes its kind twice",
            "keep one of `kind.yaml` and `kind.yml`",
        );
    }
    let own = described.as_ref().map(|kind| kind.name.clone());
    let wanted = kind
        .map(str::to_owned)
        .or_else(|| own.clone())
        .unwrap_or_else(|| DEFAULT_KIND.to_owned());
    let known = Known { described };
    let mut files = Vec::new();
    for path in &migrations {
        let Some((arena, file)) = reading.file::<MigrationFile>(path, "the migration") else {
            continue;
        };
        if file.kind.is_none() && own.is_none() && !kinds.is_empty() {
            // Of the kind that could not be read: nothing can be said of it before that is mended.
            continue;
        }
        let of = file
            .kind
            .clone()
            .or_else(|| own.clone())
            .unwrap_or_else(|| DEFAULT_KIND.to_owned());
        match known.kind(&of) {
            Some(kind) => {
                if let Some(migration) = reading.check(&arena, &file, &kind) {
                    files.push((arena, migration));
                }
            }
            None => {
                let place = arena.locate("/kind");
                reading.unknown_kind(place, &of, &known);
            }
        }
    }
    if let Some(folder) = folder
        && migrations.is_empty()
        && reading.findings.is_empty()
    {
        reading.find(
            codes::NO_MIGRATIONS,
            Location::file(folder.display().to_string()),
            "the folder holds no migration",
            "a migration is a file that ends in .yaml or .yml directly in the folder",
        );
    }
    let Some(kind) = known.kind(&wanted) else {
        let place = Location::file(folder.unwrap_or(Path::new("")).display().to_string());
        reading.unknown_kind(place, &wanted, &known);
        return Err(reading.refuse());
    };
    reading.engine(kind, files)
}

/// Checks the text of one migration file as if it stood in a folder under this name.
///
/// # Errors
/// Everything that is wrong with it. Warnings come with the migration.
pub fn check_text(
    name: &str,
    text: &str,
    kind: &Kind,
) -> Result<(Migration, Vec<Finding>), Refused> {
    let mut reading = Reading::default();
    let text = Arc::new(SourceText::new(name, text.to_owned()));
    let migration = reading
        .typed::<MigrationFile>(&text, "the migration")
        .and_then(|(arena, file)| reading.check(&arena, &file, kind));
    match migration {
        Some(migration) => Ok((migration, reading.findings)),
        None => Err(reading.refuse()),
    }
}

fn is_kind_file(path: &Path) -> bool {
    path.file_name()
        .and_then(|name| name.to_str())
        .is_some_and(|name| KIND_FILES.contains(&name))
}

/// The kinds that migrations may be of.
struct Known {
    described: Option<Kind>,
}

impl Known {
    fn kind(&self, name: &str) -> Option<Kind> {
        match &self.described {
            Some(kind) if kind.name == name => Some(kind.clone()),
            _ => Kind::built_in(name),
        }
    }

    fn names(&self) -> Vec<&str> {
        let own = self.described.iter().map(|kind| kind.name.as_str());
        let others = Kind::BUILT_IN.into_iter().filter(|name| {
            self.described
                .as_ref()
                .is_none_or(|kind| kind.name != *name)
        });
        own.chain(others).collect()
    }
}

#[derive(Default)]
struct Reading {
    findings: Vec<Finding>,
    sources: Sources,
    files: Vec<PathBuf>,
}

impl Reading {
    fn find(
        &mut self,
        code: Code,
        place: Location,
        message: impl Into<String>,
        help: impl Into<String>,
    ) {
        self.findings
            .push(Finding::new(code, place, message).help(help));
    }

    fn refuse(mut self) -> Refused {
        sort(&mut self.findings);
        Refused {
            findings: self.findings,
            sources: self.sources,
        }
    }

    /// The YAML files directly in a folder, by name.
    fn list(&mut self, folder: &Path) -> Vec<PathBuf> {
        let name = folder.display().to_string();
        let read = std::fs::read_dir(folder)
            .and_then(|entries| entries.collect::<std::io::Result<Vec<_>>>());
        let entries = match read {
            Ok(entries) => entries,
            Err(error) => {
                self.find(
                    codes::FILE_MISSING,
                    Location::file(name.clone()),
                    format!("the migrations folder `{name}` cannot be read: {error}"),
                    "nothing was started; check the path and its permissions",
                );
                return Vec::new();
            }
        };
        let mut paths: Vec<PathBuf> = entries
            .into_iter()
            .map(|entry| entry.path())
            .filter(|path| {
                path.extension()
                    .is_some_and(|extension| extension == "yaml" || extension == "yml")
            })
            .collect();
        paths.sort();
        paths
    }

    /// A file, read and filled into its type.
    fn file<T: Typed>(&mut self, path: &Path, noun: &'static str) -> Option<(Arena, T)> {
        self.files.push(path.to_owned());
        match read(path, &path.display().to_string()) {
            Ok(text) => self.typed(&text, noun),
            Err(finding) => {
                self.findings.push(*finding);
                None
            }
        }
    }

    fn typed<T: Typed>(
        &mut self,
        text: &Arc<SourceText>,
        noun: &'static str,
    ) -> Option<(Arena, T)> {
        self.sources.add(Arc::clone(text));
        let (arena, found) = parse(text);
        for mut finding in found {
            if finding.code == codes::EMPTY {
                finding.message = format!("{noun} file is empty");
                finding.help = Some("write it, or remove the file".to_owned());
            }
            self.findings.push(finding);
        }
        let arena = arena?;
        let value = shape::read(&arena, T::shapes(), noun, &mut self.findings)?;
        match serde_json::from_value(value) {
            Ok(file) => Some((arena, file)),
            Err(error) => {
                // Not reached while the shapes say what the types do, which a test holds.
                self.find(
                    codes::SHAPE,
                    arena.locate(""),
                    format!("{noun} does not fit: {error}"),
                    "the schema that `orchestrate schema --manifest-migration` prints says what fits",
                );
                None
            }
        }
    }

    fn check(&mut self, arena: &Arena, file: &MigrationFile, kind: &Kind) -> Option<Migration> {
        let checked = file.check(kind);
        for problem in checked.problems {
            let place = arena.locate(&problem.pointer);
            self.find(code(problem.rule), place, problem.message, problem.help);
        }
        checked.migration
    }

    fn unknown_kind(&mut self, place: Location, name: &str, known: &Known) {
        let names = known.names();
        let near = closest(name, &names);
        let choices = format!(
            "the kinds are {}; another one is described by a `kind.yaml` in the folder",
            list(&names)
        );
        let help = match did_you_mean(&near) {
            Some(suggestion) => format!("{suggestion} Otherwise {choices}"),
            None => choices,
        };
        self.find(
            codes::KIND_UNKNOWN,
            place,
            format!("no kind of document is called `{name}`"),
            help,
        );
    }

    /// The kind that a file describes.
    fn kind(&mut self, path: &Path) -> Option<Kind> {
        let (arena, file) = self.file::<KindFile>(path, "the kind")?;
        let before = self.findings.len();
        let built_in = Kind::built_in(&file.name);
        let mut kind = built_in.clone().unwrap_or_else(|| Kind::named(&file.name));
        if file.name.trim().is_empty() {
            self.unusable(
                &arena,
                "/name",
                "the kind has no name",
                "give it one, such as `report`",
            );
        }
        match &file.pattern {
            Some(pattern) => match glob::Pattern::new(pattern) {
                Ok(_) => kind.pattern.clone_from(pattern),
                Err(error) => self.unusable(
                    &arena,
                    "/pattern",
                    format!("`{pattern}` is no glob: {error}"),
                    "`*` stands for any letters but `/`, `**` for any folders: `**/report.json`",
                ),
            },
            None if built_in.is_none() => self.unusable(
                &arena,
                "",
                "nothing says which files are of this kind",
                "add `pattern:`, such as `\"**/report.json\"`",
            ),
            None => {}
        }
        if let Some(text) = &file.version_pointer
            && let Some(pointer) = self.pointer(&arena, "/version_pointer", text)
        {
            kind.version_pointer = pointer;
        }
        for (key, written, fields) in [
            ("identity", &file.identity, &mut kind.identity),
            ("required", &file.required, &mut kind.required),
        ] {
            let Some(written) = written else { continue };
            *fields = written
                .iter()
                .enumerate()
                .filter_map(|(i, text)| self.pointer(&arena, &format!("/{key}/{i}"), text))
                .collect();
        }
        for (i, text) in file.versions.iter().enumerate() {
            let place = arena.locate(&format!("/versions/{i}"));
            kind.versions.extend(self.version(place, text));
        }
        for (text, schema) in &file.schemas {
            let place = arena.locate(&crate::plan::source::join("/schemas", text));
            if let Some(version) = self.version(place.clone(), text)
                && let Some(schema) = self.schema(path, place, version, schema)
            {
                kind.schemas.insert(version, schema);
            }
        }
        (self.findings.len() == before).then_some(kind)
    }

    fn unusable(
        &mut self,
        arena: &Arena,
        pointer: &str,
        message: impl Into<String>,
        help: impl Into<String>,
    ) {
        self.find(codes::KIND_UNUSABLE, arena.locate(pointer), message, help);
    }

    fn pointer(&mut self, arena: &Arena, at: &str, text: &str) -> Option<Pointer> {
        let place = arena.locate(at);
        match text.parse::<Pointer>() {
            Ok(pointer) if !pointer.is_root() => Some(pointer),
            Ok(_) => {
                self.find(
                    codes::BAD_POINTER,
                    place,
                    "the pointer is empty: it stands for the whole document",
                    "name a field: a `/` and its key",
                );
                None
            }
            Err(error) => {
                let help = format!("did you mean `/{}`?", text.replace('.', "/"));
                self.find(codes::BAD_POINTER, place, error.to_string(), help);
                None
            }
        }
    }

    fn version(&mut self, place: Location, text: &str) -> Option<Version> {
        let version = text.parse().ok();
        if version.is_none() {
            self.find(
                codes::MIGRATION_VERSION,
                place,
                format!("`{text}` is no version"),
                "write MAJOR.MINOR.PATCH, three whole numbers such as 1.3.0",
            );
        }
        version
    }

    fn schema(
        &mut self,
        kind_file: &Path,
        place: Location,
        version: Version,
        file: &str,
    ) -> Option<serde_json::Value> {
        let path = kind_file.with_file_name("").join(file);
        let read = std::fs::read(&path)
            .map_err(|error| format!("`{file}` cannot be read: {error}"))
            .and_then(|bytes| {
                serde_json::from_slice(&bytes)
                    .map_err(|error| format!("`{file}` is no JSON: {error}"))
            })
            .and_then(
                |schema: serde_json::Value| match compile(version, &schema) {
                    Ok(_) => Ok(schema),
                    Err(error) => Err(format!("`{file}` is no JSON Schema: {}", error.reason)),
                },
            );
        match read {
            Ok(schema) => Some(schema),
            Err(message) => {
                self.find(
                    codes::SCHEMA_UNUSABLE,
                    place,
                    message,
                    "name a JSON Schema beside this file; documents of the version are checked against it",
                );
                None
            }
        }
    }

    /// Joins what was read to the built-in migrations.
    fn engine(mut self, kind: Kind, files: Vec<(Arena, Migration)>) -> Result<Loaded, Refused> {
        let mut registry = match Registry::built_in(&kind) {
            Ok(registry) => registry,
            Err(error) => {
                // A test reads the same files, so this says that the binary itself is broken.
                self.find(
                    codes::SHAPE,
                    Location::file(error.name),
                    error.to_string(),
                    "install the program again",
                );
                return Err(self.refuse());
            }
        };
        let mut places: BTreeMap<(String, Version, Version), Location> = BTreeMap::new();
        let mut own = Vec::new();
        for (arena, migration) in files {
            let (from, to) = (migration.from_version, migration.to_version);
            let place = arena.locate("/to_version");
            let hop = (migration.kind.clone(), from, to);
            let message = format!("another migration leads from {from} to {to} already");
            let help =
                "which of them ran would be left to chance: keep one, and join their operations";
            if let Some(first) = places.get(&hop) {
                let finding = Finding::new(codes::SAME_HOP, place, message)
                    .help(help)
                    .label(first.clone(), "the first one is here");
                self.findings.push(finding);
                continue;
            }
            places.insert(hop, place.clone());
            if migration.kind != kind.name {
                continue;
            }
            match registry.add(migration) {
                Ok(()) => own.push((from, arena.locate("/from_version"))),
                Err(SameHop { .. }) => self.find(
                    codes::SAME_HOP,
                    place,
                    format!("a built-in migration leads from {from} to {to} already"),
                    "the built-in ones always apply: lead to a version of your own",
                ),
            }
        }
        self.islands(&registry, &own);
        sort(&mut self.findings);
        if any_error(&self.findings, false) {
            return Err(self.refuse());
        }
        match Engine::new(kind, registry) {
            Ok(engine) => Ok(Loaded {
                engine,
                findings: self.findings,
                sources: self.sources,
                files: self.files,
            }),
            Err(error) => {
                // The schemas were compiled once already.
                self.find(
                    codes::SCHEMA_UNUSABLE,
                    Location::file(""),
                    error.to_string(),
                    "mend the schema",
                );
                Err(self.refuse())
            }
        }
    }

    /// Migrations that no document of the first version ever gets to: usually a version is misspelt.
    fn islands(&mut self, registry: &Registry, own: &[(Version, Location)]) {
        let Some(first) = registry.versions().next() else {
            return;
        };
        let mut reached = BTreeSet::from([first]);
        loop {
            let more: Vec<Version> = registry
                .migrations()
                .filter(|one| {
                    reached.contains(&one.from_version) != reached.contains(&one.to_version)
                })
                .flat_map(|one| [one.from_version, one.to_version])
                .collect();
            if more.is_empty() {
                break;
            }
            reached.extend(more);
        }
        for (from, place) in own {
            let led_to = registry.migrations().any(|one| one.to_version == *from);
            if reached.contains(from) || led_to {
                continue;
            }
            let below: Vec<Version> = reached.iter().copied().filter(|one| one < from).collect();
            let help = match below.last() {
                Some(near) => format!(
                    "did you mean {near}? Otherwise write the migration from {near} to {from}"
                ),
                None => "write the migration that leads there".to_owned(),
            };
            self.find(
                codes::MIGRATION_ISLAND,
                place.clone(),
                format!("no migration leads to {from}, so older documents never get any further"),
                help,
            );
        }
    }
}

/// A file that has shapes.
trait Typed: serde::de::DeserializeOwned {
    /// The schema of the file.
    fn shapes() -> &'static serde_json::Value;
}

impl Typed for MigrationFile {
    fn shapes() -> &'static serde_json::Value {
        crate::plan::schema::migration_shapes()
    }
}

impl Typed for KindFile {
    fn shapes() -> &'static serde_json::Value {
        crate::plan::schema::kind_shapes()
    }
}

const fn code(rule: Rule) -> Code {
    match rule {
        Rule::Version => codes::MIGRATION_VERSION,
        Rule::Rises => codes::MIGRATION_DOWNWARD,
        Rule::OneOperation => codes::OPERATION_COUNT,
        Rule::Pointer => codes::BAD_POINTER,
        Rule::Additive => codes::NOT_ADDITIVE,
        Rule::Identity => codes::IDENTITY_TOUCHED,
        Rule::Reserved => codes::VERSION_TOUCHED,
        Rule::Contradiction => codes::OPERATIONS_CONTRADICT,
        Rule::Conversion => codes::CONVERSION_UNCLEAR,
        Rule::NeedlesslyBreaking => codes::NEEDLESSLY_BREAKING,
        Rule::Patch => codes::PATCH_CHANGES,
    }
}

#[cfg(test)]
mod tests;
