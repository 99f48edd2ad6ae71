//! The walk: every file of a tree whose path matches a pattern, in one fixed order, in little memory.
//!
//! Serial, sorted by the bytes of the names within each directory, one open directory per level. Of a directory only the
//! names of its directories and of what matches are kept, so memory grows with the largest directory, never with the
//! tree. `inputs` and `.orchestrate` are never entered, nor the state folder wherever it is, nor links.

use std::ffi::{OsStr, OsString};
use std::mem::MaybeUninit;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::ffi::OsStrExt;
use std::path::{Component, Path, PathBuf};

use rustix::fs::{FileType, RawDir};

use super::names;
use super::problem::{Class, Problem};
use super::tree::{self, DirId, Root};

/// Directories that are never entered, at any depth, whatever the pattern (SPEC section 8).
const CLOSED: [&str; 2] = ["inputs", ".orchestrate"];

/// Which files of a tree are meant.
#[derive(Debug, Clone)]
pub struct Matcher {
    pattern: glob::Pattern,
    /// The pattern is `**/` and this plain name, which needs no look at the path.
    plain: Option<OsString>,
}

impl Matcher {
    /// A pattern as of the shell, over paths relative to the root: `*` stays within a component, `**` does not.
    ///
    /// # Errors
    /// When it is no pattern; the error says where.
    pub fn new(pattern: &str) -> Result<Self, glob::PatternError> {
        let plain = pattern
            .strip_prefix("**/")
            .filter(|rest| !rest.is_empty() && !rest.contains(['*', '?', '[', ']', '/']))
            .map(OsString::from);
        Ok(Self {
            pattern: glob::Pattern::new(pattern)?,
            plain,
        })
    }

    /// The pattern as written.
    #[must_use]
    pub fn as_str(&self) -> &str {
        self.pattern.as_str()
    }

    fn matches(&self, dir: &Path, name: &OsStr) -> bool {
        if names::is_ours(name) {
            return false;
        }
        if let Some(plain) = &self.plain {
            return plain == name;
        }
        let options = glob::MatchOptions {
            case_sensitive: true,
            require_literal_separator: true,
            require_literal_leading_dot: false,
        };
        // A name that is no UTF-8 matches by what can be read of it: better named than silently left out.
        let path = dir.join(name);
        self.pattern.matches_with(&path.to_string_lossy(), options)
    }
}

/// A regular file that matches.
#[derive(Debug, Clone)]
pub(super) struct Item {
    /// Its directory, relative to the root.
    pub(super) dir: PathBuf,
    /// Which directory that was.
    pub(super) dir_id: DirId,
    pub(super) name: OsString,
    /// Its length when it was walked.
    pub(super) size: u64,
}

impl Item {
    /// Relative to the root.
    pub(super) fn path(&self) -> PathBuf {
        self.dir.join(&self.name)
    }

    /// Opens the directory, if it still is the one that was walked.
    pub(super) fn open_dir(&self, root: &Root) -> Result<OwnedFd, Problem> {
        let failed = |e| Problem::io(self.path(), "open its directory", e);
        let dir = root.dir(&self.dir).map_err(failed)?;
        if DirId::of(dir.as_fd()).map_err(failed)? == self.dir_id {
            Ok(dir)
        } else {
            Err(Problem::new(
                self.path(),
                Class::Swapped,
                "its directory is no longer the one that was walked",
            ))
        }
    }
}

/// What the walk meets.
#[derive(Debug)]
pub(super) enum Met {
    File(Item),
    Problem(Problem),
}

/// What the walk looks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Seek {
    Manifests,
    /// Manifests; temporary files of dead runs are removed on the way.
    ManifestsAndSweep,
    /// Backups of manifests.
    Backups,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum What {
    Dir,
    File,
    Link,
    Other(FileType),
}

/// The names of one directory that matter, in one piece of memory.
#[derive(Debug, Default)]
struct Names {
    bytes: Vec<u8>,
    entries: Vec<(usize, u16, What)>,
    next: usize,
}

impl Names {
    fn push(&mut self, name: &[u8], what: What) {
        let length = u16::try_from(name.len()).unwrap_or(u16::MAX);
        self.entries.push((self.bytes.len(), length, what));
        self.bytes.extend_from_slice(name);
    }

    fn sort(&mut self) {
        let bytes = &self.bytes;
        let name = |e: &(usize, u16, What)| &bytes[e.0..e.0 + usize::from(e.1)];
        self.entries.sort_unstable_by(|a, b| name(a).cmp(name(b)));
    }

    fn next(&mut self) -> Option<(OsString, What)> {
        let (at, length, what) = *self.entries.get(self.next)?;
        self.next += 1;
        let name = OsStr::from_bytes(&self.bytes[at..at + usize::from(length)]);
        Some((name.to_owned(), what))
    }
}

#[derive(Debug)]
struct Level {
    fd: OwnedFd,
    id: DirId,
    names: Names,
}

/// A walk in progress. It gives what it meets one after the other.
#[derive(Debug)]
pub(super) struct Walk<'a> {
    root: &'a Root,
    matcher: &'a Matcher,
    seek: Seek,
    /// The state folder, if it is there.
    closed: Option<DirId>,
    levels: Vec<Level>,
    path: PathBuf,
    pending: Vec<Met>,
    buffer: Vec<MaybeUninit<u8>>,
    sweep: Option<&'a dyn super::TreeDisk>,
    /// Temporary files of dead runs that were removed.
    pub(super) swept: u64,
}

impl<'a> Walk<'a> {
    /// Begins at the root. With `only`, nothing but that one file (relative to the root) is met.
    pub(super) fn new(
        root: &'a Root,
        matcher: &'a Matcher,
        only: Option<&Path>,
        seek: Seek,
        closed: Option<DirId>,
        disk: &'a dyn super::TreeDisk,
    ) -> Self {
        let mut walk = Self {
            root,
            matcher,
            seek,
            closed,
            levels: Vec::new(),
            path: PathBuf::new(),
            pending: Vec::new(),
            buffer: vec![MaybeUninit::uninit(); 64 * 1024],
            sweep: (seek == Seek::ManifestsAndSweep).then_some(disk),
            swept: 0,
        };
        match only {
            Some(path) => {
                let met = walk.single(path);
                walk.pending.extend(met);
            }
            None => match root.dir(Path::new("")) {
                Ok(fd) => walk.enter(fd),
                Err(error) => walk.pending.push(Met::Problem(Problem::io(
                    root.path(),
                    "open the root",
                    error,
                ))),
            },
        }
        walk
    }

    fn single(&mut self, path: &Path) -> Vec<Met> {
        let dir = path.parent().unwrap_or_else(|| Path::new(""));
        let Some(name) = path.file_name() else {
            return vec![Met::Problem(Problem::new(
                path,
                Class::Io,
                "it is no file name",
            ))];
        };
        for component in dir.components() {
            let closed = match component {
                Component::Normal(name) => CLOSED.iter().any(|c| *c == name),
                _ => true,
            };
            if closed {
                return vec![Met::Problem(Problem::new(
                    path,
                    Class::Refused("closed".to_owned()),
                    "manifests in `inputs`, in `.orchestrate` or outside of the root are never touched",
                ))];
            }
        }
        let opened = self
            .root
            .dir(dir)
            .and_then(|fd| Ok((DirId::of(fd.as_fd())?, fd)));
        let (id, fd) = match opened {
            Ok(opened) => opened,
            Err(error) => {
                return vec![Met::Problem(Problem::io(path, "open its directory", error))];
            }
        };
        if self.seek == Seek::Backups {
            return self.backups_of(dir, id, fd.as_fd(), name);
        }
        if let Some(disk) = self.sweep {
            for stale in [names::temporary(name), names::guard(name)] {
                self.swept += u64::from(disk.remove(fd.as_fd(), &stale).is_ok());
            }
        }
        dir.clone_into(&mut self.path);
        let met = match tree::stat(fd.as_fd(), name) {
            Err(error) => Some(Met::Problem(Problem::io(path, "look at it", error))),
            Ok(stat) => self.meet(
                (fd.as_fd(), id),
                name.to_owned(),
                what(FileType::from_raw_mode(stat.st_mode)),
            ),
        };
        met.into_iter().collect()
    }

    fn backups_of(&mut self, dir: &Path, id: DirId, fd: BorrowedFd<'_>, name: &OsStr) -> Vec<Met> {
        dir.clone_into(&mut self.path);
        match self.list(fd, Some(name)) {
            Err(error) => vec![Met::Problem(Problem::io(dir, "list it", error))],
            Ok(mut names) => {
                let mut met = Vec::new();
                while let Some((name, what)) = names.next() {
                    if what != What::Dir {
                        met.extend(self.meet((fd, id), name, what));
                    }
                }
                met.reverse();
                met
            }
        }
    }

    fn enter(&mut self, fd: OwnedFd) {
        let found = DirId::of(fd.as_fd()).and_then(|id| Ok((id, self.list(fd.as_fd(), None)?)));
        match found {
            // The state folder, under whatever name.
            Ok((id, _)) if Some(id) == self.closed => {
                self.path.pop();
            }
            Ok((id, names)) => self.levels.push(Level { fd, id, names }),
            Err(error) => {
                self.pending.push(Met::Problem(Problem::io(
                    &self.path,
                    "list this directory",
                    error,
                )));
                self.path.pop();
            }
        }
    }

    /// The names of a directory that matter. `only`: nothing but backups of that name.
    fn list(&mut self, dir: BorrowedFd<'_>, only: Option<&OsStr>) -> std::io::Result<Names> {
        let mut kept = Names::default();
        let mut stale = Vec::new();
        let mut entries = RawDir::new(dir, &mut self.buffer);
        while let Some(entry) = entries.next() {
            let entry = entry?;
            let bytes = entry.file_name().to_bytes();
            if bytes == b"." || bytes == b".." {
                continue;
            }
            let name = OsStr::from_bytes(bytes);
            let mut kind = what(entry.file_type());
            if kind == What::Other(FileType::Unknown) {
                kind = match tree::stat(dir, name) {
                    Ok(stat) => what(FileType::from_raw_mode(stat.st_mode)),
                    // Gone since: as if it had never been listed.
                    Err(error) if error.kind() == std::io::ErrorKind::NotFound => continue,
                    Err(error) => return Err(error),
                };
            }
            let wanted = match (kind, self.seek, only) {
                (What::Dir, _, None) => !CLOSED.iter().any(|c| *c == name),
                (What::Dir, _, Some(_)) => false,
                (_, _, Some(only)) => names::backup_of(name) == Some(only),
                (_, Seek::Backups, None) => {
                    names::backup_of(name).is_some_and(|m| self.matcher.matches(&self.path, m))
                }
                _ => self.matcher.matches(&self.path, name),
            };
            if wanted {
                kept.push(bytes, kind);
            } else if self.sweep.is_some() && kind == What::File && names::is_temporary(name) {
                stale.push(name.to_owned());
            }
        }
        if let Some(disk) = self.sweep {
            for name in stale {
                // What cannot be removed is met again, and named, when its manifest's turn comes.
                self.swept += u64::from(disk.remove(dir, &name).is_ok());
            }
        }
        kept.sort();
        Ok(kept)
    }

    fn meet(&mut self, dir: (BorrowedFd<'_>, DirId), name: OsString, what: What) -> Option<Met> {
        let path = || self.path.join(&name);
        match what {
            What::Link => Some(Met::Problem(Problem::symlink(&name).at(&path()))),
            What::Other(kind) => Some(Met::Problem(Problem::special(&name, kind).at(&path()))),
            What::Dir => Some(Met::Problem(
                Problem::special(&name, FileType::Directory).at(&path()),
            )),
            What::File => Some(match tree::stat(dir.0, &name) {
                Err(error) => Met::Problem(Problem::io(path(), "look at it", error)),
                Ok(stat) => Met::File(Item {
                    dir: self.path.clone(),
                    dir_id: dir.1,
                    size: u64::try_from(stat.st_size).unwrap_or(0),
                    name,
                }),
            }),
        }
    }
}

fn what(kind: FileType) -> What {
    match kind {
        FileType::Directory => What::Dir,
        FileType::RegularFile => What::File,
        FileType::Symlink => What::Link,
        other => What::Other(other),
    }
}

impl Iterator for Walk<'_> {
    type Item = Met;

    fn next(&mut self) -> Option<Met> {
        loop {
            if let Some(met) = self.pending.pop() {
                return Some(met);
            }
            let level = self.levels.last_mut()?;
            let Some((name, what)) = level.names.next() else {
                self.levels.pop();
                self.path.pop();
                continue;
            };
            if what == What::Dir {
                self.path.push(&name);
                match tree::sub_dir(level.fd.as_fd(), &name) {
                    Ok(fd) => self.enter(fd),
                    Err(error) => {
                        let problem = Problem::io(&self.path, "open this directory", error);
                        self.path.pop();
                        return Some(Met::Problem(problem));
                    }
                }
            } else {
                // The level is put back at once; it is out only so that its directory can be borrowed.
                let level = self.levels.pop()?;
                let met = self.meet((level.fd.as_fd(), level.id), name, what);
                self.levels.push(level);
                if met.is_some() {
                    return met;
                }
            }
        }
    }
}
