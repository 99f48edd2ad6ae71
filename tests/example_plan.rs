//! The example of the document that defines the format, unchanged, with stubs for its scripts.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use crate::support::cli::{Cli, answer};
use crate::support::plans::PlanCopy;

const PLAN: &str = "migration-strategy.yaml";

fn folder() -> (PlanCopy, Cli) {
    let plan = PlanCopy::of_folder(Path::new("tests/plans/valid/discount-example"));
    // A stub stands for psql.
    let path = format!(
        "{}:{}",
        plan.folder().join("bin").display(),
        std::env::var("PATH").unwrap_or_default()
    );
    let cli = Cli::new(plan.folder())
        .env("PATH", &path)
        .env("DATABASE_URL", "postgresql://nobody@localhost/nowhere");
    (plan, cli)
}

/// How often each stub was called in one direction, by step and name.
fn calls(plan: &PlanCopy, direction: &str) -> BTreeMap<String, usize> {
    let mut calls = BTreeMap::new();
    let log = fs::read_to_string(plan.folder().join("calls.log")).unwrap_or_default();
    for line in log.lines() {
        if let Some(call) = line.strip_prefix(direction) {
            *calls.entry(call.trim().to_owned()).or_default() += 1;
        }
    }
    calls
}

#[test]
fn has_no_error() {
    let (plan, cli) = folder();
    let ended = cli
        .run(&["validate", PLAN, "--output", "json"])
        .with_code(0);
    let lines = ended.json();
    assert!(lines.iter().all(|line| line["level"] != "error"));
    assert!(!plan.folder().join(".orchestrate").exists());
}

#[test]
fn runs_to_done_when_everybody_answers() {
    let (plan, cli) = folder();
    // Inside the window or outside it, whatever the time is now.
    let override_window = ["--override-window", "a test has no business hours"];
    let mut arguments = vec!["run", PLAN, "--yes", "--output", "json"];
    arguments.extend(override_window);
    let mut ended = cli.run(&arguments);
    let mut rounds = 0;
    while ended.code == 6 {
        let waiting = ended.waiting();
        assert!(
            !waiting.is_empty(),
            "it says what it waits for:\n{}",
            ended.stdout
        );
        answer(&cli, &waiting);
        let mut arguments = vec!["resume", "--output", "json"];
        arguments.extend(override_window);
        ended = cli.run(&arguments);
        rounds += 1;
        assert!(rounds < 50, "it asks for ever:\n{}", ended.stderr);
    }
    ended.with_code(0);

    let forward = calls(&plan, "forward");
    let expected = [
        "STEP-1-1 scripts/backup-cart.sh",
        "STEP-1-2 psql",
        "STEP-2-1 scripts/deploy-discount-service.sh",
        "STEP-2-2 scripts/deploy-cart-service.sh",
        "STEP-3-1 scripts/configure-feature-flag.sh",
        "STEP-3-2 scripts/configure-feature-flag.sh",
        "STEP-3-3 scripts/configure-feature-flag.sh",
    ];
    for step in expected {
        let times: usize = forward
            .iter()
            .filter(|(call, _)| call.starts_with(step))
            .map(|(_, times)| times)
            .sum();
        assert_eq!(times, 1, "{step}: {forward:?}");
    }
    assert_eq!(forward.len(), expected.len(), "{forward:?}");
    assert!(calls(&plan, "undo").is_empty());
}

#[test]
fn waits_for_its_window() {
    let (_plan, cli) = folder();
    // The window is open on weekdays from 10 to 16 o'clock EST: then the first question is another one.
    let ended = cli
        .run(&["run", PLAN, "--yes", "--output", "json"])
        .with_code(6);
    let now = jiff::Timestamp::now().to_zoned(jiff::tz::TimeZone::fixed(jiff::tz::offset(-5)));
    let weekday = !matches!(
        now.weekday(),
        jiff::civil::Weekday::Saturday | jiff::civil::Weekday::Sunday
    );
    let near_edge = now.hour() == 9 || now.hour() == 15;
    if near_edge {
        // What counts is decided a moment later, or by the estimates: either answer is right.
        return;
    }
    let open = weekday && (10..16).contains(&now.hour());
    let waits_for_window = ended.waiting().iter().any(|wait| wait["id"] == "window");
    if open {
        return;
    }
    assert!(waits_for_window, "{}", ended.stdout);
    ended.says("Weekday 10am-4pm EST");
}

#[test]
fn its_coverage_tells_machine_people_and_ways_back() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/plans/valid/discount-example");
    let cli = Cli::new(&folder);
    let ended = cli.run(&["validate", "migration-strategy.yaml", "--coverage"]);
    let ended = ended
        .with_code(0)
        .says("points of no return")
        .says("STEP-3-2 has NO way back");
    let table = ended
        .stdout
        .lines()
        .find(|line| line.starts_with("PHASE-3 "));
    assert!(
        table.is_some_and(|line| line.ends_with("1 of 3")),
        "{}",
        ended.stdout
    );

    let lines = cli
        .run(&[
            "validate",
            "migration-strategy.yaml",
            "--coverage",
            "--output",
            "json",
        ])
        .with_code(0)
        .json();
    let coverage = lines.iter().find(|line| line["type"] == "coverage");
    let coverage = coverage.expect("a line of coverage");
    let checks = coverage["phases"][2]["checks"].as_array().expect("checks");
    let of = |title: &str| {
        let found = checks.iter().find(|check| check["title"] == title);
        found.map(|check| (check["kind"].as_str(), check["how"].as_str()))
    };
    assert_eq!(
        of("STEP-3-1 successful"),
        Some((Some("fact"), Some("fact: step STEP-3-1 succeeded")))
    );
    assert_eq!(
        of("Business approval"),
        Some((Some("person"), Some("a person says so")))
    );
    assert_eq!(
        of("Cart totals correct").map(|(kind, _)| kind),
        Some(Some("covered"))
    );
    assert_eq!(coverage["points_of_no_return"][0]["step"], "STEP-3-2");

    cli.run(&[
        "validate",
        "migration-strategy.yaml",
        "--coverage",
        "--output",
        "sarif",
    ])
    .with_code(2);
}
