//! `success_criteria`: when the migration is a success, and when it is complete.

use super::prelude::*;

/// When the migration is a success, and when it is complete.
#[derive(Debug, Clone, Default, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SuccessCriteria {
    /// What is evaluated after the last phase; together with `migration_complete_definition` it decides whether the
    /// run is completed. Example: `[{criterion: All test datasets pass, test_dataset_id: ALL-TESTS-001}]`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub technical_success: Vec<TechnicalSuccess>,
    /// What is measured some time after the run. For readers: a run of this version does not evaluate it, and it
    /// never holds completion.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub business_success: Vec<BusinessSuccess>,
    /// What decides after the last phase that the migration is complete: criteria, datasets, approvals. Until then
    /// the run waits.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub migration_complete_definition: Option<CompleteDefinition>,
}

/// A criterion that is measured at the end of the run.
#[derive(Debug, Clone, Default, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct TechnicalSuccess {
    /// The sentence that must hold; without measurement or dataset it is understood like any check. Example:
    /// `error_rate < 0.1%`.
    pub criterion: String,
    /// How it is measured: a sentence is shown to whoever attests it, a mapping is the probe whose verdict counts.
    /// Example: `{command: scripts/uptime.sh}`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub measurement: Option<Measurement>,
    /// What must be reached, shown to whoever attests it. A machine does not compare with it. Example: `100% uptime`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub target: Option<String>,
    /// The test dataset that shows it; it must pass and covers the sentence. Example: `UPTIME-TEST-001`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub test_dataset_id: Option<String>,
}

/// A criterion that is due some time after the run.
#[derive(Debug, Clone, Default, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct BusinessSuccess {
    /// The sentence that should hold some time after the run. Example: `Users apply discount codes`.
    pub criterion: String,
    /// How it is measured: a sentence, or a mapping with a probe. Example: `Discount application rate`.
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
    /// What must hold for the migration to be complete. Example: `[All validation gates passed]`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub criteria: Vec<Check>,
    /// Test datasets that must pass; they also cover the criteria that are prose, except time-bound ones. Example:
    /// `[FINAL-VALIDATION-001]`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub validation_required: Vec<String>,
    /// Whether the approvers are asked once the criteria hold. Absent means: yes if `approvers` are given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub approval_required: Option<bool>,
    /// Who approves: names or roles. All of them must, unless `approvals_needed` says fewer. Example: `[Product
    /// Manager]`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub approvers: Vec<String>,
    /// How many of the approvers are enough; without it all of them are needed. Example: `1`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub approvals_needed: Option<u32>,
}
