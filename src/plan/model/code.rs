//! `code_migration`: how code is deployed and versions are coordinated.

use super::prelude::*;

/// How code is deployed and versions are coordinated. A run of this version does not act on it.
#[derive(Debug, Clone, Default, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CodeMigration {
    /// How the deployment goes about it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub deployment_strategy: Option<DeploymentStrategy>,
    /// Which services change versions, and in which sequence.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version_coordination: Option<VersionCoordination>,
}

/// How the deployment goes about it.
#[derive(Debug, Clone, Default, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct DeploymentStrategy {
    /// The way of deploying, for readers. Example: `blue_green`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub approach: Option<DeploymentApproach>,
    /// The deployments, which steps may name in `applies` once a version executes that. Example: `[{step_id:
    /// DEPLOY-1, name: Deploy the discount service}]`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub steps: Vec<DeploymentStep>,
}

/// The way of deploying.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum DeploymentApproach {
    /// Instance after instance gets the new version.
    Rolling,
    /// Two environments stand side by side, and traffic is switched.
    BlueGreen,
    /// A small share of traffic gets the new version first.
    Canary,
    /// The code is deployed dark and enabled by a flag.
    FeatureFlag,
}

/// One deployment of the catalogue.
#[derive(Debug, Clone, Default, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct DeploymentStep {
    /// The id that `applies` names. Example: `DEPLOY-1`.
    pub step_id: String,
    /// The name that people read. Example: `Deploy the discount service`.
    pub name: String,
    /// What is deployed and why.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// The artifacts with their versions. Example: `["cart-service:2.0.0"]`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub artifacts_to_deploy: Vec<String>,
    /// Services in the order in which they are deployed. Example: `[discount-service, cart-service]`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub deployment_order: Vec<String>,
    /// Configuration files that change with the code. Example: `[{config_file: config/cart.yaml, changes: [discounts
    /// on]}]`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub configuration_changes: Vec<ConfigFileChange>,
    /// Feature flags that the code reads. Example: `[{flag_id: discount-enabled, initial_state: false}]`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub feature_flags: Vec<FeatureFlag>,
    /// How the deployment is validated: health checks, smoke tests, datasets.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub validation: Option<DeploymentValidation>,
}

/// A configuration file that changes with the code.
#[derive(Debug, Clone, Default, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ConfigFileChange {
    /// The path of the file. Example: `config/cart.yaml`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub config_file: Option<String>,
    /// What changes in the file, in words. Example: `[discounts.enabled becomes true]`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub changes: Vec<String>,
    /// How the change is validated: a sentence or a probe.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub validation: Option<Check>,
}

/// A feature flag that the code reads.
#[derive(Debug, Clone, Default, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct FeatureFlag {
    /// The id by which code asks for the flag. Example: `discount-enabled`.
    pub flag_id: String,
    /// Whether it is on right after the deployment.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub initial_state: Option<bool>,
    /// How the flag is rolled out, in words. Example: `5% internal, 25%, 100%`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rollout_plan: Option<String>,
}

/// How a deployment is validated.
#[derive(Debug, Clone, Default, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct DeploymentValidation {
    /// Checks that the services are healthy. Example: `[{check: cart answers, command: "curl -fsS
    /// localhost:8080/healthz"}]`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub health_checks: Vec<Check>,
    /// Checks that the main paths work. Example: `[{check: checkout works, command: ./smoke.sh}]`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub smoke_tests: Vec<Check>,
    /// Test datasets that must pass. Example: `[SERVICE-HEALTH-001]`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub test_dataset_ids: Vec<String>,
}

/// Which services change versions, and in which sequence.
#[derive(Debug, Clone, Default, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct VersionCoordination {
    /// The services with their current and their target version. Example: `[{service_name: cart, current_version:
    /// "1.4.0", target_version: "2.0.0"}]`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub services: Vec<ServiceVersion>,
    /// The sequence in which versions change, and where people coordinate. Example: `{deployment_sequence: [discount,
    /// cart]}`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub coordination_plan: Option<CoordinationPlan>,
}

/// The change of one service's version.
#[derive(Debug, Clone, Default, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ServiceVersion {
    /// The name of the service. Example: `cart-service`.
    pub service_name: String,
    /// The version that runs now. Example: `"1.4.0"`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub current_version: Option<String>,
    /// The version that will run. Example: `"2.0.0"`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub target_version: Option<String>,
    /// How the old and the new version get along. Example: `backward_compatible`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub compatibility_mode: Option<CompatibilityMode>,
    /// When the service may be deployed, in words. Example: `Weekday 10:00-16:00 America/New_York`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub deployment_window: Option<String>,
}

/// How the old and the new version get along.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum CompatibilityMode {
    /// The new version works with the old ones of its neighbours.
    BackwardCompatible,
    /// They work together only in the given sequence.
    RequiresCoordination,
    /// They do not work together: both sides must change at once.
    Breaking,
}

/// The sequence of deployments, and where people coordinate.
#[derive(Debug, Clone, Default, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CoordinationPlan {
    /// Whether services may be deployed at the same time.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub parallel_deployment: Option<bool>,
    /// Services in the order in which they are deployed. Example: `[discount, cart]`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub deployment_sequence: Vec<String>,
    /// Where people coordinate, in words. Example: `[after the schema change]`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub coordination_points: Vec<String>,
}
