//! Sentences that say when people are told or things are taken back. Conditions over metrics among them are watched,
//! the rest is only shown; one over a metric that does not exist looks like the first and is the second.

use std::collections::BTreeMap;

use super::Context;
use super::metrics::loose;
use crate::base::diagnostic::codes;
use crate::plan::condition::{
    BlockEvidence, Doubt, Index, Understanding, counts, doubt, looks_like_condition, understand,
};
use crate::plan::model::{Check, Measurement, Plan};
use crate::plan::source::join;

/// Calls back with each sentence that would be watched if it were a condition, and its pointer.
pub(super) fn each_watched<'a>(plan: &'a Plan, see: &mut dyn FnMut(&dyn Fn() -> String, &'a str)) {
    let mut list = |checks: &'a [Check], at: &dyn Fn() -> String| {
        for (i, check) in checks.iter().enumerate() {
            if let Check::Text(text) = check {
                see(&|| join(&at(), i), text);
            }
        }
    };
    for (p, phase) in plan.migration_phases.iter().enumerate() {
        for (s, step) in phase.steps.iter().enumerate() {
            if let Some(monitoring) = &step.monitoring {
                list(&monitoring.alert_conditions, &|| {
                    format!("/migration_phases/{p}/steps/{s}/monitoring/alert_conditions")
                });
            }
        }
    }
    if let Some(strategy) = &plan.rollback_strategy {
        for (l, level) in strategy.rollback_levels.iter().enumerate() {
            list(&level.trigger_conditions, &|| {
                format!("/rollback_strategy/rollback_levels/{l}/trigger_conditions")
            });
        }
    }
    if let Some(strategy) = &plan.validation_strategy {
        for (v, validation) in strategy.continuous_validation.iter().enumerate() {
            let at = |key: &str| format!("/validation_strategy/continuous_validation/{v}/{key}");
            list(&validation.checks, &|| at("checks"));
            list(&validation.alert_conditions, &|| at("alert_conditions"));
        }
    }
    if let Some(section) = &plan.risk_mitigation {
        for (r, risk) in section.migration_risks.iter().enumerate() {
            let at = |key: &str| format!("/risk_mitigation/migration_risks/{r}/{key}");
            let detection = risk
                .mitigation
                .as_ref()
                .and_then(|m| m.detection_method.as_ref());
            let trigger = risk.contingency.as_ref().and_then(|c| c.trigger.as_ref());
            if let Some(Check::Text(text)) = detection {
                see(&|| at("mitigation/detection_method"), text);
            }
            if let Some(Check::Text(text)) = trigger {
                see(&|| at("contingency/trigger"), text);
            }
        }
    }
    if let Some(monitoring) = &plan.monitoring_and_observability {
        for (h, health) in monitoring.health_checks.iter().enumerate() {
            let at = |key: &str| format!("/monitoring_and_observability/health_checks/{h}/{key}");
            if let Some(Check::Text(text)) = &health.check_procedure {
                see(&|| at("check_procedure"), text);
            }
            if let Some(text) = &health.success_criteria {
                see(&|| at("success_criteria"), text);
            }
        }
    }
}

/// Calls back with each criterion in words that a run judges beside the lists of checks, and its pointer.
fn each_criterion<'a>(plan: &'a Plan, see: &mut dyn FnMut(String, &'a str)) {
    let in_words =
        |measurement: &Option<Measurement>| !matches!(measurement, Some(Measurement::Mapping(_)));
    if let Some(strategy) = &plan.validation_strategy {
        for (g, gate) in strategy.validation_gates.iter().enumerate() {
            for (c, criterion) in gate.criteria.iter().enumerate() {
                if in_words(&criterion.measurement) {
                    let at =
                        format!("/validation_strategy/validation_gates/{g}/criteria/{c}/criterion");
                    see(at, &criterion.criterion);
                }
            }
        }
    }
    if let Some(success) = &plan.success_criteria {
        for (c, criterion) in success.technical_success.iter().enumerate() {
            if in_words(&criterion.measurement) {
                let at = format!("/success_criteria/technical_success/{c}/criterion");
                see(at, &criterion.criterion);
            }
        }
    }
}

/// Whether a sentence is one that a check would judge by the counts of a manifest step.
fn understood(text: &str, index: &Index) -> bool {
    matches!(
        understand(text, &BlockEvidence::default(), index),
        Understanding::Counts(_)
    )
}

pub(super) fn check(cx: &mut Context<'_>) {
    let plan = cx.plan();
    let index = cx.index();
    // By metric: a plan that forgot to define one mentions it in many steps.
    let mut unwatched: BTreeMap<String, (String, Vec<String>)> = BTreeMap::new();
    let mut unclear: Vec<(String, String, String)> = Vec::new();
    let mut counted: Vec<String> = Vec::new();
    each_watched(plan, &mut |at, text| {
        if counts(text).iter().any(|count| count.member.is_some()) && understood(text, &index) {
            counted.push(at());
            return;
        }
        if !looks_like_condition(text) {
            return;
        }
        match doubt(text, &index) {
            Some(Doubt::UndefinedMetric { name }) => {
                let (_, places) = unwatched
                    .entry(loose(&name))
                    .or_insert_with(|| (name, Vec::new()));
                places.push(at());
            }
            Some(Doubt::UnclearThreshold { metric, because }) => {
                unclear.push((at(), metric, because));
            }
            _ => {}
        }
    });
    for pointer in counted {
        cx.find(
            codes::UNCLEAR_CHECK,
            &pointer,
            "this compares what a manifest step counts, and nobody watches that while it runs",
            "write it as a check after the step, or as a criterion of the phase's gate",
        );
    }
    for (name, places) in unwatched.into_values() {
        cx.find_all(
            codes::UNCLEAR_CHECK,
            &places,
            "and here",
            format!("this looks like a condition, and no metric is called `{name}`, so nobody watches it"),
            "define the metric under `monitoring_and_observability.migration_monitoring`, or name one that is there",
        );
    }
    for (pointer, metric, because) in unclear {
        cx.find(
            codes::UNCLEAR_CHECK,
            &pointer,
            format!(
                "this looks like a condition over `{metric}`, and nobody watches it: {because}"
            ),
            "write a metric, a comparator and a number, such as `error_rate > 0.5%`",
        );
    }
    let mut criteria = Vec::new();
    each_criterion(plan, &mut |at, text| criteria.push((at, text)));
    super::references::sentences(cx, &criteria);
}
