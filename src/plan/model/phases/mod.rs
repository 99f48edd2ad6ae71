//! `migration_phases`: phases with their steps, gates and rollback points.

mod gate;
mod step;
mod undo;

pub use gate::{FailureResponse, ValidationGate};
pub use step::{
    Effect, ExecutionDetails, ManifestMigration, Observe, OnInterrupt, Rehearsal, Retry, Step,
    StepMonitoring, StepType, StepValidation,
};
pub use undo::{PointProcedure, PointProcedureMapping, RollbackPoint, RollbackProcedure};

use super::prelude::*;

/// A phase: steps that belong together, and the gate that ends them.
#[derive(Debug, Clone, Default, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Phase {
    /// The id that references, answers and reports use. Example: `PHASE-1`.
    pub phase_id: String,
    /// The name that people read.
    pub name: String,
    /// What the phase does.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// Phases run by rising `order`; each order is used once.
    pub order: i64,
    /// What the phase should reach.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub objectives: Vec<String>,
    /// What the phase leaves behind. Items that are paths are checked at its end and kept as evidence.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub deliverables: Vec<String>,
    /// How long the phase should take. Example: `2 hours`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub duration_estimate: Option<String>,
    /// What must be true before the phase starts. Example: `[Phase 1 validation gate passed]`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub start_condition: Vec<Check>,
    /// The steps. They run by `order`; equal orders run together.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub steps: Vec<Step>,
    /// The gate that ends the phase: nothing later starts before it has passed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub validation_gate: Option<ValidationGate>,
    /// How the whole phase is undone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rollback_point: Option<RollbackPoint>,
    /// Probes that capture the state which a rehearsal compares before and after an undo.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub state_probes: Vec<StateProbe>,
}
