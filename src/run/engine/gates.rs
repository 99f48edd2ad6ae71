//! Gates: criteria, then approvals, then a decision; and the end of the run.

use jiff::SignedDuration;

use super::event::*;
use super::next::{Ask, Walk};
use super::state::*;
use super::unwind;
use crate::plan::program::{BlockId, GateAt, GateResponse, Level};

impl Walk<'_> {
    /// A gate; true when it is open.
    pub(super) fn gate(&mut self, index: usize) -> bool {
        let (program, state) = (self.program, self.state);
        let (gate, now) = (&program.gates[index], &state.gates[index]);
        let id = || gate.id.clone();
        match &now.stage {
            GateStage::Passed => return true,
            GateStage::Held => {}
            GateStage::Closed => self.record(Event::GateOpened {
                gate: id(),
                attempt: now.attempt + 1,
            }),
            GateStage::Measuring => {
                let block = BlockId::Gate(id());
                match self.evaluate(&block, None) {
                    BlockVerdict::Pass if gate.approvals_needed == 0 => {
                        self.record(Event::GatePassed { gate: id() })
                    }
                    BlockVerdict::Pass => self.record(Event::GateMeasured { gate: id() }),
                    BlockVerdict::Fail => {
                        let failed = self.failed_ids(&block);
                        self.record(Event::GateFailed {
                            gate: id(),
                            failed,
                            response: gate.response,
                        });
                    }
                    BlockVerdict::Inconclusive
                    | BlockVerdict::Evaluate(_)
                    | BlockVerdict::People => {}
                }
            }
            GateStage::Approving => self.approvals(index),
            GateStage::Failed(GateResponse::Block) => {
                let failed = self.failed_items(&BlockId::Gate(id()));
                let what = format!(
                    "gate {} is closed: {failed}; mend it, then resume measures it again",
                    gate.id
                );
                self.wait(
                    gate.id.as_str(),
                    Ask::Reevaluate,
                    what,
                    gate.approvers.clone(),
                    None,
                );
            }
            GateStage::Failed(GateResponse::Ask) => {
                let failed = self.failed_items(&BlockId::Gate(id()));
                let what = format!("a decision on gate {}: {failed}", gate.id);
                self.wait(
                    gate.id.as_str(),
                    Ask::DecideGate { refused: false },
                    what,
                    gate.approvers.clone(),
                    None,
                );
            }
            GateStage::Refused(by) => {
                let what = format!("a decision on gate {}: {by} refused it", gate.id);
                self.wait(
                    gate.id.as_str(),
                    Ask::DecideGate { refused: true },
                    what,
                    gate.approvers.clone(),
                    None,
                );
            }
            GateStage::Failed(GateResponse::Rollback) | GateStage::RollingBack => {
                if !state.is_busy() {
                    let failed = self.failed_items(&BlockId::Gate(id()));
                    let why = format!("gate {} failed: {failed}", gate.id);
                    let phase = match gate.at {
                        GateAt::Phase(p) => p,
                        GateAt::Step(s) => program.steps[s].phase,
                        GateAt::Completion => program.phases.len().saturating_sub(1),
                    };
                    let phase = program.phases[phase].id.clone();
                    self.record(unwind::begin_level(
                        program,
                        state,
                        Level::Phase,
                        &phase,
                        why,
                        None,
                    ));
                }
            }
        }
        false
    }

    /// Approvals for the plan as it is; when the last one is there, evidence that grew too old is measured again.
    pub(super) fn approvals(&mut self, index: usize) {
        let (program, state) = (self.program, self.state);
        let (gate, now) = (&program.gates[index], &state.gates[index]);
        let valid: Vec<&str> = now
            .approvals
            .iter()
            .filter(|(_, digest, _)| state.plan_digest.as_ref() == Some(digest))
            .map(|(by, _, _)| by.name.as_str())
            .collect();
        let missing: Vec<String> = gate
            .approvers
            .iter()
            .filter(|name| !valid.iter().any(|v| unwind::same_name(v, name)))
            .cloned()
            .collect();
        if valid.len() < gate.approvals_needed {
            let what = format!(
                "approval of gate {} \"{}\" ({} of {} given)",
                gate.id,
                gate.name,
                valid.len(),
                gate.approvals_needed
            );
            self.wait(gate.id.as_str(), Ask::Approve, what, missing, None);
            return;
        }
        let block = BlockId::Gate(gate.id.clone());
        let oldest = (0..gate.criteria.len())
            .filter_map(|i| state.judged(&block, i))
            .filter(|j| !j.person)
            .map(|j| j.at)
            .min();
        let age = SignedDuration::from_millis(
            i64::try_from(gate.evidence_max_age_ms).unwrap_or(i64::MAX / 2),
        );
        // Measured again once: after the last approval, or by a later driver. A measurement that itself takes longer
        // than the age would otherwise never be young enough.
        let approved = now.approvals.iter().map(|(_, _, at)| *at).max();
        let again = |oldest| Some(oldest) < approved || now.measured < state.epoch;
        if oldest.is_some_and(|oldest| self.at.duration_since(oldest) > age && again(oldest)) {
            self.record(Event::GateRemeasured {
                gate: gate.id.clone(),
            });
        } else {
            self.record(Event::GatePassed {
                gate: gate.id.clone(),
            });
        }
    }

    pub(super) fn end(&mut self) {
        let program = self.program;
        let left_out = self.state.left_out(program);
        if !left_out.is_empty() {
            let why = match left_out.len() {
                1 => "1 step was left out of this run, so the migration is not complete".to_owned(),
                n => {
                    format!("{n} steps were left out of this run, so the migration is not complete")
                }
            };
            self.record(Event::RunStopped { why });
            return;
        }
        let mut open = true;
        for (i, gate) in program.gates.iter().enumerate() {
            if gate.at == GateAt::Completion {
                open &= self.gate(i);
            }
        }
        if open {
            self.record(Event::RunCompleted);
        }
    }
}
