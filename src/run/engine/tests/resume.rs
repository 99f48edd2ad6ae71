//! A crash anywhere changes nothing: every prefix of a run's journal resumes to the same end.

use super::plans::{check, phase, plan, step};
use super::sim::{Settle, Sim, Start, step_id};
use crate::run::engine::{Input, Life, Outcome, RunState, Verdict};

/// Runs whose checks are always found the same, so that measuring again finds the same again.
fn fixtures() -> Vec<(&'static str, Sim)> {
    let fails = [Verdict::Fail; 50];
    let by_hand = "execution_details: {manual_steps: [turn the key]}";
    let seen = format!(
        "preconditions: [{}], validation: {{validation_checks: [{}, no complaints]}}",
        check("ready"),
        check("up")
    );
    let gate = |more: &str| {
        format!(
            "validation_gate: {{gate_id: G, name: g, criteria: [{}]{more}}}",
            check("good")
        )
    };
    let two = |more: &str, policy: &str| {
        plan(
            &[
                phase(
                    1,
                    more,
                    &[step("A", 1, &seen), step("B", 1, ""), step("M", 2, by_hand)],
                ),
                phase(
                    2,
                    &format!("start_condition: [{}]", check("calm")),
                    &[
                        step("C", 1, "retry: {attempts: 2, backoff: 5s}"),
                        step("D", 2, ""),
                    ],
                ),
            ],
            &format!("rollback_strategy: {{on_failure: {policy}}}"),
        )
    };
    vec![
        (
            "done",
            Sim::new(two(&gate(", approvers: [Ada, Bob]"), "stop")),
        ),
        (
            "done after a retry",
            Sim::new(two("", "full")).outcomes("C", &[Outcome::Failed]),
        ),
        (
            "all undone",
            Sim::new(two(&gate(""), "full")).outcomes("D", &[Outcome::Failed]),
        ),
        (
            "stopped after its own undo",
            Sim::new(two("", "stop")).outcomes("D", &[Outcome::Failed]),
        ),
        (
            "undone by its gate",
            Sim::new(two(&gate(", failure_response: rollback"), "stop"))
                .verdicts("G.criteria.0", &fails),
        ),
        (
            "blocked by its gate",
            Sim::new(two(&gate(""), "stop")).verdicts("G.criteria.0", &fails),
        ),
        (
            "undone because a check failed",
            Sim::new(two("", "phase")).verdicts("A.validation_checks.0", &fails),
        ),
        (
            "left out",
            Sim::started(
                two(&gate(""), "stop"),
                Start {
                    left_out: vec![step_id("D")],
                    ..Start::default()
                },
            ),
        ),
    ]
}

#[test]
fn every_prefix_resumes_to_the_same_end() {
    for (name, fresh) in fixtures() {
        let mut whole = fresh.clone();
        let end = whole.run_and_answer();
        assert_ne!(end.state, RunState::Running);
        let effects = whole.effects();
        for cut in 1..=whole.journal.len() {
            let mut sim = whole.cut(cut);
            // After a stop, `resume` starts new attempts: that is another run's story.
            if sim.state.life != Life::Running {
                continue;
            }
            sim.resume(Settle::Known);
            let again = sim.run_and_answer();
            let got = (again.state, again.exit_code, sim.effects());
            assert_eq!(
                got,
                (end.state, end.exit_code, effects.clone()),
                "{name}, cut after {cut}: {}",
                sim.whole_story()
            );
        }
    }
}

#[test]
fn nothing_runs_twice_over_a_crash_with_an_exit_record() {
    for (name, fresh) in fixtures() {
        let mut whole = fresh.clone();
        whole.run_and_answer();
        let starts = |sim: &Sim| sim.whole_story().matches("start ").count();
        let all = starts(&whole);
        for cut in 1..=whole.journal.len() {
            let mut sim = whole.cut(cut);
            if sim.state.life == Life::Running {
                sim.resume(Settle::Known);
                sim.run_and_answer();
                assert_eq!(starts(&sim), all, "{name}, cut after {cut}");
            }
        }
    }
}

#[test]
fn a_stopped_run_begins_new_attempts_when_it_is_resumed() {
    let mut sim = fixtures().remove(3).1;
    assert_eq!(sim.run_and_answer().state, RunState::Stopped);
    sim.story();
    sim.resume(Settle::Known);
    assert_eq!(sim.run_and_answer().state, RunState::Completed);
    assert!(sim.story().starts_with("start D, D ok"));
    let d = sim.program.step_index(&step_id("D")).unwrap();
    assert_eq!(sim.state.steps[d].attempt, 2);
}

#[test]
fn an_interrupt_saves_the_run_and_what_runs_is_carried_to_its_end() {
    let mut sim = fixtures().remove(0).1;
    while !sim.whole_story().contains("start A") {
        sim.step();
    }
    sim.interrupt();
    assert_eq!(sim.ends(), "interrupted 130");
    assert_eq!(sim.story(), "begin P1, start B, start A, B ok, A ok");
    let twice = Input::Interrupt {
        signal: "SIGINT".to_owned(),
    };
    assert!(sim.refuses(twice).contains("already"));
    sim.resume(Settle::Known);
    assert_eq!(sim.run_and_answer().state, RunState::Completed);
}

#[test]
fn a_changed_file_holds_the_way_ahead_until_it_is_accepted() {
    let mut sim = fixtures().remove(0).1;
    while !sim.whole_story().contains("start A") {
        sim.step();
    }
    let files = vec!["a.sh".to_owned()];
    sim.input(Input::Drift {
        files: files.clone(),
    })
    .unwrap();
    assert_eq!(sim.ends(), "drifted 9");
    sim.input(Input::AcceptDrift {
        files,
        plan_digest: sim.program.digest.clone(),
        inputs_hash: sim.program.digest.clone(),
        by: super::sim::who("Ada"),
        reason: "a typo".to_owned(),
    })
    .unwrap();
    assert_eq!(sim.run_and_answer().state, RunState::Completed);
}
