//! Gates: criteria, responses, approvals.

use jiff::SignedDuration;

use super::plans::{check, phase, plan, step};
use super::sim::{Sim, who};
use crate::base::id::Digest;
use crate::plan::program::Program;
use crate::run::engine::{Input, Outcome, Resolution, RunState, Verdict};

fn gate(more: &str) -> Program {
    let gate = format!(
        "validation_gate: {{gate_id: G, name: g, criteria: [{}]{more}}}",
        check("good")
    );
    plan(
        &[
            phase(1, &gate, &[step("A", 1, ""), step("B", 2, "effect: none")]),
            phase(2, "", &[step("C", 1, "")]),
        ],
        "",
    )
}

const BAD: [Verdict; 1] = [Verdict::Fail];

#[test]
fn a_blocked_gate_is_measured_again_by_resume() {
    let mut sim = Sim::new(gate("")).verdicts("G.criteria.0", &BAD);
    assert_eq!(sim.ends(), "waiting 6");
    assert!(sim.story().ends_with("done B, measure G, shut G"));
    assert!(sim.resolve("G", Resolution::Proceed).is_err());
    assert_eq!(sim.again().state, RunState::Completed);
    assert!(sim.story().starts_with("measure G, open G, end P1"));
}

#[test]
fn a_gate_that_rolls_back_undoes_its_phase_and_resume_begins_anew() {
    let mut sim = Sim::new(gate(", failure_response: rollback")).verdicts("G.criteria.0", &BAD);
    assert_eq!(sim.ends(), "stopped 4");
    assert!(
        sim.story()
            .ends_with("measure G, shut G, back phase, undo A, undone A, back phase done")
    );
    assert_eq!(sim.again().state, RunState::Completed);
    // What only looked at the undone step looks again.
    assert!(sim.story().starts_with(
        "begin P1, start A, A ok, done A, start B, B ok, done B, measure G, open G, end P1"
    ));
}

#[test]
fn a_gate_over_nothing_to_undo_is_measured_again_after_its_rollback() {
    let gate = format!(
        "validation_gate: {{gate_id: G, name: g, criteria: [{}], failure_response: rollback}}",
        check("good")
    );
    let mut sim = Sim::new(plan(
        &[phase(1, &gate, &[step("A", 1, "effect: none")])],
        "",
    ))
    .verdicts("G.criteria.0", &BAD);
    assert_eq!(sim.ends(), "stopped 4");
    assert_eq!(sim.again().state, RunState::Completed);
}

#[test]
fn inconclusive_criteria_neither_open_nor_roll_back() {
    let mut sim = Sim::new(gate(", failure_response: rollback"))
        .verdicts("G.criteria.0", &[Verdict::Inconclusive]);
    assert_eq!(sim.ends(), "waiting 6");
    assert_eq!(sim.waits(), "G.criteria.0");
    assert_eq!(sim.effects(), ["A"]);
    sim.resolve("g.criteria.0", Resolution::Retry).unwrap();
    assert_eq!(sim.ends(), "completed 0");
}

#[test]
fn a_gate_that_asks_takes_a_decision() {
    let asks =
        || Sim::new(gate(", failure_response: manual_decision")).verdicts("G.criteria.0", &BAD);
    let mut sim = asks();
    assert_eq!(sim.ends(), "waiting 6");
    sim.resolve("G", Resolution::Proceed).unwrap();
    assert_eq!(sim.ends(), "completed 0");
    assert_eq!(sim.state.deviations.len(), 1);

    let mut sim = asks();
    sim.run();
    sim.resolve("G", Resolution::Retry).unwrap();
    assert_eq!(sim.ends(), "completed 0");

    let mut sim = asks();
    sim.run();
    sim.resolve("G", Resolution::Rollback).unwrap();
    assert_eq!(sim.ends(), "stopped 4");
    assert!(sim.resolve("G", Resolution::Done).is_err());
}

#[test]
fn all_approvers_approve_once_each() {
    let mut sim = Sim::new(gate(", approvers: [Ada, Bob]"));
    assert_eq!(sim.ends(), "waiting 6");
    assert!(
        sim.approve("G", "Cy")
            .unwrap_err()
            .to_string()
            .contains("Cy may not approve")
    );
    assert!(
        sim.approve("X", "Ada")
            .unwrap_err()
            .to_string()
            .contains("what waits: G")
    );
    assert!(sim.attest("G").is_err());
    sim.approve("g", " ada").unwrap();
    assert!(
        sim.approve("G", "ADA")
            .unwrap_err()
            .to_string()
            .contains("already")
    );
    assert_eq!(sim.ends(), "waiting 6");
    assert_eq!(sim.standing().waiting[0].who, ["Bob"]);
    sim.approve("G", "Bob").unwrap();
    assert_eq!(sim.ends(), "completed 0");
}

#[test]
fn fewer_approvals_are_enough_where_the_plan_says_so() {
    let mut sim = Sim::new(gate(", approvers: [Ada, Bob, Cy], approvals_needed: 2"));
    sim.run();
    sim.approve("G", "Cy").unwrap();
    assert_eq!(sim.ends(), "waiting 6");
    sim.approve("G", "Ada").unwrap();
    assert_eq!(sim.ends(), "completed 0");
}

#[test]
fn a_refusal_is_a_decision_and_no_failure() {
    let mut sim = Sim::new(gate(", approvers: [Ada], failure_response: rollback"));
    sim.run();
    sim.reject("G").unwrap();
    assert_eq!(sim.ends(), "waiting 6");
    assert_eq!(sim.effects(), ["A"]);
    assert!(sim.resolve("G", Resolution::Proceed).is_err());
    sim.resolve("G", Resolution::Retry).unwrap();
    assert_eq!(sim.ends(), "waiting 6");
    sim.approve("G", "Ada").unwrap();
    assert_eq!(sim.ends(), "completed 0");
}

#[test]
fn who_started_the_run_does_not_approve_it() {
    let mut program = gate(", approvers: [Starter, Ada]");
    program.separation_of_duties = true;
    let mut sim = Sim::new(program);
    sim.run();
    assert!(
        sim.approve("G", "Starter")
            .unwrap_err()
            .to_string()
            .contains("started this run")
    );
}

#[test]
fn old_evidence_is_measured_again_once() {
    let mut sim = Sim::new(gate(", approvers: [Ada], evidence_max_age: 1m"));
    sim.run();
    sim.story();
    sim.now += SignedDuration::from_secs(3_600);
    // A measurement that takes longer than the evidence may be old must not be repeated for ever.
    sim.probe_takes = SignedDuration::from_secs(300);
    sim.approve("G", "Ada").unwrap();
    assert_eq!(sim.ends(), "completed 0");
    assert!(
        sim.story()
            .starts_with("Ada approves G, remeasure G, ask G, open G")
    );

    let mut sim = Sim::new(gate(", approvers: [Ada], evidence_max_age: 1m"))
        .verdicts("G.criteria.0", &[Verdict::Pass, Verdict::Fail]);
    sim.run();
    sim.now += SignedDuration::from_secs(3_600);
    sim.approve("G", "Ada").unwrap();
    assert_eq!(sim.ends(), "waiting 6");
    assert!(sim.story().ends_with("shut G"));
}

#[test]
fn an_approval_of_another_plan_does_not_count() {
    let mut sim = Sim::new(gate(", approvers: [Ada, Bob]"));
    sim.run();
    sim.approve("G", "Ada").unwrap();
    sim.input(Input::AcceptDrift {
        files: vec!["a.sh".to_owned()],
        plan_digest: Digest::of(b"other"),
        inputs_hash: Digest::of(b"other"),
        by: who("Ada"),
        reason: "a typo".to_owned(),
    })
    .unwrap();
    sim.approve("G", "Bob").unwrap();
    assert_eq!(sim.ends(), "waiting 6");
    sim.approve("G", "Ada").unwrap();
    assert_eq!(sim.ends(), "completed 0");
}

fn at_step(response: &str) -> Program {
    let gates = format!(
        "validation_strategy: {{validation_gates: [{{gate_id: S, name: s, type: automated, location: A, \
         criteria: [{{criterion: good, measurement: {{command: test}}}}], failure_handling: {{response: {response}}}}}]}}"
    );
    plan(
        &[phase(
            1,
            "",
            &[
                step("A", 1, ""),
                step("B", 2, ""),
                step("C", 2, "depends_on: []"),
                step("D", 9, "depends_on: [C]"),
            ],
        )],
        &gates,
    )
}

#[test]
fn a_gate_at_a_step_holds_what_follows_it() {
    let mut sim = Sim::new(at_step("block")).verdicts("S.criteria.0", &BAD);
    assert_eq!(sim.ends(), "waiting 6");
    assert_eq!(
        sim.story(),
        "begin P1, start A, start C, A ok, done A, measure S, shut S, C ok, done C, start D, D ok, done D"
    );
    assert_eq!(sim.again().state, RunState::Completed);
}

#[test]
fn a_gate_at_a_step_that_rolls_back_lets_nothing_new_start() {
    let mut sim = Sim::new(at_step("rollback")).verdicts("S.criteria.0", &BAD);
    assert_eq!(sim.ends(), "stopped 4");
    assert_eq!(
        sim.story(),
        "begin P1, start A, start C, A ok, done A, measure S, shut S, C ok, \
         back phase, undo C, undone C, undo A, undone A, back phase done"
    );
}

#[test]
fn an_interrupted_run_can_still_be_answered() {
    let mut sim = Sim::new(gate(", approvers: [Ada]")).outcomes("C", &[Outcome::Succeeded]);
    sim.run();
    sim.interrupt();
    assert_eq!(sim.ends(), "interrupted 130");
    sim.approve("G", "Ada").unwrap();
    assert_eq!(sim.again().state, RunState::Completed);
}

#[test]
fn a_refusal_leaves_no_way_over_the_gate() {
    let mut sim = Sim::new(gate(", approvers: [Ada]"));
    sim.run();
    sim.answer("G", crate::run::engine::Answer::Reject, "Ada")
        .unwrap();
    sim.again();
    assert!(sim.resolve("G", Resolution::Proceed).is_err());
    assert_eq!(sim.ends(), "waiting 6");
}

#[test]
fn what_a_decision_is_about_survives_a_resume() {
    let mut sim =
        Sim::new(gate(", failure_response: manual_decision")).verdicts("G.criteria.0", &BAD);
    sim.run();
    let before = sim.standing().waiting[0].what.clone();
    sim.again();
    assert_eq!(sim.standing().waiting[0].what, before);
    assert!(before.contains("good ("), "{before}");
}

/// A "no" that is given while nobody drives the run has the consequence that it has under a driver.
#[test]
fn a_rejected_attestation_counts_after_a_resume() {
    let gate = |response: &str| {
        let gate = format!(
            "validation_gate: {{gate_id: G, name: g, criteria: ['nobody complains for a day'], failure_response: {response}}}"
        );
        plan(&[phase(1, &gate, &[step("A", 1, "")])], "")
    };
    let one = |more: &str| plan(&[phase(1, "", &[step("A", 1, more)])], "");
    let start = plan(
        &[phase(
            1,
            "start_condition: ['the moon is full']",
            &[step("A", 1, "")],
        )],
        "",
    );
    let by_hand = "execution_details: {manual_steps: ['turn the key']}";
    let undo = "execution_details: {commands: ['false']}, rollback_procedure: {can_rollback: true, rollback_steps: ['turn it back']}";
    for (program, item, end) in [
        (gate("block"), "G", "waiting 6"),
        (gate("rollback"), "G", "stopped 4"),
        (gate("manual_decision"), "G", "waiting 6"),
        (one("preconditions: ['the moon is full']"), "A", "stopped 4"),
        (
            one("validation: {success_criteria: ['nobody complains for a day']}"),
            "A",
            "stopped 4",
        ),
        (one(by_hand), "A", "stopped 4"),
        (start, "P1", "stopped 4"),
        (one(undo), "A", "stuck 7"),
    ] {
        let mut sim = Sim::new(program).outcomes(
            "A",
            &[if end == "stuck 7" {
                Outcome::Failed
            } else {
                Outcome::Succeeded
            }],
        );
        sim.run();
        sim.reject(item).unwrap();
        let standing = sim.again();
        let same = standing.waiting.iter().any(|w| w.item != item);
        assert_eq!((sim.ends().as_str(), same), (end, false), "{item}");
        if item == "P1" {
            assert!(standing.why.unwrap().contains("rejected by"));
        }
        // A run that stopped over it asks again.
        if end == "stopped 4" {
            sim.again();
            assert_eq!(sim.ends(), "waiting 6", "{item}");
        }
    }
}
