use rustix::io::Errno;

use super::*;

const FIRST: i64 = 1_800_000_000;
const SECOND: i64 = 1_800_009_999;

fn finished(root: &Path, second: i64, durability: Durability) -> Summary {
    let mut options = options(root, Arc::new(RealDisk), second);
    options.durability = durability;
    run(&options, &mut ())
}

/// The tree as an uninterrupted run leaves it.
fn uninterrupted(second: i64) -> BTreeMap<PathBuf, (u32, Vec<u8>)> {
    let tree = small_tree();
    finished(tree.path(), second, Durability::Auto);
    picture(tree.path())
}

fn old_or_new(root: &Path, when: &str) {
    for (path, old, new) in [
        ("a/1", "v1 one", "v2 one @"),
        ("b", "v1 four", "v2 four @"),
        ("c", "v1 five", "v2 five @"),
        ("d", "down side", "v2 down"),
        ("e", "up x", "v2 up kept"),
        ("g", "down new", "v2 down"),
    ] {
        let text = std::fs::read_to_string(root.join(path).join("manifest.json")).unwrap();
        assert!(
            text == old || text.starts_with(new),
            "{when}: {path} is {text}"
        );
    }
    let shared = std::fs::read_to_string(root.join("c/shared")).unwrap();
    assert_eq!(shared, "v1 five", "{when}");
}

fn everywhere(durability: Durability, fault: impl Fn(u64) -> Fault) {
    let wanted = [uninterrupted(FIRST), uninterrupted(SECOND)];
    for n in 0.. {
        let tree = small_tree();
        let root = tree.path();
        let disk = Faulty::new(fault(n));
        let mut options = options(root, disk.clone(), FIRST);
        options.durability = durability;
        let first = migrate(&options, upgrade, &mut (), &NEVER);
        let when = format!("{:?} {durability:?}", fault(n));
        old_or_new(root, &when);
        let second = finished(root, SECOND, durability);
        // A run that failed here and there came to its end all the same; then the second one is a run of its own.
        let time = match &first {
            Ok(s) if s.ended == Ended::Finished => None,
            // The end of the run was recorded, only not told.
            _ if second.continued || second.counts.migrated == 0 => Some(0),
            _ => Some(1),
        };
        assert_eq!(second.ended, Ended::Finished, "{when}");
        let after = picture(root);
        match time {
            Some(which) => assert_eq!(after, wanted[which], "{when}"),
            None => {
                let names: Vec<_> = wanted[0].keys().collect();
                assert_eq!(after.keys().collect::<Vec<_>>(), names, "{when}");
                old_or_new(root, &when);
            }
        }
        assert_eq!(second.counts.failures(), 1, "{when}: {:?}", second.counts);
        if second.continued {
            assert_eq!(second.counts.migrated, 6, "{when}: {:?}", second.counts);
            assert_eq!(second.counts.current, 1, "{when}");
        }
        if n >= disk.operations() {
            assert!(n > 20, "the run did only {n} operations");
            return;
        }
    }
}

#[test]
fn killed_at_every_operation_it_converges() {
    everywhere(Durability::Auto, Fault::Killed);
    everywhere(Durability::PerFile, Fault::Killed);
}

#[test]
fn every_operation_may_fail_once() {
    for errno in [
        Errno::NOSPC,
        Errno::IO,
        Errno::ACCESS,
        Errno::DQUOT,
        Errno::ROFS,
    ] {
        everywhere(Durability::Auto, |n| Fault::Fails(n, errno));
    }
    everywhere(Durability::PerFile, |n| Fault::Fails(n, Errno::NOSPC));
}

#[test]
fn a_full_disk_stops_the_run_and_leaves_no_temporary_file() {
    let tree = small_tree();
    let before = picture(tree.path());
    // The first file of the tree; the record's own files are created otherwise.
    let disk = Faulty::new(Fault::Never);
    run(&options(tree.path(), disk.clone(), FIRST), &mut ());
    let nth = |what: &str| {
        disk.done
            .lock()
            .unwrap()
            .iter()
            .position(|d| d == what)
            .unwrap() as u64
    };
    let write = nth("create .orchestrate-new.manifest.json") + 1;
    let tree = small_tree();
    let mut heard = Heard::default();
    let disk = Faulty::new(Fault::Fails(write, Errno::NOSPC));
    let summary = run(&options(tree.path(), disk, FIRST), &mut heard);
    assert_eq!(summary.ended, Ended::DiskFull);
    assert_eq!(heard.classes(), [("a/1/manifest.json", "disk_full")]);
    assert_eq!(picture(tree.path()), before);
    let again = finished(tree.path(), SECOND, Durability::Auto);
    assert!(again.continued);
    assert_eq!(again.started_at, at(FIRST));
    assert_eq!(picture(tree.path()), uninterrupted(FIRST));
}

/// No rename before the new bytes are on the disk, no acknowledgement before the rename is.
#[test]
fn the_order_keeps_the_promise() {
    for durability in [Durability::Auto, Durability::PerFile] {
        let tree = small_tree();
        let disk = Faulty::new(Fault::Never);
        let mut options = options(tree.path(), disk.clone(), FIRST);
        options.durability = durability;
        run(&options, &mut ());
        let done = disk.done.lock().unwrap().clone();
        let whole = done.iter().any(|d| d == "sync_filesystem");
        let (mut unsynced, mut intent, mut renamed) = (0_u32, false, 0_u32);
        let mut acknowledged = false;
        for (n, what) in done.iter().enumerate() {
            match what.as_str() {
                w if w.starts_with("create ") => unsynced += 1,
                "sync_filesystem" => (unsynced, renamed) = (0, 0),
                "sync_names" if !whole => renamed = renamed.saturating_sub(1),
                "sync_data" if !whole => unsynced = unsynced.saturating_sub(1),
                "append intent" => intent = true,
                "exchange manifest.json" | "rename manifest.json" => {
                    assert_eq!(unsynced, 0, "{n}: {done:#?}");
                    assert!(intent, "{n}: {done:#?}");
                    renamed += 1;
                }
                "append done" => {
                    assert_eq!(renamed, 0, "{n}: {done:#?}");
                    acknowledged = true;
                }
                _ => {}
            }
        }
        assert!(acknowledged);
    }
}
