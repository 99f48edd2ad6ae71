//! Versions of documents: MAJOR.MINOR.PATCH, ordered by number.
//!
//! The format of the documents knows neither pre-releases nor build numbers, so a version with one is refused instead
//! of being ordered by a rule that nobody agreed on.

use std::borrow::Cow;
use std::fmt;
use std::str::FromStr;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// A version such as `1.2.0`. Versions are ordered by major, minor and patch number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Version {
    /// Rises with a change that loses something or that old readers do not survive.
    pub major: u32,
    /// Rises with a change that only adds.
    pub minor: u32,
    /// Rises without a change of the fields.
    pub patch: u32,
}

/// Why a text is not a version.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a version is three whole numbers with points between them, such as 1.2.0")]
pub struct BadVersion;

impl Version {
    /// What a version looks like, as a regular expression for schemas.
    pub(super) const PATTERN: &'static str =
        r"^(0|[1-9][0-9]{0,8})\.(0|[1-9][0-9]{0,8})\.(0|[1-9][0-9]{0,8})$";

    /// A version of these three numbers.
    #[must_use]
    pub const fn new(major: u32, minor: u32, patch: u32) -> Self {
        Self {
            major,
            minor,
            patch,
        }
    }
}

impl FromStr for Version {
    type Err = BadVersion;

    fn from_str(text: &str) -> Result<Self, BadVersion> {
        let mut numbers = text.split('.').map(number);
        let (Some(major), Some(minor), Some(patch), None) = (
            numbers.next(),
            numbers.next(),
            numbers.next(),
            numbers.next(),
        ) else {
            return Err(BadVersion);
        };
        Ok(Self::new(major?, minor?, patch?))
    }
}

/// At most nine digits, none of them a leading zero: two spellings of one version would be two names for it.
fn number(text: &str) -> Result<u32, BadVersion> {
    let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    if !digits || text.len() > 9 || (text.len() > 1 && text.starts_with('0')) {
        return Err(BadVersion);
    }
    text.parse().map_err(|_| BadVersion)
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&format!("{}.{}.{}", self.major, self.minor, self.patch))
    }
}

impl Serialize for Version {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Version {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = Cow::<'de, str>::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

impl JsonSchema for Version {
    fn schema_name() -> Cow<'static, str> {
        "Version".into()
    }
    fn inline_schema() -> bool {
        true
    }
    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "string", "pattern": Self::PATTERN })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_three_numbers_in_order() {
        let parse = |text: &str| text.parse::<Version>();
        assert_eq!(parse("1.2.0"), Ok(Version::new(1, 2, 0)));
        assert!(parse("1.10.0").ok() > parse("1.9.9").ok());
        assert_eq!(format!("{:8}|", Version::new(1, 2, 0)), "1.2.0   |");
        for text in [
            "",
            "1",
            "1.2",
            "1.2.3.4",
            "1.02.0",
            "v1.2.0",
            "1.2.0-rc1",
            " 1.2.0",
            "1..0",
            "+1.0.0",
            "1.2.1000000000",
            "１.2.0",
        ] {
            assert_eq!(parse(text), Err(BadVersion), "{text}");
        }
    }

    #[test]
    fn the_schema_says_the_same() {
        let schema = schemars::schema_for!(Version);
        let validator =
            jsonschema::validator_for(schema.as_value()).unwrap_or_else(|error| panic!("{error}"));
        for text in [
            "1.2.0",
            "0.0.0",
            "1.02.0",
            "1.2",
            "999999999.0.0",
            "1000000000.0.0",
            "1.2.0\n",
        ] {
            assert_eq!(
                validator.is_valid(&text.into()),
                text.parse::<Version>().is_ok(),
                "{text:?}"
            );
        }
    }
}
