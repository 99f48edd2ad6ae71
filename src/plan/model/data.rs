//! `data_migration`: catalogue of data migrations that steps apply.

use super::prelude::*;

/// Catalogue of data migrations that steps name in `applies`.
#[derive(Debug, Clone, Default, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct DataMigrationSection {
    /// The migrations.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub migrations: Vec<DataMigration>,
}

/// One data migration.
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct DataMigration {
    /// The id that `applies` names. Example: `DATA-MIG-001`.
    pub migration_id: String,
    /// The name that people read.
    pub name: String,
    /// What it does.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// What kind of change it is.
    pub r#type: DataMigrationType,
    /// Where the data comes from.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source: Option<DataSource>,
    /// Where the data goes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub target: Option<DataTarget>,
    /// How old and new live side by side meanwhile.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub migration_approach: Option<DataMigrationApproach>,
    /// How records are transformed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub transformation_logic: Option<TransformationLogic>,
    /// Batches, workers and rates.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub execution_plan: Option<DataExecutionPlan>,
    /// Checks before and after, and the reconciliation.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub validation: Option<DataValidation>,
    /// How it is undone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rollback: Option<DataRollback>,
    /// Whether the service is down meanwhile.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub downtime: Option<Downtime>,
}

/// What kind of data change it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum DataMigrationType {
    /// The schema changes.
    SchemaChange,
    /// Records are transformed.
    DataTransformation,
    /// Records are removed or mended.
    DataCleanup,
    /// Records are moved away.
    DataArchival,
}

/// Where data comes from.
#[derive(Debug, Clone, Default, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct DataSource {
    /// The system.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub system: Option<String>,
    /// The schema.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub schema: Option<String>,
    /// The tables. Example: `[cart]`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub tables: Vec<String>,
    /// About how many records there are.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub estimated_records: Option<u64>,
    /// About how large they are. Example: `12 GB`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub estimated_size: Option<String>,
}

/// Where data goes.
#[derive(Debug, Clone, Default, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct DataTarget {
    /// The system.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub system: Option<String>,
    /// The schema.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub schema: Option<String>,
    /// The tables.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub tables: Vec<String>,
    /// About how many records there will be.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub estimated_records: Option<u64>,
}

/// How old and new live side by side meanwhile.
#[derive(Debug, Clone, Default, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct DataMigrationApproach {
    /// The method.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub method: Option<DataMethod>,
    /// How it is implemented.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub implementation: Option<String>,
    /// With `dual_write`: for how long both are written. Example: `2 weeks`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dual_write_period: Option<String>,
    /// With `shadow_write`: how the shadow is compared.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub shadow_write_validation: Option<String>,
}

/// The method of a data migration.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum DataMethod {
    /// While the service works.
    Online,
    /// While the service is down.
    Offline,
    /// Both places are written.
    DualWrite,
    /// The new place is written, the old one is read.
    ShadowWrite,
    /// Old records follow later.
    Backfill,
}

/// How records are transformed.
#[derive(Debug, Clone, Default, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct TransformationLogic {
    /// What the transformation does.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// Its rules.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub transformation_rules: Vec<String>,
    /// Where its code is. Example: `src/transform.py`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub code_location: Option<String>,
    /// Records that need care.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub edge_cases: Vec<EdgeCase>,
}

/// A kind of record that needs care.
#[derive(Debug, Clone, Default, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct EdgeCase {
    /// What is special.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub scenario: Option<String>,
    /// How it is handled.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub handling: Option<String>,
    /// The test dataset that shows it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub test_dataset_id: Option<String>,
}

/// Batches, workers and rates.
#[derive(Debug, Clone, Default, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct DataExecutionPlan {
    /// Records per batch. Example: `1000`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub batch_size: Option<u64>,
    /// Whether batches run at the same time.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub parallel_execution: Option<bool>,
    /// How many batches at most run at the same time.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_parallel_workers: Option<u32>,
    /// How fast at most. Example: `5000 records/s`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rate_limit: Option<String>,
    /// The script that migrates one batch.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub execution_script: Option<Script>,
    /// The statement that migrates one batch, instead of a script.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sql: Option<String>,
    /// How long it should take. Example: `4 hours`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub estimated_duration: Option<String>,
}

/// Checks before and after a data migration.
#[derive(Debug, Clone, Default, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct DataValidation {
    /// What must hold before.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub pre_migration_checks: Vec<Check>,
    /// What must hold after.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub post_migration_checks: Vec<Check>,
    /// What must hold of the data itself.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub data_integrity_checks: Vec<Check>,
    /// Test datasets that must pass.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub test_dataset_ids: Vec<String>,
    /// How source and target are compared.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reconciliation: Option<Reconciliation>,
}

/// How source and target are compared.
#[derive(Debug, Clone, Default, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Reconciliation {
    /// The method: a sentence, or how a machine measures it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub method: Option<Measurement>,
    /// From where on it is accepted. Example: `99.99% match`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub acceptance_threshold: Option<String>,
}

/// How a data migration is undone.
#[derive(Debug, Clone, Default, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct DataRollback {
    /// Whether it can be undone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub can_rollback: Option<bool>,
    /// The method.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rollback_method: Option<RollbackMethod>,
    /// The script that undoes it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rollback_script: Option<Script>,
    /// How long the undo should take. Example: `30 minutes`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rollback_duration: Option<String>,
    /// A test dataset that is run after the undo.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rollback_test_id: Option<String>,
}

/// How data gets back.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum RollbackMethod {
    /// From a backup.
    RestoreBackup,
    /// By the reverse transformation.
    ReverseMigration,
    /// By using the old place again.
    SwitchBack,
}

/// Whether the service is down meanwhile.
#[derive(Debug, Clone, Default, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Downtime {
    /// Whether downtime is needed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub required: Option<bool>,
    /// For how long. Example: `10 minutes`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub duration: Option<String>,
    /// When.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub maintenance_window: Option<String>,
}
