#![expect(clippy::unwrap_used, reason = "tests")]

use std::path::Path;

use super::*;
use crate::plan::load::load_text;
use crate::plan::program::{Files, lower};

struct NoFiles;

impl Files for NoFiles {
    fn exists(&self, _: &str) -> bool {
        false
    }
    fn read(&self, path: &str) -> std::io::Result<String> {
        Err(std::io::Error::other(path.to_owned()))
    }

    fn list(&self, _: &str) -> Vec<String> {
        Vec::new()
    }
}

/// What stands in a phase, and its steps as `(id, order, more)`.
type Written<'a> = (&'a str, &'a [(&'a str, i64, &'a str)]);

/// A program of phases, each a list of `(id, order, more)`; `more` is YAML in flow style.
fn program(phases: &[Written<'_>], rest: &str) -> Program {
    let mut text = String::from(
        "metadata: {version: '1', migration_name: m}\nmigration_overview: {name: m}\nmigration_phases:\n",
    );
    for (p, (own, steps)) in phases.iter().enumerate() {
        text.push_str(&format!(
            "  - phase_id: P{p}\n    name: p\n    order: {p}\n    {own}\n    steps:\n"
        ));
        for (id, order, more) in *steps {
            text.push_str(&format!(
                "      - {{step_id: {id}, name: n, order: {order}, type: configuration, {more}}}\n"
            ));
        }
    }
    text.push_str(rest);
    let loaded = load_text(Path::new("plan.yaml"), &text)
        .unwrap_or_else(|refused| panic!("{text}\n{:#?}", refused.findings));
    lower(&loaded.plan, &NoFiles).unwrap()
}

fn minutes(between: Between) -> (u64, u64) {
    (between.min_ms / 60_000, between.max_ms / 60_000)
}

fn path(program: &Program, schedule: &Schedule) -> Vec<String> {
    schedule
        .critical
        .iter()
        .map(|&s| program.steps[s].id.to_string())
        .collect()
}

#[test]
fn equal_orders_run_together_and_the_longest_decides() {
    let program = program(
        &[(
            "",
            &[
                ("A", 1, "estimated_duration: 10m"),
                ("B", 2, "estimated_duration: 5m"),
                ("C", 2, "estimated_duration: 20-30m"),
                ("D", 3, "estimated_duration: 1m"),
            ],
        )],
        "",
    );
    let schedule = Schedule::of(&program);
    assert_eq!(minutes(schedule.steps[3].start), (30, 40));
    assert_eq!(minutes(schedule.length.known), (31, 41));
    assert_eq!(path(&program, &schedule), ["A", "C", "D"]);
    assert_eq!(schedule.steps[1].slack_ms, 25 * 60_000);
    assert!(schedule.steps[2].slack_ms == 0 && schedule.steps[2].critical);
    assert!(schedule.length.is_complete());
}

#[test]
fn depends_on_waits_for_exactly_that() {
    let program = program(
        &[(
            "",
            &[
                ("A", 1, "estimated_duration: 60m"),
                ("B", 2, "depends_on: [], estimated_duration: 5m"),
                ("C", 3, "depends_on: [B], estimated_duration: 5m"),
                ("D", 3, "estimated_duration: 1m"),
            ],
        )],
        "",
    );
    let schedule = Schedule::of(&program);
    assert_eq!(minutes(schedule.steps[1].start), (0, 0));
    assert_eq!(minutes(schedule.steps[2].start), (5, 5));
    // Lower orders hold D, whatever they themselves wait for.
    assert_eq!(minutes(schedule.steps[3].start), (60, 60));
    assert_eq!(path(&program, &schedule), ["A", "D"]);
    let waits = Waits::of(&program, &program.phases[0].steps);
    assert!(waits.either(1, 2) && waits.either(2, 1) && waits.either(0, 3) && waits.either(1, 3));
    assert!(!waits.either(0, 1) && !waits.either(0, 2) && !waits.either(2, 3));
}

#[test]
fn what_is_unknown_is_counted_not_made_up() {
    let program = program(
        &[
            ("", &[("A", 1, "estimated_duration: 10m"), ("B", 2, "")]),
            ("duration_estimate: 1h", &[("C", 1, ""), ("D", 1, "")]),
        ],
        "",
    );
    let schedule = Schedule::of(&program);
    assert_eq!(schedule.length.unknown, 1);
    assert_eq!(
        schedule.length.say("step", "steps"),
        "at least 1h 10m (1 step without an estimate)"
    );
    assert_eq!(minutes(schedule.phases[1].start), (10, 10));
    assert_eq!(schedule.phases[1].unestimated, 2);
    assert!(schedule.steps[0].sure && schedule.steps[1].sure);
    // The second phase begins when the first has ended, whenever that is.
    assert!(!schedule.steps[2].sure);
    // Steps in a row are critical even where their length is not known.
    assert_eq!(path(&program, &schedule)[..2], ["A", "B"]);
}

#[test]
fn watching_is_kept_apart() {
    let program = program(
        &[(
            "",
            &[
                (
                    "A",
                    1,
                    "estimated_duration: 10m, observe: {for: 1 day, every: 5m}",
                ),
                ("B", 2, "estimated_duration: 3 days observation"),
            ],
        )],
        "",
    );
    let schedule = Schedule::of(&program);
    assert_eq!(schedule.work_ms, 10 * 60_000);
    assert_eq!(
        minutes(schedule.length.known),
        (4 * 1440 + 10, 4 * 1440 + 10)
    );
    assert!(schedule.phases[0].watches && schedule.length.is_complete());
}

#[test]
fn the_way_back_adds_up() {
    let undo = "estimated_duration: 10m, rollback_procedure: {rollback_steps: [{run: 'true'}], timeout: 5m}";
    let program = program(
        &[
            (
                "rollback_point: {estimated_rollback_duration: 1 hour}",
                &[("A", 1, undo)],
            ),
            ("", &[("B", 1, undo), ("C", 2, undo)]),
            (
                "",
                &[(
                    "D",
                    1,
                    "estimated_duration: 1h, rollback_procedure: {can_rollback: false}",
                )],
            ),
        ],
        "",
    );
    let schedule = Schedule::of(&program);
    let back = |p: usize| minutes(schedule.phases[p].back.takes.known);
    assert_eq!((back(0), back(1)), ((60, 60), (60, 70)));
    assert_eq!(schedule.no_return.len(), 1);
    assert_eq!(schedule.no_return[0].step, Some(3));
    assert_eq!(schedule.phases[1].back.wall, None);
    assert_eq!(schedule.phases[2].back.wall, Some(0));
    let hour = 3_600_000_u64;
    assert_eq!(schedule.start_back_by(1, 6 * hour), Some(290 * 60_000));
    assert_eq!(schedule.start_back_by(1, hour), Some(-10 * 60_000));
    assert_eq!(schedule.start_back_by(2, 6 * hour), None);
}

#[test]
fn the_figure_for_everything_bounds_a_part_of_it() {
    let undo = "rollback_procedure: {rollback_steps: [{run: 'true'}]}";
    let levels = "rollback_strategy:\n  rollback_levels:\n    - {level: phase, rollback_procedure: {estimated_duration: 1h}}\n    - {level: full, rollback_procedure: {estimated_duration: 2-3 hours}}\n";
    let program = program(
        &[
            ("", &[("A", 1, undo)]),
            ("", &[("B", 1, undo)]),
            ("", &[("C", 1, undo)]),
            ("", &[("D", 1, undo)]),
        ],
        levels,
    );
    let schedule = Schedule::of(&program);
    let back: Vec<_> = schedule
        .phases
        .iter()
        .map(|p| minutes(p.back.takes.known).1)
        .collect();
    assert_eq!(back, [60, 120, 180, 180]);
}

#[test]
fn a_circle_does_not_hang() {
    let mut program = program(&[("", &[("A", 1, ""), ("B", 2, "depends_on: [A]")])], "");
    program.steps[0].after = crate::plan::program::After::Exactly(vec![1]);
    assert_eq!(Schedule::of(&program).length.unknown, 2);
}

#[test]
fn what_is_left_out_takes_no_time_and_is_no_wall() {
    let program = program(
        &[
            (
                "",
                &[(
                    "A",
                    1,
                    "estimated_duration: 1h, rollback_procedure: {can_rollback: false}",
                )],
            ),
            ("", &[("B", 1, "estimated_duration: 10m")]),
        ],
        "",
    );
    let schedule = Schedule::without(&program, &[true, false]);
    assert_eq!(minutes(schedule.length.known), (10, 10));
    assert_eq!(schedule.no_return.len(), 1);
    assert_eq!(schedule.no_return[0].step, Some(1));
}
