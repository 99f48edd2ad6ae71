//! Order, checks, windows, selection: the way ahead.

use super::plans::{check, one, phase, plan, step};
use super::sim::{Sim, Start, given, step_id, who};
use crate::base::id::PhaseId;
use crate::plan::program::OnFailure;
use crate::run::engine::{Event, Input, Outcome, Proof, RunState, Verdict};

#[test]
fn steps_run_by_order_and_phases_too() {
    let mut sim = Sim::new(plan(
        &[
            phase(2, "", &[step("C", 1, "")]),
            phase(1, "", &[step("B", 2, ""), step("A", 1, "")]),
        ],
        "",
    ));
    assert_eq!(sim.ends(), "completed 0");
    assert_eq!(
        sim.story(),
        "begin P1, start A, A ok, done A, start B, B ok, done B, end P1, \
         begin P2, start C, C ok, done C, end P2, complete"
    );
}

#[test]
fn equal_order_runs_together_within_the_jobs() {
    let steps = || {
        [
            step("A", 1, ""),
            step("B", 1, ""),
            step("C", 1, ""),
            step("D", 2, ""),
        ]
    };
    for (jobs, most) in [(1, 1), (2, 2), (8, 3)] {
        let start = Start {
            jobs,
            ..Start::default()
        };
        let mut sim = Sim::started(one(&steps()), start);
        assert_eq!(sim.ends(), "completed 0");
        assert_eq!(sim.most_together(), most);
    }
}

#[test]
fn depends_on_waits_for_exactly_those() {
    let mut sim = Sim::new(one(&[
        step("A", 1, ""),
        step("B", 2, "depends_on: []"),
        step("C", 3, "depends_on: [B]"),
        step("D", 4, ""),
    ]));
    assert_eq!(sim.ends(), "completed 0");
    assert_eq!(
        sim.story(),
        "begin P1, start A, start B, A ok, done A, B ok, done B, start C, C ok, done C, \
         start D, D ok, done D, end P1, complete"
    );
}

#[test]
fn what_can_never_start_is_said() {
    let mut sim = Sim::new(plan(
        &[
            phase(1, "", &[step("A", 1, "depends_on: [B]")]),
            phase(2, "", &[step("B", 1, "")]),
        ],
        "",
    ));
    assert_eq!(sim.ends(), "stopped 4");
    assert!(sim.standing().why.unwrap().contains("A can never start"));
}

#[test]
fn a_failed_precondition_has_no_effect_and_no_undo() {
    let pre = format!("preconditions: [{}]", check("ready"));
    let mut sim =
        Sim::new(one(&[step("A", 1, &pre)])).verdicts("A.preconditions.0", &[Verdict::Fail]);
    assert_eq!(sim.ends(), "stopped 4");
    assert_eq!(sim.story(), "begin P1, fail A, stop");
    assert_eq!(sim.again().state, RunState::Completed);
}

#[test]
fn every_validation_is_evaluated_and_covered_ones_are_not() {
    let more = format!(
        "validation: {{validation_script: v.sh, validation_checks: [{}, {}, all is as it should be]}}",
        check("one"),
        check("two")
    );
    let mut sim =
        Sim::new(one(&[step("A", 1, &more)])).verdicts("A.validation_script", &[Verdict::Fail]);
    assert_eq!(sim.ends(), "stopped 4");
    assert_eq!(
        sim.story(),
        "begin P1, start A, A ok, fail A, back step, undo A, undone A, back step done"
    );
    let judged: Vec<String> = sim
        .journal
        .iter()
        .filter_map(|r| match &r.event {
            Event::CheckJudged { item, .. } => Some(item.to_string()),
            _ => None,
        })
        .collect();
    assert_eq!(
        judged,
        [
            "A.validation_script",
            "A.validation_checks.0",
            "A.validation_checks.1"
        ]
    );
}

#[test]
fn people_are_asked_after_machines_have_passed() {
    let more = format!(
        "validation: {{validation_checks: [no complaints, {}]}}",
        check("up")
    );
    let program = || one(&[step("A", 1, &more)]);
    let mut sim = Sim::new(program()).verdicts("A.validation_checks.1", &[Verdict::Fail]);
    assert_eq!(sim.ends(), "stopped 4");
    let mut sim = Sim::new(program());
    assert_eq!(sim.ends(), "waiting 6");
    assert_eq!(sim.waits(), "A.validation_checks.0");
    sim.attest("a").unwrap();
    assert_eq!(sim.ends(), "completed 0");
}

#[test]
fn inconclusive_waits_and_neither_opens_nor_undoes() {
    let more = format!("validation: {{validation_checks: [{}]}}", check("up"));
    let mut sim = Sim::new(one(&[step("A", 1, &more)])).verdicts(
        "A.validation_checks.0",
        &[Verdict::Inconclusive, Verdict::Inconclusive],
    );
    assert_eq!(sim.ends(), "waiting 6");
    assert_eq!(sim.effects(), ["A"]);
    sim.resolve(
        "A.validation_checks.0",
        crate::run::engine::Resolution::Retry,
    )
    .unwrap();
    assert_eq!(sim.ends(), "waiting 6");
    assert_eq!(sim.again().state, RunState::Completed);
}

#[test]
fn prerequisites_and_start_conditions_hold_the_run() {
    let program = || {
        plan(
            &[phase(
                1,
                &format!("start_condition: [{}]", check("calm")),
                &[step("A", 1, "")],
            )],
            "prerequisites:\n  - {prerequisite_id: PR, name: backup, type: data, validation: {verification_method: {check: b, command: test}}}\n  \
             - {prerequisite_id: PV, name: seen, type: data, validation: {verification_method: 'by Bob', status: verified}}",
        )
    };
    let mut sim = Sim::new(program()).verdicts("PR", &[Verdict::Fail]);
    assert_eq!(sim.ends(), "stopped 4");
    assert_eq!(sim.story(), "held by PR");
    sim.script_verdicts("P1.start_condition.0", &[Verdict::Fail]);
    assert_eq!(sim.again().state, RunState::Stopped);
    assert_eq!(sim.story(), "held by P1.start_condition.0");
    assert_eq!(sim.again().state, RunState::Completed);
}

const WINDOW: &str =
    "migration_overview: {name: n, constraints: {migration_window: 'daily 10:00-14:00 UTC'}}";

#[test]
fn the_window_is_judged_by_every_driver() {
    let program = || {
        plan(
            &[phase(1, "", &[step("A", 1, ""), step("B", 2, "")])],
            WINDOW,
        )
    };
    let mut sim = Sim::new(program());
    assert_eq!(sim.ends(), "completed 0");
    assert!(sim.story().starts_with("window, begin P1"));

    let mut sim = Sim::new(program()).at("2026-11-21T15:00:00Z");
    assert_eq!(sim.ends(), "waiting 6");
    let wait = &sim.standing().waiting[0];
    assert_eq!(wait.until.unwrap().to_string(), "2026-11-22T10:00:00Z");
    sim.now = wait.until.unwrap();
    assert_eq!(sim.ends(), "completed 0");

    let mut sim = Sim::new(program()).at("2026-11-21T15:00:00Z");
    sim.input(Input::OverrideWindow {
        by: who("Ada"),
        reason: "urgent".to_owned(),
    })
    .unwrap();
    assert_eq!(sim.ends(), "completed 0");
    assert_eq!(sim.state.deviations.len(), 1);
}

#[test]
fn outside_the_window_a_resumed_run_ends_what_it_began_and_starts_nothing() {
    let program = plan(
        &[phase(1, "", &[step("A", 1, ""), step("B", 2, "")])],
        WINDOW,
    );
    let mut sim = Sim::new(program);
    while !sim.whole_story().ends_with("start A") {
        assert!(sim.step());
    }
    sim = sim.cut(sim.journal.len()).at("2026-11-21T20:00:00Z");
    assert_eq!(sim.again().state, RunState::Waiting);
    assert!(sim.story().ends_with("start A, A ok, done A"));
    sim.now = "2026-11-22T11:00:00Z".parse().unwrap();
    assert_eq!(sim.ends(), "completed 0");
}

#[test]
fn retry_waits_for_its_backoff_and_undoes_first_unless_idempotent() {
    let retry = "retry: {attempts: 3, backoff: 10s}";
    let mut sim = Sim::new(one(&[step("A", 1, retry)])).outcomes("A", &[Outcome::Failed; 2]);
    let begun = sim.now;
    assert_eq!(sim.ends(), "completed 0");
    assert_eq!(
        sim.story(),
        "begin P1, start A, A failed, back step, undo A, undone A, back step done, again A, \
         start A, A failed, back step, undo A, undone A, back step done, again A, \
         start A, A ok, done A, end P1, complete"
    );
    assert!(sim.now.duration_since(begun).as_secs() >= 20);

    let more = format!("{retry}, idempotent: true");
    let mut sim = Sim::new(one(&[step("A", 1, &more)])).outcomes("A", &[Outcome::Failed; 3]);
    assert_eq!(sim.ends(), "stopped 4");
    assert_eq!(
        sim.story(),
        "begin P1, start A, A failed, again A, start A, A failed, again A, start A, A failed, \
         back step, undo A, undone A, back step done"
    );
    assert_eq!(sim.again().state, RunState::Completed);
}

#[test]
fn two_failures_are_both_retried() {
    let retry = "retry: {attempts: 2}";
    let mut sim = Sim::new(one(&[step("A", 1, retry), step("B", 1, retry)]))
        .outcomes("A", &[Outcome::Failed])
        .outcomes("B", &[Outcome::Failed]);
    assert_eq!(sim.ends(), "completed 0");
    assert_eq!(
        sim.story(),
        "begin P1, start A, start B, A failed, B failed, back step, undo A, undone A, back step done, \
         back step, undo B, undone B, back step done, again A, again B, start A, start B, \
         A ok, done A, B ok, done B, end P1, complete"
    );
}

#[test]
fn siblings_of_a_failed_step_finish_and_nothing_new_starts() {
    let more = format!("validation: {{validation_checks: [{}]}}", check("up"));
    let mut sim = Sim::started(
        one(&[step("A", 1, ""), step("B", 1, &more), step("C", 1, "")]),
        Start {
            jobs: 2,
            ..Start::default()
        },
    )
    .outcomes("A", &[Outcome::Failed]);
    assert_eq!(sim.ends(), "stopped 5");
    assert_eq!(
        sim.story(),
        "begin P1, start A, start B, A failed, B ok, done B, back step, undo A, undone A, back step done"
    );
}

#[test]
fn a_sibling_that_a_person_does_is_asked_for_before_the_undo() {
    let by_hand = "execution_details: {manual_steps: [turn the key]}";
    let mut sim =
        Sim::new(one(&[step("A", 1, ""), step("M", 1, by_hand)])).outcomes("A", &[Outcome::Failed]);
    assert_eq!(sim.ends(), "waiting 6");
    assert_eq!(sim.waits(), "M.manual_steps.0");
    sim.attest("M").unwrap();
    assert_eq!(sim.ends(), "stopped 5");
    assert_eq!(sim.effects(), ["M"]);
}

#[test]
fn manual_steps_are_the_action_or_confirmed_before_it() {
    let by_hand = "execution_details: {manual_steps: [turn the key]}";
    let mut sim = Sim::new(one(&[step("M", 1, by_hand)]));
    assert_eq!(sim.ends(), "waiting 6");
    sim.reject("M").unwrap();
    assert_eq!(sim.ends(), "stopped 4");
    let beside = "execution_details: {commands: ['do it'], manual_steps: [tell everyone]}";
    let mut sim = Sim::new(one(&[step("M", 1, beside)]));
    assert_eq!(sim.ends(), "waiting 6");
    assert_eq!(sim.story(), "begin P1");
    sim.attest("M.manual_steps.0").unwrap();
    assert_eq!(sim.ends(), "completed 0");
}

#[test]
fn a_watched_step_is_measured_until_its_time_is_over() {
    let more = format!(
        "observe: {{for: 3m, every: 1m}}, validation: {{validation_checks: [{}]}}",
        check("up")
    );
    let program = || one(&[step("A", 1, &more)]);
    let mut sim = Sim::new(program());
    assert_eq!(sim.ends(), "completed 0");
    assert_eq!(
        sim.story(),
        "begin P1, start A, A ok, watch A, look at A, look at A, look at A, done A, end P1, complete"
    );
    let mut sim =
        Sim::new(program()).verdicts("A.validation_checks.0", &[Verdict::Pass, Verdict::Fail]);
    assert_eq!(sim.ends(), "stopped 4");
}

#[test]
fn what_is_left_out_does_not_run_and_keeps_its_gates_closed() {
    let gate = "validation_gate: {gate_id: G, name: g, criteria: []}";
    let program = || {
        plan(
            &[
                phase(1, gate, &[step("A", 1, "")]),
                phase(
                    2,
                    "validation_gate: {gate_id: H, name: h, criteria: []}",
                    &[step("B", 1, ""), step("C", 2, "")],
                ),
                phase(3, "", &[step("D", 1, "")]),
            ],
            "",
        )
    };
    let left = |ids: &[&str]| Start {
        left_out: ids.iter().map(|id| step_id(id)).collect(),
        ..Start::default()
    };
    let mut sim = Sim::started(program(), left(&["A", "C"]));
    assert_eq!(sim.ends(), "stopped 5");
    assert_eq!(sim.story(), "begin P2, start B, B ok, done B, hold H, stop");
    let mut sim = Sim::started(program(), left(&["D"]));
    assert_eq!(sim.ends(), "stopped 5");
    assert!(sim.story().ends_with("open H, end P2, stop"));
}

#[test]
fn unattested_lets_checks_pass_but_never_in_production() {
    let more = "validation: {validation_checks: [no complaints]}";
    let start = |production| Start {
        unattested: true,
        production,
        ..Start::default()
    };
    let mut sim = Sim::started(one(&[step("A", 1, more)]), start(false));
    assert_eq!(sim.ends(), "completed 0");
    assert_eq!(sim.state.deviations.len(), 1);
    let mut sim = Sim::started(one(&[step("A", 1, more)]), start(true));
    assert_eq!(sim.ends(), "waiting 6");
    // Nobody's word neither does a step nor settles one.
    let by_hand = "execution_details: {manual_steps: [turn the key]}";
    let mut sim = Sim::started(one(&[step("M", 1, by_hand)]), start(false));
    assert_eq!(sim.ends(), "waiting 6");
    let mut sim = Sim::started(
        one(&[step("A", 1, "done_if: {check: it is on, manual: true}")]),
        start(false),
    )
    .outcomes("A", &[Outcome::Unknown]);
    assert_eq!(sim.ends(), "stuck 7");
}

#[test]
fn the_gate_of_completion_decides_the_end() {
    let mut sim = Sim::new(plan(
        &[phase(1, "", &[step("A", 1, "")])],
        "success_criteria: {migration_complete_definition: {criteria: [All phases completed], approvers: [Cy]}}",
    ));
    assert_eq!(sim.ends(), "waiting 6");
    sim.approve("migration_complete_definition", "cy ").unwrap();
    assert_eq!(sim.ends(), "completed 0");
}

#[test]
fn an_outcome_is_taken_once() {
    let started = Event::StepStarted {
        step: step_id("A"),
        attempt: 1,
    };
    let ended = |attempt| Input::ActionEnded {
        step: step_id("A"),
        attempt,
        outcome: Outcome::Succeeded,
        proof: Proof::of("exit 0"),
    };
    let begun = Event::PhaseStarted {
        phase: PhaseId::parse("P1").unwrap(),
    };
    let sim = given(one(&[step("A", 1, ""), step("B", 2, "")]))
        .after([begun, started])
        .on(ended(1))
        .emits(["A ok"])
        .then_wants(["done A"]);
    assert_eq!(sim.refuses(ended(1)), "that attempt has ended already");
    assert_eq!(sim.refuses(ended(2)), "that attempt has ended already");
}

#[test]
fn the_policy_of_the_command_line_wins() {
    let start = Start {
        on_failure: Some(OnFailure::Full),
        ..Start::default()
    };
    let mut sim = Sim::started(one(&[step("A", 1, ""), step("B", 2, "")]), start)
        .outcomes("B", &[Outcome::Failed]);
    assert_eq!(sim.ends(), "rolled_back 4");
}
