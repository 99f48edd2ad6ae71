//! One opening of a window: when it opens and closes, and what the clocks do meanwhile.

use jiff::civil::DateTime;
use jiff::{Timestamp, ToSpan};

use super::{ClockChange, Window};

/// One opening of a window.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Occurrence {
    /// When it opens; the later reading, where the clocks leave two.
    pub opens: Timestamp,
    /// When it closes; the earlier reading.
    pub closes: Timestamp,
    /// How long it is on the clock on the wall, in milliseconds. On a day on which the clocks change it lasts shorter
    /// or longer than that.
    pub wall_ms: u64,
    /// By how much the clocks go forward (positive) or back while it is open, in milliseconds.
    pub shift_ms: i64,
    /// A bound that happens twice or not at all.
    pub change: Option<ClockChange>,
}

impl Occurrence {
    /// How long it truly lasts, in milliseconds.
    #[must_use]
    pub fn length_ms(&self) -> u64 {
        u64::try_from(self.closes.duration_since(self.opens).as_millis()).unwrap_or(0)
    }

    /// Whether the clocks change while it is open, or at one of its bounds.
    #[must_use]
    pub fn is_changed(&self) -> bool {
        self.shift_ms != 0 || self.change.is_some()
    }
}

impl Window {
    /// The opening that an instant lies in, else the next one. None for a window without bounds, and past the end of
    /// representable time.
    #[must_use]
    pub fn next_opening(&self, at: Timestamp) -> Option<Occurrence> {
        if self.is_always() {
            return None;
        }
        self.around(at)
            .into_iter()
            .filter_map(|span| self.opening(span))
            .find(|occurrence| at < occurrence.closes)
    }

    /// Every opening that begins between two instants, at most `most` of them.
    #[must_use]
    pub fn openings(&self, from: Timestamp, to: Timestamp, most: usize) -> Vec<Occurrence> {
        let mut all: Vec<Occurrence> = Vec::new();
        let mut at = from;
        while all.len() < most {
            let Some(next) = self.next_opening(at).filter(|next| next.opens < to) else {
                break;
            };
            at = next.closes;
            all.push(next);
        }
        all
    }

    fn opening(&self, (opens, closes): (DateTime, DateTime)) -> Option<Occurrence> {
        let wall = opens.duration_until(closes);
        let (from, to) = (self.bound(opens)?, self.bound(closes)?);
        // A window that lies in a gap or fold altogether has no time that every reading calls open.
        if from.later >= to.earlier {
            return None;
        }
        let offset = |at: Timestamp| self.zone.rules.to_offset(at).seconds();
        let shift = offset(to.earlier) - offset(from.later);
        Some(Occurrence {
            opens: from.later,
            closes: to.earlier,
            wall_ms: u64::try_from(wall.as_millis()).unwrap_or(0),
            shift_ms: i64::from(shift) * 1_000,
            change: from.change.or(to.change),
        })
    }

    /// An instant on the window's own clock: "15:10 EST".
    #[must_use]
    pub fn clock(&self, at: Timestamp) -> String {
        format!("{} {}", self.bare_clock(at), self.zone.written)
    }

    /// The same without the zone: "15:10".
    #[must_use]
    pub fn bare_clock(&self, at: Timestamp) -> String {
        self.zone
            .rules
            .to_datetime(at)
            .strftime("%H:%M")
            .to_string()
    }

    /// The same with its day: "Mon 2026-11-23 15:10 EST".
    #[must_use]
    pub fn day_and_clock(&self, at: Timestamp) -> String {
        let local = self.zone.rules.to_datetime(at);
        format!(
            "{} {}",
            local.strftime("%a %Y-%m-%d %H:%M"),
            self.zone.written
        )
    }

    /// The first instant of the day, on the window's own clock, in which an instant lies, and of the day after it.
    #[must_use]
    pub fn day_of(&self, at: Timestamp) -> Option<(Timestamp, Timestamp)> {
        let date = self.zone.rules.to_datetime(at).date();
        let start = |date: jiff::civil::Date| date.to_zoned(self.zone.rules.clone()).ok();
        let next = date.checked_add(1.day()).ok()?;
        Some((start(date)?.timestamp(), start(next)?.timestamp()))
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]
    use super::*;

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    const HOUR: u64 = 3_600_000;

    #[test]
    fn the_next_opening_is_the_one_that_is_open_or_comes_next() {
        let window = Window::parse("Weekday 10am-4pm EST").unwrap();
        // Saturday noon in UTC.
        let next = window.next_opening(at("2026-11-21T12:00:00Z")).unwrap();
        assert_eq!(window.day_and_clock(next.opens), "Mon 2026-11-23 10:00 EST");
        assert_eq!(window.clock(next.closes), "16:00 EST");
        assert_eq!((next.length_ms(), next.wall_ms), (6 * HOUR, 6 * HOUR));
        assert!(!next.is_changed());
        let open = window.next_opening(at("2026-11-23T16:00:00Z")).unwrap();
        assert_eq!(open, next);
        assert!(
            Window::parse("24/7")
                .unwrap()
                .next_opening(at("2026-11-21T12:00:00Z"))
                .is_none()
        );
    }

    #[test]
    fn a_night_on_which_the_clocks_change_is_said() {
        let window = Window::parse("Sunday 01:00-05:00 Europe/Berlin").unwrap();
        let spring = window.next_opening(at("2027-03-27T12:00:00Z")).unwrap();
        assert_eq!((spring.length_ms(), spring.wall_ms), (3 * HOUR, 4 * HOUR));
        assert_eq!(spring.shift_ms, 3_600_000);
        let autumn = window.next_opening(at("2026-10-24T12:00:00Z")).unwrap();
        assert_eq!(
            (autumn.length_ms(), autumn.shift_ms),
            (5 * HOUR, -3_600_000)
        );
        let bound = Window::parse("Sunday 02:30-05:00 Europe/Berlin").unwrap();
        let spring = bound.next_opening(at("2027-03-27T12:00:00Z")).unwrap();
        assert!(spring.change.is_some() && spring.is_changed());
    }

    #[test]
    fn openings_are_counted_and_bounded() {
        let window = Window::parse("Weekday 10am-4pm EST").unwrap();
        let (from, to) = (at("2026-11-21T12:00:00Z"), at("2026-12-01T00:00:00Z"));
        assert_eq!(window.openings(from, to, 100).len(), 6);
        assert_eq!(window.openings(from, to, 2).len(), 2);
        let (start, end) = window.day_of(at("2026-11-21T03:00:00Z")).unwrap();
        assert_eq!(start, at("2026-11-20T05:00:00Z"));
        assert_eq!(end, at("2026-11-21T05:00:00Z"));
    }
}
