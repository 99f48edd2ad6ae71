//! The way back of each step.

use super::Context;
use crate::base::diagnostic::codes;
use crate::plan::model::{Effect, Instruction, PointProcedure, Step, StepType};
use crate::plan::source::join;

/// Whether the step is undone by the built-in `manifest restore`: it keeps backups, and names no other way.
pub(super) fn is_restored(step: &Step) -> bool {
    step.manifest_migration
        .as_ref()
        .is_some_and(|manifest| manifest.keeps_backups() && !manifest.is_dry_run())
        && step.rollback_procedure.as_ref().is_none_or(|undo| {
            undo.can_rollback != Some(false)
                && undo.rollback_script.is_none()
                && undo.rollback_steps.is_empty()
        })
}

/// Whether a machine can undo the step.
pub(super) fn can_run(step: &Step) -> bool {
    is_restored(step) || has_command(step)
}

/// Whether the step's own rollback procedure runs something.
fn has_command(step: &Step) -> bool {
    step.rollback_procedure.as_ref().is_some_and(|undo| {
        undo.can_rollback != Some(false)
            && (undo.rollback_script.is_some()
                || undo
                    .rollback_steps
                    .iter()
                    .any(|item| item.command().is_some()))
    })
}

/// Whether an unwinding stops at the step.
pub(super) fn is_wall(step: &Step) -> bool {
    step.effect != Some(Effect::None)
        && step
            .rollback_procedure
            .as_ref()
            .is_some_and(|undo| undo.can_rollback == Some(false))
}

pub(super) fn check(cx: &mut Context<'_>) {
    for (pointer, phase) in cx.phases() {
        let phase_undo = phase.rollback_point.as_ref().is_some_and(|point| {
            matches!(&point.rollback_procedure, Some(PointProcedure::Mapping(mapping))
                if mapping.script.is_some() || !mapping.steps.is_empty())
        });
        for (s, step) in phase.steps.iter().enumerate() {
            way_back(cx, &format!("{pointer}/steps/{s}"), step, phase_undo);
        }
    }
}

fn way_back(cx: &mut Context<'_>, pointer: &str, step: &Step, phase_undo: bool) {
    let id = &step.step_id;
    let Some(undo) = &step.rollback_procedure else {
        let needs_none = step.effect == Some(Effect::None)
            || step.r#type == StepType::Validation
            // Without backups it has a finding of its own.
            || step.manifest_migration.is_some()
            || step.r#type == StepType::ManifestMigration
            || phase_undo;
        if !needs_none {
            no_way_back(cx, pointer, id);
        }
        return;
    };
    if is_restored(step) {
        return;
    }
    let empty = undo.rollback_script.is_none() && undo.rollback_steps.is_empty();
    if empty && undo.can_rollback == Some(true) {
        cx.find(
            codes::CLAIM_WITHOUT_MEANS,
            &format!("{pointer}/rollback_procedure/can_rollback"),
            format!("`{id}` claims a rollback, and there is none"),
            "add `rollback_script` or `rollback_steps`, or write `can_rollback: false`",
        );
    } else if empty && undo.can_rollback.is_none() && !phase_undo && step.effect.is_none() {
        no_way_back(cx, pointer, id);
    }
    let prose = undo
        .rollback_steps
        .iter()
        .any(|item| matches!(item, Instruction::Prose(_)));
    let runs = undo
        .rollback_steps
        .iter()
        .any(|item| item.command().is_some());
    if prose && undo.rollback_script.is_none() && undo.can_rollback != Some(false) {
        let message = if runs {
            format!("a part of the rollback of `{id}` is prose, which a person has to do")
        } else {
            format!("the rollback of `{id}` is prose, which a person has to do")
        };
        cx.find(
            codes::PROSE_ROLLBACK,
            &format!("{pointer}/rollback_procedure/rollback_steps"),
            message,
            "if a command can do it, write `- run: ...`, or name a `rollback_script`",
        );
    }
}

fn no_way_back(cx: &mut Context<'_>, pointer: &str, id: &str) {
    cx.find(
        codes::NO_WAY_BACK,
        &join(pointer, "step_id"),
        format!("the step `{id}` has no way back"),
        "add a `rollback_procedure`; `effect: none` if it changes nothing; `can_rollback: false` if there is none",
    );
}
