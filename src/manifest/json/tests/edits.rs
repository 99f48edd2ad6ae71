//! Edits as people would look at them.

use serde_json::{Value, json};

use crate::manifest::json::{Document, EditError, Pointer, Taken};

fn at(text: &str) -> Pointer {
    text.parse().unwrap()
}

/// The text after an edit.
fn edited(text: &str, edit: impl FnOnce(&mut Document<'_>)) -> String {
    let mut document = Document::parse(text.as_bytes()).unwrap();
    edit(&mut document);
    let out = document.write();
    let again = Document::parse(&out).unwrap();
    assert_eq!(
        document.value(&Pointer::root()),
        again.value(&Pointer::root())
    );
    String::from_utf8(out).unwrap()
}

fn set(text: &str, place: &str, value: Value) -> String {
    edited(text, |d| d.set(&at(place), &value).unwrap())
}

fn remove(text: &str, place: &str) -> String {
    edited(text, |d| drop(d.remove(&at(place)).unwrap()))
}

#[test]
fn a_value_is_replaced_where_it_stands() {
    let text = "\u{feff}{ \"a\" :1e400,\r\n\t\"b\":[1.0, -0 ,2],\"c\":null}\r\n\r\n";
    assert_eq!(set(text, "/b/1", json!("x")), text.replace("-0", "\"x\""));
    assert_eq!(set(text, "/a", json!(2)), text.replace("1e400", "2"));
    assert_eq!(edited(text, |_| {}), text);
}

#[test]
fn a_new_member_looks_like_its_siblings() {
    for (before, after) in [
        ("{\n  \"a\": 1\n}\n", "{\n  \"a\": 1,\n  \"n\": 5\n}\n"),
        (
            "{\r\n\t\"a\" : 1\r\n}",
            "{\r\n\t\"a\" : 1,\r\n\t\"n\" : 5\r\n}",
        ),
        ("{\"a\":1}", "{\"a\":1,\"n\":5}"),
        ("{\"a\": 1}", "{\"a\": 1, \"n\": 5}"),
        ("{ \"a\": 1 }", "{ \"a\": 1, \"n\": 5 }"),
        ("{\"a\":1, \"b\":2}", "{\"a\":1, \"b\":2, \"n\":5}"),
        ("{\n\"a\": 1\n}", "{\n\"a\": 1,\n\"n\": 5\n}"),
        ("{\r\"a\": 1\r}", "{\r\"a\": 1,\r\"n\": 5\r}"),
        (
            "{ \"a\": 1\n, \"b\": 2\n}",
            "{ \"a\": 1\n, \"b\": 2\n, \"n\": 5\n}",
        ),
        (
            "{\n  \"a\": 1,\n\n  \"b\": 2\n}",
            "{\n  \"a\": 1,\n\n  \"b\": 2,\n  \"n\": 5\n}",
        ),
        (
            "{\n  \"a\":   1,\n  \"long\": 2\n}",
            "{\n  \"a\":   1,\n  \"long\": 2,\n  \"n\": 5\n}",
        ),
        ("{}", "{\"n\": 5}"),
        ("{ }\n", "{ \"n\": 5 }\n"),
        ("{\n}\n", "{\n  \"n\": 5\n}\n"),
    ] {
        assert_eq!(set(before, "/n", json!(5)), after);
        // And when it goes again, the text is the one that it was.
        let back = edited(before, |d| {
            d.set(&at("/n"), &json!({"x": [1]})).unwrap();
            d.remove(&at("/n")).unwrap();
        });
        assert_eq!(back, before);
    }
}

#[test]
fn an_empty_object_opens_as_its_surroundings() {
    let text = "{\n    \"a\": {},\n    \"l\": [\n        {}\n    ]\n}\n";
    let text = set(text, "/a/b", json!({"c": {}, "d": [1, {"e": 2}]}));
    assert_eq!(
        text,
        "{\n    \"a\": {\n        \"b\": {\n            \"c\": {},\n            \"d\": [\n                1,\n                \
         {\n                    \"e\": 2\n                }\n            ]\n        }\n    },\n    \"l\": [\n        {}\n    \
         ]\n}\n"
    );
    let text = set(&text, "/l/0/x", json!(true));
    assert!(
        text.ends_with("\"l\": [\n        {\n            \"x\": true\n        }\n    ]\n}\n"),
        "{text}"
    );
    assert_eq!(
        set("{\"a\":{\"b\":{}}}", "/a/b/c", json!({"d": [1, 2]})),
        "{\"a\":{\"b\":{\"c\":{\"d\":[1,2]}}}}"
    );
    assert_eq!(
        set(
            "{\n\t\"a\": {\"b\": 1},\n\t\"t\": [1, 2]\n}",
            "/a/c",
            json!({"d": 1})
        ),
        "{\n\t\"a\": {\"b\": 1, \"c\": {\"d\": 1}},\n\t\"t\": [1, 2]\n}"
    );
    assert_eq!(
        set(
            "{\n\t\"t\": [1, 2]\n}",
            "/n",
            json!({"d": [1, 2], "e": [{}]})
        ),
        "{\n\t\"t\": [1, 2],\n\t\"n\": {\n\t\t\"d\": [1, 2],\n\t\t\"e\": [\n\t\t\t{}\n\t\t]\n\t}\n}"
    );
}

#[test]
fn arrays_grow_as_they_are() {
    assert_eq!(set("[1,2]", "/-", json!(3)), "[1,2,3]");
    assert_eq!(set("[1, 2]", "/-", json!(3)), "[1, 2, 3]");
    assert_eq!(set("[\n 1,\n 2\n]", "/-", json!(3)), "[\n 1,\n 2,\n 3\n]");
    assert_eq!(
        set("{\n \"h\": []\n}", "/h/-", json!({"a": 1})),
        "{\n \"h\": [\n  {\n   \"a\": 1\n  }\n ]\n}"
    );
}

#[test]
fn a_member_goes_with_its_comma() {
    let text = "{ \"a\": 1,\n  \"b\": 2,\n  \"c\": 3 }";
    assert_eq!(remove(text, "/a"), "{ \"b\": 2,\n  \"c\": 3 }");
    assert_eq!(remove(text, "/b"), "{ \"a\": 1,\n  \"c\": 3 }");
    assert_eq!(remove(text, "/c"), "{ \"a\": 1,\n  \"b\": 2 }");
    assert_eq!(remove("{\n  \"a\": 1\n}", "/a"), "{}");
    let back = edited("{\n  \"a\" : 1\n}", |d| {
        d.remove(&at("/a")).unwrap();
        d.set(&at("/b"), &json!(2)).unwrap();
    });
    assert_eq!(back, "{\n  \"b\" : 2\n}");
}

#[test]
fn one_edit_builds_on_another() {
    let text = "{\n  \"a\": {\"x\": 1.0},\n  \"b\": [ 1,2 ]\n}";
    let out = edited(text, |d| {
        d.rename(&at("/a"), "z").unwrap();
        d.set(&at("/z/y"), &json!(2)).unwrap();
        d.rename(&at("/z/x"), "w").unwrap();
        d.relocate(&at("/b"), &at("/z/b")).unwrap();
        d.set(&at("/z/b/-"), &json!(3)).unwrap();
        d.set(&at("/n"), &json!({})).unwrap();
        d.set(&at("/n/m"), &json!({"deep": []})).unwrap();
        d.set(&at("/n/m/deep/-"), &json!("s")).unwrap();
        assert_eq!(d.keys(&at("")), ["z", "n"]);
        assert_eq!(d.value(&at("/z/w")), Some(json!(1.0)));
        assert_eq!(d.raw(&at("/z/w")).unwrap(), &b"1.0"[..]);
    });
    assert_eq!(
        out,
        "{\n  \"z\": {\"w\": 1.0, \"y\": 2, \"b\": [ 1,2,3 ]},\n  \"n\": {\n    \"m\": {\n      \"deep\": [\n        \
         \"s\"\n      ]\n    }\n  }\n}"
    );
    let out = edited(text, |d| {
        let taken = d.remove(&at("/b")).unwrap();
        assert!(d.remove(&at("/b")).is_err());
        d.put_at(&at("/b"), 0, taken.clone()).unwrap();
        d.put(&at("/b/0"), taken).unwrap();
    });
    assert_eq!(
        out,
        "{\n  \"b\": [ [ 1,2 ],1,2 ],\n  \"a\": {\"x\": 1.0}\n}"
    );
}

#[test]
fn what_was_removed_comes_back_to_its_place() {
    let text = "{\n  \"a\": 1,\n  \"b\": {\n    \"c\": 1e5\n  },\n  \"d\": 3\n}\n";
    for place in ["/a", "/b", "/d"] {
        let out = edited(text, |d| {
            let position = d.position(&at(place)).unwrap();
            let taken = d.remove(&at(place)).unwrap();
            let kept = Taken::parse(taken.raw()).unwrap();
            assert_eq!(kept, taken);
            d.put_at(&at(place), position, kept).unwrap();
        });
        assert_eq!(out, text);
    }
}

#[test]
fn what_cannot_be_done_changes_nothing() {
    let text = "{\"a\": {\"b\": [1, 2]}, \"c\": \"x\", \"\": 0}";
    let out = edited(text, |d| {
        let one = json!(1);
        let err = |r: Result<(), EditError>| r.unwrap_err();
        assert!(
            matches!(err(d.set(&at("/x/y"), &one)), EditError::MissingParent { parent, .. } if parent == at("/x"))
        );
        assert!(
            matches!(err(d.set(&at("/c/y"), &one)), EditError::NotAContainer { parent, .. } if parent == at("/c"))
        );
        assert!(matches!(
            err(d.set(&at("/a/b/2"), &one)),
            EditError::OutOfRange { len: 2, .. }
        ));
        assert!(matches!(
            err(d.set(&at("/a/b/01"), &one)),
            EditError::NotAnIndex { .. }
        ));
        assert!(matches!(
            err(d.set(&at("/a/b/x"), &one)),
            EditError::NotAnIndex { .. }
        ));
        assert!(matches!(
            d.remove(&at("/a/b/-")).unwrap_err(),
            EditError::Missing { .. }
        ));
        assert!(matches!(
            d.remove(&at("/a/b/c/d")).unwrap_err(),
            EditError::Missing { .. }
        ));
        assert!(matches!(d.remove(&at("")).unwrap_err(), EditError::Root));
        assert!(
            matches!(err(d.rename(&at("/a"), "c")), EditError::Exists { at: p } if p == at("/c"))
        );
        assert!(matches!(
            err(d.rename(&at("/a/b/0"), "c")),
            EditError::NoKey { .. }
        ));
        d.rename(&at("/a"), "a").unwrap();
        assert!(matches!(
            err(d.relocate(&at("/a"), &at("/a/b/0"))),
            EditError::IntoItself { .. }
        ));
        assert!(matches!(
            err(d.relocate(&at("/a"), &at("/c"))),
            EditError::Exists { .. }
        ));
        assert!(matches!(
            err(d.relocate(&at("/"), &at("/c/q"))),
            EditError::NotAContainer { .. }
        ));
        assert!(matches!(
            err(d.relocate(&at("/a/b/1"), &at("/a/b/2"))),
            EditError::OutOfRange { .. }
        ));
        d.relocate(&at("/c"), &at("/c")).unwrap();
        let taken = d.copied(&at("/a")).unwrap();
        assert!(matches!(
            err(d.put(&at("/c"), taken.clone())),
            EditError::Exists { .. }
        ));
        assert!(matches!(
            err(d.replace(&at("/q"), taken)),
            EditError::Missing { .. }
        ));
        let mut deep = json!(1);
        for _ in 0..126 {
            deep = json!([deep]);
        }
        d.clone().set(&at("/c"), &deep).unwrap();
        assert!(matches!(
            err(d.set(&at("/a/q"), &deep)),
            EditError::TooDeep { .. }
        ));
    });
    assert_eq!(out, text);
}

#[test]
fn keys_are_what_they_say_and_not_how_they_are_spelled() {
    let text = r#"{"\u0061": 1, "b\/c": 2, "\\n": 3, "\ud83d\ude00": 4, "~": 5}"#;
    let out = edited(text, |d| {
        assert_eq!(d.keys(&Pointer::root()), ["a", "b/c", "\\n", "😀", "~"]);
        assert_eq!(d.value(&at("/a")), Some(json!(1)));
        assert_eq!(d.value(&at("/b~1c")), Some(json!(2)));
        assert_eq!(d.value(&at("/\\n")), Some(json!(3)));
        assert_eq!(d.value(&at("/\n")), None);
        assert_eq!(d.value(&at("/😀")), Some(json!(4)));
        assert_eq!(d.value(&at("/~0")), Some(json!(5)));
        assert!(d.rename(&at("/b~1c"), "a").is_err());
        // The text writes what is not ASCII as escapes, so what is added does too.
        d.set(&at("/ü"), &json!("é\u{1}😀")).unwrap();
        d.rename(&at("/~0"), "ß").unwrap();
    });
    assert_eq!(
        out,
        "{\"\\u0061\": 1, \"b\\/c\": 2, \"\\\\n\": 3, \"\\ud83d\\ude00\": 4, \"\\u00df\": 5, \"\\u00fc\": \
         \"\\u00e9\\u0001\\ud83d\\ude00\"}"
    );
    assert_eq!(
        set("{\"a\":\"é\"}", "/b", json!("ü\u{7f}")),
        "{\"a\":\"é\",\"b\":\"ü\u{7f}\"}"
    );
}

#[test]
fn the_whole_document_can_be_set() {
    assert_eq!(
        set(" {\n \"a\": 1\n}\n", "", json!({"b": [1]})),
        " {\n \"b\": [\n  1\n ]\n}\n"
    );
    assert_eq!(set("1\n", "", json!("x")), "\"x\"\n");
}
