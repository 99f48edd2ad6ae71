//! `resume` and `rollback`: going on with a run that began earlier.

use std::time::Duration;

use super::arguments::{DriveArgs, LevelArg, ResumeArgs, RollbackArgs, VariableArgs};
use super::context::Context;
use super::failure::Failure;
use super::people::People;
use super::prepare::{postgres_of, prepare};
use super::records::alive;
use super::run::{ask_yes, go, options, process_environment, secret_key, still_there};
use super::variables::{self, Values};
use super::watch::tell;
use crate::base::durable::{Holder, Lock, LockError};
use crate::plan::program::Level;
use crate::run::drive::{AcceptDrift, Claim, Letter, Options, Subject, View, leave, receipt};
use crate::run::engine::{Input, decide};
use crate::run::journal::StateDir;
use crate::show::answer::Address;
use crate::show::text::visible;

/// How long a driver that is just leaving, or a supervisor, is given to do so.
const PATIENCE: Duration = Duration::from_secs(3);

/// How long a driver is given to take a letter.
pub(super) const DELIVERY: Duration = Duration::from_secs(10);

pub(super) fn resume(context: &Context, arguments: &ResumeArgs) -> Result<u8, Failure> {
    let (state_dir, run, folder) = context.pick(arguments.run.as_deref())?;
    let view = context.view(run, folder)?;
    let address = Address::new(&state_dir, context.finds(&state_dir));
    if view.state.is_final() {
        let state =
            crate::run::engine::standing(&view.program, &view.state, jiff::Timestamp::now()).state;
        return Err(
            Failure::refused(format!("run {} is over: {state}", view.run))
                .next("start a new run with `orchestrate run`"),
        );
    }
    still_there(&view.inputs.plan_dir)?;
    let mut options = given_again(
        context,
        &state_dir,
        &view,
        &arguments.variables,
        &arguments.drive,
    )?;
    options.accept_drift = drift(context, &view, arguments.accept_drift.as_deref(), &address)?;
    continue_run(context, "resume", &state_dir, view, options, &address)
}

pub(super) fn rollback(context: &Context, arguments: &RollbackArgs) -> Result<u8, Failure> {
    let (state_dir, run, folder) = context.pick(arguments.run.as_deref())?;
    let view = context.view(run, folder)?;
    let address = Address::new(&state_dir, context.finds(&state_dir));
    let (level, target) = match arguments.level {
        LevelArg::Step => (Level::Step, arguments.step.clone()),
        LevelArg::Phase => (Level::Phase, arguments.phase.clone()),
        LevelArg::Full => (Level::Full, arguments.to.clone()),
    };
    // A step that is named by mistake beside another level must not take everything back.
    for (given, wanted, flag) in [
        (arguments.step.is_some(), Level::Step, "--step"),
        (arguments.phase.is_some(), Level::Phase, "--phase"),
        (arguments.to.is_some(), Level::Full, "--to"),
    ] {
        if given && level != wanted {
            return Err(Failure::usage(format!(
                "{flag} goes with --level {wanted}, and the level is {level}"
            )));
        }
    }
    let by = context.actor_as(arguments.name.as_deref());
    let config = context.config(&view.inputs.plan_dir)?;
    let people = People::new(&config, &by.user, view.program.separation_of_duties);
    if arguments.name.is_some() {
        people.may_answer(&by.name)?;
    }
    let reason = arguments.reason.clone();
    let input = Input::Rollback {
        level,
        target: target.clone(),
        by: by.clone(),
        reason: reason.clone(),
    };
    // Asked of the rules first: what makes no sense must not even take the run.
    decide(
        &view.program,
        &view.state,
        input.clone(),
        jiff::Timestamp::now(),
    )
    .map_err(|rejected| Failure {
        exit_code: rejected.exit_code(),
        ..Failure::refused(rejected)
    })?;
    if !arguments.yes && context.interactive {
        let what = target
            .as_deref()
            .map_or_else(String::new, |t| format!(" ({t})"));
        context.say(&format!(
            "undo at level {level}{what} of run {}? [y/N]",
            view.run
        ));
        if !ask_yes()? {
            return Err(Failure::refused("nothing was undone"));
        }
    }
    if is_driven(&state_dir, &view)? {
        let letter = Letter::Rollback {
            level,
            target,
            by,
            reason,
        };
        return deliver(context, "rollback", &view, &letter, &address);
    }
    still_there(&view.inputs.plan_dir)?;
    let mut options = given_again(
        context,
        &state_dir,
        &view,
        &arguments.variables,
        &arguments.drive,
    )?;
    options.first = Some(input);
    continue_run(context, "rollback", &state_dir, view, options, &address)
}

/// Whether a process drives the run at this moment.
pub(super) fn is_driven(state_dir: &StateDir, view: &View) -> Result<bool, Failure> {
    let alive =
        alive(state_dir, &view.run, &view.folder, &view.contents.records).map_err(Failure::io)?;
    Ok(alive.driver)
}

/// What a run needs again: the values of secret variables, the connection, the environment. Recorded values come from
/// the record, so that an undo gets the inputs of its forward run.
fn given_again(
    context: &Context,
    state_dir: &StateDir,
    view: &View,
    given: &VariableArgs,
    drive: &DriveArgs,
) -> Result<Options, Failure> {
    let Some(start) = &view.state.started else {
        return Err(Failure::io(format!("run {} has no first record", view.run)));
    };
    if !given.vars.is_empty() {
        return Err(
            Failure::usage("the variables of a run are those it started with")
                .next("secret ones are given again through the environment or --var-file"),
        );
    }
    let mut values = Values {
        plain: start.variables.clone(),
        ..Values::default()
    };
    if !start.secrets.is_empty() {
        let plan = secrets_only(&view.plan);
        let again = variables::resolve(
            &plan,
            start.environment.as_deref(),
            given,
            &view.inputs.plan_dir,
            true,
        )?;
        let key = secret_key(state_dir)?;
        let other: Vec<String> = again
            .fingerprints(&key)
            .into_iter()
            .filter(|(name, print)| start.secrets.get(name).is_some_and(|then| then != print))
            .map(|(name, _)| name)
            .collect();
        if !other.is_empty() {
            return Err(Failure::refused(format!(
                "these secret variables are not what they were when the run started: {}",
                other.join(", ")
            ))
            .next("give the same values again"));
        }
        values.secret = again.secret;
    }
    let config = context.config(&view.inputs.plan_dir)?;
    let postgres = postgres_of(
        &view.plan,
        &view.program,
        start.environment.as_deref(),
        &view.inputs.plan_dir,
    )?;
    let env = process_environment(&view.plan, &config, &values);
    Ok(options(context, drive, &config, env, &values, postgres))
}

fn secrets_only(plan: &crate::plan::model::Plan) -> crate::plan::model::Plan {
    let mut plan = plan.clone();
    plan.variables
        .retain(|_, variable| variable.secret == Some(true));
    for environment in plan.environments.values_mut() {
        environment
            .variables
            .retain(|name, _| plan.variables.contains_key(name));
    }
    plan
}

/// Inputs that are not as they were when the run started stop it, unless that is accepted with a reason.
fn drift(
    context: &Context,
    view: &View,
    accept: Option<&str>,
    address: &Address,
) -> Result<Option<Box<AcceptDrift>>, Failure> {
    let mut files: Vec<String> = view
        .inputs
        .changed()
        .iter()
        .map(|c| format!("{} ({})", c.path, c.what))
        .collect();
    let plan_path = view
        .inputs
        .plan()
        .map(|plan| view.inputs.plan_dir.join(&plan.path));
    let now = plan_path.as_ref().map(|path| crate::plan::load::load(path));
    match &now {
        Some(Ok(loaded))
            if crate::plan::program::plan_digest(&loaded.plan) == view.inputs.plan_digest => {}
        Some(Ok(_)) => files.insert(0, "the plan (changed)".to_owned()),
        Some(Err(_)) => files.insert(0, "the plan (it can no longer be read)".to_owned()),
        None => {}
    }
    if files.is_empty() {
        return Ok(None);
    }
    let Some(reason) = accept else {
        for difference in differences(view) {
            context.say(&difference);
        }
        return Err(Failure::refused(format!("changed since run {} started: {}", view.run, files.join(", ")))
            .means("nothing was run; the run stands where it stood, and its way back uses the files as they were")
            .next(format!(
                "put the files back; or go on with `{}` (it voids open approvals); or go back with `{}`",
                address.command(&format!("orchestrate resume {} --accept-drift \"<reason>\"", view.run)),
                address.command(&format!("orchestrate rollback {} --level full", view.run)),
            )));
    };
    let Some(path) = plan_path else {
        return Ok(None);
    };
    let prepared = prepare(context, &path)?;
    crate::run::engine::State::replay(&prepared.program, &view.contents.records).map_err(
        |illegal| {
            Failure::refused(format!(
                "the changed plan does not fit what this run has done: {illegal}"
            ))
            .next("roll the run back, then start a new one")
        },
    )?;
    let inputs = prepared.inputs()?;
    Ok(Some(Box::new(AcceptDrift {
        files,
        reason: reason.to_owned(),
        plan: prepared.plan().clone(),
        program: prepared.program.clone(),
        inputs,
    })))
}

/// What changed, as unified diffs of the files that are text.
fn differences(view: &View) -> Vec<String> {
    let mut all = Vec::new();
    for file in &view.inputs.files {
        let then = std::fs::read_to_string(view.folder.inputs().join(&file.stored));
        let now = std::fs::read_to_string(view.inputs.plan_dir.join(&file.path));
        if let (Ok(then), Ok(now)) = (then, now)
            && then != now
        {
            let diff = similar::TextDiff::from_lines(&then, &now);
            let text = diff
                .unified_diff()
                .context_radius(2)
                .header(
                    &format!("{} (when the run started)", file.path),
                    &format!("{} (now)", file.path),
                )
                .to_string();
            all.push(text.lines().map(visible).collect::<Vec<_>>().join("\n"));
        }
    }
    all
}

/// Takes the run and drives it on.
fn continue_run(
    context: &Context,
    verb: &str,
    state_dir: &StateDir,
    view: View,
    options: Options,
    address: &Address,
) -> Result<u8, Failure> {
    let started = view.state.started.as_ref();
    let environment = started.and_then(|s| s.environment.clone());
    let path = state_dir.lock_path(&view.program.name, environment.as_deref());
    let holder = Holder::this_process(view.run.as_str());
    let lock = match Lock::try_acquire(&path, &holder) {
        Ok(lock) => Some(lock),
        Err(LockError::Held { .. }) => None,
        Err(error) => return Err(Failure::io(error).means("nothing was started")),
    };
    let claim = match &lock {
        Some(lock) => Claim::Held(lock),
        None => Claim::Ask {
            lock: path,
            holder,
            patience: PATIENCE,
        },
    };
    let config = context.config(&view.inputs.plan_dir)?;
    let people = People::new(&config, &options.by.user, view.program.separation_of_duties);
    let name = view.run.to_string();
    let subject = Subject::Existing(view.run, view.folder);
    let (session, standing) = go(context, subject, claim, options, people, &name, address)?;
    tell(context, verb, &session, &standing, address)
}

/// Leaves a letter for the driver of a run, and waits for what becomes of it.
pub(super) fn deliver(
    context: &Context,
    verb: &str,
    view: &View,
    letter: &Letter,
    address: &Address,
) -> Result<u8, Failure> {
    let path = leave(&view.folder.inbox(), letter).map_err(Failure::io)?;
    match receipt(&path, DELIVERY).map_err(Failure::io)? {
        Some(receipt) if receipt.accepted => {
            context.say(&format!("recorded; run {} goes on by itself", view.run));
            context.result(verb, 0, Some(view.run.as_str()), Some("recorded"));
            Ok(0)
        }
        Some(receipt) => {
            let why = receipt.why.unwrap_or_else(|| "it was refused".to_owned());
            Err(Failure {
                exit_code: receipt.exit_code,
                ..Failure::refused(why)
            })
        }
        None => {
            let resume = address.command(&format!("orchestrate resume {}", view.run));
            context.say(&format!(
                "left for run {}; it is taken as soon as somebody drives it: {resume}",
                view.run
            ));
            context.result(verb, 0, Some(view.run.as_str()), Some("left"));
            Ok(0)
        }
    }
}
