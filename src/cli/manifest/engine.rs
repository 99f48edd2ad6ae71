//! The engine that a verb works with: a kind of documents with all migrations that were named.

use sha2::{Digest as _, Sha256};

use super::super::context::Context;
use super::super::failure::Failure;
use super::super::validate::print_findings;
use super::arguments::{LATEST, MigrationsArgs};
use super::tree::shown;
use crate::base::diagnostic::{Finding, Sources, to_json};
use crate::manifest::{Engine, Kind, Version};
use crate::plan::migrations;
use crate::show::text::visible;

/// An engine and what is asked of it more than once.
#[derive(Debug)]
pub(super) struct Known {
    pub(super) engine: Engine,
    latest: Version,
}

impl Known {
    /// Reads the migrations that count.
    pub(super) fn load(context: &Context, arguments: &MigrationsArgs) -> Result<Self, Failure> {
        let folder = arguments.migrations.as_deref();
        if let Some(folder) = folder.filter(|folder| !folder.is_dir()) {
            let name = visible(&shown(folder));
            return Err(Failure::usage(format!("{name} is no folder that is there"))
                .next("name the folder of migration files with --migrations"));
        }
        let kind = arguments.kind.as_deref();
        if let (Some(kind), None) = (kind, folder)
            && Kind::built_in(kind).is_none()
        {
            return Err(no_kind(kind));
        }
        let loaded = match migrations::load(folder, kind) {
            Ok(loaded) => loaded,
            Err(refused) => {
                tell(context, &refused.findings, &refused.sources)?;
                return Err(Failure::invalid("the migration files cannot be used")
                    .next("mend them; each finding says where and how"));
            }
        };
        tell(context, &loaded.findings, &loaded.sources)?;
        let engine = loaded.engine;
        let Some(latest) = engine.registry().latest() else {
            let name = visible(&engine.kind().name);
            return Err(
                Failure::invalid(format!("no version of the kind {name} is known")).next(
                    "write a migration file, or list its versions in kind.yaml (`versions:`)",
                ),
            );
        };
        Ok(Self { engine, latest })
    }

    /// The highest version that is known.
    pub(super) fn latest(&self) -> Version {
        self.latest
    }

    /// Which files: what was typed, else what the kind says.
    pub(super) fn pattern(&self, typed: Option<&str>) -> String {
        typed.unwrap_or(&self.engine.kind().pattern).to_owned()
    }

    /// A digest of everything that decides what a document becomes.
    pub(super) fn fingerprint(&self) -> String {
        let all = format!("{:?}\n{:?}", self.engine.kind(), self.engine.registry());
        let digest = Sha256::digest(all.as_bytes());
        digest.iter().map(|byte| format!("{byte:02x}")).collect()
    }
}

/// Tells what was found in migration files, as `validate` does with plans.
fn tell(context: &Context, findings: &[Finding], sources: &Sources) -> Result<(), Failure> {
    if context.json() {
        for finding in findings {
            context.print_json(&to_json(finding));
        }
    }
    if !findings.is_empty() {
        let mut drawn = Vec::new();
        print_findings(findings, sources, context.style(), &mut drawn).map_err(Failure::io)?;
        context.say(String::from_utf8_lossy(&drawn).trim_end());
    }
    Ok(())
}

fn no_kind(name: &str) -> Failure {
    Failure::usage(format!("the kind {} is not known", visible(name))).next(format!(
        "use --kind {}, or name the folder whose kind.yaml describes it with --migrations",
        Kind::BUILT_IN.join(", ")
    ))
}

/// The version that was typed, which must be one that is known.
pub(super) fn target(known: &Known, typed: &str) -> Result<Version, Failure> {
    if typed == LATEST {
        return Ok(known.latest);
    }
    let registry = known.engine.registry();
    let all: Vec<String> = registry.versions().map(|v| v.to_string()).collect();
    let next = format!("use {LATEST}, or one of {}", all.join(", "));
    let version: Version = typed.parse().map_err(|error| {
        Failure::usage(format!("`{}` is no version: {error}", visible(typed))).next(next.clone())
    })?;
    if registry.knows(version) {
        return Ok(version);
    }
    Err(
        Failure::usage(format!("no migration knows the version {version}")).next(format!(
            "{next}; or name the folder that holds its migrations with --migrations"
        )),
    )
}
