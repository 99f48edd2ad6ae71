//! A step: its preconditions, its action, its validation.

use std::num::NonZeroU32;

use crate::plan::model::prelude::*;

use super::undo::RollbackProcedure;

/// A step: preconditions, one action, the validation of what it did, and its way back.
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Step {
    /// The id that references, answers and reports use: letters, digits, `-`, `_` and `.`. Example: `STEP-1-1`.
    pub step_id: String,
    /// The name that people read. Example: `Backup cart table`.
    pub name: String,
    /// What the step does, for readers; a run does not act on it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// Steps of a phase run by rising `order`; equal orders run together, bounded by `--jobs`. Example: `1`.
    pub order: i64,
    /// What kind of step it is. A step of type `validation` without `rollback_procedure` counts as changing nothing;
    /// the other types are for readers. Example: `data_migration`.
    pub r#type: StepType,
    /// Ids of the steps this one waits for, instead of all steps of lower `order`. `[]` waits for none. Example:
    /// `[STEP-1-1]`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub depends_on: Option<Vec<String>>,
    /// What must be true before the action. A fail keeps the step from starting and is treated as its failure.
    /// Example: `[STEP-3-1 successful, "error_rate < 0.1%"]`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub preconditions: Vec<Check>,
    /// What the step does: exactly one of a script, commands or manual steps acts. Without any, the step's checks are
    /// its work.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub execution_details: Option<ExecutionDetails>,
    /// How its success is established after the action. Everything is evaluated, none is skipped because another
    /// failed; one fail makes the step failed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub validation: Option<StepValidation>,
    /// How the step is undone, by a fresh process with the inputs of its forward run. A step that changes something
    /// and has none is a wall: a rollback stops there and says so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rollback_procedure: Option<RollbackProcedure>,
    /// How long the step should take. Estimates are shown and reviewed, a run is not cut off by them (that is
    /// `timeout`). Watch time ("3 days observation") is not work and is left out of sums. Example: `30 minutes`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub estimated_duration: Option<String>,
    /// Who confirms manual steps and attests what no machine can judge. Example: `DBA Team`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub responsible_party: Option<String>,
    /// What should be watched while the step runs. For readers: a run of this version does not watch it; `observe`
    /// measures the step's validation again.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub monitoring: Option<StepMonitoring>,
    /// Whether running the step twice does no harm (default `false`). Only `true` lets a run repeat it without asking
    /// after a crash or by `retry`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub idempotent: Option<bool>,
    /// Tells after a crash or a kill whether this step's own effect happened; asked only when no record of its end is
    /// left. Example: `{check: release is live, command: test -L current}`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub done_if: Option<Box<CheckMapping>>,
    /// `none` says that the step changes nothing, so that there is nothing to undo. Example: `none`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub effect: Option<Effect>,
    /// Repeats the whole step after a failed (not an unknown) outcome. The step must be `idempotent`, or its undo
    /// must have succeeded before each repetition. Example: `{attempts: 3, backoff: 10s}`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retry: Option<Retry>,
    /// How long the step's action may take in all. Then its whole process tree is killed, and what it did is unknown.
    /// Without it there is no limit. Example: `1h`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub timeout: Option<String>,
    /// What Ctrl-C or SIGTERM does to the running step (default `finish`). A second one kills its process tree in any
    /// case.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub on_interrupt: Option<OnInterrupt>,
    /// Watch time after the action: the validation is measured again and again, and a fail makes the step failed.
    /// Example: `{for: 3 days, every: 5m}`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub observe: Option<Observe>,
    /// What a rehearsal does between forward and undo, and what must survive the undo. A run does not act on it.
    /// Example: `{writes: [{run: ./place-order.sh}]}`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rehearsal: Option<Rehearsal>,
    /// The action of a step of `type: manifest_migration`: versioned JSON documents are migrated by the built-in engine.
    /// It may run any number of times, and its undo puts back exactly what it migrated unless the step has a
    /// `rollback_procedure` of its own. What it counts is there for checks and gates: `manifest.failed == 0`. Example:
    /// `{root: ., pattern: "**/manifest.json", target_version: latest}`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub manifest_migration: Option<ManifestMigration>,
    /// Ids of catalogue entries, such as a `migration_id`, that this step carries out. This version refuses to run
    /// such a step. Example: `[DATA-MIG-001]`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub applies: Vec<String>,
    /// Probes that capture the state which a rehearsal compares before and after this step's undo. A run does not act
    /// on them. Example: `[{name: flags, file: config/flags.yaml}]`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub state_probes: Vec<StateProbe>,
}

/// What kind of step it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum StepType {
    /// Code is deployed: releases, containers, traffic.
    CodeDeployment,
    /// Data or its schema changes, backups included.
    DataMigration,
    /// Settings or feature flags change.
    Configuration,
    /// Machines, networks or storage change.
    Infrastructure,
    /// Nothing changes, something is checked: without a `rollback_procedure` there is nothing to undo.
    Validation,
    /// Versioned manifest documents are migrated by the built-in engine, as `manifest_migration` says.
    ManifestMigration,
}

/// What a step does. Exactly one acts: the script, else the commands, else the manual steps.
#[derive(Debug, Clone, Default, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ExecutionDetails {
    /// How it is done, in words. It is for readers and never run. Example: `Rolling deployment via Kubernetes`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub method: Option<String>,
    /// Commands, each a process of its own, in order; the first that fails ends the action. With an
    /// `automation_script` they only document it and are not run. Example: `[make db, {run: psql -f x.sql, timeout:
    /// 5m}]`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub commands: Vec<CommandItem>,
    /// The script that does the step: its path, or a mapping that adds arguments and settings. It runs in place of
    /// `commands`. Example: `scripts/backup-cart.sh`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub automation_script: Option<Script>,
    /// What a person does and confirms, item by item. Beside a script or commands they are confirmed before it runs.
    /// Example: `[Announce the deployment in the channel]`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub manual_steps: Vec<String>,
}

/// How a step's success is established.
#[derive(Debug, Clone, Default, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct StepValidation {
    /// What must hold after the step. Example: `[Columns exist in schema, {check: no negative totals, command:
    /// scripts/check-totals.sh}]`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub validation_checks: Vec<Check>,
    /// Test datasets that must pass. They also cover the checks of this block that are prose. Example:
    /// `[DATA-MIG-TEST-001]`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub test_dataset_ids: Vec<String>,
    /// What makes the step a success; evaluated together with `validation_checks`. Example: `["error_rate < 0.1%"]`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub success_criteria: Vec<Check>,
    /// A script that passes on exit 0. It also covers the checks of this block that are prose, except time-bound
    /// ones. Example: `scripts/validate-schema.sh`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub validation_script: Option<Script>,
}

/// What should be watched while a step runs. For readers: a run of this version does not watch it.
#[derive(Debug, Clone, Default, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct StepMonitoring {
    /// Names of metrics that people should watch meanwhile. Example: `[query_latency]`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub metrics_to_watch: Vec<String>,
    /// Conditions under which people should be told. Example: `[error_rate > 0.5%]`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub alert_conditions: Vec<Check>,
}

/// What a step changes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Effect {
    /// Nothing changes: there is nothing to undo.
    None,
}

/// What an interrupt does to the running step.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[derive(Default)]
pub enum OnInterrupt {
    /// The step is carried to its end, then the run saves itself.
    #[default]
    Finish,
    /// The step's process tree is ended; what it did is unknown and is settled on resume.
    Stop,
}

/// How often and how fast a failed step is repeated.
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Retry {
    /// How many attempts in all, the first one included. Example: `3`.
    pub attempts: NonZeroU32,
    /// How long to wait between two attempts (default `0s`). Example: `10s`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub backoff: Option<String>,
}

/// Watch time after a step's action.
#[derive(Debug, Clone, Default, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Observe {
    /// How long the step is watched after its action. Example: `3 days`.
    pub r#for: String,
    /// How often the step's validation is measured again meanwhile (default `60s`). Example: `5m`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub every: Option<String>,
}

/// What a rehearsal does between forward and undo.
#[derive(Debug, Clone, Default, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Rehearsal {
    /// Writes that users would make between forward and undo. Example: `[{run: ./place-order.sh}]`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub writes: Vec<CommandItem>,
    /// What must still hold after the undo. Example: `[{check: the order is still there, command: ./find-order.sh}]`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub must_survive: Vec<Check>,
}

/// Migrates versioned manifest documents, as `orchestrate manifest migrate` does.
#[derive(Debug, Clone, Default, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ManifestMigration {
    /// The folder to walk, resolved against the plan file's folder (default `.`). Example: `runs`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub root: Option<String>,
    /// Which files below `root` are manifests (default: that of their kind, `**/manifest.json` for run manifests). Folders named `inputs` or `.orchestrate` are
    /// never entered. Example: `"**/manifest.json"`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pattern: Option<String>,
    /// The version to reach, or `latest`, the newest that the migrations lead to (default `latest`). Example: `"1.2.0"`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub target_version: Option<String>,
    /// The folder with migrations written as YAML operations, beside the built-in ones. A run keeps them as they were
    /// when it started. Example: `manifest-migrations`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub migrations: Option<String>,
    /// How many files are migrated at a time, from 1 (default: as many as there are processors). Example: `2`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub workers: Option<u32>,
    /// Migrate at most this many files, from 1: a staged roll-out. Example: `1000`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limit: Option<u64>,
    /// Only count what would change, write nothing (default `false`). Such a step has nothing to undo.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dry_run: Option<bool>,
    /// Whether a backup is kept beside each file (default `true`). Without one the step cannot be undone by itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub backup: Option<bool>,
}

impl ManifestMigration {
    /// The folder to walk, relative to the plan's folder.
    #[must_use]
    pub fn root(&self) -> &str {
        self.root.as_deref().unwrap_or(".")
    }

    /// Whether it only counts.
    #[must_use]
    pub fn is_dry_run(&self) -> bool {
        self.dry_run == Some(true)
    }

    /// Whether there is something to restore from.
    #[must_use]
    pub fn keeps_backups(&self) -> bool {
        self.backup != Some(false)
    }
}
