//! `preview`, and `run --dry-run`: what a run would do.
//!
//! Nothing is run and nothing is written unless `--probe` asks for it; then checks are measured in a temporary folder
//! that is gone afterwards.

use std::collections::BTreeMap;

use jiff::Timestamp;

use super::arguments::{Output, PreviewArgs};
use super::context::Context;
use super::failure::Failure;
use super::prepare::{Prepared, prepare};
use super::run::{process_environment, secrets};
use super::variables::{self, Values};
use crate::base::id::{ItemId, StepId};
use crate::run::drive::{Before, measure_before};
use crate::run::engine::Verdict;
use crate::show::preview::{Measured, Preview, Variables};
use crate::show::text::Look;
use crate::show::{gantt, mermaid};

/// What is shown, and for which verb.
pub(super) struct Shown<'a> {
    pub(super) verb: &'static str,
    pub(super) prepared: &'a Prepared,
    pub(super) environment: Option<&'a str>,
    pub(super) values: &'a Values,
    pub(super) left_out: &'a [StepId],
    /// Measure what can be measured.
    pub(super) probe: bool,
}

pub(super) fn verb(context: &Context, arguments: &PreviewArgs) -> Result<u8, Failure> {
    let prepared = prepare(context, &arguments.plan)?;
    let (environment, _) = prepared.environment(arguments.env.as_deref())?;
    let values = variables::resolve(
        prepared.plan(),
        environment.as_deref(),
        &arguments.variables,
        &prepared.plan_dir,
        arguments.probe,
    )?;
    let left_out = prepared.left_out(
        arguments.from.as_deref(),
        arguments.until.as_deref(),
        arguments.only.as_deref(),
    )?;
    let shown = Shown {
        verb: "preview",
        prepared: &prepared,
        environment: environment.as_deref(),
        values: &values,
        left_out: &left_out,
        probe: arguments.probe,
    };
    show(context, &shown)
}

pub(super) fn show(context: &Context, shown: &Shown<'_>) -> Result<u8, Failure> {
    let program = &shown.prepared.program;
    let now = Timestamp::now();
    let left_out = || -> Vec<bool> {
        let ids: std::collections::HashSet<&StepId> = shown.left_out.iter().collect();
        program
            .steps
            .iter()
            .map(|step| ids.contains(&step.id))
            .collect()
    };
    match context.output() {
        Output::Mermaid => context.print(&mermaid::flowchart(program, &left_out())),
        Output::Svg => context.print(&gantt::svg(&gantt::planned(program, &left_out(), now))),
        output => {
            let mut preview = Preview::new(
                program,
                shown.environment,
                variables(shown),
                shown.left_out,
                now,
            );
            preview.by_command = by_command(shown);
            if shown.probe {
                preview = preview.with_verdicts(&measure(context, shown, &left_out())?);
            }
            if output == Output::Json {
                context.print_json(&serde_json::to_value(&preview).map_err(Failure::io)?);
            } else {
                context.print(&preview.text(Look {
                    width: context.width,
                    colour: context.colour,
                }));
            }
        }
    }
    let state = if shown.verb == "run" {
        "dry_run"
    } else {
        "previewed"
    };
    context.result(shown.verb, 0, None, Some(state));
    Ok(0)
}

/// Values by name; those of secrets are not even kept.
fn variables(shown: &Shown<'_>) -> Variables {
    let plain = shown.values.plain.iter();
    let secret = shown.values.secret.keys();
    plain
        .map(|(name, value)| (name.clone(), Some(value.clone())))
        .chain(secret.map(|name| (name.clone(), None)))
        .collect()
}

/// Variables whose value only their command knows, which is not run.
fn by_command(shown: &Shown<'_>) -> Vec<String> {
    let values = shown.values;
    shown
        .prepared
        .plan()
        .variables
        .keys()
        .filter(|name| !values.plain.contains_key(*name) && !values.secret.contains_key(*name))
        .filter(|name| {
            let declared = &shown.prepared.plan().variables[*name];
            !declared.command.is_empty()
        })
        .cloned()
        .collect()
}

/// Measures checks before the run, in a folder of its own that is removed.
fn measure(
    context: &Context,
    shown: &Shown<'_>,
    left_out: &[bool],
) -> Result<BTreeMap<ItemId, Measured>, Failure> {
    let prepared = shown.prepared;
    let config = context.config(&prepared.plan_dir)?;
    let postgres = prepared.postgres(shown.environment)?;
    let env = process_environment(prepared.plan(), &config, shown.values);
    let secrets = secrets(shown.values, &env, &postgres);
    let scratch = tempfile::tempdir().map_err(Failure::io)?;
    let before = Before {
        scratch: scratch.path().to_owned(),
        plan_dir: prepared.plan_dir.clone(),
        environment: shown.environment.map(str::to_owned),
        env,
        secrets,
        postgres,
        binary: std::env::current_exe().unwrap_or_else(|_| "orchestrate".into()),
    };
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|error| Failure::io(format!("the runtime cannot start: {error}")))?;
    let wanted = |step: usize| !left_out.get(step).copied().unwrap_or(false);
    let found = tokio::task::LocalSet::new()
        .block_on(&runtime, measure_before(&prepared.program, before, wanted))
        .map_err(|error| {
            Failure::io(error).means("checks were not measured; without --probe the rest is shown")
        })?;
    Ok(found
        .into_iter()
        .map(|(id, found)| {
            let (verdict, detail) = match found {
                Ok((Verdict::Pass, detail)) => ("pass", detail),
                Ok((Verdict::Fail, detail)) => ("fail", detail),
                Ok((Verdict::Inconclusive, detail)) => ("inconclusive", detail),
                Err(why) => ("not_measured", why.to_owned()),
            };
            (id, Measured { verdict, detail })
        })
        .collect())
}
