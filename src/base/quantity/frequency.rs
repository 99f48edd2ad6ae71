//! How often something happens.

use std::fmt;

use super::duration::unit_ms;
use super::{HumanDuration, NotUnderstood, as_text, tidy};

const EXAMPLES: &[&str] = &[
    "\"every 15 minutes\"",
    "\"hourly\"",
    "\"30s\"",
    "\"continuous\"",
];

/// How often something happens (`continuous_validation.frequency`, `health_checks.frequency`,
/// `status_reporting.frequency`; SPEC section 7).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Frequency {
    /// Once in this many milliseconds, never zero.
    Every {
        /// The interval in milliseconds.
        interval_ms: i64,
    },
    /// "continuous", "real-time": as often as whoever watches watches anything.
    Continuous,
}

as_text!(Frequency);

impl Frequency {
    /// Reads a frequency.
    ///
    /// # Errors
    ///
    /// The text names no interval, or an interval of zero or a range of intervals.
    pub fn parse(text: &str) -> Result<Self, NotUnderstood> {
        read(&tidy(text).to_lowercase()).map_err(|because| NotUnderstood {
            text: text.to_owned(),
            wanted: "a frequency",
            because,
            examples: EXAMPLES,
        })
    }

    /// The interval in milliseconds; none if it is continuous.
    #[must_use]
    pub fn interval_ms(&self) -> Option<i64> {
        match self {
            Self::Every { interval_ms } => Some(*interval_ms),
            Self::Continuous => None,
        }
    }
}

fn read(text: &str) -> Result<Frequency, String> {
    const HOUR: i64 = 3_600_000;
    let interval_ms = match text {
        "continuous" | "continuously" | "always" | "real-time" | "real time" | "realtime" => {
            return Ok(Frequency::Continuous);
        }
        "hourly" => HOUR,
        "daily" | "nightly" => 24 * HOUR,
        "weekly" => 7 * 24 * HOUR,
        other => written_interval(other)?,
    };
    if interval_ms == 0 {
        return Err("its interval is zero".to_owned());
    }
    Ok(Frequency::Every { interval_ms })
}

fn written_interval(text: &str) -> Result<i64, String> {
    // "twice a day", "once per hour", "3 times a week"
    for (per, times_end) in [" per ", " a ", " an ", " each ", " every "]
        .iter()
        .filter_map(|per| text.find(per).map(|at| (*per, at)))
    {
        let times = match text[..times_end].trim_end_matches(" times") {
            "once" => Some(1),
            "twice" => Some(2),
            number => number.parse::<i64>().ok().filter(|n| *n > 0),
        };
        let unit = text[times_end + per.len()..].trim();
        if let (Some(times), Some((length, false))) = (times, unit_ms(unit)) {
            return Ok(length / times);
        }
    }
    let interval = ["every ", "each ", "once every "]
        .iter()
        .find_map(|every| text.strip_prefix(every));
    // "every hour", "every minute"
    if let Some((length, false)) = interval.and_then(unit_ms) {
        return Ok(length);
    }
    let duration = HumanDuration::parse(interval.unwrap_or(text)).map_err(|error| error.because)?;
    if duration.is_range() {
        return Err("it names a range of intervals".to_owned());
    }
    Ok(duration.max_ms())
}

impl fmt::Display for Frequency {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Every { interval_ms } => {
                write!(out, "every {}", HumanDuration::from_ms(*interval_ms))
            }
            Self::Continuous => out.write_str("continuous"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_what_people_write() {
        for (text, seconds) in [
            ("every 15 minutes", 900),
            ("Every 15 minutes", 900),
            ("15 minutes", 900),
            ("hourly", 3_600),
            ("daily", 86_400),
            ("weekly", 604_800),
            ("every hour", 3_600),
            ("every 5m", 300),
            ("each 30s", 30),
            ("once per hour", 3_600),
            ("twice a day", 43_200),
            ("4 times a day", 21_600),
            ("every half an hour", 1_800),
        ] {
            let read = Frequency::parse(text).unwrap_or_else(|e| panic!("{e}"));
            assert_eq!(read.interval_ms(), Some(seconds * 1_000), "{text}");
            assert_eq!(Frequency::parse(&read.to_string()), Ok(read), "{text}");
        }
        assert_eq!(Frequency::parse("Continuous"), Ok(Frequency::Continuous));
    }

    #[test]
    fn refuses_the_rest() {
        for text in [
            "",
            "often",
            "on completion",
            "T+4h",
            "every",
            "every 0 minutes",
            "every 2-3 hours",
            "T-24h",
        ] {
            Frequency::parse(text).expect_err(text);
        }
    }
}
