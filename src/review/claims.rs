//! What the plan says of its ways back, held against what a run would do with it.

use super::Context;
use crate::base::diagnostic::{self, Finding, codes};
use crate::plan::model::{
    Effect, Instruction, Level, PointProcedure, RollbackTestResult, RollbackTesting, Step,
};
use crate::plan::source::join;

pub(super) fn check(cx: &mut Context<'_>) {
    for (pointer, phase) in cx.phases() {
        for (s, step) in phase.steps.iter().enumerate() {
            if step.rollback_procedure.is_some() {
                of_step(cx, &format!("{pointer}/steps/{s}"), step);
            }
        }
        let Some(point) = &phase.rollback_point else {
            continue;
        };
        if point.can_rollback_from_here == Some(false)
            && let Some(PointProcedure::Mapping(procedure)) = &point.rollback_procedure
            && (procedure.script.is_some() || procedure.steps.iter().any(runs))
        {
            let pointer = join(&pointer, "rollback_point");
            cx.find_with(
                codes::MEANS_NEVER_USED,
                &join(&pointer, "rollback_procedure"),
                format!(
                    "this never runs: `{}` cannot be undone from here",
                    phase.phase_id
                ),
                (
                    &join(&pointer, "can_rollback_from_here"),
                    "the plan says so here",
                ),
                "write `can_rollback_from_here: true`, or remove the procedure",
            );
        }
    }
    levels(cx);
    rehearsed(cx);
}

fn runs(item: &Instruction) -> bool {
    item.command().is_some()
}

fn of_step(cx: &mut Context<'_>, pointer: &str, step: &Step) {
    let Some(undo) = &step.rollback_procedure else {
        return;
    };
    let id = &step.step_id;
    let script = undo.rollback_script.is_some();
    let commands = undo.rollback_steps.iter().any(runs);
    if !script && !commands {
        return;
    }
    let pointer = join(pointer, "rollback_procedure");
    let key = if script {
        "rollback_script"
    } else {
        "rollback_steps"
    };
    if undo.can_rollback == Some(false) {
        cx.find_with(
            codes::MEANS_NEVER_USED,
            &join(&pointer, key),
            format!("this never runs: the plan says that `{id}` cannot be undone"),
            (&join(&pointer, "can_rollback"), "the plan says so here"),
            "write `can_rollback: true`, or remove what would undo it",
        );
    } else if step.effect == Some(Effect::None) {
        let effect = pointer.replace("rollback_procedure", "effect");
        cx.find_with(
            codes::EFFECT_DENIED,
            &join(&pointer, key),
            format!("`{id}` says that it changes nothing, and has something to undo"),
            (&effect, "the plan says so here"),
            "remove `effect: none` if the step changes anything, else remove the rollback",
        );
    } else if script && commands {
        cx.find_with(
            codes::UNDO_TWICE,
            &join(&pointer, "rollback_steps"),
            format!("commands beside a `rollback_script` do not run when `{id}` is undone"),
            (&join(&pointer, "rollback_script"), "only this runs"),
            "move them into the script, or remove the script",
        );
    }
}

fn levels(cx: &mut Context<'_>) {
    let Some(strategy) = &cx.plan().rollback_strategy else {
        return;
    };
    let mut first: [Option<usize>; 3] = [None; 3];
    for (l, level) in strategy.rollback_levels.iter().enumerate() {
        let pointer = format!("/rollback_strategy/rollback_levels/{l}");
        let (place, word) = match level.level {
            Level::Step => (0, "step"),
            Level::Phase => (1, "phase"),
            Level::Full => (2, "full"),
        };
        match first[place] {
            None => first[place] = Some(l),
            Some(other) => {
                let other = format!("/rollback_strategy/rollback_levels/{other}/level");
                cx.find_with(
                    codes::LEVEL_TWICE,
                    &join(&pointer, "level"),
                    format!("the level `{word}` is described twice, and only the first counts"),
                    (&other, "this one counts"),
                    "put its triggers and its procedure together in one entry",
                );
            }
        }
        let procedure = level.rollback_procedure.as_ref();
        let script = procedure.is_some_and(|p| p.automation_script.is_some());
        if level.script_replaces_steps() && !script {
            let at = if level.replaces_steps.is_some() {
                join(&pointer, "replaces_steps")
            } else {
                format!("{pointer}/rollback_procedure/replaces_steps")
            };
            cx.find(
                codes::REPLACES_NOTHING,
                &at,
                "there is no `automation_script` that could replace the undo of the steps",
                "name the script; as it is, the undo of each step runs",
            );
        }
        if let Some(procedure) = procedure
            && let Some(i) = procedure.steps.iter().position(runs)
        {
            cx.find(
                codes::LEVEL_COMMAND,
                &format!("{pointer}/rollback_procedure/steps/{i}"),
                format!("commands of the level `{word}` never run: a rollback undoes the steps themselves"),
                "put it into the `rollback_procedure` of its step, or into an `automation_script` with `replaces_steps: true`",
            );
        }
    }
}

/// Whether anybody has ever seen the way back work: said once for the whole plan.
fn rehearsed(cx: &mut Context<'_>) {
    let claims: Vec<&str> = cx
        .plan()
        .migration_phases
        .iter()
        .flat_map(|phase| &phase.steps)
        .filter(|step| super::undo::can_run(step))
        .map(|step| step.step_id.as_str())
        .collect();
    let tests: &[RollbackTesting] = cx
        .plan()
        .rollback_strategy
        .as_ref()
        .map_or(&[], |strategy| &strategy.rollback_testing);
    for (t, test) in tests.iter().enumerate() {
        let pointer = format!("/rollback_strategy/rollback_testing/{t}");
        let scenario = test.rollback_scenario.as_deref().unwrap_or("a rollback");
        match test.test_result {
            Some(RollbackTestResult::Failed) => cx.find(
                codes::REHEARSAL_FAILED,
                &join(&pointer, "test_result"),
                format!("the last test of `{scenario}` failed"),
                "mend that way back and test it again before the window",
            ),
            Some(RollbackTestResult::Partial) => cx.find(
                codes::REHEARSAL_FAILED,
                &join(&pointer, "test_result"),
                format!("the last test of `{scenario}` worked only in part"),
                "mend that way back and test it again before the window",
            ),
            Some(RollbackTestResult::Passed) if test.tested == Some(false) => cx.find(
                codes::REHEARSAL_FAILED,
                &join(&pointer, "test_result"),
                format!("`{scenario}` passed a test, and `tested` is false"),
                "say which of the two is so",
            ),
            Some(RollbackTestResult::Passed) | None => {}
        }
    }
    // What a test found is said above; here only whether there was one.
    let was_tested =
        |test: &RollbackTesting| test.tested == Some(true) || test.test_result.is_some();
    if claims.is_empty() || tests.iter().any(was_tested) {
        return;
    }
    let at = if cx.plan().rollback_strategy.is_some() {
        "/rollback_strategy"
    } else {
        "/migration_phases"
    };
    let what = match claims.as_slice() {
        [one] => format!("the way back of `{one}` was never tested"),
        all => format!(
            "{} steps have a way back, and none was ever tested",
            all.len()
        ),
    };
    let mut finding = Finding::new(codes::NEVER_REHEARSED, cx.locate(at), what).help(
        "run the plan where it is not production, roll it back there, and record that under \
         `rollback_strategy.rollback_testing`",
    );
    if cx.is_practice() {
        finding.level = diagnostic::Level::Note;
    }
    cx.findings.push(finding);
}
