//! The history that a document keeps of its migrations, and the checksums in it.
//!
//! `checksum_after` is that of the bytes the file ends with, computed while its own 64 digits are zeros: it can stand in
//! the file that it speaks of, and any later edit shows.

use serde_json::{Value, json};

use super::sha256;
use crate::manifest::json::{Document, Kind, Pointer, locate};
use crate::manifest::kind::HISTORY;

/// What stands for a checksum while it is computed.
const ZEROS: &str = "sha256:0000000000000000000000000000000000000000000000000000000000000000";

/// Where the history stands.
pub(super) fn pointer() -> Pointer {
    Pointer::of([HISTORY])
}

/// How many entries there are; `None` where there is no history.
///
/// # Errors
/// The history is no list.
pub(super) fn length(document: &Document<'_>) -> Result<Option<usize>, String> {
    match document.kind(&pointer()) {
        None => Ok(None),
        Some(Kind::Array { len }) => Ok(Some(len)),
        Some(kind) => Err(format!("`/{HISTORY}` is {kind}, and must be an array")),
    }
}

/// The checksum that the last entry carries, and where it stands.
pub(super) fn last_checksum(document: &Document<'_>) -> Option<(Pointer, String)> {
    let last = length(document).ok()??.checked_sub(1)?;
    let at = pointer().join(last.to_string()).join("checksum_after");
    match document.value(&at)? {
        Value::String(text) => Some((at, text)),
        _ => None,
    }
}

/// Appends an entry, with zeros for the checksum of what the document becomes. Gives the place of the checksum.
///
/// # Errors
/// The history is no list, or cannot be appended to.
pub(super) fn append(
    document: &mut Document<'_>,
    from: &str,
    to: &str,
    at: jiff::Timestamp,
    changes: &[Vec<String>],
    before: &str,
) -> Result<Pointer, String> {
    let entry = json!({
        "from_version": from,
        "to_version": to,
        "applied_at": at.to_string(),
        "changes": changes,
        "checksum_before": before,
        "checksum_after": ZEROS,
    });
    let entries = length(document)?;
    let done = match entries {
        None => document.set(&pointer(), &Value::Array(vec![entry])),
        Some(_) => document.set(&pointer().join("-"), &entry),
    };
    done.map_err(|error| error.to_string())?;
    let index = entries.unwrap_or_default();
    Ok(pointer().join(index.to_string()).join("checksum_after"))
}

/// Computes the checksum of a text and writes it over its zeros.
///
/// # Errors
/// There are no zeros at the place.
pub(super) fn seal(text: &mut [u8], at: &Pointer) -> Result<String, String> {
    let missing = || "its history entry has no place for the checksum".to_owned();
    let range = zeros(text, at).ok_or_else(missing)?;
    let checksum = sha256(text);
    let place = text
        .get_mut(range)
        .filter(|place| place.len() == checksum.len())
        .ok_or_else(missing)?;
    place.copy_from_slice(checksum.as_bytes());
    Ok(checksum)
}

/// Where the zeros stand, without the quotes. They are searched for first: reading the whole text again to find one
/// place costs more.
fn zeros(text: &[u8], at: &Pointer) -> Option<std::ops::Range<usize>> {
    let mut found = memchr::memmem::find_iter(text, ZEROS.as_bytes());
    match (found.next(), found.next()) {
        (Some(start), None) => Some(start..start + ZEROS.len()),
        _ => {
            let range = locate(text, at)?;
            Some(range.start + 1..range.end.checked_sub(1)?)
        }
    }
}

/// The checksum of a text with the digits at this place as zeros.
///
/// # Errors
/// What stands there is no checksum.
pub(super) fn computed(text: &[u8], at: &Pointer) -> Result<String, String> {
    let bad = || format!("`{at}` is no checksum: it is `sha256:` and 64 hex digits");
    let range = locate(text, at).ok_or_else(bad)?;
    if range.len() != ZEROS.len() + 2 || !text[range.start + 1..].starts_with(b"sha256:") {
        return Err(bad());
    }
    let mut zeroed = text.to_vec();
    zeroed[range.start + 1..range.end - 1].copy_from_slice(ZEROS.as_bytes());
    Ok(sha256(&zeroed))
}
