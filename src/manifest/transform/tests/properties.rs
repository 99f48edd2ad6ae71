//! The seven invariants over generated documents.

use proptest::collection::vec;
use proptest::prelude::*;

use super::back::EVERYTHING;
use super::*;

/// The text of a value, spelled in ways that a careless tool would change.
fn value() -> impl Strategy<Value = String> {
    let leaf = prop_oneof![
        Just("null".to_owned()),
        Just("true".to_owned()),
        Just("1.0".to_owned()),
        Just("1E5".to_owned()),
        Just("-0".to_owned()),
        Just("12345678901234567890123".to_owned()),
        Just(r#""\u00e9\/é""#.to_owned()),
        any::<i64>().prop_map(|n| n.to_string()),
        "[a-z ]{0,6}".prop_map(|text| format!("\"{text}\"")),
    ];
    leaf.prop_recursive(3, 24, 4, |inner| {
        prop_oneof![
            vec(inner.clone(), 0..4).prop_map(|all| format!("[{}]", all.join(", "))),
            vec(inner, 0..4).prop_map(|all| {
                let members: Vec<String> = all
                    .iter()
                    .enumerate()
                    .map(|(i, one)| format!("\"m{i}\" : {one}"))
                    .collect();
                format!("{{ {} }}", members.join(","))
            }),
        ]
    })
}

/// A document of a version with some of the fields that migrations name, between others, in any order.
fn document(version: &'static str) -> impl Strategy<Value = String> {
    let named = |key: &'static str| {
        proptest::option::of(value())
            .prop_map(move |value| value.map(|v| format!("\"{key}\": {v}")))
    };
    let fields = (
        vec(value(), 0..4),
        named("input_snapshots"),
        named("inputs_hash"),
        named("chain_metadata"),
        named("job_ref"),
        proptest::option::of(Just("\"migration_history\": [{\"old\": 1.0}]".to_owned())),
    );
    let style = prop_oneof![Just(",\n\t"), Just(", "), Just(","), Just(",\r\n  ")];
    (fields, style, any::<bool>(), any::<bool>())
        .prop_flat_map(move |((free, a, b, c, d, history), style, mark, end)| {
            let mut all = vec![
                format!("\"schema_version\": \"{version}\""),
                "\"run_id\": \"r\\u0031\"".to_owned(),
                "\"job_id\":\"j\"".to_owned(),
            ];
            all.extend(
                free.iter()
                    .enumerate()
                    .map(|(i, one)| format!("\"free{i}\": {one}")),
            );
            all.extend([a, b, c, d, history].into_iter().flatten());
            (Just(all).prop_shuffle(), Just(style), Just(mark), Just(end))
        })
        .prop_map(|(all, style, mark, end)| {
            format!(
                "{}{{{}{}}}{}",
                if mark { "\u{feff}" } else { "" },
                &style[1..],
                all.join(style),
                if end { "\n" } else { "" }
            )
        })
}

fn plain(text: &[u8]) -> &[u8] {
    text.strip_prefix(b"\xef\xbb\xbf").unwrap_or(text)
}

fn history(text: &[u8]) -> Vec<Value> {
    let value: Value = serde_json::from_slice(plain(text)).unwrap();
    value["migration_history"]
        .as_array()
        .cloned()
        .unwrap_or_default()
}

/// A document without history and version, with every value as it is spelled, in order of keys.
fn spelled(text: &[u8]) -> Vec<(String, String)> {
    let document = Document::parse(text).unwrap();
    let mut all: Vec<_> = document
        .keys(&Pointer::root())
        .into_iter()
        .filter(|key| key != "migration_history" && key != "schema_version")
        .map(|key| {
            let raw = document.raw(&Pointer::of([key.clone()])).unwrap();
            (key, String::from_utf8(raw.into_owned()).unwrap())
        })
        .collect();
    all.sort();
    all
}

/// Operations over a few places, in any order.
fn operations() -> impl Strategy<Value = Vec<String>> {
    let place = || prop::sample::select(vec!["/a", "/b", "/c", "/c/d", "/c/e", "/f"]);
    let key = || prop::sample::select(vec!["a", "b", "d", "f", "g"]);
    let plain = || prop::sample::select(vec!["1", "'1'", "x", "{}", "{d: 1}", "null"]);
    let kinds = || prop::sample::select(vec!["string", "integer", "number", "boolean"]);
    let one = prop_oneof![
        (place(), plain()).prop_map(|(at, v)| format!("{{add: {{at: {at}, default: {v}}}}}")),
        (place(), key()).prop_map(|(at, to)| format!("{{rename: {{at: {at}, to: {to}}}}}")),
        (place(), place()).prop_map(|(from, to)| format!("{{move: {{from: {from}, to: {to}}}}}")),
        (place(), place()).prop_map(|(from, to)| format!("{{copy: {{from: {from}, to: {to}}}}}")),
        (place(), plain()).prop_map(|(at, v)| format!("{{set: {{at: {at}, value: {v}}}}}")),
        (place(), kinds(), kinds())
            .prop_map(|(at, from, to)| format!("{{convert: {{at: {at}, from: {from}, to: {to}}}}}")),
        place().prop_map(|at| format!(
            "{{convert: {{at: {at}, values: [{{old: 1, new: one}}, {{old: '1', new: one}}, {{old: x, new: 2}}]}}}}"
        )),
        place().prop_map(|at| format!("{{remove: {{at: {at}}}}}")),
    ]
    .boxed();
    let each = (
        prop::sample::select(vec!["/l", "/c"]),
        vec(one.clone(), 1..3),
    )
        .prop_map(|(within, all)| {
            format!("{{for_each: {{in: {within}, do: [{}]}}}}", all.join(", "))
        });
    vec(prop_oneof![4 => one, 1 => each], 1..6)
}

/// A document with some of these places.
fn small() -> impl Strategy<Value = String> {
    let plain = || {
        prop::sample::select(vec![
            "1",
            "1.0",
            "\"1\"",
            "\"\\u0031\"",
            "\"x\"",
            "true",
            "null",
            "{}",
            "{\"d\": 1, \"e\": {\"d\": \"x\"}}",
        ])
    };
    let field = move |key: &'static str| {
        proptest::option::of(plain()).prop_map(move |v| v.map(|v| format!("\"{key}\": {v}")))
    };
    let element = (field("a"), field("b"), field("f")).prop_map(|(a, b, f)| {
        let all: Vec<String> = [a, b, f].into_iter().flatten().collect();
        format!("{{{}}}", all.join(", "))
    });
    let list = vec(element, 0..3).prop_map(|all| Some(format!("\"l\": [{}]", all.join(", "))));
    (
        field("a"),
        field("b"),
        field("c"),
        field("f"),
        field("g"),
        list,
    )
        .prop_map(|(a, b, c, f, g, l)| {
            let head =
                "\"schema_version\": \"1.2.0\", \"run_id\": \"r\", \"job_id\": \"j\"".to_owned();
            let all: Vec<String> = [Some(head), a, b, c, f, g, l]
                .into_iter()
                .flatten()
                .collect();
            format!("{{{}}}", all.join(", "))
        })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2000, ..ProptestConfig::default() })]

    /// Whatever the operations are: a document that went up comes down, and goes up again to the same document.
    #[test]
    fn any_migration_has_its_way_back(operations in operations(), text in small()) {
        // What one `for_each` kept is bound to the elements as it left them, and a move by another one may bring their
        // fields back in another order. Such a document is refused on its way back, and its backup is named.
        if operations.iter().filter(|one| one.contains("in: /l")).count() > 1 {
            return Ok(());
        }
        let kind = Kind::run_manifest();
        let file: MigrationFile = serde_yaml::from_str(&format!(
            "{{from_version: 1.2.0, to_version: 2.0.0, breaking: true, loses: x, operations: [{}]}}",
            operations.join(", ")
        ))
        .unwrap();
        let Some(migration) = file.check(&kind).migration else { return Ok(()) };
        let mut registry = Registry::built_in(&kind).unwrap();
        registry.add(migration).unwrap();
        let engine = Engine::new(kind, registry).unwrap();
        let Ok(Outcome::Migrated(up)) = engine.migrate(text.as_bytes(), Target::Latest, at(), None) else {
            return Ok(());
        };
        let down = to(&engine, &up.text, "1.2.0", up.kept.as_deref());
        let again = to(&engine, &down.text, "latest", down.kept.as_deref());
        prop_assert_eq!(apart(&again.text), apart(&up.text));
        let below = to(&engine, &again.text, "1.2.0", again.kept.as_deref());
        prop_assert_eq!(apart(&below.text), apart(&down.text));
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    /// Identity equal, every untouched value equal in bytes and order, fields there, history grown by one, checksums
    /// right, a second run a no-op.
    #[test]
    fn an_upgrade_keeps_the_invariants(text in document("1.0.0")) {
        let engine = engine(&[]);
        let before = text.as_bytes();
        let migrated = to(&engine, before, "latest", None);
        let after = migrated.text.as_slice();
        let (old, new) = (spelled(before), spelled(after));
        prop_assert!(old.iter().all(|one| new.contains(one)));
        for field in ["input_snapshots", "inputs_hash", "chain_metadata"] {
            prop_assert!(new.iter().any(|(key, _)| key == field));
        }
        prop_assert_eq!(new.len(), new.iter().map(|(key, _)| key).collect::<std::collections::BTreeSet<_>>().len());
        let sum = sha256(before);
        let (grown, was) = (history(after), history(before));
        prop_assert_eq!(&grown[..was.len()], was.as_slice());
        prop_assert_eq!(grown.len(), was.len() + 1);
        prop_assert_eq!(grown[was.len()]["checksum_before"].as_str(), Some(sum.as_str()));
        prop_assert_eq!(grown[was.len()]["checksum_after"].as_str(), Some(migrated.checksum_after.as_str()));
        prop_assert!(engine.verify(after).unwrap().checksum);
        prop_assert_eq!(
            engine.migrate(after, Target::Latest, at(), None).unwrap(),
            Outcome::Current { version: version("1.2.0") }
        );
        // The beginning of the text up to the version, and what comes after the last brace.
        let end = |text: &[u8]| text.len() - text.iter().rposition(|byte| *byte == b'}').unwrap();
        prop_assert_eq!(&before[before.len() - end(before) + 1..], &after[after.len() - end(after) + 1..]);
        let lead = before.iter().position(|byte| *byte == b'"').unwrap();
        prop_assert_eq!(&before[..lead], &after[..lead]);
    }

    /// The direct migration gives the same document as the two that it stands for.
    #[test]
    fn direct_equals_composed(text in document("1.0.0")) {
        let engine = engine(&[]);
        let direct = to(&engine, text.as_bytes(), "1.2.0", None);
        let half = to(&engine, text.as_bytes(), "1.1.0", None);
        let composed = to(&engine, &half.text, "1.2.0", None);
        prop_assert_eq!(spelled(&direct.text), spelled(&composed.text));
    }

    /// Down and up again is the same document, through one hop or two.
    #[test]
    fn down_up_is_the_identity(text in document("1.2.0"), half: bool) {
        let engine = engine(&[]);
        let mut down = to(&engine, text.as_bytes(), "1.0.0", None);
        if half {
            down = to(&engine, &down.text, "1.1.0", down.kept.as_deref());
        }
        let up = to(&engine, &down.text, "1.2.0", down.kept.as_deref());
        prop_assert!(up.kept.is_none() && up.kept_used);
        prop_assert_eq!(spelled(&up.text), spelled(text.as_bytes()));
        prop_assert_eq!(history(&up.text).len(), history(text.as_bytes()).len() + if half { 3 } else { 2 });
    }

    /// Up, down and up again is what up was, with a migration that breaks in between; and down gives what was there.
    #[test]
    fn up_down_up_is_the_identity(
        text in document("1.2.0"),
        state in prop_oneof![Just("done"), Just("ok"), Just("b\\u0061d")],
        count in any::<i32>(),
        parts in vec(("[a-c]{1}", proptest::option::of(value()), any::<bool>()), 0..4),
    ) {
        let engine = engine(&[EVERYTHING]);
        let parts: Vec<String> = parts
            .iter()
            .map(|(name, tmp, checked)| {
                let tmp = tmp.as_ref().map(|tmp| format!(", \"tmp\": {tmp}")).unwrap_or_default();
                let checked = if *checked { ", \"sizes\": [1, 20]" } else { "" };
                format!("{{\"name\": \"{name}\"{tmp}{checked}}}")
            })
            .collect();
        let more = format!(
            "\"state\": \"{state}\", \"count\": \"{count}\", \"owner\": 1.50, \"artifacts\": [{}], \"job_id\"",
            parts.join(", ")
        );
        let text = text.replacen("\"job_id\"", &more, 1);
        let up = to(&engine, text.as_bytes(), "latest", None);
        let down = to(&engine, &up.text, "1.2.0", up.kept.as_deref());
        let again = to(&engine, &down.text, "latest", down.kept.as_deref());
        let value = |text: &[u8]| apart(plain(text));
        prop_assert_eq!(value(&down.text), value(text.as_bytes()));
        prop_assert_eq!(value(&again.text), value(&up.text));
        let last = to(&engine, &again.text, "1.2.0", again.kept.as_deref());
        prop_assert_eq!(value(&last.text), value(text.as_bytes()));
    }

    /// Whatever the bytes are, there is an answer.
    #[test]
    fn no_bytes_surprise_it(text in document("1.0.0"), at in any::<prop::sample::Index>(), byte: u8) {
        let mut bytes = text.into_bytes();
        let place = at.index(bytes.len());
        bytes[place] = byte;
        let engine = engine(&[]);
        if let Ok(Outcome::Migrated(migrated)) = engine.migrate(&bytes, Target::Latest, super::at(), None) {
            prop_assert!(engine.verify(&migrated.text).is_ok());
        }
    }
}
