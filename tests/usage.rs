//! What is refused before anything happens: wrong usage, and plans that no run could act on.

#![expect(clippy::unwrap_used, reason = "tests")]

use std::fs;
use std::path::Path;

use crate::support::cli::{Cli, has_state};

/// A plan of one step and its way back; `top` stands above the phases, `step` in the step.
fn write(folder: &Path, top: &str, step: &str) {
    let text = format!(
        "metadata: {{version: '1', migration_name: m}}
migration_overview: {{name: m}}
{top}
migration_phases:
  - phase_id: P
    name: p
    order: 1
    steps:
      - {{step_id: A, name: a, order: 1, type: configuration, {step}
         execution_details: {{commands: ['touch done']}},
         rollback_procedure: {{rollback_steps: [{{run: 'rm done'}}]}}}}
"
    );
    fs::write(folder.join("plan.yaml"), text).unwrap();
}

#[test]
fn a_dry_run_runs_no_command_of_a_variable() {
    let dir = tempfile::tempdir().unwrap();
    let cli = Cli::new(dir.path());
    write(
        dir.path(),
        "variables: {TOKEN: {secret: true, command: [touch, asked]}}",
        "",
    );
    cli.run(&["run", "plan.yaml", "--dry-run"]).with_code(0);
    assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 1);

    write(
        dir.path(),
        "variables: {TOKEN: {secret: true, command: [touch, asked]}}
prerequisites: [{prerequisite_id: R, name: r, type: data, validation: {status: blocked}}]",
        "",
    );
    cli.run(&["run", "plan.yaml"]).with_code(9).says("blocked");
    assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 1);
}

#[test]
fn what_a_run_would_refuse_validate_refuses() {
    let dir = tempfile::tempdir().unwrap();
    let cli = Cli::new(dir.path());
    fs::create_dir(dir.path().join("sets")).unwrap();
    fs::write(dir.path().join("sets/D.sh"), "true\n").unwrap();
    let datasets = "linkage: {test_datasets_dir: sets}";
    let share = "validation: {validation_checks: [{dataset: D, min_pass: most}]},";
    write(dir.path(), datasets, share);
    for verb in ["validate", "run"] {
        cli.run(&[verb, "plan.yaml"]).with_code(3).says("OR0704");
    }
    assert!(!has_state(dir.path()));
    write(dir.path(), datasets, &share.replace("most", "95%"));
    cli.run(&["validate", "plan.yaml"]).with_code(0);
}

#[test]
fn a_day_without_hours_is_a_window() {
    let dir = tempfile::tempdir().unwrap();
    let cli = Cli::new(dir.path());
    let days = "daily";
    write(dir.path(), "", "");
    let text = fs::read_to_string(dir.path().join("plan.yaml")).unwrap();
    let window = format!(
        "migration_overview: {{name: m, constraints: {{migration_window: {{days: {days}, timezone: UTC}}}}}}"
    );
    let text = text.replace("migration_overview: {name: m}", &window);
    fs::write(dir.path().join("plan.yaml"), text).unwrap();
    cli.run(&["validate", "plan.yaml"]).with_code(0);
    cli.run(&["run", "plan.yaml"]).with_code(0);
}

#[test]
fn wrong_usage_changes_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let cli = Cli::new(dir.path());
    write(dir.path(), "", "");
    for wrong in [["--jobs", "0"], ["--override-window", ""], ["--reason", ""]] {
        cli.run(&["run", "plan.yaml", wrong[0], wrong[1]])
            .with_code(2);
    }
    assert!(!has_state(dir.path()));
    cli.run(&["run", "plan.yaml"]).with_code(0);
    // A step that is named without its level must not take everything back.
    for wrong in [
        &["--step", "A"][..],
        &["--level", "full", "--step", "A"],
        &["--phase", "P"],
        &["--level", "step", "--step", "A", "--to", "P"],
    ] {
        let mut arguments = vec!["rollback", "latest", "--yes"];
        arguments.extend(wrong);
        cli.run(&arguments).with_code(2);
    }
    assert!(dir.path().join("done").exists());
}

#[test]
fn what_is_printed_about_changed_files_can_be_pasted() {
    let dir = tempfile::tempdir().unwrap();
    let cli = Cli::new(dir.path());
    write(dir.path(), "", "preconditions: ['the moon is full'],");
    cli.run(&["run", "plan.yaml"]).with_code(6);
    write(dir.path(), "", "preconditions: ['the sun is up'],");
    let refused = cli.run(&["resume"]).with_code(9);
    let command = refused
        .stderr
        .split('`')
        .find(|part| part.contains("--accept-drift"))
        .unwrap();
    cli.paste(command).with_code(6).says("the sun is up");
}

#[test]
fn programs_get_a_result_whatever_was_typed_wrong() {
    let folder = tempfile::tempdir().expect("failed to create a folder");
    let cli = Cli::new(folder.path());
    let wrong: [(&[&str], Option<&str>, i32); 12] = [
        (&["--output", "json"], None, 2),
        (&["explian", "--output", "json"], None, 2),
        (&["explain", "--output", "json"], Some("explain"), 2),
        (&["explain", "OR9999", "--output=json"], Some("explain"), 2),
        (&["init", "--foo", "--output", "json"], Some("init"), 2),
        (&["init", "--name", "", "--output", "json"], Some("init"), 2),
        (&["fmt", "none.yaml", "--output", "json"], Some("fmt"), 1),
        (
            &["preview", "none.yaml", "--output", "json"],
            Some("preview"),
            3,
        ),
        (&["preview", "--output", "json"], Some("preview"), 2),
        (&["schema", "extra", "--output", "json"], Some("schema"), 2),
        (
            &["validate", "none.yaml", "--output", "json"],
            Some("validate"),
            3,
        ),
        (
            &["validate", "--level", "x", "--output", "json"],
            Some("validate"),
            2,
        ),
    ];
    for (typed, verb, code) in wrong {
        let ended = cli.run(typed).with_code(code);
        let lines: Vec<serde_json::Value> = ended
            .stdout
            .lines()
            .map(|line| serde_json::from_str(line).unwrap_or_else(|e| panic!("{line}: {e}")))
            .collect();
        assert!(
            lines.iter().all(|line| line["format_version"] == 1),
            "{typed:?}"
        );
        let last = lines.last().unwrap_or_else(|| panic!("{typed:?}: nothing"));
        assert_eq!(last["type"], "result", "{typed:?}");
        assert_eq!(last["exit_code"], code, "{typed:?}");
        assert_eq!(last["verb"].as_str(), verb, "{typed:?}");
    }
}
