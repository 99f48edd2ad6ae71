//! The string-or-mapping shapes for things that run: commands, scripts, instructions.

use std::collections::BTreeMap;

use super::prelude::*;

/// How a command's text is run: `bash` (the default), `sh`, `python`, `sql`, or an argument
/// list to which the text is appended, such as `[perl, -e]`.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
#[serde(untagged)]
pub enum Shell {
    /// Who reads the text, by name: `bash`, `sh`, `python` or `sql`.
    #[schemars(extend("enum" = ["bash", "sh", "python", "sql"]))]
    #[schemars(extend("enumDescriptions" = [
        "Bash without start-up files, stopping at the first failure, also inside a pipe.",
        "The system's POSIX shell, stopping at the first failure.",
        "Python 3 reads the text as a program.",
        "PostgreSQL's `psql` on the connection `default`, stopping at the first error.",
    ]))]
    Name(String),
    /// A program with its arguments; the command's text becomes the last one. Example: `[perl, -e]`.
    Argv(Vec<String>),
}
text_or_other!(Shell, Name, list Argv);

impl Shell {
    /// What [`Shell::Name`] may be.
    pub const NAMES: [&'static str; 4] = ["bash", "sh", "python", "sql"];
}

/// A script that runs as a process of its own: its path, or a mapping that adds arguments and settings. A run bit
/// with a `#!` line beats the extension; `.sh` is bash, `.py` python3, `.sql` psql on the connection `default`.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
#[serde(untagged)]
pub enum Script {
    /// The script's path, resolved against the plan file's folder. A run bit with a `#!` line beats the extension;
    /// `.sh` is bash, `.py` python3, `.sql` psql. Example: `scripts/backup.sh`.
    Path(String),
    /// The script with its arguments and settings.
    Mapping(Box<ScriptMapping>),
}
text_or_other!(Script, Path, map Mapping(ScriptMapping));

/// A script with its arguments and settings.
#[derive(Debug, Clone, Default, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ScriptMapping {
    /// The script's path, resolved against the plan file's folder. Example: `scripts/deploy.sh`.
    pub path: String,
    /// Arguments, each passed as it is, never through a shell. Example: `[--to, green]`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub args: Vec<Scalar>,
    /// Environment variables for this process alone, over the plan's variables. Example: `{REGION: eu-west-1}`.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub env: BTreeMap<String, Scalar>,
    /// The interpreter, in place of what the run bit, the `#!` line or the extension says. Example: `bash`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub shell: Option<Shell>,
    /// How long the script may run. Then its whole process tree is killed, and what it did is unknown. Without it
    /// there is no limit but the step's. Example: `30m`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub timeout: Option<String>,
}

/// A command that runs as a process of its own: its text, or a mapping with settings. Bash runs it as `bash
/// --noprofile --norc -eo pipefail -c`.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
#[serde(untagged)]
pub enum CommandItem {
    /// The command's text, run by bash as a process of its own in the plan file's folder; it stops at the first
    /// failure, also inside a pipe. Values arrive as environment variables: the text is never templated. Example:
    /// `make db`.
    Text(String),
    /// The command with its shell, environment, timeout and name.
    Mapping(Box<CommandMapping>),
}
text_or_other!(CommandItem, Text, map Mapping(CommandMapping));

/// A command with its settings.
#[derive(Debug, Clone, Default, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CommandMapping {
    /// The command's text. It is never templated: variables arrive as environment variables. Example: `psql -f
    /// migrations/001.sql`.
    pub run: String,
    /// Who reads the text (default `bash`): `bash`, `sh`, `python`, `sql` (psql on the connection `default`), or an
    /// argument list that gets the text as its last argument.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub shell: Option<Shell>,
    /// Environment variables for this process alone, over the plan's variables. Example: `{PGOPTIONS: "-c
    /// lock_timeout=5s"}`.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub env: BTreeMap<String, Scalar>,
    /// How long the command may run. Then its whole process tree is killed, and what it did is unknown. Example:
    /// `5m`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub timeout: Option<String>,
    /// A short name for displays and logs, in place of the text's first line. Example: `load`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
}

/// One thing to do: a sentence is a person's work, `{run: "./undo.sh"}` is a command that runs.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
#[serde(untagged)]
pub enum Instruction {
    /// A sentence: a person does it and confirms it. Write `- run: ./undo.sh` for what a machine should do.
    Prose(String),
    /// A command that runs, with its settings.
    Run(Box<CommandMapping>),
}
text_or_other!(Instruction, Prose, map Run(CommandMapping));

/// One item of a rollback procedure's steps.
pub type RollbackStepItem = Instruction;

impl Instruction {
    /// The command that runs, or `None` for prose.
    #[must_use]
    pub fn command(&self) -> Option<&CommandMapping> {
        match self {
            Self::Prose(_) => None,
            Self::Run(command) => Some(command),
        }
    }
}

impl Script {
    /// The path as written, relative to the plan file's folder.
    #[must_use]
    pub fn path(&self) -> &str {
        match self {
            Self::Path(path) => path,
            Self::Mapping(mapping) => &mapping.path,
        }
    }

    /// The arguments, env, shell and timeout, when the script is written as a mapping.
    #[must_use]
    pub fn settings(&self) -> Option<&ScriptMapping> {
        match self {
            Self::Path(_) => None,
            Self::Mapping(mapping) => Some(mapping),
        }
    }
}

impl CommandItem {
    /// The text that runs.
    #[must_use]
    pub fn run(&self) -> &str {
        match self {
            Self::Text(text) => text,
            Self::Mapping(mapping) => &mapping.run,
        }
    }

    /// The shell, env, timeout and name, when the command is written as a mapping.
    #[must_use]
    pub fn settings(&self) -> Option<&CommandMapping> {
        match self {
            Self::Text(_) => None,
            Self::Mapping(mapping) => Some(mapping),
        }
    }
}
