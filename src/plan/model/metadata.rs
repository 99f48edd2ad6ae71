//! `metadata`: which migration this is, and where it stands.

use super::prelude::*;

/// Which migration this is, and where it stands.
#[derive(Debug, Clone, Default, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Metadata {
    /// Semantic version of this plan. Example: `"1.0.0"`.
    pub version: String,
    /// When the plan was written, ISO 8601. Example: `"2025-10-04T10:00:00Z"`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub created_date: Option<String>,
    /// When the plan was last changed, ISO 8601. It only reports and is not part of the digest.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_updated: Option<String>,
    /// The migration's name. Only one run per name and environment goes on at a time.
    pub migration_name: String,
    /// The enhancement that this migration delivers, as in the enhancement file. Example: `ENHANCE-001`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub enhancement_id: Option<String>,
    /// Where the migration stands. It only reports: a run never reads or writes it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub migration_status: Option<MigrationStatus>,
}

/// Where a migration stands, as its author reports it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum MigrationStatus {
    /// Not started.
    Planned,
    /// Under way.
    InProgress,
    /// Done.
    Completed,
    /// Undone.
    RolledBack,
}
