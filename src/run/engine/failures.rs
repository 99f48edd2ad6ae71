//! What failed and unknown steps lead to: a retry, an undo, a stop, a question.

use jiff::SignedDuration;

use super::event::*;
use super::next::{Action, Ask, Walk};
use super::state::*;
use super::unwind;
use crate::plan::program::{BlockId, Level, OnFailure};

impl Walk<'_> {
    /// Consequences of failed steps, and what is asked about steps that failed or are unknown. True while they hold
    /// everything else.
    pub(super) fn failures(&mut self) -> bool {
        let fresh = self.fresh_failures();
        let mut held = false;
        for i in 0..self.state.steps.len() {
            match &self.state.steps[i].stage {
                Stage::Failed { handled: false, .. } => {}
                Stage::Failed { why, .. } => {
                    held = true;
                    let what = format!(
                        "{} failed and its effect was not undone: {why}",
                        self.program.steps[i].id
                    );
                    self.ask_step(i, what, false);
                }
                Stage::Unknown { epoch } => {
                    held = true;
                    let epoch = *epoch;
                    self.unknown(i, epoch);
                }
                _ => {}
            }
        }
        if fresh.is_empty() {
            return held;
        }
        // Siblings finish: their actions, and what a machine can tell about them.
        let program = self.program;
        for i in 0..self.state.steps.len() {
            if self.state.steps[i].stage == Stage::Acting {
                self.acting(i);
            }
            if self.state.steps[i].stage == Stage::Validating {
                let block = BlockId::Validation(program.steps[i].id.clone());
                let checks = program.block(&block);
                if matches!(
                    self.state.verdict(&block, &checks),
                    BlockVerdict::Evaluate(_) | BlockVerdict::Fail | BlockVerdict::Pass
                ) {
                    self.validate(i);
                }
            }
        }
        let settling = self
            .out
            .iter()
            .any(|a| matches!(a, Action::Probe { .. } | Action::Record(_)));
        if !settling && !self.state.is_busy() {
            self.consequence(&fresh);
        }
        true
    }

    pub(super) fn ask_step(&mut self, i: usize, what: String, unknown: bool) {
        let step = &self.program.steps[i];
        let who = step.responsible.clone().into_iter().collect();
        let id = step.id.as_str().to_owned();
        self.wait(&id, Ask::ResolveStep { unknown }, what, who, None);
    }

    /// A step of which nobody can say what it did: `done_if`, then a rerun if it is idempotent and a new driver has
    /// taken the run, then a person. Never a guess.
    pub(super) fn unknown(&mut self, i: usize, epoch: u64) {
        let step = &self.program.steps[i];
        let attempt = self.state.steps[i].attempt;
        let settle = |how, ground| Event::StepSettled {
            step: step.id.clone(),
            attempt,
            how,
            ground,
            reason: None,
        };
        let resumed = epoch < self.state.epoch;
        if step.done_if.is_some() {
            match self.evaluate(
                &BlockId::DoneIf(step.id.clone()),
                step.responsible.as_deref(),
            ) {
                BlockVerdict::Pass => {
                    self.record(settle(Settled::Done, Ground::DoneIf));
                    return;
                }
                // A timeout in this session whose effect did not happen is a failure; after a crash the step runs again.
                BlockVerdict::Fail if resumed => {
                    self.record(settle(Settled::Retry, Ground::DoneIf));
                    return;
                }
                BlockVerdict::Fail => {
                    self.record(Event::StepFailed {
                        step: step.id.clone(),
                        attempt,
                        effect: true,
                        why: "it was ended, and its done_if says that its effect did not happen"
                            .to_owned(),
                    });
                    return;
                }
                BlockVerdict::Evaluate(_) => return,
                BlockVerdict::Inconclusive | BlockVerdict::People => {}
            }
        }
        if step.idempotent && resumed {
            self.record(settle(Settled::Retry, Ground::Idempotent));
            return;
        }
        let again = if step.idempotent {
            "; it is idempotent, so resume runs it again"
        } else {
            ""
        };
        let what = format!("nobody can say what {} did before it ended{again}", step.id);
        self.ask_step(i, what, true);
    }

    /// `retry`: what failed is tried again, after its undo unless it is idempotent, and after its backoff.
    pub(super) fn retry(&mut self, fresh: &[usize]) {
        let (program, state) = (self.program, self.state);
        let clean = |i: usize| {
            let step = &program.steps[i];
            step.idempotent || step.effect_none || state.steps[i].effect != Effect::May
        };
        let why_of = |i: usize| match &state.steps[i].stage {
            Stage::Failed { why, at, .. } => Some((why.clone(), *at)),
            _ => None,
        };
        if let Some(&i) = fresh.iter().find(|&&i| !clean(i)) {
            let id = program.steps[i].id.clone();
            let why = why_of(i).map_or_else(String::new, |(why, _)| why);
            self.record(unwind::begin(
                program,
                Level::Step,
                unwind::of_steps(program, state, vec![i]),
                format!("{id} failed: {why}"),
                Then::Retry(id),
                None,
            ));
            return;
        }
        for &i in fresh {
            let step = &program.steps[i];
            let backoff = SignedDuration::from_millis(
                i64::try_from(step.retry.backoff_ms).unwrap_or(i64::MAX / 2),
            );
            match why_of(i) {
                Some((_, at)) if self.at < at + backoff => self.push(Action::WakeAt(at + backoff)),
                _ => self.record(Event::StepRetried {
                    step: step.id.clone(),
                }),
            }
        }
    }

    pub(super) fn consequence(&mut self, fresh: &[usize]) {
        let (program, state) = (self.program, self.state);
        let again = |i: usize| state.steps[i].failures < program.steps[i].retry.attempts;
        if fresh.iter().all(|&i| again(i)) {
            self.retry(fresh);
            return;
        }
        let whys: Vec<String> = fresh
            .iter()
            .filter_map(|&i| match &state.steps[i].stage {
                Stage::Failed { why, .. } => Some(format!("{} failed: {why}", program.steps[i].id)),
                _ => None,
            })
            .collect();
        let why = whys.join("; ");
        let phase = program.phases[program.steps[fresh[0]].phase].id.clone();
        let level = match state.on_failure(program) {
            OnFailure::Stop => None,
            OnFailure::Phase => Some(Level::Phase),
            OnFailure::Full => Some(Level::Full),
        };
        let own = unwind::of_steps(program, state, fresh.to_vec());
        let event = match (own.units.is_empty(), level) {
            (true, None) => Event::RunStopped { why },
            (true, Some(level)) => unwind::begin_level(program, state, level, &phase, why, None),
            (false, level) => {
                let then = level.map_or(Then::Stop, |level| Then::Escalate(level, phase));
                unwind::begin(program, Level::Step, own, why, then, None)
            }
        };
        self.record(event);
    }
}
