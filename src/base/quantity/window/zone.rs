//! The time zones that people name in a window.

use std::sync::LazyLock;

use jiff::tz::{Offset, TimeZone, TimeZoneDatabase};

/// The zone rules that this program was built with.
///
/// Not the machine's: a run that moves to another machine, and the reading of its journal there, must see the same
/// windows.
static RULES: LazyLock<TimeZoneDatabase> = LazyLock::new(TimeZoneDatabase::bundled);

/// A zone as written, and what it is taken to mean.
#[derive(Debug, Clone)]
pub(super) struct Zone {
    pub(super) written: String,
    pub(super) rules: TimeZone,
    pub(super) warning: Option<String>,
}

/// Abbreviations with one meaning: fixed hours and the zone that the author may have meant.
const FIXED: &[(&str, i8, &str)] = &[
    ("EST", -5, "America/New_York"),
    ("EDT", -4, "America/New_York"),
    ("CDT", -5, "America/Chicago"),
    ("MST", -7, "America/Denver"),
    ("MDT", -6, "America/Denver"),
    ("PST", -8, "America/Los_Angeles"),
    ("PDT", -7, "America/Los_Angeles"),
    ("AKST", -9, "America/Anchorage"),
    ("AKDT", -8, "America/Anchorage"),
    ("HST", -10, "Pacific/Honolulu"),
    ("WET", 0, "Europe/Lisbon"),
    ("WEST", 1, "Europe/Lisbon"),
    ("CET", 1, "Europe/Berlin"),
    ("CEST", 2, "Europe/Berlin"),
    ("EET", 2, "Europe/Athens"),
    ("EEST", 3, "Europe/Athens"),
    ("MSK", 3, "Europe/Moscow"),
    ("SGT", 8, "Asia/Singapore"),
    ("HKT", 8, "Asia/Hong_Kong"),
    ("JST", 9, "Asia/Tokyo"),
    ("KST", 9, "Asia/Seoul"),
    ("AEST", 10, "Australia/Sydney"),
    ("AEDT", 11, "Australia/Sydney"),
    ("NZST", 12, "Pacific/Auckland"),
    ("NZDT", 13, "Pacific/Auckland"),
];

/// Names that follow daylight saving but are no zone's name.
const FOLLOWING: &[(&str, &str)] = &[
    ("ET", "America/New_York"),
    ("CT", "America/Chicago"),
    ("MT", "America/Denver"),
    ("PT", "America/Los_Angeles"),
];

/// Abbreviations with several meanings, hours apart.
const SEVERAL: &[(&str, &str)] = &[
    ("CST", "America/Chicago or Asia/Shanghai"),
    ("IST", "Asia/Kolkata, Europe/Dublin or Asia/Jerusalem"),
    ("BST", "Europe/London or Asia/Dhaka"),
    ("AST", "America/Halifax or Asia/Riyadh"),
    ("ADT", "America/Halifax or Asia/Riyadh"),
    ("SST", "Pacific/Pago_Pago or Asia/Singapore"),
    ("GST", "Asia/Dubai or Atlantic/South_Georgia"),
];

impl Zone {
    /// Finds a zone. None if the word names no zone; an error if it names several.
    pub(super) fn find(word: &str) -> Option<Result<Self, String>> {
        let upper = word.to_ascii_uppercase();
        let zone = |rules: TimeZone, warning: Option<String>| {
            Some(Ok(Self {
                written: word.to_owned(),
                rules,
                warning,
            }))
        };
        if matches!(upper.as_str(), "UTC" | "Z" | "GMT" | "ZULU") {
            return zone(TimeZone::UTC, None);
        }
        if let Some((_, meanings)) = SEVERAL.iter().find(|(name, _)| *name == upper) {
            return Some(Err(format!(
                "the time zone {word} has several meanings; write {meanings}"
            )));
        }
        if let Some((_, iana)) = FOLLOWING.iter().find(|(name, _)| *name == upper) {
            let warning =
                format!("{word} is read as {iana}, which follows daylight saving; write {iana}");
            return zone(RULES.get(iana).ok()?, Some(warning));
        }
        if let Some((_, hours, iana)) = FIXED.iter().find(|(name, ..)| *name == upper) {
            let offset = Offset::constant(*hours);
            let warning = format!(
                "{word} is read as the fixed offset {offset}, in summer and winter alike; \
                 write {iana} if the window should follow the clocks there"
            );
            return zone(TimeZone::fixed(offset), Some(warning));
        }
        if let Some(offset) = fixed_offset(&upper) {
            return zone(TimeZone::fixed(offset), None);
        }
        // Names without a slash are left out: they are aliases ("EST5EDT", "Cuba") that collide with plain words.
        if !word.contains('/') {
            return None;
        }
        let rules = RULES.get(word).ok()?;
        Some(Ok(Self {
            written: rules.iana_name().unwrap_or(word).to_owned(),
            rules,
            warning: None,
        }))
    }
}

/// `UTC+2`, `GMT-05:30`, `+02:00`.
fn fixed_offset(upper: &str) -> Option<Offset> {
    let signed = upper
        .strip_prefix("UTC")
        .or_else(|| upper.strip_prefix("GMT"))
        .unwrap_or(upper);
    let (sign, digits) = match signed.split_at_checked(1)? {
        ("+", digits) => (1, digits),
        ("-", digits) => (-1, digits),
        _ => return None,
    };
    let (hours, minutes) = match digits.split_once(':') {
        Some(parts) => parts,
        None if digits.len() == 4 => digits.split_at_checked(2)?,
        // A bare "-2" is no zone: it is the end of "10-2".
        None if signed.len() < upper.len() => (digits, "0"),
        None => return None,
    };
    if ![hours, minutes]
        .iter()
        .all(|part| (1..=2).contains(&part.len()) && part.bytes().all(|byte| byte.is_ascii_digit()))
    {
        return None;
    }
    let (hours, minutes): (i32, i32) = (hours.parse().ok()?, minutes.parse().ok()?);
    if hours > 14 || minutes > 59 {
        return None;
    }
    Offset::from_seconds(sign * (hours * 3600 + minutes * 60)).ok()
}
