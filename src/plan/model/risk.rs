//! `risk_mitigation`: what may go wrong and what is done about it.

use super::prelude::*;

/// What may go wrong and what is done about it. A run of this version does not act on it.
#[derive(Debug, Clone, Default, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RiskMitigation {
    /// The risks, each with its mitigation. Example: `[{risk_id: RISK-001, category: data_loss, probability: low,
    /// impact: critical}]`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub migration_risks: Vec<MigrationRisk>,
}

/// One risk, what is done against it, and what is done when it happens.
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct MigrationRisk {
    /// The id by which people refer to it. Example: `RISK-001`.
    pub risk_id: String,
    /// What kind of harm it would do. Example: `data_loss`.
    pub category: RiskCategory,
    /// What may happen, and why. Example: `The schema change locks the cart table`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// How likely it is to happen. Example: `low`.
    pub probability: RiskProbability,
    /// How bad it would be if it happened. Example: `critical`.
    pub impact: RiskImpact,
    /// Ids of the phases it belongs to; they must exist. Example: `[PHASE-1]`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub affected_phases: Vec<String>,
    /// Ids of the steps it belongs to; they must exist. Example: `[STEP-1-2]`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub affected_steps: Vec<String>,
    /// What is done against it beforehand. Example: `{preventive_measures: [lock_timeout of 5 s]}`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mitigation: Option<Mitigation>,
    /// What is done when it happens, for readers: a run of this version does not start it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub contingency: Option<Contingency>,
}

/// What kind of harm a risk would do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum RiskCategory {
    /// Data is lost or becomes wrong.
    DataLoss,
    /// The service cannot be used for a while.
    Downtime,
    /// The service gets slow or answers fewer requests.
    PerformanceDegradation,
    /// The way back does not work when it is needed.
    RollbackFailure,
}

/// How likely a risk is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum RiskProbability {
    /// It will probably happen if nothing is done.
    High,
    /// It may happen; it has happened elsewhere.
    Medium,
    /// It would take several things to go wrong.
    Low,
}

/// How bad a risk would be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum RiskImpact {
    /// The business stops, or data is lost for good.
    Critical,
    /// Many users notice, and it takes hours to mend.
    High,
    /// Some users notice, and it is mended soon.
    Medium,
    /// Hardly anyone notices that it happened.
    Low,
}

/// What is done against a risk beforehand.
#[derive(Debug, Clone, Default, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Mitigation {
    /// What keeps it from happening. Example: `[lock_timeout of 5 s]`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub preventive_measures: Vec<String>,
    /// How it is noticed: a sentence or a probe. Example: `lock waits in pg_stat_activity`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub detection_method: Option<Check>,
    /// What is done once it is noticed. Example: `cancel the statement and try again at night`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub response_procedure: Option<String>,
    /// How the mitigation was tested. Example: `{tested: true, test_dataset_id: LOCK-TEST-001}`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub validation: Option<MitigationValidation>,
}

/// How a mitigation was tested.
#[derive(Debug, Clone, Default, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct MitigationValidation {
    /// The test dataset that shows it. Example: `LOCK-TEST-001`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub test_dataset_id: Option<String>,
    /// Whether the mitigation has been tested.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tested: Option<bool>,
}

/// What is done when a risk happens.
#[derive(Debug, Clone, Default, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Contingency {
    /// When it is due: a sentence or a probe. Example: `writes wait longer than 5 s`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trigger: Option<Check>,
    /// What is done: a sentence for a person, or `{run: ./contingency.sh}`. Example: `{run: ./contingency.sh}`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub action: Option<Instruction>,
    /// Who answers for doing it. Example: `On-call engineer`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub responsible_party: Option<String>,
}
