//! `configuration_migration`: catalogue of settings that change.

use super::prelude::*;

/// Catalogue of settings that change. A run of this version does not act on it.
#[derive(Debug, Clone, Default, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ConfigurationMigration {
    /// The changes, which steps may name in `applies` once a version executes that. Example: `[{config_id:
    /// CONFIG-001, name: Discount flag, type: feature_flag}]`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub configuration_changes: Vec<ConfigurationChange>,
}

/// One setting of the catalogue that changes.
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ConfigurationChange {
    /// The id that `applies` names. Example: `CONFIG-001`.
    pub config_id: String,
    /// The name that people read. Example: `Discount flag`.
    pub name: String,
    /// Where the setting lives. Example: `feature_flag`.
    pub r#type: ConfigurationType,
    /// The value that is expected to be there now. Example: `"false"`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub current_value: Option<String>,
    /// The value that it gets. Example: `"true"`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub new_value: Option<String>,
    /// What the change affects.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub change_impact: Option<ChangeImpact>,
    /// How the change is made. Example: `{automation_script: scripts/set-flag.sh}`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub deployment_method: Option<DeploymentMethod>,
    /// How the setting is changed back. Example: `{previous_value: "false"}`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rollback: Option<ConfigurationRollback>,
}

/// Where a setting lives.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ConfigurationType {
    /// A variable in the environment of processes.
    EnvironmentVariable,
    /// A value in a configuration file.
    ConfigFile,
    /// A setting of a database server.
    DatabaseConfig,
    /// A flag that code reads at run time.
    FeatureFlag,
}

/// What a changed setting affects.
#[derive(Debug, Clone, Default, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ChangeImpact {
    /// The components that read the setting. Example: `[cart-service]`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub affected_components: Vec<String>,
    /// Whether these components need a restart.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub requires_restart: Option<bool>,
    /// Whether these components are down meanwhile.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub downtime_required: Option<bool>,
}

/// How a setting is changed.
#[derive(Debug, Clone, Default, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct DeploymentMethod {
    /// How the setting is changed, in words. Example: `through the flag service`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub approach: Option<String>,
    /// The script that changes the setting. Example: `scripts/set-flag.sh`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub automation_script: Option<Script>,
    /// The test dataset that shows it worked. Example: `CONFIG-TEST-001`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub validation_test_id: Option<String>,
}

/// How a setting is changed back.
#[derive(Debug, Clone, Default, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ConfigurationRollback {
    /// The value to go back to. Example: `"false"`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub previous_value: Option<String>,
    /// The script that changes the setting back. Example: `scripts/disable-feature-flag.sh`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rollback_script: Option<Script>,
}
