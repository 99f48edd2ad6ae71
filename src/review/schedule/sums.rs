//! Steps against their phase, phases against the whole.

use super::{Context, Planned, length, longest};
use crate::base::diagnostic::codes;

pub(super) fn check(cx: &mut Context<'_>, planned: &Planned<'_>) {
    for index in 0..planned.program.phases.len() {
        phase(cx, planned, index);
    }
    whole(cx, planned);
}

fn phase(cx: &mut Context<'_>, planned: &Planned<'_>, index: usize) {
    let phase = &planned.program.phases[index];
    let Some(own) = phase.estimate else { return };
    let time = &planned.schedule.phases[index];
    let chain = |watched: bool| -> u64 {
        time.critical
            .iter()
            .map(|&s| &planned.schedule.steps[s])
            .map(|t| t.work.unwrap_or_default().max_ms + if watched { t.watch.max_ms } else { 0 })
            .sum()
    };
    let longest_watch = phase
        .steps
        .iter()
        .map(|&s| planned.schedule.steps[s].watch.max_ms)
        .max()
        .unwrap_or(0);
    // An estimate shorter than what is watched speaks of the work alone.
    let steps = chain(own.max_ms >= longest_watch);
    if steps <= own.max_ms {
        return;
    }
    let id = &phase.id;
    let at = format!("{}/duration_estimate", planned.phase_at(index));
    cx.find(
        codes::STEPS_EXCEED_PHASE,
        &at,
        format!(
            "`{id}` is estimated at {}, and its longest chain of steps takes {}: {}",
            length(own.max_ms),
            length(steps),
            planned.chain(&time.critical)
        ),
        format!(
            "write at least `duration_estimate: {}`, or correct the steps' `estimated_duration`",
            length(steps)
        ),
    );
}

fn whole(cx: &mut Context<'_>, planned: &Planned<'_>) {
    let at = "/migration_overview/estimated_duration";
    let written = cx.plan().migration_overview.estimated_duration.as_deref();
    let Some(total) = longest(written) else {
        return;
    };
    let phases = &planned.schedule.phases;
    let longest_watch = planned
        .schedule
        .steps
        .iter()
        .map(|t| t.watch.max_ms)
        .max()
        .unwrap_or(0);
    let watched = total >= longest_watch;
    let of = |p: usize| -> u64 {
        let own = planned.program.phases[p].estimate.map_or(0, |e| e.max_ms);
        if watched {
            own.max(phases[p].length.known.max_ms)
        } else {
            phases[p].work_ms
        }
    };
    let sum: u64 = (0..phases.len()).map(of).sum();
    if sum <= total {
        return;
    }
    const SHOWN: usize = 5;
    let mut parts: Vec<String> = (0..phases.len())
        .filter(|&p| of(p) > 0)
        .map(|p| format!("`{}` {}", planned.program.phases[p].id, length(of(p))))
        .collect();
    if parts.len() > SHOWN {
        let more = parts.len() - SHOWN;
        parts.truncate(SHOWN);
        parts.push(format!("{more} more"));
    }
    cx.find(
        codes::PHASES_EXCEED_TOTAL,
        at,
        format!(
            "the migration is estimated at {}, and its phases, which run one after the other, take {}: {}",
            length(total),
            length(sum),
            parts.join(", ")
        ),
        format!(
            "write at least `estimated_duration: {}`, or correct the phases' `duration_estimate`",
            length(sum)
        ),
    );
}
