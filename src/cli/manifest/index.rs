//! `manifest index`.

use std::path::Path;

use jiff::Timestamp;
use rustix::fs::Stat;

use super::super::context::Context;
use super::super::failure::Failure;
use super::arguments::IndexArgs;
use super::engine::Known;
use super::output::{Meter, result, tell};
use super::tree::{Root, place};
use crate::manifest::files::{Class, Look, Seen};
use crate::manifest::index::{
    Found, IndexError, Judged, Objection, Progress, Reading, Settings, Source, Stamp, Target,
    update,
};
use crate::show::manifest::{self, Indexing};

const VERB: &str = "manifest index";

pub(super) fn verb(context: &Context, arguments: &IndexArgs) -> Result<u8, Failure> {
    let root = Root::of(&arguments.tree.root)?;
    let known = Known::load(context, &arguments.tree.migrations)?;
    let pattern = known.pattern(arguments.tree.pattern.as_deref());
    let place = place(context, &root, &pattern, None)?;
    let target = target(arguments, &root, context.given_state_dir())?;
    let look = Look::open(&place).map_err(|error| Failure::usage(format!("failed to {error}")))?;
    let settings = Settings {
        root: root.path.clone(),
        fingerprint: known.fingerprint(),
        rebuild: arguments.rebuild,
        workers: place.workers,
    };
    let kind = known.engine.kind().name.clone();
    let source = Source {
        read: &|path| match look.read(path) {
            Ok((bytes, stat)) => Reading::Bytes {
                bytes,
                stamp: stamp(&stat),
            },
            Err(problem) if problem.class == Class::Vanished => Reading::Gone,
            Err(problem) => Reading::Unreadable(problem.message),
        },
        judge: &|_, text| {
            known
                .engine
                .inspect(text)
                .map(|version| Judged {
                    kind: kind.clone(),
                    version: version.to_string(),
                })
                .map_err(|refused| Objection {
                    class: refused.class().to_owned(),
                    message: refused.to_string(),
                    place: refused
                        .place()
                        .map(|(line, column)| (line as u64, column as u64)),
                })
        },
        now_ns: &|| i64::try_from(Timestamp::now().as_nanosecond()).unwrap_or(i64::MAX),
    };
    let mut meter = Meter::new(context, "index", None);
    let mut last = manifest::Progress::default();
    let report = update(
        &target,
        &settings,
        source,
        &mut look.files().map(found),
        &mut |progress| {
            last = shown(progress);
            meter.show(last);
        },
    );
    meter.end(last);
    let report = report.map_err(failure)?;
    let indexing = Indexing {
        place: root.place(&pattern),
        database: target.to_string(),
        unchanged: report.unchanged,
        read: report.read,
        removed: report.removed,
        manifests: report.manifests,
        problems: report.problems.into_iter().collect(),
        because: report.because.map(str::to_owned),
    };
    tell(context, &indexing.ledger());
    result(context, VERB, 0, None, &indexing.json());
    Ok(0)
}

/// Where the index lives: what was typed, else a file in the state folder.
fn target(arguments: &IndexArgs, root: &Root, state: Option<&Path>) -> Result<Target, Failure> {
    let given = match (&arguments.database, &arguments.database_env) {
        (Some(typed), _) => Some(typed.clone()),
        (None, Some(name)) => {
            let value = std::env::var(name).map_err(|_| {
                Failure::usage(format!("the environment variable {name} is not set")).next(
                    "set it to a postgres:// URL or a file, or name the database with --database",
                )
            })?;
            Some(value)
        }
        (None, None) => None,
    };
    match (given, state) {
        (Some(given), _) => Target::parse(&given).map_err(failure),
        (None, Some(state)) => Ok(Target::Sqlite {
            file: state.join("manifests.sqlite"),
            default: true,
        }),
        (None, None) => Ok(Target::of_tree(&root.path)),
    }
}

fn found(seen: Seen) -> Found {
    match seen {
        Seen::File(path, stat) => Found::Manifest {
            path,
            stamp: stamp(&stat),
        },
        Seen::Problem(problem) => Found::Unreadable {
            path: problem.path,
            message: problem.message,
        },
    }
}

fn stamp(stat: &Stat) -> Stamp {
    let nanoseconds = |seconds: i64, rest: u64| {
        let rest = i64::try_from(rest).unwrap_or(0);
        seconds.saturating_mul(1_000_000_000).saturating_add(rest)
    };
    Stamp {
        size: u64::try_from(stat.st_size).unwrap_or(0),
        mtime_ns: nanoseconds(stat.st_mtime, stat.st_mtime_nsec),
        ctime_ns: nanoseconds(stat.st_ctime, stat.st_ctime_nsec),
        inode: stat.st_ino,
    }
}

fn shown(progress: Progress) -> manifest::Progress {
    match progress {
        Progress::Walking { found } => manifest::Progress {
            done: found,
            total: None,
            failed: 0,
        },
        Progress::Reading { done, due } => manifest::Progress {
            done,
            total: Some(due),
            failed: 0,
        },
    }
}

fn failure(error: IndexError) -> Failure {
    let message = format!("failed to {error}");
    let means = "no document was changed: the index is only a copy of what they say";
    let failure = match error.exit_code() {
        2 => Failure::usage(message),
        9 => Failure::refused(message),
        _ => Failure::io(message),
    };
    failure.means(means)
}
