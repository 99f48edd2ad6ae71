//! `code_migration`: how code is deployed and versions are coordinated.

use super::prelude::*;

/// How code is deployed and versions are coordinated.
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
    /// The way of deploying.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub approach: Option<DeploymentApproach>,
    /// The deployments, which steps name in `applies`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub steps: Vec<DeploymentStep>,
}

/// The way of deploying.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum DeploymentApproach {
    /// Instance after instance.
    Rolling,
    /// Two environments and a switch.
    BlueGreen,
    /// A small share first.
    Canary,
    /// Deployed dark, enabled by a flag.
    FeatureFlag,
}

/// One deployment.
#[derive(Debug, Clone, Default, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct DeploymentStep {
    /// The id that `applies` names. Example: `DEPLOY-1`.
    pub step_id: String,
    /// The name that people read.
    pub name: String,
    /// What is deployed and why.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// The artifacts. Example: `[cart-service:2.0.0]`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub artifacts_to_deploy: Vec<String>,
    /// Services in the order in which they are deployed.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub deployment_order: Vec<String>,
    /// Configuration files that change with the code.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub configuration_changes: Vec<ConfigFileChange>,
    /// Feature flags that the code reads.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub feature_flags: Vec<FeatureFlag>,
    /// How the deployment is validated.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub validation: Option<DeploymentValidation>,
}

/// A configuration file that changes with the code.
#[derive(Debug, Clone, Default, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ConfigFileChange {
    /// The file. Example: `config/cart.yaml`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub config_file: Option<String>,
    /// What changes in it.
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
    /// The flag's id. Example: `discount-enabled`.
    pub flag_id: String,
    /// Whether it is on right after the deployment.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub initial_state: Option<bool>,
    /// How it is rolled out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rollout_plan: Option<String>,
}

/// How a deployment is validated.
#[derive(Debug, Clone, Default, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct DeploymentValidation {
    /// Health checks. Example: `[{http: {url: "http://localhost:8080/healthz"}}]`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub health_checks: Vec<Check>,
    /// Smoke tests.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub smoke_tests: Vec<Check>,
    /// Test datasets that must pass.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub test_dataset_ids: Vec<String>,
}

/// Which services change versions, and in which sequence.
#[derive(Debug, Clone, Default, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct VersionCoordination {
    /// The services and their versions.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub services: Vec<ServiceVersion>,
    /// The sequence.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub coordination_plan: Option<CoordinationPlan>,
}

/// One service's change of version.
#[derive(Debug, Clone, Default, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ServiceVersion {
    /// The service's name.
    pub service_name: String,
    /// The version that runs now. Example: `"1.4.0"`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub current_version: Option<String>,
    /// The version that will run. Example: `"2.0.0"`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub target_version: Option<String>,
    /// How the versions get along.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub compatibility_mode: Option<CompatibilityMode>,
    /// When it may be deployed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub deployment_window: Option<String>,
}

/// How two versions get along.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum CompatibilityMode {
    /// The new one works with the old ones.
    BackwardCompatible,
    /// They work together only in the given sequence.
    RequiresCoordination,
    /// They do not work together.
    Breaking,
}

/// The sequence of deployments.
#[derive(Debug, Clone, Default, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CoordinationPlan {
    /// Whether services may be deployed at the same time.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub parallel_deployment: Option<bool>,
    /// Services in the order in which they are deployed.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub deployment_sequence: Vec<String>,
    /// Where people coordinate.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub coordination_points: Vec<String>,
}
