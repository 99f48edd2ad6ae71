//! `success_criteria`: when the migration is a success, and when it is complete.

use super::prelude::*;

/// When the migration is a success, and when it is complete.
#[derive(Debug, Clone, Default, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SuccessCriteria {
    /// Measured at the end of the run.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub technical_success: Vec<TechnicalSuccess>,
    /// Due after its measurement period; it does not hold completion.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub business_success: Vec<BusinessSuccess>,
    /// What decides that the migration is complete.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub migration_complete_definition: Option<CompleteDefinition>,
}

/// A criterion that is measured at the end of the run.
#[derive(Debug, Clone, Default, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct TechnicalSuccess {
    /// The sentence that must hold.
    pub criterion: String,
    /// How it is measured: a sentence, or a mapping with a probe.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub measurement: Option<Measurement>,
    /// What must be reached. Example: `100% uptime`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub target: Option<String>,
    /// The test dataset that shows it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub test_dataset_id: Option<String>,
}

/// A criterion that is due some time after the run.
#[derive(Debug, Clone, Default, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct BusinessSuccess {
    /// The sentence that must hold.
    pub criterion: String,
    /// How it is measured: a sentence, or a mapping with a probe.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub measurement: Option<Measurement>,
    /// What must be reached. Example: `> 10% of orders`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub target: Option<String>,
    /// After how long it is measured. Example: `First 2 weeks`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub measurement_period: Option<String>,
}

/// What decides that the migration is complete.
#[derive(Debug, Clone, Default, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CompleteDefinition {
    /// What must hold.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub criteria: Vec<Check>,
    /// Test datasets that must pass.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub validation_required: Vec<String>,
    /// Whether the approvers are asked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub approval_required: Option<bool>,
    /// Who approves. All of them must, unless `approvals_needed` says fewer.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub approvers: Vec<String>,
    /// How many of the approvers are enough.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub approvals_needed: Option<u32>,
}
