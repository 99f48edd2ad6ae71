//! How long something takes, as people write it.

use std::fmt;
use std::time::Duration;

use super::{NotUnderstood, as_text, tidy};

const EXAMPLES: &[&str] = &[
    "\"30 minutes\"",
    "\"1h30m\"",
    "\"2-3 hours\"",
    "\"3 days observation\"",
];

const MILLISECOND: i64 = 1;
const SECOND: i64 = 1_000 * MILLISECOND;
const MINUTE: i64 = 60 * SECOND;
const HOUR: i64 = 60 * MINUTE;
const DAY: i64 = 24 * HOUR;
const WEEK: i64 = 7 * DAY;
/// A month has no length of its own. Thirty days is what an estimate means by it, and the result says "approximate".
const MONTH: i64 = 30 * DAY;
const YEAR: i64 = 365 * DAY;

/// No plan waits longer; a longer text is a slip of the pen, and sums stay far from overflow.
const LONGEST: i64 = 100 * YEAR;

/// A duration, or a range of durations, as an author wrote it (`estimated_duration`, `timeout`, `max_downtime_duration`).
///
/// Days are 24 hours and weeks 7 days; months and years count as 30 and 365 days and make it approximate.
/// "3 days observation" marks time that is spent watching (the estimates of the format document's phase 3).
///
/// ```
/// use orchestrate::base::quantity::HumanDuration;
/// let estimate = HumanDuration::parse("2-3 hours")?;
/// assert_eq!(estimate.min_ms(), 7_200_000);
/// assert_eq!(estimate.max_ms(), 10_800_000);
/// assert_eq!(estimate.to_string(), "2h to 3h");
/// # Ok::<(), orchestrate::base::quantity::NotUnderstood>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct HumanDuration {
    min_ms: i64,
    max_ms: i64,
    approximate: bool,
    observation: bool,
}

as_text!(HumanDuration);

impl HumanDuration {
    /// Reads a duration.
    ///
    /// # Errors
    ///
    /// The text has no unit (only `0` needs none), an unknown word, a range that runs backwards, or more than a
    /// hundred years.
    pub fn parse(text: &str) -> Result<Self, NotUnderstood> {
        let tidied = tidy(text);
        let read = if is_month_or_minute(&tidied) {
            Err("\"M\" may be minutes or months; write min or months".to_owned())
        } else {
            read(&tidied.to_lowercase())
        };
        read.map_err(|because| NotUnderstood {
            text: text.to_owned(),
            wanted: "a duration",
            because,
            examples: EXAMPLES,
        })
    }

    /// Exactly this many milliseconds; negative counts as zero.
    #[must_use]
    pub fn from_ms(milliseconds: i64) -> Self {
        let milliseconds = milliseconds.clamp(0, LONGEST);
        Self {
            min_ms: milliseconds,
            max_ms: milliseconds,
            approximate: false,
            observation: false,
        }
    }

    /// The shortest it may take, in milliseconds.
    #[must_use]
    pub fn min_ms(&self) -> i64 {
        self.min_ms
    }

    /// The longest it may take, in milliseconds. Equal to [`Self::min_ms`] where no range was written.
    #[must_use]
    pub fn max_ms(&self) -> i64 {
        self.max_ms
    }

    /// The shortest it may take.
    #[must_use]
    pub fn min(&self) -> Duration {
        Duration::from_millis(self.min_ms.unsigned_abs())
    }

    /// The longest it may take.
    #[must_use]
    pub fn max(&self) -> Duration {
        Duration::from_millis(self.max_ms.unsigned_abs())
    }

    /// Whether two different bounds were written.
    #[must_use]
    pub fn is_range(&self) -> bool {
        self.min_ms != self.max_ms
    }

    /// Whether the author said "about", or used months or years.
    #[must_use]
    pub fn is_approximate(&self) -> bool {
        self.approximate
    }

    /// Whether this is time spent watching rather than working ("3 days observation").
    #[must_use]
    pub fn is_observation(&self) -> bool {
        self.observation
    }
}

impl fmt::Display for HumanDuration {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.approximate {
            out.write_str("~")?;
        }
        write_length(out, self.min_ms)?;
        if self.is_range() {
            out.write_str(" to ")?;
            write_length(out, self.max_ms)?;
        }
        if self.observation {
            out.write_str(" observation")?;
        }
        Ok(())
    }
}

fn write_length(out: &mut fmt::Formatter<'_>, milliseconds: i64) -> fmt::Result {
    if milliseconds == 0 {
        return out.write_str("0s");
    }
    let mut rest = milliseconds;
    let mut gap = "";
    for (length, unit) in [
        (DAY, "d"),
        (HOUR, "h"),
        (MINUTE, "m"),
        (SECOND, "s"),
        (MILLISECOND, "ms"),
    ] {
        let count = rest / length;
        rest %= length;
        if count > 0 {
            write!(out, "{gap}{count}{unit}")?;
            gap = " ";
        }
    }
    Ok(())
}

/// The length of a unit in milliseconds, and whether it is only roughly that long.
pub(super) fn unit_ms(word: &str) -> Option<(i64, bool)> {
    Some(match word {
        "ms" | "msec" | "msecs" | "millis" | "millisecond" | "milliseconds" => (MILLISECOND, false),
        "s" | "sec" | "secs" | "second" | "seconds" => (SECOND, false),
        "m" | "min" | "mins" | "minute" | "minutes" => (MINUTE, false),
        "h" | "hr" | "hrs" | "hour" | "hours" => (HOUR, false),
        "d" | "day" | "days" => (DAY, false),
        "w" | "wk" | "wks" | "week" | "weeks" => (WEEK, false),
        "month" | "months" => (MONTH, true),
        "year" | "years" => (YEAR, true),
        _ => return None,
    })
}

/// A written number, exact: `1.5` is 15 tenths. Kept as a fraction because `0.1` is no binary number.
#[derive(Debug, Clone, Copy)]
struct Written {
    digits: i64,
    scale: i64,
}

impl Written {
    fn times(self, unit: i64) -> Result<i64, String> {
        let exact = i128::from(self.digits) * i128::from(unit);
        let scale = i128::from(self.scale);
        let rounded = (exact + scale / 2) / scale;
        i64::try_from(rounded)
            .ok()
            .filter(|milliseconds| *milliseconds <= LONGEST)
            .ok_or_else(too_long)
    }
}

fn too_long() -> String {
    "it is longer than a hundred years".to_owned()
}

#[derive(Debug, Clone, Copy)]
enum Token<'t> {
    Number(Written),
    Word(&'t str),
    /// `-` or "to".
    Dash,
    /// `,` or "and".
    And,
}

fn tokens(text: &str) -> Result<Vec<Token<'_>>, String> {
    let mut found = Vec::new();
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let taken = if first == ' '
            || first == '.' && !rest[1..].starts_with(|c: char| c.is_ascii_digit())
        {
            first.len_utf8()
        } else if first.is_ascii_digit() || first == '.' {
            let end = rest
                .find(|c: char| !(c.is_ascii_digit() || c == '.' || c == ','))
                .unwrap_or(rest.len());
            let number = rest[..end].trim_end_matches([',', '.']);
            found.push(Token::Number(number_of(number)?));
            number.len()
        } else if first.is_alphabetic() {
            let end = rest
                .find(|c: char| !c.is_alphabetic())
                .unwrap_or(rest.len());
            found.push(match &rest[..end] {
                "to" => Token::Dash,
                "and" => Token::And,
                word => Token::Word(word),
            });
            end
        } else {
            found.push(match first {
                '-' => Token::Dash,
                ',' => Token::And,
                other => return Err(format!("{other:?} has no meaning in a duration")),
            });
            first.len_utf8()
        };
        rest = &rest[taken..];
    }
    Ok(found)
}

fn number_of(text: &str) -> Result<Written, String> {
    let bad = || format!("{text:?} is not a number");
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    if fraction.len() > 6 || !fraction.bytes().all(|b| b.is_ascii_digit()) {
        return Err(bad());
    }
    // A comma separates thousands and nothing else: "1,5 hours" is one and a half to some readers and fifteen to others.
    let mut groups = whole.split(',');
    let first = groups.next().unwrap_or_default();
    let mut digits = first.to_owned();
    for group in groups {
        if group.len() != 3 || first.is_empty() || first.len() > 3 {
            return Err(bad());
        }
        digits.push_str(group);
    }
    if digits.len() > 12 {
        return Err(too_long());
    }
    digits.push_str(fraction);
    let power = u32::try_from(fraction.len()).map_err(|_| bad())?;
    Ok(Written {
        digits: digits.parse().map_err(|_| bad())?,
        scale: 10_i64.pow(power),
    })
}

fn word_number(word: &str) -> Option<Written> {
    let (digits, scale) = match word {
        "a" | "an" | "one" => (1, 1),
        "half" => (1, 2),
        "two" => (2, 1),
        "three" => (3, 1),
        "four" => (4, 1),
        "five" => (5, 1),
        "six" => (6, 1),
        "seven" => (7, 1),
        "eight" => (8, 1),
        "nine" => (9, 1),
        "ten" => (10, 1),
        "twelve" => (12, 1),
        _ => return None,
    };
    Some(Written { digits, scale })
}

/// One side of a range: the sum of what has a unit, and a last number that has none yet.
#[derive(Default)]
struct Sum {
    milliseconds: i64,
    parts: usize,
    first_unit: Option<i64>,
    last_unit: Option<i64>,
    bare: Option<Written>,
}

impl Sum {
    fn add(&mut self, unit: i64) -> Result<(), String> {
        let number = self
            .bare
            .take()
            .ok_or("a unit stands there without a number")?;
        if self.last_unit.is_some_and(|before| before <= unit) {
            return Err("its units do not go from large to small".to_owned());
        }
        self.milliseconds = self
            .milliseconds
            .checked_add(number.times(unit)?)
            .filter(|sum| *sum <= LONGEST)
            .ok_or_else(too_long)?;
        self.first_unit = self.first_unit.or(Some(unit));
        self.last_unit = Some(unit);
        self.parts += 1;
        Ok(())
    }
}

fn read(text: &str) -> Result<HumanDuration, String> {
    if text.is_empty() {
        return Err("it is empty".to_owned());
    }
    if let Some(iso) = read_iso(text) {
        return iso;
    }
    let mut body = text;
    let mut approximate = false;
    let mut from_zero = false;
    if let Some(rest) = [
        "~",
        "\u{2248}",
        "about ",
        "roughly ",
        "nearly ",
        "almost ",
        "around ",
        "approximately ",
        "approx. ",
        "approx ",
        "ca. ",
        "circa ",
    ]
    .iter()
    .find_map(|about| body.strip_prefix(about))
    {
        approximate = true;
        body = rest.trim_start();
    }
    for later in [" or so", " approximately", " approx.", " approx"] {
        if let Some(rest) = body.strip_suffix(later) {
            approximate = true;
            body = rest;
        }
    }
    if let Some(rest) = UPPER.iter().find_map(|upper| body.strip_prefix(upper)) {
        from_zero = true;
        body = rest.trim_start();
    } else if let Some(rest) = [" max", " max.", " maximum", " at most", " or less"]
        .iter()
        .find_map(|upper| body.strip_suffix(upper))
    {
        from_zero = true;
        body = rest;
    }
    if LOWER.iter().any(|lower| body.starts_with(lower)) || body.ends_with(" or more") {
        return Err("it says how long at least, and not how long at most".to_owned());
    }
    let between = body.starts_with("between ");
    let ranged = between || body.starts_with("from ");
    for opening in ["first ", "for ", "between ", "from "] {
        body = body.strip_prefix(opening).unwrap_or(body);
    }
    let mut observation = false;
    for watched in [
        " of observation",
        " observation",
        " observing",
        " of monitoring",
        " monitoring",
    ] {
        if let Some(rest) = body.strip_suffix(watched) {
            observation = true;
            body = rest;
            break;
        }
    }

    let body = written_out(body);
    let mut sides = vec![Sum::default()];
    for token in tokens(&body)? {
        let second = sides.len() == 2;
        let sum = sides.last_mut().ok_or("it is empty")?;
        match token {
            Token::Number(number) => {
                if sum.bare.replace(number).is_some() {
                    return Err("two numbers stand side by side".to_owned());
                }
            }
            Token::And if !between || second => {
                if sum.parts == 0 || sum.bare.is_some() {
                    return Err("a number there has no unit".to_owned());
                }
            }
            Token::Dash | Token::And => {
                if sum.parts == 0 && sum.bare.is_none() || second {
                    return Err("a dash stands where no range can be".to_owned());
                }
                sides.push(Sum::default());
            }
            Token::Word(word) => match (unit_ms(word), word_number(word)) {
                (Some((unit, rough)), _) => {
                    approximate |= rough;
                    sum.add(unit)?;
                }
                // "half an hour": the article adds nothing.
                (None, Some(_)) if sum.bare.is_some() && matches!(word, "a" | "an") => {}
                (None, Some(number)) if sum.bare.is_none() => sum.bare = Some(number),
                _ => return Err(format!("{word:?} is not a unit of time")),
            },
        }
    }
    if ranged && sides.len() < 2 {
        return Err("it begins like a range, and has one end only".to_owned());
    }
    finish(sides, approximate, from_zero, observation)
}

/// What says that a duration may be shorter: the bound is its longest.
const UPPER: &[&str] = &[
    "up to ",
    "at most ",
    "no more than ",
    "not more than ",
    "no longer than ",
    "less than ",
    "under ",
    "within ",
    "max. ",
    "max ",
    "maximum of ",
    "maximum ",
    "\u{2264}",
    "<=",
    "<",
];

/// What says only how long it takes at least.
const LOWER: &[&str] = &[
    "at least ",
    "more than ",
    "over ",
    "longer than ",
    "no less than ",
    "min. ",
    "minimum ",
    "\u{2265}",
    ">",
];

/// `5M`: minutes to some, months to others. Beside hours or seconds, as in `1H 30M`, there is no doubt.
fn is_month_or_minute(text: &str) -> bool {
    let digits = text.trim_end_matches('M').trim_end();
    text.ends_with('M')
        && !digits.is_empty()
        && digits
            .bytes()
            .all(|byte| byte.is_ascii_digit() || b".,-~ ".contains(&byte))
}

/// Halves and quarters as numbers, and the minutes of `1h30` with their unit.
fn written_out(body: &str) -> std::borrow::Cow<'_, str> {
    use std::borrow::Cow;
    let mut text = Cow::Borrowed(body);
    for (sign, decimals) in [('\u{bd}', "5"), ('\u{bc}', "25"), ('\u{be}', "75")] {
        if let Some(at) = text.find(sign) {
            let whole = text[..at].ends_with(|c: char| c.is_ascii_digit());
            let zero = if whole { "" } else { "0" };
            text = Cow::Owned(text.replacen(sign, &format!("{zero}.{decimals}"), 1));
        }
    }
    for (written, number) in [
        ("three quarters of an hour", "45 minutes"),
        ("quarter of an hour", "15 minutes"),
        ("quarter hour", "15 minutes"),
    ] {
        if text.contains(written) {
            text = Cow::Owned(
                text.replace(&format!("a {written}"), number)
                    .replace(written, number),
            );
        }
    }
    // "an hour and a half", "two and a half hours".
    if let Some((before, after)) = text.split_once(" and a half") {
        let number = before.rsplit(' ').next().unwrap_or_default();
        let count = number
            .parse::<u32>()
            .ok()
            .or_else(|| word_number(number).and_then(|n| u32::try_from(n.digits).ok()));
        let halved = match (count, before.rsplit_once(' ')) {
            (Some(count), _) if !matches!(number, "a" | "an" | "half") => {
                let start = &before[..before.len() - number.len()];
                Some(format!("{start}{count}.5{after}"))
            }
            (None, Some(("a" | "an" | "one" | "1", unit))) if after.is_empty() => {
                unit_ms(unit).map(|_| format!("1.5 {unit}"))
            }
            _ => None,
        };
        if let Some(halved) = halved {
            text = Cow::Owned(halved);
        }
    }
    // "1h30": two digits glued to the hour are its minutes.
    let bytes = text.as_bytes();
    let glued = (1..bytes.len().saturating_sub(2)).find(|&at| {
        bytes[at] == b'h'
            && bytes[at - 1].is_ascii_digit()
            && (b'0'..b'6').contains(&bytes[at + 1])
            && bytes[at + 2].is_ascii_digit()
            && bytes
                .get(at + 3)
                .is_none_or(|next| !next.is_ascii_alphanumeric() && *next != b'.')
    });
    match glued {
        Some(at) => Cow::Owned(format!("{}m{}", &text[..at + 3], &text[at + 3..])),
        None => text,
    }
}

fn finish(
    mut sides: Vec<Sum>,
    approximate: bool,
    from_zero: bool,
    observation: bool,
) -> Result<HumanDuration, String> {
    let unit_of_last = sides.last().and_then(|sum| sum.first_unit);
    let many = sides.len() > 1;
    for (index, sum) in sides.iter_mut().enumerate() {
        if sum.bare.is_some_and(|number| number.digits == 0) && sum.parts == 0 {
            // Zero is zero in every unit.
            sum.bare = None;
            sum.parts = 1;
        } else if many && index == 0 && sum.parts == 0 && sum.bare.is_some() {
            // "2-3 hours": the unit is written once, after the second number.
            sum.add(unit_of_last.ok_or("it has no unit of time")?)?;
        }
        if sum.bare.is_some() || sum.parts == 0 {
            return Err("a number there has no unit of time".to_owned());
        }
    }
    let last = sides.last().map_or(0, |sum| sum.milliseconds);
    let first = sides.first().map_or(0, |sum| sum.milliseconds);
    if first > last {
        return Err("the range runs backwards".to_owned());
    }
    Ok(HumanDuration {
        min_ms: if from_zero { 0 } else { first },
        max_ms: last,
        approximate,
        observation,
    })
}

/// `PT1H30M`, as calendars and APIs write it.
fn read_iso(text: &str) -> Option<Result<HumanDuration, String>> {
    let rest = text.strip_prefix('p')?;
    if !rest.starts_with(|c: char| c == 't' || c.is_ascii_digit()) {
        return None;
    }
    let read = text
        .parse::<jiff::Span>()
        .map_err(|error| error.to_string())
        .and_then(|span| {
            if span.get_years() != 0 || span.get_months() != 0 {
                return Err("a month or year has no fixed length".to_owned());
            }
            span.total((
                jiff::Unit::Millisecond,
                jiff::SpanRelativeTo::days_are_24_hours(),
            ))
            .map_err(|error| error.to_string())
        })
        .and_then(|milliseconds| {
            if (0.0..=100.0 * 365.0 * 86_400_000.0).contains(&milliseconds) {
                #[expect(clippy::cast_possible_truncation, reason = "the range was checked")]
                Ok(HumanDuration::from_ms(milliseconds.round() as i64))
            } else {
                Err("it is negative or longer than a hundred years".to_owned())
            }
        });
    Some(read)
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test stops at the first surprise")]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn reads_what_people_write() {
        let cases: &[(&str, i64, i64)] = &[
            ("30 minutes", 30 * MINUTE, 30 * MINUTE),
            ("2-3 hours", 2 * HOUR, 3 * HOUR),
            ("2\u{2013}3 hours", 2 * HOUR, 3 * HOUR),
            ("2 to 3 hours", 2 * HOUR, 3 * HOUR),
            ("between 2 and 3 hours", 2 * HOUR, 3 * HOUR),
            ("30m-1h", 30 * MINUTE, HOUR),
            ("30-90s", 30 * SECOND, 90 * SECOND),
            ("1 week", WEEK, WEEK),
            ("2 weeks", 2 * WEEK, 2 * WEEK),
            ("First 2 weeks", 2 * WEEK, 2 * WEEK),
            ("90s", 90 * SECOND, 90 * SECOND),
            ("1h30m", 90 * MINUTE, 90 * MINUTE),
            ("1H 30M", 90 * MINUTE, 90 * MINUTE),
            ("1 hour and 30 minutes", 90 * MINUTE, 90 * MINUTE),
            ("1 hour, 30 minutes", 90 * MINUTE, 90 * MINUTE),
            ("0 minutes", 0, 0),
            ("0", 0, 0),
            ("10m", 10 * MINUTE, 10 * MINUTE),
            ("~2h", 2 * HOUR, 2 * HOUR),
            ("about 2 hours", 2 * HOUR, 2 * HOUR),
            ("up to 2 hours", 0, 2 * HOUR),
            ("1.5 hours", 90 * MINUTE, 90 * MINUTE),
            ("0.1s", 100, 100),
            ("250 ms", 250, 250),
            ("1,000 ms", SECOND, SECOND),
            ("40 hours", 40 * HOUR, 40 * HOUR),
            ("an hour", HOUR, HOUR),
            ("half an hour", 30 * MINUTE, 30 * MINUTE),
            ("10 mins.", 10 * MINUTE, 10 * MINUTE),
            ("3 days\u{a0}observation", 3 * DAY, 3 * DAY),
            ("1 month", MONTH, MONTH),
            ("PT1H30M", 90 * MINUTE, 90 * MINUTE),
            ("1h30", 90 * MINUTE, 90 * MINUTE),
            ("an hour and a half", 90 * MINUTE, 90 * MINUTE),
            ("two and a half hours", 150 * MINUTE, 150 * MINUTE),
            ("2\u{bd} hours", 150 * MINUTE, 150 * MINUTE),
            ("a quarter of an hour", 15 * MINUTE, 15 * MINUTE),
            ("\u{2264} 5 minutes", 0, 5 * MINUTE),
            ("P2D", 2 * DAY, 2 * DAY),
        ];
        for (text, min, max) in cases {
            let read = HumanDuration::parse(text).unwrap_or_else(|e| panic!("{e}"));
            assert_eq!((read.min_ms(), read.max_ms()), (*min, *max), "{text}");
        }
    }

    #[test]
    fn marks_observation_and_approximation() {
        let watched = HumanDuration::parse("3 days observation").unwrap();
        assert!(watched.is_observation() && !watched.is_approximate());
        assert!(
            HumanDuration::parse("1 day of observation")
                .unwrap()
                .is_observation()
        );
        assert!(HumanDuration::parse("~2h").unwrap().is_approximate());
        assert!(HumanDuration::parse("2 months").unwrap().is_approximate());
        assert!(!HumanDuration::parse("2h").unwrap().is_observation());
    }

    #[test]
    fn refuses_what_is_not_a_duration() {
        for text in [
            "",
            "soon",
            "T+4h",
            "T-24h",
            "30",
            "5 parsecs",
            "3-2 hours",
            "-5 minutes",
            "1,5 hours",
            "1 hour 2",
            "hours",
            "2 hours hours",
            "1m 1h",
            "2--3 hours",
            "1-2-3 hours",
            "999999999 years",
            "1.2.3 h",
            "P1M",
            "5M",
            "at least 2 hours",
            "between 2 hours",
            "overnight",
            "2 hours after cutover",
            "1.5",
            "a few hours",
            "99999999999999999999 s",
            "observation",
            "30 days after completion",
            "5 days (40 hours)",
            "é",
            "\u{1F600}",
            "2 and 3 hours",
            "NaN hours",
            "1e3 s",
            "PT",
            "~",
            "up to",
        ] {
            let error = HumanDuration::parse(text).expect_err(text);
            assert_eq!(error.text, text);
            assert!(error.to_string().contains("30 minutes"), "{error}");
        }
    }

    #[test]
    fn prints_short() {
        for (text, printed) in [
            ("150 minutes", "2h 30m"),
            ("0 minutes", "0s"),
            ("2-3 hours", "2h to 3h"),
            ("3 days observation", "3d observation"),
            ("about 1.5 hours", "~1h 30m"),
            ("up to 10m", "0s to 10m"),
            ("1500ms", "1s 500ms"),
        ] {
            assert_eq!(HumanDuration::parse(text).unwrap().to_string(), printed);
        }
    }

    proptest! {
        #[test]
        fn printing_reads_back(min in 0..LONGEST, more in 0..LONGEST, approximate: bool, observation: bool) {
            let written = HumanDuration {
                min_ms: min,
                max_ms: (min + more).min(LONGEST),
                approximate,
                observation,
            };
            prop_assert_eq!(HumanDuration::parse(&written.to_string()), Ok(written));
        }

        #[test]
        fn no_text_panics(text in "\\PC{0,40}") {
            let _ = HumanDuration::parse(&text);
        }

        #[test]
        fn nearly_durations_never_panic(text in "[-~0-9., a-z]{0,24}") {
            if let Ok(read) = HumanDuration::parse(&text) {
                prop_assert!(read.min_ms() <= read.max_ms());
                prop_assert!(read.max_ms() <= LONGEST);
            }
        }
    }
}
