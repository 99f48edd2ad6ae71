//! What can be typed.

use std::path::PathBuf;

use clap::builder::{NonEmptyStringValueParser, RangedU64ValueParser};
use clap::{Args, Parser, Subcommand, ValueEnum};

use super::init::Template;
use super::manifest::ManifestVerb;
use crate::base::diagnostic::Level;

/// Runs a migration document: reviewed, gated on evidence and named approvals, undone when it must be.
#[derive(Debug, Parser)]
#[command(
    name = "orchestrate",
    version,
    about,
    max_term_width = 100,
    propagate_version = true
)]
#[command(
    after_help = "Exit codes: 0 done, 1 internal or I/O error, 2 usage, 3 plan invalid, 4 failed and undone, \
    5 stopped with effects, 6 waiting, 7 undo failed or state uncertain, 8 a claim was disproven, 9 refused, \
    130 interrupted and saved."
)]
pub struct Arguments {
    /// Settings that every verb understands.
    #[command(flatten)]
    pub common: Common,
    /// What to do.
    #[command(subcommand)]
    pub verb: Verb,
}

/// Settings that every verb understands.
#[derive(Debug, Clone, Args)]
pub struct Common {
    /// Where runs are kept (default: .orchestrate beside the plan, or in the folder of the documents).
    #[arg(long, global = true, value_name = "DIR", env = "ORCHESTRATE_STATE_DIR")]
    pub state_dir: Option<PathBuf>,
    /// How to answer: text for people, one JSON object a line on stdout, or a form that only some verbs have.
    #[arg(
        long,
        global = true,
        value_name = "FORMAT",
        default_value = "text",
        env = "ORCHESTRATE_OUTPUT"
    )]
    pub output: Output,
    /// Never use colour (as the environment variable NO_COLOR does).
    #[arg(long, global = true)]
    pub no_color: bool,
    /// Never ask a question, also on a terminal.
    #[arg(long, global = true, env = "ORCHESTRATE_NO_INPUT", value_parser = clap::builder::FalseyValueParser::new())]
    pub no_input: bool,
}

/// How to answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Output {
    /// For people.
    Text,
    /// One JSON object a line.
    Json,
    /// `validate`: SARIF 2.1.0, for code scanning.
    Sarif,
    /// `validate`: workflow commands that GitHub shows as annotations.
    Github,
    /// `validate`: JUnit XML.
    Junit,
    /// `preview`: a Mermaid diagram.
    Mermaid,
    /// `preview`: a Gantt chart.
    Svg,
}

impl Output {
    /// As it is typed.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Text => "text",
            Self::Json => "json",
            Self::Sarif => "sarif",
            Self::Github => "github",
            Self::Junit => "junit",
            Self::Mermaid => "mermaid",
            Self::Svg => "svg",
        }
    }
}

/// What to do.
#[derive(Debug, Subcommand)]
pub enum Verb {
    /// Write a plan to begin with, and the files that it needs.
    Init(InitArgs),
    /// Review a plan: everything that is wrong with it, in one go.
    Validate(ValidateArgs),
    /// Show what a run would do: in which order, with what, who is asked, how it gets back, and when. Nothing is run.
    Preview(PreviewArgs),
    /// Execute a plan phase by phase.
    Run(Box<RunArgs>),
    /// Go on with a run that waits, stopped, was interrupted, or whose machine died.
    Resume(ResumeArgs),
    /// Undo a step, a phase or everything of a run.
    Rollback(RollbackArgs),
    /// Approve a gate or a rollback that waits for approval.
    Approve(ApproveArgs),
    /// Attest that something which only a person can tell is so.
    Attest(ApproveArgs),
    /// Settle what only a person can decide: an unknown outcome, a stuck undo, a gate that asks.
    Resolve(ResolveArgs),
    /// How a run stands, what it waits for, and the one command to type next.
    Status(StatusArgs),
    /// Every run, or everything that happened in one.
    History(HistoryArgs),
    /// What the processes of a run printed.
    Logs(LogsArgs),
    /// Verify that a run's record is as it was written.
    Audit(AuditArgs),
    /// Migrate the schema of JSON documents: count versions, migrate, verify, restore.
    #[command(subcommand)]
    Manifest(ManifestVerb),
    /// Lay plans out in one way: order of keys, indentation, blank lines. Never changes what they say.
    Fmt(FmtArgs),
    /// Explain the codes that findings carry.
    Explain(ExplainArgs),
    /// Print the JSON Schema of a plan or of a manifest migration, or the reference of the format.
    Schema(SchemaArgs),
    /// Print a completion script for a shell.
    Completions(CompletionsArgs),
    /// Print the manual page, or write all of them into a folder.
    Man(ManArgs),
}

impl Verb {
    /// The forms in which it can answer.
    #[must_use]
    pub fn outputs(&self) -> &'static [Output] {
        match self {
            Self::Validate(_) => &[
                Output::Text,
                Output::Json,
                Output::Sarif,
                Output::Github,
                Output::Junit,
            ],
            Self::Preview(_) => &[Output::Text, Output::Json, Output::Mermaid, Output::Svg],
            _ => &[Output::Text, Output::Json],
        }
    }

    /// As it is typed.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self {
            Self::Validate(_) => "validate",
            Self::Preview(_) => "preview",
            Self::Run(_) => "run",
            Self::Resume(_) => "resume",
            Self::Rollback(_) => "rollback",
            Self::Approve(_) => "approve",
            Self::Attest(_) => "attest",
            Self::Resolve(_) => "resolve",
            Self::Status(_) => "status",
            Self::History(_) => "history",
            Self::Logs(_) => "logs",
            Self::Audit(_) => "audit",
            Self::Manifest(verb) => verb.name(),
            Self::Init(_) => "init",
            Self::Fmt(_) => "fmt",
            Self::Explain(_) => "explain",
            Self::Schema(_) => "schema",
            Self::Completions(_) => "completions",
            Self::Man(_) => "man",
        }
    }
}

/// `init`.
#[derive(Debug, Args)]
pub struct InitArgs {
    /// The folder for the plan, or the plan's own name if it ends in .yaml or .yml.
    #[arg(default_value = ".")]
    pub path: PathBuf,
    /// Which plan to begin with (default: it is asked, and minimal without a terminal).
    #[arg(long, value_name = "NAME")]
    pub template: Option<Template>,
    /// The migration's name (default: the folder's).
    #[arg(long, value_name = "TEXT")]
    pub name: Option<String>,
    /// Who answers for its steps (default: the user who types it).
    #[arg(long, value_name = "NAME")]
    pub owner: Option<String>,
    /// Set files that are in the way aside as NAME.old instead of refusing.
    #[arg(long)]
    pub force: bool,
}

/// `fmt`.
#[derive(Debug, Args)]
pub struct FmtArgs {
    /// Files to format in place; `-` formats standard input to standard output.
    #[arg(value_name = "FILE", required = true)]
    pub files: Vec<PathBuf>,
    /// Write nothing; exit 8 if a file is not formatted.
    #[arg(long)]
    pub check: bool,
    /// Write nothing; show what would change.
    #[arg(long)]
    pub diff: bool,
}

/// `explain`.
#[derive(Debug, Args)]
pub struct ExplainArgs {
    /// Codes such as OR0301, in any case.
    #[arg(value_name = "CODE", required_unless_present = "list")]
    pub codes: Vec<String>,
    /// List every code with its level and title.
    #[arg(long, conflicts_with = "codes")]
    pub list: bool,
}

/// `validate`.
#[derive(Debug, Args)]
pub struct ValidateArgs {
    /// The plans; a pattern such as 'plans/**/*.yaml' in quotes stands for all files that it matches.
    #[arg(required = true, value_name = "PLAN")]
    pub plans: Vec<PathBuf>,
    /// Warnings are errors.
    #[arg(long)]
    pub strict: bool,
    /// Do not let shellcheck, bash, sh and python3 look at scripts and commands (they never run them).
    #[arg(long)]
    pub no_lint: bool,
    /// Show nothing that weighs less; what is hidden is counted.
    #[arg(long, value_name = "LEVEL", default_value = "note")]
    pub level: Weight,
    /// Show as well how many checks a machine, other evidence or people judge, which steps can be undone and how, and
    /// where there is no way back; `checks` lists each check with how it is understood.
    #[arg(long, value_name = "FORM", num_args = 0..=1, require_equals = true, default_missing_value = "short")]
    pub coverage: Option<CoverageForm>,
}

/// `validate --coverage`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum CoverageForm {
    /// Phases, gates, steps without a way back, and sums.
    Short,
    /// The same, then every check and how it is judged.
    Checks,
}

/// `validate --level`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Weight {
    /// Only errors.
    Error,
    /// Errors and warnings.
    Warning,
    /// Everything.
    Note,
}

impl From<Weight> for Level {
    fn from(weight: Weight) -> Self {
        match weight {
            Weight::Error => Self::Error,
            Weight::Warning => Self::Warning,
            Weight::Note => Self::Note,
        }
    }
}

/// Values for the plan's variables.
#[derive(Debug, Clone, Args)]
pub struct VariableArgs {
    /// A value for a variable of the plan (never for a secret one: the shell's history would keep it).
    #[arg(long = "var", value_name = "NAME=VALUE")]
    pub vars: Vec<String>,
    /// A YAML file of values for variables.
    #[arg(long, value_name = "FILE")]
    pub var_file: Vec<PathBuf>,
}

/// How a run is driven.
#[derive(Debug, Clone, Args)]
pub struct DriveArgs {
    /// How many steps of equal order may run together.
    #[arg(long, value_name = "N", env = "ORCHESTRATE_JOBS",
        value_parser = RangedU64ValueParser::<usize>::new().range(1..))]
    pub jobs: Option<usize>,
    /// Stay and wait for answers that others give, also without a terminal.
    #[arg(long)]
    pub wait: bool,
    /// Go ahead outside the migration window; the reason is recorded.
    #[arg(long, value_name = "REASON", value_parser = NonEmptyStringValueParser::new())]
    pub override_window: Option<String>,
}

/// `preview`.
#[derive(Debug, Args)]
pub struct PreviewArgs {
    /// The plan.
    pub plan: PathBuf,
    /// The environment; without one it counts as production.
    #[arg(long, value_name = "NAME", env = "ORCHESTRATE_ENV")]
    pub env: Option<String>,
    /// Values for variables.
    #[command(flatten)]
    pub variables: VariableArgs,
    /// Leave out everything before this phase or step.
    #[arg(long, value_name = "ID", conflicts_with = "only")]
    pub from: Option<String>,
    /// Leave out everything after this phase or step.
    #[arg(long, value_name = "ID", conflicts_with = "only")]
    pub until: Option<String>,
    /// Only this phase or step.
    #[arg(long, value_name = "ID")]
    pub only: Option<String>,
    /// Measure prerequisites, start conditions and preconditions now, where they have a probe. This runs the probes'
    /// commands, and those that give variables and connections their values.
    #[arg(long)]
    pub probe: bool,
}

/// `run`.
#[derive(Debug, Args)]
pub struct RunArgs {
    /// The plan.
    pub plan: PathBuf,
    /// The environment; without one it counts as production.
    #[arg(long, value_name = "NAME", env = "ORCHESTRATE_ENV")]
    pub env: Option<String>,
    /// Values for variables.
    #[command(flatten)]
    pub variables: VariableArgs,
    /// How it is driven.
    #[command(flatten)]
    pub drive: DriveArgs,
    /// Show what would run, in which order, and who will be asked; change nothing, run nothing.
    #[arg(long)]
    pub dry_run: bool,
    /// With --dry-run: measure what can be measured before a run, as `preview --probe` does.
    #[arg(long, requires = "dry_run")]
    pub probe: bool,
    /// Leave out everything before this phase or step (needs --reason).
    #[arg(long, value_name = "ID", requires = "reason", conflicts_with = "only")]
    pub from: Option<String>,
    /// Leave out everything after this phase or step (needs --reason).
    #[arg(long, value_name = "ID", requires = "reason", conflicts_with = "only")]
    pub until: Option<String>,
    /// Run only this phase or step (needs --reason).
    #[arg(long, value_name = "ID", requires = "reason")]
    pub only: Option<String>,
    /// Why something is left out; recorded.
    #[arg(long, value_name = "TEXT", value_parser = NonEmptyStringValueParser::new())]
    pub reason: Option<String>,
    /// What follows a failed step's own undo, instead of what the plan says.
    #[arg(long, value_name = "POLICY")]
    pub on_failure: Option<Policy>,
    /// Answer "start?" with yes; nothing else.
    #[arg(long, short = 'y')]
    pub yes: bool,
    /// Let items that a person must attest pass with a record (refused in production).
    #[arg(long, value_name = "HOW")]
    pub unattested: Option<Unattested>,
}

/// `--on-failure`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Policy {
    /// The run stops.
    Stop,
    /// The phase is undone.
    Phase,
    /// Everything is undone.
    Full,
}

/// `--unattested`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Unattested {
    /// They pass, and that is recorded and counted.
    Record,
}

/// `resume`.
#[derive(Debug, Args)]
pub struct ResumeArgs {
    /// A run: a unique prefix of its id, or `latest` (default: the only unfinished run, or the latest).
    pub run: Option<String>,
    /// Values for secret variables come from the environment or a file again.
    #[command(flatten)]
    pub variables: VariableArgs,
    /// How it is driven.
    #[command(flatten)]
    pub drive: DriveArgs,
    /// Go on although inputs changed since the start; recorded, and voids approvals that it touches.
    #[arg(long, value_name = "REASON", value_parser = NonEmptyStringValueParser::new())]
    pub accept_drift: Option<String>,
}

/// `rollback`.
#[derive(Debug, Args)]
pub struct RollbackArgs {
    /// A run: a unique prefix of its id, or `latest` (default: the only unfinished run, or the latest).
    pub run: Option<String>,
    /// What to undo.
    #[arg(long, value_name = "LEVEL", default_value = "full")]
    pub level: LevelArg,
    /// The step, with --level step.
    #[arg(long, value_name = "ID", required_if_eq("level", "step"))]
    pub step: Option<String>,
    /// The phase, with --level phase.
    #[arg(long, value_name = "ID", required_if_eq("level", "phase"))]
    pub phase: Option<String>,
    /// With --level full: the last phase to keep.
    #[arg(long, value_name = "PHASE")]
    pub to: Option<String>,
    /// Why; recorded.
    #[arg(long, value_name = "TEXT", value_parser = NonEmptyStringValueParser::new())]
    pub reason: Option<String>,
    /// Who decides this, if not the user who types it.
    #[arg(long = "as", value_name = "NAME")]
    pub name: Option<String>,
    /// Answer "undo?" with yes.
    #[arg(long, short = 'y')]
    pub yes: bool,
    /// Values for secret variables come from the environment or a file again.
    #[command(flatten)]
    pub variables: VariableArgs,
    /// How it is driven.
    #[command(flatten)]
    pub drive: DriveArgs,
}

/// `--level`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum LevelArg {
    /// One step.
    Step,
    /// One phase.
    Phase,
    /// Everything.
    Full,
}

/// `approve` and `attest`.
#[derive(Debug, Args)]
pub struct ApproveArgs {
    /// A run: a unique prefix of its id, or `latest`.
    pub run: String,
    /// What waits: a gate's or step's id, or BLOCK.field.index.
    pub item: String,
    /// The name under which this is answered.
    #[arg(long = "as", value_name = "NAME")]
    pub name: String,
    /// Why; recorded.
    #[arg(long, value_name = "TEXT", value_parser = NonEmptyStringValueParser::new())]
    pub reason: Option<String>,
    /// Refuse it, or say that it is not so.
    #[arg(long)]
    pub reject: bool,
    /// A file that shows it; a copy is kept with the run.
    #[arg(long, value_name = "FILE")]
    pub evidence: Option<PathBuf>,
}

/// `resolve`.
#[derive(Debug, Args)]
pub struct ResolveArgs {
    /// A run: a unique prefix of its id, or `latest`.
    pub run: String,
    /// What waits: a step's, gate's or check's id.
    pub item: String,
    /// done, undone, retry, proceed, rollback or abandon. May be given again with the name of who decides.
    #[arg(long = "as", value_name = "HOW", required = true)]
    pub how: Vec<String>,
    /// Who decides, if not the user who types it.
    #[arg(long, value_name = "NAME")]
    pub by: Option<String>,
    /// Why; recorded.
    #[arg(long, value_name = "TEXT", value_parser = NonEmptyStringValueParser::new())]
    pub reason: Option<String>,
    /// A file that shows it; a copy is kept with the run.
    #[arg(long, value_name = "FILE")]
    pub evidence: Option<PathBuf>,
}

/// `status`.
#[derive(Debug, Args)]
pub struct StatusArgs {
    /// A run: a unique prefix of its id, or `latest` (default: the only unfinished run, or the latest).
    pub run: Option<String>,
    /// Stay and show every change until the run ends.
    #[arg(long, short = 'w')]
    pub watch: bool,
}

/// `history`.
#[derive(Debug, Args)]
pub struct HistoryArgs {
    /// A run; without one, all runs are listed.
    pub run: Option<String>,
}

/// `logs`.
#[derive(Debug, Args)]
pub struct LogsArgs {
    /// A run: a unique prefix of its id, or `latest` (default: the only unfinished run, or the latest).
    pub run: Option<String>,
    /// Only what this step or check printed.
    #[arg(long, value_name = "ID")]
    pub step: Option<String>,
    /// Only the last N lines of each log.
    #[arg(long, short = 'n', value_name = "N")]
    pub lines: Option<usize>,
    /// Follow what is being printed.
    #[arg(long, short = 'f')]
    pub follow: bool,
}

/// `audit`.
#[derive(Debug, Args)]
pub struct AuditArgs {
    /// A run: a unique prefix of its id, or `latest` (default: the only unfinished run, or the latest).
    pub run: Option<String>,
    /// The head hash that was printed or noted elsewhere: tells whether records were cut off or rewritten since.
    #[arg(long, value_name = "HASH")]
    pub head: Option<String>,
}

/// `schema`.
#[derive(Debug, Args)]
pub struct SchemaArgs {
    /// Print the reference of the format as Markdown instead: every section, key, choice, default and example.
    #[arg(long)]
    pub reference: bool,
    /// Print the JSON Schema of a migration file of manifests instead.
    #[arg(long, conflicts_with = "reference")]
    pub manifest_migration: bool,
}

/// `completions`.
#[derive(Debug, Args)]
pub struct CompletionsArgs {
    /// The shell.
    pub shell: clap_complete::Shell,
}

/// `man`.
#[derive(Debug, Args)]
pub struct ManArgs {
    /// Write one page per verb into this folder instead.
    #[arg(long, value_name = "DIR")]
    pub dir: Option<PathBuf>,
}
