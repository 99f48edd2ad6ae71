//! What can be typed after `orchestrate manifest`.

use std::path::PathBuf;

use clap::builder::{NonEmptyStringValueParser, RangedU64ValueParser};
use clap::{Args, Subcommand};

/// Which version is wanted when none is named.
pub(super) const LATEST: &str = "latest";

/// What `prune` leaves alone when nothing else is said: SPEC section 8.
const OLDER_THAN: &str = "7d";

/// What to do with documents that carry a version.
#[derive(Debug, Subcommand)]
pub enum ManifestVerb {
    /// Count the documents of a folder by version, and those whose version cannot be told.
    ListVersions(ListVersionsArgs),
    /// Bring documents to a version: backed up, checked before and after, resumable, every other byte as it was.
    Migrate(Box<MigrateArgs>),
    /// Prove that every document is whole, valid for its version, and unchanged since its last migration.
    Verify(VerifyArgs),
    /// Put documents back as they were before they were migrated; one that was changed since is left alone.
    Restore(RestoreArgs),
    /// Print a document as another version would have it. Nothing is written.
    Show(ShowArgs),
    /// Keep a database of what the documents say; it can be dropped and rebuilt at any time.
    Index(IndexArgs),
    /// Delete old backups that verify and are no longer needed.
    Prune(PruneArgs),
    /// Draft a migration from two documents: one as it is, one as it should become.
    New(NewArgs),
}

impl ManifestVerb {
    /// As it is typed after `orchestrate`.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self {
            Self::ListVersions(_) => "manifest list-versions",
            Self::Migrate(_) => "manifest migrate",
            Self::Verify(_) => "manifest verify",
            Self::Restore(_) => "manifest restore",
            Self::Show(_) => "manifest show",
            Self::Index(_) => "manifest index",
            Self::Prune(_) => "manifest prune",
            Self::New(_) => "manifest new",
        }
    }
}

/// Which migrations count.
#[derive(Debug, Clone, Args)]
pub struct MigrationsArgs {
    /// What the documents are: run_manifest, brief, resolved_brief, or the kind that `kind.yaml` in the folder of
    /// migrations describes (default: that one, else run_manifest).
    #[arg(long, value_name = "NAME", value_parser = NonEmptyStringValueParser::new())]
    pub kind: Option<String>,
    /// A folder of migration files (*.yaml), besides those that are built in.
    #[arg(long, value_name = "DIR")]
    pub migrations: Option<PathBuf>,
}

/// Which documents are meant.
#[derive(Debug, Clone, Args)]
pub struct TreeArgs {
    /// The folder that holds the documents. `inputs` folders in it are never entered, symbolic links never followed.
    #[arg(default_value = ".", value_name = "ROOT")]
    pub root: PathBuf,
    /// Which files in it, as paths from ROOT (default: that of the kind, such as '**/manifest.json').
    #[arg(long, value_name = "GLOB", value_parser = NonEmptyStringValueParser::new())]
    pub pattern: Option<String>,
    /// Which migrations count.
    #[command(flatten)]
    pub migrations: MigrationsArgs,
}

/// `manifest list-versions`.
#[derive(Debug, Args)]
pub struct ListVersionsArgs {
    /// Which documents.
    #[command(flatten)]
    pub tree: TreeArgs,
    /// Count what this version needs (default: the latest).
    #[arg(long, value_name = "VERSION", default_value = LATEST)]
    pub target_version: String,
}

/// `manifest migrate`.
#[derive(Debug, Args)]
pub struct MigrateArgs {
    /// Which documents.
    #[command(flatten)]
    pub tree: TreeArgs,
    /// Only this document, by its path from here or from ROOT.
    #[arg(long, value_name = "FILE", conflicts_with_all = ["pattern", "limit"])]
    pub manifest: Option<PathBuf>,
    /// The version to come to, such as 1.2.0; an older one migrates back.
    #[arg(long, value_name = "VERSION", default_value = LATEST)]
    pub target_version: String,
    /// Migrate at most so many now, in the order of their paths; the same command takes the next ones.
    #[arg(long, value_name = "N", value_parser = RangedU64ValueParser::<u64>::new().range(1..))]
    pub limit: Option<u64>,
    /// Show each change as a diff, and what would fail. Nothing is written.
    #[arg(long)]
    pub dry_run: bool,
    /// How many documents are worked on at the same time (default: one per processor).
    #[arg(long, value_name = "N", value_parser = RangedU64ValueParser::<usize>::new().range(1..=1024))]
    pub workers: Option<usize>,
    /// Keep no backups. There is then no way back but what can be derived from the migrations.
    #[arg(long)]
    pub no_backup: bool,
    /// Do not ask beforehand whether the backups fit: their size × 1.2, while 20% of the disk stays free.
    #[arg(long, env = "ORCHESTRATE_NO_SPACE_CHECK", value_parser = clap::builder::FalseyValueParser::new())]
    pub no_space_check: bool,
    /// Answer "start?" with yes; nothing else.
    #[arg(long, short = 'y')]
    pub yes: bool,
    /// Write the counts into this file as well, as one JSON object.
    #[arg(long, value_name = "FILE")]
    pub result: Option<PathBuf>,
    /// Keep this file up to date with how far it is, as one JSON object.
    #[arg(long, value_name = "FILE", conflicts_with = "dry_run")]
    pub progress_file: Option<PathBuf>,
}

/// `manifest verify`.
#[derive(Debug, Args)]
pub struct VerifyArgs {
    /// Which documents.
    #[command(flatten)]
    pub tree: TreeArgs,
    /// Every document must have this version (`latest`: the newest there is a migration to).
    #[arg(long, value_name = "VERSION")]
    pub require_version: Option<String>,
}

/// `manifest restore`.
#[derive(Debug, Args)]
pub struct RestoreArgs {
    /// Which documents; what is recorded of a migration says by itself which ones it changed.
    #[command(flatten)]
    pub tree: TreeArgs,
    /// Only what this migration changed: the id that it printed, a unique beginning of it, or `latest` (default: every
    /// migration of this folder that is not taken back yet, the last one first).
    #[arg(long, value_name = "ID", value_parser = NonEmptyStringValueParser::new())]
    pub run: Option<String>,
    /// Only this document, by its path from here or from ROOT.
    #[arg(long, value_name = "FILE", conflicts_with = "pattern")]
    pub manifest: Option<PathBuf>,
    /// Do not ask the record: take back the last migration of each document by its own history, where a backup has the
    /// checksum that stands there.
    #[arg(long, conflicts_with = "run")]
    pub by_history: bool,
    /// Answer "put back?" with yes; nothing else.
    #[arg(long, short = 'y')]
    pub yes: bool,
    /// Write the counts into this file as well, as one JSON object.
    #[arg(long, value_name = "FILE")]
    pub result: Option<PathBuf>,
}

/// `manifest show`.
#[derive(Debug, Args)]
pub struct ShowArgs {
    /// The document.
    #[arg(value_name = "FILE")]
    pub file: PathBuf,
    /// The version to show it as.
    #[arg(long = "as", value_name = "VERSION", default_value = LATEST)]
    pub target: String,
    /// Which migrations count.
    #[command(flatten)]
    pub migrations: MigrationsArgs,
}

/// `manifest index`.
#[derive(Debug, Args)]
pub struct IndexArgs {
    /// Which documents.
    #[command(flatten)]
    pub tree: TreeArgs,
    /// A file for SQLite, or a postgres:// URL without a password (default: index.sqlite in the state folder).
    #[arg(long, value_name = "FILE|URL", conflicts_with = "database_env")]
    pub database: Option<String>,
    /// The environment variable that holds it, for a URL with a password.
    #[arg(long, value_name = "NAME")]
    pub database_env: Option<String>,
    /// Drop what is there and read every document again.
    #[arg(long)]
    pub rebuild: bool,
}

/// `manifest prune`.
#[derive(Debug, Args)]
pub struct PruneArgs {
    /// The folder that was migrated.
    #[command(flatten)]
    pub tree: TreeArgs,
    /// Only backups of this age: 7d, 12h, "2 weeks".
    #[arg(long, value_name = "AGE", default_value = OLDER_THAN)]
    pub older_than: String,
    /// Show what would be deleted. Nothing is deleted.
    #[arg(long)]
    pub dry_run: bool,
    /// Answer "delete?" with yes; nothing else.
    #[arg(long, short = 'y')]
    pub yes: bool,
}

/// `manifest new`.
#[derive(Debug, Args)]
pub struct NewArgs {
    /// A document as it is.
    #[arg(value_name = "BEFORE")]
    pub before: PathBuf,
    /// The same document as it should become.
    #[arg(value_name = "AFTER")]
    pub after: PathBuf,
    /// Write it into this file, which must not exist (default: print it).
    #[arg(long, value_name = "FILE")]
    pub out: Option<PathBuf>,
    /// Which kind of document it is.
    #[command(flatten)]
    pub migrations: MigrationsArgs,
}
