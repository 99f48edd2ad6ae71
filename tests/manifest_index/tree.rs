//! A tree of manifests in memory, with a clock of its own, so that times are what a test says.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicI64, Ordering};

use orchestrate::manifest::index::{
    self, Found, IndexError, Judged, Objection, Progress, Reading, Report, Settings, Source, Stamp,
    Target,
};

const SECOND: i64 = 1_000_000_000;

/// The next second: no two trees of a test process share one, as no two states of a file do.
fn tick() -> i64 {
    static SECONDS: AtomicI64 = AtomicI64::new(1_700_000_000);
    SECONDS.fetch_add(1, Ordering::Relaxed) * SECOND
}

#[derive(Clone)]
struct File {
    bytes: Vec<u8>,
    stamp: Stamp,
    locked: bool,
}

/// A tree, and the versions that are known.
pub(super) struct Tree {
    files: BTreeMap<PathBuf, File>,
    folders: Vec<PathBuf>,
    clock_ns: i64,
    /// How long after the last change an index is made.
    pub(super) delay_ns: i64,
    pub(super) known: Vec<&'static str>,
}

impl Tree {
    pub(super) fn new() -> Self {
        Self {
            files: BTreeMap::new(),
            folders: Vec::new(),
            clock_ns: tick(),
            delay_ns: 60 * SECOND,
            known: vec!["1.0.0", "1.1.0", "1.2.0"],
        }
    }

    pub(super) fn write(&mut self, path: &str, bytes: &[u8]) {
        self.write_at(Path::new(path), bytes);
    }

    pub(super) fn write_at(&mut self, path: &Path, bytes: &[u8]) {
        self.clock_ns = tick();
        let stamp = Stamp {
            size: bytes.len() as u64,
            mtime_ns: self.clock_ns,
            ctime_ns: self.clock_ns,
            inode: self.clock_ns.cast_unsigned(),
        };
        let file = File {
            bytes: bytes.to_vec(),
            stamp,
            locked: false,
        };
        self.files.insert(path.to_owned(), file);
    }

    pub(super) fn manifest(&mut self, path: &str, version: &str, job: &str) {
        let text = format!(
            "{{\n  \"schema_version\": \"{version}\",\n  \"job_id\": \"{job}\",\n  \"status\": \"completed\"\n}}\n"
        );
        self.write(path, text.as_bytes());
    }

    pub(super) fn remove(&mut self, path: &str) {
        self.files.remove(Path::new(path));
    }

    /// The file can be read no more. Its mode changed, and so did its time of change.
    pub(super) fn lock(&mut self, path: &str) {
        if !self.files.contains_key(Path::new(path)) {
            self.write(path, b"{}");
        }
        self.clock_ns = tick();
        if let Some(file) = self.files.get_mut(Path::new(path)) {
            file.locked = true;
            file.stamp.ctime_ns = self.clock_ns;
        }
    }

    /// The file can be read again, and its times do not tell: it was a folder above it, or a list of access rights.
    pub(super) fn unlock(&mut self, path: &str) {
        if let Some(file) = self.files.get_mut(Path::new(path)) {
            file.locked = false;
        }
    }

    pub(super) fn unreadable_folder(&mut self, path: &str) {
        self.folders.push(PathBuf::from(path));
    }

    /// Other bytes of the same length, in the same tick of the file system's clock.
    pub(super) fn change_unnoticed(&mut self, path: &str, from: &[u8], to: &[u8]) {
        let file = self
            .files
            .get_mut(Path::new(path))
            .expect("the file is there");
        let at = file
            .bytes
            .windows(from.len())
            .position(|window| window == from)
            .expect("the bytes are there");
        file.bytes[at..at + to.len()].copy_from_slice(to);
    }

    fn read(&self, path: &Path) -> Reading {
        match self.files.get(path) {
            None => Reading::Gone,
            Some(file) if file.locked => Reading::Unreadable("permission denied".to_owned()),
            Some(file) => Reading::Bytes {
                bytes: file.bytes.clone(),
                stamp: file.stamp,
            },
        }
    }

    fn judge(&self, bytes: &[u8]) -> Result<Judged, Objection> {
        let objection = |class: &str, message: String, place| Objection {
            class: class.to_owned(),
            message,
            place,
        };
        #[derive(serde::Deserialize)]
        struct Versioned {
            schema_version: serde_json::Value,
        }
        let bytes = bytes.strip_prefix("\u{feff}".as_bytes()).unwrap_or(bytes);
        let document: Versioned = serde_json::from_slice(bytes).map_err(|error| {
            let place = (error.line() as u64, error.column() as u64);
            objection("corrupted", error.to_string(), Some(place))
        })?;
        let version = document
            .schema_version
            .as_str()
            .ok_or_else(|| objection("no_version", "it has no version".to_owned(), None))?;
        if !self.known.contains(&version) {
            let message = format!("version {version} is not known");
            return Err(objection("unknown_version", message, None));
        }
        Ok(Judged {
            kind: "run_manifest".to_owned(),
            version: version.to_owned(),
        })
    }
}

/// Makes the index of the tree, or brings it up to date, or says why not.
pub(super) fn update_with(
    target: &Target,
    tree: &Tree,
    rebuild: bool,
    progress: &mut dyn FnMut(Progress),
) -> Result<Report, IndexError> {
    let settings = Settings {
        root: PathBuf::from("/srv/artifacts"),
        fingerprint: tree.known.join(" "),
        rebuild,
        workers: 2,
    };
    update_as(target, tree, &settings, progress)
}

/// The same with settings.
pub(super) fn update_as(
    target: &Target,
    tree: &Tree,
    settings: &Settings,
    progress: &mut dyn FnMut(Progress),
) -> Result<Report, IndexError> {
    let source = Source {
        read: &|path: &Path| tree.read(path),
        judge: &|_: &Path, bytes: &[u8]| tree.judge(bytes),
        now_ns: &|| tree.clock_ns + tree.delay_ns,
    };
    let mut walk = tree
        .files
        .iter()
        .map(|(path, file)| Found::Manifest {
            path: path.clone(),
            stamp: file.stamp,
        })
        .chain(tree.folders.iter().map(|path| Found::Unreadable {
            path: path.clone(),
            message: "permission denied".to_owned(),
        }));
    index::update(target, settings, source, &mut walk, progress)
}

/// Makes the index of the tree, or brings it up to date.
pub(super) fn update(target: &Target, tree: &Tree, rebuild: bool) -> Report {
    update_with(target, tree, rebuild, &mut |_| {}).unwrap_or_else(|error| panic!("{error}"))
}

/// All that the index holds.
pub(super) fn lines(target: &Target) -> Vec<String> {
    let mut lines = Vec::new();
    index::dump(target, &mut |line| lines.push(line.to_owned())).expect("the index can be read");
    lines
}
