//! The words that every picture shares, so that the same thing is called the same everywhere.

use super::text::{Mark, Tone, millis};
use crate::plan::program::{Action, BlockId, How, Process, Program, Run, Shell, UndoUnit, Work};
use crate::plan::schedule::{Between, Sum};
use crate::run::engine::{
    Ask, Effect, GateStage, Judged, PhaseState, Stage, State, UndoStage, Verdict, Waiting,
};

/// How a check is judged, in a few words.
pub(super) fn how(how: &How) -> String {
    match how {
        How::Command(probe) => format!("command `{}`", probe.process.name),
        How::File(file) => format!("file {}", file.path),
        How::Dataset(dataset) => format!("dataset {}", dataset.id),
        How::When(expression) => format!("when {expression}"),
        How::Fact(fact) => format!("fact: {fact}"),
        How::Metric(probe) => format!("metric {}", probe.condition),
        How::Covered(by) => format!("covered by {}", by.join(", ")),
        How::Attest => "a person says so".to_owned(),
        How::Recorded(evidence) => format!("taken as verified: {evidence}"),
    }
}

/// How a check is judged, in a word: probe, fact, covered, person or recorded.
pub(super) fn kind(how: &How) -> &'static str {
    match how {
        How::Command(_) | How::File(_) | How::Dataset(_) | How::When(_) | How::Metric(_) => "probe",
        How::Fact(_) => "fact",
        How::Covered(_) => "covered",
        How::Attest => "person",
        How::Recorded(_) => "recorded",
    }
}

/// Where a step stands, for JSON and people.
pub(super) fn step_state(state: &State, program: &Program, index: usize) -> &'static str {
    let (now, step) = (&state.steps[index], &program.steps[index]);
    if now.left_out {
        return "left_out";
    }
    if let Some(unwinding) = &state.unwinding {
        let unit = UndoUnit::Step(step.id.clone());
        if unwinding
            .progress
            .get(&unit)
            .is_some_and(|p| p.stage == UndoStage::Acting)
        {
            return "undoing";
        }
    }
    match &now.stage {
        Stage::Pending => match now.effect {
            Effect::Undone => "undone",
            Effect::Left => "left_as_is",
            Effect::None | Effect::May => "pending",
        },
        Stage::Acting => "running",
        Stage::Validating => "validating",
        Stage::Observing { .. } => "observing",
        Stage::Succeeded => "succeeded",
        Stage::Failed { .. } => "failed",
        Stage::Unknown { .. } => "unknown",
    }
}

/// What a step may have changed.
pub(super) fn effect(state: &State, program: &Program, index: usize) -> &'static str {
    match state.steps[index].effect {
        Effect::May if program.steps[index].effect_none => "none",
        Effect::None => "none",
        Effect::May => "may_remain",
        Effect::Undone => "undone",
        Effect::Left => "left_as_is",
    }
}

/// Where a gate stands.
pub(super) fn gate_state(stage: &GateStage) -> &'static str {
    match stage {
        GateStage::Closed => "closed",
        GateStage::Measuring => "measuring",
        GateStage::Approving => "approving",
        GateStage::Passed => "passed",
        GateStage::Failed(_) => "failed",
        GateStage::Refused(_) => "refused",
        GateStage::Held => "held",
        GateStage::RollingBack => "rolling_back",
    }
}

/// Where a phase stands, seen over its steps and gates.
pub(super) fn phase_state(state: &State, program: &Program, index: usize) -> &'static str {
    let phase = &program.phases[index];
    let steps: Vec<&str> = phase
        .steps
        .iter()
        .map(|&s| step_state(state, program, s))
        .collect();
    let gates = || {
        phase
            .gates
            .iter()
            .chain(phase.steps.iter().flat_map(|&s| &program.steps[s].gates))
            .map(|&g| &state.gates[g].stage)
    };
    let any = |word: &str| steps.contains(&word);
    if state.phases[index] == PhaseState::Passed {
        return "passed";
    }
    if !steps.is_empty() && steps.iter().all(|s| *s == "left_out") {
        return "left_out";
    }
    let concerned = state.unwinding.as_ref().is_some_and(|u| {
        phase
            .steps
            .iter()
            .any(|&s| u.covers.contains(&program.steps[s].id))
    });
    if concerned {
        "undoing"
    } else if any("unknown") {
        "unknown"
    } else if any("failed")
        || gates().any(|g| matches!(g, GateStage::Failed(_) | GateStage::Refused(_)))
    {
        "failed"
    } else if any("running") || any("validating") || any("observing") {
        "running"
    } else if any("undone")
        && phase
            .steps
            .iter()
            .all(|&s| state.steps[s].effect != Effect::May)
    {
        "undone"
    } else if gates().any(|g| *g == GateStage::Approving) {
        "waiting"
    } else if state.phases[index] == PhaseState::Started {
        "running"
    } else {
        "pending"
    }
}

/// The mark before a step, phase, gate or undo.
pub(super) fn mark(word: &str) -> Mark {
    let (word, tone) = match word {
        "succeeded" | "passed" => ("ok", Tone::Good),
        "running" | "validating" | "observing" | "measuring" => ("running", Tone::Busy),
        "approving" | "waiting" => ("waiting", Tone::Asks),
        "failed" | "refused" => ("failed", Tone::Bad),
        "unknown" => ("unknown", Tone::Bad),
        "undoing" | "rolling_back" => ("undoing", Tone::Busy),
        "undone" => ("undone", Tone::Strong),
        "left_as_is" => ("left", Tone::Strong),
        "left_out" => ("skipped", Tone::Strong),
        "held" => ("held", Tone::Asks),
        _ => ("-", Tone::Dim),
    };
    Mark { word, tone }
}

/// What is known of a check: its verdict as a word, and the detail.
pub(super) fn verdict(how: &How, judged: Option<&Judged>) -> Option<&'static str> {
    match (how, judged) {
        (How::Covered(_), _) => Some("covered"),
        (_, Some(judged)) => Some(match judged.verdict {
            Verdict::Pass => "pass",
            Verdict::Fail => "fail",
            Verdict::Inconclusive => "inconclusive",
        }),
        (_, None) => None,
    }
}

/// The mark before a criterion. Covered ones are never shown as passed.
pub(super) fn verdict_mark(verdict: Option<&str>, person: bool) -> Mark {
    let (word, tone) = match verdict {
        Some("pass") => ("pass", Tone::Good),
        Some("fail") => ("FAIL", Tone::Bad),
        Some("inconclusive") => ("unclear", Tone::Bad),
        Some("covered") => ("covered", Tone::Dim),
        _ if person => ("asked", Tone::Asks),
        _ => ("-", Tone::Dim),
    };
    Mark { word, tone }
}

/// Where an undo stands.
pub(super) fn undo_state(stage: &UndoStage) -> &'static str {
    match stage {
        UndoStage::Ready => "pending",
        UndoStage::Acting => "undoing",
        UndoStage::Undone => "undone",
        UndoStage::Left => "left_as_is",
        UndoStage::Failed(_) => "failed",
        UndoStage::Unknown => "unknown",
    }
}

/// What a block is to the one who reads a line about it.
pub(super) fn block(block: &BlockId) -> String {
    match block {
        BlockId::Prerequisites => "prerequisites".to_owned(),
        BlockId::Window => "migration window".to_owned(),
        BlockId::Start(id) => format!("start conditions of {id}"),
        BlockId::Preconditions(id) => format!("preconditions of {id}"),
        BlockId::Confirm(id) => format!("work by hand before {id}"),
        BlockId::Manual(id) => format!("work by hand of {id}"),
        BlockId::Validation(id) => format!("validation of {id}"),
        BlockId::DoneIf(id) => format!("done_if of {id}"),
        BlockId::Gate(id) => format!("criteria of {id}"),
        BlockId::OnlyIf(unit) => format!("only_if of the undo of {unit}"),
        BlockId::UndoPerson(unit) => format!("work by hand to undo {unit}"),
        BlockId::UndoTest(unit) => format!("test of the undo of {unit}"),
        BlockId::PostRollback(level) => format!("checks after the {level} rollback"),
    }
}

/// Whose line it is.
pub(super) fn block_owner(block: &BlockId) -> String {
    match block {
        BlockId::Prerequisites => "prerequisites".to_owned(),
        BlockId::Window => "window".to_owned(),
        BlockId::Start(id) => id.to_string(),
        BlockId::Preconditions(id)
        | BlockId::Confirm(id)
        | BlockId::Manual(id)
        | BlockId::Validation(id)
        | BlockId::DoneIf(id) => id.to_string(),
        BlockId::Gate(id) => id.to_string(),
        BlockId::OnlyIf(unit) | BlockId::UndoPerson(unit) | BlockId::UndoTest(unit) => {
            unit.to_string()
        }
        BlockId::PostRollback(level) => format!("{level} rollback"),
    }
}

/// The ids of steps, phases and gates that wait for a person's word.
pub(super) fn asked(waiting: &[Waiting]) -> Vec<String> {
    waiting
        .iter()
        .filter_map(|wait| match &wait.ask {
            Ask::Attest(block, _) => Some(block_owner(block)),
            _ => None,
        })
        .collect()
}

/// The title of a check, or its id where this program does not have it.
pub(super) fn title(program: &Program, block: &BlockId, index: usize, item: &str) -> String {
    program
        .block(block)
        .get(index)
        .map_or_else(|| item.to_owned(), |check| check.title.clone())
}

/// Who reads a command's text.
pub(super) fn shell(shell: &Shell) -> String {
    match shell {
        Shell::Bash => "bash".to_owned(),
        Shell::Sh => "sh".to_owned(),
        Shell::Python => "python".to_owned(),
        Shell::Sql => "sql".to_owned(),
        Shell::Argv(argv) => argv.join(" "),
    }
}

/// A process as it would run: `(what, with)`.
pub(super) fn process(process: &Process) -> (String, String) {
    match &process.run {
        Run::Shell { shell: with, text } => (text.trim().to_owned(), shell(with)),
        Run::Script {
            path,
            args,
            shell: with,
        } => {
            let mut what = super::text::quote(path);
            for arg in args {
                what.push(' ');
                what.push_str(&super::text::quote(arg));
            }
            let with = with
                .as_ref()
                .map_or_else(|| "script".to_owned(), |s| format!("script, {}", shell(s)));
            (what, with)
        }
        Run::Manifest(manifest) => {
            let what = manifest.arguments();
            let what: Vec<String> = what.iter().map(|word| super::text::quote(word)).collect();
            (
                format!("orchestrate {}", what.join(" ")),
                "built in".to_owned(),
            )
        }
    }
}

/// What a step does, in one word.
pub(super) fn action(action: &Action) -> &'static str {
    match action {
        Action::Nothing => "checks",
        Action::Run(_) => "run",
        Action::Person(_) => "person",
    }
}

/// Its processes.
pub(super) fn processes(work: &Work) -> impl Iterator<Item = (String, String)> + '_ {
    work.processes.iter().map(process)
}

/// "30 min", "2 h to 3 h", "up to 10 min".
pub(super) fn length(between: Between) -> String {
    let (min, max) = (between.min_ms, between.max_ms);
    match min {
        min if min == max => millis(max),
        0 => format!("up to {}", millis(max)),
        _ => format!("{} to {}", millis(min), millis(max)),
    }
}

/// "2 h", "at least 2 h (3 steps without an estimate)".
pub(super) fn sum(sum: Sum, one: &str, many: &str) -> String {
    if sum.is_complete() {
        return length(sum.known);
    }
    let missing = count(sum.unknown, one, many);
    if sum.known.max_ms == 0 {
        return format!("unknown ({missing} without an estimate)");
    }
    format!(
        "at least {} ({missing} without an estimate)",
        millis(sum.known.max_ms)
    )
}

/// "1 step", "3 steps".
pub(super) fn count(n: usize, one: &str, many: &str) -> String {
    if n == 1 {
        format!("1 {one}")
    } else {
        format!("{n} {many}")
    }
}

/// "anyone", or the names.
pub(super) fn who(names: &[String]) -> String {
    if names.is_empty() {
        "anyone".to_owned()
    } else {
        names.join(", ")
    }
}
