//! `type: manifest_migration` in a run of the real binary: what it counts opens or closes gates, its undo gives every
//! byte back, and neither a killed orchestrator nor a killed supervisor stops it from coming to the same end.

#![expect(clippy::unwrap_used, reason = "tests")]

use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use orchestrate::run::engine::{Event, ManifestCounts, Outcome};

use crate::support::manifests::manifests;
use crate::support::practice::{Practice, finish, kill};

/// A phase with one manifest step, and what `more` says of the step and the gate.
fn plan(settings: &str, step: &str, gate: &str) -> String {
    format!(
        "metadata: {{version: \"1.0.0\", migration_name: Practice}}
migration_overview: {{name: Practice}}
pass_env: [ORCHESTRATE_NO_SPACE_CHECK]
environments: {{practice: {{production: false}}}}
migration_phases:
  - phase_id: P
    name: upgrade
    order: 1
    steps:
      - step_id: M
        name: Migrate
        order: 1
        type: manifest_migration
        manifest_migration: {{root: tree{settings}}}
{step}{gate}"
    )
}

const GATE: &str = "    validation_gate:
      gate_id: G
      name: all migrated
      criteria: [manifest.failed == 0, {check: some were, when: \"manifest['M'].migrated > 0\"}]
      failure_response: rollback
";

const RUN: [&str; 5] = ["run", "plan.yaml", "--env", "practice", "--yes"];

/// A plan in a folder with so many manifests of 1.0.0, and the bytes of all of them.
struct Site {
    practice: Practice,
    before: BTreeMap<PathBuf, Vec<u8>>,
}

impl Site {
    fn new(plan: &str, count: usize) -> Self {
        let practice = Practice::new(plan);
        let tree = practice.path().join("tree");
        for n in 0..count {
            let folder = tree.join(format!("job-{}/run-{n}", n % 7));
            fs::create_dir_all(&folder).unwrap();
            let text = format!(
                "{{\n  \"schema_version\": \"1.0.0\",\n  \"run_id\": \"run-{n}\",\n  \"job_id\": \"job-{}\",\n  \
                 \"figure\": {n}.50,\n  \"notes\": \"{}\"\n}}\n",
                n % 7,
                "x".repeat(600)
            );
            fs::write(folder.join("manifest.json"), text).unwrap();
        }
        let before = manifests(&tree);
        assert_eq!(before.len(), count);
        Self { practice, before }
    }

    fn break_one(&mut self) {
        let broken = self.practice.path().join("tree/job-3/run-3/manifest.json");
        fs::write(&broken, "{\"schema_version\": \"1.0.0\", ").unwrap();
        self.before = self.now();
    }

    fn now(&self) -> BTreeMap<PathBuf, Vec<u8>> {
        manifests(&self.practice.path().join("tree"))
    }

    fn is_as_before(&self) {
        let now = self.now();
        for (path, bytes) in &self.before {
            assert!(
                now.get(path) == Some(bytes),
                "{} is not as it was",
                path.display()
            );
        }
        assert_eq!(now.len(), self.before.len());
    }

    /// How many manifests are of a version.
    fn of(&self, version: &str) -> usize {
        let wanted = format!("\"schema_version\": \"{version}\"");
        self.now()
            .values()
            .filter(|text| String::from_utf8_lossy(text).contains(&wanted))
            .count()
    }

    /// What the ends of the step's actions counted, in order.
    fn counted(&self) -> Vec<(Outcome, Option<ManifestCounts>)> {
        let records = self.practice.records();
        let ends = records.into_iter().filter_map(|record| match record.event {
            Event::ActionEnded { outcome, proof, .. } => {
                Some((outcome, proof.manifest.map(|c| *c)))
            }
            _ => None,
        });
        ends.collect()
    }

    /// What the one action that there was counted. It succeeded.
    fn counted_once(&self) -> ManifestCounts {
        match self.counted().as_slice() {
            [(Outcome::Succeeded, Some(counts))] => counts.clone(),
            other => panic!("not one success that counted: {other:?}"),
        }
    }

    fn calls(&self, arguments: &[&str], code: i32) {
        let found = self.practice.call(arguments);
        assert_eq!(found, code, "{arguments:?}\n{}", self.practice.said());
    }

    /// Starts the run and waits until the step's own process has migrated something.
    fn in_the_middle(&self) -> std::process::Child {
        let mut child = self.practice.start(&RUN);
        let begun = Instant::now();
        while self.of("1.2.0") == 0 {
            assert!(
                child.try_wait().unwrap().is_none(),
                "{}",
                self.practice.said()
            );
            assert!(
                begun.elapsed() < Duration::from_secs(60),
                "{}",
                self.practice.said()
            );
            std::thread::sleep(Duration::from_millis(2));
        }
        child
    }

    fn ends_whole(&self) {
        self.practice.settles();
        self.practice.journal_is_sound();
        assert_eq!(self.of("1.2.0"), self.before.len());
        for (path, bytes) in &self.before {
            let mut backup = path.clone().into_os_string();
            backup.push(".backup");
            let backup = self.practice.path().join("tree").join(backup);
            assert!(fs::read(&backup).unwrap() == *bytes, "{}", backup.display());
        }
    }
}

#[test]
fn what_it_counts_opens_the_gate_and_is_in_the_journal() {
    let site = Site::new(&plan("", "", GATE), 20);
    site.calls(&RUN, 0);
    site.ends_whole();
    let counts = site.counted_once();
    assert_eq!((counts.total, counts.migrated, counts.failed), (20, 20, 0));
    assert_eq!(
        counts.from_versions,
        BTreeMap::from([("1.0.0".to_owned(), 20)])
    );
    assert!(
        site.practice.said().contains("migrated 20 of 20 manifests"),
        "{}",
        site.practice.said()
    );
    // By hand, in a process that knows nothing but the run's folder.
    site.calls(
        &[
            "rollback", "--level", "step", "--step", "M", "--yes", "--reason", "practice",
        ],
        4,
    );
    site.is_as_before();
}

#[test]
fn a_failure_that_nobody_looks_at_fails_the_step_and_is_named() {
    let mut site = Site::new(&plan("", "", ""), 20);
    site.break_one();
    site.calls(&RUN, 4);
    let said = site.practice.said();
    let named = "job-3/run-3/manifest.json (corrupted)";
    assert!(said.contains(named), "{said}");
    site.is_as_before();
}

#[test]
fn a_failure_that_the_gate_sees_is_the_gates_to_judge() {
    let mut site = Site::new(&plan("", "", GATE), 20);
    site.break_one();
    site.calls(&RUN, 4);
    let counts = site.counted_once();
    assert_eq!(
        (counts.migrated, counts.failed, counts.corrupted),
        (19, 1, 1)
    );
    site.is_as_before();

    let few = GATE.replace("manifest.failed == 0", "manifest.failed < 3");
    let mut site = Site::new(&plan("", "", &few), 20);
    site.break_one();
    site.calls(&RUN, 0);
    assert_eq!(site.of("1.2.0"), 19);
}

#[test]
fn a_dry_run_of_the_plan_and_of_the_step_change_nothing() {
    let gate = GATE.replace("failure_response: rollback", "failure_response: block");
    let site = Site::new(&plan(", dry_run: true", "", &gate), 20);
    site.calls(&[&RUN[..], &["--dry-run"]].concat(), 0);
    assert!(
        site.practice
            .said()
            .contains("orchestrate manifest migrate tree --dry-run"),
        "{}",
        site.practice.said()
    );
    site.is_as_before();
    site.calls(&RUN, 0);
    assert_eq!(site.counted()[0].1.as_ref().unwrap().migrated, 20);
    site.is_as_before();
}

#[test]
fn it_outlives_the_orchestrator() {
    let site = Site::new(&plan(", workers: 1", "", GATE), 4_000);
    let mut child = site.in_the_middle();
    child.kill().unwrap();
    child.wait().unwrap();
    site.calls(&["resume"], 0);
    site.ends_whole();
    // The process went on by itself: there was one action, and it ended once.
    assert_eq!(site.counted().len(), 1);
}

#[test]
fn killed_with_its_supervisor_it_goes_on_without_a_person() {
    let site = Site::new(&plan(", workers: 1", "", GATE), 4_000);
    let child = site.in_the_middle();
    for (pid, _) in site.practice.processes() {
        kill(pid);
    }
    finish(child, Duration::from_secs(10));
    site.practice.settles();
    assert!(
        (1..4_000).contains(&site.of("1.2.0")),
        "it was killed too late to show anything"
    );
    site.calls(&["resume"], 0);
    site.ends_whole();
    let outcomes: Vec<Outcome> = site.counted().iter().map(|(outcome, _)| *outcome).collect();
    assert_eq!(outcomes, [Outcome::Unknown, Outcome::Succeeded]);
}

#[test]
fn killed_half_way_it_can_be_undone() {
    let site = Site::new(&plan(", workers: 1", "", GATE), 4_000);
    let child = site.in_the_middle();
    for (pid, _) in site.practice.processes() {
        kill(pid);
    }
    finish(child, Duration::from_secs(10));
    site.practice.settles();
    site.calls(
        &[
            "rollback", "--level", "full", "--yes", "--reason", "practice",
        ],
        4,
    );
    site.is_as_before();
}

#[test]
fn migrations_that_changed_since_the_start_stop_it() {
    let wait = "        preconditions: [{check: told to, file: {path: go}}]\n";
    let site = Site::new(&plan(", migrations: own", wait, GATE), 5);
    let own = site.practice.path().join("own");
    fs::create_dir(&own).unwrap();
    let text = "from_version: 1.2.0\nto_version: 1.3.0\nchanges: [Add a priority]\n\
                operations:\n  - add: {at: /priority_level, default: normal}\n";
    fs::write(own.join("1.3.0.yaml"), text).unwrap();
    // It stops before the step: the file that it waits for is not there.
    assert_ne!(site.practice.call(&RUN), 0);
    site.is_as_before();
    fs::write(site.practice.path().join("go"), "").unwrap();
    fs::write(
        own.join("1.4.0.yaml"),
        text.replace("1.3.0", "1.4.0").replace("1.2.0", "1.3.0"),
    )
    .unwrap();
    site.calls(&["resume"], 9);
    assert!(
        site.practice.said().contains("own/1.4.0.yaml (new)"),
        "{}",
        site.practice.said()
    );
    fs::remove_file(own.join("1.4.0.yaml")).unwrap();
    site.calls(&["resume"], 0);
    assert_eq!(site.of("1.3.0"), 5);
}
