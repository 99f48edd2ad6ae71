//! What a database must be able to do to hold an index. A run calls these in their order.

use std::collections::BTreeMap;

use super::entry::Row;
use super::{IndexError, Stamp};

/// The format of the tables, as `manifest_index` records it.
pub(super) const FORMAT: &str = "1";

/// A file that changed within this time before it was read, in nanoseconds, is read again next time: a second change
/// could have the same times. Two seconds are the coarsest clock of a file system in use.
pub(super) const SETTLED_NS: i64 = 2_000_000_000;

/// What `manifest_index` records.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Origin {
    /// The tree's root, as text.
    pub(super) root: String,
    /// What the judge knew.
    pub(super) fingerprint: String,
}

/// What a run found when it began.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Before {
    /// There was no index.
    Nothing,
    /// The index of an earlier run.
    Origin {
        format: String,
        /// None if the rows that say so are not there.
        origin: Option<Origin>,
    },
}

/// A file of the walk, staged.
#[derive(Debug)]
pub(super) struct Staged {
    pub(super) path: String,
    pub(super) stamp: Stamp,
    /// Why it could not be looked at, if it could not.
    pub(super) message: Option<String>,
}

/// What comparing the walk with the index gave.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Settled {
    pub(super) found: u64,
    pub(super) removed: u64,
    pub(super) unchanged: u64,
    /// Files to read.
    pub(super) due: u64,
}

/// What the index holds.
#[derive(Debug, Default)]
pub(super) struct Totals {
    pub(super) manifests: u64,
    pub(super) problems: BTreeMap<String, u64>,
}

/// A database with an index, and the transaction of a run. Dropped before [`Store::commit`], nothing has happened.
pub(super) trait Store {
    /// Begins the transaction, takes the writer's lock, makes the tables if they are not there.
    fn begin(&mut self) -> Result<Before, IndexError>;

    /// Empties the index, whatever format it has.
    fn forget(&mut self) -> Result<(), IndexError>;

    /// Notes files of the walk. A path that comes twice counts once.
    fn stage(&mut self, files: &[Staged]) -> Result<(), IndexError>;

    /// Takes out what is gone, and finds what must be read: all files of the walk if `everything`.
    fn settle(&mut self, everything: bool, now_ns: i64) -> Result<Settled, IndexError>;

    /// The next files to read, in the order of their paths, at most so many; those after the given one.
    fn due(
        &mut self,
        after: Option<&str>,
        limit: usize,
    ) -> Result<Vec<(String, Stamp)>, IndexError>;

    /// Replaces whatever the index holds of these files.
    fn put(&mut self, rows: &[Row]) -> Result<(), IndexError>;

    /// Records what the index was made of, counts, and makes it all visible at once.
    fn commit(&mut self, origin: &Origin) -> Result<Totals, IndexError>;

    /// Every row as a line of JSON, in the order of the paths, without the time at which it was read: two indexes are
    /// equal if these lines are.
    fn dump(&mut self, line: &mut dyn FnMut(&str)) -> Result<(), IndexError>;
}
