//! The statements of the index in PostgreSQL.

use super::super::store::SETTLED_NS;

/// Paths are compared as bytes, so that their order is the same in every locale.
pub(super) const TABLES: &str = r#"
CREATE TABLE manifest_index (key text PRIMARY KEY, value text NOT NULL);
CREATE TABLE manifests (
    path text COLLATE "C" PRIMARY KEY,
    kind text NOT NULL,
    schema_version text NOT NULL,
    job_id text, run_id text, job_ref text, job_type text, status text, inputs_hash text,
    size bigint NOT NULL, mtime_ns bigint NOT NULL, ctime_ns bigint NOT NULL, inode bigint NOT NULL,
    sha256 text NOT NULL,
    document jsonb,
    text text,
    note text,
    indexed_at_ns bigint NOT NULL
);
CREATE INDEX manifests_by_version ON manifests (schema_version);
CREATE INDEX manifests_by_job ON manifests (job_id);
CREATE INDEX manifests_by_run ON manifests (run_id);
CREATE INDEX manifests_by_status ON manifests (status);
CREATE TABLE manifest_problems (
    path text COLLATE "C" PRIMARY KEY,
    class text NOT NULL,
    message text NOT NULL,
    line bigint, column_number bigint,
    size bigint NOT NULL, mtime_ns bigint NOT NULL, ctime_ns bigint NOT NULL, inode bigint NOT NULL,
    sha256 text,
    indexed_at_ns bigint NOT NULL
);
"#;

/// The files of the walk. `message` is set for what could not be looked at.
pub(super) const FOUND: &str = r#"
CREATE TEMP TABLE found (
    path text COLLATE "C" PRIMARY KEY,
    size bigint NOT NULL, mtime_ns bigint NOT NULL, ctime_ns bigint NOT NULL, inode bigint NOT NULL,
    message text
) ON COMMIT DROP;
"#;

pub(super) const INSERT_FOUND: &str = "
INSERT INTO found
SELECT * FROM unnest($1::text[], $2::bigint[], $3::bigint[], $4::bigint[], $5::bigint[], $6::text[])
ON CONFLICT DO NOTHING";

pub(super) const INSERT_UNREADABLE: &str = "
INSERT INTO manifest_problems (path, class, message, size, mtime_ns, ctime_ns, inode, indexed_at_ns)
SELECT path, 'unreadable', message, size, mtime_ns, ctime_ns, inode, $1::bigint FROM found WHERE message IS NOT NULL";

pub(super) const DUE: &str = "
SELECT path, size, mtime_ns, ctime_ns, inode FROM found
WHERE $1::text IS NULL OR path > $1::text ORDER BY path LIMIT $2::bigint";

pub(super) const INSERT_MANIFESTS: &str = "
INSERT INTO manifests
SELECT path, kind, schema_version, job_id, run_id, job_ref, job_type, status, inputs_hash,
       size, mtime_ns, ctime_ns, inode, sha256, document::jsonb, text, note, indexed_at_ns
FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::text[], $6::text[], $7::text[], $8::text[], $9::text[],
            $10::bigint[], $11::bigint[], $12::bigint[], $13::bigint[], $14::text[], $15::text[], $16::text[],
            $17::text[], $18::bigint[])
AS t (path, kind, schema_version, job_id, run_id, job_ref, job_type, status, inputs_hash,
      size, mtime_ns, ctime_ns, inode, sha256, document, text, note, indexed_at_ns)";

pub(super) const INSERT_PROBLEMS: &str = "
INSERT INTO manifest_problems
SELECT * FROM unnest($1::text[], $2::text[], $3::text[], $4::bigint[], $5::bigint[], $6::bigint[], $7::bigint[],
                     $8::bigint[], $9::bigint[], $10::text[], $11::bigint[])";

pub(super) const RECORD: &str = "
INSERT INTO manifest_index VALUES ($1, $2) ON CONFLICT (key) DO UPDATE SET value = excluded.value";

/// Every column of every row, as JSON, but for the time at which it was read.
pub(super) const DUMP: &str = r#"
DECLARE dump CURSOR FOR
SELECT line FROM (
    SELECT 0 AS part, key COLLATE "C" AS path,
           jsonb_build_object('table', 'manifest_index', 'key', key, 'value', value)::text AS line
    FROM manifest_index
    UNION ALL
    SELECT 1, path, jsonb_build_object('table', 'manifests', 'row', to_jsonb(m) - 'indexed_at_ns')::text FROM manifests m
    UNION ALL
    SELECT 2, path, jsonb_build_object('table', 'manifest_problems', 'row', to_jsonb(p) - 'indexed_at_ns')::text
    FROM manifest_problems p
) AS lines ORDER BY part, path
"#;

/// Takes out of the walk what is as the table has it.
pub(super) fn drop_unchanged(table: &str, but: &str) -> String {
    format!(
        "DELETE FROM found f USING {table} i
         WHERE i.path = f.path AND i.size = f.size AND i.mtime_ns = f.mtime_ns
           AND i.ctime_ns = f.ctime_ns AND i.inode = f.inode
           AND i.ctime_ns < i.indexed_at_ns - {SETTLED_NS} {but}"
    )
}
