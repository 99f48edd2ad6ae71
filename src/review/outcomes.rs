//! What is known of a step after a crash: an outcome that nobody knows is settled by its exit record, `done_if`, a
//! rerun of an idempotent step, or a person.

use super::Context;
use crate::base::diagnostic::codes;
use crate::plan::model::{Effect, Probe, Step, StepType};

pub(super) fn check(cx: &mut Context<'_>) {
    let mut open: Vec<(String, &str)> = Vec::new();
    for (pointer, phase) in cx.phases() {
        for (s, step) in phase.steps.iter().enumerate() {
            if is_open(step) {
                open.push((format!("{pointer}/steps/{s}/step_id"), &step.step_id));
            }
            if let Some(done_if) = &step.done_if
                && matches!(done_if.probe(), Some(Probe::Manual) | None)
            {
                cx.find(
                    codes::DONE_IF_MANUAL,
                    &format!("{pointer}/steps/{s}/done_if"),
                    format!(
                        "`done_if` of `{}` asks a person, who is asked anyway when nothing tells",
                        step.step_id
                    ),
                    "give it a probe that sees the step's own effect, for example a `command` or `file`",
                );
            }
        }
    }
    let message = match open.as_slice() {
        [] => return,
        [(_, one)] => {
            format!("if a machine dies while `{one}` runs, only a person can say what happened")
        }
        all => format!(
            "if a machine dies while one of {} steps runs, only a person can say what happened",
            all.len()
        ),
    };
    let pointers: Vec<String> = open.into_iter().map(|(pointer, _)| pointer).collect();
    cx.find_all(
        codes::OUTCOME_OPEN,
        &pointers,
        "and here",
        message,
        "write `idempotent: true` if running it twice does no harm, or a `done_if` that sees its effect",
    );
}

/// A step that a machine does, that must not be repeated blindly, cannot be undone, and leaves no trace to look for.
fn is_open(step: &Step) -> bool {
    let acts = step
        .execution_details
        .as_ref()
        .is_some_and(|details| details.automation_script.is_some() || !details.commands.is_empty());
    acts && step.idempotent != Some(true)
        && step.done_if.is_none()
        && step.effect != Some(Effect::None)
        && step.r#type != StepType::Validation
        && !super::undo::can_run(step)
}
