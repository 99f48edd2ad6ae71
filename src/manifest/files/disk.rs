//! The operations that change a tree, as one seam for fault tests, and the way in which batches are made durable.
//!
//! It extends [`base::durable::Disk`](crate::base::durable::Disk) by operations relative to an open directory: a name is
//! always one component, so nothing that happens to the path above can redirect an operation.
//!
//! Why `syncfs` is the default (measured on ext4, two threads, 10,000 files of 4 KB in as many directories; microseconds
//! a file): a bare loop with two `fsync`s a file 660 to 1160; `fdatasync` of each file and `fsync` of each directory in
//! batches 270; one `syncfs` for the files and one for the names of a batch 85 to 135. `syncfs` also writes what other
//! programs left dirty on that file system, so a batch that waits absurdly long makes the rest of the run sync file by
//! file. It is used only where the kernel reports write errors through it (Linux 5.8) and the file system is known to
//! honour it.

use std::ffi::OsStr;
use std::fs::File;
use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::time::Duration;

use rustix::fs::{AtFlags, Mode, OFlags, Timespec, Timestamps};

use super::tree::Stamp;
use crate::base::durable::{Disk, RealDisk};

/// What a file looks like to its directory: mode, owner, times.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Looks {
    /// Permission bits, with set-id and sticky bits.
    pub mode: u32,
    /// Owner.
    pub uid: u32,
    /// Group.
    pub gid: u32,
    /// Modification time: seconds and nanoseconds since the epoch. `None` leaves the time as it is.
    pub mtime: Option<(i64, u32)>,
}

/// Changes to a tree that a crash or a full disk can hit. Names are single components below the open directory.
pub trait TreeDisk: Disk {
    /// Creates an empty file (mode 0600) that did not exist.
    ///
    /// # Errors
    /// The error of the system call; "already exists" if the name is taken, by whatever.
    fn create(&self, dir: BorrowedFd<'_>, name: &OsStr) -> io::Result<File>;

    /// Gives a file the looks and the extended attributes (access control lists are such) of another one.
    ///
    /// # Errors
    /// The error of the system call.
    fn dress(&self, file: &File, looks: Looks, like: Option<&File>) -> io::Result<()>;

    /// Gives a file a second name in the same directory.
    ///
    /// # Errors
    /// The error of the system call.
    fn link(&self, dir: BorrowedFd<'_>, from: &OsStr, to: &OsStr) -> io::Result<()>;

    /// Renames within a directory, over what has the new name.
    ///
    /// # Errors
    /// The error of the system call.
    fn rename_in(&self, dir: BorrowedFd<'_>, from: &OsStr, to: &OsStr) -> io::Result<()>;

    /// Lets two names of a directory change places, at once.
    ///
    /// # Errors
    /// The error of the system call: `EINVAL`, `ENOSYS` or `ENOTSUP` where it cannot be done.
    fn exchange(&self, dir: BorrowedFd<'_>, one: &OsStr, other: &OsStr) -> io::Result<()>;

    /// Removes a name.
    ///
    /// # Errors
    /// The error of the system call.
    fn remove(&self, dir: BorrowedFd<'_>, name: &OsStr) -> io::Result<()>;

    /// Forces an open directory's names to the disk.
    ///
    /// # Errors
    /// The error of the system call.
    fn sync_names(&self, dir: BorrowedFd<'_>) -> io::Result<()>;

    /// Forces the whole file system to the disk. The descriptor must have been open since before the writes: errors of
    /// writing are reported to descriptors that were open when they happened.
    ///
    /// # Errors
    /// The error of the system call.
    fn sync_filesystem(&self, dir: BorrowedFd<'_>) -> io::Result<()>;

    /// The size of the file system, and what is free on it for this user, in bytes.
    ///
    /// # Errors
    /// The error of the system call.
    fn room(&self, dir: BorrowedFd<'_>) -> io::Result<(u64, u64)>;
}

impl TreeDisk for RealDisk {
    fn create(&self, dir: BorrowedFd<'_>, name: &OsStr) -> io::Result<File> {
        let flags =
            OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let mode = Mode::RUSR | Mode::WUSR;
        Ok(File::from(rustix::fs::openat(dir, name, flags, mode)?))
    }

    fn dress(&self, file: &File, looks: Looks, like: Option<&File>) -> io::Result<()> {
        let now = rustix::fs::fstat(file)?;
        if (now.st_uid, now.st_gid) != (looks.uid, looks.gid) {
            let owner = rustix::fs::Uid::from_raw(looks.uid);
            let group = rustix::fs::Gid::from_raw(looks.gid);
            rustix::fs::fchown(file, Some(owner), Some(group))?;
        }
        if now.st_mode & 0o7777 != looks.mode {
            rustix::fs::fchmod(file, Mode::from_raw_mode(looks.mode))?;
        }
        if let Some(like) = like {
            copy_attributes(like, file)?;
        }
        if let Some((seconds, nanoseconds)) = looks.mtime
            && Stamp::of(&now).mtime != (seconds, nanoseconds)
        {
            let time = Timespec {
                tv_sec: seconds,
                tv_nsec: nanoseconds.into(),
            };
            let times = Timestamps {
                last_access: time,
                last_modification: time,
            };
            rustix::fs::futimens(file, &times)?;
        }
        Ok(())
    }

    fn link(&self, dir: BorrowedFd<'_>, from: &OsStr, to: &OsStr) -> io::Result<()> {
        Ok(rustix::fs::linkat(dir, from, dir, to, AtFlags::empty())?)
    }

    fn rename_in(&self, dir: BorrowedFd<'_>, from: &OsStr, to: &OsStr) -> io::Result<()> {
        Ok(rustix::fs::renameat(dir, from, dir, to)?)
    }

    fn exchange(&self, dir: BorrowedFd<'_>, one: &OsStr, other: &OsStr) -> io::Result<()> {
        let flags = rustix::fs::RenameFlags::EXCHANGE;
        Ok(rustix::fs::renameat_with(dir, one, dir, other, flags)?)
    }

    fn remove(&self, dir: BorrowedFd<'_>, name: &OsStr) -> io::Result<()> {
        Ok(rustix::fs::unlinkat(dir, name, AtFlags::empty())?)
    }

    fn sync_names(&self, dir: BorrowedFd<'_>) -> io::Result<()> {
        Ok(rustix::fs::fsync(dir)?)
    }

    fn sync_filesystem(&self, dir: BorrowedFd<'_>) -> io::Result<()> {
        Ok(rustix::fs::syncfs(dir)?)
    }

    fn room(&self, dir: BorrowedFd<'_>) -> io::Result<(u64, u64)> {
        let stat = rustix::fs::fstatvfs(dir)?;
        let bytes = |blocks: u64| blocks.saturating_mul(stat.f_frsize);
        // As df reckons its percentage: what is reserved for root is neither used nor free.
        let used = stat.f_blocks.saturating_sub(stat.f_bfree);
        let total = used.saturating_add(stat.f_bavail);
        Ok((bytes(total), bytes(stat.f_bavail)))
    }
}

/// Whether a file system cannot let names change places.
pub(super) fn no_exchange(error: &io::Error) -> bool {
    use rustix::io::Errno;
    matches!(
        Errno::from_io_error(error),
        Some(Errno::INVAL | Errno::NOSYS | Errno::NOTSUP)
    )
}

/// Copies extended attributes. What the system itself labels (`security.*`) is tried and may stay as it is.
fn copy_attributes(from: &File, to: &File) -> io::Result<()> {
    use rustix::io::Errno;
    let mut names = vec![0_u8; 4096];
    let len = loop {
        match rustix::fs::flistxattr(from, names.as_mut_slice()) {
            Ok(len) => break len,
            Err(Errno::RANGE) if names.len() < 1 << 20 => names.resize(names.len() * 4, 0),
            Err(Errno::NOTSUP | Errno::NOSYS) => return Ok(()),
            Err(error) => return Err(error.into()),
        }
    };
    for name in names[..len].split(|b| *b == 0).filter(|n| !n.is_empty()) {
        let mut value = vec![0_u8; 64 * 1024];
        let len = match rustix::fs::fgetxattr(from, name, value.as_mut_slice()) {
            Ok(len) => len,
            // Removed since it was listed.
            Err(Errno::NODATA) => continue,
            Err(error) => return Err(error.into()),
        };
        match rustix::fs::fsetxattr(to, name, &value[..len], rustix::fs::XattrFlags::empty()) {
            Ok(()) => {}
            Err(_) if name.starts_with(b"security.") => {}
            Err(error) => return Err(error.into()),
        }
    }
    Ok(())
}

/// How the files and names of a batch reach the disk.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Durability {
    /// The whole file system at once where that is known to be reliable and stays reasonably quick, else file by file.
    #[default]
    Auto,
    /// File by file and directory by directory, whatever the file system: nothing of other programs is written with it.
    PerFile,
}

/// File systems whose `syncfs` is known to force everything out: ext2-4, XFS, Btrfs, F2FS, tmpfs, overlay, ZFS, bcachefs.
const HONEST: [u64; 8] = [
    0xEF53,
    0x5846_5342,
    0x9123_683E,
    0xF2F5_2010,
    0x0102_1994,
    0x794C_7630,
    0x2FC1_2FC1,
    0xCA45_1A4E,
];

/// A batch that waited longer than this, and longer than [`SLOW_PER_FILE`] for each of its files, is one too many.
const SLOW: Duration = Duration::from_secs(4);
const SLOW_PER_FILE: Duration = Duration::from_millis(4);

/// Whether this run syncs the whole file system or each file.
#[derive(Debug)]
pub(super) struct Syncing {
    whole: bool,
    root: OwnedFd,
}

impl Syncing {
    /// Decides for the file system of `root`, which stays open for as long as the run lives.
    pub(super) fn choose(durability: Durability, root: BorrowedFd<'_>) -> io::Result<Self> {
        let kind = rustix::fs::fstatfs(root)?.f_type as u64 & 0xFFFF_FFFF;
        Ok(Self {
            whole: durability == Durability::Auto && HONEST.contains(&kind) && reports_errors(),
            root: root.try_clone_to_owned()?,
        })
    }

    /// True if the files of this batch are left to [`Syncing::batch`].
    pub(super) const fn is_whole(&self) -> bool {
        self.whole
    }

    /// Forces a batch out, if that is done for all of it at once. `batch_whole` is what [`Syncing::is_whole`] said when
    /// the batch began.
    pub(super) fn batch(
        &mut self,
        disk: &dyn TreeDisk,
        batch_whole: bool,
        files: usize,
    ) -> io::Result<()> {
        if !batch_whole || files == 0 {
            return Ok(());
        }
        let since = std::time::Instant::now();
        disk.sync_filesystem(self.root.as_fd())?;
        let took = since.elapsed();
        let files = u32::try_from(files).unwrap_or(u32::MAX);
        if took > SLOW && took > SLOW_PER_FILE.saturating_mul(files) {
            self.whole = false;
        }
        Ok(())
    }
}

/// Since Linux 5.8 `syncfs` reports failed writes.
fn reports_errors() -> bool {
    let name = rustix::system::uname();
    let release = name.release().to_string_lossy().into_owned();
    let mut numbers = release
        .split(|c: char| !c.is_ascii_digit())
        .map(|n| n.parse::<u32>().unwrap_or(0));
    let (major, minor) = (numbers.next().unwrap_or(0), numbers.next().unwrap_or(0));
    (major, minor) >= (5, 8)
}
