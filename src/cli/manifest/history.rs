//! What a document says of its own migrations.

use serde_json::Value;

use crate::manifest::files::Trace;
use crate::manifest::json::{Document, Pointer};
use crate::manifest::kind::HISTORY;
use crate::manifest::{Engine, Failure};

/// What a document says of its last migration.
pub(super) fn trace(engine: &Engine, text: &[u8]) -> Trace {
    match engine.verify(text) {
        Ok(_) => {}
        Err(Failure::Corrupted(_)) => return Trace::Corrupted,
        // Whatever else is wrong with it, the migration did not write it so.
        Err(_) => return Trace::ChangedSince,
    }
    let Ok(entries) = entries(text) else {
        return Trace::Corrupted;
    };
    let Some(last) = entries.last() else {
        return Trace::Unmigrated;
    };
    match (&last["checksum_before"], &last["from_version"]) {
        (Value::String(before), Value::String(from)) => Trace::Migrated {
            before: before.clone(),
            from: from.clone(),
        },
        // Another program's entry: nothing says what was there before.
        _ => Trace::ChangedSince,
    }
}

/// The checksums of all bytes that its migrations found, if it is as the last one left it.
pub(super) fn befores(engine: &Engine, text: &[u8]) -> Result<Vec<String>, String> {
    engine.verify(text).map_err(|failure| failure.to_string())?;
    let entries = entries(text)?;
    let checksums = entries.iter().filter_map(|entry| entry["checksum_before"].as_str());
    Ok(checksums.map(str::to_owned).collect())
}

fn entries(text: &[u8]) -> Result<Vec<Value>, String> {
    let document = Document::parse(text).map_err(|refusal| refusal.to_string())?;
    match document.value(&Pointer::of([HISTORY])) {
        None => Ok(Vec::new()),
        Some(Value::Array(entries)) => Ok(entries),
        Some(_) => Err(format!("`/{HISTORY}` is no list")),
    }
}
