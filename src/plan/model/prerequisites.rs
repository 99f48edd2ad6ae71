//! `prerequisites`: what must be true before the run starts.

use super::prelude::*;

/// Something that must be true before the run starts.
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Prerequisite {
    /// The id that answers and reports use. Example: `PREREQ-001`.
    pub prerequisite_id: String,
    /// The name that people read.
    pub name: String,
    /// What is needed and why.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// What kind of prerequisite it is.
    pub r#type: PrerequisiteType,
    /// How it is verified. A test is always run; without one, `verified` is taken with its evidence.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub validation: Option<PrerequisiteValidation>,
    /// Who answers for it and attests it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub owner: Option<String>,
    /// By when it must be there, ISO 8601.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub deadline: Option<String>,
}

/// How a prerequisite is verified.
#[derive(Debug, Clone, Default, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PrerequisiteValidation {
    /// How it is verified: a sentence, or a probe that is run before the start.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub verification_method: Option<Check>,
    /// A test dataset that is run before the start, whatever the status says. Example: `FF-TEST-001`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub verification_test_id: Option<String>,
    /// Where it stands. `blocked` stops the run before it starts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status: Option<PrerequisiteStatus>,
}

/// What kind of prerequisite it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum PrerequisiteType {
    /// Machines, services, networks.
    Infrastructure,
    /// Code that must be there.
    Code,
    /// Data that must be there.
    Data,
    /// Settings that must be made.
    Configuration,
    /// Somebody's consent.
    Approval,
}

/// Where a prerequisite stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum PrerequisiteStatus {
    /// Not verified yet: its test is run, or its owner is asked.
    Pending,
    /// Verified: taken as it is unless a test is given.
    Verified,
    /// Cannot be met now: the run does not start.
    Blocked,
}
