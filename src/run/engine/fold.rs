//! What each event makes of the state.

use super::event::*;
use super::state::*;
use crate::plan::program::{BlockId, Program, UndoUnit};

impl State {
    #[expect(clippy::too_many_lines, reason = "one table, one arm per event")]
    pub(super) fn fold(&mut self, program: &Program, record: &Record) {
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
                    state.manifest = None;
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
                    state.manifest.clone_from(&proof.manifest);
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
}
