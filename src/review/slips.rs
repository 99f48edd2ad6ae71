//! Slips of the pen that still mean something, only something else: ids that look alike, facts about a name that is
//! nearly there, arguments that wait for a shell.

use std::collections::{HashMap, HashSet};

use super::Context;
use super::checks::each_check;
use super::metrics::loose;
use crate::base::diagnostic::codes;
use crate::plan::condition::{BlockEvidence, Understanding, doubt, understand};
use crate::plan::model::{Check, Script};

/// Beyond so many, the rest of them would say the same.
const MOST_FACTS: usize = 200;

pub(super) fn check(cx: &mut Context<'_>) {
    let ids = ids(cx);
    alike(cx, &ids);
    facts(cx, &ids);
    arguments(cx);
}

/// Ids of phases, steps and gates, with their pointers.
fn ids<'a>(cx: &Context<'a>) -> Vec<(&'a str, Place)> {
    let mut ids = Vec::new();
    for (p, phase) in cx.plan().migration_phases.iter().enumerate() {
        ids.push((phase.phase_id.as_str(), Place::Phase(p)));
        for (s, step) in phase.steps.iter().enumerate() {
            ids.push((step.step_id.as_str(), Place::Step(p, s)));
        }
        if let Some(gate) = &phase.validation_gate {
            ids.push((gate.gate_id.as_str(), Place::Gate(p)));
        }
    }
    ids
}

/// Where an id stands.
#[derive(Clone, Copy)]
enum Place {
    Phase(usize),
    Step(usize, usize),
    Gate(usize),
}

impl Place {
    fn pointer(self) -> String {
        match self {
            Self::Phase(p) => format!("/migration_phases/{p}/phase_id"),
            Self::Step(p, s) => format!("/migration_phases/{p}/steps/{s}/step_id"),
            Self::Gate(p) => format!("/migration_phases/{p}/validation_gate/gate_id"),
        }
    }
}

/// The Latin letter that another one is taken for.
fn latin(c: char) -> char {
    match c {
        'А' | 'а' | 'Α' | 'α' => 'a',
        'В' | 'Β' => 'b',
        'С' | 'с' => 'c',
        'Е' | 'е' | 'Ε' => 'e',
        'Н' | 'Η' => 'h',
        'І' | 'і' | 'Ι' | 'ι' => 'i',
        'К' | 'к' | 'Κ' | 'κ' => 'k',
        'М' | 'м' | 'Μ' => 'm',
        'Ν' => 'n',
        'О' | 'о' | 'Ο' | 'ο' => 'o',
        'Р' | 'р' | 'Ρ' | 'ρ' => 'p',
        'Ѕ' | 'ѕ' => 's',
        'Т' | 'т' | 'Τ' | 'τ' => 't',
        'У' | 'у' | 'Υ' => 'y',
        'Х' | 'х' | 'Χ' | 'χ' => 'x',
        '\u{2010}'..='\u{2014}' | '\u{2212}' | '_' => '-',
        other => other,
    }
}

/// What the eye sees of an id, case apart.
fn seen(id: &str) -> String {
    id.chars()
        .map(latin)
        .filter(|c| {
            !matches!(
                c,
                '\u{ad}' | '\u{200b}'..='\u{200f}' | '\u{2060}' | '\u{feff}'
            )
        })
        .flat_map(char::to_lowercase)
        .collect()
}

fn alike(cx: &mut Context<'_>, ids: &[(&str, Place)]) {
    let mut first: HashMap<String, (&str, Place)> = HashMap::with_capacity(ids.len());
    let mut found = Vec::new();
    for &(id, place) in ids {
        match first.get(&seen(id)) {
            // One id twice is an error of its own.
            Some((other, at)) if *other != id => found.push((id, place, *other, *at)),
            Some(_) => {}
            None => {
                first.insert(seen(id), (id, place));
            }
        }
    }
    for (id, place, other, at) in found {
        let how = if id.is_ascii() && other.is_ascii() {
            "only in case or in `-` and `_`, which facts do not look at"
        } else {
            "only in a letter that looks like another one"
        };
        cx.find_with(
            codes::IDS_ALIKE,
            &place.pointer(),
            format!("`{id}` and `{other}` differ {how}"),
            (&at.pointer(), "the other one"),
            "give one of them another id: people type them in answers, and read them in a hurry",
        );
    }
}

/// Sentences shaped like a fact whose name is nearly one of the plan's.
fn facts(cx: &mut Context<'_>, ids: &[(&str, Place)]) {
    let plan = cx.plan();
    let index = cx.index();
    let nothing = BlockEvidence::default();
    let mut names: HashSet<&str> = ids.iter().map(|(id, _)| *id).collect();
    names.extend(
        plan.migration_phases
            .iter()
            .map(|phase| phase.name.as_str()),
    );
    let mut shaped: Vec<(String, &str)> = Vec::new();
    each_check(plan, &mut |pointer, check| {
        if shaped.len() < MOST_FACTS
            && let Check::Text(text) = check
            && let Some(name) = subject(text)
            && doubt(text, &index).is_none()
            && matches!(understand(text, &nothing, &index), Understanding::Attest)
        {
            shaped.push((pointer(), name));
        }
    });
    for (pointer, name) in shaped {
        let Some(near) = nearly(name, &names) else {
            continue;
        };
        let help = if name.is_ascii() {
            format!(
                "did you mean `{near}`? As it is, it counts as prose: tests of the same block cover it, or a person attests it"
            )
        } else {
            format!("did you mean `{near}`? A letter of it may only look like one of those")
        };
        cx.find(
            codes::UNCLEAR_CHECK,
            &pointer,
            format!("no step, phase or gate is called `{name}`"),
            help,
        );
    }
}

/// What a fact would be about: the words before `successful` and its like.
fn subject(text: &str) -> Option<&str> {
    let text = text.trim().trim_end_matches('.');
    let (name, last) = text.rsplit_once(char::is_whitespace)?;
    let last = last.to_lowercase();
    if !matches!(
        &*last,
        "successful" | "succeeded" | "passed" | "completed" | "verified"
    ) {
        return None;
    }
    let name = name.trim_end();
    let name = name
        .strip_suffix(" is")
        .or_else(|| name.strip_suffix(" was"))
        .unwrap_or(name)
        .trim();
    (!name.is_empty()).then_some(name)
}

/// The name that somebody nearly wrote. Short words and plurals are too often other words.
fn nearly<'n>(name: &str, names: &HashSet<&'n str>) -> Option<&'n str> {
    let given = loose(name);
    let length = given.chars().count();
    let mut best: Option<(usize, &'n str)> = None;
    for known in names {
        let wanted = loose(known);
        if wanted == given {
            return None;
        }
        if wanted.chars().count().abs_diff(length) > 2
            || given.strip_suffix('s') == Some(&wanted)
            || wanted.strip_suffix('s') == Some(&given)
        {
            continue;
        }
        let far = strsim::damerau_levenshtein(&given, &wanted);
        let swapped = || {
            let sorted = |text: &str| {
                let mut letters: Vec<char> = text.chars().collect();
                letters.sort_unstable();
                letters
            };
            sorted(&given) == sorted(&wanted)
        };
        let near = match length {
            0..=3 => false,
            4..=5 => far == 1 && swapped(),
            6..=9 => far == 1,
            _ => far <= 2,
        };
        if near && best.is_none_or(|(other, kept)| (far, *known) < (other, kept)) {
            best = Some((far, known));
        }
    }
    best.map(|(_, known)| known)
}

/// `$NAME` in arguments, which no shell ever sees.
fn arguments(cx: &mut Context<'_>) {
    let mut found: Vec<(String, String)> = Vec::new();
    for (pointer, step) in cx.steps() {
        let mut look = |at: &str, script: Option<&Script>| {
            let Some(settings) = script.and_then(Script::settings) else {
                return;
            };
            for (i, arg) in settings.args.iter().enumerate() {
                let text = arg.to_string();
                if let Some(name) = expected(&text)
                    && (name.starts_with("ORCHESTRATE_") || cx.plan().variables.contains_key(name))
                {
                    found.push((format!("{pointer}/{at}/args/{i}"), name.to_owned()));
                }
            }
        };
        if let Some(details) = &step.execution_details {
            look(
                "execution_details/automation_script",
                details.automation_script.as_ref(),
            );
        }
        if let Some(validation) = &step.validation {
            look(
                "validation/validation_script",
                validation.validation_script.as_ref(),
            );
        }
        if let Some(undo) = &step.rollback_procedure {
            look(
                "rollback_procedure/rollback_script",
                undo.rollback_script.as_ref(),
            );
        }
    }
    for (pointer, name) in found {
        cx.find(
            codes::ARGUMENT_LITERAL,
            &pointer,
            format!("the script gets the text `${name}`, not its value: no shell reads arguments"),
            format!("read `${name}` inside the script, or write a command, which bash reads: `commands: ['./script.sh \"${name}\"']`"),
        );
    }
}

/// The name in `$NAME` or `${NAME}`.
fn expected(text: &str) -> Option<&str> {
    let (before, after) = text.split_once('$')?;
    if before.ends_with('\\') {
        return None;
    }
    let after = after.strip_prefix('{').unwrap_or(after);
    let end = after
        .find(|c: char| !(c.is_ascii_alphanumeric() || c == '_'))
        .unwrap_or(after.len());
    (end > 0).then(|| &after[..end])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nearly_is_a_slip_and_not_another_word() {
        let names = HashSet::from(["P1-APPLY", "Half", "Backup", "EXPAND-2", "Test"]);
        assert_eq!(nearly("P1-APLY", &names), Some("P1-APPLY"));
        assert_eq!(nearly("Hafl", &names), Some("Half"));
        assert_eq!(nearly("EXP\u{410}ND-2", &names), Some("EXPAND-2"));
        for other in ["Backups", "Tests", "Text", "Backup", "Hall", "All"] {
            assert_eq!(nearly(other, &names), None, "{other}");
        }
    }

    #[test]
    fn the_eye_cannot_tell_them_apart() {
        assert_eq!(seen("STEP-1"), seen("Step_1"));
        assert_eq!(seen("B\u{410}CK"), seen("BACK"));
        assert_ne!(seen("P1-1"), seen("P11"));
    }
}
