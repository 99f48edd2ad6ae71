//! A run's status as text.

use super::{GateView, PhaseView, StatusView, StepView, WaitingView};
use crate::run::engine::RunState;
use crate::show::text::{Look, Mark, Page, Tone, between, instant, millis, seconds};
use crate::show::words;

impl StatusView {
    /// As text for 40 columns and more, ending in a line break. The last line is the command to type next, if there is
    /// one.
    #[must_use]
    pub fn text(&self, look: Look) -> String {
        let mut page = Page::new(look);
        self.heading(&mut page);
        for phase in &self.phases {
            draw_phase(&mut page, phase);
        }
        for gate in &self.completion {
            draw_gate(
                &mut page,
                0,
                gate,
                !matches!(gate.state, "passed" | "closed"),
            );
        }
        if let Some(undo) = &self.undo {
            page.blank();
            page.field(0, &format!("undoing ({} rollback):", undo.level), &undo.why);
            for unit in &undo.units {
                let why = unit.why.as_deref().unwrap_or_default();
                page.row(2, words::mark(unit.state), &unit.id, why);
            }
        }
        if !self.waiting.is_empty() {
            page.blank();
            page.line(0, Some(Tone::Strong), "waits for");
            for wait in &self.waiting {
                draw_waiting(&mut page, wait, self.now);
            }
        }
        page.blank();
        if !self.remaining.is_empty() && self.state != RunState::Completed {
            page.field(0, "effects that remain:", &self.remaining.join(", "));
        }
        for deviation in &self.deviations {
            page.field(0, "deviation:", &deviation.what);
        }
        if let Some(head) = &self.head {
            page.command(0, "journal head:", head);
        }
        match &self.next {
            Some(next) => page.command(0, "next:", next),
            None => page.field(0, "next:", "nothing; the run is over"),
        }
        page.finish()
    }

    fn heading(&self, page: &mut Page) {
        let tone = match self.state {
            RunState::Completed => Tone::Good,
            RunState::Running => Tone::Busy,
            RunState::Waiting | RunState::Interrupted | RunState::Drifted => Tone::Asks,
            RunState::Stopped | RunState::Stuck | RunState::RolledBack | RunState::Abandoned => {
                Tone::Bad
            }
        };
        let word = self.state.to_string().to_uppercase().replace('_', " ");
        page.line(0, Some(tone), &format!("{word}: {}", self.migration));
        let environment = match (&self.environment, self.production) {
            (Some(name), true) => format!("environment {name} (production)"),
            (Some(name), false) => format!("environment {name}"),
            (None, _) => "no environment given (counts as production)".to_owned(),
        };
        let started = self.started_at.map_or_else(String::new, |at| {
            format!(
                ", started {} ({} ago)",
                instant(at),
                seconds(between(at, self.now))
            )
        });
        page.line(
            0,
            None,
            &format!("run {}, {environment}{started}", self.run),
        );
        if self.state == RunState::Running && !self.driven {
            page.line(
                0,
                Some(Tone::Bad),
                "no process drives it: it was ended, or the machine was",
            );
        }
        if let Some(why) = &self.why {
            page.field(0, "why:", why);
        }
        page.blank();
    }
}

/// More steps than this are not listed one by one.
const LONG: usize = 12;

fn draw_phase(page: &mut Page, phase: &PhaseView) {
    let done = phase
        .steps
        .iter()
        .filter(|s| s.state == "succeeded")
        .count();
    let steps = words::count(phase.steps.len(), "step", "steps");
    page.row(
        0,
        words::mark(phase.state),
        &format!("{} {}", phase.id, phase.name),
        &format!("{done} of {steps}"),
    );
    if matches!(phase.state, "passed" | "pending" | "left_out") {
        return;
    }
    draw_steps(page, &phase.steps);
    for gate in &phase.gates {
        draw_gate(page, 2, gate, !matches!(gate.state, "passed" | "closed"));
    }
}

/// In a long phase, steps that are well or have not begun share a line.
fn draw_steps(page: &mut Page, steps: &[StepView]) {
    let quiet = |step: &StepView| match step.state {
        "succeeded" | "pending" | "left_out" | "undone" => Some(step.state),
        _ => None,
    };
    let mut rest = steps;
    while let Some(step) = rest.first() {
        let same = match quiet(step) {
            Some(state) if steps.len() > LONG => {
                rest.iter().take_while(|s| quiet(s) == Some(state)).count()
            }
            _ => 1,
        };
        let (group, tail) = rest.split_at(same);
        rest = tail;
        match group {
            [first, .., last] if same > 2 => {
                let n = words::count(same, "step", "steps");
                let text = format!("{n}: {} to {}", first.id, last.id);
                page.row(2, words::mark(step.state), &text, "");
            }
            _ => {
                for step in group {
                    draw_step(page, step);
                }
            }
        }
    }
}

/// What is known of a step's time: elapsed against the estimate while it runs, else how long it took.
pub(in crate::show) fn step_time(step: &StepView) -> String {
    let mut parts = Vec::new();
    if step.attempt > 1 {
        parts.push(format!("attempt {}", step.attempt));
    }
    match step.state {
        "running" | "validating" | "observing" => {
            if step.state != "running" {
                parts.push(if step.state == "validating" {
                    "checking".to_owned()
                } else {
                    "watching".to_owned()
                });
            }
            let elapsed = step.duration_ms.map(seconds).unwrap_or_default();
            match (step.until, step.estimate_ms) {
                (Some(until), _) => parts.push(format!("{elapsed}, until {}", instant(until))),
                (None, Some(estimate)) => {
                    parts.push(format!("{elapsed} of about {}", millis(estimate)));
                }
                (None, None) => parts.push(elapsed),
            }
        }
        "pending" | "left_out" => {
            if let Some(estimate) = step.estimate_ms {
                parts.push(format!("about {}", millis(estimate)));
            }
        }
        _ => parts.extend(step.duration_ms.map(millis)),
    }
    parts.join(", ")
}

fn draw_step(page: &mut Page, step: &StepView) {
    page.row(
        2,
        words::mark(step.state),
        &format!("{} {}", step.id, step.name),
        &step_time(step),
    );
    if let Some(why) = &step.why {
        page.field(11, "why:", why);
    }
}

/// A gate, with its criteria where they matter now.
pub(in crate::show) fn draw_gate(page: &mut Page, indent: usize, gate: &GateView, open: bool) {
    let mut detail = gate.state.replace('_', " ");
    if gate.approvals_needed > 0 && gate.state != "closed" {
        let given = gate.approvals.iter().filter(|a| a.counts).count();
        detail = format!("{detail}, {given} of {} approvals", gate.approvals_needed);
    }
    page.row(
        indent,
        words::mark(gate.state),
        &format!("gate {} {}", gate.id, gate.name),
        &detail,
    );
    if !open {
        return;
    }
    for criterion in &gate.criteria {
        let detail = if criterion.verdict == Some("covered") {
            criterion.how.as_str()
        } else {
            criterion.detail.as_deref().unwrap_or_default()
        };
        let mark = words::verdict_mark(criterion.verdict, criterion.person);
        page.row(indent + 2, mark, &criterion.title, detail);
    }
    for approval in &gate.approvals {
        let mark = if approval.counts {
            Mark {
                word: "approved",
                tone: Tone::Good,
            }
        } else {
            Mark {
                word: "void",
                tone: Tone::Dim,
            }
        };
        let by = format!("by {} at {}", approval.name, instant(approval.at));
        let why = if approval.counts {
            ""
        } else {
            "given for another plan"
        };
        page.row(indent + 2, mark, &by, why);
    }
}

fn draw_waiting(page: &mut Page, wait: &WaitingView, now: jiff::Timestamp) {
    page.line(2, Some(Tone::Asks), &wait.what);
    let mut who = format!(
        "{}, since {} ({})",
        words::who(&wait.who),
        instant(wait.since),
        seconds(between(wait.since, now))
    );
    if let Some(until) = wait.until {
        who.push_str(&format!(", by itself at {}", instant(until)));
    }
    page.field(4, "who:", &who);
    page.command(4, "answer:", &wait.answer);
    for choice in &wait.choices {
        page.command(4, "or:", &choice.command);
        page.line(8, Some(Tone::Dim), &format!("({})", choice.means));
    }
}
