#![expect(clippy::unwrap_used, reason = "a test may stop at the first surprise")]

mod back;
mod properties;

use serde_json::{Value, json};

use super::*;
use crate::manifest::migration::MigrationFile;

const AT: &str = "2026-06-01T12:00:00Z";

fn at() -> Timestamp {
    AT.parse().unwrap()
}

fn version(text: &str) -> Version {
    text.parse().unwrap()
}

/// The built-in engine with further migrations.
fn engine(files: &[&str]) -> Engine {
    let kind = Kind::run_manifest();
    let mut registry = Registry::built_in(&kind).unwrap();
    for text in files {
        let file: MigrationFile = serde_yaml::from_str(text).unwrap();
        let checked = file.check(&kind);
        registry
            .add(
                checked
                    .migration
                    .unwrap_or_else(|| panic!("{:?}", checked.problems)),
            )
            .unwrap();
    }
    Engine::new(kind, registry).unwrap()
}

fn to(engine: &Engine, text: &[u8], target: &str, kept: Option<&[u8]>) -> Migrated {
    match engine.migrate(text, target.parse().unwrap(), at(), kept) {
        Ok(Outcome::Migrated(migrated)) => migrated,
        other => panic!("{other:?}\n{}", String::from_utf8_lossy(text)),
    }
}

fn failure(engine: &Engine, text: &str, target: &str) -> Failure {
    engine
        .migrate(text.as_bytes(), target.parse().unwrap(), at(), None)
        .unwrap_err()
}

/// A document without its history and version.
fn apart(text: &[u8]) -> Value {
    let mut value: Value = serde_json::from_slice(text).unwrap();
    let object = value.as_object_mut().unwrap();
    object.shift_remove("migration_history");
    object.shift_remove("schema_version");
    value
}

const OLD: &str = "{\n  \"schema_version\": \"1.0.0\",\n  \"run_id\": \"r\",\n  \"job_id\": \"j\",\n  \"cost\": 1.10\n}\n";

#[test]
fn a_document_gets_its_new_fields_and_one_history_entry() {
    let migrated = to(&engine(&[]), OLD.as_bytes(), "latest", None);
    let text = String::from_utf8(migrated.text.clone()).unwrap();
    let expected = format!(
        r#"{{
  "schema_version": "1.2.0",
  "run_id": "r",
  "job_id": "j",
  "cost": 1.10,
  "input_snapshots": {{}},
  "inputs_hash": null,
  "chain_metadata": {{
    "is_chainable_stage": false
  }},
  "migration_history": [
    {{
      "from_version": "1.0.0",
      "to_version": "1.2.0",
      "applied_at": "{AT}",
      "changes": [
        [
          "Add `input_snapshots`, empty where nothing was recorded",
          "Add `inputs_hash`, null where nothing was recorded",
          "Add `chain_metadata`, which says that the run is no stage of a chain"
        ]
      ],
      "checksum_before": "{}",
      "checksum_after": "{}"
    }}
  ]
}}
"#,
        sha256(OLD.as_bytes()),
        migrated.checksum_after,
    );
    assert_eq!(text, expected);
    let zeroed = text.replace(
        &migrated.checksum_after,
        &format!("sha256:{}", "0".repeat(64)),
    );
    assert_eq!(sha256(zeroed.as_bytes()), migrated.checksum_after);
    assert_eq!((migrated.kept, migrated.kept_used), (None, false));
}

#[test]
fn what_is_there_already_stays() {
    let text = OLD.replace(
        "\"cost\": 1.10",
        "\"inputs_hash\": \"mine\", \"chain_metadata\": 1e400",
    );
    let migrated = to(&engine(&[]), text.as_bytes(), "latest", None);
    let now = String::from_utf8(migrated.text).unwrap();
    assert!(
        now.contains("\"inputs_hash\": \"mine\", \"chain_metadata\": 1e400"),
        "{now}"
    );
}

#[test]
fn a_second_run_does_nothing() {
    let engine = engine(&[]);
    let once = to(&engine, OLD.as_bytes(), "latest", None).text;
    let again = engine.migrate(&once, Target::Latest, at(), None).unwrap();
    assert_eq!(
        again,
        Outcome::Current {
            version: version("1.2.0")
        }
    );
}

#[test]
fn hops_are_listed_and_the_history_grows_by_one() {
    let engine = engine(&[PRIORITY]);
    let first = to(&engine, OLD.as_bytes(), "1.1.0", None);
    let second = to(&engine, &first.text, "latest", None);
    assert_eq!(second.changes.len(), 2);
    let value: Value = serde_json::from_slice(&second.text).unwrap();
    let history = value["migration_history"].as_array().unwrap();
    assert_eq!(history.len(), 2);
    assert_eq!(history[1]["to_version"], "1.3.0");
    assert_eq!(history[1]["checksum_before"], sha256(&first.text).as_str());
    assert_eq!(value["priority_level"], "normal");
}

const PRIORITY: &str = "
from_version: 1.2.0
to_version: 1.3.0
operations: [{add: {at: /priority_level, default: normal}}]
";

#[test]
fn versions_that_cannot_be_are_named() {
    let engine = engine(&[]);
    let with = |version: &str| OLD.replace("\"1.0.0\"", version);
    let class = |text: &str| failure(&engine, text, "latest").class();
    assert_eq!(class(&with("\"9.0.0\"")), "unknown_version");
    assert_eq!(class(&with("\"0.9.0\"")), "unknown_version");
    assert_eq!(class(&with("\"one\"")), "unknown_version");
    assert_eq!(class(&with("1.0")), "unknown_version");
    assert_eq!(class(&with("null")), "unknown_version");
    assert_eq!(
        class(&OLD.replace("schema_version", "version")),
        "no_version"
    );
    assert_eq!(class("{\"schema_version\": \"1.0.0\""), "corrupted");
    assert_eq!(class("[]"), "no_version");
    assert!(
        failure(&engine, &with("\"9.0.0\""), "latest")
            .to_string()
            .contains("later than 1.2.0")
    );
    assert_eq!(failure(&engine, OLD, "1.5.0").class(), "no_path");
    assert_eq!(
        failure(&engine, &OLD.replace("\"run_id\"", "\"id\""), "latest").class(),
        "not_fit"
    );
    assert_eq!(
        failure(&engine, &OLD.replace("\"r\"", "null"), "latest").class(),
        "not_fit"
    );
    let odd = OLD.replace("\"cost\": 1.10", "\"migration_history\": {}");
    assert_eq!(failure(&engine, &odd, "latest").class(), "not_fit");
}

#[test]
fn verify_sees_any_later_edit() {
    let engine = engine(&[]);
    assert!(!engine.verify(OLD.as_bytes()).unwrap().checksum);
    let migrated = to(&engine, OLD.as_bytes(), "latest", None).text;
    let verified = engine.verify(&migrated).unwrap();
    assert_eq!(
        (verified.version, verified.checksum),
        (version("1.2.0"), true)
    );
    let text = String::from_utf8(migrated).unwrap();
    for edited in [
        text.replace("1.10", "1.1"),
        text.replace("  \"run_id\"", "   \"run_id\""),
        text.replace(
            "\"checksum_after\": \"sha256:",
            "\"checksum_after\": \"sha256:0",
        )
        .replacen("0\"\n    }", "\"\n    }", 1),
        text.trim_end().to_owned(),
    ] {
        let class = engine.verify(edited.as_bytes()).unwrap_err().class();
        assert!(
            ["checksum", "not_fit"].contains(&class),
            "{class}: {edited}"
        );
    }
}

#[test]
fn schemas_hold_before_and_after() {
    let schema = |required: &[&str]| json!({"type": "object", "required": required, "properties": {"cost": {"type": "number"}}});
    let mut kind = Kind::run_manifest();
    kind.schemas.insert(version("1.0.0"), schema(&["cost"]));
    kind.schemas
        .insert(version("1.2.0"), schema(&["chain_metadata"]));
    kind.schemas.insert(version("1.1.0"), schema(&["never"]));
    let registry = Registry::built_in(&kind).unwrap();
    let engine = Engine::new(kind.clone(), registry.clone()).unwrap();
    to(&engine, OLD.as_bytes(), "latest", None);
    let told = failure(&engine, OLD, "1.1.0");
    assert_eq!(told.class(), "schema");
    assert!(told.to_string().contains("never"), "{told}");
    assert_eq!(
        failure(&engine, &OLD.replace("1.10", "\"x\""), "latest").class(),
        "schema"
    );
    kind.schemas
        .insert(version("1.2.0"), json!({"type": "objekt"}));
    assert!(Engine::new(kind, registry).is_err());
}

#[test]
fn the_layout_of_the_document_is_kept() {
    let engine = engine(&[]);
    let flat = OLD.replace("\n  ", "").replace("\n", "").replace(": ", ":");
    let text = String::from_utf8(to(&engine, flat.as_bytes(), "latest", None).text).unwrap();
    assert!(
        !text.contains('\n') && text.contains("\"inputs_hash\":null"),
        "{text}"
    );
    let windows = format!("\u{feff}{}", OLD.replace('\n', "\r\n"));
    let text = String::from_utf8(to(&engine, windows.as_bytes(), "latest", None).text).unwrap();
    assert!(
        text.starts_with('\u{feff}') && text.ends_with("}\r\n"),
        "{text}"
    );
    assert_eq!(text.matches('\n').count(), text.matches("\r\n").count());
}

#[test]
fn engines_are_shared_between_threads() {
    fn shared<T: Send + Sync>() {}
    shared::<Engine>();
    for name in Kind::BUILT_IN {
        assert!(Engine::built_in(name).is_ok());
    }
    assert!(Engine::built_in("other").is_err());
}
