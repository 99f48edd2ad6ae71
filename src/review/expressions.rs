//! What `when:` expressions name: the roots, the variables and the members that a run provides. Anything else stays
//! undefined, which is inconclusive for ever.

use std::collections::HashSet;

use super::Context;
use super::checks::each_probe;
use crate::base::diagnostic::codes;
use crate::plan::condition::{Expression, word};
use crate::plan::model::Probe;
use crate::plan::source::join;

const STEP: &[&str] = &[
    "succeeded",
    "failed",
    "unknown",
    "undone",
    "left_out",
    "attempts",
];
const PHASE: &[&str] = &["started", "passed"];
const GATE: &[&str] = &["passed", "attempts"];
const RUN: &[&str] = &["id", "environment", "production"];

pub(super) fn check(cx: &mut Context<'_>) {
    let plan = cx.plan();
    let mut expressions: Vec<(String, &str)> = Vec::new();
    each_probe(plan, &mut |pointer, probe| {
        if let Some(Probe::When(text)) = probe.probe() {
            expressions.push((join(&pointer(), "when"), text));
        }
    });
    if expressions.is_empty() {
        return;
    }
    let mut variables: HashSet<&str> = plan.variables.keys().map(String::as_str).collect();
    for environment in plan.environments.values() {
        variables.extend(environment.variables.keys().map(String::as_str));
    }
    for (pointer, text) in expressions {
        if text.contains("is defined") || text.contains("is not defined") {
            // The author asks whether it is there at all.
            continue;
        }
        for slip in slips(text, &variables) {
            let (message, help) = slip.words(&variables);
            cx.find(codes::NEVER_DEFINED, &pointer, message, help);
        }
        if let Some(name) = unknown_root(text) {
            let message = format!("`{name}` is nothing that an expression can see");
            let help = "an expression sees `steps`, `phases`, `gates`, `vars` and `run`; \
                        a metric is asked with `metric:`";
            cx.find(codes::NEVER_DEFINED, &pointer, message, help);
        }
    }
}

fn unknown_root(text: &str) -> Option<String> {
    let expression = Expression::parse(text).ok()?;
    expression
        .unknown_names()
        .into_iter()
        .find(|name| name != "run")
}

/// A name that nothing provides.
struct Slip<'t> {
    root: &'t str,
    name: &'t str,
    known: &'static [&'static str],
}

impl Slip<'_> {
    fn words(&self, variables: &HashSet<&str>) -> (String, String) {
        let Self { root, name, known } = self;
        if *root == "vars" {
            let message = format!("the plan declares no variable `{name}`");
            let help = match near(name, variables.iter().copied()) {
                Some(near) => format!("did you mean `{near}`?"),
                None => format!("declare it: `variables: {{{name}: {{default: ...}}}}`"),
            };
            return (message, help);
        }
        let message = format!("{root} no member `{name}`, so this is never true");
        let help = match near(name, known.iter().copied()) {
            Some(near) => format!("did you mean `{near}`?"),
            None => format!("there are {}", known.join(", ")),
        };
        (message, help)
    }
}

/// The candidate that a name is most likely a slip of.
pub(super) fn near<'c>(name: &str, candidates: impl Iterator<Item = &'c str>) -> Option<&'c str> {
    let plain = |text: &str| text.to_lowercase().replace([' ', '_', '-'], "");
    let name = plain(name);
    let mut best: Option<(f64, &str)> = None;
    for candidate in candidates {
        let score = strsim::normalized_damerau_levenshtein(&name, &plain(candidate));
        // A set has no order: of two that are equally near, the first by name is told.
        let better = best.is_none_or(|(other, known)| {
            score > other || (score - other).abs() < f64::EPSILON && candidate < known
        });
        if score >= 0.8 && better {
            best = Some((score, candidate));
        }
    }
    best.map(|(_, candidate)| candidate)
}

/// Members of the roots that nothing provides. Texts in quotes are looked at only as subscripts.
fn slips<'t>(text: &'t str, variables: &HashSet<&str>) -> Vec<Slip<'t>> {
    let mut found = Vec::new();
    let mut rest = text;
    let mut before = ' ';
    while let Some(first) = rest.chars().next() {
        if matches!(first, '\'' | '"') {
            rest = rest[1..].split_once(first).map_or("", |(_, after)| after);
            before = first;
            continue;
        }
        if !(first.is_alphanumeric() || first == '_') {
            rest = &rest[first.len_utf8()..];
            before = first;
            continue;
        }
        let (word, after) = word(rest);
        rest = after;
        if before == '.' {
            before = ' ';
            continue;
        }
        before = ' ';
        let known: &'static [&'static str] = match word {
            "vars" => {
                if let Some((name, _)) = member(rest)
                    && !variables.contains(name)
                {
                    found.push(Slip {
                        root: word,
                        name,
                        known: &[],
                    });
                }
                continue;
            }
            "run" => {
                if let Some((name, _)) = member(rest)
                    && !RUN.contains(&name)
                {
                    found.push(Slip {
                        root: "`run` has",
                        name,
                        known: RUN,
                    });
                }
                continue;
            }
            "steps" => STEP,
            "phases" => PHASE,
            "gates" => GATE,
            _ => continue,
        };
        if let Some((_, after)) = member(rest)
            && let Some((name, _)) = member(after)
            && !known.contains(&name)
        {
            let root = match word {
                "steps" => "steps have",
                "phases" => "phases have",
                _ => "gates have",
            };
            found.push(Slip { root, name, known });
        }
    }
    found
}

/// `.name` or `['name']` at the start of a text, and what follows.
fn member(text: &str) -> Option<(&str, &str)> {
    if let Some(rest) = text.strip_prefix('.') {
        let (name, after) = word(rest);
        return (!name.is_empty()).then_some((name, after));
    }
    let rest = text.strip_prefix('[')?.trim_start();
    let quote = rest.chars().next().filter(|c| matches!(c, '\'' | '"'))?;
    let (name, after) = rest[1..].split_once(quote)?;
    Some((name, after.trim_start().strip_prefix(']')?))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(text: &str) -> Vec<String> {
        slips(text, &HashSet::from(["TARGET"]))
            .iter()
            .map(|slip| slip.name.to_owned())
            .collect()
    }

    #[test]
    fn members_that_nothing_provides_are_seen() {
        assert_eq!(
            names("steps['S-1'].succeeded and vars.TARGET == 'v2'"),
            [""; 0]
        );
        assert_eq!(names("steps['S-1'].success"), ["success"]);
        assert_eq!(names("vars['TARGT'] == 'vars.x'"), ["TARGT"]);
        assert_eq!(
            names("not gates[\"G\"].open or run.env == 'x'"),
            ["open", "env"]
        );
        assert_eq!(names("x.steps['S'].y"), [""; 0]);
    }
}
