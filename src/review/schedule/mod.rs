//! Estimates against each other, against the window, and against what the plan says of downtime and dates.
//!
//! Every sum is a lower bound (see [`Schedule`]), so a rule speaks only where what is known is already too much. Of a
//! range the longer end counts. Time spent watching is kept apart: it may lie outside the window.

mod critical;
mod downtime;
mod sums;
mod timeline;
mod timeouts;
mod window;

use super::Context;
use crate::base::quantity::HumanDuration;
use crate::plan::program::Program;
use crate::plan::schedule::Schedule;

/// The lowered plan, its schedule, and where each part stands in the text.
struct Planned<'a> {
    program: &'a Program,
    schedule: Schedule,
    /// By index of the program's phases: the index in the plan.
    phases: Vec<usize>,
    /// By index of the program's steps: the phase and step in the plan.
    steps: Vec<(usize, usize)>,
}

pub(super) fn check(cx: &mut Context<'_>, program: &Program) {
    let written = &cx.plan().migration_phases;
    let mut phases: Vec<usize> = (0..written.len()).collect();
    phases.sort_by_key(|&p| written[p].order);
    let mut steps = Vec::with_capacity(program.steps.len());
    for &p in &phases {
        let first = steps.len();
        steps.extend((0..written[p].steps.len()).map(|s| (p, s)));
        steps[first..].sort_by_key(|&(p, s)| written[p].steps[s].order);
    }
    if steps.len() != program.steps.len() || phases.len() != program.phases.len() {
        // The program is not this plan's: there is nothing to point at.
        return;
    }
    let planned = Planned {
        program,
        schedule: Schedule::of(program),
        phases,
        steps,
    };
    sums::check(cx, &planned);
    critical::check(cx, &planned);
    window::check(cx, &planned);
    downtime::check(cx);
    timeouts::check(cx, &planned);
    timeline::check(cx, &planned);
}

impl Planned<'_> {
    fn phase_at(&self, phase: usize) -> String {
        format!("/migration_phases/{}", self.phases[phase])
    }

    fn step_at(&self, step: usize) -> String {
        let (p, s) = self.steps[step];
        format!("/migration_phases/{p}/steps/{s}")
    }

    /// A chain of steps with their times, the first few of it: "`A` 1h, then `B` 2h".
    fn chain(&self, steps: &[usize]) -> String {
        const SHOWN: usize = 4;
        let mut parts: Vec<String> = steps
            .iter()
            .take(SHOWN)
            .map(|&s| {
                let time = &self.schedule.steps[s];
                let id = &self.program.steps[s].id;
                match time.work {
                    Some(work) => {
                        format!("`{id}` {}", length(work.max_ms + time.watch.max_ms))
                    }
                    None => format!("`{id}` (no estimate)"),
                }
            })
            .collect();
        if steps.len() > SHOWN {
            parts.push(format!("{} more", steps.len() - SHOWN));
        }
        parts.join(", then ")
    }
}

/// Milliseconds as the format writes them: "2h 30m".
fn length(ms: u64) -> String {
    HumanDuration::from_ms(i64::try_from(ms).unwrap_or(i64::MAX)).to_string()
}

/// The longest that a text means; none where it is not understood, which another rule says.
fn longest(text: Option<&str>) -> Option<u64> {
    let duration = HumanDuration::parse(text?).ok()?;
    Some(duration.max_ms().unsigned_abs())
}
