//! A small plan and runs of it, made by the engine's own rules, for the tests of this room.
#![expect(clippy::unwrap_used, reason = "tests")]

use std::path::Path;

use jiff::{SignedDuration, Timestamp};

use crate::base::id::{Digest, RunId};
use crate::plan::load::load_text;
use crate::plan::program::{Action as StepAction, Files, Program, lower};
use crate::run::engine::{
    Action, Actor, Answer, Event, Input, Outcome, Proof, Record, RunStarted, Standing, State,
    Verdict, decide, next, standing,
};

/// Two phases, parallel steps, checks of every kind, gates, levels.
pub(super) const PLAN: &str = r#"
metadata: {version: "1.0", migration_name: "Discount codes to v2"}
migration_overview: {name: "Discount codes"}
prerequisites:
  - prerequisite_id: PRE-1
    name: Backup storage
    type: infrastructure
    validation: {verification_method: "checked on Monday", status: verified}
migration_phases:
  - phase_id: PHASE-1
    name: Expand the schema
    order: 1
    duration_estimate: 10 minutes
    start_condition: ["The on-call engineer is at the desk"]
    steps:
      - step_id: STEP-1-1
        name: Add the columns
        order: 1
        type: data_migration
        execution_details: {commands: ["./add-columns.sh", "./grant.sh"]}
        validation:
          validation_checks:
            - {check: "the columns exist", command: "./columns-exist.sh"}
        rollback_procedure:
          can_rollback: true
          rollback_steps: [{run: "./drop-columns.sh"}]
        estimated_duration: 2 minutes
        responsible_party: DBA
      - step_id: STEP-1-2
        name: Deploy the reader that understands both shapes, old and new
        order: 1
        type: code_deployment
        idempotent: true
        execution_details: {commands: ["./deploy.sh reader"]}
        rollback_procedure:
          can_rollback: true
          rollback_steps: ["Put the old reader back with the release console"]
        responsible_party: Lead
    validation_gate:
      gate_id: GATE-1
      name: Ready to write
      criteria:
        - {check: "readers answer", command: "./smoke.sh"}
        - "STEP-1-1 successful"
        - "Old carts keep their totals"
      test_dataset_ids: [CART-1]
      approval_required: true
      approvers: [CTO, Lead]
      failure_response: rollback
  - phase_id: PHASE-2
    name: Switch
    order: 2
    steps:
      - step_id: STEP-2-1
        name: Switch the writers
        order: 1
        type: code_deployment
        execution_details:
          commands:
            - run: |
                set -u
                ./switch.sh v2
              timeout: 5m
        rollback_procedure: {can_rollback: false}
        estimated_duration: 30 seconds
rollback_strategy:
  on_failure: phase
  rollback_levels:
    - level: step
      trigger_conditions: ["a step fails"]
      decision_maker: DBA
      rollback_procedure: {estimated_duration: 2 minutes}
    - level: full
      trigger_conditions: ["orders are lost", "error rate above 5% for ten minutes"]
      decision_maker: CTO
      approval_required: true
      rollback_procedure: {estimated_duration: 30 minutes, automation_script: restore.sh}
"#;

struct NoFiles;

impl Files for NoFiles {
    fn exists(&self, path: &str) -> bool {
        !path.contains("CART")
    }

    fn read(&self, path: &str) -> std::io::Result<String> {
        Err(std::io::Error::other(format!("{path} is not read here")))
    }

    fn list(&self, _: &str) -> Vec<String> {
        Vec::new()
    }
}

pub(super) fn program() -> Program {
    let loaded = load_text(Path::new("plan.yaml"), PLAN).unwrap_or_else(|refused| {
        panic!(
            "{:?}",
            refused
                .findings
                .iter()
                .map(|f| &f.message)
                .collect::<Vec<_>>()
        )
    });
    lower(&loaded.plan, &NoFiles).unwrap()
}

pub(super) fn actor(name: &str) -> Actor {
    Actor {
        name: name.to_owned(),
        user: name.to_lowercase(),
        host: "ops1".to_owned(),
    }
}

/// A run in the making.
pub(super) struct Story {
    pub(super) program: Program,
    pub(super) state: State,
    pub(super) records: Vec<Record>,
    pub(super) now: Timestamp,
}

impl Story {
    /// Started and driven, nothing done yet.
    pub(super) fn new() -> Self {
        let program = program();
        let mut story = Self {
            state: State::new(&program),
            records: Vec::new(),
            now: "2026-11-21T04:00:00Z".parse().unwrap(),
            program,
        };
        let digest = Digest::of(b"plan");
        story.event(Event::RunStarted(Box::new(RunStarted {
            run: RunId::parse("0123456789ab-1").unwrap(),
            migration: story.program.name.clone(),
            plan: "plan.yaml".to_owned(),
            plan_path: "/srv/plan.yaml".to_owned(),
            plan_digest: digest.clone(),
            inputs_hash: digest,
            environment: Some("staging".to_owned()),
            production: false,
            by: actor("Ana"),
            variables: std::collections::BTreeMap::new(),
            secrets: std::collections::BTreeMap::new(),
            left_out: Vec::new(),
            left_out_because: None,
            on_failure: None,
            unattested: false,
            tool: "0.1.0".to_owned(),
        })));
        story.input(Input::Attach {
            by: actor("Ana"),
            pid: 4711,
            jobs: 2,
        });
        story
    }

    pub(super) fn event(&mut self, event: Event) {
        self.now += SignedDuration::from_secs(1);
        let record = Record {
            n: self.records.len() as u64 + 1,
            at: self.now,
            event,
        };
        self.state.apply(&self.program, &record).unwrap();
        self.records.push(record);
    }

    pub(super) fn input(&mut self, input: Input) {
        for event in decide(&self.program, &self.state, input, self.now).unwrap() {
            self.event(event);
        }
    }

    pub(super) fn answer(&mut self, item: &str, answer: Answer, name: &str) {
        self.input(Input::Answered {
            item: item.to_owned(),
            answer,
            by: actor(name),
            reason: Some("seen".to_owned()),
            evidence: None,
        });
    }

    /// Goes on until nothing can be done, or what is named in `stop` is running. What is named in `fails` fails, what is
    /// named in `unknown` ends without an outcome.
    pub(super) fn go(&mut self, stop: &[&str], fails: &[&str], unknown: &[&str]) {
        for _ in 0..200 {
            let mut actions = next(&self.program, &self.state, self.now);
            actions.retain(|a| !matches!(a, Action::Wait(_) | Action::WakeAt(_)));
            let first = actions
                .iter()
                .position(|a| matches!(a, Action::Record(_)))
                .unwrap_or(0);
            if actions.is_empty() {
                if !self.end_one(stop, fails, unknown) {
                    return;
                }
                continue;
            }
            match actions.swap_remove(first) {
                Action::Record(event) => self.event(event),
                Action::Act { step, attempt } => {
                    let step = self.program.steps[step].id.clone();
                    self.event(Event::StepStarted { step, attempt });
                }
                Action::Undo {
                    unit,
                    attempt,
                    piece,
                } => {
                    let name = unit.to_string();
                    self.event(Event::UndoStarted {
                        unit: unit.clone(),
                        attempt,
                        piece,
                    });
                    let name = format!("undo {name}");
                    let outcome = outcome(&name, fails, unknown);
                    self.input(Input::UndoEnded {
                        unit,
                        attempt,
                        piece,
                        outcome,
                        proof: proof(outcome),
                    });
                }
                Action::Probe { block, index } => {
                    let id = self.program.block(&block)[index].id.clone();
                    let (verdict, detail) = if fails.contains(&id.as_str()) {
                        (Verdict::Fail, "exit 1")
                    } else if unknown.contains(&id.as_str()) {
                        (Verdict::Inconclusive, "timed out after 60 s")
                    } else {
                        (Verdict::Pass, "exit 0")
                    };
                    self.input(Input::Judged {
                        block,
                        index,
                        verdict,
                        proof: Proof::of(detail),
                    });
                }
                Action::Wait(_) | Action::WakeAt(_) => {}
            }
        }
        panic!("the run does not come to rest");
    }

    /// Ends one running action that is not to be left running.
    fn end_one(&mut self, stop: &[&str], fails: &[&str], unknown: &[&str]) -> bool {
        let running = (0..self.program.steps.len()).find(|&i| {
            self.state.steps[i].stage == crate::run::engine::Stage::Acting
                && !stop.contains(&self.program.steps[i].id.as_str())
                && !matches!(self.program.steps[i].action, StepAction::Person(_))
        });
        let Some(i) = running else { return false };
        let step = self.program.steps[i].id.clone();
        let outcome = outcome(step.as_str(), fails, unknown);
        self.now += SignedDuration::from_secs(40);
        self.input(Input::ActionEnded {
            step,
            attempt: self.state.steps[i].attempt,
            outcome,
            proof: proof(outcome),
        });
        true
    }

    pub(super) fn standing(&self) -> Standing {
        standing(&self.program, &self.state, self.now)
    }

    /// To the gate's approvals.
    pub(super) fn to_the_gate() -> Self {
        let mut story = Self::new();
        story.go(&[], &[], &[]);
        story.answer("PHASE-1.start_condition.0", Answer::Attest, "Ana");
        story.go(&[], &[], &[]);
        story
    }

    /// Both steps of the first phase are running.
    pub(super) fn running() -> Self {
        let mut story = Self::new();
        story.go(&[], &[], &[]);
        story.answer("PHASE-1.start_condition.0", Answer::Attest, "Ana");
        story.go(&["STEP-1-1", "STEP-1-2"], &[], &[]);
        story.now += SignedDuration::from_secs(34);
        story
    }

    /// Through the gate, to where the second phase ends as said.
    pub(super) fn to_the_end(fails: &[&str], unknown: &[&str]) -> Self {
        let mut story = Self::to_the_gate();
        story.answer("GATE-1", Answer::Approve, "CTO");
        story.answer("GATE-1", Answer::Approve, "Lead");
        story.go(&[], fails, unknown);
        story
    }

    /// A step of the first phase fails, and its way back waits for a person.
    pub(super) fn undo_by_hand() -> Self {
        let mut story = Self::new();
        story.go(&[], &[], &[]);
        story.answer("PHASE-1.start_condition.0", Answer::Attest, "Ana");
        story.go(&[], &["STEP-1-2"], &[]);
        story
    }

    /// The undo of a step fails.
    pub(super) fn stuck() -> Self {
        let mut story = Self::new();
        story.go(&[], &[], &[]);
        story.answer("PHASE-1.start_condition.0", Answer::Attest, "Ana");
        story.go(&[], &["STEP-1-1", "undo STEP-1-1"], &[]);
        story
    }

    /// Every end that a picture must be able to show.
    pub(super) fn all() -> Vec<(&'static str, Self)> {
        let mut fresh = Self::new();
        fresh.go(&[], &[], &[]);
        let mut refused = Self::to_the_gate();
        refused.answer("GATE-1", Answer::Reject, "CTO");
        refused.go(&[], &[], &[]);
        let mut unclear = Self::new();
        unclear.go(&[], &[], &[]);
        unclear.answer("PHASE-1.start_condition.0", Answer::Attest, "Ana");
        unclear.go(&[], &[], &["GATE-1.criteria.0"]);
        let mut interrupted = Self::running();
        interrupted.input(Input::Interrupt {
            signal: "SIGINT".to_owned(),
        });
        interrupted.go(&[], &[], &[]);
        vec![
            ("a start condition waits for a person", fresh),
            ("two steps are running", Self::running()),
            ("a gate waits for approvals", Self::to_the_gate()),
            ("a criterion is inconclusive", unclear),
            ("an approval was refused", refused),
            ("interrupted", interrupted),
            ("a step failed, its undo is by hand", Self::undo_by_hand()),
            ("an undo failed", Self::stuck()),
            (
                "the last step failed and has no way back",
                Self::to_the_end(&["STEP-2-1"], &[]),
            ),
            (
                "nobody knows what the last step did",
                Self::to_the_end(&[], &["STEP-2-1"]),
            ),
            ("completed", Self::to_the_end(&[], &[])),
        ]
    }
}

fn outcome(name: &str, fails: &[&str], unknown: &[&str]) -> Outcome {
    if fails.contains(&name) {
        Outcome::Failed
    } else if unknown.contains(&name) {
        Outcome::Unknown
    } else {
        Outcome::Succeeded
    }
}

fn proof(outcome: Outcome) -> Proof {
    let detail = match outcome {
        Outcome::Succeeded => "exit 0",
        Outcome::Failed => "exit 3 from ./switch.sh",
        Outcome::Unknown => "timed out after 5 min; its processes were ended",
    };
    Proof {
        detail: detail.to_owned(),
        duration_ms: Some(40_200),
        tail: (outcome != Outcome::Succeeded)
            .then(|| "connecting\nrefused \u{1b}[31mby db1\u{1b}[0m\n".to_owned()),
        ..Proof::default()
    }
}
