use super::*;
use crate::show::testing::program;

fn at() -> jiff::Timestamp {
    jiff::Timestamp::from_second(1_795_262_400).unwrap_or_default()
}

/// `(y, from, to, words)` of every text, by the width that the drawing itself reckons with.
fn texts(drawn: &str) -> Vec<(String, f64, f64, String)> {
    let of = |line: &str, name: &str| -> String {
        let from = line
            .find(&format!("{name}=\""))
            .map_or(0, |i| i + name.len() + 2);
        line[from..]
            .split('"')
            .next()
            .unwrap_or_default()
            .to_owned()
    };
    drawn
        .lines()
        .filter(|line| line.starts_with("<text "))
        .map(|line| {
            let words = line
                .split_once('>')
                .and_then(|(_, rest)| rest.strip_suffix("</text>"))
                .unwrap_or_default()
                .to_owned();
            let x: f64 = of(line, "x").parse().unwrap_or(0.0);
            // Small letters and digits take six pixels or less.
            #[expect(clippy::cast_precision_loss, reason = "a line of text")]
            let width = crate::show::text::columns(&words) as f64 * 6.0;
            (of(line, "y"), x, x + width, words)
        })
        .collect()
}

fn no_text_overlaps(drawn: &str) {
    let mut all = texts(drawn);
    all.sort_by(|a, b| a.0.cmp(&b.0).then(a.1.total_cmp(&b.1)));
    for pair in all.windows(2) {
        let [left, right] = pair else { continue };
        assert!(
            left.0 != right.0 || left.2 <= right.1 + 1.0,
            "{left:?} runs into {right:?}"
        );
    }
    for (_, _, to, words) in &all {
        assert!(
            *to <= 1004.0 || words.len() > 140,
            "{words} leaves the page"
        );
    }
}

#[test]
fn the_chart_of_a_plan() {
    let chart = planned(&program(), &[], at());
    assert_eq!(chart.groups.len(), 2);
    let drawn = svg(&chart);
    no_text_overlaps(&drawn);
    insta::assert_snapshot!(drawn);
}

#[test]
fn what_a_plan_says_stays_text() {
    let mut program = program();
    program.name = "<script>alert(1)</script> & \"x\" \u{1b}[2J\u{0}\u{fffe}".to_owned();
    program.steps[0].name = "ÄÖÜ 日本語 ]]> <!-- ".repeat(20);
    let drawn = svg(&planned(&program, &[], at()));
    assert!(!drawn.contains("<script"));
    assert!(drawn.contains("&lt;script&gt;alert(1)&lt;/script&gt; &amp; &quot;x&quot;"));
    let forbidden = |c: char| c != '\n' && c.is_control() || matches!(c, '\u{fffe}' | '\u{ffff}');
    assert!(!drawn.contains(forbidden));
}

#[test]
fn nothing_is_still_a_chart() {
    let drawn = svg(&Chart::default());
    assert!(drawn.starts_with("<svg ") && !drawn.contains("NaN"));
}

#[test]
fn long_watching_leaves_room_for_the_work() {
    let bar = |from, to, kind| Row {
        bars: vec![Bar { from, to, kind }],
        ..Row::default()
    };
    let hour = 3_600_000;
    let chart = Chart {
        axis: true,
        groups: vec![Group {
            span: (0, 170 * hour),
            rows: vec![
                bar(0, hour, BarKind::Work),
                bar(hour, 169 * hour, BarKind::Watch),
                bar(169 * hour, 170 * hour, BarKind::Work),
            ],
            ..Group::default()
        }],
        ..Chart::default()
    };
    let scale = scale::Scale::of(&chart, 0.0, 1000.0);
    assert_eq!(scale.squeezed, [(hour, 169 * hour)]);
    assert!(scale.x(hour) > 300.0 && scale.x(170 * hour) > 999.0);
    assert!(scale.x(0) < 1.0 && scale.x(u64::MAX) > 999.0);
}
