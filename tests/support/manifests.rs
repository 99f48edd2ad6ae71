//! Trees of manifests, and what is in them before and after.

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsStr;
use std::fs;
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;
use sha2::{Digest as _, Sha256};

use super::cli::{Cli, Ended};

/// Makes `<folder>/artifacts` and returns what the generator says of it.
#[track_caller]
pub(crate) fn generate(folder: &Path, manifests: usize, arguments: &[&str]) -> Value {
    let generator =
        Path::new(env!("CARGO_MANIFEST_DIR")).join("plans/manifest-upgrade/generate.py");
    let output = Command::new("python3")
        .arg(generator)
        .arg(folder)
        .args(["--manifests", &manifests.to_string()])
        .args(arguments)
        .output()
        .expect("failed to start python3");
    assert!(
        output.status.success(),
        "no tree was made: {}",
        String::from_utf8_lossy(&output.stderr)
    );
    serde_json::from_slice(&output.stdout).expect("the generator prints one line of JSON")
}

/// `orchestrate manifest <verb> <root> ...` as a program calls it.
pub(crate) fn manifest(cli: &Cli, verb: &str, root: &Path, arguments: &[&str]) -> Ended {
    let mut all = words(verb, root);
    all.extend(arguments.iter().map(|word| (*word).to_owned()));
    let all: Vec<&str> = all.iter().map(String::as_str).collect();
    cli.run(&all)
}

/// The words of such a call; verbs that write are told to.
pub(crate) fn words(verb: &str, root: &Path) -> Vec<String> {
    let root = root.to_str().expect("the root's name is text");
    let mut all = vec!["manifest", verb, root, "--output", "json"];
    if ["migrate", "restore", "prune"].contains(&verb) {
        all.push("--yes");
    }
    // Tests also run where the disk is nearly full.
    if verb == "migrate" {
        all.push("--no-space-check");
    }
    all.into_iter().map(str::to_owned).collect()
}

/// The last line of a verb: its counts.
#[track_caller]
pub(crate) fn result(ended: &Ended) -> Value {
    let lines = ended.json();
    let last = lines.last().unwrap_or_else(|| {
        panic!("it printed nothing:\n{}", ended.stderr);
    });
    assert_eq!(last["type"], "result", "{last}");
    assert_eq!(last["exit_code"], ended.code, "{last}");
    last.clone()
}

/// The paths of documents that failed, each with its class.
#[track_caller]
pub(crate) fn failures(ended: &Ended) -> BTreeMap<String, String> {
    let lines = ended.json();
    let failures = lines.iter().filter(|line| line["type"] == "failure");
    failures
        .map(|line| {
            let word = |name: &str| {
                let word = line[name].as_str();
                word.unwrap_or_else(|| panic!("no {name} in {line}"))
                    .to_owned()
            };
            assert!(!word("message").is_empty(), "{line}");
            (word("path"), word("class"))
        })
        .collect()
}

/// Everything below a folder by hash: millions of files fit in.
#[derive(Clone)]
pub(crate) struct Snapshot(BTreeMap<PathBuf, Seen>);

/// What is known of one name.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Seen {
    pub(crate) mode: u32,
    pub(crate) owner: (u32, u32),
    /// Of a file: the hash of its bytes. Of a link: where it leads.
    pub(crate) content: Vec<u8>,
    /// Which file it is and when it was last written: equal only if nobody touched it. Nothing for folders.
    pub(crate) identity: Option<(u64, i64, i64)>,
}

impl Snapshot {
    /// Everything below a folder but what runs keep in `.orchestrate`.
    pub(crate) fn of(folder: &Path) -> Self {
        let mut all = BTreeMap::new();
        collect(folder, Path::new(""), &mut all);
        Self(all)
    }

    /// Those names that satisfy something.
    pub(crate) fn only(&self, wanted: impl Fn(&Path) -> bool) -> Self {
        let kept = self.0.iter().filter(|(path, _)| wanted(path));
        Self(
            kept.map(|(path, seen)| (path.clone(), seen.clone()))
                .collect(),
        )
    }

    /// What does not depend on when and where the tree was made: to compare two trees.
    pub(crate) fn without_identity(mut self) -> Self {
        for seen in self.0.values_mut() {
            seen.identity = None;
        }
        self
    }

    pub(crate) fn get(&self, path: &Path) -> Option<&Seen> {
        self.0.get(path)
    }

    pub(crate) fn paths(&self) -> impl Iterator<Item = &PathBuf> {
        self.0.keys()
    }

    /// Panics with the names of what differs.
    #[track_caller]
    pub(crate) fn assert_equals(&self, later: &Self) {
        let names: BTreeSet<&PathBuf> = self.0.keys().chain(later.0.keys()).collect();
        let differing: Vec<String> = names
            .into_iter()
            .filter_map(|name| match (self.0.get(name), later.0.get(name)) {
                (Some(before), Some(after)) if before == after => None,
                (Some(before), Some(after)) if before.content == after.content => {
                    Some(format!("{name:?} is another file: {before:?}, {after:?}"))
                }
                (Some(_), Some(_)) => Some(format!("{name:?} changed")),
                (Some(_), None) => Some(format!("{name:?} is gone")),
                _ => Some(format!("{name:?} is new")),
            })
            .collect();
        assert!(
            differing.is_empty(),
            "{} differ: {}",
            differing.len(),
            differing[..differing.len().min(20)].join(", ")
        );
    }
}

/// Whether this is a manifest that may be migrated: not in `inputs`.
pub(crate) fn is_manifest(path: &Path) -> bool {
    path.file_name() == Some(OsStr::new("manifest.json"))
        && !path.components().any(|part| part.as_os_str() == "inputs")
}

/// The manifests in a tree, by their path from its root.
pub(crate) fn manifests(root: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let mut found = BTreeMap::new();
    let mut folders = vec![PathBuf::new()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(root.join(&folder)).expect("failed to read a folder") {
            let entry = entry.expect("failed to read a folder's entry");
            let kind = entry.file_type().expect("failed to look at an entry");
            let path = folder.join(entry.file_name());
            if kind.is_dir() {
                folders.push(path);
            } else if kind.is_file() && is_manifest(&path) {
                let bytes = fs::read(root.join(&path)).expect("failed to read a manifest");
                found.insert(path, bytes);
            }
        }
    }
    found
}

/// The hash that a [`Snapshot`] keeps of a file.
pub(crate) fn digest(bytes: &[u8]) -> Vec<u8> {
    Sha256::digest(bytes).to_vec()
}

/// A migrated document without what two migrations of the same file differ in: when, and the checksum over that.
pub(crate) fn without_time(text: &[u8]) -> Vec<u8> {
    let mut text = text.to_vec();
    for name in ["\"applied_at\"", "\"checksum_after\""] {
        // The last entry of the history is the latest.
        let Some(at) = memchr::memmem::rfind(&text, name.as_bytes()) else {
            continue;
        };
        let colon = at + name.len();
        let mut quotes = (colon..text.len()).filter(|i| text[*i] == b'"');
        let (Some(open), Some(close)) = (quotes.next(), quotes.next()) else {
            continue;
        };
        text.drain(open + 1..close);
    }
    text
}

fn collect(folder: &Path, prefix: &Path, all: &mut BTreeMap<PathBuf, Seen>) {
    for entry in fs::read_dir(folder).expect("failed to read a folder") {
        let entry = entry.expect("failed to read a folder's entry");
        let name = entry.file_name();
        if name == ".orchestrate" {
            continue;
        }
        let (path, name) = (entry.path(), prefix.join(name));
        let about = fs::symlink_metadata(&path).expect("failed to look at an entry");
        let mut identity = Some((about.ino(), about.mtime(), about.mtime_nsec()));
        let content = if about.is_symlink() {
            let aim = fs::read_link(&path).expect("failed to read a link");
            aim.as_os_str().as_bytes().to_vec()
        } else if about.is_dir() {
            collect(&path, &name, all);
            identity = None;
            Vec::new()
        } else if about.is_file() && about.len() < 1 << 30 {
            digest(&fs::read(&path).expect("failed to read a file"))
        } else {
            // Something special, or too large to be read for nothing.
            about.len().to_le_bytes().to_vec()
        };
        let seen = Seen {
            mode: about.mode(),
            owner: (about.uid(), about.gid()),
            content,
            identity,
        };
        all.insert(name, seen);
    }
}

#[test]
fn what_two_migrations_differ_in_is_left_out() {
    let text = br#"{"h":[{"applied_at":"x"},{"applied_at": "2026", "checksum_after" : "sha256:00"}], "z": 1}"#;
    let left = br#"{"h":[{"applied_at":"x"},{"applied_at": "", "checksum_after" : ""}], "z": 1}"#;
    assert_eq!(without_time(text), left);
    assert_eq!(without_time(b"{}"), b"{}");
}

#[test]
fn the_same_seed_makes_the_same_tree() {
    let folder = tempfile::tempdir().expect("failed to create a folder");
    let odd = ["--odd", "60", "--corrupted", "9", "--unknown", "4"];
    let made = ["a", "b"].map(|name| {
        let root = folder.path().join(name);
        let report = generate(&root, 200, &odd);
        (report, Snapshot::of(&root).without_identity())
    });
    assert_eq!(made[0].0, made[1].0);
    made[0].1.assert_equals(&made[1].1);
    assert_eq!(
        made[0].1.paths().filter(|path| is_manifest(path)).count(),
        200
    );
    assert_eq!(made[0].0["versions"]["1.0.0"], 147);
}
