//! What the live display shows at one moment, as pure lines; drawing them is left to the live display.

use std::collections::HashMap;

use jiff::Timestamp;

use crate::plan::program::Program;
use crate::run::engine::{Effect, GateStage, Stage, State, UndoStage, Waiting};
use crate::run::perform::manifest::Progress;
use crate::show::text::{Look, Mark, Tone, between, cut, instant, millis, paint, seconds, visible};
use crate::show::{status, words};

/// The last output line of each running step or check, by id.
pub type Outputs = HashMap<String, String>;

/// How far each running manifest step is, by id.
pub type Manifests = HashMap<String, Progress>;

/// What a frame is drawn from.
#[derive(Debug, Clone, Copy)]
#[expect(missing_docs, reason = "fields are named after what they hold")]
pub struct Frame<'a> {
    pub program: &'a Program,
    pub state: &'a State,
    pub waiting: &'a [Waiting],
    pub outputs: &'a Outputs,
    pub manifests: &'a Manifests,
    pub now: Timestamp,
    pub look: Look,
    /// Lines of the terminal.
    pub height: usize,
}

struct Lines {
    look: Look,
    lines: Vec<String>,
}

impl Lines {
    /// A mark and a text, cut to the width: a line that wraps would leave garbage when it is redrawn.
    fn row(&mut self, indent: usize, mark: Mark, text: &str) {
        let pad = 9;
        let room = self.look.width.saturating_sub(indent + pad + 1);
        let text = cut(&visible(text), room);
        let gap = pad - mark.word.len();
        let word = paint(self.look.colour, mark.tone, mark.word);
        self.lines
            .push(format!("{:indent$}{word}{:gap$}{text}", "", ""));
    }

    fn text(&mut self, indent: usize, tone: Tone, text: &str) {
        let room = self.look.width.saturating_sub(indent + 1);
        let text = cut(&visible(text), room);
        let text = paint(self.look.colour, tone, &text);
        self.lines.push(format!("{:indent$}{text}", ""));
    }
}

/// The lines of the display: one per phase, what runs, gates that are being decided, the undo, what it waits for. No
/// line reaches the last column, and there are never more lines than fit above the cursor.
#[must_use]
pub fn frame(frame: &Frame<'_>) -> Vec<String> {
    let room = frame.height.saturating_sub(2).max(3);
    for fold in [false, true] {
        let lines = draw(frame, fold);
        if lines.len() <= room {
            return lines;
        }
    }
    let mut lines = draw(frame, true);
    let hidden = lines.len() - room + 1;
    lines.truncate(room - 1);
    lines.push(cut(
        &format!("(and {hidden} more lines)"),
        frame.look.width.saturating_sub(1),
    ));
    lines
}

/// With `fold`, phases that are over or have not begun share a line.
fn draw(frame: &Frame<'_>, fold: bool) -> Vec<String> {
    let (program, state) = (frame.program, frame.state);
    let mut out = Lines {
        look: frame.look,
        lines: Vec::new(),
    };
    let asked = words::asked(frame.waiting);
    let (mut passed, mut pending) = (0, 0);
    for (i, phase) in program.phases.iter().enumerate() {
        let word = match words::phase_state(state, program, i) {
            "pending" | "undone" if asked.iter().any(|id| id == phase.id.as_str()) => "waiting",
            other => other,
        };
        if fold && word == "passed" {
            passed += 1;
            continue;
        }
        if fold && word == "pending" {
            pending += 1;
            continue;
        }
        if passed > 0 {
            let phases = words::count(passed, "phase", "phases");
            out.row(0, words::mark("passed"), &format!("{phases} done"));
            passed = 0;
        }
        let steps = &phase.steps;
        let done = steps
            .iter()
            .filter(|&&s| state.steps[s].stage == Stage::Succeeded)
            .count();
        let text = format!("{} {} {done}/{}", phase.id, phase.name, steps.len());
        out.row(0, words::mark(word), &text);
        if word == "passed" || word == "pending" {
            continue;
        }
        for &step in steps {
            draw_step(frame, &mut out, step);
        }
        for &gate in steps
            .iter()
            .flat_map(|&s| &program.steps[s].gates)
            .chain(&phase.gates)
        {
            draw_gate(frame, &mut out, gate);
        }
    }
    for (folded, word, what) in [(passed, "passed", "done"), (pending, "pending", "to come")] {
        if folded > 0 {
            let phases = words::count(folded, "phase", "phases");
            out.row(0, words::mark(word), &format!("{phases} {what}"));
        }
    }
    for (i, gate) in program.gates.iter().enumerate() {
        if gate.at == crate::plan::program::GateAt::Completion {
            draw_gate(frame, &mut out, i);
        }
    }
    draw_undo(frame, &mut out);
    for wait in frame.waiting {
        let since = seconds(between(wait.since, frame.now));
        let mark = Mark {
            word: "waits",
            tone: Tone::Asks,
        };
        out.row(0, mark, &wait.what);
        let mut who = format!("{}: {}, for {since}", wait.item, words::who(&wait.who));
        if let Some(until) = wait.until {
            who.push_str(&format!(", until {}", instant(until)));
        }
        out.text(9, Tone::Dim, &who);
    }
    out.lines
}

fn draw_step(frame: &Frame<'_>, out: &mut Lines, index: usize) {
    let (step, at) = (&frame.program.steps[index], &frame.state.steps[index]);
    let word = words::step_state(frame.state, frame.program, index);
    match &at.stage {
        Stage::Acting | Stage::Validating | Stage::Observing { .. } => {}
        Stage::Failed { .. } | Stage::Unknown { .. } => {
            out.row(2, words::mark(word), &format!("{} {}", step.id, step.name));
            return;
        }
        Stage::Pending | Stage::Succeeded => {
            if at.effect == Effect::Undone {
                out.row(
                    2,
                    words::mark("undone"),
                    &format!("{} {}", step.id, step.name),
                );
            }
            return;
        }
    }
    let elapsed = at.started_at.map_or(0, |from| between(from, frame.now));
    let mut time = seconds(elapsed);
    match (&at.stage, step.estimate_ms()) {
        (Stage::Observing { until, .. }, _) => {
            time = format!("watching, {} to go", seconds(between(frame.now, *until)));
        }
        (Stage::Validating, _) => time.push_str(", checking"),
        (_, Some(estimate)) => time.push_str(&format!(" of ~{}", millis(estimate))),
        _ => {}
    }
    let attempt = if at.attempt > 1 {
        format!(", attempt {}", at.attempt)
    } else {
        String::new()
    };
    // The time must stay in sight where the name is long.
    let tail = format!("  {time}{attempt}");
    let room = frame
        .look
        .width
        .saturating_sub(12 + crate::show::text::columns(&tail));
    let name = cut(
        &visible(&format!("{} {}", step.id, step.name)),
        room.max(12),
    );
    out.row(2, words::mark(word), &format!("{name}{tail}"));
    if at.stage == Stage::Acting
        && let Some(progress) = frame.manifests.get(step.id.as_str())
    {
        out.text(11, Tone::Dim, &migrated(*progress, elapsed));
        return;
    }
    if let Some(line) = frame.outputs.get(step.id.as_str())
        && !line.trim().is_empty()
    {
        out.text(11, Tone::Dim, &format!("| {line}"));
    }
}

/// How far a manifest step is after so many milliseconds: `1,200 of 115,000 manifests, 38 s left, 3 failed`.
pub(super) fn migrated(progress: Progress, elapsed_ms: u64) -> String {
    let Some(total) = progress.total else {
        return format!("{} manifests found", thousands(progress.done));
    };
    let mut text = format!(
        "{} of {} manifests",
        thousands(progress.done),
        thousands(total)
    );
    let left = total.saturating_sub(progress.done);
    if left > 0
        && let Some(left) = left.saturating_mul(elapsed_ms).checked_div(progress.done)
    {
        text.push_str(&format!(", {} left", seconds(left)));
    }
    if progress.failed > 0 {
        text.push_str(&format!(", {} failed", thousands(progress.failed)));
    }
    text
}

fn thousands(n: u64) -> String {
    let digits = n.to_string();
    let mut out = String::new();
    for (i, digit) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

fn draw_gate(frame: &Frame<'_>, out: &mut Lines, index: usize) {
    let stage = &frame.state.gates[index].stage;
    if matches!(stage, GateStage::Closed | GateStage::Passed) {
        return;
    }
    let gate = status::gate(frame.program, frame.state, index);
    let mut text = format!(
        "gate {} {}: {}",
        gate.id,
        gate.name,
        gate.state.replace('_', " ")
    );
    if gate.approvals_needed > 0 {
        let given = gate.approvals.iter().filter(|a| a.counts).count();
        text.push_str(&format!(", {given} of {} approvals", gate.approvals_needed));
    }
    out.row(2, words::mark(gate.state), &text);
    for criterion in &gate.criteria {
        let mark = words::verdict_mark(criterion.verdict, criterion.person);
        let text = match (criterion.verdict, &criterion.detail) {
            (Some("covered"), _) => format!("{} ({})", criterion.title, criterion.how),
            (Some("fail" | "inconclusive"), Some(detail)) if !detail.is_empty() => {
                format!("{} ({detail})", criterion.title)
            }
            _ => criterion.title.clone(),
        };
        out.row(4, mark, &text);
    }
}

fn draw_undo(frame: &Frame<'_>, out: &mut Lines) {
    let Some(unwinding) = &frame.state.unwinding else {
        return;
    };
    let done = unwinding
        .progress
        .values()
        .filter(|p| matches!(p.stage, UndoStage::Undone | UndoStage::Left))
        .count();
    let text = format!(
        "{} rollback  {done}/{}: {}",
        unwinding.level,
        unwinding.units.len(),
        unwinding.why
    );
    out.row(0, words::mark("undoing"), &text);
    for unit in &unwinding.units {
        let stage = unwinding.progress.get(unit).map(|p| p.stage.clone());
        let stage = stage.unwrap_or_default();
        if matches!(stage, UndoStage::Ready | UndoStage::Undone) {
            continue;
        }
        let name = unit.to_string();
        out.row(2, words::mark(words::undo_state(&stage)), &name);
        if let (UndoStage::Acting, Some(line)) = (&stage, frame.outputs.get(&name)) {
            out.text(11, Tone::Dim, &format!("| {line}"));
        }
    }
}
