//! The file side of a manifest migration: a tree of files is walked, changed, restored and tidied so that a crash at any
//! moment loses nothing.
//!
//! What a document means is left to a closure: bytes in, bytes out. This room answers for the rest.
//!
//! * **A file is old or new, and whole.** New bytes go to a temporary file, the old inode gets a second name (the
//!   backup), both are on the disk before the rename, and the rename is on the disk before the run's record says so.
//! * **Nothing outside of the root.** Every operation names one component below an open directory; links are never
//!   followed; a directory that was swapped since the walk is recognised.
//! * **Nobody's change is lost.** A file that changed after it was read is not overwritten; one that changes while it is
//!   replaced is put back.
//! * **The same again converges.** A run that was killed is continued by the same call, with the time it was first
//!   started, and ends in the same tree as if nothing had happened.
//!
//! What cannot be promised: somebody who keeps the old file open and writes to it after its batch was finished writes
//! into the backup, as with every replacement by rename. A directory that is moved while its file waits for the rename
//! keeps a temporary file (`.orchestrate-new.*`), which the next run over it sweeps.

mod disk;
mod engine;
mod look;
mod migrate;
mod names;
mod problem;
mod prune;
mod record;
mod restore;
mod scan;
mod space;
mod stage;
mod tree;
mod walk;
mod work;

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

pub use disk::{Durability, Looks, TreeDisk};
pub use engine::{change, history_of, trace_of};
pub use look::{Look, Seen};
pub use migrate::{Counts, Ended, MigrateError, Options, Summary, dry_run, migrate};
pub use problem::{Class, Problem};
pub use prune::{PruneOptions, Pruned, prune};
pub use record::{EndFile, EndState, Entry, FORMAT_VERSION, Listed, RecordError, RunFile, Runs};
pub use restore::{RestoreOptions, Restored, Scope, Trace, restore};
pub use scan::{ScanError, Scanned, scan};
pub use space::Space;
pub use tree::LARGEST;
pub use walk::Matcher;

/// Which files are meant, and where the records of runs are.
#[derive(Debug, Clone)]
pub struct Place {
    /// The tree.
    pub root: PathBuf,
    /// The state folder, usually `<root>/.orchestrate`.
    pub state: PathBuf,
    /// Which files of the tree.
    pub matcher: Matcher,
    /// Nothing but this one, relative to the root or below it.
    pub only: Option<PathBuf>,
    /// How many threads work on files; 0 counts as 1.
    pub workers: usize,
    /// The disk, which tests replace.
    pub disk: Arc<dyn TreeDisk>,
}

impl Place {
    /// The default pattern.
    pub const PATTERN: &'static str = "**/manifest.json";

    /// All matching files of a tree, its state beside them, two workers, the machine's disk.
    #[must_use]
    pub fn new(root: impl Into<PathBuf>, matcher: Matcher) -> Self {
        let root = root.into();
        Self {
            state: root.join(".orchestrate"),
            root,
            matcher,
            only: None,
            workers: 2,
            disk: Arc::new(crate::base::durable::RealDisk),
        }
    }

    /// Opens the root.
    fn open(&self) -> Result<tree::Root, std::io::Error> {
        tree::Root::open(&self.root)
    }

    /// `only`, relative to the root.
    fn only(&self, root: &tree::Root) -> Option<PathBuf> {
        let only = self.only.as_deref()?;
        let relative = only
            .strip_prefix(&self.root)
            .or_else(|_| only.strip_prefix(root.path()))
            .unwrap_or(only);
        Some(relative.components().collect())
    }

    /// The identity of the state folder, which is never walked.
    fn closed(&self) -> Option<tree::DirId> {
        use std::os::fd::AsFd;
        let dir = std::fs::File::open(&self.state).ok()?;
        tree::DirId::of(dir.as_fd()).ok()
    }
}

/// A document, as the closure gets it.
#[derive(Debug, Clone, Copy)]
pub struct Input<'a> {
    /// Relative to the root.
    pub path: &'a Path,
    /// Its bytes.
    pub text: &'a [u8],
    /// The bytes of the side file `X.dropped`, if it is there.
    pub kept: Option<&'a [u8]>,
    /// When the run was first started: the same for all files, also after it was killed and continued.
    pub at: jiff::Timestamp,
}

/// What is to happen to a document.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Change {
    /// Nothing: it has the version already.
    Current {
        /// Which.
        version: String,
    },
    /// It gets new bytes.
    Migrated(New),
}

/// A document's new bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct New {
    /// The document.
    pub text: Vec<u8>,
    /// Version before.
    pub from: String,
    /// Version after.
    pub to: String,
    /// What becomes of the side file `X.dropped`.
    pub side: Side,
}

/// What becomes of a manifest's side file. One that was there and goes or is replaced gets a backup of its own
/// (`X.dropped.backup`, named as those of manifests are).
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Side {
    /// It stays as it is, there or not.
    Leave,
    /// It has these bytes.
    Write(Vec<u8>),
    /// It goes.
    Remove,
}

/// Why a document is left alone, as the closure says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    /// A stable name for tables and JSON, as in "corrupted".
    pub class: String,
    /// One sentence without the path.
    pub message: String,
    /// Line and column (from 1) in the document.
    pub place: Option<(usize, usize)>,
}

impl Refusal {
    fn into_problem(self, path: &Path) -> Problem {
        let mut problem = Problem::new(path, Class::Refused(self.class), self.message);
        problem.place = self.place;
        problem
    }
}

/// How far the work is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Progress {
    /// Files looked at.
    pub done: u64,
    /// Files that match.
    pub total: u64,
    /// Bytes of the files looked at.
    pub bytes: u64,
    /// Files changed, for certain.
    pub changed: u64,
    /// Files left alone for a reason.
    pub failed: u64,
}

/// Is told what happens, always on the calling thread and in the order of the walk.
pub trait Watch {
    /// A file was left alone for a reason.
    fn problem(&mut self, problem: &Problem) {
        let _ = problem;
    }

    /// A file is changed, and that is on the disk.
    fn changed(&mut self, path: &Path, from: &str, to: &str) {
        let _ = (path, from, to);
    }

    /// A file would be changed (dry run).
    fn would_change(&mut self, path: &Path, old: &[u8], new: &New) {
        let _ = (path, old, new);
    }

    /// At most every 100 ms, and at the end.
    fn progress(&mut self, progress: &Progress) {
        let _ = progress;
    }
}

/// Watches nothing.
impl Watch for () {}

/// Hands progress on, but not too often.
#[derive(Debug, Default)]
struct Ticker {
    last: Option<Instant>,
}

impl Ticker {
    const EVERY: Duration = Duration::from_millis(100);

    fn tick(&mut self, watch: &mut dyn Watch, progress: &Progress) {
        if self.last.is_none_or(|l| l.elapsed() >= Self::EVERY) {
            self.last = Some(Instant::now());
            watch.progress(progress);
        }
    }
}

#[cfg(test)]
mod tests;
