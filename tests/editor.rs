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

    /// Line and column, from 0, of the first letter of some words.
    fn place(&self, words: &str) -> (usize, usize) {
        let at = self
            .text
            .find(words)
            .unwrap_or_else(|| panic!("{words:?} is in the document"));
        let before = &self.text[..at];
        let line = before.matches('\n').count();
        (line, at - before.rfind('\n').map_or(0, |end| end + 1))
    }
}

/// The text of a hover.
fn words(hover: &Value) -> String {
    let contents = &hover["contents"];
    contents["value"]
        .as_str()
        .or_else(|| contents.as_str())
        .unwrap_or_default()
        .to_owned()
}

#[test]
fn a_typo_is_diagnosed_and_a_key_explained() {
    let mut server = start();
    let right = Document::new(
        "right.yaml",
        "metadata:\n  version: \"1\"\n  migration_name: a\nmigration_overview:\n  name: a\nmigration_phases:\n- phase_id: P\n  name: p\n  order: 1\n",
    );
    assert_eq!(server.open(&right.uri, &right.text), Vec::<Value>::new());
    let hover = server.ask_at(
        "textDocument/hover",
        &right.uri,
        right.place("migration_overview"),
    );
    assert!(words(&hover).contains("migration"), "{hover}");

    let wrong = Document::new("wrong.yaml", &right.text.replace("  order: 1", "  ordr: 1"));
    let found = server.open(&wrong.uri, &wrong.text);
    assert!(
        found.iter().any(|one| one["message"]
            .as_str()
            .is_some_and(|text| text.contains("ordr"))),
        "{found:#?}"
    );
}
