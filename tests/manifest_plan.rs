//! `plans/manifest-upgrade` on a tree of its own: forwards with an approval, failing, and every way back.

#![expect(clippy::unwrap_used, reason = "tests")]

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde_json::Value;

use crate::support::cli::{BINARY, Cli, Ended, answer};
use crate::support::manifests::{Snapshot, manifests};
use crate::support::plans::PlanCopy;

const PLAN: &str = "migration-strategy.yaml";

/// A copy of the plan with a tree to migrate.
struct Site {
    plan: PlanCopy,
    cli: Cli,
}

impl Site {
    fn new(arguments: &[&str]) -> Self {
        let plan = PlanCopy::of("manifest-upgrade");
        let made = Command::new("./setup.sh")
            .args(arguments)
            .current_dir(plan.folder())
            .stdout(Stdio::null())
            .status()
            .unwrap();
        assert!(made.success());
        // How full the machine's disk is has no say here.
        let cli = Cli::new(plan.folder()).env("ORCHESTRATE_NO_SPACE_CHECK", "1");
        Self { plan, cli }
    }

    fn app(&self) -> PathBuf {
        self.plan.folder().join("app")
    }

    fn archive(&self) -> PathBuf {
        self.plan.folder().join("work/artifacts.tar.gz")
    }

    fn start(&self, variables: &[&str]) -> Ended {
        let mut arguments = vec!["run", PLAN, "--env", "local", "--yes", "--output", "json"];
        for variable in variables {
            arguments.extend(["--var", variable]);
        }
        self.cli.run(&arguments)
    }

    /// Answers and resumes until nobody is asked any more.
    fn go_on(&self, mut ended: Ended) -> Ended {
        while ended.code == 6 {
            answer(&self.cli, &ended.waiting());
            ended = self.cli.run(&["resume", "--output", "json"]);
        }
        ended
    }

    /// How many manifests there are of each version.
    fn versions(&self) -> BTreeMap<String, usize> {
        let mut counts = BTreeMap::new();
        for (path, text) in manifests(&self.app()) {
            let text = text.strip_prefix(b"\xef\xbb\xbf").unwrap_or(&text);
            // A number in some of them is one that serde_json refuses.
            let text = String::from_utf8_lossy(text).replace("1e400", "0");
            let version = serde_json::from_str(&text).map_or_else(
                |_| "unreadable".to_owned(),
                |value: Value| value["schema_version"].as_str().unwrap().to_owned(),
            );
            assert!(!version.is_empty(), "{path:?}");
            *counts.entry(version).or_default() += 1;
        }
        counts
    }

    /// Everything in the tree but what a restore may leave beside it.
    fn tree(&self) -> Snapshot {
        let backup = |path: &Path| path.to_string_lossy().contains("manifest.json.backup");
        Snapshot::of(&self.app())
            .only(|path| !backup(path))
            .without_identity()
    }

    fn script(&self, script: &str) -> std::process::Output {
        let programs = Path::new(BINARY).parent().unwrap().display();
        Command::new(script)
            .current_dir(self.plan.folder())
            .env(
                "PATH",
                format!("{programs}:{}", std::env::var("PATH").unwrap()),
            )
            .output()
            .unwrap()
    }
}

fn of(counts: &[(&str, usize)]) -> BTreeMap<String, usize> {
    counts
        .iter()
        .map(|(version, count)| ((*version).to_owned(), *count))
        .collect()
}

#[test]
fn the_review_has_nothing_to_say_of_it() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let cli = Cli::new(root);
    let file = format!("plans/manifest-upgrade/{PLAN}");
    cli.run(&["validate", "--strict", &file]).with_code(0);
    cli.run(&["fmt", "--check", &file]).with_code(0);
}

#[test]
fn forwards_with_an_approval_and_every_byte_back() {
    let site = Site::new(&[]);
    let before = site.tree();
    let at_first = of(&[("1.0.0", 100), ("1.1.0", 15), ("1.2.0", 12)]);
    assert_eq!(site.versions(), at_first);

    let asked = site.start(&[]).with_code(6);
    let waiting = asked.waiting();
    assert_eq!(waiting.len(), 1);
    assert_eq!(waiting[0]["id"], "GATE-1");
    assert_eq!(waiting[0]["who"], serde_json::json!(["Data Platform Lead"]));
    before.assert_equals(&site.tree());
    assert!(site.archive().exists());

    site.go_on(asked).with_code(0);
    assert_eq!(site.versions(), of(&[("1.3.0", 127)]));
    // Files that are named as manifests are, and are none, are as they were.
    let others = |path: &Path| path.file_name().is_some_and(|name| name != "manifest.json");
    before.only(others).assert_equals(&site.tree().only(others));
    let inputs = |path: &Path| path.components().any(|part| part.as_os_str() == "inputs");
    before.only(inputs).assert_equals(&site.tree().only(inputs));

    site.cli
        .run(&["rollback", "--level", "full", "--yes"])
        .with_code(4)
        .says("ROLLED BACK");
    before.assert_equals(&site.tree());
    assert!(!site.archive().exists());
    // And once more, forwards, with what the first time has left.
    site.go_on(site.start(&[])).with_code(0);
    assert_eq!(site.versions(), of(&[("1.3.0", 127)]));
}

#[test]
fn each_fault_of_the_readme_does_what_is_said_of_it() {
    let site = Site::new(&[]);
    let before = site.tree();
    for fault in ["FAIL_STEP=STEP-2-1", "FAIL_GATE=GATE-2"] {
        site.go_on(site.start(&[fault])).with_code(5);
        before.assert_equals(&site.tree());
        assert!(site.archive().exists());
        assert!(!site.plan.folder().join("work/index.sqlite").exists());
        site.cli.run(&["rollback", "--yes"]).with_code(4);
        assert!(!site.archive().exists());
    }
    for fault in ["FAIL_STEP=STEP-3-3", "FAIL_GATE=GATE-3"] {
        site.go_on(site.start(&[fault])).with_code(5);
        assert_eq!(site.versions(), of(&[("1.2.0", 127)]), "{fault}");
        let index = site.script("scripts/check-index.py");
        assert!(index.status.success(), "{index:?}");
        site.cli.run(&["rollback", "--yes"]).with_code(4);
        before.assert_equals(&site.tree());
    }
}

#[test]
fn manifests_that_cannot_be_migrated_stop_it_before_anything_is_written() {
    let site = Site::new(&["--corrupted", "2", "--unknown", "1"]);
    let before = site.tree();
    site.start(&[]).with_code(4);
    before.assert_equals(&site.tree());
    assert!(!site.archive().exists());
}

#[test]
fn by_step_and_by_phase() {
    let site = Site::new(&["--manifests", "30"]);
    site.go_on(site.start(&[])).with_code(0);
    // The index of STEP-3-5 is made of what STEP-3-4 migrated, so it goes first.
    for step in ["STEP-3-5", "STEP-3-4"] {
        let by_step = ["rollback", "--level", "step", "--step", step, "--yes"];
        site.cli.run(&by_step).with_code(5);
    }
    assert_eq!(site.versions(), of(&[("1.2.0", 20), ("1.3.0", 10)]));
    let by_phase = [
        "rollback", "--level", "phase", "--phase", "PHASE-3", "--yes",
    ];
    site.cli.run(&by_phase).with_code(5);
    assert_eq!(site.versions(), of(&[("1.2.0", 30)]));
}

#[test]
fn damaged_manifests_come_back_from_their_backups() {
    let site = Site::new(&["--manifests", "40", "--versions", "1.0.0=1"]);
    let original = manifests(&site.app());
    site.go_on(site.start(&[])).with_code(0);
    let damaged: Vec<&PathBuf> = original.keys().step_by(9).collect();
    for (turn, path) in damaged.iter().enumerate() {
        let path = site.app().join(path);
        if turn % 2 == 0 {
            fs::remove_file(&path).unwrap();
        } else {
            fs::write(&path, "{\"schema_version\": \"1.3.0\", ").unwrap();
        }
    }
    let restored = site.script("scripts/restore-corrupted.sh");
    assert!(restored.status.success(), "{restored:?}");
    for path in &damaged {
        assert_eq!(fs::read(site.app().join(path)).unwrap(), original[*path]);
    }
    assert_eq!(
        site.versions(),
        of(&[("1.0.0", damaged.len()), ("1.3.0", 40 - damaged.len())])
    );
    // Migrated again, they are where the others are.
    let again = [
        "manifest",
        "migrate",
        "app",
        "--migrations",
        "migrations",
        "--yes",
    ];
    site.cli.run(&again).with_code(0);
    assert_eq!(site.versions(), of(&[("1.3.0", 40)]));
}

#[test]
fn the_old_client_and_the_generator_agree() {
    let site = Site::new(&["--odd", "60"]);
    let read = site.script("test-datasets/OLD-CLIENT-001.sh");
    assert!(read.status.success(), "{read:?}");
    let said = String::from_utf8_lossy(&read.stdout).into_owned();
    assert!(
        said.contains("reads 127 manifests, and fails at 0"),
        "{said}"
    );
}
