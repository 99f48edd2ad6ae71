//! What of a JSON text a database would change or refuse.
//!
//! One pass over a text that is already known to be valid JSON.

/// What stands in a text.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Odd {
    /// The character U+0000, written `\u0000`: JSONB refuses it.
    pub(super) nul: bool,
    /// A number that JSONB writes otherwise: with an exponent, or a negative zero.
    pub(super) respelled: bool,
    /// A number that does not fit a 64-bit integer or float exactly: reading it out of SQLite's JSON rounds it.
    pub(super) wide: bool,
}

/// Scans the text.
pub(super) fn scan(text: &str) -> Odd {
    let bytes = text.as_bytes();
    let mut odd = Odd::default();
    let mut at = 0;
    while at < bytes.len() {
        match bytes[at] {
            b'"' => at = string(bytes, at + 1, &mut odd),
            b'-' | b'0'..=b'9' => {
                let end = bytes[at..]
                    .iter()
                    .position(|b| !matches!(b, b'-' | b'+' | b'.' | b'e' | b'E' | b'0'..=b'9'))
                    .map_or(bytes.len(), |length| at + length);
                number(&text[at..end], &mut odd);
                at = end;
            }
            _ => at += 1,
        }
    }
    odd
}

/// Passes over the rest of a string; where it ends.
fn string(bytes: &[u8], mut at: usize, odd: &mut Odd) -> usize {
    while let Some(found) = bytes
        .get(at..)
        .and_then(|rest| memchr::memchr2(b'"', b'\\', rest))
    {
        at += found;
        if bytes[at] == b'"' {
            return at + 1;
        }
        odd.nul |= bytes[at..].starts_with(b"\\u0000");
        at += 2;
    }
    bytes.len()
}

fn number(token: &str, odd: &mut Odd) {
    let (mantissa, exponent) = match token.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => (mantissa, Some(exponent)),
        None => (token, None),
    };
    let digits = || mantissa.bytes().filter(u8::is_ascii_digit);
    let zero = digits().all(|d| d == b'0');
    odd.respelled |= exponent.is_some() || (zero && mantissa.starts_with('-'));
    // Up to 15 significant digits survive a 64-bit float whatever they are.
    if exponent.is_none() && token.len() <= 16 {
        return;
    }
    if token.parse::<i64>().is_ok() || zero {
        return;
    }
    let significant = digits().skip_while(|d| *d == b'0').count();
    // A magnitude safely inside a float's; an exponent that is no i32 is far outside.
    let magnitude = exponent.map_or(Some(0), |e| e.parse::<i32>().ok());
    let inside = magnitude.is_some_and(|m| m.abs() <= 250) && mantissa.len() <= 50;
    odd.wide |= significant > 15 || !inside;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_odd() {
        let odd = |nul, respelled, wide| Odd {
            nul,
            respelled,
            wide,
        };
        for (text, expected) in [
            ("{}", odd(false, false, false)),
            (r#"{"a": 1.10, "b": -5, "c": 0}"#, odd(false, false, false)),
            (r#""a\u0000""#, odd(true, false, false)),
            (r#""a\\u0000 1e400""#, odd(false, false, false)),
            (r#""a\"\u0000""#, odd(true, false, false)),
            ("[1e400]", odd(false, true, true)),
            ("[1E5]", odd(false, true, false)),
            ("[-0, 1]", odd(false, true, false)),
            ("[-0.0]", odd(false, true, false)),
            ("[-0.5]", odd(false, false, false)),
            ("9223372036854775807", odd(false, false, false)),
            ("12345678901234567890", odd(false, false, true)),
            ("0.1234567890123456789", odd(false, false, true)),
            ("1e99999999999999999999", odd(false, true, true)),
            (r#"{"1e5": -1}"#, odd(false, false, false)),
            (r#""unfinished \"#, odd(false, false, false)),
        ] {
            assert_eq!(scan(text), expected, "{text}");
        }
    }
}
