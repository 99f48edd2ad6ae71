//! `kill -9` at any moment, then `resume`: same end, nothing runs twice, nothing is left behind.
//!
//! `ORCHESTRATE_KILLS=2000 tests/run kill::` tries more moments.

#![expect(clippy::unwrap_used, reason = "tests")]

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

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

/// Starts the tool and kills it, only it, after some time. Returns how many records there were then.
fn killed_after(practice: &Practice, moment: Duration) -> usize {
    let mut child = practice.start(&go_on(practice));
    std::thread::sleep(moment);
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

/// How long the plan takes while as many run together as later.
fn length(shape: &Shape) -> Duration {
    let longest = Mutex::new(Duration::ZERO);
    each_moment(TOGETHER, TOGETHER, |_| {
        let practice = Practice::new(&plan(shape));
        let begun = Instant::now();
        let arguments = ["run", "plan.yaml", "--yes", "--jobs", "3"];
        let status = finish(practice.start(&arguments), Duration::from_secs(60));
        assert_eq!(status.code(), Some(exit_code(shape)), "{}", practice.said());
        let took = begun.elapsed();
        check(&practice, shape);
        let mut longest = longest.lock().unwrap();
        *longest = took.max(*longest);
    });
    longest.into_inner().unwrap()
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
    let length = length(&FORWARD);
    let seen = Mutex::new(BTreeSet::new());
    each_moment(TOGETHER, count, |i| {
        let practice = Practice::new(&plan(&FORWARD));
        let records = killed_after(&practice, moment(length, i, count));
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
    let length = length(&FORWARD);
    each_moment(TOGETHER, count, |i| {
        let practice = Practice::new(&plan(&FORWARD));
        // Earlier first kills leave more for the second and the third.
        killed_after(&practice, moment(length, i, count) / 2);
        killed_after(&practice, moment(length, (i * 7) % count, count) / 4);
        killed_after(&practice, moment(length, (i * 13) % count, count) / 4);
        to_the_end(&practice, &FORWARD);
        check(&practice, &FORWARD);
    });
}

#[test]
fn a_killed_orchestrator_undoes_each_step_once() {
    let count = moments(60);
    let length = length(&BACKWARD);
    each_moment(TOGETHER, count, |i| {
        let practice = Practice::new(&plan(&BACKWARD));
        // Two of three in the second half, where steps are undone.
        let part = if i % 3 == 0 {
            moment(length, i, count)
        } else {
            length / 2 + moment(length, i, count) / 2
        };
        killed_after(&practice, part);
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
    let length = length(&SHAPE);
    let asked = AtomicUsize::new(0);
    let repeated = AtomicUsize::new(0);
    each_moment(TOGETHER, count, |i| {
        let practice = Practice::new(&plan(&SHAPE));
        let mut child = practice.start(&go_on(&practice));
        std::thread::sleep(moment(length, i, count));
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
