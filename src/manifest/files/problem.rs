//! A file that was left alone, and why.

use std::ffi::OsStr;
use std::io;
use std::path::{Path, PathBuf};

use rustix::fs::FileType;

/// The kind of reason, with a stable name for tables and JSON.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[non_exhaustive]
pub enum Class {
    /// The system does not let us read or write it.
    NoPermission,
    /// It was there when the tree was walked, and is not any more.
    Vanished,
    /// A symbolic link has the name of a manifest. Links are never followed.
    Symlink,
    /// A FIFO, socket or device has the name of a manifest.
    Special,
    /// It is larger than [`LARGEST`](super::LARGEST).
    TooLarge,
    /// It changed between reading and writing; the changed file stands.
    ChangedMeanwhile,
    /// A directory on the way was replaced since it was walked.
    Swapped,
    /// Every name that a backup may have is taken by other bytes.
    BackupTaken,
    /// The disk or the quota is full.
    DiskFull,
    /// The file system is read-only.
    ReadOnly,
    /// It was written, but the system would not confirm that it is on the disk.
    NotDurable,
    /// The backup is not there (restore), or not the one that was made.
    NoBackup,
    /// The manifest is not what the migration wrote (restore).
    ChangedSince,
    /// Any other error of the system.
    Io,
    /// The transform said no; the name is its own, as in "corrupted".
    Refused(String),
}

impl Class {
    /// Its stable name.
    #[must_use]
    pub fn name(&self) -> &str {
        match self {
            Self::NoPermission => "no_permission",
            Self::Vanished => "vanished",
            Self::Symlink => "symlink",
            Self::Special => "special_file",
            Self::TooLarge => "too_large",
            Self::ChangedMeanwhile => "changed_meanwhile",
            Self::Swapped => "swapped",
            Self::BackupTaken => "backup_taken",
            Self::DiskFull => "disk_full",
            Self::ReadOnly => "read_only",
            Self::NotDurable => "not_durable",
            Self::NoBackup => "no_backup",
            Self::ChangedSince => "changed_since",
            Self::Io => "io",
            Self::Refused(name) => name,
        }
    }

    /// True if the file could not be read as a regular file at all (the `unreadable` of the counts).
    #[must_use]
    pub const fn is_unreadable(&self) -> bool {
        matches!(
            self,
            Self::NoPermission
                | Self::Vanished
                | Self::Symlink
                | Self::Special
                | Self::TooLarge
                | Self::Swapped
                | Self::Io
        )
    }

    fn of(error: &io::Error) -> Self {
        match error.kind() {
            io::ErrorKind::PermissionDenied => Self::NoPermission,
            io::ErrorKind::NotFound => Self::Vanished,
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => Self::DiskFull,
            io::ErrorKind::ReadOnlyFilesystem => Self::ReadOnly,
            io::ErrorKind::NotADirectory => Self::Swapped,
            _ if rustix::io::Errno::from_io_error(error) == Some(rustix::io::Errno::LOOP) => {
                Self::Swapped
            }
            _ => Self::Io,
        }
    }
}

/// A file that was left alone, and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// Relative to the root.
    pub path: PathBuf,
    /// The kind of reason.
    pub class: Class,
    /// One sentence without the path.
    pub message: String,
    /// Line and column (from 1) in the file, where the reason has a place.
    pub place: Option<(usize, usize)>,
}

impl Problem {
    pub(super) fn new(name: impl AsRef<Path>, class: Class, message: impl Into<String>) -> Self {
        Self {
            path: name.as_ref().to_owned(),
            class,
            message: message.into(),
            place: None,
        }
    }

    /// An error of the system; `doing` as in "open it".
    pub(super) fn io(name: impl AsRef<Path>, doing: &str, error: io::Error) -> Self {
        let class = Class::of(&error);
        let message = match class {
            Class::Vanished => "it is gone since the tree was walked".to_owned(),
            Class::Swapped => {
                "something on its path is no longer the directory that was walked".to_owned()
            }
            Class::DiskFull => format!("the disk is full: failed to {doing}: {error}"),
            _ => format!("failed to {doing}: {error}"),
        };
        Self::new(name, class, message)
    }

    pub(super) fn symlink(name: &OsStr) -> Self {
        Self::new(
            name,
            Class::Symlink,
            "it is a symbolic link, and links are never followed",
        )
    }

    pub(super) fn special(name: &OsStr, kind: FileType) -> Self {
        let what = match kind {
            FileType::Fifo => "a FIFO",
            FileType::Socket => "a socket",
            FileType::CharacterDevice | FileType::BlockDevice => "a device",
            FileType::Directory => "a directory",
            _ => "no regular file",
        };
        Self::new(name, Class::Special, format!("it is {what}, not a file"))
    }

    pub(super) fn too_large(name: &OsStr, size: u64) -> Self {
        Self::new(
            name,
            Class::TooLarge,
            format!(
                "it has {size} bytes; a manifest has at most {} (256 MiB)",
                super::LARGEST
            ),
        )
    }

    /// The same in the given directory.
    #[must_use]
    pub(super) fn at(mut self, path: &Path) -> Self {
        path.clone_into(&mut self.path);
        self
    }
}
