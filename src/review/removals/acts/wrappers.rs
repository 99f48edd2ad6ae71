//! Commands that run another text: a sourced file, an interpreter with a script, a script by its path.

use std::ops::Range;
use std::rc::Rc;
use std::sync::Arc;

use super::super::scripts::{Answer, Caller, Question, Unread};
use super::call::Call;
use super::{NEEDED, Outcome, Reader, is_shell};

/// A script that another text calls, as a process of its own.
struct Called<'r> {
    by: &'r Reader<'r>,
    args: Vec<Rc<str>>,
}

impl Caller for Called<'_> {
    fn answer(&self, question: &Question) -> Answer {
        match question {
            // What is not exported is not seen there: neither is believed.
            Question::Variable(name) if self.by.values.contains_key(name) => Answer::Unknown,
            Question::Argument(at) => at
                .checked_sub(1)
                .and_then(|at| self.args.get(at))
                .map_or(Answer::Nothing, |arg| Answer::Text(arg.clone())),
            _ => self.by.asked_from_below(question),
        }
    }
}

/// A script that another text sources: it has all that is set there.
struct Sourced<'r>(&'r Reader<'r>);

impl Caller for Sourced<'_> {
    fn answer(&self, question: &Question) -> Answer {
        match question {
            Question::Variable(name) => match self.0.values.get(name) {
                Some(known) => known.clone().map_or(Answer::Unknown, Answer::Text),
                None => self.0.ask(question.clone()),
            },
            Question::Argument(_) if !self.0.positions => Answer::Nothing,
            _ => self.0.asked_from_below(question),
        }
    }
}

impl Reader<'_> {
    fn asked_from_below(&self, question: &Question) -> Answer {
        match question {
            Question::AnySet if self.sourced => Answer::Unknown,
            Question::Follow(path, _) if self.path.as_ref() == Some(path) => Answer::Running,
            Question::Follow(path, deep) => self.ask(Question::Follow(path.clone(), deep + 1)),
            _ => self.ask(question.clone()),
        }
    }

    /// What a script does for a caller; none where it is not to be followed.
    fn follow(
        &self,
        (path, text): (Rc<str>, Arc<str>),
        caller: &dyn Caller,
    ) -> Option<Rc<Outcome>> {
        // As if it asked itself: whether it may run below this text.
        match self.asked_from_below(&Question::Follow(path.clone(), 0)) {
            Answer::Running => {
                self.scripts.leave_out(Unread::Again(path));
                return None;
            }
            Answer::TooDeep => {
                self.scripts.leave_out(Unread::TooDeep(path));
                return None;
            }
            _ => {}
        }
        let outcome = self.scripts.outcome(&path, &text, caller)?;
        // What a script takes over from another is kept with it.
        if self.path.is_some() && !self.scripts.may_keep(&path, outcome.seen.len()) {
            return None;
        }
        self.scripts
            .may_act(&path, outcome.seen.len() + outcome.values.len())
            .then_some(outcome)
    }

    fn take(&mut self, outcome: &Outcome, range: &Range<usize>) {
        for &(deed, key) in &outcome.seen {
            self.push(deed, key, range);
        }
    }

    /// A sourced file runs here: what it sets is set.
    pub(super) fn source(&mut self, call: &Call<'_>) {
        let file = call.words.get(1).and_then(|(word, _)| word.clone());
        if let Some(file) = &file {
            self.file(NEEDED, Some(file), &call.words[1].1);
        }
        let outcome = file
            .filter(|_| !self.moved && call.certain)
            .and_then(|file| self.scripts.script(&file))
            .and_then(|script| self.follow(script, &Sourced(self)));
        match outcome {
            Some(outcome) => {
                self.take(&outcome, &call.range);
                let values = outcome.values.iter();
                self.values
                    .extend(values.map(|(name, value)| (name.clone(), value.clone())));
                self.positions &= outcome.positions;
                self.sourced |= outcome.sourced;
                self.moved |= outcome.moved;
            }
            None => {
                self.sourced = true;
                self.anything(&call.range);
            }
        }
    }

    pub(super) fn interpreter(&mut self, program: &str, call: &Call<'_>) {
        let at = call
            .words
            .iter()
            .skip(1)
            .position(|(word, _)| !word.as_deref().is_some_and(|word| word.starts_with('-')));
        let has_text = call.has(&["-c", "-ec", "-m"]) || call.letter('c');
        let Some(at) = at.filter(|_| !has_text) else {
            self.touched(&call.words[1..]);
            self.anything(&call.range);
            return;
        };
        let (file, range) = call.words[at + 1].clone();
        self.file(NEEDED, file.as_deref(), &range);
        let args: Vec<Option<String>> = call.words[at + 2..]
            .iter()
            .map(|(word, _)| word.clone())
            .collect();
        match file {
            Some(file) if !program.starts_with("python") => self.script(&file, args, call),
            _ => {
                self.touched(&call.words[at + 2..]);
                self.anything(&call.range);
            }
        }
    }

    /// A script is read with its arguments, if it is a shell's.
    pub(super) fn script(&mut self, file: &str, args: Vec<Option<String>>, call: &Call<'_>) {
        let called = Called {
            by: self,
            args: args
                .into_iter()
                .map_while(|arg| arg.map(Rc::from))
                .collect(),
        };
        let script = match self.moved {
            true => None,
            false => self.scripts.script(file),
        };
        let outcome = script
            .filter(|(_, text)| is_shell(file, text))
            .and_then(|script| self.follow(script, &called));
        match outcome {
            Some(outcome) => self.take(&outcome, &call.range),
            None => {
                self.touched(&call.words[1..]);
                self.anything(&call.range);
            }
        }
    }
}
