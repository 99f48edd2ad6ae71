//! Bytes that must survive a crash: append and sync, durable replace, private folders, locks.
//!
//! Everything that the tool later relies on after a power cut goes through [`Disk`], a small seam that fault tests
//! replace. What the bytes mean is left to others (`run::journal`, `run::supervise`).
//!
//! Two rules are kept here so that no caller can forget them. A file whose append or sync failed once is *poisoned*: it
//! refuses everything that follows, because after a failed `fsync` the kernel may have dropped the dirty pages and a
//! second call would report a success that did not happen. And a file that is replaced is never half there: temporary
//! file in the same folder, sync, rename, sync of the folder.

mod lock;

use std::fmt::Debug;
use std::fs::{DirBuilder, File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::sync::Arc;

pub use lock::{Holder, Lock, LockError};

/// The operations that a crash or a full disk can hit, as one seam for fault tests.
pub trait Disk: Debug + Send + Sync {
    /// Writes all bytes at the end of the file.
    ///
    /// # Errors
    /// The error of the system call; some of the bytes may have been written.
    fn append(&self, file: &mut File, bytes: &[u8]) -> io::Result<()>;

    /// Forces the file's bytes (and its length) to the disk.
    ///
    /// # Errors
    /// The error of the system call; nothing may be assumed about the bytes then.
    fn sync_data(&self, file: &File) -> io::Result<()>;

    /// Renames a file over another one.
    ///
    /// # Errors
    /// The error of the system call.
    fn rename(&self, from: &Path, to: &Path) -> io::Result<()>;

    /// Forces the names in a folder to the disk.
    ///
    /// # Errors
    /// The error of the system call.
    fn sync_dir(&self, dir: &Path) -> io::Result<()>;
}

/// The machine's own disk.
#[derive(Debug, Clone, Copy, Default)]
pub struct RealDisk;

impl Disk for RealDisk {
    fn append(&self, file: &mut File, bytes: &[u8]) -> io::Result<()> {
        file.write_all(bytes)
    }

    fn sync_data(&self, file: &File) -> io::Result<()> {
        file.sync_data()
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        std::fs::rename(from, to)
    }

    fn sync_dir(&self, dir: &Path) -> io::Result<()> {
        File::open(dir)?.sync_all()
    }
}

/// Why a durable operation did not happen.
#[derive(Debug, thiserror::Error)]
pub enum DurableError {
    /// A system call failed.
    #[error("{doing} {path}: {source}", path = path.display())]
    Io {
        /// What was attempted, as in "write to".
        doing: &'static str,
        /// The file or folder.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// An earlier append or sync failed, so nothing more is written to this file.
    #[error(
        "write to {path}: an earlier write or sync failed ({first}), so what is on the disk is not certain any more; \
         nothing further is recorded there",
        path = path.display()
    )]
    Poisoned {
        /// The file.
        path: PathBuf,
        /// What the system said the first time.
        first: String,
    },
}

impl DurableError {
    fn io(doing: &'static str, path: &Path, source: io::Error) -> Self {
        Self::Io {
            doing,
            path: path.to_owned(),
            source,
        }
    }

    /// True if the disk (or the quota) is full.
    #[must_use]
    pub fn is_disk_full(&self) -> bool {
        matches!(self, Self::Io { source, .. }
            if matches!(source.kind(), io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded))
    }
}

/// A file that only grows, and that never lies about what is on the disk.
///
/// Mode 0600, created if missing (then the folder is synced too, so that the name survives as well).
#[derive(Debug)]
pub struct AppendFile {
    disk: Arc<dyn Disk>,
    path: PathBuf,
    file: File,
    len: u64,
    dirty: bool,
    failed: Option<String>,
}

impl AppendFile {
    /// Opens or creates the file on the machine's disk.
    ///
    /// # Errors
    /// When it cannot be opened or the folder cannot be synced.
    pub fn open(path: &Path) -> Result<Self, DurableError> {
        Self::open_on(Arc::new(RealDisk), path)
    }

    /// Opens or creates the file on the given disk.
    ///
    /// # Errors
    /// When it cannot be opened or the folder cannot be synced.
    pub fn open_on(disk: Arc<dyn Disk>, path: &Path) -> Result<Self, DurableError> {
        let options = || {
            let mut options = OpenOptions::new();
            options.append(true).read(true).mode(0o600);
            options
        };
        let file = match options().open(path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                let file = options()
                    .create(true)
                    .open(path)
                    .map_err(|e| DurableError::io("create", path, e))?;
                // The umask may have taken bits away, never added any; this restores the exact mode.
                file.set_permissions(std::fs::Permissions::from_mode(0o600))
                    .map_err(|e| DurableError::io("set the mode of", path, e))?;
                let dir = folder_of(path);
                disk.sync_dir(dir)
                    .map_err(|e| DurableError::io("sync", dir, e))?;
                file
            }
            other => other.map_err(|e| DurableError::io("open", path, e))?,
        };
        let len = file
            .metadata()
            .map_err(|e| DurableError::io("read the length of", path, e))?
            .len();
        Ok(Self {
            disk,
            path: path.to_owned(),
            file,
            len,
            dirty: false,
            failed: None,
        })
    }

    /// Cuts a torn tail off, durably. Only for the moment after opening.
    ///
    /// # Errors
    /// When the file cannot be cut or synced; it is poisoned then.
    pub fn truncate_to(&mut self, len: u64) -> Result<(), DurableError> {
        self.refuse_if_poisoned()?;
        if let Err(error) = self.file.set_len(len) {
            return Err(self.poison("shorten", error));
        }
        self.len = len;
        self.dirty = true;
        self.sync()
    }

    /// Writes the bytes at the end. They are durable only after [`AppendFile::sync`].
    ///
    /// # Errors
    /// When the write fails (some of the bytes may be there) or an earlier one did; the file is poisoned.
    pub fn append(&mut self, bytes: &[u8]) -> Result<(), DurableError> {
        self.refuse_if_poisoned()?;
        if let Err(error) = self.disk.append(&mut self.file, bytes) {
            return Err(self.poison("write to", error));
        }
        self.len += bytes.len() as u64;
        self.dirty = true;
        Ok(())
    }

    /// Forces everything appended so far to the disk; does nothing when there is nothing new.
    ///
    /// # Errors
    /// When the sync fails or something failed before; the file is poisoned and the sync is never tried again.
    pub fn sync(&mut self) -> Result<(), DurableError> {
        self.refuse_if_poisoned()?;
        if !self.dirty {
            return Ok(());
        }
        if let Err(error) = self.disk.sync_data(&self.file) {
            return Err(self.poison("sync", error));
        }
        self.dirty = false;
        Ok(())
    }

    /// The length in bytes, counting what is appended but not synced yet.
    #[must_use]
    pub fn len(&self) -> u64 {
        self.len
    }

    /// True if nothing was ever written.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Where the file is.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The open file, for locking or reading it.
    #[must_use]
    pub fn file(&self) -> &File {
        &self.file
    }

    fn refuse_if_poisoned(&self) -> Result<(), DurableError> {
        match &self.failed {
            None => Ok(()),
            Some(first) => Err(DurableError::Poisoned {
                path: self.path.clone(),
                first: first.clone(),
            }),
        }
    }

    fn poison(&mut self, doing: &'static str, error: io::Error) -> DurableError {
        self.failed = Some(error.to_string());
        DurableError::io(doing, &self.path, error)
    }
}

/// Replaces (or creates) a file so that a crash leaves the old bytes or the new ones, never a mixture.
///
/// `mode` is set exactly, whatever the umask.
///
/// # Errors
/// When any step fails; the old file is untouched then, unless only the last sync of the folder failed.
pub fn replace(path: &Path, bytes: &[u8], mode: u32) -> Result<(), DurableError> {
    replace_on(&RealDisk, path, bytes, mode)
}

/// [`replace`] on the given disk.
///
/// # Errors
/// As [`replace`].
pub fn replace_on(
    disk: &dyn Disk,
    path: &Path,
    bytes: &[u8],
    mode: u32,
) -> Result<(), DurableError> {
    let dir = folder_of(path);
    let mut temporary = tempfile::Builder::new()
        .prefix(".replace-")
        .tempfile_in(dir)
        .map_err(|e| DurableError::io("create a temporary file in", dir, e))?;
    let failed = |doing, error| DurableError::io(doing, path, error);
    disk.append(temporary.as_file_mut(), bytes)
        .map_err(|e| failed("write the new content of", e))?;
    temporary
        .as_file()
        .set_permissions(std::fs::Permissions::from_mode(mode))
        .map_err(|e| failed("set the mode of", e))?;
    disk.sync_data(temporary.as_file())
        .map_err(|e| failed("sync the new content of", e))?;
    // The name goes only when the rename has happened; until then dropping it removes the temporary file.
    let temporary = temporary.into_temp_path();
    disk.rename(&temporary, path)
        .map_err(|e| failed("put the new content in place of", e))?;
    // It has been renamed away: there is nothing left to remove under the temporary name.
    let _ = temporary.keep();
    disk.sync_dir(dir)
        .map_err(|e| DurableError::io("sync", dir, e))
}

/// Forces the names in a folder to the disk.
///
/// # Errors
/// When the folder cannot be opened or synced.
pub fn sync_dir(dir: &Path) -> Result<(), DurableError> {
    RealDisk
        .sync_dir(dir)
        .map_err(|e| DurableError::io("sync", dir, e))
}

/// Creates a folder and its missing parents, each 0700 whatever the umask. One that exists is left as it is.
///
/// # Errors
/// When a folder cannot be created, or something else has the name.
pub fn create_dir_private(dir: &Path) -> Result<(), DurableError> {
    if dir.is_dir() {
        return Ok(());
    }
    if let Some(parent) = dir.parent()
        && !parent.as_os_str().is_empty()
    {
        create_dir_private(parent)?;
    }
    match DirBuilder::new().mode(0o700).create(dir) {
        Ok(()) => {
            // Changing the mode costs as much as making the folder, and only an odd umask makes it necessary.
            let failed = |e| DurableError::io("set the mode of", dir, e);
            let mode = std::fs::metadata(dir).map_err(failed)?.permissions().mode();
            if mode & 0o777 == 0o700 {
                return Ok(());
            }
            std::fs::set_permissions(dir, std::fs::Permissions::from_mode(0o700)).map_err(failed)
        }
        // Somebody else was quicker.
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists && dir.is_dir() => Ok(()),
        Err(error) => Err(DurableError::io("create the folder", dir, error)),
    }
}

fn folder_of(path: &Path) -> &Path {
    match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    }
}

#[cfg(test)]
mod tests;
