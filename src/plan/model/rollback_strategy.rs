//! `rollback_strategy`: levels of going back, and how they were tested.

use super::prelude::*;

/// Levels of going back, and how they were tested.
#[derive(Debug, Clone, Default, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RollbackStrategy {
    /// What is undone when a step fails, beyond the step itself (default `stop`).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub on_failure: Option<OnFailure>,
    /// The levels, shown as a decision tree when something fails.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub rollback_levels: Vec<RollbackLevel>,
    /// Which rollbacks were tested. It only reports and is not part of the digest.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub rollback_testing: Vec<RollbackTesting>,
}

/// What is undone when a step fails.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[derive(Default)]
pub enum OnFailure {
    /// Only the step itself; then the run stops.
    #[default]
    Stop,
    /// The phase.
    Phase,
    /// Everything.
    Full,
}

/// One level of going back.
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RollbackLevel {
    /// How far back it goes.
    pub level: Level,
    /// What it does.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// When it is due: conditions are watched, prose is shown. Example: `[error_rate > 1%]`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub trigger_conditions: Vec<Check>,
    /// Who decides.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub decision_maker: Option<String>,
    /// Whether the decision maker is asked before it starts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub approval_required: Option<bool>,
    /// Whether the level's `automation_script` replaces the undo of the steps; otherwise it is
    /// offered as contingency.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub replaces_steps: Option<bool>,
    /// What to do.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rollback_procedure: Option<LevelProcedure>,
    /// What must hold after.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub validation: Option<LevelValidation>,
}

impl RollbackLevel {
    /// Whether the level's script replaces the undo of the steps.
    #[must_use]
    pub fn script_replaces_steps(&self) -> bool {
        self.replaces_steps == Some(true)
            || self
                .rollback_procedure
                .as_ref()
                .is_some_and(|procedure| procedure.replaces_steps == Some(true))
    }
}

/// How far back a level goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[derive(PartialOrd, Ord, Hash)]
pub enum Level {
    /// One step.
    Step,
    /// One phase.
    Phase,
    /// The whole migration.
    Full,
}

/// What a level does.
#[derive(Debug, Clone, Default, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct LevelProcedure {
    /// What to do, in order: prose, or `{run: "./undo.sh"}`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub steps: Vec<RollbackStepItem>,
    /// The script that does it all.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub automation_script: Option<Script>,
    /// What a person does.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub manual_steps: Vec<String>,
    /// How long it should take. Example: `5 minutes`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub estimated_duration: Option<String>,
    /// Whether `automation_script` replaces the undo of the steps; the same as on the level.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub replaces_steps: Option<bool>,
    /// How long the script may run before it is killed. Example: `1h`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub timeout: Option<String>,
}

/// What must hold after a level was carried out.
#[derive(Debug, Clone, Default, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct LevelValidation {
    /// What must hold.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub post_rollback_checks: Vec<Check>,
    /// Test datasets that must pass.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub test_dataset_ids: Vec<String>,
}

/// A rollback that was tested.
#[derive(Debug, Clone, Default, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RollbackTesting {
    /// What was tested.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rollback_scenario: Option<String>,
    /// Whether it was.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tested: Option<bool>,
    /// When, ISO 8601.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub test_date: Option<String>,
    /// How it ended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub test_result: Option<RollbackTestResult>,
    /// The test dataset that shows it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub test_dataset_id: Option<String>,
    /// Where the evidence is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub evidence: Option<String>,
}

/// How a rollback test ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum RollbackTestResult {
    /// It worked.
    Passed,
    /// It did not.
    Failed,
    /// Some of it worked.
    Partial,
}
