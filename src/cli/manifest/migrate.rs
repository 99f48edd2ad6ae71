//! `manifest migrate`.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use jiff::Timestamp;
use serde_json::json;

use super::super::context::{Context, absolute};
use super::super::failure::Failure;
use super::arguments::MigrateArgs;
use super::engine::{Known, target};
use super::eyes::Eyes;
use super::output::{Meter, result, tell};
use super::tree::{Command, Root, place, shown};
use super::{VersionOrText, confirm, interrupt};
use crate::manifest::Target;
use crate::manifest::files::{self, Ended, Input, MigrateError, Options, RecordError, Summary};
use crate::show::manifest::Migration;
use crate::show::text::visible;

const VERB: &str = "manifest migrate";

pub(super) fn verb(context: &Context, arguments: &MigrateArgs) -> Result<u8, Failure> {
    let root = Root::of(&arguments.tree.root)?;
    let known = Known::load(context, &arguments.tree.migrations)?;
    let wanted = target(&known, &arguments.target_version)?;
    let pattern = known.pattern(arguments.tree.pattern.as_deref());
    let mut place = place(context, &root, &pattern, arguments.workers)?;
    let mut said = root.place(&pattern);
    if let Some(file) = &arguments.manifest {
        let only = only(&root, file)?;
        said = format!("named {}", shown(&root.join(&only)));
        place.only = Some(only);
    }
    let settings = json!({
        "kind": known.engine.kind().name,
        "target_version": wanted.to_string(),
        "migrations": known.fingerprint(),
    });
    let mut options = Options::new(place, settings, Timestamp::now());
    options.limit = arguments.limit;
    options.backup = !arguments.no_backup;
    options.check_space = !arguments.no_space_check;
    if !arguments.dry_run {
        let backups = if arguments.no_backup {
            "without backups, so there is no way back but what the migrations themselves allow"
        } else {
            "each is backed up first"
        };
        let what = format!(
            "migrate the manifests {} to {wanted}; {backups}",
            visible(&said)
        );
        confirm(
            context,
            arguments.yes,
            &what,
            "start? (--dry-run shows what would change)",
        )?;
    }

    let stop = interrupt::flag()?;
    let meter = Meter::new(context, "migrate", arguments.progress_file.as_deref());
    let eyes = Eyes::new(context, &root, meter, true);
    let transform = |input: Input<'_>| files::change(&known.engine, Target::Exact(wanted), input);
    let outcome = if arguments.dry_run {
        files::dry_run(&options, transform, &mut &eyes, &stop)
    } else {
        files::migrate(&options, transform, &mut &eyes, &stop)
    };
    let not_shown = eyes.not_shown();
    let learnt = eyes.close();
    let again = again(context, arguments);
    let summary = outcome.map_err(|error| of_migrate(error, &again))?;
    let mut migration = told(&summary);
    migration.place = said;
    migration.target = wanted.to_string();
    migration.failures = learnt.failures.clone();
    migration.dry_run = arguments.dry_run;
    migration.not_shown = not_shown;
    migration.backup = !arguments.no_backup;
    migration.again = again;
    migration.verify = Command::new("manifest verify")
        .tree(&arguments.tree)
        .option("--require-version", Some(&wanted.to_string()))
        .into_text();
    migration.restore = migration
        .id
        .as_ref()
        .filter(|_| !arguments.no_backup)
        .map(|id| {
            Command::new("manifest restore")
                .word(&arguments.tree.root)
                .option("--run", Some(id))
                .state_dir(context)
                .into_text()
        });

    let exit_code = migration.exit_code();
    let counts = migration.json();
    tell(context, &migration.ledger());
    learnt.write(arguments.result.as_deref(), &counts)?;
    result(context, VERB, exit_code, migration.id.as_deref(), &counts);
    Ok(exit_code)
}

/// The one document that is meant, from the root: found from here, else from the root.
pub(super) fn only(root: &Root, file: &Path) -> Result<PathBuf, Failure> {
    let name = visible(&shown(file));
    let below = |path: &Path| {
        let folder = path.parent()?.canonicalize().ok()?;
        let whole = folder.join(path.file_name()?);
        whole.symlink_metadata().ok()?;
        Some(whole)
    };
    let Some(found) = below(&absolute(file)?).or_else(|| below(&root.path.join(file))) else {
        return Err(Failure::usage(format!(
            "there is no file {name}, neither from here nor from {}",
            visible(&shown(&root.typed))
        ))
        .next("name the document by its path from here, or from ROOT"));
    };
    found
        .strip_prefix(&root.path)
        .map(Path::to_owned)
        .map_err(|_| {
            Failure::usage(format!(
                "{name} is not below {}",
                visible(&shown(&root.typed))
            ))
            .next("name a folder that holds it as ROOT")
        })
}

/// The counts of the files side as they are told: each document in exactly one row.
fn told(summary: &Summary) -> Migration {
    let counts = &summary.counts;
    let mut from: BTreeMap<VersionOrText, u64> = BTreeMap::new();
    for ((before, _), n) in &counts.versions {
        *from.entry(before.as_str().into()).or_default() += n;
    }
    Migration {
        from: from
            .into_iter()
            .map(|(version, n)| (version.to_string(), n))
            .collect(),
        current: counts.current,
        remaining: counts.total.saturating_sub(counts.looked),
        interrupted: summary.ended == Ended::Stopped,
        stopped: match &summary.ended {
            Ended::DiskFull => {
                Some("the disk is full; make room, then type the same command again".to_owned())
            }
            Ended::Broken(why) => Some(format!("{why}; then type the same command again")),
            Ended::Finished | Ended::Limit | Ended::Stopped => None,
        },
        broken: matches!(summary.ended, Ended::Broken(_)),
        before: counts.migrated_before,
        swept: counts.swept,
        id: summary.run.clone(),
        ..Migration::default()
    }
}

/// The same command, but for the dry run.
fn again(context: &Context, arguments: &MigrateArgs) -> String {
    let (limit, workers) = (
        arguments.limit.map(|n| n.to_string()),
        arguments.workers.map(|n| n.to_string()),
    );
    let manifest = arguments.manifest.as_deref().map(shown);
    Command::new(VERB)
        .tree(&arguments.tree)
        .target(&arguments.target_version)
        .option("--manifest", manifest.as_deref())
        .option("--limit", limit.as_deref())
        .option("--workers", workers.as_deref())
        .flag("--no-backup", arguments.no_backup)
        .flag("--no-space-check", arguments.no_space_check)
        .state_dir(context)
        .into_text()
}

/// Why nothing began.
pub(super) fn of_migrate(error: MigrateError, again: &str) -> Failure {
    let message = format!("failed to {error}");
    match &error {
        MigrateError::Root { .. } => Failure::usage(message),
        MigrateError::Busy { .. } => {
            Failure::refused(message).next(format!("wait until it has ended, then {again}"))
        }
        MigrateError::Space(_) => Failure::refused(message).next(format!(
            "make room, then {again}; --no-space-check goes ahead all the same"
        )),
        MigrateError::Record(record) => of_record(record),
    }
}

/// What a record that does not let anything begin means.
pub(super) fn of_record(error: &RecordError) -> Failure {
    let message = format!("failed to {error}");
    match error {
        RecordError::Lock(_) => {
            Failure::refused(message).next("wait until it has ended, then type the same command again")
        }
        RecordError::OtherSettings { id, .. } => Failure::refused(message).next(format!(
            "go on with the settings of run {id}, or take back what it did"
        )),
        RecordError::NoSuchRun { .. } => Failure::usage(message)
            .next("leave --run out to restore every migration of this folder, or name the state folder with --state-dir"),
        _ => Failure::io(message)
            .means("nothing was started or changed")
            .next("look at the state folder, or name another one with --state-dir"),
    }
}
