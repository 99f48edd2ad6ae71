//! What an author writes, and what the engine gets to walk.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test may stop at the first surprise"
)]

use std::collections::BTreeMap;
use std::path::Path;

use super::*;
use crate::base::id::{GateId, ItemId, PhaseId, StepId};
use crate::plan::load::load_text;
use crate::plan::model::Plan;

#[derive(Default)]
struct InMemory(BTreeMap<&'static str, &'static str>);

impl Files for InMemory {
    fn exists(&self, path: &str) -> bool {
        self.0.contains_key(path)
    }

    fn read(&self, path: &str) -> std::io::Result<String> {
        match self.0.get(path) {
            Some(text) => Ok((*text).to_owned()),
            None => Err(std::io::ErrorKind::NotFound.into()),
        }
    }

    fn list(&self, _: &str) -> Vec<String> {
        Vec::new()
    }
}

fn written(body: &str) -> Plan {
    let text = format!(
        "metadata: {{version: '1', migration_name: m}}\nmigration_overview: {{name: n}}\n{body}"
    );
    match load_text(Path::new("plan.yaml"), &text) {
        Ok(loaded) => loaded.plan,
        Err(refused) => panic!("{:?}", refused.findings),
    }
}

fn lowered(body: &str, files: &[(&'static str, &'static str)]) -> Result<Program, Vec<LowerError>> {
    lower(&written(body), &InMemory(files.iter().copied().collect()))
}

/// A plan of one phase `P` with these steps in flow style.
fn steps(all: &str) -> String {
    format!("migration_phases: [{{phase_id: P, name: p, order: 1, steps: [{all}]}}]\n")
}

fn step(program: &Program, id: &str) -> Step {
    program.step(&StepId::parse(id).unwrap()).unwrap().clone()
}

fn gate(program: &Program, id: &str) -> Gate {
    program.gates[program.gate_index(&GateId::parse(id).unwrap()).unwrap()].clone()
}

const TYPE: &str = "name: s, order: 1, type: configuration";

#[test]
fn phases_and_steps_stand_in_the_order_in_which_they_run() {
    let program = lowered(
        "migration_phases:
  - {phase_id: Q, name: q, order: 2, steps: [{step_id: C, name: c, order: 1, type: configuration}]}
  - phase_id: P
    name: p
    order: 1
    steps:
      - {step_id: B, name: b, order: 2, type: configuration, depends_on: [A]}
      - {step_id: A, name: a, order: 1, type: configuration}
      - {step_id: D, name: d, order: 1, type: configuration, depends_on: []}
",
        &[],
    )
    .unwrap();
    let ids: Vec<&str> = program.steps.iter().map(|s| s.id.as_str()).collect();
    assert_eq!(ids, ["A", "D", "B", "C"]);
    assert_eq!(program.phases[0].steps, [0, 1, 2]);
    assert_eq!(program.phases[1].id, PhaseId::parse("Q").unwrap());
    assert_eq!(step(&program, "A").after, After::LowerOrders);
    assert_eq!(step(&program, "B").after, After::Exactly(vec![0]));
    assert_eq!(step(&program, "D").after, After::Exactly(Vec::new()));
}

#[test]
fn every_check_is_found_by_its_id() {
    let program = lowered(
        &format!(
            "prerequisites: [{{prerequisite_id: PR, name: r, type: data}}]
migration_phases:
  - phase_id: P
    name: p
    order: 1
    start_condition: [all is calm]
    steps: [{{step_id: A, {TYPE}, preconditions: [it is ready], done_if: {{command: t}},
      execution_details: {{manual_steps: [turn it]}},
      validation: {{validation_checks: [{{command: t}}]}},
      rollback_procedure: {{can_rollback: true, only_if: {{command: t}}, rollback_steps: [turn it back], rollback_test_id: RT}}}}]
    validation_gate: {{gate_id: G, name: g, criteria: [it is good], test_dataset_ids: [D]}}
rollback_strategy: {{rollback_levels: [{{level: full, validation: {{post_rollback_checks: [{{command: t}}]}}}}]}}
"
        ),
        &[],
    )
    .unwrap();
    for id in [
        "PR",
        "P.start_condition.0",
        "A.preconditions.0",
        "A.manual_steps.0",
        "A.done_if",
        "A.validation_checks.0",
        "A.only_if",
        "A.rollback_steps.0",
        "A.rollback_test_id",
        "G.test_dataset_ids.0",
        "G.criteria.0",
        "rollback.full.post_rollback_checks.0",
    ] {
        let item = ItemId::parse(id).unwrap();
        let (block, index) = program.item(&item).unwrap_or_else(|| panic!("{id}"));
        assert_eq!(program.block(block)[*index].id, item);
    }
}

#[test]
fn a_step_does_exactly_one_thing() {
    let program = lowered(
        &steps(&format!(
            "{{step_id: S, {TYPE}, execution_details: {{automation_script: {{path: a.sh, args: [--to, 2]}}, commands: [x]}}}},
             {{step_id: C, {TYPE}, execution_details: {{commands: [x, {{run: y, shell: sh, timeout: 5m}}], manual_steps: [look]}}}},
             {{step_id: M, {TYPE}, execution_details: {{manual_steps: [look]}}}},
             {{step_id: N, {TYPE}}}"
        )),
        &[],
    )
    .unwrap();
    let Action::Run(work) = step(&program, "S").action else {
        panic!("a script runs")
    };
    assert_eq!(work.processes.len(), 1);
    assert_eq!(work.processes[0].name, "a.sh --to 2");
    let commands = step(&program, "C");
    assert_eq!(commands.confirm.len(), 1);
    let Action::Run(work) = commands.action else {
        panic!("commands run")
    };
    assert_eq!(work.processes[1].timeout_ms, Some(300_000));
    assert!(matches!(
        &work.processes[1].run,
        Run::Shell { shell: Shell::Sh, text } if text == "y"
    ));
    assert!(matches!(step(&program, "M").action, Action::Person(all) if all.len() == 1));
    assert!(matches!(step(&program, "N").action, Action::Nothing));
    assert_eq!(program.files, [("a.sh".to_owned(), InputKind::Script)]);
}

#[test]
fn the_way_back_of_a_step_is_there_only_if_the_plan_gives_it() {
    let way = |more: &str| {
        let program = lowered(&steps(&format!("{{step_id: A, {TYPE}{more}}}")), &[]).unwrap();
        match step(&program, "A").undo.way {
            UndoWay::NothingToUndo => "nothing".to_owned(),
            UndoWay::Wall(_) => "wall".to_owned(),
            UndoWay::Pieces(pieces) => pieces
                .iter()
                .map(|p| match p {
                    UndoPiece::Run(work) => work.processes.len().to_string(),
                    UndoPiece::Person(_) => "person".to_owned(),
                })
                .collect::<Vec<_>>()
                .join(" "),
        }
    };
    let procedure = |inner: &str| way(&format!(", rollback_procedure: {{{inner}}}"));
    assert_eq!(way(""), "wall");
    assert_eq!(way(", effect: none"), "nothing");
    assert_eq!(procedure("rollback_script: b.sh"), "1");
    assert_eq!(
        procedure("rollback_script: b.sh, rollback_steps: [{run: x}]"),
        "1"
    );
    assert_eq!(
        procedure("rollback_script: b.sh, can_rollback: false"),
        "wall"
    );
    assert_eq!(procedure("rollback_steps: [turn it back]"), "wall");
    assert_eq!(
        procedure("rollback_steps: [turn it back], can_rollback: true"),
        "person"
    );
    assert_eq!(procedure("can_rollback: true"), "wall");
    assert_eq!(
        procedure("rollback_steps: [{run: a}, {run: b}, look, {run: c}]"),
        "2 person 1"
    );
    assert_eq!(
        way(", rollback_procedure: {rollback_steps: [{run: a}]}"),
        "1"
    );
}

#[test]
fn a_validation_that_names_no_way_back_changes_nothing() {
    let program = lowered(
        &steps(
            "{step_id: V, name: v, order: 1, type: validation}, \
             {step_id: W, name: w, order: 1, type: validation, rollback_procedure: {rollback_steps: [{run: x}]}}",
        ),
        &[],
    )
    .unwrap();
    assert!(step(&program, "V").effect_none);
    assert!(!step(&program, "W").effect_none);
}

#[test]
fn a_phase_is_undone_by_its_procedure_or_step_by_step_or_not_at_all() {
    let undo = |point: &str| {
        let body = format!(
            "migration_phases: [{{phase_id: P, name: p, order: 1, steps: [], rollback_point: {point}}}]"
        );
        lowered(&body, &[]).unwrap().phases[0].undo.clone()
    };
    assert!(matches!(undo("null"), PhaseUndo::EachStep));
    assert!(matches!(
        undo("{rollback_procedure: take every step back}"),
        PhaseUndo::EachStep
    ));
    assert!(matches!(
        undo("{can_rollback_from_here: false, rollback_procedure: {script: b.sh}}"),
        PhaseUndo::Wall(_)
    ));
    assert!(matches!(
        undo("{rollback_procedure: {script: b.sh}}"),
        PhaseUndo::Procedure(Undo { way: UndoWay::Pieces(pieces), .. }) if pieces.len() == 1
    ));
}

#[test]
fn sentences_are_conditions_facts_covered_or_a_persons() {
    let program = lowered(
        "monitoring_and_observability:
  migration_monitoring:
    - {metric_name: Error Rate, id: error_rate, unit: '%', measurement_method: {command: rate}}
migration_phases:
  - phase_id: P
    name: p
    order: 1
    steps: [{step_id: A, name: a, order: 1, type: configuration, validation: {
      test_dataset_ids: [D],
      validation_checks: ['error_rate < 0.5%', 'A successful', 'all is well', 'no complaints for 48 hours']}}]
    validation_gate: {gate_id: G, name: g, criteria: [all is well], approvers: [Ada]}
",
        &[("test-datasets/D.yaml", "cases: [{name: one, command: t}]")],
    )
    .unwrap();
    let checks = step(&program, "A").validation;
    let how: Vec<&str> = checks
        .iter()
        .map(|c| match c.how {
            How::Dataset(_) => "dataset",
            How::Metric(_) => "metric",
            How::Fact(_) => "fact",
            How::Covered(_) => "covered",
            How::Attest => "attest",
            _ => "other",
        })
        .collect();
    assert_eq!(how, ["dataset", "metric", "fact", "covered", "attest"]);
    assert!(matches!(&checks[0].how, How::Dataset(d) if d.cases.as_ref().unwrap().len() == 1));
    let criteria = gate(&program, "G").criteria;
    assert!(matches!(criteria[0].how, How::Attest));
    assert_eq!(criteria[0].who, ["Ada"]);
}

#[test]
fn gates_know_who_and_how_many_must_approve() {
    let needed = |more: &str| {
        let body = format!(
            "migration_phases: [{{phase_id: P, name: p, order: 1, steps: [], \
             validation_gate: {{gate_id: G, name: g{more}}}}}]"
        );
        gate(&lowered(&body, &[]).unwrap(), "G").approvals_needed
    };
    assert_eq!(needed(""), 0);
    assert_eq!(needed(", approvers: [Ada, Bob]"), 2);
    assert_eq!(needed(", approvers: [Ada, Bob], approvals_needed: 1"), 1);
    assert_eq!(
        needed(", approvers: [Ada, Bob], approval_required: false"),
        0
    );
    assert_eq!(needed(", approvers: [Ada, Bob], approvals_needed: 5"), 2);
}

#[test]
fn gates_of_the_strategy_stand_where_they_say() {
    let plan = |location: &str| {
        format!(
            "validation_strategy: {{validation_gates: [{{gate_id: G, name: g, type: automated, location: {location}, \
             criteria: [{{criterion: good, measurement: {{command: t}}}}], failure_handling: {{response: manual_review}}}}]}}\n{}",
            steps(&format!("{{step_id: A, {TYPE}}}"))
        )
    };
    let program = lowered(&plan("A"), &[]).unwrap();
    assert_eq!(gate(&program, "G").at, GateAt::Step(0));
    assert_eq!(gate(&program, "G").response, GateResponse::Ask);
    assert_eq!(program.steps[0].gates, [0]);
    assert_eq!(program.phases[0].gates, [0; 0]);
    let program = lowered(&plan("P"), &[]).unwrap();
    assert_eq!(gate(&program, "G").at, GateAt::Phase(0));
    assert_eq!(program.phases[0].gates, [0]);
    assert!(lowered(&plan("X"), &[]).is_err());
}

#[test]
fn a_levels_script_replaces_the_steps_only_on_request() {
    let level = |more: &str| {
        let body = format!(
            "rollback_strategy: {{rollback_levels: [{{level: full{more}}}]}}\n{}",
            steps(&format!("{{step_id: A, {TYPE}}}"))
        );
        lowered(&body, &[]).unwrap().levels.full
    };
    let script = ", rollback_procedure: {automation_script: b.sh}";
    assert_eq!(level(script).contingency.as_deref(), Some("b.sh"));
    assert!(level(script).replaces.is_none());
    assert!(
        level(&format!("{script}, replaces_steps: true"))
            .replaces
            .is_some()
    );
}

#[test]
fn what_cannot_be_acted_on_is_refused_with_its_place_all_in_one_go() {
    let errors = lowered(
        &steps(&format!(
            "{{step_id: A, {TYPE}, timeout: soonish, depends_on: [X], applies: [D1]}}, \
             {{step_id: B, {TYPE}, retry: {{attempts: 2, backoff: often}}}}"
        )),
        &[],
    )
    .unwrap_err();
    let places: Vec<&str> = errors.iter().map(|e| e.pointer.as_str()).collect();
    assert_eq!(
        places,
        [
            "/migration_phases/0/steps/0/applies",
            "/migration_phases/0/steps/0/timeout",
            "/migration_phases/0/steps/1/retry/backoff",
            "/migration_phases/0/steps/0/depends_on/0",
        ]
    );
}

#[test]
fn the_digest_leaves_out_what_only_reports() {
    let plan = written(&steps(&format!("{{step_id: A, {TYPE}}}")));
    let digest = plan_digest(&plan);
    let mut reported = plan.clone();
    reported.metadata.last_updated = Some("2026-11-21".to_owned());
    assert_eq!(plan_digest(&reported), digest);
    let mut other = plan;
    other.migration_phases[0].steps[0].name = "another".to_owned();
    assert_ne!(plan_digest(&other), digest);
}
