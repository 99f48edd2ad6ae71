#![expect(clippy::unwrap_used, reason = "a test may stop at the first surprise")]

use super::*;
use crate::manifest::registry::BUILT_IN;

/// The built-in files pass the reader of folders without a word, and say the same to both readers.
#[test]
fn built_in_files_are_read_like_any_other() {
    for (of, name, text) in BUILT_IN {
        let kind = Kind::built_in(of).unwrap();
        let (migration, findings) = check_text(name, text, &kind).unwrap();
        assert_eq!(findings, []);
        let registry = Registry::built_in(&kind).unwrap();
        assert!(registry.migrations().any(|one| *one == migration), "{name}");
    }
}

/// What the schema accepts is what the reader accepts, and what serde accepts.
#[test]
fn the_reader_and_the_schema_agree() {
    let schema = crate::plan::schema::migration_shapes();
    let validator = jsonschema::validator_for(schema).unwrap();
    let start = "from_version: 1.0.0\nto_version: 1.1.0\n";
    for (rest, fits) in [
        ("operations: []", true),
        ("", true),
        ("operations: [{add: {at: /a, default: null}}]", true),
        (
            "x-mine: 1\noperations: [{add: {at: /a, default: {x-y: 1}, x-z: 2}}]",
            true,
        ),
        ("operations: [{add: {at: /a}}]", false),
        ("operations: [{add: {at: 1, default: 1}}]", false),
        ("operations: [{ad: {at: /a, default: 1}}]", false),
        ("operations: {}", false),
        ("operations: [add]", false),
        ("breaking: 'yes'", false),
        ("changes: text", false),
        (
            "operations: [{convert: {at: /a, from: string, to: int}}]",
            false,
        ),
        (
            "operations: [{for_each: {in: /a, do: [{remove: {at: /b, x: 1}}]}}]",
            false,
        ),
    ] {
        let text = format!("{start}{rest}\n");
        let value: serde_json::Value = serde_yaml::from_str(&text).unwrap();
        assert_eq!(validator.is_valid(&value), fits, "{rest}");
        let mut findings = Vec::new();
        let (arena, found) = parse(&Arc::new(SourceText::new("m.yaml", text)));
        assert_eq!(found, []);
        let read = shape::read(&arena.unwrap(), schema, "the migration", &mut findings);
        assert_eq!(read.is_some(), fits, "{rest}: {findings:#?}");
        assert_eq!(findings.is_empty(), fits, "{rest}");
        if let Some(value) = read {
            assert!(
                serde_json::from_value::<MigrationFile>(value).is_ok(),
                "{rest}"
            );
        }
    }
}

#[test]
fn without_a_folder_there_are_the_built_in_ones() {
    let loaded = load(None, None).unwrap();
    assert_eq!(loaded.engine.kind().name, "run_manifest");
    assert_eq!(
        loaded.engine.registry().latest(),
        Some(Version::new(1, 2, 0))
    );
    assert!(loaded.findings.is_empty() && loaded.files.is_empty());
    assert_eq!(
        load(None, Some("brief")).unwrap().engine.kind().name,
        "brief"
    );
    let refused = load(None, Some("run_manifests")).unwrap_err();
    assert_eq!(refused.findings[0].code, codes::KIND_UNKNOWN);
    assert!(
        refused.findings[0]
            .help
            .as_deref()
            .unwrap()
            .starts_with("did you mean `run_manifest`?")
    );
    let missing = load(Some(Path::new("no/such/folder")), None).unwrap_err();
    assert_eq!(missing.findings[0].code, codes::FILE_MISSING);
}
