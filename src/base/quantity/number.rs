//! Percentages, thresholds and ranges as people write them, and comparing a measured number with them.

use std::fmt;

use super::duration::unit_ms;
use super::{NotUnderstood, as_text, tidy};

const THRESHOLDS: &[&str] = &["\"< 0.1%\"", "\"<= 200 ms\"", "\"99.99% match\"", "\"> 0\""];
const RANGES: &[&str] = &["\"0-0.1%\"", "\"100%\"", "\"< 200 ms\"", "\"10 to 20\""];
const PERCENTAGES: &[&str] = &["\"95%\"", "\"0.5 percent\""];

/// How a measured number is held against a limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
pub enum Comparator {
    /// `<`
    #[serde(rename = "<")]
    Less,
    /// `<=`
    #[serde(rename = "<=")]
    AtMost,
    /// `>`
    #[serde(rename = ">")]
    Greater,
    /// `>=`
    #[serde(rename = ">=")]
    AtLeast,
    /// `==`
    #[serde(rename = "==")]
    Equal,
    /// `!=`
    #[serde(rename = "!=")]
    NotEqual,
}

/// Signs and words for each comparator. Longer spellings stand before those that begin them.
const SPELLINGS: &[(&str, Comparator)] = &[
    ("<=", Comparator::AtMost),
    ("=<", Comparator::AtMost),
    ("\u{2264}", Comparator::AtMost),
    (">=", Comparator::AtLeast),
    ("=>", Comparator::AtLeast),
    ("\u{2265}", Comparator::AtLeast),
    ("==", Comparator::Equal),
    ("!=", Comparator::NotEqual),
    ("<>", Comparator::NotEqual),
    ("\u{2260}", Comparator::NotEqual),
    ("<", Comparator::Less),
    (">", Comparator::Greater),
    ("=", Comparator::Equal),
    ("no more than", Comparator::AtMost),
    ("not more than", Comparator::AtMost),
    ("at most", Comparator::AtMost),
    ("up to", Comparator::AtMost),
    ("no less than", Comparator::AtLeast),
    ("not less than", Comparator::AtLeast),
    ("at least", Comparator::AtLeast),
    ("less than", Comparator::Less),
    ("below", Comparator::Less),
    ("under", Comparator::Less),
    ("more than", Comparator::Greater),
    ("greater than", Comparator::Greater),
    ("above", Comparator::Greater),
    ("over", Comparator::Greater),
    ("exactly", Comparator::Equal),
];

impl Comparator {
    /// The comparator at the start of a lower-case text, and what follows it.
    fn at_start(text: &str) -> Option<(Self, &str)> {
        SPELLINGS.iter().find_map(|(spelling, comparator)| {
            let rest = text.strip_prefix(spelling)?;
            let is_word = spelling.as_bytes()[0].is_ascii_alphabetic();
            (!is_word || rest.starts_with(' ')).then(|| (*comparator, rest.trim_start()))
        })
    }

    /// Splits "error_rate < 0.1%" at its first comparator: what is left of it, the comparator, what is right of it.
    ///
    /// Words count only when spaces stand around them; a leading "is" belongs to the comparator ("is below").
    #[must_use]
    pub fn split(text: &str) -> Option<(String, Self, String)> {
        let text = tidy(text);
        let lower = text.to_lowercase();
        // Offsets are shared between the two, which holds only where lower-casing changed no length.
        let text = if lower.len() == text.len() {
            text
        } else {
            lower.clone()
        };
        for (at, _) in lower.char_indices().skip(1) {
            let Some(tail) = text.is_char_boundary(at).then(|| &lower[at..]) else {
                continue;
            };
            let Some((comparator, rest)) = Self::at_start(tail) else {
                continue;
            };
            let is_word = tail.starts_with(|c: char| c.is_ascii_alphabetic());
            if is_word && !lower[..at].ends_with(' ') {
                continue;
            }
            let left = text[..at].trim();
            let left = if is_word {
                left.strip_suffix(" is").unwrap_or(left)
            } else {
                left
            };
            if left.is_empty() {
                return None;
            }
            let right = &text[text.len() - rest.len()..];
            return Some((left.to_owned(), comparator, right.to_owned()));
        }
        None
    }

    /// Whether `left` stands in this relation to `right`; none if either is not a number (NaN), because no data is
    /// never a pass and never a fail (SPEC section 2).
    #[must_use]
    #[expect(
        clippy::float_cmp,
        reason = "an author who writes == means exactly that number"
    )]
    pub fn holds(self, left: f64, right: f64) -> Option<bool> {
        if left.is_nan() || right.is_nan() {
            return None;
        }
        Some(match self {
            Self::Less => left < right,
            Self::AtMost => left <= right,
            Self::Greater => left > right,
            Self::AtLeast => left >= right,
            Self::Equal => left == right,
            Self::NotEqual => left != right,
        })
    }

    /// Its sign, in ASCII.
    #[must_use]
    pub fn sign(self) -> &'static str {
        match self {
            Self::Less => "<",
            Self::AtMost => "<=",
            Self::Greater => ">",
            Self::AtLeast => ">=",
            Self::Equal => "==",
            Self::NotEqual => "!=",
        }
    }
}

impl fmt::Display for Comparator {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(self.sign())
    }
}

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
    fn read(text: &str) -> Result<Self, String> {
        let (value, rest) = leading_number(text).ok_or("no number stands there")?;
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
fn leading_number(text: &str) -> Option<(f64, &str)> {
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

/// A limit: a number with a unit and, where one was written, the comparison that must hold.
///
/// `alert_threshold: "0.5%"` has no comparator; its direction comes from the normal range (SPEC section 7).
#[derive(Debug, Clone, PartialEq)]
pub struct Threshold {
    /// The comparison, if one was written.
    pub comparator: Option<Comparator>,
    /// The limit.
    pub amount: Amount,
}

as_text!(Threshold);

impl Threshold {
    /// Reads a threshold.
    ///
    /// # Errors
    ///
    /// The text does not begin with a number, with or without a comparator before it.
    pub fn parse(text: &str) -> Result<Self, NotUnderstood> {
        let tidied = tidy(text).to_lowercase();
        let (comparator, rest) = Comparator::at_start(&tidied)
            .map_or((None, tidied.as_str()), |(found, rest)| (Some(found), rest));
        Amount::read(rest)
            .map(|amount| Self { comparator, amount })
            .map_err(|because| NotUnderstood {
                text: text.to_owned(),
                wanted: "a threshold",
                because,
                examples: THRESHOLDS,
            })
    }

    /// Whether a measured number satisfies this threshold, a missing comparator read as `otherwise`.
    ///
    /// None where that cannot be said: NaN, or units of different kinds.
    #[must_use]
    pub fn holds(&self, measured: f64, unit: &Unit, otherwise: Comparator) -> Option<bool> {
        let limit = self.amount.value_in(unit)?;
        self.comparator.unwrap_or(otherwise).holds(measured, limit)
    }
}

impl fmt::Display for Threshold {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(comparator) = self.comparator {
            write!(out, "{comparator} ")?;
        }
        self.amount.fmt(out)
    }
}

/// Where a number lies with respect to a range.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Side {
    /// Smaller than anything in the range.
    Below,
    /// In the range.
    Within,
    /// Larger than anything in the range.
    Above,
}

/// A range of numbers, open or closed at each end (`normal_range`).
#[derive(Debug, Clone, PartialEq)]
pub struct Range {
    low: Option<(f64, bool)>,
    high: Option<(f64, bool)>,
    unit: Unit,
}

as_text!(Range);

impl Range {
    /// Reads a range: `0-0.1%`, `10 to 20 ms`, one value (`100%`) or one bound (`< 200 ms`, `>= 99.9%`).
    ///
    /// # Errors
    ///
    /// No number is there, the range runs backwards, or its ends have units of different kinds.
    pub fn parse(text: &str) -> Result<Self, NotUnderstood> {
        Self::read(&tidy(text).to_lowercase()).map_err(|because| NotUnderstood {
            text: text.to_owned(),
            wanted: "a range",
            because,
            examples: RANGES,
        })
    }

    fn read(text: &str) -> Result<Self, String> {
        if let Some((comparator, rest)) = Comparator::at_start(text) {
            let Amount { value, unit, .. } = Amount::read(rest)?;
            let (low, high) = match comparator {
                Comparator::Less => (None, Some((value, false))),
                Comparator::AtMost => (None, Some((value, true))),
                Comparator::Greater => (Some((value, false)), None),
                Comparator::AtLeast => (Some((value, true)), None),
                Comparator::Equal => (Some((value, true)), Some((value, true))),
                Comparator::NotEqual => return Err("\"not equal\" is no range".to_owned()),
            };
            return Ok(Self { low, high, unit });
        }
        let text = text.strip_prefix("between ").unwrap_or(text);
        let (_, after) = leading_number(text).ok_or("no number stands there")?;
        let split = ["-", " to ", " and ", ".."].iter().find_map(|dash| {
            let at = after.find(dash)?;
            Some((text.len() - after.len() + at, dash.len()))
        });
        let Some((at, dash)) = split else {
            let Amount { value, unit, .. } = Amount::read(text)?;
            let point = Some((value, true));
            return Ok(Self {
                low: point,
                high: point,
                unit,
            });
        };
        let first = Amount::read(text[..at].trim())?;
        let second = Amount::read(text[at + dash..].trim())?;
        let low = if first.unit == Unit::None {
            first.value
        } else {
            first
                .value_in(&second.unit)
                .filter(|_| second.unit != Unit::None)
                .ok_or("its ends have units that cannot be converted")?
        };
        if low > second.value {
            return Err("the range runs backwards".to_owned());
        }
        Ok(Self {
            low: Some((low, true)),
            high: Some((second.value, true)),
            unit: second.unit,
        })
    }

    /// Its unit.
    #[must_use]
    pub fn unit(&self) -> &Unit {
        &self.unit
    }

    /// Where a number in the range's own unit lies; none for NaN.
    #[must_use]
    pub fn side_of(&self, value: f64) -> Option<Side> {
        if value.is_nan() {
            return None;
        }
        if let Some((low, closed)) = self.low
            && (value < low || !closed && value <= low)
        {
            return Some(Side::Below);
        }
        if let Some((high, closed)) = self.high
            && (value > high || !closed && value >= high)
        {
            return Some(Side::Above);
        }
        Some(Side::Within)
    }

    /// Where an amount lies, its unit converted; none where the units differ in kind.
    #[must_use]
    pub fn side_of_amount(&self, amount: &Amount) -> Option<Side> {
        self.side_of(amount.value_in(&self.unit)?)
    }
}

impl fmt::Display for Range {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.low, self.high) {
            (Some(low), Some(high)) if low == high => write!(out, "{}{}", low.0, self.unit),
            (Some(low), Some(high)) => write!(out, "{} to {}{}", low.0, high.0, self.unit),
            (Some((low, closed)), None) => {
                write!(
                    out,
                    "{} {low}{}",
                    if closed { ">=" } else { ">" },
                    self.unit
                )
            }
            (None, Some((high, closed))) => {
                write!(
                    out,
                    "{} {high}{}",
                    if closed { "<=" } else { "<" },
                    self.unit
                )
            }
            (None, None) => Ok(()),
        }
    }
}

/// A share in hundredths (`min_pass: 95%`, `max_regression: 10%`). Never negative; may exceed 100.
#[derive(Debug, Clone, Copy, PartialEq, PartialOrd)]
pub struct Percentage(f64);

as_text!(Percentage);

impl Percentage {
    /// Reads a percentage. The sign must be there: `0.95` may mean 95% or less than one.
    ///
    /// # Errors
    ///
    /// No `%`, words after it, or a negative number.
    pub fn parse(text: &str) -> Result<Self, NotUnderstood> {
        let refuse = |because: String| NotUnderstood {
            text: text.to_owned(),
            wanted: "a percentage",
            because,
            examples: PERCENTAGES,
        };
        let amount = Amount::read(&tidy(text).to_lowercase()).map_err(refuse)?;
        if amount.unit != Unit::Percent || !amount.label.is_empty() {
            return Err(refuse("it must be a number and a percent sign".to_owned()));
        }
        if amount.value < 0.0 {
            return Err(refuse("it is negative".to_owned()));
        }
        Ok(Self(amount.value))
    }

    /// The number before the sign: 95 for 95%.
    #[must_use]
    pub fn percent(self) -> f64 {
        self.0
    }

    /// The share: 0.95 for 95%.
    #[must_use]
    pub fn ratio(self) -> f64 {
        self.0 / 100.0
    }
}

impl fmt::Display for Percentage {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{}%", self.0)
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test stops at the first surprise")]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn reads_thresholds() {
        use Comparator::{AtLeast, AtMost, Equal, Greater, Less};
        let cases: &[(&str, Option<Comparator>, f64, &str, &str)] = &[
            ("0.5%", None, 0.5, "%", ""),
            ("< 0.1%", Some(Less), 0.1, "%", ""),
            ("<0.1 %", Some(Less), 0.1, "%", ""),
            ("99.99% match", None, 99.99, "%", "match"),
            (
                "> 10% of orders use discounts",
                Some(Greater),
                10.0,
                "%",
                "of orders use discounts",
            ),
            ("100% uptime", None, 100.0, "%", "uptime"),
            ("<= 200 ms", Some(AtMost), 200.0, "ms", ""),
            ("\u{2264} 200ms", Some(AtMost), 200.0, "ms", ""),
            (">= 1,000 rows", Some(AtLeast), 1000.0, "rows", ""),
            ("= 0", Some(Equal), 0.0, "", ""),
            ("at least 5 minutes", Some(AtLeast), 5.0, "m", ""),
            ("below 2 GiB", Some(Less), 2.0, "GiB", ""),
            ("-3", None, -3.0, "", ""),
            ("5 of 7", None, 5.0, "", "of 7"),
            ("12 req/s", None, 12.0, "req/s", ""),
        ];
        for (text, comparator, value, unit, label) in cases {
            let read = Threshold::parse(text).unwrap_or_else(|e| panic!("{e}"));
            assert_eq!(read.comparator, *comparator, "{text}");
            assert_eq!(read.amount.value.to_string(), value.to_string(), "{text}");
            assert_eq!(read.amount.unit.to_string().trim(), *unit, "{text}");
            assert_eq!(read.amount.label, *label, "{text}");
            assert_eq!(Threshold::parse(&read.to_string()), Ok(read), "{text}");
        }
        for text in [
            "", "low", "NaN", "inf", "<", "< x", "1,5", "1.2.3", "5#", "< 3 < 4", "%", "-",
        ] {
            Threshold::parse(text).expect_err(text);
        }
    }

    #[test]
    fn compares_in_one_unit_or_not_at_all() {
        let limit = Threshold::parse("<= 0.2 s").unwrap();
        let holds = |measured, unit| limit.holds(measured, &Unit::parse(unit), Comparator::Less);
        assert_eq!(holds(200.0, "ms"), Some(true));
        assert_eq!(holds(201.0, "ms"), Some(false));
        assert_eq!(holds(0.2, ""), Some(true));
        assert_eq!(holds(0.1, "%"), None);
        assert_eq!(holds(f64::NAN, "s"), None);
        assert_eq!(
            Threshold::parse("1 GiB")
                .unwrap()
                .amount
                .value_in(&Unit::parse("MiB")),
            Some(1024.0)
        );
    }

    #[test]
    fn ranges_know_their_sides() {
        let cases: &[(&str, &[(f64, Side)])] = &[
            (
                "0-0.1%",
                &[
                    (-0.1, Side::Below),
                    (0.0, Side::Within),
                    (0.1, Side::Within),
                    (0.5, Side::Above),
                ],
            ),
            ("100%", &[(99.9, Side::Below), (100.0, Side::Within)]),
            ("< 5%", &[(-100.0, Side::Within), (5.0, Side::Above)]),
            (">= 99.9%", &[(99.8, Side::Below), (200.0, Side::Within)]),
            ("-5 to 5", &[(-6.0, Side::Below), (0.0, Side::Within)]),
            ("-5-5", &[(-5.0, Side::Within)]),
            ("10 ms - 1 s", &[(0.005, Side::Below), (0.5, Side::Within)]),
            (
                "between 10 and 20 ms",
                &[(9.0, Side::Below), (21.0, Side::Above)],
            ),
        ];
        for (text, sides) in cases {
            let range = Range::parse(text).unwrap_or_else(|e| panic!("{e}"));
            for (value, side) in *sides {
                assert_eq!(range.side_of(*value), Some(*side), "{text} {value}");
            }
            assert_eq!(Range::parse(&range.to_string()), Ok(range), "{text}");
        }
        assert_eq!(Range::parse("0-1").unwrap().side_of(f64::NAN), None);
        for text in [
            "",
            "normal",
            "5-1%",
            "10% - 5 ms",
            "10 ms - 20",
            "-",
            "!= 5",
        ] {
            Range::parse(text).expect_err(text);
        }
    }

    #[test]
    fn percentages_need_their_sign() {
        assert_eq!(
            Percentage::parse("95%").unwrap().percent().to_string(),
            "95"
        );
        assert_eq!(
            Percentage::parse("10 percent").unwrap().ratio().to_string(),
            "0.1"
        );
        for text in ["0.95", "95", "-1%", "95% of them", ""] {
            Percentage::parse(text).expect_err(text);
        }
    }

    #[test]
    fn splits_at_the_comparator() {
        for (text, left, comparator, right) in [
            (
                "error_rate > 0.5%",
                "error_rate",
                Comparator::Greater,
                "0.5%",
            ),
            (
                "Error rate is below 1 %",
                "Error rate",
                Comparator::Less,
                "1 %",
            ),
            ("p99<=200ms", "p99", Comparator::AtMost, "200ms"),
            (
                "Coverage at least 80%",
                "Coverage",
                Comparator::AtLeast,
                "80%",
            ),
        ] {
            assert_eq!(
                Comparator::split(text),
                Some((left.to_owned(), comparator, right.to_owned()))
            );
        }
        assert_eq!(Comparator::split("Discovery done"), None);
        assert_eq!(Comparator::split("> 5"), None);
        assert_eq!(Comparator::split(""), None);
    }

    proptest! {
        #[test]
        fn no_text_panics(text in "\\PC{0,30}") {
            let _ = Threshold::parse(&text);
            let _ = Range::parse(&text);
            let _ = Percentage::parse(&text);
            let _ = Comparator::split(&text);
        }

        #[test]
        fn amounts_read_back(value in -1e9..1e9_f64, unit in "(%|ms|s|MB|rows|)") {
            let amount = Amount { value, unit: Unit::parse(&unit), label: String::new() };
            let threshold = Threshold { comparator: Some(Comparator::Less), amount };
            prop_assert_eq!(Threshold::parse(&threshold.to_string()), Ok(threshold));
        }
    }
}
