//! `post_migration`: what is left to do after the run.

use super::prelude::*;

/// What is left to do after the run.
#[derive(Debug, Clone, Default, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PostMigration {
    /// Clean-up that becomes due.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub cleanup_tasks: Vec<CleanupTask>,
    /// How long monitoring goes on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub monitoring_period: Option<MonitoringPeriod>,
    /// What could be better.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub optimization_opportunities: Vec<OptimizationOpportunity>,
    /// Where the lessons go.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lessons_learned: Option<LessonsLearned>,
}

/// Clean-up that becomes due.
#[derive(Debug, Clone, Default, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CleanupTask {
    /// The id. Example: `CLEANUP-001`.
    pub task_id: String,
    /// The name that people read.
    pub name: String,
    /// What it is about.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// When it is due. Example: `30 days after completion`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub timing: Option<String>,
    /// Who does it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub responsible_party: Option<String>,
    /// What to do, in order: prose, or `{run: "./drop-old.sh"}`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub steps: Vec<Instruction>,
    /// How it is validated: a sentence or a probe.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub validation: Option<Check>,
}

/// How long monitoring goes on.
#[derive(Debug, Clone, Default, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct MonitoringPeriod {
    /// For how long. Example: `2 weeks`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub duration: Option<String>,
    /// What is watched more closely.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub enhanced_monitoring: Vec<String>,
    /// How readily people are told.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub alert_sensitivity: Option<AlertSensitivity>,
}

/// How readily people are told.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum AlertSensitivity {
    /// At the first sign.
    High,
    /// As usual.
    Normal,
}

/// What could be better.
#[derive(Debug, Clone, Default, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct OptimizationOpportunity {
    /// In a few words.
    pub opportunity: String,
    /// In more words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// How urgent it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub priority: Option<OpportunityPriority>,
    /// How much work it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub effort: Option<String>,
}

/// How urgent an opportunity is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum OpportunityPriority {
    /// Soon.
    High,
    /// Some time.
    Medium,
    /// Perhaps.
    Low,
}

/// Where the lessons go.
#[derive(Debug, Clone, Default, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct LessonsLearned {
    /// Where they are written down.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub location: Option<String>,
    /// When people meet about it, ISO 8601.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retrospective_date: Option<String>,
}
