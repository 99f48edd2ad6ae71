//! The root of a tree and what lies below it, reached only through open directories.
//!
//! No component of a path below the root is ever followed as a symbolic link: `openat2` with `RESOLVE_BENEATH` and
//! `RESOLVE_NO_SYMLINKS` where the kernel has it, else one `openat` with `O_NOFOLLOW` per component. A directory that was
//! swapped since it was walked is recognised by its identity.

use std::ffi::OsStr;
use std::fs::File;
use std::io::{self, Read};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::fs::FileExt;
use std::path::{Component, Path, PathBuf};

use rustix::fs::{AtFlags, FileType, Mode, OFlags, ResolveFlags, Stat};
use rustix::io::Errno;

use super::problem::{Class, Problem};

/// The largest manifest that is read: 256 MiB.
pub const LARGEST: u64 = 256 << 20;

/// Which directory it is, whatever its path.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct DirId {
    pub(super) dev: u64,
    ino: u64,
}

impl DirId {
    pub(super) fn of(dir: BorrowedFd<'_>) -> io::Result<Self> {
        let stat = rustix::fs::fstat(dir)?;
        Ok(Self {
            dev: stat.st_dev,
            ino: stat.st_ino,
        })
    }
}

/// Which file it is and in what state, so that a change shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Stamp {
    pub(super) dev: u64,
    pub(super) ino: u64,
    pub(super) size: u64,
    pub(super) mtime: (i64, u32),
    pub(super) ctime: (i64, u32),
}

impl Stamp {
    pub(super) fn of(stat: &Stat) -> Self {
        Self {
            dev: stat.st_dev,
            ino: stat.st_ino,
            size: u64::try_from(stat.st_size).unwrap_or(0),
            mtime: (stat.st_mtime, stat.st_mtime_nsec as u32),
            ctime: (stat.st_ctime, stat.st_ctime_nsec as u32),
        }
    }

    /// The same file with the same bytes, as far as the times tell; its names and its mode may have changed.
    pub(super) fn same_bytes(&self, other: &Self) -> bool {
        (self.dev, self.ino, self.size, self.mtime)
            == (other.dev, other.ino, other.size, other.mtime)
    }

    /// True if the file was written so recently that a further write could leave the same time behind.
    pub(super) fn is_fresh(&self) -> bool {
        let now = rustix::time::clock_gettime(rustix::time::ClockId::Realtime);
        let age = (i128::from(now.tv_sec) - i128::from(self.mtime.0)) * 1_000_000_000
            + (i128::from(now.tv_nsec) - i128::from(self.mtime.1));
        // Times are stamped by ticks of up to 10 ms; a clock that ran ahead is no reason for trust either.
        age < 100_000_000
    }
}

/// A file that is open and was read.
#[derive(Debug)]
pub(super) struct Opened {
    pub(super) file: File,
    pub(super) stat: Stat,
    pub(super) bytes: Vec<u8>,
}

/// The root of a tree, held open.
#[derive(Debug)]
pub(super) struct Root {
    fd: OwnedFd,
    path: PathBuf,
    dev: u64,
}

const DIRECTORY: OFlags = OFlags::RDONLY
    .union(OFlags::DIRECTORY)
    .union(OFlags::CLOEXEC);

impl Root {
    /// Opens it. The path that leads to the root itself is the caller's and may contain links.
    pub(super) fn open(path: &Path) -> io::Result<Self> {
        let path = std::fs::canonicalize(path)?;
        let fd = rustix::fs::open(&path, DIRECTORY, Mode::empty())?;
        let dev = DirId::of(fd.as_fd())?.dev;
        Ok(Self { fd, path, dev })
    }

    pub(super) fn fd(&self) -> BorrowedFd<'_> {
        self.fd.as_fd()
    }

    /// Its path without links.
    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// The device that it is on.
    pub(super) const fn dev(&self) -> u64 {
        self.dev
    }

    /// Opens a directory below the root.
    pub(super) fn dir(&self, relative: &Path) -> io::Result<OwnedFd> {
        if relative.as_os_str().is_empty() {
            return Ok(rustix::fs::openat(&self.fd, ".", DIRECTORY, Mode::empty())?);
        }
        let resolve = ResolveFlags::BENEATH | ResolveFlags::NO_SYMLINKS;
        match rustix::fs::openat2(&self.fd, relative, DIRECTORY, Mode::empty(), resolve) {
            Ok(fd) => Ok(fd),
            // No such call, a filter that knows only older ones, a rename that got in between, or a very long path.
            Err(Errno::NOSYS | Errno::PERM | Errno::AGAIN | Errno::NAMETOOLONG | Errno::INVAL) => {
                self.dir_by_component(relative)
            }
            Err(error) => Err(error.into()),
        }
    }

    fn dir_by_component(&self, relative: &Path) -> io::Result<OwnedFd> {
        let mut dir = rustix::fs::openat(&self.fd, ".", DIRECTORY, Mode::empty())?;
        for component in relative.components() {
            let Component::Normal(name) = component else {
                return Err(io::ErrorKind::InvalidInput.into());
            };
            dir = sub_dir(dir.as_fd(), name)?;
        }
        Ok(dir)
    }
}

/// Opens a directory by its name in another one; a link of that name is an error.
pub(super) fn sub_dir(dir: BorrowedFd<'_>, name: &OsStr) -> io::Result<OwnedFd> {
    Ok(rustix::fs::openat(
        dir,
        name,
        DIRECTORY | OFlags::NOFOLLOW,
        Mode::empty(),
    )?)
}

/// What stands at a name, links not followed.
pub(super) fn stat(dir: BorrowedFd<'_>, name: &OsStr) -> io::Result<Stat> {
    Ok(rustix::fs::statat(dir, name, AtFlags::SYMLINK_NOFOLLOW)?)
}

/// Opens a regular file without ever waiting for the other end of a FIFO or touching a device.
pub(super) fn open_file(dir: BorrowedFd<'_>, name: &OsStr) -> Result<(File, Stat), Problem> {
    // A FIFO opens at once with O_NONBLOCK, but some devices act on being opened: so look first.
    let seen = stat(dir, name).map_err(|e| Problem::io(name, "look at it", e))?;
    match FileType::from_raw_mode(seen.st_mode) {
        FileType::RegularFile => {}
        FileType::Symlink => return Err(Problem::symlink(name)),
        other => return Err(Problem::special(name, other)),
    }
    let flags =
        OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::NOCTTY | OFlags::CLOEXEC;
    let fd = rustix::fs::openat(dir, name, flags, Mode::empty()).map_err(|e| match e {
        Errno::LOOP => Problem::symlink(name),
        e => Problem::io(name, "open it", e.into()),
    })?;
    let found = rustix::fs::fstat(&fd).map_err(|e| Problem::io(name, "look at it", e.into()))?;
    match FileType::from_raw_mode(found.st_mode) {
        FileType::RegularFile => Ok((File::from(fd), found)),
        other => Err(Problem::special(name, other)),
    }
}

/// Opens and reads a regular file of bounded size.
pub(super) fn read_file(dir: BorrowedFd<'_>, name: &OsStr) -> Result<Opened, Problem> {
    let (mut file, stat) = open_file(dir, name)?;
    let size = u64::try_from(stat.st_size).unwrap_or(0);
    if size > LARGEST {
        return Err(Problem::too_large(name, size));
    }
    let mut bytes = Vec::with_capacity(usize::try_from(size).unwrap_or(0) + 1);
    (&mut file)
        .take(LARGEST + 1)
        .read_to_end(&mut bytes)
        .map_err(|e| Problem::io(name, "read it", e))?;
    if bytes.len() as u64 != size {
        return Err(Problem::new(
            name,
            Class::ChangedMeanwhile,
            "its length changed while it was read",
        ));
    }
    Ok(Opened { file, stat, bytes })
}

/// The checksum (`sha256:` and 64 hex digits) of what an open file holds now.
pub(super) fn sum_again(file: &File) -> io::Result<String> {
    use sha2::Digest as _;
    let mut hash = sha2::Sha256::new();
    let mut buffer = vec![0_u8; 256 * 1024];
    let mut at = 0;
    loop {
        let n = file.read_at(&mut buffer, at)?;
        if n == 0 {
            return Ok(spell(&hash.finalize()));
        }
        hash.update(&buffer[..n]);
        at += n as u64;
    }
}

/// The checksum (`sha256:` and 64 hex digits) of bytes.
pub(super) fn sum(bytes: &[u8]) -> String {
    use sha2::Digest as _;
    spell(&sha2::Sha256::digest(bytes))
}

fn spell(digest: &[u8]) -> String {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let mut text = String::with_capacity(7 + 2 * digest.len());
    text.push_str("sha256:");
    for byte in digest {
        text.push(char::from(DIGITS[usize::from(byte >> 4)]));
        text.push(char::from(DIGITS[usize::from(byte & 15)]));
    }
    text
}
