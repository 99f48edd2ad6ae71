//! Reports as SARIF 2.1.0, the form that code scanning reads.

use std::borrow::Cow;
use std::collections::{BTreeMap, HashSet};

use serde::Serialize;
use serde_json::{Value, json};

use super::root::encode;
use super::{Code, Finding, Level, Location, Report, Root, Tally};

/// The schema that `$schema` names.
const SCHEMA: &str =
    "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json";
/// The name that stands for the repository's root.
const BASE: &str = "%SRCROOT%";

/// One log with one run over all plans. What several plans find in a file that they share is said once.
#[must_use]
pub fn to_sarif(reports: &[Report], root: &Root, exit_code: u8) -> Value {
    let all = || reports.iter().flat_map(|report| &report.findings);
    let mut rules: BTreeMap<Code, usize> = all().map(|finding| (finding.code, 0)).collect();
    for (index, place) in rules.values_mut().enumerate() {
        *place = index;
    }
    let mut said = HashSet::new();
    let results: Vec<_> = all()
        .map(|finding| result(finding, rules.get(&finding.code).copied(), root))
        .filter(|result| reports.len() == 1 || said.insert(result.to_string()))
        .collect();
    let sum = reports
        .iter()
        .fold(Tally::default(), |sum, report| sum.and(report.tally));
    let version = env!("CARGO_PKG_VERSION");
    json!({
        "$schema": SCHEMA,
        "version": "2.1.0",
        "runs": [{
            "tool": {"driver": {
                "name": "orchestrate",
                "fullName": format!("orchestrate validate {version}"),
                "version": version,
                "semanticVersion": version,
                "rules": rules.keys().map(|code| rule(*code)).collect::<Vec<_>>(),
            }},
            "columnKind": "unicodeCodePoints",
            "originalUriBaseIds": {BASE: {
                "uri": root.root_uri(),
                "description": {"text": "The root of the repository."},
            }},
            "invocations": [{"executionSuccessful": true, "exitCode": exit_code}],
            "results": results,
            "properties": Totals { plans: reports.len(), sum },
        }],
    })
}

#[derive(Serialize)]
struct Totals {
    plans: usize,
    #[serde(flatten)]
    sum: Tally,
}

fn rule(code: Code) -> Value {
    let info = code.info();
    json!({
        "id": code.as_str(),
        "shortDescription": {"text": info.title},
        "fullDescription": {"text": what(info.page)},
        "help": {"text": info.page, "markdown": info.page},
        "defaultConfiguration": {"level": info.level.as_str()},
        "properties": {"precision": "high", "problem.severity": severity(info.level)},
    })
}

/// The first paragraph under the page's first heading, on one line.
fn what(page: &str) -> String {
    let lines = page
        .lines()
        .skip_while(|line| line.starts_with('#') || line.trim().is_empty());
    let lines: Vec<_> = lines.take_while(|line| !line.trim().is_empty()).collect();
    lines.join(" ")
}

/// What GitHub calls the level of a rule that is not about security.
const fn severity(level: Level) -> &'static str {
    match level {
        Level::Error => "error",
        Level::Warning => "warning",
        Level::Note => "recommendation",
    }
}

fn result(finding: &Finding, rule: Option<usize>, root: &Root) -> Value {
    let mut text = finding.message.clone();
    if let Some(told) = finding.told() {
        text.push('\n');
        text.push_str(&told);
    }
    if let Some(help) = &finding.help {
        text.push_str("\nhelp: ");
        text.push_str(help);
    }
    let mut result = json!({
        "ruleId": finding.code.as_str(),
        "ruleIndex": rule,
        "level": finding.level.as_str(),
        "message": {"text": message(&text)},
        "locations": [location(&finding.primary, root)],
        // All results of a run have this, or none has it; an empty list means that the result stands.
        "suppressions": finding.allowed.iter().map(|allowed| json!({
            "kind": "inSource",
            "status": "accepted",
            "justification": allowed.because,
            "location": location(&allowed.at, root),
        })).collect::<Vec<_>>(),
    });
    if !finding.labels.is_empty() {
        let related = finding.labels.iter().enumerate().map(|(index, label)| {
            let mut related = location(&label.location, root);
            related["id"] = json!(index + 1);
            related["message"] = json!({"text": message(&label.message)});
            related
        });
        result["relatedLocations"] = related.collect();
    }
    result
}

fn location(place: &Location, root: &Root) -> Value {
    let file = match root.relative(&place.file) {
        Some(path) => json!({"uri": encode(&path), "uriBaseId": BASE}),
        None => json!({"uri": root.uri(&place.file)}),
    };
    let mut location = json!({"physicalLocation": {
        "artifactLocation": file,
        "region": {
            "startLine": place.line,
            "startColumn": place.column,
            "endLine": place.end_line,
            "endColumn": place.end_column,
        },
    }});
    if !place.pointer.is_empty() {
        location["logicalLocations"] =
            json!([{"fullyQualifiedName": place.pointer, "kind": "element"}]);
    }
    location
}

/// A message as the format wants it: braces doubled, for they hold places (3.11.5), and nothing that looks like a link
/// (3.11.6), for texts of a plan are not ours.
fn message(text: &str) -> String {
    let mut text: Cow<'_, str> = text.into();
    if text.contains(['{', '}']) {
        text = text.replace('{', "{{").replace('}', "}}").into();
    }
    if text.contains("](") {
        text = text.replace('[', "\\[").replace(']', "\\]").into();
    }
    text.into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_hold_no_places_and_no_links() {
        assert_eq!(message("a `{x}` b"), "a `{{x}}` b");
        assert_eq!(message("a [b] c"), "a [b] c");
        assert_eq!(message("[b](http://c)"), "\\[b\\](http://c)");
    }

    #[test]
    fn the_first_paragraph_says_what() {
        assert_eq!(what("## What\n\nOne\ntwo.\n\nThree.\n"), "One two.");
    }
}
