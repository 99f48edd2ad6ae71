//! `prerequisites`: what must be true before the run starts.

use super::prelude::*;

/// Something that must be true before the run starts.
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Prerequisite {
    /// The id that answers and reports use: letters, digits, `-`, `_` and `.`. Example: `PREREQ-001`.
    pub prerequisite_id: String,
    /// The name that people read. Example: `Feature flag service is deployed`.
    pub name: String,
    /// What is needed and why, for whoever has to provide or attest it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// What kind of prerequisite it is, for readers. Example: `infrastructure`.
    pub r#type: PrerequisiteType,
    /// How it is verified. With a test or a probe a machine verifies it, otherwise a person attests it. Example:
    /// `{verification_test_id: FF-TEST-001, status: pending}`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub validation: Option<PrerequisiteValidation>,
    /// Who answers for it, and who attests it where no machine can. Example: `Platform Team`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub owner: Option<String>,
    /// By when it must be there, ISO 8601. For readers and the review. Example: `"2025-10-10T12:00:00Z"`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub deadline: Option<String>,
}

/// How a prerequisite is verified.
#[derive(Debug, Clone, Default, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PrerequisiteValidation {
    /// How it is verified: a sentence for the person who attests it, or a mapping with a probe, which is run before
    /// the start. Example: `{check: flag service answers, command: "curl -fsS localhost:8080/healthz"}`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub verification_method: Option<Check>,
    /// A test dataset that is run before the start, whatever `status` says. Example: `FF-TEST-001`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub verification_test_id: Option<String>,
    /// Where it stands (default `pending`). `verified` is taken with `verification_method` as its evidence unless a
    /// test or a probe is there; `blocked` keeps every run from starting.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status: Option<PrerequisiteStatus>,
}

/// What kind of prerequisite it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum PrerequisiteType {
    /// Machines, services or networks must be there.
    Infrastructure,
    /// Code must have been merged or deployed.
    Code,
    /// Data must be there or in order.
    Data,
    /// Settings must have been made.
    Configuration,
    /// Somebody must have given consent.
    Approval,
}

/// Where a prerequisite stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum PrerequisiteStatus {
    /// Not verified yet: its test or probe is run, or its owner is asked.
    Pending,
    /// Verified outside: taken with its evidence, unless a test or a probe is given, which is run all the same.
    Verified,
    /// It cannot be met now: no run starts.
    Blocked,
}
