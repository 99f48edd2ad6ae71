//! Strings as they stand in a text: with quotes and escapes.

use std::borrow::Cow;

/// The byte order mark of UTF-8.
pub(super) const MARK: &[u8] = b"\xef\xbb\xbf";

/// Eight bytes from `at` as a little-endian word, so that the first byte is the lowest one; zeros after the end.
#[inline]
pub(super) fn word(text: &[u8], at: usize) -> u64 {
    let rest = text.get(at..).unwrap_or_default();
    match rest.first_chunk::<8>() {
        Some(chunk) => u64::from_le_bytes(*chunk),
        None => {
            let mut padded = [0; 8];
            padded[..rest.len()].copy_from_slice(rest);
            u64::from_le_bytes(padded)
        }
    }
}

/// Four hexadecimal digits.
pub(super) fn hex(digits: &[u8]) -> Option<u16> {
    let digits: &[u8; 4] = digits.first_chunk()?;
    digits.iter().try_fold(0u16, |all, digit| {
        let digit = char::from(*digit).to_digit(16)?;
        Some(all << 4 | u16::try_from(digit).ok()?)
    })
}

/// What a valid string between its quotes says. Borrowed where there is no escape.
pub(super) fn plain(inner: &[u8]) -> Cow<'_, str> {
    if memchr::memchr(b'\\', inner).is_none() {
        return String::from_utf8_lossy(inner);
    }
    let mut bytes = Vec::with_capacity(inner.len());
    let mut at = 0;
    while let Some(byte) = inner.get(at) {
        if *byte != b'\\' {
            bytes.push(*byte);
            at += 1;
            continue;
        }
        let letter = inner.get(at + 1).copied().unwrap_or(b'\\');
        at += 2;
        match letter {
            b'b' => bytes.push(8),
            b'f' => bytes.push(12),
            b'n' => bytes.push(b'\n'),
            b'r' => bytes.push(b'\r'),
            b't' => bytes.push(b'\t'),
            b'u' => {
                let high = hex(&inner[at.min(inner.len())..]).unwrap_or(0xfffd);
                at += 4;
                let mut units = vec![high];
                if (0xd800..0xdc00).contains(&high)
                    && let Some(low) = inner.get(at + 2..).and_then(hex)
                {
                    units.push(low);
                    at += 6;
                }
                for c in char::decode_utf16(units) {
                    let c = c.unwrap_or(char::REPLACEMENT_CHARACTER);
                    bytes.extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes());
                }
            }
            other => bytes.push(other),
        }
    }
    Cow::Owned(String::from_utf8_lossy(&bytes).into_owned())
}

/// Whether a valid string between its quotes says `wanted`.
pub(super) fn says(inner: &[u8], wanted: &str) -> bool {
    if inner == wanted.as_bytes() {
        // The same bytes mean the same unless they are escapes on one side and plain text on the other.
        return !wanted.contains('\\');
    }
    // An escape makes a text longer, never shorter.
    inner.len() > wanted.len() && memchr::memchr(b'\\', inner).is_some() && plain(inner) == wanted
}

/// What a valid string with its quotes says; `None` if it is no string.
pub(super) fn unquoted(raw: &[u8]) -> Option<String> {
    let inner = raw.strip_prefix(b"\"")?.strip_suffix(b"\"")?;
    Some(plain(inner).into_owned())
}

/// A string with quotes and the escapes that it needs, and with those of all that is not ASCII if `ascii`.
pub(super) fn quoted(text: &str, ascii: bool, out: &mut Vec<u8>) {
    out.push(b'"');
    for c in text.chars() {
        match c {
            '"' => out.extend_from_slice(b"\\\""),
            '\\' => out.extend_from_slice(b"\\\\"),
            '\u{8}' => out.extend_from_slice(b"\\b"),
            '\u{c}' => out.extend_from_slice(b"\\f"),
            '\n' => out.extend_from_slice(b"\\n"),
            '\r' => out.extend_from_slice(b"\\r"),
            '\t' => out.extend_from_slice(b"\\t"),
            c if c < ' ' || (ascii && !c.is_ascii()) => {
                for unit in c.encode_utf16(&mut [0; 2]) {
                    out.extend_from_slice(format!("\\u{unit:04x}").as_bytes());
                }
            }
            c => out.extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes()),
        }
    }
    out.push(b'"');
}
