//! `data_migration`: catalogue of data migrations that steps apply.

use super::prelude::*;

/// Catalogue of data migrations. A run of this version does not act on it.
#[derive(Debug, Clone, Default, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct DataMigrationSection {
    /// The data migrations, which steps may name in `applies` once a version executes that. Example: `[{migration_id:
    /// DATA-MIG-001, name: Fill discount columns, type: data_transformation}]`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub migrations: Vec<DataMigration>,
}

/// One data migration of the catalogue.
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct DataMigration {
    /// The id that `applies` names. Example: `DATA-MIG-001`.
    pub migration_id: String,
    /// The name that people read. Example: `Fill discount columns`.
    pub name: String,
    /// What the migration does to the data, for readers.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// What kind of change it is: schema, content, clean-up or archive. Example: `schema_change`.
    pub r#type: DataMigrationType,
    /// Where the data comes from. Example: `{system: postgres, tables: [cart]}`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source: Option<DataSource>,
    /// Where the data goes to. Example: `{system: postgres, tables: [cart]}`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub target: Option<DataTarget>,
    /// How old and new live side by side meanwhile.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub migration_approach: Option<DataMigrationApproach>,
    /// How records are transformed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub transformation_logic: Option<TransformationLogic>,
    /// Batches, workers and rates. Example: `{batch_size: 1000, max_parallel_workers: 4}`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub execution_plan: Option<DataExecutionPlan>,
    /// Checks before and after, and the reconciliation.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub validation: Option<DataValidation>,
    /// How the data migration is undone. Example: `{can_rollback: true, rollback_method: reverse_migration}`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rollback: Option<DataRollback>,
    /// Whether the service is down meanwhile, and for how long. Example: `{required: false}`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub downtime: Option<Downtime>,
}

/// What kind of data change it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum DataMigrationType {
    /// The schema changes, records stay.
    SchemaChange,
    /// The content of records is transformed.
    DataTransformation,
    /// Records are removed or mended.
    DataCleanup,
    /// Records are moved to an archive.
    DataArchival,
}

/// Where data comes from, for readers.
#[derive(Debug, Clone, Default, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct DataSource {
    /// The system that holds the data. Example: `postgres-primary`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub system: Option<String>,
    /// The database schema of the tables. Example: `public`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub schema: Option<String>,
    /// The tables that are read. Example: `[cart]`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub tables: Vec<String>,
    /// About how many records there are. Example: `2000000`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub estimated_records: Option<u64>,
    /// About how large they are. Example: `12 GB`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub estimated_size: Option<String>,
}

/// Where data goes to, for readers.
#[derive(Debug, Clone, Default, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct DataTarget {
    /// The system that receives the data. Example: `postgres-primary`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub system: Option<String>,
    /// The database schema of the tables. Example: `public`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub schema: Option<String>,
    /// The tables that are written. Example: `[cart]`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub tables: Vec<String>,
    /// About how many records there will be. Example: `2000000`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub estimated_records: Option<u64>,
}

/// How old and new live side by side meanwhile.
#[derive(Debug, Clone, Default, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct DataMigrationApproach {
    /// Whether and how the service goes on meanwhile. Example: `dual_write`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub method: Option<DataMethod>,
    /// How the method is implemented, in words. Example: `triggers write both columns`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub implementation: Option<String>,
    /// With `dual_write`: for how long both are written. Example: `2 weeks`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dual_write_period: Option<String>,
    /// With `shadow_write`: how the shadow is compared with the original. Example: `hourly row counts`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub shadow_write_validation: Option<String>,
}

/// How a data migration goes together with the running service.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum DataMethod {
    /// While the service is working.
    Online,
    /// While the service is down.
    Offline,
    /// The old and the new place are both written.
    DualWrite,
    /// The new place is written, the old one is read.
    ShadowWrite,
    /// New records go to the new place, old ones follow later.
    Backfill,
}

/// How records are transformed.
#[derive(Debug, Clone, Default, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct TransformationLogic {
    /// What the transformation does, in words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// The rules of the transformation, in words. Example: `[discount_amount defaults to 0]`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub transformation_rules: Vec<String>,
    /// Where the code of the transformation is. Example: `src/transform.py`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub code_location: Option<String>,
    /// Records that need care. Example: `[{scenario: cart without currency, handling: take the shop's currency}]`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub edge_cases: Vec<EdgeCase>,
}

/// A kind of record that needs care.
#[derive(Debug, Clone, Default, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct EdgeCase {
    /// What is special about these records. Example: `cart without currency`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub scenario: Option<String>,
    /// How these records are handled. Example: `take the shop's currency`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub handling: Option<String>,
    /// The test dataset that shows it. Example: `EDGE-TEST-001`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub test_dataset_id: Option<String>,
}

/// Batches, workers and rates.
#[derive(Debug, Clone, Default, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct DataExecutionPlan {
    /// How many records one batch has. Example: `1000`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub batch_size: Option<u64>,
    /// Whether batches run at the same time.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub parallel_execution: Option<bool>,
    /// How many batches run at the same time at most. Example: `4`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_parallel_workers: Option<u32>,
    /// How fast records may be migrated at most. Example: `5000 records/s`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rate_limit: Option<String>,
    /// The script that migrates one batch. Example: `scripts/migrate-batch.sh`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub execution_script: Option<Script>,
    /// The statement that migrates one batch, instead of a script. Example: `update cart set discount_amount = 0
    /// where discount_amount is null`.
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
    /// What must hold before the migration. Example: `[no negative totals]`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub pre_migration_checks: Vec<Check>,
    /// What must hold after the migration. Example: `[all rows have a discount_amount]`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub post_migration_checks: Vec<Check>,
    /// What must hold of the data itself. Example: `[totals are unchanged]`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub data_integrity_checks: Vec<Check>,
    /// Test datasets that must pass. Example: `[DATA-MIG-TEST-001]`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub test_dataset_ids: Vec<String>,
    /// How source and target are compared. Example: `{method: row counts, acceptance_threshold: 99.99% match}`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reconciliation: Option<Reconciliation>,
}

/// How source and target are compared.
#[derive(Debug, Clone, Default, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Reconciliation {
    /// How they are compared: a sentence, or how a machine measures it. Example: `row counts`.
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
    /// Whether the data migration can be undone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub can_rollback: Option<bool>,
    /// How the data gets back to what it was. Example: `restore_backup`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rollback_method: Option<RollbackMethod>,
    /// The script that undoes the data migration. Example: `migrations/001_rollback.sql`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rollback_script: Option<Script>,
    /// How long the undo should take. Example: `30 minutes`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rollback_duration: Option<String>,
    /// A test dataset that shows the undo worked. Example: `ROLLBACK-TEST-001`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rollback_test_id: Option<String>,
}

/// How data gets back to what it was.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum RollbackMethod {
    /// From a backup that was taken before.
    RestoreBackup,
    /// By the reverse transformation of each record.
    ReverseMigration,
    /// By using the old place again, which was kept.
    SwitchBack,
}

/// Whether the service is down meanwhile.
#[derive(Debug, Clone, Default, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Downtime {
    /// Whether the service has to be down meanwhile.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub required: Option<bool>,
    /// How long the service is down. Example: `10 minutes`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub duration: Option<String>,
    /// When the service may be down. Example: `Sunday 02:00-04:00 UTC`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub maintenance_window: Option<String>,
}
