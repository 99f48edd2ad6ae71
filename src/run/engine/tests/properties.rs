//! Random plans, random luck, random people, random crashes: what must hold whatever happens.
//!
//! The rules about single records are in [`super::sim`], which checks them at every record of every test.

use proptest::collection::vec;
use proptest::prelude::*;

use super::plans::{phase, plan, step};
use super::sim::{Settle, Sim, Start, who};
use crate::base::id::Digest;
use crate::plan::program::Level;
use crate::run::engine::{Answer, Input, Resolution, RunState};

#[derive(Debug, Clone)]
struct StepSpec {
    order: u32,
    /// Bits that name earlier steps of the phase; none: by order.
    after: Option<u8>,
    traits: u8,
    undo: u8,
    attempts: u8,
    gate: Option<u8>,
}

#[derive(Debug, Clone)]
struct PhaseSpec {
    steps: Vec<StepSpec>,
    gate: Option<(u8, bool)>,
    point: u8,
    start: bool,
}

#[derive(Debug, Clone)]
struct Spec {
    phases: Vec<PhaseSpec>,
    policy: u8,
    levels: u8,
}

fn specs() -> impl Strategy<Value = Spec> {
    let step = (
        1..4_u32,
        prop::option::weighted(0.3, any::<u8>()),
        any::<u8>(),
        0..8_u8,
        1..3_u8,
        prop::option::weighted(0.15, 0..3_u8),
    )
        .prop_map(|(order, after, traits, undo, attempts, gate)| StepSpec {
            order,
            after,
            traits,
            undo,
            attempts,
            gate,
        });
    let phase = (
        vec(step, 1..4),
        prop::option::of((0..3_u8, any::<bool>())),
        0..6_u8,
        prop::bool::weighted(0.2),
    )
        .prop_map(|(steps, gate, point, start)| PhaseSpec {
            steps,
            gate,
            point,
            start,
        });
    (vec(phase, 1..4), 0..3_u8, any::<u8>()).prop_map(|(phases, policy, levels)| Spec {
        phases,
        policy,
        levels,
    })
}

const RESPONSES: [&str; 3] = ["block", "rollback", "manual_decision"];
const REVIEWS: [&str; 3] = ["block", "rollback", "manual_review"];

impl Spec {
    fn sim(&self, jobs: usize) -> Sim {
        let mut gates = Vec::new();
        let mut phases = Vec::new();
        for (p, spec) in (1..).zip(&self.phases) {
            let mut steps = Vec::new();
            for (s, spec) in spec.steps.iter().enumerate() {
                steps.push(spec.text(p, s));
                if let Some(response) = spec.gate {
                    gates.push(format!(
                        "{{gate_id: G{p}{s}, name: g, type: automated, location: S{p}{s}, \
                         criteria: [{{criterion: good, measurement: {{command: test}}}}], \
                         failure_handling: {{response: {}}}}}",
                        REVIEWS[usize::from(response)]
                    ));
                }
            }
            phases.push(phase(p, &spec.text(p), &steps));
        }
        let policy = ["stop", "phase", "full"][usize::from(self.policy)];
        let level = |name: &str, bit: u8| {
            format!(
                "{{level: {name}, approval_required: {}, decision_maker: Eve, replaces_steps: {}, \
                 rollback_procedure: {{automation_script: back.sh}}, \
                 validation: {{post_rollback_checks: [{{check: as before, command: test}}]}}}}",
                self.levels & bit != 0,
                self.levels & bit << 1 != 0 && self.levels & 64 != 0
            )
        };
        let more = format!(
            "rollback_strategy: {{on_failure: {policy}, rollback_levels: [{}, {}, {}]}}\n\
             validation_strategy: {{validation_gates: [{}]}}",
            level("step", 1),
            level("phase", 4),
            level("full", 16),
            gates.join(", ")
        );
        let start = Start {
            jobs,
            ..Start::default()
        };
        Sim::started(plan(&phases, &more), start)
    }
}

impl PhaseSpec {
    fn text(&self, p: u32) -> String {
        let mut parts = Vec::new();
        if let Some((response, approved)) = self.gate {
            let approvers = if approved {
                ", approvers: [Ada, Bob]"
            } else {
                ""
            };
            parts.push(format!(
                "validation_gate: {{gate_id: G{p}, name: g, criteria: [{{check: good, command: test}}]\
                 {approvers}, failure_response: {}}}",
                RESPONSES[usize::from(response)]
            ));
        }
        match self.point {
            0 => parts.push("rollback_point: {can_rollback_from_here: false}".to_owned()),
            1 => parts.push(
                "rollback_point: {rollback_procedure: {steps: [{run: x}, by hand, {run: y}]}, \
                 rollback_test_id: PT}"
                    .to_owned(),
            ),
            _ => {}
        }
        if self.start {
            parts.push("start_condition: [{check: calm, command: test}]".to_owned());
        }
        parts.join(", ")
    }
}

impl StepSpec {
    fn text(&self, p: u32, s: usize) -> String {
        let has = |bit: u8| self.traits & bit != 0;
        let mut parts = Vec::new();
        if let Some(bits) = self.after {
            let ids: Vec<String> = (0..s)
                .filter(|d| bits & (1 << d) != 0)
                .map(|d| format!("S{p}{d}"))
                .collect();
            parts.push(format!("depends_on: [{}]", ids.join(", ")));
        }
        if has(1) {
            parts.push("idempotent: true".to_owned());
        }
        if has(2) && has(4) {
            parts.push("effect: none".to_owned());
        }
        if has(8) {
            parts.push("done_if: {check: it is there, command: test}".to_owned());
        }
        if has(16) && has(32) {
            parts.push("execution_details: {manual_steps: [turn the key]}".to_owned());
        } else if has(16) {
            parts.push("preconditions: [{check: ready, command: test}]".to_owned());
        }
        match (has(64), has(128)) {
            (true, true) => parts.push("validation: {validation_checks: [no complaints]}".to_owned()),
            (true, false) => parts.push(
                "observe: {for: 2m, every: 1m}, validation: {validation_checks: [{check: up, command: test}]}"
                    .to_owned(),
            ),
            (false, true) => {
                parts.push("validation: {validation_checks: [{check: up, command: test}]}".to_owned());
            }
            (false, false) => {}
        }
        if self.attempts > 1 {
            parts.push(format!(
                "retry: {{attempts: {}, backoff: 5s}}",
                self.attempts
            ));
        }
        match self.undo {
            0 => parts.push("rollback_procedure: {can_rollback: false}".to_owned()),
            1 => parts.push("rollback_procedure: {rollback_steps: [{run: a}, by hand, {run: b}]}".to_owned()),
            2 => parts.push(
                "rollback_procedure: {only_if: {check: used, command: test}, rollback_steps: [{run: a}], \
                 rollback_test_id: RT}"
                    .to_owned(),
            ),
            _ => {}
        }
        step(&format!("S{p}{s}"), self.order, &parts.join(", "))
    }
}

/// What comes from outside.
#[derive(Debug, Clone)]
enum Move {
    Play(u8),
    Land,
    Crash(u8),
    Interrupt,
    Answer(u8, u8),
    Rollback(u8, u8),
    Drift,
    Later(u16),
}

fn moves() -> impl Strategy<Value = Vec<Move>> {
    let one = prop_oneof![
        6 => (1..20_u8).prop_map(Move::Play),
        2 => Just(Move::Land),
        3 => (0..3_u8).prop_map(Move::Crash),
        1 => Just(Move::Interrupt),
        6 => (any::<u8>(), any::<u8>()).prop_map(|(which, how)| Move::Answer(which, how)),
        1 => (0..3_u8, any::<u8>()).prop_map(|(level, target)| Move::Rollback(level, target)),
        1 => Just(Move::Drift),
        1 => (0..2000_u16).prop_map(Move::Later),
    ];
    vec(one, 0..30)
}

const ANSWERS: [Answer; 9] = [
    Answer::Approve,
    Answer::Attest,
    Answer::Reject,
    Answer::Resolve(Resolution::Done),
    Answer::Resolve(Resolution::Undone),
    Answer::Resolve(Resolution::Retry),
    Answer::Resolve(Resolution::Proceed),
    Answer::Resolve(Resolution::Rollback),
    Answer::Resolve(Resolution::Abandon),
];

impl Sim {
    fn over(&self) -> bool {
        matches!(
            self.standing().state,
            RunState::Completed | RunState::RolledBack | RunState::Abandoned
        )
    }

    fn accept_drift(&mut self) {
        if !self.state.drift.is_empty() && !self.over() {
            self.input(Input::AcceptDrift {
                files: self.state.drift.clone(),
                plan_digest: Digest::of(&self.journal.len().to_le_bytes()),
                inputs_hash: Digest::of(b"inputs"),
                by: who("Ada"),
                reason: "meant".to_owned(),
            })
            .unwrap();
        }
    }

    fn make(&mut self, one: &Move) {
        match one {
            Move::Play(times) => {
                for _ in 0..*times {
                    if !self.step() {
                        self.run();
                        break;
                    }
                }
            }
            Move::Land => {
                self.land();
            }
            Move::Crash(_) if self.over() => {}
            Move::Crash(how) => {
                *self = self.cut(self.journal.len());
                self.resume(
                    [Settle::Known, Settle::Unknown, Settle::NeverStarted][usize::from(*how)],
                );
                // Recovering twice is recovering once.
                let wants = self.wants();
                let mut twice = self.cut(self.journal.len());
                twice.resume(Settle::Known);
                assert_eq!(twice.wants(), wants, "{}", self.whole_story());
            }
            Move::Interrupt if self.state.interrupted || self.over() => {}
            Move::Interrupt => self.interrupt(),
            Move::Answer(which, how) => {
                let waiting = self.standing().waiting;
                let Some(wait) = waiting.get(usize::from(*which) % waiting.len().max(1)) else {
                    return;
                };
                let by = wait.who.first().map_or("Ada", String::as_str).to_owned();
                // Most answers make no sense: then nothing may change.
                let before = self.journal.len();
                if self
                    .answer(&wait.item, ANSWERS[usize::from(*how) % ANSWERS.len()], &by)
                    .is_err()
                {
                    assert_eq!(self.journal.len(), before);
                }
            }
            Move::Rollback(level, target) => {
                let level = [Level::Step, Level::Phase, Level::Full][usize::from(*level)];
                let target = match level {
                    Level::Step => {
                        let i = usize::from(*target) % self.program.steps.len();
                        Some(self.program.steps[i].id.to_string())
                    }
                    Level::Phase => {
                        let i = usize::from(*target) % self.program.phases.len();
                        Some(self.program.phases[i].id.to_string())
                    }
                    Level::Full => (target % 2 == 0).then(|| "P1".to_owned()),
                };
                // Refused where it would harm.
                let _ = self.rollback(level, target.as_deref());
            }
            Move::Drift => {
                if self.state.drift.is_empty() && !self.over() {
                    let files = vec!["x.sh".to_owned()];
                    self.input(Input::Drift { files }).unwrap();
                } else {
                    self.accept_drift();
                }
            }
            Move::Later(seconds) => self.now += jiff::SignedDuration::from_secs((*seconds).into()),
        }
    }

    /// From now on everything goes well and everyone helps: the run comes to an end.
    fn come_to_an_end(&mut self) {
        self.dice = None;
        for _ in 0..40 {
            self.run_and_answer();
            if self.over() {
                return;
            }
            self.accept_drift();
            if self
                .standing()
                .why
                .is_some_and(|why| why.contains("can never start"))
            {
                return;
            }
            self.resume(Settle::Known);
        }
        panic!(
            "it comes to no end: {:?}\n{}",
            self.standing(),
            self.whole_story()
        );
    }
}

proptest! {
    #![proptest_config(ProptestConfig {
        max_shrink_iters: 2_000,
        failure_persistence: None,
        ..ProptestConfig::default()
    })]

    #[test]
    fn whatever_happens_the_rules_hold_and_the_run_can_be_brought_to_an_end(
        spec in specs(),
        jobs in 1..4_usize,
        luck in any::<u64>(),
        moves in moves(),
        cuts in vec(any::<prop::sample::Index>(), 3),
    ) {
        let mut sim = spec.sim(jobs);
        sim.dice = Some(luck);
        for one in &moves {
            sim.make(one);
        }
        sim.run();
        for cut in cuts {
            let mut part = sim.cut(1 + cut.index(sim.journal.len()));
            if !part.over() {
                part.resume(Settle::Known);
                part.run();
                part.come_to_an_end();
            }
        }
        if !sim.over() {
            sim.come_to_an_end();
        }
    }
}
