//! A value of one kind where another is due: what to say, and what its author most likely meant.

use jsonschema::JsonType;

use super::mend::Mend;
use super::words::type_name;
use crate::plan::source::{Arena, Kind, NodeId, plain_number};

/// The longest text that a help repeats.
const SHORT: usize = 60;

pub(super) fn names(expected: &[JsonType]) -> String {
    let names: Vec<&str> = expected.iter().map(|kind| type_name(*kind)).collect();
    names.join(" or ")
}

/// What to write instead.
pub(super) fn help(arena: &Arena, found: &Kind, expected: &[JsonType]) -> String {
    let wants = |kind: JsonType| expected.contains(&kind);
    match found {
        Kind::Number(_, text) if wants(JsonType::String) => {
            format!("put it in quotes: \"{text}\"")
        }
        Kind::Bool(value) if wants(JsonType::String) => {
            format!("put it in quotes: \"{value}\"")
        }
        Kind::Number(_, text) if wants(JsonType::Integer) => {
            format!("write a whole number of at most 18 digits instead of {text}")
        }
        Kind::Text(text) if wants(JsonType::Array) && text.len() < SHORT => {
            format!("write it as a list: [\"{text}\"]")
        }
        Kind::Text(text) if wants(JsonType::Integer) && text.parse::<i64>().is_ok() => {
            format!("write it without quotes: {text}")
        }
        Kind::Text(text) if wants(JsonType::Boolean) && truth(text).is_some() => {
            match text.to_lowercase().as_str() {
                "true" | "false" => format!("write it without quotes: {}", text.to_lowercase()),
                _ => "YAML 1.2 knows only `true` and `false`".to_owned(),
            }
        }
        Kind::Text(text) if wants(JsonType::Object) && text.contains(':') => {
            "write each key on a line of its own, with a space after its colon".to_owned()
        }
        Kind::Map(_) if wants(JsonType::String) => {
            "if text is meant, put it in quotes: a colon with a space makes it a mapping".to_owned()
        }
        Kind::Map(_) if wants(JsonType::Array) => {
            "write each item with a dash in front: `- ...`".to_owned()
        }
        Kind::List(items) if wants(JsonType::Object) && all_maps(arena, items) => {
            "write the keys without the dashes in front".to_owned()
        }
        Kind::List(_) if wants(JsonType::String) => {
            "write one text, without brackets and dashes".to_owned()
        }
        _ => "the JSON Schema that `orchestrate schema` prints says what fits".to_owned(),
    }
}

/// How the value is read, so that the rest can be reviewed.
pub(super) fn mend(arena: &Arena, pointer: &str, found: &Kind, expected: &[JsonType]) -> Mend {
    let wants = |kind: JsonType| expected.contains(&kind);
    let at = pointer.to_owned();
    let take = |kind: Kind| Mend::Take {
        at: pointer.to_owned(),
        kind,
    };
    match found {
        Kind::Number(_, text) if wants(JsonType::String) => take(Kind::Text(text.clone())),
        Kind::Bool(value) if wants(JsonType::String) => take(Kind::Text(value.to_string().into())),
        Kind::Map(entries) if wants(JsonType::Array) => {
            let values: Vec<NodeId> = entries.iter().map(|entry| entry.value).collect();
            if all_maps(arena, &values) {
                Mend::Items { at }
            } else {
                Mend::Wrap { at }
            }
        }
        Kind::Text(_) | Kind::Number(..) | Kind::Bool(_) if wants(JsonType::Array) => {
            Mend::Wrap { at }
        }
        Kind::List(items) if wants(JsonType::Object) && all_maps(arena, items) => Mend::Join { at },
        Kind::List(items) if wants(JsonType::String) => match items.as_slice() {
            [one] => match &arena.node(*one).kind {
                Kind::Text(text) => take(Kind::Text(text.clone())),
                _ => Mend::Without { at },
            },
            _ => Mend::Without { at },
        },
        Kind::Text(text) if wants(JsonType::Boolean) => match truth(text) {
            Some(value) => take(Kind::Bool(value)),
            None => Mend::Without { at },
        },
        Kind::Text(text) if wants(JsonType::Integer) && text.parse::<i64>().is_ok() => {
            match plain_number(text) {
                Some(number) => take(Kind::Number(number, text.clone())),
                None => Mend::Without { at },
            }
        }
        _ => Mend::Without { at },
    }
}

/// Whether there are items, and each is a mapping.
fn all_maps(arena: &Arena, items: &[NodeId]) -> bool {
    !items.is_empty()
        && items
            .iter()
            .all(|item| matches!(arena.node(*item).kind, Kind::Map(_)))
}

/// What other tools take for a truth value.
fn truth(text: &str) -> Option<bool> {
    match text.to_lowercase().as_str() {
        "yes" | "on" | "y" | "true" => Some(true),
        "no" | "off" | "n" | "false" => Some(false),
        _ => None,
    }
}
