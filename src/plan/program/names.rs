//! What a sentence in a plan may name.

use crate::plan::condition::Index;
use crate::plan::model::{Place, Plan};

/// The names that sentences of this plan may refer to: metrics, steps, phases, gates.
#[must_use]
pub fn names(plan: &Plan) -> Index {
    let mut index = Index::default();
    if let Some(monitoring) = &plan.monitoring_and_observability {
        for metric in &monitoring.migration_monitoring {
            index.add_metric(
                metric.id.as_deref(),
                &metric.metric_name,
                metric.unit.as_deref(),
            );
        }
    }
    for phase in &plan.migration_phases {
        index.add_phase(&phase.phase_id, phase.order, &phase.name);
        for step in &phase.steps {
            index.add_step(&step.step_id, &step.name);
        }
        if let Some(gate) = &phase.validation_gate {
            index.add_gate(&gate.gate_id, Some(&gate.name), Some(&phase.phase_id));
        }
    }
    if let Some(strategy) = &plan.validation_strategy {
        for gate in &strategy.validation_gates {
            let phase = match plan.place(&gate.location) {
                Some(Place::Phase(p)) => Some(plan.migration_phases[p].phase_id.as_str()),
                Some(Place::Step(..)) | None => None,
            };
            index.add_gate(&gate.gate_id, Some(&gate.name), phase);
        }
    }
    index
}
