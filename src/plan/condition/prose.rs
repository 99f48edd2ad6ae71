//! Prose that only time can prove.

/// Words before a span of time that make it the subject: "for 48 hours". "Within 5 minutes" is not among them: that
/// is a speed, which a script can measure.
const BEFORE_TIME: &[&str] = &[
    "for",
    "over",
    "during",
    "throughout",
    "last",
    "past",
    "after",
    "next",
    "first",
    "since",
];

const TIME_UNITS: &[&str] = &[
    "s", "sec", "secs", "second", "m", "min", "mins", "minute", "h", "hr", "hrs", "hour", "d",
    "day", "night", "w", "week", "weekend", "month", "year",
];

/// Words that speak of a time of watching wherever they stand.
const WATCHING: &[&str] = &[
    "complaint",
    "complaints",
    "complained",
    "overnight",
    "observation",
    "soak",
];

/// Whether a text speaks of a time that must pass ("for 48 hours") or of what nobody said in it ("no complaints").
///
/// Such prose is never covered by a script that ran once; a person attests it (SPEC section 2).
#[must_use]
pub fn is_time_bound(text: &str) -> bool {
    let lower = text.to_lowercase();
    let words: Vec<&str> = lower
        .split(|c: char| !c.is_alphanumeric())
        .filter(|word| !word.is_empty())
        .collect();
    if words.iter().any(|word| WATCHING.contains(word)) {
        return true;
    }
    words.iter().enumerate().any(|(at, word)| {
        // Up to four words may stand between: "for at least 48 hours", "over the next two weeks".
        BEFORE_TIME.contains(word) && words[at + 1..].iter().take(4).any(|next| is_time(next))
    })
}

/// "hours", "48h".
fn is_time(word: &str) -> bool {
    let unit = word.trim_start_matches(|c: char| c.is_ascii_digit());
    let singular = unit.strip_suffix('s').unwrap_or(unit);
    let whole_word = unit.len() == word.len();
    // One letter is a unit only behind a number.
    [unit, singular]
        .iter()
        .any(|unit| TIME_UNITS.contains(unit) && (!whole_word || unit.len() > 2))
}
