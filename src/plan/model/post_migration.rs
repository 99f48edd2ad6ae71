//! `post_migration`: what is left to do after the run.

use super::prelude::*;

/// What is left to do after the run. A run of this version does not act on it.
#[derive(Debug, Clone, Default, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PostMigration {
    /// Clean-up that becomes due some time after. Example: `[{task_id: CLEANUP-001, name: Drop the old column,
    /// timing: 30 days after completion}]`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub cleanup_tasks: Vec<CleanupTask>,
    /// How long closer monitoring goes on. Example: `{duration: 2 weeks}`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub monitoring_period: Option<MonitoringPeriod>,
    /// What could be better later on. Example: `[{opportunity: Index on discount_code}]`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub optimization_opportunities: Vec<OptimizationOpportunity>,
    /// Where lessons are written down, and when people meet. Example: `{location: docs/lessons.md}`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lessons_learned: Option<LessonsLearned>,
}

/// Clean-up that becomes due after the run.
#[derive(Debug, Clone, Default, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CleanupTask {
    /// The id by which people refer to it. Example: `CLEANUP-001`.
    pub task_id: String,
    /// The name that people read. Example: `Drop the old column`.
    pub name: String,
    /// What is cleaned up, and why it could not be before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// When it becomes due. Example: `30 days after completion`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub timing: Option<String>,
    /// Who does the clean-up. Example: `DBA Team`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub responsible_party: Option<String>,
    /// What to do, in order: sentences for a person, or `{run: ./drop-old.sh}`. Example: `[{run: ./drop-old.sh}]`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub steps: Vec<Instruction>,
    /// How it is validated: a sentence or a probe. Example: `the old column is gone`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub validation: Option<Check>,
}

/// How long monitoring goes on.
#[derive(Debug, Clone, Default, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct MonitoringPeriod {
    /// How long closer monitoring goes on. Example: `2 weeks`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub duration: Option<String>,
    /// What is watched more closely meanwhile. Example: `[error rate by shop]`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub enhanced_monitoring: Vec<String>,
    /// How readily people are told meanwhile. Example: `high`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub alert_sensitivity: Option<AlertSensitivity>,
}

/// How readily people are told.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum AlertSensitivity {
    /// People are told at the first sign.
    High,
    /// People are told as usual.
    Normal,
}

/// What could be better later on.
#[derive(Debug, Clone, Default, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct OptimizationOpportunity {
    /// What could be better, in a few words. Example: `Index on discount_code`.
    pub opportunity: String,
    /// What could be better, in more words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// How urgent it is to do. Example: `low`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub priority: Option<OpportunityPriority>,
    /// How much work it would be. Example: `2 days`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub effort: Option<String>,
}

/// How urgent an opportunity is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum OpportunityPriority {
    /// It should be done soon.
    High,
    /// It should be done some time.
    Medium,
    /// It may be done if there is time.
    Low,
}

/// Where lessons are written down, and when people meet.
#[derive(Debug, Clone, Default, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct LessonsLearned {
    /// Where the lessons are written down. Example: `docs/lessons.md`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub location: Option<String>,
    /// When people meet to look back, ISO 8601. Example: `"2025-11-01"`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retrospective_date: Option<String>,
}
