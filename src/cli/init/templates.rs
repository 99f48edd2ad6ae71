//! The plans that `init` writes, with the files that they need, as parts of the program.

use clap::ValueEnum;

/// Which plan to begin with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Template {
    /// One step, its check, a gate and the way back; runs with bash alone.
    Minimal,
    /// A change of a PostgreSQL schema with a backup; runs with psql and DATABASE_URL.
    Database,
    /// A release installed beside the old one, then a switch; runs on local files.
    Deployment,
    /// Versioned JSON documents raised to their next version; runs with python3.
    Manifest,
    /// Every section of the format, with comments; runs with bash.
    Full,
}

/// A file of a template.
#[derive(Debug, Clone, Copy)]
pub(super) struct File {
    /// Where it goes, from the plan's folder.
    pub(super) path: &'static str,
    /// What is in it, before names are filled in.
    pub(super) text: &'static str,
    /// Whether it can be run.
    pub(super) runs: bool,
}

/// The name under which templates keep the plan itself.
pub(super) const PLAN: &str = "migration-strategy.yaml";

macro_rules! files {
    ($folder:literal: $($path:literal $($runs:ident)?),* $(,)?) => {
        &[$(File {
            path: $path,
            text: include_str!(concat!("templates/", $folder, "/", $path)),
            runs: files!(@ $($runs)?),
        }),*]
    };
    (@ runs) => { true };
    (@) => { false };
}

impl Template {
    /// As it is typed.
    pub(super) fn as_str(self) -> &'static str {
        match self {
            Self::Minimal => "minimal",
            Self::Database => "database",
            Self::Deployment => "deployment",
            Self::Manifest => "manifest",
            Self::Full => "full",
        }
    }

    /// The environment that the plan has for a first try.
    pub(super) fn practice(self) -> &'static str {
        match self {
            Self::Database => "staging",
            Self::Minimal | Self::Deployment | Self::Manifest | Self::Full => "practice",
        }
    }

    /// Its files; the plan is the first.
    pub(super) fn files(self) -> &'static [File] {
        match self {
            Self::Minimal => files!("minimal": "migration-strategy.yaml"),
            Self::Database => files!(
                "database":
                "migration-strategy.yaml",
                "migrations/001_up.sql",
                "migrations/001_down.sql",
                "scripts/backup.sh" runs,
                "test-datasets/CONNECTED.sql",
                "test-datasets/SCHEMA-UP.sql",
                "test-datasets/SCHEMA-DOWN.sql",
            ),
            Self::Deployment => files!(
                "deployment":
                "migration-strategy.yaml",
                "scripts/install.sh" runs,
                "scripts/remove.sh" runs,
                "scripts/switch.sh" runs,
                "scripts/smoke-test.sh" runs,
                "test-datasets/SMOKE-1.yaml",
                "test-datasets/SMOKE-OLD.yaml",
                "releases/v1/app.sh",
                "releases/v2/app.sh",
                "live/current",
            ),
            Self::Manifest => files!(
                "manifest":
                "migration-strategy.yaml",
                "scripts/manifests.py" runs,
                "test-datasets/MANIFESTS-NEW.yaml",
                "test-datasets/MANIFESTS-OLD.yaml",
                "documents/job-1/manifest.json",
            ),
            Self::Full => files!(
                "full":
                "migration-strategy.yaml",
                "parts/communication.yaml",
                "orchestrate.yaml",
                "scripts/backup.sh" runs,
                "scripts/convert.sh" runs,
                "scripts/restore.sh" runs,
                "scripts/lost.sh" runs,
                "scripts/old-reader.sh" runs,
                "test-datasets/CUSTOMERS-NEW.yaml",
                "test-datasets/CUSTOMERS-OLD.yaml",
                "data/customers.csv",
                "docs/existing-system-truth.yaml",
                "docs/enhancement-truth.yaml",
                "docs/compatibility-analysis.yaml",
            ),
        }
    }
}
