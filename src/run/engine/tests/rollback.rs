//! Undoing: steps, phases, everything; walls, approvals, what gets stuck.

use super::plans::{check, one, phase, plan, step};
use super::sim::{Settle, Sim, given, who};
use crate::plan::program::{Level, Program};
use crate::run::engine::{Answer, Input, Outcome, Resolution, RunState, Verdict};

const FAILED: [Outcome; 1] = [Outcome::Failed];

/// Two phases of two steps; `D` fails.
fn policy(on_failure: &str, levels: &str) -> Sim {
    let levels =
        format!("rollback_strategy: {{on_failure: {on_failure}, rollback_levels: [{levels}]}}");
    Sim::new(plan(
        &[
            phase(1, "", &[step("A", 1, ""), step("B", 2, "")]),
            phase(2, "", &[step("C", 1, ""), step("D", 2, "")]),
        ],
        &levels,
    ))
    .outcomes("D", &FAILED)
}

#[test]
fn the_policy_says_what_follows_the_failed_steps_own_undo() {
    let mut sim = policy("stop", "");
    assert_eq!(sim.ends(), "stopped 5");
    assert!(
        sim.story()
            .ends_with("D failed, back step, undo D, undone D, back step done")
    );
    assert_eq!(sim.effects(), ["A", "B", "C"]);
    assert_eq!(sim.again().state, RunState::Completed);

    let mut sim = policy("phase", "");
    assert_eq!(sim.ends(), "stopped 5");
    assert!(sim.story().ends_with(
        "D failed, back step, undo D, undone D, back step done, back phase, undo C, undone C, back phase done"
    ));
    assert_eq!(sim.again().state, RunState::Completed);
    assert!(sim.story().starts_with("begin P2, start C"));

    let mut sim = policy("full", "");
    assert_eq!(sim.ends(), "rolled_back 4");
    assert!(sim.story().ends_with(
        "back step done, back full, undo C, undone C, undo B, undone B, undo A, undone A, back full done"
    ));
    let refused = sim.refuses(Input::Attach {
        by: who("x"),
        pid: 1,
        jobs: 1,
    });
    assert_eq!(refused, "the run is over");
    assert!(sim.rollback(Level::Full, None).is_err());
    assert!(sim.resolve("A", Resolution::Abandon).is_err());
}

const FULL: &str = "{level: full, approval_required: true, decision_maker: Eve, \
    validation: {post_rollback_checks: [{check: as before, command: test}]}}";

#[test]
fn a_level_that_needs_approval_waits_for_its_decision_maker() {
    let mut sim = policy("full", FULL);
    assert_eq!(sim.ends(), "waiting 6");
    assert_eq!(sim.waits(), "rollback.full");
    assert!(sim.approve("rollback.full", "Ada").is_err());
    sim.approve("rollback.full", "eve").unwrap();
    assert_eq!(sim.ends(), "rolled_back 4");

    let mut sim = policy("full", FULL);
    sim.run();
    sim.answer("rollback.full", Answer::Reject, "Eve").unwrap();
    assert_eq!(sim.ends(), "stopped 5");
    assert_eq!(sim.again().state, RunState::Completed);
}

#[test]
fn who_decides_need_not_approve_what_they_asked_for() {
    let mut sim = policy("stop", FULL);
    sim.run();
    sim.input(Input::Rollback {
        level: Level::Full,
        target: None,
        by: who("Eve"),
        reason: None,
    })
    .unwrap();
    assert_eq!(sim.ends(), "rolled_back 4");
}

#[test]
fn what_must_hold_after_a_rollback_is_measured_until_it_holds() {
    let mut sim =
        policy("full", FULL).verdicts("rollback.full.post_rollback_checks.0", &[Verdict::Fail]);
    sim.run();
    sim.approve("rollback.full", "Eve").unwrap();
    assert_eq!(sim.ends(), "stuck 7");
    assert!(sim.effects().is_empty());
    sim.resolve("rollback.full.post_rollback_checks.0", Resolution::Retry)
        .unwrap();
    assert_eq!(sim.ends(), "rolled_back 4");
}

#[test]
fn a_wall_stops_the_way_back_and_says_so() {
    let wall = "rollback_procedure: {can_rollback: false}";
    let program = |a: &str, b: &str| {
        plan(
            &[phase(
                1,
                a,
                &[step("A", 1, ""), step("B", 2, b), step("C", 3, "")],
            )],
            "rollback_strategy: {on_failure: full}",
        )
    };
    let mut sim = Sim::new(program("", wall)).outcomes("C", &FAILED);
    assert_eq!(sim.ends(), "stopped 5");
    assert!(
        sim.story()
            .ends_with("undone C, back step done, back full, wall")
    );
    assert!(sim.standing().why.unwrap().contains("can_rollback: false"));
    assert_eq!(sim.effects(), ["A", "B"]);
    assert_eq!(sim.again().state, RunState::Completed);

    // The failed step's own: what it did stays, and a person says how it goes on.
    let mut sim = Sim::new(program("", wall)).outcomes("B", &FAILED);
    assert_eq!(sim.ends(), "stopped 5");
    assert_eq!(sim.again().state, RunState::Waiting);
    assert_eq!(sim.waits(), "B");
    sim.resolve("B", Resolution::Done).unwrap();
    assert_eq!(sim.ends(), "completed 0");

    let mut sim = Sim::new(program(
        "rollback_point: {can_rollback_from_here: false}",
        "",
    ))
    .outcomes("C", &FAILED);
    assert_eq!(sim.ends(), "stopped 5");
    assert!(
        sim.story()
            .ends_with("undone C, back step done, back full, wall")
    );
}

#[test]
fn a_retry_whose_undo_meets_a_wall_stops() {
    let more = "retry: {attempts: 2}, rollback_procedure: {can_rollback: false}";
    let mut sim = Sim::new(one(&[step("A", 1, more)])).outcomes("A", &FAILED);
    assert_eq!(sim.ends(), "stopped 5");
    assert_eq!(sim.again().state, RunState::Waiting);
    sim.resolve("A", Resolution::Retry).unwrap();
    assert_eq!(sim.ends(), "completed 0");
}

#[test]
fn only_if_leaves_what_need_not_be_undone() {
    let more =
        "rollback_procedure: {only_if: {check: used, command: test}, rollback_steps: [{run: x}]}";
    let mut sim = Sim::new(one(&[step("A", 1, more)]))
        .outcomes("A", &FAILED)
        .verdicts("A.only_if", &[Verdict::Fail]);
    assert_eq!(sim.ends(), "stopped 4");
    assert!(sim.story().ends_with("back step, left A, back step done"));
}

#[test]
fn prose_pieces_of_an_undo_are_done_by_a_person_in_their_place() {
    let more =
        "rollback_procedure: {rollback_steps: [{run: a}, turn the key back, {run: b}, {run: c}]}";
    let mut sim = Sim::new(one(&[step("A", 1, more)])).outcomes("A", &FAILED);
    assert_eq!(sim.ends(), "stuck 7");
    assert_eq!(sim.waits(), "A.rollback_steps.1");
    sim.attest("A").unwrap();
    assert_eq!(sim.ends(), "stopped 4");
    assert!(
        sim.story()
            .ends_with("back step, undo A, undo A/2, undone A, back step done")
    );

    let mut sim = Sim::new(one(&[step("A", 1, more)])).outcomes("A", &FAILED);
    sim.run();
    sim.reject("A.rollback_steps.1").unwrap();
    assert_eq!(sim.ends(), "stuck 7");
    sim.resolve("A", Resolution::Retry).unwrap();
    assert_eq!(sim.ends(), "stuck 7");
    sim.attest("A").unwrap();
    assert_eq!(sim.ends(), "stopped 4");
}

#[test]
fn a_rollback_is_tested() {
    let more = "rollback_procedure: {rollback_steps: [{run: a}], rollback_test_id: RT}";
    let mut sim = Sim::new(one(&[step("A", 1, more)]))
        .outcomes("A", &FAILED)
        .verdicts("A.rollback_test_id", &[Verdict::Fail]);
    assert_eq!(sim.ends(), "stuck 7");
    assert!(sim.story().ends_with("undo A, not undone A"));
    sim.resolve("A", Resolution::Retry).unwrap();
    assert_eq!(sim.ends(), "stopped 4");
}

#[test]
fn an_undo_that_fails_stops_everything_until_a_person_settles_it() {
    let stuck = || {
        let mut sim = policy("full", "").outcomes("undo C", &FAILED);
        assert_eq!(sim.ends(), "stuck 7");
        assert_eq!(sim.waits(), "C");
        assert_eq!(sim.effects(), ["A", "B", "C"]);
        // Resuming does not run it again.
        assert_eq!(sim.again().state, RunState::Stuck);
        sim.story();
        sim
    };
    let mut sim = stuck();
    sim.resolve("C", Resolution::Retry).unwrap();
    assert_eq!(sim.ends(), "rolled_back 4");
    assert!(
        sim.story()
            .starts_with("settle undo C retry, undo C, undone C, undo B")
    );

    let mut sim = stuck();
    sim.resolve("C", Resolution::Undone).unwrap();
    assert_eq!(sim.ends(), "rolled_back 4");
    assert!(sim.story().starts_with("settle undo C undone, undo B"));

    let mut sim = stuck();
    sim.resolve("C", Resolution::Done).unwrap();
    assert_eq!(sim.ends(), "stopped 5");

    let mut sim = stuck();
    sim.resolve("C", Resolution::Abandon).unwrap();
    assert_eq!(sim.ends(), "abandoned 5");
    assert!(sim.resolve("C", Resolution::Retry).is_err());
}

fn with_procedures() -> Program {
    let point =
        "rollback_point: {rollback_procedure: {steps: [{run: back}]}, rollback_test_id: PT}";
    plan(
        &[
            phase(1, "", &[step("A", 1, "")]),
            phase(2, point, &[step("B", 1, ""), step("C", 2, "")]),
        ],
        "rollback_strategy: {on_failure: full}",
    )
}

#[test]
fn a_phases_own_procedure_stands_for_its_steps() {
    let mut sim = Sim::new(with_procedures()).outcomes("C", &FAILED);
    assert_eq!(sim.ends(), "rolled_back 4");
    assert!(sim.story().ends_with(
        "back step, undo C, undone C, back step done, back full, undo P2, undone P2, undo A, undone A, back full done"
    ));
}

#[test]
fn a_levels_script_stands_for_the_steps_only_if_it_says_so() {
    let level = |replaces: bool| {
        format!(
            "{{level: full, replaces_steps: {replaces}, rollback_procedure: {{automation_script: all-back.sh}}}}"
        )
    };
    let mut sim = policy("full", &level(true));
    assert_eq!(sim.ends(), "rolled_back 4");
    assert!(
        sim.story()
            .ends_with("back full, undo level full, undone level full, back full done")
    );
    let mut sim = policy("full", &level(false));
    assert_eq!(sim.ends(), "rolled_back 4");
    assert!(sim.story().contains("undo A"));
}

#[test]
fn rollbacks_by_hand_are_refused_where_they_would_harm() {
    let mut sim = policy("stop", "");
    sim.script_outcomes("D", &[]);
    assert_eq!(sim.ends(), "completed 0");
    let refused =
        |sim: &mut Sim, level, target| sim.rollback(level, target).unwrap_err().to_string();
    assert!(refused(&mut sim, Level::Phase, Some("P1")).starts_with("P2 still has effects"));
    assert!(refused(&mut sim, Level::Step, Some("C")).starts_with("D still has an effect"));
    assert!(refused(&mut sim, Level::Step, None).contains("--step"));
    assert!(refused(&mut sim, Level::Phase, None).contains("--phase"));
    assert!(refused(&mut sim, Level::Full, Some("P9")).contains("no phase P9"));
    assert!(refused(&mut sim, Level::Step, Some("X")).contains("no step X"));
    sim.story();
    sim.rollback(Level::Step, Some("D")).unwrap();
    assert_eq!(sim.ends(), "stopped 5");
    assert_eq!(
        sim.story(),
        "wanted step, back step, undo D, undone D, back step done"
    );
    assert!(refused(&mut sim, Level::Step, Some("D")).contains("no effect"));
    assert_eq!(sim.again().state, RunState::Completed);
    sim.rollback(Level::Phase, Some("P2")).unwrap();
    assert_eq!(sim.ends(), "stopped 5");
    assert_eq!(sim.effects(), ["A", "B"]);
    assert!(refused(&mut sim, Level::Phase, Some("P2")).contains("no effect"));
}

#[test]
fn a_full_rollback_to_a_phase_keeps_it_and_is_not_final() {
    let mut sim = policy("stop", "");
    sim.run();
    sim.rollback(Level::Full, Some("P1")).unwrap();
    assert_eq!(sim.ends(), "stopped 5");
    assert_eq!(sim.effects(), ["A", "B"]);
    assert_eq!(sim.again().state, RunState::Completed);
}

#[test]
fn a_rollback_by_hand_waits_for_what_runs_and_not_for_what_a_person_does() {
    let mut sim = Sim::new(one(&[step("A", 1, ""), step("B", 2, "")]));
    while !sim.whole_story().ends_with("start B") {
        sim.step();
    }
    sim.rollback(Level::Full, None).unwrap();
    assert!(sim.rollback(Level::Full, None).is_err());
    assert!(sim.resolve("x", Resolution::Abandon).is_err());
    assert!(sim.wants().is_empty());
    assert_eq!(sim.standing().state, RunState::Running);
    assert_eq!(sim.ends(), "rolled_back 4");
    assert!(sim.story().ends_with(
        "start B, wanted full, B ok, back full, undo B, undone B, undo A, undone A, back full done"
    ));

    let by_hand = "execution_details: {manual_steps: [turn the key]}";
    let mut sim = Sim::new(one(&[step("A", 1, ""), step("M", 2, by_hand)]));
    assert_eq!(sim.ends(), "waiting 6");
    sim.rollback(Level::Full, None).unwrap();
    assert_eq!(sim.ends(), "rolled_back 4");
}

#[test]
fn an_undo_that_was_interrupted_goes_on() {
    let mut sim = policy("full", "");
    while !sim.whole_story().ends_with("undo C") {
        sim.step();
    }
    sim.interrupt();
    assert_eq!(sim.ends(), "interrupted 130");
    assert_eq!(sim.again().state, RunState::RolledBack);
}

#[test]
fn an_edit_never_blocks_the_way_back() {
    let mut sim = policy("full", "");
    while !sim.whole_story().ends_with("start D") {
        sim.step();
    }
    sim.input(Input::Drift {
        files: vec!["x.sh".to_owned()],
    })
    .unwrap();
    assert_eq!(sim.ends(), "rolled_back 4");

    let mut sim = given(one(&[step("A", 1, "")]));
    sim.input(Input::Drift {
        files: vec!["x.sh".to_owned()],
    })
    .unwrap();
    assert_eq!(sim.ends(), "drifted 9");
    sim.rollback(Level::Full, None).unwrap();
    assert_eq!(sim.ends(), "rolled_back 4");
}

#[test]
fn an_undo_of_which_nobody_knows_is_stuck() {
    let mut sim = policy("full", "");
    while !sim.whole_story().ends_with("undo C") {
        sim.step();
    }
    let mut lost = sim.cut(sim.journal.len());
    lost.resume(Settle::Unknown);
    assert_eq!(lost.ends(), "stuck 7");
    lost.resolve("C", Resolution::Undone).unwrap();
    assert_eq!(lost.ends(), "rolled_back 4");

    let mut never = sim.cut(sim.journal.len());
    never.resume(Settle::NeverStarted);
    assert_eq!(never.ends(), "rolled_back 4");
}

#[test]
fn an_inconclusive_only_if_waits() {
    let more = format!(
        "rollback_procedure: {{only_if: {}, rollback_steps: [{{run: x}}]}}",
        check("used")
    );
    let mut sim = Sim::new(one(&[step("A", 1, &more)]))
        .outcomes("A", &FAILED)
        .verdicts("A.only_if", &[Verdict::Inconclusive]);
    assert_eq!(sim.ends(), "waiting 6");
    assert_eq!(sim.again().state, RunState::Stopped);
}
