//! A phase's `validation_gate`.

use crate::plan::model::prelude::*;

/// The gate that ends a phase: criteria and datasets are evaluated first, approvals are asked for last.
#[derive(Debug, Clone, Default, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ValidationGate {
    /// The id that `approve` and reports use: letters, digits, `-`, `_` and `.`. Example: `GATE-1`.
    pub gate_id: String,
    /// The name that people read. Example: `Schema validation`.
    pub name: String,
    /// What must hold. All are evaluated, none is skipped because another failed; `failure_response` says what a fail
    /// does. Example: `[New columns exist, "error_rate < 0.1%"]`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub criteria: Vec<Check>,
    /// Test datasets that must pass. They also cover the criteria that are prose, except time-bound ones. Example:
    /// `[GATE-TEST-001]`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub test_dataset_ids: Vec<String>,
    /// Whether the approvers are asked once the criteria hold. Absent means: yes if `approvers` are given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub approval_required: Option<bool>,
    /// Who approves: names or roles. All of them must, unless `approvals_needed` says fewer. They also attest the
    /// gate's criteria. Example: `[DBA Lead, Engineering Manager]`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub approvers: Vec<String>,
    /// How many of the approvers are enough; without it all of them are needed. Example: `1`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub approvals_needed: Option<u32>,
    /// What happens when a criterion fails (default `block`). A criterion that cannot be measured never triggers it:
    /// the run waits for a decision.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub failure_response: Option<FailureResponse>,
    /// How old automated evidence may be when the last approval arrives; older is measured again (default `10m`).
    /// Example: `30m`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub evidence_max_age: Option<String>,
}

/// What happens when a gate's criterion fails.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[derive(Default)]
pub enum FailureResponse {
    /// The gate stays closed: the run stops, and `resume` evaluates the gate again.
    #[default]
    Block,
    /// The phase is undone, then the run stops.
    Rollback,
    /// A person is asked whether to go on, to wait or to undo.
    ManualDecision,
}
