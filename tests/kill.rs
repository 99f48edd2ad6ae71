//! `kill -9` at any moment, then `resume`: same end, nothing runs twice, nothing is left behind.
//!
//! `ORCHESTRATE_KILLS=2000 tests/run kill::` tries more moments.

#![expect(clippy::unwrap_used, reason = "tests")]

use std::collections::{BTreeMap, BTreeSet};
use std::process::Child;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use orchestrate::base::watch::Watch;
use orchestrate::run::engine::Event;

use crate::support::moments::{each_moment, moment, moments};
use crate::support::practice::{Practice, finish, kill, marks};

/// How many practice runs go on at the same time: most of their time they sleep.
const TOGETHER: usize = 20;

struct Shape {
    /// The last step fails and everything is taken back.
    fails: bool,
    /// Steps that may be run again by themselves.
    idempotent: &'static [&'static str],
}

/// A step's id, its order, and what it sleeps for.
type PlannedStep = (&'static str, u32, &'static str);

const STEPS: [(&str, &[PlannedStep]); 3] = [
    (
        "ONE",
        &[
            ("A1", 1, "0.1"),
            ("A2", 2, "0.15"),
            ("A3", 2, "0.1"),
            ("A4", 2, "0.05"),
        ],
    ),
    (
        "TWO",
        &[("B1", 1, "0.1"), ("B2", 2, "0.1"), ("B3", 3, "0.1")],
    ),
    (
        "THREE",
        &[("C1", 1, "0.1"), ("C2", 1, "0.05"), ("C3", 2, "0.1")],
    ),
];

fn plan(shape: &Shape) -> String {
    let mut text = "metadata: {version: \"1.0.0\", migration_name: Practice}\n\
                    migration_overview: {name: Practice}\n\
                    rollback_strategy: {on_failure: full}\n\
                    migration_phases:\n"
        .to_owned();
    for (order, (phase, steps)) in STEPS.iter().enumerate() {
        text += &format!(
            "  - phase_id: {phase}\n    name: {phase}\n    order: {}\n    steps:\n",
            order + 1
        );
        for (step, order, seconds) in *steps {
            let mut action = marks(seconds);
            if shape.fails && *step == "C3" {
                action += "; exit 3";
            }
            let idempotent = shape.idempotent.contains(step);
            text += &format!(
                "      - step_id: {step}\n        name: {step}\n        order: {order}\n        type: infrastructure\n        \
                 idempotent: {idempotent}\n        \
                 execution_details:\n          commands:\n            - '{action}'\n        \
                 validation:\n          validation_checks:\n            \
                 - {{check: ended, command: 'sleep 0.02; grep -q \"end forward {step}\" ledger'}}\n            \
                 - {{check: there, file: {{path: ledger, min_bytes: 1}}}}\n        \
                 rollback_procedure:\n          rollback_steps:\n            - run: '{}'\n",
                marks("0.05")
            );
        }
        text += &format!(
            "    validation_gate:\n      gate_id: GATE-{phase}\n      name: {phase}\n      \
             failure_response: rollback\n      criteria:\n        \
             - {{check: all of them, command: 'sleep 0.05; test -s ledger'}}\n        \
             - {{check: said, when: \"steps['{}'].succeeded\"}}\n",
            steps[0].0
        );
    }
    text
}

fn all_steps() -> impl Iterator<Item = &'static str> {
    STEPS
        .iter()
        .flat_map(|(_, steps)| steps.iter().map(|s| s.0))
}

/// What the ledger must hold after the run's end.
fn expected(shape: &Shape) -> BTreeMap<String, usize> {
    let mut all = BTreeMap::new();
    for step in all_steps() {
        let directions: &[&str] = if shape.fails {
            &["forward", "undo"]
        } else {
            &["forward"]
        };
        for direction in directions {
            for mark in ["begin", "end"] {
                all.insert(format!("{mark} {direction} {step}"), 1);
            }
        }
    }
    all
}

fn exit_code(shape: &Shape) -> i32 {
    if shape.fails { 4 } else { 0 }
}

fn is_over(practice: &Practice) -> bool {
    practice.records().iter().any(|record| {
        matches!(record.event, Event::RunCompleted)
            || matches!(
                &record.event,
                Event::UnwindingCompleted {
                    level: orchestrate::plan::program::Level::Full
                }
            )
    })
}

/// Goes on with a run that was killed, or starts it if it was killed before it existed.
fn go_on(practice: &Practice) -> Vec<&'static str> {
    if practice.run_dir().is_some() {
        vec!["resume", "--jobs", "3"]
    } else {
        vec!["run", "plan.yaml", "--yes", "--jobs", "3"]
    }
}

/// When the tool is killed.
#[derive(Clone, Copy)]
enum Moment {
    /// After this time, whatever it does then.
    Time(Duration),
    /// Once there are so many records: a machine that is slow to start kills in mid-run, too.
    Records(usize),
}

impl Moment {
    /// Waits until it is there, or until the tool has ended by itself.
    fn wait(self, practice: &Practice, child: &mut Child) {
        match self {
            Self::Time(time) => std::thread::sleep(time),
            Self::Records(count) => {
                while written(practice) < count && child.try_wait().unwrap().is_none() {
                    let folder = practice.run_dir().unwrap_or(practice.path().to_owned());
                    let watch = Watch::changes(&[&folder]).unwrap();
                    if written(practice) < count {
                        // The end of the tool and a run folder that appears are not told.
                        watch.wait(Duration::from_millis(20)).unwrap();
                    }
                }
            }
        }
    }
}

/// How many lines the journal has.
fn written(practice: &Practice) -> usize {
    let Some(folder) = practice.run_dir() else {
        return 0;
    };
    let journal = std::fs::read(folder.join("journal.jsonl")).unwrap_or_default();
    journal.iter().filter(|byte| **byte == b'\n').count()
}

/// Starts the tool and kills it, only it, at a moment. Returns how many records there were then.
fn killed_at(practice: &Practice, moment: Moment) -> usize {
    let mut child = practice.start(&go_on(practice));
    moment.wait(practice, &mut child);
    child.kill().unwrap();
    child.wait().unwrap();
    practice.records().len()
}

/// Calls until the run is over and returns the last exit code.
fn to_the_end(practice: &Practice, shape: &Shape) {
    if is_over(practice) {
        return;
    }
    let code = practice.call(&go_on(practice));
    assert_eq!(code, exit_code(shape), "{}", practice.said());
}

fn check(practice: &Practice, shape: &Shape) {
    practice.settles();
    assert_eq!(practice.ledger(), expected(shape), "{}", practice.said());
    practice.journal_is_sound();
    assert!(is_over(practice));
}

/// How much the plan takes while as many run together as later.
#[derive(Debug, Default)]
struct Length {
    time: Duration,
    records: usize,
}

impl Length {
    fn of(shape: &Shape) -> Self {
        let longest = Mutex::new(Self::default());
        each_moment(TOGETHER, TOGETHER, |_| {
            let practice = Practice::new(&plan(shape));
            let begun = Instant::now();
            let arguments = ["run", "plan.yaml", "--yes", "--jobs", "3"];
            let status = finish(practice.start(&arguments), Duration::from_secs(60));
            assert_eq!(status.code(), Some(exit_code(shape)), "{}", practice.said());
            let took = begun.elapsed();
            check(&practice, shape);
            let mut longest = longest.lock().unwrap();
            longest.time = took.max(longest.time);
            longest.records = practice.records().len();
        });
        longest.into_inner().unwrap()
    }

    /// One of so many moments spread evenly over a part of it: every other one by the clock.
    fn moment(&self, i: usize, count: usize, part: std::ops::Range<f64>) -> Moment {
        let share = part.start + (part.end - part.start) * i as f64 / count as f64;
        if i.is_multiple_of(2) {
            Moment::Time(self.time.mul_f64(share))
        } else {
            Moment::Records((self.records as f64 * share) as usize)
        }
    }
}

const FORWARD: Shape = Shape {
    fails: false,
    idempotent: &[],
};

const BACKWARD: Shape = Shape {
    fails: true,
    idempotent: &[],
};

#[test]
fn a_killed_orchestrator_loses_nothing_at_any_of_two_hundred_moments() {
    let count = moments(200);
    let length = Length::of(&FORWARD);
    let seen = Mutex::new(BTreeSet::new());
    each_moment(TOGETHER, count, |i| {
        let practice = Practice::new(&plan(&FORWARD));
        let records = killed_at(&practice, length.moment(i, count, 0.0..1.0));
        seen.lock().unwrap().insert(records);
        to_the_end(&practice, &FORWARD);
        check(&practice, &FORWARD);
    });
    let seen = seen.into_inner().unwrap();
    println!("{length:?}, killed after {seen:?} records");
    assert!(seen.len() > 20, "the moments are not different: {seen:?}");
}

#[test]
fn a_killed_resume_loses_nothing() {
    let count = moments(60);
    let length = Length::of(&FORWARD);
    each_moment(TOGETHER, count, |i| {
        let practice = Practice::new(&plan(&FORWARD));
        // Earlier first kills leave more for the second and the third.
        killed_at(&practice, length.moment(i, count, 0.0..0.5));
        for again in [i * 7, i * 13] {
            let time = moment(length.time, again % count, count) / 4;
            killed_at(&practice, Moment::Time(time));
        }
        to_the_end(&practice, &FORWARD);
        check(&practice, &FORWARD);
    });
}

#[test]
fn a_killed_orchestrator_undoes_each_step_once() {
    let count = moments(60);
    let length = Length::of(&BACKWARD);
    each_moment(TOGETHER, count, |i| {
        let practice = Practice::new(&plan(&BACKWARD));
        // Two of three in the second half, where steps are undone.
        let part = if i % 3 == 0 { 0.0..1.0 } else { 0.5..1.0 };
        killed_at(&practice, length.moment(i, count, part));
        to_the_end(&practice, &BACKWARD);
        check(&practice, &BACKWARD);
    });
}

#[test]
fn when_the_supervisor_dies_too_only_what_may_be_repeated_is_repeated() {
    const SHAPE: Shape = Shape {
        fails: false,
        idempotent: &["A2", "A3", "B2", "C1"],
    };
    let count = moments(40);
    let length = Length::of(&SHAPE);
    let asked = AtomicUsize::new(0);
    let repeated = AtomicUsize::new(0);
    each_moment(TOGETHER, count, |i| {
        let practice = Practice::new(&plan(&SHAPE));
        let mut child = practice.start(&go_on(&practice));
        length
            .moment(i, count, 0.0..1.0)
            .wait(&practice, &mut child);
        let supervisor = practice.supervisor();
        child.kill().unwrap();
        supervisor.into_iter().for_each(kill);
        child.wait().unwrap();
        let mut questions = 0;
        while !is_over(&practice) {
            match practice.call(&go_on(&practice)) {
                0 => {}
                7 => {
                    questions += resolve_unknown(&practice);
                    assert!(questions < 5, "{}", practice.said());
                }
                other => panic!("exit {other}\n{}", practice.said()),
            }
        }
        practice.settles();
        asked.fetch_add(questions, Ordering::Relaxed);
        let ledger = practice.ledger();
        for step in all_steps() {
            let ends = ledger.get(&format!("end forward {step}")).copied();
            let begins = ledger.get(&format!("begin forward {step}")).copied();
            if SHAPE.idempotent.contains(&step) {
                assert!((1..=2).contains(&ends.unwrap_or(0)), "{step}: {ledger:?}");
                repeated.fetch_add(usize::from(begins > Some(1)), Ordering::Relaxed);
            } else {
                // Begun again only because a person said so, and only without effect.
                assert_eq!(ends, Some(1), "{step}: {ledger:?}\n{}", practice.said());
                assert!(begins <= Some(1 + questions), "{step}: {ledger:?}");
            }
        }
    });
    let (asked, repeated) = (asked.into_inner(), repeated.into_inner());
    println!("{length:?}, asked {asked} times, repeated {repeated} times");
    assert!(
        asked > 0 && repeated > 0,
        "asked {asked}, repeated {repeated}"
    );
}

/// Says of each step whose outcome is unknown whether it happened: the ledger knows.
fn resolve_unknown(practice: &Practice) -> usize {
    let ledger = practice.ledger();
    let program_says = practice
        .command(&["status", "latest", "--output", "json"])
        .output()
        .unwrap();
    let text = String::from_utf8(program_says.stdout).unwrap();
    let mut answered = 0;
    for line in text.lines() {
        let value: serde_json::Value = serde_json::from_str(line).unwrap();
        for waiting in value["waiting"].as_array().into_iter().flatten() {
            let step = waiting["id"].as_str().unwrap();
            let how = if ledger.contains_key(&format!("end forward {step}")) {
                "done"
            } else {
                "retry"
            };
            let arguments = [
                "resolve",
                "latest",
                step,
                "--as",
                how,
                "--reason",
                "the ledger",
            ];
            let code = practice.call(&arguments);
            assert_eq!(code, 0, "{}", practice.said());
            answered += 1;
        }
    }
    assert!(answered > 0, "{text}\n{}", practice.said());
    answered
}
