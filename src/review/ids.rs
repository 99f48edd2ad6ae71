//! Ids and orders: unique, and fit to name files and answers.

use std::collections::HashMap;

use super::Context;
use crate::base::diagnostic::codes;
use crate::plan::source::join;

pub(super) fn check(cx: &mut Context<'_>) {
    answerable(cx);
    catalogues(cx);
    orders(cx);
}

/// Ids that answers and the journal use share one namespace: `approve RUN ID` must mean one thing.
fn answerable(cx: &mut Context<'_>) {
    let plan = cx.plan();
    let mut ids: Vec<(&str, String, &str)> = Vec::new();
    for (p, prerequisite) in plan.prerequisites.iter().enumerate() {
        let at = format!("/prerequisites/{p}/prerequisite_id");
        ids.push(("prerequisite", at, &prerequisite.prerequisite_id));
    }
    for (pointer, phase) in cx.phases() {
        ids.push(("phase", join(&pointer, "phase_id"), &phase.phase_id));
        for (s, step) in phase.steps.iter().enumerate() {
            ids.push((
                "step",
                format!("{pointer}/steps/{s}/step_id"),
                &step.step_id,
            ));
        }
        if let Some(gate) = &phase.validation_gate {
            let at = format!("{pointer}/validation_gate/gate_id");
            ids.push(("gate", at, &gate.gate_id));
        }
    }
    if let Some(strategy) = &plan.validation_strategy {
        for (g, gate) in strategy.validation_gates.iter().enumerate() {
            let at = format!("/validation_strategy/validation_gates/{g}/gate_id");
            ids.push(("gate", at, &gate.gate_id));
        }
    }
    unique(cx, &ids);
}

/// Ids of the catalogues, each with a namespace of its own.
fn catalogues(cx: &mut Context<'_>) {
    let plan = cx.plan();
    if let Some(data) = &plan.data_migration {
        let ids: Vec<_> = data
            .migrations
            .iter()
            .enumerate()
            .map(|(i, entry)| {
                let at = format!("/data_migration/migrations/{i}/migration_id");
                ("data migration", at, entry.migration_id.as_str())
            })
            .collect();
        unique(cx, &ids);
    }
    if let Some(monitoring) = &plan.monitoring_and_observability {
        let ids: Vec<_> = monitoring
            .migration_monitoring
            .iter()
            .enumerate()
            .filter_map(|(i, metric)| {
                let at = format!("/monitoring_and_observability/migration_monitoring/{i}/id");
                Some(("metric", at, metric.id.as_deref()?))
            })
            .collect();
        unique(cx, &ids);
    }
}

fn unique(cx: &mut Context<'_>, ids: &[(&str, String, &str)]) {
    let mut first: HashMap<&str, usize> = HashMap::with_capacity(ids.len());
    for (at, (kind, pointer, id)) in ids.iter().enumerate() {
        if let Some(problem) = problem(id) {
            cx.find(
                codes::BAD_ID,
                pointer,
                format!("the {kind} id {id:?} {problem}"),
                "use letters, digits, `-`, `_` and `.`, for example `STEP-1-1`",
            );
        }
        match first.get(id) {
            None => {
                first.insert(id, at);
            }
            Some(earlier) => {
                let (other_kind, other, _) = &ids[*earlier];
                let label = format!("first used here, by a {other_kind}");
                cx.find_with(
                    codes::DUPLICATE_ID,
                    pointer,
                    format!("the {kind} id `{id}` is used twice"),
                    (other, &label),
                    "give each its own id: answers, journal and rollback go by it",
                );
            }
        }
    }
}

/// Why a text cannot be an id.
pub(super) fn problem(id: &str) -> Option<&'static str> {
    if id.is_empty() {
        Some("is empty")
    } else if id.chars().any(char::is_control) {
        Some("contains a control character")
    } else if id.contains(['/', '\\']) {
        Some("contains a slash")
    } else if id.trim() != id {
        Some("begins or ends with white space")
    } else if id == "." || id == ".." {
        Some("names a folder")
    } else if id.len() > 200 {
        Some("is longer than 200 bytes")
    } else {
        None
    }
}

fn orders(cx: &mut Context<'_>) {
    let mut first: HashMap<i64, String> = HashMap::new();
    for (pointer, phase) in cx.phases() {
        let at = join(&pointer, "order");
        if let Some(other) = first.get(&phase.order) {
            let other = other.clone();
            cx.find_with(
                codes::DUPLICATE_ORDER,
                &at,
                format!("two phases have the order {}", phase.order),
                (&other, "the other phase"),
                "phases run one after the other: give each its own order",
            );
        } else {
            first.insert(phase.order, at);
        }
        if phase.steps.is_empty() {
            cx.find(
                codes::NO_STEPS,
                &join(&pointer, "phase_id"),
                format!("the phase `{}` has no steps", phase.phase_id),
                "add `steps:`, or remove the phase",
            );
        }
    }
}
