//! Every odd document is kept byte for byte but for an edit, or refused by name and place.

use serde_json::{Value, json};

use super::odd::{REFUSED, TAKEN};
use super::{judge, same};
use crate::manifest::json::{Document, Flaw, Kind, MAX_BYTES, Pointer, locate, sniff};

fn at(text: &str) -> Pointer {
    text.parse().unwrap()
}

/// Whether `after` is `before` with something put in at one place.
fn only_added(before: &[u8], after: &[u8]) -> bool {
    let front = before.iter().zip(after).take_while(|(a, b)| a == b).count();
    let back = before
        .iter()
        .rev()
        .zip(after.iter().rev())
        .take_while(|(a, b)| a == b)
        .count();
    after.len() > before.len() && front + back >= before.len()
}

#[test]
fn what_is_taken_is_kept() {
    for (name, text) in TAKEN {
        let document = Document::parse(text).unwrap_or_else(|e| panic!("{name}: {e}"));
        assert!(judge(text), "{name}: the judge would refuse it");
        assert_eq!(document.write(), *text, "{name}");
        let value = document.value(&Pointer::root()).unwrap();
        let body = text.strip_prefix(b"\xef\xbb\xbf").unwrap_or(text);
        if name.starts_with("y_object_key_private") {
            // With some of its features `serde_json` takes these keys for its own. Here they are keys.
            assert!(value.is_object(), "{name}");
        } else if let Ok(judged) = serde_json::from_slice::<Value>(body) {
            assert!(same(&value, &judged), "{name}: {value} against {judged}");
        } else {
            assert!(name.starts_with("i_number"), "{name}");
        }
        // Opened to the ground, it still writes the same.
        open(&document, &Pointer::root());
        assert_eq!(document.write(), *text, "{name} opened");
        assert_eq!(locate(text, &Pointer::root()).unwrap(), {
            let raw = document.raw(&Pointer::root()).unwrap();
            let start = text.windows(raw.len()).position(|w| w == &raw[..]).unwrap();
            start..start + raw.len()
        });
    }
}

/// Looks at everything in a document, and compares the ways in which it can be found.
fn open(document: &Document<'_>, at: &Pointer) {
    let text = document.write();
    let raw = document.raw(at).unwrap();
    assert_eq!(&text[locate(&text, at).unwrap()], &raw[..], "{at}");
    let value = document.value(at).unwrap();
    assert_eq!(sniff(&text, at).unwrap().as_deref(), value.as_str(), "{at}");
    match document.kind(at).unwrap() {
        Kind::Object { len } => {
            let keys = document.keys(at);
            assert_eq!(keys.len(), len);
            for key in keys {
                assert!(value.get(&key).is_some());
                open(document, &at.join(key));
            }
        }
        Kind::Array { len } => {
            assert_eq!(value.as_array().unwrap().len(), len);
            for i in 0..len {
                open(document, &at.join(i.to_string()));
            }
        }
        Kind::String => assert!(value.is_string()),
        Kind::Number => assert!(value.is_number()),
        Kind::Bool => assert!(value.is_boolean()),
        Kind::Null => assert!(value.is_null()),
    }
}

#[test]
fn what_is_taken_survives_an_edit() {
    for (name, text) in TAKEN {
        let mut document = Document::parse(text).unwrap();
        let root = Pointer::root();
        let place = match document.kind(&root).unwrap() {
            Kind::Object { .. } => at("/added by a test"),
            Kind::Array { .. } => at("/-"),
            _ => continue,
        };
        document
            .set(&place, &json!({"x": [1, {"y": "z"}], "e": {}}))
            .unwrap();
        let after = document.write();
        assert!(
            only_added(text, &after),
            "{name}: {}",
            String::from_utf8_lossy(&after)
        );
        let mut again = Document::parse(&after).unwrap_or_else(|e| panic!("{name}: {e}"));
        assert_eq!(again.value(&root), document.value(&root), "{name}");
        let place = match again.kind(&root).unwrap() {
            Kind::Array { len } => at(&format!("/{}", len - 1)),
            _ => place,
        };
        // Where the text was empty before, only the first document knows what stood between its brackets.
        document.remove(&place).unwrap();
        assert_eq!(document.write(), *text, "{name}");
        again.remove(&place).unwrap();
        assert!(
            same(
                &again.value(&root).unwrap(),
                &document.value(&root).unwrap()
            ),
            "{name}"
        );
    }
}

#[test]
fn what_is_taken_is_kept_inside_another() {
    for (name, text) in TAKEN {
        let body = text.strip_prefix(b"\xef\xbb\xbf").unwrap_or(text);
        let outer = [b"{\"v\": \"1.0.0\", \"w\":\t[", body, b"], \"z\": 1}\r\n"].concat();
        let mut document = Document::parse(&outer).unwrap_or_else(|e| panic!("{name}: {e}"));
        let raw = document.raw(&at("/w/0")).unwrap().into_owned();
        assert_eq!(raw, body.trim_ascii(), "{name}");
        document.set(&at("/v"), &json!("2.0.0")).unwrap();
        document.relocate(&at("/w/0"), &at("/moved")).unwrap();
        document.rename(&at("/moved"), "renamed").unwrap();
        document.remove(&at("/z")).unwrap();
        let after = document.write();
        let again = Document::parse(&after).unwrap();
        assert_eq!(again.raw(&at("/renamed")).unwrap(), raw, "{name}");
        assert_eq!(sniff(&after, &at("/v")), Ok(Some("2.0.0".to_owned())));
        assert_eq!(again.keys(&Pointer::root()), ["v", "w", "renamed"]);
    }
}

#[test]
fn what_is_refused_is_refused_by_name_and_place() {
    let mut wrong = Vec::new();
    for (name, text, class, line, column) in REFUSED {
        let Err(refusal) = Document::parse(text) else {
            wrong.push(format!("{name} is taken"));
            continue;
        };
        let found = (refusal.class(), refusal.line, refusal.column);
        if found != (*class, *line, *column) {
            wrong.push(format!(
                "{name}: {found:?}, not {:?}: {refusal}",
                (class, line, column)
            ));
        }
        assert_eq!(sniff(text, &at("/version")), Err(refusal.clone()), "{name}");
        assert_eq!(locate(text, &Pointer::root()), None, "{name}");
        let ours = ["duplicate_key", "lone_surrogate"].contains(class);
        assert_eq!(judge(text), ours, "{name}: what the judge says");
        assert!(refusal.offset <= text.len());
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn depth_ends_where_values_do() {
    for (open, close) in [("[", "]"), ("{\"a\":", "}")] {
        let nested = |n: usize| format!("{}1{}", open.repeat(n), close.repeat(n));
        let deepest = nested(127);
        assert!(serde_json::from_str::<Value>(&deepest).is_ok());
        let document = Document::parse(deepest.as_bytes()).unwrap();
        assert!(document.value(&Pointer::root()).is_some());
        let deeper = nested(128);
        assert!(serde_json::from_str::<Value>(&deeper).is_err());
        let refusal = Document::parse(deeper.as_bytes()).unwrap_err();
        assert_eq!((refusal.class(), refusal.line), ("too_deep", 1));
        assert_eq!(refusal.offset, 127 * open.len());
    }
    // However deep, the stack holds.
    let refusal = Document::parse("[".repeat(1_000_000).as_bytes()).unwrap_err();
    assert_eq!(refusal.class(), "too_deep");
}

#[test]
fn size_ends_at_256_mib() {
    let mut text = vec![b' '; MAX_BYTES + 1];
    text[0] = b'1';
    let refusal = sniff(&text, &Pointer::root()).unwrap_err();
    assert_eq!(refusal.flaw, Flaw::TooLarge(MAX_BYTES + 1));
}

#[test]
fn many_keys_are_judged_quickly() {
    // Keys that the quick hash cannot tell apart: only bytes that it does not look at differ.
    let key = |i: usize| format!("{:08}{:020}{i:06}{:020}{:08}", 0, 0, 0, 0);
    let many: Vec<String> = (0..100_000).map(|i| format!("\"{}\":0", key(i))).collect();
    let text = format!("{{{}}}", many.join(","));
    let start = std::time::Instant::now();
    assert_eq!(sniff(text.as_bytes(), &at("/x")), Ok(None));
    let twice = format!("{{{},\n\"{}\":1}}", many.join(","), key(77_777));
    let refusal = sniff(twice.as_bytes(), &at("/x")).unwrap_err();
    assert_eq!(
        (refusal.class(), refusal.line, refusal.column),
        ("duplicate_key", 2, 1)
    );
    // Each with each would be five thousand million comparisons.
    assert!(start.elapsed().as_secs() < 20, "{:?}", start.elapsed());
}

#[test]
fn the_first_of_many_duplicates_is_named() {
    let many: Vec<String> = (0..60).map(|i| format!("\"k{i}\": {i}")).collect();
    let text = format!(
        "{{\n{},\n\"k9\": 0,\n\"k3\": 0,\n\"k9\": 1\n}}",
        many.join(",\n")
    );
    let refusal = Document::parse(text.as_bytes()).unwrap_err();
    let flaw = Flaw::DuplicateKey {
        key: "k9".to_owned(),
        first_line: 11,
    };
    assert_eq!((refusal.flaw, refusal.line), (flaw, 62));
}

#[test]
fn numbers_are_read_as_closely_as_they_can() {
    let text = b"[1e400, -1e400, 12345678901234567890, 123456789012345678901, -0, 1.0, -9223372036854775808, 0.1]";
    let document = Document::parse(text).unwrap();
    let value = document.value(&Pointer::root()).unwrap();
    assert_eq!(
        value,
        json!([
            f64::MAX,
            f64::MIN,
            12_345_678_901_234_567_890u64,
            123_456_789_012_345_678_901f64,
            -0.0,
            1.0,
            i64::MIN,
            0.1
        ])
    );
    assert!(value[4].as_f64().unwrap().is_sign_negative());
}

#[test]
fn a_refusal_is_a_sentence() {
    let texts: Vec<String> = REFUSED
        .iter()
        .map(|(name, text, ..)| {
            let refusal = Document::parse(text).unwrap_err();
            format!(
                "{name} {}:{} {}: {refusal}",
                refusal.line,
                refusal.column,
                refusal.class()
            )
        })
        .collect();
    for text in &texts {
        assert!(!text.chars().any(|c| c.is_control()), "{text:?}");
    }
    let one_of_each = |class: &str| {
        let (_, text, ..) = REFUSED.iter().find(|r| r.2 == class).unwrap();
        Document::parse(text).unwrap_err().to_string()
    };
    assert_eq!(
        one_of_each("duplicate_key"),
        "the key `a` stands twice in one object, first on line 1: readers disagree on which one counts; remove one of them"
    );
    assert_eq!(
        one_of_each("not_finite"),
        "`NaN` is no JSON number: write `null` or a string instead"
    );
}
