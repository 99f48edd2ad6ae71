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

/// A phase: steps that belong together, the gate that ends them, and the way back.
#[derive(Debug, Clone, Default, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Phase {
    /// The id that references, answers and reports use: letters, digits, `-`, `_` and `.`. Example: `PHASE-1`.
    pub phase_id: String,
    /// The name that people read; facts may use it, too (`Schema migration completed`). Example: `Schema migration`.
    pub name: String,
    /// What the phase does, for readers; a run does not act on it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// Phases run by rising `order`, one after another; each order is used once. Facts may use it (`Phase 1
    /// completed`). Example: `1`.
    pub order: i64,
    /// What the phase should reach, for readers. Example: `[Add discount columns to the schema]`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub objectives: Vec<String>,
    /// What the phase leaves behind, for readers: a run of this version does not check it. Example:
    /// `[migrations/001_add_discount_columns.sql]`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub deliverables: Vec<String>,
    /// How long the phase should take, for previews and the review; a run is not cut off by it. Example: `2 hours`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub duration_estimate: Option<String>,
    /// What must be true before the phase's first step. An item that fails or waits for a person keeps the phase from
    /// starting. Example: `[Phase 1 validation gate passed, CI pipeline green]`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub start_condition: Vec<Check>,
    /// The steps. They run by `order`; equal orders run together, bounded by `--jobs`. After a failed step no new one
    /// starts, its siblings finish, then its undo begins.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub steps: Vec<Step>,
    /// The gate that ends the phase: it is decided after all steps have ended, and nothing later starts before it has
    /// passed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub validation_gate: Option<ValidationGate>,
    /// How the phase as a whole is undone. Without it the undo of each step that may have had effect runs, last
    /// started first.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rollback_point: Option<RollbackPoint>,
    /// Probes that capture the state which a rehearsal compares before and after this phase's undo. A run does not
    /// act on them. Example: `[{name: schema, command: pg_dump -s}]`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub state_probes: Vec<StateProbe>,
}
