//! `orchestrate manifest` as people and programs use it: what the documents of the first such system promised, by its
//! meaning, and what goes wrong.

use std::fs;
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::path::{Path, PathBuf};

use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use crate::support::cli::{Cli, Ended, has_state};
use crate::support::tree::Tree;

/// A tree of manifests in a folder of its own.
struct Shop {
    dir: tempfile::TempDir,
    cli: Cli,
}

impl Shop {
    fn new() -> Self {
        let dir = tempfile::tempdir().expect("failed to create a folder");
        // Tests also run where the disk is nearly full.
        let cli = Cli::new(dir.path()).env("ORCHESTRATE_NO_SPACE_CHECK", "1");
        Self { dir, cli }
    }

    /// The manifest of a job, with the version that is named; its bytes.
    fn add(&self, job: &str, version: &str) -> Vec<u8> {
        let mut fields = json!({
            "schema_version": version,
            "job_id": job,
            "run_id": format!("run-of-{job}"),
            "job_ref": format!("jobs/{job}/brief.yaml"),
            "status": "succeeded",
            "doctrine": {"version": "v3", "sha256": "d0c7"},
            "artifacts": {"copy.txt": {"bytes": 12}},
        });
        if version != "1.0.0" {
            fields["input_snapshots"] = json!({"brief": {"sha256": "abc"}});
            fields["inputs_hash"] = json!("sha256:feed");
        }
        if version == "1.2.0" {
            fields["chain_metadata"] = json!({"is_chainable_stage": true});
        }
        let mut text = serde_json::to_string_pretty(&fields).expect("it is JSON");
        text.push('\n');
        // Spelled as no parser of values would give it back.
        let text = text.replace("\"bytes\": 12", "\"bytes\": 12.50e0");
        self.write(job, text.as_bytes());
        text.into_bytes()
    }

    fn write(&self, job: &str, text: &[u8]) {
        let path = self.path(job);
        fs::create_dir_all(path.parent().expect("it is in a folder"))
            .expect("failed to create a folder");
        fs::write(path, text).expect("failed to write a manifest");
    }

    fn path(&self, job: &str) -> PathBuf {
        self.dir
            .path()
            .join(format!("artifacts/{job}/manifest.json"))
    }

    fn bytes(&self, job: &str) -> Vec<u8> {
        fs::read(self.path(job)).expect("failed to read a manifest")
    }

    fn value(&self, job: &str) -> Value {
        serde_json::from_slice(&self.bytes(job)).expect("a manifest is JSON")
    }

    fn backup(&self, job: &str) -> Vec<u8> {
        fs::read(self.path(job).with_extension("json.backup")).expect("failed to read a backup")
    }

    /// The documents, without the record of migrations.
    fn tree(&self) -> Tree {
        Tree::of(&self.dir.path().join("artifacts"), &[".orchestrate"])
    }

    fn run(&self, arguments: &[&str]) -> Ended {
        self.cli.run(&[&["manifest"], arguments].concat())
    }

    fn migrate(&self, arguments: &[&str]) -> Ended {
        self.run(&[&["migrate", "artifacts", "--yes"], arguments].concat())
    }

    /// The counts of the last line for programs.
    fn counts(&self, arguments: &[&str], code: i32) -> Value {
        let ended = self
            .run(&[arguments, &["--output", "json"]].concat())
            .with_code(code);
        let last = ended.json().pop().expect("there is a result");
        assert_eq!(last["type"], "result");
        assert_eq!(last["exit_code"], code);
        last
    }

    /// A folder with a migration from 1.2.0 to 1.3.0.
    fn custom(&self) -> &'static str {
        let folder = self.dir.path().join("migrations");
        fs::create_dir_all(&folder).expect("failed to create a folder");
        let text = "from_version: 1.2.0
to_version: 1.3.0
changes: [Add priority_level where nothing is said]
operations:
  - add: {at: /priority_level, default: normal}
";
        fs::write(folder.join("run_manifest-1.2.0-1.3.0.yaml"), text)
            .expect("failed to write a migration");
        "migrations"
    }
}

fn sha256(bytes: &[u8]) -> String {
    let digest = Sha256::digest(bytes);
    let hex: String = digest.iter().map(|byte| format!("{byte:02x}")).collect();
    format!("sha256:{hex}")
}

fn last_entry(document: &Value) -> &Value {
    let history = document["migration_history"].as_array();
    history
        .and_then(|all| all.last())
        .expect("there is a history")
}

// The nine documented smoke tests, by their meaning.

#[test]
fn smoke_1_from_1_0_to_1_1_adds_the_inputs() {
    let shop = Shop::new();
    shop.add("a", "1.0.0");
    shop.migrate(&["--target-version", "1.1.0"]).with_code(0);
    let after = shop.value("a");
    assert_eq!(after["schema_version"], "1.1.0");
    assert_eq!(after["input_snapshots"], json!({}));
    assert_eq!(after.get("inputs_hash"), Some(&Value::Null));
    assert_eq!(after.get("chain_metadata"), None);
}

#[test]
fn smoke_2_from_1_1_to_1_2_adds_the_chain() {
    let shop = Shop::new();
    shop.add("a", "1.1.0");
    shop.migrate(&[]).with_code(0);
    let after = shop.value("a");
    assert_eq!(after["schema_version"], "1.2.0");
    assert_eq!(after["chain_metadata"]["is_chainable_stage"], false);
    // What was there stays.
    assert_eq!(after["inputs_hash"], "sha256:feed");
    assert_eq!(after["input_snapshots"]["brief"]["sha256"], "abc");
}

#[test]
fn smoke_3_from_1_0_to_1_2_is_one_hop() {
    let shop = Shop::new();
    shop.add("a", "1.0.0");
    shop.migrate(&["--target-version", "1.2.0"]).with_code(0);
    let after = shop.value("a");
    assert_eq!(after["schema_version"], "1.2.0");
    for field in ["input_snapshots", "inputs_hash", "chain_metadata"] {
        assert!(after.get(field).is_some(), "{field}");
    }
    let entry = last_entry(&after);
    assert_eq!(entry["from_version"], "1.0.0");
    assert_eq!(entry["changes"].as_array().map(Vec::len), Some(1));
}

#[test]
fn smoke_4_the_shortest_way_is_found() {
    let shop = Shop::new();
    for (job, version, hops) in [("a", "1.0.0", 2), ("b", "1.1.0", 2), ("c", "1.2.0", 1)] {
        shop.add(job, version);
        shop.migrate(&[
            "--migrations",
            shop.custom(),
            "--manifest",
            &format!("{job}/manifest.json"),
        ])
        .with_code(0);
        let after = shop.value(job);
        assert_eq!(after["schema_version"], "1.3.0", "{job}");
        assert_eq!(after["priority_level"], "normal");
        let changes = last_entry(&after)["changes"].as_array().map(Vec::len);
        assert_eq!(changes, Some(hops), "{job}");
        assert_eq!(after["migration_history"].as_array().map(Vec::len), Some(1));
    }
}

#[test]
fn smoke_5_a_second_run_changes_nothing() {
    let shop = Shop::new();
    shop.add("a", "1.0.0");
    shop.add("b", "1.2.0");
    shop.migrate(&[]).with_code(0);
    let once = shop.tree();
    shop.migrate(&[]).with_code(0);
    once.assert_equals(&shop.tree());
    let counts = shop.counts(&["migrate", "artifacts"], 0);
    assert_eq!(
        (&counts["migrated"], &counts["current"]),
        (&json!(0), &json!(2))
    );
}

#[test]
fn smoke_6_the_history_says_what_was_done() {
    let shop = Shop::new();
    let before = shop.add("a", "1.0.0");
    shop.migrate(&["--target-version", "1.1.0"]).with_code(0);
    let between = shop.bytes("a");
    shop.migrate(&[]).with_code(0);
    let after = shop.value("a");
    let history = after["migration_history"].as_array().expect("it is a list");
    let hops: Vec<(&str, &str)> = history
        .iter()
        .filter_map(|e| Some((e["from_version"].as_str()?, e["to_version"].as_str()?)))
        .collect();
    assert_eq!(hops, [("1.0.0", "1.1.0"), ("1.1.0", "1.2.0")]);
    assert_eq!(history[0]["checksum_before"], sha256(&before).as_str());
    assert_eq!(history[1]["checksum_before"], sha256(&between).as_str());
    let applied = history[1]["applied_at"].as_str().expect("it is a time");
    applied.parse::<jiff::Timestamp>().expect("it is RFC 3339");
    // The last checksum is that of the file with these digits as zeros.
    let own = history[1]["checksum_after"]
        .as_str()
        .expect("it is a checksum");
    let text = String::from_utf8(shop.bytes("a")).expect("it is text");
    let zeros = format!("sha256:{}", "0".repeat(64));
    assert_eq!(sha256(text.replace(own, &zeros).as_bytes()), own);
    shop.run(&["verify", "artifacts"])
        .with_code(0)
        .says("VERIFIED");
}

#[test]
fn smoke_7_a_backup_is_made_and_leads_back() {
    let shop = Shop::new();
    let before = shop.add("a", "1.0.0");
    let untouched = shop.tree();
    shop.migrate(&[]).with_code(0);
    assert_eq!(shop.backup("a"), before);
    shop.run(&["restore", "artifacts", "--yes"])
        .with_code(0)
        .says("RESTORED");
    untouched.assert_equals(&shop.tree());
}

#[test]
fn smoke_8_a_dry_run_writes_nothing() {
    let shop = Shop::new();
    shop.add("a", "1.0.0");
    shop.add("b", "1.2.0");
    let before = Tree::of(shop.dir.path(), &[]);
    shop.run(&["migrate", "artifacts", "--dry-run"])
        .with_code(0)
        .says("-  \"schema_version\": \"1.0.0\"")
        .says("+  \"schema_version\": \"1.2.0\"")
        .says("would be migrated")
        .says("nothing was written");
    let counts = shop.counts(&["migrate", "artifacts", "--dry-run"], 0);
    assert_eq!(
        (&counts["migrated"], &counts["dry_run"]),
        (&json!(1), &json!(true))
    );
    before.assert_equals(&Tree::of(shop.dir.path(), &[]));
    assert!(!has_state(&shop.dir.path().join("artifacts")));
}

#[test]
fn smoke_9_the_seven_invariants_hold() {
    let shop = Shop::new();
    let before = shop.add("a", "1.0.0");
    // 1 and 4: what went in is never touched, not even if it looks like a manifest.
    let inputs = shop.dir.path().join("artifacts/a/inputs");
    fs::create_dir(&inputs).expect("failed to create a folder");
    for name in ["manifest.json", "brief.resolved.json", "doctrine.md"] {
        fs::write(inputs.join(name), &before).expect("failed to write an input");
    }
    let snapshots = Tree::of(&inputs, &[]);
    shop.migrate(&[]).with_code(0);
    snapshots.assert_equals(&Tree::of(&inputs, &[]));
    let (old, new): (Value, Value) = (
        serde_json::from_slice(&before).expect("it is JSON"),
        shop.value("a"),
    );
    // 2, 3 and 7: identity and every field of before stay.
    for (key, value) in old.as_object().expect("it is an object") {
        if key != "schema_version" {
            assert_eq!(new.get(key), Some(value), "{key}");
        }
    }
    let text = String::from_utf8(shop.bytes("a")).expect("it is text");
    assert!(text.contains("\"bytes\": 12.50e0"), "spelled as before");
    // 5: the files are the truth, and an index is made of them.
    shop.run(&["index", "artifacts"])
        .with_code(0)
        .says("INDEXED");
    // 6: nothing changes without a word in the history.
    shop.run(&["verify", "artifacts", "--require-version", "1.2.0"])
        .with_code(0);
    shop.write("a", text.replace("succeeded", "failed").as_bytes());
    shop.run(&["verify", "artifacts"])
        .with_code(8)
        .says("DISPROVEN")
        .says("a/manifest.json");
}

// What the documents show being typed.

#[test]
fn the_documented_distribution() {
    let shop = Shop::new();
    for (version, n) in [("1.0.0", 100), ("1.1.0", 15), ("1.2.0", 12)] {
        for i in 0..n {
            shop.add(&format!("{version}-{i}"), version);
        }
    }
    shop.run(&["list-versions", "artifacts"])
        .with_code(0)
        .says("127 manifests")
        .says("1.0.0  100  78.7%")
        .says("1.1.0   15  11.8%")
        .says("1.2.0   12   9.4%")
        .says("115 of 127 need a migration to 1.2.0: 100 at 1.0.0 + 15 at 1.1.0");
    shop.migrate(&["--dry-run"])
        .with_code(0)
        .says("95 of the changes are not shown");
    shop.migrate(&["--limit", "10"]).with_code(0).says("117");
    let counts = shop.counts(&["migrate", "artifacts", "--workers", "3"], 0);
    assert_eq!(counts["total"], 127);
    assert_eq!(counts["migrated"], 105);
    assert_eq!(counts["current"], 22);
    assert_eq!(counts["failed"], 0);
    assert_eq!(counts["from_versions"], json!({"1.0.0": 90, "1.1.0": 15}));
    let versions = shop.counts(&["list-versions", "artifacts"], 0);
    assert_eq!(
        versions["versions"],
        json!([{"version": "1.2.0", "count": 127, "way": "there"}])
    );
}

#[test]
fn what_cannot_be_migrated_is_named_and_left_alone() {
    let shop = Shop::new();
    shop.add("good", "1.0.0");
    shop.write(
        "twice",
        b"{\"schema_version\": \"1.0.0\",\n \"run_id\": 1, \"run_id\": 2, \"job_id\": 3}",
    );
    shop.write(
        "later",
        b"{\"schema_version\": \"9.9.9\", \"run_id\": \"r\", \"job_id\": \"j\"}",
    );
    shop.write("none", b"{\"run_id\": \"r\", \"job_id\": \"j\"}");
    shop.write(
        "poor",
        b"{\"schema_version\": \"1.0.0\", \"run_id\": \"r\"}",
    );
    fs::create_dir(shop.dir.path().join("artifacts/link")).expect("failed to create a folder");
    symlink(shop.path("good"), shop.path("link")).expect("failed to link");
    let odd = ["twice", "later", "none", "poor"];
    let before: Vec<Vec<u8>> = odd.iter().map(|job| shop.bytes(job)).collect();
    let ended = shop
        .run(&[
            "migrate",
            "artifacts",
            "--yes",
            "--output",
            "json",
            "--result",
            "result.json",
        ])
        .with_code(5);
    let lines = ended.json();
    let classes: Vec<(&str, &str)> = lines
        .iter()
        .filter(|line| line["type"] == "failure")
        .filter_map(|line| Some((line["path"].as_str()?, line["class"].as_str()?)))
        .collect();
    assert_eq!(
        classes,
        [
            ("artifacts/later/manifest.json", "unknown_version"),
            ("artifacts/link/manifest.json", "symlink"),
            ("artifacts/none/manifest.json", "no_version"),
            ("artifacts/poor/manifest.json", "not_fit"),
            ("artifacts/twice/manifest.json", "corrupted"),
        ]
    );
    let twice = lines
        .iter()
        .find(|line| line["class"] == "corrupted")
        .expect("it is named");
    assert_eq!((&twice["line"], &twice["column"]), (&json!(2), &json!(15)));
    for (job, bytes) in odd.iter().zip(&before) {
        assert_eq!(&shop.bytes(job), bytes, "{job}");
    }
    let result: Value = serde_json::from_slice(
        &fs::read(shop.dir.path().join("result.json")).expect("there is a result file"),
    )
    .expect("it is JSON");
    for (name, n) in [
        ("total", 6),
        ("migrated", 1),
        ("current", 0),
        ("failed", 5),
        ("corrupted", 1),
        ("unknown", 2),
        ("unreadable", 1),
        ("remaining", 0),
    ] {
        assert_eq!(result[name], n, "{name}");
    }
    assert_eq!(result["failures"].as_array().map(Vec::len), Some(5));
    assert_eq!(result["from_versions"], json!({"1.0.0": 1}));
    // Nothing is left to change, and the same ones fail.
    let again = shop.migrate(&[]).with_code(4).says("NOT MIGRATED");
    assert!(
        again.stdout.contains("twice/manifest.json:2:15"),
        "{}",
        again.stdout
    );
    let listed = shop.run(&["list-versions", "artifacts"]).with_code(0);
    for words in ["9.9.9", "corrupted", "no version", "symlink"] {
        assert!(listed.stdout.contains(words), "{words}: {}", listed.stdout);
    }
    shop.run(&["verify", "artifacts"]).with_code(8);
}

#[test]
fn a_file_that_was_changed_since_is_not_put_back() {
    let shop = Shop::new();
    shop.add("a", "1.0.0");
    let b = shop.add("b", "1.0.0");
    shop.migrate(&[]).with_code(0);
    let mut edited = shop.bytes("a");
    edited.extend(b"\n");
    shop.write("a", &edited);
    shop.run(&["restore", "artifacts", "--yes", "--result", "r.json"])
        .with_code(5)
        .says("changed since")
        .says("artifacts/a/manifest.json");
    assert_eq!(shop.bytes("a"), edited);
    assert_eq!(shop.bytes("b"), b);
    assert!(shop.dir.path().join("r.json").exists());
}

#[test]
fn a_restore_takes_every_migration_of_the_state_folder_back() {
    let shop = Shop::new();
    for job in ["a", "b", "c"] {
        shop.add(job, "1.0.0");
    }
    let before = shop.tree();
    let state = ["--state-dir", "state"];
    shop.migrate(&[&["--target-version", "1.1.0", "--limit", "1"][..], &state].concat())
        .with_code(0);
    shop.migrate(&state).with_code(0);
    // Nothing of the other state folder is known here.
    shop.run(&["restore", "artifacts", "--yes"])
        .with_code(0)
        .says("0 manifests");
    shop.run(&[&["restore", "artifacts", "--yes"][..], &state].concat())
        .with_code(0);
    before.assert_equals(&shop.tree());
    shop.run(&[&["restore", "artifacts", "--yes"][..], &state].concat())
        .with_code(0)
        .says("0 manifests");
}

#[test]
fn restore_by_history_needs_no_record() {
    let shop = Shop::new();
    shop.add("a", "1.0.0");
    let before = shop.tree();
    shop.migrate(&[]).with_code(0);
    fs::remove_dir_all(shop.dir.path().join("artifacts/.orchestrate")).expect("failed to remove");
    shop.run(&["restore", "artifacts", "--by-history", "--yes"])
        .with_code(0);
    before.assert_equals(&shop.tree());
}

#[test]
fn one_document_is_found_from_here_and_from_the_root() {
    let shop = Shop::new();
    for (job, typed) in [("a", "a/manifest.json"), ("b", "artifacts/b/manifest.json")] {
        shop.add(job, "1.0.0");
        shop.migrate(&["--manifest", typed])
            .with_code(0)
            .says("1 from 1.0.0");
        assert_eq!(shop.value(job)["schema_version"], "1.2.0");
    }
    shop.migrate(&["--manifest", "no/manifest.json"])
        .with_code(2)
        .says("there is no file");
    fs::write(shop.dir.path().join("outside.json"), "{}").expect("failed to write");
    shop.migrate(&["--manifest", "outside.json"])
        .with_code(2)
        .says("not below");
}

#[test]
fn show_prints_the_document_and_writes_nothing() {
    let shop = Shop::new();
    let a = shop.add("a", "1.0.0");
    let before = Tree::of(shop.dir.path(), &[]);
    let file = "artifacts/a/manifest.json";
    let same = shop.run(&["show", file, "--as", "1.0.0"]).with_code(0);
    assert_eq!(same.stdout.as_bytes(), a);
    let shown = shop.run(&["show", file]).with_code(0);
    let value: Value = serde_json::from_str(&shown.stdout).expect("it is JSON");
    assert_eq!(value["schema_version"], "1.2.0");
    let last = shop
        .run(&["show", file, "--as", "1.1.0", "--output", "json"])
        .with_code(0)
        .json();
    assert_eq!(
        (&last[0]["type"], &last[0]["to"]),
        (&json!("document"), &json!("1.1.0"))
    );
    before.assert_equals(&Tree::of(shop.dir.path(), &[]));
    shop.run(&["show", "none.json"]).with_code(2);
    shop.run(&["show", file, "--as", "7.0.0"])
        .with_code(2)
        .says("1.0.0, 1.1.0, 1.2.0");
    shop.write("bad", b"{");
    shop.run(&["show", "artifacts/bad/manifest.json"])
        .with_code(4)
        .says("corrupted");
}

#[test]
fn what_is_typed_wrong_changes_nothing() {
    let shop = Shop::new();
    shop.add("a", "1.0.0");
    fs::write(shop.dir.path().join("file"), "").expect("failed to write");
    let before = Tree::of(shop.dir.path(), &[]);
    for (arguments, words) in [
        (
            &["list-versions", "nowhere"][..],
            "there is no folder nowhere",
        ),
        (&["migrate", "file"], "file is not a folder"),
        (
            &["migrate", "artifacts", "--target-version", "1.2"],
            "no version",
        ),
        (
            &["migrate", "artifacts", "--target-version", "5.0.0"],
            "no migration knows",
        ),
        (&["migrate", "artifacts", "--kind", "novel"], "is not known"),
        (&["migrate", "artifacts", "--pattern", "[a"], "no pattern"),
        (&["migrate", "artifacts", "--limit", "0"], "--limit"),
        (
            &["migrate", "artifacts", "--migrations", "nowhere"],
            "nowhere",
        ),
        (
            &["verify", "artifacts", "--pattern", "*.nothing"],
            "nothing to verify",
        ),
        (&["prune", "artifacts", "--older-than", "12h"], "whole days"),
        (&["prune", "artifacts", "--older-than", "soon"], "soon"),
        (
            &["index", "artifacts", "--database", "mysql://x"],
            "PostgreSQL",
        ),
        (
            &["index", "artifacts", "--database-env", "NOT_SET_HERE"],
            "NOT_SET_HERE",
        ),
        (&["restore", "artifacts", "--run", "never"], "never"),
        (&[], "manifest"),
    ] {
        shop.run(arguments).with_code(2).says(words);
        if !arguments.is_empty() {
            let last = shop.counts(arguments, 2);
            assert_eq!(last["verb"], format!("manifest {}", arguments[0]).as_str());
        }
    }
    before.assert_equals(&Tree::of(shop.dir.path(), &[]));
}

#[test]
fn an_empty_tree_is_said_to_be_one() {
    let shop = Shop::new();
    let root = shop.dir.path().to_str().expect("it is text");
    shop.run(&["list-versions", root])
        .with_code(0)
        .says("0 manifests")
        .says("--pattern");
    shop.run(&["migrate", root, "--dry-run"])
        .with_code(0)
        .says("0 manifests");
}

#[test]
fn names_cannot_write_on_the_terminal() {
    let shop = Shop::new();
    let job = "a\n\u{1b}]0;owned\u{7}b";
    shop.write(job, b"{");
    for arguments in [
        &["list-versions", "artifacts"][..],
        &["migrate", "artifacts", "--yes"],
        &["verify", "artifacts"],
    ] {
        let ended = shop.run(arguments);
        let said = format!("{}{}", ended.stdout, ended.stderr);
        assert!(
            !said.contains('\u{1b}') && !said.contains('\u{7}'),
            "{said:?}"
        );
        assert!(
            said.contains("\\x1b]0;owned\\x07b/manifest.json:1:2"),
            "{said}"
        );
    }
}

#[test]
fn a_folder_that_cannot_be_read_is_named() {
    if rustix::process::getuid().is_root() {
        // Nothing is forbidden to root.
        return;
    }
    let shop = Shop::new();
    shop.add("a", "1.0.0");
    shop.add("closed/b", "1.0.0");
    let closed = shop.dir.path().join("artifacts/closed");
    let mode = |mode| fs::set_permissions(&closed, fs::Permissions::from_mode(mode));
    mode(0o000).expect("failed to close a folder");
    let ended = shop.migrate(&[]);
    mode(0o755).expect("failed to open a folder");
    ended.with_code(5).says("artifacts/closed");
}

#[test]
fn old_backups_go_only_if_they_verify() {
    let shop = Shop::new();
    shop.add("a", "1.0.0");
    shop.add("b", "1.0.0");
    shop.migrate(&[]).with_code(0);
    shop.run(&["prune", "artifacts", "--yes"])
        .with_code(0)
        .says("younger");
    fs::write(shop.path("b").with_extension("json.backup"), "{}").expect("failed to write");
    let before = shop.tree();
    shop.run(&["prune", "artifacts", "--older-than", "0d", "--dry-run"])
        .with_code(5)
        .says("would delete artifacts/a/manifest.json.backup");
    before.assert_equals(&shop.tree());
    shop.run(&["prune", "artifacts", "--older-than", "0d", "--yes"])
        .with_code(5)
        .says("b/manifest.json.backup");
    assert!(!shop.path("a").with_extension("json.backup").exists());
    assert!(shop.path("b").with_extension("json.backup").exists());
}

#[test]
fn a_migration_is_drafted_from_two_documents() {
    let shop = Shop::new();
    fs::write(
        shop.dir.path().join("before.json"),
        br#"{"schema_version": "1.2.0", "job_id": "j", "run_id": "r"}"#,
    )
    .expect("failed to write");
    fs::write(
        shop.dir.path().join("after.json"),
        br#"{"schema_version": "1.3.0", "job_id": "j", "run_id": "r", "priority_level": "normal"}"#,
    )
    .expect("failed to write");
    fs::create_dir(shop.dir.path().join("drafts")).expect("failed to create a folder");
    let out = "drafts/run_manifest-1.2.0-1.3.0.yaml";
    shop.run(&["new", "before.json", "after.json", "--out", out])
        .with_code(0);
    shop.run(&["new", "before.json", "after.json", "--out", out])
        .with_code(9);
    shop.add("a", "1.2.0");
    shop.migrate(&["--migrations", "drafts"]).with_code(0);
    assert_eq!(shop.value("a")["priority_level"], "normal");
    assert_eq!(shop.value("a")["schema_version"], "1.3.0");
}

#[test]
fn printed_commands_can_be_pasted() {
    let shop = Shop::new();
    shop.add("it's one", "1.0.0");
    let before = shop.tree();
    let command = |ended: &Ended, label: &str| {
        let lines = ended.stdout.lines();
        let line = lines.filter_map(|l| l.strip_prefix(label)).next();
        line.unwrap_or_else(|| panic!("no {label} in {}", ended.stdout))
            .to_owned()
    };
    let listed = shop.run(&["list-versions", "artifacts", "--target-version", "1.1.0"]);
    let dry = shop.cli.paste(&command(&listed, "next: ")).with_code(0);
    let done = shop.cli.paste(&command(&dry, "next: ")).with_code(0);
    assert_eq!(shop.value("it's one")["schema_version"], "1.1.0");
    shop.cli.paste(&command(&done, "verify: ")).with_code(0);
    shop.cli.paste(&command(&done, "go back: ")).with_code(0);
    before.assert_equals(&shop.tree());
}

#[test]
fn a_signal_ends_it_soon_and_the_same_command_goes_on() {
    let shop = Shop::new();
    for i in 0..4000 {
        shop.add(&format!("{i}"), "1.0.0");
    }
    let mut running = shop.cli.start(&[
        "manifest",
        "migrate",
        "artifacts",
        "--yes",
        "--progress-file",
        "p.json",
    ]);
    let progress = shop.dir.path().join("p.json");
    crate::support::cli::wait_until("it has begun", || progress.exists() || running.has_ended());
    if !running.has_ended() {
        running.signal(rustix::process::Signal::INT);
    }
    let ended = running.wait();
    assert!(
        [0, 130].contains(&ended.code),
        "{}\n{}",
        ended.code,
        ended.stderr
    );
    let told: Value =
        serde_json::from_slice(&fs::read(&progress).expect("there is a progress file"))
            .expect("it is JSON");
    assert_eq!(told["total"], 4000);
    let counts = shop.counts(&["migrate", "artifacts", "--yes"], 0);
    assert_eq!(counts["total"], 4000);
    shop.run(&["verify", "artifacts", "--require-version", "1.2.0"])
        .with_code(0);
    let stamps: std::collections::BTreeSet<String> = (0..4000)
        .map(|i| last_entry(&shop.value(&i.to_string()))["applied_at"].to_string())
        .collect();
    assert_eq!(stamps.len(), 1, "one migration has one time");
}

#[test]
fn the_state_stays_out_of_git_and_out_of_the_walk() {
    let shop = Shop::new();
    shop.add("a", "1.0.0");
    shop.migrate(&[]).with_code(0);
    let state = shop.dir.path().join("artifacts/.orchestrate");
    assert_eq!(
        fs::read(state.join(".gitignore")).expect("it is there"),
        b"*\n"
    );
    fs::write(state.join("manifest.json"), "{").expect("failed to write");
    let counts = shop.counts(&["list-versions", "artifacts"], 0);
    assert_eq!(counts["total"], 1);
    assert!(Path::new(&state).join("manifest").is_dir());
}
