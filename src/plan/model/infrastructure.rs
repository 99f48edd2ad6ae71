//! `infrastructure_migration`: catalogue of machines, stores and networks that change.

use super::prelude::*;

/// Catalogue of machines, stores and networks that change.
#[derive(Debug, Clone, Default, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct InfrastructureMigration {
    /// The changes, which steps name in `applies`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub infrastructure_changes: Vec<InfrastructureChange>,
}

/// One change of infrastructure.
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct InfrastructureChange {
    /// The id that `applies` names. Example: `INFRA-001`.
    pub change_id: String,
    /// The name that people read.
    pub name: String,
    /// What changes.
    pub r#type: InfrastructureType,
    /// How it is now.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub current_state: Option<InfrastructureState>,
    /// How it will be.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub target_state: Option<InfrastructureState>,
    /// The commands, each followed by its validation.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub migration_steps: Vec<InfrastructureStep>,
    /// Capacity before and after.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub capacity_planning: Option<CapacityPlanning>,
    /// How it is validated.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub validation: Option<InfrastructureValidation>,
    /// How it is undone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rollback: Option<InfrastructureRollback>,
}

/// What kind of infrastructure changes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum InfrastructureType {
    /// A machine.
    Server,
    /// A database.
    Database,
    /// A cache.
    Cache,
    /// A load balancer.
    LoadBalancer,
    /// A network.
    Network,
    /// Storage.
    Storage,
}

/// A state of infrastructure.
#[derive(Debug, Clone, Default, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct InfrastructureState {
    /// In words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// Its configuration, or where that is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub configuration: Option<String>,
}

/// One command and its validation.
#[derive(Debug, Clone, Default, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct InfrastructureStep {
    /// What is done, in words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub step: Option<String>,
    /// The command that does it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub command: Option<CommandItem>,
    /// How it is validated: a sentence or a probe.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub validation: Option<Check>,
}

/// Capacity before and after.
#[derive(Debug, Clone, Default, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CapacityPlanning {
    /// Now.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub current_capacity: Option<String>,
    /// After.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub target_capacity: Option<String>,
    /// How it grows.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub scaling_approach: Option<String>,
}

/// How a change of infrastructure is validated.
#[derive(Debug, Clone, Default, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct InfrastructureValidation {
    /// Test datasets that must pass.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub test_dataset_ids: Vec<String>,
    /// Where the results of load tests are.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub load_test_results: Option<String>,
}

/// How a change of infrastructure is undone.
#[derive(Debug, Clone, Default, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct InfrastructureRollback {
    /// Whether it can be undone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub can_rollback: Option<bool>,
    /// What to do: prose, or `{run: "./undo.sh"}`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rollback_procedure: Option<Instruction>,
}
