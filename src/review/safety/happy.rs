//! The one path on which everything goes well: does it lead to the end?

use jiff::Timestamp;

use super::model;
use super::walk::{Broken, Place};
use crate::base::id::ItemId;
use crate::plan::condition::{Judgement, judge};
use crate::plan::program::{BlockId, How, Program};
use crate::run::engine::{
    Action, Answer, Ask, Event, Input, Life, Outcome, Proof, Stage, State, Verdict, facts,
    judge_fact, next,
};

/// Plans of more steps are not played with their facts: each record costs as much as there are steps.
pub(super) const MOST: usize = 100;

/// Why everything may go well and the run still does not complete.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Halfway {
    /// The fact that is not so when it is asked for.
    pub(super) fact: Option<(ItemId, BlockId, String)>,
    /// What the run says.
    pub(super) why: String,
    /// What went before, for people.
    pub(super) story: Vec<String>,
}

/// Plays a program; nothing, when it completes.
pub(super) fn play(program: &Program) -> Option<Halfway> {
    let program = model::with_facts(program);
    Play {
        place: Place::start(&program).ok()?,
        program: &program,
        untrue: None,
        story: Vec::new(),
    }
    .play()
    .ok()
    .flatten()
}

struct Play<'a> {
    program: &'a Program,
    place: Place,
    untrue: Option<(ItemId, BlockId, String)>,
    story: Vec<String>,
}

impl Play<'_> {
    fn play(mut self) -> Result<Option<Halfway>, Broken> {
        let mut done = 0;
        loop {
            if self.go_on()? {
                continue;
            }
            if self.place.state.life == Life::Completed {
                return Ok(None);
            }
            // What ran beside it may have made a fact true: `resume` asks again.
            let succeeded = self.succeeded();
            let why = self.why();
            if succeeded <= done || !matches!(self.place.state.life, Life::Stopped(_)) {
                return Ok(Some(Halfway {
                    fact: self.untrue,
                    why,
                    story: self.story,
                }));
            }
            done = succeeded;
            let by = super::walk::person("operator");
            let attach = Input::Attach {
                by,
                pid: 1,
                jobs: usize::MAX,
            };
            self.place.input(self.program, attach)?;
        }
    }

    fn succeeded(&self) -> usize {
        let steps = self.place.state.steps.iter();
        steps.filter(|s| s.stage == Stage::Succeeded).count()
    }

    fn why(&self) -> String {
        let waits = next(self.program, &self.place.state, Timestamp::UNIX_EPOCH)
            .into_iter()
            .find_map(|action| match action {
                Action::Wait(wait) => Some(wait.what),
                _ => None,
            });
        match (&self.place.state.life, waits) {
            (Life::Stopped(why), _) => why.clone(),
            (_, Some(what)) => what,
            _ => "it stands still".to_owned(),
        }
    }

    /// One move; false at rest.
    fn go_on(&mut self) -> Result<bool, Broken> {
        let program = self.program;
        let actions = next(program, &self.place.state, Timestamp::UNIX_EPOCH);
        let due = actions.iter().find_map(|action| match action {
            Action::Record(event) => Some(event.clone()),
            _ => None,
        });
        if let Some(event) = due {
            self.tell(&event);
            self.place.record(program, event)?;
            return Ok(true);
        }
        for action in actions {
            match action {
                Action::Act { step, attempt } => {
                    let step = program.steps[step].id.clone();
                    let event = Event::StepStarted {
                        step: step.clone(),
                        attempt,
                    };
                    self.place.record(program, event)?;
                    let input = Input::ActionEnded {
                        step,
                        attempt,
                        outcome: Outcome::Succeeded,
                        proof: Proof::default(),
                    };
                    self.place.input(program, input)?;
                    return Ok(true);
                }
                Action::Undo {
                    unit,
                    attempt,
                    piece,
                } => {
                    let event = Event::UndoStarted {
                        unit: unit.clone(),
                        attempt,
                        piece,
                    };
                    self.place.record(program, event)?;
                    let input = Input::UndoEnded {
                        unit,
                        attempt,
                        piece,
                        outcome: Outcome::Succeeded,
                        proof: Proof::default(),
                    };
                    self.place.input(program, input)?;
                    return Ok(true);
                }
                Action::Probe { block, index } => {
                    self.probe(block, index)?;
                    return Ok(true);
                }
                Action::Wait(wait) if wait.ask == Ask::Approve => {
                    self.place.answer(program, &wait.item, Answer::Approve)?;
                    return Ok(true);
                }
                Action::Record(_) | Action::Wait(_) | Action::WakeAt(_) => {}
            }
        }
        Ok(false)
    }

    fn probe(&mut self, block: BlockId, index: usize) -> Result<(), Broken> {
        let program = self.program;
        let check = program
            .block(&block)
            .get(index)
            .map(|check| (*check).clone());
        let Some(check) = check else {
            return Err(Broken);
        };
        let holds = match &check.how {
            How::Fact(fact) => judge_fact(fact, program, &self.place.state),
            How::When(text) => may_hold(text, &block, program, &self.place.state),
            _ => true,
        };
        if !holds {
            self.untrue = Some((check.id, block.clone(), check.title));
        }
        let input = Input::Judged {
            block,
            index,
            verdict: if holds { Verdict::Pass } else { Verdict::Fail },
            proof: Proof::of("it is not so"),
        };
        self.place.input(program, input)
    }

    fn tell(&mut self, event: &Event) {
        let sentence = match event {
            Event::PhasePassed { phase } => format!("`{phase}` passes."),
            Event::StepSucceeded { step, .. } => format!("`{step}` succeeds."),
            _ => return,
        };
        if matches!(event, Event::PhasePassed { .. }) {
            self.story.retain(|told| told.ends_with("passes."));
        }
        self.story.push(sentence);
    }
}

/// An expression about values that only a run has may always hold; one about the run's own course is judged.
fn may_hold(text: &str, block: &BlockId, program: &Program, state: &State) -> bool {
    if text.is_empty()
        || ["vars", "run", "manifest"]
            .iter()
            .any(|root| text.contains(root))
    {
        return true;
    }
    !matches!(judge(text, &facts(program, state, block)), Judgement::Fail)
}
