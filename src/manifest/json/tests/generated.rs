//! Generated documents in random styles, edits of them, and damage done to them.

use std::collections::BTreeSet;

use proptest::prelude::*;
use serde_json::{Value, json};

use super::odd::{REFUSED, TAKEN};
use super::{judge, same};
use crate::manifest::json::{Document, Kind, Pointer, locate, sniff};

/// A document as a tree of spellings.
#[derive(Debug, Clone)]
enum Tree {
    Plain(String),
    Array(Vec<Tree>),
    /// Keys as spelled, without quotes.
    Object(Vec<(String, Tree)>),
}

/// How it is laid out.
#[derive(Debug, Clone)]
struct Look {
    mark: bool,
    newline: &'static str,
    indent: &'static str,
    colon: &'static str,
    comma: &'static str,
    pad: &'static str,
    /// Whitespace strewn where the layout has none, one after the other.
    noise: Vec<&'static str>,
    end: &'static str,
}

fn string_inner() -> impl Strategy<Value = String> {
    let part = prop_oneof![
        6 => "[a-zA-Z0-9 _.:/-]{0,12}",
        1 => Just("\\n".to_owned()),
        1 => Just("\\/".to_owned()),
        1 => Just("\\\\".to_owned()),
        1 => Just("\\\"".to_owned()),
        1 => Just("\\u00e9".to_owned()),
        1 => Just("\\uD83D\\ude00".to_owned()),
        1 => Just("\\u0000".to_owned()),
        1 => Just("é€😀".to_owned()),
        1 => Just("\u{2028}\u{7f}".to_owned()),
    ];
    prop::collection::vec(part, 0..4).prop_map(|parts| parts.concat())
}

fn tree() -> impl Strategy<Value = Tree> {
    let number = prop_oneof![
        "-?(0|[1-9][0-9]{0,25})",
        "-?(0|[1-9][0-9]{0,5})\\.[0-9]{1,20}",
        "-?(0|[1-9][0-9]{0,3})(\\.[0-9]{1,3})?[eE][+-]?[0-9]{1,3}",
        Just("-0".to_owned()),
        Just("1e400".to_owned()),
    ];
    let plain = prop_oneof![
        3 => string_inner().prop_map(|s| format!("\"{s}\"")),
        3 => number,
        1 => prop::sample::select(vec!["true", "false", "null"]).prop_map(str::to_owned),
    ];
    plain
        .prop_map(Tree::Plain)
        .prop_recursive(4, 40, 6, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..6).prop_map(Tree::Array),
                prop::collection::vec((string_inner(), inner), 0..6).prop_map(object),
            ]
        })
}

/// An object without duplicates among these members.
fn object(members: Vec<(String, Tree)>) -> Tree {
    let mut seen = BTreeSet::new();
    let said = |key: &str| serde_json::from_str::<String>(&format!("\"{key}\"")).unwrap();
    Tree::Object(
        members
            .into_iter()
            .filter(|(key, _)| seen.insert(said(key)))
            .collect(),
    )
}

fn rooted() -> impl Strategy<Value = Tree> {
    prop::collection::vec((string_inner(), tree()), 1..8).prop_map(object)
}

fn look() -> impl Strategy<Value = Look> {
    let spaces = vec![
        "", "", "", "", " ", "  ", "\n", "\r\n", "\t", "\r", " \n\t ",
    ];
    let noise = prop_oneof![
        3 => Just(vec![""]),
        1 => prop::collection::vec(prop::sample::select(spaces), 1..20),
    ];
    let pick = |of: &[&'static str]| prop::sample::select(of.to_vec());
    (
        any::<bool>(),
        pick(&["", "\n", "\r\n", "\r"]),
        pick(&["", " ", "  ", "    ", "\t"]),
        pick(&[":", ": ", " : ", " :", ":  "]),
        pick(&[",", ", "]),
        pick(&["", " "]),
        noise,
        pick(&["", "\n", "\r\n", "\n\n", " "]),
    )
        .prop_map(
            |(mark, newline, indent, colon, comma, pad, noise, end)| Look {
                mark,
                newline,
                indent,
                colon,
                comma,
                pad,
                noise,
                end,
            },
        )
}

/// The text of a tree.
struct Printer<'l> {
    look: &'l Look,
    at: usize,
    out: String,
}

impl Printer<'_> {
    fn print(tree: &Tree, look: &Look) -> String {
        let out = if look.mark { "\u{feff}" } else { "" }.to_owned();
        let mut printer = Printer { look, at: 0, out };
        printer.noise();
        printer.tree(tree, 0);
        printer.noise();
        printer.out + look.end
    }

    fn noise(&mut self) {
        self.out
            .push_str(self.look.noise[self.at % self.look.noise.len()]);
        self.at += 1;
    }

    fn line(&mut self, depth: usize, otherwise: &str) {
        if self.look.newline.is_empty() {
            self.out.push_str(otherwise);
        } else {
            self.out.push_str(self.look.newline);
            self.out.push_str(&self.look.indent.repeat(depth));
        }
        self.noise();
    }

    fn tree(&mut self, tree: &Tree, depth: usize) {
        let (open, close, members): (_, _, Vec<_>) = match tree {
            Tree::Plain(text) => {
                self.out.push_str(text);
                return;
            }
            Tree::Array(list) => ('[', ']', list.iter().map(|v| (None, v)).collect()),
            Tree::Object(map) => ('{', '}', map.iter().map(|(k, v)| (Some(k), v)).collect()),
        };
        let look = self.look;
        self.out.push(open);
        for (i, (key, value)) in members.iter().enumerate() {
            if i > 0 {
                self.noise();
                self.out.push_str(look.comma.trim_end());
            }
            self.line(depth + 1, if i > 0 { &look.comma[1..] } else { look.pad });
            if let Some(key) = key {
                self.out.push_str(&format!("\"{key}\""));
                self.out.push_str(look.colon);
            }
            self.tree(value, depth + 1);
        }
        if members.is_empty() {
            self.noise();
        } else {
            self.line(depth, look.pad);
        }
        self.out.push(close);
    }
}

fn text() -> impl Strategy<Value = String> {
    (rooted(), look()).prop_map(|(tree, look)| Printer::print(&tree, &look))
}

/// Every place in a document, the root first.
fn places(document: &Document<'_>) -> Vec<Pointer> {
    let mut all = vec![Pointer::root()];
    let mut next = 0;
    while let Some(at) = all.get(next).cloned() {
        next += 1;
        match document.kind(&at).unwrap() {
            Kind::Object { .. } => all.extend(document.keys(&at).into_iter().map(|k| at.join(k))),
            Kind::Array { len } => all.extend((0..len).map(|i| at.join(i.to_string()))),
            _ => {}
        }
    }
    all
}

/// The bytes of everything outside of `at` and what holds it.
fn others(document: &Document<'_>, at: &Pointer) -> Vec<(Pointer, Vec<u8>)> {
    let apart = |p: &Pointer| !p.holds(at) && !at.holds(p);
    let raw = |p: Pointer| (p.clone(), document.raw(&p).unwrap().into_owned());
    places(document)
        .into_iter()
        .filter(apart)
        .map(raw)
        .collect()
}

fn parse(text: &[u8]) -> Document<'_> {
    Document::parse(text).unwrap_or_else(|e| panic!("{e}: {}", String::from_utf8_lossy(text)))
}

/// Any value, as small as it may be.
fn value() -> impl Strategy<Value = Value> {
    prop::sample::select(vec![
        json!(null),
        json!(true),
        json!(7),
        json!(-0.5),
        json!("1.1.0"),
        json!("é\n\"\u{1}"),
        json!([]),
        json!({}),
        json!([1, "a", [2]]),
        json!({"k": {"l": [1, {"m": null}]}, "é": 1}),
    ])
}

fn config() -> ProptestConfig {
    ProptestConfig {
        failure_persistence: None,
        ..ProptestConfig::with_cases(200)
    }
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn reading_and_writing_changes_nothing(text in text()) {
        let bytes = text.as_bytes();
        let document = parse(bytes);
        prop_assert!(judge(bytes));
        prop_assert_eq!(document.write(), bytes);
        for at in places(&document) {
            let raw = document.raw(&at).unwrap().into_owned();
            prop_assert_eq!(&bytes[locate(bytes, &at).unwrap()], &raw[..]);
            let value = document.value(&at).unwrap();
            prop_assert_eq!(sniff(bytes, &at).unwrap(), value.as_str().map(str::to_owned));
            if let Ok(judged) = serde_json::from_slice::<Value>(&raw) {
                prop_assert!(same(&value, &judged), "{} against {}", value, judged);
            }
            prop_assert_eq!(at.to_string().parse::<Pointer>().unwrap(), at);
        }
        prop_assert_eq!(document.write(), bytes);
    }

    #[test]
    fn setting_changes_only_what_it_says(text in text(), which: prop::sample::Index, value in value()) {
        let mut document = parse(text.as_bytes());
        let all = places(&document);
        let at = which.get(&all).clone();
        let before = others(&document, &at);
        let mut expected = document.value(&Pointer::root()).unwrap();
        *expected.pointer_mut(&at.to_string()).unwrap() = value.clone();
        let range = locate(text.as_bytes(), &at).unwrap();
        document.set(&at, &value).unwrap();
        let after = document.write();
        // What is before and after the value is as it was.
        prop_assert!(after.starts_with(&text.as_bytes()[..range.start]));
        prop_assert!(after.ends_with(&text.as_bytes()[range.end..]));
        let again = parse(&after);
        prop_assert_eq!(again.value(&Pointer::root()).unwrap(), expected);
        for (place, raw) in before {
            prop_assert_eq!(&again.raw(&place).unwrap()[..], &raw[..]);
            prop_assert_eq!(&document.raw(&place).unwrap()[..], &raw[..]);
        }
    }

    #[test]
    fn adding_and_removing_gives_the_text_back(text in text(), which: prop::sample::Index, value in value()) {
        let mut document = parse(text.as_bytes());
        let containers: Vec<_> = places(&document)
            .into_iter()
            .filter(|p| matches!(document.kind(p), Some(Kind::Object { .. } | Kind::Array { .. })))
            .collect();
        let parent = which.get(&containers);
        let (at, last) = match document.kind(parent) {
            Some(Kind::Array { len }) => (parent.join("-"), parent.join(len.to_string())),
            _ => (parent.join("added by a test"), parent.join("added by a test")),
        };
        let start = locate(text.as_bytes(), parent).unwrap().start;
        let before = others(&document, parent);
        document.set(&at, &value).unwrap();
        let after = document.write();
        let mut again = parse(&after);
        prop_assert_eq!(again.value(&last).unwrap(), value);
        prop_assert!(after.starts_with(&text.as_bytes()[..=start]));
        for (place, raw) in before {
            prop_assert_eq!(&again.raw(&place).unwrap()[..], &raw[..]);
        }
        let one_by_one = document.position(&last).unwrap() > 0;
        document.remove(&last).unwrap();
        prop_assert_eq!(document.write(), text.as_bytes());
        // Also by somebody who comes later and has seen nothing but the text after.
        if one_by_one {
            again.remove(&last).unwrap();
            prop_assert_eq!(again.write(), text.as_bytes());
        }
    }

    #[test]
    fn removing_changes_only_what_it_says(text in text(), which: prop::sample::Index) {
        let mut document = parse(text.as_bytes());
        let members: Vec<_> = places(&document)
            .into_iter()
            .filter(|p| p.parent().is_some_and(|p| matches!(document.kind(&p), Some(Kind::Object { .. }))))
            .collect();
        prop_assume!(!members.is_empty());
        let at = which.get(&members);
        let before = others(&document, at);
        let raw = document.raw(at).unwrap().into_owned();
        let position = document.position(at).unwrap();
        let taken = document.remove(at).unwrap();
        prop_assert_eq!(taken.raw(), &raw[..]);
        let after = document.write();
        let again = parse(&after);
        prop_assert!(!again.has(at));
        prop_assert_eq!(others(&again, at), before.clone());
        document.put_at(at, position, taken).unwrap();
        prop_assert_eq!(document.position(at), Some(position));
        prop_assert_eq!(others(&document, at), before);
        prop_assert_eq!(document.raw(at).unwrap().into_owned(), raw);
        let after = document.write();
        prop_assert_eq!(places(&parse(&after)), places(&parse(text.as_bytes())));
    }

    #[test]
    fn renaming_keeps_place_and_value(text in text(), which: prop::sample::Index, key in "[a-zé\"/~]{0,3}") {
        let mut document = parse(text.as_bytes());
        let members: Vec<_> = places(&document)
            .into_iter()
            .filter(|p| p.parent().is_some_and(|p| matches!(document.kind(&p), Some(Kind::Object { .. }))))
            .collect();
        let at = which.get(&members);
        let to = at.parent().unwrap().join(key.clone());
        let before = others(&document, at);
        let raw = document.raw(at).unwrap().into_owned();
        let position = document.position(at);
        let taken = document.has(&to);
        let done = document.rename(at, &key);
        if taken {
            prop_assert_eq!(done.is_ok(), to == *at);
            prop_assert_eq!(document.write(), text.as_bytes());
        } else {
            done.unwrap();
            let after = document.write();
            let again = parse(&after);
            prop_assert_eq!(again.raw(&to).unwrap().into_owned(), raw);
            prop_assert_eq!(again.position(&to), position);
            prop_assert_eq!(others(&again, &to), before);
        }
    }

    #[test]
    fn many_edits_do_what_they_do_to_values(
        text in text(),
        edits in prop::collection::vec((0..5u8, any::<prop::sample::Index>(), any::<prop::sample::Index>(), value()), 1..12),
    ) {
        let mut document = parse(text.as_bytes());
        for (n, (what, which, other, value)) in edits.into_iter().enumerate() {
            let all = places(&document);
            let at = which.get(&all).clone();
            let to = other.get(&all).join(format!("n{n}"));
            let before = document.write();
            let mut expected = document.value(&Pointer::root()).unwrap();
            let done = match what {
                0 => document.set(&at, &value),
                1 => document.set(&to, &value),
                2 => document.remove(&at).map(drop),
                3 => document.relocate(&at, &to),
                _ => document.copied(&at).and_then(|taken| document.put(&to, taken)),
            };
            if done.is_err() {
                prop_assert_eq!(document.write(), before);
                continue;
            }
            let moved = if what == 2 || what == 3 { cut(&mut expected, &at) } else { None };
            match what {
                0 => *expected.pointer_mut(&at.to_string()).unwrap() = value,
                1 => put(&mut expected, &to, value),
                3 => put(&mut expected, &to, moved.unwrap()),
                4 => {
                    let copy = expected.pointer(&at.to_string()).unwrap().clone();
                    put(&mut expected, &to, copy);
                }
                _ => {}
            }
            let after = document.write();
            prop_assert_eq!(&parse(&after).value(&Pointer::root()).unwrap(), &expected);
            prop_assert_eq!(document.value(&Pointer::root()).unwrap(), expected);
        }
    }

    #[test]
    fn damage_never_confuses(
        text in text(),
        odd in any::<prop::sample::Index>(),
        use_odd in any::<bool>(),
        blows in prop::collection::vec((any::<prop::sample::Index>(), 0..4u8, any::<u8>()), 1..5),
    ) {
        let mut bytes = text.into_bytes();
        if use_odd {
            let all: Vec<&[u8]> = TAKEN.iter().map(|t| t.1).chain(REFUSED.iter().map(|t| t.1)).collect();
            bytes = odd.get(&all).to_vec();
        }
        for (place, how, byte) in blows {
            if bytes.is_empty() {
                break;
            }
            let i = place.index(bytes.len());
            // Bytes that mean something are likelier to do harm than others.
            let meaning = b"{}[]\",:\\ud8/*#'-+.eE0 \n\t\0\xef\x80tn";
            let byte = if byte < 200 { meaning[usize::from(byte) % meaning.len()] } else { byte };
            match how {
                0 => bytes[i] = byte,
                1 => bytes.insert(i, byte),
                2 => drop(bytes.remove(i)),
                _ => bytes.truncate(i),
            }
        }
        agree(&bytes);
    }

    #[test]
    fn any_bytes_never_confuse(bytes in prop::collection::vec(any::<u8>(), 0..40)) {
        agree(&bytes);
    }
}

/// Judge and scanner say the same of any bytes.
fn agree(bytes: &[u8]) {
    let root = Pointer::root();
    let shown = || String::from_utf8_lossy(bytes).into_owned();
    // A debug build asks the judge within `parse` as well.
    match Document::parse(bytes) {
        Ok(document) => {
            assert!(judge(bytes), "{}", shown());
            assert_eq!(document.write(), bytes);
            assert!(document.value(&root).is_some());
            assert!(sniff(bytes, &root).is_ok());
        }
        Err(refusal) => {
            let ours = ["duplicate_key", "lone_surrogate", "too_deep"];
            assert!(
                ours.contains(&refusal.class()) || !judge(bytes),
                "{}: {refusal}",
                shown()
            );
            assert_eq!(sniff(bytes, &root), Err(refusal.clone()));
            assert!(refusal.offset <= bytes.len() && refusal.line > 0 && refusal.column > 0);
        }
    }
}

fn cut(value: &mut Value, at: &Pointer) -> Option<Value> {
    let last = at.last()?;
    match value.pointer_mut(&at.parent()?.to_string())? {
        Value::Object(map) => map.shift_remove(last),
        Value::Array(list) => Some(list.remove(last.parse().ok()?)),
        _ => None,
    }
}

fn put(value: &mut Value, at: &Pointer, new: Value) {
    let parent = value
        .pointer_mut(&at.parent().unwrap().to_string())
        .unwrap();
    let old = parent
        .as_object_mut()
        .unwrap()
        .insert(at.last().unwrap().to_owned(), new);
    assert_eq!(old, None);
}
