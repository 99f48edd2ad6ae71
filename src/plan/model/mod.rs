//! What the author wrote, a file per section of the format.
//!
//! These types are the one source of the format: the JSON Schema is generated from them, the shape
//! of a plan is checked against that schema, and a plan that passed becomes a [`Plan`]. They say
//! what was written and nothing about what it means: meaning is for `review` and `program`.
//!
//! Absent and `null` are the same; lists default to empty. Keys that start with `x-` are the
//! author's own and are gone before these types are filled.

use std::collections::BTreeMap;

mod check;
mod code;
mod communication;
mod configuration;
mod data;
mod extensions;
mod infrastructure;
mod integration;
mod linkage;
mod lookup;
mod metadata;
mod monitoring;
mod overview;
mod phases;
mod post_migration;
mod prerequisites;
mod process;
mod risk;
mod rollback_strategy;
mod success;
mod timeline;
mod validation_strategy;
mod value;

pub use check::*;
pub use code::*;
pub use communication::*;
pub use configuration::*;
pub use data::*;
pub use extensions::*;
pub use infrastructure::*;
pub use integration::*;
pub use linkage::*;
pub use lookup::Place;
pub use metadata::*;
pub use monitoring::*;
pub use overview::*;
pub use phases::*;
pub use post_migration::*;
pub use prerequisites::*;
pub use process::*;
pub use risk::*;
pub use rollback_strategy::*;
pub use success::*;
pub use timeline::*;
pub use validation_strategy::*;
pub use value::{Json, Scalar};

/// What every section file needs.
mod prelude {
    pub(super) use super::check::{Check, CheckMapping, Measurement, SqlProbe};
    pub(super) use super::extensions::StateProbe;
    pub(super) use super::process::{CommandItem, Instruction, RollbackStepItem, Script, Shell};
    pub(super) use super::value::{Json, Scalar, text_or_other};
    pub(super) use schemars::JsonSchema;
    pub(super) use serde::{Deserialize, Serialize};
}

use prelude::*;

/// A migration plan: phases of steps with their gates, approvals and ways back, and everything around them. Only
/// `metadata`, `migration_overview` and `migration_phases` must be there; keys that start with `x-` are the author's
/// own.
#[derive(Debug, Clone, Default, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Plan {
    /// Which migration this is, and where it stands. `migration_name` and the environment name the lock: one run of
    /// them goes on at a time.
    pub metadata: Metadata,
    /// Purpose, scope and constraints. The window under `constraints` holds before a run starts.
    pub migration_overview: MigrationOverview,
    /// What must be true before the run starts. All are evaluated; one that does not pass keeps the run from starting
    /// its first phase.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub prerequisites: Vec<Prerequisite>,
    /// The phases, run one after another by `order`. Each has steps, a gate that ends it, and a way back. At least
    /// one is needed.
    #[schemars(length(min = 1))]
    pub migration_phases: Vec<Phase>,
    /// Catalogue: how code is deployed and versions are coordinated. A run of this version does not act on it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub code_migration: Option<CodeMigration>,
    /// Catalogue of data migrations. A run of this version does not act on it: what should happen goes into a step.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub data_migration: Option<DataMigrationSection>,
    /// Catalogue of settings that change. A run of this version does not act on it: what should happen goes into a
    /// step.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub configuration_migration: Option<ConfigurationMigration>,
    /// Catalogue of machines, stores and networks that change. A run of this version does not act on it: what should
    /// happen goes into a step.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub infrastructure_migration: Option<InfrastructureMigration>,
    /// Catalogue of partners and services that must change together. A run of this version does not act on it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub integration_migration: Option<IntegrationMigration>,
    /// Gates that are added to phases and steps by `location`. Continuous validation and regression suites are for
    /// readers: a run of this version does not act on them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub validation_strategy: Option<ValidationStrategy>,
    /// What a failure undoes beyond the step itself, and the declared levels of going back with who decides.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rollback_strategy: Option<RollbackStrategy>,
    /// What may go wrong and what is done about it. For readers and the review: a run of this version does not act on
    /// it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub risk_mitigation: Option<RiskMitigation>,
    /// Who is told what, when and where. For readers: a run of this version sends nothing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub communication_plan: Option<CommunicationPlan>,
    /// The metrics that conditions such as `error_rate < 0.1%` may name, and how each is measured. Health checks and
    /// dashboards are for readers.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub monitoring_and_observability: Option<MonitoringAndObservability>,
    /// When the migration is a success. `technical_success` and `migration_complete_definition` are evaluated after
    /// the last phase and decide whether the run is completed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub success_criteria: Option<SuccessCriteria>,
    /// What is left to do after the run. For readers: a run of this version does not act on it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub post_migration: Option<PostMigration>,
    /// Milestones, the declared critical path and the buffer. For readers and the review: a run does not act on it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub execution_timeline: Option<ExecutionTimeline>,
    /// The files around the plan, and the folder in which test datasets are found.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub linkage: Option<Linkage>,
    /// Values that reach every process as environment variables of the same name; commands are never templated.
    /// Highest first: `--var`, `--var-file`, `ORCHESTRATE_VAR_<NAME>`, the environment's `variables`, the variable's
    /// own `env`, `file` or `command`, its `default`. Example: `{TARGET: {default: v2, description: the release to
    /// deploy}}`.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub variables: BTreeMap<String, Variable>,
    /// The environments that `--env` may name, with what differs in them. One that does not say `production: false`
    /// counts as production, and so does a run without `--env`. Example: `{staging: {production: false, variables:
    /// {TARGET: v2}}}`.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub environments: BTreeMap<String, Environment>,
    /// Database connections by name; scripts ending in `.sql` and `shell: sql` use `default`. An undefined `default`
    /// means `{url_env: DATABASE_URL}`. Example: `{default: {url_env: DATABASE_URL}}`.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub connections: BTreeMap<String, Connection>,
    /// Other files whose sections become part of this plan. A key that the plan gives too must have the same value.
    /// Example: `[{file: common.yaml, with: {TABLE: cart}}]`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub includes: Vec<Include>,
    /// Probes that capture the state which a rehearsal compares before and after an undo. A run does not act on them.
    /// Example: `[{name: schema, command: pg_dump -s, ignore: ["^--"]}]`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub state_probes: Vec<StateProbe>,
    /// Whether processes get only PATH, HOME, USER, LANG, LC_*, TZ, TERM, SSH_AUTH_SOCK, the plan's variables and
    /// what `pass_env` names (default `false`). Otherwise they get the caller's environment less what hijacks
    /// interpreters, such as BASH_ENV and LD_PRELOAD.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub isolate_env: Option<bool>,
    /// Environment variables that pass in any case, as globs in which `*` stands for any letters. Example: `[AWS_*,
    /// KUBECONFIG]`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub pass_env: Vec<String>,
    /// What should happen when the window closes during a run; the same as under `constraints`. A run of this version
    /// judges the window before it starts and when it is resumed, and does not act on this.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub on_window_close: Option<OnWindowClose>,
    /// Whether the person who started the run is refused as an approver (default `false`). A name that `people:` in
    /// `orchestrate.yaml` does not map to a user is refused then, too.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub separation_of_duties: Option<bool>,
}

/// Adds to a check's schema that it has exactly one probe.
fn exactly_one_probe(schema: &mut schemars::Schema) {
    require_one_of(schema, &CheckMapping::PROBE_KEYS);
}

/// Adds to a measurement's schema that it has exactly one probe.
fn exactly_one_measurement(schema: &mut schemars::Schema) {
    require_one_of(schema, &MeasurementMapping::PROBE_KEYS);
}

fn require_one_of(schema: &mut schemars::Schema, keys: &[&str]) {
    let branches: Vec<serde_json::Value> = keys
        .iter()
        .map(|key| serde_json::json!({ "required": [key] }))
        .collect();
    schema.insert("oneOf".to_owned(), serde_json::Value::Array(branches));
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test may stop at the first surprise")]

    use super::*;

    #[test]
    fn strings_and_mappings_both_fit() {
        let plan: Plan = serde_yaml::from_str(
            r#"
metadata: {version: "1", migration_name: m}
migration_overview: {name: n}
migration_phases:
  - phase_id: P
    name: p
    order: 1
    steps:
      - step_id: S
        name: s
        order: 1
        type: configuration
        depends_on: []
        observe: {for: 3 days, every: 5m}
        execution_details:
          automation_script: {path: a.sh, args: [--to, 25], shell: [perl, -e]}
          commands: ["make db", {run: "psql -f x.sql", shell: bash}]
        rollback_procedure:
          rollback_steps: [{run: ./undo.sh}, by hand]
        validation:
          validation_checks: [fine, {check: c, command: "true", expect: {exit_code: 3}}]
"#,
        )
        .unwrap();
        let step = &plan.migration_phases[0].steps[0];
        assert_eq!(step.depends_on.as_deref(), Some(&[][..]));
        assert_eq!(step.observe.as_ref().unwrap().r#for, "3 days");
        let details = step.execution_details.as_ref().unwrap();
        let script = details.automation_script.as_ref().unwrap();
        assert_eq!(script.path(), "a.sh");
        assert_eq!(script.settings().unwrap().args[1].as_str(), "25");
        assert_eq!(details.commands[1].run(), "psql -f x.sql");
        let undo = step.rollback_procedure.as_ref().unwrap();
        assert_eq!(undo.rollback_steps[0].command().unwrap().run, "./undo.sh");
        assert_eq!(undo.rollback_steps[1].command(), None);
        let checks = &step.validation.as_ref().unwrap().validation_checks;
        let Check::Probe(probe) = &checks[1] else {
            panic!("a mapping is a probe")
        };
        assert_eq!(probe.probe(), Some(Probe::Command("true")));
    }
}
