//! A step: its preconditions, its action, its validation.

use crate::plan::model::prelude::*;

use super::undo::RollbackProcedure;

/// A step: preconditions, one action, and the validation of what it did.
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Step {
    /// The id that references, answers and reports use. Example: `STEP-1-1`.
    pub step_id: String,
    /// The name that people read.
    pub name: String,
    /// What the step does.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// Steps of a phase run by rising `order`; equal orders run together.
    pub order: i64,
    /// What kind of step it is.
    pub r#type: StepType,
    /// Ids of the steps this one waits for, instead of all lower orders. `[]` waits for none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub depends_on: Option<Vec<String>>,
    /// What must be true before the step starts. Example: `[STEP-3-1 successful]`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub preconditions: Vec<Check>,
    /// What the step does: a script, else commands, else manual steps.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub execution_details: Option<ExecutionDetails>,
    /// How its success is established. Everything is evaluated.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub validation: Option<StepValidation>,
    /// How the step is undone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rollback_procedure: Option<RollbackProcedure>,
    /// How long the step should take. Example: `30 minutes`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub estimated_duration: Option<String>,
    /// Who attests and confirms what a machine cannot.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub responsible_party: Option<String>,
    /// What is watched while the step runs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub monitoring: Option<StepMonitoring>,
    /// Whether running the step twice does no harm. Only then may it be rerun without asking.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub idempotent: Option<bool>,
    /// Tells after a crash whether this step's own effect happened. Example: `{command: "test -L current"}`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub done_if: Option<Box<CheckMapping>>,
    /// `none` says that the step changes nothing, so that there is nothing to undo.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub effect: Option<Effect>,
    /// Repeats the whole step after a failed outcome, if it is idempotent or was undone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retry: Option<Retry>,
    /// How long the step's action may take before its process tree is killed. Example: `1h`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub timeout: Option<String>,
    /// What an interrupt does to the running step: `finish` (default) or `stop`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub on_interrupt: Option<OnInterrupt>,
    /// Watch time after the action. Example: `{for: 3 days, every: 5m}`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub observe: Option<Observe>,
    /// What a rehearsal does between forward and undo, and what must survive the undo.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rehearsal: Option<Rehearsal>,
    /// The action of a step of `type: manifest_migration`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub manifest_migration: Option<ManifestMigration>,
    /// Ids of catalogue entries (such as a `migration_id`) that this step applies.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub applies: Vec<String>,
    /// Probes that capture the state which a rehearsal compares before and after an undo.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub state_probes: Vec<StateProbe>,
}

/// What kind of step it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum StepType {
    /// Code is deployed.
    CodeDeployment,
    /// Data or its schema changes.
    DataMigration,
    /// Settings or flags change.
    Configuration,
    /// Machines, networks or storage change.
    Infrastructure,
    /// Nothing changes, something is checked.
    Validation,
    /// Versioned manifest documents are migrated by the built-in engine.
    ManifestMigration,
}

/// What a step does. Exactly one acts: the script, else the commands, else the manual steps.
#[derive(Debug, Clone, Default, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ExecutionDetails {
    /// How it is done, in words. It is shown, not run.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub method: Option<String>,
    /// Commands, each a process of its own, in order. With an `automation_script` they only document it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub commands: Vec<CommandItem>,
    /// The script that does the step. Example: `scripts/backup-cart.sh`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub automation_script: Option<Script>,
    /// What a person does and confirms; beside a script or commands they are confirmed first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub manual_steps: Vec<String>,
}

/// How a step's success is established.
#[derive(Debug, Clone, Default, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct StepValidation {
    /// What must hold after the step. Example: `[Columns exist in schema]`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub validation_checks: Vec<Check>,
    /// Test datasets that must pass. Example: `[DATA-MIG-TEST-001]`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub test_dataset_ids: Vec<String>,
    /// What makes the step a success.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub success_criteria: Vec<Check>,
    /// A script that passes on exit 0; it covers the checks that are prose. Example: `scripts/validate-schema.sh`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub validation_script: Option<Script>,
}

/// What is watched while a step runs.
#[derive(Debug, Clone, Default, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct StepMonitoring {
    /// Names of metrics to watch. Example: `[query_latency]`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub metrics_to_watch: Vec<String>,
    /// Conditions that alert. Example: `[error_rate > 0.5%]`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub alert_conditions: Vec<Check>,
}

/// What a step changes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Effect {
    /// Nothing: there is nothing to undo.
    None,
}

/// What an interrupt does to the running step.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[derive(Default)]
pub enum OnInterrupt {
    /// The step finishes, then the run saves itself.
    #[default]
    Finish,
    /// The step is stopped; its outcome is unknown.
    Stop,
}

/// How often and how fast a failed step is repeated. Example: `{attempts: 3, backoff: 10s}`.
#[derive(Debug, Clone, Default, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Retry {
    /// How many attempts in all, the first one included. Example: `3`.
    pub attempts: u32,
    /// How long to wait between attempts. Example: `10s`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub backoff: Option<String>,
}

/// Watch time after a step's action. Example: `{for: 3 days, every: 5m}`.
#[derive(Debug, Clone, Default, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Observe {
    /// How long to watch. Example: `3 days`.
    pub r#for: String,
    /// How often the checks are evaluated meanwhile. Example: `5m`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub every: Option<String>,
}

/// What a rehearsal does between forward and undo.
#[derive(Debug, Clone, Default, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Rehearsal {
    /// Writes that users would make meanwhile. Example: `[{run: "./place-order.sh"}]`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub writes: Vec<CommandItem>,
    /// What must still hold after the undo.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub must_survive: Vec<Check>,
}

/// Migrates versioned manifest documents. Example: `{root: ., pattern: "**/manifest.json",
/// target_version: latest}`.
#[derive(Debug, Clone, Default, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ManifestMigration {
    /// The folder to walk, resolved against the plan file's folder. Example: `.`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub root: Option<String>,
    /// Which files are manifests. Example: `"**/manifest.json"`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pattern: Option<String>,
    /// The version to reach, or `latest`. Example: `"1.2.0"`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub target_version: Option<String>,
    /// The folder with migrations written as YAML operations.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub migrations: Option<String>,
    /// How many files are migrated at a time.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub workers: Option<u32>,
    /// Migrate at most this many files: a staged roll-out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limit: Option<u64>,
    /// Only show what would change.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dry_run: Option<bool>,
    /// Whether a backup is written beside each file (default true).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub backup: Option<bool>,
}
