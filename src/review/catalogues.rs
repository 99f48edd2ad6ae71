//! Catalogues: something applies each entry, no setting is changed twice, services are deployed in an order that
//! agrees with itself.

use std::collections::{HashMap, HashSet};

use super::Context;
use crate::base::diagnostic::codes;
use crate::plan::model::{
    CodeMigration, CompatibilityMode, ConfigurationChange, Plan, Script, ServiceVersion,
};
use crate::plan::source::join;

pub(super) fn check(cx: &mut Context<'_>) {
    unused(cx);
    changed_twice(cx);
    labels(cx);
    if let Some(code) = &cx.plan().code_migration {
        deployments(cx, code);
    }
    integrations(cx);
}

/// An entry that a step could name in `applies`: its pointer, its id, the script that carries it out.
type Entry<'a> = (String, &'a str, Option<&'a Script>);

/// The catalogues by their names in the plan.
fn entries(plan: &Plan) -> Vec<(&'static str, Vec<Entry<'_>>)> {
    let mut all = Vec::new();
    if let Some(section) = &plan.data_migration {
        let entries = section.migrations.iter().enumerate().map(|(i, entry)| {
            let script = entry
                .execution_plan
                .as_ref()
                .and_then(|e| e.execution_script.as_ref());
            let at = format!("/data_migration/migrations/{i}/migration_id");
            (at, entry.migration_id.as_str(), script)
        });
        all.push(("data_migration", entries.collect()));
    }
    if let Some(strategy) = plan
        .code_migration
        .as_ref()
        .and_then(|c| c.deployment_strategy.as_ref())
    {
        let entries = strategy.steps.iter().enumerate().map(|(i, entry)| {
            let at = format!("/code_migration/deployment_strategy/steps/{i}/step_id");
            (at, entry.step_id.as_str(), None)
        });
        all.push(("code_migration", entries.collect()));
    }
    if let Some(section) = &plan.configuration_migration {
        let entries = section
            .configuration_changes
            .iter()
            .enumerate()
            .map(|(i, entry)| {
                let script = entry
                    .deployment_method
                    .as_ref()
                    .and_then(|d| d.automation_script.as_ref());
                let at = format!("/configuration_migration/configuration_changes/{i}/config_id");
                (at, entry.config_id.as_str(), script)
            });
        all.push(("configuration_migration", entries.collect()));
    }
    if let Some(section) = &plan.infrastructure_migration {
        let entries = section
            .infrastructure_changes
            .iter()
            .enumerate()
            .map(|(i, entry)| {
                let at = format!("/infrastructure_migration/infrastructure_changes/{i}/change_id");
                (at, entry.change_id.as_str(), None)
            });
        all.push(("infrastructure_migration", entries.collect()));
    }
    if let Some(section) = &plan.integration_migration {
        let external = section
            .external_integrations
            .iter()
            .enumerate()
            .map(|(i, entry)| {
                let at = format!("/integration_migration/external_integrations/{i}/integration_id");
                (at, entry.integration_id.as_str(), None)
            });
        let internal = section
            .internal_integrations
            .iter()
            .enumerate()
            .map(|(i, entry)| {
                let at = format!("/integration_migration/internal_integrations/{i}/integration_id");
                (at, entry.integration_id.as_str(), None)
            });
        all.push(("integration_migration", external.chain(internal).collect()));
    }
    all
}

/// Entries that nothing applies: said once per catalogue.
fn unused(cx: &mut Context<'_>) {
    let plan = cx.plan();
    let catalogues = entries(plan);
    if catalogues.is_empty() {
        return;
    }
    let mut applied: HashSet<&str> = HashSet::new();
    let mut scripts: HashSet<&str> = HashSet::new();
    for (_, step) in cx.steps() {
        applied.extend(step.applies.iter().map(String::as_str));
        let script = step
            .execution_details
            .as_ref()
            .and_then(|d| d.automation_script.as_ref());
        scripts.extend(script.map(Script::path));
    }
    for (section, entries) in catalogues {
        // A step that runs the entry's own script carries it out, whatever it calls it.
        let is_idle = |(_, id, script): &&Entry<'_>| {
            !applied.contains(id) && !script.is_some_and(|script| scripts.contains(script.path()))
        };
        let idle: Vec<&Entry<'_>> = entries.iter().filter(is_idle).collect();
        let message = match idle.as_slice() {
            [] => continue,
            [(_, id, _)] => format!("no step applies `{id}` of `{section}`, so it never happens"),
            all => format!(
                "no step applies {} entries of `{section}`, so they never happen",
                all.len()
            ),
        };
        let pointers: Vec<String> = idle.iter().map(|(pointer, ..)| pointer.clone()).collect();
        cx.find_all(
            codes::ENTRY_UNUSED,
            &pointers,
            "nor this one",
            message,
            "name it in the `applies` of a step, let a step run its script, or remove it",
        );
    }
}

/// The same setting in two entries, unless the second goes on where the first ended.
fn changed_twice(cx: &mut Context<'_>) {
    let Some(section) = &cx.plan().configuration_migration else {
        return;
    };
    let mut first: HashMap<(u8, &str), (usize, &ConfigurationChange)> = HashMap::new();
    for (i, change) in section.configuration_changes.iter().enumerate() {
        let key = (change.r#type as u8, change.name.trim());
        if let Some((other, earlier)) = first.get(&key) {
            let goes_on = earlier.new_value.is_some() && earlier.new_value == change.current_value;
            if !goes_on {
                let at = format!("/configuration_migration/configuration_changes/{i}/name");
                let other = format!("/configuration_migration/configuration_changes/{other}/name");
                cx.find_with(
                    codes::CHANGED_TWICE,
                    &at,
                    format!("`{}` is changed twice", change.name),
                    (&other, "also changed here"),
                    "keep one of them; if both are meant, `current_value` of the second is `new_value` of the first",
                );
            }
        }
        first.insert(key, (i, change));
    }
}

/// Ids that only reports use.
fn labels(cx: &mut Context<'_>) {
    let plan = cx.plan();
    let mut all: Vec<(&str, Vec<(String, &str)>)> = Vec::new();
    if let Some(section) = &plan.risk_mitigation {
        let ids = section.migration_risks.iter().enumerate().map(|(i, risk)| {
            let at = format!("/risk_mitigation/migration_risks/{i}/risk_id");
            (at, risk.risk_id.as_str())
        });
        all.push(("risk", ids.collect()));
    }
    if let Some(timeline) = &plan.execution_timeline {
        let ids = timeline
            .milestones
            .iter()
            .enumerate()
            .map(|(i, milestone)| {
                let at = format!("/execution_timeline/milestones/{i}/milestone_id");
                (at, milestone.milestone_id.as_str())
            });
        all.push(("milestone", ids.collect()));
    }
    if let Some(strategy) = &plan.validation_strategy {
        let at = "/validation_strategy/continuous_validation";
        let ids = strategy.continuous_validation.iter().enumerate();
        let ids = ids.map(|(i, v)| (format!("{at}/{i}/validation_id"), v.validation_id.as_str()));
        all.push(("continuous validation", ids.collect()));
        let at = "/validation_strategy/regression_validation";
        let ids = strategy.regression_validation.iter().enumerate();
        let ids = ids.map(|(i, r)| {
            (
                format!("{at}/{i}/regression_suite_id"),
                r.regression_suite_id.as_str(),
            )
        });
        all.push(("regression suite", ids.collect()));
    }
    if let Some(after) = &plan.post_migration {
        let ids = after.cleanup_tasks.iter().enumerate().map(|(i, task)| {
            (
                format!("/post_migration/cleanup_tasks/{i}/task_id"),
                task.task_id.as_str(),
            )
        });
        all.push(("clean-up task", ids.collect()));
    }
    let mut applied: HashMap<&str, (&str, String)> = HashMap::new();
    for (section, entries) in entries(plan) {
        for (at, id, _) in entries {
            match applied.get(id) {
                None => {
                    applied.insert(id, (section, at));
                }
                // Two data migrations of one id are an error of their own.
                Some((other, _)) if *other == "data_migration" && section == *other => {}
                Some((_, other)) => {
                    let other = other.clone();
                    cx.find_with(
                        codes::LABEL_TWICE,
                        &at,
                        format!("two catalogue entries have the id `{id}`, so `applies` could mean either"),
                        (&other, "the other one"),
                        "give each its own id",
                    );
                }
            }
        }
    }
    for (kind, ids) in all {
        let mut first: HashMap<&str, String> = HashMap::new();
        for (at, id) in ids {
            if let Some(other) = first.get(id) {
                cx.find_with(
                    codes::LABEL_TWICE,
                    &at,
                    format!("two entries have the {kind} id `{id}`"),
                    (other, "the other one"),
                    "give each its own id: reports and reviews go by it",
                );
            } else {
                first.insert(id, at);
            }
        }
    }
}

/// A name and not a sentence: what is no single word may be anything.
fn is_name(text: &str) -> bool {
    !text.trim().contains(char::is_whitespace)
}

/// `cart-service:2.0.0` and `cart-service@sha256:...` are of `cart-service`.
fn service(artifact: &str) -> &str {
    let name = artifact.trim();
    let name = name.split_once('@').map_or(name, |(name, _)| name);
    // A port of a registry is followed by a path, a tag is not.
    match name.rsplit_once(':') {
        Some((name, tag)) if !tag.contains('/') => name,
        _ => name,
    }
}

fn deployments(cx: &mut Context<'_>, code: &CodeMigration) {
    let coordination = code.version_coordination.as_ref();
    let services: &[ServiceVersion] = coordination.map_or(&[], |c| &c.services);
    let plan = coordination.and_then(|c| c.coordination_plan.as_ref());
    let sequence: &[String] = plan.map_or(&[], |plan| &plan.deployment_sequence);
    let names: HashSet<&str> = services.iter().map(|s| s.service_name.trim()).collect();
    let at = "/code_migration/version_coordination";
    for (i, item) in sequence.iter().enumerate() {
        let item = item.trim();
        if !names.is_empty()
            && is_name(item)
            && !names.contains(service(item))
            && !names.contains(item)
        {
            unknown(
                cx,
                &format!("{at}/coordination_plan/deployment_sequence/{i}"),
                item,
            );
        }
    }
    let parallel = plan.and_then(|plan| plan.parallel_deployment) == Some(true);
    let listed: HashMap<&str, usize> = sequence
        .iter()
        .enumerate()
        .map(|(i, item)| (service(item), i))
        .collect();
    for (s, version) in services.iter().enumerate() {
        let why = match version.compatibility_mode {
            Some(CompatibilityMode::Breaking) => "is a breaking change",
            Some(CompatibilityMode::RequiresCoordination) => "requires coordination",
            Some(CompatibilityMode::BackwardCompatible) | None => continue,
        };
        // One service alone has nobody to be out of step with.
        if services.len() < 2 {
            continue;
        }
        let name = version.service_name.trim();
        let problem = if parallel {
            "services are deployed in parallel"
        } else if !listed.contains_key(name) && !sequence.iter().any(|item| item.contains(name)) {
            "it is not in the `deployment_sequence`"
        } else {
            continue;
        };
        cx.find(
            codes::OUT_OF_SEQUENCE,
            &format!("{at}/services/{s}/compatibility_mode"),
            format!("`{name}` {why}, and {problem}"),
            "say under `coordination_plan.deployment_sequence` what is deployed after what, with `parallel_deployment: false`",
        );
    }
    let steps = code
        .deployment_strategy
        .iter()
        .flat_map(|strategy| &strategy.steps);
    for (d, step) in steps.enumerate() {
        let at = format!("/code_migration/deployment_strategy/steps/{d}/deployment_order");
        let artifacts: HashSet<&str> = step
            .artifacts_to_deploy
            .iter()
            .flat_map(|artifact| {
                let name = service(artifact);
                let last = name.rsplit('/').next().unwrap_or(name);
                [artifact.trim(), name, last]
            })
            .collect();
        let mut latest: Option<(usize, &str)> = None;
        for (i, item) in step.deployment_order.iter().enumerate() {
            let name = service(item);
            let known =
                artifacts.contains(item.trim()) || artifacts.contains(name) || names.contains(name);
            if !artifacts.is_empty() && !known && is_name(item) {
                unknown(cx, &join(&at, i), item.trim());
            }
            let Some(&place) = listed.get(name) else {
                continue;
            };
            if let Some((before, other)) = latest
                && place < before
            {
                let declared = format!(
                    "/code_migration/version_coordination/coordination_plan/deployment_sequence/{place}"
                );
                cx.find_with(
                    codes::OUT_OF_SEQUENCE,
                    &join(&at, i),
                    format!(
                        "`{name}` is deployed after `{other}` here, and before it in the sequence"
                    ),
                    (&declared, "the sequence"),
                    "make both say the same order",
                );
            }
            latest = Some((place, name));
        }
    }
}

fn unknown(cx: &mut Context<'_>, pointer: &str, item: &str) {
    cx.find(
        codes::DEPLOYMENT_UNKNOWN,
        pointer,
        format!("`{item}` is in the order, and is nothing that this plan deploys"),
        "correct the name, or add it to the artifacts or services",
    );
}

/// Services that move first are services of that integration.
fn integrations(cx: &mut Context<'_>) {
    let Some(section) = &cx.plan().integration_migration else {
        return;
    };
    for (n, integration) in section.internal_integrations.iter().enumerate() {
        let services: HashSet<&str> = integration
            .consuming_services
            .iter()
            .chain(&integration.providing_services)
            .map(|service| service.trim())
            .collect();
        let sequence = integration.migration_sequence.iter();
        for (i, item) in sequence.flat_map(|s| s.order.iter().enumerate()) {
            if !services.is_empty() && is_name(item) && !services.contains(item.trim()) {
                let at = format!(
                    "/integration_migration/internal_integrations/{n}/migration_sequence/order/{i}"
                );
                unknown(cx, &at, item.trim());
            }
        }
    }
}
