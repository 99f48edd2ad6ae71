//! Starting effects, and what comes back: from processes, people and signals.

use std::collections::BTreeMap;
use std::rc::Rc;

use tokio::task::spawn_local;

use super::audience::{Audience, Typed};
use super::driver::{Done, DriveError, Driver};
use super::inbox::{self, Receipt};
use super::job_key;
use super::jobs::GONE;
use super::session::{PlanFolder, in_folder};
use crate::base::id::{PhaseId, StepId};
use crate::plan::program::{
    Action as StepAction, BlockId, Check, Files as _, GateAt, How, InputKind, OnInterrupt, Process,
    Run, UndoPiece, UndoUnit, UndoWay, Work,
};
use crate::run::engine::{Action, Event, Input, Outcome, Proof, Rejected, Stage, next};
use crate::run::perform::{self, Direction, Jobs as _, Place, Purpose, judge_now, work};
use crate::run::supervise::{JobEnd, JobSpec, Message, read_records, sweep};

/// An effect whose intent is recorded.
pub(super) enum Start {
    Act {
        step: usize,
        attempt: u32,
        intent: u64,
    },
    Undo {
        unit: UndoUnit,
        attempt: u32,
        piece: usize,
        intent: u64,
    },
}

fn scripts(processes: &[Process]) -> Vec<&str> {
    processes
        .iter()
        .filter_map(|process| match &process.run {
            Run::Script { path, .. } => Some(path.as_str()),
            Run::Shell { .. } | Run::Manifest(_) => None,
        })
        .collect()
}

/// The files that judging a check would read and that belong to the run's inputs.
fn files_of(check: &Check) -> Vec<&str> {
    match &check.how {
        How::Command(probe) => scripts(std::slice::from_ref(&probe.process)),
        How::Metric(metric) => scripts(std::slice::from_ref(&metric.process)),
        How::Dataset(dataset) => dataset.path.iter().map(String::as_str).collect(),
        How::File(_)
        | How::When(_)
        | How::Fact(_)
        | How::Covered(_)
        | How::Attest
        | How::Recorded(_) => Vec::new(),
    }
}

impl<A: Audience> Driver<'_, A> {
    fn last_record(&self) -> u64 {
        self.session.state.last.map_or(0, |(n, _)| n)
    }

    /// Those of `paths` that are not as they were when the run started.
    fn drifted(&self, paths: &[&str]) -> Vec<String> {
        let inputs = &self.session.inputs;
        paths
            .iter()
            .filter_map(|path| inputs.file(path))
            .filter_map(|file| inputs.is_changed(file))
            .map(|changed| format!("{} ({})", changed.path, changed.what))
            .collect()
    }

    /// The same of the migrations that a manifest step reads; a file that was not there then counts as well.
    fn drifted_migrations(&self, work: &Work) -> Vec<String> {
        let folders = work.processes.iter().filter_map(Process::migrations);
        let mut all = Vec::new();
        for folder in folders {
            let inputs = &self.session.inputs;
            let then: Vec<&str> = inputs
                .files
                .iter()
                .filter(|file| file.kind == InputKind::Migration && in_folder(&file.path, folder))
                .map(|file| file.path.as_str())
                .collect();
            let now = PlanFolder(inputs.plan_dir.clone()).list(folder);
            all.extend(self.drifted(&then));
            all.extend(
                now.iter()
                    .filter(|path| !then.contains(&path.as_str()))
                    .map(|path| format!("{path} (new)")),
            );
        }
        all
    }

    /// The intent to run a step's action; none if a script of it changed, which stops the run before it.
    pub(super) fn intend(
        &mut self,
        step: usize,
        attempt: u32,
    ) -> Result<Option<Start>, DriveError> {
        let definition = &self.session.program.steps[step];
        if let StepAction::Run(work) = &definition.action {
            let mut files = self.drifted(&scripts(&work.processes));
            files.extend(self.drifted_migrations(work));
            if !files.is_empty() {
                self.input(Input::Drift { files })??;
                return Ok(None);
            }
        }
        let id = definition.id.clone();
        self.record(Event::StepStarted { step: id, attempt })?;
        Ok(Some(Start::Act {
            step,
            attempt,
            intent: self.last_record(),
        }))
    }

    pub(super) fn intend_undo(
        &mut self,
        unit: UndoUnit,
        attempt: u32,
        piece: usize,
    ) -> Result<Start, DriveError> {
        self.record(Event::UndoStarted {
            unit: unit.clone(),
            attempt,
            piece,
        })?;
        Ok(Start::Undo {
            unit,
            attempt,
            piece,
            intent: self.last_record(),
        })
    }

    /// Starts what was intended. Everything it needs is on the disk.
    pub(super) fn perform(&mut self, start: Start) -> Result<(), DriveError> {
        match start {
            Start::Act {
                step,
                attempt,
                intent,
            } => self.act(step, attempt, intent),
            Start::Undo {
                unit,
                attempt,
                piece,
                intent,
            } => self.undo(unit, attempt, piece, intent),
        }
    }

    fn act(&mut self, step: usize, attempt: u32, intent: u64) -> Result<(), DriveError> {
        let definition = &self.session.program.steps[step];
        let work = match &definition.action {
            StepAction::Run(work) => work,
            StepAction::Nothing => {
                return self.acted(
                    step,
                    attempt,
                    Outcome::Succeeded,
                    Proof::of("nothing to run"),
                );
            }
            StepAction::Person(_) => return Ok(()),
        };
        let purpose = Purpose {
            phase: Some(self.session.program.phases[definition.phase].id.clone()),
            step: Some(definition.id.clone()),
            attempt,
            direction: Direction::Forward,
            evidence: definition.id.as_str().to_owned(),
        };
        let key = job_key(intent, definition.id.as_str());
        let label = definition.id.as_str().to_owned();
        let spec = self.prepare(&self.place, &purpose, &key, work);
        match spec {
            Ok(spec) => {
                self.labels.insert(key, label);
                self.start_action(step, attempt, spec);
                Ok(())
            }
            Err(why) => self.acted(step, attempt, Outcome::Failed, Proof::of(why)),
        }
    }

    fn prepare(
        &self,
        place: &Place,
        purpose: &Purpose,
        key: &str,
        work: &Work,
    ) -> Result<JobSpec, String> {
        let evidence = self.session.folder.evidence(&purpose.evidence);
        crate::base::durable::create_dir_private(&evidence).map_err(|error| error.to_string())?;
        perform::manifest::prepare(place, purpose, work).map_err(|error| error.to_string())?;
        work::job(place, purpose, key, work).map_err(|error| error.to_string())
    }

    fn start_action(&mut self, step: usize, attempt: u32, spec: JobSpec) {
        let jobs = self.jobs.clone();
        self.report(async move { jobs.run(spec).await }, move |result| {
            Done::Acted {
                step,
                attempt,
                result,
            }
        });
    }

    pub(super) fn wait_for_action(&mut self, step: usize, attempt: u32, job: String) {
        let jobs = self.jobs.clone();
        self.report(async move { jobs.end_of(&job).await }, move |result| {
            Done::Acted {
                step,
                attempt,
                result,
            }
        });
    }

    fn start_undo(&mut self, unit: UndoUnit, attempt: u32, piece: usize, spec: JobSpec) {
        let jobs = self.jobs.clone();
        self.report(async move { jobs.run(spec).await }, move |result| {
            Done::Undid {
                unit,
                attempt,
                piece,
                result,
            }
        });
    }

    pub(super) fn wait_for_undo(
        &mut self,
        unit: UndoUnit,
        attempt: u32,
        piece: usize,
        job: String,
    ) {
        let jobs = self.jobs.clone();
        self.report(async move { jobs.end_of(&job).await }, move |result| {
            Done::Undid {
                unit,
                attempt,
                piece,
                result,
            }
        });
    }

    /// Sends back how a job ended, once it has. It counts as in flight until then.
    fn report(
        &mut self,
        end: impl Future<Output = Result<JobEnd, String>> + 'static,
        done: impl FnOnce(Result<JobEnd, String>) -> Done + 'static,
    ) {
        let sender = self.sender.clone();
        self.in_flight += 1;
        spawn_local(async move {
            let result = end.await;
            // The receiver goes only when the driver does; then the supervisor's record has the end.
            let _ = sender.send(done(result));
        });
    }

    fn undo(
        &mut self,
        unit: UndoUnit,
        attempt: u32,
        piece: usize,
        intent: u64,
    ) -> Result<(), DriveError> {
        let undo = self.session.program.undo(&unit);
        let work = undo.and_then(|undo| match &undo.way {
            UndoWay::Pieces(pieces) => match pieces.get(piece) {
                Some(UndoPiece::Run(work)) => Some(work),
                Some(UndoPiece::Person(_)) | None => None,
            },
            UndoWay::NothingToUndo | UndoWay::Wall(_) => None,
        });
        let Some(work) = work else {
            let proof = Proof::of("the plan has nothing to run here");
            return self
                .input(Input::UndoEnded {
                    unit,
                    attempt,
                    piece,
                    outcome: Outcome::Failed,
                    proof,
                })?
                .map_err(Into::into);
        };
        let (phase, step) = self.where_is(&unit);
        let evidence = unit.to_string();
        let forward = step
            .as_ref()
            .and_then(|id| self.session.program.step_index(id));
        let purpose = Purpose {
            phase,
            step,
            // An undo gets the attempt of the forward run that it takes back.
            attempt: forward.map_or(attempt, |i| self.session.state.steps[i].attempt),
            direction: Direction::Undo,
            evidence,
        };
        let key = job_key(intent, &format!("undo {unit}"));
        let place = self.with_snapshots(&scripts(&work.processes));
        match self.prepare(&place, &purpose, &key, work) {
            Ok(spec) => {
                self.labels.insert(key, unit.to_string());
                self.start_undo(unit, attempt, piece, spec);
                Ok(())
            }
            Err(why) => {
                let outcome = Outcome::Failed;
                self.input(Input::UndoEnded {
                    unit,
                    attempt,
                    piece,
                    outcome,
                    proof: Proof::of(why),
                })??;
                Ok(())
            }
        }
    }

    fn where_is(&self, unit: &UndoUnit) -> (Option<PhaseId>, Option<StepId>) {
        match unit {
            UndoUnit::Step(id) => {
                let phase = self
                    .session
                    .program
                    .step(id)
                    .map(|s| self.session.program.phases[s.phase].id.clone());
                (phase, Some(id.clone()))
            }
            UndoUnit::Phase(id) => (Some(id.clone()), None),
            UndoUnit::Level(_) => (None, None),
        }
    }

    /// The place, with snapshots instead of the scripts that were changed since the start.
    fn with_snapshots(&self, paths: &[&str]) -> Rc<Place> {
        let inputs = &self.session.inputs;
        let changed: BTreeMap<String, std::path::PathBuf> = paths
            .iter()
            .filter_map(|path| inputs.file(path))
            .filter(|file| inputs.is_changed(file).is_some())
            .map(|file| {
                (
                    file.path.clone(),
                    self.session.folder.inputs().join(&file.stored),
                )
            })
            .collect();
        if changed.is_empty() {
            return Rc::clone(&self.place);
        }
        Rc::new(Place {
            instead: changed,
            ..(*self.place).clone()
        })
    }

    /// Starts the evaluation of a check, or judges it at once. True if the state may have changed.
    pub(super) fn probe(&mut self, block: BlockId, index: usize) -> Result<bool, DriveError> {
        if self.lost || self.probing.contains(&(block.clone(), index)) {
            return Ok(false);
        }
        let checks = self.session.program.block(&block);
        let Some(check) = checks.get(index).map(|check| (*check).clone()) else {
            return Ok(false);
        };
        if let Some((verdict, proof)) =
            judge_now(&check, &block, &self.session.program, &self.session.state)
        {
            self.input(Input::Judged {
                block,
                index,
                verdict,
                proof,
            })??;
            return Ok(true);
        }
        let files = files_of(&check);
        let place = if self.session.state.unwinding.is_some() {
            self.with_snapshots(&files)
        } else {
            let files = self.drifted(&files);
            if !files.is_empty() {
                self.input(Input::Drift { files })??;
                return Ok(true);
            }
            Rc::clone(&self.place)
        };
        let purpose = self.purpose_of(&block, &check);
        let evidence = self.session.folder.evidence(&purpose.evidence);
        if let Err(error) = crate::base::durable::create_dir_private(&evidence) {
            self.audience.notice(&error.to_string());
        }
        self.probes += 1;
        let key = format!("c{}.{}-{}", self.session.state.epoch, self.probes, check.id);
        self.labels
            .insert(key.clone(), check.id.as_str().to_owned());
        self.probing.insert((block.clone(), index));
        let (jobs, sender) = (self.jobs.clone(), self.sender.clone());
        spawn_local(async move {
            let (verdict, proof) = perform::probe(&jobs, &place, &purpose, &key, &check).await;
            let _ = sender.send(Done::Judged {
                block,
                index,
                verdict,
                proof,
            });
        });
        Ok(false)
    }

    fn purpose_of(&self, block: &BlockId, check: &Check) -> Purpose {
        let program = &self.session.program;
        let (phase, step) = match block {
            BlockId::Preconditions(id)
            | BlockId::Confirm(id)
            | BlockId::Manual(id)
            | BlockId::Validation(id)
            | BlockId::DoneIf(id) => self.where_is(&UndoUnit::Step(id.clone())),
            BlockId::Start(id) => (Some(id.clone()), None),
            BlockId::OnlyIf(unit) | BlockId::UndoPerson(unit) | BlockId::UndoTest(unit) => {
                self.where_is(unit)
            }
            BlockId::Gate(id) => match program.gate_index(id).map(|i| program.gates[i].at) {
                Some(GateAt::Phase(p)) => (Some(program.phases[p].id.clone()), None),
                Some(GateAt::Step(s)) => {
                    self.where_is(&UndoUnit::Step(program.steps[s].id.clone()))
                }
                Some(GateAt::Completion) | None => (None, None),
            },
            BlockId::Prerequisites | BlockId::Window | BlockId::PostRollback(_) => (None, None),
        };
        let attempt = step
            .as_ref()
            .and_then(|id| program.step_index(id))
            .map_or(1, |i| self.session.state.steps[i].attempt.max(1));
        let evidence = step
            .as_ref()
            .map_or_else(|| check.id.as_str().to_owned(), |id| id.as_str().to_owned());
        Purpose {
            phase,
            step,
            attempt,
            direction: Direction::Probe,
            evidence,
        }
    }

    /// An effect has come back.
    pub(super) fn done(&mut self, done: Done) -> Result<(), DriveError> {
        match done {
            Done::Acted {
                step,
                attempt,
                result,
            } => {
                self.in_flight -= 1;
                let id = self.session.program.steps[step].id.clone();
                let job = job_key(self.session.state.steps[step].intent, id.as_str());
                let (outcome, proof) = match self.end_of(&job, result) {
                    Ok(end) => self.action_outcome(step, attempt, &end),
                    Err(nothing_known) => *nothing_known,
                };
                self.ignore_stale(Input::ActionEnded {
                    step: id,
                    attempt,
                    outcome,
                    proof,
                })
            }
            Done::Undid {
                unit,
                attempt,
                piece,
                result,
            } => {
                self.in_flight -= 1;
                let intent = self
                    .session
                    .state
                    .unwinding
                    .as_ref()
                    .and_then(|u| u.progress.get(&unit))
                    .map_or(0, |progress| progress.intent);
                let job = job_key(intent, &format!("undo {unit}"));
                let (outcome, proof) = match self.end_of(&job, result) {
                    Ok(end) => work::outcome(&end),
                    Err(nothing_known) => *nothing_known,
                };
                self.ignore_stale(Input::UndoEnded {
                    unit,
                    attempt,
                    piece,
                    outcome,
                    proof,
                })
            }
            Done::Judged {
                block,
                index,
                verdict,
                proof,
            } => {
                self.probing.remove(&(block.clone(), index));
                // Only a verdict that is still asked for counts: the block may have begun anew meanwhile.
                let wanted = next(&self.session.program, &self.session.state, jiff::Timestamp::now())
                    .iter()
                    .any(|a| matches!(a, Action::Probe { block: b, index: i } if *b == block && *i == index));
                let proof = self.masked(proof);
                if wanted && !self.lost {
                    self.ignore_stale(Input::Judged {
                        block,
                        index,
                        verdict,
                        proof,
                    })
                } else {
                    Ok(())
                }
            }
        }
    }

    /// What a probe printed is judged as it was; what is recorded of it is masked.
    fn masked(&self, mut proof: Proof) -> Proof {
        for secret in &self.options.secrets {
            proof.detail = proof.detail.replace(secret.as_str(), "***");
        }
        proof
    }

    fn ignore_stale(&mut self, input: Input) -> Result<(), DriveError> {
        if let Err(rejected) = self.input(input)? {
            tracing::debug!(%rejected, "an effect came back too late to matter");
        }
        Ok(())
    }

    /// What the end of a step's action means.
    pub(super) fn action_outcome(
        &self,
        step: usize,
        attempt: u32,
        end: &JobEnd,
    ) -> (Outcome, Proof) {
        let (outcome, proof) = match self.session.program.steps[step].manifest() {
            Some(manifest) => perform::manifest::outcome(end, &self.place, manifest, attempt),
            None => work::outcome(end),
        };
        (outcome, self.masked(proof))
    }

    /// How a job ended. Where the supervisor was lost, its record decides; without one nobody can say.
    fn end_of(
        &mut self,
        job: &str,
        result: Result<JobEnd, String>,
    ) -> Result<JobEnd, Box<(Outcome, Proof)>> {
        self.labels.remove(job);
        let nothing = |outcome, why: String| Err(Box::new((outcome, Proof::of(why))));
        match result {
            Ok(end) => Ok(end),
            Err(why) if why.starts_with(GONE) => match read_records(&self.place.run_dir) {
                Ok(records) => match records.end_of(job) {
                    Some(end) => Ok(end.clone()),
                    None => nothing(Outcome::Unknown, why),
                },
                Err(error) => nothing(Outcome::Unknown, format!("{why}; its records: {error}")),
            },
            Err(why) => nothing(Outcome::Failed, format!("it was not started: {why}")),
        }
    }

    /// Something from the supervisor.
    pub(super) fn message(&mut self, message: Option<Message>) -> Result<(), DriveError> {
        match message {
            Some(Message::Ended(end)) => self.jobs.ended(*end),
            Some(Message::Line { job, text, .. }) => {
                let label = self.labels.get(&job).map_or(job.as_str(), String::as_str);
                self.audience.output(label, &text);
            }
            Some(Message::Refused {
                job: Some(job),
                why,
            }) => self.jobs.refused(&job, why.to_string()),
            Some(Message::Refused { job: None, why }) => self.audience.notice(&why.to_string()),
            Some(Message::Fenced { pid, .. }) => {
                self.audience.notice(&format!(
                    "process {pid} has taken over this run; this one starts nothing more"
                ));
                self.lose();
            }
            Some(Message::Disconnected) | None if !self.lost => {
                // What it left running is ended before anything else is decided.
                match sweep(&self.place.run_dir, std::time::Duration::from_secs(5)) {
                    Ok(_) => self
                        .audience
                        .notice("the supervisor of this run died; its processes were ended"),
                    Err(error) => self
                        .audience
                        .notice(&format!("the supervisor of this run died: {error}")),
                }
                self.lose();
            }
            Some(
                Message::HelloOk { .. }
                | Message::Accepted { .. }
                | Message::Status { .. }
                | Message::Left
                | Message::Disconnected,
            )
            | None => {}
        }
        Ok(())
    }

    fn lose(&mut self) {
        self.lost = true;
        self.jobs.lost();
    }

    /// Answers that other processes have left.
    pub(super) fn letters(&mut self) -> Result<(), DriveError> {
        let (letters, odd) = inbox::letters(&self.session.folder.inbox())?;
        for path in odd {
            self.audience.notice(&format!(
                "an answer was not understood and set aside: {}",
                path.display()
            ));
        }
        for (path, letter) in letters {
            let receipt = match self.input(letter.into_input())? {
                Ok(()) => Receipt {
                    accepted: true,
                    why: None,
                    exit_code: 0,
                },
                Err(rejected) => {
                    self.audience
                        .notice(&format!("an answer was refused: {rejected}"));
                    Receipt {
                        accepted: false,
                        exit_code: rejected.exit_code(),
                        why: Some(rejected.to_string()),
                    }
                }
            };
            // The receipt promises that it is recorded.
            self.flush()?;
            inbox::answered(&path, &receipt)?;
        }
        Ok(())
    }

    /// The operator typed a line. True: leave.
    pub(super) fn typed(&mut self, line: &str) -> Result<bool, DriveError> {
        let result: Result<(), Rejected> = match self.audience.typed(line) {
            Typed::Nothing => return Ok(false),
            Typed::Leave => return Ok(true),
            Typed::Answer {
                item,
                answer,
                name,
                reason,
            } => {
                let by = crate::run::engine::Actor {
                    name,
                    ..self.options.by.clone()
                };
                self.input(Input::Answered {
                    item,
                    answer,
                    by,
                    reason,
                    evidence: None,
                })?
            }
            Typed::OverrideWindow { reason } => {
                let by = self.options.by.clone();
                self.input(Input::OverrideWindow { by, reason })?
            }
        };
        if let Err(rejected) = result {
            self.audience.notice(&rejected.to_string());
            // Ask again.
            self.last_waiting.clear();
        }
        Ok(false)
    }

    /// Ctrl-C or TERM: what runs is carried to its end, or stopped if the plan says so; a second one ends everything.
    pub(super) async fn interrupt(&mut self, name: &str) -> Result<(), DriveError> {
        self.kills += 1;
        if self.kills > 1 {
            self.audience
                .notice("asked again: ending what runs; what it did will be unknown");
            let grace = if self.kills > 2 { 0 } else { 2_000 };
            return Ok(self.jobs.client().kill_all(Some(grace)).await?);
        }
        self.input(Input::Interrupt {
            signal: name.to_owned(),
        })??;
        self.flush()?;
        if self.in_flight > 0 {
            self.audience.notice("interrupted: what runs now is carried to its end, then the run is saved; once more ends it");
        }
        for i in 0..self.session.program.steps.len() {
            let definition = &self.session.program.steps[i];
            if self.session.state.steps[i].stage == Stage::Acting
                && definition.on_interrupt == OnInterrupt::Stop
            {
                let job = job_key(self.session.state.steps[i].intent, definition.id.as_str());
                self.jobs.client().kill(&job, None).await?;
            }
        }
        Ok(())
    }
}
