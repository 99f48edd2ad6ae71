//! The schema in an editor: the real yaml-language-server, asked what an author asks it.

use std::path::Path;

use serde_json::{Value, json};

use crate::support::lsp::Server;
use crate::support::tools;

/// What an editor with the schema's line in the plan sets; nothing is fetched from anywhere.
fn start() -> Server {
    let mut command = tools::node("yaml-language-server", "bin/yaml-language-server");
    command.arg("--stdio");
    Server::start(
        command,
        &json!({"yaml": {
            "validate": true, "hover": true, "completion": true,
            "schemaStore": {"enable": false},
        }}),
    )
}

/// A plan as an editor opens it: its first line names the schema.
struct Document {
    uri: String,
    text: String,
}

impl Document {
    fn new(name: &str, body: &str) -> Self {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests");
        Self {
            uri: format!("file://{}", folder.join(name).display()),
            text: format!(
                "# yaml-language-server: $schema=../schemas/migration-strategy.schema.json\n{body}"
            ),
        }
    }

    /// Line and column, from 0, just behind the first letter of some words: before it still belongs to what is above.
    fn place(&self, words: &str) -> (usize, usize) {
        let at = self
            .text
            .find(words)
            .unwrap_or_else(|| panic!("{words:?} is in the document"));
        let before = &self.text[..=at];
        let line = before.matches('\n').count();
        (
            line,
            before.len() - before.rfind('\n').map_or(0, |end| end + 1),
        )
    }
}

/// A plan that has something at every level.
const PLAN: &str = r#"metadata:
  version: "1"
  migration_name: practice
migration_overview:
  name: Practice
  constraints:
    migration_window: {days: weekdays, start: "10:00", end: "16:00", timezone: Europe/Berlin}
variables:
  TARGET: {default: v2}
prerequisites:
- prerequisite_id: PREREQ-1
  name: the flag service is there
  type: infrastructure
  validation: {status: pending}
migration_phases:
- phase_id: PHASE-1
  name: Schema
  order: 1
  steps:
  - step_id: STEP-1-1
    name: Backup
    order: 1
    type: data_migration
    idempotent: true
    preconditions: [ready]
    execution_details:
      automation_script: {path: scripts/backup.sh, args: [--all]}
      commands:
      - make backup
    validation:
      validation_checks:
      - check: the backup is there
        file: {path: backup.sql, min_bytes: 1}
      validation_script: scripts/validate.sh
    rollback_procedure:
      can_rollback: true
      only_if: {command: test -f used}
      rollback_steps:
      - run: ./undo.sh
        timeout: 5m
    retry: {attempts: 3}
    observe: {for: 3 days, every: 5m}
    on_interrupt: stop
    done_if: {command: test -f backup.sql}
  validation_gate:
    gate_id: GATE-1
    name: Schema is right
    approvers: [DBA Lead]
    failure_response: rollback
  rollback_point:
    can_rollback_from_here: true
    rollback_procedure: {script: scripts/undo.sh}
rollback_strategy:
  on_failure: phase
  rollback_levels:
  - level: full
    decision_maker: VP
    replaces_steps: false
monitoring_and_observability:
  migration_monitoring:
  - metric_name: Error Rate
    unit: "%"
    measurement_method: {command: ./rate.sh}
success_criteria:
  migration_complete_definition: {criteria: [done]}
"#;

/// The text of a hover.
fn words(hover: &Value) -> String {
    let contents = &hover["contents"];
    let text = contents["value"].as_str().or_else(|| contents.as_str());
    text.unwrap_or_default().to_owned()
}

/// What is offered at a place: label, what is inserted, explanation.
fn offers(answer: &Value) -> Vec<(String, String, String)> {
    let items = answer["items"].as_array().or_else(|| answer.as_array());
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    items
        .into_iter()
        .flatten()
        .map(|item| {
            let told = &item["documentation"];
            let told = if told["value"].is_string() {
                &told["value"]
            } else {
                told
            };
            (text(&item["label"]), text(&item["insertText"]), text(told))
        })
        .collect()
}

#[test]
fn a_hover_over_every_key_teaches() {
    let mut server = start();
    let plan = Document::new("practice.yaml", PLAN);
    assert_eq!(server.open(&plan.uri, &plan.text), Vec::<Value>::new());
    // Each key, how it is found, and words that only a description which teaches has.
    for (at, taught) in [
        ("migration_name:", "names the lock"),
        ("migration_overview:", "window under `constraints`"),
        ("constraints:", "downtime"),
        ("migration_window:", "`--override-window REASON`"),
        ("days:", "`weekdays`"),
        ("timezone:", "America/New_York"),
        ("variables:", "`ORCHESTRATE_VAR_<NAME>`"),
        ("default: v2", "value when nothing else gives one"),
        ("prerequisites:", "before the run starts"),
        ("status: pending", "keeps every run from starting"),
        ("migration_phases:", "one after another by `order`"),
        ("idempotent:", "default `false`"),
        ("type: data_migration", "`validation`: Nothing changes"),
        ("preconditions:", "STEP-3-1 successful"),
        ("execution_details:", "exactly one"),
        ("automation_script:", "in place of `commands`"),
        ("path: scripts/backup.sh", "plan file's folder"),
        ("args:", "never through a shell"),
        ("commands:", "they only document it"),
        ("make backup", "pipe"),
        ("validation_checks:", "after the step"),
        ("check: the backup", "release is live"),
        ("file: {", "min_bytes: 1"),
        ("min_bytes:", "bytes long"),
        ("validation_script:", "covers"),
        ("rollback_procedure:", "wall"),
        ("can_rollback:", "Absent means"),
        ("only_if:", "left as it is"),
        ("rollback_steps:", "confirmed by a person"),
        ("run: ./undo.sh", "never templated"),
        ("timeout: 5m", "process tree is killed"),
        ("retry:", "failed (not an unknown) outcome"),
        ("observe:", "every: 5m"),
        ("every:", "default `60s`"),
        ("on_interrupt:", "`finish`: The step is carried to its end"),
        ("done_if:", "after a crash"),
        (
            "validation_gate:",
            "nothing later starts before it has passed",
        ),
        ("approvers:", "All of them must"),
        ("failure_response:", "`block`: The gate stays closed"),
        ("can_rollback_from_here:", "wall"),
        ("rollback_procedure: {script", "last started first"),
        ("on_failure:", "`full`: Everything is undone"),
        ("level: full", "`phase`: One phase is undone"),
        ("replaces_steps:", "contingency"),
        ("unit:", "converted"),
        ("measurement_method:", "reads the figure off"),
        ("migration_complete_definition:", "the run waits"),
    ] {
        let hover = words(&server.ask_at("textDocument/hover", &plan.uri, plan.place(at)));
        assert!(hover.contains(taught), "over {at:?} stands:\n{hover}");
        // What an editor shows of a union that it did not understand.
        assert!(!hover.contains("||"), "over {at:?} stands:\n{hover}");
        assert!(!hover.contains("\\`"), "over {at:?} stands:\n{hover}");
    }
}

#[test]
fn completion_offers_the_keys_and_choices_of_the_place() {
    let mut server = start();
    let head = "metadata: {version: \"1\", migration_name: a}\nmigration_overview: {name: a}\nmigration_phases:\n- phase_id: P\n  name: p\n  order: 1\n";
    let mut number = 0;
    let mut at = |body: &str| {
        number += 1;
        let place = body.find('…').expect("the place is marked");
        let text = format!("{head}{}", body.replace('…', ""));
        let document = Document::new(&format!("completion-{number}.yaml"), &text);
        server.open(&document.uri, &document.text);
        let before = format!("{head}{}", &body[..place]);
        let line = before.matches('\n').count() + 1;
        let column = before.len() - before.rfind('\n').map_or(0, |end| end + 1);
        offers(&server.ask_at("textDocument/completion", &document.uri, (line, column)))
    };
    let mut offered = |body: &str, wanted: &[(&str, &str)]| {
        let offers = at(body);
        for (label, taught) in wanted {
            let offer = offers.iter().find(|(found, ..)| found == label);
            let Some((_, _, told)) = offer else {
                panic!("{label} is not offered in {body:?}, but {offers:#?}");
            };
            assert!(
                told.contains(taught),
                "{label} in {body:?} is told as {told:?}"
            );
        }
        offers
    };

    let in_a_step = offered(
        "  steps:\n  - step_id: A\n    …\n",
        &[
            ("depends_on", "`[]` waits for none"),
            ("execution_details", "exactly one"),
            ("rollback_procedure", "wall"),
            ("idempotent", "no harm"),
            ("observe", "measured again"),
            ("done_if", "after a crash"),
        ],
    );
    for (label, inserted, told) in &in_a_step {
        assert_ne!(label, "step_id", "it is there already");
        assert!(told.len() >= 20, "{label} is not explained: {told:?}");
        // Defaults of settings that nobody asked for must not be written into the plan.
        assert!(
            !inserted.contains("min_pass"),
            "{label} inserts {inserted:?}"
        );
    }

    offered(
        "  validation_gate:\n    …\n",
        &[
            ("criteria", "All are evaluated"),
            ("approvers", "All of them must"),
            ("evidence_max_age", "default `10m`"),
        ],
    );
    let choices = offered(
        "  validation_gate:\n    failure_response: …\n",
        &[
            ("block", "stays closed"),
            ("rollback", "The phase is undone"),
            ("manual_decision", "A person is asked"),
        ],
    );
    assert_eq!(choices.len(), 3, "{choices:#?}");
    offered(
        "  steps:\n  - step_id: A\n    type: …\n",
        &[
            ("validation", "Nothing changes"),
            ("code_deployment", "deployed"),
        ],
    );
    offered(
        "  steps:\n  - step_id: A\n    validation:\n      validation_checks:\n      - …\n",
        &[
            ("check", "title"),
            ("command", "exits 0"),
            ("file", "as described"),
            ("metric", "measured now"),
            ("when", "`steps`"),
            ("manual", "attests"),
        ],
    );
    offered(
        "  steps:\n  - step_id: A\n    execution_details:\n      commands:\n      - run: x\n        shell: …\n",
        &[("bash", "pipe"), ("sql", "psql")],
    );
    offered(
        "  steps:\n  - step_id: A\n    execution_details:\n      automation_script:\n        …\n",
        &[("path", "plan file's folder"), ("timeout", "killed")],
    );
}

#[test]
fn slips_are_diagnosed() {
    let mut server = start();
    for (right, wrong, told) in [
        (
            "rollback_procedure:\n      can",
            "rollback_procdure:\n      can",
            "rollback_procdure",
        ),
        (
            "failure_response: rollback",
            "failure_response: undo",
            "block",
        ),
        ("  order: 1\n  steps", "  steps", "order"),
        ("attempts: 3", "attempts: many", "integer"),
        (
            "file: {path: backup.sql, min_bytes: 1}",
            "bogus: 1",
            "bogus",
        ),
    ] {
        assert!(PLAN.contains(right), "{right:?}");
        let document = Document::new(&format!("{told}.yaml"), &PLAN.replace(right, wrong));
        let found = server.open(&document.uri, &document.text);
        let messages: Vec<_> = found.iter().map(|one| one["message"].to_string()).collect();
        assert!(
            messages.iter().any(|message| message.contains(told)),
            "{wrong:?} is diagnosed as {messages:#?}"
        );
    }
}

#[test]
fn plans_that_are_right_have_no_diagnostics() {
    let mut server = start();
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut plans = 0;
    for path in [
        "tests/plans/valid/discount-example/migration-strategy.yaml",
        "plans/discount-code/migration-strategy.yaml",
        "plans/manifest-upgrade/migration-strategy.yaml",
        "plans/quickstart/migration-strategy.yaml",
        "examples/minimal/migration-strategy.yaml",
    ] {
        let text = std::fs::read_to_string(root.join(path))
            .unwrap_or_else(|error| panic!("{path}: {error}"));
        let schema = root.join("schemas/migration-strategy.schema.json");
        let text = format!(
            "# yaml-language-server: $schema={}\n{text}",
            schema.display()
        );
        let uri = format!("file://{}", root.join(path).display());
        assert_eq!(server.open(&uri, &text), Vec::<Value>::new(), "{path}");
        plans += 1;
    }
    assert_eq!(plans, 5);
}
