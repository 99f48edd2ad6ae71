//! `integration_migration`: partners and services that must change together.

use super::prelude::*;

/// Partners and services that must change together.
#[derive(Debug, Clone, Default, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct IntegrationMigration {
    /// Integrations with other parties.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub external_integrations: Vec<ExternalIntegration>,
    /// Integrations between own services.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub internal_integrations: Vec<InternalIntegration>,
}

/// An integration with another party.
#[derive(Debug, Clone, Default, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ExternalIntegration {
    /// The id, as in the description of the existing system.
    pub integration_id: String,
    /// The name that people read.
    pub name: String,
    /// How it moves.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub migration_approach: Option<IntegrationApproach>,
    /// How it is tested.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub testing: Option<IntegrationTesting>,
    /// The way back.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fallback: Option<IntegrationFallback>,
}

/// How an integration moves.
#[derive(Debug, Clone, Default, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct IntegrationApproach {
    /// The method.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub method: Option<IntegrationMethod>,
    /// Whether the other party must take part.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub coordination_required: Option<bool>,
    /// How the other party takes part.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub coordination_plan: Option<PartnerCoordination>,
}

/// The method of moving an integration.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum IntegrationMethod {
    /// At one moment.
    Cutover,
    /// Old and new side by side.
    ParallelRun,
    /// Bit by bit.
    GradualMigration,
}

/// How the other party takes part.
#[derive(Debug, Clone, Default, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PartnerCoordination {
    /// Who it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub external_party: Option<String>,
    /// When.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub coordination_window: Option<String>,
    /// How they are told.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub communication_plan: Option<String>,
}

/// How an integration is tested.
#[derive(Debug, Clone, Default, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct IntegrationTesting {
    /// Where.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub test_environment: Option<String>,
    /// Test datasets that must pass.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub test_dataset_ids: Vec<String>,
    /// Whether the partner validates too.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub validation_with_partner: Option<bool>,
}

/// An integration's way back.
#[derive(Debug, Clone, Default, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct IntegrationFallback {
    /// Whether the old one can be used again.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fallback_to_old: Option<bool>,
    /// What to do: prose, or `{run: "./fallback.sh"}`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fallback_procedure: Option<Instruction>,
    /// How long it should take. Example: `15 minutes`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fallback_duration: Option<String>,
}

/// An integration between own services.
#[derive(Debug, Clone, Default, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct InternalIntegration {
    /// The id.
    pub integration_id: String,
    /// Who uses it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub consuming_services: Vec<String>,
    /// Who offers it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub providing_services: Vec<String>,
    /// Who moves first.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub migration_sequence: Option<MigrationSequence>,
    /// How the contract changes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub contract_evolution: Option<ContractEvolution>,
}

/// Who moves first.
#[derive(Debug, Clone, Default, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct MigrationSequence {
    /// Services in the order in which they move.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub order: Vec<String>,
    /// Where people coordinate.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub coordination_points: Vec<String>,
}

/// How a contract changes.
#[derive(Debug, Clone, Default, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ContractEvolution {
    /// The old contract.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub old_contract: Option<String>,
    /// The new contract.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub new_contract: Option<String>,
    /// For how long both hold. Example: `30 days`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub transition_period: Option<String>,
}
