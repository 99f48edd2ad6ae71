//! `migration_overview`: purpose, scope and constraints.

use super::prelude::*;

/// Purpose, scope and constraints of the migration.
#[derive(Debug, Clone, Default, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct MigrationOverview {
    /// The migration's title in displays and reports.
    pub name: String,
    /// What the migration does.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// What it is for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub objective: Option<String>,
    /// What it touches.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub scope: Option<Scope>,
    /// What it must respect: downtime, window, business.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub constraints: Option<Constraints>,
    /// The overall way of migrating.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub approach: Option<MigrationApproach>,
    /// How long the whole migration should take. Example: `2 weeks`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub estimated_duration: Option<String>,
    /// How much work it is. Example: `40 hours`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub estimated_effort: Option<String>,
}

/// What a migration touches.
#[derive(Debug, Clone, Default, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Scope {
    /// The systems that change. Example: `[CartService, CartAPI]`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub systems_affected: Vec<String>,
    /// Which data changes, in words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub data_affected: Option<String>,
    /// Who notices, as a count or in words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub users_affected: Option<String>,
}

/// What a migration must respect.
#[derive(Debug, Clone, Default, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Constraints {
    /// Whether the service may be down at all.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub downtime_allowed: Option<bool>,
    /// The longest downtime that is accepted. Example: `0 minutes`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_downtime_duration: Option<String>,
    /// When the migration may run: text such as `Weekday 10am-4pm EST`, or `{days, start, end,
    /// timezone}`. It holds before the run, each phase and each step.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub migration_window: Option<MigrationWindow>,
    /// What happens when the window closes while the run is going on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub on_window_close: Option<OnWindowClose>,
    /// Constraints in words; they are shown, not watched. Example: `No changes during Black Friday week`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub business_constraints: Vec<String>,
}

/// When a migration may run: text, or a mapping that leaves no doubt.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
#[serde(untagged)]
pub enum MigrationWindow {
    /// Text. Example: `Weekday 10am-4pm EST`.
    Text(String),
    /// Days, times and an IANA time zone.
    Mapping(Box<WindowMapping>),
}
text_or_other!(MigrationWindow, Text, map Mapping(WindowMapping));

/// A window that leaves no doubt. Example: `{days: [mon, tue], start: "10:00", end: "16:00",
/// timezone: America/New_York}`.
#[derive(Debug, Clone, Default, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct WindowMapping {
    /// Which days: a list such as `[mon, tue]`, or `weekdays`, `weekends`, `daily`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub days: Option<WindowDays>,
    /// When the window opens, local time. Example: `"10:00"`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub start: Option<String>,
    /// When the window closes, local time; earlier than `start` means the next day.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub end: Option<String>,
    /// IANA time zone. Example: `America/New_York`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub timezone: Option<String>,
}

/// The days of a window.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
#[serde(untagged)]
pub enum WindowDays {
    /// A word for several days. Example: `weekdays`.
    Text(String),
    /// A list of days. Example: `[mon, tue, wed]`.
    List(Vec<String>),
}
text_or_other!(WindowDays, Text, list List);

/// What happens to a running migration when its window closes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum OnWindowClose {
    /// The run goes on to its end.
    Finish,
    /// The running step ends, then the run saves itself.
    Pause,
    /// What was done is undone.
    Rollback,
}

/// The overall way of migrating.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum MigrationApproach {
    /// Everything at once.
    BigBang,
    /// Phase after phase.
    Phased,
    /// Old and new side by side for a while.
    ParallelRun,
    /// The new system grows around the old one.
    StranglerFig,
    /// Two environments and a switch.
    BlueGreen,
}
