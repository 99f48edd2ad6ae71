//! JUnit XML, read by an XML parser and by a reader of JUnit reports.

use std::fs;
use std::path::Path;
use std::process::Command;

use serde_json::{Value, json};

use super::{NASTY, PLAN, beside_the_plan, repository};
use crate::support::cli::Cli;
use crate::support::tools::node;

/// Reads a report as its readers do. Python's parser refuses what is not well-formed.
fn read(xml: &str) -> Value {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("junit.xml");
    fs::write(&file, xml).expect("a file");
    let parsed = Command::new("python3")
        .args([
            "-c",
            "import sys, xml.etree.ElementTree as e; e.parse(sys.argv[1])",
        ])
        .arg(&file)
        .output()
        .expect("python3");
    assert!(
        parsed.status.success(),
        "{}",
        String::from_utf8_lossy(&parsed.stderr)
    );
    let read = node("junit2json", "dist/esm/cli.js")
        .arg(&file)
        .output()
        .expect("node");
    assert!(
        read.status.success(),
        "{}",
        String::from_utf8_lossy(&read.stderr)
    );
    serde_json::from_slice(&read.stdout).expect("JSON")
}

fn cases(suite: &Value) -> &[Value] {
    suite["testcase"].as_array().map_or(&[], Vec::as_slice)
}

#[test]
fn errors_fail_and_nothing_else_does() {
    let folder = repository();
    let ended = beside_the_plan(folder.path())
        .run(&["validate", "plän.yaml", "--output", "junit"])
        .with_code(3);
    let report = read(&ended.stdout);
    let suite = &report["testsuite"][0];
    assert_eq!(suite["name"], PLAN);
    let with = |key: &str| {
        cases(suite)
            .iter()
            .filter(|case| !case[key].is_null())
            .count()
    };
    assert_eq!(suite["tests"], json!(cases(suite).len()));
    assert_eq!(suite["failures"], json!(with("failure")));
    assert_eq!(suite["skipped"], json!(2));
    assert_eq!(with("skipped"), 2);
    assert_eq!(report["failures"], suite["failures"]);
    let failed = cases(suite)
        .iter()
        .find(|case| !case["failure"].is_null())
        .expect("an error");
    let message = failed["failure"][0]["message"].as_str().expect("a message");
    let drawn = NASTY
        .replace('\u{1b}', "\u{241b}")
        .replace('\u{7}', "\u{2407}");
    assert!(message.contains(&drawn), "{message}");
    let because = cases(suite)
        .iter()
        .find_map(|case| case["skipped"][0]["message"].as_str())
        .expect("a reason");
    assert!(because.starts_with("allowed because "), "{because}");
}

#[test]
fn a_plan_without_findings_passes_and_strict_fails() {
    let cli = Cli::new(Path::new(env!("CARGO_MANIFEST_DIR")));
    let plan = "plans/quickstart/migration-strategy.yaml";
    let ended = cli
        .run(&["validate", plan, "--output", "junit", "--level", "error"])
        .with_code(0);
    let report = read(&ended.stdout);
    assert_eq!(report["tests"], json!(1));
    assert_eq!(cases(&report["testsuite"][0])[0]["file"], plan);
    let folder = repository();
    let arguments = ["validate", "plän.yaml", "--output", "junit", "--strict"];
    let ended = beside_the_plan(folder.path()).run(&arguments).with_code(3);
    let report = read(&ended.stdout);
    assert!(report["failures"].as_u64() > Some(1), "{report}");
}
