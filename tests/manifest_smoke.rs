//! The nine documented smoke tests of schema migrations, by their meaning, on the real program; the invariants of the ninth
//! one by one.

#![expect(clippy::unwrap_used, reason = "tests")]

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use crate::support::cli::{Cli, Ended};
use crate::support::manifests::{Snapshot, generate, is_manifest, manifest, manifests, result};

/// One manifest in a tree of its own.
struct One {
    folder: tempfile::TempDir,
    cli: Cli,
}

const OLD: &str = r#"{
  "schema_version": "1.0.0",
  "job_id": "test-job-001",
  "run_id": "abc123def456",
  "job_ref": "jobs/test-job-001/brief.yaml",
  "status": "succeeded",
  "params": {"temperature": 1.0, "seed": 18446744073709551617},
  "artifacts": {}
}
"#;

impl One {
    fn new(text: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let cli = Cli::new(folder.path());
        let one = Self { folder, cli };
        fs::create_dir_all(one.path().parent().unwrap()).unwrap();
        fs::write(one.path(), text).unwrap();
        one
    }

    /// A manifest of a version that the built-in migrations lead to.
    fn of(version: &str) -> Self {
        let one = Self::new(OLD);
        one.migrate(&["--target-version", version]).with_code(0);
        fs::remove_file(one.backup()).unwrap();
        one
    }

    fn root(&self) -> &Path {
        self.folder.path()
    }

    fn path(&self) -> PathBuf {
        self.root()
            .join("artifacts/test-job-001/abc123def456/manifest.json")
    }

    fn backup(&self) -> PathBuf {
        self.path().with_file_name("manifest.json.backup")
    }

    fn migrate(&self, arguments: &[&str]) -> Ended {
        manifest(&self.cli, "migrate", self.root(), arguments)
    }

    fn text(&self) -> String {
        fs::read_to_string(self.path()).unwrap()
    }

    fn value(&self) -> Value {
        serde_json::from_str(&self.text()).unwrap()
    }

    /// The last entry of the history.
    fn entry(&self) -> Value {
        let value = self.value();
        let history = value["migration_history"].as_array().unwrap();
        history.last().unwrap().clone()
    }

    /// Which versions each entry of the history led from and to, and over how many migrations.
    fn ways(&self) -> Vec<(String, String, usize)> {
        let value = self.value();
        let history = value["migration_history"].as_array().unwrap();
        let word = |entry: &Value, name: &str| entry[name].as_str().unwrap().to_owned();
        history
            .iter()
            .map(|entry| {
                let hops = entry["changes"].as_array().unwrap().len();
                (word(entry, "from_version"), word(entry, "to_version"), hops)
            })
            .collect()
    }
}

fn way(from: &str, to: &str, hops: usize) -> (String, String, usize) {
    (from.to_owned(), to.to_owned(), hops)
}

fn checksum(bytes: &[u8]) -> String {
    let digits: String = Sha256::digest(bytes)
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect();
    format!("sha256:{digits}")
}

#[test]
fn first_1_0_to_1_1_adds_what_was_put_in() {
    let one = One::new(OLD);
    one.migrate(&["--target-version", "1.1.0"]).with_code(0);
    let value = one.value();
    assert_eq!(value["schema_version"], "1.1.0");
    assert_eq!(value["input_snapshots"], json!({}));
    assert_eq!(value.get("inputs_hash"), Some(&Value::Null));
    assert_eq!(value.get("chain_metadata"), None);
    assert_eq!(one.ways(), [way("1.0.0", "1.1.0", 1)]);
}

#[test]
fn second_1_1_to_1_2_adds_what_chains_need() {
    let one = One::of("1.1.0");
    one.migrate(&["--target-version", "1.2.0"]).with_code(0);
    let value = one.value();
    assert_eq!(value["schema_version"], "1.2.0");
    assert_eq!(value["chain_metadata"]["is_chainable_stage"], false);
    assert_eq!(
        one.ways(),
        [way("1.0.0", "1.1.0", 1), way("1.1.0", "1.2.0", 1)]
    );
}

#[test]
fn third_1_0_to_1_2_is_one_migration_that_comes_to_the_same() {
    let direct = One::new(OLD);
    direct.migrate(&["--target-version", "1.2.0"]).with_code(0);
    assert_eq!(direct.ways(), [way("1.0.0", "1.2.0", 1)]);
    let stepwise = One::of("1.1.0");
    stepwise
        .migrate(&["--target-version", "1.2.0"])
        .with_code(0);
    let without_history = |one: &One| {
        let mut value = one.value();
        value.as_object_mut().unwrap().remove("migration_history");
        value
    };
    assert_eq!(without_history(&direct), without_history(&stepwise));
}

#[test]
fn fourth_the_shortest_path_is_found_and_none_is_named() {
    let one = One::new(OLD);
    let own = one.root().join("own");
    fs::create_dir(&own).unwrap();
    fs::write(
        own.join("next.yaml"),
        "from_version: 1.2.0\nto_version: 1.3.0\nchanges: [Add `priority_level`]\n\
         operations:\n  - add: {at: /priority_level, default: normal}\n",
    )
    .unwrap();
    let own = own.to_str().unwrap();
    one.migrate(&["--migrations", own]).with_code(0);
    // Directly to 1.2.0, then on: two migrations where three would do, and one entry for all of it.
    assert_eq!(one.ways(), [way("1.0.0", "1.3.0", 2)]);
    assert_eq!(one.value()["priority_level"], "normal");

    let other = One::new(&OLD.replace("1.0.0", "0.1.0"));
    let before = Snapshot::of(other.root());
    let ended = other.migrate(&[]);
    assert!([4, 5].contains(&ended.code), "{}", ended.stderr);
    assert!(ended.stderr.contains("0.1.0"), "{}", ended.stderr);
    before.assert_equals(&Snapshot::of(other.root()));
}

#[test]
fn fifth_a_second_run_changes_nothing() {
    let one = One::new(OLD);
    one.migrate(&[]).with_code(0);
    let after = Snapshot::of(one.root());
    let again = one.migrate(&[]).with_code(0);
    assert_eq!(result(&again)["migrated"], 0);
    assert_eq!(result(&again)["current"], 1);
    after.assert_equals(&Snapshot::of(one.root()));
}

#[test]
fn sixth_the_history_says_when_what_and_from_which_bytes() {
    let one = One::new(OLD);
    let begun = jiff::Timestamp::now();
    one.migrate(&[]).with_code(0);
    let entry = one.entry();
    let at: jiff::Timestamp = entry["applied_at"].as_str().unwrap().parse().unwrap();
    assert!(at.as_second() >= begun.as_second() && at <= jiff::Timestamp::now());
    let changes = entry["changes"][0].as_array().unwrap();
    assert!(!changes.is_empty() && changes.iter().all(Value::is_string));
    assert_eq!(entry["checksum_before"], checksum(OLD.as_bytes()));
    // Its own digits are zeros while it is reckoned.
    let own = entry["checksum_after"].as_str().unwrap();
    let zeros = format!("sha256:{}", "0".repeat(64));
    let text = one.text().replace(own, &zeros);
    assert_eq!(own, checksum(text.as_bytes()));
    manifest(&one.cli, "verify", one.root(), &[]).with_code(0);
    // So any later edit shows.
    fs::write(one.path(), one.text().replace("succeeded", "failed")).unwrap();
    manifest(&one.cli, "verify", one.root(), &[]).with_code(8);
}

#[test]
fn seventh_the_backup_is_the_file_as_it_was() {
    let one = One::new(OLD);
    one.migrate(&[]).with_code(0);
    assert_eq!(fs::read_to_string(one.backup()).unwrap(), OLD);
    manifest(&one.cli, "restore", one.root(), &[]).with_code(0);
    assert_eq!(one.text(), OLD);
}

#[test]
fn eighth_a_dry_run_writes_nothing_and_shows_all_of_it() {
    let one = One::new(OLD);
    let before = Snapshot::of(one.root());
    let ended = one.migrate(&["--dry-run"]).with_code(0);
    before.assert_equals(&Snapshot::of(one.root()));
    assert_eq!(result(&ended)["migrated"], 1);
    let shown = one.cli.run(&["manifest", "migrate", ".", "--dry-run"]);
    let shown = shown.with_code(0);
    for words in ["chain_metadata", "1.2.0", "manifest.json"] {
        assert!(
            shown.stdout.contains(words) || shown.stderr.contains(words),
            "{words}: {}{}",
            shown.stdout,
            shown.stderr
        );
    }
    assert!(!one.root().join(".orchestrate").exists());
}

/// A tree before and after, and where it is.
fn migrated_tree() -> (tempfile::TempDir, Cli, [Snapshot; 2]) {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path().join("tree");
    generate(&root, 127, &["--odd", "40"]);
    let before = Snapshot::of(&root);
    let cli = Cli::new(folder.path());
    manifest(&cli, "migrate", &root, &[]).with_code(0);
    let after = Snapshot::of(&root);
    (folder, cli, [before, after])
}

#[test]
fn ninth_the_seven_invariants_hold() {
    let (folder, cli, [before, after]) = migrated_tree();
    let root = folder.path().join("tree");
    let now = manifests(&root);
    let parsed = |text: &[u8]| -> Value {
        let text = text.strip_prefix(b"\xef\xbb\xbf").unwrap_or(text);
        // Numbers that no float can hold are met in the tree.
        serde_json::from_str(&String::from_utf8_lossy(text).replace("1e400", "0")).unwrap()
    };
    // 1 and 4, inputs and doctrine: whatever is no manifest is the same file, untouched since.
    let others = |path: &Path| !is_manifest(path) && before.get(path).is_some();
    before.only(others).assert_equals(&after.only(others));
    for (path, text) in &now {
        let backup = root.join(path).with_file_name("manifest.json.backup");
        if !backup.exists() {
            // It was of the latest version.
            assert_eq!(before.get(path), after.get(path), "{path:?}");
            continue;
        }
        let (old, new) = (parsed(&fs::read(backup).unwrap()), parsed(text));
        // 2 and 3, the identities; 7, nothing that a client of old reads has changed.
        for (name, value) in old.as_object().unwrap() {
            if name != "schema_version" {
                assert_eq!(new.get(name), Some(value), "{path:?}: {name}");
            }
        }
        // 6, no silent drift: what changed is written down.
        let history = new["migration_history"].as_array().unwrap();
        assert_eq!(history.len(), 1, "{path:?}");
        assert_eq!(history[0]["from_version"], old["schema_version"]);
        assert_eq!(history[0]["to_version"], new["schema_version"]);
    }
    // 5, files are the truth: an index comes from them alone, at any time.
    for _ in 0..2 {
        let index = root.join(".orchestrate/manifests.sqlite");
        let ended = manifest(&cli, "index", &root, &[]).with_code(0);
        assert!(index.exists(), "{}", ended.stderr);
        fs::remove_file(&index).unwrap();
    }
    after.assert_equals(&Snapshot::of(&root));
}

#[test]
fn the_table_of_versions_is_the_documented_one() {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path().join("tree");
    generate(&root, 127, &[]);
    let before = Snapshot::of(&root);
    let cli = Cli::new(folder.path());
    let ended = cli.run(&["manifest", "list-versions", "tree"]).with_code(0);
    for words in ["127", "100", "78.7%", "15", "11.8%", "12", "9.4%", "115"] {
        assert!(ended.stdout.contains(words), "{words}: {}", ended.stdout);
    }
    before.assert_equals(&Snapshot::of(&root));
    assert!(!root.join(".orchestrate").exists());
}
