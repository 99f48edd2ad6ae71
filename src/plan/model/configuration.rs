//! `configuration_migration`: catalogue of settings that change.

use super::prelude::*;

/// Catalogue of settings that change.
#[derive(Debug, Clone, Default, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ConfigurationMigration {
    /// The changes, which steps name in `applies`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub configuration_changes: Vec<ConfigurationChange>,
}

/// One setting that changes.
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ConfigurationChange {
    /// The id that `applies` names. Example: `CONFIG-001`.
    pub config_id: String,
    /// The name that people read.
    pub name: String,
    /// Where the setting lives.
    pub r#type: ConfigurationType,
    /// The value now; the change is refused if another one is found.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub current_value: Option<String>,
    /// The value after.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub new_value: Option<String>,
    /// What the change affects.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub change_impact: Option<ChangeImpact>,
    /// How the change is made.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub deployment_method: Option<DeploymentMethod>,
    /// How it is undone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rollback: Option<ConfigurationRollback>,
}

/// Where a setting lives.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ConfigurationType {
    /// An environment variable.
    EnvironmentVariable,
    /// A file.
    ConfigFile,
    /// A database's configuration.
    DatabaseConfig,
    /// A feature flag.
    FeatureFlag,
}

/// What a change affects.
#[derive(Debug, Clone, Default, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ChangeImpact {
    /// The components.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub affected_components: Vec<String>,
    /// Whether they need a restart.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub requires_restart: Option<bool>,
    /// Whether they are down meanwhile.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub downtime_required: Option<bool>,
}

/// How a setting is changed.
#[derive(Debug, Clone, Default, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct DeploymentMethod {
    /// In words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub approach: Option<String>,
    /// The script that does it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub automation_script: Option<Script>,
    /// The test dataset that shows it worked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub validation_test_id: Option<String>,
}

/// How a setting is changed back.
#[derive(Debug, Clone, Default, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ConfigurationRollback {
    /// The value to go back to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub previous_value: Option<String>,
    /// The script that does it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rollback_script: Option<Script>,
}
