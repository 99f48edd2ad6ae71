//! JSON documents as bytes: read strictly, edited in place, written back unchanged but for what was asked.
//!
//! A manifest belongs to the people and tools that wrote it. What a migration does not name must come out byte for
//! byte: the order of keys, `1.0` and `1e400` and integers of twenty digits as they were spelled, escapes,
//! indentation, line ends, a byte order mark, the final newline or its absence. A parser that goes through values
//! cannot promise that, so [`Document`] is made of slices of the text, and an edit replaces slices.
//!
//! Two sides have a say. The scanner of this room finds where things stand; `serde_json` is the judge of what is JSON.
//! Tests hold that both agree on every input, but for what is [refused](Refusal) here by name although `serde_json`
//! would take it: a document that can be read in two ways (duplicate keys, lone surrogates) or not by everybody (too
//! deep, too large).
//!
//! What the fields mean is left to others (`manifest::migration`, `manifest::transform`), files to `manifest::files`.

mod build;
mod document;
mod edit;
mod node;
mod pointer;
mod refusal;
mod scan;
mod style;
mod text;

#[cfg(test)]
mod tests;

use std::ops::Range;

pub use document::{Document, EditError, Kind, Taken};
pub use pointer::{BadPointer, Pointer};
pub use refusal::{Flaw, Refusal};

/// Largest document that is read, in bytes.
pub const MAX_BYTES: usize = 256 * 1024 * 1024;

/// Deepest nesting of objects and arrays: as deep as `serde_json` builds values, so that everything that is read here
/// can be read by the tools around it.
pub const MAX_DEPTH: usize = 127;

/// Where the value at `at` stands in `text`, in bytes, without the whitespace around it. `None` if there is none, or if
/// the text is not a document.
#[must_use]
pub fn locate(text: &[u8], at: &Pointer) -> Option<Range<usize>> {
    scan::check(text, at.tokens()).ok().flatten()
}

/// The string at `at`, without making a document of the text; `None` if nothing or something else than a string stands
/// there. The whole text is judged all the same, as strictly as by [`Document::parse`].
///
/// # Errors
/// The [`Refusal`] that [`Document::parse`] gives.
pub fn sniff(text: &[u8], at: &Pointer) -> Result<Option<String>, Refusal> {
    let found = scan::check(text, at.tokens())?;
    Ok(found.and_then(|range| text::unquoted(&text[range])))
}
