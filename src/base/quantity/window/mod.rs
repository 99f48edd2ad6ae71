//! When a migration may run, and whether an instant lies in that time.
//!
//! Windows are written in local time, and local time has gaps and folds: an hour that does not exist, an hour that
//! happens twice. A bound that falls into one has two readings. Neither is chosen: between the two the verdict is
//! [`WindowVerdict::Unclear`], and further away the narrower window counts and the change is reported with it
//! (SPEC section 7: "never resolved silently").

mod occurrence;
mod parse;
mod zone;

use std::fmt;

use jiff::civil::DateTime;
use jiff::{Timestamp, ToSpan};

pub use self::occurrence::Occurrence;
use self::zone::Zone;
use super::{NotUnderstood, as_text};

const EXAMPLES: &[&str] = &[
    "\"Weekday 10:00-16:00 America/New_York\"",
    "\"Saturday 22:00-02:00 Europe/Berlin\"",
    "\"daily 01:00-03:00 UTC\"",
];

const DAY_MINUTES: u16 = 24 * 60;

/// A set of days of the week, Monday first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
struct Days(u8);

impl Days {
    const NONE: Self = Self(0);
    const ALL: Self = Self(0b111_1111);
    const WEEKDAYS: Self = Self(0b001_1111);
    const WEEKEND: Self = Self(0b110_0000);
    const NAMES: [&'static str; 7] = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"];

    fn one(index: u8) -> Self {
        Self(1 << (index % 7))
    }

    fn with(self, more: Self) -> Self {
        Self(self.0 | more.0)
    }

    fn has(self, index: u8) -> bool {
        self.0 & (1 << (index % 7)) != 0
    }

    /// The days from this one to that, over the week's end if need be; none unless each is a single day.
    fn through(self, last: Self) -> Option<Self> {
        if self.0.count_ones() != 1 || last.0.count_ones() != 1 {
            return None;
        }
        let mut days = self;
        let mut day = self.0.trailing_zeros();
        while day != last.0.trailing_zeros() {
            day = (day + 1) % 7;
            days = days.with(Self(1 << day));
        }
        Some(days)
    }
}

/// A weekly span of local time in which work may go on (`migration_window`).
#[derive(Debug, Clone)]
pub struct Window {
    days: Days,
    /// Minutes since midnight.
    start: u16,
    /// Minutes since midnight, up to 1440; not after `start` if the window goes over midnight.
    end: u16,
    zone: Zone,
}

as_text!(Window);

impl PartialEq for Window {
    fn eq(&self, other: &Self) -> bool {
        (self.days, self.start, self.end, &self.zone.written)
            == (other.days, other.start, other.end, &other.zone.written)
    }
}

impl Eq for Window {}

/// A bound of a window that a change of the clocks makes ambiguous.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClockChange {
    /// The bound in local time.
    pub local: DateTime,
    /// The zone as written.
    pub zone: String,
    /// Whether that local time happens twice; otherwise it does not happen at all.
    pub twice: bool,
    /// The earlier of the two readings.
    pub earlier: Timestamp,
    /// The later of the two readings.
    pub later: Timestamp,
}

impl fmt::Display for ClockChange {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            out,
            "{} {} {} when the clocks change: it can mean {} or {}",
            self.local,
            self.zone,
            if self.twice {
                "happens twice"
            } else {
                "does not exist"
            },
            self.earlier,
            self.later
        )
    }
}

/// Where an instant lies with respect to a window.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum WindowVerdict {
    /// Inside by every reading.
    Inside {
        /// The earliest reading of its end; none if it never closes.
        closes_at: Option<Timestamp>,
        /// The change of clocks that makes that end ambiguous.
        doubt: Option<ClockChange>,
    },
    /// Outside by every reading.
    Outside {
        /// The latest reading of the next beginning; none past the end of representable time.
        opens_at: Option<Timestamp>,
        /// The change of clocks that makes that beginning ambiguous.
        doubt: Option<ClockChange>,
    },
    /// Between the two readings of a bound. Treat it as outside, and say why.
    Unclear {
        /// The bound in question.
        change: ClockChange,
    },
}

impl WindowVerdict {
    /// Whether work may go on.
    #[must_use]
    pub fn is_inside(&self) -> bool {
        matches!(self, Self::Inside { .. })
    }
}

/// One bound of one occurrence: two instants that are equal but for a change of the clocks.
struct Bound {
    earlier: Timestamp,
    later: Timestamp,
    change: Option<ClockChange>,
}

impl Window {
    fn new(days: Days, start: u16, end: u16, zone: Zone) -> Self {
        Self {
            days,
            start,
            end,
            zone,
        }
    }

    /// Reads a window: days, hours and a time zone, in any order; the days may be left out (daily), or the hours
    /// (whole days).
    ///
    /// # Errors
    ///
    /// No time zone, or one with several meanings ("CST"); a time that could be morning or evening ("9-5"); more than
    /// one span of hours; a word that is none of these.
    pub fn parse(text: &str) -> Result<Self, NotUnderstood> {
        Self::checked(parse::window(text), text)
    }

    /// Reads a window from the mapping form, `{days, start, end, timezone}` (SPEC section 7). No days means daily.
    ///
    /// # Errors
    ///
    /// As for [`Window::parse`].
    pub fn from_parts(
        days: &[String],
        start: &str,
        end: &str,
        timezone: &str,
    ) -> Result<Self, NotUnderstood> {
        let text = format!("{} {start}-{end} {timezone}", days.join(", "));
        Self::checked(parse::parts(days, start, end, timezone), text.trim())
    }

    fn checked(read: Result<Self, String>, text: &str) -> Result<Self, NotUnderstood> {
        read.and_then(|window| {
            if parse::is_pending(window.start) || parse::is_pending(window.end) {
                return Err("a bare hour can be morning or evening; write 9am or 09:00".to_owned());
            }
            Ok(window)
        })
        .map_err(|because| NotUnderstood {
            text: text.to_owned(),
            wanted: "a time window",
            because,
            examples: EXAMPLES,
        })
    }

    /// What a reviewer should know about the time zone: an abbreviation that was read as a fixed offset, and the zone
    /// to write instead.
    #[must_use]
    pub fn zone_warning(&self) -> Option<&str> {
        self.zone.warning.as_deref()
    }

    /// Whether it has no bounds at all ("24/7").
    #[must_use]
    pub fn is_always(&self) -> bool {
        self.days == Days::ALL && self.start == 0 && self.end == DAY_MINUTES
    }

    /// Where an instant lies. A window contains its beginning and not its end.
    #[must_use]
    pub fn contains(&self, at: Timestamp) -> WindowVerdict {
        if self.is_always() {
            return WindowVerdict::Inside {
                closes_at: None,
                doubt: None,
            };
        }
        let mut next: Option<Bound> = None;
        for (opens, closes) in self.around(at) {
            let (Some(opens), Some(closes)) = (self.bound(opens), self.bound(closes)) else {
                continue;
            };
            if opens.later <= at && at < closes.earlier {
                return WindowVerdict::Inside {
                    closes_at: Some(closes.earlier),
                    doubt: closes.change,
                };
            }
            for bound in [&opens, &closes] {
                if let Some(change) = &bound.change
                    && (bound.earlier..bound.later).contains(&at)
                {
                    return WindowVerdict::Unclear {
                        change: change.clone(),
                    };
                }
            }
            // An occurrence inside a gap or a fold may have no time that every reading calls open.
            if at < opens.earlier && opens.later < closes.earlier && next.is_none() {
                next = Some(opens);
            }
        }
        let (opens_at, doubt) =
            next.map_or((None, None), |bound| (Some(bound.later), bound.change));
        WindowVerdict::Outside { opens_at, doubt }
    }

    /// The occurrences near an instant, in local time and in order, those that touch joined into one.
    fn around(&self, at: Timestamp) -> Vec<(DateTime, DateTime)> {
        let today = self.zone.rules.to_datetime(at).date();
        let mut spans: Vec<(DateTime, DateTime)> = Vec::new();
        // Two weeks: joined days (up to six) and a next occurrence a week away are all in it.
        for offset in -8_i32..=15 {
            let Ok(date) = today.checked_add(offset.days()) else {
                continue;
            };
            let index = date.weekday().to_monday_zero_offset().unsigned_abs();
            if !self.days.has(index) {
                continue;
            }
            let midnight = date.at(0, 0, 0, 0);
            let over = if self.end <= self.start {
                DAY_MINUTES
            } else {
                0
            };
            let (Ok(opens), Ok(closes)) = (
                midnight.checked_add(i64::from(self.start).minutes()),
                midnight.checked_add(i64::from(self.end + over).minutes()),
            ) else {
                continue;
            };
            match spans.last_mut() {
                Some((_, end)) if *end >= opens => *end = closes,
                _ => spans.push((opens, closes)),
            }
        }
        spans
    }

    fn bound(&self, local: DateTime) -> Option<Bound> {
        let ambiguous = self.zone.rules.to_ambiguous_timestamp(local);
        let earlier = ambiguous.earlier().ok()?;
        let later = ambiguous.later().ok()?;
        let change = ambiguous.is_ambiguous().then(|| ClockChange {
            local,
            zone: self.zone.written.clone(),
            twice: matches!(ambiguous.offset(), jiff::tz::AmbiguousOffset::Fold { .. }),
            earlier,
            later,
        });
        Some(Bound {
            earlier,
            later,
            change,
        })
    }
}

impl fmt::Display for Days {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        if *self == Self::ALL {
            return out.write_str("daily");
        }
        let mut gap = "";
        let mut day = 0;
        while day < 7 {
            if !self.has(day) {
                day += 1;
                continue;
            }
            let mut last = day;
            while last < 6 && self.has(last + 1) {
                last += 1;
            }
            write!(out, "{gap}{}", Self::NAMES[usize::from(day)])?;
            if last > day {
                write!(out, "-{}", Self::NAMES[usize::from(last)])?;
            }
            gap = ", ";
            day = last + 1;
        }
        Ok(())
    }
}

impl fmt::Display for Window {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let time = |minutes: u16| format!("{:02}:{:02}", minutes / 60, minutes % 60);
        write!(
            out,
            "{} {}-{} {}",
            self.days,
            time(self.start),
            time(self.end),
            self.zone.written
        )
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test stops at the first surprise")]
mod tests;
