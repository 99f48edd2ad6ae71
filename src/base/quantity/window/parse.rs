//! Reading a window: words to days, times and a zone.

use super::zone::Zone;
use super::{DAY_MINUTES, Days, Window};
use crate::base::quantity::tidy;

#[derive(Debug, Clone, Copy, PartialEq)]
enum Item {
    Days(Days),
    /// Minutes since midnight, 0 to 1440.
    Time(u16),
    Dash,
    And,
}

/// Days, times and zone of a text; the caller decides what must be there.
#[derive(Default)]
struct Found {
    items: Vec<Item>,
    zone: Option<Zone>,
    between: bool,
}

pub(super) fn window(text: &str) -> Result<Window, String> {
    let text = tidy(text);
    if text.is_empty() {
        return Err("it is empty".to_owned());
    }
    if matches!(
        text.to_lowercase().as_str(),
        "24/7" | "any time" | "anytime" | "always"
    ) {
        let zone = Zone::find("UTC").ok_or("UTC is not known")??;
        return Ok(Window::new(Days::ALL, 0, DAY_MINUTES, zone));
    }
    let found = scan(&text)?;
    let zone = found
        .zone
        .ok_or("it names no time zone; whose ten o'clock it means cannot be guessed")?;
    let mut days = Days::NONE;
    let mut times = Vec::new();
    let mut rest = found.items.as_slice();
    while let Some((first, after)) = rest.split_first() {
        rest = match (first, after) {
            (Item::Days(from), [Item::Dash, Item::Days(to), tail @ ..]) => {
                days = days.with(
                    from.through(*to)
                        .ok_or("a range of days needs one day at each end")?,
                );
                tail
            }
            (Item::Days(more), tail) => {
                days = days.with(*more);
                tail
            }
            (Item::Time(start), [Item::Dash, Item::Time(end), tail @ ..]) => {
                times.push((*start, *end));
                tail
            }
            (Item::Time(start), [Item::And, Item::Time(end), tail @ ..]) if found.between => {
                times.push((*start, *end));
                tail
            }
            // "Fri 22:00 - Sat 04:00": over one midnight, which the hours alone say as well.
            (Item::Time(start), [Item::Dash, Item::Days(to), Item::Time(end), tail @ ..])
                if times.is_empty() && end <= start && is_next(days, *to) =>
            {
                times.push((*start, *end));
                tail
            }
            (Item::Time(_), _) => return Err("a time stands there without its partner".to_owned()),
            (Item::And, tail) => tail,
            (Item::Dash, _) => {
                return Err("a dash stands between things that make no range".to_owned());
            }
        };
    }
    let (start, end) = match times.as_slice() {
        [] if days == Days::NONE => return Err("it names neither days nor times".to_owned()),
        [] => (0, DAY_MINUTES),
        [one] => *one,
        _ => return Err("it names more than one span of hours".to_owned()),
    };
    assemble(days, start, end, zone)
}

pub(super) fn parts(
    days: &[String],
    start: &str,
    end: &str,
    timezone: &str,
) -> Result<Window, String> {
    let mut chosen = Days::NONE;
    for text in days {
        let mut rest = scan(&tidy(text))?.items;
        if rest.is_empty() {
            return Err(format!("{text:?} names no day"));
        }
        rest.retain(|item| *item != Item::And);
        let mut rest = rest.as_slice();
        while let Some((first, after)) = rest.split_first() {
            rest = match (first, after) {
                (Item::Days(from), [Item::Dash, Item::Days(to), tail @ ..]) => {
                    chosen = chosen.with(
                        from.through(*to)
                            .ok_or("a range of days needs one day at each end")?,
                    );
                    tail
                }
                (Item::Days(more), tail) => {
                    chosen = chosen.with(*more);
                    tail
                }
                _ => return Err(format!("{text:?} names no day")),
            };
        }
    }
    let time = |text: &str| match scan(&tidy(text)).map(|found| found.items).as_deref() {
        Ok([Item::Time(minutes)]) => Ok(*minutes),
        Ok(_) => Err(format!("{text:?} is not a time of day")),
        Err(because) => Err(because.clone()),
    };
    let zone =
        Zone::find(&tidy(timezone)).ok_or_else(|| format!("{timezone:?} is no time zone"))??;
    assemble(chosen, time(start)?, time(end)?, zone)
}

fn assemble(days: Days, start: u16, end: u16, zone: Zone) -> Result<Window, String> {
    if start == end {
        return Err(
            "it ends when it starts; write 00:00-24:00 if the whole day is meant".to_owned(),
        );
    }
    if start == DAY_MINUTES {
        return Err("no window starts at 24:00; write 00:00 of the next day".to_owned());
    }
    let days = if days == Days::NONE { Days::ALL } else { days };
    // Midnight at the end is the end of that day, not its beginning.
    let end = if end == 0 { DAY_MINUTES } else { end };
    Ok(Window::new(days, start, end, zone))
}

/// Whether one single day follows another.
fn is_next(day: Days, next: Days) -> bool {
    day.through(next)
        .is_some_and(|both| both.0.count_ones() == 2)
}

/// `2026-12-05`, `05.12.2026`, `12/05`: a date.
fn is_date(chunk: &str) -> bool {
    let mut parts = chunk.split(['-', '.', '/']);
    let digits = |part: Option<&str>| {
        part.is_some_and(|part| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit()))
    };
    digits(parts.next()) && digits(parts.next()) && digits(parts.next()) && parts.next().is_none()
}

fn scan(text: &str) -> Result<Found, String> {
    let mut found = Found::default();
    if text
        .split([' ', 'T'])
        .any(|chunk| is_date(chunk.trim_matches(['(', ')', ',', ';'])))
    {
        return Err(
            "it names a date, and a window comes again every week; write the day of the week"
                .to_owned(),
        );
    }
    for chunk in text.split(' ') {
        let bare = chunk.trim_matches(['(', ')', ',', ';']);
        match Zone::find(bare) {
            Some(Err(several)) => return Err(several),
            Some(Ok(zone)) if found.zone.is_some() => {
                if found
                    .zone
                    .as_ref()
                    .is_none_or(|first| first.written != zone.written)
                {
                    return Err("it names two time zones".to_owned());
                }
            }
            Some(Ok(zone)) => found.zone = Some(zone),
            None if bare.contains('/')
                && bare.contains(char::is_alphabetic)
                && day_list(bare).is_none() =>
            {
                return Err(format!("{bare:?} is no time zone"));
            }
            None => scan_chunk(chunk, &mut found)?,
        }
    }
    Ok(found)
}

fn day_list(chunk: &str) -> Option<()> {
    chunk
        .split('/')
        .all(|word| day_of(&word.to_lowercase()).is_some())
        .then_some(())
}

fn scan_chunk(chunk: &str, found: &mut Found) -> Result<(), String> {
    let mut rest = chunk;
    while let Some(first) = rest.chars().next() {
        let end = if first.is_ascii_digit() {
            let end = rest
                .find(|c: char| !(c.is_ascii_digit() || c == ':' || c == '.'))
                .unwrap_or(rest.len());
            let (time, taken) = time_of(&rest[..end], &rest[end..])?;
            match time {
                Some(minutes) => found.items.push(Item::Time(minutes)),
                // "10 am": the half of the day follows as a word of its own.
                None => found.items.push(Item::Time(half_pending(&rest[..end])?)),
            }
            end + taken
        } else if first.is_alphabetic() {
            let end = rest
                .find(|c: char| !(c.is_alphabetic() || c == '.'))
                .unwrap_or(rest.len());
            scan_word(&rest[..end], found)?;
            end
        } else {
            match first {
                '-' => found.items.push(Item::Dash),
                ',' | '&' | '+' | '/' | ';' => found.items.push(Item::And),
                '(' | ')' | ':' => {}
                other => return Err(format!("{other:?} has no meaning in a window")),
            }
            first.len_utf8()
        };
        rest = &rest[end..];
    }
    Ok(())
}

/// Marks a bare hour that waits for its "am" or "pm": hours above what any real time holds.
const PENDING: u16 = 10_000;

fn half_pending(hours: &str) -> Result<u16, String> {
    let (hour, minute) = hours_and_minutes(hours)?;
    Ok(PENDING + hour * 60 + minute)
}

fn hours_and_minutes(text: &str) -> Result<(u16, u16), String> {
    let bad = || format!("{text:?} is not a time of day");
    let mut fields = text.trim_end_matches('.').split([':', '.']);
    let mut field = |most: u16| -> Result<Option<u16>, String> {
        let Some(digits) = fields.next() else {
            return Ok(None);
        };
        if digits.is_empty() || digits.len() > 2 {
            return Err(bad());
        }
        digits
            .parse()
            .ok()
            .filter(|number| *number <= most)
            .map(Some)
            .ok_or_else(bad)
    };
    let hour = field(24)?.ok_or_else(bad)?;
    let minute = field(59)?.unwrap_or(0);
    // Seconds are allowed where they say nothing ("22:00:00").
    if field(0)?.is_some_and(|second| second != 0)
        || hour == 24 && minute != 0
        || field(0)?.is_some()
    {
        return Err(bad());
    }
    Ok((hour, minute))
}

/// The half of the day that a word names: true for pm.
fn half_of(word: &str) -> Option<bool> {
    match word.to_lowercase().replace('.', "").as_str() {
        "am" => Some(false),
        "pm" => Some(true),
        _ => None,
    }
}

fn with_half(hour: u16, minute: u16, afternoon: bool) -> Result<u16, String> {
    if !(1..=12).contains(&hour) {
        return Err(format!("there is no {hour} o'clock with am or pm"));
    }
    Ok((hour % 12 + if afternoon { 12 } else { 0 }) * 60 + minute)
}

/// A time and how much of what follows belongs to it; no time if it lacks "am", "pm" or minutes.
fn time_of(digits: &str, after: &str) -> Result<(Option<u16>, usize), String> {
    let (hour, minute) = hours_and_minutes(digits)?;
    let end = after
        .find(|c: char| !(c.is_alphabetic() || c == '.'))
        .unwrap_or(after.len());
    let word = &after[..end];
    if let Some(afternoon) = half_of(word) {
        return Ok((Some(with_half(hour, minute, afternoon)?), end));
    }
    if word.is_empty() || word.eq_ignore_ascii_case("z") {
        let clear = digits.contains(':');
        return Ok((clear.then_some(hour * 60 + minute), 0));
    }
    Err(format!("{digits}{word} is not a time of day"))
}

fn scan_word(word: &str, found: &mut Found) -> Result<(), String> {
    let lower = word.to_lowercase();
    let plain = lower.trim_end_matches('.');
    if let Some(afternoon) = half_of(&lower) {
        return match found.items.last_mut() {
            Some(Item::Time(time)) if *time >= PENDING => {
                let pending = *time - PENDING;
                *time = with_half(pending / 60, pending % 60, afternoon)?;
                Ok(())
            }
            // "10:30 PM": a full time, still in want of its half.
            Some(Item::Time(time)) if *time < 13 * 60 && *time >= 60 => {
                *time = with_half(*time / 60, *time % 60, afternoon)?;
                Ok(())
            }
            _ => Err(format!("{word:?} follows no time")),
        };
    }
    match plain {
        "after" | "before" | "since" => {
            return Err(format!(
                "{word:?} names one end only; write both, such as 18:00-24:00"
            ));
        }
        "between" => found.between = true,
        "from" | "at" | "on" | "every" | "each" | "only" | "the" => {}
        "to" | "until" | "till" | "through" => found.items.push(Item::Dash),
        "and" => found.items.push(Item::And),
        "noon" => found.items.push(Item::Time(720)),
        "midnight" => found.items.push(Item::Time(0)),
        // "every day", "working days": the second word adds nothing.
        "day" | "days" if matches!(found.items.last(), Some(Item::Days(_))) => {}
        _ => match (day_of(plain), Zone::find(word)) {
            (Some(days), _) => found.items.push(Item::Days(days)),
            (None, Some(zone)) if found.zone.is_none() => found.zone = Some(zone?),
            _ => return Err(format!("{word:?} is neither a day, a time nor a time zone")),
        },
    }
    Ok(())
}

fn day_of(word: &str) -> Option<Days> {
    Some(match word {
        "daily" | "day" | "days" | "everyday" => Days::ALL,
        "weekday" | "weekdays" | "business" | "working" | "workdays" => Days::WEEKDAYS,
        "weekend" | "weekends" => Days::WEEKEND,
        "monday" | "mondays" | "mon" => Days::one(0),
        "tuesday" | "tuesdays" | "tue" | "tues" => Days::one(1),
        "wednesday" | "wednesdays" | "wed" => Days::one(2),
        "thursday" | "thursdays" | "thu" | "thur" | "thurs" => Days::one(3),
        "friday" | "fridays" | "fri" => Days::one(4),
        "saturday" | "saturdays" | "sat" => Days::one(5),
        "sunday" | "sundays" | "sun" => Days::one(6),
        _ => return None,
    })
}

/// Whether a time is a bare hour that nothing completed ("9-5").
pub(super) fn is_pending(minutes: u16) -> bool {
    minutes >= PENDING
}
