//! The pure part: bytes of a document in, bytes of the migrated document out.
//!
//! [`Engine::migrate`] reads a document, walks the shortest way of the [`Registry`] over it, appends one entry to its
//! history, and then distrusts itself: the new bytes are read again by another reader, and whatever no operation named
//! must be there byte for byte (`touched`). It touches no file and reads no clock.

mod apply;
mod convert;
mod failure;
mod history;
mod kept;
mod touched;

pub use failure::Failure;

use std::collections::BTreeMap;
use std::str::FromStr;

use jiff::Timestamp;
use serde_json::Value;
use sha2::{Digest as _, Sha256};

use self::apply::{Obstacle, Walk};
use self::kept::Kept;
use self::touched::{Touched, unchanged};
use super::json::{Document, Pointer, locate, sniff};
use super::kind::Kind;
use super::registry::{BadBuiltIn, Hop, Registry};
use super::version::{BadVersion, Version};

/// Which version a document should have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Target {
    /// The highest version that is known.
    Latest,
    /// This version, older or newer than the document's.
    Exact(Version),
}

impl FromStr for Target {
    type Err = BadVersion;

    /// `latest`, or a version.
    fn from_str(text: &str) -> Result<Self, BadVersion> {
        match text {
            "latest" => Ok(Self::Latest),
            _ => text.parse().map(Self::Exact),
        }
    }
}

/// What became of a document.
#[derive(Debug, Clone, PartialEq)]
pub enum Outcome {
    /// It has the wanted version already; not a byte is to be written.
    Current {
        /// That version.
        version: Version,
    },
    /// It was migrated.
    Migrated(Migrated),
}

/// A migrated document.
#[derive(Debug, Clone, PartialEq)]
pub struct Migrated {
    /// The bytes to write.
    pub text: Vec<u8>,
    /// The version before.
    pub from: Version,
    /// The version now.
    pub to: Version,
    /// What changed, in words: a list per migration that was applied.
    pub changes: Vec<Vec<String>>,
    /// `sha256:` and 64 hex digits: of the bytes before.
    pub checksum_before: String,
    /// `sha256:` and 64 hex digits: of the bytes now, computed with these digits written as zeros.
    pub checksum_after: String,
    /// What migrations took out of the document so far, to be kept beside it and given to its next migration; `None`
    /// where nothing is to be kept any more.
    pub kept: Option<Vec<u8>>,
    /// Whether the side data that was given belongs to the document, so that `kept` takes its place. Otherwise it
    /// belongs to something else, was not used, and is not to be overwritten.
    pub kept_used: bool,
}

/// A document that was verified.
#[derive(Debug, Clone, PartialEq)]
pub struct Verified {
    /// Its version.
    pub version: Version,
    /// Whether its last history entry carries a checksum, which then is right.
    pub checksum: bool,
}

/// A schema that cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the schema of version {version} cannot be used: {reason}")]
pub struct BadSchema {
    /// Whose schema.
    pub version: Version,
    /// What is wrong with it.
    pub reason: String,
}

/// Why there is no built-in engine of a name.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NoEngine {
    /// No kind has this name.
    #[error("no built-in kind is called `{0}`")]
    Kind(String),
    /// A test excludes it.
    #[error(transparent)]
    BuiltIn(#[from] BadBuiltIn),
    /// A built-in kind has no schema yet.
    #[error(transparent)]
    Schema(#[from] BadSchema),
}

/// Migrates documents of one kind. It can be shared between threads.
#[derive(Debug)]
pub struct Engine {
    kind: Kind,
    registry: Registry,
    schemas: BTreeMap<Version, jsonschema::Validator>,
}

impl Engine {
    /// An engine for a kind with all of its migrations.
    ///
    /// # Errors
    /// A schema of the kind is no JSON Schema.
    pub fn new(kind: Kind, registry: Registry) -> Result<Self, BadSchema> {
        let mut schemas = BTreeMap::new();
        for (version, schema) in &kind.schemas {
            schemas.insert(*version, compile(*version, schema)?);
        }
        Ok(Self {
            kind,
            registry,
            schemas,
        })
    }

    /// The engine of a built-in kind with the built-in migrations alone.
    ///
    /// # Errors
    /// The name is none of [`Kind::BUILT_IN`].
    pub fn built_in(name: &str) -> Result<Self, NoEngine> {
        let kind = Kind::built_in(name).ok_or_else(|| NoEngine::Kind(name.to_owned()))?;
        let registry = Registry::built_in(&kind)?;
        Ok(Self::new(kind, registry)?)
    }

    /// The kind of its documents.
    #[must_use]
    pub const fn kind(&self) -> &Kind {
        &self.kind
    }

    /// The migrations that it knows.
    #[must_use]
    pub const fn registry(&self) -> &Registry {
        &self.registry
    }

    /// The version that a target means; `None` for `latest` where no version is known.
    #[must_use]
    pub fn resolve(&self, target: Target) -> Option<Version> {
        match target {
            Target::Latest => self.registry.latest(),
            Target::Exact(version) => Some(version),
        }
    }

    /// The version of a document that is whole and known. The whole text is judged.
    ///
    /// # Errors
    /// [`Failure`]: it is corrupted, has no version, or one that is not known.
    pub fn inspect(&self, text: &[u8]) -> Result<Version, Failure> {
        let at = &self.kind.version_pointer;
        let Some(written) = sniff(text, at)? else {
            return Err(match locate(text, at) {
                None => Failure::NoVersion {
                    pointer: at.to_string(),
                },
                Some(range) => Failure::UnknownVersion {
                    version: String::from_utf8_lossy(&text[range]).into_owned(),
                    reason: "a version is text, in double quotes".to_owned(),
                },
            });
        };
        let unknown = |reason: String| Failure::UnknownVersion {
            version: written.clone(),
            reason,
        };
        let version: Version = written
            .parse()
            .map_err(|error: BadVersion| unknown(error.to_string()))?;
        if self.registry.knows(version) {
            return Ok(version);
        }
        Err(unknown(match self.registry.latest() {
            Some(latest) if version > latest => format!(
                "it is later than {latest}, the latest one that is known; give the folder with its migrations, or use a later release"
            ),
            _ => format!("the known versions are {}", self.known()),
        }))
    }

    fn known(&self) -> String {
        let all: Vec<String> = self
            .registry
            .versions()
            .map(|one| one.to_string())
            .collect();
        if all.is_empty() {
            "none: there is no migration of this kind".to_owned()
        } else {
            all.join(", ")
        }
    }

    /// Brings a document to a version. `at` becomes the history entry's `applied_at`; `kept` is what earlier migrations
    /// of this document took out of it ([`Migrated::kept`]).
    ///
    /// # Errors
    /// [`Failure`]: the document is left alone.
    pub fn migrate(
        &self,
        text: &[u8],
        target: Target,
        at: Timestamp,
        kept: Option<&[u8]>,
    ) -> Result<Outcome, Failure> {
        let from = self.inspect(text)?;
        let to = self.resolve(target).unwrap_or(from);
        if from == to {
            return Ok(Outcome::Current { version: from });
        }
        let path = self.path(from, to)?;
        let original = Document::parse(text)?;
        self.fit(&original, from)?;
        let mut document = original.clone();
        let entries = history::length(&document).map_err(|reason| Failure::Before { reason })?;
        let last = history::last_checksum(&document).map(|(_, checksum)| checksum);
        let mut kept = match kept {
            Some(bytes) => {
                Kept::read(bytes, last.as_deref()).map_err(|reason| Failure::SideData { reason })?
            }
            None => Kept::default(),
        };
        let kept_used = kept.used;
        let mut touched = Touched::default();
        let mut added = Vec::new();
        for hop in &path {
            Walk {
                document: &mut document,
                kept: &mut kept,
                touched: &mut touched,
                added: &mut added,
                migration: hop.migration,
                back: hop.back,
            }
            .run()
            .map_err(|obstacle| refused(hop, from, to, &obstacle))?;
        }
        let not_right = |reason: String| Failure::After { reason };
        document
            .set(&self.kind.version_pointer, &Value::String(to.to_string()))
            .map_err(|error| not_right(error.to_string()))?;
        let changes: Vec<Vec<String>> = path.iter().map(told).collect();
        let checksum_before = sha256(text);
        let place = history::append(
            &mut document,
            &from.to_string(),
            &to.to_string(),
            at,
            &changes,
            &checksum_before,
        )
        .map_err(not_right)?;
        let mut out = document.write();
        let checksum_after = history::seal(&mut out, &place).map_err(not_right)?;
        touched.mark(&self.kind.version_pointer);
        touched.mark(&history::pointer());
        unchanged(text, &out, &touched).map_err(not_right)?;
        self.right(&original, &out, to, entries.unwrap_or_default(), &added)?;
        let kept = kept.write(to, &checksum_after);
        Ok(Outcome::Migrated(Migrated {
            text: out,
            from,
            to,
            changes,
            checksum_before,
            checksum_after,
            kept,
            kept_used,
        }))
    }

    fn path(&self, from: Version, to: Version) -> Result<Vec<Hop<'_>>, Failure> {
        self.registry.path(from, to).ok_or_else(|| Failure::NoPath {
            from,
            to,
            reason: if self.registry.knows(to) {
                "a migration is missing in between".to_owned()
            } else {
                format!("{to} is not known; the known versions are {}", self.known())
            },
        })
    }

    /// Before a migration: what must be there is there, and the document fits its schema.
    fn fit(&self, document: &Document<'_>, version: Version) -> Result<(), Failure> {
        self.complete(document)
            .map_err(|reason| Failure::Before { reason })?;
        self.schema(document, version)
    }

    fn complete(&self, document: &Document<'_>) -> Result<(), String> {
        for at in &self.kind.required {
            match document.raw(at).as_deref() {
                None => return Err(format!("`{at}` is missing")),
                Some(b"null") => return Err(format!("`{at}` is null")),
                Some(_) => {}
            }
        }
        Ok(())
    }

    fn schema(&self, document: &Document<'_>, version: Version) -> Result<(), Failure> {
        let Some(schema) = self.schemas.get(&version) else {
            return Ok(());
        };
        let value = document.value(&Pointer::root()).unwrap_or_default();
        schema.validate(&value).map_err(|error| {
            let at = error.instance_path().to_string();
            let at = if at.is_empty() {
                String::new()
            } else {
                format!("`{at}`: ")
            };
            Failure::Schema {
                version,
                reason: format!("{at}{error}"),
            }
        })
    }

    /// After a migration: the new bytes, read again, say what they should.
    fn right(
        &self,
        original: &Document<'_>,
        after: &[u8],
        to: Version,
        entries: usize,
        added: &[Pointer],
    ) -> Result<(), Failure> {
        let wrong = |reason: String| Failure::After { reason };
        let document = Document::parse(after)
            .map_err(|refusal| wrong(format!("it cannot be read: {refusal}")))?;
        let version = document.value(&self.kind.version_pointer);
        if version.as_ref().and_then(Value::as_str) != Some(to.to_string().as_str()) {
            return Err(wrong(format!("its version is not {to}")));
        }
        self.complete(&document).map_err(wrong)?;
        for at in &self.kind.identity {
            if document.raw(at) != original.raw(at) {
                return Err(wrong(format!("the identity at `{at}` changed")));
            }
        }
        if let Some(at) = added.iter().find(|at| !document.has(at)) {
            return Err(wrong(format!("the new field `{at}` is not there")));
        }
        let now = history::length(&document).map_err(wrong)?;
        if now != Some(entries + 1) {
            return Err(wrong("its history did not grow by one entry".to_owned()));
        }
        for i in 0..entries {
            let entry = history::pointer().join(i.to_string());
            if document.raw(&entry) != original.raw(&entry) {
                return Err(wrong(format!("entry {i} of its history changed")));
            }
        }
        self.schema(&document, to)
    }

    /// Whether a document is valid, known, complete, fits its schema, and is as its last migration left it.
    ///
    /// # Errors
    /// [`Failure`]: what disproves it.
    pub fn verify(&self, text: &[u8]) -> Result<Verified, Failure> {
        let version = self.inspect(text)?;
        let document = Document::parse(text)?;
        self.fit(&document, version)?;
        history::length(&document).map_err(|reason| Failure::Before { reason })?;
        let Some((at, recorded)) = history::last_checksum(&document) else {
            return Ok(Verified {
                version,
                checksum: false,
            });
        };
        let found = history::computed(text, &at).map_err(|reason| Failure::Before { reason })?;
        if found != recorded {
            return Err(Failure::Checksum { recorded, found });
        }
        Ok(Verified {
            version,
            checksum: true,
        })
    }
}

/// Makes a schema ready for use.
///
/// # Errors
/// It is no JSON Schema.
pub fn compile(version: Version, schema: &Value) -> Result<jsonschema::Validator, BadSchema> {
    jsonschema::validator_for(schema).map_err(|error| BadSchema {
        version,
        reason: error.to_string(),
    })
}

/// What a hop changes, in words.
fn told(hop: &Hop<'_>) -> Vec<String> {
    let changes = &hop.migration.changes;
    if hop.back {
        changes
            .iter()
            .rev()
            .map(|change| format!("Undo: {change}"))
            .collect()
    } else {
        changes.clone()
    }
}

fn refused(hop: &Hop<'_>, from: Version, to: Version, obstacle: &Obstacle) -> Failure {
    let reason = format!("{obstacle} (migration {} to {})", hop.from(), hop.to());
    match obstacle {
        Obstacle::Unfit(_) => Failure::Before { reason },
        Obstacle::NotKept(_) => Failure::NoWayBack { from, to, reason },
    }
}

/// `sha256:` and 64 hex digits.
fn sha256(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    let mut text = String::with_capacity(71);
    text.push_str("sha256:");
    for byte in Sha256::digest(bytes) {
        // Writing to a String cannot fail.
        let _ = write!(text, "{byte:02x}");
    }
    text
}

#[cfg(test)]
mod tests;
