//! Reading every matching file once, in parallel, results in the order of the walk; nothing is changed.

use std::path::{Path, PathBuf};
use std::sync::atomic::AtomicBool;

use super::problem::Problem;
use super::tree;
use super::walk::{Item, Seek, Walk};
use super::work::{self, Batch};
use super::{Place, Progress, Ticker, Watch};
use std::os::fd::AsFd;

/// Why a tree cannot be read at all.
#[derive(Debug, thiserror::Error)]
#[error("open the tree {root}: {source}", root = root.display())]
pub struct ScanError {
    /// The tree.
    pub root: PathBuf,
    /// What the system said.
    pub source: std::io::Error,
}

/// What a scan came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Scanned {
    /// Files that match, readable or not.
    pub files: u64,
    /// Files and directories that could not be read; the watcher was told each.
    pub problems: u64,
    /// Bytes read.
    pub bytes: u64,
    /// True if it was told to stop before its end.
    pub stopped: bool,
}

/// Reads every matching file, applies `read` on the workers and gives the results, in the order of the walk, to `each`.
///
/// # Errors
/// Only when the root cannot be opened; what is wrong with single files is told to the watcher.
pub fn scan<T: Send>(
    place: &Place,
    read: impl Fn(&Path, &[u8]) -> T + Sync,
    mut each: impl FnMut(&Path, u64, T),
    watch: &mut dyn Watch,
    stop: &AtomicBool,
) -> Result<Scanned, ScanError> {
    let failed = |source| ScanError {
        root: place.root.clone(),
        source,
    };
    let root = place.open().map_err(failed)?;
    let only = place.only(&root);
    let mut walk = Walk::new(
        &root,
        &place.matcher,
        only.as_deref(),
        Seek::Manifests,
        place.closed(),
        &*place.disk,
    );
    let most = work::batch_size();
    let (mut scanned, mut ticker) = (Scanned::default(), Ticker::default());
    let one = |item: &Item| -> Result<(u64, T), Problem> {
        let dir = item.open_dir(&root)?;
        let opened = tree::read_file(dir.as_fd(), &item.name).map_err(|p| p.at(&item.path()))?;
        Ok((opened.bytes.len() as u64, read(&item.path(), &opened.bytes)))
    };
    let mut batch = Batch::next(&mut walk, most);
    while !batch.is_empty() {
        if work::wanted(stop) {
            scanned.stopped = true;
            break;
        }
        let (results, next) = work::parallel(place.workers, &batch.items, one, || {
            Batch::next(&mut walk, most)
        });
        let mut problems = batch.problems.iter().peekable();
        for (at, (item, result)) in batch.items.iter().zip(results).enumerate() {
            while let Some((_, problem)) = problems.next_if(|(before, _)| *before <= at) {
                scanned.problems += 1;
                watch.problem(problem);
            }
            scanned.files += 1;
            match result {
                Ok((bytes, value)) => {
                    scanned.bytes += bytes;
                    each(&item.path(), bytes, value);
                }
                Err(problem) => {
                    scanned.problems += 1;
                    watch.problem(&problem);
                }
            }
        }
        for (_, problem) in problems {
            scanned.problems += 1;
            watch.problem(problem);
        }
        ticker.tick(watch, &progress(&scanned));
        batch = next;
    }
    watch.progress(&progress(&scanned));
    Ok(scanned)
}

fn progress(scanned: &Scanned) -> Progress {
    Progress {
        done: scanned.files,
        // A scan does not count beforehand: that would be to walk twice.
        total: scanned.files,
        bytes: scanned.bytes,
        changed: 0,
        failed: scanned.problems,
    }
}
