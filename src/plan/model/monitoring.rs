//! `monitoring_and_observability`: metrics, health checks, dashboards.

use super::prelude::*;

/// Metrics, health checks, dashboards.
#[derive(Debug, Clone, Default, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct MonitoringAndObservability {
    /// The metrics that conditions may name.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub migration_monitoring: Vec<Metric>,
    /// Checks of health at their own frequency.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub health_checks: Vec<HealthCheck>,
    /// Where people look.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub dashboards: Vec<Dashboard>,
}

/// One metric.
#[derive(Debug, Clone, Default, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Metric {
    /// The name; conditions match it whole, ignoring case, spaces, `_` and `-`.
    pub metric_name: String,
    /// A short id that conditions may use. Example: `error_rate`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    /// The unit of its values. Example: `"%"`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unit: Option<String>,
    /// How often it is measured. Example: `30s`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub interval: Option<String>,
    /// What it says.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// How it is measured: a sentence, or `{command|sql|http|promql: ...}`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub measurement_method: Option<Measurement>,
    /// Where it should be. Example: `0-0.1%`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub normal_range: Option<String>,
    /// From where on people are told. Example: `0.5%`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub alert_threshold: Option<String>,
    /// From where on a rollback is due. Example: `1%`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub critical_threshold: Option<String>,
    /// Where alerts are sent. Example: `["#eng-alerts"]`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub alert_channels: Vec<String>,
}

/// A check of health at its own frequency.
#[derive(Debug, Clone, Default, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct HealthCheck {
    /// The name.
    pub check_name: String,
    /// What it looks at.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// How often. Example: `every minute`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub frequency: Option<String>,
    /// How it is done: a sentence or a probe.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub check_procedure: Option<Check>,
    /// What makes it pass.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub success_criteria: Option<String>,
    /// What is done when it fails.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub failure_response: Option<String>,
}

/// Where people look.
#[derive(Debug, Clone, Default, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Dashboard {
    /// The name.
    pub dashboard_name: String,
    /// The address.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,
    /// What it shows.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub metrics_displayed: Vec<String>,
    /// Who looks at it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub audience: Vec<String>,
}
