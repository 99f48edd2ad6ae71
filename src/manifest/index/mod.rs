//! The index: what the manifests of a tree say, in tables that can be asked.
//!
//! The files are the truth and the index is a copy: it can be dropped and built again at any time, and whether it was
//! built at once or brought up to date a hundred times makes no difference to what it holds. It lives in SQLite (a file
//! in the tree, the default) or in PostgreSQL (by URL), in three tables:
//!
//! | table | a row is |
//! | --- | --- |
//! | `manifests` | a manifest: its path in the tree, kind, version, usual fields, size, time, SHA-256, the document |
//! | `manifest_problems` | a file that should be a manifest and is not: corrupted, of an unknown version, unreadable |
//! | `manifest_index` | what the index was made of: its own format, the tree, the versions that were known |
//!
//! [`update`] does a run. It takes the tree as an iterator of [`Found`], and two functions: one reads a file, the other
//! says what the bytes are. So this room knows neither how a tree is walked nor what a version is.
//!
//! * **One transaction.** A reader sees the index as it was before the run or as it is after it; a run that is killed
//!   has not happened. The exception is stated where it is: a SQLite index that is being built for the first time makes
//!   readers wait.
//! * **Flat memory.** The walk is staged in a temporary table, files are read in batches of a few megabytes.
//! * **What is unchanged is not read.** A file whose size, times and inode are as recorded is skipped, unless it changed
//!   so shortly before it was last read that a second change could hide behind the same time.
//! * **Nothing is lost silently.** Where a database cannot hold a document as JSON, or would spell its numbers
//!   otherwise, the column `text` keeps the exact text and `note` says why.
//!
//! Table names are looked up on the connection's `search_path` in PostgreSQL, so an index can live in a schema of its
//! own: `postgres://host/db?options=-csearch_path%3Dorchestrate`.

mod entry;
mod folder;
mod odd;
mod path;
#[cfg(feature = "postgres")]
mod postgres;
#[cfg(feature = "sqlite")]
mod sqlite;
mod store;
mod target;
mod work;

use std::collections::BTreeMap;
use std::fs::Metadata;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

pub use target::Target;
pub use work::{dump, update};

/// A file that the walk came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Found {
    /// A file whose name says that it is a manifest.
    Manifest {
        /// Where it is, from the tree's root.
        path: PathBuf,
        /// Its state when the walk saw it.
        stamp: Stamp,
    },
    /// A file or folder that could not be looked at.
    Unreadable {
        /// Where it is, from the tree's root.
        path: PathBuf,
        /// What the system said.
        message: String,
    },
}

/// The state of a file, by which a change is noticed without reading it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Stamp {
    /// Its length in bytes.
    pub size: u64,
    /// When its bytes were last written, in nanoseconds since 1970.
    pub mtime_ns: i64,
    /// When its bytes, mode, owner or names last changed, in nanoseconds since 1970.
    pub ctime_ns: i64,
    /// Its number in the file system; a file that is replaced gets another one.
    pub inode: u64,
}

impl Stamp {
    /// The stamp of a file.
    #[must_use]
    pub fn of(metadata: &Metadata) -> Self {
        let nanoseconds =
            |seconds: i64, rest: i64| seconds.saturating_mul(1_000_000_000).saturating_add(rest);
        Self {
            size: metadata.size(),
            mtime_ns: nanoseconds(metadata.mtime(), metadata.mtime_nsec()),
            ctime_ns: nanoseconds(metadata.ctime(), metadata.ctime_nsec()),
            inode: metadata.ino(),
        }
    }
}

/// What reading a file gave.
#[derive(Debug)]
pub enum Reading {
    /// Its bytes, and its state when they were read (asked of the open file, not of the name).
    Bytes {
        /// All of the file.
        bytes: Vec<u8>,
        /// The state of the file that the bytes are from.
        stamp: Stamp,
    },
    /// There is no such file any more.
    Gone,
    /// It is there and cannot be read; what the system said.
    Unreadable(String),
}

/// What the bytes of a file are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Judged {
    /// The kind of document: `run_manifest`.
    pub kind: String,
    /// Its version: `1.2.0`.
    pub version: String,
}

/// Why the bytes of a file are no manifest.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Objection {
    /// In a word: `corrupted`, `unknown_version`, `no_version`.
    pub class: String,
    /// In a sentence.
    pub message: String,
    /// Line and column, counted from one, where there is a place.
    pub place: Option<(u64, u64)>,
}

/// Says what the bytes of a file are.
type Judge<'a> = &'a (dyn Fn(&Path, &[u8]) -> Result<Judged, Objection> + Sync);

/// What a run works on. The functions are called from several threads.
#[derive(Clone, Copy)]
pub struct Source<'a> {
    /// Reads a file, given its path from the tree's root.
    pub read: &'a (dyn Fn(&Path) -> Reading + Sync),
    /// Says what the bytes of a file are.
    pub judge: Judge<'a>,
    /// The time now, in nanoseconds since 1970.
    pub now_ns: &'a (dyn Fn() -> i64 + Sync),
}

/// How a run goes about it.
#[derive(Debug, Clone)]
pub struct Settings {
    /// The tree's root, as an absolute path. An index is of one tree.
    pub root: PathBuf,
    /// What [`Source::judge`] knows: a digest of kinds and migrations. If it differs from the last run's, every file is
    /// judged anew, as a version that was unknown may be known now.
    pub fingerprint: String,
    /// Forget everything first: every file is read.
    pub rebuild: bool,
    /// How many threads read and judge, at least one.
    pub workers: usize,
}

/// How far a run is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Progress {
    /// The tree is being walked.
    Walking {
        /// Files found so far.
        found: u64,
    },
    /// Files that are new or changed are being read.
    Reading {
        /// How many are done.
        done: u64,
        /// How many there are to do.
        due: u64,
    },
}

/// What a run did, and what the index holds after it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Report {
    /// Files that the walk found, unreadable ones among them.
    pub found: u64,
    /// Files that were as recorded and were not read.
    pub unchanged: u64,
    /// Files that were read (or tried) in this run.
    pub read: u64,
    /// Entries that were taken out because their files are gone.
    pub removed: u64,
    /// Manifests that the index holds now.
    pub manifests: u64,
    /// Problems that the index holds now, by class.
    pub problems: BTreeMap<String, u64>,
    /// Why every file was read although no rebuild was asked for.
    pub because: Option<&'static str>,
}

/// Why a run of the index did not happen. The index is as it was before.
#[derive(Debug, thiserror::Error)]
pub enum IndexError {
    /// The words after `--database` (or in the variable) are no database.
    #[error("understand the database `{target}`: {why}")]
    Target {
        /// What was given, its password masked.
        target: String,
        /// What is wrong with it.
        why: String,
    },
    /// This build has no driver for it.
    #[error(
        "open `{target}`: this build has no {what} driver; build it with `--features {feature}`"
    )]
    NotBuilt {
        /// What was given, its password masked.
        target: String,
        /// The database's name.
        what: &'static str,
        /// The feature to build with.
        feature: &'static str,
    },
    /// Another run of the index is writing.
    #[error(
        "write to the index in `{target}`: another run is writing to it; the index is as that run leaves it, so wait for \
         it and run this again"
    )]
    Busy {
        /// The database, its password masked.
        target: String,
    },
    /// There is a table of that name that is not ours.
    #[error(
        "keep an index in `{target}`: it has a table `{table}` that this tool did not make, and which it will not touch; \
         give another database (or, in PostgreSQL, another schema: `?options=-csearch_path%3DNAME`)"
    )]
    Foreign {
        /// The database, its password masked.
        target: String,
        /// The table.
        table: String,
    },
    /// The index is of another tree.
    #[error(
        "bring the index in `{target}` up to date: it is of the tree {indexed}, not of {wanted}; nothing was changed; give \
         another database, or `--rebuild` if the tree has moved"
    )]
    OtherTree {
        /// The database, its password masked.
        target: String,
        /// The tree that it is of.
        indexed: String,
        /// The tree that was asked for.
        wanted: String,
    },
    /// The index was made by another version of this tool.
    #[error(
        "read the index in `{target}`: it has format {found}, this version knows format {known}; run it with `--rebuild`"
    )]
    Format {
        /// The database, its password masked.
        target: String,
        /// The format that it has.
        found: String,
        /// The format that this version knows.
        known: &'static str,
    },
    /// The folder for the default database cannot be used.
    #[error("make the folder {path} for the index: {why}", path = path.display())]
    Folder {
        /// The folder.
        path: PathBuf,
        /// What is in the way.
        why: String,
    },
    /// The database could not be reached.
    #[error("connect to `{target}`: {message}")]
    Connect {
        /// The database, its password masked.
        target: String,
        /// What the driver said, its password masked.
        message: String,
    },
    /// The database said no.
    #[error("{doing} in `{target}`: {message}; the index is as it was before")]
    Database {
        /// The database, its password masked.
        target: String,
        /// What was attempted, as in "write manifests".
        doing: &'static str,
        /// What the database said, passwords masked.
        message: String,
    },
}

impl IndexError {
    /// The exit code that fits (SPEC section 10): 2 for a target that makes no sense, 9 where the run was refused before
    /// anything changed, else 1.
    #[must_use]
    pub fn exit_code(&self) -> u8 {
        match self {
            Self::Target { .. } | Self::NotBuilt { .. } => 2,
            Self::Busy { .. }
            | Self::Foreign { .. }
            | Self::OtherTree { .. }
            | Self::Format { .. } => 9,
            Self::Folder { .. } | Self::Connect { .. } | Self::Database { .. } => 1,
        }
    }
}
