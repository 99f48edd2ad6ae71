//! Test datasets: found by id, and read where they list cases (SPEC section 2).

use serde::Deserialize;

use super::lower::Lowering;
use super::types::{Check, Dataset, How, InputKind, Process, Run};
use crate::base::id::ItemId;
use crate::plan::model::CheckMapping;

/// How long a probe may take unless it says otherwise (SPEC section 2).
pub(super) const PROBE_TIMEOUT_MS: u64 = 60_000;

/// File name endings in which a dataset is looked for, in this order; the empty one is an executable of that name.
pub(super) const ENDINGS: [&str; 6] = [".yaml", ".yml", ".json", ".sh", ".sql", ".py"];

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct DatasetFile {
    #[serde(default, rename = "description")]
    _description: Option<String>,
    cases: Vec<Case>,
}

#[derive(Deserialize)]
struct Case {
    name: String,
    #[serde(flatten)]
    probe: CheckMapping,
}

impl Lowering<'_> {
    /// The dataset with this id. One that is not there is kept without a path: evaluating it is inconclusive, and the
    /// review calls it an error.
    pub(super) fn dataset(&mut self, id: &str, min_pass: Option<&str>, at: &str) -> Dataset {
        let min_pass = match min_pass {
            None => 100.0,
            Some(text) => match crate::base::quantity::Percentage::parse(text) {
                Ok(share) => share.percent(),
                Err(why) => {
                    self.error(at, format!("this share is not understood: {why}"));
                    100.0
                }
            },
        };
        let dir = self
            .plan
            .linkage
            .as_ref()
            .and_then(|l| l.test_datasets_dir.as_deref())
            .unwrap_or("test-datasets");
        let dir = dir.trim_end_matches('/');
        let found = ENDINGS
            .iter()
            .chain(&[""])
            .map(|ending| format!("{dir}/{id}{ending}"))
            .find(|path| self.files.exists(path));
        let mut dataset = Dataset {
            id: id.to_owned(),
            path: found.clone(),
            cases: None,
            min_pass,
            process: None,
        };
        let Some(path) = found else { return dataset };
        self.input(&path, InputKind::Dataset);
        if path.ends_with(".yaml") || path.ends_with(".yml") || path.ends_with(".json") {
            dataset.cases = self.cases(id, &path, at);
        } else {
            dataset.process = Some(Process {
                name: path.clone(),
                run: Run::Script {
                    path,
                    args: Vec::new(),
                    shell: None,
                },
                env: Vec::new(),
                timeout_ms: Some(PROBE_TIMEOUT_MS),
            });
        }
        dataset
    }

    fn cases(&mut self, id: &str, path: &str, at: &str) -> Option<Vec<Check>> {
        let text = match self.files.read(path) {
            Ok(text) => text,
            Err(why) => {
                self.error(at, format!("the dataset {path} cannot be read: {why}"));
                return None;
            }
        };
        let file: DatasetFile = match serde_yaml::from_str(&text) {
            Ok(file) => file,
            Err(why) => {
                self.error(
                    at,
                    format!("the dataset {path} is not a list of cases: {why}"),
                );
                return None;
            }
        };
        if file.cases.is_empty() {
            self.error(
                at,
                format!("the dataset {path} has no cases: it would prove nothing"),
            );
        }
        let mut cases = Vec::new();
        for (i, case) in file.cases.iter().enumerate() {
            let Ok(item) = ItemId::parse(&format!("{id}.cases.{i}")) else {
                continue;
            };
            let said = self.errors.len();
            let mut check = self.probe(item, &case.probe, at, &[]);
            check.title.clone_from(&case.name);
            // A probe that this version cannot execute was named already.
            if said == self.errors.len() && matches!(check.how, How::Attest | How::Dataset(_)) {
                self.error(
                    at,
                    format!(
                        "the case {:?} of {path} is not something that a machine can judge alone",
                        case.name
                    ),
                );
            }
            cases.push(check);
        }
        Some(cases)
    }
}
