//! How the engine of documents speaks to the file side.

use std::path::Path;

use super::{Change, Input, New, Refusal, Side, Trace};
use crate::manifest::transform::{Engine, Failure, Outcome, Target};

/// What an engine does with a file: the closure of [`migrate`](super::migrate()).
///
/// # Errors
/// The engine's refusal, by class.
pub fn change(engine: &Engine, target: Target, input: Input<'_>) -> Result<Change, Refusal> {
    match engine.migrate(input.text, target, input.at, input.kept)? {
        Outcome::Current { version } => Ok(Change::Current {
            version: version.to_string(),
        }),
        Outcome::Migrated(new) => Ok(Change::Migrated(New {
            from: new.from.to_string(),
            to: new.to.to_string(),
            // Side data of something else is moved to a backup name when this document needs the name.
            side: match (new.kept, new.kept_used) {
                (Some(bytes), _) => Side::Write(bytes),
                (None, true) => Side::Remove,
                (None, false) => Side::Leave,
            },
            text: new.text,
        })),
    }
}

impl From<Failure> for Refusal {
    fn from(failure: Failure) -> Self {
        Self {
            class: failure.class().to_owned(),
            message: failure.to_string(),
            place: failure.place(),
        }
    }
}

/// The closure of [`restore`](super::restore()): what a document says of its last migration, and whether it still is as
/// that left it.
#[must_use]
pub fn trace_of(engine: &Engine, _: &Path, text: &[u8]) -> Trace {
    match engine.verify(text) {
        Err(Failure::Corrupted(_)) => Trace::Corrupted,
        // Not what a migration leaves behind, whatever it is.
        Err(_) => Trace::ChangedSince,
        Ok(_) => match history(text).pop() {
            None => Trace::Unmigrated,
            Some((before, from)) => Trace::Migrated { before, from },
        },
    }
}

/// The closure of [`prune`](super::prune()): the checksums of before of a document that verifies.
///
/// # Errors
/// Why it does not verify.
pub fn history_of(engine: &Engine, _: &Path, text: &[u8]) -> Result<Vec<String>, String> {
    engine.verify(text).map_err(|failure| failure.to_string())?;
    Ok(history(text)
        .into_iter()
        .map(|(before, _)| before)
        .collect())
}

/// `checksum_before` and `from_version` of each entry that has both.
fn history(text: &[u8]) -> Vec<(String, String)> {
    let text = text.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(text);
    let Ok(document) = serde_json::from_slice::<serde_json::Value>(text) else {
        return Vec::new();
    };
    let entries = document.get("migration_history").and_then(|h| h.as_array());
    let entry = |entry: &serde_json::Value| {
        let text = |key: &str| Some(entry.get(key)?.as_str()?.to_owned());
        Some((text("checksum_before")?, text("from_version")?))
    };
    entries.into_iter().flatten().filter_map(entry).collect()
}
