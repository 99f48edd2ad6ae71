//! Milestones: their dates against each other, against the calendar, against the window.

use std::collections::HashMap;

use jiff::civil::{Date, DateTime};
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};

use super::{Context, Planned, length, longest};
use crate::base::diagnostic::codes;
use crate::plan::model::{MigrationStatus, Milestone, MilestoneStatus, Place};
use crate::plan::program::WindowRule;

const MILESTONES: &str = "/execution_timeline/milestones";

/// A date as written: a moment, or a whole day.
#[derive(Debug, Clone, Copy)]
struct Due {
    at: Timestamp,
    /// Only a day was written, or its midnight, which means the same to people.
    day: Option<Date>,
}

impl Due {
    fn parse(text: &str) -> Option<Self> {
        let text = text.trim();
        let midnight = |date: Date| {
            let at = date.to_zoned(TimeZone::UTC).ok()?.timestamp();
            Some(Self {
                at,
                day: Some(date),
            })
        };
        if let Ok(at) = text.parse::<Timestamp>() {
            let local = TimeZone::UTC.to_datetime(at);
            let whole = local.time() == jiff::civil::Time::midnight();
            return Some(Self {
                at,
                day: whole.then(|| local.date()),
            });
        }
        // A time that names no zone: which moment it is differs by hours, which no rule here depends on.
        if text.contains(['T', ' '])
            && let Ok(local) = text.parse::<DateTime>()
        {
            if local.time() == jiff::civil::Time::midnight() {
                return midnight(local.date());
            }
            return Some(Self {
                at: local.to_zoned(TimeZone::UTC).ok()?.timestamp(),
                day: None,
            });
        }
        midnight(text.parse().ok()?)
    }

    /// The last moment that still keeps the date.
    fn last(self) -> Timestamp {
        match self.day {
            Some(_) => self.at + SignedDuration::from_hours(24),
            None => self.at,
        }
    }
}

/// A milestone with a date, and the phases of the plan that it waits for.
struct Dated<'a> {
    index: usize,
    written: &'a Milestone,
    due: Due,
    /// Indices into the program's phases.
    phases: Vec<usize>,
}

pub(super) fn check(cx: &mut Context<'_>, planned: &Planned<'_>) {
    let plan = cx.plan();
    let Some(timeline) = &plan.execution_timeline else {
        return;
    };
    let mut dated = Vec::new();
    let by_id = ids(planned);
    for (index, written) in timeline.milestones.iter().enumerate() {
        let Some(text) = &written.target_date else {
            continue;
        };
        let Some(due) = Due::parse(text) else {
            cx.find(
                codes::TIME_UNCLEAR,
                &format!("{MILESTONES}/{index}/target_date"),
                "this date cannot be understood",
                "write an ISO 8601 date, such as 2026-05-01 or 2026-05-01T14:00:00Z",
            );
            continue;
        };
        dated.push(Dated {
            index,
            written,
            due,
            phases: phases(cx, planned, &by_id, written),
        });
    }
    order(cx, planned, &dated);
    too_long(cx, &dated);
    past(cx, &dated);
    closed(cx, planned, &dated);
}

/// The phase that each id of a phase or step belongs to.
fn ids<'a>(planned: &Planned<'a>) -> HashMap<&'a str, usize> {
    let program = planned.program;
    let steps = program.steps.iter().map(|s| (s.id.as_str(), s.phase));
    let phases = program.phases.iter().enumerate();
    steps
        .chain(phases.map(|(p, phase)| (phase.id.as_str(), p)))
        .collect()
}

fn phases(
    cx: &Context<'_>,
    planned: &Planned<'_>,
    by_id: &HashMap<&str, usize>,
    milestone: &Milestone,
) -> Vec<usize> {
    let named = |name: &String| match by_id.get(name.as_str()) {
        Some(&phase) => Some(phase),
        None => {
            let (Place::Phase(p) | Place::Step(p, _)) = cx.plan().place(name)?;
            planned.phases.iter().position(|&written| written == p)
        }
    };
    milestone.dependencies.iter().filter_map(named).collect()
}

fn at(milestone: &Dated<'_>) -> String {
    format!("{MILESTONES}/{}/target_date", milestone.index)
}

fn contradicts(cx: &mut Context<'_>, early: &Dated<'_>, late: &Dated<'_>, why: &str) {
    cx.find_with(
        codes::MILESTONE_ORDER,
        &at(early),
        format!(
            "`{}` is due before `{}`, {why}",
            early.written.milestone_id, late.written.milestone_id
        ),
        (&at(late), "due later"),
        "correct one of the dates",
    );
}

fn order(cx: &mut Context<'_>, planned: &Planned<'_>, dated: &[Dated<'_>]) {
    let by_id: HashMap<&str, &Dated<'_>> = dated
        .iter()
        .map(|d| (d.written.milestone_id.as_str(), d))
        .collect();
    for milestone in dated {
        for on in &milestone.written.dependencies {
            if let Some(other) = by_id.get(on.as_str())
                && milestone.due.last() < other.due.at
            {
                contradicts(cx, milestone, other, "which it depends on");
            }
        }
    }
    // Those that wait for phases: a later phase cannot be reached before an earlier one.
    let mut working: Vec<(usize, &Dated<'_>)> = dated
        .iter()
        .filter_map(|d| Some((*d.phases.iter().max()?, d)))
        .collect();
    working.sort_by_key(|(phase, d)| (*phase, d.due.at));
    let mut latest: Option<(usize, &Dated<'_>)> = None;
    for (phase, milestone) in working {
        if let Some((before, other)) = latest
            && before < phase
            && milestone.due.last() < other.due.at
            && !milestone
                .written
                .dependencies
                .contains(&other.written.milestone_id)
        {
            let why = format!(
                "although it waits for `{}`, which runs after `{}`",
                planned.program.phases[phase].id, planned.program.phases[before].id
            );
            contradicts(cx, milestone, other, &why);
        }
        if latest.is_none_or(|(_, other)| other.due.at <= milestone.due.at) {
            latest = Some((phase, milestone));
        }
    }
}

/// The dates of the work lie further apart than the whole is estimated.
fn too_long(cx: &mut Context<'_>, dated: &[Dated<'_>]) {
    let whole = longest(cx.plan().migration_overview.estimated_duration.as_deref());
    let working = || dated.iter().filter(|d| !d.phases.is_empty());
    let (Some(whole), Some(first), Some(last)) = (
        whole,
        working().min_by_key(|d| d.due.at),
        working().max_by_key(|d| d.due.at),
    ) else {
        return;
    };
    // From the end of the first day to the beginning of the last: shorter it cannot be.
    let apart = last.due.at.duration_since(first.due.last()).as_millis();
    let Ok(apart) = u64::try_from(apart) else {
        return;
    };
    if apart > whole {
        cx.find_with(
            codes::MILESTONE_ORDER,
            &at(last),
            format!(
                "`{}` is due at least {} after `{}`, and the whole migration is estimated at {}",
                last.written.milestone_id,
                length(apart),
                first.written.milestone_id,
                length(whole)
            ),
            (
                "/migration_overview/estimated_duration",
                "how long the whole should take",
            ),
            "correct the date or the estimate",
        );
    }
}

fn past(cx: &mut Context<'_>, dated: &[Dated<'_>]) {
    let plan = cx.plan();
    let over = matches!(
        plan.metadata.migration_status,
        Some(MigrationStatus::Completed | MigrationStatus::RolledBack)
    );
    if over {
        return;
    }
    let now = cx.surroundings.now;
    for milestone in dated {
        let reached = matches!(
            milestone.written.status,
            Some(MilestoneStatus::Completed | MilestoneStatus::Delayed)
        );
        if !reached && milestone.due.last() < now {
            cx.find(
                codes::MILESTONE_PAST,
                &at(milestone),
                format!(
                    "`{}` was due before today and is not reached",
                    milestone.written.milestone_id
                ),
                "plan a new date, or set its `status` to completed or delayed",
            );
        }
    }
}

/// Work that should be done on a day on which the window does not open.
fn closed(cx: &mut Context<'_>, planned: &Planned<'_>, dated: &[Dated<'_>]) {
    let Some(WindowRule::Window { window, .. }) = &planned.program.window else {
        return;
    };
    if window.is_always() {
        return;
    }
    for milestone in dated {
        let watches = |&p: &usize| planned.schedule.phases[p].watches;
        if milestone.phases.is_empty() || milestone.phases.iter().any(watches) {
            continue;
        }
        // A day is the same on every clock for most of it: noon decides which one is meant.
        let noon = match milestone.due.day {
            Some(_) => milestone.due.at + SignedDuration::from_hours(12),
            None => milestone.due.at,
        };
        let Some((from, to)) = window.day_of(noon) else {
            continue;
        };
        let opens = window
            .next_opening(from)
            .is_some_and(|opening| opening.opens < to);
        if !opens {
            cx.find_with(
                codes::MILESTONE_OUTSIDE_WINDOW,
                &at(milestone),
                format!(
                    "`{}` is due on a day on which the window does not open",
                    milestone.written.milestone_id
                ),
                (
                    "/migration_overview/constraints/migration_window",
                    "the window",
                ),
                "choose a day on which it opens, or read the date as the day by which it was done",
            );
        }
    }
}
