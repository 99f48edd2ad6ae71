//! When a notification is sent, as people write it: `T-24h`, `every 15 minutes`, `on completion`, `on error`.

use jiff::Timestamp;
use jiff::civil::{Date, DateTime};

use crate::base::quantity::{Frequency, HumanDuration};

/// What happens in a run, as words people use for it. A moment is named by one of them.
const EVENTS: &[&str] = &[
    "abort",
    "alert",
    "approval",
    "begin",
    "beginning",
    "blocked",
    "cancellation",
    "close",
    "completed",
    "completion",
    "cutover",
    "done",
    "end",
    "error",
    "errors",
    "escalation",
    "fail",
    "failed",
    "failure",
    "failures",
    "finish",
    "finished",
    "gate",
    "go-live",
    "incident",
    "incidents",
    "issue",
    "issues",
    "launch",
    "maintenance",
    "migration",
    "milestone",
    "open",
    "pause",
    "phase",
    "phases",
    "release",
    "resume",
    "rollback",
    "rollout",
    "run",
    "start",
    "started",
    "step",
    "steps",
    "stop",
    "success",
    "trigger",
    "window",
];

/// Words that tie a message to a moment.
const AT: &[&str] = &[
    "on", "upon", "at", "after", "before", "when", "if", "during", "per", "each", "every", "prior",
    "within", "once",
];

/// Whether a text names moments at which something is sent. Several may stand in one text, apart by commas.
pub(super) fn is_understood(text: &str) -> bool {
    let text = text.replace(
        ['\u{2010}', '\u{2011}', '\u{2012}', '\u{2013}', '\u{2212}'],
        "-",
    );
    let lower = text.trim().to_lowercase();
    let parts = lower
        .split([',', ';'])
        .flat_map(|part| part.split(" and "))
        .map(str::trim);
    let mut any = false;
    for part in parts {
        if !is_moment(part) {
            return false;
        }
        any = true;
    }
    any
}

fn is_moment(text: &str) -> bool {
    if matches!(
        text,
        "immediately" | "t" | "t0" | "t-0" | "t+0" | "start" | "end" | "completion"
    ) {
        return true;
    }
    if let Some(rest) = text.strip_prefix('t')
        && let Some(offset) = rest.trim_start().strip_prefix(['-', '+'])
    {
        return HumanDuration::parse(offset.trim()).is_ok();
    }
    if Frequency::parse(text).is_ok() {
        // A bare duration is no moment: "24h" before what?
        return HumanDuration::parse(text).is_err();
    }
    let is_date = |text: &str| {
        text.parse::<Date>().is_ok()
            || text.parse::<DateTime>().is_ok()
            || text.parse::<Timestamp>().is_ok()
    };
    if is_date(&text.to_uppercase()) {
        return true;
    }
    let words: Vec<&str> = text
        .split(|c: char| !(c.is_alphanumeric() || c == '-'))
        .filter(|word| !word.is_empty())
        .collect();
    words.iter().any(|word| AT.contains(word)) && words.iter().any(|word| EVENTS.contains(word))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_as_people_write_them() {
        for text in [
            "T-24h",
            "t - 2 hours",
            "T+4h",
            "T-0",
            "every 15 minutes",
            "hourly",
            "on completion",
            "On error",
            "immediately",
            "after each phase",
            "24 hours before start",
            "2 days after completion",
            "T-24h, T-1h and on start",
            "at the beginning of the window",
            "2026-06-01",
            "2026-06-01T10:00:00Z",
            "within 15 minutes of an incident",
            "T\u{2212}24h",
            "if a gate fails",
        ] {
            assert!(is_understood(text), "{text}");
        }
        for text in [
            "",
            "soon",
            "24h",
            "T-soon",
            "in good time",
            "on Tuesday perhaps",
            "when ready",
            "T-",
        ] {
            assert!(!is_understood(text), "{text}");
        }
    }
}
