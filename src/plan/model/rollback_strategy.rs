//! `rollback_strategy`: levels of going back, and how they were tested.

use super::prelude::*;

/// What a failure undoes, the declared levels of going back, and how they were tested.
#[derive(Debug, Clone, Default, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RollbackStrategy {
    /// What is undone when a step fails, after the step's own undo (default `stop`).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub on_failure: Option<OnFailure>,
    /// The declared levels. They are shown with their triggers, times and who decides when something fails; each
    /// level is declared once. Example: `[{level: full, decision_maker: VP Engineering, approval_required: true}]`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub rollback_levels: Vec<RollbackLevel>,
    /// Which rollbacks were tested. It only reports, and changing it does not void approvals. Example:
    /// `[{rollback_scenario: full rollback in staging, tested: true, test_result: passed}]`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub rollback_testing: Vec<RollbackTesting>,
}

/// What is undone when a step fails.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[derive(Default)]
pub enum OnFailure {
    /// Nothing more: the run stops, and what earlier steps did remains.
    #[default]
    Stop,
    /// The rest of the phase is undone, then the run stops.
    Phase,
    /// Everything is undone, phase after phase from the last; the run is over.
    Full,
}

/// One level of going back: how far, when, who decides, and what must hold after.
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RollbackLevel {
    /// How far back it goes: one step, one phase, or everything. Example: `phase`.
    pub level: Level,
    /// What the level does, for the person who decides.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// When it is due. They are shown to whoever decides; a run of this version does not watch them. Example:
    /// `[error_rate > 1%]`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub trigger_conditions: Vec<Check>,
    /// Who decides; with `approval_required` the undo waits for this person. They also attest the level's checks.
    /// Example: `Engineering Manager`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub decision_maker: Option<String>,
    /// Whether the undo waits until the `decision_maker` has approved it (default `false`).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub approval_required: Option<bool>,
    /// Whether the level's `automation_script` runs in place of the undo of steps and phases (default `false`);
    /// otherwise it is offered as a contingency and never run by itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub replaces_steps: Option<bool>,
    /// What the level does: the script matters to a run, the sentences are for people. Example: `{automation_script:
    /// scripts/full-rollback.sh, estimated_duration: 2-3 hours}`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rollback_procedure: Option<LevelProcedure>,
    /// What must hold after an undo of this level. Example: `{post_rollback_checks: [All services healthy]}`.
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
    /// One step is undone, then the run stops; `resume` tries the step anew.
    Step,
    /// One phase is undone as its `rollback_point` says, then the run stops; `resume` begins it anew.
    Phase,
    /// The whole migration is undone, phase after phase from the last; the run is over.
    Full,
}

/// What a level of going back does.
#[derive(Debug, Clone, Default, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct LevelProcedure {
    /// What is done, in words, for the person who decides; a run of this version does not act on it. Example:
    /// `[Reduce the feature flag to 0, Verify the error rate]`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub steps: Vec<RollbackStepItem>,
    /// The script that does it all. It runs only with `replaces_steps: true`; otherwise it is offered as a
    /// contingency. Example: `scripts/full-rollback.sh`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub automation_script: Option<Script>,
    /// What a person does, for readers; a run of this version does not act on it. Example: `[Inform support]`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub manual_steps: Vec<String>,
    /// How long it should take, shown to whoever decides. Example: `5 minutes`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub estimated_duration: Option<String>,
    /// Whether `automation_script` runs in place of the undo of steps and phases; the same as on the level.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub replaces_steps: Option<bool>,
    /// How long the script may run. Then its process tree is killed and the rollback is stuck until a person decides.
    /// Example: `1h`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub timeout: Option<String>,
}

/// What must hold after a level was carried out; all of it is evaluated.
#[derive(Debug, Clone, Default, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct LevelValidation {
    /// What must hold after the undo; the `decision_maker` attests what no machine can. Example: `[All services
    /// healthy, {check: schema is as before, command: scripts/diff-schema.sh}]`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub post_rollback_checks: Vec<Check>,
    /// Test datasets that must pass after the undo; they cover the checks that are prose. Example:
    /// `[ROLLBACK-TEST-010]`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub test_dataset_ids: Vec<String>,
}

/// A rollback that was tested, for readers and reviewers.
#[derive(Debug, Clone, Default, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RollbackTesting {
    /// What was tested, in words. Example: `full rollback in staging`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rollback_scenario: Option<String>,
    /// Whether the scenario has been tested.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tested: Option<bool>,
    /// When it was tested, ISO 8601. Example: `"2025-10-01T14:00:00Z"`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub test_date: Option<String>,
    /// How the test of the rollback ended. Example: `passed`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub test_result: Option<RollbackTestResult>,
    /// The test dataset that shows it. Example: `ROLLBACK-TEST-003`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub test_dataset_id: Option<String>,
    /// Where the evidence is: a link or a path. Example: `reports/rollback-2025-10-01.html`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub evidence: Option<String>,
}

/// How a rollback test ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum RollbackTestResult {
    /// The way back worked as planned.
    Passed,
    /// The way back did not work.
    Failed,
    /// Some of it worked, some did not.
    Partial,
}
