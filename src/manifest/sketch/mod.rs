//! `manifest new`: a migration file drafted from two example documents, one before and one after.
//!
//! [`sketch`] writes down what the examples show: fields that were added, renamed, moved, converted or removed, also in
//! every element of an array or map. Two documents never show all: where they leave a choice, one is made, the others
//! stand beside it in comments, and [`Sketch::open`] lists what a person has to decide. What cannot be told from them
//! is not guessed: then the sketch is not [complete](Sketch::complete). A complete one was tried out: it makes the
//! first document the second one.
//!
//! Fields that are the identity of a document may not differ; where they do, nothing is drafted. Whether the file is a
//! good migration is for its loader to say (`plan::migrations`), as for any other.

mod compare;
mod draft;
mod node;
mod pair;
/// Why a drafted file would be refused as a migration, if it would.
fn unusable(text: &str, settings: Settings<'_>) -> Option<String> {
    let file: MigrationFile = match serde_yaml::from_str(text) {
        Ok(file) => file,
        Err(error) => return Some(error.to_string()),
    };
    let mut kind = Kind::named(settings.kind);
    kind.version_pointer = settings.version_pointer.clone();
    kind.identity = settings.identity.to_vec();
    let checked = file.check(&kind);
    match checked.migration {
        Some(_) => None,
        None => checked.problems.into_iter().next().map(|p| p.message),
    }
}

#[cfg(test)]
mod tests;
mod write;

use compare::Compare;
use draft::{Item, Op};
use node::Node;

use super::json::{Document, Pointer, Refusal};
use super::kind::Kind;
use super::migration::MigrationFile;
use super::version::Version;

/// The field in which every document records its migrations.
const HISTORY: &str = "migration_history";

/// What is known of the documents.
#[derive(Debug, Clone, Copy)]
pub struct Settings<'a> {
    /// The kind, for the file: `run_manifest`.
    pub kind: &'a str,
    /// Where the version stands.
    pub version_pointer: &'a Pointer,
    /// The fields that no migration may touch.
    pub identity: &'a [Pointer],
}

/// A drafted migration.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sketch {
    /// The file, with comments.
    pub text: String,
    /// The version that it starts from.
    pub from: Version,
    /// The version that it leads to: that of the second document, or the next major one if the operations need it.
    pub to: Version,
    /// Whether it does more than add.
    pub breaking: bool,
    /// Whether its operations make the first document the second one, version and history apart.
    pub complete: bool,
    /// What has to be decided, in sentences; each stands as a comment in the file too.
    pub open: Vec<String>,
}

/// Which of the two documents.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Side {
    /// The one before.
    Before,
    /// The one after.
    After,
}

impl std::fmt::Display for Side {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Before => "the document before",
            Self::After => "the document after",
        })
    }
}

/// Why nothing was drafted.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SketchError {
    /// A document is not valid.
    #[error("draft a migration: {side} is not valid, at line {}, column {}: {refusal}", refusal.line, refusal.column)]
    Refused {
        /// Which one.
        side: Side,
        /// What is wrong with it, and where.
        refusal: Refusal,
    },
    /// A document has no version, or one that is none.
    #[error(
        "draft a migration: {side} has no version like 1.2.0 at `{pointer}`; write the versions into both documents \
         first, as the file is named after them"
    )]
    NoVersion {
        /// Which one.
        side: Side,
        /// Where it should be.
        pointer: Pointer,
    },
    /// The second document is not of a later version.
    #[error(
        "draft a migration: the document before has version {from} and the one after {to}, which is not later; give them \
         the other way round (the way back is derived) or raise the version"
    )]
    NotLater {
        /// The version before.
        from: Version,
        /// The version after.
        to: Version,
    },
    /// A field that is the document's identity differs.
    #[error(
        "draft a migration: `{field}` is the identity of a document and differs between the two; take two states of the \
         same document"
    )]
    Identity {
        /// The field.
        field: Pointer,
    },
}

/// The versions of the file.
#[derive(Debug, Clone, Copy)]
struct Versions {
    from: Version,
    to: Version,
}

/// Drafts a migration from a document before and the same document after.
///
/// # Errors
/// [`SketchError`] where a document is not valid, has no version, or is another document.
pub fn sketch(before: &[u8], after: &[u8], settings: Settings<'_>) -> Result<Sketch, SketchError> {
    let (mut before, from) = read(Side::Before, before, settings)?;
    let (mut after, to) = read(Side::After, after, settings)?;
    if to <= from {
        return Err(SketchError::NotLater { from, to });
    }
    for field in settings.identity {
        if before.at(field.tokens()) != after.at(field.tokens()) {
            return Err(SketchError::Identity {
                field: field.clone(),
            });
        }
    }
    // Both are the program's own: it sets the version and appends to the history.
    for node in [&mut before, &mut after] {
        let version = settings.version_pointer.tokens();
        drop(node.take(version));
        drop(node.take(&[HISTORY.to_owned()]));
    }
    let mut fixed: Vec<Vec<String>> = settings
        .identity
        .iter()
        .map(|f| f.tokens().to_vec())
        .collect();
    fixed.push(settings.version_pointer.tokens().to_vec());

    let mut items: Vec<Item> = Compare { fixed: &fixed }
        .scope(&before, &after)
        .into_iter()
        .map(speakable)
        .collect();
    hold_back_identity(&mut items, &fixed);
    let breaking = !ops(&items).all(Op::only_adds);
    let mut complete = items.iter().all(|item| item.op.is_some()) && {
        let mut tried = before.clone();
        ops(&items).all(|op| op.apply(&mut tried).is_some()) && tried == after
    };

    let mut head = Vec::new();
    let mut versions = Versions { from, to };
    if breaking && to.major <= from.major {
        versions.to = Version::new(from.major.saturating_add(1), 0, 0);
        head.push(format!(
            "the document after says {to}, and what does more than add needs the next major version; `{}` is written \
             below",
            versions.to
        ));
    } else if (from.major, from.minor) == (to.major, to.minor) && !items.is_empty() {
        head.push(format!(
            "{from} and {to} differ in the last number only, and a patch version changes no fields; raise the minor one"
        ));
    }
    let unusable = complete
        .then(|| unusable(&write::file(settings, versions, &items, &head), settings))
        .flatten();
    if let Some(why) = unusable {
        complete = false;
        head.push(format!("these operations cannot stand together: {why}"));
    } else if !complete {
        head.push(
            "these operations do not make the document before the document after; see what is said below".to_owned(),
        );
    }
    let mut open = head.clone();
    questions(&items, &mut open);
    Ok(Sketch {
        text: write::file(settings, versions, &items, &head),
        from,
        to: versions.to,
        breaking,
        complete,
        open,
    })
}

fn read(side: Side, text: &[u8], settings: Settings<'_>) -> Result<(Node, Version), SketchError> {
    let document =
        Document::parse(text).map_err(|refusal| SketchError::Refused { side, refusal })?;
    let no_version = || SketchError::NoVersion {
        side,
        pointer: settings.version_pointer.clone(),
    };
    let node = Node::of(&document, &Pointer::root()).ok_or_else(no_version)?;
    match node.at(settings.version_pointer.tokens()) {
        Some(Node::Text(version)) => {
            let version = version.parse().map_err(|_| no_version())?;
            Ok((node, version))
        }
        _ => Err(no_version()),
    }
}

fn ops(items: &[Item]) -> impl Iterator<Item = &Op> {
    items.iter().filter_map(|item| item.op.as_ref())
}

/// An operation that no file can say becomes a remark.
fn speakable(item: Item) -> Item {
    match item.op.as_ref().map(|op| (op, write::unspeakable(op))) {
        Some((op, Some(why))) => Item::note(format!("{} cannot be drafted: {why}", place(op))),
        _ => item,
    }
}

/// An operation that would touch a field of the identity, though both have the same, becomes a remark.
fn hold_back_identity(items: &mut [Item], fixed: &[Vec<String>]) {
    for item in items {
        let touches = |path: &[String]| {
            fixed
                .iter()
                .any(|field| field.starts_with(path) || path.starts_with(field))
        };
        let held = match &item.op {
            Some(Op::Move { from, to }) => touches(from) || touches(to),
            Some(Op::Rename { at, to }) => {
                let mut new = at.clone();
                new.pop();
                new.push(to.clone());
                touches(at) || touches(&new)
            }
            Some(
                Op::Add { at, .. }
                | Op::Retype { at, .. }
                | Op::Exchange { at, .. }
                | Op::Remove { at },
            ) => touches(at),
            Some(Op::ForEach { .. }) | None => false,
        };
        if held && let Some(op) = &item.op {
            *item = Item::note(format!(
                "{} holds the identity of the document or its version, and no migration may touch it",
                place(op)
            ));
        }
    }
}

fn place(op: &Op) -> String {
    match op {
        Op::Add { at, .. }
        | Op::Rename { at, .. }
        | Op::Move { from: at, .. }
        | Op::Retype { at, .. }
        | Op::Exchange { at, .. }
        | Op::Remove { at }
        | Op::ForEach { within: at, .. } => write::show(at),
    }
}

fn questions(items: &[Item], open: &mut Vec<String>) {
    for item in items {
        open.extend(item.open.iter().cloned());
        if let Some(Op::ForEach { items, .. }) = &item.op {
            questions(items, open);
        }
    }
}
