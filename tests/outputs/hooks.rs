//! The pre-commit hooks: their shape, and that what they start does what is said.

use std::fs;
use std::path::Path;

use clap::Parser as _;
use orchestrate::cli::Arguments;
use serde_json::Value;

use crate::support::cli::Cli;

fn hooks() -> Vec<Value> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(".pre-commit-hooks.yaml");
    let text = fs::read_to_string(path).expect("the hooks");
    serde_yaml::from_str(&text).expect("a list of mappings")
}

#[test]
fn every_hook_can_be_started() {
    let plan = "plans/quickstart/migration-strategy.yaml";
    let cli = Cli::new(Path::new(env!("CARGO_MANIFEST_DIR")));
    let hooks = hooks();
    assert!(!hooks.is_empty());
    for hook in &hooks {
        let text = |key: &str| {
            hook[key]
                .as_str()
                .unwrap_or_else(|| panic!("{hook}: no {key}"))
        };
        assert!(
            !text("id").is_empty() && !text("name").is_empty() && !text("description").is_empty()
        );
        assert!(["rust", "system"].contains(&text("language")));
        let files = regex_lite::Regex::new(text("files")).expect("a pattern");
        assert!(files.is_match(plan) && files.is_match("migration-strategy.yml"));
        assert!(!files.is_match("my-migration-strategy.yaml.bak"));
        let mut line: Vec<&str> = text("entry").split_whitespace().collect();
        line.push(plan);
        Arguments::try_parse_from(&line).expect("a command line of ours");
        cli.run(&line[1..]).with_code(0);
    }
}
