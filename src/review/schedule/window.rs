//! Estimates against the migration window: what no longer fits, forwards and back.

use jiff::SignedDuration;

use super::{Context, Planned, length};
use crate::base::diagnostic::codes;
use crate::base::quantity::{Occurrence, Window};
use crate::plan::program::WindowRule;

const AT: &str = "/migration_overview/constraints/migration_window";

/// The window as a reviewer sees it: the next time it opens.
struct Opening<'a> {
    window: &'a Window,
    next: Occurrence,
    /// How long it is open on an ordinary day, in milliseconds.
    open_ms: u64,
}

impl Opening<'_> {
    /// The clock's time, so long after the window opens.
    fn clock(&self, after_ms: i64) -> String {
        let at = self.next.opens + SignedDuration::from_millis(after_ms);
        self.window.bare_clock(at)
    }

    /// With the zone.
    fn closes(&self) -> String {
        self.window.clock(self.next.closes)
    }
}

pub(super) fn check(cx: &mut Context<'_>, planned: &Planned<'_>) {
    let Some(WindowRule::Window { window, .. }) = &planned.program.window else {
        return;
    };
    let Some(next) = window.next_opening(cx.surroundings.now) else {
        return;
    };
    let opening = Opening {
        window,
        open_ms: next.wall_ms,
        next,
    };
    clocks(cx, &opening);
    let mut fits = true;
    for step in 0..planned.program.steps.len() {
        fits &= step_fits(cx, planned, &opening, step);
    }
    for phase in 0..planned.program.phases.len() {
        fits &= phase_fits(cx, planned, &opening, phase);
    }
    if fits {
        whole_fits(cx, planned, &opening);
    }
    back_fits(cx, planned, &opening);
}

fn clocks(cx: &mut Context<'_>, opening: &Opening<'_>) {
    let next = &opening.next;
    let day = opening.window.day_and_clock(next.opens);
    let message = if let Some(change) = &next.change {
        format!("a bound of the next window ({day}) is unclear: {change}")
    } else if next.shift_ms != 0 {
        format!(
            "the clocks go {} by {} in the next window ({day}): it is open for {}, not {}",
            if next.shift_ms > 0 { "forward" } else { "back" },
            length(next.shift_ms.unsigned_abs()),
            length(next.length_ms()),
            length(next.wall_ms),
        )
    } else {
        return;
    };
    cx.find(
        codes::CLOCK_CHANGE,
        AT,
        message,
        "choose another day, or write the window in UTC",
    );
}

fn step_fits(
    cx: &mut Context<'_>,
    planned: &Planned<'_>,
    opening: &Opening<'_>,
    step: usize,
) -> bool {
    let Some(work) = planned.schedule.steps[step].work else {
        return true;
    };
    if work.max_ms <= opening.open_ms {
        return true;
    }
    let at = format!("{}/estimated_duration", planned.step_at(step));
    cx.find_with(
        codes::STEP_OUTGROWS_WINDOW,
        &at,
        format!(
            "`{}` takes {}, longer than the window is open ({})",
            planned.program.steps[step].id,
            length(work.max_ms),
            length(opening.open_ms)
        ),
        (AT, "the window"),
        "split the step, widen the window, or write time that is only watched as `observe: {for: ...}`",
    );
    false
}

/// The estimate with the buffer that the plan asks for, and how to say that.
fn buffered(cx: &Context<'_>, ms: u64) -> (u64, String) {
    let percent = cx
        .plan()
        .execution_timeline
        .as_ref()
        .and_then(|timeline| timeline.contingency_time.as_ref())
        .and_then(|time| time.buffer_percentage)
        .and_then(|percent| u64::try_from(percent).ok())
        .filter(|&percent| percent > 0);
    match percent {
        Some(percent) => (
            ms.saturating_add(ms.saturating_mul(percent) / 100),
            format!(
                "{} ({} with {percent}% of contingency)",
                length(ms),
                length(ms.saturating_add(ms.saturating_mul(percent) / 100))
            ),
        ),
        None => (ms, length(ms)),
    }
}

/// True also where the phase watches something: between watching, windows may come and go.
fn phase_fits(
    cx: &mut Context<'_>,
    planned: &Planned<'_>,
    opening: &Opening<'_>,
    phase: usize,
) -> bool {
    let time = &planned.schedule.phases[phase];
    let (needed, said) = buffered(cx, time.work_ms);
    if time.watches || needed <= opening.open_ms {
        return true;
    }
    let too_long = |&s: &usize| {
        planned.schedule.steps[s]
            .work
            .is_some_and(|work| work.max_ms > opening.open_ms)
    };
    if planned.program.phases[phase].steps.iter().any(too_long) {
        // Its step has been named.
        return false;
    }
    let pointer = planned.phase_at(phase);
    let from_steps = time.length.known.max_ms > 0 && !time.critical.is_empty();
    let at = if from_steps && time.unestimated == 0 {
        format!("{pointer}/phase_id")
    } else {
        format!("{pointer}/duration_estimate")
    };
    cx.find_with(
        codes::PHASE_OUTGROWS_WINDOW,
        &at,
        format!(
            "`{}` takes {said}, longer than the window is open ({}): it would stand half done until the next one",
            planned.program.phases[phase].id,
            length(opening.open_ms)
        ),
        (AT, "the window"),
        "split the phase where its system can be left standing, widen the window, or shorten the steps",
    );
    false
}

/// Each phase fits and all of them together do not: worth knowing, not wrong.
fn whole_fits(cx: &mut Context<'_>, planned: &Planned<'_>, opening: &Opening<'_>) {
    let (needed, said) = buffered(cx, planned.schedule.work_ms);
    if needed <= opening.open_ms || planned.schedule.phases.iter().any(|p| p.watches) {
        return;
    }
    let mut stands = Vec::new();
    let mut used = 0;
    for (p, time) in planned.schedule.phases.iter().enumerate() {
        let (ms, _) = buffered(cx, time.work_ms);
        if used > 0 && used + ms > opening.open_ms {
            stands.push(format!("`{}`", planned.program.phases[p - 1].id));
            used = 0;
        }
        used += ms;
    }
    if stands.is_empty() {
        return;
    }
    let windows = stands.len() + 1;
    const SHOWN: usize = 4;
    if stands.len() > SHOWN {
        let more = stands.len() - SHOWN;
        stands.truncate(SHOWN);
        stands.push(format!("{more} more"));
    }
    cx.find(
        codes::RUN_OUTGROWS_WINDOW,
        AT,
        format!(
            "the migration takes {said}, and a window is open for {}: it needs {windows} windows, and the system \
             stands as it is between them after {}",
            length(opening.open_ms),
            stands.join(", ")
        ),
        "make sure that the system can be left standing there",
    );
}

/// The phases after which a full rollback no longer fits: the first is shown, the others are named.
fn back_fits(cx: &mut Context<'_>, planned: &Planned<'_>, opening: &Opening<'_>) {
    struct Late {
        phase: usize,
        ends_ms: Option<u64>,
    }
    let mut late: Vec<Late> = Vec::new();
    // When the phase at hand ends, after the window in which it runs opens; none after watching.
    let mut used = Some(0_u64);
    for (p, time) in planned.schedule.phases.iter().enumerate() {
        if time.work_ms > opening.open_ms {
            // Said already, and where such a phase ends nobody can tell.
            used = None;
        } else if time.watches {
            used = None;
        } else if let Some(before) = used {
            used = Some(match before + time.work_ms {
                end if end > opening.open_ms => time.work_ms,
                end => end,
            });
        }
        let takes = time.back.takes.known.max_ms;
        if time.back.wall.is_some() || takes == 0 {
            continue;
        }
        if used.unwrap_or(0) + takes > opening.open_ms {
            late.push(Late {
                phase: p,
                ends_ms: used,
            });
        }
    }
    let Some(first) = late.first() else { return };
    let phase = &planned.program.phases[first.phase];
    let time = &planned.schedule.phases[first.phase];
    let takes = time.back.takes;
    let mut message = format!(
        "after `{}` a full rollback no longer fits into the window: it takes {}",
        phase.id,
        match takes.is_complete() {
            true => length(takes.known.max_ms),
            false => takes.say("undo", "undos"),
        }
    );
    let ms = |ms: u64| i64::try_from(ms).unwrap_or(i64::MAX);
    match opening.open_ms.checked_sub(takes.known.max_ms) {
        None => message.push_str(&format!(
            ", and the window is open for {}",
            length(opening.open_ms)
        )),
        Some(by) => {
            let ends = first.ends_ms.map_or_else(String::new, |ends| {
                format!("by plan the phase ends at {}, ", opening.clock(ms(ends)))
            });
            message.push_str(&format!(
                ", so start back by {} ({ends}the window closes at {})",
                opening.clock(ms(by)),
                opening.closes()
            ));
        }
    }
    if late.len() > 1 {
        let others: Vec<String> = late[1..]
            .iter()
            .take(4)
            .map(|l| format!("`{}`", planned.program.phases[l.phase].id))
            .collect();
        let more = late.len() - 1 - others.len();
        let more = if more > 0 {
            format!(" and {more} more")
        } else {
            String::new()
        };
        message.push_str(&format!("; the same after {}{more}", others.join(", ")));
    }
    let pointer = planned.phase_at(first.phase);
    let own = planned.program.phases[first.phase].undo_estimate.is_some();
    let at = if own {
        format!("{pointer}/rollback_point/estimated_rollback_duration")
    } else {
        format!("{pointer}/phase_id")
    };
    cx.find_with(
        codes::BACK_OUTSIDE_WINDOW,
        &at,
        message,
        (AT, "the window"),
        "do less in one window, make the undo faster, or agree beforehand that a rollback may run past the window",
    );
}
