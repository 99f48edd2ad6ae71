//! `integration_migration`: partners and services that must change together.

use super::prelude::*;

/// Partners and services that must change together. A run of this version does not act on it.
#[derive(Debug, Clone, Default, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct IntegrationMigration {
    /// Integrations with other parties. Example: `[{integration_id: INT-1, name: Payment provider}]`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub external_integrations: Vec<ExternalIntegration>,
    /// Integrations between own services. Example: `[{integration_id: INT-2, consuming_services: [cart]}]`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub internal_integrations: Vec<InternalIntegration>,
}

/// An integration with another party.
#[derive(Debug, Clone, Default, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ExternalIntegration {
    /// The id, as in the description of the existing system. Example: `INT-1`.
    pub integration_id: String,
    /// The name that people read. Example: `Payment provider`.
    pub name: String,
    /// How the integration moves over. Example: `{method: cutover, coordination_required: true}`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub migration_approach: Option<IntegrationApproach>,
    /// How the integration is tested. Example: `{test_environment: partner sandbox}`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub testing: Option<IntegrationTesting>,
    /// How the old integration can be used again. Example: `{fallback_to_old: true}`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fallback: Option<IntegrationFallback>,
}

/// How an integration moves.
#[derive(Debug, Clone, Default, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct IntegrationApproach {
    /// How old and new integration follow one another. Example: `parallel_run`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub method: Option<IntegrationMethod>,
    /// Whether the other party must take part.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub coordination_required: Option<bool>,
    /// How the other party takes part. Example: `{external_party: Payment provider}`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub coordination_plan: Option<PartnerCoordination>,
}

/// How old and new integration follow one another.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum IntegrationMethod {
    /// At one moment the new one takes over.
    Cutover,
    /// Old and new run side by side for a while.
    ParallelRun,
    /// Traffic or functions move over bit by bit.
    GradualMigration,
}

/// How the other party takes part.
#[derive(Debug, Clone, Default, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PartnerCoordination {
    /// The other party's name. Example: `Payment provider`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub external_party: Option<String>,
    /// When both sides are at hand. Example: `Tuesday 10:00-12:00 UTC`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub coordination_window: Option<String>,
    /// How the other party is told, in words. Example: `mail a week before, call on the day`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub communication_plan: Option<String>,
}

/// How an integration is tested.
#[derive(Debug, Clone, Default, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct IntegrationTesting {
    /// Where the integration is tested. Example: `partner sandbox`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub test_environment: Option<String>,
    /// Test datasets that must pass. Example: `[PARTNER-TEST-001]`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub test_dataset_ids: Vec<String>,
    /// Whether the other party validates as well.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub validation_with_partner: Option<bool>,
}

/// How the old integration can be used again.
#[derive(Debug, Clone, Default, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct IntegrationFallback {
    /// Whether the old integration can be used again.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fallback_to_old: Option<bool>,
    /// What to do: a sentence for a person, or `{run: ./fallback.sh}`. Example: `{run: ./fallback.sh}`.
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
    /// The id by which people refer to it. Example: `INT-2`.
    pub integration_id: String,
    /// The services that use it. Example: `[cart]`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub consuming_services: Vec<String>,
    /// The services that offer it. Example: `[discount]`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub providing_services: Vec<String>,
    /// Which services move first. Example: `{order: [discount, cart]}`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub migration_sequence: Option<MigrationSequence>,
    /// How the contract between them changes. Example: `{old_contract: v1, new_contract: v2}`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub contract_evolution: Option<ContractEvolution>,
}

/// Which services move first.
#[derive(Debug, Clone, Default, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct MigrationSequence {
    /// Services in the order in which they move. Example: `[discount, cart]`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub order: Vec<String>,
    /// Where people coordinate, in words. Example: `[before cart moves]`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub coordination_points: Vec<String>,
}

/// How the contract between services changes.
#[derive(Debug, Clone, Default, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ContractEvolution {
    /// The contract that holds now. Example: `cart-api v1`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub old_contract: Option<String>,
    /// The contract that will hold. Example: `cart-api v2`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub new_contract: Option<String>,
    /// For how long both hold. Example: `30 days`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub transition_period: Option<String>,
}
