//! What a migration takes out of a document, kept beside it for the way back.
//!
//! A downgrade removes what the upgrade added, and an upgrade that breaks removes or overwrites what was there. Neither
//! is lost: each value is kept as it was spelled, under the operation that took it and the place where it stood. The
//! next migration in the other direction takes it from there instead of a default.
//!
//! The side data belongs to one document: to the one whose last history entry carries the checksum that the side data
//! names. A document that was edited since still belongs to it; one that was restored, migrated by other means or is
//! another one does not, and its values are left where they are.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::manifest::json::Pointer;
use crate::manifest::migration::Migration;
use crate::manifest::version::Version;

/// The version of the side data's own format.
const FORMAT: u32 = 1;

/// Side data as it is written.
#[derive(Debug, Serialize, Deserialize)]
struct SideData {
    format_version: u32,
    what: String,
    version: Version,
    belongs_to: String,
    dropped: Vec<Entry>,
}

/// A value that an operation took, or the fact that there was none.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Entry {
    from_version: Version,
    to_version: Version,
    /// The indices of the operation and, inside `for_each`, of the inner ones: `2.0`.
    operation: String,
    at: Pointer,
    /// The how-manieth member of its object it was.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) position: Option<usize>,
    /// The value's text; `None` where nothing was there.
    pub(super) raw: Option<String>,
    only_adds: bool,
    /// SHA-256 of the array elements around it, the outermost first: an index alone would take a value to another
    /// element once somebody sorts the array.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    elements: Vec<String>,
}

/// Which operation asks, and for which place.
#[derive(Debug, Clone, Copy)]
pub(super) struct Asked<'a> {
    pub(super) migration: &'a Migration,
    pub(super) operation: &'a str,
    pub(super) at: &'a Pointer,
    /// Whether what another migration over the same versions kept for this place will do, too.
    pub(super) any_hop: bool,
}

/// The side data of one document while it is migrated.
#[derive(Debug, Default)]
pub(super) struct Kept {
    offered: BTreeMap<Pointer, Vec<Entry>>,
    recorded: Vec<Entry>,
    /// The elements around the operation that runs now, when their hashes are needed.
    pub(super) elements: Vec<String>,
    /// Whether the given side data belongs to the document.
    pub(super) used: bool,
}

impl Kept {
    /// Reads side data and takes it if it belongs to the document whose last migration left this checksum.
    ///
    /// # Errors
    /// It is damaged, or of a later format.
    pub(super) fn read(bytes: &[u8], last: Option<&str>) -> Result<Self, String> {
        let data: SideData = serde_json::from_slice(bytes).map_err(|error| error.to_string())?;
        if data.format_version != FORMAT {
            return Err(format!(
                "its format is {}, and this version reads format {FORMAT}",
                data.format_version
            ));
        }
        let mut kept = Self::default();
        if last == Some(data.belongs_to.as_str()) {
            kept.used = true;
            for entry in data.dropped {
                kept.offered
                    .entry(entry.at.clone())
                    .or_default()
                    .push(entry);
            }
        }
        Ok(kept)
    }

    /// Whether there is nothing to offer, so that nobody needs to compute hashes.
    pub(super) fn is_empty(&self) -> bool {
        self.offered.is_empty()
    }

    /// Takes what was kept for an operation and a place, the latest first.
    pub(super) fn take(&mut self, asked: Asked<'_>) -> Option<Entry> {
        let all = self.offered.get_mut(asked.at)?;
        let migration = asked.migration;
        let same = |entry: &Entry| {
            entry.from_version == migration.from_version
                && entry.to_version == migration.to_version
                && entry.operation == asked.operation
        };
        // A direct migration and the hops that it stands for keep the same values.
        let over = |entry: &Entry| {
            let within = |a: &Version, b: &Version, c: Version, d: Version| *a <= c && d <= *b;
            let (from, to) = (migration.from_version, migration.to_version);
            asked.any_hop
                && entry.only_adds
                && migration.only_adds()
                && (within(&entry.from_version, &entry.to_version, from, to)
                    || within(&from, &to, entry.from_version, entry.to_version))
        };
        let elements = &self.elements;
        let found = all
            .iter()
            .rposition(|entry| same(entry) && entry.elements == *elements)
            .or_else(|| {
                all.iter()
                    .rposition(|entry| over(entry) && entry.elements == *elements)
            })?;
        let entry = all.remove(found);
        if all.is_empty() {
            self.offered.remove(asked.at);
        }
        Some(entry)
    }

    /// Puts back what was taken and could not be used.
    pub(super) fn give_back(&mut self, entry: Entry) {
        self.offered
            .entry(entry.at.clone())
            .or_default()
            .push(entry);
    }

    /// Records what an operation takes from a place.
    pub(super) fn record(&mut self, asked: Asked<'_>, raw: Option<&[u8]>, position: Option<usize>) {
        self.recorded.push(Entry {
            from_version: asked.migration.from_version,
            to_version: asked.migration.to_version,
            operation: asked.operation.to_owned(),
            at: asked.at.clone(),
            position,
            // Documents are UTF-8.
            raw: raw.map(|raw| String::from_utf8_lossy(raw).into_owned()),
            only_adds: asked.migration.only_adds(),
            elements: Vec::new(),
        });
    }

    /// How many values were recorded so far.
    pub(super) fn count(&self) -> usize {
        self.recorded.len()
    }

    /// Binds what was recorded since `since` to the array element that it was taken from, as that element is now.
    pub(super) fn bind(&mut self, since: usize, element: &str) {
        for entry in self.recorded.iter_mut().skip(since) {
            entry.elements.insert(0, element.to_owned());
        }
    }

    /// The side data for the document as it is now; `None` where nothing is kept.
    pub(super) fn write(self, version: Version, checksum: &str) -> Option<Vec<u8>> {
        let mut dropped: Vec<Entry> = self.offered.into_values().flatten().collect();
        for entry in self.recorded {
            if !dropped.contains(&entry) {
                dropped.push(entry);
            }
        }
        if dropped.is_empty() {
            return None;
        }
        let data = SideData {
            format_version: FORMAT,
            what: "values that a migration took out of the document beside this file; its next migration puts them back"
                .to_owned(),
            version,
            belongs_to: checksum.to_owned(),
            dropped,
        };
        let mut bytes = serde_json::to_vec_pretty(&data).ok()?;
        bytes.push(b'\n');
        Some(bytes)
    }
}
