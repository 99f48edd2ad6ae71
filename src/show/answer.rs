//! What to type: the exact command that answers what waits, and the one command to type next.

use super::text::quote;
use crate::base::id::RunId;
use crate::run::engine::{Ask, RunState, Standing, State, Waiting};
use crate::run::journal::StateDir;

/// What a command needs besides its words, so that it works where it is typed: the state folder, unless the current
/// folder leads to it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Address {
    suffix: String,
}

impl Address {
    /// The state folder, and whether commands typed in the current folder find it by themselves.
    #[must_use]
    pub fn new(state_dir: &StateDir, found: bool) -> Self {
        let path = state_dir.path().to_string_lossy();
        let suffix = if found {
            String::new()
        } else {
            format!(" --state-dir {}", quote(&path))
        };
        Self { suffix }
    }

    /// A command that works where it is typed.
    #[must_use]
    pub fn command(&self, words: &str) -> String {
        format!("{words}{}", self.suffix)
    }
}

/// One more way to answer, and what it means.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Choice {
    /// The exact command.
    pub command: String,
    /// What it says, as a clause: "it is not so".
    pub means: String,
}

fn resolve(address: &Address, run: &RunId, item: &str, how: &str, reason: bool) -> String {
    let reason = if reason {
        r#" --reason "<reason>""#
    } else {
        ""
    };
    address.command(&format!(
        "orchestrate resolve {} {} --as {how}{reason}",
        quote(run.as_str()),
        quote(item)
    ))
}

fn say(address: &Address, run: &RunId, verb: &str, item: &str, rest: &str) -> String {
    address.command(&format!(
        "orchestrate {verb} {} {} --as \"<name>\"{rest}",
        quote(run.as_str()),
        quote(item)
    ))
}

/// The command that answers `wait`: complete but for `<name>` (the person's) and `<reason>` (where one is needed). Where
/// several answers are possible it is the one that goes on; [`other_answers`] has the rest.
#[must_use]
pub fn answer_command(run: &RunId, wait: &Waiting, address: &Address) -> String {
    match &wait.ask {
        Ask::Attest(..) | Ask::UndoByHand(..) => say(address, run, "attest", &wait.item, ""),
        Ask::Approve => say(address, run, "approve", &wait.item, ""),
        Ask::Recheck { .. } | Ask::DecideGate { .. } => {
            resolve(address, run, &wait.item, "retry", false)
        }
        Ask::ResolveStep { .. } | Ask::ResolveUndo(_) => {
            resolve(address, run, &wait.item, "retry", true)
        }
        Ask::Reevaluate | Ask::Window => resume(address, run, ""),
    }
}

/// The other answers, each with what it means.
#[must_use]
pub fn other_answers(run: &RunId, wait: &Waiting, address: &Address) -> Vec<Choice> {
    let reject = r#" --reject --reason "<reason>""#;
    let choice = |command: String, means: &str| Choice {
        command,
        means: means.to_owned(),
    };
    let settle = |how: &str, means: &str| {
        choice(
            resolve(address, run, &wait.item, how, how != "rollback"),
            means,
        )
    };
    match &wait.ask {
        Ask::Attest(..) => vec![choice(
            say(address, run, "attest", &wait.item, reject),
            "it is not so",
        )],
        Ask::UndoByHand(..) => vec![choice(
            say(address, run, "attest", &wait.item, reject),
            "it could not be done",
        )],
        Ask::Approve => vec![choice(
            say(address, run, "approve", &wait.item, reject),
            "it is refused",
        )],
        Ask::DecideGate { refused: true } => vec![settle("rollback", "undo the phase")],
        Ask::DecideGate { refused: false } => vec![
            settle("rollback", "undo the phase"),
            settle("proceed", "open it although a criterion failed"),
        ],
        Ask::ResolveStep { .. } => vec![
            settle("done", "its effect happened: go on with its validation"),
            settle(
                "undone",
                "its effect did not happen, or was removed by hand",
            ),
        ],
        Ask::ResolveUndo(_) => vec![
            settle("undone", "it was undone by hand"),
            settle("done", "leave its effect as it is and stop"),
            settle("abandon", "give the run up"),
        ],
        Ask::Window => vec![choice(
            resume(address, run, r#" --override-window "<reason>""#),
            "go ahead now, outside the window",
        )],
        Ask::Recheck { .. } | Ask::Reevaluate => Vec::new(),
    }
}

fn resume(address: &Address, run: &RunId, rest: &str) -> String {
    address.command(&format!("orchestrate resume {}{rest}", quote(run.as_str())))
}

/// The one command to type next: the first answer where something waits, `resume` where the run is saved and can go on,
/// none where it is over.
#[must_use]
pub fn next_command(
    run: &RunId,
    standing: &Standing,
    state: &State,
    address: &Address,
) -> Option<String> {
    if state.is_final() {
        return None;
    }
    if standing.state == RunState::Drifted {
        return Some(resume(address, run, r#" --accept-drift "<reason>""#));
    }
    // What a person must settle comes before what can wait.
    let first = standing
        .waiting
        .iter()
        .find(|w| w.ask.is_uncertain())
        .or_else(|| standing.waiting.first());
    Some(first.map_or_else(
        || resume(address, run, ""),
        |wait| answer_command(run, wait, address),
    ))
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]
    use super::*;
    use crate::base::id::StepId;
    use crate::plan::program::{BlockId, UndoUnit};

    #[test]
    fn every_question_has_its_exact_command() {
        let run = RunId::parse("0123456789ab-1").unwrap();
        let step = StepId::parse("STEP-1").unwrap();
        let table = [
            (
                "PHASE-1.start_condition.0",
                Ask::Attest(BlockId::Prerequisites, 0),
            ),
            (
                "STEP-1.rollback_steps.1",
                Ask::UndoByHand(BlockId::UndoPerson(UndoUnit::Step(step.clone())), 0),
            ),
            ("GATE-1", Ask::Approve),
            ("GATE ä's", Ask::Approve),
            ("GATE-1.criteria.0", Ask::Recheck { uncertain: false }),
            ("GATE-1", Ask::Reevaluate),
            ("GATE-1", Ask::DecideGate { refused: false }),
            ("STEP-1", Ask::ResolveStep { unknown: true }),
            ("STEP-1", Ask::ResolveUndo(UndoUnit::Step(step))),
            ("window", Ask::Window),
        ];
        let mut drawn = String::new();
        for (item, ask) in table {
            let wait = Waiting {
                item: item.to_owned(),
                ask,
                what: "x".to_owned(),
                who: Vec::new(),
                since: jiff::Timestamp::UNIX_EPOCH,
                until: None,
            };
            drawn.push_str(&answer_command(&run, &wait, &Address::default()));
            drawn.push('\n');
            for other in other_answers(&run, &wait, &Address::default()) {
                drawn.push_str(&format!("    {}  # {}\n", other.command, other.means));
            }
        }
        insta::assert_snapshot!(drawn);
    }
}
