#![expect(clippy::unwrap_used, reason = "a test may stop at once")]

mod corpus;
mod edits;
mod generated;
mod odd;

use serde_json::Value;

/// The judge of what is JSON: `serde_json` without building values, as it takes what no value can hold.
fn judge(text: &[u8]) -> bool {
    let body = text.strip_prefix(super::text::MARK).unwrap_or(text);
    std::str::from_utf8(body)
        .is_ok_and(|t| serde_json::from_str::<serde::de::IgnoredAny>(t).is_ok())
}

/// Whether two values are the same, but for the last digit of doubles: `serde_json` reads them quickly, not exactly.
fn same(a: &Value, b: &Value) -> bool {
    match (a, b) {
        (Value::Number(a), Value::Number(b)) => {
            let (x, y) = (a.as_f64().unwrap(), b.as_f64().unwrap());
            a == b || ((a.is_f64() || b.is_f64()) && (x - y).abs() <= x.abs() * 1e-14)
        }
        (Value::Array(a), Value::Array(b)) => {
            a.len() == b.len() && a.iter().zip(b).all(|(a, b)| same(a, b))
        }
        (Value::Object(a), Value::Object(b)) => {
            a.len() == b.len() && a.iter().zip(b).all(|((k, a), (l, b))| k == l && same(a, b))
        }
        (a, b) => a == b,
    }
}
