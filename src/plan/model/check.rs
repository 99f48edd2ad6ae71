//! Checks and measurements: prose, or a mapping with exactly one probe.

use std::collections::BTreeMap;

use super::prelude::*;

/// Something that must hold: a sentence, or a mapping with a title (`check`) and exactly one probe
/// (`command`, `sql`, `http`, `file`, `metric`, `baseline`, `dataset`, `when` or `manual`).
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
#[serde(untagged)]
pub enum Check {
    /// A sentence: understood as a condition, a fact about the run, covered by the block's
    /// evidence, or attested by a person, in this order.
    Text(String),
    /// A probe that a machine evaluates.
    Probe(Box<CheckMapping>),
}
text_or_other!(Check, Text, map Probe(CheckMapping));

impl Check {
    /// The title that people read: the sentence, or the mapping's `check`.
    #[must_use]
    pub fn title(&self) -> Option<&str> {
        match self {
            Self::Text(text) => Some(text),
            Self::Probe(probe) => probe.check.as_deref(),
        }
    }
}

/// A probe: a title and exactly one of the probe keys. Example: `{check: "release is live",
/// command: "test -L current"}`.
#[derive(Debug, Clone, Default, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(transform = super::exactly_one_probe)]
pub struct CheckMapping {
    /// The title that people read in displays and reports. Example: `release is live`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub check: Option<String>,
    /// Probe: this command must exit 0, or as `expect` says. Example: `test -L current`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub command: Option<String>,
    /// Which shell runs `command`: `bash` (default), `sh`, `python`, `sql` or an argument list.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub shell: Option<Shell>,
    /// Environment variables for `command` alone.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub env: BTreeMap<String, Scalar>,
    /// How long the probe may take before it counts as inconclusive (default 60 s). Example: `30s`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub timeout: Option<String>,
    /// What `command` must answer, when exit 0 is not the whole story. Example: `{exit_code: 3}`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expect: Option<Expect>,
    /// Probe: a query in a read-only transaction. Example: `{query: "select count(*) from t", expect: 0}`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sql: Option<SqlProbe>,
    /// Probe: an HTTP request. Example: `{url: "http://localhost:8080/healthz", status: 200}`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub http: Option<HttpProbe>,
    /// Probe: a file's existence or content. Example: `{path: backup/cart.sql, min_bytes: 1}`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub file: Option<FileProbe>,
    /// Probe: a condition over a defined metric, measured now. Example: `error_rate < 0.1%`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub metric: Option<String>,
    /// Probe: a figure must not be worse than the recorded one by more than the margin.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub baseline: Option<BaselineProbe>,
    /// Probe: a test dataset by its id; every case must pass. Example: `SMOKE-TEST-001`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dataset: Option<String>,
    /// With `dataset`: the share of cases that must pass. Example: `95%`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub min_pass: Option<Scalar>,
    /// Probe: an expression over run facts must be true. Example: `steps['STEP-1-1'].succeeded`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub when: Option<String>,
    /// Probe: `true` means that a named person attests it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub manual: Option<bool>,
}

/// Which probe a check mapping holds.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Probe<'a> {
    /// A command with its settings in the mapping.
    Command(&'a str),
    /// A database query.
    Sql(&'a SqlProbe),
    /// An HTTP request.
    Http(&'a HttpProbe),
    /// A file.
    File(&'a FileProbe),
    /// A condition over a metric.
    Metric(&'a str),
    /// A comparison with a recorded figure.
    Baseline(&'a BaselineProbe),
    /// A test dataset's id.
    Dataset(&'a str),
    /// An expression over run facts.
    When(&'a str),
    /// A person attests it.
    Manual,
}

impl CheckMapping {
    /// The probe keys in the order of the format's table; each check has exactly one of them.
    pub const PROBE_KEYS: [&'static str; 9] = [
        "command", "sql", "http", "file", "metric", "baseline", "dataset", "when", "manual",
    ];

    /// The probe, or `None` when the mapping has no probe key (the shape check refuses that) or
    /// says `manual: false`.
    #[must_use]
    pub fn probe(&self) -> Option<Probe<'_>> {
        if let Some(command) = &self.command {
            return Some(Probe::Command(command));
        }
        if let Some(sql) = &self.sql {
            return Some(Probe::Sql(sql));
        }
        if let Some(http) = &self.http {
            return Some(Probe::Http(http));
        }
        if let Some(file) = &self.file {
            return Some(Probe::File(file));
        }
        if let Some(metric) = &self.metric {
            return Some(Probe::Metric(metric));
        }
        if let Some(baseline) = &self.baseline {
            return Some(Probe::Baseline(baseline));
        }
        if let Some(dataset) = &self.dataset {
            return Some(Probe::Dataset(dataset));
        }
        if let Some(when) = &self.when {
            return Some(Probe::When(when));
        }
        (self.manual == Some(true)).then_some(Probe::Manual)
    }
}

/// What a command must answer to pass. Everything given must hold.
#[derive(Debug, Clone, Default, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Expect {
    /// The exit code that passes (default 0). Example: `3`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub exit_code: Option<i32>,
    /// Standard output must be exactly this, apart from white space at both ends.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stdout: Option<Scalar>,
    /// Standard output must contain this text.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stdout_contains: Option<Scalar>,
    /// Standard output must match this regular expression. Example: `^version 2\.`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stdout_matches: Option<String>,
    /// Standard output must be JSON equal to this value.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub json: Option<Json>,
}

/// A query: its text, or a mapping that also says the connection and what is expected.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
#[serde(untagged)]
pub enum SqlProbe {
    /// The query; its first value must be true or non-zero.
    Query(String),
    /// The query with its connection and expectation.
    Mapping(Box<SqlProbeMapping>),
}
text_or_other!(SqlProbe, Query, map Mapping(SqlProbeMapping));

/// A query in a read-only transaction and what is expected of it.
#[derive(Debug, Clone, Default, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SqlProbeMapping {
    /// The query. Example: `select count(*) from cart where total < 0`.
    pub query: String,
    /// The connection's name (default `default`).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub connection: Option<String>,
    /// The first value of the first row must be this. Example: `0`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expect: Option<Scalar>,
    /// The number of rows must be this.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rows: Option<u64>,
    /// The query must answer within this many milliseconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_ms: Option<u64>,
}

/// An HTTP request and what is expected of its answer.
#[derive(Debug, Clone, Default, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct HttpProbe {
    /// Where to ask. Example: `http://localhost:8080/healthz`.
    pub url: String,
    /// The status code that passes (default 200).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status: Option<u16>,
    /// The body must contain this text.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub contains: Option<String>,
    /// The body must be JSON that has at least these members.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub json: Option<Json>,
    /// How long one try may take. Example: `5s`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub timeout: Option<String>,
    /// How many further tries after a failed one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retries: Option<u32>,
}

/// What must be true of a file. Everything given must hold.
#[derive(Debug, Clone, Default, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct FileProbe {
    /// The path, resolved against the plan file's folder. Example: `backup/cart.sql`.
    pub path: String,
    /// Whether it must exist (default true); `false` demands that it does not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub exists: Option<bool>,
    /// It must be at least this many bytes long.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub min_bytes: Option<u64>,
    /// Its content's SHA-256 must be this, in hex.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sha256: Option<String>,
    /// It must contain this text.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub contains: Option<String>,
}

/// A figure that must not be worse than the recorded one.
#[derive(Debug, Clone, Default, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct BaselineProbe {
    /// What to measure: a metric's name, or a mapping with `command`, `sql`, `http` or `promql`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub measure: Option<Measurement>,
    /// The file with the recorded figure. Example: `baselines/latency.json`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub file: Option<String>,
    /// By how much the new figure may be worse. Example: `10%`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_regression: Option<Scalar>,
}

/// How a figure is found: a sentence for people, or a mapping that a machine acts on.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
#[serde(untagged)]
pub enum Measurement {
    /// A sentence; a person or the block's datasets stand for it.
    Text(String),
    /// A probe that yields a value or a verdict.
    Mapping(Box<MeasurementMapping>),
}
text_or_other!(Measurement, Text, map Mapping(MeasurementMapping));

/// How a machine finds a figure or verdict: exactly one of the probe keys.
#[derive(Debug, Clone, Default, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(transform = super::exactly_one_measurement)]
pub struct MeasurementMapping {
    /// The title that people read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub check: Option<String>,
    /// The command whose output is the figure. Example: `scripts/error-rate.sh`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub command: Option<String>,
    /// Which shell runs `command`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub shell: Option<Shell>,
    /// Environment variables for `command` alone.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub env: BTreeMap<String, Scalar>,
    /// How long measuring may take (default 60 s). Example: `30s`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub timeout: Option<String>,
    /// What `command` must answer, when a verdict and no figure is wanted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expect: Option<Expect>,
    /// The query whose first value is the figure.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sql: Option<SqlProbe>,
    /// The HTTP request whose answer is the figure or verdict.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub http: Option<HttpProbe>,
    /// The PromQL query whose value is the figure.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub promql: Option<String>,
    /// A file whose state is the verdict.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub file: Option<FileProbe>,
    /// A condition over a defined metric. Example: `error_rate < 0.1%`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub metric: Option<String>,
    /// A test dataset by its id.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dataset: Option<String>,
    /// With `dataset`: the share of cases that must pass. Example: `95%`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub min_pass: Option<Scalar>,
    /// An expression over run facts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub when: Option<String>,
    /// `true` means that a named person attests it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub manual: Option<bool>,
}

impl MeasurementMapping {
    /// The keys of which each measurement has exactly one.
    pub const PROBE_KEYS: [&'static str; 9] = [
        "command", "sql", "http", "promql", "file", "metric", "dataset", "when", "manual",
    ];

    /// The same probe as a check, for verdicts; `None` for `promql`, which yields only a figure.
    #[must_use]
    pub fn to_check(&self) -> Option<CheckMapping> {
        if self.promql.is_some() {
            return None;
        }
        Some(CheckMapping {
            check: self.check.clone(),
            command: self.command.clone(),
            shell: self.shell.clone(),
            env: self.env.clone(),
            timeout: self.timeout.clone(),
            expect: self.expect.clone(),
            sql: self.sql.clone(),
            http: self.http.clone(),
            file: self.file.clone(),
            metric: self.metric.clone(),
            baseline: None,
            dataset: self.dataset.clone(),
            min_pass: self.min_pass.clone(),
            when: self.when.clone(),
            manual: self.manual,
        })
    }
}
