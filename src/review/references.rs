//! References: to steps, phases, gates and facts.

use std::collections::HashSet;

use super::Context;
use super::checks::{each_check, each_probe};
use crate::base::diagnostic::{Code, codes};
use crate::plan::condition::{Doubt, Expression, doubt};
use crate::plan::model::{Check, Probe};
use crate::plan::source::join;

pub(super) fn check(cx: &mut Context<'_>) {
    let known = known(cx);
    applied(cx);
    facts(cx, &known);
    mentions(cx, &known);
}

/// What references may name: phases, steps, gates and prerequisites by their ids.
fn known<'a>(cx: &Context<'a>) -> HashSet<&'a str> {
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
    known
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

/// Check strings that look like facts or conditions, and expressions over the facts of the run.
fn facts(cx: &mut Context<'_>, known: &HashSet<&str>) {
    let plan = cx.plan();
    let index = cx.index();
    let mut wrong: Vec<(Code, String, String, String)> = Vec::new();
    each_check(plan, &mut |pointer, check| {
        if let Check::Text(text) = check
            && let Some(doubt) = doubt(text, &index)
            && let Some((code, message, help)) = doubtful(&doubt, known)
        {
            wrong.push((code, pointer(), message, help.to_owned()));
        }
    });
    each_probe(plan, &mut |pointer, probe| {
        let Some(Probe::When(text)) = probe.probe() else {
            return;
        };
        let at = join(&pointer(), "when");
        if let Err(error) = Expression::parse(text) {
            let help = error
                .hint
                .unwrap_or("an expression is, for example, `steps['STEP-1-1'].succeeded`");
            let message = format!("this is no expression: {}", error.message);
            wrong.push((codes::BAD_EXPRESSION, at, message, help.to_owned()));
            return;
        }
        for id in subscripts(text) {
            if !known.contains(id) {
                let message = format!("nothing has the id `{id}`");
                wrong.push((
                    codes::UNKNOWN_REFERENCE,
                    at.clone(),
                    message,
                    NAMES.to_owned(),
                ));
            }
        }
    });
    for (code, pointer, message, help) in wrong {
        cx.find(code, &pointer, message, help);
    }
}

/// Criteria in words that stand outside the lists of checks.
pub(super) fn sentences(cx: &mut Context<'_>, criteria: &[(String, &str)]) {
    if criteria.is_empty() {
        return;
    }
    let index = cx.index();
    let known = known(cx);
    for (pointer, text) in criteria {
        if let Some(doubt) = doubt(text, &index)
            && let Some((code, message, help)) = doubtful(&doubt, &known)
        {
            cx.find(code, pointer, message, help);
        }
    }
}

const NAMES: &str = "name a step, phase, gate or prerequisite of this plan";
const PROSE: &str =
    "as it is, it counts as prose: tests of the same block cover it, or a person attests it";

/// What to say about a text that is not what it seems.
fn doubtful(doubt: &Doubt, known: &HashSet<&str>) -> Option<(Code, String, &'static str)> {
    Some(match doubt {
        Doubt::UnknownReference { name } if known.contains(name.as_str()) => return None,
        Doubt::UnknownReference { name } => {
            let phase = name
                .to_lowercase()
                .strip_prefix("phase ")
                .is_some_and(|rest| rest.trim().parse::<i64>().is_ok());
            // An id or an order that is not there is a slip; other names may be prose after all.
            if phase || looks_like_id(name) {
                let message = format!("no step, phase or gate is called `{name}`");
                (codes::UNKNOWN_REFERENCE, message, NAMES)
            } else {
                let message = format!("no step, phase or gate is called `{name}`");
                (codes::UNCLEAR_CHECK, message, PROSE)
            }
        }
        Doubt::NoGate { phase } => (
            codes::UNKNOWN_REFERENCE,
            format!("the phase `{phase}` has no gate, so this could never be true"),
            "add a `validation_gate` to the phase, or ask for its steps instead",
        ),
        Doubt::UndefinedMetric { name } => (
            codes::UNCLEAR_CHECK,
            format!("this looks like a condition, and no metric is called `{name}`"),
            PROSE,
        ),
        Doubt::UnclearThreshold { metric, because } => (
            codes::UNCLEAR_CHECK,
            format!("this looks like a condition over `{metric}`: {because}"),
            PROSE,
        ),
        Doubt::AmbiguousName { name, candidates } => {
            let all = candidates
                .iter()
                .map(ToString::to_string)
                .collect::<Vec<_>>()
                .join("; ");
            (
                codes::UNCLEAR_CHECK,
                format!("`{name}` may mean several things: {all}"),
                "use an id instead of the name",
            )
        }
    })
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
            let at = format!("/execution_timeline/critical_path/{i}");
            if !known.contains(step.step_id.as_str()) {
                wrong.push((join(&at, "step_id"), &step.step_id));
            }
            for (d, id) in step.dependencies.iter().enumerate() {
                if !known.contains(id.as_str()) {
                    wrong.push((format!("{at}/dependencies/{d}"), id));
                }
            }
        }
        let milestones: HashSet<&str> = timeline
            .milestones
            .iter()
            .map(|milestone| milestone.milestone_id.as_str())
            .collect();
        for (m, milestone) in timeline.milestones.iter().enumerate() {
            for (d, id) in milestone.dependencies.iter().enumerate() {
                // A milestone may also wait for something outside the plan, in words.
                if looks_like_id(id)
                    && !milestones.contains(id.as_str())
                    && !known.contains(id.as_str())
                {
                    wrong.push((
                        format!("/execution_timeline/milestones/{m}/dependencies/{d}"),
                        id,
                    ));
                }
            }
        }
    }
    for (pointer, id) in wrong {
        cx.find(
            codes::UNKNOWN_MENTION,
            &pointer,
            if pointer.starts_with("/execution_timeline/milestones") {
                format!("`{id}` is no milestone, step or phase of this plan")
            } else {
                format!("`{id}` is no step and no phase of this plan")
            },
            "correct the id, or remove the mention",
        );
    }
}
