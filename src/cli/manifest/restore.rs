//! `manifest restore`.

use std::path::Path;

use jiff::Timestamp;

use super::super::context::Context;
use super::super::failure::Failure;
use super::arguments::RestoreArgs;
use super::engine::Known;
use super::eyes::Eyes;
use super::migrate::{of_migrate, of_record, only};
use super::output::{Meter, result, tell};
use super::tree::{Command, Root, place, shown};
use super::{confirm, interrupt};
use crate::manifest::files::{
    Durability, EndState, Entry, RestoreOptions, Restored, Runs, Scope, restore, trace_of,
};
use crate::show::manifest::Restoration;
use crate::show::text::visible;

const VERB: &str = "manifest restore";

pub(super) fn verb(context: &Context, arguments: &RestoreArgs) -> Result<u8, Failure> {
    let root = Root::of(&arguments.tree.root)?;
    let known = Known::load(context, &arguments.tree.migrations)?;
    let pattern = known.pattern(arguments.tree.pattern.as_deref());
    let mut place = place(context, &root, &pattern, None)?;
    let mut said = format!("below {}", shown(&root.typed));
    if let Some(file) = &arguments.manifest {
        let only = only(&root, file)?;
        said = format!("named {}", shown(&root.join(&only)));
        place.only = Some(only);
    }
    let runs = Runs::of(&place.state);
    let scopes = scopes(arguments, &runs, &root.path)?;
    let again = Command::new(VERB)
        .tree(&arguments.tree)
        .option("--run", arguments.run.as_deref())
        .option(
            "--manifest",
            arguments.manifest.as_deref().map(shown).as_deref(),
        )
        .flag("--by-history", arguments.by_history)
        .state_dir(context)
        .into_text();
    if !scopes.is_empty() {
        let what = match scopes.len() {
            _ if arguments.by_history => {
                format!(
                    "put back the manifests {}, each by its own history",
                    visible(&said)
                )
            }
            1 => format!(
                "put back what 1 migration changed in the manifests {}",
                visible(&said)
            ),
            n => format!(
                "put back what {n} migrations changed in the manifests {}",
                visible(&said)
            ),
        };
        confirm(context, arguments.yes, &what, "put back?")?;
    }

    let stop = interrupt::flag()?;
    let mut eyes = Eyes::new(context, &root, Meter::new(context, "restore", None), false);
    if scopes.len() > 1 {
        eyes = eyes.several();
    }
    let mut whole = Restored::default();
    for scope in scopes {
        let options = RestoreOptions {
            place: place.clone(),
            scope,
            durability: Durability::Auto,
            now: Timestamp::now(),
        };
        let part = restore(
            &options,
            |path, text| trace_of(&known.engine, path, text),
            &mut &eyes,
            &stop,
        )
        .map_err(|error| of_migrate(error, &again))?;
        whole.restored += part.restored;
        whole.original += part.original;
        whole.stopped |= part.stopped;
        whole.broken = whole.broken.or(part.broken);
        // What an older migration changed can be put back only where the newer one is gone.
        if whole.stopped || whole.broken.is_some() {
            break;
        }
    }
    // A document that several migrations changed was put back several times, and is one document.
    let restored = eyes.changed_once().unwrap_or(whole.restored);
    let learnt = eyes.close();
    let restoration = Restoration {
        place: said,
        restored,
        current: whole.original,
        failures: learnt.failures.clone(),
        interrupted: whole.stopped,
        broken: whole.broken,
        again,
    };
    let exit_code = restoration.exit_code();
    let counts = restoration.json();
    tell(context, &restoration.ledger());
    learnt.write(arguments.result.as_deref(), &counts)?;
    result(context, VERB, exit_code, arguments.run.as_deref(), &counts);
    Ok(exit_code)
}

/// What is taken back, in this order: the run that was named, or every run of this tree that is not taken back yet, the
/// last one first.
fn scopes(arguments: &RestoreArgs, runs: &Runs, root: &Path) -> Result<Vec<Scope>, Failure> {
    if arguments.by_history {
        return Ok(vec![Scope::Place]);
    }
    if let Some(id) = &arguments.run {
        let found = runs.find(id).map_err(|error| of_record(&error))?;
        return Ok(vec![Scope::Run(found.run.id)]);
    }
    let own = Entry::spell(root);
    let all = runs.list().map_err(|error| of_record(&error))?;
    let open = all.into_iter().filter(|listed| {
        let restored = listed.end.as_ref().map(|end| end.state) == Some(EndState::Restored);
        listed.run.root == own && !restored
    });
    Ok(open.map(|listed| Scope::Run(listed.run.id)).collect())
}
