//! `approve`, `attest`, `resolve`: people's answers.

use std::path::Path;

use super::arguments::{ApproveArgs, ResolveArgs};
use super::context::Context;
use super::failure::Failure;
use super::people::People;
use super::resume::{deliver, is_driven};
use crate::base::durable::{self, Holder, Lock, LockError};
use crate::base::id::{Digest, file_stem};
use crate::run::drive::{Letter, View};
use crate::run::engine::{Actor, Answer, Resolution, standing};
use crate::run::journal::StateDir;
use crate::show::answer::{Address, next_command};

pub(super) fn approve(context: &Context, arguments: &ApproveArgs) -> Result<u8, Failure> {
    let answer = if arguments.reject {
        Answer::Reject
    } else {
        Answer::Approve
    };
    named(context, "approve", arguments, answer)
}

pub(super) fn attest(context: &Context, arguments: &ApproveArgs) -> Result<u8, Failure> {
    let answer = if arguments.reject {
        Answer::Reject
    } else {
        Answer::Attest
    };
    named(context, "attest", arguments, answer)
}

fn named(
    context: &Context,
    verb: &str,
    arguments: &ApproveArgs,
    answer: Answer,
) -> Result<u8, Failure> {
    if arguments.name.trim().is_empty() || arguments.name.contains('<') {
        return Err(Failure::usage(
            "--as wants the name of the person who answers",
        ));
    }
    let given = Given {
        run: &arguments.run,
        item: &arguments.item,
        answer,
        by: context.actor_as(Some(&arguments.name)),
        reason: arguments.reason.clone(),
        evidence: arguments.evidence.as_deref(),
    };
    given.give(context, verb)
}

pub(super) fn resolve(context: &Context, arguments: &ResolveArgs) -> Result<u8, Failure> {
    let (mut how, mut name) = (None, arguments.by.clone());
    for word in &arguments.how {
        match resolution(word) {
            Some(resolution) if how.is_none() => how = Some(resolution),
            _ => name = Some(word.clone()),
        }
    }
    let Some(how) = how else {
        return Err(Failure::usage(format!(
            "{:?} is not a way to resolve",
            arguments.how.join(" ")
        ))
        .next("use --as done, undone, retry, proceed, rollback or abandon"));
    };
    let given = Given {
        run: &arguments.run,
        item: &arguments.item,
        answer: Answer::Resolve(how),
        by: context.actor_as(name.as_deref()),
        reason: arguments.reason.clone(),
        evidence: arguments.evidence.as_deref(),
    };
    given.give(context, "resolve")
}

fn resolution(word: &str) -> Option<Resolution> {
    Some(match word.to_lowercase().as_str() {
        "done" => Resolution::Done,
        "undone" => Resolution::Undone,
        "retry" => Resolution::Retry,
        "proceed" => Resolution::Proceed,
        "rollback" => Resolution::Rollback,
        "abandon" => Resolution::Abandon,
        _ => return None,
    })
}

struct Given<'a> {
    run: &'a str,
    item: &'a str,
    answer: Answer,
    by: Actor,
    reason: Option<String>,
    evidence: Option<&'a Path>,
}

impl Given<'_> {
    /// To the driver of the run if there is one, else into the journal.
    fn give(self, context: &Context, verb: &str) -> Result<u8, Failure> {
        let (state_dir, run, folder) = context.pick(Some(self.run))?;
        let view = context.view(run, folder)?;
        let address = Address::new(&state_dir, context.finds(&state_dir));
        let config = context.config(&view.inputs.plan_dir)?;
        let strict = view.program.separation_of_duties;
        People::new(&config, &self.by.user, strict).may_answer(&self.by.name)?;
        let evidence = self
            .evidence
            .map(|file| keep(&view, self.item, file))
            .transpose()?;
        let letter = Letter::Answer {
            item: self.item.to_owned(),
            answer: self.answer,
            by: self.by,
            reason: self.reason,
            evidence,
        };
        if is_driven(&state_dir, &view)? {
            return deliver(context, verb, &view, &letter, &address);
        }
        write(context, verb, &state_dir, view, letter, &address)
    }
}

/// Nobody drives the run: the answer goes into its journal here.
fn write(
    context: &Context,
    verb: &str,
    state_dir: &StateDir,
    view: View,
    letter: Letter,
    address: &Address,
) -> Result<u8, Failure> {
    let environment = view
        .state
        .started
        .as_ref()
        .and_then(|s| s.environment.clone());
    let path = state_dir.lock_path(&view.program.name, environment.as_deref());
    let holder = Holder::this_process(view.run.as_str());
    let patience = std::time::Duration::from_secs(5);
    let lock = match Lock::acquire_within(&path, &holder, patience) {
        Ok(lock) => lock,
        // A supervisor still carries a step to its end, or a driver has just taken the run.
        Err(LockError::Held { .. }) => return deliver(context, verb, &view, &letter, address),
        Err(error) => return Err(Failure::io(error).means("nothing was recorded")),
    };
    // What was read before the lock was taken may be old by now.
    let view = context.view(view.run, view.folder)?;
    let mut session = view.take().map_err(Failure::io)?;
    let decided = session.decide(letter.into_input()).map_err(Failure::io)?;
    if let Err(rejected) = decided {
        return Err(Failure {
            exit_code: rejected.exit_code(),
            ..Failure::refused(&rejected)
        }
        .means("nothing was recorded")
        .next(address.command(&format!("orchestrate status {}", session.run))));
    }
    session.sync().map_err(Failure::io)?;
    drop(lock);
    let standing = standing(&session.program, &session.state, jiff::Timestamp::now());
    context.say(&format!("recorded in run {}", session.run));
    if let Some(next) = next_command(&session.run, &standing, &session.state, address) {
        context.say(&format!("next: {next}"));
    }
    context.result(
        verb,
        0,
        Some(session.run.as_str()),
        Some(&standing.state.to_string()),
    );
    Ok(0)
}

/// Keeps a copy of a file that shows something, and names it with its digest.
fn keep(view: &View, item: &str, file: &Path) -> Result<String, Failure> {
    let bytes = std::fs::read(file).map_err(|e| {
        Failure::usage(format!(
            "the evidence {} cannot be read: {e}",
            file.display()
        ))
    })?;
    let digest = Digest::of(&bytes);
    let folder = view.folder.evidence(item);
    durable::create_dir_private(&folder).map_err(Failure::io)?;
    let name = file.file_name().map_or_else(
        || "evidence".to_owned(),
        |n| file_stem(&n.to_string_lossy()),
    );
    let path = folder.join(format!("{}-{name}", digest.short(12)));
    durable::replace(&path, &bytes, 0o600).map_err(Failure::io)?;
    let relative = path.strip_prefix(view.folder.path()).unwrap_or(&path);
    Ok(format!("{} sha256:{digest}", relative.display()))
}
