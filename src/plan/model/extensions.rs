//! Keys beyond the original format: variables, environments, connections, includes, state probes.

use std::collections::BTreeMap;

use super::prelude::*;

/// A variable: it reaches every process as an environment variable of its name.
#[derive(Debug, Clone, Default, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Variable {
    /// The value when nothing else gives one. Example: `v2`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub default: Option<Scalar>,
    /// Whether a run refuses to start without a value (default `false`). A secret is always required.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub required: Option<bool>,
    /// Whether the value is masked in all output and never stored (default `false`). It cannot be given by `--var`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub secret: Option<bool>,
    /// What the variable is for, for whoever has to give a value.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// Another environment variable that holds the value; `ORCHESTRATE_VAR_<NAME>` is looked at before. Example:
    /// `RELEASE_TAG`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub env: Option<String>,
    /// A file whose content is the value, without its final newline; the path resolves against the plan file's
    /// folder. Example: `secrets/db-password`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub file: Option<String>,
    /// A command as an argument list, run without a shell in the plan file's folder; its output is the value.
    /// Example: `[pass, show, db]`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub command: Vec<String>,
}

/// An environment: whether it is production, and what differs in it.
#[derive(Debug, Clone, Default, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Environment {
    /// Whether this is production (default `true`). Only `false` allows rehearsals and `--unattested record`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub production: Option<bool>,
    /// Values in this environment; they are below `--var` and `ORCHESTRATE_VAR_<NAME>` and above a variable's own
    /// source. Example: `{TARGET: v2}`.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub variables: BTreeMap<String, Scalar>,
    /// Connections in this environment, in place of the plan's of the same name. Example: `{default: {url_env:
    /// STAGING_DATABASE_URL}}`.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub connections: BTreeMap<String, Connection>,
}

/// A database connection. Never a password in the file: it names where the URL comes from, by exactly one of the two
/// keys.
#[derive(Debug, Clone, Default, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Connection {
    /// The environment variable that holds the URL. Example: `DATABASE_URL`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub url_env: Option<String>,
    /// A command as an argument list that prints the URL. Example: `[vault, read, -field=url, secret/db]`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub url_command: Vec<String>,
}

/// Another file whose sections are merged into this plan.
#[derive(Debug, Clone, Default, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Include {
    /// The file, resolved against the folder of the file that includes it. Example: `common.yaml`.
    pub file: String,
    /// Values for the included file's variables. Example: `{TABLE: cart}`.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub with: BTreeMap<String, Scalar>,
}

/// A capture of some state, which a rehearsal compares before and after an undo.
#[derive(Debug, Clone, Default, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct StateProbe {
    /// The capture's name in the certificate. Example: `schema`.
    pub name: String,
    /// A command whose output is the state. Example: `pg_dump -s`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub command: Option<String>,
    /// Who reads the text of `command` (default `bash`).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub shell: Option<Shell>,
    /// Environment variables for `command` alone. Example: `{PGDATABASE: shop}`.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub env: BTreeMap<String, Scalar>,
    /// How long the capture may take. Example: `1m`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub timeout: Option<String>,
    /// A query whose rows are the state. Example: `select * from feature_flags order by name`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sql: Option<SqlProbe>,
    /// A file or folder whose content is the state. Example: `config/cart.yaml`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub file: Option<String>,
    /// Regular expressions: lines that match are left out of the comparison. Example: `["^--"]`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub ignore: Vec<String>,
}
