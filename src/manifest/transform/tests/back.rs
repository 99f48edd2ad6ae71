//! The way back, and what is kept for it.

use super::*;

/// Every operation, over a document that has something for each.
pub(super) const EVERYTHING: &str = "
from_version: 1.2.0
to_version: 2.0.0
breaking: true
loses: names and spellings that readers of 1.x know
operations:
  - add: {at: /retry, default: {limit: 3}}
  - rename: {at: /state, to: status}
  - move: {from: /owner, to: /retry/owner}
  - copy: {from: /status, to: /first_status}
  - set: {at: /format, value: [2]}
  - convert: {at: /count, from: string, to: integer}
  - convert: {at: /status, values: [{old: done, new: completed}, {old: ok, new: completed}, {old: bad, new: failed}]}
  - remove: {at: /legacy}
  - for_each:
      in: /artifacts
      do:
        - add: {at: /checked, default: false}
        - remove: {at: /tmp}
        - for_each: {in: /sizes, do: [{convert: {at: '', from: integer, to: string}}]}
";

fn rich() -> String {
    r#"{"schema_version": "1.2.0", "run_id": "r", "job_id": "j", "legacy": {"x": 1e400}, "state": "ok",
  "owner": "\u0061nn", "format": 1.0, "count": "00", "artifacts": [{"tmp": 1, "sizes": [1, null]}, {"name": "b"}, {"checked": 7}]}"#
        .replace("\"00\"", "\"12\"")
}

#[test]
fn every_operation_does_what_it_says() {
    let migrated = to(&engine(&[EVERYTHING]), rich().as_bytes(), "latest", None);
    let text = String::from_utf8_lossy(&migrated.text).into_owned();
    assert_eq!(
        apart(&migrated.text),
        json!({
            "run_id": "r", "job_id": "j", "status": "completed", "format": [2], "count": 12,
            "artifacts": [{"sizes": ["1", null], "checked": false}, {"name": "b", "checked": false}, {"checked": 7}],
            "retry": {"limit": 3, "owner": "ann"}, "first_status": "ok"
        }),
        "{text}"
    );
    assert!(text.contains(r#""\u0061nn""#), "{text}");
}

#[test]
fn up_down_is_the_document_and_up_again_the_other() {
    let engine = engine(&[EVERYTHING]);
    let up = to(&engine, rich().as_bytes(), "latest", None);
    assert!(up.kept.is_some() && !up.kept_used);
    let down = to(&engine, &up.text, "1.2.0", up.kept.as_deref());
    assert!(down.kept_used);
    let back = String::from_utf8_lossy(&down.text);
    for spelled in [
        "1e400",
        r#""state": "ok""#,
        r#""\u0061nn""#,
        r#""format": 1.0"#,
        r#""count": "12""#,
    ] {
        assert!(back.contains(spelled), "{spelled}: {back}");
    }
    let mut expected = apart(rich().replace("1e400", "0").as_bytes());
    let mut found = apart(back.replace("1e400", "0").as_bytes());
    // The field that was there before the upgrade cannot be told from one that the upgrade added: it is kept.
    for value in [&mut expected, &mut found] {
        value["artifacts"][2]
            .as_object_mut()
            .unwrap()
            .shift_remove("checked");
    }
    assert_eq!(found, expected);
    let again = to(&engine, &down.text, "latest", down.kept.as_deref());
    assert_eq!(apart(&again.text), apart(&up.text));
}

#[test]
fn a_value_that_was_edited_comes_back_with_the_next_upgrade() {
    let engine = engine(&[]);
    let text = OLD.replace("1.0.0", "1.2.0").replace(
        "\"cost\"",
        "\"chain_metadata\": {\"is_chainable_stage\": true}, \"input_snapshots\": {\"a\": 1.50}, \"cost\"",
    );
    let down = to(&engine, text.as_bytes(), "1.0.0", None);
    assert_eq!(apart(&down.text), apart(OLD.as_bytes()));
    assert_eq!(
        down.changes[0][0],
        "Undo: Add `chain_metadata`, which says that the run is no stage of a chain"
    );
    // An old program works on it in between.
    let edited = String::from_utf8(down.text.clone())
        .unwrap()
        .replace("1.10", "2.20");
    let up = to(&engine, edited.as_bytes(), "latest", down.kept.as_deref());
    assert!(up.kept_used && up.kept.is_none());
    let now = String::from_utf8(up.text.clone()).unwrap();
    assert!(
        now.contains("1.50") && now.contains("2.20") && !now.contains("\"inputs_hash\":"),
        "{now}"
    );
    // The same through both hops.
    let half = to(&engine, &down.text, "1.1.0", down.kept.as_deref());
    assert!(half.kept.is_some());
    let whole = to(&engine, &half.text, "1.2.0", half.kept.as_deref());
    assert_eq!(apart(&whole.text), apart(text.as_bytes()));
    assert_eq!(whole.kept, None);
}

#[test]
fn side_data_of_another_document_is_not_used() {
    let engine = engine(&[]);
    let text = OLD.replace("1.0.0", "1.2.0");
    let down = to(&engine, text.as_bytes(), "1.0.0", None);
    let other = to(&engine, OLD.as_bytes(), "latest", down.kept.as_deref());
    assert!(!other.kept_used && other.kept.is_none());
    let class = |kept: &[u8]| {
        engine
            .migrate(&down.text, Target::Latest, at(), Some(kept))
            .unwrap_err()
            .class()
    };
    assert_eq!(class(b"{"), "side_data");
    assert_eq!(class(b"{}"), "side_data");
    let later = String::from_utf8(down.kept.unwrap())
        .unwrap()
        .replacen("1", "2", 1);
    assert_eq!(class(later.as_bytes()), "side_data");
}

#[test]
fn values_do_not_wander_to_other_elements() {
    let file = "{from_version: 1.2.0, to_version: 1.3.0, operations: [{for_each: {in: /parts, do: [{add: {at: /owner, default: nobody}}]}}]}";
    let engine = engine(&[file]);
    let text = OLD.replace("1.0.0", "1.3.0").replace(
        "\"cost\": 1.10",
        r#""parts": [{"n": 1, "owner": "ann"}, {"n": 2, "owner": "bob"}]"#,
    );
    let down = to(&engine, text.as_bytes(), "1.2.0", None);
    let up = to(&engine, &down.text, "1.3.0", down.kept.as_deref());
    assert_eq!(apart(&up.text), apart(text.as_bytes()));
    let now = String::from_utf8(down.text).unwrap();
    let sorted = now
        .replace("\"n\": 1", "\"n\": 0")
        .replace("\"n\": 2", "\"n\": 1")
        .replace("\"n\": 0", "\"n\": 2");
    let up = to(&engine, sorted.as_bytes(), "1.3.0", down.kept.as_deref());
    let value = apart(&up.text);
    assert_eq!(value["parts"][0]["owner"], "nobody");
    assert!(up.kept_used);
    let left = String::from_utf8(up.kept.unwrap()).unwrap();
    assert!(left.contains("ann") && left.contains("bob"), "{left}");
}

#[test]
fn what_nobody_kept_is_no_way_back() {
    let engine = engine(&[EVERYTHING]);
    let up = to(&engine, rich().as_bytes(), "latest", None);
    let refused = engine
        .migrate(&up.text, "1.2.0".parse().unwrap(), at(), None)
        .unwrap_err();
    assert_eq!(refused.class(), "no_way_back");
    assert!(refused.to_string().contains("backup"), "{refused}");
}

#[test]
fn documents_that_do_not_fit_are_left_alone() {
    let engine = engine(&[EVERYTHING]);
    for (old, new, told) in [
        ("\"12\"", "\"twelve\"", "\"twelve\""),
        ("\"12\"", "12", "written like a JSON integer"),
        ("\"state\": \"ok\"", "\"state\": \"odd\"", "one of \"done\""),
        (
            "\"state\": \"ok\"",
            "\"state\": \"ok\", \"status\": 1",
            "already",
        ),
        ("[{\"tmp\"", "[4, {\"tmp\"", "/artifacts/0"),
        (
            "\"artifacts\": [",
            "\"artifacts\": 1, \"x\": [",
            "needs an array",
        ),
    ] {
        let text = rich().replace(old, new);
        let refused = failure(&engine, &text, "latest");
        assert_eq!(refused.class(), "not_fit", "{refused}");
        assert!(refused.to_string().contains(told), "{refused}");
        assert!(refused.to_string().contains("1.2.0 to 2.0.0"), "{refused}");
    }
    let missing =
        "{from_version: 1.2.0, to_version: 1.3.0, operations: [{add: {at: /none/x, default: 1}}]}";
    let engine = super::engine(&[missing]);
    assert!(
        failure(&engine, OLD, "latest")
            .to_string()
            .contains("add it first")
    );
}
