use rustix::fs::{CWD, Mode};

use super::*;

fn real(root: &Path) -> Options {
    options(root, Arc::new(RealDisk), 1_800_000_000)
}

#[test]
fn links_and_special_files_are_named_and_left() {
    let tree = small_tree();
    let outside = tempfile::tempdir().unwrap();
    write(&outside.path().join("manifest.json"), "v1 outside");
    let root = tree.path();
    for dir in ["s", "f", "k"] {
        std::fs::create_dir(root.join(dir)).unwrap();
    }
    std::os::unix::fs::symlink(
        outside.path().join("manifest.json"),
        root.join("s/manifest.json"),
    )
    .unwrap();
    std::os::unix::fs::symlink(outside.path(), root.join("linked")).unwrap();
    rustix::fs::mkfifoat(CWD, root.join("f/manifest.json"), Mode::RWXU).unwrap();
    let _socket = std::os::unix::net::UnixListener::bind(root.join("k/manifest.json")).unwrap();
    let large = root.join("z/manifest.json");
    write(&large, "");
    File::options()
        .write(true)
        .open(&large)
        .unwrap()
        .set_len(LARGEST + 1)
        .unwrap();
    let mut heard = Heard::default();
    let summary = run(&real(root), &mut heard);
    assert_eq!(summary.counts.migrated, 6);
    assert_eq!(
        heard.classes(),
        [
            ("a/3/manifest.json", "corrupted"),
            ("f/manifest.json", "special_file"),
            ("k/manifest.json", "special_file"),
            ("s/manifest.json", "symlink"),
            ("z/manifest.json", "too_large"),
        ]
    );
    assert_eq!(
        std::fs::read_to_string(outside.path().join("manifest.json")).unwrap(),
        "v1 outside"
    );
    assert_eq!(std::fs::read_dir(outside.path()).unwrap().count(), 1);
}

/// Swaps a directory for a link out of the root when `when` is about to happen.
fn swapped_at(when: &'static str) {
    let tree = tempfile::tempdir().unwrap();
    let outside = tempfile::tempdir().unwrap();
    let root = tree.path().to_owned();
    write(&root.join("a/manifest.json"), "v1 one");
    write(&root.join("b/manifest.json"), "v1 two");
    write(&outside.path().join("manifest.json"), "v1 one");
    let before = picture(outside.path());
    let swap = {
        let (root, target) = (root.clone(), outside.path().to_owned());
        move || {
            if !root.join("moved").exists() {
                std::fs::rename(root.join("a"), root.join("moved")).unwrap();
                std::os::unix::fs::symlink(&target, root.join("a")).unwrap();
            }
        }
    };
    let disk: Arc<dyn TreeDisk> = if when == "read" {
        Arc::new(RealDisk)
    } else {
        let swap = swap.clone();
        Faulty::hooked(move |what| {
            if what == when {
                swap();
            }
        })
    };
    let mut heard = Heard::default();
    let reading = |input: Input<'_>| {
        if when == "read" {
            swap();
        }
        upgrade(input)
    };
    let options = options(&root, disk, 1_800_000_000);
    let summary = migrate(&options, reading, &mut heard, &NEVER).unwrap();
    assert_eq!(picture(outside.path()), before, "{when}");
    assert_eq!(summary.counts.migrated, 1, "{when}: {:?}", heard.problems);
    assert_eq!(heard.classes(), [("a/manifest.json", "swapped")], "{when}");
    let moved = std::fs::read_to_string(root.join("moved/manifest.json")).unwrap();
    assert_eq!(moved, "v1 one");
}

#[test]
fn a_directory_swapped_for_a_link_leads_nowhere() {
    swapped_at("read");
    swapped_at("sync_filesystem");
    swapped_at("append intent");
}

#[test]
fn a_file_that_changes_before_the_rename_is_not_overwritten() {
    for text in ["v1 ONE", "v1 one and more"] {
        let tree = tempfile::tempdir().unwrap();
        let path = tree.path().join("manifest.json");
        write(&path, "v1 one");
        let edit = path.clone();
        let disk = Faulty::hooked(move |what| {
            if what == "append intent" {
                std::fs::write(&edit, text).unwrap();
            }
        });
        let mut heard = Heard::default();
        let summary = run(&options(tree.path(), disk, 1), &mut heard);
        assert_eq!(summary.counts.migrated, 0);
        assert_eq!(heard.classes(), [("manifest.json", "changed_meanwhile")]);
        let after = picture(tree.path());
        assert_eq!(after.len(), 1, "{after:?}");
        assert_eq!(after[Path::new("manifest.json")].1, text.as_bytes());
        // When nobody writes any more it is migrated as it is now.
        let again = run(&real(tree.path()), &mut ());
        assert_eq!(again.counts.migrated, 1);
    }
}

/// A writer that has the old inode open and writes to it while the new file takes the name.
#[test]
fn a_late_writer_gets_the_file_back() {
    for linked in [false, true] {
        for fresh in [false, true] {
            let tree = tempfile::tempdir().unwrap();
            let path = tree.path().join("a/manifest.json");
            write(&path, "v1 one");
            if linked {
                std::fs::hard_link(&path, tree.path().join("other")).unwrap();
            }
            if fresh {
                File::options()
                    .write(true)
                    .open(&path)
                    .unwrap()
                    .set_modified(std::time::SystemTime::now())
                    .unwrap();
            }
            let writer = Mutex::new(Some(File::options().write(true).open(&path).unwrap()));
            let disk = Faulty::hooked(move |what| {
                if what == "after exchange manifest.json" {
                    // Once: the rename that puts the file back is told as well.
                    if let Some(mut file) = writer.lock().unwrap().take() {
                        io::Write::write_all(&mut file, b"v1 NEW").unwrap();
                    }
                }
            });
            let mut heard = Heard::default();
            run(&options(tree.path(), disk, 1), &mut heard);
            assert_eq!(heard.classes(), [("a/manifest.json", "changed_meanwhile")]);
            assert_eq!(std::fs::read(&path).unwrap(), b"v1 NEW");
            let left = if linked { 3 } else { 2 };
            assert_eq!(picture(tree.path()).len(), left);
        }
    }
}

#[test]
fn backups_are_reused_but_never_overwritten() {
    let tree = tempfile::tempdir().unwrap();
    let root = tree.path();
    for (dir, backups) in [
        ("same", &[("", "v1 x")][..]),
        ("other", &[("", "v0")]),
        ("both", &[("", "v0"), (".1.0.0", "v00")]),
        ("later", &[("", "v0"), (".1.0.0", "v1 x")]),
    ] {
        write(&root.join(dir).join("manifest.json"), "v1 x");
        for (suffix, text) in backups {
            write(
                &root.join(dir).join(format!("manifest.json.backup{suffix}")),
                text,
            );
        }
    }
    std::fs::create_dir_all(root.join("dir/manifest.json.backup")).unwrap();
    write(&root.join("dir/manifest.json"), "v1 x");
    let before = picture(root);
    let summary = run(&real(root), &mut ());
    assert_eq!(summary.counts.migrated, 5);
    let after = picture(root);
    for (path, was) in before.iter().filter(|(p, _)| !p.ends_with("manifest.json")) {
        assert_eq!(&after[path], was, "{path:?}");
    }
    let mut made: Vec<&str> = after
        .keys()
        .filter(|p| !before.contains_key(*p))
        .map(|p| p.to_str().unwrap())
        .collect();
    made.sort_unstable();
    assert_eq!(
        made,
        [
            "both/manifest.json.backup.1.0.0.2",
            "dir/manifest.json.backup.1.0.0",
            "other/manifest.json.backup.1.0.0",
        ]
    );
}

#[test]
fn names_that_are_no_text_are_files_like_others() {
    use std::os::unix::ffi::OsStrExt;
    let tree = tempfile::tempdir().unwrap();
    let dir = tree.path().join(OsStr::from_bytes(b"caf\xe9"));
    write(&dir.join("manifest.json"), "v1 x");
    let mut summary = run(&real(tree.path()), &mut ());
    assert_eq!(summary.counts.migrated, 1);
    let mut paths = Vec::new();
    Runs::of(&tree.path().join(".orchestrate"))
        .entries::<RecordError>(&summary.run.take().unwrap(), |entry| {
            paths.push(entry.path());
            Ok(())
        })
        .unwrap();
    assert_eq!(
        paths,
        [PathBuf::from(OsStr::from_bytes(b"caf\xe9/manifest.json"))]
    );
}

#[test]
fn extended_attributes_stay() {
    let tree = tempfile::tempdir().unwrap();
    let path = tree.path().join("manifest.json");
    write(&path, "v1 x");
    let set = rustix::fs::setxattr(&path, "user.team", b"core", rustix::fs::XattrFlags::empty());
    if set.is_err() {
        eprintln!("skipped: no extended attributes here");
        return;
    }
    run(&real(tree.path()), &mut ());
    let mut value = [0_u8; 16];
    let length = rustix::fs::getxattr(&path, "user.team", &mut value[..]).unwrap();
    assert_eq!(&value[..length], b"core");
}

/// Runs itself again as nobody, because root may do everything.
#[test]
fn without_permission_a_file_is_named_and_left() {
    const NAME: &str =
        "manifest::files::tests::odd_files::without_permission_a_file_is_named_and_left";
    if rustix::process::geteuid().is_root() {
        use std::os::unix::process::CommandExt;
        let exe = std::env::current_exe().unwrap();
        let done = std::process::Command::new(exe)
            .args([NAME, "--exact", "--nocapture"])
            .uid(65_534)
            .gid(65_534)
            .env("TMPDIR", "/tmp")
            .current_dir("/")
            .output();
        match done {
            Ok(output) => assert!(
                output.status.success(),
                "{}{}",
                String::from_utf8_lossy(&output.stdout),
                String::from_utf8_lossy(&output.stderr)
            ),
            Err(error) => eprintln!("skipped: the test program cannot be run as nobody: {error}"),
        }
        return;
    }
    let tree = small_tree();
    let root = tree.path();
    let mode = |path: &str, mode| {
        std::fs::set_permissions(root.join(path), std::fs::Permissions::from_mode(mode)).unwrap();
    };
    mode("a/1/manifest.json", 0o000);
    mode("b", 0o555);
    mode("c", 0o000);
    let mut heard = Heard::default();
    let summary = run(&real(root), &mut heard);
    assert_eq!(
        heard.classes(),
        [
            ("a/1/manifest.json", "no_permission"),
            ("a/3/manifest.json", "corrupted"),
            ("b/manifest.json", "no_permission"),
            ("c", "no_permission"),
        ]
    );
    assert_eq!(summary.counts.migrated, 3);
    mode("b", 0o755);
    mode("c", 0o755);
}
