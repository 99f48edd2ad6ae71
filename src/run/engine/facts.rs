//! Facts about the run, for `when:` expressions and for sentences that state one.

use serde_json::{Map, Value, json};

use super::state::{Effect, GateStage, PhaseState, Stage, State};
use crate::plan::condition::Fact;
use crate::plan::program::{BlockId, GateAt, Program, UndoUnit};

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

/// What a `when:` expression can see: `steps`, `phases`, `gates`, `vars`, `run`, `manifest`. `block` is where it stands:
/// `manifest` is what the latest manifest step of the same phase counted, and undefined before one has.
#[must_use]
pub fn facts(program: &Program, state: &State, block: &BlockId) -> Value {
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
    let mut all = json!({
        "steps": steps,
        "phases": phases,
        "gates": gates,
        "vars": start.map(|s| json!(s.variables)).unwrap_or_else(|| json!({})),
        "run": {
            "id": start.map(|s| s.run.as_str()),
            "environment": start.and_then(|s| s.environment.as_deref()),
            "production": start.map(|s| s.production),
        },
    });
    if let (Some(manifest), Some(all)) = (manifest(program, state, block), all.as_object_mut()) {
        all.insert("manifest".to_owned(), manifest);
    }
    all
}

/// What manifest steps counted: each under its id, and beside these the members of the one that the place means. None
/// before any has counted.
fn manifest(program: &Program, state: &State, block: &BlockId) -> Option<Value> {
    let counted = |i: &usize| state.steps[*i].manifest.is_some();
    let all: Vec<usize> = (0..program.steps.len()).filter(counted).collect();
    if all.is_empty() {
        return None;
    }
    let mut members: Map<String, Value> = Map::new();
    for &i in &all {
        let value = serde_json::to_value(&state.steps[i].manifest).ok()?;
        members.insert(program.steps[i].id.as_str().to_owned(), value);
    }
    let latest = |wanted: &dyn Fn(usize) -> bool| {
        all.iter()
            .copied()
            .filter(|&i| wanted(i))
            .max_by_key(|&i| state.steps[i].start)
    };
    let meant = match place(program, block) {
        // What is checked after a manifest step is about that step, whatever ran beside it.
        Some(Place::Step(own)) if program.steps[own].manifest().is_some() => {
            all.contains(&own).then_some(own)
        }
        Some(Place::Step(own)) => latest(&|i| program.steps[i].phase == program.steps[own].phase),
        Some(Place::Phase(phase)) => latest(&|i| program.steps[i].phase == phase),
        None => latest(&|_| true),
    };
    let own = meant.and_then(|i| serde_json::to_value(&state.steps[i].manifest).ok());
    if let Some(Value::Object(own)) = own {
        members.extend(own);
    }
    Some(Value::Object(members))
}

enum Place {
    /// After a step, or about it.
    Step(usize),
    /// In a phase.
    Phase(usize),
}

/// Where a block stands; none for what is about the whole run.
fn place(program: &Program, block: &BlockId) -> Option<Place> {
    let unit = |unit: &UndoUnit| match unit {
        UndoUnit::Step(id) => program.step_index(id).map(Place::Step),
        UndoUnit::Phase(id) => program.phase_index(id).map(Place::Phase),
        UndoUnit::Level(_) => None,
    };
    match block {
        BlockId::Prerequisites | BlockId::Window | BlockId::PostRollback(_) => None,
        BlockId::Start(id) => program.phase_index(id).map(Place::Phase),
        // Before a step, even a manifest step, the last one before it is meant.
        BlockId::Preconditions(id) | BlockId::Confirm(id) | BlockId::Manual(id) => {
            let step = program.step_index(id)?;
            Some(Place::Phase(program.steps[step].phase))
        }
        BlockId::Validation(id) | BlockId::DoneIf(id) => program.step_index(id).map(Place::Step),
        BlockId::Gate(id) => match program.gates[program.gate_index(id)?].at {
            GateAt::Phase(phase) => Some(Place::Phase(phase)),
            GateAt::Step(step) => Some(Place::Step(step)),
            GateAt::Completion => None,
        },
        BlockId::OnlyIf(of) | BlockId::UndoPerson(of) | BlockId::UndoTest(of) => unit(of),
    }
}
