//! An advisory lock that dies with its holders, and a note beside it that says who they are.

use std::fs::{File, OpenOptions, TryLockError};
use std::io;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::mpsc;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::{DurableError, replace};

/// Who holds a lock, as noted by the holder itself.
///
/// The note may be stale (it is not removed by a crash) and that is harmless: the lock decides, the note only gives the
/// loser a name to show.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Holder {
    /// Process id of the one that took the lock first; a supervisor may hold it by now.
    pub pid: u32,
    /// Name of its machine.
    pub host: String,
    /// The run it is held for.
    pub run_id: String,
    /// Since when, RFC 3339 UTC.
    pub since: jiff::Timestamp,
}

impl Holder {
    /// This process, now, for the given run.
    #[must_use]
    pub fn this_process(run_id: impl Into<String>) -> Self {
        Self {
            pid: std::process::id(),
            host: rustix::system::uname()
                .nodename()
                .to_string_lossy()
                .into_owned(),
            run_id: run_id.into(),
            since: jiff::Timestamp::now(),
        }
    }
}

/// Why a lock was not taken.
#[derive(Debug, thiserror::Error)]
pub enum LockError {
    /// Somebody else has it.
    #[error("take the lock {path}: it is held by {who}", path = path.display(), who = describe(.holder.as_ref()))]
    Held {
        /// The lock file.
        path: PathBuf,
        /// What the note beside it says, if it is there and readable.
        holder: Option<Holder>,
    },
    /// The file cannot be opened or locked.
    #[error("take the lock {path}: {source}", path = path.display())]
    Io {
        /// The lock file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The note beside the lock cannot be written.
    #[error(transparent)]
    Note(#[from] DurableError),
}

fn describe(holder: Option<&Holder>) -> String {
    match holder {
        Some(h) => format!(
            "run {} (process {} on {}, since {})",
            h.run_id, h.pid, h.host, h.since
        ),
        None => "another process".to_owned(),
    }
}

/// A held lock. It is released when the last copy of its open file is closed, in whatever process that copy is.
#[derive(Debug)]
pub struct Lock {
    file: File,
    path: PathBuf,
}

impl Lock {
    /// Takes the lock if nobody has it, and notes who did.
    ///
    /// # Errors
    /// [`LockError::Held`] names the holder; the others say what the system refused.
    pub fn try_acquire(path: &Path, holder: &Holder) -> Result<Self, LockError> {
        let file = open(path)?;
        match file.try_lock() {
            Ok(()) => Self::noted(file, path, holder),
            Err(TryLockError::WouldBlock) => Err(LockError::Held {
                path: path.to_owned(),
                holder: read_holder(path),
            }),
            Err(TryLockError::Error(source)) => Err(LockError::Io {
                path: path.to_owned(),
                source,
            }),
        }
    }

    /// As [`Lock::try_acquire`], but gives a holder that is about to leave up to `patience` to do so.
    ///
    /// # Errors
    /// As [`Lock::try_acquire`].
    pub fn acquire_within(
        path: &Path,
        holder: &Holder,
        patience: Duration,
    ) -> Result<Self, LockError> {
        match Self::try_acquire(path, holder) {
            Err(LockError::Held { .. }) => {}
            other => return other,
        }
        let file = open(path)?;
        let (sender, receiver) = mpsc::sync_channel(1);
        // The kernel wakes this thread when the lock is free. If the patience ends first nobody receives the file, and
        // the thread, whenever it gets the lock, drops it at once.
        std::thread::spawn(move || {
            let locked = file.lock().map(|()| file);
            drop(sender.send(locked));
        });
        match receiver.recv_timeout(patience) {
            Ok(Ok(file)) => Self::noted(file, path, holder),
            Ok(Err(source)) => Err(LockError::Io {
                path: path.to_owned(),
                source,
            }),
            Err(_) => Err(LockError::Held {
                path: path.to_owned(),
                holder: read_holder(path),
            }),
        }
    }

    fn noted(file: File, path: &Path, holder: &Holder) -> Result<Self, LockError> {
        let lock = Self {
            file,
            path: path.to_owned(),
        };
        lock.note(holder)?;
        Ok(lock)
    }

    /// Notes anew who holds the lock, once more is known of it.
    ///
    /// # Errors
    /// When the note cannot be written.
    pub fn note(&self, holder: &Holder) -> Result<(), LockError> {
        let note = serde_json::to_vec(holder).map_err(|error| LockError::Io {
            path: self.path.clone(),
            source: error.into(),
        })?;
        Ok(replace(&note_path(&self.path), &note, 0o600)?)
    }

    /// A copy of the open file as a child's standard input: the child then holds the lock as well.
    ///
    /// # Errors
    /// When the file descriptor cannot be duplicated.
    pub fn as_stdin(&self) -> io::Result<Stdio> {
        Ok(Stdio::from(self.file.try_clone()?))
    }

    /// The lock file.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Who holds the lock at `path` now, as far as it can be told; `None` if nobody does.
    ///
    /// # Errors
    /// When the lock file exists but cannot be opened or tried.
    pub fn holder(path: &Path) -> Result<Option<Option<Holder>>, LockError> {
        let failed = |source| LockError::Io {
            path: path.to_owned(),
            source,
        };
        let file = match File::open(path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            other => other.map_err(failed)?,
        };
        // A shared lock is enough to see whether an exclusive one is there, and two who look do not disturb each other.
        match file.try_lock_shared() {
            Ok(()) => Ok(None),
            Err(TryLockError::WouldBlock) => Ok(Some(read_holder(path))),
            Err(TryLockError::Error(source)) => Err(failed(source)),
        }
    }
}

fn open(path: &Path) -> Result<File, LockError> {
    OpenOptions::new()
        .read(true)
        .write(true)
        .create(true)
        .truncate(false)
        .mode(0o600)
        .open(path)
        .map_err(|source| LockError::Io {
            path: path.to_owned(),
            source,
        })
}

fn note_path(path: &Path) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(".holder");
    PathBuf::from(name)
}

fn read_holder(path: &Path) -> Option<Holder> {
    let bytes = std::fs::read(note_path(path)).ok()?;
    serde_json::from_slice(&bytes).ok()
}
