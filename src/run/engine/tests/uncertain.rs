//! Outcomes that nobody knows: never a guess.

use super::plans::{one, step};
use super::sim::{Settle, Sim};
use crate::run::engine::{Outcome, Resolution, RunState, Verdict};

/// `A` was going on when the machine died.
fn died(more: &str) -> Sim {
    let mut sim = Sim::new(one(&[step("A", 1, more), step("B", 2, "")]));
    while !sim.whole_story().ends_with("start A") {
        assert!(sim.step());
    }
    sim.story();
    sim.cut(sim.journal.len())
}

#[test]
fn the_exit_record_decides_first() {
    let mut sim = died("idempotent: true");
    assert_eq!(sim.again().state, RunState::Completed);
    assert!(sim.story().starts_with("A ok, done A, start B"));
}

#[test]
fn what_was_never_started_starts() {
    let mut sim = died("");
    sim.resume(Settle::NeverStarted);
    assert_eq!(sim.ends(), "completed 0");
    assert!(sim.story().starts_with("settle A undone, start A"));
}

const DONE_IF: &str = "done_if: {check: it is there, command: test}";

#[test]
fn then_done_if() {
    let mut sim = died(DONE_IF);
    sim.resume(Settle::Unknown);
    assert_eq!(sim.ends(), "completed 0");
    assert!(
        sim.story()
            .starts_with("A unknown, settle A done, done A, start B")
    );

    let mut sim = died(DONE_IF).verdicts("A.done_if", &[Verdict::Fail]);
    sim.resume(Settle::Unknown);
    assert_eq!(sim.ends(), "completed 0");
    assert!(
        sim.story()
            .starts_with("A unknown, settle A retry, start A")
    );

    let mut sim = died(DONE_IF).verdicts("A.done_if", &[Verdict::Inconclusive; 2]);
    sim.resume(Settle::Unknown);
    assert_eq!(sim.ends(), "stuck 7");
    assert_eq!(sim.waits(), "A.done_if, A");
    sim.resolve("A.done_if", Resolution::Retry).unwrap();
    assert_eq!(sim.ends(), "stuck 7");
    sim.resolve("A", Resolution::Done).unwrap();
    assert_eq!(sim.ends(), "completed 0");
}

#[test]
fn then_a_rerun_if_it_is_idempotent_and_another_driver_has_come() {
    let mut sim = died("idempotent: true");
    sim.resume(Settle::Unknown);
    assert_eq!(sim.ends(), "completed 0");
    assert!(
        sim.story()
            .starts_with("A unknown, settle A retry, start A")
    );

    // A timeout under a living driver is a person's to judge, until someone resumes.
    let mut sim =
        Sim::new(one(&[step("A", 1, "idempotent: true")])).outcomes("A", &[Outcome::Unknown]);
    assert_eq!(sim.ends(), "stuck 7");
    assert_eq!(sim.again().state, RunState::Completed);
}

#[test]
fn then_a_person() {
    for (how, story) in [
        (Resolution::Done, "settle A done, done A, start B"),
        (Resolution::Undone, "settle A undone, start A"),
        (Resolution::Retry, "settle A retry, start A"),
    ] {
        let mut sim = died("");
        sim.resume(Settle::Unknown);
        assert_eq!(sim.ends(), "stuck 7");
        // Resuming again settles nothing.
        assert_eq!(sim.again().state, RunState::Stuck);
        sim.story();
        assert!(sim.resolve("A", Resolution::Proceed).is_err());
        sim.resolve("A", how).unwrap();
        assert_eq!(sim.ends(), "completed 0");
        assert!(sim.story().starts_with(story));
        assert_eq!(sim.state.deviations.len(), 1);
    }
}

#[test]
fn a_timeout_whose_effect_did_not_happen_is_a_failure() {
    let mut sim = Sim::new(one(&[step("A", 1, DONE_IF)]))
        .outcomes("A", &[Outcome::Unknown])
        .verdicts("A.done_if", &[Verdict::Fail]);
    assert_eq!(sim.ends(), "stopped 4");
    assert_eq!(
        sim.story(),
        "begin P1, start A, A unknown, fail A, back step, undo A, undone A, back step done"
    );
}

#[test]
fn an_unknown_effect_remains_and_can_be_undone() {
    let mut sim = died("");
    sim.resume(Settle::Unknown);
    sim.run();
    sim.rollback(crate::plan::program::Level::Full, None)
        .unwrap();
    assert_eq!(sim.ends(), "rolled_back 4");

    let mut sim = died("");
    sim.resume(Settle::Unknown);
    sim.run();
    sim.resolve("A", Resolution::Abandon).unwrap();
    assert_eq!(sim.ends(), "abandoned 5");
}
