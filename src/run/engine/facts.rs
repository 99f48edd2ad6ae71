//! Facts about the run, for `when:` expressions and for sentences that state one.

use serde_json::{Map, Value, json};

use super::state::{Effect, GateStage, PhaseState, Stage, State};
use crate::plan::condition::Fact;
use crate::plan::program::{GateAt, Program};

/// Whether a fact holds now.
#[must_use]
pub fn judge_fact(fact: &Fact, program: &Program, state: &State) -> bool {
    let step = |id: &str| program.steps.iter().position(|s| s.id.as_str() == id);
    let phase = |id: &str| program.phases.iter().position(|p| p.id.as_str() == id);
    let gate_open = |i: usize| state.gates[i].stage == GateStage::Passed;
    match fact {
        Fact::StepSucceeded(id) => {
            step(id).is_some_and(|i| state.steps[i].stage == Stage::Succeeded)
        }
        Fact::PhaseSucceeded(id) => {
            phase(id).is_some_and(|i| state.phases[i] == PhaseState::Passed)
        }
        Fact::PhaseGatePassed(id) => phase(id).is_some_and(|i| {
            let gates = &program.phases[i].gates;
            !gates.is_empty() && gates.iter().all(|&g| gate_open(g))
        }),
        Fact::GatePassed(id) => program
            .gates
            .iter()
            .position(|g| g.id.as_str() == id)
            .is_some_and(gate_open),
        Fact::AllGatesPassed => program
            .gates
            .iter()
            .enumerate()
            .filter(|(_, g)| g.at != GateAt::Completion)
            .all(|(i, _)| gate_open(i)),
        Fact::AllStepsSucceeded => state.steps.iter().all(|s| s.stage == Stage::Succeeded),
        Fact::AllPhasesSucceeded => state.phases.iter().all(|p| *p == PhaseState::Passed),
    }
}

/// What a `when:` expression can see: `steps`, `phases`, `gates`, `vars`, `run`.
#[must_use]
pub fn facts(program: &Program, state: &State) -> Value {
    let steps: Map<String, Value> = program
        .steps
        .iter()
        .zip(&state.steps)
        .map(|(step, now)| {
            let facts = json!({
                "succeeded": now.stage == Stage::Succeeded,
                "failed": matches!(now.stage, Stage::Failed { .. }),
                "unknown": matches!(now.stage, Stage::Unknown { .. }),
                "undone": now.effect == Effect::Undone,
                "left_out": now.left_out,
                "attempts": now.attempt,
            });
            (step.id.as_str().to_owned(), facts)
        })
        .collect();
    let phases: Map<String, Value> = program
        .phases
        .iter()
        .zip(&state.phases)
        .map(|(phase, now)| {
            let facts = json!({ "started": *now != PhaseState::Waiting, "passed": *now == PhaseState::Passed });
            (phase.id.as_str().to_owned(), facts)
        })
        .collect();
    let gates: Map<String, Value> = program
        .gates
        .iter()
        .zip(&state.gates)
        .map(|(gate, now)| {
            let facts =
                json!({ "passed": now.stage == GateStage::Passed, "attempts": now.attempt });
            (gate.id.as_str().to_owned(), facts)
        })
        .collect();
    let start = state.started.as_ref();
    json!({
        "steps": steps,
        "phases": phases,
        "gates": gates,
        "vars": start.map(|s| json!(s.variables)).unwrap_or_else(|| json!({})),
        "run": {
            "id": start.map(|s| s.run.as_str()),
            "environment": start.and_then(|s| s.environment.as_deref()),
            "production": start.map(|s| s.production),
        },
    })
}
