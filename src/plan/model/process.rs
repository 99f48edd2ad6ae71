//! The string-or-mapping shapes for things that run: commands, scripts, instructions.

use std::collections::BTreeMap;

use super::prelude::*;

/// How a command's text is run: `bash` (the default), `sh`, `python`, `sql`, or an argument
/// list to which the text is appended, such as `[perl, -e]`.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
#[serde(untagged)]
pub enum Shell {
    /// A known shell by name: `bash`, `sh`, `python` or `sql`.
    #[schemars(extend("enum" = ["bash", "sh", "python", "sql"]))]
    Name(String),
    /// An argument list; the command's text becomes its last argument.
    Argv(Vec<String>),
}
text_or_other!(Shell, Name, list Argv);

/// A script that runs: its path, or a mapping with `path`, `args`, `env`, `shell` and `timeout`.
/// Paths resolve against the plan file's folder. Example: `scripts/backup.sh`.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
#[serde(untagged)]
pub enum Script {
    /// Path of the script, resolved against the plan file's folder.
    Path(String),
    /// The script with its arguments and settings.
    Mapping(Box<ScriptMapping>),
}
text_or_other!(Script, Path, map Mapping(ScriptMapping));

/// A script with its arguments and settings. Example: `{path: scripts/deploy.sh, args: [--to,
/// green], timeout: 30m}`.
#[derive(Debug, Clone, Default, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ScriptMapping {
    /// Path of the script, resolved against the plan file's folder. Example: `scripts/deploy.sh`.
    pub path: String,
    /// Arguments, each passed as it is, never through a shell. Example: `[--to, green]`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub args: Vec<Scalar>,
    /// Environment variables for this process alone. Example: `{REGION: eu-west-1}`.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub env: BTreeMap<String, Scalar>,
    /// Interpreter, when neither a run bit with a shebang nor the extension says it. Example: `bash`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub shell: Option<Shell>,
    /// How long the script may run before its whole process tree is killed. Example: `30m`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub timeout: Option<String>,
}

/// A command that runs as a process of its own: its text, or a mapping with `run`, `shell`, `env`,
/// `timeout` and `name`. Example: `make db`.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
#[serde(untagged)]
pub enum CommandItem {
    /// The command's text, run by bash.
    Text(String),
    /// The command with its settings.
    Mapping(Box<CommandMapping>),
}
text_or_other!(CommandItem, Text, map Mapping(CommandMapping));

/// A command with its settings. Example: `{run: "psql -f x.sql", timeout: 5m, name: load}`.
#[derive(Debug, Clone, Default, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CommandMapping {
    /// The command's text. It is never templated: variables arrive as environment variables.
    pub run: String,
    /// Which shell runs the text: `bash` (default), `sh`, `python`, `sql` or an argument list.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub shell: Option<Shell>,
    /// Environment variables for this process alone. Example: `{PGOPTIONS: "-c lock_timeout=5s"}`.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub env: BTreeMap<String, Scalar>,
    /// How long the command may run before its whole process tree is killed. Example: `5m`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub timeout: Option<String>,
    /// A short name for displays and logs. Example: `load`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
}

/// One thing to do: prose is a person's work, `{run: "./undo.sh"}` is a command that runs.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
#[serde(untagged)]
pub enum Instruction {
    /// Prose: a person does it and confirms it.
    Prose(String),
    /// A command that runs.
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
