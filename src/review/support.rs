//! What the format has and this version does not execute: said before a run, not found out in it.

use super::Context;
use crate::base::diagnostic::codes;
use crate::plan::model::StepType;
use crate::plan::source::join;

pub(super) fn check(cx: &mut Context<'_>) {
    for (pointer, step) in cx.steps() {
        let key = if step.manifest_migration.is_some() {
            "manifest_migration"
        } else if step.r#type == StepType::ManifestMigration {
            "type"
        } else {
            continue;
        };
        cx.find(
            codes::NOT_EXECUTED,
            &join(&pointer, key),
            "this version does not execute manifest migrations yet",
            "write what the step does as `automation_script` or `commands`",
        );
    }
}
