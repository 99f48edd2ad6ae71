//! `communication_plan`: who is told what, when and where.

use super::prelude::*;

/// Who is told what, when and where.
#[derive(Debug, Clone, Default, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CommunicationPlan {
    /// Notifications by group.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub stakeholder_communication: Vec<StakeholderCommunication>,
    /// Regular reports.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status_reporting: Option<StatusReporting>,
    /// What happens on incidents.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub incident_communication: Option<IncidentCommunication>,
}

/// Notifications for one group.
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct StakeholderCommunication {
    /// The group.
    pub stakeholder_group: StakeholderGroup,
    /// What they are told.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub notifications: Vec<Notification>,
}

/// A group of people.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum StakeholderGroup {
    /// The own team.
    InternalTeam,
    /// Users.
    Users,
    /// Partners.
    Partners,
    /// Management.
    Management,
}

/// One notification.
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Notification {
    /// What it is about.
    pub notification_type: NotificationType,
    /// When it is sent. Example: `T-24h`, `every 15 minutes`, `on completion`, `on error`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub timing: Option<String>,
    /// Where it is sent. Example: `["#eng-alerts"]`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub channel: Vec<String>,
    /// Its text, a template over run facts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub template: Option<String>,
    /// Who answers for it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub responsible_party: Option<String>,
}

/// What a notification is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum NotificationType {
    /// Before the migration.
    PreMigration,
    /// While it runs.
    DuringMigration,
    /// After it.
    PostMigration,
    /// Something went wrong.
    Issue,
}

/// Regular reports.
#[derive(Debug, Clone, Default, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct StatusReporting {
    /// How often. Example: `every 15 minutes`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub frequency: Option<String>,
    /// In which form.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub format: Option<ReportFormat>,
    /// To whom.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub recipients: Vec<String>,
    /// Which metrics.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub metrics_to_report: Vec<String>,
}

/// The form of regular reports.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ReportFormat {
    /// A page.
    Dashboard,
    /// Mail.
    Email,
    /// Chat.
    Slack,
    /// A meeting.
    Meeting,
}

/// What happens on incidents.
#[derive(Debug, Clone, Default, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct IncidentCommunication {
    /// Who is called, in order.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub escalation_path: Vec<String>,
    /// Where it is announced.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub notification_channels: Vec<String>,
    /// How fast somebody answers. Example: `15 minutes`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub response_time_sla: Option<String>,
}
