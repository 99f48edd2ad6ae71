//! `preview` and `run --dry-run`: what they show is true, and they touch nothing unless `--probe` is given.

#![expect(clippy::unwrap_used, reason = "tests")]

use std::fs;
use std::path::Path;
use std::process::Command;

use serde_json::Value;

use crate::support::cli::Cli;
use crate::support::tools;

/// A plan in which everything that could be run leaves a mark of its own.
const MARKS: &str = r#"
metadata: {version: "1", migration_name: marks}
migration_overview: {name: marks, constraints: {migration_window: "Weekday 10:00-16:00 Europe/Berlin"}}
environments: {here: {production: false}}
variables:
  TOKEN: {secret: true, command: [touch, mark-variable]}
  TARGET: {default: v2}
connections: {default: {url_command: [bash, -c, "touch mark-url; echo postgresql://u@localhost/x"]}}
state_probes: [{name: state, command: "touch mark-state"}]
linkage: {test_datasets_dir: sets}
prerequisites:
  - {prerequisite_id: PRE-1, name: disk, type: data, validation: {verification_test_id: PRE}}
  - {prerequisite_id: PRE-2, name: signed, type: approval, validation: {status: verified}}
migration_phases:
  - phase_id: P1
    name: first
    order: 1
    start_condition: [{check: "started", command: "touch mark-start"}, "someone is awake"]
    steps:
      - step_id: S1
        name: one
        order: 1
        type: data_migration
        preconditions:
          - {check: "ready", command: "touch mark-precondition"}
          - {check: "not yet", command: "test -e never"}
          - {check: "no such file", file: {path: never, exists: false}}
          - {check: "about the run", when: "vars.TARGET == 'v2'"}
        execution_details: {commands: ["touch mark-command", {run: "select 1", shell: sql}]}
        validation:
          validation_script: check.sh
          test_dataset_ids: [SET]
          validation_checks: [{check: "valid", command: "touch mark-check"}]
          success_criteria: [{check: "good", command: "touch mark-success"}]
        done_if: {check: "done", command: "touch mark-done"}
        observe: {for: 2s, every: 1s}
        rollback_procedure:
          only_if: {check: "needed", command: "touch mark-only-if"}
          rollback_steps: [{run: "touch mark-undo"}]
          rollback_test_id: SET
        rehearsal: {writes: [{run: "touch mark-write"}], must_survive: [{check: s, command: "touch mark-survive"}]}
        monitoring: {metrics_to_watch: [errors], alert_conditions: ["errors > 5"]}
        estimated_duration: 10 minutes
      - step_id: S2
        name: two
        order: 2
        type: configuration
        execution_details: {automation_script: act.sh}
        rollback_procedure: {rollback_script: act.sh}
        estimated_duration: 20-30 minutes
    validation_gate:
      gate_id: G1
      name: gate
      criteria: [{check: "open", command: "touch mark-gate"}, "errors < 1"]
      test_dataset_ids: [SET]
      approval_required: true
      approvers: [Lead]
    rollback_point: {estimated_rollback_duration: 1 hour, rollback_test_id: SET}
rollback_strategy:
  rollback_levels:
    - level: full
      trigger_conditions: [{check: "bad", command: "touch mark-trigger"}]
      rollback_procedure: {automation_script: act.sh, estimated_duration: 1 hour}
      validation: {post_rollback_checks: [{check: "back", command: "touch mark-back"}]}
monitoring_and_observability:
  migration_monitoring:
    - {metric_name: errors, id: errors, measurement_method: {command: "touch mark-metric; echo 0"}}
success_criteria:
  technical_success: [{criterion: fine, measurement: {command: "touch mark-criterion"}}]
"#;

fn marks(folder: &Path) -> Vec<String> {
    let mut names: Vec<String> = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned())
        .collect();
    names.sort();
    names
}

fn marked(folder: &Path) -> Cli {
    fs::create_dir(folder.join("sets")).unwrap();
    fs::write(folder.join("sets/SET.sh"), "touch mark-set\n").unwrap();
    fs::write(folder.join("sets/PRE.sh"), "touch mark-prerequisite\n").unwrap();
    fs::write(folder.join("act.sh"), "touch mark-script\n").unwrap();
    fs::write(folder.join("check.sh"), "touch mark-validation\n").unwrap();
    fs::write(folder.join("plan.yaml"), MARKS).unwrap();
    Cli::new(folder)
}

#[test]
fn without_probe_nothing_is_executed_and_nothing_is_written() {
    let dir = tempfile::tempdir().unwrap();
    let cli = marked(dir.path());
    let before = marks(dir.path());
    for arguments in [
        &["preview", "plan.yaml"][..],
        &["preview", "plan.yaml", "--env", "here", "--output", "json"],
        &["preview", "plan.yaml", "--output", "mermaid"],
        &["preview", "plan.yaml", "--output", "svg"],
        &["preview", "plan.yaml", "--only", "S2"],
        &["run", "plan.yaml", "--dry-run"],
        &["run", "plan.yaml", "--dry-run", "--output", "json"],
    ] {
        let ended = cli.run(arguments).with_code(0);
        assert!(!ended.stdout.is_empty());
        assert_eq!(marks(dir.path()), before, "{arguments:?}");
    }
    cli.run(&["preview", "plan.yaml"])
        .with_code(0)
        .says("TOKEN (known to its command only, which was not run)")
        .says("next window:")
        .says("start back by 15:00 Europe/Berlin");
}

#[test]
fn probe_measures_what_a_run_would_ask_first_and_nothing_else() {
    let dir = tempfile::tempdir().unwrap();
    let cli = marked(dir.path());
    let before = marks(dir.path());
    let ended = cli
        .run(&["preview", "plan.yaml", "--probe", "--output", "json"])
        .with_code(0);
    let left: Vec<String> = marks(dir.path())
        .into_iter()
        .filter(|name| !before.contains(name))
        .collect();
    assert_eq!(
        left,
        [
            "mark-precondition",
            "mark-prerequisite",
            "mark-start",
            "mark-url",
            "mark-variable"
        ],
        "commands of values and probes ran, and no state was made"
    );
    let preview = &ended.json()[0];
    let verdicts = |checks: &Value| -> Vec<String> {
        checks
            .as_array()
            .unwrap()
            .iter()
            .map(|check| check["measured"]["verdict"].as_str().unwrap().to_owned())
            .collect()
    };
    assert_eq!(
        verdicts(&preview["prerequisites"]),
        ["pass", "not_measured"]
    );
    let phase = &preview["phases"][0];
    assert_eq!(
        verdicts(&phase["start_conditions"]),
        ["pass", "not_measured"]
    );
    assert_eq!(
        verdicts(&phase["steps"][0]["preconditions"]),
        ["pass", "fail", "pass", "not_measured"]
    );
    cli.run(&["run", "plan.yaml", "--dry-run", "--probe"])
        .with_code(0)
        .says("now: no")
        .says("not measured before the run");
    cli.run(&["run", "plan.yaml", "--probe"]).with_code(2);
}

#[test]
fn the_figures_agree_with_the_plan() {
    let dir = tempfile::tempdir().unwrap();
    let cli = marked(dir.path());
    let ended = cli
        .run(&["preview", "plan.yaml", "--output", "json"])
        .with_code(0);
    let preview = &ended.json()[0];
    assert_eq!(
        preview["planned"]["critical"],
        serde_json::json!(["S1", "S2"])
    );
    let steps = &preview["phases"][0]["steps"];
    assert_eq!(steps[1]["planned"]["start"]["max_ms"], 602_000);
    assert_eq!(steps[1]["planned"]["work"]["min_ms"], 1_200_000);
    assert_eq!(preview["planned"]["length"]["known"]["max_ms"], 2_402_000);
    assert_eq!(
        preview["phases"][0]["planned"]["back"]["takes"]["known"]["max_ms"],
        3_600_000
    );
    assert_eq!(preview["variables"]["TARGET"], "v2");
    assert!(preview["variables"].get("TOKEN").is_none());
}

/// Names that a drawing could stumble over.
fn nasty() -> String {
    let mut text = String::from(
        "metadata: {version: '1', migration_name: 'a \"b\" <c> & ]]> ; #d'}\nmigration_overview: {name: n}\nmigration_phases:\n",
    );
    let names = [
        r##"quotes \"and\" 'more' #quot; #35;"##,
        "brackets [a](b){c} <script>alert(1)</script>",
        "end; graph TD; A-->B %%{init: {}}%% `code` **bold**",
        "日本語 ÄÖÜ 😀 \\u202e turned \\u001b[2J",
        &"long ".repeat(39),
        "class s0 critical | click | subgraph | end",
    ];
    for (p, name) in names.iter().enumerate() {
        text.push_str(&format!(
            "  - phase_id: \"P-{p}\"\n    name: \"{name}\"\n    order: {p}\n    steps:\n"
        ));
        for s in 0..5 {
            text.push_str(&format!(
                "      - {{step_id: S-{p}-{s}, name: \"{name}\", order: {}, type: validation, \
                 execution_details: {{commands: ['true']}}}}\n",
                s / 2
            ));
        }
        text.push_str(&format!(
            "    validation_gate: {{gate_id: \"G{p}\", name: \"{name}\", criteria: [x], failure_response: rollback}}\n"
        ));
    }
    text
}

/// A plan of so many steps, ten in a phase, four at a time.
fn large(steps: usize) -> String {
    let mut text = String::from(
        "metadata: {version: '1', migration_name: large}\nmigration_overview: {name: n}\nmigration_phases:\n",
    );
    for s in 0..steps {
        if s % 10 == 0 {
            let p = s / 10;
            text.push_str(&format!(
                "  - phase_id: P{p}\n    name: phase {p}\n    order: {p}\n    steps:\n"
            ));
        }
        text.push_str(&format!(
            "      - {{step_id: S{s}, name: step, order: {}, type: configuration, estimated_duration: 5m, \
             execution_details: {{commands: ['true']}}, rollback_procedure: {{rollback_steps: [{{run: 'true'}}]}}}}\n",
            s % 10 / 4
        ));
    }
    text
}

#[test]
fn drawings_are_understood_by_their_own_readers() {
    tools::node_module("mermaid");
    tools::node_module("jsdom");
    let dir = tempfile::tempdir().unwrap();
    fs::write(dir.path().join("nasty.yaml"), nasty()).unwrap();
    for steps in [60, 1_000, 4_000] {
        fs::write(dir.path().join(format!("large-{steps}.yaml")), large(steps)).unwrap();
    }
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let shipped = |path: &str| root.join(path).join("migration-strategy.yaml");
    let plans = [
        shipped("plans/quickstart"),
        shipped("plans/discount-code"),
        shipped("examples/minimal"),
        shipped("tests/plans/valid/discount-example"),
        dir.path().join("nasty.yaml"),
        dir.path().join("large-60.yaml"),
        dir.path().join("large-1000.yaml"),
        dir.path().join("large-4000.yaml"),
        shipped("plans/manifest-upgrade"),
    ];
    let cli = Cli::new(dir.path());
    let mut files = Vec::new();
    for (i, plan) in plans.iter().enumerate() {
        for (form, ending) in [("mermaid", "mmd"), ("svg", "svg")] {
            let ended = cli
                .run(&["preview", &plan.to_string_lossy(), "--output", form])
                .with_code(0);
            let file = dir.path().join(format!("{i}.{ending}"));
            fs::write(&file, &ended.stdout).unwrap();
            files.push(file);
        }
    }
    let read = Command::new("node")
        .arg(root.join("tests/tools/read-drawings.mjs"))
        .arg(root.join("target/tools"))
        .args(&files)
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&read.stderr);
    assert!(read.status.success(), "{said}");
    let read: Vec<Value> = String::from_utf8_lossy(&read.stdout)
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    assert_eq!(read.len(), files.len());
    for pair in read.chunks(2) {
        assert_eq!(pair[0]["diagramType"], "flowchart-v2");
        assert!(pair[0]["edges"].as_u64().unwrap() <= 500);
        assert_eq!(pair[1]["root"], "svg");
        assert_eq!(pair[1]["namespace"], "http://www.w3.org/2000/svg");
    }
    // The first two of the quickstart, whole; the odd names, as they were written.
    let labels = |at: usize, what: &str| -> Vec<String> {
        serde_json::from_value(read[at][what].clone()).unwrap()
    };
    assert!(labels(0, "labels").contains(&"STEP-1-2 Back up the customers<br>5 s".to_owned()));
    let odd = labels(8, "boxes").join("\n");
    for words in [
        r#"P-0 quotes "and" 'more' #quot; #35;"#,
        "P-1 brackets [a](b){c} <script>alert(1)</script>",
        "P-2 end; graph TD; A-->B %%{init: {}}%% `code` **bold**",
        "P-3 日本語 ÄÖÜ 😀 \\u{202e} turned \\x1b[2J",
        "P-5 class s0 critical | click | subgraph | end",
    ] {
        assert!(odd.contains(words), "{words:?} is not in\n{odd}");
    }
    assert!(
        labels(9, "titles")
            .iter()
            .any(|t| t.contains("<script>alert(1)</script>"))
    );
    assert!(labels(13, "texts").iter().any(|t| t.contains("10 steps")));
}
