//! From a plan's path to everything that a run needs before it starts.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use jiff::Timestamp;

use super::context::{Context, absolute};
use super::failure::Failure;
use super::validate::{self, folder_of, print_findings};
use crate::base::diagnostic::Level as Severity;
use crate::base::id::StepId;
use crate::plan::load::Loaded;
use crate::plan::model::{self, Plan};
use crate::plan::program::{
    Action, Check, How, InputKind, PhaseUndo, Process, Program, Undo, UndoPiece, UndoWay, lower,
};
use crate::review::Surroundings;
use crate::run::drive::PlanFolder;
use crate::run::journal::Inputs;
use crate::run::perform::{postgres, script};

/// A plan that passed the review.
#[derive(Debug)]
pub(super) struct Prepared {
    pub(super) loaded: Loaded,
    /// The plan's folder, absolute.
    pub(super) plan_dir: PathBuf,
    /// The plan's file name.
    pub(super) file: String,
    pub(super) program: Program,
}

/// Reads, reviews and lowers a plan; prints what is wrong with it.
pub(super) fn prepare(context: &Context, path: &Path) -> Result<Prepared, Failure> {
    let config = context.config(folder_of(path))?;
    let surroundings = Surroundings {
        now: Timestamp::now(),
        config: &config,
    };
    let validated = validate::check(path, surroundings);
    let refused = validated.refused(false);
    let shown: Vec<_> = validated
        .findings
        .iter()
        .filter(|f| f.level == Severity::Error)
        .cloned()
        .collect();
    let mut text = Vec::new();
    print_findings(&shown, &validated.sources, context.style(), &mut text).map_err(Failure::io)?;
    if context.json() {
        for finding in &shown {
            context.print_json(&crate::base::diagnostic::to_json(finding));
        }
    }
    if !text.is_empty() {
        context.say(String::from_utf8_lossy(&text).trim_end());
    }
    let loaded = match validated.loaded {
        Some(loaded) if !refused => loaded,
        _ => {
            return Err(
                Failure::invalid(format!("{} is not a plan that can run", path.display())).next(
                    format!(
                        "mend what is named above; `orchestrate validate {}` shows everything",
                        path.display()
                    ),
                ),
            );
        }
    };
    let full = absolute(&loaded.path)?;
    let plan_dir = full
        .parent()
        .map_or_else(|| PathBuf::from("/"), Path::to_owned);
    // One name for the folder, whatever way led to it.
    let plan_dir = plan_dir
        .canonicalize()
        .map_err(|e| Failure::io(format!("{}: {e}", plan_dir.display())))?;
    let file = full.file_name().map_or_else(
        || "plan.yaml".to_owned(),
        |n| n.to_string_lossy().into_owned(),
    );
    let program = lower(&loaded.plan, &PlanFolder(plan_dir.clone())).map_err(|errors| {
        for error in &errors {
            let at = loaded.locate(&error.pointer);
            context.say(&format!(
                "error: {}\n  --> {}:{}:{}",
                error.message, at.file, at.line, at.column
            ));
        }
        Failure::invalid(format!(
            "{} cannot be executed by this version",
            path.display()
        ))
        .next("mend what is named above")
    })?;
    Ok(Prepared {
        loaded,
        plan_dir,
        file,
        program,
    })
}

impl Prepared {
    pub(super) fn plan(&self) -> &Plan {
        &self.loaded.plan
    }

    /// Every input as it is now.
    pub(super) fn inputs(&self) -> Result<Inputs, Failure> {
        let mut files = vec![(self.file.clone(), InputKind::Plan)];
        for included in self.loaded.files.iter().skip(1) {
            let path = absolute(included)?;
            let path = path
                .strip_prefix(&self.plan_dir)
                .map_or(path.clone(), Path::to_owned);
            files.push((path.to_string_lossy().into_owned(), InputKind::Include));
        }
        files.extend(self.program.files.iter().cloned());
        Inputs::gather(&self.plan_dir, self.program.digest.clone(), files).map_err(
            |(path, error)| Failure::io(format!("{} cannot be read: {error}", path.display())),
        )
    }

    /// The environment that was named; it must be one of the plan's.
    pub(super) fn environment(
        &self,
        name: Option<&str>,
    ) -> Result<(Option<String>, bool), Failure> {
        let Some(name) = name else {
            return Ok((None, true));
        };
        match self.plan().environments.get(name) {
            Some(environment) => Ok((Some(name.to_owned()), environment.production != Some(false))),
            None => {
                let known: Vec<&str> = self
                    .plan()
                    .environments
                    .keys()
                    .map(String::as_str)
                    .collect();
                let known = if known.is_empty() {
                    "none".to_owned()
                } else {
                    known.join(", ")
                };
                Err(Failure::usage(format!(
                    "the plan has no environment {name:?}; it has: {known}"
                )))
            }
        }
    }

    /// Steps that `--from`, `--until` and `--only` leave out.
    pub(super) fn left_out(
        &self,
        from: Option<&str>,
        until: Option<&str>,
        only: Option<&str>,
    ) -> Result<Vec<StepId>, Failure> {
        let steps = &self.program.steps;
        let range = |named: &str| -> Result<(usize, usize), Failure> {
            let phase = self
                .program
                .phases
                .iter()
                .position(|p| p.id.as_str() == named);
            let inside = |i: usize| match phase {
                Some(phase) => steps[i].phase == phase,
                None => steps[i].id.as_str() == named,
            };
            let hits: Vec<usize> = (0..steps.len()).filter(|&i| inside(i)).collect();
            match (hits.first(), hits.last()) {
                (Some(&first), Some(&last)) => Ok((first, last)),
                _ => Err(Failure::usage(format!(
                    "the plan has no phase or step {named:?}"
                ))),
            }
        };
        let (mut first, mut last) = (0, steps.len().saturating_sub(1));
        if let Some(only) = only {
            (first, last) = range(only)?;
        }
        if let Some(from) = from {
            first = range(from)?.0;
        }
        if let Some(until) = until {
            last = range(until)?.1;
        }
        if first > last {
            return Err(Failure::usage(
                "--from comes after --until: nothing would be left to run",
            ));
        }
        Ok(steps
            .iter()
            .enumerate()
            .filter(|(i, _)| *i < first || *i > last)
            .map(|(_, step)| step.id.clone())
            .collect())
    }

    /// Every process that a run may start.
    fn processes(&self) -> Vec<&Process> {
        processes(&self.program)
    }

    /// The tools that commands call must be there before anything starts.
    pub(super) fn tools(&self, path: &str) -> Result<(), Failure> {
        let mut missing = BTreeSet::new();
        for process in self.processes() {
            if process.manifest().is_some() {
                // This program itself.
                continue;
            }
            let argv = script::argv(&process.run, |p| self.plan_dir.join(p)).map_err(|error| {
                Failure::refused(error).next("mend the script, then start again")
            })?;
            if let Some(program) = argv.first()
                && !program.contains('/')
                && !std::env::split_paths(path).any(|folder| folder.join(program).is_file())
            {
                missing.insert(program.clone());
            }
        }
        if missing.is_empty() {
            return Ok(());
        }
        let names = missing.into_iter().collect::<Vec<_>>().join(", ");
        Err(Failure::refused(format!(
            "these tools, which the plan's steps call, are not installed: {names}"
        ))
        .next("install them, or put them on PATH, then start again"))
    }

    /// libpq's variables for the connection `default`, where one is needed (SPEC section 1: a stop before the first
    /// step).
    pub(super) fn postgres(
        &self,
        environment: Option<&str>,
    ) -> Result<Vec<(String, String)>, Failure> {
        postgres_of(self.plan(), &self.program, environment, &self.plan_dir)
    }
}

/// As [`Prepared::postgres`], for a run that began earlier.
pub(super) fn postgres_of(
    plan: &Plan,
    program: &Program,
    environment: Option<&str>,
    plan_dir: &Path,
) -> Result<Vec<(String, String)>, Failure> {
    let needed = processes(program)
        .iter()
        .any(|process| script::needs_connection(&process.run));
    let own = environment
        .and_then(|name| plan.environments.get(name))
        .and_then(|e| e.connections.get("default"));
    let connection = own.or_else(|| plan.connections.get("default"));
    let url = match connection {
        Some(model::Connection { url_command, .. }) if !url_command.is_empty() => {
            let (program, arguments) = (&url_command[0], &url_command[1..]);
            let url = duct::cmd(program, arguments)
                .dir(plan_dir)
                .stdin_null()
                .read()
                .map_err(|e| {
                    Failure::refused(format!(
                        "the command that prints the URL of connection `default` failed: {e}"
                    ))
                })?;
            Some(url)
        }
        other => {
            let name = other
                .and_then(|c| c.url_env.as_deref())
                .unwrap_or("DATABASE_URL");
            std::env::var(name).ok().filter(|url| !url.is_empty())
        }
    };
    match url {
        Some(url) => postgres::variables(url.trim()).map_err(Failure::refused),
        // psql's own settings name a server as well.
        None if !needed
            || ["PGHOST", "PGSERVICE", "PGDATABASE"]
                .iter()
                .any(|n| std::env::var_os(n).is_some()) =>
        {
            Ok(Vec::new())
        }
        None => {
            let name = connection
                .and_then(|c| c.url_env.as_deref())
                .unwrap_or("DATABASE_URL");
            Err(Failure::refused(format!(
                "the plan runs SQL, and the connection `default` is not set ({name} is empty)"
            ))
            .next(format!(
                "export {name}=postgresql://user@host:5432/database, then start again"
            )))
        }
    }
}

fn processes(program: &Program) -> Vec<&Process> {
    let mut all: Vec<&Process> = Vec::new();
    for step in &program.steps {
        if let Action::Run(work) = &step.action {
            all.extend(&work.processes);
        }
        all.extend(undo_processes(&step.undo));
    }
    for phase in &program.phases {
        if let PhaseUndo::Procedure(undo) = &phase.undo {
            all.extend(undo_processes(undo));
        }
    }
    for level in [
        &program.levels.step,
        &program.levels.phase,
        &program.levels.full,
    ] {
        if let Some(undo) = &level.replaces {
            all.extend(undo_processes(undo));
        }
    }
    for block in program.blocks() {
        for check in program.block(&block) {
            all.extend(check_process(check));
        }
    }
    all
}

fn undo_processes(undo: &Undo) -> Vec<&Process> {
    let UndoWay::Pieces(pieces) = &undo.way else {
        return Vec::new();
    };
    pieces
        .iter()
        .flat_map(|piece| match piece {
            UndoPiece::Run(work) => work.processes.as_slice(),
            UndoPiece::Person(_) => &[],
        })
        .collect()
}

fn check_process(check: &Check) -> Vec<&Process> {
    match &check.how {
        How::Command(probe) => vec![&probe.process],
        How::Metric(metric) => vec![&metric.process],
        How::Dataset(dataset) => match &dataset.process {
            Some(process) => vec![process],
            None => dataset
                .cases
                .iter()
                .flatten()
                .flat_map(check_process)
                .collect(),
        },
        How::File(_)
        | How::When(_)
        | How::Fact(_)
        | How::Covered(_)
        | How::Attest
        | How::Recorded(_) => Vec::new(),
    }
}
