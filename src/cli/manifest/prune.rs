//! `manifest prune`.

use jiff::Timestamp;
use serde_json::json;

use super::super::context::Context;
use super::super::failure::Failure;
use super::arguments::PruneArgs;
use super::engine::Known;
use super::eyes::Eyes;
use super::migrate::of_migrate;
use super::output::{Meter, result, tell};
use super::tree::{Command, Root, place, shown};
use super::{confirm, interrupt, interrupted};
use crate::base::quantity::HumanDuration;
use crate::manifest::files::{PruneOptions, history_of, prune};
use crate::show::manifest::{NAMED, Pruning};
use crate::show::text::visible;

const VERB: &str = "manifest prune";

/// Milliseconds of a day.
const DAY: i64 = 86_400_000;

pub(super) fn verb(context: &Context, arguments: &PruneArgs) -> Result<u8, Failure> {
    let root = Root::of(&arguments.tree.root)?;
    let older_than_days = days(&arguments.older_than)?;
    let known = Known::load(context, &arguments.tree.migrations)?;
    let pattern = known.pattern(arguments.tree.pattern.as_deref());
    let said = root.place(&pattern);
    let options = PruneOptions {
        place: place(context, &root, &pattern, None)?,
        older_than_days,
        now: Timestamp::now(),
        dry_run: arguments.dry_run,
    };
    if !arguments.dry_run {
        let what = format!(
            "delete the backups that are older than {} and verify, of the manifests {}",
            visible(&arguments.older_than),
            visible(&said)
        );
        confirm(
            context,
            arguments.yes,
            &what,
            "delete? (--dry-run shows which)",
        )?;
    }
    let stop = interrupt::flag()?;
    let eyes = Eyes::new(context, &root, Meter::new(context, "prune", None), false);
    let mut told = 0;
    let each = |path: &std::path::Path, bytes: u64| {
        let path = shown(&root.join(path));
        told += 1;
        if context.json() {
            context.print_json(&json!({
                "format_version": 1,
                "type": "backup",
                "path": path,
                "bytes": bytes,
                "deleted": !arguments.dry_run,
            }));
        } else if arguments.dry_run && told <= NAMED {
            context.print(&format!("would delete {}\n", visible(&path)));
        }
    };
    let again = Command::new(VERB)
        .tree(&arguments.tree)
        .option("--older-than", Some(&arguments.older_than))
        .state_dir(context)
        .into_text();
    let pruned = prune(
        &options,
        |path, text| history_of(&known.engine, path, text),
        each,
        &mut &eyes,
        &stop,
    )
    .map_err(|error| of_migrate(error, &again))?;
    let learnt = eyes.close();
    if pruned.stopped && arguments.dry_run {
        return interrupted(context, VERB);
    }
    let pruning = Pruning {
        place: said,
        pruned: pruned.removed,
        freed: pruned.bytes,
        young: pruned.young,
        failures: learnt.failures,
        dry_run: arguments.dry_run,
        interrupted: pruned.stopped,
        older_than: arguments.older_than.clone(),
        again,
    };
    let exit_code = pruning.exit_code();
    tell(context, &pruning.ledger());
    result(context, VERB, exit_code, None, &pruning.json());
    Ok(exit_code)
}

/// Whole days: backups are a matter of days, and a part of one would only pretend to be exact.
fn days(typed: &str) -> Result<u32, Failure> {
    let next = "write a number of whole days or weeks, such as 7d or \"2 weeks\"";
    let wrong =
        |why: String| Failure::usage(format!("--older-than {}: {why}", visible(typed))).next(next);
    let age = HumanDuration::parse(typed).map_err(|error| wrong(format!("failed to {error}")))?;
    let ms = age.max_ms();
    if age.is_range() || ms % DAY != 0 {
        return Err(wrong("it is no number of whole days".to_owned()));
    }
    u32::try_from(ms / DAY).map_err(|_| wrong("it is too long".to_owned()))
}
