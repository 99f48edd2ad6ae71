//! How steps and phases are undone.

use crate::plan::model::prelude::*;

/// How one step is undone.
#[derive(Debug, Clone, Default, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RollbackProcedure {
    /// Whether the step can be undone. Absent means: yes if a script or a `run` item is there.
    /// `false` is a wall that the run stops at.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub can_rollback: Option<bool>,
    /// The undo runs only if this holds. Example: `{check: "backup was used", command: "test -f used"}`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub only_if: Option<Box<CheckMapping>>,
    /// What to do, in order: `{run: "./undo.sh"}` runs, prose is done and confirmed by a person.
    /// A `rollback_script` comes before them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub rollback_steps: Vec<RollbackStepItem>,
    /// The script that undoes the step. Example: `scripts/restore-cart.sh`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rollback_script: Option<Script>,
    /// A test dataset that is run after the undo. Example: `ROLLBACK-TEST-001`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rollback_test_id: Option<String>,
    /// How long the undo may take before it is killed. Example: `20m`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub timeout: Option<String>,
}

/// How a whole phase is undone from its end.
#[derive(Debug, Clone, Default, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RollbackPoint {
    /// `false` is a wall: the run stops here and says so instead of undoing the phase.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub can_rollback_from_here: Option<bool>,
    /// A sentence for people (the steps' own undo runs, in reverse), or a mapping with `script` or
    /// `steps` that runs instead.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rollback_procedure: Option<PointProcedure>,
    /// A test dataset that is run after the phase was undone. Example: `ROLLBACK-TEST-003`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rollback_test_id: Option<String>,
    /// How long undoing the phase should take. Example: `1 hour`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub estimated_rollback_duration: Option<String>,
}

/// A phase's way back: a sentence, or what runs.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
#[serde(untagged)]
pub enum PointProcedure {
    /// A sentence: the steps' own undo runs in reverse order of start.
    Text(String),
    /// What runs instead of the steps' own undo.
    Mapping(Box<PointProcedureMapping>),
}
text_or_other!(PointProcedure, Text, map Mapping(PointProcedureMapping));

/// What runs to undo a phase. Example: `{script: scripts/undo-phase-1.sh}`.
#[derive(Debug, Clone, Default, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PointProcedureMapping {
    /// The script that undoes the phase.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub script: Option<Script>,
    /// What to do, in order. Example: `[{run: "./undo.sh"}]`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub steps: Vec<RollbackStepItem>,
    /// How long the undo may take before it is killed. Example: `1h`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub timeout: Option<String>,
}
