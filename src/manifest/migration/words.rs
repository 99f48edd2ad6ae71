//! Operations told in words, for the history of a document whose migration does not tell its changes itself.

use serde_json::Value;

use super::{Conversion, Operation};

/// The longest value that is told whole, in characters.
const LONGEST: usize = 60;

/// What an operation does, as a sentence without its full stop.
pub(super) fn tell(operation: &Operation) -> String {
    match operation {
        Operation::Add { at, default } => format!("Add `{at}` with default {}", short(default)),
        Operation::Rename { at, to } => format!("Rename `{at}` to `{to}`"),
        Operation::Move { from, to } => format!("Move `{from}` to `{to}`"),
        Operation::Copy { from, to } => format!("Copy `{from}` to `{to}`"),
        Operation::Set { at, value } => format!("Set `{at}` to {}", short(value)),
        Operation::Convert { at, how } => match how {
            Conversion::Type { from, to } => format!(
                "Convert {} from {} to {}",
                place(&at.to_string()),
                from.as_str(),
                to.as_str()
            ),
            Conversion::Values(pairs) => {
                let pairs: Vec<String> = pairs
                    .iter()
                    .map(|(old, new)| format!("{} becomes {}", short(old), short(new)))
                    .collect();
                format!("Convert {}: {}", place(&at.to_string()), pairs.join(", "))
            }
        },
        Operation::Remove { at } => format!("Remove `{at}`"),
        Operation::ForEach { within, operations } => {
            let told: Vec<String> = operations.iter().map(tell).collect();
            format!("In each of `{within}`: {}", told.join("; "))
        }
    }
}

fn place(pointer: &str) -> String {
    if pointer.is_empty() {
        "the element".to_owned()
    } else {
        format!("`{pointer}`")
    }
}

fn short(value: &Value) -> String {
    let text = value.to_string();
    if text.chars().count() <= LONGEST {
        return text;
    }
    let begin: String = text.chars().take(LONGEST).collect();
    format!("{begin}...")
}
