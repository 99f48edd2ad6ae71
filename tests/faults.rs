//! Signals, a disk that refuses, and output without end, through the whole tool.

#![expect(clippy::unwrap_used, reason = "tests")]

use std::fs;
use std::process::Stdio;
use std::time::{Duration, Instant};

use rustix::process::Signal;

use crate::support::practice::{BINARY, Practice, finish, marks, signal};

const RUN: [&str; 3] = ["run", "plan.yaml", "--yes"];
const RESUME: [&str; 1] = ["resume"];

/// Steps in a row, each with its commands and further lines of YAML.
fn plan(steps: &[(&str, String, &str)]) -> String {
    let mut text = "metadata: {version: \"1.0.0\", migration_name: Practice}\n\
                    migration_overview: {name: Practice}\n\
                    migration_phases:\n  - phase_id: ONE\n    name: ONE\n    order: 1\n    steps:\n"
        .to_owned();
    for (order, (step, command, more)) in steps.iter().enumerate() {
        text += &format!(
            "      - step_id: {step}\n        name: {step}\n        order: {}\n        type: infrastructure\n        \
             execution_details: {{commands: ['{command}']}}\n        {more}\n",
            order + 1
        );
    }
    text
}

fn two_steps(more: &str) -> Practice {
    Practice::new(&plan(&[("A", marks("0.4"), more), ("B", marks("0"), "")]))
}

/// Waits until a line stands in the ledger.
fn has_begun(practice: &Practice, line: &str) {
    let begun = Instant::now();
    while !practice.ledger().contains_key(line) {
        assert!(
            begun.elapsed() < Duration::from_secs(20),
            "{}",
            practice.said()
        );
        std::thread::sleep(Duration::from_millis(5));
    }
}

/// Sends signals while step A runs, the second one after the first was heard; returns the exit code.
fn interrupted(practice: &Practice, signals: &[Signal]) -> i32 {
    let child = practice.start(&RUN);
    let pid = i32::try_from(child.id()).unwrap();
    has_begun(practice, "begin forward A");
    for (i, sent) in signals.iter().enumerate() {
        if i > 0 {
            let begun = Instant::now();
            while !practice.said().contains("interrupted: ") {
                assert!(
                    begun.elapsed() < Duration::from_secs(20),
                    "{}",
                    practice.said()
                );
                std::thread::sleep(Duration::from_millis(5));
            }
        }
        signal(pid, *sent);
    }
    let status = finish(child, Duration::from_secs(20));
    status
        .code()
        .unwrap_or_else(|| panic!("{status}\n{}", practice.said()))
}

fn count(practice: &Practice, line: &str) -> usize {
    practice.ledger().get(line).copied().unwrap_or(0)
}

#[test]
fn one_signal_lets_the_running_step_finish_and_saves_the_run() {
    for sent in [Signal::INT, Signal::TERM, Signal::HUP] {
        let practice = two_steps("");
        assert_eq!(interrupted(&practice, &[sent]), 130, "{}", practice.said());
        assert_eq!(
            count(&practice, "end forward A"),
            1,
            "the step was carried to its end"
        );
        assert_eq!(
            count(&practice, "begin forward B"),
            0,
            "nothing new was started"
        );
        practice.settles();
        assert_eq!(practice.call(&RESUME), 0, "{}", practice.said());
        for step in ["A", "B"] {
            assert_eq!(count(&practice, &format!("begin forward {step}")), 1);
            assert_eq!(count(&practice, &format!("end forward {step}")), 1);
        }
        practice.settles();
        practice.journal_is_sound();
    }
}

/// After an end that nobody can judge: the run asks, is told, and goes on.
fn is_asked_and_goes_on(practice: &Practice) {
    practice.settles();
    assert_eq!(count(practice, "end forward A"), 0, "{}", practice.said());
    assert_eq!(practice.call(&RESUME), 7, "{}", practice.said());
    assert_eq!(
        count(practice, "begin forward A"),
        1,
        "it is not run again by itself"
    );
    let arguments = [
        "resolve",
        "latest",
        "A",
        "--as",
        "retry",
        "--reason",
        "the ledger",
    ];
    assert_eq!(practice.call(&arguments), 0, "{}", practice.said());
    assert_eq!(practice.call(&RESUME), 0, "{}", practice.said());
    for step in ["A", "B"] {
        assert_eq!(count(practice, &format!("end forward {step}")), 1);
    }
    practice.settles();
    practice.journal_is_sound();
}

#[test]
fn a_second_signal_ends_what_runs_and_its_outcome_is_unknown() {
    let practice = Practice::new(&plan(&[("A", marks("5"), ""), ("B", marks("0"), "")]));
    let code = interrupted(&practice, &[Signal::INT, Signal::INT]);
    assert_eq!(code, 130, "{}", practice.said());
    is_asked_and_goes_on(&practice);
}

#[test]
fn on_interrupt_stop_ends_the_step_at_once() {
    let practice = Practice::new(&plan(&[
        ("A", marks("5"), "on_interrupt: stop"),
        ("B", marks("0"), ""),
    ]));
    let begun = Instant::now();
    let code = interrupted(&practice, &[Signal::TERM]);
    assert_eq!(code, 130, "{}", practice.said());
    assert!(
        begun.elapsed() < Duration::from_secs(5),
        "{}",
        practice.said()
    );
    is_asked_and_goes_on(&practice);
}

/// A limit on the size of files refuses writes in the middle of a run, as a full disk does, and needs no privileges.
#[test]
fn a_disk_that_refuses_stops_the_run_and_a_mended_one_lets_it_go_on() {
    let steps: Vec<(String, String)> = (1..=40).map(|i| (format!("S{i}"), marks("0"))).collect();
    let steps: Vec<(&str, String, &str)> = steps
        .iter()
        .map(|(id, command)| (id.as_str(), command.clone(), ""))
        .collect();
    let text = plan(&steps);
    let practice = Practice::new(&text);
    // Enough for the run's inputs, not for its journal.
    let kibibytes = text.len() / 1024 + 10;
    let script = format!("trap '' XFSZ; ulimit -f {kibibytes}; exec \"$0\" \"$@\" 2> refused");
    let mut command = std::process::Command::new("bash");
    command
        .args(["-c", &script, BINARY])
        .args(RUN)
        .current_dir(practice.path())
        .env("NO_COLOR", "1")
        .stdin(Stdio::null())
        .stdout(Stdio::null());
    let status = finish(command.spawn().unwrap(), Duration::from_secs(60));
    let said = fs::read_to_string(practice.path().join("refused")).unwrap();
    assert_eq!(status.code(), Some(1), "{said}");
    assert!(said.contains("no new step was started"), "{said}");
    assert!(said.contains("orchestrate resume"), "{said}");
    practice.settles();
    let done = practice.ledger().len() / 2;
    assert!(
        (2..40).contains(&done),
        "{done} steps before the disk was full: {said}"
    );
    assert_eq!(practice.call(&RESUME), 0, "{}", practice.said());
    for i in 1..=40 {
        assert_eq!(count(&practice, &format!("begin forward S{i}")), 1, "S{i}");
        assert_eq!(count(&practice, &format!("end forward S{i}")), 1, "S{i}");
    }
    practice.settles();
    practice.journal_is_sound();
}

#[test]
fn output_without_end_needs_no_memory() {
    let command = "{ yes 0123456789012345678901234567890 || true; } | head -c 200000000";
    let practice = Practice::new(&plan(&[("A", command.to_owned(), "")]));
    let mut child = practice.start(&RUN);
    let own = i32::try_from(child.id()).unwrap();
    let (mut most, mut looked) = (0, 0);
    let status = loop {
        for pid in [Some(own), practice.supervisor()].into_iter().flatten() {
            if let Some(peak) = peak_kib(pid) {
                most = peak.max(most);
                looked += 1;
            }
        }
        if let Some(status) = child.try_wait().unwrap() {
            break status;
        }
        std::thread::sleep(Duration::from_millis(20));
    };
    assert!(status.success(), "{}", practice.said());
    assert!(
        looked > 2 && most < 80 * 1024,
        "{most} KiB at the most, seen {looked} times"
    );
    practice.settles();
}

/// The highest resident set of a process so far; the kernel keeps it.
fn peak_kib(pid: i32) -> Option<u64> {
    let text = fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
    let line = text.lines().find(|line| line.starts_with("VmHWM:"))?;
    line.split_whitespace().nth(1)?.parse().ok()
}
