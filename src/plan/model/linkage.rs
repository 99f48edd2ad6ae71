//! `linkage`: the files around the plan.

use super::prelude::*;

/// The files around the plan. Paths resolve against the plan file's folder.
#[derive(Debug, Clone, Default, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Linkage {
    /// The description of the existing system. It should exist; a run does not read it. Example:
    /// `existing-system-truth.yaml`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub existing_system_truth_file: Option<String>,
    /// The description of the enhancement. It should exist; a run does not read it. Example:
    /// `enhancement-truth.yaml`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub enhancement_truth_file: Option<String>,
    /// The analysis of what the change breaks. It should exist; a run does not read it. Example:
    /// `compatibility-analysis.yaml`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub compatibility_analysis_file: Option<String>,
    /// The folder of the test datasets (default `test-datasets`). Dataset `X` is `X.yaml`, `.yml`, `.json`, `.sh`,
    /// `.sql` or `.py` in it, or an executable `X`. Example: `test-datasets/migration/`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub test_datasets_dir: Option<String>,
    /// Where scripts are kept, for readers. The folder must exist; paths of scripts resolve against the plan file's
    /// folder all the same. Example: `scripts/migration/`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub automation_scripts_dir: Option<String>,
}
