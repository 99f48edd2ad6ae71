//! Checks and measurements: prose, or a mapping with exactly one probe.

use std::collections::BTreeMap;

use super::prelude::*;

/// Something that must hold: a sentence, or a mapping with a title (`check`) and exactly one probe (`command`, `sql`,
/// `http`, `file`, `metric`, `baseline`, `dataset`, `when` or `manual`). It passes, fails or is inconclusive (the
/// probe broke, timed out, found no number); only a pass opens anything.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
#[serde(untagged)]
pub enum Check {
    /// A sentence, understood in this order: a condition over a defined metric (`error_rate < 0.1%`); a fact about
    /// the run (`STEP-3-1 successful`, `Phase 1 completed`); covered by the block's own script or datasets; else a
    /// person attests it. `validate --coverage` shows which it is.
    Text(String),
    /// A probe that a machine evaluates, with a title.
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

/// A check that a machine evaluates: a title and exactly one probe.
#[derive(Debug, Clone, Default, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(transform = super::exactly_one_probe)]
pub struct CheckMapping {
    /// The title that people read in displays and reports; without it the probe's own text. Example: `release is
    /// live`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub check: Option<String>,
    /// Probe: passes if this command exits 0, or as `expect` says. Another exit is a fail; a kill or a timeout is
    /// inconclusive. Example: `test -L current`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub command: Option<String>,
    /// Who reads the text of `command` (default `bash`): `bash`, `sh`, `python`, `sql` (psql on the connection
    /// `default`), or an argument list that gets the text as its last argument.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub shell: Option<Shell>,
    /// Environment variables for `command` alone, over the plan's variables. Example: `{PGOPTIONS: "-c
    /// statement_timeout=5s"}`.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub env: BTreeMap<String, Scalar>,
    /// How long the probe may take before it counts as inconclusive (default `60s`). Example: `30s`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub timeout: Option<String>,
    /// What `command` must answer, when exit 0 is not the whole story. Example: `{stdout: "0"}`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expect: Option<Expect>,
    /// Probe: a query in a read-only transaction. This version does not execute it: ask with `command` and psql.
    /// Example: `{query: select count(*) from cart where total < 0, expect: 0}`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sql: Option<SqlProbe>,
    /// Probe: an HTTP request. This version does not execute it: ask with `command` and curl. Example: `{url:
    /// "http://localhost:8080/healthz", status: 200}`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub http: Option<HttpProbe>,
    /// Probe: passes if the file is as described; it resolves against the plan file's folder. Example: `{path:
    /// backup/cart.sql, min_bytes: 1}`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub file: Option<FileProbe>,
    /// Probe: a condition over a metric of `monitoring_and_observability`, measured now. Where the metric's
    /// `measurement_method` is a sentence, a person reads it off. Example: `error_rate < 0.1%`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub metric: Option<String>,
    /// Probe: a figure must not be worse than the recorded one by more than the margin. This version does not execute
    /// it. Example: `{measure: {command: ./p99.sh}, file: baselines/p99.json, max_regression: 10%}`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub baseline: Option<BaselineProbe>,
    /// Probe: a test dataset by its id; every case must pass, or the share that `min_pass` says. Example:
    /// `SMOKE-TEST-001`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dataset: Option<String>,
    /// With `dataset`: the share of cases that must pass (default `100%`). Example: `95%`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub min_pass: Option<Scalar>,
    /// Probe: an expression over the run's facts must be true: `steps`, `phases`, `gates`, `vars`. Comparing what
    /// cannot be compared is inconclusive. Example: `steps['STEP-1-1'].succeeded and vars.TARGET == 'v2'`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub when: Option<String>,
    /// Probe: `true` means that a named person attests it. Example: `true`.
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
    /// The exit code that passes (default `0`). Example: `3`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub exit_code: Option<i32>,
    /// Standard output must be exactly this, apart from white space at both ends. Example: `"0"`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stdout: Option<Scalar>,
    /// Standard output must contain this text. Example: `ready`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stdout_contains: Option<Scalar>,
    /// Standard output must match this regular expression somewhere. Example: `^version 2\.`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stdout_matches: Option<String>,
    /// Standard output must be JSON with at least these members; keys that begin with `/` are JSON pointers into it.
    /// Output that is no JSON is inconclusive. Example: `{replicas: 3, /status/phase: Running}`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub json: Option<Json>,
}

/// A query, or a mapping that also says the connection and what is expected. This version does not execute it.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
#[serde(untagged)]
pub enum SqlProbe {
    /// The query's text; its first value must be true or non-zero. Example: `select count(*) = 0 from cart where
    /// total < 0`.
    Query(String),
    /// The query with its connection and expectation.
    Mapping(Box<SqlProbeMapping>),
}
text_or_other!(SqlProbe, Query, map Mapping(SqlProbeMapping));

/// A query in a read-only transaction and what is expected of it. This version does not execute it.
#[derive(Debug, Clone, Default, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SqlProbeMapping {
    /// The text of the query. Example: `select count(*) from cart where total < 0`.
    pub query: String,
    /// The name of a connection of the plan (default `default`).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub connection: Option<String>,
    /// The first value of the first row must be this. Example: `0`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expect: Option<Scalar>,
    /// The number of rows that the query must return. Example: `0`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rows: Option<u64>,
    /// The query must answer within this many milliseconds. Example: `200`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_ms: Option<u64>,
}

/// An HTTP request and what is expected of its answer. This version does not execute it.
#[derive(Debug, Clone, Default, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct HttpProbe {
    /// The address that is asked with GET. Example: `http://localhost:8080/healthz`.
    pub url: String,
    /// The status code that passes (default `200`). Example: `204`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status: Option<u16>,
    /// The body must contain this text. Example: `ok`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub contains: Option<String>,
    /// The body must be JSON that has at least these members. Example: `{status: UP}`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub json: Option<Json>,
    /// How long one try may take. Example: `5s`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub timeout: Option<String>,
    /// How many further tries after a failed one (default `0`). Example: `3`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retries: Option<u32>,
}

/// What must be true of a file. Everything given must hold.
#[derive(Debug, Clone, Default, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct FileProbe {
    /// The path, resolved against the plan file's folder. Example: `backup/cart.sql`.
    pub path: String,
    /// Whether the file must exist (default `true`); `false` demands that it does not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub exists: Option<bool>,
    /// The file must be at least this many bytes long. Example: `1`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub min_bytes: Option<u64>,
    /// The SHA-256 of the file's content, in hex, with or without `sha256:` in front. Example:
    /// `sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sha256: Option<String>,
    /// A text that the file must contain. Example: `PostgreSQL database dump complete`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub contains: Option<String>,
}

/// A figure that must not be worse than the recorded one. This version does not execute it.
#[derive(Debug, Clone, Default, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct BaselineProbe {
    /// What to measure: a metric's name, or a mapping with `command`, `sql`, `http` or `promql`. Example: `{command:
    /// ./p99.sh}`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub measure: Option<Measurement>,
    /// The file with the recorded figure. Example: `baselines/latency.json`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub file: Option<String>,
    /// By how much the new figure may be worse. Example: `10%`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_regression: Option<Scalar>,
}

/// How a figure or a verdict is found: a sentence for people, or a mapping that a machine acts on.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
#[serde(untagged)]
pub enum Measurement {
    /// A sentence for people: a person reads the figure off, or the block's dataset stands for it. Example:
    /// `Application metrics`.
    Text(String),
    /// A probe that yields a figure or a verdict.
    Mapping(Box<MeasurementMapping>),
}
text_or_other!(Measurement, Text, map Mapping(MeasurementMapping));

/// How a machine finds a figure or a verdict: exactly one of the probe keys. This version executes `command`, and
/// where a verdict is wanted also `file`, `metric`, `dataset`, `when` and `manual`.
#[derive(Debug, Clone, Default, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(transform = super::exactly_one_measurement)]
pub struct MeasurementMapping {
    /// The title that people read, in place of the sentence beside it. Example: `error rate of the last five
    /// minutes`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub check: Option<String>,
    /// The command. For a metric the number that it prints is the figure, in the metric's unit; for a criterion its
    /// exit code is the verdict. Example: `scripts/error-rate.sh`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub command: Option<String>,
    /// Who reads the text of `command` (default `bash`).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub shell: Option<Shell>,
    /// Environment variables for `command` alone, over the plan's variables. Example: `{WINDOW: 5m}`.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub env: BTreeMap<String, Scalar>,
    /// How long measuring may take before it counts as inconclusive (default `60s`). Example: `30s`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub timeout: Option<String>,
    /// What `command` must answer, when a verdict and no figure is wanted. Example: `{stdout: "0"}`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expect: Option<Expect>,
    /// The query whose first value is the figure. This version does not execute it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sql: Option<SqlProbe>,
    /// The HTTP request whose answer is the figure or verdict. This version does not execute it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub http: Option<HttpProbe>,
    /// The PromQL query whose value is the figure. This version does not execute it. Example:
    /// `rate(http_errors_total[5m])`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub promql: Option<String>,
    /// A file whose state is the verdict. Example: `{path: reports/load-test.txt, contains: PASS}`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub file: Option<FileProbe>,
    /// A condition over a defined metric. Example: `error_rate < 0.1%`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub metric: Option<String>,
    /// A test dataset by its id; its cases are the verdict. Example: `SMOKE-TEST-001`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dataset: Option<String>,
    /// With `dataset`: the share of cases that must pass (default `100%`). Example: `95%`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub min_pass: Option<Scalar>,
    /// An expression over the run's facts that must be true. Example: `phases['PHASE-1'].succeeded`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub when: Option<String>,
    /// `true` means that a named person attests it. Example: `true`.
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
