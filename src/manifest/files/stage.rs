//! One file's way: read, transform, new file and backup beside it; later, if nothing changed, the rename.
//!
//! Nothing here makes a whole batch durable or records anything: `migrate` does, between the two halves.

use std::ffi::{OsStr, OsString};
use std::fs::File;
use std::io;
use std::os::fd::{AsFd, BorrowedFd};

use rustix::fs::Stat;

use super::disk::{Looks, no_exchange};
use super::problem::{Class, Problem};
use super::record::Entry;
use super::tree::{self, Opened, Root, Stamp};
use super::walk::Item;
use super::{Change, Input, New, Refusal, Side, TreeDisk, names};

/// How the backup came to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Made {
    /// The old inode under a second name.
    Linked,
    /// A copy, on the disk.
    Copied,
    /// The same bytes were there before.
    Reused,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum SideWork {
    Write,
    Remove,
}

#[derive(Debug)]
struct Backup {
    name: OsString,
    made: Made,
}

/// A file that waits for its rename.
#[derive(Debug)]
pub(super) struct Ready {
    pub(super) item: Item,
    pub(super) entry: Entry,
    /// The old file, held open so that a late change of it shows.
    old: File,
    looks: Looks,
    stamp: Stamp,
    /// Written so recently that only its bytes tell whether it changed.
    fresh: bool,
    backup: Option<Backup>,
    /// A side file waits to be put in place, or to be removed.
    side: Option<SideWork>,
    side_backup: Option<Backup>,
    /// This file is synced by itself.
    each: bool,
}

/// What became of a file in the first half.
#[derive(Debug)]
pub(super) enum Staged {
    /// It has the version already.
    Current,
    /// It waits for its rename.
    Ready(Box<Ready>),
    /// It is as it was.
    Problem(Problem),
    /// It was not looked at, because the run is about to stop.
    Skipped,
}

/// What the files of a batch have in common.
#[derive(Debug, Clone, Copy)]
pub(super) struct Bench<'a> {
    pub(super) root: &'a Root,
    pub(super) disk: &'a dyn TreeDisk,
    /// The batch is made durable as a whole.
    pub(super) whole: bool,
    /// Backups are wanted.
    pub(super) backup: bool,
    /// The start of the run.
    pub(super) at: jiff::Timestamp,
}

pub(super) fn looks_of(stat: &Stat, time: bool) -> Looks {
    let stamp = Stamp::of(stat);
    Looks {
        mode: stat.st_mode & 0o7777,
        uid: stat.st_uid,
        gid: stat.st_gid,
        mtime: time.then_some(stamp.mtime),
    }
}

impl Bench<'_> {
    /// The first half. Afterwards the file is as it was, and so is its directory unless it is ready.
    pub(super) fn stage<F>(&self, item: &Item, transform: &F) -> Staged
    where
        F: Fn(Input<'_>) -> Result<Change, Refusal>,
    {
        match self.try_stage(item, transform) {
            Ok(Some(ready)) => Staged::Ready(Box::new(ready)),
            Ok(None) => Staged::Current,
            Err(problem) => Staged::Problem(problem.at(&item.path())),
        }
    }

    fn try_stage<F>(&self, item: &Item, transform: &F) -> Result<Option<Ready>, Problem>
    where
        F: Fn(Input<'_>) -> Result<Change, Refusal>,
    {
        let dir = item.open_dir(self.root)?;
        let dir = dir.as_fd();
        let opened = tree::read_file(dir, &item.name)?;
        let kept = read_side(dir, &item.name)?;
        let path = item.path();
        let change = transform(Input {
            path: &path,
            text: &opened.bytes,
            kept: kept.as_ref().map(|o| o.bytes.as_slice()),
            at: self.at,
        })
        .map_err(|refusal| refusal.into_problem(&path))?;
        let new = match change {
            Change::Current { .. } => return Ok(None),
            Change::Migrated(new) => new,
        };
        let stamp = Stamp::of(&opened.stat);
        let mut ready = Ready {
            item: item.clone(),
            entry: Entry::new(
                &path,
                (tree::sum(&opened.bytes), tree::sum(&new.text)),
                (new.from.clone(), new.to.clone()),
                (
                    opened.stat.st_mode & 0o7777,
                    opened.stat.st_uid,
                    opened.stat.st_gid,
                ),
                stamp.mtime,
            ),
            looks: looks_of(&opened.stat, false),
            stamp,
            fresh: stamp.is_fresh(),
            backup: None,
            side: None,
            side_backup: None,
            each: !self.whole || item.dir_id.dev != self.root.dev(),
            old: opened
                .file
                .try_clone()
                .map_err(|e| Problem::io(&path, "hold it open", e))?,
        };
        match self.prepare(dir, &mut ready, &opened, &new, kept.as_ref()) {
            Ok(()) => Ok(Some(ready)),
            Err(problem) => {
                self.unstage_in(dir, &ready);
                Err(problem)
            }
        }
    }

    fn prepare(
        &self,
        dir: BorrowedFd<'_>,
        ready: &mut Ready,
        opened: &Opened,
        new: &New,
        kept: Option<&Opened>,
    ) -> Result<(), Problem> {
        let name = ready.item.name.clone();
        let temporary = names::temporary(&name);
        self.write(
            dir,
            &temporary,
            &new.text,
            ready.looks,
            &opened.file,
            ready.each,
        )
        .map_err(|e| Problem::io(&name, "write the new file", e))?;
        self.prepare_side(dir, ready, opened, new, kept)?;
        if self.backup {
            let backup = self.back_up(dir, &name, opened, &new.from)?;
            ready.entry.set_backup(&backup.name);
            ready.backup = Some(backup);
        }
        if ready.each {
            self.disk
                .sync_names(dir)
                .map_err(|e| Problem::io(&name, "sync its directory", e))?;
        }
        // The link changed the inode's time of change, so this is what the file must look like from now on.
        let now = rustix::fs::fstat(&ready.old)
            .map_err(|e| Problem::io(&name, "look at it again", e.into()))?;
        let now = Stamp::of(&now);
        if !now.same_bytes(&ready.stamp) {
            return Err(changed(&name));
        }
        ready.stamp = now;
        if let Some(backup) = &ready.backup
            && backup.made == Made::Linked
        {
            // What was linked is what has the name, which need not be what was read.
            let linked = tree::stat(dir, &backup.name)
                .map_err(|e| Problem::io(&name, "look at its backup", e))?;
            if linked.st_ino != now.ino {
                return Err(changed(&name));
            }
        }
        Ok(())
    }

    fn prepare_side(
        &self,
        dir: BorrowedFd<'_>,
        ready: &mut Ready,
        opened: &Opened,
        new: &New,
        kept: Option<&Opened>,
    ) -> Result<(), Problem> {
        let side = names::side(&ready.item.name);
        match (&new.side, kept) {
            (Side::Leave, _) | (Side::Remove, None) => return Ok(()),
            (Side::Write(bytes), Some(old)) if *bytes == old.bytes => return Ok(()),
            (Side::Remove, Some(_)) => ready.side = Some(SideWork::Remove),
            (Side::Write(bytes), _) => {
                ready.side = Some(SideWork::Write);
                ready.entry.side = Some(tree::sum(bytes));
                self.write(
                    dir,
                    &names::temporary(&side),
                    bytes,
                    ready.looks,
                    &opened.file,
                    ready.each,
                )
                .map_err(|e| Problem::io(&side, "write the side file", e))?;
            }
        }
        if let Some(old) = kept {
            let backup = self.back_up(dir, &side, old, &new.from)?;
            let sum = tree::sum(&old.bytes);
            ready.entry.set_side_before(sum, &backup.name);
            ready.side_backup = Some(backup);
        }
        Ok(())
    }

    fn write(
        &self,
        dir: BorrowedFd<'_>,
        name: &OsStr,
        bytes: &[u8],
        looks: Looks,
        like: &File,
        sync: bool,
    ) -> io::Result<()> {
        let mut file = match self.disk.create(dir, name) {
            // Left by a dead run: living ones are kept away by the lock.
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
                self.disk.remove(dir, name)?;
                self.disk.create(dir, name)?
            }
            other => other?,
        };
        self.disk.append(&mut file, bytes)?;
        self.disk.dress(&file, looks, Some(like))?;
        if sync {
            self.disk.sync_data(&file)?;
        }
        Ok(())
    }

    fn back_up(
        &self,
        dir: BorrowedFd<'_>,
        name: &OsStr,
        opened: &Opened,
        from: &str,
    ) -> Result<Backup, Problem> {
        let links = opened.stat.st_nlink;
        for backup in names::backups(name, from) {
            match tree::stat(dir, &backup) {
                Err(error) if error.kind() == io::ErrorKind::NotFound => {
                    let made = self
                        .make_backup(dir, name, &backup, opened, links == 1)
                        .map_err(|e| Problem::io(name, "make its backup", e))?;
                    return Ok(Backup { name: backup, made });
                }
                Err(error) => return Err(Problem::io(name, "look at its backup", error)),
                Ok(there)
                    if (there.st_dev, there.st_ino) == (opened.stat.st_dev, opened.stat.st_ino) =>
                {
                    // A run that died had come as far as the link.
                    if links == 2 {
                        let made = Made::Linked;
                        return Ok(Backup { name: backup, made });
                    }
                    // Names elsewhere share it: as a backup it would not be independent. The file keeps its own name.
                    self.disk
                        .remove(dir, &backup)
                        .map_err(|e| Problem::io(name, "replace its backup", e))?;
                    let made = self
                        .make_backup(dir, name, &backup, opened, false)
                        .map_err(|e| Problem::io(name, "make its backup", e))?;
                    return Ok(Backup { name: backup, made });
                }
                Ok(_) => match tree::read_file(dir, &backup) {
                    Ok(there) if there.bytes == opened.bytes => {
                        let made = Made::Reused;
                        return Ok(Backup { name: backup, made });
                    }
                    // Other bytes, or something that is no file: the next name.
                    Ok(_) => {}
                    Err(problem) if problem.class == Class::NoPermission => return Err(problem),
                    Err(_) => {}
                },
            }
        }
        Err(Problem::new(
            name,
            Class::BackupTaken,
            "every name that its backup may have is taken by other bytes; move old backups away, or remove them with \
             `orchestrate manifest prune`",
        ))
    }

    fn make_backup(
        &self,
        dir: BorrowedFd<'_>,
        name: &OsStr,
        backup: &OsStr,
        opened: &Opened,
        link: bool,
    ) -> io::Result<Made> {
        if link {
            match self.disk.link(dir, name, backup) {
                Ok(()) => return Ok(Made::Linked),
                Err(error) if no_links(&error) => {}
                Err(error) => return Err(error),
            }
        }
        // Whole and on the disk before it has its name: a torn backup would look like somebody else's bytes later.
        let temporary = names::temporary(backup);
        let looks = looks_of(&opened.stat, true);
        let done = self
            .write(dir, &temporary, &opened.bytes, looks, &opened.file, true)
            .and_then(|()| self.disk.rename_in(dir, &temporary, backup));
        if done.is_err() {
            // It is a temporary file: if it cannot go now, the next run sweeps it.
            drop(self.disk.remove(dir, &temporary));
        }
        done.map(|()| Made::Copied)
    }

    /// The second half: the rename, if the file is still what was read. An error means that the old bytes (or those of
    /// whoever changed it) stand.
    pub(super) fn commit(&self, ready: &Ready) -> Result<(), Problem> {
        let path = ready.item.path();
        let dir = match ready.item.open_dir(self.root) {
            Ok(dir) => dir,
            // There is no way to the temporary file from here; a walk that meets it sweeps it.
            Err(problem) => return Err(problem.at(&path)),
        };
        self.commit_in(dir.as_fd(), ready)
            .map_err(|problem| problem.at(&path))
    }

    fn commit_in(&self, dir: BorrowedFd<'_>, ready: &Ready) -> Result<(), Problem> {
        let name = &ready.item.name;
        let renamed = self
            .still_the_same(dir, ready)
            .and_then(|()| self.change_places(dir, ready));
        if let Err(problem) = renamed {
            self.unstage_in(dir, ready);
            return Err(problem);
        }
        if self.old_is_untouched(ready) {
            // After the rename: until then the old file may be read again, and needs its old side file for that.
            return self
                .side_in_place(dir, ready)
                .and_then(|()| self.sync_each(dir, ready));
        }
        self.put_back(dir, ready)
            .map_err(|e| Problem::io(name, "put the changed file back", e))?;
        self.unstage_side(dir, ready);
        self.sync_each(dir, ready)?;
        Err(changed(name))
    }

    /// Gives the new file the name, and the old one the temporary name, which then goes. Whoever put another file there
    /// between the last look and now gets it back.
    fn change_places(&self, dir: BorrowedFd<'_>, ready: &Ready) -> Result<(), Problem> {
        let name = &ready.item.name;
        let temporary = names::temporary(name);
        let failed = |e: io::Error| Problem::io(name, "put the new file in place", e);
        let at = |name: &OsStr| tree::stat(dir, name).map(|s| s.st_ino);
        let new = at(&temporary).map_err(failed)?;
        match self.disk.exchange(dir, &temporary, name) {
            Ok(()) => {}
            // Such a system gives no means to notice a file that comes between.
            Err(error) if no_exchange(&error) => {
                return self.disk.rename_in(dir, &temporary, name).map_err(failed);
            }
            Err(error) => return Err(failed(error)),
        }
        let mut taken = at(&temporary).map_err(failed)?;
        if taken == ready.stamp.ino {
            // It has its backup. Should it not go now, the next run sweeps it.
            drop(self.disk.remove(dir, &temporary));
            return Ok(());
        }
        // Back, until what comes out is what was put there last: only somebody's later file may take an earlier one's
        // place.
        let mut standing = new;
        loop {
            let returning = taken;
            self.disk.exchange(dir, &temporary, name).map_err(failed)?;
            taken = at(&temporary).map_err(failed)?;
            if taken == standing {
                break;
            }
            standing = returning;
        }
        Err(changed(name))
    }

    fn side_in_place(&self, dir: BorrowedFd<'_>, ready: &Ready) -> Result<(), Problem> {
        let side = names::side(&ready.item.name);
        let done = match ready.side {
            None => Ok(()),
            Some(SideWork::Remove) => self.disk.remove(dir, &side),
            Some(SideWork::Write) => self.disk.rename_in(dir, &names::temporary(&side), &side),
        };
        done.map_err(|e| {
            Problem::new(
                &ready.item.name,
                Class::NotDurable,
                format!("it has its new bytes, but not its side file ({e}); the same command again puts it in place"),
            )
        })
    }

    fn sync_each(&self, dir: BorrowedFd<'_>, ready: &Ready) -> Result<(), Problem> {
        if !ready.each {
            return Ok(());
        }
        self.disk.sync_names(dir).map_err(|e| {
            Problem::new(
                &ready.item.name,
                Class::NotDurable,
                format!(
                    "the system does not confirm that it is on the disk ({e}); the same command again looks at it anew"
                ),
            )
        })
    }

    fn still_the_same(&self, dir: BorrowedFd<'_>, ready: &Ready) -> Result<(), Problem> {
        let name = &ready.item.name;
        let now = tree::stat(dir, name).map_err(|e| Problem::io(name, "look at it again", e))?;
        let same = Stamp::of(&now) == ready.stamp
            && (!ready.fresh
                || tree::sum_again(&ready.old).ok().as_ref() == Some(&ready.entry.before));
        if same { Ok(()) } else { Err(changed(name)) }
    }

    fn old_is_untouched(&self, ready: &Ready) -> bool {
        rustix::fs::fstat(&ready.old).is_ok_and(|s| Stamp::of(&s).same_bytes(&ready.stamp))
            && (!ready.fresh
                || tree::sum_again(&ready.old).ok().as_ref() == Some(&ready.entry.before))
    }

    /// Somebody wrote to the old file while it was replaced: what they wrote stands.
    fn put_back(&self, dir: BorrowedFd<'_>, ready: &Ready) -> io::Result<()> {
        let name = &ready.item.name;
        match &ready.backup {
            Some(backup) if backup.made == Made::Linked => {
                self.disk.rename_in(dir, &backup.name, name)
            }
            other => {
                let mut bytes = Vec::new();
                let mut at = 0;
                let mut buffer = vec![0; 64 * 1024];
                loop {
                    let n = std::os::unix::fs::FileExt::read_at(&ready.old, &mut buffer, at)?;
                    if n == 0 {
                        break;
                    }
                    bytes.extend_from_slice(&buffer[..n]);
                    at += n as u64;
                }
                let temporary = names::temporary(name);
                self.write(dir, &temporary, &bytes, ready.looks, &ready.old, true)?;
                self.disk.rename_in(dir, &temporary, name)?;
                match other {
                    Some(backup) if backup.made == Made::Copied => {
                        self.disk.remove(dir, &backup.name)
                    }
                    _ => Ok(()),
                }
            }
        }
    }

    /// Takes the first half back: the directory is as it was.
    pub(super) fn unstage(&self, ready: &Ready) {
        if let Ok(dir) = ready.item.open_dir(self.root) {
            self.unstage_in(dir.as_fd(), ready);
        }
    }

    /// What cannot be removed here is swept by the next run; the error that led here is the one to be told.
    fn unstage_in(&self, dir: BorrowedFd<'_>, ready: &Ready) {
        let name = &ready.item.name;
        drop(self.disk.remove(dir, &names::temporary(name)));
        self.unstage_side(dir, ready);
        if let Some(backup) = &ready.backup
            && backup.made != Made::Reused
            // Whoever renamed the manifest away would lose the bytes with the backup.
            && tree::stat(dir, name).is_ok_and(|s| backup.made == Made::Copied || s.st_ino == ready.stamp.ino)
        {
            drop(self.disk.remove(dir, &backup.name));
        }
    }

    fn unstage_side(&self, dir: BorrowedFd<'_>, ready: &Ready) {
        let side = names::side(&ready.item.name);
        if ready.side == Some(SideWork::Write) {
            drop(self.disk.remove(dir, &names::temporary(&side)));
        }
        if let Some(backup) = &ready.side_backup
            && backup.made != Made::Reused
            && tree::stat(dir, &side).is_ok()
        {
            drop(self.disk.remove(dir, &backup.name));
        }
    }
}

fn changed(name: &OsStr) -> Problem {
    Problem::new(
        name,
        Class::ChangedMeanwhile,
        "it changed while it was being migrated; the changed file stands. Run the same command again when nobody \
         writes to it",
    )
}

/// Reasons for which a hard link is impossible here although a copy is not.
fn no_links(error: &io::Error) -> bool {
    use rustix::io::Errno;
    matches!(
        Errno::from_io_error(error),
        Some(Errno::PERM | Errno::NOTSUP | Errno::NOSYS | Errno::MLINK | Errno::XDEV)
    )
}

/// The side file of a manifest, if there is one.
pub(super) fn read_side(dir: BorrowedFd<'_>, name: &OsStr) -> Result<Option<Opened>, Problem> {
    let side = names::side(name);
    match tree::stat(dir, &side) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(Problem::io(&side, "look at its side file", error)),
        Ok(_) => tree::read_file(dir, &side).map(Some).map_err(|mut p| {
            p.message = format!("its side file {}: {}", side.display(), p.message);
            p
        }),
    }
}
