//! A migration that is killed at random moments, and called again each time: the tree ends as if it had never been killed.
//!
//! `ORCHESTRATE_KILLS=100 ORCHESTRATE_MANIFESTS=100000 tests/run manifest_kill::` is the whole of it.

#![expect(clippy::unwrap_used, reason = "tests")]

use std::path::Path;
use std::time::{Duration, Instant};

use crate::support::cli::{Cli, Ended, Running};
use crate::support::manifests::{
    Snapshot, digest, generate, is_manifest, manifest, manifests, result, without_time, words,
};
use crate::support::moments::moments;

/// Some of the documents cannot be migrated: that must not make a difference either.
const TREE: [&str; 8] = [
    "--odd",
    "30",
    "--corrupted",
    "9",
    "--unknown",
    "2",
    "--seed",
    "11",
];
/// Some failed and the rest is done: by this call, or there was nothing left for it to do.
const DONE: [i32; 2] = [5, 4];

fn how_many() -> usize {
    std::env::var("ORCHESTRATE_MANIFESTS").map_or(5_000, |n| n.parse().unwrap())
}

/// Numbers that look random and are the same each time.
struct Dice(u64);

impl Dice {
    /// Somewhere between nothing and this long.
    fn up_to(&mut self, longest: Duration) -> Duration {
        // splitmix64.
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        longest.mul_f64((z ^ (z >> 31)) as f64 / u64::MAX as f64)
    }
}

/// Commands that may take their time with so many manifests, on a busy machine and in a build for tests.
fn patient(folder: &Path, manifests: usize) -> Cli {
    Cli::new(folder).patience(Duration::from_millis(20) * u32::try_from(manifests).unwrap())
}

fn start(cli: &Cli, verb: &str, root: &Path) -> Running {
    let words = words(verb, root);
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    cli.start(&words)
}

/// Whether it was still there to be killed.
fn killed_after(mut running: Running, moment: Duration) -> bool {
    let until = Instant::now() + moment;
    while Instant::now() < until {
        if running.has_ended() {
            break;
        }
        std::thread::sleep(Duration::from_millis(1));
    }
    if !running.has_ended() {
        running.signal(rustix::process::Signal::KILL);
    }
    let ended = running.wait();
    if ended.code == 128 + 9 {
        return true;
    }
    done(ended);
    false
}

/// Kills so many times, then calls until it is done. Returns how many of the kills met a process.
fn with_kills(
    cli: &Cli,
    verb: &str,
    root: &Path,
    kills: usize,
    longest: Duration,
    dice: &mut Dice,
) -> usize {
    for kill in 0..kills {
        if !killed_after(start(cli, verb, root), dice.up_to(longest)) {
            return kill;
        }
    }
    done(manifest(cli, verb, root, &[]));
    kills
}

fn took(cli: &Cli, verb: &str, root: &Path) -> Duration {
    done(manifest(cli, verb, root, &[])).took
}

#[track_caller]
fn done(ended: Ended) -> Ended {
    let is_done = DONE.contains(&ended.code);
    assert!(is_done, "{}: {}{}", ended.code, ended.stdout, ended.stderr);
    ended
}

#[test]
fn a_killed_migration_that_is_called_again_ends_in_the_same_tree() {
    let (kills, count) = (moments(20), how_many());
    let folder = tempfile::tempdir().unwrap();
    let cli = patient(folder.path(), count);
    let whole = folder.path().join("whole");
    generate(&whole, count, &TREE);
    let original = manifests(&whole);
    let once = took(&cli, "migrate", &whole);
    // What a call costs that has nothing left to do.
    let again = took(&cli, "migrate", &whole);
    let expected = Snapshot::of(&whole).without_identity();
    let others = |path: &Path| !is_manifest(path);

    let mut dice = Dice(0x0bad_cafe);
    let mut met = 0;
    let mut trees = 0;
    while met < kills {
        trees += 1;
        let root = folder.path().join(format!("killed-{trees}"));
        generate(&root, count, &TREE);
        let before = Snapshot::of(&root);
        let left = kills - met;
        let longest = again + once * 2 / u32::try_from(left).unwrap();
        met += with_kills(&cli, "migrate", &root, left, longest, &mut dice);

        // Names, permissions, backups and everything that is no manifest.
        let after = Snapshot::of(&root);
        let names = |tree: &Snapshot| tree.paths().cloned().collect::<Vec<_>>();
        assert_eq!(names(&expected), names(&after), "no temporary file is left");
        let bare = after.clone().without_identity();
        expected.only(others).assert_equals(&bare.only(others));
        // Nobody has even touched what is no manifest.
        let known = |path: &Path| others(path) && before.get(path).is_some();
        before.only(others).assert_equals(&after.only(known));
        // Manifests: the same bytes but for the moment of the migration.
        let (one, other) = (manifests(&whole), manifests(&root));
        let mut changed = 0;
        for (path, text) in &one {
            let text_of_other = &other[path];
            assert_eq!(
                String::from_utf8_lossy(&without_time(text)),
                String::from_utf8_lossy(&without_time(text_of_other)),
                "{path:?}"
            );
            let seen = (before.get(path).unwrap(), after.get(path).unwrap());
            assert_eq!(seen.0.mode, seen.1.mode, "{path:?}");
            if original[path] == *text_of_other {
                assert_eq!(seen.0, seen.1, "{path:?} was written for nothing");
                continue;
            }
            changed += 1;
            let mut backup = path.clone().into_os_string();
            backup.push(".backup");
            let backup = after.get(Path::new(&backup)).expect("there is a backup");
            assert_eq!(backup.content, digest(&original[path]), "{path:?}");
        }
        assert!(changed > count / 2, "{changed} of {count}");
        // A call that has nothing left to do writes nothing.
        done(manifest(&cli, "migrate", &root, &[]));
        after.assert_equals(&Snapshot::of(&root));
        std::fs::remove_dir_all(&root).unwrap();
        assert!(trees < 10 + kills, "it is always done before it is killed");
    }
    println!("{count} manifests in {once:?}, {met} kills in {trees} trees");
}

#[test]
fn a_killed_restore_that_is_called_again_brings_every_byte_back() {
    let (kills, count) = (moments(20), how_many());
    let folder = tempfile::tempdir().unwrap();
    let cli = patient(folder.path(), count);
    let root = folder.path().join("tree");
    let report = generate(&root, count, &["--odd", "30", "--seed", "12"]);
    let original = manifests(&root);
    let before = Snapshot::of(&root).without_identity();
    let migrated = manifest(&cli, "migrate", &root, &[]).with_code(0);
    let current = report["versions"]["1.2.0"].as_u64().unwrap();
    assert_eq!(result(&migrated)["migrated"], count as u64 - current);
    let longest = migrated.took * 2 / u32::try_from(kills).unwrap();
    let mut dice = Dice(0x0dd_ba11);
    let mut met = 0;
    for _ in 0..kills {
        let mut running = start(&cli, "restore", &root);
        let until = Instant::now() + dice.up_to(longest);
        while Instant::now() < until && !running.has_ended() {
            std::thread::sleep(Duration::from_millis(1));
        }
        if !running.has_ended() {
            running.signal(rustix::process::Signal::KILL);
        }
        let ended = running.wait();
        if ended.code != 128 + 9 {
            ended.with_code(0);
            break;
        }
        met += 1;
    }
    manifest(&cli, "restore", &root, &[]).with_code(0);
    println!("{count} manifests, {met} kills");
    assert!(met > 0);
    let after = manifests(&root);
    for (path, text) in &original {
        assert!(after[path] == *text, "{path:?} is not as before");
    }
    // Backups may stay; nothing else may be new, and nothing may be gone.
    let after = Snapshot::of(&root).without_identity();
    let backup = |path: &Path| path.to_string_lossy().ends_with(".backup");
    before.assert_equals(&after.only(|path| !backup(path)));
}
