//! What the larger events change: a driver takes the run, a step is settled or undone, an undo is complete.

use super::event::*;
use super::state::*;
use crate::base::id::{GateId, PhaseId, StepId};
use crate::plan::program::{Action, BlockId, GateAt, GateResponse, Program, UndoUnit};

impl State {
    /// A driver takes the run: what failed or was inconclusive is judged anew, what a person said stays.
    pub(super) fn attach(&mut self, program: &Program, epoch: u64, by: Actor, jobs: usize) {
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
    pub(super) fn forget_before(&mut self, program: &Program) {
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

    pub(super) fn judge(
        &mut self,
        program: &Program,
        block: &BlockId,
        index: usize,
        judged: Judged,
    ) {
        let length = program.block(block).len();
        let slots = self.blocks.entry(block.clone()).or_default();
        slots.resize(length.max(index + 1), None);
        slots[index] = Some(judged);
    }

    /// Forgets what was measured in a block; what a person said stays.
    pub(super) fn forget_measured(&mut self, block: &BlockId) {
        if let Some(slots) = self.blocks.get_mut(block) {
            for slot in slots {
                if slot.as_ref().is_some_and(|j| !j.person) {
                    *slot = None;
                }
            }
        }
    }

    pub(super) fn fail(state: &mut StepState, why: String, at: jiff::Timestamp) {
        state.failures += 1;
        state.stage = Stage::Failed {
            why,
            at,
            handled: false,
        };
    }

    pub(super) fn handle_failures(&mut self) {
        for state in &mut self.steps {
            if let Stage::Failed { handled, .. } = &mut state.stage {
                *handled = true;
            }
        }
    }

    pub(super) fn begin_anew(&mut self, program: &Program, step: &StepId) {
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
            state.manifest = None;
        }
    }

    pub(super) fn settle(
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
    pub(super) fn undone(&mut self, program: &Program, unit: &UndoUnit, effect: Effect) {
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
    pub(super) fn reopen(&mut self, program: &Program, i: usize) {
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
    pub(super) fn look_again(&mut self, program: &Program, covers: &[StepId]) {
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

    pub(super) fn unwound(&mut self, program: &Program) {
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

    pub(super) fn step_mut(&mut self, program: &Program, id: &StepId) -> Option<&mut StepState> {
        program.step_index(id).map(|i| &mut self.steps[i])
    }

    pub(super) fn progress_mut(&mut self, unit: &UndoUnit) -> Option<&mut UndoState> {
        self.unwinding.as_mut()?.progress.get_mut(unit)
    }

    pub(super) fn set_phase(&mut self, program: &Program, phase: &PhaseId, state: PhaseState) {
        if let Some(i) = program.phase_index(phase) {
            self.phases[i] = state;
        }
    }

    pub(super) fn set_gate(&mut self, program: &Program, gate: &GateId, stage: GateStage) {
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
