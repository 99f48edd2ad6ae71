//! The one table of what may follow what.

use super::event::{Event, GateDecision, Ground, Outcome, Record, Settled, Then, Verdict};
use super::state::{
    Effect, GateStage, Judged, Life, PhaseState, Requested, Stage, State, UndoStage, UndoState,
    Unwinding, WindowState, settled_word,
};
use crate::base::id::{GateId, PhaseId, StepId};
use crate::plan::program::{Action, BlockId, GateAt, GateResponse, Program, UndoUnit};

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

    #[expect(clippy::too_many_lines, reason = "one table, one arm per event")]
    fn fold(&mut self, program: &Program, record: &Record) {
        let at = record.at;
        match &record.event {
            Event::RunStarted(start) => {
                for (i, step) in program.steps.iter().enumerate() {
                    self.steps[i].left_out = start.left_out.contains(&step.id);
                }
                if let Some(reason) = &start.left_out_because {
                    self.note(
                        at,
                        match start.left_out.len() {
                            1 => format!("1 step left out: {reason}"),
                            n => format!("{n} steps left out: {reason}"),
                        },
                    );
                }
                self.plan_digest = Some(start.plan_digest.clone());
                self.started = Some((**start).clone());
                self.started_at = Some(at);
                self.life = Life::Running;
            }
            Event::DriverAttached {
                epoch, by, jobs, ..
            } => self.attach(program, *epoch, by.clone(), *jobs),
            Event::DriverLeft { .. } => self.driver = None,
            Event::InterruptRequested { .. } => self.interrupted = true,
            Event::WindowEntered { .. } => self.window = WindowState::Entered,
            Event::WindowOverridden { by, reason } => {
                self.window = WindowState::Overridden;
                self.note(at, format!("window overridden by {}: {reason}", by.name));
            }
            Event::CheckJudged {
                block,
                index,
                verdict,
                proof,
                ..
            } => {
                self.judge(
                    program,
                    block,
                    *index,
                    Judged {
                        verdict: *verdict,
                        at,
                        person: false,
                        detail: proof.detail.clone(),
                    },
                );
            }
            Event::Attested {
                item,
                block,
                index,
                by,
                accepted,
                unattended,
                reason,
                ..
            } => {
                if *unattended {
                    self.note(at, format!("{item} passed unattested"));
                }
                let verdict = if *accepted {
                    Verdict::Pass
                } else {
                    Verdict::Fail
                };
                let mut detail = format!(
                    "{} by {}",
                    if *accepted { "attested" } else { "rejected" },
                    by.name
                );
                if let Some(reason) = reason {
                    detail = format!("{detail}: {reason}");
                }
                self.judge(
                    program,
                    block,
                    *index,
                    Judged {
                        verdict,
                        at,
                        person: true,
                        detail,
                    },
                );
            }
            Event::CheckReset { block, index, .. } => {
                if let Some(slot) = self.blocks.get_mut(block).and_then(|b| b.get_mut(*index)) {
                    *slot = None;
                }
            }
            Event::BlockFailed { block, failed } => {
                let checks = program.block(block);
                let names: Vec<String> = failed
                    .iter()
                    .map(|id| {
                        let judged = checks
                            .iter()
                            .position(|check| check.id == *id)
                            .and_then(|i| self.judged(block, i));
                        match judged {
                            Some(judged) => format!("{id} failed ({})", judged.detail),
                            None => format!("{id} failed"),
                        }
                    })
                    .collect();
                self.life = Life::Stopped(names.join(", "));
            }
            Event::PhaseStarted { phase } => self.set_phase(program, phase, PhaseState::Started),
            Event::PhasePassed { phase } => self.set_phase(program, phase, PhaseState::Passed),
            Event::StepStarted { step, attempt } => {
                self.starts += 1;
                let (start, epoch) = (self.starts, self.epoch);
                let by_hand = program
                    .step_index(step)
                    .is_some_and(|i| Self::is_manual(program, i));
                for block in [
                    BlockId::Validation(step.clone()),
                    BlockId::DoneIf(step.clone()),
                    BlockId::Manual(step.clone()),
                ] {
                    self.blocks.remove(&block);
                }
                if let Some(state) = self.step_mut(program, step) {
                    state.stage = Stage::Acting;
                    state.attempt = *attempt;
                    state.epoch = epoch;
                    state.by_hand = by_hand;
                    state.before = state.effect;
                    state.effect = Effect::May;
                    state.start = start;
                    state.intent = record.n;
                    state.started_at = Some(at);
                    state.ended_at = None;
                }
            }
            Event::ActionEnded {
                step,
                outcome,
                proof,
                ..
            } => {
                if let Some(state) = self.step_mut(program, step) {
                    state.ended_at = Some(at);
                    match outcome {
                        Outcome::Succeeded => state.stage = Stage::Validating,
                        Outcome::Failed => Self::fail(state, proof.detail.clone(), at),
                        // The epoch of the start, not of this record: a crash is settled by the driver that follows.
                        Outcome::Unknown => state.stage = Stage::Unknown { epoch: state.epoch },
                    }
                }
            }
            Event::StepObserving { step, until } => {
                if let Some(state) = self.step_mut(program, step) {
                    state.stage = Stage::Observing {
                        until: *until,
                        measured: at,
                    };
                }
            }
            Event::StepRemeasured { step } => {
                self.forget_measured(&BlockId::Validation(step.clone()));
                if let Some(Stage::Observing { measured, .. }) =
                    self.step_mut(program, step).map(|s| &mut s.stage)
                {
                    *measured = at;
                }
            }
            Event::StepSucceeded { step, .. } => {
                if let Some(state) = self.step_mut(program, step) {
                    state.stage = Stage::Succeeded;
                    state.ended_at = Some(at);
                    state.failures = 0;
                }
            }
            Event::StepFailed { step, why, .. } => {
                if let Some(state) = self.step_mut(program, step) {
                    state.ended_at = Some(at);
                    Self::fail(state, why.clone(), at);
                }
            }
            Event::StepSettled {
                step,
                how,
                ground,
                reason,
                ..
            } => self.settle(program, step, *how, ground, reason, at),
            Event::StepRetried { step } => self.begin_anew(program, step),
            Event::GateOpened { gate, attempt } => {
                self.blocks.remove(&BlockId::Gate(gate.clone()));
                if let Some(i) = program.gate_index(gate) {
                    self.gates[i].attempt = *attempt;
                    self.gates[i].stage = GateStage::Measuring;
                }
            }
            Event::GateMeasured { gate } => {
                if let Some(i) = program.gate_index(gate) {
                    self.gates[i].measured = self.epoch;
                }
                self.set_gate(program, gate, GateStage::Approving);
            }
            Event::Approved {
                gate, by, digest, ..
            } => {
                if let Some(i) = program.gate_index(gate) {
                    self.gates[i]
                        .approvals
                        .push((by.clone(), digest.clone(), at));
                }
            }
            Event::GateRefused { gate, by, .. } => {
                if let Some(i) = program.gate_index(gate) {
                    self.gates[i].approvals.clear();
                }
                self.set_gate(program, gate, GateStage::Refused(by.name.clone()));
            }
            Event::GateRemeasured { gate } => {
                self.forget_measured(&BlockId::Gate(gate.clone()));
                self.set_gate(program, gate, GateStage::Measuring);
            }
            Event::GatePassed { gate } => self.set_gate(program, gate, GateStage::Passed),
            Event::GateFailed { gate, response, .. } => {
                self.set_gate(program, gate, GateStage::Failed(*response))
            }
            Event::GateHeld { gate, .. } => self.set_gate(program, gate, GateStage::Held),
            Event::GateDecided {
                gate,
                decision,
                by,
                reason,
            } => {
                let stage = match decision {
                    GateDecision::Retry => GateStage::Closed,
                    GateDecision::Proceed => GateStage::Passed,
                    GateDecision::Rollback => GateStage::RollingBack,
                };
                if *decision == GateDecision::Proceed {
                    let reason = reason.as_deref().unwrap_or("no reason given");
                    self.note(
                        at,
                        format!("gate {gate} overridden by {}: {reason}", by.name),
                    );
                }
                self.set_gate(program, gate, stage);
            }
            Event::RollbackRequested {
                level,
                target,
                by,
                reason,
            } => {
                self.life = Life::Running;
                self.requested = Some(Requested {
                    level: *level,
                    target: target.clone(),
                    by: by.clone(),
                    reason: reason.clone(),
                });
            }
            Event::UnwindingStarted {
                level,
                units,
                covers,
                why,
                then,
                approval,
            } => {
                self.requested = None;
                self.escalation = None;
                for unit in units {
                    for block in [
                        BlockId::OnlyIf(unit.clone()),
                        BlockId::UndoPerson(unit.clone()),
                        BlockId::UndoTest(unit.clone()),
                    ] {
                        self.blocks.remove(&block);
                    }
                }
                self.blocks.remove(&BlockId::PostRollback(*level));
                for phase in &program.phases {
                    self.blocks
                        .remove(&BlockId::UndoTest(UndoUnit::Phase(phase.id.clone())));
                }
                // A retry undoes one step; what another failure leads to is still to be decided.
                if !matches!(then, Then::Retry(_)) {
                    self.handle_failures();
                }
                self.unwinding = Some(Unwinding {
                    level: *level,
                    units: units.clone(),
                    covers: covers.clone(),
                    why: why.clone(),
                    then: then.clone(),
                    approved: !approval,
                    progress: units
                        .iter()
                        .map(|unit| (unit.clone(), UndoState::default()))
                        .collect(),
                });
            }
            Event::UnwindingApproved { .. } => {
                if let Some(unwinding) = &mut self.unwinding {
                    unwinding.approved = true;
                }
            }
            Event::UnwindingRefused { by, .. } => {
                self.unwinding = None;
                self.handle_failures();
                self.life = Life::Stopped(format!("{} refused the rollback", by.name));
            }
            Event::UndoStarted {
                unit,
                attempt,
                piece,
            } => {
                if let Some(progress) = self.progress_mut(unit) {
                    progress.attempt = *attempt;
                    progress.piece = *piece;
                    progress.intent = record.n;
                    progress.stage = UndoStage::Acting;
                }
            }
            Event::UndoEnded {
                unit,
                outcome,
                proof,
                ..
            } => {
                if let Some(progress) = self.progress_mut(unit) {
                    match outcome {
                        Outcome::Succeeded => {
                            progress.piece += 1;
                            progress.stage = UndoStage::Ready;
                        }
                        Outcome::Failed => progress.stage = UndoStage::Failed(proof.detail.clone()),
                        Outcome::Unknown => progress.stage = UndoStage::Unknown,
                    }
                }
            }
            Event::UndoNotStarted { unit } => {
                if let Some(progress) = self.progress_mut(unit) {
                    progress.stage = UndoStage::Ready;
                }
            }
            Event::UnitUndone { unit } => self.undone(program, unit, Effect::Undone),
            Event::UnitLeft { unit, .. } => self.undone(program, unit, Effect::Left),
            Event::UndoFailed { unit, why } => {
                if let Some(progress) = self.progress_mut(unit) {
                    progress.stage = UndoStage::Failed(why.clone());
                }
            }
            Event::UndoSettled {
                unit,
                how,
                by,
                reason,
            } => {
                let reason = reason.as_deref().unwrap_or("no reason given");
                self.note(
                    at,
                    format!(
                        "undo of {unit} settled as {} by {}: {reason}",
                        settled_word(*how),
                        by.name
                    ),
                );
                match how {
                    Settled::Undone => self.undone(program, unit, Effect::Undone),
                    Settled::Done => {
                        self.unwinding = None;
                        self.handle_failures();
                        self.life = Life::Stopped(format!("{unit} was left as it is"));
                    }
                    Settled::Retry => {
                        for block in [
                            BlockId::UndoPerson(unit.clone()),
                            BlockId::UndoTest(unit.clone()),
                        ] {
                            self.blocks.remove(&block);
                        }
                        if let Some(progress) = self.progress_mut(unit) {
                            progress.attempt += 1;
                            progress.piece = 0;
                            progress.stage = UndoStage::Ready;
                        }
                    }
                }
            }
            Event::UnwindingHalted { why, .. } => {
                self.unwinding = None;
                self.escalation = None;
                self.handle_failures();
                self.life = Life::Stopped(why.clone());
            }
            Event::UnwindingCompleted { .. } => self.unwound(program),
            Event::RunStopped { why } => {
                self.handle_failures();
                self.life = Life::Stopped(why.clone());
            }
            Event::RunCompleted => self.life = Life::Completed,
            Event::RunAbandoned { by, reason } => {
                let reason = reason.as_deref().unwrap_or("no reason given");
                self.note(at, format!("abandoned by {}: {reason}", by.name));
                self.unwinding = None;
                self.life = Life::Abandoned;
            }
            Event::DriftFound { files } => self.drift.clone_from(files),
            Event::DriftAccepted {
                files,
                plan_digest,
                by,
                reason,
                ..
            } => {
                self.drift.clear();
                self.plan_digest = Some(plan_digest.clone());
                self.note(
                    at,
                    format!(
                        "changed {} accepted by {}: {reason}",
                        files.join(", "),
                        by.name
                    ),
                );
                for gate in &mut self.gates {
                    if gate.stage != GateStage::Passed {
                        gate.approvals.clear();
                    }
                }
            }
            Event::TornTailDropped { .. } => {}
        }
    }

    /// A driver takes the run: what failed or was inconclusive is judged anew, what a person said stays.
    fn attach(&mut self, program: &Program, epoch: u64, by: super::event::Actor, jobs: usize) {
        self.epoch = epoch;
        self.driver = Some(by);
        self.jobs = jobs.max(1);
        self.interrupted = false;
        self.drift.clear();
        let stopped = matches!(self.life, Life::Stopped(_));
        // What a decision on a gate is about stays until it is decided.
        let asked: Vec<BlockId> = program
            .gates
            .iter()
            .zip(&self.gates)
            .filter(|(_, state)| {
                matches!(
                    state.stage,
                    GateStage::Failed(GateResponse::Ask) | GateStage::Refused(_)
                )
            })
            .map(|(gate, _)| BlockId::Gate(gate.id.clone()))
            .collect();
        for (block, slots) in &mut self.blocks {
            for slot in slots {
                // A person's "no" has its consequence first; a run that stopped over it asks again.
                let forget = slot.as_ref().is_some_and(|j| {
                    j.verdict != Verdict::Pass && (stopped || !j.person) && !asked.contains(block)
                });
                if forget {
                    *slot = None;
                }
            }
        }
        // The window may have closed since; who went ahead without it did so for the run.
        if self.window == WindowState::Entered {
            self.window = WindowState::Unchecked;
            self.blocks.remove(&BlockId::Window);
        }
        if stopped {
            self.life = Life::Running;
            for i in 0..self.steps.len() {
                let step = &program.steps[i];
                let state = &self.steps[i];
                let anew = state.effect != Effect::May || step.effect_none || step.idempotent;
                if matches!(state.stage, Stage::Failed { .. }) && anew {
                    self.begin_anew(program, &step.id);
                }
                self.steps[i].failures = 0;
            }
        }
        for gate in &mut self.gates {
            let anew = match gate.stage {
                GateStage::Failed(GateResponse::Block) => true,
                // The rollback that it led to is over, one way or another.
                GateStage::Failed(GateResponse::Rollback) | GateStage::RollingBack => stopped,
                _ => false,
            };
            if anew {
                gate.stage = GateStage::Closed;
            }
        }
        self.forget_before(program);
    }

    /// What was measured to allow something that has not begun yet is measured again: hours may lie between.
    fn forget_before(&mut self, program: &Program) {
        let mut old = Vec::new();
        if self.starts == 0 {
            old.push(BlockId::Prerequisites);
        }
        for (phase, state) in program.phases.iter().zip(&self.phases) {
            if *state == PhaseState::Waiting {
                old.push(BlockId::Start(phase.id.clone()));
            }
        }
        for (step, state) in program.steps.iter().zip(&self.steps) {
            if state.stage == Stage::Pending {
                old.push(BlockId::Preconditions(step.id.clone()));
            }
        }
        for (gate, state) in program.gates.iter().zip(&self.gates) {
            if state.stage == GateStage::Measuring {
                old.push(BlockId::Gate(gate.id.clone()));
            }
        }
        for block in old {
            self.forget_measured(&block);
        }
    }

    fn judge(&mut self, program: &Program, block: &BlockId, index: usize, judged: Judged) {
        let length = program.block(block).len();
        let slots = self.blocks.entry(block.clone()).or_default();
        slots.resize(length.max(index + 1), None);
        slots[index] = Some(judged);
    }

    /// Forgets what was measured in a block; what a person said stays.
    fn forget_measured(&mut self, block: &BlockId) {
        if let Some(slots) = self.blocks.get_mut(block) {
            for slot in slots {
                if slot.as_ref().is_some_and(|j| !j.person) {
                    *slot = None;
                }
            }
        }
    }

    fn fail(state: &mut super::state::StepState, why: String, at: jiff::Timestamp) {
        state.failures += 1;
        state.stage = Stage::Failed {
            why,
            at,
            handled: false,
        };
    }

    fn handle_failures(&mut self) {
        for state in &mut self.steps {
            if let Stage::Failed { handled, .. } = &mut state.stage {
                *handled = true;
            }
        }
    }

    fn begin_anew(&mut self, program: &Program, step: &StepId) {
        for block in [
            BlockId::Preconditions(step.clone()),
            BlockId::Confirm(step.clone()),
            BlockId::Validation(step.clone()),
            BlockId::DoneIf(step.clone()),
            BlockId::Manual(step.clone()),
        ] {
            self.blocks.remove(&block);
        }
        if let Some(state) = self.step_mut(program, step) {
            state.stage = Stage::Pending;
        }
    }

    fn settle(
        &mut self,
        program: &Program,
        step: &StepId,
        how: Settled,
        ground: &Ground,
        reason: &Option<String>,
        at: jiff::Timestamp,
    ) {
        if let Ground::Person(by) = ground {
            let reason = reason.as_deref().unwrap_or("no reason given");
            self.note(
                at,
                format!(
                    "{step} settled as {} by {}: {reason}",
                    settled_word(how),
                    by.name
                ),
            );
        }
        match how {
            Settled::Done => {
                self.blocks.remove(&BlockId::Validation(step.clone()));
                if let Some(state) = self.step_mut(program, step) {
                    state.stage = Stage::Validating;
                }
            }
            Settled::Undone if *ground == Ground::NeverStarted => {
                // This attempt did nothing: everything is as it was before, also what a person confirmed.
                let confirmed = self.blocks.remove(&BlockId::Confirm(step.clone()));
                self.begin_anew(program, step);
                if let Some(confirmed) = confirmed {
                    self.blocks
                        .insert(BlockId::Confirm(step.clone()), confirmed);
                }
                if let Some(state) = self.step_mut(program, step) {
                    state.effect = state.before;
                }
            }
            Settled::Undone => {
                self.begin_anew(program, step);
                if let Some(state) = self.step_mut(program, step) {
                    state.effect = Effect::Undone;
                    state.failures = 0;
                }
            }
            Settled::Retry => self.begin_anew(program, step),
        }
    }

    /// The steps of `unit` no longer have effect: they, their gates and their phase are as before they started.
    fn undone(&mut self, program: &Program, unit: &UndoUnit, effect: Effect) {
        if let Some(progress) = self.progress_mut(unit) {
            progress.stage = if effect == Effect::Left {
                UndoStage::Left
            } else {
                UndoStage::Undone
            };
        }
        let steps: Vec<usize> = match unit {
            UndoUnit::Step(id) => program.step_index(id).into_iter().collect(),
            UndoUnit::Phase(id) => program
                .phase_index(id)
                .map_or_else(Vec::new, |i| program.phases[i].steps.clone()),
            UndoUnit::Level(_) => self.unwinding.as_ref().map_or_else(Vec::new, |u| {
                u.covers
                    .iter()
                    .filter_map(|id| program.step_index(id))
                    .collect()
            }),
        };
        for i in steps {
            if self.steps[i].effect != Effect::May {
                continue;
            }
            // A step that is undone in order to be tried again stays failed until its backoff is over.
            let retried = self
                .unwinding
                .as_ref()
                .is_some_and(|u| u.then == Then::Retry(program.steps[i].id.clone()));
            if !retried {
                self.begin_anew(program, &program.steps[i].id);
            }
            self.steps[i].effect = effect;
            self.reopen(program, i);
        }
    }

    /// What was decided on the ground that step `i` had succeeded is to be decided anew.
    fn reopen(&mut self, program: &Program, i: usize) {
        let phase = program.steps[i].phase;
        if self.phases[phase] == PhaseState::Passed {
            self.phases[phase] = PhaseState::Started;
        }
        for (gate, state) in program.gates.iter().zip(&mut self.gates) {
            let concerned = match gate.at {
                GateAt::Phase(p) => p == phase,
                GateAt::Step(s) => s == i,
                GateAt::Completion => true,
            };
            if concerned {
                state.stage = GateStage::Closed;
                state.approvals.clear();
            }
        }
    }

    /// Steps without effect of their own have nothing to undo, but what they looked at is gone: they run again, if they
    /// ran after what was undone, or if nothing else is left of their phase.
    fn look_again(&mut self, program: &Program, covers: &[StepId]) {
        let covered: Vec<usize> = covers
            .iter()
            .filter_map(|id| program.step_index(id))
            .collect();
        let Some(since) = covered.iter().map(|&i| self.steps[i].start).min() else {
            return;
        };
        let first = covered.iter().map(|&i| program.steps[i].phase).min();
        for (p, phase) in program.phases.iter().enumerate() {
            if Some(p) < first || self.phases[p] == PhaseState::Waiting {
                continue;
            }
            // Such a phase begins from its start conditions again.
            let empty = phase.steps.iter().all(|&s| {
                let stage = &self.steps[s].stage;
                (self.steps[s].effect != Effect::May || program.steps[s].effect_none)
                    && !matches!(stage, Stage::Acting | Stage::Unknown { .. })
            });
            for &s in &phase.steps {
                let state = &self.steps[s];
                let ended = matches!(
                    state.stage,
                    Stage::Validating | Stage::Observing { .. } | Stage::Succeeded
                );
                if ended && program.steps[s].effect_none && (empty || state.start > since) {
                    self.begin_anew(program, &program.steps[s].id);
                    self.steps[s].effect = Effect::None;
                    self.reopen(program, s);
                }
            }
            if empty {
                self.phases[p] = PhaseState::Waiting;
                self.blocks.remove(&BlockId::Start(phase.id.clone()));
                for &gate in &phase.gates {
                    self.gates[gate].stage = GateStage::Closed;
                    self.gates[gate].approvals.clear();
                }
            }
        }
    }

    fn unwound(&mut self, program: &Program) {
        let Some(unwinding) = self.unwinding.take() else {
            return;
        };
        // A retry goes on where it was: what held then still does.
        if !matches!(unwinding.then, Then::Retry(_)) {
            self.look_again(program, &unwinding.covers);
        }
        match unwinding.then {
            Then::Stop => self.life = Life::Stopped(unwinding.why),
            Then::Finish => self.life = Life::RolledBack,
            Then::Escalate(level, phase) => self.escalation = Some((level, phase, unwinding.why)),
            Then::Retry(_) => {}
        }
    }

    fn step_mut(&mut self, program: &Program, id: &StepId) -> Option<&mut super::state::StepState> {
        program.step_index(id).map(|i| &mut self.steps[i])
    }

    fn progress_mut(&mut self, unit: &UndoUnit) -> Option<&mut UndoState> {
        self.unwinding.as_mut()?.progress.get_mut(unit)
    }

    fn set_phase(&mut self, program: &Program, phase: &PhaseId, state: PhaseState) {
        if let Some(i) = program.phase_index(phase) {
            self.phases[i] = state;
        }
    }

    fn set_gate(&mut self, program: &Program, gate: &GateId, stage: GateStage) {
        if let Some(i) = program.gate_index(gate) {
            self.gates[i].stage = stage;
        }
    }

    /// Whether a step's action is a person's: such a step is never unknown, only unanswered.
    #[must_use]
    pub fn is_manual(program: &Program, step: usize) -> bool {
        matches!(program.steps[step].action, Action::Person(_))
    }
}
