//! `risk_mitigation`: what may go wrong and what is done about it.

use super::prelude::*;

/// What may go wrong and what is done about it.
#[derive(Debug, Clone, Default, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RiskMitigation {
    /// The risks.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub migration_risks: Vec<MigrationRisk>,
}

/// One risk.
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct MigrationRisk {
    /// The id. Example: `RISK-001`.
    pub risk_id: String,
    /// What kind of risk it is.
    pub category: RiskCategory,
    /// What may happen.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// How likely it is.
    pub probability: RiskProbability,
    /// How bad it would be.
    pub impact: RiskImpact,
    /// Ids of the phases it belongs to.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub affected_phases: Vec<String>,
    /// Ids of the steps it belongs to.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub affected_steps: Vec<String>,
    /// What is done against it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mitigation: Option<Mitigation>,
    /// What is done when it happens; offered when an affected step fails.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub contingency: Option<Contingency>,
}

/// What kind of risk it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum RiskCategory {
    /// Data is lost.
    DataLoss,
    /// The service is down.
    Downtime,
    /// The service gets slow.
    PerformanceDegradation,
    /// The way back does not work.
    RollbackFailure,
}

/// How likely a risk is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum RiskProbability {
    /// Likely.
    High,
    /// Possible.
    Medium,
    /// Unlikely.
    Low,
}

/// How bad a risk would be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum RiskImpact {
    /// The business stops.
    Critical,
    /// Many notice.
    High,
    /// Some notice.
    Medium,
    /// Hardly anyone notices.
    Low,
}

/// What is done against a risk.
#[derive(Debug, Clone, Default, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Mitigation {
    /// What prevents it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub preventive_measures: Vec<String>,
    /// How it is noticed: a sentence or a probe.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub detection_method: Option<Check>,
    /// What is done then.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub response_procedure: Option<String>,
    /// How the mitigation was tested.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub validation: Option<MitigationValidation>,
}

/// How a mitigation was tested.
#[derive(Debug, Clone, Default, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct MitigationValidation {
    /// The test dataset that shows it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub test_dataset_id: Option<String>,
    /// Whether it was tested.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tested: Option<bool>,
}

/// What is done when a risk happens.
#[derive(Debug, Clone, Default, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Contingency {
    /// When: a sentence or a probe.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trigger: Option<Check>,
    /// What: prose, or `{run: "./contingency.sh"}`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub action: Option<Instruction>,
    /// Who.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub responsible_party: Option<String>,
}
