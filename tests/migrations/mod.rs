//! Every folder under `tests/migrations`: the invalid ones are found out at the right place, with the code in their
//! name; the valid ones, near misses of these, have no finding at all.

use std::fs;
use std::path::{Path, PathBuf};

use orchestrate::base::diagnostic::codes::REGISTRY;
use orchestrate::base::diagnostic::{Finding, Sources, Style, render};
use orchestrate::plan::migrations::{Refused, load};

fn folders(of: &str) -> Vec<PathBuf> {
    let mut all: Vec<PathBuf> = fs::read_dir(Path::new("tests/migrations").join(of))
        .expect("the corpus is beside the tests")
        .map(|entry| entry.expect("a readable folder").path())
        .filter(|path| path.is_dir())
        .collect();
    all.sort();
    assert!(!all.is_empty(), "{of} has folders");
    all
}

fn stem(folder: &Path) -> String {
    folder
        .file_name()
        .expect("a name")
        .to_string_lossy()
        .into_owned()
}

fn check(folder: &Path) -> (Vec<Finding>, Sources) {
    match load(Some(folder), None) {
        Ok(loaded) => (loaded.findings, loaded.sources),
        Err(Refused { findings, sources }) => (findings, sources),
    }
}

#[test]
fn invalid_migrations_are_found_out() {
    for folder in folders("invalid") {
        let stem = stem(&folder);
        let code = stem.split('-').next().expect("a code").to_owned();
        let (findings, sources) = check(&folder);
        assert!(
            findings.iter().any(|finding| finding.code.as_str() == code),
            "{stem} triggers {code}: {findings:#?}"
        );
        let drawn: Vec<String> = findings
            .iter()
            .map(|finding| render(finding, &sources, Style::default()))
            .collect();
        insta::assert_snapshot!(stem, drawn.join("\n"));
    }
}

#[test]
fn valid_migrations_have_no_finding() {
    for folder in folders("valid") {
        let (findings, _) = check(&folder);
        assert!(findings.is_empty(), "{}: {findings:#?}", folder.display());
        assert!(load(Some(&folder), None).is_ok());
    }
}

#[test]
fn every_rule_about_migrations_has_a_folder_that_triggers_it() {
    let names: Vec<String> = folders("invalid")
        .iter()
        .map(|folder| stem(folder))
        .collect();
    let missing: Vec<&str> = REGISTRY
        .iter()
        .map(|info| info.code.as_str())
        .filter(|code| ("OR1400".."OR1420").contains(code))
        .filter(|code| !names.iter().any(|name| name.starts_with(code)))
        .collect();
    assert!(missing.is_empty(), "no folder triggers {missing:?}");
}

/// What a folder describes is what the engine does.
#[test]
fn a_folder_becomes_an_engine() {
    let folder = Path::new("tests/migrations/valid/OR1413-described");
    let engine = load(Some(folder), None).expect("a valid folder").engine;
    assert_eq!(engine.kind().pattern, "**/report.json");
    let report = br#"{"meta": {"version": "1.0.0", "id": 7}}"#;
    let at = "2026-06-01T12:00:00Z".parse().expect("a time");
    let target = "latest".parse().expect("a target");
    let outcome = engine.migrate(report, target, at, None).expect("a report");
    let orchestrate::manifest::Outcome::Migrated(migrated) = outcome else {
        panic!("{outcome:?}");
    };
    let text = String::from_utf8(migrated.text).expect("UTF-8");
    assert!(
        text.contains(r#""version": "1.2.0""#) && text.contains(r#""abstract": null"#),
        "{text}"
    );
}
