//! Times: those that the run acts on must be understood, the others should be.

use super::Context;
use super::checks::each_probe;
use crate::base::diagnostic::codes;
use crate::base::quantity::{HumanDuration, Window};
use crate::plan::model::{
    CommandItem, Instruction, MigrationWindow, PointProcedure, Script, Step, WindowDays,
};
use crate::plan::source::join;

pub(super) fn check(cx: &mut Context<'_>) {
    let plan = cx.plan();
    estimate(
        cx,
        "/migration_overview/estimated_duration",
        plan.migration_overview.estimated_duration.as_deref(),
    );
    window(cx);
    for (pointer, phase) in cx.phases() {
        let at = join(&pointer, "duration_estimate");
        estimate(cx, &at, phase.duration_estimate.as_deref());
        for (s, step) in phase.steps.iter().enumerate() {
            of_step(cx, &format!("{pointer}/steps/{s}"), step);
        }
        if let Some(gate) = &phase.validation_gate {
            let at = format!("{pointer}/validation_gate/evidence_max_age");
            needed(cx, &at, gate.evidence_max_age.as_deref());
        }
        if let Some(point) = &phase.rollback_point {
            let pointer = join(&pointer, "rollback_point");
            let at = join(&pointer, "estimated_rollback_duration");
            estimate(cx, &at, point.estimated_rollback_duration.as_deref());
            if let Some(PointProcedure::Mapping(procedure)) = &point.rollback_procedure {
                let pointer = join(&pointer, "rollback_procedure");
                needed(cx, &join(&pointer, "timeout"), procedure.timeout.as_deref());
                script(cx, &join(&pointer, "script"), procedure.script.as_ref());
                instructions(cx, &join(&pointer, "steps"), &procedure.steps);
            }
        }
    }
    if let Some(strategy) = &plan.rollback_strategy {
        for (l, level) in strategy.rollback_levels.iter().enumerate() {
            if let Some(procedure) = &level.rollback_procedure {
                let pointer = format!("/rollback_strategy/rollback_levels/{l}/rollback_procedure");
                let at = join(&pointer, "estimated_duration");
                estimate(cx, &at, procedure.estimated_duration.as_deref());
                needed(cx, &join(&pointer, "timeout"), procedure.timeout.as_deref());
                let at = join(&pointer, "automation_script");
                script(cx, &at, procedure.automation_script.as_ref());
                instructions(cx, &join(&pointer, "steps"), &procedure.steps);
            }
        }
    }
    let mut timeouts = Vec::new();
    each_probe(plan, &mut |pointer, probe| {
        if let Some(timeout) = &probe.timeout {
            timeouts.push((join(&pointer(), "timeout"), timeout.as_str()));
        }
    });
    for (at, timeout) in timeouts {
        needed(cx, &at, Some(timeout));
    }
}

fn of_step(cx: &mut Context<'_>, pointer: &str, step: &Step) {
    let at = join(pointer, "estimated_duration");
    estimate(cx, &at, step.estimated_duration.as_deref());
    needed(cx, &join(pointer, "timeout"), step.timeout.as_deref());
    if let Some(retry) = &step.retry {
        needed(
            cx,
            &format!("{pointer}/retry/backoff"),
            retry.backoff.as_deref(),
        );
    }
    if let Some(observe) = &step.observe {
        needed(cx, &format!("{pointer}/observe/for"), Some(&observe.r#for));
        needed(
            cx,
            &format!("{pointer}/observe/every"),
            observe.every.as_deref(),
        );
    }
    if let Some(details) = &step.execution_details {
        let pointer = join(pointer, "execution_details");
        let at = join(&pointer, "automation_script");
        script(cx, &at, details.automation_script.as_ref());
        for (i, command) in details.commands.iter().enumerate() {
            let timeout = CommandItem::settings(command).and_then(|c| c.timeout.as_deref());
            if timeout.is_some() {
                needed(cx, &format!("{pointer}/commands/{i}/timeout"), timeout);
            }
        }
    }
    if let Some(validation) = &step.validation {
        let at = format!("{pointer}/validation/validation_script");
        script(cx, &at, validation.validation_script.as_ref());
    }
    if let Some(undo) = &step.rollback_procedure {
        let pointer = join(pointer, "rollback_procedure");
        needed(cx, &join(&pointer, "timeout"), undo.timeout.as_deref());
        script(
            cx,
            &join(&pointer, "rollback_script"),
            undo.rollback_script.as_ref(),
        );
        instructions(cx, &join(&pointer, "rollback_steps"), &undo.rollback_steps);
    }
}

fn script(cx: &mut Context<'_>, pointer: &str, script: Option<&Script>) {
    let timeout = script
        .and_then(Script::settings)
        .and_then(|settings| settings.timeout.as_deref());
    if timeout.is_some() {
        needed(cx, &join(pointer, "timeout"), timeout);
    }
}

fn instructions(cx: &mut Context<'_>, pointer: &str, items: &[Instruction]) {
    for (i, item) in items.iter().enumerate() {
        let timeout = item
            .command()
            .and_then(|command| command.timeout.as_deref());
        if timeout.is_some() {
            needed(cx, &format!("{pointer}/{i}/timeout"), timeout);
        }
    }
}

/// A time that only reports compare.
fn estimate(cx: &mut Context<'_>, pointer: &str, text: Option<&str>) {
    if let Some(error) = text.and_then(|text| HumanDuration::parse(text).err()) {
        cx.find(
            codes::TIME_UNCLEAR,
            pointer,
            format!("this time cannot be understood: {}", error.because),
            format!("understood are, for example, {}", error.examples.join(", ")),
        );
    }
}

/// A time that the run acts on.
fn needed(cx: &mut Context<'_>, pointer: &str, text: Option<&str>) {
    match text.map(HumanDuration::parse) {
        Some(Err(error)) => cx.find(
            codes::TIMEOUT_INVALID,
            pointer,
            format!("the run cannot act on this time: {}", error.because),
            format!("understood are, for example, {}", error.examples.join(", ")),
        ),
        // No time between two attempts is a choice; no time for the work itself is not.
        Some(Ok(time)) if time.max_ms() == 0 && pointer.ends_with("/timeout") => cx.find(
            codes::TIMEOUT_INVALID,
            pointer,
            "this leaves no time at all: what it limits would be killed as it starts",
            "write the longest time that is still right, such as \"30 minutes\"; without the key there is no limit",
        ),
        _ => {}
    }
}

fn window(cx: &mut Context<'_>) {
    let Some(constraints) = &cx.plan().migration_overview.constraints else {
        return;
    };
    let at = "/migration_overview/constraints/max_downtime_duration";
    estimate(cx, at, constraints.max_downtime_duration.as_deref());
    let read = match &constraints.migration_window {
        None => return,
        Some(MigrationWindow::Text(text)) => Window::parse(text),
        Some(MigrationWindow::Mapping(window)) => {
            let days = match &window.days {
                None => Vec::new(),
                Some(WindowDays::Text(text)) => vec![text.clone()],
                Some(WindowDays::List(days)) => days.clone(),
            };
            Window::from_parts(
                &days,
                window.start.as_deref().unwrap_or("00:00"),
                window.end.as_deref().unwrap_or("24:00"),
                window.timezone.as_deref().unwrap_or_default(),
            )
        }
    };
    let pointer = "/migration_overview/constraints/migration_window";
    match read {
        Ok(window) => {
            if let Some(warning) = window.zone_warning() {
                let warning = warning.to_owned();
                cx.find(
                    codes::TIME_UNCLEAR,
                    pointer,
                    warning,
                    "write an IANA time zone, such as America/New_York",
                );
            }
        }
        // A text may be a sentence, which a person answers; parts that make no window are a slip.
        Err(error) => cx.find(
            match constraints.migration_window {
                Some(MigrationWindow::Mapping(_)) => codes::TIMEOUT_INVALID,
                _ => codes::TIME_UNCLEAR,
            },
            pointer,
            format!("this window cannot be understood: {}", error.because),
            format!("understood are, for example, {}", error.examples.join(", ")),
        ),
    }
}
