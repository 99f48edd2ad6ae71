//! A number, its unit, and the words after it.

use std::fmt;

use crate::base::quantity::duration::unit_ms;
use crate::base::quantity::tidy;

/// What a number counts.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default)]
pub enum Unit {
    /// No unit was written.
    #[default]
    None,
    /// Hundredths. `0.5%` is the number 0.5, not 0.005: a metric that is watched in percent reports percent.
    Percent,
    /// A time; the spelling, normalised to `ms`, `s`, `m`, `h`, `d` or `w`.
    Time(&'static str),
    /// A size in bytes; the spelling (`MB`, `KiB`).
    Bytes(&'static str),
    /// Any other word, as written, in lower case: `rows`, `req/s`.
    Other(String),
}

const TIMES: &[&str] = &["ms", "s", "m", "h", "d", "w"];
const SIZES: &[(&str, f64)] = &[
    ("B", 1.0),
    ("KB", 1e3),
    ("MB", 1e6),
    ("GB", 1e9),
    ("TB", 1e12),
    ("KiB", 1024.0),
    ("MiB", 1_048_576.0),
    ("GiB", 1_073_741_824.0),
    ("TiB", 1_099_511_627_776.0),
];

impl Unit {
    /// Reads a unit as a metric's `unit` names it: "%", "ms", "MB", "rows". Any word is a unit.
    #[must_use]
    pub fn parse(text: &str) -> Self {
        let lower = tidy(text).to_lowercase();
        match lower.as_str() {
            "" => return Self::None,
            "%" | "percent" | "pct" => return Self::Percent,
            "byte" | "bytes" => return Self::Bytes("B"),
            _ => {}
        }
        if let Some((length, false)) = unit_ms(&lower) {
            let same = TIMES
                .iter()
                .find(|time| unit_ms(time).is_some_and(|(other, _)| other == length));
            if let Some(time) = same {
                return Self::Time(time);
            }
        }
        SIZES
            .iter()
            .find(|(size, _)| size.to_lowercase() == lower)
            .map_or(Self::Other(lower), |(size, _)| Self::Bytes(size))
    }

    /// What one of this unit is in the smallest unit of its kind; none where units cannot be converted.
    #[expect(
        clippy::cast_precision_loss,
        reason = "a week in milliseconds is far below 2^53"
    )]
    fn factor(&self) -> Option<f64> {
        match self {
            Self::Time(time) => unit_ms(time).map(|(length, _)| length as f64),
            Self::Bytes(size) => SIZES
                .iter()
                .find(|(name, _)| name == size)
                .map(|(_, factor)| *factor),
            Self::None | Self::Percent | Self::Other(_) => None,
        }
    }
}

impl fmt::Display for Unit {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::None => Ok(()),
            Self::Percent => out.write_str("%"),
            Self::Time(unit) | Self::Bytes(unit) => write!(out, " {unit}"),
            Self::Other(unit) => write!(out, " {unit}"),
        }
    }
}

impl serde::Serialize for Unit {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.to_string().trim())
    }
}

impl<'de> serde::Deserialize<'de> for Unit {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer).map(|text| Self::parse(&text))
    }
}

/// A number with its unit and the words after it: `99.99% match` is 99.99, percent, "match".
#[derive(Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct Amount {
    /// The number as written; never NaN or infinite when it was parsed.
    pub value: f64,
    /// What it counts.
    pub unit: Unit,
    /// The words after number and unit ("match", "of orders"), empty if there are none. They say what is counted and
    /// do not take part in a comparison.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub label: String,
}

impl Amount {
    /// The number converted to another unit of the same kind.
    ///
    /// Where one side has no unit, the number is taken as it is: a metric without a `unit` reports in the unit that
    /// its thresholds are written in. None where the units differ in kind, for then the comparison would be wrong.
    #[must_use]
    pub fn value_in(&self, unit: &Unit) -> Option<f64> {
        if self.unit == *unit || self.unit == Unit::None || *unit == Unit::None {
            return Some(self.value);
        }
        if std::mem::discriminant(&self.unit) != std::mem::discriminant(unit) {
            return None;
        }
        Some(self.value * self.unit.factor()? / unit.factor()?)
    }

    /// An amount at the start of a text, and nothing known to follow it.
    pub(super) fn read(text: &str) -> Result<Self, String> {
        if text.starts_with('+') {
            return Err("a plus sign says a change, and a fixed number is wanted".to_owned());
        }
        let (value, rest) = leading_number(text).ok_or("no number stands there")?;
        plain_words(rest)?;
        let glued = !rest.starts_with(' ');
        let rest = rest.trim_start();
        if let Some(label) = rest.strip_prefix('%') {
            return Ok(Self {
                value,
                unit: Unit::Percent,
                label: label.trim().to_owned(),
            });
        }
        let (word, label) = rest.split_once(' ').unwrap_or((rest, ""));
        if glued && !word.is_empty() && !word.starts_with(char::is_alphabetic) {
            return Err(format!(
                "{word:?} after the number is neither a unit nor a word"
            ));
        }
        if word
            .chars()
            .any(|c| "<>=!\u{2264}\u{2265}\u{2260}".contains(c))
        {
            return Err("a second comparison follows the number".to_owned());
        }
        if matches!(word, "of" | "for" | "in" | "per" | "over") {
            return Ok(Self {
                value,
                unit: Unit::None,
                label: rest.to_owned(),
            });
        }
        Ok(Self {
            value,
            unit: Unit::parse(word),
            label: label.trim().to_owned(),
        })
    }
}

/// Words after a number that make it something else than a fixed number.
const RELATIVE: &[&str] = &[
    "above", "below", "baseline", "higher", "lower", "increase", "decrease", "more", "fewer",
    "less", "than", "worse", "better", "slower", "faster", "previous", "normal", "usual", "growth",
    "drop",
];

/// Words that stand for many zeros, or for a count.
const MANY: &[&str] = &[
    "k", "thousand", "million", "mio", "billion", "bn", "x", "xx", "times", "dozen", "th", "st",
    "nd", "rd",
];

/// Refuses what would change the meaning of the number before it: nothing is half understood.
fn plain_words(rest: &str) -> Result<(), String> {
    let words = rest.trim_start().trim_start_matches('%').trim_start();
    if words.contains([
        '<', '>', '=', '!', '\u{2264}', '\u{2265}', '\u{2260}', '\u{b1}',
    ]) {
        return Err("a second comparison follows the number".to_owned());
    }
    if words.starts_with(|c: char| {
        !(c.is_alphanumeric() || c == '(' || c == '\u{b5}' || c == '\u{3bc}')
    }) {
        return Err(format!(
            "{words:?} after the number is neither a unit nor a word"
        ));
    }
    let mut all = words
        .split(|c: char| !c.is_alphanumeric())
        .filter(|word| !word.is_empty());
    let Some(first) = all.next() else {
        return Ok(());
    };
    if matches!(first, "to" | "and" | "or") {
        return Err("a range stands where one number is wanted".to_owned());
    }
    let glued = !rest.starts_with([' ', '%']);
    // "1e-3", "5xx", "1.5M rows": powers, codes, millions.
    let odd = first == "e"
        || first.contains(|c: char| c.is_ascii_digit())
        || first == "m" && all.clone().next().is_some();
    if MANY.contains(&first) || glued && odd {
        return Err(format!("{first:?} is no unit; write the number in full"));
    }
    match std::iter::once(first)
        .chain(all)
        .find(|word| RELATIVE.contains(word))
    {
        Some(word) => Err(format!(
            "{word:?} compares with something else, and a fixed number is wanted"
        )),
        None => Ok(()),
    }
}

impl fmt::Display for Amount {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{}{}", self.value, self.unit)?;
        if !self.label.is_empty() {
            write!(out, " {}", self.label)?;
        }
        Ok(())
    }
}

/// A finite decimal number at the start of a text, and what follows it.
pub(super) fn leading_number(text: &str) -> Option<(f64, &str)> {
    let bytes = text.as_bytes();
    let mut end = usize::from(matches!(bytes.first(), Some(b'-' | b'+')));
    let start_of_digits = end;
    while end < bytes.len()
        && (bytes[end].is_ascii_digit()
            || (bytes[end] == b'.' || bytes[end] == b',')
                && end > start_of_digits
                && bytes.get(end + 1).is_some_and(u8::is_ascii_digit))
    {
        end += 1;
    }
    let digits = &text[start_of_digits..end];
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
    let mut groups = whole.split(',');
    let first = groups.next()?;
    if first.is_empty() || fraction.contains([',', '.']) {
        return None;
    }
    let mut grouped = false;
    for group in groups {
        grouped = true;
        if group.len() != 3 {
            return None;
        }
    }
    if grouped && first.len() > 3 {
        return None;
    }
    let value: f64 = text[..end].replace(',', "").parse().ok()?;
    value.is_finite().then_some((value, &text[end..]))
}
