//! `execution_timeline`: milestones, critical path, buffer.

use super::prelude::*;

/// Milestones, critical path and buffer. For readers and the review: a run does not act on it.
#[derive(Debug, Clone, Default, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ExecutionTimeline {
    /// Points that should be reached by a date. Example: `[{milestone_id: MS-1, name: Schema done, target_date:
    /// "2025-10-06"}]`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub milestones: Vec<Milestone>,
    /// The declared critical path, step by step. Example: `[{step_id: STEP-1-1, duration: 30 minutes}]`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub critical_path: Vec<CriticalPathStep>,
    /// How much time is added in case something takes longer. Example: `{buffer_percentage: 20}`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub contingency_time: Option<ContingencyTime>,
}

/// A point that should be reached by a date.
#[derive(Debug, Clone, Default, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Milestone {
    /// The id by which people refer to it. Example: `MS-1`.
    pub milestone_id: String,
    /// The name that people read. Example: `Schema migration done`.
    pub name: String,
    /// When it should be reached, ISO 8601. Example: `"2025-10-06"`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub target_date: Option<String>,
    /// What it waits for: milestones, phases or steps. Example: `[PHASE-1]`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub dependencies: Vec<String>,
    /// What should be there by then. Example: `[columns in production]`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub deliverables: Vec<String>,
    /// Where it stands. It only reports, and changing it does not void approvals. Example: `not_started`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status: Option<MilestoneStatus>,
}

/// Where a milestone stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum MilestoneStatus {
    /// Nothing has been done for it yet.
    NotStarted,
    /// It is being worked on.
    InProgress,
    /// It has been reached.
    Completed,
    /// It will be reached later than planned.
    Delayed,
}

/// One step on the critical path.
#[derive(Debug, Clone, Default, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CriticalPathStep {
    /// The id of a step of the plan. Example: `STEP-1-1`.
    pub step_id: String,
    /// How long the step takes. Example: `2 hours`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub duration: Option<String>,
    /// Ids of the steps it waits for. Example: `[STEP-1-1]`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub dependencies: Vec<String>,
}

/// Time that is added in case something takes longer.
#[derive(Debug, Clone, Default, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ContingencyTime {
    /// How much is added to the estimates, in percent. Example: `20`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub buffer_percentage: Option<i64>,
    /// Why this much is added. Example: `the table may have grown`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rationale: Option<String>,
}
