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
    if holder
        .as_ref()
        .is_some_and(|holder| holder.run_id != run.as_str())
    {
        return Ok(Alive::default());
    }
    Ok(Alive {
        driver: driver(holder.as_ref(), records),
        held: true,
        running: running(folder),
    })
}

/// The lock is held. The note beside it names who took it first; a driver that came later is named in the journal.
fn driver(holder: Option<&Holder>, records: &[Record]) -> bool {
    let Some(holder) = holder else { return true };
    if holder.host != rustix::system::uname().nodename().to_string_lossy() {
        // Another machine's processes cannot be looked at; the lock says that someone is there.
        return true;
    }
    let attached = records.iter().rev().find_map(|r| match r.event {
        Event::DriverAttached { pid, .. } => Some(Some(pid)),
        Event::DriverLeft { .. } => Some(None),
        _ => None,
    });
    is_alive(holder.pid) || attached.flatten().is_some_and(is_alive)
}

fn is_alive(pid: u32) -> bool {
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

/// What the supervisor has running. One that does not answer now is leaving: then nothing is.
fn running(folder: &RunFolder) -> Vec<String> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build();
    let seen = runtime.map(|runtime| runtime.block_on(look(folder.path())));
    match seen {
        Ok(Ok(Some((_, jobs)))) => jobs.into_iter().map(|job| label(&job.job)).collect(),
        other => {
            tracing::debug!(?other, "no supervisor says what is running");
            Vec::new()
        }
    }
}

/// What a job's key is of: `000012-STEP-1` is STEP-1's, `c1.5-GATE-1.criteria.0` that check's.
pub(in crate::cli) fn label(job: &str) -> String {
    job.split_once('-').map_or(job, |(_, what)| what).to_owned()
}
