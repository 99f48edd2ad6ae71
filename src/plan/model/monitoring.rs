//! `monitoring_and_observability`: metrics, health checks, dashboards.

use super::prelude::*;

/// The metrics that conditions may name, health checks, dashboards.
#[derive(Debug, Clone, Default, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct MonitoringAndObservability {
    /// The metrics that conditions may name, each with how it is measured. Example: `[{metric_name: Error Rate, id:
    /// error_rate, unit: "%", measurement_method: {command: scripts/error-rate.sh}}]`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub migration_monitoring: Vec<Metric>,
    /// Checks of health at their own frequency. For readers: a run of this version does not evaluate them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub health_checks: Vec<HealthCheck>,
    /// Where people look during the migration. Example: `[{dashboard_name: Discount migration, url:
    /// "https://monitoring.example.com/discount"}]`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub dashboards: Vec<Dashboard>,
}

/// A metric: its name, how it is measured, where it should be.
#[derive(Debug, Clone, Default, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Metric {
    /// The name that people read. Conditions match it whole, ignoring case, spaces, `_` and `-`. Example: `Error
    /// Rate`.
    pub metric_name: String,
    /// A short id that conditions may use as well. Example: `error_rate`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    /// The unit in which it reports; limits in another unit of the same kind are converted. Examples: `"%"`, `ms`,
    /// `MB`, `req/s`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unit: Option<String>,
    /// How often it should be measured. For readers: a run of this version measures a metric when a condition over it
    /// is evaluated. Example: `30s`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub interval: Option<String>,
    /// What the metric says about the system, for readers.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// How it is measured: a mapping with `command` prints the figure; where it is a sentence, a person reads the
    /// figure off and attests conditions over it. Example: `{command: scripts/error-rate.sh}`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub measurement_method: Option<Measurement>,
    /// Where the metric should be. For readers and the review: a run of this version does not watch it. Example:
    /// `0-0.1%`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub normal_range: Option<String>,
    /// From where on people should be told. For readers and the review: a run of this version does not watch it.
    /// Example: `0.5%`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub alert_threshold: Option<String>,
    /// From where on a rollback is due. For readers and the review: a run of this version does not watch it. Example:
    /// `1%`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub critical_threshold: Option<String>,
    /// Where alerts should be sent. For readers: a run of this version sends nothing. Example: `["#eng-alerts"]`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub alert_channels: Vec<String>,
}

/// A check of health at its own frequency. A run of this version does not evaluate it.
#[derive(Debug, Clone, Default, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct HealthCheck {
    /// The name that people read. Example: `Cart service answers`.
    pub check_name: String,
    /// What the check looks at, for readers.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// How often it should be evaluated. Example: `every minute`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub frequency: Option<String>,
    /// How it is done: a sentence or a probe. Example: `{command: "curl -fsS localhost:8080/healthz"}`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub check_procedure: Option<Check>,
    /// What makes the check pass, in words. Example: `answers 200 within 1 s`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub success_criteria: Option<String>,
    /// What should be done when it fails, in words. Example: `call the on-call engineer`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub failure_response: Option<String>,
}

/// A page where people look during the migration.
#[derive(Debug, Clone, Default, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Dashboard {
    /// The name that people read. Example: `Discount migration`.
    pub dashboard_name: String,
    /// The address of the page. Example: `https://monitoring.example.com/discount`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,
    /// What the page shows. Example: `[Error rate, Discount usage]`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub metrics_displayed: Vec<String>,
    /// Who looks at the page. Example: `[Engineering Team]`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub audience: Vec<String>,
}
