//! The critical path that the plan declares, against the one that its estimates give.

use std::collections::HashMap;

use super::{Context, Planned, length};
use crate::base::diagnostic::codes;
use crate::base::quantity::HumanDuration;

/// How many steps a finding names.
const SHOWN: usize = 4;

pub(super) fn check(cx: &mut Context<'_>, planned: &Planned<'_>) {
    let Some(timeline) = &cx.plan().execution_timeline else {
        return;
    };
    if timeline.critical_path.is_empty() {
        return;
    }
    let ids: HashMap<&str, usize> = planned
        .program
        .steps
        .iter()
        .enumerate()
        .map(|(i, step)| (step.id.as_str(), i))
        .collect();
    let phases: HashMap<&str, usize> = planned
        .program
        .phases
        .iter()
        .enumerate()
        .map(|(i, phase)| (phase.id.as_str(), i))
        .collect();
    let mut covered = Covered::default();
    for (i, declared) in timeline.critical_path.iter().enumerate() {
        let at = format!("/execution_timeline/critical_path/{i}");
        let id = declared.step_id.as_str();
        // A whole phase is always critical: phases run one after the other.
        if let Some(&phase) = phases.get(id) {
            let time = &planned.schedule.phases[phase];
            covered.add(time.start.max_ms, time.end.max_ms);
            continue;
        }
        let Some(&step) = ids.get(id) else { continue };
        let time = &planned.schedule.steps[step];
        covered.add(time.start.max_ms, time.end.max_ms);
        covered.steps.push(step);
        let phase = planned.program.steps[step].phase;
        let phase_time = &planned.schedule.phases[phase];
        // Beside steps of unknown length nobody can tell which chain is the longest.
        if phase_time.unestimated == 0 && time.slack_ms > 0 {
            cx.find_with(
                codes::CRITICAL_PATH,
                &format!("{at}/step_id"),
                format!(
                    "`{id}` is not on the critical path: it can end {} later and delays nothing",
                    length(time.slack_ms)
                ),
                (
                    &format!("{}/step_id", planned.step_at(step)),
                    "this step runs beside a longer one",
                ),
                format!(
                    "the longest chain of `{}` is {}",
                    planned.program.phases[phase].id,
                    planned.chain(&phase_time.critical)
                ),
            );
        }
        let Some(work) = time.work else { continue };
        let own = work.max_ms + time.watch.max_ms;
        let written = declared
            .duration
            .as_deref()
            .and_then(|text| HumanDuration::parse(text).ok());
        if let Some(written) = written
            && written.max_ms().unsigned_abs() != own
            && written.max_ms().unsigned_abs() != work.max_ms
        {
            cx.find_with(
                codes::CRITICAL_PATH,
                &format!("{at}/duration"),
                format!(
                    "`{id}` takes {} here and {} by its own estimate",
                    length(written.max_ms().unsigned_abs()),
                    length(own)
                ),
                (
                    &format!("{}/estimated_duration", planned.step_at(step)),
                    "its own estimate",
                ),
                "write the same length in both places, or leave `duration` out here",
            );
        }
    }
    missing(cx, planned, covered);
}

/// Spans of time that the declared path accounts for.
#[derive(Default)]
struct Covered {
    spans: Vec<(u64, u64)>,
    steps: Vec<usize>,
}

impl Covered {
    fn add(&mut self, from: u64, to: u64) {
        self.spans.push((from, to));
    }

    /// Sorted, those that touch joined.
    fn joined(&mut self) -> Vec<(u64, u64)> {
        self.spans.sort_unstable();
        let mut joined: Vec<(u64, u64)> = Vec::new();
        for &(from, to) in &self.spans {
            match joined.last_mut() {
                Some(last) if from <= last.1 => last.1 = last.1.max(to),
                _ => joined.push((from, to)),
            }
        }
        joined
    }
}

/// Critical steps during which the declared path does nothing.
fn missing(cx: &mut Context<'_>, planned: &Planned<'_>, mut covered: Covered) {
    let joined = covered.joined();
    let holds = |from: u64, to: u64| {
        let after = joined.partition_point(|&(start, _)| start <= from);
        after > 0 && joined[after - 1].1 >= to
    };
    let left_out: Vec<usize> = planned
        .schedule
        .critical
        .iter()
        .copied()
        .filter(|&s| {
            let time = &planned.schedule.steps[s];
            let phase = &planned.schedule.phases[planned.program.steps[s].phase];
            time.end.max_ms > time.start.max_ms
                && phase.unestimated == 0
                && !holds(time.start.max_ms, time.end.max_ms)
        })
        .collect();
    let Some(&first) = left_out.first() else {
        return;
    };
    let mut names: Vec<String> = left_out
        .iter()
        .take(SHOWN)
        .map(|&s| format!("`{}`", planned.program.steps[s].id))
        .collect();
    if left_out.len() > SHOWN {
        names.push(format!("{} more", left_out.len() - SHOWN));
    }
    let are = if left_out.len() == 1 { "is" } else { "are" };
    cx.find_with(
        codes::CRITICAL_PATH,
        "/execution_timeline/critical_path",
        format!(
            "the critical path leaves out {}, which {are} on it by the steps' estimates",
            names.join(", ")
        ),
        (
            &format!("{}/step_id", planned.step_at(first)),
            "every minute of this step delays the end",
        ),
        "add the missing steps, or correct the estimates",
    );
}
