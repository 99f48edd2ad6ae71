#![expect(clippy::unwrap_used, reason = "tests")]

mod faults;
mod migrating;
mod odd_files;
mod restoring;

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::fs::File;
use std::io;
use std::os::fd::BorrowedFd;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use super::*;
use crate::base::durable::{Disk, RealDisk};

pub(super) static NEVER: AtomicBool = AtomicBool::new(false);

pub(super) fn at(second: i64) -> jiff::Timestamp {
    jiff::Timestamp::from_second(second).unwrap()
}

/// A toy document: `v1 data` becomes `v2 data @time`; `bad...` is corrupted; `down` drops its data to the side file;
/// `up` takes it from there.
pub(super) fn upgrade(input: Input<'_>) -> Result<Change, Refusal> {
    let text = String::from_utf8_lossy(input.text).into_owned();
    let refused = |class: &str| Refusal {
        class: class.to_owned(),
        message: "so it is".to_owned(),
        place: Some((1, 1)),
    };
    let new = |text: String, from: &str, to: &str, side: Side| {
        Ok(Change::Migrated(New {
            text: text.into_bytes(),
            from: from.to_owned(),
            to: to.to_owned(),
            side,
        }))
    };
    match text.split_once(' ') {
        Some(("v1", data)) => new(
            format!("v2 {data} @{}", input.at),
            "1.0.0",
            "2.0.0",
            Side::Leave,
        ),
        Some(("down", data)) => new(
            "v2 down".to_owned(),
            "3.0.0",
            "2.0.0",
            Side::Write(data.as_bytes().to_vec()),
        ),
        Some(("up", _)) => {
            let kept = String::from_utf8_lossy(input.kept.unwrap_or(b"nothing")).into_owned();
            new(format!("v2 up {kept}"), "1.5.0", "2.0.0", Side::Remove)
        }
        Some(("v2", _)) => Ok(Change::Current {
            version: "2.0.0".to_owned(),
        }),
        _ => Err(refused("corrupted")),
    }
}

/// What the toy document says of itself; its history is that `v2 data @time` was `v1 data`.
pub(super) fn trace(_: &Path, text: &[u8]) -> Trace {
    let text = String::from_utf8_lossy(text).into_owned();
    match text.split_once(' ') {
        Some(("v2", rest)) => match rest.split_once(" @") {
            Some((_, time)) if time.contains("edited") => Trace::ChangedSince,
            Some((data, _)) => Trace::Migrated {
                before: tree::sum(format!("v1 {data}").as_bytes()),
                from: "1.0.0".to_owned(),
            },
            None => Trace::Unmigrated,
        },
        Some(("v1", _)) => Trace::Unmigrated,
        _ => Trace::Corrupted,
    }
}

/// Every name below a folder with its mode and bytes; records and their folder left out.
pub(super) fn picture(root: &Path) -> BTreeMap<PathBuf, (u32, Vec<u8>)> {
    fn go(root: &Path, dir: &Path, into: &mut BTreeMap<PathBuf, (u32, Vec<u8>)>) {
        for entry in std::fs::read_dir(dir).unwrap() {
            let path = entry.unwrap().path();
            if path.ends_with(".orchestrate") {
                continue;
            }
            let meta = std::fs::symlink_metadata(&path).unwrap();
            let bytes = if meta.is_file() {
                std::fs::read(&path).unwrap()
            } else if meta.is_symlink() {
                std::fs::read_link(&path)
                    .unwrap()
                    .into_os_string()
                    .into_encoded_bytes()
            } else {
                Vec::new()
            };
            let name = path.strip_prefix(root).unwrap().to_owned();
            into.insert(name, (meta.mode(), bytes));
            if meta.is_dir() {
                go(root, &path, into);
            }
        }
    }
    let mut all = BTreeMap::new();
    go(root, root, &mut all);
    all
}

pub(super) fn write(path: &Path, text: &str) {
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    std::fs::write(path, text).unwrap();
    // Old enough that times alone tell whether it changed.
    let file = File::options().write(true).open(path).unwrap();
    let old = std::time::SystemTime::UNIX_EPOCH + Duration::from_secs(1_700_000_000);
    file.set_modified(old).unwrap();
}

/// A small tree with a bit of everything that a run changes.
pub(super) fn small_tree() -> tempfile::TempDir {
    let dir = tempfile::tempdir().unwrap();
    let root = dir.path();
    write(&root.join("a/1/manifest.json"), "v1 one");
    std::fs::set_permissions(
        root.join("a/1/manifest.json"),
        std::fs::Permissions::from_mode(0o640),
    )
    .unwrap();
    write(&root.join("a/2/manifest.json"), "v2 two");
    write(&root.join("a/3/manifest.json"), "bad");
    // Another backup has the name.
    write(&root.join("b/manifest.json"), "v1 four");
    write(&root.join("b/manifest.json.backup"), "something else");
    write(&root.join("b/inputs/manifest.json"), "v1 input");
    // A name elsewhere shares the inode.
    write(&root.join("c/manifest.json"), "v1 five");
    std::fs::hard_link(root.join("c/manifest.json"), root.join("c/shared")).unwrap();
    write(&root.join("d/manifest.json"), "down side");
    write(&root.join("e/manifest.json"), "up x");
    write(&root.join("e/manifest.json.dropped"), "kept");
    write(&root.join("g/manifest.json"), "down new");
    write(&root.join("g/manifest.json.dropped"), "somebody else's");
    dir
}

pub(super) fn place(root: &Path, disk: Arc<dyn TreeDisk>) -> Place {
    let mut place = Place::new(root, Matcher::new(Place::PATTERN).unwrap());
    place.disk = disk;
    place.workers = 1;
    place
}

/// The disk of the machine that runs the tests may be fuller than a run accepts.
pub(super) fn options(root: &Path, disk: Arc<dyn TreeDisk>, second: i64) -> Options {
    let mut options = Options::new(place(root, disk), serde_json::json!("toy"), at(second));
    options.check_space = false;
    options
}

pub(super) fn run(options: &Options, watch: &mut dyn Watch) -> Summary {
    migrate(options, upgrade, watch, &NEVER).unwrap()
}

#[derive(Debug, Default)]
pub(super) struct Heard {
    pub(super) problems: Vec<(PathBuf, String)>,
    pub(super) changed: Vec<PathBuf>,
    pub(super) progress: Vec<Progress>,
}

impl Heard {
    pub(super) fn classes(&self) -> Vec<(&str, &str)> {
        self.problems
            .iter()
            .map(|(p, c)| (p.to_str().unwrap(), c.as_str()))
            .collect()
    }
}

impl Watch for Heard {
    fn problem(&mut self, problem: &Problem) {
        let class = problem.class.name().to_owned();
        self.problems.push((problem.path.clone(), class));
    }

    fn changed(&mut self, path: &Path, _: &str, _: &str) {
        self.changed.push(path.to_owned());
    }

    fn progress(&mut self, progress: &Progress) {
        self.progress.push(*progress);
    }
}

/// What goes wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fault {
    Never,
    /// From the n-th operation on nothing happens any more: the process was killed there.
    Killed(u64),
    /// The n-th operation fails.
    Fails(u64, rustix::io::Errno),
}

type Hook = Box<dyn Fn(&str) + Send + Sync>;

/// The machine's disk with a fault, and a list of what was done.
pub(super) struct Faulty {
    fault: Fault,
    count: AtomicU64,
    pub(super) done: Mutex<Vec<String>>,
    /// Is told each operation before it happens, and after it with `after ` before its name.
    hook: Option<Hook>,
    /// Size of the disk and what is free on it, if not as on the machine.
    room: Option<(u64, u64)>,
}

impl std::fmt::Debug for Faulty {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Faulty")
            .field("fault", &self.fault)
            .finish()
    }
}

impl Faulty {
    pub(super) fn new(fault: Fault) -> Arc<Self> {
        Arc::new(Self {
            fault,
            count: AtomicU64::new(0),
            done: Mutex::default(),
            hook: None,
            room: None,
        })
    }

    pub(super) fn hooked(hook: impl Fn(&str) + Send + Sync + 'static) -> Arc<Self> {
        Arc::new(Self {
            fault: Fault::Never,
            count: AtomicU64::new(0),
            done: Mutex::default(),
            hook: Some(Box::new(hook)),
            room: None,
        })
    }

    pub(super) fn with_room(total: u64, free: u64) -> Arc<Self> {
        Arc::new(Self {
            fault: Fault::Never,
            count: AtomicU64::new(0),
            done: Mutex::default(),
            hook: None,
            room: Some((total, free)),
        })
    }

    pub(super) fn operations(&self) -> u64 {
        self.count.load(Ordering::SeqCst)
    }

    fn step<T>(&self, what: String, act: impl FnOnce() -> io::Result<T>) -> io::Result<T> {
        let n = self.count.fetch_add(1, Ordering::SeqCst);
        match self.fault {
            Fault::Killed(at) if n >= at => return Err(io::Error::other("killed")),
            Fault::Fails(at, errno) if n == at => return Err(errno.into()),
            _ => {}
        }
        if let Some(hook) = &self.hook {
            hook(&what);
        }
        let result = act();
        if let Some(hook) = &self.hook {
            hook(&format!("after {what}"));
        }
        self.done.lock().unwrap().push(what);
        result
    }
}

impl Disk for Faulty {
    fn append(&self, file: &mut File, bytes: &[u8]) -> io::Result<()> {
        let n = self.operations();
        let torn = matches!(self.fault, Fault::Killed(at) | Fault::Fails(at, _) if at == n);
        if torn {
            RealDisk.append(file, &bytes[..bytes.len() / 2])?;
        }
        let what = if bytes.windows(8).any(|w| w == b"{\"done\":") {
            "append done"
        } else if bytes.windows(10).any(|w| w == b"{\"intent\":") {
            "append intent"
        } else {
            "append"
        };
        self.step(what.to_owned(), || RealDisk.append(file, bytes))
    }

    fn sync_data(&self, file: &File) -> io::Result<()> {
        self.step("sync_data".to_owned(), || RealDisk.sync_data(file))
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        self.step("rename record".to_owned(), || RealDisk.rename(from, to))
    }

    fn sync_dir(&self, dir: &Path) -> io::Result<()> {
        self.step("sync_dir".to_owned(), || RealDisk.sync_dir(dir))
    }
}

impl TreeDisk for Faulty {
    fn create(&self, dir: BorrowedFd<'_>, name: &OsStr) -> io::Result<File> {
        self.step(format!("create {}", name.display()), || {
            RealDisk.create(dir, name)
        })
    }

    fn dress(&self, file: &File, looks: Looks, like: Option<&File>) -> io::Result<()> {
        self.step("dress".to_owned(), || RealDisk.dress(file, looks, like))
    }

    fn link(&self, dir: BorrowedFd<'_>, from: &OsStr, to: &OsStr) -> io::Result<()> {
        self.step(format!("link {}", to.display()), || {
            RealDisk.link(dir, from, to)
        })
    }

    fn rename_in(&self, dir: BorrowedFd<'_>, from: &OsStr, to: &OsStr) -> io::Result<()> {
        self.step(format!("rename {}", to.display()), || {
            RealDisk.rename_in(dir, from, to)
        })
    }

    fn exchange(&self, dir: BorrowedFd<'_>, one: &OsStr, other: &OsStr) -> io::Result<()> {
        self.step(format!("exchange {}", other.display()), || {
            RealDisk.exchange(dir, one, other)
        })
    }

    fn remove(&self, dir: BorrowedFd<'_>, name: &OsStr) -> io::Result<()> {
        self.step(format!("remove {}", name.display()), || {
            RealDisk.remove(dir, name)
        })
    }

    fn sync_names(&self, dir: BorrowedFd<'_>) -> io::Result<()> {
        self.step("sync_names".to_owned(), || RealDisk.sync_names(dir))
    }

    fn sync_filesystem(&self, dir: BorrowedFd<'_>) -> io::Result<()> {
        self.step("sync_filesystem".to_owned(), || {
            RealDisk.sync_filesystem(dir)
        })
    }

    fn room(&self, dir: BorrowedFd<'_>) -> io::Result<(u64, u64)> {
        self.room.map_or_else(|| RealDisk.room(dir), Ok)
    }
}
