//! The proof that a migration changed nothing but what its operations name.
//!
//! It is found by a reader of its own: `serde_json` takes both texts apart again, and what no operation named must be
//! there with the same bytes, in the same order. So a fault of the editor or of an operation never reaches a file.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt;

use serde::de::{Deserializer as _, MapAccess, SeqAccess, Visitor};
use serde_json::value::RawValue;

use crate::manifest::json::Pointer;

/// The places that operations changed, filled or emptied.
#[derive(Debug, Default)]
pub(super) struct Touched {
    whole: bool,
    below: BTreeMap<String, Touched>,
}

impl Touched {
    /// Notes that an operation changes what is at a place.
    pub(super) fn mark(&mut self, at: &Pointer) {
        let mut here = self;
        for token in at.tokens() {
            here = here.below.entry(token.clone()).or_default();
        }
        here.whole = true;
    }
}

/// Holds two texts of a document against each other.
///
/// # Errors
/// The first difference at a place that was not touched, in words.
pub(super) fn unchanged(before: &[u8], after: &[u8], touched: &Touched) -> Result<(), String> {
    let (before, after) = (plain(before)?, plain(after)?);
    compare(before, after, Some(touched), &Pointer::root())
}

/// The text without byte order mark and the whitespace around the value.
fn plain(text: &[u8]) -> Result<&str, String> {
    let text = text.strip_prefix(b"\xef\xbb\xbf").unwrap_or(text);
    let text = std::str::from_utf8(text).map_err(|error| format!("it is no text: {error}"))?;
    Ok(text.trim_matches([' ', '\t', '\r', '\n']))
}

fn compare(
    before: &str,
    after: &str,
    touched: Option<&Touched>,
    at: &Pointer,
) -> Result<(), String> {
    if touched.is_some_and(|touched| touched.whole) {
        return Ok(());
    }
    let inside = touched.and_then(|touched| {
        let (old, new) = (members(before)?, members(after)?);
        Some((touched, old, new))
    });
    let Some((touched, old, new)) = inside else {
        return if before == after {
            Ok(())
        } else {
            Err(format!(
                "`{at}` is not what it was, and no operation names it"
            ))
        };
    };
    let kept = |(key, _): &&(Cow<'_, str>, &str)| {
        touched.below.get(&**key).is_none_or(|below| !below.whole)
    };
    let mut new = new.iter().filter(kept);
    for (key, value) in old.iter().filter(kept) {
        let below = touched.below.get(&**key);
        match new.next() {
            // Most fields are not touched at all, and need neither a place nor a second look.
            Some((other, then)) if other == key && below.is_none() && value == then => {}
            Some((other, then)) if other == key => {
                compare(value, then, below, &at.join(&**key))?;
            }
            _ => {
                let place = at.join(&**key);
                return Err(format!(
                    "`{place}` is gone or elsewhere, and no operation names it"
                ));
            }
        }
    }
    match new.next() {
        Some((key, _)) => {
            let place = at.join(&**key);
            Err(format!("`{place}` is new, and no operation names it"))
        }
        None => Ok(()),
    }
}

/// Members by key, elements by index, each with its text.
type Members<'t> = Vec<(Cow<'t, str>, &'t str)>;

/// The members of an object, or the elements of an array by their index; `None` for a plain value, and for a text that
/// is no JSON.
fn members(text: &str) -> Option<Members<'_>> {
    struct Collect;
    impl<'de> Visitor<'de> for Collect {
        type Value = Members<'de>;
        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("an object or an array")
        }
        fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
            let mut all = Vec::new();
            while let Some(key) = map.next_key::<Text<'de>>()? {
                all.push((key.0, map.next_value::<&'de RawValue>()?.get()));
            }
            Ok(all)
        }
        fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Self::Value, A::Error> {
            let mut all = Vec::new();
            while let Some(value) = list.next_element::<&'de RawValue>()? {
                all.push((Cow::Owned(all.len().to_string()), value.get()));
            }
            Ok(all)
        }
    }
    if !text.starts_with(['{', '[']) {
        return None;
    }
    let mut reader = serde_json::Deserializer::from_str(text);
    let all = reader.deserialize_any(Collect).ok()?;
    reader.end().ok()?;
    Some(all)
}

/// A string, borrowed where it has no escapes.
#[derive(serde::Deserialize)]
struct Text<'a>(#[serde(borrow)] Cow<'a, str>);

#[cfg(test)]
mod tests {
    use super::*;

    fn check(before: &str, after: &str, touched: &[&str]) -> Result<(), String> {
        let mut all = Touched::default();
        for at in touched {
            all.mark(&at.parse().map_err(|_| "a pointer".to_owned())?);
        }
        unchanged(before.as_bytes(), after.as_bytes(), &all)
    }

    #[test]
    fn what_is_not_named_stays() {
        let before = r#"{"a": 1.0, "b": {"c": [1, {"d": 2}], "\u0065": 3}}"#;
        assert_eq!(check(before, before, &[]), Ok(()));
        let more = r#"{"a": 1.0, "b": {"c": [1, {"d": 2, "x": 0}], "\u0065": 3}, "f": 4}"#;
        assert_eq!(check(before, more, &["/f", "/b/c/1/x"]), Ok(()));
        for (touched, place) in [
            (vec!["/f"], "`/b`"),
            (vec!["/b/c/1/x"], "`/f`"),
            (vec!["/f", "/b/e"], "`/b/c`"),
        ] {
            let told = check(before, more, &touched).expect_err("told");
            assert!(told.contains(place), "{told}");
        }
        let spelled = before.replace("1.0", "1.00");
        assert!(check(before, &spelled, &[]).is_err());
        assert!(check(before, &spelled, &["/b"]).is_err());
        assert_eq!(check(before, &spelled, &["/a"]), Ok(()));
        let moved = r#"{"b": {"c": [1, {"d": 2}], "\u0065": 3}, "a": 1.0}"#;
        assert!(check(before, moved, &["/f"]).is_err());
        assert_eq!(
            check("\u{feff}{\"a\":1}", "\u{feff}{\"a\":1,\"b\":2}", &["/b"]),
            Ok(())
        );
    }
}
