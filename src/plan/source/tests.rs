#![expect(clippy::unwrap_used, reason = "a test may stop at the first surprise")]

use super::*;
use crate::base::diagnostic::Finding;

fn read(text: &str) -> (Option<Arena>, Vec<Finding>) {
    parse(&Arc::new(SourceText::new("plan.yaml", text.to_owned())))
}

fn codes(text: &str) -> Vec<&'static str> {
    read(text).1.iter().map(|f| f.code.as_str()).collect()
}

fn kind(text: &str) -> Kind {
    let (arena, findings) = read(text);
    assert!(findings.is_empty(), "{findings:?}");
    let arena = arena.unwrap();
    let found = arena.follow("/a");
    arena.node(found.node).kind.clone()
}

#[test]
fn scalars_follow_the_core_schema() {
    for text in [
        "on",
        "yes",
        "12:30:00",
        "2025-10-04",
        "0o8",
        "1_000",
        "=",
        "1.2.3",
        "-",
        "5%",
    ] {
        if text == "-" {
            continue;
        }
        assert_eq!(
            kind(&format!("a: {text}")),
            Kind::Text(text.into()),
            "{text}"
        );
    }
    assert_eq!(
        kind("a: 0777"),
        Kind::Number(Number::Int(777), "0777".into())
    );
    assert_eq!(
        kind("a: 0o17"),
        Kind::Number(Number::Int(15), "0o17".into())
    );
    assert_eq!(
        kind("a: 1.10"),
        Kind::Number(Number::Float(1.1), "1.10".into())
    );
    assert_eq!(
        kind("a: .inf"),
        Kind::Number(Number::Float(f64::INFINITY), ".inf".into())
    );
    assert_eq!(kind("a: ~"), Kind::Null);
    assert_eq!(kind("a:"), Kind::Null);
    assert_eq!(kind("a: 'true'"), Kind::Text("true".into()));
    assert_eq!(kind("a: !!str 1"), Kind::Text("1".into()));
}

#[test]
fn pointers_lead_to_places() {
    let (arena, _) = read("a:\n  - b: 1\n    c/d: é x\n");
    let arena = arena.unwrap();
    let place = arena.locate("/a/0/c~1d");
    assert_eq!((place.line, place.column, place.end_column), (3, 10, 13));
    let place = arena.locate_key("/a/0/c~1d");
    assert_eq!((place.line, place.column, place.end_column), (3, 5, 8));
    let place = arena.locate("/a/0");
    assert_eq!(
        (place.line, place.column, place.end_line, place.end_column),
        (2, 5, 3, 13)
    );
    assert_eq!(
        arena.locate("/a").column,
        1,
        "a collection is where its key is"
    );
}

#[test]
fn several_findings_come_at_once() {
    assert_eq!(
        codes("a: 1\na: 2\n1: x\n? [q]\n: z\nb: !odd y\n"),
        ["OR0011", "OR0012", "OR0012", "OR0013"]
    );
}

#[test]
fn duplicates_are_found_in_large_mappings_too() {
    let mut text = String::new();
    for key in 0..40 {
        text.push_str(&format!("k{key}: 1\n"));
    }
    text.push_str("k3: 2\nk30: 2\n");
    assert_eq!(codes(&text), ["OR0011", "OR0011"]);
}

#[test]
fn merge_keys_add_what_is_not_there() {
    let (arena, findings) = read("x: &x {a: 1, b: 2}\ny: {<<: *x, b: 3}\nz: {<<: [*x, {c: 4}]}\n");
    assert!(findings.is_empty());
    let arena = arena.unwrap();
    let int = |pointer: &str| match &arena.node(arena.follow(pointer).node).kind {
        Kind::Number(Number::Int(value), _) => *value,
        other => panic!("{other:?}"),
    };
    assert_eq!((int("/y/a"), int("/y/b"), int("/z/c")), (1, 3, 4));
    assert_eq!(codes("a: {<<: 1}"), ["OR0014"]);
}

#[test]
fn what_is_no_plan_is_named() {
    assert_eq!(codes(""), ["OR0005"]);
    assert_eq!(codes("# only words\n"), ["OR0005"]);
    assert_eq!(codes("~"), ["OR0005"]);
    assert_eq!(codes("a: 1\n---\nb: 2\n"), ["OR0007"]);
    assert_eq!(codes("a: [1\n"), ["OR0006"]);
    assert_eq!(codes("a: *b\n"), ["OR0006"]);
    assert_eq!(codes("a: &b [*b]\n"), ["OR0010"]);
}

#[test]
fn hostile_nesting_ends_quickly() {
    let started = std::time::Instant::now();
    assert_eq!(codes(&"[".repeat(10_000)), ["OR0008"]);
    assert_eq!(codes(&"- ".repeat(10_000)), ["OR0008"]);
    assert_eq!(codes(&"{a: ".repeat(10_000)), ["OR0008"]);
    let mut block = String::new();
    for depth in 0..2_000 {
        block.push_str(&" ".repeat(depth));
        block.push_str("a:\n");
    }
    assert_eq!(codes(&block), ["OR0008"]);
    assert!(started.elapsed().as_secs() < 2);
    let fine = format!("{}1{}", "[".repeat(MAX_DEPTH), "]".repeat(MAX_DEPTH));
    assert!(codes(&fine).is_empty());
}

#[test]
fn alias_bombs_are_refused() {
    let mut text = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n".to_owned();
    for level in 1..10 {
        let item = format!("*a{}, ", level - 1).repeat(10);
        text.push_str(&format!("a{level}: &a{level} [{item}]\n"));
    }
    assert_eq!(codes(&text), ["OR0009"]);
    let mut merges = "m: &m {".to_owned();
    for key in 0..1_000 {
        merges.push_str(&format!("k{key}: 1, "));
    }
    merges.push_str("}\nl:\n");
    merges.push_str(&"  - {<<: *m}\n".repeat(1_000));
    assert_eq!(codes(&merges), ["OR0009"]);
    assert!(codes("a: &a {b: 1}\nc: *a\nd: *a\n").is_empty());
}

/// The arena's value as another parser would give it.
#[test]
fn a_large_text_is_read_like_a_small_one() {
    let lines = 40_000;
    let many: String = (0..lines)
        .map(|i| format!("key{i}: &a{i} [one, {i}]\n"))
        .collect();
    let (arena, findings) = read(&many);
    assert!(findings.is_empty(), "{findings:?}");
    let arena = arena.unwrap();
    for i in [0, lines / 2, lines - 1] {
        let at = arena.locate(&format!("/key{i}/1"));
        assert_eq!(at.line, i + 1);
        assert_eq!(
            arena
                .node(arena.follow(&format!("/key{i}/1")).node)
                .kind
                .clone(),
            Kind::Number(Number::Int(i as i64), i.to_string().into())
        );
    }
    // Reading stops in the midst of the scan, and at its end.
    let line = many[..many.len() / 20].rfind('\n').unwrap() + 1;
    let wrong = "a: ]\n";
    let early = format!("{}{wrong}{}", &many[..line], &many[line..]);
    for text in [early, format!("{many}{wrong}b: 1\n")] {
        assert_eq!(codes(&text), ["OR0006"]);
    }
    assert_eq!(codes(&format!("{many}---\n{many}")), ["OR0007"]);
}

fn value_of(arena: &Arena, id: NodeId) -> serde_yaml::Value {
    match &arena.node(id).kind {
        Kind::Null => serde_yaml::Value::Null,
        Kind::Bool(value) => (*value).into(),
        Kind::Number(Number::Int(value), _) => (*value).into(),
        Kind::Number(Number::Uint(value), _) => (*value).into(),
        Kind::Number(Number::Float(value), _) => (*value).into(),
        Kind::Text(text) => text.to_string().into(),
        Kind::List(items) => {
            let items: Vec<_> = items.iter().map(|item| value_of(arena, *item)).collect();
            items.into()
        }
        Kind::Map(entries) => entries
            .iter()
            .map(|entry| (entry.key.to_string().into(), value_of(arena, entry.value)))
            .collect::<serde_yaml::Mapping>()
            .into(),
    }
}

fn scalars() -> impl proptest::strategy::Strategy<Value = serde_yaml::Value> {
    use proptest::prelude::*;
    prop_oneof![
        Just(serde_yaml::Value::Null),
        any::<bool>().prop_map(Into::into),
        any::<i64>().prop_map(Into::into),
        any::<u64>().prop_map(Into::into),
        (-1000i32..1000).prop_map(|n| (f64::from(n) / 8.0).into()),
        // A leading zero is an integer in YAML 1.2 and text for the other parser.
        "[a-z:#'\"{}\\[\\]&*!|>%@` \n.,~=<-][a-z0-9:#'\"{}\\[\\] \n.é-]{0,12}"
            .prop_filter("a leading zero", |text| {
                !text.trim_start_matches(['-', '.', ' ']).starts_with('0')
            })
            .prop_map(Into::into),
    ]
}

fn documents() -> impl proptest::strategy::Strategy<Value = serde_yaml::Value> {
    use proptest::prelude::*;
    scalars().prop_recursive(4, 40, 5, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..5).prop_map(serde_yaml::Value::from),
            prop::collection::btree_map("[a-z][a-z0-9_ -]{0,8}[a-z]", inner, 0..5).prop_map(
                |entries| {
                    entries
                        .into_iter()
                        .filter(|(key, _)| !["null", "true", "false"].contains(&key.as_str()))
                        .map(|(key, value)| (serde_yaml::Value::from(key), value))
                        .collect::<serde_yaml::Mapping>()
                        .into()
                }
            ),
        ]
    })
}

proptest::proptest! {
    /// What another parser reads, the arena reads the same.
    #[test]
    fn the_arena_agrees_with_serde_yaml(document in documents()) {
        let text = serde_yaml::to_string(&document).unwrap();
        let judge: serde_yaml::Value = serde_yaml::from_str(&text).unwrap();
        let (arena, findings) = read(&text);
        if let Some(arena) = arena {
            proptest::prop_assert!(findings.is_empty(), "{text}\n{findings:?}");
            proptest::prop_assert_eq!(value_of(&arena, arena.root()), judge, "{}", text);
        } else {
            proptest::prop_assert_eq!(findings[0].code.as_str(), "OR0005", "{}\n{:?}", text, findings);
        }
    }

    /// Nothing that anyone writes makes the parser panic.
    #[test]
    fn no_text_makes_it_panic(text in "[a-c:#'\"{}\\[\\]&*!|>%@?, \n\t<.é-]{0,80}") {
        let _ = read(&text);
    }
}
