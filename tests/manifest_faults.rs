//! What a tree of files can do to a migration while it runs: nothing outside of the root is touched, nothing is lost,
//! whatever could not be migrated is named, and the exit code tells.

#![expect(clippy::unwrap_used, reason = "tests")]

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::fs::{self, File, Permissions};
use std::io::Write as _;
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _, symlink};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};

use rustix::fs::{CWD, RenameFlags, renameat_with};

use crate::support::cli::{BINARY, Cli, Ended};
use crate::support::manifests::{
    Snapshot, digest, failures, generate, manifest, manifests, result,
};

/// Some failed, the rest is done.
const SOME_FAILED: i32 = 5;
const OLD: [&str; 2] = ["--versions", "1.0.0=1"];

/// A folder with a tree to migrate, and one outside of it that nobody may touch.
struct Ground {
    folder: tempfile::TempDir,
    cli: Cli,
}

impl Ground {
    /// So many manifests that all need the migration.
    fn new(count: usize) -> Self {
        let folder = tempfile::tempdir().unwrap();
        // How full the machine's disk is has no say here.
        let cli = Cli::new(folder.path()).env("ORCHESTRATE_NO_SPACE_CHECK", "1");
        let ground = Self { folder, cli };
        fs::create_dir(ground.outside()).unwrap();
        generate(&ground.root(), count, &OLD);
        ground
    }

    fn root(&self) -> PathBuf {
        self.folder.path().join("root")
    }

    fn outside(&self) -> PathBuf {
        self.folder.path().join("outside")
    }

    /// The folder of a further run, which this makes.
    fn run(&self, name: impl AsRef<Path>) -> PathBuf {
        let path = self.root().join("artifacts").join(name);
        fs::create_dir_all(&path).unwrap();
        path
    }

    fn migrate(&self) -> Ended {
        manifest(&self.cli, "migrate", &self.root(), &[])
    }
}

/// A manifest of 1.0.0 that is like no other.
fn text(mark: &str) -> String {
    format!(
        "{{\n  \"schema_version\": \"1.0.0\",\n  \"job_id\": \"j\",\n  \"run_id\": \"r\",\n  \"mark\": \"{mark}\"\n}}\n"
    )
}

fn is_migrated(path: &Path) -> bool {
    // Not parsed: trees hold numbers that serde_json refuses.
    let text = fs::read(path).unwrap();
    memchr::memmem::find(&text, b"\"migration_history\"").is_some()
}

/// Asserts that it failed for exactly these files, each named by the end of its path, and that people read it too.
#[track_caller]
fn assert_named(ended: &Ended, wanted: &[&str]) {
    let failures = failures(ended);
    let names: Vec<&String> = failures.keys().collect();
    assert_eq!(names.len(), wanted.len(), "{failures:?}");
    for wanted in wanted {
        assert!(
            names.iter().any(|name| name.ends_with(wanted)),
            "{wanted}: {failures:?}"
        );
        assert!(
            ended.stderr.contains(wanted),
            "{wanted} is not in:\n{}",
            ended.stderr
        );
    }
    assert_eq!(result(ended)["failed"], wanted.len(), "{}", ended.stderr);
}

#[test]
fn a_folder_that_is_swapped_for_a_link_leads_nobody_outside() {
    let ground = Ground::new(2_000);
    let swapped = ground.root().join("artifacts");
    let elsewhere = ground.outside().join("artifacts");
    // The same names are there outside, so that a name that leads astray finds something to spoil.
    generate(&ground.outside(), 2_000, &OLD);
    let original = manifests(&ground.root());
    let outside = Snapshot::of(&ground.outside());
    let hatch = ground.root().join("hatch");
    symlink(&elsewhere, &hatch).unwrap();

    let stop = AtomicBool::new(false);
    let codes = std::thread::scope(|scope| {
        let swapper = scope.spawn(|| {
            let mut swaps = 0_u64;
            while !stop.load(Ordering::Relaxed) {
                renameat_with(CWD, &swapped, CWD, &hatch, RenameFlags::EXCHANGE).unwrap();
                swaps += 1;
            }
            if swaps % 2 == 1 {
                renameat_with(CWD, &swapped, CWD, &hatch, RenameFlags::EXCHANGE).unwrap();
            }
            swaps
        });
        let codes: Vec<i32> = (0..10).map(|_| ground.migrate().code).collect();
        stop.store(true, Ordering::Relaxed);
        assert!(swapper.join().unwrap() > 100);
        codes
    });
    println!("exit codes: {codes:?}");
    assert!(
        codes.iter().all(|code| [0, 4, SOME_FAILED].contains(code)),
        "{codes:?}"
    );
    outside.assert_equals(&Snapshot::of(&ground.outside()));
    // Once it is quiet, the rest follows, and no original is lost.
    ground.migrate().with_code(0);
    fs::remove_file(&hatch).unwrap();
    let after = manifests(&ground.root());
    assert_eq!(after.len(), original.len());
    for (path, before) in &original {
        let path = ground.root().join(path);
        assert!(is_migrated(&path), "{path:?}");
        assert_eq!(fs::read(backup_of(&path)).unwrap(), *before, "{path:?}");
    }
    outside.assert_equals(&Snapshot::of(&ground.outside()));
}

fn backup_of(path: &Path) -> PathBuf {
    path.with_file_name("manifest.json.backup")
}

#[test]
fn a_pipe_and_a_link_under_the_name_of_a_manifest_are_not_opened() {
    let ground = Ground::new(20);
    let pipe = ground.run("special/pipe").join("manifest.json");
    let mode = rustix::fs::Mode::RUSR | rustix::fs::Mode::WUSR;
    rustix::fs::mknodat(CWD, &pipe, rustix::fs::FileType::Fifo, mode, 0).unwrap();
    let secret = ground.outside().join("manifest.json");
    fs::write(&secret, text("outside")).unwrap();
    let link = ground.run("special/link").join("manifest.json");
    symlink(&secret, &link).unwrap();
    let folder = ground.run("special/folder/manifest.json");
    symlink(
        ground.outside(),
        ground.root().join("artifacts/special/away"),
    )
    .unwrap();
    let outside = Snapshot::of(&ground.outside());

    let ended = ground.migrate().with_code(SOME_FAILED);
    assert_named(
        &ended,
        &["special/pipe/manifest.json", "special/link/manifest.json"],
    );
    assert_eq!(result(&ended)["migrated"], 20);
    outside.assert_equals(&Snapshot::of(&ground.outside()));
    assert!(fs::symlink_metadata(&link).unwrap().is_symlink());
    assert!(folder.is_dir());
}

#[test]
fn a_hard_link_to_a_file_outside_keeps_its_bytes() {
    let ground = Ground::new(20);
    let original = ground.outside().join("original.json");
    fs::write(&original, text("shared")).unwrap();
    let here = ground.run("job/linked").join("manifest.json");
    fs::hard_link(&original, &here).unwrap();
    let before = fs::metadata(&original).unwrap();

    ground.migrate().with_code(0);
    assert_eq!(fs::read_to_string(&original).unwrap(), text("shared"));
    let after = fs::metadata(&original).unwrap();
    assert_eq!((before.ino(), before.mode()), (after.ino(), after.mode()));
    assert!(is_migrated(&here));
    // Whoever writes to the file outside must not reach the backup.
    let backup = backup_of(&here);
    assert_eq!(fs::read_to_string(&backup).unwrap(), text("shared"));
    assert_ne!(fs::metadata(&backup).unwrap().ino(), after.ino());

    manifest(&ground.cli, "restore", &ground.root(), &[]).with_code(0);
    assert_eq!(fs::read_to_string(&here).unwrap(), text("shared"));
    assert_eq!(fs::read_to_string(&original).unwrap(), text("shared"));
}

#[test]
fn a_file_of_two_gigabytes_is_named_and_not_read_into_memory() {
    let ground = Ground::new(20);
    let large = ground.run("job/large").join("manifest.json");
    File::create(&large).unwrap().set_len(2 << 30).unwrap();
    let root = ground.root();
    let line = format!(
        "ulimit -v 1500000; exec orchestrate manifest migrate {} --yes --output json",
        root.display()
    );
    let ended = ground.cli.paste(&line).with_code(SOME_FAILED);
    assert_named(&ended, &["job/large/manifest.json"]);
    assert_eq!(result(&ended)["migrated"], 20);
    assert_eq!(fs::metadata(&large).unwrap().len(), 2 << 30);
    assert!(!backup_of(&large).exists());
}

/// The program as somebody without privileges starts it: root may read and write everything.
fn unprivileged(ground: &Ground) -> (String, u32) {
    let nobody = 65_534;
    if !rustix::process::geteuid().is_root() {
        return (BINARY.to_owned(), rustix::process::geteuid().as_raw());
    }
    let binary = ground.folder.path().join("orchestrate");
    fs::copy(BINARY, &binary).unwrap();
    fs::set_permissions(ground.folder.path(), Permissions::from_mode(0o755)).unwrap();
    let words = format!(
        "setpriv --reuid={nobody} --regid={nobody} --clear-groups {}",
        binary.display()
    );
    (words, nobody)
}

fn give(path: &Path, owner: u32) {
    if !rustix::process::geteuid().is_root() {
        return;
    }
    std::os::unix::fs::lchown(path, Some(owner), Some(owner)).unwrap();
    if path.is_dir() {
        for entry in fs::read_dir(path).unwrap() {
            give(&entry.unwrap().path(), owner);
        }
    }
}

#[test]
fn what_may_not_be_read_or_written_is_named_and_the_rest_goes_on() {
    let ground = Ground::new(20);
    let unreadable = ground.run("job/unreadable").join("manifest.json");
    fs::write(&unreadable, text("unreadable")).unwrap();
    let closed = ground.run("job/closed");
    fs::write(closed.join("manifest.json"), text("closed")).unwrap();
    let read_only = ground.run("job/read-only");
    fs::write(read_only.join("manifest.json"), text("read-only")).unwrap();
    let (program, owner) = unprivileged(&ground);
    give(&ground.root(), owner);
    fs::set_permissions(&unreadable, Permissions::from_mode(0o0)).unwrap();
    fs::set_permissions(&closed, Permissions::from_mode(0o0)).unwrap();
    fs::set_permissions(&read_only, Permissions::from_mode(0o555)).unwrap();

    let root = ground.root();
    let line = format!(
        "{program} manifest migrate {} --yes --output json",
        root.display()
    );
    let ended = ground.cli.paste(&line);
    // So that the folder can be looked at, and removed.
    fs::set_permissions(&closed, Permissions::from_mode(0o755)).unwrap();
    fs::set_permissions(&read_only, Permissions::from_mode(0o755)).unwrap();
    fs::set_permissions(&unreadable, Permissions::from_mode(0o644)).unwrap();
    let ended = ended.with_code(SOME_FAILED);
    assert_named(
        &ended,
        &[
            "job/unreadable/manifest.json",
            "job/closed",
            "job/read-only/manifest.json",
        ],
    );
    assert_eq!(result(&ended)["migrated"], 20);
    for (name, mark) in [
        ("unreadable", "unreadable"),
        ("closed", "closed"),
        ("read-only", "read-only"),
    ] {
        let folder = root.join("artifacts/job").join(name);
        let left: Vec<_> = fs::read_dir(&folder)
            .unwrap()
            .map(|entry| entry.unwrap().file_name())
            .collect();
        assert_eq!(left, ["manifest.json"], "{name}");
        let manifest = fs::read_to_string(folder.join("manifest.json")).unwrap();
        assert_eq!(manifest, text(mark));
    }
}

/// Runs a script in a mount namespace of its own; nothing if this machine does not allow that.
fn with_mounts(cli: &Cli, script: &str) -> Option<Ended> {
    let unshare = if rustix::process::geteuid().is_root() {
        "unshare --mount"
    } else {
        "unshare --map-root-user --mount"
    };
    let probe = format!("{unshare} bash -c 'mount -t tmpfs none /mnt'");
    if cli.paste(&probe).code != 0 {
        eprintln!("NOT TESTED: this machine does not let us mount a small disk ({unshare})");
        return None;
    }
    let path = tempfile::NamedTempFile::new().unwrap();
    fs::write(path.path(), script).unwrap();
    Some(cli.paste(&format!("{unshare} bash {}", path.path().display())))
}

#[test]
fn a_disk_that_is_full_half_way_loses_nothing() {
    let ground = Ground::new(0);
    generate(
        &ground.folder.path().join("model"),
        3_000,
        &[&OLD[..], &["--beside", "nothing"]].concat(),
    );
    let original = manifests(&ground.folder.path().join("model"));
    // Somebody else fills the disk as soon as the first backups are there.
    let script = r#"
        set -eu
        mount -t tmpfs -o size=200m none /mnt
        mkdir /mnt/root
        cp -a model/artifacts /mnt/root/
        (
          until [[ -n $(find /mnt/root -name '*.backup' -print -quit) ]]; do :; done
          head -c 1G /dev/zero > /mnt/filler 2> /dev/null || true
        ) &
        code=0
        orchestrate manifest migrate /mnt/root --yes --output json > said.json 2> said || code=$?
        wait
        echo "$code" > code
        mkdir full
        cp -a /mnt/root full/
        rm /mnt/filler
        orchestrate manifest migrate /mnt/root --yes --output json > again.json 2> again
        mkdir done
        cp -a /mnt/root done/
    "#;
    let Some(ended) = with_mounts(&ground.cli, script) else {
        return;
    };
    let read = |name: &str| fs::read_to_string(ground.folder.path().join(name)).unwrap_or_default();
    assert_eq!(
        ended.code,
        0,
        "{}\nfirst {}{}\nagain {}{}",
        ended.stderr,
        read("code"),
        read("said"),
        read("again"),
        read("again.json"),
    );
    let code = read("code");
    assert!(
        ["1", "4", "5"].contains(&code.trim()),
        "{code}{}",
        read("said")
    );
    assert!(
        read("said").to_lowercase().contains("space"),
        "{}",
        read("said")
    );
    let (full, done) = (
        ground.folder.path().join("full/root"),
        ground.folder.path().join("done/root"),
    );
    let mut untouched = 0;
    for (path, before) in &original {
        // Whole at each moment: the old bytes or the new ones, and the old ones beside the new ones.
        if fs::read(full.join(path)).unwrap() == *before {
            untouched += 1;
        } else {
            assert!(is_migrated(&full.join(path)), "{path:?}");
            assert_eq!(fs::read(backup_of(&full.join(path))).unwrap(), *before);
        }
        assert!(is_migrated(&done.join(path)), "{path:?}");
        assert_eq!(fs::read(backup_of(&done.join(path))).unwrap(), *before);
    }
    assert!(untouched > 0, "the disk was never full");
    let names: Vec<PathBuf> = Snapshot::of(&done).paths().cloned().collect();
    let folders = names.iter().filter(|path| done.join(path).is_dir()).count();
    assert_eq!(
        names.len() - folders,
        2 * original.len(),
        "no temporary file is left"
    );
}

#[test]
fn what_somebody_else_writes_meanwhile_is_never_lost() {
    for in_place in [false, true] {
        let ground = Ground::new(1_500);
        let paths: Vec<PathBuf> = manifests(&ground.root()).into_keys().collect();
        let stop = AtomicBool::new(false);
        let latest = std::thread::scope(|scope| {
            let writer = scope.spawn(|| {
                let mut latest = BTreeMap::new();
                let mut turn = 0;
                while !stop.load(Ordering::Relaxed) {
                    // Neighbours in the order of the walk, so that it is met.
                    let path = &paths[(turn * 7) % paths.len()];
                    let mark = format!("writer-{turn}-");
                    write(&ground.root().join(path), &text(&mark), in_place);
                    latest.insert(path.clone(), mark);
                    turn += 1;
                }
                latest
            });
            let mut codes = Vec::new();
            for _ in 0..3 {
                codes.push(ground.migrate().code);
            }
            stop.store(true, Ordering::Relaxed);
            assert!(
                codes.iter().all(|code| [0, 4, SOME_FAILED].contains(code)),
                "{codes:?}"
            );
            writer.join().unwrap()
        });
        assert!(latest.len() > 100);
        for (path, mark) in &latest {
            let path = ground.root().join(path);
            let found = fs::read_dir(path.parent().unwrap()).unwrap().any(|entry| {
                let entry = entry.unwrap();
                let name = entry.file_name().to_string_lossy().into_owned();
                name.starts_with("manifest.json")
                    && fs::read_to_string(entry.path()).unwrap().contains(mark)
            });
            assert!(
                found,
                "{mark} was written to {path:?} (in place: {in_place}) and is gone"
            );
        }
        ground.migrate().with_code(0);
        for path in &paths {
            assert!(is_migrated(&ground.root().join(path)), "{path:?}");
        }
    }
}

/// As programs write: into the file, or a new one that is renamed over it.
fn write(path: &Path, text: &str, in_place: bool) {
    if in_place {
        // No moment at which the file is empty: what is written is never longer than what was there.
        let mut file = File::options().write(true).open(path).unwrap();
        file.write_all(text.as_bytes()).unwrap();
        file.set_len(text.len() as u64).unwrap();
    } else {
        let new = path.with_file_name("written-by-somebody");
        fs::write(&new, text).unwrap();
        fs::rename(&new, path).unwrap();
    }
}

#[test]
fn the_root_may_be_a_link_or_end_in_a_slash() {
    for by_link in [true, false] {
        let ground = Ground::new(10);
        let link = ground.folder.path().join("link");
        symlink(ground.root(), &link).unwrap();
        let named = if by_link {
            link
        } else {
            ground.folder.path().join("root/")
        };
        let ended = manifest(&ground.cli, "migrate", &named, &[]).with_code(0);
        assert_eq!(result(&ended)["migrated"], 10);
        // However it is named, it is the same root: there is something to put back.
        manifest(&ground.cli, "restore", &ground.root(), &[]).with_code(0);
        let left = manifests(&ground.root());
        assert!(
            left.keys()
                .all(|path| !is_migrated(&ground.root().join(path)))
        );
    }
}

#[test]
fn names_that_are_no_plain_text_are_migrated_and_shown_without_harm() {
    let ground = Ground::new(5);
    let names: [&[u8]; 4] = [
        b"new\nline",
        b"\x1b[31mred",
        b"caf\xe9",
        "spät \u{202e}".as_bytes(),
    ];
    for name in names {
        let good = ground.run(Path::new("odd").join(OsStr::from_bytes(name)).join("good"));
        fs::write(good.join("manifest.json"), text("good")).unwrap();
        let bad = ground.run(Path::new("odd").join(OsStr::from_bytes(name)).join("bad"));
        fs::write(bad.join("manifest.json"), "{\"run_id\": ").unwrap();
    }
    let ended = ground.migrate().with_code(SOME_FAILED);
    assert_eq!(result(&ended)["migrated"], 9);
    assert_eq!(failures(&ended).len(), 4, "each is named apart");
    for raw in ["\u{1b}[31mred", "new\nline", "\u{202e}"] {
        assert!(!ended.stderr.contains(raw), "{:?}", ended.stderr);
    }
    let migrated = Snapshot::of(&ground.root());
    manifest(&ground.cli, "restore", &ground.root(), &[]).with_code(0);
    for (path, _) in manifests(&ground.root()) {
        let seen = migrated.get(&path).unwrap();
        let now = fs::read(ground.root().join(&path)).unwrap();
        let bad = path.parent().unwrap().ends_with("bad");
        assert_eq!(seen.content == digest(&now), bad, "{path:?}");
    }
}
