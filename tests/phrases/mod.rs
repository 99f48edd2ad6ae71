//! Phrases as people write them, each with what is understood: durations, windows, limits, ranges, conditions.
//!
//! A line of a list is `phrase := meaning`; a meaning that begins with `?` says why the phrase is not understood. With
//! `UPDATE_PHRASES=1` the lists are written anew, to be read and judged before they are committed.

use std::fs;
use std::path::Path;

use orchestrate::base::quantity::{HumanDuration, NotUnderstood, Range, Threshold, Window};
use orchestrate::plan::condition::{BlockEvidence, Index, Understanding, doubt, understand};

/// A list holds at least so many phrases.
const LEAST: usize = 150;

fn judge(kind: &str, meaning: impl Fn(&str) -> String) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("tests/phrases/{kind}.txt"));
    let list = fs::read_to_string(&path).expect("the list is beside the tests");
    let mut found = String::new();
    for line in list.lines() {
        let phrase = line.split_once(" := ").map_or(line, |(phrase, _)| phrase);
        found.push_str(&format!("{phrase} := {}\n", meaning(phrase)));
    }
    let phrases = list.lines().count();
    assert!(phrases >= LEAST, "{kind}: only {phrases} phrases");
    let refused = found.lines().filter(|line| line.contains(" := ?")).count();
    assert!(
        refused >= 20 && phrases - refused >= 80,
        "{kind}: {refused} of {phrases} phrases are not understood"
    );
    if std::env::var_os("UPDATE_PHRASES").is_some() {
        fs::write(&path, &found).expect("the list can be written");
    }
    for (was, is) in list.lines().zip(found.lines()) {
        if std::env::var_os("UPDATE_PHRASES").is_none() {
            assert_eq!(was, is, "{kind}");
        }
    }
}

/// What is understood in its short form, or why nothing is; a reason always comes with what would be understood.
fn said<T: std::fmt::Display>(read: Result<T, NotUnderstood>) -> String {
    match read {
        Ok(meaning) => meaning.to_string(),
        Err(error) => {
            assert!(
                !error.because.is_empty() && error.examples.len() >= 2,
                "{error}"
            );
            format!("? {}", error.because)
        }
    }
}

#[test]
fn durations() {
    judge("durations", |text| said(HumanDuration::parse(text)));
}

#[test]
fn windows() {
    judge("windows", |text| said(Window::parse(text)));
}

#[test]
fn limits() {
    judge("limits", |text| said(Threshold::parse(text)));
}

#[test]
fn ranges() {
    judge("ranges", |text| said(Range::parse(text)));
}

#[test]
fn conditions() {
    let mut index = Index::default();
    index.add_metric(Some("error_rate"), "Error Rate", Some("%"));
    index.add_metric(None, "p99 latency", Some("ms"));
    index.add_metric(None, "Queue depth", None);
    index.add_metric(None, "Free disk", Some("GB"));
    judge("conditions", |text| {
        match understand(text, &BlockEvidence::default(), &index) {
            Understanding::Condition(condition) => condition.to_string(),
            other => match doubt(text, &index) {
                // What a reviewer is told (OR0210).
                Some(doubt) => format!("? {doubt:?}"),
                None => format!("? prose: {other:?}"),
            },
        }
    });
}
