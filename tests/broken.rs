//! Plans broken as people break them: each break is found at its line, none hides another, none is a panic.

use std::fs;
use std::path::{Path, PathBuf};

use orchestrate::base::config::Config;
use orchestrate::base::diagnostic::{Style, render};
use orchestrate::cli::validate;
use orchestrate::review::Surroundings;

fn found(path: &Path) -> validate::Validated {
    let surroundings = Surroundings {
        now: "2026-06-01T12:00:00Z".parse().expect("a time"),
        config: &Config::default(),
    };
    validate::check(path, surroundings)
}

#[test]
fn broken_plans_are_found_out() {
    let mut plans: Vec<PathBuf> = fs::read_dir("tests/plans/broken")
        .expect("the plans are beside the tests")
        .map(|entry| entry.expect("a readable folder").path())
        .filter(|path| path.extension().is_some_and(|e| e == "yaml"))
        .collect();
    plans.sort();
    assert!(plans.len() >= 25);
    for path in plans {
        let validated = found(&path);
        let drawn: Vec<String> = validated
            .findings
            .iter()
            .map(|finding| render(finding, &validated.sources, Style::default()))
            .collect();
        let name = path.file_stem().expect("a name").to_string_lossy();
        insta::with_settings!({snapshot_path => "snapshots/broken"}, {
            insta::assert_snapshot!(&*name, drawn.join("\n"));
        });
        assert!(
            validated.loaded.is_none() || !validated.refused(false) || validated.program.is_none()
        );
    }
}

/// A plan whose shape is wrong is reviewed, and cannot be taken for one that may run.
#[test]
fn a_mended_plan_is_never_handed_out() {
    let validated = found(Path::new("tests/plans/broken/three-slips-in-one-step.yaml"));
    assert!(validated.refused(false) && validated.loaded.is_none() && validated.program.is_none());
}

/// Two megabytes in one line, with a slip at its end.
#[test]
fn a_very_long_line_is_no_trouble() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("plan.yaml");
    let steps: Vec<String> = (0..20_000)
        .map(|n| {
            format!(
                "{{step_id: S{n}, name: a step of many, order: {n}, type: validation, description: in one line}}"
            )
        })
        .collect();
    let text = format!(
        "{{metadata: {{version: '1', migration_name: m}}, migration_overview: {{name: n}}, migration_phases: [{{phase_id: P, name: p, order: 1, steps: [{}]}}], linkge: {{}}}}",
        steps.join(", ")
    );
    assert!(text.len() > 1_900_000);
    fs::write(&path, text).expect("a file");
    let begun = std::time::Instant::now();
    let validated = found(&path);
    let unknown: Vec<_> = validated
        .findings
        .iter()
        .filter(|f| f.code.as_str() == "OR0102")
        .collect();
    assert_eq!(unknown.len(), 1);
    assert!(unknown[0].primary.column > 1_900_000);
    assert!(begun.elapsed().as_secs() < 20, "{:?}", begun.elapsed());
}
