//! Timeouts against estimates, and how often something is watched against how long.

use super::{Context, Planned, length, longest};
use crate::base::diagnostic::codes;
use crate::plan::model::{PointProcedure, Script};
use crate::plan::program::Action;

pub(super) fn check(cx: &mut Context<'_>, planned: &Planned<'_>) {
    let plan = cx.plan();
    for (i, step) in planned.program.steps.iter().enumerate() {
        let (p, s) = planned.steps[i];
        let written = &plan.migration_phases[p].steps[s];
        if let Some(observe) = &written.observe
            && let (Some(every), Some(watched)) = (
                longest(observe.every.as_deref()),
                longest(Some(&observe.r#for)),
            )
            && every > watched
        {
            cx.find(
                codes::OBSERVE_RARELY,
                &format!("{}/observe/every", planned.step_at(i)),
                format!(
                    "`{}` is looked at every {}, and watched for only {}",
                    step.id,
                    length(every),
                    length(watched)
                ),
                "look more often, or watch longer",
            );
        }
        let Some(estimate) = step.estimate.filter(|estimate| !estimate.watching) else {
            continue;
        };
        if !matches!(step.action, Action::Run(_)) {
            continue;
        }
        if let Some(timeout) = longest(written.timeout.as_deref())
            && timeout < estimate.max_ms
        {
            let at = planned.step_at(i);
            too_short(
                cx,
                &format!("{at}/timeout"),
                &format!("{at}/estimated_duration"),
                &format!("`{}`", step.id),
                (timeout, estimate.max_ms),
            );
            continue;
        }
        let script = written
            .execution_details
            .as_ref()
            .and_then(|details| details.automation_script.as_ref())
            .and_then(Script::settings)
            .and_then(|settings| longest(settings.timeout.as_deref()));
        // The estimate of the step also covers its checks, so only the shorter end tells.
        if let Some(timeout) = script
            && timeout < estimate.min_ms / 2
        {
            let at = planned.step_at(i);
            too_short(
                cx,
                &format!("{at}/execution_details/automation_script/timeout"),
                &format!("{at}/estimated_duration"),
                &format!("the script of `{}`", step.id),
                (timeout, estimate.min_ms),
            );
        }
    }
    for (p, phase) in plan.migration_phases.iter().enumerate() {
        let Some(point) = &phase.rollback_point else {
            continue;
        };
        let Some(PointProcedure::Mapping(procedure)) = &point.rollback_procedure else {
            continue;
        };
        let at = format!("/migration_phases/{p}/rollback_point");
        if let (Some(timeout), Some(estimate)) = (
            longest(procedure.timeout.as_deref()),
            longest(point.estimated_rollback_duration.as_deref()),
        ) && timeout < estimate
        {
            too_short(
                cx,
                &format!("{at}/rollback_procedure/timeout"),
                &format!("{at}/estimated_rollback_duration"),
                &format!("the undo of `{}`", phase.phase_id),
                (timeout, estimate),
            );
        }
    }
    let levels = plan
        .rollback_strategy
        .as_ref()
        .map_or(&[][..], |strategy| &strategy.rollback_levels);
    for (l, level) in levels.iter().enumerate() {
        let Some(procedure) = &level.rollback_procedure else {
            continue;
        };
        let at = format!("/rollback_strategy/rollback_levels/{l}/rollback_procedure");
        if let (Some(timeout), Some(estimate), Some(_)) = (
            longest(procedure.timeout.as_deref()),
            longest(procedure.estimated_duration.as_deref()),
            &procedure.automation_script,
        ) && timeout < estimate
        {
            too_short(
                cx,
                &format!("{at}/timeout"),
                &format!("{at}/estimated_duration"),
                "the script of this level",
                (timeout, estimate),
            );
        }
    }
}

fn too_short(
    cx: &mut Context<'_>,
    timeout_at: &str,
    estimate_at: &str,
    what: &str,
    (timeout, estimate): (u64, u64),
) {
    cx.find_with(
        codes::TIMEOUT_TOO_SHORT,
        timeout_at,
        format!(
            "{what} is killed after {}, and is estimated at {}",
            length(timeout),
            length(estimate)
        ),
        (estimate_at, "how long it should take"),
        "raise the timeout well above the estimate, or correct the estimate",
    );
}
