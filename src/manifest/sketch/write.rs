//! A sketch as the text of a migration file.

use std::fmt::Write as _;

use super::draft::{Item, Op};
use super::node::Node;
use super::{Settings, Versions};
use crate::manifest::json::Pointer;

/// A mapping key that is longer than this, in characters, is none in YAML's flow style.
const LONGEST_KEY: usize = 1_000;

/// The path as a message shows it.
pub(super) fn show(path: &[String]) -> String {
    format!(
        "`{}`",
        escape(&Pointer::of(path.iter().cloned()).to_string())
    )
}

/// Why a migration file cannot say it, if it cannot.
pub(super) fn unspeakable(op: &Op) -> Option<&'static str> {
    let path = |path: &[String]| {
        path.iter()
            .any(|key| key == "-" || key == "*")
            .then_some("a key is `-` or `*`, which stand for nothing in a migration file")
    };
    match op {
        Op::Add { at, default } => path(at).or_else(|| unspeakable_value(default)),
        Op::Rename { at, to } => path(at).or_else(|| path(std::slice::from_ref(to))),
        Op::Move { from, to } => path(from).or_else(|| path(to)),
        Op::Retype { at, .. } | Op::Remove { at } => path(at),
        Op::Exchange { at, values } => path(at).or_else(|| {
            values
                .iter()
                .find_map(|(old, new)| unspeakable_value(old).or_else(|| unspeakable_value(new)))
        }),
        Op::ForEach { within, items } => path(within).or_else(|| {
            items
                .iter()
                .filter_map(|item| item.op.as_ref())
                .find_map(unspeakable)
        }),
    }
}

fn unspeakable_value(node: &Node) -> Option<&'static str> {
    match node {
        Node::Null | Node::Bool(_) | Node::Text(_) => None,
        // Any other spelling would come out of YAML as another number.
        Node::Number(digits) => {
            let spelled = serde_json::from_str::<serde_json::Value>(digits)
                .is_ok_and(|value| value.to_string().as_str() == &**digits);
            let held = digits.parse::<i64>().is_ok()
                || digits.contains('.') && !digits.contains(['e', 'E']);
            (!spelled || !held)
                .then_some("a number in it is spelled so that YAML would make another one of it")
        }
        Node::Array(elements) => elements.iter().find_map(unspeakable_value),
        Node::Object(members) => members.iter().find_map(|(key, value)| {
            (key.chars().count() > LONGEST_KEY)
                .then_some("a key in it is too long for YAML")
                .or_else(|| unspeakable_value(value))
        }),
    }
}

/// The whole file.
pub(super) fn file(
    settings: Settings<'_>,
    versions: Versions,
    items: &[Item],
    head: &[String],
) -> String {
    let mut text = String::new();
    line(
        &mut text,
        0,
        "# Drafted from two documents, one before and one after. What they show is written down; whether",
    );
    line(
        &mut text,
        0,
        "# it holds for every document is for you to decide. Look at every default and at each `Decide`.",
    );
    for sentence in head {
        comment(&mut text, 0, &format!("Decide: {sentence}"));
    }
    line(&mut text, 0, &format!("from_version: {}", versions.from));
    line(&mut text, 0, &format!("to_version: {}", versions.to));
    line(&mut text, 0, &format!("kind: {}", word(settings.kind)));
    let ops = || items.iter().filter_map(|item| item.op.as_ref());
    if ops().next().is_some() {
        line(&mut text, 0, "changes:");
        for op in ops() {
            line(&mut text, 1, &format!("- {}", quoted(&tell(op))));
        }
    }
    if !ops().all(Op::only_adds) {
        let lost: Vec<String> = ops().filter(|op| !op.only_adds()).map(tell).collect();
        let all = lost.join("; ");
        line(&mut text, 0, "breaking: true");
        comment(
            &mut text,
            0,
            "Decide: say it in the words of those who read these documents.",
        );
        let loses = format!(
            "readers of version {}.x do not expect this: {all}",
            versions.from.major
        );
        line(&mut text, 0, &format!("loses: {}", quoted(&loses)));
    }
    if ops().next().is_none() {
        line(&mut text, 0, "operations: []");
        for item in items {
            notes(&mut text, 0, item);
        }
    } else {
        line(&mut text, 0, "operations:");
        write_items(&mut text, 1, items);
    }
    text
}

fn write_items(text: &mut String, depth: usize, items: &[Item]) {
    for item in items {
        notes(text, depth, item);
        if let Some(op) = &item.op {
            write_op(text, depth, op);
        }
    }
}

fn notes(text: &mut String, depth: usize, item: &Item) {
    for sentence in &item.open {
        comment(text, depth, &format!("Decide: {sentence}"));
    }
    for ops in &item.instead {
        if ops.iter().any(|op| unspeakable(op).is_some()) {
            continue;
        }
        comment(text, depth, "Or instead:");
        for op in ops {
            let mut other = String::new();
            write_op(&mut other, 1, op);
            for l in other.lines() {
                line(text, depth, &format!("# {l}"));
            }
        }
    }
}

fn write_op(text: &mut String, depth: usize, op: &Op) {
    let at = |path: &[String]| word(&Pointer::of(path.iter().cloned()).to_string());
    let written = match op {
        Op::Add { at: path, default } => {
            format!("add: {{at: {}, default: {}}}", at(path), value(default))
        }
        Op::Rename { at: path, to } => format!("rename: {{at: {}, to: {}}}", at(path), quoted(to)),
        Op::Move { from, to } => format!("move: {{from: {}, to: {}}}", at(from), at(to)),
        Op::Retype { at: path, from, to } => format!(
            "convert: {{at: {}, from: {}, to: {}}}",
            at(path),
            from.name(),
            to.name()
        ),
        Op::Exchange { at: path, values } => {
            let pairs: Vec<String> = values
                .iter()
                .map(|(old, new)| format!("{{old: {}, new: {}}}", value(old), value(new)))
                .collect();
            format!(
                "convert: {{at: {}, values: [{}]}}",
                at(path),
                pairs.join(", ")
            )
        }
        Op::Remove { at: path } => format!("remove: {{at: {}}}", at(path)),
        Op::ForEach { within, items } => {
            line(text, depth, "- for_each:");
            line(text, depth + 2, &format!("in: {}", at(within)));
            line(text, depth + 2, "do:");
            write_items(text, depth + 3, items);
            return;
        }
    };
    line(text, depth, &format!("- {written}"));
}

/// What an operation does, for the history of each document.
fn tell(op: &Op) -> String {
    match op {
        Op::Add { at, default } => {
            let default = match default {
                Node::Array(elements) if !elements.is_empty() => "filled with a default".to_owned(),
                Node::Object(members) if !members.is_empty() => "filled with a default".to_owned(),
                plain => format!("{} where nothing is said", value(plain)),
            };
            format!("Add {}, {default}", show(at))
        }
        Op::Rename { at, to } => format!("Rename {} to `{}`", show(at), escape(to)),
        Op::Move { from, to } => format!("Move {} to {}", show(from), show(to)),
        Op::Retype { at, from, to } => {
            format!(
                "Write {} as {} instead of {}",
                show_element(at),
                to.name(),
                from.name()
            )
        }
        Op::Exchange { at, .. } => format!("Exchange the values of {}", show_element(at)),
        Op::Remove { at } => format!("Remove {}", show(at)),
        Op::ForEach { within, items } => {
            let inner: Vec<String> = items
                .iter()
                .filter_map(|item| item.op.as_ref().map(tell))
                .collect();
            format!("In each of {}: {}", show_element(within), inner.join("; "))
        }
    }
}

fn show_element(path: &[String]) -> String {
    if path.is_empty() {
        "the element".to_owned()
    } else {
        show(path)
    }
}

fn value(node: &Node) -> String {
    match node {
        Node::Null => "null".to_owned(),
        Node::Bool(value) => value.to_string(),
        Node::Number(digits) => digits.clone(),
        Node::Text(text) => quoted(text),
        Node::Array(elements) => {
            let all: Vec<String> = elements.iter().map(value).collect();
            format!("[{}]", all.join(", "))
        }
        Node::Object(members) => {
            let all: Vec<String> = members
                .iter()
                .map(|(key, member)| format!("{}: {}", quoted(key), value(member)))
                .collect();
            format!("{{{}}}", all.join(", "))
        }
    }
}

/// A word as it is if YAML cannot misread it, else in quotes.
fn word(text: &str) -> String {
    let plain = text
        .bytes()
        .all(|b| b.is_ascii_alphanumeric() || matches!(b, b'/' | b'_' | b'-' | b'.'))
        && text
            .bytes()
            .find(|b| *b != b'/')
            .is_some_and(|b| b.is_ascii_alphabetic() || b == b'_')
        && (text.starts_with('/') || !matches!(text, "true" | "false" | "null" | "yes" | "no"));
    if plain { text.to_owned() } else { quoted(text) }
}

/// In double quotes, which mean the same in JSON and YAML but for what [`escape`] takes care of.
fn quoted(text: &str) -> String {
    let text = text.replace('\\', "\\\\").replace('"', "\\\"");
    format!("\"{}\"", escape(&text))
}

/// With every character that YAML does not print, or takes for the end of a line, as an escape.
fn escape(text: &str) -> String {
    text.chars().fold(String::new(), |mut escaped, c| {
        let code = u32::from(c);
        let odd = c.is_control()
            || matches!(code, 0x2028 | 0x2029 | 0xfeff | 0xfdd0..=0xfdef)
            || code & 0xfffe == 0xfffe;
        // Writing to a string cannot fail.
        let _ = match (odd, code > 0xffff) {
            (false, _) => write!(escaped, "{c}"),
            (true, false) => write!(escaped, "\\u{code:04x}"),
            (true, true) => write!(escaped, "\\U{code:08x}"),
        };
        escaped
    })
}

fn line(text: &mut String, depth: usize, content: &str) {
    for _ in 0..depth {
        text.push_str("  ");
    }
    text.push_str(content);
    text.push('\n');
}

/// A comment, wrapped at spaces.
fn comment(text: &mut String, depth: usize, content: &str) {
    const WIDTH: usize = 110;
    let mut current = String::from("#");
    for piece in escape(content).split(' ') {
        if current.len() > 1 && current.chars().count() + piece.chars().count() >= WIDTH {
            line(text, depth, &current);
            current = String::from("#");
        }
        current.push(' ');
        current.push_str(piece);
    }
    line(text, depth, &current);
}
