//! Batches of files and the threads that work on them.

use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use super::problem::Problem;
use super::walk::{Item, Met, Walk};

/// At most so many files are open or waiting at a time.
const LARGEST_BATCH: usize = 1024;
/// And at most so many bytes of them.
const BYTES_PER_BATCH: u64 = 64 << 20;

/// As many files as may be held open at once, with room for the rest of the program.
pub(super) fn batch_size() -> usize {
    let limit = rustix::process::getrlimit(rustix::process::Resource::Nofile).current;
    let limit = limit.map_or(LARGEST_BATCH, |n| {
        usize::try_from(n).unwrap_or(LARGEST_BATCH)
    });
    (limit.saturating_sub(160)).clamp(8, LARGEST_BATCH)
}

/// What a walk met, in its order: files to work on, and problems between them.
#[derive(Debug, Default)]
pub(super) struct Batch {
    pub(super) items: Vec<Item>,
    /// With the number of items that came before each.
    pub(super) problems: Vec<(usize, Problem)>,
}

impl Batch {
    /// The next batch; an empty one is the end.
    pub(super) fn next(walk: &mut Walk<'_>, most: usize) -> Self {
        let mut batch = Self::default();
        let mut bytes = 0;
        for met in walk.by_ref() {
            match met {
                Met::Problem(problem) => batch.problems.push((batch.items.len(), problem)),
                Met::File(item) => {
                    bytes += item.size;
                    batch.items.push(item);
                }
            }
            if batch.items.len() >= most
                || bytes >= BYTES_PER_BATCH
                || batch.problems.len() >= LARGEST_BATCH
            {
                break;
            }
        }
        batch
    }

    pub(super) fn is_empty(&self) -> bool {
        self.items.is_empty() && self.problems.is_empty()
    }
}

/// Applies `work` to every item on `workers` threads, while this thread does `meanwhile`; results come in the order of
/// the items.
pub(super) fn parallel<T, R, M>(
    workers: usize,
    items: &[T],
    work: impl Fn(&T) -> R + Sync,
    meanwhile: impl FnOnce() -> M,
) -> (Vec<R>, M)
where
    T: Sync,
    R: Send,
{
    if items.len() < 2 || workers < 2 {
        let results = items.iter().map(work).collect();
        return (results, meanwhile());
    }
    let next = AtomicUsize::new(0);
    let done: Mutex<Vec<(usize, R)>> = Mutex::new(Vec::with_capacity(items.len()));
    let went = std::thread::scope(|scope| {
        for _ in 0..workers.min(items.len()) {
            scope.spawn(|| {
                let mut own = Vec::new();
                loop {
                    let at = next.fetch_add(1, Ordering::Relaxed);
                    let Some(item) = items.get(at) else { break };
                    own.push((at, work(item)));
                }
                let mut all = done.lock().unwrap_or_else(|e| e.into_inner());
                all.append(&mut own);
            });
        }
        meanwhile()
    });
    let mut done = done.into_inner().unwrap_or_else(|e| e.into_inner());
    done.sort_unstable_by_key(|(at, _)| *at);
    (done.into_iter().map(|(_, result)| result).collect(), went)
}

/// Told from outside that the work should end soon; what has begun is finished.
pub(super) fn wanted(stop: &AtomicBool) -> bool {
    stop.load(Ordering::Relaxed)
}
