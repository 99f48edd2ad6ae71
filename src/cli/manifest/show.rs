//! `manifest show`: a document as another version would have it.

use std::io::Read as _;
use std::path::Path;

use jiff::Timestamp;
use serde_json::json;

use super::super::context::Context;
use super::super::failure::Failure;
use super::arguments::ShowArgs;
use super::engine::{Known, target};
use super::output::result;
use super::tree::shown;
use crate::manifest::json::MAX_BYTES;
use crate::manifest::{Outcome, Target};
use crate::show::text::visible;

const VERB: &str = "manifest show";

pub(super) fn verb(context: &Context, arguments: &ShowArgs) -> Result<u8, Failure> {
    let known = Known::load(context, &arguments.migrations)?;
    let wanted = target(&known, &arguments.target)?;
    let file = &arguments.file;
    let name = visible(&shown(file));
    let text = read(file)?.ok_or_else(|| {
        Failure::usage(format!("there is no file {name}")).next("name the document")
    })?;
    // What an earlier way back left out belongs to the document: a migration would put it in again.
    let mut beside = file.as_os_str().to_owned();
    beside.push(".dropped");
    let kept = read(Path::new(&beside))?;
    let outcome = known
        .engine
        .migrate(
            &text,
            Target::Exact(wanted),
            Timestamp::now(),
            kept.as_deref(),
        )
        .map_err(|refused| {
            let place = match refused.place() {
                Some((line, column)) => format!(":{line}:{column}"),
                None => String::new(),
            };
            Failure {
                exit_code: 4,
                ..Failure::usage(format!("{name}{place}: {}", visible(&refused.to_string())))
            }
            .means(format!(
                "it cannot be shown as {wanted}; nothing was written"
            ))
        })?;
    let (from, bytes) = match outcome {
        Outcome::Current { version } => (version, text),
        Outcome::Migrated(migrated) => (migrated.from, migrated.text),
    };
    if context.json() {
        context.print_json(&json!({
            "format_version": 1,
            "type": "document",
            "path": shown(file),
            "from": from.to_string(),
            "to": wanted.to_string(),
            "text": String::from_utf8_lossy(&bytes),
        }));
    } else {
        context.print_bytes(&bytes);
    }
    result(context, VERB, 0, None, &json!({}));
    Ok(0)
}

/// The bytes of a regular file of bounded size; nothing if there is none.
pub(super) fn read(file: &Path) -> Result<Option<Vec<u8>>, Failure> {
    let failed = |error: &dyn std::fmt::Display| {
        Failure::io(format!("read {}: {error}", visible(&shown(file)))).means("nothing was written")
    };
    // Asked before opening: opening a pipe that nobody writes to would wait forever.
    match std::fs::metadata(file) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(failed(&error)),
        Ok(metadata) if !metadata.is_file() => return Err(failed(&"it is not a file")),
        Ok(_) => {}
    }
    let mut bytes = Vec::new();
    std::fs::File::open(file)
        .and_then(|open| open.take(MAX_BYTES as u64 + 1).read_to_end(&mut bytes))
        .map_err(|error| failed(&error))?;
    if bytes.len() > MAX_BYTES {
        return Err(failed(&"it is larger than 256 MiB"));
    }
    Ok(Some(bytes))
}
