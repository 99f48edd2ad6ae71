//! Gates: they stand somewhere, somebody can open them, and what they undo can be undone.

use std::collections::HashSet;

use super::Context;
use crate::base::diagnostic::codes;
use crate::plan::model::{FailureResponse, Place};
use crate::plan::source::join;

pub(super) fn check(cx: &mut Context<'_>) {
    let plan = cx.plan();
    let mut gated: HashSet<usize> = HashSet::new();
    if let Some(strategy) = &plan.validation_strategy {
        for (g, gate) in strategy.validation_gates.iter().enumerate() {
            match plan.place(&gate.location) {
                Some(Place::Phase(p)) => {
                    gated.insert(p);
                }
                Some(Place::Step(..)) => {}
                None => cx.find(
                    codes::GATE_LOCATION,
                    &format!("/validation_strategy/validation_gates/{g}/location"),
                    format!(
                        "the gate `{}` stands at `{}`, which is no phase and no step",
                        gate.gate_id, gate.location
                    ),
                    "name a `phase_id`, a `step_id`, `Phase <order>` or a name",
                ),
            }
        }
    }
    for (p, (pointer, phase)) in cx.phases().enumerate() {
        let Some(gate) = &phase.validation_gate else {
            if !gated.contains(&p) {
                cx.find(
                    codes::NO_GATE,
                    &join(&pointer, "phase_id"),
                    format!("the phase `{}` has no gate", phase.phase_id),
                    "add a `validation_gate` that says what must hold before the next phase",
                );
            }
            continue;
        };
        let pointer = join(&pointer, "validation_gate");
        if gate.failure_response == Some(FailureResponse::Rollback) {
            let stuck = phase
                .steps
                .iter()
                .find(|step| super::undo::is_wall(step))
                .map(|step| step.step_id.clone());
            if let Some(step) = stuck {
                cx.find(
                    codes::GATE_ROLLBACK_IMPOSSIBLE,
                    &join(&pointer, "failure_response"),
                    format!("this gate rolls back, but `{step}` cannot be undone"),
                    "use `block` or `manual_decision`, or give the step a way back",
                );
            }
        }
    }
}
