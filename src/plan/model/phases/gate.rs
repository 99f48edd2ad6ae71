//! A phase's `validation_gate`.

use crate::plan::model::prelude::*;

/// The gate that ends a phase: criteria and datasets first, approvals last.
#[derive(Debug, Clone, Default, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ValidationGate {
    /// The id that `approve` and reports use. Example: `GATE-1`.
    pub gate_id: String,
    /// The name that people read.
    pub name: String,
    /// What must hold. All are evaluated, none is skipped because another failed.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub criteria: Vec<Check>,
    /// Test datasets that must pass. Example: `[GATE-TEST-001]`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub test_dataset_ids: Vec<String>,
    /// Whether the approvers are asked once the criteria hold.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub approval_required: Option<bool>,
    /// Who approves: names or roles. All of them must, unless `approvals_needed` says fewer.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub approvers: Vec<String>,
    /// How many of the approvers are enough. Example: `1`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub approvals_needed: Option<u32>,
    /// What happens when a criterion fails (default `block`).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub failure_response: Option<FailureResponse>,
    /// How old evidence may be when the last approval arrives; older is measured again (default `10m`).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub evidence_max_age: Option<String>,
}

/// What happens when a gate's criterion fails.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[derive(Default)]
pub enum FailureResponse {
    /// The run waits for a re-evaluation by `resume`.
    #[default]
    Block,
    /// The phase is undone.
    Rollback,
    /// A person is asked.
    ManualDecision,
}
