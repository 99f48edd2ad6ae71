//! Old backups go, if their manifest is sound and the backup is exactly what its history says was there before.

use std::collections::BTreeMap;
use std::os::fd::AsFd;
use std::path::{Path, PathBuf};
use std::sync::atomic::AtomicBool;

use super::migrate::{MigrateError, lock_root};
use super::problem::{Class, Problem};
use super::record::Runs;
use super::tree::{self, Root, Stamp};
use super::walk::{Item, Seek, Walk};
use super::work::{self, Batch};
use super::{Place, Watch, names};

/// What is pruned.
#[derive(Debug, Clone)]
pub struct PruneOptions {
    /// Which manifests' backups.
    pub place: Place,
    /// Backups that were made (their inode last changed) longer ago than so many days.
    pub older_than_days: u32,
    /// The time that counts as now.
    pub now: jiff::Timestamp,
    /// Only tell.
    pub dry_run: bool,
}

/// What pruning came to.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Pruned {
    /// Backups that were removed (or would be).
    pub removed: u64,
    /// Their bytes.
    pub bytes: u64,
    /// Backups too young to go.
    pub young: u64,
    /// Backups that stay for a reason, by class; the watcher was told each.
    pub kept: BTreeMap<Class, u64>,
    /// True if it was told to stop before its end.
    pub stopped: bool,
}

enum Went {
    Removed(PathBuf, u64),
    Young,
}

/// Removes old backups. `verify` checks a manifest and gives the `checksum_before` of every entry of its history, or
/// says why it is not sound. `each` is told every backup that goes.
///
/// # Errors
/// Only when nothing was begun.
pub fn prune<V>(
    options: &PruneOptions,
    verify: V,
    mut each: impl FnMut(&Path, u64),
    watch: &mut dyn Watch,
    stop: &AtomicBool,
) -> Result<Pruned, MigrateError>
where
    V: Fn(&Path, &[u8]) -> Result<Vec<String>, String> + Sync,
{
    let place = &options.place;
    let root = place.open().map_err(|source| MigrateError::Root {
        root: place.root.clone(),
        source,
    })?;
    let _lock = if options.dry_run {
        None
    } else {
        lock_root(&root)?;
        Some(Runs::of(&place.state).lock("prune")?)
    };
    let only = place.only(&root);
    let mut walk = Walk::new(
        &root,
        &place.matcher,
        only.as_deref(),
        Seek::Backups,
        place.closed(),
        &*place.disk,
    );
    let mut pruned = Pruned::default();
    loop {
        if work::wanted(stop) {
            pruned.stopped = true;
            break;
        }
        let batch = Batch::next(&mut walk, work::batch_size() / 2);
        if batch.is_empty() {
            break;
        }
        let one = |item: &Item| prune_one(options, &root, item, &verify);
        let (went, ()) = work::parallel(place.workers, &batch.items, one, || ());
        let kept = batch.problems.into_iter().map(|(_, p)| Err(p));
        for went in went.into_iter().chain(kept) {
            match went {
                Ok(Went::Young) => pruned.young += 1,
                Ok(Went::Removed(path, bytes)) => {
                    pruned.removed += 1;
                    pruned.bytes += bytes;
                    each(&path, bytes);
                }
                Err(problem) => {
                    *pruned.kept.entry(problem.class.clone()).or_default() += 1;
                    watch.problem(&problem);
                }
            }
        }
    }
    Ok(pruned)
}

fn prune_one<V>(
    options: &PruneOptions,
    root: &Root,
    item: &Item,
    verify: &V,
) -> Result<Went, Problem>
where
    V: Fn(&Path, &[u8]) -> Result<Vec<String>, String>,
{
    let path = item.path();
    let stays = |why: &str| Problem::new(&path, Class::Refused("backup_kept".to_owned()), why);
    let dir = item.open_dir(root)?;
    let dir = dir.as_fd();
    let backup = tree::read_file(dir, &item.name).map_err(|p| p.at(&path))?;
    // The time of the last change of the inode: that of the old bytes is older than the backup.
    let made = Stamp::of(&backup.stat).ctime.0;
    let age = options.now.as_second().saturating_sub(made);
    if age < i64::from(options.older_than_days) * 86_400 {
        return Ok(Went::Young);
    }
    let Some(name) = names::backup_of(&item.name) else {
        return Err(stays("it is not clear whose backup it is"));
    };
    let manifest = item.dir.join(name);
    let found = tree::read_file(dir, name).map_err(|p| {
        stays(&format!(
            "its manifest cannot be read ({}), and this may be all that is left of it",
            p.message
        ))
    })?;
    let history = verify(&manifest, &found.bytes)
        .map_err(|why| stays(&format!("its manifest does not verify: {why}")))?;
    if !history.contains(&tree::sum(&backup.bytes)) {
        return Err(stays(
            "its bytes are not what any entry of its manifest's history says was there before",
        ));
    }
    if !options.dry_run {
        options
            .place
            .disk
            .remove(dir, &item.name)
            .map_err(|e| Problem::io(&path, "remove it", e))?;
    }
    Ok(Went::Removed(path, backup.bytes.len() as u64))
}
