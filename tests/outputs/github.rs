//! Workflow commands: read as their documentation says, and compared with what GitHub's own toolkit writes.

use std::collections::BTreeMap;
use std::io::Write as _;
use std::process::{Command, Stdio};

use orchestrate::base::diagnostic::Code;
use serde_json::{Value, json};

use super::{INCLUDED, NASTY, PLAN, beside_the_plan, repository};
use crate::support::tools::node_module;

#[derive(Debug, PartialEq, Eq)]
struct Annotation {
    name: String,
    properties: BTreeMap<String, String>,
    message: String,
}

/// Undoes the escapes that are documented, and accepts no others.
fn unescape(text: &str, known: &[(&str, char)]) -> String {
    let mut parts = text.split('%');
    let mut out = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let escape = known.iter().find(|(digits, _)| part.starts_with(digits));
        let (digits, c) = escape.unwrap_or_else(|| panic!("%{part} is no escape"));
        out.push(*c);
        out.push_str(&part[digits.len()..]);
    }
    out
}

/// `::name key=value,key=value::message`, a line each.
fn annotations(text: &str) -> Vec<Annotation> {
    const DATA: [(&str, char); 3] = [("25", '%'), ("0D", '\r'), ("0A", '\n')];
    const PROPERTY: [(&str, char); 5] = [DATA[0], DATA[1], DATA[2], ("3A", ':'), ("2C", ',')];
    text.split_terminator('\n')
        .map(|line| {
            let rest = line
                .strip_prefix("::")
                .unwrap_or_else(|| panic!("{line}: no command"));
            let (head, message) = rest.split_once("::").expect("an end of the head");
            let (name, list) = head.split_once(' ').expect("properties");
            assert!(["error", "warning", "notice"].contains(&name), "{line}");
            let mut properties = BTreeMap::new();
            for pair in list.split(',') {
                let (key, value) = pair.split_once('=').expect("a value");
                let known = ["file", "line", "endLine", "col", "endColumn", "title"];
                assert!(known.contains(&key) && !value.contains(':'), "{pair}");
                let old = properties.insert(key.to_owned(), unescape(value, &PROPERTY));
                assert_eq!(old, None, "{key} twice");
            }
            assert!(!message.contains('\r'));
            Annotation {
                name: name.to_owned(),
                properties,
                message: unescape(message, &DATA),
            }
        })
        .collect()
}

/// What GitHub's toolkit writes for the same findings.
fn toolkit(findings: &[Value]) -> Vec<Annotation> {
    const SCRIPT: &str = r#"
        const core = require(process.argv[1]);
        const findings = JSON.parse(require('fs').readFileSync(0, 'utf8'));
        for (const f of findings) core[f.how](f.message, f.properties);
    "#;
    let findings: Vec<_> = findings
        .iter()
        .map(|finding| {
            let code = finding["code"].as_str().expect("a code");
            let title = Code::find(code).expect("a code of ours").title;
            let how = match finding["level"].as_str() {
                Some("note") => "notice",
                Some(level) => level,
                None => panic!("{finding}: no level"),
            };
            let mut message = finding["message"].as_str().expect("a message").to_owned();
            if let Some(help) = finding["help"].as_str() {
                message.push_str("\nhelp: ");
                message.push_str(help);
            }
            let file = finding["file"].as_str().expect("a file");
            let file = if file.ends_with("plän.yaml") {
                PLAN
            } else {
                INCLUDED
            };
            json!({"how": how, "message": message, "properties": {
                "title": format!("{code}: {title}"),
                "file": file,
                "startLine": finding["line"],
                "endLine": finding["end_line"],
                "startColumn": finding["column"],
                "endColumn": finding["end_column"],
            }})
        })
        .collect();
    let mut child = Command::new("node")
        .args(["-e", SCRIPT])
        .arg(node_module("@actions/core"))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("node");
    let mut stdin = child.stdin.take().expect("a pipe");
    stdin
        .write_all(json!(findings).to_string().as_bytes())
        .expect("node reads");
    drop(stdin);
    let output = child.wait_with_output().expect("node ends");
    assert!(output.status.success());
    annotations(&String::from_utf8(output.stdout).expect("UTF-8"))
}

#[test]
fn annotations_are_what_the_toolkit_writes() {
    let folder = repository();
    let cli = beside_the_plan(folder.path());
    let ended = cli
        .run(&["validate", "plän.yaml", "--output", "github"])
        .with_code(3);
    let ours = annotations(&ended.stdout);
    let json = cli
        .run(&["validate", "plän.yaml", "--output", "json"])
        .json();
    let findings: Vec<_> = json
        .into_iter()
        .filter(|line| line["type"] == "finding" && line["suppressed"].is_null())
        .collect();
    assert!(findings.len() > 3, "{findings:#?}");
    assert_eq!(ours, toolkit(&findings));
    assert!(
        ours.iter().any(|one| one.message.contains(NASTY)),
        "{ours:#?}"
    );
    assert!(
        ours.iter()
            .all(|one| !one.message.contains("`S1` has no way back")),
        "{ours:#?}"
    );
    assert!(ended.stderr.contains(", 2 allowed"), "{}", ended.stderr);
}

#[test]
fn strict_and_level_hold_here_too() {
    let folder = repository();
    let cli = beside_the_plan(folder.path());
    let all = [
        "validate",
        "plän.yaml",
        "--output",
        "github",
        "--strict",
        "--level",
        "error",
    ];
    let ended = cli.run(&all).with_code(3).says("hidden");
    assert!(
        annotations(&ended.stdout)
            .iter()
            .all(|one| one.name == "error")
    );
    assert!(ended.stdout.contains("OR0405"), "{}", ended.stdout);
}
