//! `validation_strategy`: gates by location, continuous validation, regression suites.

use super::prelude::*;

/// Gates by location, continuous validation, regression suites.
#[derive(Debug, Clone, Default, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ValidationStrategy {
    /// Gates, each added to the phase or step that its `location` names.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub validation_gates: Vec<StrategyGate>,
    /// Checks that go on during the whole migration.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub continuous_validation: Vec<ContinuousValidation>,
    /// Suites that show that the existing system still works.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub regression_validation: Vec<RegressionValidation>,
}

/// A gate at a phase or step.
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct StrategyGate {
    /// The id that `approve` and reports use. Example: `VG-1`.
    pub gate_id: String,
    /// The name that people read.
    pub name: String,
    /// The phase or step it stands at: an id, a phase's name, or `Phase 1`.
    pub location: String,
    /// Who decides.
    pub r#type: GateType,
    /// What must hold.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub criteria: Vec<GateCriterion>,
    /// What happens when a criterion fails.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub failure_handling: Option<FailureHandling>,
}

/// Who decides a gate.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum GateType {
    /// The machine: all criteria are measured.
    Automated,
    /// People.
    Manual,
    /// Both.
    Hybrid,
}

/// One criterion of a gate.
#[derive(Debug, Clone, Default, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct GateCriterion {
    /// The sentence that must hold.
    pub criterion: String,
    /// How it is measured: a sentence, or a mapping with a probe.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub measurement: Option<Measurement>,
    /// Where the limit is. Example: `< 0.1%`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub threshold: Option<String>,
    /// The test dataset that shows it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub test_dataset_id: Option<String>,
}

/// What happens when a gate's criterion fails.
#[derive(Debug, Clone, Default, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct FailureHandling {
    /// The response (default `block`).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub response: Option<GateResponse>,
    /// Channels or people that are told.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub notification: Vec<String>,
    /// Who is called when that does not help.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub escalation: Option<String>,
}

/// The response to a failed criterion.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[derive(Default)]
pub enum GateResponse {
    /// The run waits for a re-evaluation by `resume`.
    #[default]
    Block,
    /// The phase is undone.
    Rollback,
    /// A person is asked.
    ManualReview,
}

/// Checks that go on during the whole migration.
#[derive(Debug, Clone, Default, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ContinuousValidation {
    /// The id.
    pub validation_id: String,
    /// The name that people read.
    pub name: String,
    /// How often. Example: `every 5 minutes`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub frequency: Option<String>,
    /// What must hold.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub checks: Vec<Check>,
    /// Test datasets that must pass.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub test_dataset_ids: Vec<String>,
    /// Conditions that alert.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub alert_conditions: Vec<Check>,
}

/// A suite that shows that the existing system still works.
#[derive(Debug, Clone, Default, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RegressionValidation {
    /// The id.
    pub regression_suite_id: String,
    /// The name that people read.
    pub name: String,
    /// Where the suite is: a script or folder.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub location: Option<Script>,
    /// When it runs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub execution_frequency: Option<RegressionFrequency>,
    /// What it covers.
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
    /// Before the first step.
    PreMigration,
    /// After the last one.
    PostMigration,
    /// All the time.
    Continuous,
}
