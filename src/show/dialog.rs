//! Questions on a terminal as a pure state machine: it says what to print, and what a typed line means.
//!
//! It reads and prints nothing. Whoever drives it calls [`Dialog::question`] whenever what the run waits for has changed
//! (also after an answer was given or refused), and [`Dialog::line`] with every line that was typed.

use super::text::{instant, visible};
use super::words;
use crate::run::engine::{Answer, Ask, Resolution, Waiting};

/// What a typed line means.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Step {
    /// An answer is complete: hand it to the run.
    Answer {
        /// What is answered.
        item: String,
        /// How.
        answer: Answer,
        /// Who answers.
        name: String,
        /// Why, where one was given.
        reason: Option<String>,
    },
    /// Go ahead outside the window.
    OverrideWindow {
        /// Who.
        name: String,
        /// Why.
        reason: String,
    },
    /// More is needed: print this and read another line.
    AskNext(String),
    /// Save the run and leave it.
    Leave,
    /// Not understood, or nothing is asked: print this.
    Again(String),
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Stage {
    Key,
    Name(Meaning),
    Reason(Meaning, String),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Meaning {
    Answer(Answer),
    Override,
}

impl Meaning {
    /// Whether a reason must be given; `None`: it is not asked for.
    fn reason(self, ask: &Ask) -> Option<bool> {
        match self {
            Self::Override => Some(true),
            Self::Answer(Answer::Reject) => Some(false),
            Self::Answer(Answer::Resolve(Resolution::Retry))
                if matches!(ask, Ask::Recheck { .. } | Ask::DecideGate { .. }) =>
            {
                None
            }
            Self::Answer(Answer::Resolve(Resolution::Rollback)) => Some(false),
            Self::Answer(Answer::Resolve(_)) => Some(true),
            Self::Answer(Answer::Approve | Answer::Attest) => None,
        }
    }
}

/// A key, what it means, and how it reads.
type Key = (&'static str, Meaning, &'static str);

/// A conversation with the person at the terminal.
#[derive(Debug)]
pub struct Dialog {
    user: String,
    asked: Option<Waiting>,
    stage: Stage,
}

impl Dialog {
    /// `user` is the name that an empty line stands for.
    #[must_use]
    pub fn new(user: impl Into<String>) -> Self {
        Self {
            user: user.into(),
            asked: None,
            stage: Stage::Key,
        }
    }

    /// The item that is asked about.
    #[must_use]
    pub fn item(&self) -> Option<&str> {
        self.asked.as_ref().map(|w| w.item.as_str())
    }

    /// What to print now that the run waits for this: a question, or none where the one that was asked still stands or
    /// nothing waits. When the item that was asked about no longer waits, it moves on and says so.
    pub fn question(&mut self, waiting: &[Waiting]) -> Option<String> {
        let mut moved = String::new();
        if let Some(asked) = &self.asked {
            let same = waiting
                .iter()
                .any(|w| w.item == asked.item && w.ask == asked.ask && w.what == asked.what);
            if same {
                return None;
            }
            let still = waiting
                .iter()
                .find(|w| w.item == asked.item && w.ask == asked.ask);
            if let (Some(still), Stage::Name(_) | Stage::Reason(..)) = (still, &self.stage) {
                // Someone else answered a part of it; what is being typed still counts.
                self.asked = Some(still.clone());
                return None;
            }
            if still.is_none() {
                moved = format!("{} was answered elsewhere.\n", visible(&asked.item));
            }
            self.asked = None;
            self.stage = Stage::Key;
        }
        // What can be answered here comes before what can only be waited for.
        let Some(next) = waiting
            .iter()
            .find(|w| !keys(w).is_empty() && w.ask != Ask::Window)
            .or_else(|| waiting.first())
        else {
            return (!moved.is_empty()).then_some(moved);
        };
        self.asked = Some(next.clone());
        self.stage = Stage::Key;
        let mut text = moved;
        text.push_str(&visible(&next.what));
        text.push('\n');
        text.push_str(&format!(
            "  who can answer: {}",
            visible(&words::who(&next.who))
        ));
        if let Some(until) = next.until {
            text.push_str(&format!("; by itself at {}", instant(until)));
        }
        if waiting.len() > 1 {
            text.push_str(&format!("; {} more to answer after it", waiting.len() - 1));
        }
        text.push('\n');
        text.push_str(&format!("  {}", options(next)));
        Some(text)
    }

    /// What a typed line means.
    pub fn line(&mut self, line: &str) -> Step {
        let text = line.trim();
        let Some(wait) = self.asked.clone() else {
            return match text.to_lowercase().as_str() {
                "s" => Step::Leave,
                _ => Step::Again("nothing is asked now; [s] save and leave".to_owned()),
            };
        };
        match self.stage.clone() {
            Stage::Key => self.key(&wait, text),
            Stage::Name(meaning) => self.name(&wait, meaning, text),
            Stage::Reason(meaning, name) => {
                let needed = meaning.reason(&wait.ask).unwrap_or(false);
                if text.is_empty() && needed {
                    return Step::Again("a reason is needed; it is kept in the journal".to_owned());
                }
                let reason = (!text.is_empty()).then(|| text.to_owned());
                self.complete(&wait, meaning, name, reason)
            }
        }
    }

    fn key(&mut self, wait: &Waiting, text: &str) -> Step {
        let typed = text.to_lowercase();
        if matches!(typed.as_str(), "s" | "save" | "leave" | "q" | "quit") {
            return Step::Leave;
        }
        let all = keys(wait);
        let hit = all.iter().find(|(key, meaning, _)| {
            typed == *key
                || (*key == "y" && typed == "yes")
                || (*key == "n" && typed == "no")
                || matches!(meaning, Meaning::Answer(Answer::Resolve(how)) if typed == how.to_string())
        });
        let Some(&(_, meaning, _)) = hit else {
            return Step::Again(format!("not understood; {}", options(wait)));
        };
        if matches!(
            wait.ask,
            Ask::Attest(..) | Ask::UndoByHand(..) | Ask::Approve
        ) {
            self.stage = Stage::Name(meaning);
            return Step::AskNext(self.ask_name(wait));
        }
        let name = self.user.clone();
        self.after_name(wait, meaning, name)
    }

    /// The name that an empty line stands for: the user's, where the user may answer; the only one, where there is one.
    fn default_name(&self, wait: &Waiting) -> Option<String> {
        if wait.ask != Ask::Approve || wait.who.is_empty() {
            return Some(self.user.clone());
        }
        wait.who.iter().find(|w| same(w, &self.user)).cloned()
    }

    fn ask_name(&self, wait: &Waiting) -> String {
        let default = self
            .default_name(wait)
            .map_or_else(String::new, |name| format!(" [{}]", visible(&name)));
        if wait.ask == Ask::Approve && !wait.who.is_empty() {
            let list: Vec<String> = wait
                .who
                .iter()
                .enumerate()
                .map(|(i, name)| format!("{} {}", i + 1, visible(name)))
                .collect();
            format!("who answers? {}{default}", list.join(", "))
        } else {
            format!("your name?{default}")
        }
    }

    fn name(&mut self, wait: &Waiting, meaning: Meaning, text: &str) -> Step {
        let name = if text.is_empty() {
            self.default_name(wait)
        } else if wait.ask == Ask::Approve && !wait.who.is_empty() {
            text.parse::<usize>()
                .ok()
                .and_then(|n| wait.who.get(n.checked_sub(1)?))
                .or_else(|| wait.who.iter().find(|w| same(w, text)))
                .cloned()
        } else {
            Some(text.to_owned())
        };
        match name {
            Some(name) => self.after_name(wait, meaning, name),
            None => Step::Again(format!(
                "only these can answer; {} (type a number or a name)",
                self.ask_name(wait)
            )),
        }
    }

    fn after_name(&mut self, wait: &Waiting, meaning: Meaning, name: String) -> Step {
        match meaning.reason(&wait.ask) {
            None => self.complete(wait, meaning, name, None),
            Some(needed) => {
                self.stage = Stage::Reason(meaning, name);
                Step::AskNext(if needed {
                    "why? (kept in the journal)".to_owned()
                } else {
                    "why? (an empty line gives no reason)".to_owned()
                })
            }
        }
    }

    fn complete(
        &mut self,
        wait: &Waiting,
        meaning: Meaning,
        name: String,
        reason: Option<String>,
    ) -> Step {
        self.asked = None;
        self.stage = Stage::Key;
        match meaning {
            Meaning::Answer(answer) => Step::Answer {
                item: wait.item.clone(),
                answer,
                name,
                reason,
            },
            Meaning::Override => Step::OverrideWindow {
                name,
                reason: reason.unwrap_or_default(),
            },
        }
    }
}

fn same(a: &str, b: &str) -> bool {
    a.trim().to_lowercase() == b.trim().to_lowercase()
}

/// What can be typed for this question, apart from leaving.
fn keys(wait: &Waiting) -> Vec<Key> {
    let resolve = |how| Meaning::Answer(Answer::Resolve(how));
    match &wait.ask {
        Ask::Attest(..) => vec![
            ("y", Meaning::Answer(Answer::Attest), "it is so"),
            ("n", Meaning::Answer(Answer::Reject), "it is not"),
        ],
        Ask::UndoByHand(..) => vec![
            ("y", Meaning::Answer(Answer::Attest), "it is done"),
            ("n", Meaning::Answer(Answer::Reject), "it cannot be done"),
        ],
        Ask::Approve => vec![
            ("y", Meaning::Answer(Answer::Approve), "approve"),
            ("n", Meaning::Answer(Answer::Reject), "refuse"),
        ],
        Ask::Recheck { .. } => vec![("r", resolve(Resolution::Retry), "measure it again")],
        Ask::DecideGate { refused } => [
            (
                "r",
                resolve(Resolution::Retry),
                "retry: measure and ask again",
            ),
            (
                "b",
                resolve(Resolution::Rollback),
                "rollback: undo the phase",
            ),
            (
                "p",
                resolve(Resolution::Proceed),
                "proceed although a criterion failed",
            ),
        ]
        .into_iter()
        .take(if *refused { 2 } else { 3 })
        .collect(),
        Ask::ResolveStep { .. } => vec![
            ("r", resolve(Resolution::Retry), "retry: run it again"),
            ("d", resolve(Resolution::Done), "done: its effect happened"),
            ("u", resolve(Resolution::Undone), "undone: it has no effect"),
        ],
        Ask::ResolveUndo(_) => vec![
            ("r", resolve(Resolution::Retry), "retry the undo"),
            (
                "u",
                resolve(Resolution::Undone),
                "undone: it was undone by hand",
            ),
            (
                "d",
                resolve(Resolution::Done),
                "done: leave its effect and stop",
            ),
            ("a", resolve(Resolution::Abandon), "abandon the run"),
        ],
        Ask::Window => vec![("o", Meaning::Override, "override: go ahead now")],
        Ask::Reevaluate => Vec::new(),
    }
}

fn options(wait: &Waiting) -> String {
    let mut all: Vec<String> = keys(wait)
        .iter()
        .map(|(key, _, text)| format!("[{key}] {text}"))
        .collect();
    all.push("[s] save and leave".to_owned());
    all.join("  ")
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]
    use super::*;
    use crate::base::id::StepId;
    use crate::plan::program::{BlockId, UndoUnit};

    fn wait(item: &str, ask: Ask, who: &[&str]) -> Waiting {
        Waiting {
            item: item.to_owned(),
            ask,
            what: format!("about {item}"),
            who: who.iter().map(|w| (*w).to_owned()).collect(),
            since: jiff::Timestamp::UNIX_EPOCH,
            until: None,
        }
    }

    /// Types lines at a question and keeps what each means.
    fn talk(waiting: &[Waiting], lines: &[&str]) -> String {
        let mut dialog = Dialog::new("ana");
        let mut said = dialog.question(waiting).unwrap();
        for line in lines {
            said.push_str(&format!("\n> {line}\n"));
            said.push_str(&match dialog.line(line) {
                Step::AskNext(text) | Step::Again(text) => text,
                other => format!("{other:?}"),
            });
        }
        said
    }

    #[test]
    fn each_question_and_its_answers() {
        let unit = UndoUnit::Step(StepId::parse("STEP-1").unwrap());
        let block = BlockId::Prerequisites;
        let table: Vec<(Waiting, Vec<&str>)> = vec![
            (
                wait("A.0", Ask::Attest(block.clone(), 0), &["DBA"]),
                vec!["maybe", "y", ""],
            ),
            (
                wait("A.0", Ask::Attest(block.clone(), 0), &[]),
                vec!["no", "Bea", "it is red"],
            ),
            (
                wait("GATE-1", Ask::Approve, &["CTO", "Lead"]),
                vec!["y", "", "Eve", "lead"],
            ),
            (
                wait("GATE-1", Ask::Approve, &["CTO", "Ana"]),
                vec!["n", "", ""],
            ),
            (
                wait("GATE-1", Ask::Approve, &["CTO", "Ana"]),
                vec!["y", "1"],
            ),
            (
                wait("S.rollback_steps.0", Ask::UndoByHand(block, 0), &[]),
                vec!["y", ""],
            ),
            (
                wait("C.0", Ask::Recheck { uncertain: false }, &[]),
                vec!["r"],
            ),
            (
                wait("GATE-1", Ask::DecideGate { refused: false }, &[]),
                vec!["p", "", "known issue"],
            ),
            (
                wait("GATE-1", Ask::DecideGate { refused: false }, &[]),
                vec!["retry"],
            ),
            (
                wait("STEP-1", Ask::ResolveStep { unknown: true }, &[]),
                vec!["done", "I looked"],
            ),
            (
                wait("STEP-1", Ask::ResolveUndo(unit), &[]),
                vec!["a", "too late"],
            ),
            (
                wait("window", Ask::Window, &[]),
                vec!["o", "", "agreed with CAB"],
            ),
            (wait("GATE-1", Ask::Reevaluate, &[]), vec!["y", "s"]),
        ];
        let talks: Vec<String> = table
            .into_iter()
            .map(|(wait, lines)| talk(&[wait], &lines))
            .collect();
        insta::assert_snapshot!(talks.join("\n\n"));
    }

    #[test]
    fn what_is_answered_elsewhere_is_no_longer_asked() {
        let mut dialog = Dialog::new("ana");
        let first = wait("GATE-1", Ask::Approve, &["CTO"]);
        let second = wait("GATE-2", Ask::Approve, &["CTO"]);
        let both = [first, second.clone()];
        assert!(dialog.question(&both).is_some());
        assert_eq!(dialog.question(&both), None);
        assert!(matches!(dialog.line("y"), Step::AskNext(_)));
        let moved = dialog.question(&[second]).unwrap();
        assert!(
            moved.starts_with("GATE-1 was answered elsewhere"),
            "{moved}"
        );
        assert_eq!(dialog.item(), Some("GATE-2"));
        let moved = dialog.question(&[]).unwrap();
        assert_eq!(moved, "GATE-2 was answered elsewhere.\n");
        assert_eq!(dialog.question(&[]), None);
        assert!(matches!(dialog.line("y"), Step::Again(_)));
        assert_eq!(dialog.line("s"), Step::Leave);
    }

    #[test]
    fn half_an_answer_survives_another_approval() {
        let mut dialog = Dialog::new("ana");
        let mut only = wait("GATE-1", Ask::Approve, &["CTO", "Lead"]);
        dialog.question(&[only.clone()]);
        dialog.line("y");
        only.what = "one of two given".to_owned();
        only.who = vec!["Lead".to_owned()];
        assert_eq!(dialog.question(&[only]), None);
        assert!(matches!(dialog.line("Lead"), Step::Answer { name, .. } if name == "Lead"));
    }

    #[test]
    fn an_answer_that_was_refused_is_asked_again() {
        let mut dialog = Dialog::new("ana");
        let only = [wait("A.0", Ask::Attest(BlockId::Prerequisites, 0), &[])];
        dialog.question(&only);
        dialog.line("y");
        assert!(matches!(dialog.line(""), Step::Answer { .. }));
        assert!(dialog.question(&only).is_some());
    }
}
