//! Windows: what is read, and what instants are told.

use super::*;
use proptest::prelude::*;

fn window(text: &str) -> Window {
    Window::parse(text).unwrap_or_else(|error| panic!("{error}"))
}

fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

#[test]
fn reads_what_people_write() {
    for (text, printed) in [
        ("Weekday 10am-4pm EST", "Mon-Fri 10:00-16:00 EST"),
        ("Weekdays 10 am - 4 p.m. EST", "Mon-Fri 10:00-16:00 EST"),
        (
            "Saturday 22:00-02:00 Europe/Berlin",
            "Sat 22:00-02:00 Europe/Berlin",
        ),
        ("Sun 02:00 to 06:00 UTC", "Sun 02:00-06:00 UTC"),
        ("daily 01:00-03:00 UTC", "daily 01:00-03:00 UTC"),
        ("01:00-03:00Z", "daily 01:00-03:00 Z"),
        (
            "weekdays 9am\u{2013}5pm America/New_York",
            "Mon-Fri 09:00-17:00 America/New_York",
        ),
        (
            "Mon, Wed and Fri 18:00-20:00 (UTC)",
            "Mon, Wed, Fri 18:00-20:00 UTC",
        ),
        (
            "Tue/Thu between 10:30pm and midnight UTC+2",
            "Tue, Thu 22:30-24:00 UTC+2",
        ),
        (
            "Monday to Thursday from 08:00 until 18:00 Asia/Kolkata",
            "Mon-Thu 08:00-18:00 Asia/Kolkata",
        ),
        (
            "Fri-Mon 20:00-22:00 -03:30",
            "Mon, Fri-Sun 20:00-22:00 -03:30",
        ),
        ("every day noon-2pm PT", "daily 12:00-14:00 PT"),
        ("weekends Europe/Paris", "Sat-Sun 00:00-24:00 Europe/Paris"),
        ("UTC Saturdays 12am-6am", "Sat 00:00-06:00 UTC"),
        ("working days 22:00:00-23:30 GMT", "Mon-Fri 22:00-23:30 GMT"),
        ("24/7", "daily 00:00-24:00 UTC"),
    ] {
        let read = window(text);
        assert_eq!(read.to_string(), printed, "{text}");
        assert_eq!(window(printed), read, "{text}");
    }
    let parts = Window::from_parts(
        &["Mon-Thu".into(), "sat".into()],
        "22:00",
        "2am",
        "Europe/Berlin",
    )
    .unwrap();
    assert_eq!(parts.to_string(), "Mon-Thu, Sat 22:00-02:00 Europe/Berlin");
    assert_eq!(
        Window::from_parts(&[], "1am", "3am", "UTC").unwrap(),
        window("daily 01:00-03:00 UTC")
    );
}

#[test]
fn refuses_what_could_mean_two_things() {
    for (text, because) in [
        ("", "empty"),
        ("Weekday 10am-4pm", "time zone"),
        ("Weekday 10am-4pm CST", "several meanings"),
        ("Weekday 9-5 UTC", "morning or evening"),
        ("Weekday 9-5pm UTC", "morning or evening"),
        ("daily 10:00-10:00 UTC", "ends when it starts"),
        (
            "Sat 22:00-23:00 and Sun 01:00-02:00 UTC",
            "more than one span",
        ),
        ("Sat 22:00 UTC", "partner"),
        ("Sat 25:00-26:00 UTC", "not a time"),
        ("Sat 22:00-23:00 Mars/Olympus", "no time zone"),
        ("after hours UTC", "one end only"),
        ("UTC", "neither days nor times"),
        ("13pm-2pm UTC", "o'clock"),
        ("daily 01:00-02:00 UTC EST", "two time zones"),
        ("Sat 10:00-12:00 \u{1F600} UTC", "no meaning"),
    ] {
        let error = Window::parse(text).expect_err(text);
        assert!(error.because.contains(because), "{text}: {error}");
    }
    Window::from_parts(&["someday".into()], "1am", "3am", "UTC").unwrap_err();
    Window::from_parts(&[], "1am-2am", "3am", "UTC").unwrap_err();
    Window::from_parts(&[], "1am", "3am", "").unwrap_err();
}

#[test]
fn abbreviations_are_fixed_and_warned_about() {
    let eastern = window("Weekday 10am-4pm EST");
    assert!(eastern.zone_warning().unwrap().contains("America/New_York"));
    assert!(window("daily 01:00-02:00 UTC").zone_warning().is_none());
    // In July ten o'clock at -05 is 15:00 UTC, an hour after ten in New York.
    assert!(!eastern.contains(at("2026-07-01T14:30:00Z")).is_inside());
    assert!(eastern.contains(at("2026-07-01T15:00:00Z")).is_inside());
    assert!(
        window("Weekday 10am-4pm ET")
            .contains(at("2026-07-01T14:30:00Z"))
            .is_inside()
    );
}

fn inside(closes: &str) -> WindowVerdict {
    WindowVerdict::Inside {
        closes_at: Some(at(closes)),
        doubt: None,
    }
}

fn outside(opens: &str) -> WindowVerdict {
    WindowVerdict::Outside {
        opens_at: Some(at(opens)),
        doubt: None,
    }
}

#[test]
fn tells_when_it_closes_or_opens() {
    for (text, instant, verdict) in [
        (
            "Sun 02:00-06:00 UTC",
            "2026-11-22T02:00:00Z",
            inside("2026-11-22T06:00:00Z"),
        ),
        (
            "Sun 02:00-06:00 UTC",
            "2026-11-22T06:00:00Z",
            outside("2026-11-29T02:00:00Z"),
        ),
        (
            "Sun 02:00-06:00 UTC",
            "2026-11-22T01:59:59Z",
            outside("2026-11-22T02:00:00Z"),
        ),
        // Over midnight: Saturday's window is still open early on Sunday, and Friday night is not in it.
        (
            "Sat 22:00-02:00 Europe/Berlin",
            "2026-11-22T00:30:00Z",
            inside("2026-11-22T01:00:00Z"),
        ),
        (
            "Sat 22:00-02:00 Europe/Berlin",
            "2026-11-21T00:30:00Z",
            outside("2026-11-21T21:00:00Z"),
        ),
        (
            "Mon-Fri 22:00-24:00 UTC",
            "2026-11-20T23:00:00Z",
            inside("2026-11-21T00:00:00Z"),
        ),
        (
            "Mon-Fri 22:00-24:00 UTC",
            "2026-11-21T00:00:00Z",
            outside("2026-11-23T22:00:00Z"),
        ),
        // Days that touch are one window.
        (
            "weekends UTC",
            "2026-11-21T12:00:00Z",
            inside("2026-11-23T00:00:00Z"),
        ),
        (
            "Sat-Thu 00:00-24:00 UTC",
            "2026-11-21T12:00:00Z",
            inside("2026-11-27T00:00:00Z"),
        ),
        // The day of the zone counts, not that of UTC.
        (
            "Mon 00:00-06:00 Asia/Tokyo",
            "2026-11-22T16:00:00Z",
            inside("2026-11-22T21:00:00Z"),
        ),
    ] {
        assert_eq!(
            window(text).contains(at(instant)),
            verdict,
            "{text} at {instant}"
        );
    }
    assert_eq!(
        window("any time").contains(Timestamp::MAX),
        WindowVerdict::Inside {
            closes_at: None,
            doubt: None
        }
    );
}

#[test]
fn a_window_over_a_clock_change_is_as_long_as_the_clock_says() {
    // Berlin, 29 March 2026: 02:00 becomes 03:00. Both bounds are clear; the window is an hour shorter.
    let night = window("Sat 22:00-06:00 Europe/Berlin");
    assert_eq!(
        night.contains(at("2026-03-28T21:00:00Z")),
        inside("2026-03-29T04:00:00Z")
    );
}

#[test]
fn a_bound_in_a_gap_is_reported() {
    // Berlin, 29 March 2026: 02:30 does not exist.
    let early = window("Sun 02:30-05:00 Europe/Berlin");
    let WindowVerdict::Outside {
        opens_at,
        doubt: Some(change),
    } = early.contains(at("2026-03-28T12:00:00Z"))
    else {
        panic!("the doubt is not reported");
    };
    assert!(!change.twice);
    assert_eq!(opens_at, Some(at("2026-03-29T01:30:00Z")));
    assert_eq!(change.earlier, at("2026-03-29T00:30:00Z"));
    assert!(change.to_string().contains("does not exist"), "{change}");
    assert_eq!(
        early.contains(at("2026-03-29T01:00:00Z")),
        WindowVerdict::Unclear { change }
    );
    assert!(early.contains(at("2026-03-29T01:30:00Z")).is_inside());
}

#[test]
fn a_bound_in_a_fold_is_reported() {
    // New York, 1 November 2026: 01:30 happens at 05:30 and at 06:30 UTC.
    let late = window("Sat 22:00-01:30 America/New_York");
    let WindowVerdict::Inside {
        closes_at,
        doubt: Some(change),
    } = late.contains(at("2026-11-01T03:00:00Z"))
    else {
        panic!("the doubt is not reported");
    };
    assert!(change.twice);
    assert_eq!(closes_at, Some(at("2026-11-01T05:30:00Z")));
    assert_eq!(
        late.contains(at("2026-11-01T06:00:00Z")),
        WindowVerdict::Unclear { change }
    );
    assert!(matches!(
        late.contains(at("2026-11-01T06:30:00Z")),
        WindowVerdict::Outside { doubt: None, .. }
    ));
}

#[test]
fn a_window_inside_a_gap_never_opens_that_day() {
    let gap = window("Sun 02:10-02:50 Europe/Berlin");
    assert_eq!(
        gap.contains(at("2026-03-28T12:00:00Z")),
        outside("2026-04-05T00:10:00Z")
    );
}

proptest! {
    #[test]
    fn no_text_panics(text in "\\PC{0,40}") {
        let _ = Window::parse(&text);
    }

    #[test]
    fn nearly_windows_never_panic(text in "(Mon|weekdays|10|9:30|am|pm|-|to|and|between|UTC|EST| |,|/){1,10}") {
        if let Ok(read) = Window::parse(&text) {
            prop_assert_eq!(window(&read.to_string()), read);
        }
    }

    #[test]
    fn verdicts_agree_with_their_bounds(
        second in 1_700_000_000_i64..1_900_000_000,
        start in 0_u16..1440, length in 1_u16..1440, days in 1_u8..128,
        zone in "(UTC|Europe/Berlin|America/New_York|Australia/Lord_Howe|Asia/Kolkata)",
    ) {
        let instant = Timestamp::from_second(second).unwrap();
        let end = (start + length) % 1440;
        let zone = Zone::find(&zone).unwrap().unwrap();
        let window = Window::new(Days(days), start, if end == 0 { 1440 } else { end }, zone);
        prop_assert_eq!(&Window::parse(&window.to_string()).unwrap(), &window);
        match window.contains(instant) {
            WindowVerdict::Inside { closes_at, doubt } => {
                let closes_at = closes_at.unwrap();
                prop_assert!(closes_at > instant);
                if doubt.is_none() {
                    prop_assert!(!window.contains(closes_at).is_inside());
                    prop_assert!(window.contains(closes_at - jiff::SignedDuration::from_nanos(1)).is_inside());
                }
            }
            WindowVerdict::Outside { opens_at, .. } => {
                let opens_at = opens_at.unwrap();
                prop_assert!(opens_at > instant);
                prop_assert!(window.contains(opens_at).is_inside());
            }
            WindowVerdict::Unclear { change } => {
                prop_assert!(change.earlier <= instant && instant < change.later);
            }
        }
    }
}
