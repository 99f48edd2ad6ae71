//! References: to steps, phases, gates and facts.

use std::collections::HashSet;

use super::Context;
use super::checks::each_check;
use crate::base::diagnostic::codes;
use crate::plan::model::{Check, Probe};
use crate::plan::source::join;

/// The words that make a text a fact about the run.
const VERDICTS: [&str; 5] = ["successful", "succeeded", "passed", "completed", "verified"];

pub(super) fn check(cx: &mut Context<'_>) {
    let plan = cx.plan();
    let mut known: HashSet<&str> = HashSet::new();
    for (_, phase) in cx.phases() {
        known.insert(&phase.phase_id);
        known.extend(phase.steps.iter().map(|step| step.step_id.as_str()));
        known.extend(
            phase
                .validation_gate
                .iter()
                .map(|gate| gate.gate_id.as_str()),
        );
    }
    known.extend(
        plan.prerequisites
            .iter()
            .map(|p| p.prerequisite_id.as_str()),
    );
    if let Some(strategy) = &plan.validation_strategy {
        known.extend(
            strategy
                .validation_gates
                .iter()
                .map(|gate| gate.gate_id.as_str()),
        );
    }
    applied(cx);
    facts(cx, &known);
    mentions(cx, &known);
}

/// `applies` names entries of the catalogues.
fn applied(cx: &mut Context<'_>) {
    let plan = cx.plan();
    let mut entries: HashSet<&str> = HashSet::new();
    if let Some(section) = &plan.data_migration {
        entries.extend(section.migrations.iter().map(|e| e.migration_id.as_str()));
    }
    if let Some(section) = &plan.configuration_migration {
        entries.extend(
            section
                .configuration_changes
                .iter()
                .map(|e| e.config_id.as_str()),
        );
    }
    if let Some(section) = &plan.infrastructure_migration {
        entries.extend(
            section
                .infrastructure_changes
                .iter()
                .map(|e| e.change_id.as_str()),
        );
    }
    if let Some(section) = &plan.integration_migration {
        entries.extend(
            section
                .external_integrations
                .iter()
                .map(|e| e.integration_id.as_str()),
        );
        entries.extend(
            section
                .internal_integrations
                .iter()
                .map(|e| e.integration_id.as_str()),
        );
    }
    if let Some(section) = &plan.code_migration
        && let Some(strategy) = &section.deployment_strategy
    {
        entries.extend(strategy.steps.iter().map(|e| e.step_id.as_str()));
    }
    for (pointer, step) in cx.steps() {
        for (i, id) in step.applies.iter().enumerate() {
            let at = format!("{pointer}/applies/{i}");
            if entries.contains(id.as_str()) {
                cx.find(
                    codes::NOT_EXECUTED,
                    &at,
                    "this version does not execute `applies` yet",
                    "write what the step does as `automation_script` or `commands`",
                );
            } else {
                cx.find(
                    codes::UNKNOWN_REFERENCE,
                    &at,
                    format!("no catalogue entry has the id `{id}`"),
                    "name a `migration_id`, `config_id`, `change_id`, `integration_id` or deployment `step_id`",
                );
            }
        }
    }
}

/// Facts in checks: `STEP-3-1 successful`, `Phase 1 validation gate passed`, `steps['STEP-1-1']`.
fn facts(cx: &mut Context<'_>, known: &HashSet<&str>) {
    let plan = cx.plan();
    let mut wrong: Vec<(String, String)> = Vec::new();
    each_check(plan, &mut |pointer, check| match check {
        Check::Text(text) => {
            let Some((subject, verdict)) = text.trim().rsplit_once(' ') else {
                return;
            };
            if !VERDICTS.contains(&verdict.to_lowercase().as_str()) {
                return;
            }
            let subject = subject.trim();
            if looks_like_id(subject) && !known.contains(subject) {
                wrong.push((
                    pointer.to_owned(),
                    format!("nothing has the id `{subject}`"),
                ));
            }
            let mut words = subject.split_whitespace();
            let phase = words
                .next()
                .is_some_and(|w| w.eq_ignore_ascii_case("phase"));
            let order = words.next().and_then(|word| word.parse::<i64>().ok());
            if let (true, Some(order)) = (phase, order)
                && !plan
                    .migration_phases
                    .iter()
                    .any(|phase| phase.order == order)
            {
                wrong.push((
                    pointer.to_owned(),
                    format!("no phase has the order {order}"),
                ));
            }
        }
        Check::Probe(probe) => {
            let Some(Probe::When(expression)) = probe.probe() else {
                return;
            };
            for id in subscripts(expression) {
                if !known.contains(id) {
                    let at = join(pointer, "when");
                    wrong.push((at, format!("nothing has the id `{id}`")));
                }
            }
        }
    });
    for (pointer, message) in wrong {
        cx.find(
            codes::UNKNOWN_REFERENCE,
            &pointer,
            message,
            "name a step, phase, gate or prerequisite of this plan",
        );
    }
}

/// One word with a digit and a hyphen, in capitals, such as `STEP-3-1`.
fn looks_like_id(text: &str) -> bool {
    text.contains('-')
        && text.bytes().any(|b| b.is_ascii_digit())
        && text.bytes().any(|b| b.is_ascii_uppercase())
        && text
            .bytes()
            .all(|b| b.is_ascii_uppercase() || b.is_ascii_digit() || matches!(b, b'-' | b'_'))
}

/// The ids in `steps['...']`, `phases["..."]` and `gates['...']`.
fn subscripts(expression: &str) -> impl Iterator<Item = &str> {
    ["steps[", "phases[", "gates["]
        .into_iter()
        .flat_map(move |name| {
            expression.split(name).skip(1).filter_map(|rest| {
                let quote = rest.chars().next().filter(|c| matches!(c, '\'' | '"'))?;
                rest[1..].split_once(quote).map(|(id, _)| id)
            })
        })
}

/// Mentions that the run does not need.
fn mentions(cx: &mut Context<'_>, known: &HashSet<&str>) {
    let plan = cx.plan();
    let mut wrong = Vec::new();
    if let Some(section) = &plan.risk_mitigation {
        for (r, risk) in section.migration_risks.iter().enumerate() {
            let pointer = format!("/risk_mitigation/migration_risks/{r}");
            for (key, ids) in [
                ("affected_phases", &risk.affected_phases),
                ("affected_steps", &risk.affected_steps),
            ] {
                for (i, id) in ids.iter().enumerate() {
                    if !known.contains(id.as_str()) && plan.place(id).is_none() {
                        wrong.push((format!("{pointer}/{key}/{i}"), id));
                    }
                }
            }
        }
    }
    if let Some(timeline) = &plan.execution_timeline {
        for (i, step) in timeline.critical_path.iter().enumerate() {
            if !known.contains(step.step_id.as_str()) {
                let at = format!("/execution_timeline/critical_path/{i}/step_id");
                wrong.push((at, &step.step_id));
            }
        }
    }
    for (pointer, id) in wrong {
        cx.find(
            codes::UNKNOWN_MENTION,
            &pointer,
            format!("`{id}` is no step and no phase of this plan"),
            "correct the id, or remove the mention",
        );
    }
}
