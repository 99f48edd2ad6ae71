//! `manifest`: migration of the schema of JSON documents, as a tool in its own right.
//!
//! One file per verb. The migrations themselves are in [`crate::manifest`]; here they are chosen by what was typed, run
//! on a tree, and told.

mod arguments;
mod draft;
mod engine;
mod eyes;
mod index;
mod interrupt;
mod list;
mod migrate;
mod output;
mod prune;
mod restore;
mod show;
mod tree;
mod verify;

use std::fmt;

use serde_json::json;

pub(super) use arguments::ManifestVerb;

use super::context::Context;
use super::failure::Failure;
use crate::manifest::Version;
use crate::show::text::wrap;

pub(super) fn verb(context: &Context, verb: &ManifestVerb) -> Result<u8, Failure> {
    match verb {
        ManifestVerb::ListVersions(a) => list::verb(context, a),
        ManifestVerb::Migrate(a) => migrate::verb(context, a),
        ManifestVerb::Verify(a) => verify::verb(context, a),
        ManifestVerb::Restore(a) => restore::verb(context, a),
        ManifestVerb::Show(a) => show::verb(context, a),
        ManifestVerb::Index(a) => index::verb(context, a),
        ManifestVerb::Prune(a) => prune::verb(context, a),
        ManifestVerb::New(a) => draft::verb(context, a),
    }
}

/// A version, or what stands where a version should: versions come first, in their order.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
enum VersionOrText {
    Version(Version),
    Text(String),
}

impl fmt::Display for VersionOrText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Version(version) => version.fmt(f),
            Self::Text(text) => f.write_str(text),
        }
    }
}

impl From<&str> for VersionOrText {
    fn from(text: &str) -> Self {
        text.parse()
            .map_or_else(|_| Self::Text(text.to_owned()), Self::Version)
    }
}

/// A verb that only reads was told to stop: what it would have said of a part would be taken for the whole.
fn interrupted(context: &Context, verb: &str) -> Result<u8, Failure> {
    context.say(
        "interrupted: not all documents were read, so nothing is said of them; nothing was changed",
    );
    output::result(context, verb, 130, None, &json!({}));
    Ok(130)
}

/// Asks before something is done, where somebody is there who can answer.
fn confirm(context: &Context, yes: bool, what: &str, question: &str) -> Result<(), Failure> {
    if yes || !context.interactive {
        return Ok(());
    }
    for line in wrap(what, context.width) {
        context.say(&line);
    }
    context.say(&format!("{question} [y/N]"));
    if super::run::ask_yes()? {
        Ok(())
    } else {
        Err(Failure::refused("not started"))
    }
}
