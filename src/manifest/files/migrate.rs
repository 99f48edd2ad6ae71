//! The run: batches of files are staged, made durable, renamed, made durable again, and only then acknowledged.

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::os::fd::AsFd;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};

use super::disk::{Durability, Syncing};
use super::problem::{Class, Problem};
use super::record::{Before, EndFile, EndState, Entry, Record, RecordError, Runs};
use super::space::Space;
use super::stage::{Bench, Ready, Staged};
use super::tree::{self, Root};
use super::walk::{Item, Met, Seek, Walk};
use super::work::{self, Batch};
use super::{Change, Input, New, Place, Progress, Refusal, Ticker, Watch, names};

/// What a run is asked for.
#[derive(Debug, Clone)]
pub struct Options {
    /// Which files.
    pub place: Place,
    /// At most so many files are changed by the run, however often it is continued.
    pub limit: Option<u64>,
    /// Whether backups are made. Without them nothing can be restored.
    pub backup: bool,
    /// All that decides what the transform does (kind, target version, digest of the migrations): a run is continued
    /// only with the same.
    pub transform: serde_json::Value,
    /// The time of a new run; a continued one keeps its own.
    pub now: jiff::Timestamp,
    /// How files reach the disk.
    pub durability: Durability,
    /// Whether the run asks for room for the backups, and 20% of the disk, before it begins (SPEC section 8).
    pub check_space: bool,
}

impl Options {
    /// Everything in the place, with backups.
    #[must_use]
    pub fn new(place: Place, transform: serde_json::Value, now: jiff::Timestamp) -> Self {
        Self {
            place,
            limit: None,
            backup: true,
            transform,
            now,
            durability: Durability::Auto,
            check_space: true,
        }
    }

    fn settings(&self, only: Option<&PathBuf>) -> serde_json::Value {
        serde_json::json!({
            "pattern": self.place.matcher.as_str(),
            "manifest": only.map(|p| Entry::spell(p)),
            "limit": self.limit,
            "backup": self.backup,
            "transform": self.transform,
        })
    }
}

/// How a run ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Ended {
    /// Every file was looked at.
    Finished,
    /// As many files were changed as was allowed; there may be more.
    Limit,
    /// It was told to stop. The same call continues it.
    Stopped,
    /// The disk or the quota is full. The same call continues it once there is room.
    DiskFull,
    /// The disk or the record failed, as said. The same call continues it.
    Broken(String),
}

/// What was counted.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Counts {
    /// Regular files that match.
    pub total: u64,
    /// Of these, the ones looked at.
    pub looked: u64,
    /// Changed by this run, also before it was killed and continued; for certain.
    pub migrated: u64,
    /// Of these, before this process began.
    pub migrated_before: u64,
    /// At their version before the run.
    pub current: u64,
    /// Left alone for a reason, by class; also directories that could not be read.
    pub failed: BTreeMap<Class, u64>,
    /// Changed, by version before and after.
    pub versions: BTreeMap<(String, String), u64>,
    /// Bytes looked at.
    pub bytes: u64,
    /// Temporary files of dead runs that were removed.
    pub swept: u64,
}

impl Counts {
    /// All that were left alone for a reason.
    #[must_use]
    pub fn failures(&self) -> u64 {
        self.failed.values().sum()
    }

    /// As names and numbers, for the record and for JSON.
    #[must_use]
    pub fn table(&self) -> BTreeMap<String, u64> {
        let mut table: BTreeMap<String, u64> = [
            ("total", self.total),
            ("looked", self.looked),
            ("migrated", self.migrated),
            ("current", self.current),
            ("failed", self.failures()),
            ("bytes", self.bytes),
        ]
        .into_iter()
        .map(|(name, n)| (name.to_owned(), n))
        .collect();
        for (class, n) in &self.failed {
            *table.entry(format!("failed.{}", class.name())).or_default() += n;
        }
        table
    }
}

/// What a run came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Summary {
    /// The run's id; none for a dry run.
    pub run: Option<String>,
    /// When it was first started.
    pub started_at: jiff::Timestamp,
    /// True if it continued a run that had not ended.
    pub continued: bool,
    /// The numbers.
    pub counts: Counts,
    /// How it ended.
    pub ended: Ended,
}

/// Why a run did not begin.
#[derive(Debug, thiserror::Error)]
pub enum MigrateError {
    /// The root cannot be opened.
    #[error("open the tree {root}: {source}", root = root.display())]
    Root {
        /// The tree.
        root: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// Another process works on this tree, with a state folder of its own.
    #[error("start: another run works on the tree {root}", root = root.display())]
    Busy {
        /// The tree.
        root: PathBuf,
    },
    /// The backups would not fit.
    #[error("start: {0}. Free some space, or migrate in parts with a limit and prune between them")]
    Space(Space),
    /// The record cannot be read or written, is locked, or holds an unfinished run with other settings.
    #[error(transparent)]
    Record(#[from] RecordError),
}

/// Keeps other processes away from the tree for as long as it is open, where the file system can do that.
pub(super) fn lock_root(root: &Root) -> Result<(), MigrateError> {
    match rustix::fs::flock(
        root.fd(),
        rustix::fs::FlockOperation::NonBlockingLockExclusive,
    ) {
        Err(rustix::io::Errno::WOULDBLOCK) => Err(MigrateError::Busy {
            root: root.path().to_owned(),
        }),
        // Some network file systems have no such locks; the state folder's lock remains.
        _ => Ok(()),
    }
}

fn open(place: &Place) -> Result<Root, MigrateError> {
    place.open().map_err(|source| MigrateError::Root {
        root: place.root.clone(),
        source,
    })
}

/// Migrates the files of a tree, or continues to.
///
/// # Errors
/// Only when the run did not begin: nothing was changed by this call then. What happens later is in the summary.
pub fn migrate<F>(
    options: &Options,
    transform: F,
    watch: &mut dyn Watch,
    stop: &AtomicBool,
) -> Result<Summary, MigrateError>
where
    F: Fn(Input<'_>) -> Result<Change, Refusal> + Sync,
{
    let place = &options.place;
    let root = open(place)?;
    lock_root(&root)?;
    let runs = Runs::of(&place.state);
    let lock = runs.lock("migrate")?;
    let only = place.only(&root);
    let syncing =
        Syncing::choose(options.durability, root.fd()).map_err(|source| MigrateError::Root {
            root: place.root.clone(),
            source,
        })?;
    let (record, before, continued) = {
        let settings = options.settings(only.as_ref());
        // Before a run exists that nobody could carry out: do the backups fit? A run that goes on has asked already,
        // and the backups it made are counted among what is used.
        let resumed = runs.unfinished(root.path())?.is_some();
        if !resumed && options.backup && options.check_space {
            enough_space(options, &root, only.as_ref(), &transform)?;
        }
        runs.begin(root.path(), &settings, options.now, &place.disk)?
    };
    lock.note(&crate::base::durable::Holder::this_process(&record.run.id))
        .map_err(RecordError::from)?;
    let mut run = Run {
        options,
        root: &root,
        only,
        started_at: record.run.started_at,
        record,
        syncing,
        counts: Counts::default(),
        halt: None,
        ticker: Ticker::default(),
    };
    run.settle(before, watch);
    run.count();
    run.work(&transform, watch, stop);
    let ended = run.finish(watch);
    Ok(Summary {
        run: Some(run.record.run.id.clone()),
        started_at: run.started_at,
        continued,
        counts: run.counts,
        ended,
    })
}

/// Sizes of all files first; only if these do not fit, of those that would really be changed.
fn enough_space<F>(
    options: &Options,
    root: &Root,
    only: Option<&PathBuf>,
    transform: &F,
) -> Result<(), MigrateError>
where
    F: Fn(Input<'_>) -> Result<Change, Refusal> + Sync,
{
    let place = &options.place;
    let failed = |source| MigrateError::Root {
        root: place.root.clone(),
        source,
    };
    let only = only.map(PathBuf::as_path);
    let disk = &*place.disk;
    let walk = || {
        let closed = place.closed();
        Walk::new(root, &place.matcher, only, Seek::Manifests, closed, disk)
    };
    let (files, bytes) = sizes(walk());
    let space = Space::measure(disk, root.fd(), files, bytes).map_err(failed)?;
    if space.suffices() {
        return Ok(());
    }
    let (mut files, mut bytes) = (0, 0);
    let mut walk = walk();
    loop {
        let batch = Batch::next(&mut walk, work::batch_size());
        if batch.is_empty() {
            break;
        }
        let change = |item: &Item| would_change(root, item, options.now, transform);
        let (changes, ()) = work::parallel(place.workers, &batch.items, change, || ());
        for (old, _) in changes.into_iter().flatten().flatten() {
            files += 1;
            bytes += old.len() as u64;
            if options.limit.is_some_and(|l| files >= l) {
                break;
            }
        }
        if options.limit.is_some_and(|l| files >= l) {
            break;
        }
    }
    let space = Space::measure(disk, root.fd(), files, bytes).map_err(failed)?;
    if files == 0 || space.suffices() {
        Ok(())
    } else {
        Err(MigrateError::Space(space))
    }
}

fn sizes(walk: Walk<'_>) -> (u64, u64) {
    let mut sum = (0, 0);
    for met in walk {
        if let Met::File(item) = met {
            sum = (sum.0 + 1, sum.1 + item.size);
        }
    }
    sum
}

/// The old bytes and the change, if there would be one.
fn would_change<F>(
    root: &Root,
    item: &Item,
    at: jiff::Timestamp,
    transform: &F,
) -> Result<Option<(Vec<u8>, New)>, Problem>
where
    F: Fn(Input<'_>) -> Result<Change, Refusal>,
{
    let path = item.path();
    let dir = item.open_dir(root)?;
    let opened = tree::read_file(dir.as_fd(), &item.name).map_err(|p| p.at(&path))?;
    let kept = super::stage::read_side(dir.as_fd(), &item.name).map_err(|p| p.at(&path))?;
    let input = Input {
        path: &path,
        text: &opened.bytes,
        kept: kept.as_ref().map(|o| o.bytes.as_slice()),
        at,
    };
    match transform(input).map_err(|refusal| refusal.into_problem(&path))? {
        Change::Current { .. } => Ok(None),
        Change::Migrated(new) => Ok(Some((opened.bytes, new))),
    }
}

/// Transforms everything and writes nothing, not even a record; the watcher gets each change.
///
/// # Errors
/// When the root cannot be opened.
pub fn dry_run<F>(
    options: &Options,
    transform: F,
    watch: &mut dyn Watch,
    stop: &AtomicBool,
) -> Result<Summary, MigrateError>
where
    F: Fn(Input<'_>) -> Result<Change, Refusal> + Sync,
{
    // Old and new texts of a whole batch are in memory until their turn comes.
    const BATCH: usize = 64;
    let place = &options.place;
    let root = open(place)?;
    let only = place.only(&root);
    let walk = || {
        let only = only.as_deref();
        let closed = place.closed();
        Walk::new(
            &root,
            &place.matcher,
            only,
            Seek::Manifests,
            closed,
            &*place.disk,
        )
    };
    let mut counts = Counts {
        total: sizes(walk()).0,
        ..Counts::default()
    };
    let (mut walk, mut ticker, mut ended) = (walk(), Ticker::default(), Ended::Finished);
    'all: loop {
        if work::wanted(stop) {
            ended = Ended::Stopped;
            break;
        }
        let batch = Batch::next(&mut walk, BATCH);
        if batch.is_empty() {
            break;
        }
        let one = |item: &Item| would_change(&root, item, options.now, &transform);
        let (results, ()) = work::parallel(place.workers, &batch.items, one, || ());
        let mut told = Told::new(&batch);
        for (at, (item, result)) in batch.items.iter().zip(results).enumerate() {
            told.problems(at, &mut counts, watch);
            if options.limit.is_some_and(|l| counts.migrated >= l) {
                ended = Ended::Limit;
                break 'all;
            }
            counts.looked += 1;
            counts.bytes += item.size;
            match result {
                Ok(None) => counts.current += 1,
                Ok(Some((old, new))) => {
                    watch.would_change(&item.path(), &old, &new);
                    counts.migrated += 1;
                    *counts.versions.entry((new.from, new.to)).or_default() += 1;
                }
                Err(problem) => failed(&mut counts, watch, &problem),
            }
        }
        told.problems(usize::MAX, &mut counts, watch);
        ticker.tick(watch, &progress(&counts));
    }
    watch.progress(&progress(&counts));
    Ok(Summary {
        run: None,
        started_at: options.now,
        continued: false,
        counts,
        ended,
    })
}

/// The problems of a batch, told between its files in the order of the walk.
struct Told<'b> {
    problems: std::iter::Peekable<std::slice::Iter<'b, (usize, Problem)>>,
}

impl<'b> Told<'b> {
    fn new(batch: &'b Batch) -> Self {
        Self {
            problems: batch.problems.iter().peekable(),
        }
    }

    fn problems(&mut self, at: usize, counts: &mut Counts, watch: &mut dyn Watch) {
        while let Some((_, problem)) = self.problems.next_if(|(before, _)| *before <= at) {
            failed(counts, watch, problem);
        }
    }
}

fn failed(counts: &mut Counts, watch: &mut dyn Watch, problem: &Problem) {
    *counts.failed.entry(problem.class.clone()).or_default() += 1;
    watch.problem(problem);
}

fn progress(counts: &Counts) -> Progress {
    Progress {
        done: counts.looked,
        total: counts.total,
        bytes: counts.bytes,
        changed: counts.migrated,
        failed: counts.failures(),
    }
}

/// A run in progress.
struct Run<'a> {
    options: &'a Options,
    root: &'a Root,
    only: Option<PathBuf>,
    started_at: jiff::Timestamp,
    record: Record,
    syncing: Syncing,
    counts: Counts,
    /// Why no further batch is begun.
    halt: Option<Ended>,
    ticker: Ticker,
}

impl Run<'_> {
    fn walk(&self, seek: Seek) -> Walk<'_> {
        let place = &self.options.place;
        let only = self.only.as_deref();
        let closed = place.closed();
        Walk::new(self.root, &place.matcher, only, seek, closed, &*place.disk)
    }

    /// What an earlier process of this run set out to change and did not acknowledge: either it did, or the walk comes
    /// to the file again.
    fn settle(&mut self, before: Before, watch: &mut dyn Watch) {
        let Before { open, done } = before;
        let disk = &*self.options.place.disk;
        for (versions, n) in done {
            self.counts.migrated_before += n;
            *self.counts.versions.entry(versions).or_default() += n;
        }
        if !open.is_empty() {
            let whole = self.syncing.is_whole();
            let mut settled = Vec::new();
            let mut except = Vec::new();
            let mut broken = None;
            for entry in open {
                match applied(self.root, disk, &entry, whole) {
                    Ok(true) => settled.push(entry),
                    Ok(false) => except.push(entry.seq),
                    Err(Unsettled::Named(problem)) => {
                        except.push(entry.seq);
                        failed(&mut self.counts, watch, &problem);
                    }
                    Err(Unsettled::NotDurable(error)) => broken = Some(error),
                }
            }
            let done = match broken {
                Some(error) => Err(error.to_string()),
                None => self
                    .syncing
                    .batch(disk, whole, settled.len())
                    .map_err(|e| e.to_string())
                    .and_then(|()| self.record.acknowledge(except).map_err(|e| e.to_string())),
            };
            match done {
                Err(error) => self.halt = Some(Ended::Broken(error)),
                Ok(()) => {
                    for entry in settled {
                        watch.changed(&entry.path(), &entry.from, &entry.to);
                        self.counts.migrated_before += 1;
                        let versions = (entry.from, entry.to);
                        *self.counts.versions.entry(versions).or_default() += 1;
                    }
                }
            }
        }
        self.counts.migrated = self.counts.migrated_before;
    }

    /// How many files there are; temporary files of dead runs go on the way.
    fn count(&mut self) {
        let mut walk = self.walk(Seek::ManifestsAndSweep);
        let mut total = 0;
        for met in walk.by_ref() {
            total += u64::from(matches!(met, Met::File(_)));
        }
        let swept = walk.swept;
        drop(walk);
        (self.counts.total, self.counts.swept) = (total, swept);
    }

    fn work<F>(&mut self, transform: &F, watch: &mut dyn Watch, stop: &AtomicBool)
    where
        F: Fn(Input<'_>) -> Result<Change, Refusal> + Sync,
    {
        let (root, options) = (self.root, self.options);
        let only = self.only.clone();
        let place = &options.place;
        let closed = place.closed();
        let mut walk = Walk::new(
            root,
            &place.matcher,
            only.as_deref(),
            Seek::Manifests,
            closed,
            &*place.disk,
        );
        let most = work::batch_size();
        let mut prefetched = None;
        while self.halt.is_none() {
            let left = options
                .limit
                .map(|l| l.saturating_sub(self.counts.migrated));
            if left == Some(0) {
                self.halt = Some(Ended::Limit);
                break;
            }
            if work::wanted(stop) {
                self.halt = Some(Ended::Stopped);
                break;
            }
            // With a limit no batch is larger than what may still be changed, so the first ones of the walk are.
            let size = left.map_or(most, |l| usize::try_from(l).unwrap_or(most).min(most));
            let batch = prefetched
                .take()
                .unwrap_or_else(|| Batch::next(&mut walk, size));
            if batch.is_empty() {
                break;
            }
            let ahead = options.limit.is_none();
            prefetched = self.batch(&batch, transform, watch, stop, || {
                ahead.then(|| Batch::next(&mut walk, most))
            });
            let progress = progress(&self.counts);
            self.ticker.tick(watch, &progress);
        }
    }

    fn batch<F>(
        &mut self,
        batch: &Batch,
        transform: &F,
        watch: &mut dyn Watch,
        stop: &AtomicBool,
        meanwhile: impl FnOnce() -> Option<Batch>,
    ) -> Option<Batch>
    where
        F: Fn(Input<'_>) -> Result<Change, Refusal> + Sync,
    {
        let place = &self.options.place;
        let bench = Bench {
            root: self.root,
            disk: &*place.disk,
            whole: self.syncing.is_whole(),
            backup: self.options.backup,
            at: self.started_at,
        };
        let full = AtomicBool::new(false);
        let stage = |item: &Item| {
            if full.load(Ordering::Relaxed) || work::wanted(stop) {
                return Staged::Skipped;
            }
            let staged = bench.stage(item, transform);
            if let Staged::Problem(problem) = &staged
                && problem.class == Class::DiskFull
            {
                full.store(true, Ordering::Relaxed);
            }
            staged
        };
        let (mut staged, next) = work::parallel(place.workers, &batch.items, stage, meanwhile);
        if full.load(Ordering::Relaxed) {
            self.halt = Some(Ended::DiskFull);
        } else if staged.iter().any(|s| matches!(s, Staged::Skipped)) {
            self.halt = Some(Ended::Stopped);
        }
        let mut ready: Vec<&mut Box<Ready>> = staged
            .iter_mut()
            .filter_map(|s| match s {
                Staged::Ready(ready) => Some(ready),
                _ => None,
            })
            .collect();
        let outcomes = self.replace(&bench, &mut ready);
        self.tell(batch, staged, outcomes, watch);
        next
    }

    /// Makes durable, renames, makes durable, acknowledges. One result for each file that was ready.
    fn replace(
        &mut self,
        bench: &Bench<'_>,
        ready: &mut [&mut Box<Ready>],
    ) -> Vec<Result<(), Problem>> {
        if ready.is_empty() {
            return Vec::new();
        }
        let place = &self.options.place;
        let count = ready.len();
        let prepared = self
            .syncing
            .batch(bench.disk, bench.whole, count)
            .map_err(|e| Halt::of(&e))
            .and_then(|()| {
                let entries = ready.iter_mut().map(|r| &mut r.entry);
                self.record.intend(entries).map_err(|e| Halt::of_record(&e))
            });
        if let Err(halt) = prepared {
            let back = |ready: &&mut Box<Ready>| bench.unstage(ready);
            let (_, ()) = work::parallel(place.workers, ready, back, || ());
            let class = halt.class();
            let message = format!(
                "the batch could not be made durable before its renames ({}); the file is as it was",
                halt.message
            );
            let problems = ready
                .iter()
                .map(|r| Err(Problem::new(r.item.path(), class.clone(), message.clone())));
            let problems = problems.collect();
            self.halt = Some(halt.ended());
            return problems;
        }
        let commit = |ready: &&mut Box<Ready>| bench.commit(ready);
        let (mut outcomes, ()) = work::parallel(place.workers, ready, commit, || ());
        let not_durable = outcomes
            .iter()
            .find_map(|o| o.as_ref().err().filter(|p| p.class == Class::NotDurable));
        let acknowledged = match not_durable {
            Some(problem) => Err(Halt {
                full: false,
                message: problem.message.clone(),
            }),
            None => self
                .syncing
                .batch(bench.disk, bench.whole, count)
                .map_err(|e| Halt::of(&e))
                .and_then(|()| {
                    let except = ready
                        .iter()
                        .zip(&outcomes)
                        .filter(|(_, o)| o.is_err())
                        .map(|(r, _)| r.entry.seq)
                        .collect();
                    self.record
                        .acknowledge(except)
                        .map_err(|e| Halt::of_record(&e))
                }),
        };
        if let Err(halt) = acknowledged {
            for (ready, outcome) in ready.iter().zip(&mut outcomes) {
                if outcome.is_ok() {
                    *outcome = Err(Problem::new(
                        ready.item.path(),
                        Class::NotDurable,
                        format!(
                            "it has its new bytes, but that they are on the disk could not be confirmed and recorded \
                             ({}); the same command again settles it",
                            halt.message
                        ),
                    ));
                }
            }
            self.halt = Some(halt.ended());
        } else if outcomes
            .iter()
            .any(|o| o.as_ref().is_err_and(|p| p.class == Class::DiskFull))
        {
            self.halt = Some(Ended::DiskFull);
        }
        outcomes
    }

    fn tell(
        &mut self,
        batch: &Batch,
        staged: Vec<Staged>,
        outcomes: Vec<Result<(), Problem>>,
        watch: &mut dyn Watch,
    ) {
        let mut outcomes = outcomes.into_iter();
        let mut told = Told::new(batch);
        let counts = &mut self.counts;
        for (at, (item, staged)) in batch.items.iter().zip(staged).enumerate() {
            told.problems(at, counts, watch);
            if matches!(staged, Staged::Skipped) {
                continue;
            }
            counts.looked += 1;
            counts.bytes += item.size;
            match staged {
                Staged::Current => counts.current += 1,
                Staged::Problem(problem) => failed(counts, watch, &problem),
                Staged::Ready(ready) => match outcomes.next() {
                    Some(Err(problem)) => failed(counts, watch, &problem),
                    _ => {
                        let entry = ready.entry;
                        watch.changed(&item.path(), &entry.from, &entry.to);
                        counts.migrated += 1;
                        *counts.versions.entry((entry.from, entry.to)).or_default() += 1;
                    }
                },
                Staged::Skipped => {}
            }
        }
        told.problems(usize::MAX, counts, watch);
    }

    /// Marks the run as over, if it is.
    fn finish(&mut self, watch: &mut dyn Watch) -> Ended {
        // What this run changed before it was killed was met as current.
        self.counts.current = self
            .counts
            .current
            .saturating_sub(self.counts.migrated_before);
        let mut ended = self.halt.take().unwrap_or(Ended::Finished);
        if matches!(ended, Ended::Finished | Ended::Limit) {
            let end = EndFile {
                state: EndState::Finished,
                at: jiff::Timestamp::now(),
                counts: self.counts.table(),
            };
            if let Err(error) = self.record.end(&end) {
                ended = Halt::of_record(&error).ended();
            }
        }
        watch.progress(&progress(&self.counts));
        ended
    }
}

/// Why no further batch is begun.
#[derive(Debug)]
struct Halt {
    full: bool,
    message: String,
}

impl Halt {
    fn of(error: &std::io::Error) -> Self {
        use std::io::ErrorKind::{QuotaExceeded, StorageFull};
        Self {
            full: matches!(error.kind(), StorageFull | QuotaExceeded),
            message: error.to_string(),
        }
    }

    fn of_record(error: &RecordError) -> Self {
        Self {
            full: matches!(error, RecordError::Durable(e) if e.is_disk_full()),
            message: error.to_string(),
        }
    }

    const fn class(&self) -> Class {
        if self.full {
            Class::DiskFull
        } else {
            Class::Io
        }
    }

    fn ended(self) -> Ended {
        if self.full {
            Ended::DiskFull
        } else {
            Ended::Broken(self.message)
        }
    }
}

enum Unsettled {
    /// It was applied, but something is odd that a person must know.
    Named(Problem),
    /// The system does not confirm that it is on the disk.
    NotDurable(std::io::Error),
}

/// Whether an intent of a dead process was carried out: the file has the new bytes.
fn applied(
    root: &Root,
    disk: &dyn super::TreeDisk,
    entry: &Entry,
    whole: bool,
) -> Result<bool, Unsettled> {
    let path = entry.path();
    let dir = path.parent().map(|p| root.dir(p));
    // Whatever cannot be read now is met, and named, by the walk.
    let (Some(Ok(dir)), Some(name)) = (dir, path.file_name()) else {
        return Ok(false);
    };
    let Ok(opened) = tree::read_file(dir.as_fd(), name) else {
        return Ok(false);
    };
    if tree::sum(&opened.bytes) != entry.after {
        return Ok(false);
    }
    // The side file follows the manifest, and may not have come to it.
    let side = names::side(name);
    let waiting = names::temporary(&side);
    let has = |name: &OsStr, sum: &str| {
        tree::read_file(dir.as_fd(), name).is_ok_and(|o| tree::sum(&o.bytes) == sum)
    };
    let followed = match (&entry.side, entry.side_before()) {
        (Some(sum), _) if has(&waiting, sum) => disk.rename_in(dir.as_fd(), &waiting, &side),
        (None, Some((sum, _))) if has(&side, sum) => disk.remove(dir.as_fd(), &side),
        _ => Ok(()),
    };
    followed.map_err(Unsettled::NotDurable)?;
    if !whole || tree::Stamp::of(&opened.stat).dev != root.dev() {
        disk.sync_data(&opened.file)
            .and_then(|()| disk.sync_names(dir.as_fd()))
            .map_err(Unsettled::NotDurable)?;
    }
    if let Some(backup) = entry.backup() {
        let sound = tree::read_file(dir.as_fd(), &backup)
            .is_ok_and(|b| tree::sum(&b.bytes) == entry.before);
        if !sound {
            return Err(Unsettled::Named(Problem::new(
                path,
                Class::ChangedMeanwhile,
                format!(
                    "it was migrated when the run was killed, but its backup {} no longer has the bytes of before; both \
                     were left as they are: compare them",
                    backup.display()
                ),
            )));
        }
    }
    Ok(true)
}
