//! What the plan says of downtime, in one place and in another.

use super::{Context, length, longest};
use crate::base::diagnostic::codes;
use crate::plan::model::DataMethod;

const ALLOWED: &str = "/migration_overview/constraints/downtime_allowed";
const MOST: &str = "/migration_overview/constraints/max_downtime_duration";

pub(super) fn check(cx: &mut Context<'_>) {
    let plan = cx.plan();
    let Some(constraints) = &plan.migration_overview.constraints else {
        return;
    };
    let most = longest(constraints.max_downtime_duration.as_deref());
    let forbidden = constraints.downtime_allowed == Some(false);
    if forbidden && let Some(most) = most.filter(|&ms| ms > 0) {
        cx.find_with(
            codes::DOWNTIME_CONTRADICTED,
            MOST,
            format!(
                "no downtime is allowed, and at the same time {} of it",
                length(most)
            ),
            (ALLOWED, "here it is forbidden"),
            "write `max_downtime_duration: 0 minutes`, or `downtime_allowed: true`",
        );
    }
    let told = if forbidden { ALLOWED } else { MOST };
    let none = forbidden || most == Some(0);
    let label = "no downtime is allowed";
    if let Some(section) = &plan.data_migration {
        for (i, migration) in section.migrations.iter().enumerate() {
            let at = format!("/data_migration/migrations/{i}");
            let id = &migration.migration_id;
            let downtime = migration.downtime.clone().unwrap_or_default();
            let needed = longest(downtime.duration.as_deref());
            let required = downtime.required == Some(true)
                || (downtime.required.is_none() && needed.is_some_and(|ms| ms > 0));
            let offline = migration
                .migration_approach
                .as_ref()
                .is_some_and(|approach| approach.method == Some(DataMethod::Offline));
            if none && required && needed != Some(0) {
                let key = if downtime.required.is_some() {
                    "required"
                } else {
                    "duration"
                };
                cx.find_with(
                    codes::DOWNTIME_CONTRADICTED,
                    &format!("{at}/downtime/{key}"),
                    format!("`{id}` needs downtime, and the plan allows none"),
                    (told, label),
                    "migrate the data online, or allow the downtime and say how long it may be",
                );
            } else if none && offline && downtime.required != Some(false) {
                cx.find_with(
                    codes::DOWNTIME_CONTRADICTED,
                    &format!("{at}/migration_approach/method"),
                    format!("`{id}` migrates its data offline, and the plan allows no downtime"),
                    (told, label),
                    "choose another method, or write `downtime: {required: false}` if nobody uses the data meanwhile",
                );
            } else if let (Some(needed), Some(most)) = (needed, most)
                && !none
                && required
                && needed > most
            {
                cx.find_with(
                    codes::DOWNTIME_TOO_LONG,
                    &format!("{at}/downtime/duration"),
                    format!(
                        "`{id}` needs {} of downtime, and {} is accepted",
                        length(needed),
                        length(most)
                    ),
                    (MOST, "the longest that is accepted"),
                    "shorten it, or agree on a longer `max_downtime_duration`",
                );
            }
        }
    }
    if let Some(section) = &plan.configuration_migration
        && none
    {
        for (i, change) in section.configuration_changes.iter().enumerate() {
            let needs = change
                .change_impact
                .as_ref()
                .is_some_and(|impact| impact.downtime_required == Some(true));
            if needs {
                cx.find_with(
                    codes::DOWNTIME_CONTRADICTED,
                    &format!(
                        "/configuration_migration/configuration_changes/{i}/change_impact/downtime_required"
                    ),
                    format!(
                        "`{}` needs downtime, and the plan allows none",
                        change.config_id
                    ),
                    (told, label),
                    "change the setting without downtime, or allow the downtime and say how long it may be",
                );
            }
        }
    }
}
