//! `communication_plan`: who is told what, when and where.

use super::prelude::*;

/// Who is told what, when and where. For readers: a run of this version sends nothing.
#[derive(Debug, Clone, Default, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CommunicationPlan {
    /// Notifications by group of people. Example: `[{stakeholder_group: users, notifications: [{notification_type:
    /// pre_migration, timing: T-24h}]}]`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub stakeholder_communication: Vec<StakeholderCommunication>,
    /// Regular reports while it goes on. Example: `{frequency: every 15 minutes, format: slack}`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status_reporting: Option<StatusReporting>,
    /// Who is called and told when something goes wrong. Example: `{escalation_path: [On-call engineer, VP
    /// Engineering]}`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub incident_communication: Option<IncidentCommunication>,
}

/// Notifications for one group.
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct StakeholderCommunication {
    /// The group of people that is told. Example: `users`.
    pub stakeholder_group: StakeholderGroup,
    /// What they are told, and when. Example: `[{notification_type: pre_migration, timing: T-24h}]`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub notifications: Vec<Notification>,
}

/// A group of people that is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum StakeholderGroup {
    /// The team that carries out the migration.
    InternalTeam,
    /// The people who use the service.
    Users,
    /// Other companies whose systems are connected.
    Partners,
    /// Those who answer for the budget and the risk.
    Management,
}

/// One notification: when, where, and what it says.
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Notification {
    /// Which part of the migration it is about. Example: `pre_migration`.
    pub notification_type: NotificationType,
    /// When it should be sent, counted from the start (`T`) or by event. Examples: `T-24h`, `every 15 minutes`, `on
    /// completion`, `on error`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub timing: Option<String>,
    /// Where it should be sent. Example: `["#eng-alerts"]`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub channel: Vec<String>,
    /// The text of the notification. Example: `The migration starts in 24 hours`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub template: Option<String>,
    /// Who answers for sending it. Example: `Product Team`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub responsible_party: Option<String>,
}

/// Which part of the migration a notification is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum NotificationType {
    /// Announced before the migration starts.
    PreMigration,
    /// Told while the migration goes on.
    DuringMigration,
    /// Told after the migration has ended.
    PostMigration,
    /// Told when something went wrong.
    Issue,
}

/// Regular reports while the migration goes on.
#[derive(Debug, Clone, Default, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct StatusReporting {
    /// How often a report is due. Example: `every 15 minutes`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub frequency: Option<String>,
    /// In which form the report is given. Example: `slack`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub format: Option<ReportFormat>,
    /// Who gets the reports. Example: `[Engineering Team]`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub recipients: Vec<String>,
    /// Which metrics the reports show. Example: `[Error Rate]`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub metrics_to_report: Vec<String>,
}

/// The form of regular reports.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ReportFormat {
    /// A page that people look at.
    Dashboard,
    /// A mail to the recipients.
    Email,
    /// A message in a chat channel.
    Slack,
    /// A call or a meeting of the recipients.
    Meeting,
}

/// Who is called and told when something goes wrong.
#[derive(Debug, Clone, Default, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct IncidentCommunication {
    /// Who is called, one after another. Example: `[On-call engineer, Engineering Manager]`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub escalation_path: Vec<String>,
    /// Where the incident is announced. Example: `["#incidents"]`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub notification_channels: Vec<String>,
    /// How fast somebody must answer. Example: `15 minutes`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub response_time_sla: Option<String>,
}
