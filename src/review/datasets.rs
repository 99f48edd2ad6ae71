//! What stands in a test dataset: cases with a name and a probe each, which a machine judges alone.

use std::path::Path;

use serde_yaml::Value;

use super::Context;
use super::expressions::near;
use crate::base::diagnostic::codes;
use crate::plan::model::CheckMapping;

/// Longer ones are left to the run: reading YAML takes time that grows with the square of some texts.
const LONGEST: u64 = 512 * 1024;

/// The settings that a case may have beside its probe.
const SETTINGS: [&str; 8] = [
    "name",
    "check",
    "description",
    "shell",
    "env",
    "timeout",
    "expect",
    "min_pass",
];

/// Looks into the file of a dataset that the plan names at `pointer`.
pub(super) fn look_into(cx: &mut Context<'_>, pointer: &str, id: &str, file: &Path) {
    let extension = file.extension().and_then(|extension| extension.to_str());
    if !matches!(extension, Some("yaml" | "yml" | "json")) {
        return;
    }
    let short = std::fs::metadata(file).is_ok_and(|about| about.len() <= LONGEST);
    let Some(text) = short.then(|| std::fs::read_to_string(file).ok()).flatten() else {
        return;
    };
    let problems = problems(&text);
    let Some((first, others)) = problems.split_first() else {
        return;
    };
    let more = match others.len() {
        0 => String::new(),
        1 => " (and one more problem)".to_owned(),
        more => format!(" (and {more} more problems)"),
    };
    let name = file.file_name().unwrap_or_default().to_string_lossy();
    cx.find(
        codes::DATASET_MALFORMED,
        pointer,
        format!("the test dataset `{id}` cannot be used: {name}: {first}{more}"),
        "a dataset is `cases: [{name: ..., command: ...}]`: each case a name and one probe that needs no person",
    );
}

/// Everything that is wrong with the text of a dataset.
fn problems(text: &str) -> Vec<String> {
    let document: Value = match serde_yaml::from_str(text) {
        Ok(document) => document,
        Err(error) => return vec![format!("it cannot be read: {error}")],
    };
    let cases = match &document {
        Value::Mapping(mapping) => mapping.get("cases"),
        _ => None,
    };
    let cases = match cases {
        Some(Value::Sequence(cases)) if cases.is_empty() => {
            return vec!["it has no cases, so it would prove nothing".to_owned()];
        }
        Some(Value::Sequence(cases)) => cases,
        Some(_) => return vec!["`cases` is not a list".to_owned()],
        None => return vec!["it has no list of `cases`".to_owned()],
    };
    let mut found = Vec::new();
    for (i, case) in cases.iter().enumerate() {
        let Value::Mapping(case) = case else {
            found.push(format!("case {} is not a mapping", i + 1));
            continue;
        };
        let text = |key: &str| case.get(key).and_then(Value::as_str);
        let title = match text("name") {
            Some(name) => format!("the case `{name}`"),
            None => {
                found.push(format!("case {} has no `name`", i + 1));
                format!("case {}", i + 1)
            }
        };
        let keys = || case.keys().filter_map(Value::as_str);
        for key in keys().filter(|key| {
            !SETTINGS.contains(key)
                && !CheckMapping::PROBE_KEYS.contains(key)
                && !key.starts_with("x-")
        }) {
            let known = SETTINGS.iter().chain(&CheckMapping::PROBE_KEYS).copied();
            found.push(match near(key, known) {
                Some(near) => format!("{title} has an unknown key `{key}`; did you mean `{near}`?"),
                None => format!("{title} has an unknown key `{key}`"),
            });
        }
        let probes: Vec<&str> = keys()
            .filter(|key| CheckMapping::PROBE_KEYS.contains(key))
            .collect();
        match probes.as_slice() {
            [] => found.push(format!("{title} has no probe")),
            ["manual"] => found.push(format!("{title} asks a person, which no dataset can")),
            ["dataset"] => found.push(format!(
                "{title} asks another dataset, which no dataset can"
            )),
            ["when"] => found.push(format!("{title} asks about the run, which no dataset can")),
            [_] => {}
            several => found.push(format!(
                "{title} has {} probes: {}",
                several.len(),
                several.join(", ")
            )),
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_wrong_is_said_in_words() {
        assert_eq!(
            problems("cases: [{name: a, command: 'true', expect: {stdout: x}}]"),
            [""; 0]
        );
        assert_eq!(
            problems("{\"cases\": [{\"name\": \"a\", \"file\": {\"path\": \"x\"}}]}"),
            [""; 0]
        );
        assert_eq!(
            problems("cases: []"),
            ["it has no cases, so it would prove nothing"]
        );
        assert_eq!(problems("- a"), ["it has no list of `cases`"]);
        assert_eq!(
            problems("cases: [{name: a, command: x, expct: 1}, {check: b}]"),
            [
                "the case `a` has an unknown key `expct`; did you mean `expect`?",
                "case 2 has no `name`",
                "case 2 has no probe"
            ]
        );
    }
}
