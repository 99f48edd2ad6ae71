//! `linkage`: the files around the plan.

use super::prelude::*;

/// The files around the plan. Paths resolve against the plan file's folder.
#[derive(Debug, Clone, Default, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Linkage {
    /// The description of the existing system. Example: `existing-system-truth.yaml`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub existing_system_truth_file: Option<String>,
    /// The description of the enhancement. Example: `enhancement-truth.yaml`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub enhancement_truth_file: Option<String>,
    /// The analysis of what the change breaks. Example: `compatibility-analysis.yaml`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub compatibility_analysis_file: Option<String>,
    /// Where test datasets are: `<id>.yaml`, `.json`, `.sh`, `.sql`, `.py`, or an executable `<id>`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub test_datasets_dir: Option<String>,
    /// Where scripts are kept. It must exist; paths of scripts do not resolve against it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub automation_scripts_dir: Option<String>,
}
