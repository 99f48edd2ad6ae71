//! Manifest steps: what they count is there for checks and gates, from the records alone.

use super::plans::{phase, plan};
use super::sim::{Settle, Sim, step_id};
use crate::plan::program::{BlockId, Program};
use crate::run::engine::{Event, Outcome, Resolution, RunState, State, facts};

/// A manifest step in flow style.
fn migrates(id: &str, order: u32, more: &str) -> String {
    let more = if more.is_empty() {
        String::new()
    } else {
        format!(", {more}")
    };
    format!(
        "{{step_id: {id}, name: {id}, order: {order}, type: manifest_migration, \
         manifest_migration: {{root: runs}}{more}}}"
    )
}

fn gated(steps: &[String], criterion: &str) -> Program {
    let gate = format!("validation_gate: {{gate_id: G, name: g, criteria: [{criterion}]}}");
    plan(&[phase(1, &gate, steps)], "")
}

const NONE_FAILED: &str = "manifest.failed == 0";

#[test]
fn a_gate_reads_what_was_counted() {
    let mut sim = Sim::new(gated(&[migrates("M", 1, "")], NONE_FAILED)).counts("M", 0);
    assert_eq!(sim.ends(), "completed 0");
    let mut sim = Sim::new(gated(&[migrates("M", 1, "")], NONE_FAILED)).counts("M", 3);
    assert_eq!(sim.run().state, RunState::Waiting);
    assert!(sim.story().ends_with("shut G"));
}

#[test]
fn nothing_counted_is_inconclusive_and_opens_nothing() {
    let mut sim = Sim::new(gated(&[migrates("M", 1, "")], NONE_FAILED));
    sim.run();
    assert_eq!(sim.waits(), "G.criteria.0");
}

#[test]
fn a_replay_of_the_records_has_the_same_figures() {
    let mut sim = Sim::new(gated(&[migrates("M", 1, "")], NONE_FAILED)).counts("M", 3);
    sim.run();
    let mut again = State::new(&sim.program);
    for record in &sim.journal {
        let text = serde_json::to_string(record).unwrap();
        again
            .apply(&sim.program, &serde_json::from_str(&text).unwrap())
            .unwrap();
    }
    let here = BlockId::Validation(step_id("M"));
    let seen = facts(&sim.program, &again, &here);
    assert_eq!(seen, facts(&sim.program, &sim.state, &here));
    assert_eq!(seen["manifest"]["failed"], 3);
    assert_eq!(seen["manifest"]["M"]["migrated"], 7);
}

#[test]
fn the_place_says_which_step_is_meant() {
    let steps = [
        migrates("A", 1, ""),
        migrates("B", 1, ""),
        "{step_id: V, name: v, order: 2, type: validation}".to_owned(),
    ];
    let later = phase(
        2,
        "",
        &["{step_id: W, name: w, order: 1, type: validation}".to_owned()],
    );
    let program = plan(&[phase(1, "", &steps), later], "");
    let mut sim = Sim::new(program).counts("A", 1).counts("B", 2);
    assert_eq!(sim.run().state, RunState::Completed);
    let failed =
        |block: BlockId| facts(&sim.program, &sim.state, &block)["manifest"]["failed"].clone();
    assert_eq!(failed(BlockId::Validation(step_id("A"))), 1);
    assert_eq!(failed(BlockId::Validation(step_id("B"))), 2);
    // The one that started last, whichever ended last.
    assert_eq!(failed(BlockId::Validation(step_id("V"))), 2);
    assert!(failed(BlockId::Validation(step_id("W"))).is_null());
    assert_eq!(failed(BlockId::Prerequisites), 2);
    let named = facts(&sim.program, &sim.state, &BlockId::Validation(step_id("W")));
    assert_eq!(named["manifest"]["A"]["failed"], 1);
}

#[test]
fn only_a_phase_that_looks_at_failures_may_let_them_pass() {
    let judged = |phases: &[String], of: &str| {
        let program = plan(phases, "");
        let step = program
            .step(&step_id(of))
            .unwrap()
            .manifest()
            .unwrap()
            .clone();
        match step.does {
            crate::plan::program::ManifestWork::Migrate(settings) => settings.judged,
            crate::plan::program::ManifestWork::Restore => panic!("forward"),
        }
    };
    let gate = |criterion: &str| {
        format!("validation_gate: {{gate_id: G, name: g, criteria: [{criterion}]}}")
    };
    let one = [migrates("M", 1, "")];
    let two = [migrates("M", 1, ""), migrates("N", 2, "")];
    assert!(!judged(&[phase(1, "", &one)], "M"));
    assert!(!judged(
        &[phase(1, &gate("manifest.migrated > 0"), &one)],
        "M"
    ));
    assert!(!judged(
        &[phase(1, &gate("nobody looks at manifest.failed"), &one)],
        "M"
    ));
    assert!(judged(&[phase(1, &gate(NONE_FAILED), &one)], "M"));
    // With two steps the bare name is the later one's: the failures of the first would be hidden.
    assert!(!judged(&[phase(1, &gate(NONE_FAILED), &two)], "M"));
    assert!(judged(
        &[phase(1, &gate("\"manifest['M'].failed < 5\""), &two)],
        "M"
    ));
    assert!(!judged(
        &[phase(1, &gate("\"manifest['M'].failed < 5\""), &two)],
        "N"
    ));
    let own = "validation: {validation_checks: [{check: few, when: manifest.failed < 3}]}";
    let both = [migrates("M", 1, own), migrates("N", 2, "")];
    assert!(judged(&[phase(1, "", &both)], "M"));
    assert!(!judged(&[phase(1, "", &both)], "N"));
    // Another phase comes too late: this one would have passed.
    assert!(!judged(
        &[phase(1, "", &one), phase(2, &gate(NONE_FAILED), &[])],
        "M"
    ));
}

#[test]
fn it_runs_again_after_a_crash_without_a_person() {
    let mut sim = Sim::new(gated(&[migrates("M", 1, "")], NONE_FAILED)).counts("M", 0);
    while !sim.whole_story().ends_with("start M") {
        assert!(sim.step());
    }
    sim.resume(Settle::Unknown);
    assert_eq!(sim.ends(), "completed 0");
    assert!(sim.story().contains("M unknown, settle M retry, start M"));
}

#[test]
fn figures_of_an_earlier_attempt_are_not_those_of_the_next() {
    let program = gated(&[migrates("M", 1, "")], NONE_FAILED);
    let mut sim = Sim::new(program)
        .counts("M", 4)
        .outcomes("M", &[Outcome::Failed, Outcome::Unknown]);
    sim.run();
    // It failed and was undone by its own restore.
    assert!(sim.story().contains("M failed"), "{}", sim.whole_story());
    assert!(
        sim.whole_story().contains("undone M"),
        "{}",
        sim.whole_story()
    );
    sim.resume(Settle::Known);
    sim.run();
    let seen = facts(&sim.program, &sim.state, &BlockId::Validation(step_id("M")));
    assert!(seen.get("manifest").is_none(), "{seen}");
    sim.resolve("M", Resolution::Done).unwrap();
    sim.run();
    assert_eq!(sim.waits(), "G.criteria.0");
}

#[test]
fn the_way_back_is_there_unless_the_plan_takes_it_away() {
    let way = |more: &str| {
        let mut sim = Sim::new(plan(&[phase(1, "", &[migrates("M", 1, more)])], ""))
            .outcomes("M", &[Outcome::Failed]);
        sim.run();
        sim.count_undos()
    };
    assert_eq!(way(""), 1);
    assert_eq!(way("rollback_procedure: {timeout: 5m}"), 1);
    assert_eq!(way("rollback_procedure: {can_rollback: false}"), 0);
    assert_eq!(way("effect: none"), 0);
}

impl Sim {
    fn count_undos(&self) -> usize {
        self.journal
            .iter()
            .filter(|record| matches!(record.event, Event::UndoStarted { .. }))
            .count()
    }
}
