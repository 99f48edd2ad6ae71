//! Checks: what each sentence or mapping is judged by (SPEC section 2).

use super::datasets::PROBE_TIMEOUT_MS;
use super::lower::Lowering;
use super::types::{Check, CommandProbe, FileProbe, How, MetricProbe};
use super::work::{expect, pairs, shell_text};
use crate::base::id::ItemId;
use crate::plan::condition::{BlockEvidence, Condition, Expression, Understanding, understand};
use crate::plan::model::{self, CheckMapping, Probe};

impl Lowering<'_> {
    /// The checks of a list. `evidence` names what in the same block covers prose; `who` may attest it.
    pub(super) fn checks(
        &mut self,
        owner: &str,
        field: &str,
        written: &[model::Check],
        evidence: &[String],
        who: &[String],
        at: &str,
    ) -> Vec<Check> {
        let mut all = Vec::new();
        for (i, check) in written.iter().enumerate() {
            let at = format!("{at}/{i}");
            if let Some(id) = self.item(&format!("{owner}.{field}.{i}"), &at) {
                all.push(self.check(id, check, evidence, who, &at));
            }
        }
        all
    }

    pub(super) fn check(
        &mut self,
        id: ItemId,
        written: &model::Check,
        evidence: &[String],
        who: &[String],
        at: &str,
    ) -> Check {
        match written {
            model::Check::Text(text) => self.sentence(id, text, evidence, who, at),
            model::Check::Probe(mapping) => self.probe(id, mapping, at, who),
        }
    }

    /// A sentence: a condition, a fact, covered, or a person's.
    pub(super) fn sentence(
        &mut self,
        id: ItemId,
        text: &str,
        evidence: &[String],
        who: &[String],
        at: &str,
    ) -> Check {
        let block = BlockEvidence {
            covered_by: evidence.to_vec(),
        };
        let how = match understand(text, &block, &self.index) {
            Understanding::Condition(condition) => self.metric(condition, at),
            Understanding::Fact(fact) => How::Fact(fact),
            Understanding::Counts(expression) => How::When(expression),
            Understanding::Covered { by } => How::Covered(by),
            Understanding::Attest => How::Attest,
        };
        Check {
            id,
            title: text.to_owned(),
            how,
            who: who.to_vec(),
        }
    }

    /// A condition over a metric: measured where the metric says how a machine can, else a person reads it off.
    fn metric(&mut self, condition: Condition, at: &str) -> How {
        let method = self
            .plan
            .monitoring_and_observability
            .as_ref()
            .and_then(|m| {
                m.migration_monitoring
                    .iter()
                    .find(|metric| {
                        metric.id.as_deref().unwrap_or(&metric.metric_name) == condition.metric
                    })
                    .and_then(|metric| metric.measurement_method.clone())
            });
        let Some(model::Measurement::Mapping(method)) = method else {
            return How::Attest;
        };
        let Some(command) = &method.command else {
            self.error(
                at,
                "this version measures a metric by `command` only".to_owned(),
            );
            return How::Attest;
        };
        let mut process = shell_text(command, Self::shell(method.shell.as_ref()));
        process.env = pairs(&method.env);
        process.timeout_ms = self
            .duration(method.timeout.as_deref(), at)
            .or(Some(PROBE_TIMEOUT_MS));
        How::Metric(Box::new(MetricProbe { condition, process }))
    }

    /// A mapping with exactly one probe.
    pub(super) fn probe(
        &mut self,
        id: ItemId,
        mapping: &CheckMapping,
        at: &str,
        who: &[String],
    ) -> Check {
        let mut title = mapping.check.clone();
        let mut name = |text: &str| {
            title.get_or_insert_with(|| text.trim().to_owned());
        };
        let how = match mapping.probe() {
            Some(Probe::Command(text)) => {
                name(text);
                let mut process = shell_text(text, Self::shell(mapping.shell.as_ref()));
                process.env = pairs(&mapping.env);
                process.timeout_ms = self
                    .duration(mapping.timeout.as_deref(), &format!("{at}/timeout"))
                    .or(Some(PROBE_TIMEOUT_MS));
                How::Command(CommandProbe {
                    process,
                    expect: expect(mapping.expect.as_ref()),
                })
            }
            Some(Probe::File(file)) => {
                name(&file.path);
                How::File(FileProbe {
                    path: file.path.clone(),
                    exists: file.exists.unwrap_or(true),
                    min_bytes: file.min_bytes,
                    sha256: file.sha256.clone(),
                    contains: file.contains.clone(),
                })
            }
            Some(Probe::Dataset(dataset)) => {
                name(dataset);
                let min_pass = mapping.min_pass.as_ref().map(|m| m.as_str().to_owned());
                How::Dataset(self.dataset(dataset, min_pass.as_deref(), at))
            }
            Some(Probe::When(expression)) => {
                name(expression);
                if let Err(why) = Expression::parse(expression) {
                    self.error(
                        &format!("{at}/when"),
                        format!("this expression is not understood: {why}"),
                    );
                }
                How::When(expression.to_owned())
            }
            Some(Probe::Metric(text)) => {
                name(text);
                match Condition::parse(text, &self.index) {
                    Ok(condition) => self.metric(condition, at),
                    Err(why) => {
                        self.error(&format!("{at}/metric"), why.to_string());
                        How::Attest
                    }
                }
            }
            Some(Probe::Manual) | None => How::Attest,
            Some(Probe::Sql(_)) => self.not_yet(at, "sql"),
            Some(Probe::Http(_)) => self.not_yet(at, "http"),
            Some(Probe::Baseline(_)) => self.not_yet(at, "baseline"),
        };
        let title = title.unwrap_or_else(|| "a person attests it".to_owned());
        Check {
            id,
            title,
            how,
            who: who.to_vec(),
        }
    }

    fn not_yet(&mut self, at: &str, probe: &str) -> How {
        self.error(
            at,
            format!("this version cannot execute `{probe}` probes yet; write it as a `command`"),
        );
        How::Attest
    }

    /// A dataset as a check of its own.
    pub(super) fn dataset_check(&mut self, item: &str, id: &str, at: &str) -> Option<Check> {
        let item = self.item(item, at)?;
        let dataset = self.dataset(id, None, at);
        Some(Check {
            id: item,
            title: format!("dataset {id}"),
            how: How::Dataset(dataset),
            who: Vec::new(),
        })
    }

    /// `test_dataset_ids` as checks.
    pub(super) fn datasets(
        &mut self,
        owner: &str,
        field: &str,
        ids: &[String],
        at: &str,
    ) -> Vec<Check> {
        let mut all = Vec::new();
        for (i, id) in ids.iter().enumerate() {
            all.extend(self.dataset_check(
                &format!("{owner}.{field}.{i}"),
                id,
                &format!("{at}/{i}"),
            ));
        }
        all
    }

    /// A script whose exit 0 is the evidence.
    pub(super) fn script_check(
        &mut self,
        item: &str,
        script: &model::Script,
        timeout_ms: Option<u64>,
        at: &str,
    ) -> Option<Check> {
        let id = self.item(item, at)?;
        let mut process = self.script(script, at);
        process.timeout_ms = process.timeout_ms.or(timeout_ms);
        let title = format!("script {}", process.name);
        let probe = CommandProbe {
            process,
            expect: super::types::Expect::default(),
        };
        Some(Check {
            id,
            title,
            how: How::Command(probe),
            who: Vec::new(),
        })
    }

    /// Things a person does and confirms.
    pub(super) fn by_hand(
        &mut self,
        owner: &str,
        field: &str,
        what: &[String],
        who: &[String],
        at: &str,
    ) -> Vec<Check> {
        let mut all = Vec::new();
        for (i, text) in what.iter().enumerate() {
            if let Some(id) = self.item(&format!("{owner}.{field}.{i}"), &format!("{at}/{i}")) {
                all.push(Check {
                    id,
                    title: text.clone(),
                    how: How::Attest,
                    who: who.to_vec(),
                });
            }
        }
        all
    }
}
