//! `run`: from a plan to done, to a gate, or safely back.

use std::io::{BufRead as _, Read as _};
use std::path::Path;

use super::arguments::{DriveArgs, Policy, RunArgs};
use super::context::Context;
use super::failure::Failure;
use super::people::People;
use super::pick::is_unfinished;
use super::prepare::{Prepared, prepare};
use super::preview::{self, Shown};
use super::variables::{self, Values};
use super::watch::{Watcher, tell};
use crate::base::config::Config;
use crate::base::durable::{self, Holder, Lock, LockError};
use crate::plan::model::Plan;
use crate::plan::program::OnFailure;
use crate::run::drive::{Claim, DriveError, Options, Session, Subject, View, drive};
use crate::run::engine::{RunStarted, Standing};
use crate::run::journal::StateDir;
use crate::run::perform::environment;
use crate::show::answer::Address;

/// Free space below which no run starts: journals and logs could not be written (bytes).
const LEAST_FREE: u64 = 64 * 1024 * 1024;

/// The shortest password in a URL that is masked in output (bytes). Variables marked secret are masked whatever their
/// length.
const LEAST_MASKED: usize = 4;

pub(super) fn verb(context: &Context, arguments: &RunArgs) -> Result<u8, Failure> {
    let prepared = prepare(context, &arguments.plan)?;
    let (environment, production) = prepared.environment(arguments.env.as_deref())?;
    let unattested = arguments.unattested.is_some();
    if unattested && production {
        return Err(Failure::refused("--unattested is refused in production")
            .next("name an environment that says `production: false` with --env"));
    }
    if !arguments.dry_run && !prepared.program.blocked.is_empty() {
        let what = prepared.program.blocked.join(", ");
        return Err(
            Failure::refused(format!("these prerequisites are blocked: {what}"))
                .next("settle them, set their status in the plan, then start again"),
        );
    }
    let values = variables::resolve(
        prepared.plan(),
        environment.as_deref(),
        &arguments.variables,
        &prepared.plan_dir,
        !arguments.dry_run || arguments.probe,
    )?;
    let left_out = prepared.left_out(
        arguments.from.as_deref(),
        arguments.until.as_deref(),
        arguments.only.as_deref(),
    )?;
    if arguments.dry_run {
        let shown = Shown {
            verb: "run",
            prepared: &prepared,
            environment: environment.as_deref(),
            values: &values,
            left_out: &left_out,
            probe: arguments.probe,
        };
        return preview::show(context, &shown);
    }
    let config = context.config(&prepared.plan_dir)?;
    let postgres = prepared.postgres(environment.as_deref())?;
    let env = process_environment(prepared.plan(), &config, &values);
    let path = env
        .iter()
        .find(|(name, _)| name == "PATH")
        .map_or("", |(_, value)| value.as_str());
    prepared.tools(path)?;
    let inputs = prepared.inputs()?;

    let state_dir = context.state_dir_of(&prepared.plan_dir, &config)?;
    state_dir.prepare().map_err(|error| {
        Failure::io(error)
            .means("the run cannot keep its record, so nothing was started")
            .next("make the folder writable, or name another one with --state-dir")
    })?;
    enough_space(&state_dir)?;
    let address = Address::new(&state_dir, context.finds(&state_dir));
    let lock = lock(
        &state_dir,
        &prepared.program.name,
        environment.as_deref(),
        "a new run",
    )?;
    unfinished(
        &state_dir,
        &prepared.program.name,
        environment.as_deref(),
        &address,
    )?;
    if !arguments.yes
        && context.interactive
        && !confirm(context, &prepared, environment.as_deref(), production)?
    {
        return Err(Failure::refused("not started"));
    }

    let key = secret_key(&state_dir)?;
    let by = context.actor();
    let Prepared {
        loaded,
        plan_dir,
        file,
        program,
    } = prepared;
    let (migration, plan_digest) = (program.name.clone(), program.digest.clone());
    let (separation, inputs_hash) = (program.separation_of_duties, inputs.hash());
    let start = |run: &crate::base::id::RunId| RunStarted {
        run: run.clone(),
        migration: migration.clone(),
        plan: file.clone(),
        plan_path: plan_dir.join(&file).to_string_lossy().into_owned(),
        plan_digest: plan_digest.clone(),
        inputs_hash: inputs_hash.clone(),
        environment: environment.clone(),
        production,
        by: by.clone(),
        variables: values.plain.clone(),
        secrets: values.fingerprints(&key),
        left_out: left_out.clone(),
        left_out_because: arguments.reason.clone().filter(|_| !left_out.is_empty()),
        on_failure: arguments.on_failure.map(|policy| match policy {
            Policy::Stop => OnFailure::Stop,
            Policy::Phase => OnFailure::Phase,
            Policy::Full => OnFailure::Full,
        }),
        unattested,
        tool: env!("CARGO_PKG_VERSION").to_owned(),
    };
    let session =
        Session::begin(&state_dir, inputs, &loaded.plan, program, start).map_err(|error| {
            Failure::io(error)
                .means("the run's record could not be written, so nothing was started")
        })?;
    // The text and its places have served; a run may take days.
    drop(loaded);
    lock.note(&Holder::this_process(session.run.as_str()))
        .map_err(Failure::io)?;
    context.say(&format!(
        "run {} of {} ({})",
        session.run,
        migration,
        environment.as_deref().map_or(
            "production: no environment named".to_owned(),
            |name| format!(
                "environment {name}{}",
                if production { ", production" } else { "" }
            )
        )
    ));
    let options = options(context, &arguments.drive, &config, env, &values, postgres);
    let people = People::new(&config, &by.user, separation);
    let name = session.run.to_string();
    let (session, standing) = go(
        context,
        Subject::New(Box::new(session)),
        Claim::Held(&lock),
        options,
        people,
        &name,
        &address,
    )?;
    tell(context, "run", &session, &standing, &address)
}

/// The environment of this process, as far as it is text: what is not cannot be passed on unharmed.
fn caller() -> Vec<(String, String)> {
    std::env::vars_os()
        .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)))
        .collect()
}

/// What all processes of a run get to see: the same rule when it starts and when it goes on.
pub(super) fn process_environment(
    plan: &Plan,
    config: &Config,
    values: &Values,
) -> Vec<(String, String)> {
    let policy = &config.values.policy;
    let isolate = plan.isolate_env.or(policy.isolate_env).unwrap_or(false);
    let mut pass = plan.pass_env.clone();
    pass.extend(policy.pass_env.iter().flatten().cloned());
    environment::base(caller(), isolate, &pass, &values.all())
}

/// What no log may show: secret variables, and passwords that come with the connections.
pub(super) fn secrets(
    values: &Values,
    env: &[(String, String)],
    postgres: &[(String, String)],
) -> Vec<String> {
    let mut secrets = values.masks();
    secrets.extend(
        postgres
            .iter()
            .filter(|(name, value)| name == "PGPASSWORD" && is_maskable(value))
            .map(|(_, value)| value.clone()),
    );
    secrets.extend(env.iter().filter_map(|(_, value)| url_password(value)));
    secrets
}

pub(super) fn options(
    context: &Context,
    arguments: &DriveArgs,
    config: &Config,
    env: Vec<(String, String)>,
    values: &Values,
    postgres: Vec<(String, String)>,
) -> Options {
    let cores = || std::thread::available_parallelism().map_or(2, std::num::NonZero::get);
    let jobs = arguments
        .jobs
        .or(config.values.policy.jobs.map(|n| usize::from(n.get())))
        .unwrap_or_else(cores);
    let secrets = secrets(values, &env, &postgres);
    Options {
        by: context.actor(),
        jobs: jobs.max(1),
        wait: arguments.wait,
        typed: Watcher::typed(context),
        env,
        secrets,
        postgres,
        binary: std::env::current_exe().unwrap_or_else(|_| "orchestrate".into()),
        override_window: arguments.override_window.clone(),
        accept_drift: None,
        first: None,
        tick: Watcher::tick(context),
    }
}

/// The password in a URL like `scheme://user:password@host/`, as it is spelled there.
fn url_password(value: &str) -> Option<String> {
    let (_, rest) = value.split_once("://")?;
    let authority = rest.split(['/', '?', '#']).next()?;
    let (user, _) = authority.rsplit_once('@')?;
    let (_, password) = user.split_once(':')?;
    is_maskable(password).then(|| password.to_owned())
}

/// A password of a letter or three is no secret, and masking it would garble every log.
fn is_maskable(password: &str) -> bool {
    password.len() >= LEAST_MASKED
}

/// Drives a run in a runtime of its own, on this thread.
pub(super) fn go(
    context: &Context,
    subject: Subject,
    claim: Claim<'_>,
    options: Options,
    people: People,
    run: &str,
    address: &Address,
) -> Result<(Session, Standing), Failure> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|error| Failure::io(format!("the runtime cannot start: {error}")))?;
    let mut watcher = Watcher::new(context, people, address);
    let result = tokio::task::LocalSet::new()
        .block_on(&runtime, drive(subject, claim, options, &mut watcher));
    watcher.end();
    // Threads that read the terminal end with the process.
    runtime.shutdown_background();
    let resume = address.command(&format!("orchestrate resume {run}"));
    result.map_err(|error| match error {
        DriveError::Rejected(rejected) => {
            Failure { exit_code: rejected.exit_code(), ..Failure::refused(rejected) }
        }
        DriveError::Supervisor(crate::run::supervise::SupervisorError::Refused(refusal)) => {
            Failure::refused(format!("somebody else drives run {run}: {refusal}"))
                .next(address.command(&format!("orchestrate status {run} --watch")))
        }
        DriveError::Locked(LockError::Held { .. }) => {
            Failure::refused(format!("run {run} cannot be taken: {error}"))
                .next(address.command(&format!("orchestrate status {run}")))
        }
        DriveError::Record(_) => Failure::io(&error)
            .means("no new step was started; what was running is carried to its end and its end is kept")
            .next(format!("make room or mend the disk, then `{resume}`")),
        _ => Failure::io(&error)
            .means("what was running is carried to its end and its end is kept; nothing new was started")
            .next(resume),
    })
}

/// Takes the lock of a migration in an environment, or says who has it.
pub(super) fn lock(
    state_dir: &StateDir,
    migration: &str,
    environment: Option<&str>,
    run: &str,
) -> Result<Lock, Failure> {
    let path = state_dir.lock_path(migration, environment);
    Lock::try_acquire(&path, &Holder::this_process(run)).map_err(|error| match error {
        LockError::Held { .. } => {
            Failure::refused(format!("another run of {migration} is going on: {error}"))
                .next("wait for it, or look at it with `orchestrate status`")
        }
        LockError::Io { .. } | LockError::Note(_) => {
            Failure::io(error).means("nothing was started")
        }
    })
}

/// SPEC section 6: `run` refuses while an unfinished run of the same migration and environment exists.
fn unfinished(
    state_dir: &StateDir,
    migration: &str,
    environment: Option<&str>,
    address: &Address,
) -> Result<(), Failure> {
    for (run, folder) in state_dir.runs().map_err(Failure::io)?.into_iter().rev() {
        let view = match View::open(run.clone(), folder) {
            Ok(view) => view,
            Err(error) => {
                return Err(Failure::refused(format!(
                    "run {run} cannot be read, and it may be unfinished: {error}"
                ))
                .next(address.command(&format!("orchestrate audit {run}"))));
            }
        };
        let same =
            view.state.started.as_ref().is_some_and(|s| {
                s.migration == migration && s.environment.as_deref() == environment
            });
        if same && is_unfinished(&view) {
            return Err(
                Failure::refused(format!("run {run} of this migration is not finished")).next(
                    format!(
                        "go on with `{}`, or go back with `{}`",
                        address.command(&format!("orchestrate resume {run}")),
                        address.command(&format!("orchestrate rollback {run} --level full")),
                    ),
                ),
            );
        }
    }
    Ok(())
}

fn enough_space(state_dir: &StateDir) -> Result<(), Failure> {
    let stat = rustix::fs::statvfs(state_dir.path())
        .map_err(|e| Failure::io(format!("{}: {e}", state_dir.path().display())))?;
    let free = stat.f_bavail.saturating_mul(stat.f_frsize);
    if free >= LEAST_FREE {
        return Ok(());
    }
    Err(Failure::refused(format!(
        "{} has {} MiB left; a run wants at least {} MiB for its record",
        state_dir.path().display(),
        free / (1024 * 1024),
        LEAST_FREE / (1024 * 1024)
    ))
    .next("make room, or name another folder with --state-dir"))
}

/// The key of this place's fingerprints of secrets: made once, never shown.
pub(super) fn secret_key(state_dir: &StateDir) -> Result<Vec<u8>, Failure> {
    let path = state_dir.path().join("key");
    match std::fs::read(&path) {
        Ok(key) => Ok(key),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            let mut key = vec![0; 32];
            std::fs::File::open("/dev/urandom")
                .and_then(|mut source| source.read_exact(&mut key))
                .map_err(|e| Failure::io(format!("no randomness for a key: {e}")))?;
            durable::replace(&path, &key, 0o600).map_err(Failure::io)?;
            Ok(key)
        }
        Err(error) => Err(Failure::io(format!("{}: {error}", path.display()))),
    }
}

/// "start?"
fn confirm(
    context: &Context,
    prepared: &Prepared,
    environment: Option<&str>,
    production: bool,
) -> Result<bool, Failure> {
    let program = &prepared.program;
    let place = environment.unwrap_or("no environment named");
    context.say(&format!(
        "{}: {} phases, {} steps, in {place}{}",
        program.name,
        program.phases.len(),
        program.steps.len(),
        if production { " (production)" } else { "" }
    ));
    context.say("start? [y/N] (--dry-run shows what would run)");
    ask_yes()
}

/// Reads one line from the terminal.
pub(super) fn ask_yes() -> Result<bool, Failure> {
    let mut line = String::new();
    std::io::stdin()
        .lock()
        .read_line(&mut line)
        .map_err(Failure::io)?;
    Ok(matches!(line.trim().to_lowercase().as_str(), "y" | "yes"))
}

/// The plan's folder of a run that began earlier must still be there.
pub(super) fn still_there(plan_dir: &Path) -> Result<(), Failure> {
    if plan_dir.is_dir() {
        return Ok(());
    }
    Err(Failure::refused(format!(
        "the plan's folder {} is gone; its commands run there",
        plan_dir.display()
    ))
    .next("put it back, then go on"))
}

#[cfg(test)]
mod tests {
    use super::url_password;

    #[test]
    fn passwords_in_urls_are_found() {
        let found = |value| url_password(value);
        assert_eq!(
            found("postgresql://me:p%40ss@db:5432/x"),
            Some("p%40ss".to_owned())
        );
        assert_eq!(found("https://example.org/a:b@c"), None);
        assert_eq!(found("postgres:///x?host=/tmp"), None);
        assert_eq!(found("plain"), None);
    }
}
