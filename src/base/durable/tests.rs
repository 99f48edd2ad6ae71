#![expect(clippy::unwrap_used, reason = "tests")]

use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use super::*;

/// Fails the n-th call (from 0) of each kind, and counts them.
#[derive(Debug, Default)]
struct Faulty {
    appends: AtomicU32,
    syncs: AtomicU32,
    fail_append: Option<u32>,
    fail_sync: Option<u32>,
    fail_rename: bool,
}

impl Disk for Faulty {
    fn append(&self, file: &mut File, bytes: &[u8]) -> io::Result<()> {
        let n = self.appends.fetch_add(1, Ordering::SeqCst);
        if self.fail_append == Some(n) {
            file.write_all(&bytes[..bytes.len() / 2])?;
            return Err(io::ErrorKind::StorageFull.into());
        }
        file.write_all(bytes)
    }

    fn sync_data(&self, file: &File) -> io::Result<()> {
        let n = self.syncs.fetch_add(1, Ordering::SeqCst);
        if self.fail_sync == Some(n) {
            return Err(io::Error::other("the disk lost it"));
        }
        file.sync_data()
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        if self.fail_rename {
            return Err(io::ErrorKind::PermissionDenied.into());
        }
        std::fs::rename(from, to)
    }

    fn sync_dir(&self, dir: &Path) -> io::Result<()> {
        RealDisk.sync_dir(dir)
    }
}

fn mode(path: &Path) -> u32 {
    std::fs::metadata(path).unwrap().permissions().mode() & 0o777
}

#[test]
fn appends_are_there_and_private() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("a.jsonl");
    let mut file = AppendFile::open(&path).unwrap();
    file.append(b"one\n").unwrap();
    file.sync().unwrap();
    drop(file);
    let mut file = AppendFile::open(&path).unwrap();
    assert_eq!(file.len(), 4);
    file.append(b"tw").unwrap();
    file.truncate_to(4).unwrap();
    file.append(b"two\n").unwrap();
    file.sync().unwrap();
    assert_eq!(std::fs::read(&path).unwrap(), b"one\ntwo\n");
    assert_eq!(mode(&path), 0o600);
}

#[test]
fn a_failed_append_poisons_for_good() {
    let dir = tempfile::tempdir().unwrap();
    let disk = Arc::new(Faulty {
        fail_append: Some(1),
        ..Faulty::default()
    });
    let mut file = AppendFile::open_on(disk.clone(), &dir.path().join("a")).unwrap();
    file.append(b"one\n").unwrap();
    assert!(file.append(b"two\n").unwrap_err().is_disk_full());
    assert!(matches!(
        file.append(b"three\n"),
        Err(DurableError::Poisoned { .. })
    ));
    assert!(matches!(file.sync(), Err(DurableError::Poisoned { .. })));
    assert_eq!(disk.syncs.load(Ordering::SeqCst), 0);
}

#[test]
fn a_failed_sync_is_never_tried_again() {
    let dir = tempfile::tempdir().unwrap();
    let disk = Arc::new(Faulty {
        fail_sync: Some(0),
        ..Faulty::default()
    });
    let mut file = AppendFile::open_on(disk.clone(), &dir.path().join("a")).unwrap();
    file.append(b"one\n").unwrap();
    assert!(file.sync().is_err());
    assert!(matches!(file.sync(), Err(DurableError::Poisoned { .. })));
    assert_eq!(disk.syncs.load(Ordering::SeqCst), 1);
}

#[test]
fn replace_is_whole_or_not_at_all() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("f");
    replace(&path, b"old", 0o644).unwrap();
    assert_eq!(mode(&path), 0o644);
    for disk in [
        Faulty {
            fail_append: Some(0),
            ..Faulty::default()
        },
        Faulty {
            fail_sync: Some(0),
            ..Faulty::default()
        },
        Faulty {
            fail_rename: true,
            ..Faulty::default()
        },
    ] {
        assert!(replace_on(&disk, &path, b"new", 0o600).is_err());
        assert_eq!(std::fs::read(&path).unwrap(), b"old");
    }
    replace(&path, b"new", 0o600).unwrap();
    assert_eq!(std::fs::read(&path).unwrap(), b"new");
    assert_eq!(mode(&path), 0o600);
    let names = std::fs::read_dir(dir.path()).unwrap().count();
    assert_eq!(names, 1, "no temporary file is left");
}

#[test]
fn private_folders() {
    let dir = tempfile::tempdir().unwrap();
    let deep = dir.path().join("a/b/c");
    create_dir_private(&deep).unwrap();
    create_dir_private(&deep).unwrap();
    assert_eq!(mode(&deep), 0o700);
    assert_eq!(mode(&dir.path().join("a")), 0o700);
    std::fs::write(dir.path().join("file"), "").unwrap();
    assert!(create_dir_private(&dir.path().join("file")).is_err());
}

#[test]
fn the_loser_is_told_who_has_it_and_a_stale_note_is_harmless() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("lock");
    let me = Holder::this_process("abc-1");
    assert_eq!(Lock::holder(&path).unwrap(), None);
    let lock = Lock::try_acquire(&path, &me).unwrap();
    match Lock::try_acquire(&path, &me) {
        Err(LockError::Held { holder, .. }) => assert_eq!(holder.as_ref(), Some(&me)),
        other => panic!("{other:?}"),
    }
    assert_eq!(Lock::holder(&path).unwrap(), Some(Some(me.clone())));
    drop(lock);
    assert_eq!(Lock::holder(&path).unwrap(), None);
    Lock::try_acquire(&path, &Holder::this_process("abc-2")).unwrap();
}

#[test]
fn a_child_holds_the_lock_through_its_stdin() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("lock");
    let me = Holder::this_process("abc-1");
    let lock = Lock::try_acquire(&path, &me).unwrap();
    let mut child = std::process::Command::new("sleep")
        .arg("30")
        .stdin(lock.as_stdin().unwrap())
        .spawn()
        .unwrap();
    drop(lock);
    assert!(Lock::try_acquire(&path, &me).is_err());
    let waiting = std::thread::spawn({
        let (path, me) = (path.clone(), me.clone());
        move || Lock::acquire_within(&path, &me, Duration::from_secs(20)).map(drop)
    });
    child.kill().unwrap();
    child.wait().unwrap();
    waiting.join().unwrap().unwrap();
}
