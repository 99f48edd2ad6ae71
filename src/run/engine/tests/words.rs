//! Events and actions in a word or two, so that a story fits a line.

use crate::plan::program::Program;
use crate::run::engine::{Action, Event, GateDecision, Outcome, Settled};

fn outcome(outcome: Outcome) -> &'static str {
    match outcome {
        Outcome::Succeeded => "ok",
        Outcome::Failed => "failed",
        Outcome::Unknown => "unknown",
    }
}

fn settled(how: Settled) -> &'static str {
    match how {
        Settled::Done => "done",
        Settled::Undone => "undone",
        Settled::Retry => "retry",
    }
}

/// What a story tells of an event; verdicts, answers and drivers are left out.
pub(super) fn word(event: &Event) -> Option<String> {
    Some(match event {
        Event::BlockFailed { failed, .. } => format!(
            "held by {}",
            failed
                .iter()
                .map(ToString::to_string)
                .collect::<Vec<_>>()
                .join("+")
        ),
        Event::PhaseStarted { phase } => format!("begin {phase}"),
        Event::PhasePassed { phase } => format!("end {phase}"),
        Event::StepStarted { step, .. } => format!("start {step}"),
        Event::ActionEnded {
            step, outcome: how, ..
        } => format!("{step} {}", outcome(*how)),
        Event::StepObserving { step, .. } => format!("watch {step}"),
        Event::StepRemeasured { step } => format!("look at {step}"),
        Event::StepSucceeded { step, .. } => format!("done {step}"),
        Event::StepFailed { step, .. } => format!("fail {step}"),
        Event::StepSettled { step, how, .. } => format!("settle {step} {}", settled(*how)),
        Event::StepRetried { step } => format!("again {step}"),
        Event::GateOpened { gate, .. } => format!("measure {gate}"),
        Event::GateMeasured { gate } => format!("ask {gate}"),
        Event::GateRemeasured { gate } => format!("remeasure {gate}"),
        Event::Approved { gate, by, .. } => format!("{} approves {gate}", by.name),
        Event::GateRefused { gate, by, .. } => format!("{} refuses {gate}", by.name),
        Event::GatePassed { gate } => format!("open {gate}"),
        Event::GateFailed { gate, .. } => format!("shut {gate}"),
        Event::GateHeld { gate, .. } => format!("hold {gate}"),
        Event::GateDecided { gate, decision, .. } => format!(
            "{} {gate}",
            match decision {
                GateDecision::Retry => "retry",
                GateDecision::Proceed => "override",
                GateDecision::Rollback => "roll back",
            }
        ),
        Event::RollbackRequested { level, .. } => format!("wanted {level}"),
        Event::UnwindingStarted { level, .. } => format!("back {level}"),
        Event::UnwindingApproved { .. } => "back agreed".to_owned(),
        Event::UnwindingRefused { .. } => "back refused".to_owned(),
        Event::UndoStarted { unit, piece: 0, .. } => format!("undo {unit}"),
        Event::UndoStarted { unit, piece, .. } => format!("undo {unit}/{piece}"),
        Event::UndoEnded {
            outcome: Outcome::Succeeded,
            ..
        } => return None,
        Event::UndoEnded {
            unit, outcome: how, ..
        } => format!("undo {unit} {}", outcome(*how)),
        Event::UnitUndone { unit } => format!("undone {unit}"),
        Event::UnitLeft { unit, .. } => format!("left {unit}"),
        Event::UndoFailed { unit, .. } => format!("not undone {unit}"),
        Event::UndoSettled { unit, how, .. } => format!("settle undo {unit} {}", settled(*how)),
        Event::UndoNotStarted { unit } => format!("undo {unit} not started"),
        Event::UnwindingHalted { .. } => "wall".to_owned(),
        Event::UnwindingCompleted { level } => format!("back {level} done"),
        Event::RunStopped { .. } => "stop".to_owned(),
        Event::RunCompleted => "complete".to_owned(),
        Event::RunAbandoned { .. } => "abandon".to_owned(),
        Event::WindowEntered { .. } => "window".to_owned(),
        Event::WindowOverridden { .. } => "window overridden".to_owned(),
        Event::RunStarted(_)
        | Event::DriverAttached { .. }
        | Event::DriverLeft { .. }
        | Event::InterruptRequested { .. }
        | Event::CheckJudged { .. }
        | Event::Attested { .. }
        | Event::CheckReset { .. }
        | Event::DriftFound { .. }
        | Event::DriftAccepted { .. }
        | Event::TornTailDropped { .. } => return None,
    })
}

/// What an action wants.
pub(super) fn want(program: &Program, action: &Action) -> String {
    match action {
        Action::Record(event) => word(event).unwrap_or_else(|| "record".to_owned()),
        Action::Act { step, .. } => format!("act {}", program.steps[*step].id),
        Action::Undo { unit, piece, .. } => format!("undo {unit}/{piece}"),
        Action::Probe { block, index } => format!("probe {}", program.block(block)[*index].id),
        Action::Wait(wait) => format!("wait {}", wait.item),
        Action::WakeAt(_) => "wake".to_owned(),
    }
}
