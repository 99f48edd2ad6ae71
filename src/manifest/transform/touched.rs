//! The proof that a migration changed nothing but what its operations name.
//!
//! It is found by a reader of its own: `serde_json` takes both texts apart again, and what no operation named must be
//! there with the same bytes, in the same order. So a fault of the editor or of an operation never reaches a file.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt;

use serde::de::{Deserializer, MapAccess, SeqAccess, Visitor};
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
    let read = |text: &'_ [u8]| -> Result<Box<RawValue>, String> {
        let text = text.strip_prefix(b"\xef\xbb\xbf").unwrap_or(text);
        serde_json::from_slice(text).map_err(|error| format!("it is no JSON: {error}"))
    };
    let (before, after) = (read(before)?, read(after)?);
    compare(&before, &after, Some(touched), &Pointer::root())
}

fn compare(
    before: &RawValue,
    after: &RawValue,
    touched: Option<&Touched>,
    at: &Pointer,
) -> Result<(), String> {
    let differs = || {
        Err(format!(
            "`{at}` is not what it was, and no operation names it"
        ))
    };
    let Some(touched) = touched else {
        return if before.get() == after.get() {
            Ok(())
        } else {
            differs()
        };
    };
    if touched.whole {
        return Ok(());
    }
    let (Some(old), Some(new)) = (members(before), members(after)) else {
        return if before.get() == after.get() {
            Ok(())
        } else {
            differs()
        };
    };
    let kept = |(key, _): &&(Cow<'_, str>, &RawValue)| {
        touched.below.get(&**key).is_none_or(|below| !below.whole)
    };
    let mut new = new.iter().filter(kept);
    for (key, value) in old.iter().filter(kept) {
        let place = at.join(&**key);
        match new.next() {
            Some((other, then)) if other == key => {
                compare(value, then, touched.below.get(&**key), &place)?;
            }
            _ => {
                return Err(format!(
                    "`{place}` is gone or elsewhere, and no operation names it"
                ));
            }
        }
    }
    match new.next() {
        Some((key, _)) => Err(format!(
            "`{}` is new, and no operation names it",
            at.join(&**key)
        )),
        None => Ok(()),
    }
}

/// The members of an object, or the elements of an array by their index; `None` for a plain value.
fn members(value: &RawValue) -> Option<Vec<(Cow<'_, str>, &RawValue)>> {
    struct Members;
    impl<'de> Visitor<'de> for Members {
        type Value = Vec<(Cow<'de, str>, &'de RawValue)>;
        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("an object or an array")
        }
        fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
            let mut all = Vec::new();
            // A key with escapes cannot be borrowed.
            while let Some(key) = map.next_key::<&'de RawValue>()? {
                let key = serde_json::from_str::<Text<'de>>(key.get())
                    .map_err(serde::de::Error::custom)?;
                all.push((key.0, map.next_value()?));
            }
            Ok(all)
        }
        fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Self::Value, A::Error> {
            let mut all = Vec::new();
            while let Some(value) = list.next_element()? {
                all.push((Cow::Owned(all.len().to_string()), value));
            }
            Ok(all)
        }
    }
    if !value.get().starts_with(['{', '[']) {
        return None;
    }
    serde_json::Deserializer::from_str(value.get())
        .deserialize_any(Members)
        .ok()
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
            let told = check(before, more, &touched).unwrap_err();
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
