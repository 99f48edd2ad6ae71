//! Values out of text that was judged before.

use serde_json::{Map, Number, Value};

use super::scan::Scanner;
use super::text::plain;

/// The value of a valid text.
///
/// Integers of up to 64 bits are exact. Everything else becomes the closest double, as in `serde_json`; a number beyond
/// all doubles (`1e400`) becomes the greatest one, where `serde_json` would give up. Its bytes know better.
pub(super) fn value(raw: &[u8]) -> Option<Value> {
    let mut scanner = Scanner::<false>::new(raw);
    scanner.space();
    next(&mut scanner)
}

fn next(scanner: &mut Scanner<'_, false>) -> Option<Value> {
    let start = scanner.at();
    Some(match scanner.byte() {
        b'"' => Value::String(string(scanner)?),
        b'{' => {
            let mut map = Map::new();
            scanner.step();
            scanner.space();
            while scanner.byte() != b'}' {
                let key = string(scanner)?;
                scanner.space();
                scanner.step();
                scanner.space();
                map.insert(key, next(scanner)?);
                comma(scanner);
            }
            scanner.step();
            Value::Object(map)
        }
        b'[' => {
            let mut list = Vec::new();
            scanner.step();
            scanner.space();
            while scanner.byte() != b']' {
                list.push(next(scanner)?);
                comma(scanner);
            }
            scanner.step();
            Value::Array(list)
        }
        first => {
            scanner.value(0, None).ok()?;
            match first {
                b't' => Value::Bool(true),
                b'f' => Value::Bool(false),
                b'n' => Value::Null,
                _ => Value::Number(number(scanner.since(start))?),
            }
        }
    })
}

fn comma(scanner: &mut Scanner<'_, false>) {
    scanner.space();
    if scanner.byte() == b',' {
        scanner.step();
        scanner.space();
    }
}

fn string(scanner: &mut Scanner<'_, false>) -> Option<String> {
    let start = scanner.at();
    scanner.string().ok()?;
    let raw = scanner.since(start);
    Some(plain(raw.get(1..raw.len() - 1)?).into_owned())
}

fn number(raw: &[u8]) -> Option<Number> {
    let text = std::str::from_utf8(raw).ok()?;
    // `-0` is a double: an integer would lose its sign.
    if text != "-0" && !text.contains(['.', 'e', 'E']) {
        if let Ok(whole) = text.parse::<u64>() {
            return Some(whole.into());
        }
        if let Ok(whole) = text.parse::<i64>() {
            return Some(whole.into());
        }
    }
    let double: f64 = text.parse().ok()?;
    Number::from_f64(double.clamp(f64::MIN, f64::MAX))
}
