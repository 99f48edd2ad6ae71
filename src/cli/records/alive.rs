//! Whether anything of a run is alive: who drives it, and which processes go on without a driver.

use crate::base::durable::{Holder, Lock, LockError};
use crate::base::id::RunId;
use crate::run::engine::{Event, Record};
use crate::run::journal::{RunFolder, StateDir};
use crate::run::supervise::look;

/// What is alive of a run.
#[derive(Debug, Clone, Default)]
pub(in crate::cli) struct Alive {
    /// A process drives it.
    pub(in crate::cli) driver: bool,
    /// Its lock is held, by a driver or by the supervisor of what still runs.
    pub(in crate::cli) held: bool,
    /// Steps, undos and checks whose processes run.
    pub(in crate::cli) running: Vec<String>,
}

impl Alive {
    /// Whether its record can still grow, or its logs can.
    pub(in crate::cli) fn any(&self) -> bool {
        self.driver || self.held
    }
}

/// Looks. `records` are the run's as far as they can be read: the first names the lock.
///
/// # Errors
/// When the lock cannot be looked at.
pub(in crate::cli) fn alive(
    state_dir: &StateDir,
    run: &RunId,
    folder: &RunFolder,
    records: &[Record],
) -> Result<Alive, LockError> {
    let Some(Event::RunStarted(start)) = records.first().map(|r| &r.event) else {
        return Ok(Alive::default());
    };
    let lock = state_dir.lock_path(&start.migration, start.environment.as_deref());
    let Some(holder) = Lock::holder(&lock)? else {
        return Ok(Alive::default());
    };
    // Runs of the same migration and environment share the lock, so it must be told whose it is.
    let supervised = running(folder);
    let driver = driver(run, holder.as_ref(), records);
    let named = holder.is_some_and(|holder| holder.run_id == run.as_str());
    Ok(Alive {
        driver,
        held: driver || named || supervised.is_some(),
        running: supervised.unwrap_or_default(),
    })
}

/// The lock is held: whether by a process that drives this run. The journal names the driver; before it does, the note
/// beside the lock does, with as much of the run's id as was known when the lock was taken.
fn driver(run: &RunId, holder: Option<&Holder>, records: &[Record]) -> bool {
    let attached = records.iter().rev().find_map(|r| match &r.event {
        Event::DriverAttached { pid, by, .. } => Some(Some((*pid, by.host.as_str()))),
        Event::DriverLeft { .. } => Some(None),
        _ => None,
    });
    let noted = holder.is_some_and(|holder| {
        let of_this_run = match attached {
            Some(_) => holder.run_id == run.as_str(),
            None => !holder.run_id.is_empty() && run.as_str().starts_with(&holder.run_id),
        };
        of_this_run && is_alive(holder.pid, &holder.host)
    });
    noted
        || attached
            .flatten()
            .is_some_and(|(pid, host)| is_alive(pid, host))
}

/// Another machine's processes cannot be looked at: there the lock says enough.
fn is_alive(pid: u32, host: &str) -> bool {
    if host != rustix::system::uname().nodename().to_string_lossy() {
        return true;
    }
    let pid = i32::try_from(pid)
        .ok()
        .and_then(rustix::process::Pid::from_raw);
    pid.is_some_and(|pid| {
        !matches!(
            rustix::process::test_kill_process(pid),
            Err(rustix::io::Errno::SRCH)
        )
    })
}

/// What the supervisor of the run has running; none if there is none. One that does not answer now is leaving.
fn running(folder: &RunFolder) -> Option<Vec<String>> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build();
    let seen = runtime.map(|runtime| runtime.block_on(look(folder.path())));
    match seen {
        Ok(Ok(Some((_, jobs)))) => Some(jobs.into_iter().map(|job| label(&job.job)).collect()),
        other => {
            tracing::debug!(?other, "no supervisor says what is running");
            None
        }
    }
}

/// What a job's key is of: `000012-STEP-1` is STEP-1's, `c1.5-GATE-1.criteria.0` that check's.
pub(in crate::cli) fn label(job: &str) -> String {
    job.split_once('-').map_or(job, |(_, what)| what).to_owned()
}
