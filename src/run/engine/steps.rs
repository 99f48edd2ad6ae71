//! A phase and its steps: what may start, what is evaluated, what has ended.

use jiff::{SignedDuration, Timestamp};

use super::event::*;
use super::next::{Action, Walk};
use super::state::*;
use crate::plan::program::{Action as StepAction, After, BlockId, GateResponse};

impl Walk<'_> {
    /// One phase; true when the walk may go on to the next one.
    pub(super) fn phase(&mut self, index: usize) -> bool {
        let program = self.program;
        let phase = &program.phases[index];
        if self.state.phases[index] == PhaseState::Waiting {
            if self.holds(&BlockId::Start(phase.id.clone())) {
                self.record(Event::PhaseStarted {
                    phase: phase.id.clone(),
                });
            }
            return false;
        }
        let complete = self.steps(index);
        if !complete {
            return false;
        }
        let left_out: Vec<_> = phase
            .steps
            .iter()
            .filter(|&&s| self.state.steps[s].left_out)
            .map(|&s| program.steps[s].id.clone())
            .collect();
        if left_out.is_empty() {
            let mut open = true;
            for &gate in &phase.gates {
                open &= self.gate(gate);
            }
            if open {
                self.record(Event::PhasePassed {
                    phase: phase.id.clone(),
                });
            }
            return false;
        }
        if phase.gates.is_empty() {
            return true;
        }
        for &gate in &phase.gates {
            if self.state.gates[gate].stage == GateStage::Closed {
                let gate = program.gates[gate].id.clone();
                self.record(Event::GateHeld {
                    gate,
                    left_out: left_out.clone(),
                });
                return false;
            }
        }
        let names: Vec<&str> = phase
            .gates
            .iter()
            .map(|&g| program.gates[g].id.as_str())
            .collect();
        let why = format!(
            "{} stays closed, because steps under it were left out",
            names.join(", ")
        );
        self.record(Event::RunStopped { why });
        false
    }

    /// The steps of a phase; true when every one that is not left out has succeeded and its gates are open.
    pub(super) fn steps(&mut self, phase: usize) -> bool {
        let (program, state) = (self.program, self.state);
        let steps = &program.phases[phase].steps;
        let ended = |i: usize| {
            state.steps[i].left_out
                || (state.steps[i].stage == Stage::Succeeded
                    && program.steps[i]
                        .gates
                        .iter()
                        .all(|&g| state.gates[g].stage == GateStage::Passed))
        };
        let lowest = steps
            .iter()
            .filter(|&&i| !ended(i))
            .map(|&i| program.steps[i].order)
            .min();
        let Some(lowest) = lowest else { return true };
        let mut running = steps
            .iter()
            .filter(|&&i| matches!(state.steps[i].stage, Stage::Acting | Stage::Validating))
            .count();
        // A gate that is about to undo the phase lets nothing new start; what runs is carried to its end.
        let going_back = steps
            .iter()
            .flat_map(|&i| &program.steps[i].gates)
            .any(|&g| {
                matches!(
                    state.gates[g].stage,
                    GateStage::Failed(GateResponse::Rollback) | GateStage::RollingBack
                )
            });
        for &i in steps {
            let step = &program.steps[i];
            match state.steps[i].stage {
                Stage::Pending if state.steps[i].left_out => {}
                Stage::Pending => {
                    let ready = match &step.after {
                        After::LowerOrders => step.order <= lowest,
                        After::Exactly(all) => all.iter().all(|&d| ended(d)),
                    };
                    if ready && !going_back && running < state.jobs && self.prepare(i) {
                        running += 1;
                        self.push(Action::Act {
                            step: i,
                            attempt: state.steps[i].attempt + 1,
                        });
                    }
                }
                Stage::Acting => self.acting(i),
                Stage::Validating => self.validate(i),
                Stage::Observing { until, measured } => self.observe(i, until, measured),
                Stage::Succeeded => {
                    for &gate in &step.gates {
                        self.gate(gate);
                    }
                }
                Stage::Failed { .. } | Stage::Unknown { .. } => {}
            }
        }
        false
    }

    /// Preconditions and confirmations; true when the action may start.
    pub(super) fn prepare(&mut self, i: usize) -> bool {
        let program = self.program;
        let step = &program.steps[i];
        for block in [
            BlockId::Preconditions(step.id.clone()),
            BlockId::Confirm(step.id.clone()),
        ] {
            match self.evaluate(&block, step.responsible.as_deref()) {
                BlockVerdict::Pass => {}
                BlockVerdict::Fail => {
                    let why = self.failed_items(&block);
                    let attempt = self.state.steps[i].attempt;
                    self.record(Event::StepFailed {
                        step: step.id.clone(),
                        attempt,
                        effect: false,
                        why,
                    });
                    return false;
                }
                BlockVerdict::Inconclusive | BlockVerdict::Evaluate(_) | BlockVerdict::People => {
                    return false;
                }
            }
        }
        true
    }

    /// A manual action ends when its items are answered; every other one ends by itself.
    pub(super) fn acting(&mut self, i: usize) {
        let program = self.program;
        let step = &program.steps[i];
        if !matches!(step.action, StepAction::Person(_)) {
            return;
        }
        let block = BlockId::Manual(step.id.clone());
        let outcome = match self.evaluate(&block, step.responsible.as_deref()) {
            BlockVerdict::Pass => Outcome::Succeeded,
            BlockVerdict::Fail => Outcome::Failed,
            BlockVerdict::Inconclusive | BlockVerdict::Evaluate(_) | BlockVerdict::People => return,
        };
        let detail = match outcome {
            Outcome::Failed => format!("not done: {}", self.failed_items(&block)),
            Outcome::Succeeded | Outcome::Unknown => "done by hand".to_owned(),
        };
        let attempt = self.state.steps[i].attempt;
        self.record(Event::ActionEnded {
            step: step.id.clone(),
            attempt,
            outcome,
            proof: Proof::of(detail),
        });
    }

    pub(super) fn validate(&mut self, i: usize) {
        let program = self.program;
        let step = &program.steps[i];
        let attempt = self.state.steps[i].attempt;
        let block = BlockId::Validation(step.id.clone());
        match self.evaluate(&block, step.responsible.as_deref()) {
            BlockVerdict::Pass => {
                let event = match step.observe {
                    Some(observe) => {
                        let length = SignedDuration::from_millis(
                            i64::try_from(observe.for_ms).unwrap_or(i64::MAX / 2),
                        );
                        Event::StepObserving {
                            step: step.id.clone(),
                            until: self.at + length,
                        }
                    }
                    None => Event::StepSucceeded {
                        step: step.id.clone(),
                        attempt,
                    },
                };
                self.record(event);
            }
            BlockVerdict::Fail => {
                let why = self.failed_items(&block);
                self.record(Event::StepFailed {
                    step: step.id.clone(),
                    attempt,
                    effect: true,
                    why,
                });
            }
            BlockVerdict::Inconclusive | BlockVerdict::Evaluate(_) | BlockVerdict::People => {}
        }
    }

    pub(super) fn observe(&mut self, i: usize, until: Timestamp, measured: Timestamp) {
        let program = self.program;
        let step = &program.steps[i];
        let attempt = self.state.steps[i].attempt;
        let block = BlockId::Validation(step.id.clone());
        match self.evaluate(&block, step.responsible.as_deref()) {
            BlockVerdict::Pass => {}
            BlockVerdict::Fail => {
                let why = format!("while it was watched: {}", self.failed_items(&block));
                self.record(Event::StepFailed {
                    step: step.id.clone(),
                    attempt,
                    effect: true,
                    why,
                });
                return;
            }
            BlockVerdict::Inconclusive | BlockVerdict::Evaluate(_) | BlockVerdict::People => return,
        }
        if measured >= until {
            self.record(Event::StepSucceeded {
                step: step.id.clone(),
                attempt,
            });
            return;
        }
        let every = step.observe.map_or(60_000, |o| o.every_ms.max(1));
        let every = SignedDuration::from_millis(i64::try_from(every).unwrap_or(i64::MAX / 2));
        let due = (measured + every).min(until);
        if self.at >= due {
            self.record(Event::StepRemeasured {
                step: step.id.clone(),
            });
        } else {
            self.push(Action::WakeAt(due));
        }
    }
}
