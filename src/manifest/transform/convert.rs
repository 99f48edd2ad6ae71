//! Values written in another type, or exchanged for listed ones: on bytes, so that digits stay as they are spelled.

use serde_json::Value;

use crate::manifest::json::Taken;
use crate::manifest::migration::{Conversion, ScalarType};

/// What the bytes of a value may become: nothing where it is no value of the conversion, one answer, or several where
/// listed pairs lead to the same value. `null` stays.
pub(super) fn convert(how: &Conversion, back: bool, raw: &[u8]) -> Vec<Vec<u8>> {
    if raw == b"null" {
        return vec![raw.to_vec()];
    }
    match how {
        Conversion::Type { from, to } => {
            let (from, to) = if back { (*to, *from) } else { (*from, *to) };
            retype(from, to, raw).into_iter().collect()
        }
        Conversion::Values(pairs) => {
            let Ok(taken) = Taken::parse(raw) else {
                return Vec::new();
            };
            let here = taken.value();
            pairs
                .iter()
                .map(|(old, new)| if back { (new, old) } else { (old, new) })
                .filter(|(from, _)| same(from, &here))
                .map(|(_, to)| to.to_string().into_bytes())
                .collect()
        }
    }
}

/// Whether two texts of values mean the same.
pub(super) fn means_the_same(a: &[u8], b: &[u8]) -> bool {
    if a == b {
        return true;
    }
    // Two spellings of a number beyond all doubles look alike as values.
    match (Taken::parse(a), Taken::parse(b)) {
        (Ok(a), Ok(b)) => !a.value().is_number() && a.value() == b.value(),
        _ => false,
    }
}

/// What a conversion takes, in words.
pub(super) fn expected(how: &Conversion, back: bool) -> String {
    match how {
        Conversion::Type { from, to } => {
            let (from, to) = if back { (to, from) } else { (from, to) };
            match from {
                ScalarType::String => {
                    format!("a string that is written like a JSON {}", to.as_str())
                }
                _ => format!("of type {}", from.as_str()),
            }
        }
        Conversion::Values(pairs) => {
            let all: Vec<String> = pairs
                .iter()
                .map(|(old, new)| if back { new } else { old })
                .map(Value::to_string)
                .collect();
            format!("one of {}", all.join(", "))
        }
    }
}

/// Listed values are compared by what they mean; `1` and `1.0` are two spellings that no list tells apart.
fn same(listed: &Value, here: &Value) -> bool {
    match (listed.as_f64(), here.as_f64()) {
        (Some(a), Some(b)) if listed.is_f64() || here.is_f64() => a.to_bits() == b.to_bits(),
        _ => listed == here,
    }
}

fn retype(from: ScalarType, to: ScalarType, raw: &[u8]) -> Option<Vec<u8>> {
    use ScalarType::{Boolean, Integer, Number, String};
    if !is(from, raw) {
        return None;
    }
    match (from, to) {
        (String, _) => {
            let text: std::string::String = serde_json::from_slice(raw).ok()?;
            is(to, text.as_bytes()).then(|| text.into_bytes())
        }
        (_, String) => {
            let mut quoted = Vec::with_capacity(raw.len() + 2);
            quoted.push(b'"');
            quoted.extend_from_slice(raw);
            quoted.push(b'"');
            Some(quoted)
        }
        (Integer | Number, Integer | Number) => is(to, raw).then(|| raw.to_vec()),
        // A truth value is no number, and which number it would be is a guess.
        (Boolean, _) | (_, Boolean) => None,
    }
}

fn is(kind: ScalarType, raw: &[u8]) -> bool {
    let digits = raw.strip_prefix(b"-").unwrap_or(raw);
    match kind {
        ScalarType::String => raw.first() == Some(&b'"'),
        ScalarType::Boolean => raw == b"true" || raw == b"false",
        ScalarType::Integer => {
            !digits.is_empty()
                && digits.iter().all(u8::is_ascii_digit)
                && (digits.len() == 1 || digits[0] != b'0')
        }
        ScalarType::Number => {
            digits.first().is_some_and(u8::is_ascii_digit)
                && Taken::parse(raw).is_ok_and(|taken| taken.raw() == raw)
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn there(from: ScalarType, to: ScalarType, raw: &str) -> Option<String> {
        let all = convert(&Conversion::Type { from, to }, false, raw.as_bytes());
        all.first()
            .map(|one| String::from_utf8_lossy(one).into_owned())
    }

    #[test]
    fn types_are_never_guessed() {
        use ScalarType::{Boolean, Integer, Number, String};
        let some = |text: &str| Some(text.to_owned());
        assert_eq!(there(String, Integer, r#""007""#), None);
        assert_eq!(there(String, Integer, r#""70""#), some("70"));
        assert_eq!(there(String, Integer, r#"" 7""#), None);
        assert_eq!(
            there(String, Integer, r#""12345678901234567890123""#),
            some("12345678901234567890123")
        );
        assert_eq!(there(String, Number, r#""1e400""#), some("1e400"));
        assert_eq!(there(String, Number, r#""NaN""#), None);
        assert_eq!(there(String, Number, r#""1.0 ""#), None);
        assert_eq!(there(Number, String, "1.10"), some(r#""1.10""#));
        assert_eq!(there(Number, Integer, "1.0"), None);
        assert_eq!(there(Number, Integer, "1"), some("1"));
        assert_eq!(there(Integer, Number, "-0"), some("-0"));
        assert_eq!(there(String, Boolean, r#""true""#), some("true"));
        assert_eq!(there(String, Boolean, r#""yes""#), None);
        assert_eq!(there(Boolean, Integer, "true"), None);
        assert_eq!(there(Integer, String, r#""1""#), None);
        assert_eq!(there(Integer, String, "null"), some("null"));
        assert_eq!(there(Integer, String, "[1]"), None);
    }

    #[test]
    fn listed_values_go_both_ways() {
        let how = Conversion::Values(vec![
            (json!("done"), json!("completed")),
            (json!("ok"), json!("completed")),
            (json!(1), json!("one")),
        ]);
        assert_eq!(convert(&how, false, br#""d\u006fne""#), [br#""completed""#]);
        assert_eq!(convert(&how, false, b"1"), [br#""one""#]);
        assert!(convert(&how, false, b"\"other\"").is_empty());
        assert_eq!(convert(&how, true, b"\"completed\"").len(), 2);
        assert_eq!(convert(&how, true, b"\"one\""), [b"1"]);
        assert_eq!(
            expected(&how, true),
            r#"one of "completed", "completed", "one""#
        );
    }
}
