//! Numbers as people write them.

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
