//! `execution_timeline`: milestones, critical path, buffer.

use super::prelude::*;

/// Milestones, critical path, buffer.
#[derive(Debug, Clone, Default, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ExecutionTimeline {
    /// The milestones.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub milestones: Vec<Milestone>,
    /// The declared critical path; it is compared with the computed one.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub critical_path: Vec<CriticalPathStep>,
    /// The buffer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub contingency_time: Option<ContingencyTime>,
}

/// One milestone.
#[derive(Debug, Clone, Default, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Milestone {
    /// The id. Example: `MS-1`.
    pub milestone_id: String,
    /// The name that people read.
    pub name: String,
    /// When it should be reached, ISO 8601.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub target_date: Option<String>,
    /// What it waits for.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub dependencies: Vec<String>,
    /// What is there then.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub deliverables: Vec<String>,
    /// Where it stands. It only reports and is not part of the digest.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status: Option<MilestoneStatus>,
}

/// Where a milestone stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum MilestoneStatus {
    /// Not started.
    NotStarted,
    /// Under way.
    InProgress,
    /// Reached.
    Completed,
    /// Late.
    Delayed,
}

/// One step on the critical path.
#[derive(Debug, Clone, Default, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CriticalPathStep {
    /// The step's id.
    pub step_id: String,
    /// How long it takes. Example: `2 hours`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub duration: Option<String>,
    /// The steps it waits for.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub dependencies: Vec<String>,
}

/// The buffer in a timeline.
#[derive(Debug, Clone, Default, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ContingencyTime {
    /// How much is added, in percent. Example: `20`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub buffer_percentage: Option<i64>,
    /// Why.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rationale: Option<String>,
}
