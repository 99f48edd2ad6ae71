//! `migration_overview`: purpose, scope and constraints.

use super::prelude::*;

/// Purpose, scope and constraints of the migration.
#[derive(Debug, Clone, Default, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct MigrationOverview {
    /// The migration's title, for readers. Example: `Discount codes in the cart`.
    pub name: String,
    /// What the migration does, in a few sentences for readers.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// What the migration is for. For readers: a run does not act on it. Example: `Customers can use discount codes`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub objective: Option<String>,
    /// What it touches: systems, data, users. For readers and reviewers.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub scope: Option<Scope>,
    /// What it must respect: downtime, the window in which it may run, and what the business demands.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub constraints: Option<Constraints>,
    /// The overall way of migrating. For readers: the phases say what a run does. Example: `phased`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub approach: Option<MigrationApproach>,
    /// How long the whole migration should take. The review compares estimates; a run is not cut off by them.
    /// Example: `2 weeks`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub estimated_duration: Option<String>,
    /// How much work the migration is, for readers. Example: `40 hours`.
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
    /// Which data changes, in words. Example: `All carts, about 2 million rows`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub data_affected: Option<String>,
    /// Who notices, as a count or in words. Example: `All customers`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub users_affected: Option<String>,
}

/// What a migration must respect.
#[derive(Debug, Clone, Default, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Constraints {
    /// Whether the service may be down at all. For reviewers: a run does not watch it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub downtime_allowed: Option<bool>,
    /// The longest downtime that is accepted. For reviewers: a run does not watch it. Example: `0 minutes`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_downtime_duration: Option<String>,
    /// When the migration may run: text with days, hours and a time zone, or a mapping that leaves no doubt. Outside
    /// of it a run does not start; `--override-window REASON` goes ahead and is recorded. Text that is not understood
    /// is put to a person instead of guessed. Example: `Weekday 10:00-16:00 America/New_York`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub migration_window: Option<MigrationWindow>,
    /// What should happen when the window closes during a run. A run of this version judges the window before it
    /// starts and when it is resumed, and does not act on this. Example: `pause`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub on_window_close: Option<OnWindowClose>,
    /// What else must be respected, in words. It is shown, not watched. Example: `[No changes during Black Friday
    /// week]`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub business_constraints: Vec<String>,
}

/// When a migration may run: text, or a mapping that leaves no doubt.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
#[serde(untagged)]
pub enum MigrationWindow {
    /// Days, times and a time zone, in any order. Example: `Weekday 10:00-16:00 America/New_York`.
    Text(String),
    /// Days, times and an IANA time zone.
    Mapping(Box<WindowMapping>),
}
text_or_other!(MigrationWindow, Text, map Mapping(WindowMapping));

/// A window that leaves no doubt: days, opening and closing time, time zone.
#[derive(Debug, Clone, Default, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct WindowMapping {
    /// The days on which the window opens: a list, or one word such as `weekdays`, `weekends`, `daily`. Without it
    /// the window opens daily. Example: `[mon, tue, wed, thu]`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub days: Option<WindowDays>,
    /// When the window opens, local time of the zone (default `00:00`). Example: `"10:00"`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub start: Option<String>,
    /// When the window closes, local time of the zone (default `24:00`). Earlier than `start` means on the next day.
    /// Example: `"16:00"`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub end: Option<String>,
    /// The IANA time zone, which follows daylight saving. Without it the window cannot be understood. Example:
    /// `America/New_York`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub timezone: Option<String>,
}

/// The days of a window.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
#[serde(untagged)]
pub enum WindowDays {
    /// One word for several days: `weekdays`, `weekends` or `daily`. Example: `weekdays`.
    Text(String),
    /// A list of days. Example: `[mon, tue, wed]`.
    List(Vec<String>),
}
text_or_other!(WindowDays, Text, list List);

/// What happens to a running migration when its window closes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum OnWindowClose {
    /// The run goes on to its end, also outside the window.
    Finish,
    /// The running step ends, then the run saves itself.
    Pause,
    /// What was done so far is undone.
    Rollback,
}

/// The overall way of migrating.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum MigrationApproach {
    /// Everything changes at once, at one moment.
    BigBang,
    /// One part after another, each validated before the next.
    Phased,
    /// Old and new run side by side for a while, and results are compared.
    ParallelRun,
    /// The new system takes over the old one's duties one by one.
    StranglerFig,
    /// Two environments stand side by side, and traffic is switched.
    BlueGreen,
}
