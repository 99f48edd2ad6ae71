//! `manifest new`: a migration drafted from two documents.

use std::io::Write as _;
use std::path::Path;

use serde_json::json;

use super::super::context::Context;
use super::super::failure::Failure;
use super::arguments::NewArgs;
use super::engine::Known;
use super::output::result;
use super::show::read;
use super::tree::{Command, shown};
use crate::base::durable;
use crate::manifest::sketch::{Settings, Sketch, sketch};
use crate::show::text::visible;

const VERB: &str = "manifest new";

pub(super) fn verb(context: &Context, arguments: &NewArgs) -> Result<u8, Failure> {
    let known = Known::load(context, &arguments.migrations)?;
    let kind = known.engine.kind();
    let (before, after) = (document(&arguments.before)?, document(&arguments.after)?);
    let settings = Settings {
        kind: &kind.name,
        version_pointer: &kind.version_pointer,
        identity: &kind.identity,
    };
    let sketch = sketch(&before, &after, settings).map_err(|error| {
        Failure::usage(format!("failed to {}", visible(&error.to_string())))
            .next("mend the documents, or name others")
    })?;
    if let Some(out) = &arguments.out {
        write(out, &sketch.text)?;
    }
    if context.json() {
        context.print_json(&json!({
            "format_version": 1,
            "type": "migration",
            "from": sketch.from.to_string(),
            "to": sketch.to.to_string(),
            "breaking": sketch.breaking,
            "complete": sketch.complete,
            "open": sketch.open,
            "file": arguments.out.as_deref().map(shown),
            "text": sketch.text,
        }));
    } else if arguments.out.is_none() {
        context.print(&sketch.text);
    }
    tell(context, arguments, &sketch);
    result(context, VERB, 0, None, &json!({}));
    Ok(0)
}

fn document(file: &Path) -> Result<Vec<u8>, Failure> {
    read(file)?.ok_or_else(|| {
        Failure::usage(format!("there is no file {}", visible(&shown(file))))
            .next("name a document as it is, and the same one as it should become")
    })
}

/// A file of that name may be somebody's work: it is never replaced.
fn write(out: &Path, text: &str) -> Result<(), Failure> {
    let name = visible(&shown(out));
    let failed = |error: &dyn std::fmt::Display| {
        Failure::io(format!("write {name}: {error}")).means("no migration was written")
    };
    let folder = match out.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    };
    let mut file = std::fs::OpenOptions::new()
        .write(true)
        .create_new(true)
        .open(out)
        .map_err(|error| match error.kind() {
            std::io::ErrorKind::AlreadyExists => {
                Failure::refused(format!("{name} is there already, and is never overwritten"))
                    .next("name another file with --out")
            }
            _ => failed(&error),
        })?;
    file.write_all(text.as_bytes())
        .and_then(|()| file.sync_all())
        .map_err(|error| failed(&error))?;
    durable::sync_dir(folder).map_err(|error| failed(&error))
}

/// What a person has to decide, and what to type next.
fn tell(context: &Context, arguments: &NewArgs, sketch: &Sketch) {
    let kind = if sketch.breaking {
        "breaking"
    } else {
        "additive"
    };
    let file = match &arguments.out {
        Some(out) => visible(&shown(out)),
        None => "standard output".to_owned(),
    };
    context.say(&format!(
        "drafted the {kind} migration {} to {}: {file}",
        sketch.from, sketch.to
    ));
    for open in &sketch.open {
        context.say(&format!("  to decide: {}", visible(open)));
    }
    if !sketch.complete {
        context.say("  so: as it stands it does not make the first document the second one");
    }
    if let Some(folder) = arguments.out.as_deref().and_then(Path::parent) {
        let folder = match folder.as_os_str().is_empty() {
            true => Path::new("."),
            false => folder,
        };
        let command = Command::new("manifest migrate")
            .option("--kind", arguments.migrations.kind.as_deref())
            .option("--migrations", Some(&shown(folder)))
            .flag("--dry-run", true);
        context.say(&format!("next: {}", command.into_text()));
    }
}
