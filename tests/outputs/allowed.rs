//! What a comment allows: shown to machines, counted for people, and never an error.

use super::{PLAN, beside_the_plan, repository, write};

#[test]
fn allowed_findings_are_counted_and_kept() {
    let folder = repository();
    let cli = beside_the_plan(folder.path());
    let text = cli.run(&["validate", "plän.yaml"]).with_code(3);
    assert!(
        !text.stdout.contains("`S1` has no way back"),
        "{}",
        text.stdout
    );
    assert!(
        text.stdout.contains("`S3` has no way back"),
        "{}",
        text.stdout
    );
    assert!(text.stdout.contains(", 2 allowed"), "{}", text.stdout);
    let lines = cli
        .run(&["validate", "plän.yaml", "--output", "json"])
        .json();
    let because: Vec<_> = lines
        .iter()
        .filter_map(|line| {
            Some((
                line["message"].as_str()?,
                line["suppressed"]["because"].as_str()?,
            ))
        })
        .collect();
    let wanted = [
        ("the step `S2` has no way back", "it is in the file"),
        (
            "the step `S1` has no way back",
            "the cache fills itself ]]> again, 100%",
        ),
    ];
    assert_eq!(because, wanted);
}

#[test]
fn strict_does_not_refuse_what_is_allowed() {
    let folder = repository();
    let plan = "metadata: {version: \"1.0.0\", migration_name: outputs}
migration_overview: {name: outputs}
# orchestrate: allow OR0312, OR0405, OR0501 because the whole plan is an example
migration_phases:
  - phase_id: P1
    name: first
    order: 1
    steps:
      - step_id: S1
        name: one
        order: 1
        type: configuration
        execution_details: {commands: [\"true\"]}
";
    write(folder.path(), PLAN, plan);
    let cli = beside_the_plan(folder.path());
    let ended = cli
        .run(&["validate", "plän.yaml", "--output", "json"])
        .with_code(0);
    let of = |code: &str| {
        let lines = ended.json();
        lines
            .into_iter()
            .filter(|line| line["code"] == code)
            .collect::<Vec<_>>()
    };
    for code in ["OR0405", "OR0501"] {
        assert!(
            of(code)
                .iter()
                .all(|line| line["suppressed"]["because"].is_string()),
            "{code}"
        );
        assert!(!of(code).is_empty(), "{code}");
    }
    let strict = cli
        .run(&["validate", "plän.yaml", "--output", "json", "--strict"])
        .json();
    let raised = strict
        .iter()
        .filter(|line| line["level"] == "error" && line["type"] == "finding");
    assert!(
        raised.clone().all(|line| line["suppressed"].is_null()),
        "{strict:#?}"
    );
}
