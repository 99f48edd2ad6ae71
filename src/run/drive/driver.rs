//! The loop: select → decide → journal → apply → publish → next → perform.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::path::Path;
use std::rc::Rc;
use std::time::Duration;

use jiff::Timestamp;
use tokio::io::unix::AsyncFd;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::mpsc;

use super::audience::Audience;
use super::job_key;
use super::jobs::Supervised;
use super::session::{RecordError, Session, View};
use crate::base::durable::{DurableError, Holder, Lock, LockError};
use crate::base::id::RunId;
use crate::base::watch::Watch;
use crate::plan::model::Plan;
use crate::plan::program::{Action as StepAction, BlockId, Program, UndoUnit};
use crate::run::engine::{
    Action, Actor, Ask, Event, Input, Life, Outcome, Proof, Record, Rejected, Stage, Standing,
    UndoStage, Verdict, Waiting, next, standing,
};
use crate::run::journal::{Inputs, RunFolder};
use crate::run::perform::{Place, manifest, work};
use crate::run::supervise::{
    Arrival, Attach, JobEnd, Message, SupervisorClient, SupervisorError, SweepError, read_records,
    sweep,
};

/// How a run is driven.
#[derive(Debug)]
pub struct Options {
    /// Who drives it.
    pub by: Actor,
    /// How many steps may run together.
    pub jobs: usize,
    /// Stay while answers are awaited, also without a terminal.
    pub wait: bool,
    /// Lines that the operator types, if there is a terminal.
    pub typed: Option<mpsc::UnboundedReceiver<String>>,
    /// The environment that all processes share.
    pub env: Vec<(String, String)>,
    /// Texts that are masked wherever they occur in output.
    pub secrets: Vec<String>,
    /// libpq variables of the connection `default`.
    pub postgres: Vec<(String, String)>,
    /// The program to start as supervisor: this one.
    pub binary: std::path::PathBuf,
    /// Go ahead outside the window.
    pub override_window: Option<String>,
    /// Go on with inputs that are not as they were.
    pub accept_drift: Option<Box<AcceptDrift>>,
    /// Asked for at once: a rollback by hand.
    pub first: Option<Input>,
    /// Redraw interval of a live display, if there is one.
    pub tick: Option<Duration>,
}

/// Inputs as they are now, to go on with.
#[derive(Debug)]
pub struct AcceptDrift {
    /// What changed.
    pub files: Vec<String>,
    /// Why that is all right.
    pub reason: String,
    /// The plan as it is now.
    pub plan: Plan,
    /// What the engine walks from now on.
    pub program: Program,
    /// All inputs as they are now.
    pub inputs: Inputs,
}

/// Why driving ended before the run came to a stop of its own. The journal holds everything up to then.
#[derive(Debug, thiserror::Error)]
pub enum DriveError {
    /// The record could not be written: no new effect was started.
    #[error(transparent)]
    Record(#[from] RecordError),
    /// No supervisor.
    #[error(transparent)]
    Supervisor(#[from] SupervisorError),
    /// What is left of an earlier supervisor cannot be looked at.
    #[error("look after what an earlier supervisor left: {0}")]
    LeftOver(String),
    /// Somebody else has the run.
    #[error("take the run: {0}")]
    Locked(LockError),
    /// The run's folder or the signals cannot be watched.
    #[error("watch the run: {0}")]
    Watch(#[from] std::io::Error),
    /// The run cannot be opened.
    #[error(transparent)]
    Open(#[from] super::session::OpenError),
    /// It makes no sense now.
    #[error("{0}")]
    Rejected(#[from] Rejected),
}

impl From<DurableError> for DriveError {
    fn from(error: DurableError) -> Self {
        Self::Record(error.into())
    }
}

/// What a performed effect sends back.
pub(super) enum Done {
    Acted {
        step: usize,
        attempt: u32,
        result: Result<JobEnd, String>,
    },
    Undid {
        unit: UndoUnit,
        attempt: u32,
        piece: usize,
        result: Result<JobEnd, String>,
    },
    Judged {
        block: BlockId,
        index: usize,
        verdict: Verdict,
        proof: Proof,
    },
}

/// What to drive.
#[derive(Debug)]
pub enum Subject {
    /// A run that has just begun.
    New(Box<Session>),
    /// A run to go on with. It is opened only once its supervisor obeys: until then somebody else may write it.
    Existing(RunId, RunFolder),
}

/// By what right a run is driven.
#[derive(Debug)]
pub enum Claim<'a> {
    /// The caller holds its lock.
    Held(&'a Lock),
    /// Somebody held its lock when the caller tried: perhaps a supervisor whose orchestrator died. That one is asked for
    /// control; if it leaves instead, the lock is taken as soon as it is free.
    Ask {
        /// The lock.
        lock: std::path::PathBuf,
        /// What is noted in it.
        holder: Holder,
        /// How long somebody who holds it and does not answer is given to leave.
        patience: Duration,
    },
}

type Control = (SupervisorClient, Arrival, mpsc::Receiver<Message>);

/// Gets control of a run that somebody else holds, or held a moment ago. The lock comes with it where it was taken.
async fn ask<A: Audience>(
    run_dir: &Path,
    binary: &Path,
    (path, holder, patience): (&Path, &Holder, Duration),
    audience: &mut A,
) -> Result<(Control, Option<Lock>), DriveError> {
    let how = |lock| Attach {
        run_dir,
        binary,
        lock,
        epoch: 0,
        takeover: false,
    };
    let begun = std::time::Instant::now();
    loop {
        match SupervisorClient::start_or_attach(how(None)).await {
            // It is not there yet, or no more.
            Err(SupervisorError::NotServing) => {}
            other => return Ok((other?, None)),
        }
        let left = patience.saturating_sub(begun.elapsed());
        match Lock::acquire_within(path, holder, left.min(Duration::from_millis(250))) {
            Ok(lock) => {
                clear_strays(run_dir, audience)?;
                let control = SupervisorClient::start_or_attach(how(Some(&lock))).await?;
                return Ok((control, Some(lock)));
            }
            Err(LockError::Held { .. }) if !left.is_zero() => {}
            Err(error) => return Err(DriveError::Locked(error)),
        }
    }
}

/// Drives a run until nothing more can be done, and says how it stands then. Must be called inside a
/// [`tokio::task::LocalSet`].
///
/// # Errors
/// [`DriveError`]; whatever happened before it is in the journal.
pub async fn drive<A: Audience>(
    subject: Subject,
    claim: Claim<'_>,
    options: Options,
    audience: &mut A,
) -> Result<(Session, Standing), DriveError> {
    let run_dir = match &subject {
        Subject::New(session) => session.folder.path().to_owned(),
        Subject::Existing(_, folder) => folder.path().to_owned(),
    };
    let ((client, arrival, messages), _taken) = match claim {
        Claim::Held(lock) => {
            if matches!(subject, Subject::Existing(..)) {
                clear_strays(&run_dir, audience)?;
            }
            let how = Attach {
                run_dir: &run_dir,
                binary: &options.binary,
                lock: Some(lock),
                epoch: 0,
                takeover: false,
            };
            (SupervisorClient::start_or_attach(how).await?, None)
        }
        Claim::Ask {
            lock,
            holder,
            patience,
        } => {
            ask(
                &run_dir,
                &options.binary,
                (&lock, &holder, patience),
                audience,
            )
            .await?
        }
    };
    client
        .base(options.env.clone(), options.secrets.clone())
        .await?;
    let mut session = match subject {
        Subject::New(session) => *session,
        Subject::Existing(run, folder) => View::open(run, folder)?.take()?,
    };
    let (sender, done) = mpsc::unbounded_channel();
    let place = Place {
        run: session.run.clone(),
        environment: session
            .state
            .started
            .as_ref()
            .and_then(|s| s.environment.clone()),
        plan_dir: session.inputs.plan_dir.clone(),
        run_dir: run_dir.clone(),
        binary: options.binary.clone(),
        postgres: options.postgres.clone(),
        instead: BTreeMap::new(),
    };
    let mut driver = Driver {
        session: &mut session,
        audience,
        jobs: Supervised::new(client),
        place: Rc::new(place),
        sender,
        probing: HashSet::new(),
        labels: HashMap::new(),
        in_flight: 0,
        probes: 0,
        kills: 0,
        lost: false,
        last_waiting: Vec::new(),
        unpublished: Vec::new(),
        options,
    };
    driver.attach(
        &arrival.finished,
        &arrival.running.iter().map(|r| r.job.clone()).collect(),
    )?;
    let result = driver.run(messages, done).await;
    // Dropping the client without asking it to leave is harmless as well: with nothing running the supervisor goes.
    if let Err(error) = driver.jobs.client().leave().await {
        tracing::debug!(%error, "the supervisor was gone already");
    }
    result.map(|standing| (session, standing))
}

/// A supervisor that was killed may have left processes; nothing is decided before they are ended.
fn clear_strays<A: Audience>(run_dir: &Path, audience: &mut A) -> Result<(), DriveError> {
    let swept = match sweep(run_dir, Duration::from_secs(5)) {
        Ok(swept) => swept,
        Err(SweepError::SupervisorAlive) => return Ok(()),
        Err(error) => return Err(DriveError::LeftOver(error.to_string())),
    };
    if !swept.ended.is_empty() {
        let count = swept.ended.len();
        audience.notice(&format!(
            "{count} processes that a dead supervisor had left were ended"
        ));
    }
    if swept.remaining.is_empty() {
        return Ok(());
    }
    Err(DriveError::LeftOver(format!(
        "these processes could not be ended: {:?}",
        swept.remaining
    )))
}

pub(super) struct Driver<'a, A> {
    pub(super) session: &'a mut Session,
    pub(super) audience: &'a mut A,
    pub(super) jobs: Supervised,
    pub(super) place: Rc<Place>,
    pub(super) sender: mpsc::UnboundedSender<Done>,
    /// Checks that are being evaluated.
    pub(super) probing: HashSet<(BlockId, usize)>,
    /// What the output of a job is shown under.
    pub(super) labels: HashMap<String, String>,
    pub(super) in_flight: usize,
    pub(super) probes: u64,
    pub(super) kills: u32,
    pub(super) lost: bool,
    pub(super) last_waiting: Vec<Waiting>,
    pub(super) unpublished: Vec<Record>,
    pub(super) options: Options,
}

impl<A: Audience> Driver<'_, A> {
    /// Records an event; [`Driver::flush`] makes it durable and tells the audience.
    pub(super) fn record(&mut self, event: Event) -> Result<(), DriveError> {
        let record = self.session.record(Timestamp::now(), event)?;
        self.unpublished.push(record);
        Ok(())
    }

    /// Decides what an input means and records it. An input that means nothing now changes nothing.
    pub(super) fn input(&mut self, input: Input) -> Result<Result<(), Rejected>, DriveError> {
        Ok(self
            .session
            .decide(input)?
            .map(|records| self.unpublished.extend(records)))
    }

    /// Takes the run, and settles what an earlier driver left open: by the exit record, by the live process, or as
    /// unknown. Never a guess.
    fn attach(&mut self, finished: &[JobEnd], running: &HashSet<String>) -> Result<(), DriveError> {
        let attach = Input::Attach {
            by: self.options.by.clone(),
            pid: std::process::id(),
            jobs: self.options.jobs,
        };
        self.input(attach)??;
        if let Some(reason) = self.options.override_window.take() {
            let by = self.options.by.clone();
            self.input(Input::OverrideWindow { by, reason })??;
        }
        if let Some(accept) = self.options.accept_drift.take() {
            self.accept_drift(*accept)?;
        }
        let records =
            read_records(&self.place.run_dir).map_err(|e| DriveError::LeftOver(e.to_string()))?;
        let settle = |job: &str| -> Settle {
            if let Some(end) = finished
                .iter()
                .find(|end| end.job == job)
                .or_else(|| records.end_of(job))
            {
                Settle::Ended(Box::new(end.clone()))
            } else if running.contains(job) {
                Settle::Running
            } else if records.was_accepted(job) {
                Settle::Unknown
            } else {
                Settle::NeverStarted
            }
        };
        for i in 0..self.session.program.steps.len() {
            if self.session.state.steps[i].stage != Stage::Acting {
                continue;
            }
            let (attempt, intent) = (
                self.session.state.steps[i].attempt,
                self.session.state.steps[i].intent,
            );
            let step = self.session.program.steps[i].id.clone();
            match &self.session.program.steps[i].action {
                StepAction::Person(_) => continue,
                StepAction::Nothing => {
                    self.acted(i, attempt, Outcome::Succeeded, Proof::of("nothing to run"))?;
                    continue;
                }
                StepAction::Run(_) => {}
            }
            let job = job_key(intent, step.as_str());
            match settle(&job) {
                Settle::Ended(end) => {
                    let (outcome, proof) = self.action_outcome(i, attempt, &end);
                    self.acted(i, attempt, outcome, proof)?;
                }
                Settle::Running => {
                    self.labels.insert(job.clone(), step.as_str().to_owned());
                    self.wait_for_action(i, attempt, job);
                }
                Settle::Unknown => {
                    let proof = Proof::of("the machine or its supervisor died while it ran");
                    self.acted(i, attempt, Outcome::Unknown, proof)?;
                }
                Settle::NeverStarted => self.input(Input::ActionNotStarted { step })??,
            }
        }
        let open: Vec<(UndoUnit, u32, usize, u64)> = self
            .session
            .state
            .unwinding
            .iter()
            .flat_map(|u| &u.progress)
            .filter(|(_, p)| p.stage == UndoStage::Acting)
            .map(|(unit, p)| (unit.clone(), p.attempt, p.piece, p.intent))
            .collect();
        for (unit, attempt, piece, intent) in open {
            let job = job_key(intent, &format!("undo {unit}"));
            match settle(&job) {
                Settle::Ended(end) => {
                    let (outcome, proof) = work::outcome(&end);
                    self.input(Input::UndoEnded {
                        unit,
                        attempt,
                        piece,
                        outcome,
                        proof,
                    })??;
                }
                Settle::Running => {
                    self.labels.insert(job.clone(), unit.to_string());
                    self.wait_for_undo(unit, attempt, piece, job);
                }
                Settle::Unknown => {
                    let proof = Proof::of("the machine or its supervisor died while it ran");
                    self.input(Input::UndoEnded {
                        unit,
                        attempt,
                        piece,
                        outcome: Outcome::Unknown,
                        proof,
                    })??;
                }
                Settle::NeverStarted => self.input(Input::UndoNotStarted { unit })??,
            }
        }
        if let Some(first) = self.options.first.take() {
            self.input(first)??;
        }
        Ok(())
    }

    fn accept_drift(&mut self, accept: AcceptDrift) -> Result<(), DriveError> {
        self.input(Input::AcceptDrift {
            files: accept.files,
            plan_digest: accept.program.digest.clone(),
            inputs_hash: accept.inputs.hash(),
            by: self.options.by.clone(),
            reason: accept.reason,
        })??;
        // First the decision, then the snapshot: a crash between them finds the drift again and asks again.
        self.flush()?;
        Ok(self
            .session
            .adopt(&accept.plan, accept.program, accept.inputs)?)
    }

    pub(super) fn acted(
        &mut self,
        step: usize,
        attempt: u32,
        outcome: Outcome,
        proof: Proof,
    ) -> Result<(), DriveError> {
        let step = self.session.program.steps[step].id.clone();
        self.input(Input::ActionEnded {
            step,
            attempt,
            outcome,
            proof,
        })??;
        Ok(())
    }

    async fn run(
        &mut self,
        mut messages: mpsc::Receiver<Message>,
        mut done: mpsc::UnboundedReceiver<Done>,
    ) -> Result<Standing, DriveError> {
        #[expect(
            deprecated,
            reason = "its successor is unsafe to call; a Watch owns its descriptor and never changes it"
        )]
        let watch = AsyncFd::new(Watch::new(&self.session.folder.inbox())?)?;
        let mut signals = Signals::new()?;
        let mut typed = self.options.typed.take();
        let mut tick = self.options.tick.map(tokio::time::interval);
        self.letters()?;
        while let Some(wake) = self.step(typed.is_some()).await? {
            tokio::select! {
                Some(result) = done.recv() => {
                    self.done(result)?;
                    // Whatever else has ended by now shares the next decision, and its sync.
                    while let Ok(result) = done.try_recv() {
                        self.done(result)?;
                    }
                }
                message = messages.recv() => self.message(message)?,
                ready = watch.readable() => {
                    let mut ready = ready?;
                    ready.get_inner().drain();
                    ready.clear_ready();
                    self.letters()?;
                }
                name = signals.recv() => self.interrupt(name).await?,
                line = read_line(&mut typed) => match line {
                    Some(line) if self.typed(&line)? => break,
                    Some(_) => {}
                    // The terminal is gone: from now on answers come from elsewhere.
                    None => typed = None,
                },
                () = until(wake) => {}
                () = ticking(&mut tick) => {
                    self.progress();
                    self.audience.tick(&self.session.program, &self.session.state, Timestamp::now());
                }
            }
        }
        let standing = standing(&self.session.program, &self.session.state, Timestamp::now());
        let why = standing
            .why
            .clone()
            .unwrap_or_else(|| standing.state.to_string());
        self.record(Event::DriverLeft {
            exit_code: standing.exit_code,
            why,
        })?;
        self.flush()?;
        Ok(standing)
    }

    /// Tells how far manifest steps are.
    fn progress(&mut self) {
        let program = &self.session.program;
        for (step, now) in program.steps.iter().zip(&self.session.state.steps) {
            if now.stage == Stage::Acting
                && let Some(own) = step.manifest()
                && let Some(progress) = manifest::progress(&self.place, own, now.attempt)
            {
                self.audience.progress(step.id.as_str(), progress);
            }
        }
    }

    /// Makes what was recorded durable, then tells the audience.
    pub(super) fn flush(&mut self) -> Result<(), DriveError> {
        self.session.sync()?;
        let durable = std::mem::take(&mut self.unpublished);
        self.publish(durable);
        Ok(())
    }

    fn publish(&mut self, durable: Vec<Record>) {
        for record in durable {
            self.audience
                .recorded(&self.session.program, &self.session.state, &record);
        }
    }

    /// Records what is due and starts what can start. Returns when to look again at the latest; nothing when there is
    /// nothing more to do here.
    async fn step(&mut self, interactive: bool) -> Result<Option<Option<Timestamp>>, DriveError> {
        loop {
            let actions = next(&self.session.program, &self.session.state, Timestamp::now());
            let (mut waiting, mut wake, mut started) = (Vec::new(), None, Vec::new());
            if let Some(event) = actions.iter().find_map(|action| match action {
                Action::Record(event) => Some(event.clone()),
                _ => None,
            }) {
                self.record(event)?;
                continue;
            }
            let mut again = false;
            for action in actions {
                match action {
                    Action::Record(_) => {}
                    Action::Act { step, attempt } => match self.intend(step, attempt)? {
                        Some(start) => started.push(start),
                        None => again = true,
                    },
                    Action::Undo {
                        unit,
                        attempt,
                        piece,
                    } => {
                        started.push(self.intend_undo(unit, attempt, piece)?);
                    }
                    Action::Probe { block, index } => again |= self.probe(block, index)?,
                    Action::Wait(wait) => waiting.push(wait),
                    Action::WakeAt(at) => {
                        wake = Some(wake.map_or(at, |other: Timestamp| other.min(at)))
                    }
                }
            }
            if !started.is_empty() {
                // The intents are on the disk before anything is started.
                self.session.sync()?;
                let durable = std::mem::take(&mut self.unpublished);
                for start in started {
                    self.perform(start)?;
                }
                // The orders go out now; the audience is told while the supervisor records and starts.
                tokio::task::yield_now().await;
                self.publish(durable);
                continue;
            }
            if again {
                continue;
            }
            self.flush()?;
            if waiting != self.last_waiting {
                self.audience
                    .waiting(&self.session.program, &self.session.state, &waiting);
                self.last_waiting.clone_from(&waiting);
            }
            return Ok(self.stay(&waiting, wake, interactive));
        }
    }

    fn stay(
        &self,
        waiting: &[Waiting],
        wake: Option<Timestamp>,
        interactive: bool,
    ) -> Option<Option<Timestamp>> {
        let state = &self.session.state;
        let going_on = state.life == Life::Running && !state.interrupted && state.drift.is_empty();
        if self.in_flight > 0 || (going_on && !self.probing.is_empty()) {
            return Some(wake);
        }
        if self.lost || !going_on {
            return None;
        }
        if wake.is_some() {
            return Some(wake);
        }
        // A blocked gate is measured again by `resume`, which needs this process to leave.
        let answerable = waiting.iter().any(|w| w.ask != Ask::Reevaluate);
        let stays = answerable && (self.options.wait || interactive);
        stays.then(|| waiting.iter().filter_map(|w| w.until).min())
    }
}

/// How an open intent of an earlier driver is settled.
enum Settle {
    Ended(Box<JobEnd>),
    Running,
    Unknown,
    NeverStarted,
}

/// Resolves at that time, or never. A clock that runs ahead, or stops during suspend, is asked again every minute.
async fn until(wake: Option<Timestamp>) {
    match wake {
        Some(at) => {
            let left =
                Duration::try_from(at.duration_since(Timestamp::now())).unwrap_or(Duration::ZERO);
            tokio::time::sleep(left.min(Duration::from_secs(60)) + Duration::from_millis(1)).await;
        }
        None => std::future::pending().await,
    }
}

async fn ticking(tick: &mut Option<tokio::time::Interval>) {
    match tick {
        Some(interval) => {
            interval.tick().await;
        }
        None => std::future::pending().await,
    }
}

async fn read_line(typed: &mut Option<mpsc::UnboundedReceiver<String>>) -> Option<String> {
    match typed {
        Some(lines) => lines.recv().await,
        None => std::future::pending().await,
    }
}

/// The signals that ask a run to pause.
struct Signals {
    interrupt: Signal,
    terminate: Signal,
    hangup: Signal,
}

impl Signals {
    fn new() -> std::io::Result<Self> {
        Ok(Self {
            interrupt: signal(SignalKind::interrupt())?,
            terminate: signal(SignalKind::terminate())?,
            hangup: signal(SignalKind::hangup())?,
        })
    }

    async fn recv(&mut self) -> &'static str {
        tokio::select! {
            Some(()) = self.interrupt.recv() => "SIGINT",
            Some(()) = self.terminate.recv() => "SIGTERM",
            Some(()) = self.hangup.recv() => "SIGHUP",
            else => std::future::pending().await,
        }
    }
}
