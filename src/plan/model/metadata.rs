//! `metadata`: which migration this is, and where it stands.

use super::prelude::*;

/// Which migration this is, and where it stands.
#[derive(Debug, Clone, Default, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Metadata {
    /// The version of this plan, for readers; semantic versions are usual. Put it in quotes: `1.0` alone would be a
    /// number. Example: `"1.0.0"`.
    pub version: String,
    /// When the plan was written, ISO 8601. For readers: a run does not act on it. Example: `"2025-10-04T10:00:00Z"`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub created_date: Option<String>,
    /// When the plan was last changed, ISO 8601. For readers; changing it does not void approvals. Example:
    /// `"2025-10-05T09:30:00Z"`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_updated: Option<String>,
    /// The migration's name. With the environment it names the lock: only one run of them goes on at a time. Example:
    /// `discount-code`.
    pub migration_name: String,
    /// The enhancement that this migration delivers, as in the linked enhancement file. Example: `ENHANCE-001`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub enhancement_id: Option<String>,
    /// Where the migration stands. It only reports: a run neither reads nor writes it, and changing it does not void
    /// approvals.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub migration_status: Option<MigrationStatus>,
}

/// Where a migration stands, as its author reports it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum MigrationStatus {
    /// Nothing has been started yet.
    Planned,
    /// Some of it has been done, some of it is left.
    InProgress,
    /// All of it is done and was accepted.
    Completed,
    /// It was undone after it had been started.
    RolledBack,
}
