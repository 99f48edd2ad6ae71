//! The way back: backups take their manifests' places again, by checksum.
//!
//! A backup is put back by one rename, which gives the old inode its name again: bytes, mode, owner and time at once,
//! and no backup is left. Whatever is not exactly what the migration left is refused by name.

use std::collections::{BTreeMap, HashSet};
use std::ffi::{OsStr, OsString};
use std::io;
use std::os::fd::{AsFd, BorrowedFd};
use std::path::{Path, PathBuf};
use std::sync::atomic::AtomicBool;

use super::disk::{Durability, Looks, Syncing};
use super::migrate::{MigrateError, lock_root};
use super::problem::{Class, Problem};
use super::record::{EndFile, EndState, Entry, RecordError, Runs};
use super::stage::looks_of;
use super::tree::{self, Opened, Root, Stamp};
use super::walk::{Item, Seek, Walk};
use super::work::{self, Batch};
use super::{Place, Progress, Ticker, TreeDisk, Watch, names};

/// What a document says of its last migration.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Trace {
    /// It is as its last migration left it.
    Migrated {
        /// `sha256:` of the bytes before, as its history says.
        before: String,
        /// The version before.
        from: String,
    },
    /// It has no history.
    Unmigrated,
    /// It was edited after its last migration.
    ChangedSince,
    /// It is no document.
    Corrupted,
}

/// What is taken back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Scope {
    /// All that a run did (its id, a unique beginning of it, or `latest`).
    Run(String),
    /// The last migration of each manifest of the place, whichever run did it. Missing and corrupted manifests come back
    /// where the record of a run vouches for a backup.
    Place,
}

/// What a restore is asked for.
#[derive(Debug, Clone)]
pub struct RestoreOptions {
    /// Which files; with [`Scope::Run`] only its root, its state and `only` count.
    pub place: Place,
    /// What is taken back.
    pub scope: Scope,
    /// How names reach the disk.
    pub durability: Durability,
    /// For the record.
    pub now: jiff::Timestamp,
}

/// What a restore came to.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Restored {
    /// The run that was taken back.
    pub run: Option<String>,
    /// Manifests that have their bytes of before again.
    pub restored: u64,
    /// Manifests that had them already, or were never migrated.
    pub original: u64,
    /// Left as they were, by class; the watcher was told each.
    pub failed: BTreeMap<Class, u64>,
    /// True if it was told to stop before its end; the same call continues.
    pub stopped: bool,
    /// The disk failed, as said; the same call continues.
    pub broken: Option<String>,
}

impl Restored {
    /// All that were left as they were.
    #[must_use]
    pub fn failures(&self) -> u64 {
        self.failed.values().sum()
    }
}

/// What became of one manifest.
enum Went {
    Restored(PathBuf, String, String),
    Original,
    /// The document itself cannot tell; a record may.
    AskRecords(PathBuf),
    /// Neither the manifest nor a backup is there, and nobody asked for it by name.
    Nothing,
}

/// Takes migrations back.
///
/// # Errors
/// Only when nothing was begun.
pub fn restore<T>(
    options: &RestoreOptions,
    trace: T,
    watch: &mut dyn Watch,
    stop: &AtomicBool,
) -> Result<Restored, MigrateError>
where
    T: Fn(&Path, &[u8]) -> Trace + Sync,
{
    let place = &options.place;
    let failed = |source| MigrateError::Root {
        root: place.root.clone(),
        source,
    };
    let root = place.open().map_err(failed)?;
    lock_root(&root)?;
    let runs = Runs::of(&place.state);
    let _lock = runs.lock("restore")?;
    let mut restore = Restore {
        place,
        root: &root,
        only: place.only(&root),
        syncing: Syncing::choose(options.durability, root.fd()).map_err(failed)?,
        restored: Restored::default(),
        ticker: Ticker::default(),
        looked: 0,
        stop,
    };
    match &options.scope {
        Scope::Run(id) => {
            let listed = runs.find(id)?;
            let id = listed.run.id.clone();
            restore.restored.run = Some(id.clone());
            restore.entries(&runs, &id, None, &trace, watch)?;
            let whole = restore.only.is_none();
            if whole && !restore.restored.stopped && restore.restored.broken.is_none() {
                let counts = [
                    ("restored", restore.restored.restored),
                    ("original", restore.restored.original),
                    ("failed", restore.restored.failures()),
                ];
                let end = EndFile {
                    state: EndState::Restored,
                    at: options.now,
                    counts: counts.map(|(k, n)| (k.to_owned(), n)).into(),
                };
                runs.mark(&id, &end)?;
            }
        }
        Scope::Place => {
            let mut ask = restore.walk(&trace, watch);
            let own = Entry::spell(root.path());
            for listed in runs.list()? {
                if listed.run.root == own {
                    restore.entries(&runs, &listed.run.id, Some(&mut ask), &trace, watch)?;
                }
            }
            let mut left: Vec<PathBuf> = ask.into_iter().collect();
            left.sort();
            for path in left {
                let problem = Problem::new(
                    path,
                    Class::NoBackup,
                    "it is corrupted or missing, and no run's record vouches for a backup that is there",
                );
                restore.fail(&problem, watch);
            }
        }
    }
    watch.progress(&restore.progress());
    Ok(restore.restored)
}

struct Restore<'a> {
    place: &'a Place,
    root: &'a Root,
    only: Option<PathBuf>,
    syncing: Syncing,
    restored: Restored,
    ticker: Ticker,
    looked: u64,
    stop: &'a AtomicBool,
}

impl Restore<'_> {
    fn over(&mut self) -> bool {
        self.restored.stopped |= work::wanted(self.stop);
        self.restored.stopped || self.restored.broken.is_some()
    }

    fn progress(&self) -> Progress {
        Progress {
            done: self.looked,
            total: self.looked,
            bytes: 0,
            changed: self.restored.restored,
            failed: self.restored.failures(),
        }
    }

    fn fail(&mut self, problem: &Problem, watch: &mut dyn Watch) {
        *self
            .restored
            .failed
            .entry(problem.class.clone())
            .or_default() += 1;
        watch.problem(problem);
    }

    /// Goes through a run's record. With `ask`, only what is in it or missing altogether is restored.
    fn entries<T>(
        &mut self,
        runs: &Runs,
        id: &str,
        mut ask: Option<&mut HashSet<PathBuf>>,
        trace: &T,
        watch: &mut dyn Watch,
    ) -> Result<(), RecordError>
    where
        T: Fn(&Path, &[u8]) -> Trace + Sync,
    {
        let most = work::batch_size() / 2;
        let mut waiting: Vec<Entry> = Vec::new();
        let mut paths = HashSet::new();
        runs.entries::<RecordError>(id, |entry| {
            let path = entry.path();
            if self.only.as_ref().is_some_and(|o| *o != path) {
                return Ok(());
            }
            // A run that was killed may have set out twice for a file.
            if paths.insert(path) {
                waiting.push(entry);
            }
            if waiting.len() >= most {
                self.some(
                    &std::mem::take(&mut waiting),
                    ask.as_deref_mut(),
                    trace,
                    watch,
                );
                paths.clear();
            }
            Ok(())
        })?;
        self.some(&waiting, ask, trace, watch);
        Ok(())
    }

    fn some<T>(
        &mut self,
        entries: &[Entry],
        ask: Option<&mut HashSet<PathBuf>>,
        trace: &T,
        watch: &mut dyn Watch,
    ) where
        T: Fn(&Path, &[u8]) -> Trace + Sync,
    {
        if entries.is_empty() || self.over() {
            return;
        }
        let hands = self.hands();
        let asked = ask.as_deref();
        let one = |entry: &Entry| hands.entry(entry, asked, trace);
        let (went, ()) = work::parallel(self.place.workers, entries, one, || ());
        self.told(went, hands.whole, ask, watch);
    }

    fn walk<T>(&mut self, trace: &T, watch: &mut dyn Watch) -> HashSet<PathBuf>
    where
        T: Fn(&Path, &[u8]) -> Trace + Sync,
    {
        let mut ask = HashSet::new();
        let only = self.only.clone();
        let closed = self.place.closed();
        let mut walk = Walk::new(
            self.root,
            &self.place.matcher,
            only.as_deref(),
            Seek::Manifests,
            closed,
            &*self.place.disk,
        );
        while !self.over() {
            let batch = Batch::next(&mut walk, work::batch_size());
            if batch.is_empty() {
                break;
            }
            for (_, problem) in &batch.problems {
                // The one that was asked for is missing: a record may know a backup.
                if problem.class == Class::Vanished && only.as_deref() == Some(&problem.path) {
                    ask.insert(problem.path.clone());
                } else {
                    self.fail(problem, watch);
                }
            }
            let hands = self.hands();
            let one = |item: &Item| hands.item(item, trace);
            let (went, ()) = work::parallel(self.place.workers, &batch.items, one, || ());
            self.told(went, hands.whole, Some(&mut ask), watch);
        }
        ask
    }

    fn hands(&self) -> Hands<'_> {
        Hands {
            root: self.root,
            disk: &*self.place.disk,
            whole: self.syncing.is_whole(),
        }
    }

    fn told(
        &mut self,
        went: Vec<Result<Went, Problem>>,
        whole: bool,
        mut ask: Option<&mut HashSet<PathBuf>>,
        watch: &mut dyn Watch,
    ) {
        let count = went
            .iter()
            .filter(|w| matches!(w, Ok(Went::Restored(..))))
            .count();
        if let Err(error) = self.syncing.batch(&*self.place.disk, whole, count) {
            self.restored.broken = Some(format!(
                "manifests were put back, but the system does not confirm that this is on the disk: {error}"
            ));
        }
        for went in went {
            self.looked += 1;
            match went {
                Ok(Went::Restored(path, from, to)) => {
                    self.restored.restored += 1;
                    if let Some(ask) = ask.as_deref_mut() {
                        ask.remove(&path);
                    }
                    watch.changed(&path, &from, &to);
                }
                Ok(Went::Original) => self.restored.original += 1,
                Ok(Went::AskRecords(path)) => {
                    if let Some(ask) = ask.as_deref_mut() {
                        ask.insert(path);
                    }
                }
                Ok(Went::Nothing) => {}
                Err(problem) => self.fail(&problem, watch),
            }
        }
        let progress = self.progress();
        self.ticker.tick(watch, &progress);
    }
}

/// What works on single files, shared by the threads.
#[derive(Debug, Clone, Copy)]
struct Hands<'a> {
    root: &'a Root,
    disk: &'a dyn TreeDisk,
    whole: bool,
}

/// A manifest on its way back.
struct Way<'w> {
    path: &'w Path,
    name: &'w OsStr,
    dir: BorrowedFd<'w>,
    /// What has the name now; nothing if it is missing.
    now: Option<Stamp>,
    looks: Option<Looks>,
}

impl Hands<'_> {
    fn entry<T>(
        &self,
        entry: &Entry,
        ask: Option<&HashSet<PathBuf>>,
        trace: &T,
    ) -> Result<Went, Problem>
    where
        T: Fn(&Path, &[u8]) -> Trace,
    {
        let path = entry.path();
        let (parent, name) = split(&path)?;
        let dir = match self.root.dir(parent) {
            Ok(dir) => dir,
            // The whole directory was removed since: nobody asked for it.
            Err(e) if ask.is_some() && e.kind() == io::ErrorKind::NotFound => {
                return Ok(Went::Nothing);
            }
            Err(e) => return Err(Problem::io(&path, "open its directory", e)),
        };
        let dir = dir.as_fd();
        let now = match tree::read_file(dir, name) {
            Ok(opened) => Some(opened),
            Err(problem) if problem.class == Class::Vanished => None,
            Err(_) if ask.is_some() => return Ok(Went::Nothing),
            Err(problem) => return Err(problem.at(&path)),
        };
        if let Some(ask) = ask
            && now.is_some()
            && !ask.contains(&path)
        {
            return Ok(Went::Nothing);
        }
        if let Some(opened) = &now {
            let sum = tree::sum(&opened.bytes);
            if sum == entry.before {
                self.tidy(dir, name, entry)
                    .map_err(|e| Problem::io(&path, "remove its backup", e))?;
                return Ok(Went::Original);
            }
            if sum != entry.after && trace(&path, &opened.bytes) != Trace::Corrupted {
                return Err(changed_since(&path));
            }
        }
        let Some(backup) = entry.backup() else {
            return Err(Problem::new(
                path,
                Class::NoBackup,
                "its run was asked to make no backups",
            ));
        };
        let vouched = match tree::read_file(dir, &backup) {
            Ok(found) if tree::sum(&found.bytes) == entry.before => found,
            Err(_) | Ok(_) if ask.is_some() => return Ok(Went::Nothing),
            Ok(_) => {
                return Err(Problem::new(
                    path,
                    Class::NoBackup,
                    format!(
                        "its backup {} does not have the bytes of before any more",
                        backup.display()
                    ),
                ));
            }
            Err(problem) => {
                return Err(Problem::new(
                    path,
                    Class::NoBackup,
                    format!("its backup {}: {}", backup.display(), problem.message),
                ));
            }
        };
        let way = Way {
            path: &path,
            name,
            dir,
            now: now.as_ref().map(|o| Stamp::of(&o.stat)),
            looks: Some(Looks {
                mode: entry.mode,
                uid: entry.uid,
                gid: entry.gid,
                mtime: Some(entry.mtime),
            }),
        };
        self.put(&way, &backup, &vouched, Some(entry))?;
        Ok(Went::Restored(
            path.clone(),
            entry.to.clone(),
            entry.from.clone(),
        ))
    }

    fn item<T>(&self, item: &Item, trace: &T) -> Result<Went, Problem>
    where
        T: Fn(&Path, &[u8]) -> Trace,
    {
        let path = item.path();
        let dir = item.open_dir(self.root)?;
        let dir = dir.as_fd();
        let opened = tree::read_file(dir, &item.name).map_err(|p| p.at(&path))?;
        let (before, from) = match trace(&path, &opened.bytes) {
            Trace::Migrated { before, from } => (before, from),
            Trace::Unmigrated => return Ok(Went::Original),
            Trace::Corrupted => return Ok(Went::AskRecords(path)),
            Trace::ChangedSince => return Err(changed_since(&path)),
        };
        let (backup, found) = backup_with(dir, &item.name, &from, &before).ok_or_else(|| {
            Problem::new(
                &path,
                Class::NoBackup,
                format!("none of its backups has the checksum of before ({before})"),
            )
        })?;
        let way = Way {
            path: &path,
            name: &item.name,
            dir,
            now: Some(Stamp::of(&opened.stat)),
            looks: None,
        };
        self.put(&way, &backup, &found, None)?;
        Ok(Went::Restored(path, String::new(), from))
    }

    /// The backup takes the manifest's name.
    fn put(
        &self,
        way: &Way<'_>,
        backup: &OsStr,
        found: &Opened,
        entry: Option<&Entry>,
    ) -> Result<(), Problem> {
        let (dir, name) = (way.dir, way.name);
        let io = |doing: &'static str| move |e| Problem::io(way.path, doing, e);
        let alone = found.stat.st_nlink == 1;
        let temporary = names::temporary(name);
        let from: &OsStr = if alone {
            if let Some(looks) = way.looks {
                self.disk
                    .dress(&found.file, looks, None)
                    .map_err(io("give its backup the old mode and time"))?;
            }
            backup
        } else {
            // Other names share the inode, and what is done to the manifest later must not show there.
            let looks = way.looks.unwrap_or_else(|| looks_of(&found.stat, true));
            let copied = self.copy(dir, &temporary, found, looks);
            if copied.is_err() {
                // A temporary file: the next run sweeps it if it cannot go now.
                drop(self.disk.remove(dir, &temporary));
            }
            copied.map_err(io("write its old bytes"))?;
            &temporary
        };
        let now = match tree::stat(dir, name) {
            Ok(stat) => Some(Stamp::of(&stat)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => None,
            Err(error) => return Err(Problem::io(way.path, "look at it again", error)),
        };
        if now != way.now {
            if !alone {
                drop(self.disk.remove(dir, &temporary));
            }
            return Err(Problem::new(
                way.path,
                Class::ChangedMeanwhile,
                "it changed while it was being restored; the changed file stands",
            ));
        }
        self.disk
            .rename_in(dir, from, name)
            .map_err(io("put its backup in place"))?;
        if !alone {
            self.disk
                .remove(dir, backup)
                .map_err(io("remove its backup"))?;
        }
        if let Some(entry) = entry {
            self.side_back(dir, name, entry)
                .map_err(io("put its old side file back"))?;
        }
        if !self.whole || found.stat.st_dev != self.root.dev() {
            self.disk.sync_names(dir).map_err(|e| {
                Problem::new(
                    way.path,
                    Class::NotDurable,
                    format!("it was put back, but the system does not confirm that this is on the disk: {e}"),
                )
            })?;
        }
        Ok(())
    }

    fn copy(
        &self,
        dir: BorrowedFd<'_>,
        temporary: &OsStr,
        found: &Opened,
        looks: Looks,
    ) -> io::Result<()> {
        let mut file = match self.disk.create(dir, temporary) {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
                self.disk.remove(dir, temporary)?;
                self.disk.create(dir, temporary)?
            }
            other => other?,
        };
        self.disk.append(&mut file, &found.bytes)?;
        self.disk.dress(&file, looks, Some(&found.file))?;
        self.disk.sync_data(&file)
    }

    /// The manifest has its old bytes: a backup with the same bytes and the run's side file go.
    fn tidy(&self, dir: BorrowedFd<'_>, name: &OsStr, entry: &Entry) -> io::Result<()> {
        if let Some(backup) = entry.backup() {
            self.remove_if(dir, &backup, &entry.before)?;
        }
        self.side_back(dir, name, entry)
    }

    /// The side file is as it was before the run, and has no backup.
    fn side_back(&self, dir: BorrowedFd<'_>, name: &OsStr, entry: &Entry) -> io::Result<()> {
        let side = names::side(name);
        if let Some(written) = &entry.side {
            self.remove_if(dir, &side, written)?;
        }
        let Some((sum, backup)) = entry.side_before() else {
            return Ok(());
        };
        let whole = |name: &OsStr| {
            tree::read_file(dir, name).is_ok_and(|found| tree::sum(&found.bytes) == sum)
        };
        match tree::stat(dir, &side) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                if whole(&backup) {
                    self.disk.rename_in(dir, &backup, &side)?;
                }
                Ok(())
            }
            _ if whole(&side) => self.remove_if(dir, &backup, sum),
            _ => Ok(()),
        }
    }

    fn remove_if(&self, dir: BorrowedFd<'_>, name: &OsStr, sum: &str) -> io::Result<()> {
        match tree::read_file(dir, name) {
            Ok(found) if tree::sum(&found.bytes) == sum => self.disk.remove(dir, name),
            // Not there, or somebody else's by now.
            _ => Ok(()),
        }
    }
}

/// The backup of a manifest that has a checksum.
pub(super) fn backup_with(
    dir: BorrowedFd<'_>,
    name: &OsStr,
    from: &str,
    sum: &str,
) -> Option<(OsString, Opened)> {
    // Names are given without gaps, but backups in between may have been pruned.
    names::backups(name, from).find_map(|backup| {
        let found = tree::read_file(dir, &backup).ok()?;
        (tree::sum(&found.bytes) == sum).then_some((backup, found))
    })
}

fn split(path: &Path) -> Result<(&Path, &OsStr), Problem> {
    path.parent()
        .zip(path.file_name())
        .ok_or_else(|| Problem::new(path, Class::Io, "the record names no file"))
}

fn changed_since(path: &Path) -> Problem {
    Problem::new(
        path,
        Class::ChangedSince,
        "it was changed after its migration; to restore it would lose that change. Compare it with its backup",
    )
}
