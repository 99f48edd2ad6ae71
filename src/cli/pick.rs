//! Which run is meant.

use super::context::Context;
use super::failure::Failure;
use crate::base::id::RunId;
use crate::run::drive::View;
use crate::run::engine::{Life, Stage, State};
use crate::run::journal::{FindError, RunFolder, StateDir};

/// A run is unfinished while it can go on and there is something to lose: it goes on, waits, or stopped with effects.
/// One that stopped with everything undone leaves nothing behind that a new run could collide with.
pub(super) fn is_unfinished(view: &View) -> bool {
    let state: &State = &view.state;
    match &state.life {
        Life::Completed | Life::RolledBack | Life::Abandoned => false,
        Life::Stopped(_) => {
            !state.remaining(&view.program).is_empty()
                || state
                    .steps
                    .iter()
                    .any(|s| matches!(s.stage, Stage::Unknown { .. }))
        }
        Life::New | Life::Running => true,
    }
}

impl Context {
    /// The run that is meant: named, or the only unfinished one, or the latest.
    pub(super) fn pick(
        &self,
        wanted: Option<&str>,
    ) -> Result<(StateDir, RunId, RunFolder), Failure> {
        let state_dir = self.state_dir()?;
        let found = match wanted {
            Some(wanted) => state_dir.find(wanted),
            None => self.only_unfinished(&state_dir),
        };
        let (run, folder) = found.map_err(|error| match error {
            FindError::Io(..) => Failure::io(error),
            _ => Failure::usage(error)
                .next("`orchestrate history` lists the runs; --state-dir looks elsewhere"),
        })?;
        Ok((state_dir, run, folder))
    }

    fn only_unfinished(&self, state_dir: &StateDir) -> Result<(RunId, RunFolder), FindError> {
        let mut unfinished = Vec::new();
        for (run, folder) in state_dir.runs()? {
            // One that cannot be read may well be unfinished; `latest` then says what is wrong with it.
            if View::open(run.clone(), folder.clone()).is_ok_and(|view| is_unfinished(&view)) {
                unfinished.push((run, folder));
            }
        }
        match unfinished.len() {
            1 => Ok(unfinished.swap_remove(0)),
            _ => state_dir.find("latest"),
        }
    }

    /// Opens a run to read it.
    pub(super) fn view(&self, run: RunId, folder: RunFolder) -> Result<View, Failure> {
        let name = run.to_string();
        View::open(run, folder).map_err(|error| {
            Failure {
                exit_code: 8,
                ..Failure::io(error)
            }
            .means("nothing of this run can be trusted or gone on with until that is understood")
            .next(format!("orchestrate audit {name}"))
        })
    }
}
