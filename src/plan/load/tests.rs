#![expect(clippy::unwrap_used, reason = "a test may stop at the first surprise")]

use super::*;
use crate::plan::model::{Check, CommandItem};

const HEAD: &str = "metadata: {version: '1', migration_name: m}\nmigration_overview: {name: n}\n";
const PHASES: &str = "migration_phases: [{phase_id: P, name: p, order: 1, steps: []}]\n";

fn found(text: &str) -> Vec<String> {
    match load_text(Path::new("plan.yaml"), text) {
        Ok(_) => Vec::new(),
        Err(refused) => refused
            .findings
            .iter()
            .map(|f| {
                format!(
                    "{} {}:{} {} {}",
                    f.code, f.primary.line, f.primary.column, f.primary.pointer, f.message
                )
            })
            .collect(),
    }
}

fn codes_of(text: &str) -> Vec<String> {
    found(text)
        .iter()
        .map(|line| line.split(' ').next().unwrap().to_owned())
        .collect()
}

#[test]
fn a_plan_is_filled_with_spellings_kept() {
    let text = format!(
        "{HEAD}x-mine: {{any: thing}}
variables: {{RATE: {{default: 1.10}}}}
migration_phases:
  - phase_id: P
    name: p
    order: 1
    x-note: mine
    rollback_point: null
    steps:
      - step_id: S
        name: s
        order: 1
        type: configuration
        depends_on: []
        execution_details:
          commands: [\"true\", {{run: ./x, env: {{PORT: 0777, x-header: on}}}}]
        validation:
          validation_checks:
            - {{check: c, command: \"true\", expect: {{json: {{x-a: null, b: [1]}}}}}}
"
    );
    let loaded = load_text(Path::new("plan.yaml"), &text).unwrap();
    let phase = &loaded.plan.migration_phases[0];
    assert!(phase.rollback_point.is_none());
    assert_eq!(
        loaded.plan.variables["RATE"]
            .default
            .as_ref()
            .unwrap()
            .as_str(),
        "1.10"
    );
    let step = &phase.steps[0];
    assert_eq!(step.depends_on.as_deref(), Some(&[][..]));
    let details = step.execution_details.as_ref().unwrap();
    let CommandItem::Mapping(command) = &details.commands[1] else {
        panic!("a mapping")
    };
    assert_eq!(command.env["PORT"].as_str(), "0777");
    assert_eq!(command.env["x-header"].as_str(), "on");
    let checks = &step.validation.as_ref().unwrap().validation_checks;
    let Check::Probe(probe) = &checks[0] else {
        panic!("a probe")
    };
    let json = &probe.expect.as_ref().unwrap().json.as_ref().unwrap().0;
    assert_eq!(*json, serde_json::json!({"x-a": null, "b": [1]}));
}

#[test]
fn findings_come_in_one_go_at_their_places() {
    let text = "metadata: {version: 1.0, migration_nam: m}
migration_overview: {name: n, approach: phasd}
migration_phases:
  - phase_id: P
    name: p
    order: first
    steps:
      - step_id: S
        order: 1
        type: configuration
        preconditions: [Status: fine]
        execution_details: {commands: do it}
";
    insta::assert_snapshot!(found(text).join("\n"));
}

#[test]
fn checks_have_one_probe() {
    let step = |check: &str| {
        format!(
            "{HEAD}migration_phases: [{{phase_id: P, name: p, order: 1, start_condition: [{check}], steps: []}}]\n"
        )
    };
    assert!(codes_of(&step("{manual: true}")).is_empty());
    assert_eq!(codes_of(&step("{check: only a title}")), ["OR0106"]);
    assert_eq!(codes_of(&step("{command: a, when: b}")), ["OR0106"]);
    assert_eq!(codes_of(&step("{comand: a}")), ["OR0102"]);
    assert_eq!(codes_of(&step("12")), ["OR0104"]);
}

#[test]
fn the_least_that_is_needed_is_asked_for() {
    assert!(codes_of(&format!("{HEAD}{PHASES}")).is_empty());
    assert!(codes_of(&format!("\u{feff}{HEAD}{PHASES}")).is_empty());
    assert_eq!(
        codes_of(&format!("{HEAD}migration_phases: []\n")),
        ["OR0107"]
    );
    assert_eq!(
        codes_of(&format!("{HEAD}migration_phases: null\n")),
        ["OR0103"]
    );
    assert_eq!(codes_of("x-a: 1"), ["OR0103", "OR0103", "OR0103"]);
    assert_eq!(codes_of("[1]"), ["OR0101"]);
    assert_eq!(codes_of("just words"), ["OR0101"]);
    let big = format!("{HEAD}{PHASES}includes: []\nstate_probes: [{{name: a, timeout: 5}}]\n");
    assert_eq!(codes_of(&big), ["OR0104"]);
}

#[test]
fn numbers_that_do_not_fit_are_findings() {
    let text = format!(
        "{HEAD}migration_phases: [{{phase_id: P, name: p, order: 99999999999999999999, steps: []}}]\n"
    );
    assert_eq!(codes_of(&text).len(), 1, "{:?}", found(&text));
    let text =
        format!("{HEAD}migration_phases: [{{phase_id: P, name: p, order: .inf, steps: []}}]\n");
    assert_eq!(codes_of(&text), ["OR0104"]);
}

#[test]
fn bad_files_are_findings() {
    let folder = tempfile::tempdir().unwrap();
    let code = |path: &Path| load(path).unwrap_err().findings[0].code.as_str();
    assert_eq!(code(&folder.path().join("none.yaml")), "OR0001");
    assert_eq!(code(folder.path()), "OR0002");
    assert_eq!(code(Path::new("/dev/null")), "OR0002");
    let path = folder.path().join("plan.yaml");
    std::fs::write(&path, b"a: 1\nb: \xff\n").unwrap();
    assert_eq!(code(&path), "OR0004");
    let large = File::create(&path).unwrap();
    large.set_len(MAX_BYTES + 1).unwrap();
    assert_eq!(code(&path), "OR0003");
}

#[test]
fn includes_merge_and_keep_their_places() {
    let folder = tempfile::tempdir().unwrap();
    let plan = folder.path().join("plan.yaml");
    let common = folder.path().join("common.yaml");
    std::fs::write(
        &plan,
        format!("{HEAD}{PHASES}includes: [{{file: common.yaml, with: {{TABLE: cart}}}}]\n"),
    )
    .unwrap();
    std::fs::write(
        &common,
        "variables: {TABLE: {default: none, required: true}}
migration_phases:
  - {phase_id: Q, name: q, order: 2, steps: []}
linkage: {test_datasets_dir: data}
",
    )
    .unwrap();
    let loaded = load(&plan).unwrap();
    assert_eq!(loaded.files.len(), 2);
    assert_eq!(loaded.plan.migration_phases.len(), 2);
    let table = &loaded.plan.variables["TABLE"];
    assert_eq!(table.default.as_ref().unwrap().as_str(), "cart");
    assert_eq!(table.required, Some(true));
    let place = loaded.locate("/migration_phases/1/phase_id");
    assert!(place.file.ends_with("common.yaml"));
    assert_eq!(place.line, 3);

    std::fs::write(
        &common,
        "includes: [{file: plan.yaml}]\nlinkage: {oops: 1}\n",
    )
    .unwrap();
    let codes: Vec<_> = load(&plan)
        .unwrap_err()
        .findings
        .iter()
        .map(|f| (f.code.as_str(), f.primary.file.ends_with("common.yaml")))
        .collect();
    assert_eq!(codes, [("OR0605", true), ("OR0102", true)]);
}

/// A plan of one step, which is given as flow style.
fn step(written: &str) -> String {
    format!("{HEAD}migration_phases: [{{phase_id: P, name: p, order: 1, steps: [{written}]}}]\n")
}

fn salvaged(text: &str) -> Salvaged {
    let refused = load_text(Path::new("plan.yaml"), text).unwrap_err();
    *refused.salvaged.unwrap()
}

#[test]
fn what_was_meant_is_read() {
    let text = step(
        "{stepid: S, name: 12, Order: '3', type: data-migration, idempotent: yes, \
         execution_detials: {comands: ./go.sh}, preconditions: [Status: fine]}",
    );
    let salvaged = salvaged(&text);
    assert!(salvaged.is_whole());
    let step = &salvaged.loaded().plan.migration_phases[0].steps[0];
    assert_eq!(
        (&*step.step_id, &*step.name, step.order, step.idempotent),
        ("S", "12", 3, Some(true))
    );
    assert_eq!(step.r#type, crate::plan::model::StepType::DataMigration);
    let details = step.execution_details.as_ref().unwrap();
    assert_eq!(details.commands[0].run(), "./go.sh");
    assert_eq!(step.preconditions[0].title(), Some("Status: fine"));
    assert_eq!(
        codes_of(&text),
        [
            "OR0102", "OR0104", "OR0102", "OR0104", "OR0105", "OR0104", "OR0102", "OR0102",
            "OR0104", "OR0104"
        ]
    );
}

#[test]
fn pointers_lead_back_to_what_is_written() {
    let text = step("12, {step_id: S, name: n, order: 1, type: validation, retri: {attempt: 2}}");
    let salvaged = salvaged(&text);
    assert!(!salvaged.is_whole());
    let loaded = salvaged.loaded();
    assert_eq!(loaded.plan.migration_phases[0].steps.len(), 1);
    let place = loaded.locate("/migration_phases/0/steps/0/retry/attempts");
    let finding = Finding::new(codes::TIME_UNCLEAR, place, "a rule of its own");
    let kept = salvaged.keep(vec![finding]);
    assert_eq!(
        kept[0].primary.pointer,
        "/migration_phases/0/steps/1/retri/attempt"
    );
    let gone = Finding::new(
        codes::NO_STEPS,
        loaded.locate("/migration_phases/0/phase_id"),
        "because the only step was left out",
    );
    assert!(salvaged.keep(vec![gone]).is_empty());
}

#[test]
fn a_shared_part_is_mended_where_it_is_wrong() {
    let text = format!(
        "{HEAD}x-shared: &shared {{command: \"true\"}}
migration_phases:
  - phase_id: P
    name: p
    order: 1
    start_condition: [*shared]
    steps: [{{step_id: S, name: n, order: 1, type: validation, retry: *shared}}]
"
    );
    let salvaged = salvaged(&text);
    let phase = &salvaged.loaded().plan.migration_phases[0];
    let Check::Probe(probe) = &phase.start_condition[0] else {
        panic!("a probe")
    };
    assert_eq!(probe.command.as_deref(), Some("true"));
    assert_eq!(codes_of(&text), ["OR0102", "OR0103"]);
}
