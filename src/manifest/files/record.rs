//! The record of a run: what it was asked for, what it set out to change, what is certainly changed.
//!
//! A run is a folder `<state>/manifest/<id>/` with `run.json` (its settings; the run exists once this is there),
//! `entries.jsonl` and, when it has ended, `end.json`. A line of `entries.jsonl` is 16 hex digits and a JSON object; the
//! digits are the first of the SHA-256 of those of the line before and of the object, so a line that was torn or edited
//! shows. An `intent` is on the disk before the file it names is renamed, a `done` after the new name is: what has an
//! intent and no `done` is looked at when the run is continued.

use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::fs::File;
use std::io::{self, BufRead, BufReader};
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::TreeDisk;
use crate::base::durable::{self, AppendFile, DurableError, Holder, Lock, LockError};

/// Version of the record's format.
pub const FORMAT_VERSION: u32 = 1;

/// Why a record cannot be read or written.
#[derive(Debug, thiserror::Error)]
pub enum RecordError {
    /// A write or sync failed.
    #[error(transparent)]
    Durable(#[from] DurableError),
    /// Somebody else works with this state folder.
    #[error(transparent)]
    Lock(#[from] LockError),
    /// A file of the record cannot be read.
    #[error("read {path}: {source}", path = path.display())]
    Io {
        /// The file or folder.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// A file of the record is not what was written.
    #[error(
        "read {path}: line {line} is not as it was written; what follows it cannot be relied on. Keep a copy of the \
         folder, then restore from the backups beside the manifests",
        path = path.display()
    )]
    Damaged {
        /// The file.
        path: PathBuf,
        /// From 1.
        line: usize,
    },
    /// There is no such run.
    #[error("find the run {id} in {folder}: there is none", folder = folder.display())]
    NoSuchRun {
        /// As asked for.
        id: String,
        /// Where it was looked for.
        folder: PathBuf,
    },
    /// An unfinished run of the same tree was asked for something else.
    #[error(
        "start: run {id} of {started_at} is unfinished and was started with other settings ({theirs}; now: {ours}). \
         Continue it with the same settings, or take back what it did with `orchestrate manifest restore --run {id}`"
    )]
    OtherSettings {
        /// The unfinished run.
        id: String,
        /// When it was started.
        started_at: jiff::Timestamp,
        /// Its settings that differ.
        theirs: String,
        /// The new call's settings that differ.
        ours: String,
    },
}

/// What a run was asked for: `run.json`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RunFile {
    /// [`FORMAT_VERSION`].
    pub format_version: u32,
    /// Names the run and its folder.
    pub id: String,
    /// The tree, its path without links.
    pub root: String,
    /// When it was first started, to the second; the `applied_at` of all its history entries.
    pub started_at: jiff::Timestamp,
    /// All that decides what the run does to a file.
    pub settings: serde_json::Value,
}

/// How a run ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EndState {
    /// It came to its end (files may have failed).
    Finished,
    /// It was taken back.
    Restored,
    /// A person gave it up where it was.
    Abandoned,
}

/// `end.json`: the run is over.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct EndFile {
    /// How.
    pub state: EndState,
    /// When.
    pub at: jiff::Timestamp,
    /// Counts by name.
    pub counts: BTreeMap<String, u64>,
}

/// A change that a run set out to make.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    /// From 1, in the order of the record.
    pub seq: u64,
    /// Relative to the root; as hex digits of its bytes behind a NUL if it is no UTF-8.
    path: String,
    /// `sha256:` of the file's bytes before.
    pub before: String,
    /// `sha256:` of the file's bytes after.
    pub after: String,
    /// Version before.
    pub from: String,
    /// Version after.
    pub to: String,
    /// The backup's name in the same directory, spelled as the path; none if the run was asked for no backups.
    backup: Option<String>,
    /// Permission bits before.
    pub mode: u32,
    /// Owner before.
    pub uid: u32,
    /// Group before.
    pub gid: u32,
    /// Modification time before: seconds and nanoseconds since the epoch.
    pub mtime: (i64, u32),
    /// `sha256:` of the side file that was written beside it, if one was.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub side: Option<String>,
    /// The side file that was there and was replaced or removed, if one was: `sha256:` and the name of its backup.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    side_before: Option<(String, String)>,
}

impl Entry {
    /// The manifest, relative to the root.
    #[must_use]
    pub fn path(&self) -> PathBuf {
        PathBuf::from(unspell(&self.path))
    }

    /// The backup's name in the same directory; none if the run was asked for no backups.
    #[must_use]
    pub fn backup(&self) -> Option<OsString> {
        self.backup.as_deref().map(unspell)
    }

    /// The side file that was replaced or removed: its checksum and the name of its backup.
    #[must_use]
    pub fn side_before(&self) -> Option<(&str, OsString)> {
        let (sum, backup) = self.side_before.as_ref()?;
        Some((sum, unspell(backup)))
    }

    pub(super) fn set_side_before(&mut self, sum: String, backup: &OsStr) {
        self.side_before = Some((sum, Self::spell(Path::new(backup))));
    }

    pub(super) fn set_backup(&mut self, name: &OsStr) {
        self.backup = Some(Self::spell(Path::new(name)));
    }

    /// As the record spells a path.
    #[must_use]
    pub fn spell(path: &Path) -> String {
        path.to_str().map_or_else(
            || {
                let bytes = path.as_os_str().as_bytes();
                let hex = bytes.iter().map(|b| format!("{b:02x}"));
                std::iter::once("\0".to_owned()).chain(hex).collect()
            },
            str::to_owned,
        )
    }

    pub(super) fn new(
        path: &Path,
        (before, after): (String, String),
        (from, to): (String, String),
        (mode, uid, gid): (u32, u32, u32),
        mtime: (i64, u32),
    ) -> Self {
        Self {
            seq: 0,
            path: Self::spell(path),
            before,
            after,
            from,
            to,
            backup: None,
            mode,
            uid,
            gid,
            mtime,
            side: None,
            side_before: None,
        }
    }
}

fn unspell(text: &str) -> OsString {
    match text.strip_prefix('\0') {
        None => OsString::from(text),
        Some(hex) => {
            let digit = |b: u8| char::from(b).to_digit(16).unwrap_or(0) as u8;
            let pairs = hex.as_bytes().chunks_exact(2);
            OsString::from_vec(pairs.map(|p| (digit(p[0]) << 4) | digit(p[1])).collect())
        }
    }
}

/// A line of `entries.jsonl`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[expect(clippy::large_enum_variant, reason = "nearly all lines are intents")]
pub(super) enum Line {
    Intent(Entry),
    /// All intents up to here are settled: applied for certain, but for those named, which were not applied.
    Done {
        through: u64,
        except: Vec<u64>,
    },
}

const CHAIN: usize = 16;

fn chain(before: &str, object: &str) -> String {
    let sum = super::tree::sum(format!("{before}{object}").as_bytes());
    // Behind `sha256:`.
    sum[7..7 + CHAIN].to_owned()
}

/// Reads a record line by line, in constant memory.
#[derive(Debug)]
pub(super) struct Lines {
    path: PathBuf,
    reader: BufReader<File>,
    chain: String,
    line: usize,
    /// Bytes of whole, sound lines so far.
    pub(super) sound: u64,
}

impl Lines {
    /// `None` if nothing was recorded yet.
    pub(super) fn open(folder: &Path) -> Result<Option<Self>, RecordError> {
        let path = folder.join("entries.jsonl");
        match File::open(&path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(source) => Err(RecordError::Io { path, source }),
            Ok(file) => Ok(Some(Self {
                path,
                reader: BufReader::with_capacity(1 << 16, file),
                chain: String::new(),
                line: 0,
                sound: 0,
            })),
        }
    }

    /// The next line; `None` at the end, also at a last line that was torn when the machine stopped.
    pub(super) fn next(&mut self) -> Result<Option<Line>, RecordError> {
        let failed = |path: &Path, source| RecordError::Io {
            path: path.to_owned(),
            source,
        };
        let mut bytes = Vec::new();
        self.reader
            .read_until(b'\n', &mut bytes)
            .map_err(|e| failed(&self.path, e))?;
        if bytes.is_empty() {
            return Ok(None);
        }
        self.line += 1;
        if let Some((line, chain)) = self.sound(&bytes) {
            self.sound += bytes.len() as u64;
            self.chain = chain;
            return Ok(Some(line));
        }
        // A torn tail has nothing sound behind it: blocks of zeros at most, which a crash may leave.
        let mut rest = Vec::new();
        loop {
            rest.clear();
            let n = self
                .reader
                .read_until(b'\n', &mut rest)
                .map_err(|e| failed(&self.path, e))?;
            if n == 0 {
                return Ok(None);
            }
            if rest.iter().any(|b| *b != 0) {
                return Err(RecordError::Damaged {
                    path: self.path.clone(),
                    line: self.line,
                });
            }
        }
    }

    fn sound(&self, bytes: &[u8]) -> Option<(Line, String)> {
        let text = std::str::from_utf8(bytes.strip_suffix(b"\n")?).ok()?;
        let (digits, object) = text.split_once(' ')?;
        let expected = chain(&self.chain, object);
        if digits != expected {
            return None;
        }
        Some((serde_json::from_str(object).ok()?, expected))
    }
}

/// A run's record, being written.
#[derive(Debug)]
pub(super) struct Record {
    folder: PathBuf,
    pub(super) run: RunFile,
    file: AppendFile,
    chain: String,
    seq: u64,
    disk: Arc<dyn TreeDisk>,
}

/// What an unfinished run left behind.
#[derive(Debug, Default)]
pub(super) struct Before {
    /// Intents without a `done`, in order.
    pub(super) open: Vec<Entry>,
    /// Changes that are certain, by versions.
    pub(super) done: BTreeMap<(String, String), u64>,
}

impl Before {
    fn settle(&mut self, through: u64, except: &[u64]) {
        let open = std::mem::take(&mut self.open);
        for entry in open {
            if entry.seq > through {
                self.open.push(entry);
            } else if !except.contains(&entry.seq) {
                *self.done.entry((entry.from, entry.to)).or_default() += 1;
            }
        }
    }
}

impl Record {
    fn create(runs: &Runs, run: RunFile, disk: Arc<dyn TreeDisk>) -> Result<Self, RecordError> {
        let folder = runs.folder(&run.id);
        durable::create_dir_private(&folder)?;
        let upcast: Arc<dyn durable::Disk> = disk.clone();
        let file = AppendFile::open_on(upcast, &folder.join("entries.jsonl"))?;
        write_json(&*disk, &folder.join("run.json"), &run)?;
        disk.sync_dir(&runs.0).map_err(|source| DurableError::Io {
            doing: "sync",
            path: runs.0.clone(),
            source,
        })?;
        Ok(Self {
            folder,
            run,
            file,
            chain: String::new(),
            seq: 0,
            disk,
        })
    }

    fn open(
        runs: &Runs,
        run: RunFile,
        disk: Arc<dyn TreeDisk>,
    ) -> Result<(Self, Before), RecordError> {
        let folder = runs.folder(&run.id);
        let mut before = Before::default();
        let (mut chain, mut seq, mut sound) = (String::new(), 0, 0);
        if let Some(mut lines) = Lines::open(&folder)? {
            while let Some(line) = lines.next()? {
                match line {
                    Line::Intent(entry) => {
                        seq = entry.seq;
                        before.open.push(entry);
                    }
                    Line::Done { through, except } => before.settle(through, &except),
                }
            }
            (chain, sound) = (lines.chain, lines.sound);
        }
        let upcast: Arc<dyn durable::Disk> = disk.clone();
        let mut file = AppendFile::open_on(upcast, &folder.join("entries.jsonl"))?;
        if file.len() != sound {
            file.truncate_to(sound)?;
        }
        let record = Self {
            folder,
            run,
            file,
            chain,
            seq,
            disk,
        };
        Ok((record, before))
    }

    fn append(&mut self, lines: impl IntoIterator<Item = Line>) -> Result<(), RecordError> {
        let mut text = String::new();
        for line in lines {
            let object = serde_json::to_string(&line).map_err(|e| RecordError::Io {
                path: self.folder.clone(),
                source: e.into(),
            })?;
            self.chain = chain(&self.chain, &object);
            text.push_str(&self.chain);
            text.push(' ');
            text.push_str(&object);
            text.push('\n');
        }
        self.file.append(text.as_bytes())?;
        Ok(self.file.sync()?)
    }

    /// Numbers the entries and puts them on the disk: from now on their files may be renamed.
    pub(super) fn intend<'e>(
        &mut self,
        entries: impl IntoIterator<Item = &'e mut Entry>,
    ) -> Result<(), RecordError> {
        let mut lines = Vec::new();
        for entry in entries {
            self.seq += 1;
            entry.seq = self.seq;
            lines.push(Line::Intent(entry.clone()));
        }
        self.append(lines)
    }

    /// Puts on the disk that all intents so far are settled.
    pub(super) fn acknowledge(&mut self, except: Vec<u64>) -> Result<(), RecordError> {
        let through = self.seq;
        self.append([Line::Done { through, except }])
    }

    /// The run is over.
    pub(super) fn end(&self, end: &EndFile) -> Result<(), RecordError> {
        write_json(&*self.disk, &self.folder.join("end.json"), end)
    }
}

fn write_json(disk: &dyn TreeDisk, path: &Path, value: &impl Serialize) -> Result<(), RecordError> {
    let mut bytes = serde_json::to_vec_pretty(value).map_err(|e| RecordError::Io {
        path: path.to_owned(),
        source: e.into(),
    })?;
    bytes.push(b'\n');
    Ok(durable::replace_on(disk, path, &bytes, 0o600)?)
}

fn read_json<T: serde::de::DeserializeOwned>(path: &Path) -> Result<Option<T>, RecordError> {
    let failed = |source| RecordError::Io {
        path: path.to_owned(),
        source,
    };
    match std::fs::read(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(failed(error)),
        Ok(bytes) => serde_json::from_slice(&bytes)
            .map(Some)
            .map_err(|e| failed(e.into())),
    }
}

/// A run as it is listed.
#[derive(Debug, Clone, PartialEq)]
pub struct Listed {
    /// What it was asked for.
    pub run: RunFile,
    /// How it ended; `None` if it can be continued.
    pub end: Option<EndFile>,
}

/// The folder of all manifest runs of a state folder.
#[derive(Debug, Clone)]
pub struct Runs(PathBuf);

impl Runs {
    /// Of the given state folder, which need not exist.
    #[must_use]
    pub fn of(state: &Path) -> Self {
        Self(state.join("manifest"))
    }

    /// The folder of a run.
    #[must_use]
    pub fn folder(&self, id: &str) -> PathBuf {
        self.0.join(id)
    }

    /// Every run, newest first.
    ///
    /// # Errors
    /// When the folder cannot be read. That it does not exist is no error.
    pub fn list(&self) -> Result<Vec<Listed>, RecordError> {
        let failed = |source| RecordError::Io {
            path: self.0.clone(),
            source,
        };
        let entries = match std::fs::read_dir(&self.0) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            other => other.map_err(failed)?,
        };
        let mut all = Vec::new();
        for entry in entries {
            let folder = entry.map_err(failed)?.path();
            // A folder without this file was being made when its process died, and no run came of it.
            if folder.is_dir()
                && let Some(run) = read_json(&folder.join("run.json"))?
            {
                let end = read_json(&folder.join("end.json"))?;
                all.push(Listed { run, end });
            }
        }
        all.sort_by(|a, b| {
            let key = |l: &Listed| (l.run.started_at, l.run.id.len(), l.run.id.clone());
            key(b).cmp(&key(a))
        });
        Ok(all)
    }

    /// The run that an id or a unique beginning of one names; `latest` is the newest.
    ///
    /// # Errors
    /// When there is none, or several begin so.
    pub fn find(&self, id: &str) -> Result<Listed, RecordError> {
        let all = self.list()?;
        let mut found = all
            .iter()
            .filter(|l| id == "latest" || l.run.id.starts_with(id));
        let exact = all.iter().find(|l| l.run.id == id);
        match (exact, found.next(), found.next()) {
            (Some(one), ..) => Ok(one.clone()),
            (None, Some(one), next) if next.is_none() || id == "latest" => Ok(one.clone()),
            _ => Err(RecordError::NoSuchRun {
                id: id.to_owned(),
                folder: self.0.clone(),
            }),
        }
    }

    /// Every change that a run set out to make, in order, in constant memory.
    ///
    /// # Errors
    /// When the record cannot be read, or `each` says so.
    pub fn entries<E: From<RecordError>>(
        &self,
        id: &str,
        mut each: impl FnMut(Entry) -> Result<(), E>,
    ) -> Result<(), E> {
        if let Some(mut lines) = Lines::open(&self.folder(id)).map_err(E::from)? {
            while let Some(line) = lines.next().map_err(E::from)? {
                if let Line::Intent(entry) = line {
                    each(entry)?;
                }
            }
        }
        Ok(())
    }

    /// Marks an unfinished run as over.
    ///
    /// # Errors
    /// When the record cannot be written, or somebody works with it.
    pub fn abandon(&self, id: &str, at: jiff::Timestamp) -> Result<(), RecordError> {
        let _lock = self.lock(id)?;
        let end = EndFile {
            state: EndState::Abandoned,
            at,
            counts: BTreeMap::new(),
        };
        self.mark(id, &end)
    }

    pub(super) fn mark(&self, id: &str, end: &EndFile) -> Result<(), RecordError> {
        let path = self.folder(id).join("end.json");
        write_json(&durable::RealDisk, &path, end)
    }

    /// Takes the lock of the state folder for a run or a restore; the kernel frees it when the process dies.
    pub(super) fn lock(&self, what: &str) -> Result<Lock, RecordError> {
        self.prepare()?;
        let holder = Holder::this_process(what);
        Ok(Lock::try_acquire(&self.0.join("lock"), &holder)?)
    }

    fn prepare(&self) -> Result<(), RecordError> {
        durable::create_dir_private(&self.0)?;
        let Some(state) = self.0.parent() else {
            return Ok(());
        };
        let ignore = state.join(".gitignore");
        if !ignore.exists() {
            durable::replace(&ignore, b"*\n", 0o600)?;
        }
        Ok(())
    }

    /// The unfinished run of a tree (its path without links), if there is one.
    ///
    /// # Errors
    /// When the records cannot be read.
    pub fn unfinished(&self, root: &Path) -> Result<Option<Listed>, RecordError> {
        let root = Entry::spell(root);
        let all = self.list()?;
        Ok(all
            .into_iter()
            .find(|l| l.end.is_none() && l.run.root == root))
    }

    /// Continues the unfinished run of this tree, or begins a new one. The caller holds the lock.
    pub(super) fn begin(
        &self,
        root: &Path,
        settings: &serde_json::Value,
        now: jiff::Timestamp,
        disk: &Arc<dyn TreeDisk>,
    ) -> Result<(Record, Before, bool), RecordError> {
        if let Some(old) = self.unfinished(root)? {
            if old.run.settings != *settings {
                let (theirs, ours) = differences(&old.run.settings, settings);
                return Err(RecordError::OtherSettings {
                    id: old.run.id.clone(),
                    started_at: old.run.started_at,
                    theirs,
                    ours,
                });
            }
            let (record, before) = Record::open(self, old.run.clone(), disk.clone())?;
            return Ok((record, before, true));
        }
        let second = jiff::Timestamp::from_second(now.as_second()).unwrap_or(now);
        let base = second.strftime("%Y%m%dT%H%M%SZ").to_string();
        let id = (1_u64..)
            .map(|n| match n {
                1 => base.clone(),
                n => format!("{base}-{n}"),
            })
            .find(|id| !self.folder(id).join("run.json").exists())
            .unwrap_or_default();
        let run = RunFile {
            format_version: FORMAT_VERSION,
            id,
            root: Entry::spell(root),
            started_at: second,
            settings: settings.clone(),
        };
        let record = Record::create(self, run, disk.clone())?;
        Ok((record, Before::default(), false))
    }
}

/// The settings that differ, each side by itself.
fn differences(theirs: &serde_json::Value, ours: &serde_json::Value) -> (String, String) {
    let empty = serde_json::Map::new();
    let (a, b) = (
        theirs.as_object().unwrap_or(&empty),
        ours.as_object().unwrap_or(&empty),
    );
    let mut keys: Vec<&String> = a.keys().chain(b.keys()).collect();
    keys.sort();
    keys.dedup();
    keys.retain(|k| a.get(*k) != b.get(*k));
    let list = |of: &serde_json::Map<String, serde_json::Value>| {
        let part = |k: &&String| match of.get(*k) {
            Some(value) => format!("{k} = {value}"),
            None => format!("no {k}"),
        };
        keys.iter().map(part).collect::<Vec<_>>().join(", ")
    };
    (list(a), list(b))
}
