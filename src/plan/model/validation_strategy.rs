//! `validation_strategy`: gates by location, continuous validation, regression suites.

use super::prelude::*;

/// Gates by location, continuous validation, regression suites.
#[derive(Debug, Clone, Default, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ValidationStrategy {
    /// Gates, each added to the phase or step that its `location` names. They ask for no approval of their own.
    /// Example: `[{gate_id: VG-1, name: Load test, location: STEP-2-1, type: automated}]`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub validation_gates: Vec<StrategyGate>,
    /// Checks that should go on during the whole migration. For readers: a run of this version does not evaluate
    /// them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub continuous_validation: Vec<ContinuousValidation>,
    /// Suites that show that the existing system still works. For readers: a run of this version does not start them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub regression_validation: Vec<RegressionValidation>,
}

/// A gate at a phase or step: its criteria are evaluated like those of a `validation_gate`.
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct StrategyGate {
    /// The id that answers and reports use: letters, digits, `-`, `_` and `.`. Example: `VG-1`.
    pub gate_id: String,
    /// The name that people read. Example: `Load test`.
    pub name: String,
    /// The phase or step it stands at: an id, a name, or `Phase 1`. At a phase it is decided after all steps, at a
    /// step it holds what follows that step. Example: `STEP-2-1`.
    pub location: String,
    /// Who should decide it, for readers: whether a criterion is measured or attested follows from how it is written.
    /// Example: `automated`.
    pub r#type: GateType,
    /// What must hold. All are evaluated and kept as evidence. Example: `[{criterion: p99 stays under 200 ms,
    /// test_dataset_id: LOAD-TEST-001}]`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub criteria: Vec<GateCriterion>,
    /// What happens when a criterion fails, and who should be told. Example: `{response: rollback}`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub failure_handling: Option<FailureHandling>,
}

/// Who should decide a gate, as its author sees it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum GateType {
    /// The machine decides: all criteria are measured.
    Automated,
    /// People decide: the criteria are attested.
    Manual,
    /// Some criteria are measured, others attested.
    Hybrid,
}

/// One criterion of a gate.
#[derive(Debug, Clone, Default, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct GateCriterion {
    /// The sentence that must hold; without measurement or dataset it is understood like any check. Example:
    /// `error_rate < 0.1%`.
    pub criterion: String,
    /// How it is measured: a sentence is shown to whoever attests it, a mapping is the probe whose verdict counts.
    /// Example: `{command: scripts/check-latency.sh}`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub measurement: Option<Measurement>,
    /// Where the limit is, shown to whoever attests it. A machine does not compare with it: put the limit into the
    /// criterion or the probe. Example: `< 200 ms`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub threshold: Option<String>,
    /// The test dataset that shows it; it must pass and covers the sentence. Example: `LOAD-TEST-001`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub test_dataset_id: Option<String>,
}

/// What happens when a gate's criterion fails.
#[derive(Debug, Clone, Default, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct FailureHandling {
    /// What a failed criterion does (default `block`).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub response: Option<GateResponse>,
    /// Channels or people that should be told. For readers: a run of this version sends nothing. Example:
    /// `["#eng-alerts"]`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub notification: Vec<String>,
    /// Who should be called when that does not help, for readers. Example: `On-call engineer`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub escalation: Option<String>,
}

/// The response to a failed criterion.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[derive(Default)]
pub enum GateResponse {
    /// The gate stays closed: the run stops, and `resume` evaluates the gate again.
    #[default]
    Block,
    /// The phase is undone, then the run stops.
    Rollback,
    /// A person is asked whether to go on, to wait or to undo.
    ManualReview,
}

/// Checks that should go on during the whole migration. A run of this version does not evaluate them.
#[derive(Debug, Clone, Default, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ContinuousValidation {
    /// The id by which people refer to it. Example: `CV-1`.
    pub validation_id: String,
    /// The name that people read.
    pub name: String,
    /// How often they should be evaluated. Example: `every 5 minutes`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub frequency: Option<String>,
    /// What should hold all the time. Example: `["error_rate < 0.5%"]`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub checks: Vec<Check>,
    /// Test datasets that must pass.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub test_dataset_ids: Vec<String>,
    /// Conditions under which people should be told. Example: `[error_rate > 0.5%]`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub alert_conditions: Vec<Check>,
}

/// A suite that shows that the existing system still works. A run of this version does not start it.
#[derive(Debug, Clone, Default, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RegressionValidation {
    /// The id by which people refer to it. Example: `REG-1`.
    pub regression_suite_id: String,
    /// The name that people read.
    pub name: String,
    /// Where the suite is: a script or a folder. Example: `tests/regression`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub location: Option<Script>,
    /// When the suite should run. Example: `pre_migration`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub execution_frequency: Option<RegressionFrequency>,
    /// What the suite covers, in words. Example: `[checkout, refund]`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub critical_paths: Vec<String>,
    /// Test datasets that must pass.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub test_dataset_ids: Vec<String>,
}

/// When a regression suite runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum RegressionFrequency {
    /// Once, before the first step.
    PreMigration,
    /// Once, after the last step.
    PostMigration,
    /// Again and again during the migration.
    Continuous,
}
