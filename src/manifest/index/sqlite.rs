//! The index in a SQLite file.
//!
//! `document` holds the text as it is, so every number keeps its digits in it: `document -> '$.x'` gives them, and only
//! `->>` turns them into SQLite's own numbers. `text` is set where `document` cannot be the whole text.

use std::path::Path;
use std::time::Duration;

use rusqlite::types::Value;
use rusqlite::{
    Connection, ErrorCode, OpenFlags, OptionalExtension as _, params, params_from_iter,
};

use super::entry::{File, Manifest, Row};
use super::store::{Before, FORMAT, Origin, SETTLED_NS, Settled, Staged, Store, Totals};
use super::{IndexError, Stamp, Target};

const TABLES: &str = "
CREATE TABLE manifest_index (key TEXT PRIMARY KEY, value TEXT NOT NULL);
CREATE TABLE manifests (
    path TEXT NOT NULL PRIMARY KEY,
    kind TEXT NOT NULL,
    schema_version TEXT NOT NULL,
    job_id TEXT, run_id TEXT, job_ref TEXT, job_type TEXT, status TEXT, inputs_hash TEXT,
    size INTEGER NOT NULL, mtime_ns INTEGER NOT NULL, ctime_ns INTEGER NOT NULL, inode INTEGER NOT NULL,
    sha256 TEXT NOT NULL,
    document TEXT,
    text TEXT,
    note TEXT,
    indexed_at_ns INTEGER NOT NULL
);
CREATE INDEX manifests_by_version ON manifests (schema_version);
CREATE INDEX manifests_by_job ON manifests (job_id);
CREATE INDEX manifests_by_run ON manifests (run_id);
CREATE INDEX manifests_by_status ON manifests (status);
CREATE TABLE manifest_problems (
    path TEXT NOT NULL PRIMARY KEY,
    class TEXT NOT NULL,
    message TEXT NOT NULL,
    line INTEGER, column_number INTEGER,
    size INTEGER NOT NULL, mtime_ns INTEGER NOT NULL, ctime_ns INTEGER NOT NULL, inode INTEGER NOT NULL,
    sha256 TEXT,
    indexed_at_ns INTEGER NOT NULL
);
";

/// Temporary, so nothing of it is in the index. `message` is set for what could not be looked at.
const FOUND: &str = "
CREATE TEMP TABLE found (
    path TEXT NOT NULL PRIMARY KEY,
    size INTEGER NOT NULL, mtime_ns INTEGER NOT NULL, ctime_ns INTEGER NOT NULL, inode INTEGER NOT NULL,
    message TEXT
) WITHOUT ROWID;
";

/// Every column of every row, as JSON, but for the time at which it was read.
const DUMP: &str = "
SELECT line FROM (
    SELECT 0 AS part, key AS path, json_object('table', 'manifest_index', 'key', key, 'value', value) AS line
    FROM manifest_index
    UNION ALL
    SELECT 1, path, json_object('table', 'manifests', 'path', path, 'kind', kind, 'schema_version', schema_version,
        'job_id', job_id, 'run_id', run_id, 'job_ref', job_ref, 'job_type', job_type, 'status', status,
        'inputs_hash', inputs_hash, 'size', size, 'mtime_ns', mtime_ns, 'ctime_ns', ctime_ns, 'inode', inode,
        'sha256', sha256, 'document', document, 'text', text, 'note', note)
    FROM manifests
    UNION ALL
    SELECT 2, path, json_object('table', 'manifest_problems', 'path', path, 'class', class, 'message', message,
        'line', line, 'column', column_number, 'size', size, 'mtime_ns', mtime_ns, 'ctime_ns', ctime_ns,
        'inode', inode, 'sha256', sha256)
    FROM manifest_problems
) ORDER BY part, path";

/// How long to wait for another process that writes or, while the index is first built, reads.
const PATIENCE: Duration = Duration::from_secs(5);

/// A SQLite file with an index.
pub(super) struct Sqlite {
    connection: Connection,
    target: String,
    /// True while the file is in write-ahead mode because of us.
    ahead: bool,
}

impl Sqlite {
    pub(super) fn open(target: &Target, file: &Path, write: bool) -> Result<Self, IndexError> {
        let flags = if write {
            OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_CREATE
        } else {
            // Not read-only: what a killed run left in its journal must be undone first.
            OpenFlags::SQLITE_OPEN_READ_WRITE
        };
        let connect = |error: rusqlite::Error| IndexError::Connect {
            target: target.to_string(),
            message: error.to_string(),
        };
        let connection = Connection::open_with_flags(file, flags | OpenFlags::SQLITE_OPEN_NO_MUTEX)
            .map_err(connect)?;
        connection.busy_timeout(PATIENCE).map_err(connect)?;
        Ok(Self {
            connection,
            target: target.to_string(),
            ahead: false,
        })
    }

    fn error(&self, doing: &'static str) -> impl Fn(rusqlite::Error) -> IndexError + use<> {
        let target = self.target.clone();
        move |error| match error.sqlite_error_code() {
            Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => IndexError::Busy {
                target: target.clone(),
            },
            _ => IndexError::Database {
                target: target.clone(),
                doing,
                message: error.to_string(),
            },
        }
    }

    fn has_table(&self, name: &str) -> Result<bool, IndexError> {
        self.connection
            .prepare_cached("SELECT 1 FROM main.sqlite_schema WHERE name = ?1")
            .and_then(|mut s| s.exists([name]))
            .map_err(self.error("look for the tables"))
    }

    fn count(&self, sql: &str) -> Result<u64, IndexError> {
        self.connection
            .query_row(sql, [], |row| row.get::<_, i64>(0))
            .map(i64::cast_unsigned)
            .map_err(self.error("count"))
    }

    fn execute(&self, doing: &'static str, sql: &str) -> Result<u64, IndexError> {
        self.connection
            .execute(sql, [])
            .map(|rows| rows as u64)
            .map_err(self.error(doing))
    }
}

impl Drop for Sqlite {
    fn drop(&mut self) {
        if !self.ahead {
            return;
        }
        // Back to a plain file, which can be copied and opened read-only. A reader can prevent that; the next run tries
        // again, and what was committed is right either way, so neither answer matters.
        if !self.connection.is_autocommit() {
            let _ = self.connection.execute_batch("ROLLBACK");
        }
        let _ = self
            .connection
            .pragma_update_and_check(None, "journal_mode", "delete", |row| {
                row.get::<_, String>(0)
            });
    }
}

impl Store for Sqlite {
    fn begin(&mut self) -> Result<Before, IndexError> {
        let error = self.error("begin a run");
        // Pages that do not fit are spilled to the file, so memory stays at this much (32 MB).
        self.connection
            .pragma_update(None, "cache_size", -32_000)
            .map_err(&error)?;
        // Readers go on while an index is brought up to date; a first build has no readers and is twice as quick without.
        // Where the file system cannot do it, SQLite says so by keeping the mode, which is as right, only less polite.
        if self.has_table("manifest_index")? {
            let mode: String = self
                .connection
                .pragma_update_and_check(None, "journal_mode", "wal", |row| row.get(0))
                .map_err(&error)?;
            self.ahead = mode == "wal";
        }
        self.connection
            .execute_batch("BEGIN IMMEDIATE")
            .map_err(&error)?;
        self.connection.execute_batch(FOUND).map_err(&error)?;
        if !self.has_table("manifest_index")? {
            for table in ["manifests", "manifest_problems"] {
                if self.has_table(table)? {
                    return Err(IndexError::Foreign {
                        target: self.target.clone(),
                        table: table.to_owned(),
                    });
                }
            }
            self.connection.execute_batch(TABLES).map_err(&error)?;
            return Ok(Before::Nothing);
        }
        let value = |key: &str| {
            self.connection
                .query_row(
                    "SELECT value FROM manifest_index WHERE key = ?1",
                    [key],
                    |row| row.get::<_, String>(0),
                )
                .optional()
                .map_err(&error)
        };
        Ok(Before::Origin {
            format: value("format")?.unwrap_or_default(),
            origin: match (value("root")?, value("fingerprint")?) {
                (Some(root), Some(fingerprint)) => Some(Origin { root, fingerprint }),
                _ => None,
            },
        })
    }

    fn forget(&mut self) -> Result<(), IndexError> {
        let error = self.error("empty the index");
        self.connection
            .execute_batch(
                "DROP TABLE IF EXISTS manifests; DROP TABLE IF EXISTS manifest_problems; DROP TABLE manifest_index;",
            )
            .and_then(|()| self.connection.execute_batch(TABLES))
            .map_err(error)
    }

    fn stage(&mut self, files: &[Staged]) -> Result<(), IndexError> {
        let error = self.error("note the files of the tree");
        let mut insert = self
            .connection
            .prepare_cached("INSERT OR IGNORE INTO found VALUES (?1, ?2, ?3, ?4, ?5, ?6)")
            .map_err(&error)?;
        for file in files {
            insert
                .execute(params![
                    file.path,
                    file.stamp.size.cast_signed(),
                    file.stamp.mtime_ns,
                    file.stamp.ctime_ns,
                    file.stamp.inode.cast_signed(),
                    file.message
                ])
                .map_err(&error)?;
        }
        Ok(())
    }

    fn settle(&mut self, everything: bool, now_ns: i64) -> Result<Settled, IndexError> {
        const COMPARE: &str = "compare the tree with the index";
        let found = self.count("SELECT count(*) FROM found")?;
        let mut removed = 0;
        for table in ["manifests", "manifest_problems"] {
            removed += self.execute(
                COMPARE,
                &format!("DELETE FROM {table} WHERE path NOT IN (SELECT path FROM found)"),
            )?;
        }
        let unreadable = "SELECT path FROM found WHERE message IS NOT NULL";
        for table in ["manifests", "manifest_problems"] {
            self.execute(
                COMPARE,
                &format!("DELETE FROM {table} WHERE path IN ({unreadable})"),
            )?;
        }
        self.connection
            .execute(
                "INSERT INTO manifest_problems
                     (path, class, message, size, mtime_ns, ctime_ns, inode, indexed_at_ns)
                 SELECT path, 'unreadable', message, size, mtime_ns, ctime_ns, inode, ?1
                 FROM found WHERE message IS NOT NULL",
                [now_ns],
            )
            .map_err(self.error(COMPARE))?;
        self.execute(COMPARE, "DELETE FROM found WHERE message IS NOT NULL")?;
        let mut unchanged = 0;
        if !everything {
            for (table, but) in [
                ("manifests", ""),
                ("manifest_problems", "AND i.class <> 'unreadable'"),
            ] {
                unchanged += self.execute(
                    COMPARE,
                    &format!(
                        "DELETE FROM found WHERE EXISTS (SELECT 1 FROM {table} i
                         WHERE i.path = found.path AND i.size = found.size AND i.mtime_ns = found.mtime_ns
                           AND i.ctime_ns = found.ctime_ns AND i.inode = found.inode
                           AND i.ctime_ns < i.indexed_at_ns - {SETTLED_NS} {but})"
                    ),
                )?;
            }
        }
        Ok(Settled {
            found,
            removed,
            unchanged,
            due: self.count("SELECT count(*) FROM found")?,
        })
    }

    fn due(
        &mut self,
        after: Option<&str>,
        limit: usize,
    ) -> Result<Vec<(String, Stamp)>, IndexError> {
        let error = self.error("list the files to read");
        let mut statement = self
            .connection
            .prepare_cached(
                "SELECT path, size, mtime_ns, ctime_ns, inode FROM found
                 WHERE ?1 IS NULL OR path > ?1 ORDER BY path LIMIT ?2",
            )
            .map_err(&error)?;
        statement
            .query_map(params![after, limit as i64], |row| {
                Ok((
                    row.get(0)?,
                    Stamp {
                        size: row.get::<_, i64>(1)?.cast_unsigned(),
                        mtime_ns: row.get(2)?,
                        ctime_ns: row.get(3)?,
                        inode: row.get::<_, i64>(4)?.cast_unsigned(),
                    },
                ))
            })
            .and_then(Iterator::collect)
            .map_err(&error)
    }

    fn put(&mut self, rows: &[Row]) -> Result<(), IndexError> {
        let error = self.error("write manifests");
        let prepare = |sql: &str| self.connection.prepare_cached(sql);
        let mut drop_manifest = prepare("DELETE FROM manifests WHERE path = ?1").map_err(&error)?;
        let mut drop_problem =
            prepare("DELETE FROM manifest_problems WHERE path = ?1").map_err(&error)?;
        let mut valid = prepare("SELECT json_valid(?1)").map_err(&error)?;
        let mut manifest = prepare(
            "INSERT INTO manifests VALUES
             (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18)",
        )
        .map_err(&error)?;
        let mut problem = prepare(
            "INSERT INTO manifest_problems VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)",
        )
        .map_err(&error)?;
        for row in rows {
            let path = match row {
                Row::Manifest(m) => &m.file.path,
                Row::Problem { file, .. } => &file.path,
                Row::Gone(path) => path,
            };
            drop_manifest.execute([path]).map_err(&error)?;
            drop_problem.execute([path]).map_err(&error)?;
            match row {
                Row::Gone(_) => {}
                Row::Manifest(m) => {
                    let taken: bool = match m.json() {
                        Some(json) => valid.query_row([json], |row| row.get(0)).map_err(&error)?,
                        None => false,
                    };
                    manifest
                        .execute(params_from_iter(columns(m, taken)))
                        .map_err(&error)?;
                }
                Row::Problem { file, objection } => {
                    let place = objection.place;
                    let (stamp, sha256, at) = rest(file);
                    let values = [
                        Value::from(file.path.clone()),
                        Value::from(objection.class.clone()),
                        Value::from(objection.message.clone()),
                        Value::from(place.map(|(line, _)| line.cast_signed())),
                        Value::from(place.map(|(_, column)| column.cast_signed())),
                    ]
                    .into_iter()
                    .chain(stamp)
                    .chain([sha256, at]);
                    problem.execute(params_from_iter(values)).map_err(&error)?;
                }
            }
        }
        Ok(())
    }

    fn commit(&mut self, origin: &Origin) -> Result<Totals, IndexError> {
        let error = self.error("finish the index");
        for (key, value) in [
            ("format", FORMAT),
            ("root", &origin.root),
            ("fingerprint", &origin.fingerprint),
        ] {
            self.connection
                .execute(
                    "INSERT OR REPLACE INTO manifest_index VALUES (?1, ?2)",
                    [key, value],
                )
                .map_err(&error)?;
        }
        let manifests = self.count("SELECT count(*) FROM manifests")?;
        let problems = self
            .connection
            .prepare("SELECT class, count(*) FROM manifest_problems GROUP BY class")
            .and_then(|mut s| {
                s.query_map([], |row| {
                    Ok((row.get(0)?, row.get::<_, i64>(1)?.cast_unsigned()))
                })?
                .collect()
            })
            .map_err(&error)?;
        self.connection.execute_batch("COMMIT").map_err(&error)?;
        Ok(Totals {
            manifests,
            problems,
        })
    }

    fn dump(&mut self, line: &mut dyn FnMut(&str)) -> Result<(), IndexError> {
        let error = self.error("read the index");
        let mut statement = self.connection.prepare(DUMP).map_err(&error)?;
        let mut rows = statement.query([]).map_err(&error)?;
        while let Some(row) = rows.next().map_err(&error)? {
            line(&row.get::<_, String>(0).map_err(&error)?);
        }
        Ok(())
    }
}

/// Size, times and inode; hash; the time of reading.
fn rest(file: &File) -> ([Value; 4], Value, Value) {
    (
        [
            file.stamp.size.cast_signed().into(),
            file.stamp.mtime_ns.into(),
            file.stamp.ctime_ns.into(),
            file.stamp.inode.cast_signed().into(),
        ],
        file.sha256.clone().into(),
        file.indexed_at_ns.into(),
    )
}

/// The values of a manifest's row. `taken` tells whether SQLite takes the text as JSON.
fn columns(m: &Manifest, taken: bool) -> impl Iterator<Item = Value> + '_ {
    let mut notes = m.notes.clone();
    if m.text.is_some() && !taken {
        notes.push(
            "SQLite does not take it as JSON (it may be nested too deep); see `text`".to_owned(),
        );
    }
    if taken && m.has_mark() {
        notes.push("it begins with a byte order mark; see `text`".to_owned());
    }
    if taken && m.odd.wide {
        notes.push("it has numbers that `->>` rounds; read them with `->`".to_owned());
    }
    let document = m.json().filter(|_| taken).map(str::to_owned);
    let text = m.text.as_ref().filter(|_| !taken || m.has_mark()).cloned();
    let note = (!notes.is_empty()).then(|| notes.join("; "));
    let (stamp, sha256, at) = rest(&m.file);
    [
        m.file.path.clone().into(),
        m.judged.kind.clone().into(),
        m.judged.version.clone().into(),
    ]
    .into_iter()
    .chain(m.fields.iter().map(|field| Value::from(field.clone())))
    .chain(stamp)
    .chain([sha256, document.into(), text.into(), note.into(), at])
}
