#![expect(clippy::unwrap_used, reason = "a test may stop at the first surprise")]

use super::*;
use crate::manifest::kind::Kind;

/// The rules that a file breaks, with their places.
fn broken(text: &str) -> Vec<(Rule, String)> {
    let file: MigrationFile = serde_yaml::from_str(text).unwrap();
    let checked = file.check(&Kind::run_manifest());
    let usable = checked.problems.iter().all(|one| one.rule.is_warning());
    assert_eq!(checked.migration.is_some(), usable);
    checked
        .problems
        .into_iter()
        .map(|one| (one.rule, one.pointer))
        .collect()
}

fn minor(operations: &str) -> Vec<(Rule, String)> {
    broken(&format!(
        "{{from_version: 1.2.0, to_version: 1.3.0, operations: [{operations}]}}"
    ))
}

fn major(operations: &str) -> Vec<(Rule, String)> {
    broken(&format!(
        "{{from_version: 1.2.0, to_version: 2.0.0, breaking: true, loses: names, operations: [{operations}]}}"
    ))
}

fn one(rule: Rule, pointer: &str) -> Vec<(Rule, String)> {
    vec![(rule, pointer.to_owned())]
}

#[test]
fn adding_needs_nothing_and_the_rest_a_declaration() {
    assert_eq!(
        minor("{add: {at: /a, default: null}}, {copy: {from: /a, to: /b}}"),
        []
    );
    assert_eq!(
        minor("{for_each: {in: /a, do: [{add: {at: /b, default: 1}}]}}"),
        []
    );
    let breaking = [
        ("{rename: {at: /a, to: b}}", "rename"),
        ("{move: {from: /a, to: /b}}", "move"),
        ("{set: {at: /a, value: 1}}", "set"),
        ("{convert: {at: /a, from: string, to: integer}}", "convert"),
        ("{remove: {at: /a}}", "remove"),
    ];
    for (operation, name) in breaking {
        assert_eq!(
            minor(operation),
            one(Rule::Additive, &format!("/operations/0/{name}"))
        );
        assert_eq!(major(operation), []);
    }
    let inner = "{for_each: {in: /a, do: [{remove: {at: /b}}]}}";
    assert_eq!(
        minor(inner),
        one(Rule::Additive, "/operations/0/for_each/do/0/remove")
    );
    let text = "{from_version: 1.2.0, to_version: 2.0.0, breaking: true, operations: [{remove: {at: /a}}]}";
    assert_eq!(broken(text), one(Rule::Additive, "/operations/0/remove"));
    assert_eq!(
        major("{add: {at: /a, default: 1}}"),
        one(Rule::NeedlesslyBreaking, "/breaking")
    );
}

#[test]
fn identity_version_and_history_are_never_touched() {
    for operation in [
        "{add: {at: /job_ref, default: x}}",
        "{rename: {at: /a, to: run_id}}",
        "{copy: {from: /a, to: /job_id}}",
        "{add: {at: /run_id/inner, default: x}}",
    ] {
        let found = major(operation);
        assert_eq!(found[0].0, Rule::Identity, "{operation}");
    }
    assert_eq!(minor("{copy: {from: /run_id, to: /origin}}"), []);
    assert_eq!(
        major("{remove: {at: /schema_version}}"),
        one(Rule::Reserved, "/operations/0/remove/at")
    );
    assert_eq!(
        major("{set: {at: /migration_history/0, value: 1}}"),
        one(Rule::Reserved, "/operations/0/set/at")
    );
    assert_eq!(minor("{set: {at: /schema_version, value: 1.3.0}}"), []);
    assert_eq!(
        minor("{set: {at: /schema_version, value: 1.4.0}}"),
        one(Rule::Reserved, "/operations/0/set/value")
    );
    let mut kind = Kind::run_manifest();
    kind.identity.push("/stages/0/id".parse().unwrap());
    let file: MigrationFile = serde_yaml::from_str(
        "{from_version: 1.0.0, to_version: 2.0.0, breaking: true, loses: x, operations: [{for_each: {in: /stages, do: [{remove: {at: /id}}]}}]}",
    )
    .unwrap();
    assert_eq!(file.check(&kind).problems[0].rule, Rule::Identity);
}

#[test]
fn operations_do_not_contradict_each_other() {
    assert_eq!(
        minor("{add: {at: /a, default: 1}}, {add: {at: /a, default: 2}}"),
        one(Rule::Contradiction, "/operations/1/add/at")
    );
    assert_eq!(
        major("{remove: {at: /a}}, {set: {at: /a/b, value: 2}}"),
        one(Rule::Contradiction, "/operations/1/set/at")
    );
    assert_eq!(major("{remove: {at: /a}}, {add: {at: /a, default: 2}}"), []);
    assert_eq!(
        major("{rename: {at: /a, to: b}}, {rename: {at: /c, to: a}}"),
        []
    );
    assert_eq!(major("{rename: {at: /a, to: b}}, {remove: {at: /b}}"), []);
    assert_eq!(
        major("{move: {from: /a, to: /a/b}}"),
        one(Rule::Contradiction, "/operations/0/move/to")
    );
    assert_eq!(major("{rename: {at: /a, to: a}}").len(), 1);
}

#[test]
fn versions_pointers_and_conversions_are_clear() {
    let text = "{from_version: '1.2', to_version: 1.3.0, operations: []}";
    assert_eq!(broken(text), one(Rule::Version, "/from_version"));
    let text = "{from_version: 1.3.0, to_version: 1.2.0, operations: []}";
    assert_eq!(broken(text), one(Rule::Rises, "/to_version"));
    let text =
        "{from_version: 1.3.0, to_version: 1.3.1, operations: [{add: {at: /a, default: 1}}]}";
    assert_eq!(broken(text), one(Rule::Patch, "/to_version"));
    for pointer in ["a", "''", "/a/-", "/a/*/b", "/a~2"] {
        let found = minor(&format!("{{add: {{at: {pointer}, default: 1}}}}"));
        assert_eq!(
            found,
            one(Rule::Pointer, "/operations/0/add/at"),
            "{pointer}"
        );
    }
    assert_eq!(minor("{}"), one(Rule::OneOperation, "/operations/0"));
    assert_eq!(
        minor("{add: {at: /a, default: 1}, remove: {at: /b}}"),
        one(Rule::OneOperation, "/operations/0")
    );
    assert_eq!(
        major("{convert: {at: /a, to: integer}}"),
        one(Rule::Conversion, "/operations/0/convert")
    );
    assert_eq!(
        major("{convert: {at: /a, from: integer, to: integer}}"),
        one(Rule::Conversion, "/operations/0/convert/to")
    );
    assert_eq!(
        major("{convert: {at: /a, values: [{old: 1, new: 2}, {old: 1, new: [3]}]}}"),
        [
            (
                Rule::Conversion,
                "/operations/0/convert/values/1/new".to_owned()
            ),
            (
                Rule::Conversion,
                "/operations/0/convert/values/1/old".to_owned()
            ),
        ]
    );
}

#[test]
fn what_is_not_told_is_derived() {
    let file: MigrationFile = serde_yaml::from_str(
        "{from_version: 1.2.0, to_version: 2.0.0, breaking: true, loses: x, operations: [
           {add: {at: /a, default: {b: 1}}}, {rename: {at: /c, to: d}}, {for_each: {in: /e, do: [
           {convert: {at: '', from: string, to: integer}}]}}]}",
    )
    .unwrap();
    let migration = file.check(&Kind::run_manifest()).migration.unwrap();
    assert_eq!(
        migration.changes,
        [
            r#"Add `/a` with default {"b":1}"#,
            "Rename `/c` to `d`",
            "In each of `/e`: Convert the element from string to integer",
        ]
    );
}
