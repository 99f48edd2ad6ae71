//! How steps and phases are undone.

use crate::plan::model::prelude::*;

/// How one step is undone: by a script, by `- run:` items, or by a person.
#[derive(Debug, Clone, Default, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RollbackProcedure {
    /// Whether the step can be undone. Absent means: yes if a `rollback_script` or a `- run:` item is there. `false`
    /// is a wall: a rollback stops there and says so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub can_rollback: Option<bool>,
    /// The undo runs only if this holds; if it fails, the step is left as it is and the rollback goes on. Example:
    /// `{check: backup was used, command: test -f backup.used}`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub only_if: Option<Box<CheckMapping>>,
    /// What to do, in order: `{run: ./undo.sh}` runs, a sentence is done and confirmed by a person. With a
    /// `rollback_script` they only document it. Example: `[{run: ./undo.sh}]`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub rollback_steps: Vec<RollbackStepItem>,
    /// The script that undoes the step; it runs in place of `rollback_steps`. If it was edited since the step ran,
    /// the copy from then is used. Example: `scripts/restore-cart.sh`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rollback_script: Option<Script>,
    /// A test dataset that is run after the undo; only its pass proves it. Example: `ROLLBACK-TEST-001`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rollback_test_id: Option<String>,
    /// How long the undo may take. Then its process tree is killed and the rollback is stuck until a person decides.
    /// It is counted anew, whatever the step's own timeout was. Example: `20m`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub timeout: Option<String>,
}

/// How a whole phase is undone from its end.
#[derive(Debug, Clone, Default, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RollbackPoint {
    /// Whether the phase can be undone (default `true`). `false` is a wall: a rollback stops there and says so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub can_rollback_from_here: Option<bool>,
    /// A sentence is for readers, and the steps' own undo runs, last started first. A mapping with `script` or
    /// `steps` runs instead of it. Example: `{script: scripts/undo-phase-1.sh}`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rollback_procedure: Option<PointProcedure>,
    /// A test dataset that is run after the phase was undone. Example: `ROLLBACK-TEST-003`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rollback_test_id: Option<String>,
    /// How long undoing the phase should take, for readers and the review. Example: `1 hour`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub estimated_rollback_duration: Option<String>,
}

/// A phase's way back: a sentence for readers, or what runs in place of the steps' own undo.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
#[serde(untagged)]
pub enum PointProcedure {
    /// A sentence for readers: the steps' own undo runs, last started first.
    Text(String),
    /// What runs in place of the steps' own undo.
    Mapping(Box<PointProcedureMapping>),
}
text_or_other!(PointProcedure, Text, map Mapping(PointProcedureMapping));

/// What runs to undo a phase: the script first, then the steps.
#[derive(Debug, Clone, Default, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PointProcedureMapping {
    /// The script that undoes the phase. Example: `scripts/undo-phase-1.sh`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub script: Option<Script>,
    /// What to do after the script, in order: `{run: ./undo.sh}` runs, a sentence is done and confirmed by a person.
    /// Example: `[{run: ./undo.sh}]`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub steps: Vec<RollbackStepItem>,
    /// How long the undo may take. Then its process tree is killed and the rollback is stuck until a person decides.
    /// Example: `1h`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub timeout: Option<String>,
}
