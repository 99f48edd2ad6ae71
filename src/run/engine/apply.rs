//! The one table of what may follow what.

use super::event::{Event, Ground, Record};
use super::state::{
    GateStage, Life, PhaseState, Stage, State, UndoStage, UndoState, Unwinding, WindowState,
};
use crate::base::id::{GateId, PhaseId, StepId};
use crate::plan::program::{Program, UndoUnit};

/// A record that may not follow the ones before it: the journal is damaged, or was written for another plan.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("record {n} ({what}) may not follow the ones before it: {why}")]
pub struct Illegal {
    /// The record's number.
    pub n: u64,
    /// Its type.
    pub what: String,
    /// The rule that it breaks.
    pub why: String,
}

type Checked = Result<(), String>;

fn ensure(holds: bool, why: &str) -> Checked {
    if holds { Ok(()) } else { Err(why.to_owned()) }
}

impl State {
    /// Folds one record in. On an error the state is as it was.
    ///
    /// # Errors
    /// [`Illegal`] when the record may not come now.
    pub fn apply(&mut self, program: &Program, record: &Record) -> Result<(), Illegal> {
        let illegal = |why: String| Illegal {
            n: record.n,
            what: serde_json::to_value(&record.event)
                .ok()
                .and_then(|v| v.get("type").and_then(|t| t.as_str().map(str::to_owned)))
                .unwrap_or_default(),
            why,
        };
        let due = self.last.map_or(1, |(n, _)| n + 1);
        ensure(record.n == due, &format!("record {due} is due")).map_err(illegal)?;
        self.legal(program, &record.event).map_err(illegal)?;
        self.fold(program, record);
        self.last = Some((record.n, record.at));
        if !matches!(
            record.event,
            Event::Approved { .. }
                | Event::Attested { .. }
                | Event::DriverAttached { .. }
                | Event::DriverLeft { .. }
        ) {
            self.progressed_at = Some(record.at);
        }
        Ok(())
    }

    fn step_at(&self, program: &Program, id: &StepId) -> Result<usize, String> {
        program
            .step_index(id)
            .ok_or_else(|| format!("the plan has no step {id}"))
    }

    fn gate_at(&self, program: &Program, id: &GateId) -> Result<usize, String> {
        program
            .gate_index(id)
            .ok_or_else(|| format!("the plan has no gate {id}"))
    }

    fn phase_at(&self, program: &Program, id: &PhaseId) -> Result<usize, String> {
        program
            .phase_index(id)
            .ok_or_else(|| format!("the plan has no phase {id}"))
    }

    fn forward(&self) -> Checked {
        ensure(self.life == Life::Running, "the run is not going on")?;
        ensure(self.unwinding.is_none(), "an undo is going on")
    }

    fn undo(&self, unit: &UndoUnit) -> Result<(&Unwinding, UndoState), String> {
        let unwinding = self.unwinding.as_ref().ok_or("no undo is going on")?;
        ensure(unwinding.approved, "the undo has not been approved")?;
        ensure(
            unwinding.units.contains(unit),
            "this undo does not include it",
        )?;
        Ok((
            unwinding,
            unwinding.progress.get(unit).cloned().unwrap_or_default(),
        ))
    }

    fn legal(&self, program: &Program, event: &Event) -> Checked {
        if !matches!(event, Event::RunStarted(_)) {
            ensure(self.started.is_some(), "a run begins with run_started")?;
        }
        match event {
            Event::RunStarted(_) => ensure(self.started.is_none(), "a run starts once"),
            Event::DriverAttached { epoch, .. } => {
                ensure(*epoch > self.epoch, "epochs grow")?;
                ensure(
                    !matches!(self.life, Life::RolledBack | Life::Abandoned),
                    "the run is over",
                )
            }
            Event::DriverLeft { .. }
            | Event::InterruptRequested { .. }
            | Event::DriftFound { .. }
            | Event::TornTailDropped { .. } => Ok(()),
            Event::DriftAccepted { .. } => ensure(!self.is_final(), "the run is over"),
            Event::WindowEntered { .. } | Event::WindowOverridden { .. } => ensure(
                self.window == WindowState::Unchecked,
                "the window was judged already",
            ),
            Event::CheckJudged {
                item, block, index, ..
            }
            | Event::Attested {
                item, block, index, ..
            } => {
                let checks = program.block(block);
                let check = checks.get(*index).ok_or("the plan has no such check")?;
                ensure(check.id == *item, "the check has another id in this plan")?;
                ensure(
                    self.judged(block, *index).is_none(),
                    "it was judged already",
                )
            }
            Event::CheckReset { block, index, .. } => ensure(
                self.judged(block, *index).is_some(),
                "it has not been judged",
            ),
            Event::BlockFailed { .. } | Event::RunStopped { .. } => self.forward(),
            Event::PhaseStarted { phase } => {
                self.forward()?;
                let i = self.phase_at(program, phase)?;
                ensure(self.phases[i] == PhaseState::Waiting, "it started already")
            }
            Event::PhasePassed { phase } => {
                self.forward()?;
                let i = self.phase_at(program, phase)?;
                ensure(self.phases[i] == PhaseState::Started, "it is not going on")?;
                ensure(
                    program.phases[i]
                        .steps
                        .iter()
                        .all(|&s| self.steps[s].stage == Stage::Succeeded),
                    "one of its steps has not succeeded",
                )?;
                ensure(
                    program.phases[i]
                        .gates
                        .iter()
                        .all(|&g| self.gates[g].stage == GateStage::Passed),
                    "one of its gates is closed",
                )
            }
            Event::StepStarted { step, attempt } => {
                self.forward()?;
                let i = self.step_at(program, step)?;
                let state = &self.steps[i];
                ensure(
                    state.stage == Stage::Pending && !state.left_out,
                    "it is not waiting to start",
                )?;
                ensure(*attempt == state.attempt + 1, "attempts count up by one")?;
                ensure(
                    self.phases[program.steps[i].phase] == PhaseState::Started,
                    "its phase has not started or is over",
                )
            }
            Event::ActionEnded { step, attempt, .. } => {
                let i = self.step_at(program, step)?;
                ensure(
                    self.steps[i].stage == Stage::Acting,
                    "its action is not going on",
                )?;
                ensure(
                    *attempt == self.steps[i].attempt,
                    "it is another attempt's outcome",
                )
            }
            Event::StepObserving { step, .. } | Event::StepSucceeded { step, .. } => {
                self.forward()?;
                let i = self.step_at(program, step)?;
                ensure(
                    matches!(
                        self.steps[i].stage,
                        Stage::Validating | Stage::Observing { .. }
                    ),
                    "its action has not succeeded",
                )
            }
            Event::StepRemeasured { step } => {
                self.forward()?;
                let i = self.step_at(program, step)?;
                ensure(
                    matches!(self.steps[i].stage, Stage::Observing { .. }),
                    "it is not watched",
                )
            }
            Event::StepFailed { step, .. } => {
                let i = self.step_at(program, step)?;
                ensure(
                    matches!(
                        self.steps[i].stage,
                        Stage::Pending
                            | Stage::Validating
                            | Stage::Observing { .. }
                            | Stage::Unknown { .. }
                    ),
                    "it is not going on",
                )
            }
            Event::StepSettled { step, ground, .. } => {
                let i = self.step_at(program, step)?;
                let open = match ground {
                    Ground::NeverStarted => self.steps[i].stage == Stage::Acting,
                    Ground::DoneIf | Ground::Idempotent | Ground::Person(_) => matches!(
                        self.steps[i].stage,
                        Stage::Unknown { .. } | Stage::Failed { .. }
                    ),
                };
                ensure(open, "its outcome is known")
            }
            Event::StepRetried { step } => {
                self.forward()?;
                let i = self.step_at(program, step)?;
                ensure(
                    matches!(self.steps[i].stage, Stage::Failed { .. }),
                    "it has not failed",
                )
            }
            Event::GateOpened { gate, attempt } => {
                self.forward()?;
                let i = self.gate_at(program, gate)?;
                ensure(
                    self.gates[i].stage == GateStage::Closed,
                    "it was opened already",
                )?;
                ensure(
                    *attempt == self.gates[i].attempt + 1,
                    "attempts count up by one",
                )
            }
            Event::GateMeasured { gate } => {
                self.gate_in(program, gate, |s| *s == GateStage::Measuring)
            }
            Event::Approved { gate, .. }
            | Event::GateRefused { gate, .. }
            | Event::GateRemeasured { gate } => {
                self.gate_in(program, gate, |s| *s == GateStage::Approving)
            }
            Event::GatePassed { gate } => {
                self.forward()?;
                self.gate_in(program, gate, |s| {
                    matches!(s, GateStage::Measuring | GateStage::Approving)
                })
            }
            Event::GateFailed { gate, .. } => {
                self.gate_in(program, gate, |s| *s == GateStage::Measuring)
            }
            Event::GateHeld { gate, .. } => {
                self.gate_in(program, gate, |s| *s == GateStage::Closed)
            }
            Event::GateDecided { gate, .. } => self.gate_in(program, gate, |s| {
                matches!(s, GateStage::Failed(_) | GateStage::Refused(_))
            }),
            Event::RollbackRequested { .. } => {
                ensure(
                    !matches!(self.life, Life::RolledBack | Life::Abandoned | Life::New),
                    "the run is over",
                )?;
                ensure(
                    self.unwinding.is_none() && self.requested.is_none(),
                    "an undo is going on",
                )
            }
            Event::UnwindingStarted { .. } => {
                self.forward()?;
                ensure(!self.is_acting(), "a step is still going on")
            }
            Event::UnwindingApproved { level, .. } | Event::UnwindingRefused { level, .. } => {
                let unwinding = self.unwinding.as_ref().ok_or("no undo is going on")?;
                ensure(
                    unwinding.level == *level && !unwinding.approved,
                    "it does not wait for approval",
                )
            }
            Event::UndoStarted {
                unit,
                attempt,
                piece,
            } => {
                let (_, progress) = self.undo(unit)?;
                ensure(progress.stage == UndoStage::Ready, "it is not ready")?;
                ensure(
                    *piece >= progress.piece && *attempt == progress.attempt.max(1),
                    "another piece is due",
                )
            }
            Event::UndoEnded {
                unit,
                attempt,
                piece,
                ..
            } => {
                let (_, progress) = self.undo(unit)?;
                ensure(
                    progress.stage == UndoStage::Acting
                        && *piece == progress.piece
                        && *attempt == progress.attempt,
                    "it is not going on",
                )
            }
            Event::UndoNotStarted { unit } => {
                let (_, progress) = self.undo(unit)?;
                ensure(progress.stage == UndoStage::Acting, "it is not going on")
            }
            Event::UnitUndone { unit }
            | Event::UnitLeft { unit, .. }
            | Event::UndoFailed { unit, .. } => {
                let (_, progress) = self.undo(unit)?;
                ensure(progress.stage == UndoStage::Ready, "it is not ready")
            }
            Event::UndoSettled { unit, .. } => {
                let (_, progress) = self.undo(unit)?;
                ensure(
                    matches!(progress.stage, UndoStage::Failed(_) | UndoStage::Unknown),
                    "it is not stuck",
                )
            }
            Event::UnwindingHalted { level, .. } => {
                let unwinding = self.unwinding.as_ref().ok_or("no undo is going on")?;
                ensure(unwinding.level == *level, "another level is being undone")
            }
            Event::UnwindingCompleted { level } => {
                let unwinding = self.unwinding.as_ref().ok_or("no undo is going on")?;
                ensure(unwinding.level == *level, "another level is being undone")?;
                ensure(
                    unwinding.units.iter().all(|unit| {
                        unwinding
                            .progress
                            .get(unit)
                            .is_some_and(|p| matches!(p.stage, UndoStage::Undone | UndoStage::Left))
                    }),
                    "something is not undone yet",
                )
            }
            Event::RunCompleted => {
                self.forward()?;
                ensure(
                    self.phases.iter().all(|p| *p == PhaseState::Passed),
                    "a phase has not passed",
                )
            }
            Event::RunAbandoned { .. } => ensure(!self.is_final(), "the run is over"),
        }
    }

    fn gate_in(
        &self,
        program: &Program,
        gate: &GateId,
        stage: impl Fn(&GateStage) -> bool,
    ) -> Checked {
        let i = self.gate_at(program, gate)?;
        ensure(stage(&self.gates[i].stage), "the gate is not at that point")
    }
}
