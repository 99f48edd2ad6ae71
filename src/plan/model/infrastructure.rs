//! `infrastructure_migration`: catalogue of machines, stores and networks that change.

use super::prelude::*;

/// Catalogue of machines, stores and networks that change. A run of this version does not act on it.
#[derive(Debug, Clone, Default, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct InfrastructureMigration {
    /// The changes, which steps may name in `applies` once a version executes that. Example: `[{change_id: INFRA-001,
    /// name: Larger cache, type: cache}]`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub infrastructure_changes: Vec<InfrastructureChange>,
}

/// One change of infrastructure of the catalogue.
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct InfrastructureChange {
    /// The id that `applies` names. Example: `INFRA-001`.
    pub change_id: String,
    /// The name that people read. Example: `Larger cache`.
    pub name: String,
    /// What kind of infrastructure changes. Example: `cache`.
    pub r#type: InfrastructureType,
    /// How the infrastructure is now. Example: `{description: one node of 4 GB}`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub current_state: Option<InfrastructureState>,
    /// How the infrastructure will be. Example: `{description: three nodes of 4 GB}`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub target_state: Option<InfrastructureState>,
    /// The commands, each with its validation. Example: `[{step: add nodes, command: ./add-nodes.sh, validation:
    /// cluster is green}]`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub migration_steps: Vec<InfrastructureStep>,
    /// Capacity before and after. Example: `{current_capacity: 4 GB, target_capacity: 12 GB}`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub capacity_planning: Option<CapacityPlanning>,
    /// How the change is validated: datasets and load tests.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub validation: Option<InfrastructureValidation>,
    /// How the change of infrastructure is undone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rollback: Option<InfrastructureRollback>,
}

/// What kind of infrastructure changes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum InfrastructureType {
    /// A machine, physical or virtual.
    Server,
    /// A database server or cluster.
    Database,
    /// A cache in front of something slower.
    Cache,
    /// What distributes traffic over instances.
    LoadBalancer,
    /// Addresses, routes, firewalls or names.
    Network,
    /// Disks, volumes or object stores.
    Storage,
}

/// A state of infrastructure, for readers.
#[derive(Debug, Clone, Default, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct InfrastructureState {
    /// What the state is, in words. Example: `one node of 4 GB`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// Its configuration, or where that is kept. Example: `terraform/cache.tf`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub configuration: Option<String>,
}

/// One command with its validation.
#[derive(Debug, Clone, Default, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct InfrastructureStep {
    /// What is done, in words. Example: `add nodes`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub step: Option<String>,
    /// The command that does it. Example: `./add-nodes.sh`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub command: Option<CommandItem>,
    /// How the command's effect is validated: a sentence or a probe. Example: `cluster is green`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub validation: Option<Check>,
}

/// Capacity before and after, for readers.
#[derive(Debug, Clone, Default, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CapacityPlanning {
    /// How much there is now. Example: `4 GB`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub current_capacity: Option<String>,
    /// How much there will be. Example: `12 GB`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub target_capacity: Option<String>,
    /// How it grows from one to the other. Example: `node after node`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub scaling_approach: Option<String>,
}

/// How a change of infrastructure is validated.
#[derive(Debug, Clone, Default, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct InfrastructureValidation {
    /// Test datasets that must pass. Example: `[INFRA-TEST-001]`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub test_dataset_ids: Vec<String>,
    /// Where the results of load tests are. Example: `reports/load-test.html`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub load_test_results: Option<String>,
}

/// How a change of infrastructure is undone.
#[derive(Debug, Clone, Default, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct InfrastructureRollback {
    /// Whether the change can be undone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub can_rollback: Option<bool>,
    /// What to do: a sentence for a person, or `{run: ./undo.sh}`. Example: `{run: ./remove-nodes.sh}`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rollback_procedure: Option<Instruction>,
}
