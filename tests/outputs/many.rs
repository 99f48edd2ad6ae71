//! Several plans at once, patterns, and what is hidden.

use std::fs;

use super::write;
use crate::support::cli::Cli;

const GOOD: &str = "metadata: {version: \"1.0.0\", migration_name: good}
migration_overview: {name: good}
migration_phases:
  - phase_id: P1
    name: first
    order: 1
    steps:
      - {step_id: S1, name: one, order: 1, type: configuration, effect: none, execution_details: {commands: [\"true\"]}}
";

fn folder() -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("a folder");
    write(folder.path(), "a/plan.yaml", GOOD);
    write(
        folder.path(),
        "b/c/plan.yaml",
        &GOOD.replace("order: 1\n    steps", "order: one\n    steps"),
    );
    write(
        folder.path(),
        ".orchestrate/runs/x/inputs/plan.yaml",
        "not a plan",
    );
    folder
}

#[test]
fn each_plan_has_its_tally_and_all_have_one() {
    let folder = folder();
    let cli = Cli::new(folder.path());
    let ended = cli
        .run(&["validate", "**/plan.yaml", "a/plan.yaml"])
        .with_code(3);
    let tallies: Vec<_> = ended
        .stdout
        .lines()
        .filter(|line| line.contains(" error"))
        .collect();
    assert_eq!(tallies.len(), 3, "{}", ended.stdout);
    assert!(
        tallies[0].starts_with("a/plan.yaml: valid, 0 errors, "),
        "{}",
        ended.stdout
    );
    assert!(
        tallies[1].starts_with("b/c/plan.yaml: not valid, 1 error, "),
        "{}",
        ended.stdout
    );
    assert!(
        tallies[2].starts_with("2 plans: 1 not valid, 1 error, "),
        "{}",
        ended.stdout
    );
    cli.run(&["validate", "a/*.yaml"]).with_code(0);
}

#[test]
fn the_last_line_of_json_is_the_result() {
    let folder = folder();
    let cli = Cli::new(folder.path());
    let lines = cli
        .run(&[
            "validate",
            "**/plan.yaml",
            "--output",
            "json",
            "--level",
            "error",
        ])
        .with_code(3)
        .json();
    let result = lines.last().expect("a result");
    assert_eq!(result["type"], "result");
    assert_eq!(
        (&result["exit_code"], &result["state"]),
        (&3.into(), &"invalid".into())
    );
    assert_eq!(result["plans"], 2);
    let plans: Vec<_> = lines.iter().filter(|line| line["type"] == "plan").collect();
    assert_eq!(plans.len(), 2);
    assert_eq!(
        (&plans[0]["state"], &plans[1]["state"]),
        (&"valid".into(), &"invalid".into())
    );
    let hidden = |line: &serde_json::Value| line["hidden"].as_u64().expect("a number");
    assert_eq!(
        hidden(result),
        plans.iter().map(|plan| hidden(plan)).sum::<u64>()
    );
    assert!(hidden(result) > 0);
    let shown = lines.iter().filter(|line| line["type"] == "finding");
    assert!(shown.clone().count() == 1 && shown.clone().all(|line| line["level"] == "error"));
}

#[test]
fn what_is_hidden_is_said() {
    let folder = folder();
    let cli = Cli::new(folder.path());
    let all = cli.run(&["validate", "a/plan.yaml"]).with_code(0);
    assert!(
        all.stdout.contains("warning[") && !all.stdout.contains("hidden"),
        "{}",
        all.stdout
    );
    let few = cli
        .run(&["validate", "a/plan.yaml", "--level", "error"])
        .with_code(0);
    assert!(
        !few.stdout.contains("warning[") && few.stdout.contains(" hidden)"),
        "{}",
        few.stdout
    );
}

#[test]
fn a_pattern_that_matches_nothing_is_wrong_usage() {
    let folder = folder();
    let cli = Cli::new(folder.path());
    cli.run(&["validate", "**/none.yaml"])
        .with_code(2)
        .says("matches no file");
    cli.run(&["validate", "a/plan.yaml", "a"]).with_code(3);
    cli.run(&["validate"]).with_code(2);
    fs::write(folder.path().join("*.yaml"), GOOD).expect("a file");
    cli.run(&["validate", "*.yaml"]).with_code(0);
    cli.run(&["status", "--output", "sarif"]).with_code(2);
}
