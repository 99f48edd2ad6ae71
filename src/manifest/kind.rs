//! Kinds of documents: which files belong together, where their version stands, which fields may never change.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::json::Pointer;
use super::version::Version;

/// The key under which every migrated document records its migrations.
pub const HISTORY: &str = "migration_history";

/// A kind of document: run manifests, briefs, resolved briefs, or one that a migrations folder describes.
#[derive(Debug, Clone, PartialEq)]
pub struct Kind {
    /// Its name, such as `run_manifest`.
    pub name: String,
    /// Which files are of this kind, as a glob below the root, such as `**/manifest.json`.
    pub pattern: String,
    /// Where the version stands.
    pub version_pointer: Pointer,
    /// The fields that no migration may touch.
    pub identity: Vec<Pointer>,
    /// The fields that must be there, and not `null`.
    pub required: Vec<Pointer>,
    /// Versions that are known although no migration names them.
    pub versions: Vec<Version>,
    /// The JSON Schemas that documents of these versions fit.
    pub schemas: BTreeMap<Version, Value>,
}

/// `kind.yaml` in a migrations folder: a kind of JSON document that carries a version.
#[derive(Debug, Clone, Default, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct KindFile {
    /// The name of the kind. A built-in name (`run_manifest`, `brief`, `resolved_brief`) changes what this file says of
    /// that kind and leaves the rest. Example: `report`.
    pub name: String,
    /// Which files are of this kind, as a glob below the root. Example: `**/report.json`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pattern: Option<String>,
    /// Where the version stands, as a JSON pointer (default `/schema_version`).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version_pointer: Option<String>,
    /// The fields that no migration may ever touch, as JSON pointers. Example: `[/report_id]`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub identity: Option<Vec<String>>,
    /// The fields that every document must have, as JSON pointers. Example: `[/report_id]`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub required: Option<Vec<String>>,
    /// Versions that exist although no migration names them. Example: `[1.0.0]`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub versions: Vec<String>,
    /// The JSON Schema of each version, as a file in the folder. Example: `{1.0.0: report-1.0.0.schema.json}`.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub schemas: BTreeMap<String, String>,
}

impl Kind {
    /// The names of the built-in kinds.
    pub const BUILT_IN: [&'static str; 3] = ["run_manifest", "brief", "resolved_brief"];

    /// A built-in kind by its name.
    #[must_use]
    pub fn built_in(name: &str) -> Option<Self> {
        match name {
            "run_manifest" => Some(Self::run_manifest()),
            "brief" => Some(Self::of_job(name, "**/brief.json")),
            "resolved_brief" => Some(Self::of_job(name, "**/brief.resolved.json")),
            _ => None,
        }
    }

    /// Manifests of runs, `**/manifest.json`: `run_id`, `job_id` and `job_ref` never change, and the first two must be
    /// there.
    #[must_use]
    pub fn run_manifest() -> Self {
        let mut kind = Self::named("run_manifest");
        kind.pattern = "**/manifest.json".to_owned();
        kind.identity = ["run_id", "job_id", "job_ref"]
            .map(|key| Pointer::of([key]))
            .into();
        kind.required = ["run_id", "job_id"].map(|key| Pointer::of([key])).into();
        kind
    }

    /// What a job was asked to do: it has a `job_id`, and no run yet.
    fn of_job(name: &str, pattern: &str) -> Self {
        let mut kind = Self::named(name);
        pattern.clone_into(&mut kind.pattern);
        kind.identity = vec![Pointer::of(["job_id"])];
        kind.required = kind.identity.clone();
        kind.versions = vec![Version::new(1, 0, 0)];
        kind
    }

    /// A kind of which nothing is known but its name: every `.json` file, the version at `/schema_version`, no identity.
    #[must_use]
    pub fn named(name: &str) -> Self {
        Self {
            name: name.to_owned(),
            pattern: "**/*.json".to_owned(),
            version_pointer: Pointer::of(["schema_version"]),
            identity: Vec::new(),
            required: Vec::new(),
            versions: Vec::new(),
            schemas: BTreeMap::new(),
        }
    }
}
