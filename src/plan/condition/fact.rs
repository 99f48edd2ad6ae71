//! Facts about the run: "STEP-3-1 successful", "Phase 1 validation gate passed".

use std::fmt;

use serde::{Deserialize, Serialize};

use super::index::loose;
use super::{Doubt, Index};

/// Something that the run itself knows, by the ids of the plan.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(tag = "fact", content = "id", rename_all = "snake_case")]
pub enum Fact {
    /// The step of this id succeeded.
    StepSucceeded(String),
    /// Every step of the phase of this id succeeded, and its gate, if it has one, passed.
    PhaseSucceeded(String),
    /// The gate at the end of the phase of this id passed.
    PhaseGatePassed(String),
    /// The gate of this id passed.
    GatePassed(String),
    /// Every gate of the plan passed.
    AllGatesPassed,
    /// Every step of the plan succeeded.
    AllStepsSucceeded,
    /// Every phase of the plan succeeded.
    AllPhasesSucceeded,
}

impl fmt::Display for Fact {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::StepSucceeded(id) => write!(out, "step {id} succeeded"),
            Self::PhaseSucceeded(id) => write!(out, "phase {id} succeeded"),
            Self::PhaseGatePassed(id) => write!(out, "the gate of phase {id} passed"),
            Self::GatePassed(id) => write!(out, "gate {id} passed"),
            Self::AllGatesPassed => out.write_str("all gates passed"),
            Self::AllStepsSucceeded => out.write_str("all steps succeeded"),
            Self::AllPhasesSucceeded => out.write_str("all phases succeeded"),
        }
    }
}

pub(super) enum Reading {
    Fact(Fact),
    Doubt(Doubt),
    Prose,
}

/// The words that make a name a fact (SPEC section 2).
const VERBS: &[&str] = &["successful", "succeeded", "passed", "completed", "verified"];

/// Takes a word off the end, with what separates it from the rest. The rest is never empty.
fn without_last<'t>(text: &'t str, word: &str) -> Option<&'t str> {
    let cut = text.len().checked_sub(word.len())?;
    let (rest, last) = text.split_at_checked(cut)?;
    if !last.eq_ignore_ascii_case(word) {
        return None;
    }
    let trimmed = rest.trim_end_matches(|c: char| c.is_whitespace() || matches!(c, '_' | '-'));
    (trimmed.len() < rest.len() && !trimmed.is_empty()).then_some(trimmed)
}

pub(super) fn read(text: &str, index: &Index) -> Reading {
    let text = text.trim().trim_end_matches('.');
    let Some(subject) = VERBS.iter().find_map(|verb| without_last(text, verb)) else {
        return Reading::Prose;
    };
    match loose(subject).as_str() {
        "allvalidationgates" | "allgates" => return Reading::Fact(Fact::AllGatesPassed),
        "allsteps" => return Reading::Fact(Fact::AllStepsSucceeded),
        "allphases" => return Reading::Fact(Fact::AllPhasesSucceeded),
        _ => {}
    }
    match index.facts(subject) {
        [fact] => return Reading::Fact(fact.clone()),
        [] => {}
        several => return ambiguous(subject, several.to_vec()),
    }
    if let Some(owner) = without_last(subject, "gate") {
        let bare = without_last(owner, "validation").unwrap_or(owner);
        let named = if index.phases(owner).is_empty() {
            bare
        } else {
            owner
        };
        match index.phases(named) {
            [phase] if index.has_gate(phase) => {
                return Reading::Fact(Fact::PhaseGatePassed(phase.clone()));
            }
            [phase] => {
                return Reading::Doubt(Doubt::NoGate {
                    phase: phase.clone(),
                });
            }
            [] => {}
            several => {
                let candidates = several.iter().cloned().map(Fact::PhaseGatePassed);
                return ambiguous(subject, candidates.collect());
            }
        }
    }
    if is_shaped_like_reference(subject) {
        return Reading::Doubt(Doubt::UnknownReference {
            name: subject.to_owned(),
        });
    }
    Reading::Prose
}

fn ambiguous(name: &str, candidates: Vec<Fact>) -> Reading {
    Reading::Doubt(Doubt::AmbiguousName {
        name: name.to_owned(),
        candidates,
    })
}

/// "STEP-9-9", "Phase 7", "gate_2 validation": a kind and a number. A slip in one would turn a fact into prose that
/// something else covers, so it is worth a word.
fn is_shaped_like_reference(name: &str) -> bool {
    let name = loose(name);
    ["step", "phase", "gate"].iter().any(|kind| {
        name.strip_prefix(kind)
            .is_some_and(|rest| rest.starts_with(|c: char| c.is_ascii_digit()))
    })
}
