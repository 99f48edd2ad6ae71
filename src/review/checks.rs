//! Checks that the run evaluates: every probe must be one that this version executes.

use super::Context;
use crate::base::diagnostic::codes;
use crate::plan::model::{Check, CheckMapping, Measurement, Plan, Probe};
use crate::plan::source::join;

/// Where something is, made into a pointer only when somebody asks: most of a plan is never spoken of.
pub(super) type At<'p> = &'p dyn Fn() -> String;

/// Calls back with each check that a run evaluates, and its pointer.
pub(super) fn each_check<'a>(plan: &'a Plan, see: &mut dyn FnMut(At<'_>, &'a Check)) {
    let mut list = |at: At<'_>, key: &str, checks: &'a [Check]| {
        for (i, check) in checks.iter().enumerate() {
            see(&|| format!("{}/{key}/{i}", at()), check);
        }
    };
    for (p, phase) in plan.migration_phases.iter().enumerate() {
        let at = || join("/migration_phases", p);
        list(&at, "start_condition", &phase.start_condition);
        for (s, step) in phase.steps.iter().enumerate() {
            let at = || format!("/migration_phases/{p}/steps/{s}");
            list(&at, "preconditions", &step.preconditions);
            if let Some(validation) = &step.validation {
                let at = || join(&at(), "validation");
                list(&at, "validation_checks", &validation.validation_checks);
                list(&at, "success_criteria", &validation.success_criteria);
            }
        }
        if let Some(gate) = &phase.validation_gate {
            list(
                &|| join(&at(), "validation_gate"),
                "criteria",
                &gate.criteria,
            );
        }
    }
    if let Some(strategy) = &plan.rollback_strategy {
        for (l, level) in strategy.rollback_levels.iter().enumerate() {
            if let Some(validation) = &level.validation {
                list(
                    &|| format!("/rollback_strategy/rollback_levels/{l}/validation"),
                    "post_rollback_checks",
                    &validation.post_rollback_checks,
                );
            }
        }
    }
    if let Some(complete) = plan
        .success_criteria
        .as_ref()
        .and_then(|success| success.migration_complete_definition.as_ref())
    {
        list(
            &|| "/success_criteria/migration_complete_definition".to_owned(),
            "criteria",
            &complete.criteria,
        );
    }
    for (i, prerequisite) in plan.prerequisites.iter().enumerate() {
        if let Some(validation) = &prerequisite.validation
            && let Some(method) = &validation.verification_method
        {
            see(
                &|| format!("/prerequisites/{i}/validation/verification_method"),
                method,
            );
        }
    }
}

/// Calls back with each probe that a run evaluates, and its pointer.
pub(super) fn each_probe<'a>(plan: &'a Plan, see: &mut dyn FnMut(At<'_>, &'a CheckMapping)) {
    each_check(plan, &mut |at, check| {
        if let Check::Probe(probe) = check {
            see(at, probe);
        }
    });
    for (p, phase) in plan.migration_phases.iter().enumerate() {
        for (s, step) in phase.steps.iter().enumerate() {
            let at = |key: &str| format!("/migration_phases/{p}/steps/{s}/{key}");
            if let Some(probe) = &step.done_if {
                see(&|| at("done_if"), probe);
            }
            if let Some(undo) = &step.rollback_procedure
                && let Some(probe) = &undo.only_if
            {
                see(&|| at("rollback_procedure/only_if"), probe);
            }
        }
    }
}

pub(super) fn check(cx: &mut Context<'_>) {
    let plan = cx.plan();
    let mut wrong: Vec<(String, &str)> = Vec::new();
    each_probe(plan, &mut |pointer, probe| {
        if let Some(kind) = unsupported(probe) {
            wrong.push((join(&pointer(), kind), kind));
        }
    });
    if let Some(strategy) = &plan.validation_strategy {
        for (g, gate) in strategy.validation_gates.iter().enumerate() {
            for (c, criterion) in gate.criteria.iter().enumerate() {
                let at =
                    format!("/validation_strategy/validation_gates/{g}/criteria/{c}/measurement");
                wrong.extend(measured(&criterion.measurement, at));
            }
        }
    }
    if let Some(success) = &plan.success_criteria {
        for (c, criterion) in success.technical_success.iter().enumerate() {
            let at = format!("/success_criteria/technical_success/{c}/measurement");
            wrong.extend(measured(&criterion.measurement, at));
        }
    }
    for (pointer, kind) in wrong {
        cx.find(
            codes::NOT_EXECUTED,
            &pointer,
            format!("this version does not execute the probe `{kind}` yet"),
            "ask with `command`, for example by psql or curl, or let a person attest it with `manual: true`",
        );
    }
    for (p, prerequisite) in plan.prerequisites.iter().enumerate() {
        let blocked = prerequisite.validation.as_ref().is_some_and(|validation| {
            validation.status == Some(crate::plan::model::PrerequisiteStatus::Blocked)
        });
        if blocked {
            cx.find(
                codes::BLOCKED_PREREQUISITE,
                &format!("/prerequisites/{p}/validation/status"),
                format!(
                    "the prerequisite `{}` is blocked",
                    prerequisite.prerequisite_id
                ),
                "a run stops before its first step until this is no longer so",
            );
        }
    }
}

fn unsupported(probe: &CheckMapping) -> Option<&'static str> {
    match probe.probe()? {
        Probe::Sql(_) => Some("sql"),
        Probe::Http(_) => Some("http"),
        Probe::Metric(_) => Some("metric"),
        Probe::Baseline(_) => Some("baseline"),
        Probe::Command(_) | Probe::File(_) | Probe::Dataset(_) | Probe::When(_) | Probe::Manual => {
            None
        }
    }
}

fn measured(measurement: &Option<Measurement>, at: String) -> Option<(String, &'static str)> {
    let Some(Measurement::Mapping(mapping)) = measurement else {
        return None;
    };
    let kind = match mapping.to_check() {
        None => "promql",
        Some(check) => unsupported(&check)?,
    };
    Some((join(&at, kind), kind))
}
