//! What people and programs read of a plan's coverage.

use jiff::Timestamp;

use super::{Report, Way};
use crate::base::quantity::Window;
use crate::plan::program::WindowRule;
use crate::show::preview::{Preview, Variables};
use crate::show::testing::program;
use crate::show::text::{Look, columns};

fn report() -> Report {
    Report::of("plan.yaml", &program(), Timestamp::UNIX_EPOCH)
}

#[test]
fn one_glance_at_every_width() {
    let mut drawn = String::new();
    for width in [60, 80, 200] {
        for each in [false, true] {
            let text = report().text(Look::plain(width), each);
            for line in text.lines() {
                assert!(columns(line) <= width, "{width}: {line}");
            }
            if each == (width == 80) {
                drawn.push_str(&format!("=== {width}\n{text}\n"));
            }
        }
    }
    insta::assert_snapshot!(drawn);
}

#[test]
fn as_data() {
    insta::assert_json_snapshot!(report());
}

#[test]
fn a_preview_counts_the_same() {
    let preview = Preview::new(
        &program(),
        None,
        Variables::new(),
        &[],
        Timestamp::UNIX_EPOCH,
    );
    assert_eq!(preview.coverage, report().total);
    let checks: usize = report()
        .phases
        .iter()
        .map(|phase| phase.part.checks.len())
        .sum();
    let counted: usize = report()
        .phases
        .iter()
        .map(|phase| phase.part.coverage.checks())
        .sum();
    assert_eq!(checks, counted);
}

#[test]
fn of_many_steps_a_few_are_named_and_all_are_counted() {
    let mut program = program();
    let template = program.steps[0].clone();
    for i in 0..1_000 {
        let mut step = template.clone();
        step.undo = crate::plan::program::Undo::wall(format!("nobody wrote undo {i}"));
        program.phases[0].steps.push(program.steps.len());
        program.steps.push(step);
    }
    let report = Report::of("plan.yaml", &program, Timestamp::UNIX_EPOCH);
    assert_eq!(report.phases[0].ways[&Way::None], 1_000);
    let text = report.text(Look::plain(80), false);
    assert!(text.contains("and 995 steps more"), "{text}");
    assert!(text.lines().count() < 80, "{text}");
}

#[test]
fn a_window_tells_how_late_one_can_go_back() {
    let mut program = program();
    let text = "Saturday 02:00-06:00 UTC";
    program.window = Some(WindowRule::Window {
        text: text.to_owned(),
        window: Window::parse(text).expect("this is a window"),
    });
    let report = Report::of("plan.yaml", &program, Timestamp::UNIX_EPOCH);
    let first = &report.phases[0].back;
    let closes: Timestamp = "1970-01-03T06:00:00Z".parse().expect("this is a time");
    let by = first
        .start_by
        .expect("there is a way back from the first phase");
    let takes = i64::try_from(first.takes.known.max_ms).expect("a short time");
    assert_eq!(closes.as_millisecond() - by.as_millisecond(), takes);
    let text = report.text(Look::plain(80), false);
    assert!(text.contains("; start back by "), "{text}");
    // From the second phase on there is no way back, so no time is named.
    assert_eq!(report.phases[1].back.start_by, None);
    assert_eq!(text.matches("start back by").count(), 1, "{text}");
}
