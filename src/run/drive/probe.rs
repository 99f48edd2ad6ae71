//! Measuring checks before a run, without one: nothing is recorded, and what the probes' processes leave in their
//! folder goes with it.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use super::jobs::Supervised;
use crate::base::durable::{Holder, Lock, LockError, create_dir_private};
use crate::base::id::{ItemId, PhaseId, RunId, StepId, file_stem};
use crate::plan::program::{Check, How, Program};
use crate::run::engine::Verdict;
use crate::run::perform::{self, Direction, Place, Purpose};
use crate::run::supervise::{Attach, Message, SupervisorClient, SupervisorError};

/// What probes run as: the name of no real run, because no inputs have these digits.
const NO_RUN: &str = "000000000000-1";

/// How checks are measured before a run.
#[derive(Debug)]
pub struct Before {
    /// A folder for what the probes' processes print and leave; the caller removes it.
    pub scratch: PathBuf,
    /// The plan's folder, absolute.
    pub plan_dir: PathBuf,
    /// The environment's name, if it has one.
    pub environment: Option<String>,
    /// What every process gets to see.
    pub env: Vec<(String, String)>,
    /// What is masked in what they print.
    pub secrets: Vec<String>,
    /// Set for `psql`.
    pub postgres: Vec<(String, String)>,
    /// The program to start as supervisor.
    pub binary: PathBuf,
}

/// Why nothing was measured.
#[derive(Debug, thiserror::Error)]
pub enum ProbeError {
    /// The folder for what probes print and leave.
    #[error("use a temporary folder for the probes: {0}")]
    Scratch(String),
    /// Its lock.
    #[error("lock the probes' temporary folder: {0}")]
    Locked(#[from] LockError),
    /// The process that runs them.
    #[error(transparent)]
    Supervisor(#[from] SupervisorError),
}

/// What was found: a verdict and what is known of it, or why nothing was measured.
pub type Found = Result<(Verdict, String), &'static str>;

/// Measures what can be measured before a run: prerequisites, start conditions of phases and preconditions of steps, one
/// after the other. `wanted` says by index of the program's steps whose preconditions are looked at.
///
/// Must be called inside a [`tokio::task::LocalSet`].
///
/// # Errors
/// When the scratch folder cannot be used or the supervisor cannot be started.
pub async fn measure_before(
    program: &Program,
    before: Before,
    wanted: impl Fn(usize) -> bool,
) -> Result<BTreeMap<ItemId, Found>, ProbeError> {
    let run_dir = before.scratch.join(NO_RUN);
    create_dir_private(&run_dir).map_err(|error| ProbeError::Scratch(error.to_string()))?;
    let lock = Lock::try_acquire(
        &before.scratch.join("lock"),
        &Holder::this_process("a preview"),
    )?;
    let run = RunId::parse(NO_RUN).map_err(|why| ProbeError::Scratch(why.to_string()))?;
    let (client, _, mut messages) = SupervisorClient::start_or_attach(Attach {
        run_dir: &run_dir,
        binary: &before.binary,
        lock: Some(&lock),
        epoch: 0,
        takeover: false,
    })
    .await?;
    client.base(before.env, before.secrets).await?;
    let jobs = Supervised::new(client);
    let hears = jobs.clone();
    let listener = tokio::task::spawn_local(async move {
        loop {
            match messages.recv().await {
                Some(Message::Ended(end)) => hears.ended(*end),
                Some(Message::Refused {
                    job: Some(job),
                    why,
                }) => hears.refused(&job, why.to_string()),
                Some(Message::Disconnected) | None => return hears.lost(),
                Some(_) => {}
            }
        }
    });
    let place = Place {
        run,
        environment: before.environment,
        plan_dir: before.plan_dir,
        run_dir: run_dir.clone(),
        binary: before.binary,
        postgres: before.postgres,
        instead: BTreeMap::new(),
    };
    let mut found = BTreeMap::new();
    for (check, phase, step) in checks(program, &wanted) {
        let said = match unmeasured(check) {
            Some(why) => Err(why),
            None => {
                let evidence = check.id.as_str().to_owned();
                evidence_folder(&run_dir, &evidence)
                    .map_err(|error| ProbeError::Scratch(error.to_string()))?;
                let purpose = Purpose {
                    phase,
                    step,
                    attempt: 1,
                    direction: Direction::Probe,
                    evidence,
                };
                let key = format!("{:06}-{}", found.len(), check.id);
                let (verdict, proof) = perform::probe(&jobs, &place, &purpose, &key, check).await;
                Ok((verdict, proof.detail))
            }
        };
        found.insert(check.id.clone(), said);
    }
    // It has nothing left to run; when it has gone, the folder is nobody's any more.
    match jobs.client().leave().await {
        Ok(()) => listener
            .await
            .map_err(|error| ProbeError::Scratch(error.to_string()))?,
        Err(error) => tracing::debug!(%error, "the supervisor was gone already"),
    }
    Ok(found)
}

fn evidence_folder(run_dir: &Path, evidence: &str) -> std::io::Result<()> {
    std::fs::create_dir_all(run_dir.join("evidence").join(file_stem(evidence)))
}

type Placed<'a> = (&'a Check, Option<PhaseId>, Option<StepId>);

fn checks<'a>(program: &'a Program, wanted: &impl Fn(usize) -> bool) -> Vec<Placed<'a>> {
    let mut all: Vec<Placed<'a>> = program
        .prerequisites
        .iter()
        .map(|check| (check, None, None))
        .collect();
    for phase in &program.phases {
        if !phase.steps.is_empty() && !phase.steps.iter().any(|&s| wanted(s)) {
            continue;
        }
        let here = Some(phase.id.clone());
        all.extend(phase.start.iter().map(|check| (check, here.clone(), None)));
        for &s in phase.steps.iter().filter(|&&s| wanted(s)) {
            let step = &program.steps[s];
            all.extend(
                step.preconditions
                    .iter()
                    .map(|check| (check, here.clone(), Some(step.id.clone()))),
            );
        }
    }
    all
}

/// Why a check says nothing before the run.
fn unmeasured(check: &Check) -> Option<&'static str> {
    match &check.how {
        How::Command(_) | How::File(_) | How::Metric(_) | How::Dataset(_) => None,
        How::When(_) | How::Fact(_) => {
            Some("not measured before the run: it is about the run itself")
        }
        How::Covered(_) => Some("not measured before the run: other evidence covers it"),
        How::Attest => Some("not measured: a person says so"),
        How::Recorded(_) => Some("not measured: taken as verified"),
    }
}
