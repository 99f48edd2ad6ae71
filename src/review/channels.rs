//! Who is told what, when and where: channels lead somewhere, times and frequencies are understood.

use std::collections::{BTreeMap, HashSet};

use super::Context;
use super::timing::is_understood;
use crate::base::diagnostic::codes;
use crate::base::quantity::{Frequency, HumanDuration, NotUnderstood};
use crate::plan::model::Plan;
use crate::plan::source::join;

pub(super) fn check(cx: &mut Context<'_>) {
    endpoints(cx);
    notifications(cx);
    cleanup(cx);
    frequencies(cx);
}

/// Whether a name is a channel's, and not a person's, where both may stand.
fn is_channel(name: &str) -> bool {
    name.trim_start().starts_with('#')
}

/// Calls back with each channel that the plan names, and its pointer.
fn each_channel<'a>(plan: &'a Plan, see: &mut dyn FnMut(String, &'a str)) {
    let mut list = |pointer: &str, names: &'a [String], all: bool| {
        for (i, name) in names.iter().enumerate() {
            if all || is_channel(name) {
                see(join(pointer, i), name);
            }
        }
    };
    if let Some(communication) = &plan.communication_plan {
        for (g, group) in communication.stakeholder_communication.iter().enumerate() {
            for (n, notification) in group.notifications.iter().enumerate() {
                let at = format!(
                    "/communication_plan/stakeholder_communication/{g}/notifications/{n}/channel"
                );
                list(&at, &notification.channel, true);
            }
        }
        if let Some(reporting) = &communication.status_reporting {
            let at = "/communication_plan/status_reporting/recipients";
            list(at, &reporting.recipients, false);
        }
        if let Some(incident) = &communication.incident_communication {
            let at = "/communication_plan/incident_communication";
            list(
                &join(at, "notification_channels"),
                &incident.notification_channels,
                true,
            );
            list(
                &join(at, "escalation_path"),
                &incident.escalation_path,
                false,
            );
        }
    }
    if let Some(monitoring) = &plan.monitoring_and_observability {
        for (m, metric) in monitoring.migration_monitoring.iter().enumerate() {
            let at =
                format!("/monitoring_and_observability/migration_monitoring/{m}/alert_channels");
            list(&at, &metric.alert_channels, true);
        }
    }
    let Some(strategy) = &plan.validation_strategy else {
        return;
    };
    // Channels or people may stand here: only what is plainly a channel counts.
    let failures = || {
        strategy
            .validation_gates
            .iter()
            .enumerate()
            .filter_map(|(g, gate)| {
                let at = format!("/validation_strategy/validation_gates/{g}/failure_handling");
                Some((at, gate.failure_handling.as_ref()?))
            })
    };
    for (at, handling) in failures() {
        list(&join(&at, "notification"), &handling.notification, false);
    }
    for (at, handling) in failures() {
        if let Some(escalation) = handling.escalation.as_ref().filter(|e| is_channel(e)) {
            see(join(&at, "escalation"), escalation);
        }
    }
}

/// Each channel has an endpoint in the operator's configuration: said once per channel.
fn endpoints(cx: &mut Context<'_>) {
    let same = |name: &str| name.trim().to_lowercase();
    let known: HashSet<String> = cx.config().channels.keys().map(|name| same(name)).collect();
    let mut open: BTreeMap<&str, Vec<String>> = BTreeMap::new();
    each_channel(cx.plan(), &mut |pointer, name| {
        if !known.contains(&same(name)) {
            open.entry(name.trim()).or_default().push(pointer);
        }
    });
    for (name, places) in open {
        cx.find_all(
            codes::CHANNEL_WITHOUT_ENDPOINT,
            &places,
            "and here",
            format!("the channel `{name}` leads nowhere: orchestrate.yaml gives it no endpoint"),
            format!("add `channels: {{\"{name}\": {{webhook: {{url_env: NAME}}}}}}` to orchestrate.yaml (or `email:`, `command:`)"),
        );
    }
}

fn notifications(cx: &mut Context<'_>) {
    let Some(communication) = &cx.plan().communication_plan else {
        return;
    };
    for (g, group) in communication.stakeholder_communication.iter().enumerate() {
        for (n, notification) in group.notifications.iter().enumerate() {
            let pointer =
                format!("/communication_plan/stakeholder_communication/{g}/notifications/{n}");
            let missing = match (&notification.timing, notification.channel.is_empty()) {
                (None, true) => Some("when and where it is sent"),
                (None, false) => Some("when it is sent"),
                (Some(_), true) => Some("where it is sent"),
                (Some(_), false) => None,
            };
            if let Some(missing) = missing {
                cx.find(
                    codes::NOTIFICATION_UNSENT,
                    &join(&pointer, "notification_type"),
                    format!("this notification does not say {missing}, so nobody gets it"),
                    "add `timing: \"on completion\"` and `channel: [NAME]`",
                );
            }
            if let Some(timing) = &notification.timing
                && !is_understood(timing)
            {
                cx.find(
                    codes::TIMING_UNCLEAR,
                    &join(&pointer, "timing"),
                    format!("`{timing}` is no time that a run could send this at"),
                    "understood are, for example, `T-24h`, `T+4h`, `every 15 minutes`, `on completion`, `on error`, \
                     `2 days after completion`",
                );
            }
        }
    }
}

/// Clean-up becomes due at a moment, or some time after completion.
fn cleanup(cx: &mut Context<'_>) {
    let Some(after) = &cx.plan().post_migration else {
        return;
    };
    for (t, task) in after.cleanup_tasks.iter().enumerate() {
        if let Some(timing) = &task.timing
            && !is_understood(timing)
            && HumanDuration::parse(timing).is_err()
        {
            cx.find(
                codes::TIMING_UNCLEAR,
                &format!("/post_migration/cleanup_tasks/{t}/timing"),
                format!("`{timing}` does not say when `{}` is due", task.task_id),
                "understood are, for example, `30 days after completion`, `T+4h`, `2026-06-01`",
            );
        }
    }
}

fn unclear(cx: &mut Context<'_>, pointer: &str, error: &NotUnderstood) {
    cx.find(
        codes::FREQUENCY_UNCLEAR,
        pointer,
        format!(
            "`{}` is not {}: {}",
            error.text, error.wanted, error.because
        ),
        format!("understood are, for example, {}", error.examples.join(", ")),
    );
}

/// How often something is asked, and that there is something to ask.
fn frequencies(cx: &mut Context<'_>) {
    let plan = cx.plan();
    if let Some(strategy) = &plan.validation_strategy {
        for (v, validation) in strategy.continuous_validation.iter().enumerate() {
            let pointer = format!("/validation_strategy/continuous_validation/{v}");
            if let Some(Err(error)) = validation.frequency.as_deref().map(Frequency::parse) {
                unclear(cx, &join(&pointer, "frequency"), &error);
            }
            if validation.checks.is_empty()
                && validation.test_dataset_ids.is_empty()
                && validation.alert_conditions.is_empty()
            {
                nothing_asked(
                    cx,
                    &join(&pointer, "validation_id"),
                    &validation.validation_id,
                );
            }
        }
    }
    if let Some(monitoring) = &plan.monitoring_and_observability {
        for (h, health) in monitoring.health_checks.iter().enumerate() {
            let pointer = format!("/monitoring_and_observability/health_checks/{h}");
            if let Some(Err(error)) = health.frequency.as_deref().map(Frequency::parse) {
                unclear(cx, &join(&pointer, "frequency"), &error);
            }
            if health.check_procedure.is_none() && health.success_criteria.is_none() {
                nothing_asked(cx, &join(&pointer, "check_name"), &health.check_name);
            }
        }
        for (m, metric) in monitoring.migration_monitoring.iter().enumerate() {
            if let Some(Err(error)) = metric.interval.as_deref().map(HumanDuration::parse) {
                let at = format!("/monitoring_and_observability/migration_monitoring/{m}/interval");
                unclear(cx, &at, &error);
            }
        }
    }
    let reporting = plan
        .communication_plan
        .as_ref()
        .and_then(|communication| communication.status_reporting.as_ref());
    // A report may also be due at moments: "after each phase".
    if let Some(frequency) = reporting.and_then(|reporting| reporting.frequency.as_deref())
        && !is_understood(frequency)
        && let Err(error) = Frequency::parse(frequency)
    {
        unclear(cx, "/communication_plan/status_reporting/frequency", &error);
    }
}

fn nothing_asked(cx: &mut Context<'_>, pointer: &str, id: &str) {
    cx.find(
        codes::NOTHING_ASKED,
        pointer,
        format!("`{id}` says nothing of what it looks at"),
        "add checks: sentences, or probes such as `{http: {url: \"http://localhost:8080/healthz\"}}`",
    );
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test may stop at the first surprise")]

    use std::path::Path;

    use jiff::Timestamp;

    use crate::base::config::{Config, ConfigFile};
    use crate::plan::load::load_text;
    use crate::review::{Surroundings, review};

    const PLAN: &str = r##"
metadata: {version: "1.0.0", migration_name: m}
migration_overview: {name: m}
migration_phases: [{phase_id: P, name: p, order: 1, steps: []}]
communication_plan:
  incident_communication: {notification_channels: ["#Eng-Alerts", pagerduty]}
"##;

    #[test]
    fn channels_of_the_configuration_lead_somewhere() {
        let path = Path::new("/nowhere/orchestrate.yaml");
        let file = r##"channels: {"#eng-alerts": {webhook: {url_env: HOOK}}}"##;
        let mut config = Config::default();
        config.overlay(ConfigFile::parse(file, path).unwrap(), path);
        let loaded = load_text(Path::new("/nowhere/plan.yaml"), PLAN).unwrap();
        let surroundings = Surroundings {
            now: Timestamp::UNIX_EPOCH,
            config: &config,
        };
        let found: Vec<String> = review(&loaded, surroundings)
            .into_iter()
            .filter(|finding| finding.code.as_str() == "OR1008")
            .map(|finding| finding.message)
            .collect();
        assert_eq!(found.len(), 1);
        assert!(found[0].contains("`pagerduty`"), "{found:?}");
    }
}
