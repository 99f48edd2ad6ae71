//! SARIF against the official schema, and against what it says of the text.

use std::fs;
use std::path::Path;

use serde_json::Value;

use super::{INCLUDED, NASTY, PLAN, beside_the_plan, repository};
use crate::support::cli::Cli;
use crate::support::tools::node_module;

/// Checks a log against the schema that the format's makers publish.
#[track_caller]
fn conforms(log: &Value) {
    let module = node_module("@microsoft/jest-sarif");
    let schema = fs::read(module.join("lib/schemas/sarif-2.1.0-rtm.5.json")).expect("the schema");
    let mut schema: Value = serde_json::from_slice(&schema).expect("JSON");
    // The published patterns of languages have a bracket too much, which only JavaScript forgives. We write none.
    for definition in ["run", "toolComponent"] {
        let language = &mut schema["definitions"][definition]["properties"]["language"];
        let pattern = language.as_object_mut().and_then(|l| l.remove("pattern"));
        assert!(pattern.is_some(), "{definition} has a pattern");
        assert_eq!(log["runs"][0]["language"], Value::Null);
    }
    let validator = jsonschema::validator_for(&schema).expect("a schema");
    let errors: Vec<_> = validator
        .iter_errors(log)
        .map(|error| format!("{}: {error}", error.instance_path()))
        .collect();
    assert!(errors.is_empty(), "{errors:#?}");
}

fn log(cli: &Cli, arguments: &[&str], code: i32) -> Value {
    let mut all = vec!["validate", "--output", "sarif"];
    all.extend(arguments);
    let ended = cli.run(&all).with_code(code);
    serde_json::from_str(&ended.stdout).expect("one JSON document")
}

fn decode(uri: &str) -> String {
    let mut bytes = Vec::new();
    let mut rest = uri.as_bytes();
    while let [first, more @ ..] = rest {
        match first {
            b'%' => {
                let hex = std::str::from_utf8(&more[..2]).expect("two digits");
                bytes.push(u8::from_str_radix(hex, 16).expect("two digits"));
                rest = &more[2..];
            }
            byte => {
                bytes.push(*byte);
                rest = more;
            }
        }
    }
    String::from_utf8(bytes).expect("UTF-8")
}

/// The text of a region, as a reader that counts code points cuts it out.
fn cut(root: &Path, location: &Value) -> (String, String) {
    let place = &location["physicalLocation"];
    assert_eq!(place["artifactLocation"]["uriBaseId"], "%SRCROOT%");
    let uri = place["artifactLocation"]["uri"].as_str().expect("a path");
    assert!(
        !uri.contains([' ', ',', ':', 'ä']) && !uri.starts_with('/'),
        "{uri}"
    );
    let file = decode(uri);
    let text = fs::read_to_string(root.join(&file)).expect("a file below the root");
    let number = |name: &str| {
        let number = place["region"][name].as_u64().expect("a number");
        usize::try_from(number).expect("a small number")
    };
    assert_eq!(number("startLine"), number("endLine"), "{place}");
    let line = text.lines().nth(number("startLine") - 1).expect("a line");
    let (from, to) = (number("startColumn") - 1, number("endColumn") - 1);
    (file, line.chars().skip(from).take(to - from).collect())
}

#[test]
fn regions_are_relative_to_the_repository_and_count_code_points() {
    let folder = repository();
    let log = log(&beside_the_plan(folder.path()), &["plän.yaml"], 3);
    conforms(&log);
    let run = &log["runs"][0];
    assert_eq!(run["columnKind"], "unicodeCodePoints");
    let root = run["originalUriBaseIds"]["%SRCROOT%"]["uri"]
        .as_str()
        .expect("a URI");
    assert!(
        root.starts_with("file:///") && root.ends_with('/'),
        "{root}"
    );
    let mut seen = Vec::new();
    for result in run["results"].as_array().expect("results") {
        let (file, text) = cut(folder.path(), &result["locations"][0]);
        let rule = usize::try_from(result["ruleIndex"].as_u64().expect("a number")).expect("small");
        let rule = &run["tool"]["driver"]["rules"][rule];
        assert_eq!(rule["id"], result["ruleId"]);
        let help = rule["help"]["markdown"].as_str().expect("a page");
        assert!(help.starts_with("## What\n"), "{help}");
        let because = result["suppressions"][0]["justification"]
            .as_str()
            .unwrap_or_default();
        let code = result["ruleId"].as_str().expect("a code").to_owned();
        let level = result["level"].as_str().expect("a level").to_owned();
        seen.push((code, level, file, text, because.to_owned()));
    }
    let has = |code: &str, level: &str, file: &str, text: &str, because: &str| {
        let wanted = (code, level, file, text, because);
        assert!(
            seen.iter()
                .any(|(a, b, c, d, e)| (&**a, &**b, &**c, &**d, &**e) == wanted),
            "{wanted:?} is not in {seen:#?}"
        );
    };
    has(
        "OR0501",
        "warning",
        PLAN,
        "S1",
        "the cache fills itself ]]> again, 100%",
    );
    has("OR0501", "warning", INCLUDED, "S2", "it is in the file");
    has("OR0501", "warning", INCLUDED, "S3", "");
    has("OR0405", "warning", PLAN, "P1", "");
    let reference = seen
        .iter()
        .find(|(code, ..)| code == "OR0204")
        .expect("a bad reference");
    assert_eq!(reference.1, "error");
}

#[test]
fn texts_of_the_plan_make_no_places_and_no_links() {
    let folder = repository();
    let log = log(
        &beside_the_plan(folder.path()),
        &["plän.yaml", "--level", "error"],
        3,
    );
    conforms(&log);
    let results = log["runs"][0]["results"].as_array().expect("results");
    let message = results
        .iter()
        .filter_map(|result| result["message"]["text"].as_str())
        .find(|text| text.contains("STEP"))
        .expect("the bad reference");
    let there = NASTY.replace('{', "{{").replace('}', "}}");
    let there = there.replace('[', "\\[").replace(']', "\\]");
    assert!(message.contains(&there), "{message}");
    assert!(log["runs"][0]["properties"]["hidden"].as_u64() > Some(0));
}

#[test]
fn strict_raises_what_is_not_allowed() {
    let folder = repository();
    let log = log(
        &beside_the_plan(folder.path()),
        &["plän.yaml", "--strict"],
        3,
    );
    conforms(&log);
    for result in log["runs"][0]["results"].as_array().expect("results") {
        let allowed = result["suppressions"] != serde_json::json!([]);
        assert!(
            allowed == (result["level"] == "warning") || result["level"] == "note",
            "{result}"
        );
    }
}

#[test]
fn outside_of_a_repository_the_current_folder_is_the_root() {
    let folder = repository();
    fs::remove_dir(folder.path().join(".git")).expect("an empty folder");
    let cli = Cli::new(&folder.path().join("my plans, 100%"));
    let log = log(&cli, &["a:b/plän.yaml", "../elsewhere.yaml"], 3);
    conforms(&log);
    let files: Vec<_> = log["runs"][0]["results"]
        .as_array()
        .expect("results")
        .iter()
        .map(|result| &result["locations"][0]["physicalLocation"]["artifactLocation"])
        .collect();
    let uris: Vec<_> = files
        .iter()
        .filter_map(|file| file["uri"].as_str())
        .collect();
    assert!(uris.contains(&"a%3Ab/pl%C3%A4n.yaml"), "{uris:?}");
    let outside = files
        .iter()
        .find(|file| file["uriBaseId"].is_null())
        .expect("one above");
    let uri = outside["uri"].as_str().expect("a URI");
    assert!(
        uri.starts_with("file:///") && uri.ends_with("/elsewhere.yaml"),
        "{uri}"
    );
}

/// Every finding that there is.
#[test]
fn the_whole_corpus_conforms() {
    let cli = Cli::new(Path::new(env!("CARGO_MANIFEST_DIR")));
    let log = log(
        &cli,
        &[
            "tests/plans/*/*.yaml",
            "plans/*/migration-strategy.yaml",
            "src",
        ],
        3,
    );
    conforms(&log);
    let rules = log["runs"][0]["tool"]["driver"]["rules"]
        .as_array()
        .expect("rules");
    assert!(rules.len() > 60, "{}", rules.len());
}
