//! The index in a PostgreSQL database.
//!
//! `document` is JSONB, which keeps values and not spelling: it orders keys, writes `1E2` as `100`, refuses U+0000 and
//! numbers out of its range. Where that matters, `text` holds the text as it is and `note` says why.

mod connect;
mod rows;
mod sql;

use tokio::runtime::Runtime;
use tokio_postgres::Client;
use tokio_postgres::error::SqlState;
use tokio_postgres::types::ToSql;

use super::entry::Row;
use super::store::{Before, FORMAT, Origin, Settled, Staged, Store, Totals};
use super::{IndexError, Stamp, Target};
use rows::{ManifestColumns, ProblemColumns};

/// The advisory lock of a database that a run holds until its transaction ends.
const LOCK: i64 = 0x6f72_6368_6d69_6478;

type Parameters<'a> = &'a [&'a (dyn ToSql + Sync)];

/// A connection to a database with an index.
pub(super) struct Postgres {
    runtime: Runtime,
    client: Client,
    target: String,
    secrets: Vec<String>,
}

impl Postgres {
    pub(super) fn open(target: &Target, url: &str) -> Result<Self, IndexError> {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .map_err(|error| IndexError::Connect {
                target: target.to_string(),
                message: error.to_string(),
            })?;
        let secrets = target.secrets();
        let client =
            runtime
                .block_on(connect::connect(target, url))
                .map_err(|error| match error {
                    IndexError::Connect { target, message } => IndexError::Connect {
                        target,
                        message: scrub(message, &secrets),
                    },
                    other => other,
                })?;
        Ok(Self {
            runtime,
            client,
            target: target.to_string(),
            secrets,
        })
    }

    fn error(&self, doing: &'static str, error: &tokio_postgres::Error) -> IndexError {
        if error.code() == Some(&SqlState::LOCK_NOT_AVAILABLE) {
            return IndexError::Busy {
                target: self.target.clone(),
            };
        }
        IndexError::Database {
            target: self.target.clone(),
            doing,
            message: scrub(explain(error), &self.secrets),
        }
    }

    fn batch(&self, doing: &'static str, sql: &str) -> Result<(), IndexError> {
        self.runtime
            .block_on(self.client.batch_execute(sql))
            .map_err(|e| self.error(doing, &e))
    }

    fn execute(
        &self,
        doing: &'static str,
        sql: &str,
        parameters: Parameters<'_>,
    ) -> Result<u64, IndexError> {
        self.runtime
            .block_on(self.client.execute(sql, parameters))
            .map_err(|e| self.error(doing, &e))
    }

    fn query(
        &self,
        doing: &'static str,
        sql: &str,
        parameters: Parameters<'_>,
    ) -> Result<Vec<tokio_postgres::Row>, IndexError> {
        self.runtime
            .block_on(self.client.query(sql, parameters))
            .map_err(|e| self.error(doing, &e))
    }

    /// The one value that a query gives.
    fn value<T>(&self, doing: &'static str, sql: &str) -> Result<T, IndexError>
    where
        T: for<'a> tokio_postgres::types::FromSql<'a>,
    {
        self.runtime
            .block_on(self.client.query_one(sql, &[]))
            .and_then(|row| row.try_get(0))
            .map_err(|e| self.error(doing, &e))
    }

    fn count(&self, table: &str) -> Result<u64, IndexError> {
        self.value::<i64>("count", &format!("SELECT count(*) FROM {table}"))
            .map(i64::cast_unsigned)
    }

    fn insert_manifests(&self, columns: &ManifestColumns<'_>) -> Result<(), tokio_postgres::Error> {
        self.runtime
            .block_on(
                self.client
                    .execute(sql::INSERT_MANIFESTS, &columns.parameters()),
            )
            .map(drop)
    }

    /// Writes the manifests at once; if the database refuses one of the documents, one by one, and that one without its
    /// JSON.
    fn put_manifests(&self, rows: &[Row]) -> Result<(), IndexError> {
        const WRITE: &str = "write manifests";
        let columns = ManifestColumns::of(rows, None);
        if columns.is_empty() {
            return Ok(());
        }
        self.batch(WRITE, "SAVEPOINT manifests")?;
        match self.insert_manifests(&columns) {
            Ok(()) => return self.batch(WRITE, "RELEASE SAVEPOINT manifests"),
            Err(error) if !is_about_the_data(&error) => return Err(self.error(WRITE, &error)),
            Err(_) => self.batch(WRITE, "ROLLBACK TO SAVEPOINT manifests")?,
        }
        for row in rows.iter().map(std::slice::from_ref) {
            let columns = ManifestColumns::of(row, None);
            if columns.is_empty() {
                continue;
            }
            match self.insert_manifests(&columns) {
                Ok(()) => self.batch(WRITE, "RELEASE SAVEPOINT manifests; SAVEPOINT manifests")?,
                Err(error) if !is_about_the_data(&error) => return Err(self.error(WRITE, &error)),
                Err(error) => {
                    self.batch(WRITE, "ROLLBACK TO SAVEPOINT manifests")?;
                    let why = error
                        .as_db_error()
                        .map_or("no reason given", |e| e.message());
                    self.insert_manifests(&ManifestColumns::of(row, Some(why)))
                        .map_err(|e| self.error(WRITE, &e))?;
                    self.batch(WRITE, "RELEASE SAVEPOINT manifests; SAVEPOINT manifests")?;
                }
            }
        }
        self.batch(WRITE, "RELEASE SAVEPOINT manifests")
    }
}

impl Store for Postgres {
    fn begin(&mut self) -> Result<Before, IndexError> {
        const BEGIN: &str = "begin a run";
        let encoding: String = self.value(BEGIN, "SHOW server_encoding")?;
        if encoding != "UTF8" {
            return Err(IndexError::Database {
                target: self.target.clone(),
                doing: BEGIN,
                message: format!(
                    "the database has the encoding {encoding}, and JSON is UTF-8; create it with ENCODING 'UTF8'"
                ),
            });
        }
        self.batch(BEGIN, "BEGIN")?;
        let locked: bool =
            self.value(BEGIN, &format!("SELECT pg_try_advisory_xact_lock({LOCK})"))?;
        if !locked {
            return Err(IndexError::Busy {
                target: self.target.clone(),
            });
        }
        self.batch(BEGIN, sql::FOUND)?;
        let has = |table: &str| {
            self.value::<bool>(BEGIN, &format!("SELECT to_regclass('{table}') IS NOT NULL"))
        };
        if !has("manifest_index")? {
            for table in ["manifests", "manifest_problems"] {
                if has(table)? {
                    return Err(IndexError::Foreign {
                        target: self.target.clone(),
                        table: table.to_owned(),
                    });
                }
            }
            self.batch(BEGIN, sql::TABLES)?;
            return Ok(Before::Nothing);
        }
        let rows = self.query(BEGIN, "SELECT key, value FROM manifest_index", &[])?;
        let value = |key: &str| {
            rows.iter()
                .find(|row| row.get::<_, &str>(0) == key)
                .map(|row| row.get::<_, String>(1))
        };
        Ok(Before::Origin {
            format: value("format").unwrap_or_default(),
            origin: value("root")
                .zip(value("fingerprint"))
                .map(|(root, fingerprint)| Origin { root, fingerprint }),
        })
    }

    fn forget(&mut self) -> Result<(), IndexError> {
        const FORGET: &str = "empty the index";
        let rows = self.query(
            FORGET,
            "SELECT value FROM manifest_index WHERE key = 'format'",
            &[],
        )?;
        if rows.iter().any(|row| row.get::<_, &str>(0) == FORMAT) {
            // Not TRUNCATE, which is no part of a transaction for readers that began earlier; not DROP, which takes
            // grants and views along.
            return self.batch(
                FORGET,
                "DELETE FROM manifests; DELETE FROM manifest_problems",
            );
        }
        self.batch(
            FORGET,
            "DROP TABLE IF EXISTS manifests, manifest_problems, manifest_index",
        )?;
        self.batch(FORGET, sql::TABLES)
    }

    fn stage(&mut self, files: &[Staged]) -> Result<(), IndexError> {
        let column = |of: fn(&Stamp) -> i64| -> Vec<i64> {
            files.iter().map(|file| of(&file.stamp)).collect()
        };
        let path: Vec<&str> = files.iter().map(|file| file.path.as_str()).collect();
        let message: Vec<Option<&str>> = files.iter().map(|f| f.message.as_deref()).collect();
        let (size, inode) = (
            column(|s| s.size.cast_signed()),
            column(|s| s.inode.cast_signed()),
        );
        let (mtime, ctime) = (column(|s| s.mtime_ns), column(|s| s.ctime_ns));
        self.execute(
            "note the files of the tree",
            sql::INSERT_FOUND,
            &[&path, &size, &mtime, &ctime, &inode, &message],
        )
        .map(drop)
    }

    fn settle(&mut self, everything: bool, now_ns: i64) -> Result<Settled, IndexError> {
        const COMPARE: &str = "compare the tree with the index";
        // A temporary table is not analysed by itself, and without figures the plan is a guess.
        self.batch(COMPARE, "ANALYZE found")?;
        let found = self.count("found")?;
        let mut removed = 0;
        for table in ["manifests", "manifest_problems"] {
            removed += self.execute(
                COMPARE,
                &format!(
                    "DELETE FROM {table} i WHERE NOT EXISTS (SELECT FROM found f WHERE f.path = i.path)"
                ),
                &[],
            )?;
            self.execute(
                COMPARE,
                &format!(
                    "DELETE FROM {table} i USING found f WHERE f.path = i.path AND f.message IS NOT NULL"
                ),
                &[],
            )?;
        }
        self.execute(COMPARE, sql::INSERT_UNREADABLE, &[&now_ns])?;
        self.batch(COMPARE, "DELETE FROM found WHERE message IS NOT NULL")?;
        let mut unchanged = 0;
        if !everything {
            for (table, but) in [
                ("manifests", ""),
                ("manifest_problems", "AND i.class <> 'unreadable'"),
            ] {
                unchanged += self.execute(COMPARE, &sql::drop_unchanged(table, but), &[])?;
            }
        }
        Ok(Settled {
            found,
            removed,
            unchanged,
            due: self.count("found")?,
        })
    }

    fn due(
        &mut self,
        after: Option<&str>,
        limit: usize,
    ) -> Result<Vec<(String, Stamp)>, IndexError> {
        let rows = self.query(
            "list the files to read",
            sql::DUE,
            &[&after, &(limit as i64)],
        )?;
        let rows = rows.iter().map(|row| {
            let number = |at: usize| row.get::<_, i64>(at);
            let stamp = Stamp {
                size: number(1).cast_unsigned(),
                mtime_ns: number(2),
                ctime_ns: number(3),
                inode: number(4).cast_unsigned(),
            };
            (row.get(0), stamp)
        });
        Ok(rows.collect())
    }

    fn put(&mut self, rows: &[Row]) -> Result<(), IndexError> {
        const WRITE: &str = "write manifests";
        let paths: Vec<&str> = rows.iter().map(rows::path).collect();
        for table in ["manifests", "manifest_problems"] {
            self.execute(
                WRITE,
                &format!("DELETE FROM {table} WHERE path = ANY($1)"),
                &[&paths],
            )?;
        }
        self.put_manifests(rows)?;
        let problems = ProblemColumns::of(rows);
        if problems.is_empty() {
            return Ok(());
        }
        self.execute(
            "write problems",
            sql::INSERT_PROBLEMS,
            &problems.parameters(),
        )
        .map(drop)
    }

    fn commit(&mut self, origin: &Origin) -> Result<Totals, IndexError> {
        const FINISH: &str = "finish the index";
        for (key, value) in [
            ("format", FORMAT),
            ("root", &origin.root),
            ("fingerprint", &origin.fingerprint),
        ] {
            self.execute(FINISH, sql::RECORD, &[&key, &value])?;
        }
        let manifests = self.count("manifests")?;
        let problems = self
            .query(
                FINISH,
                "SELECT class, count(*) FROM manifest_problems GROUP BY class",
                &[],
            )?
            .iter()
            .map(|row| (row.get(0), row.get::<_, i64>(1).cast_unsigned()))
            .collect();
        self.batch(FINISH, "COMMIT")?;
        Ok(Totals {
            manifests,
            problems,
        })
    }

    fn dump(&mut self, line: &mut dyn FnMut(&str)) -> Result<(), IndexError> {
        const READ: &str = "read the index";
        // A cursor, so that an index of any size is read in little memory.
        self.batch(READ, &format!("BEGIN READ ONLY; {}", sql::DUMP))?;
        loop {
            let rows = self.query(READ, "FETCH 500 FROM dump", &[])?;
            if rows.is_empty() {
                break;
            }
            for row in &rows {
                line(row.get(0));
            }
        }
        self.batch(READ, "COMMIT")
    }
}

/// True for what PostgreSQL says of a value that it cannot hold: data exceptions, limits of the program, refused
/// characters.
fn is_about_the_data(error: &tokio_postgres::Error) -> bool {
    error
        .code()
        .is_some_and(|code| code.code().starts_with("22") || code.code().starts_with("54"))
}

/// What the driver and the server said, in one line.
fn explain(error: &tokio_postgres::Error) -> String {
    if let Some(said) = error.as_db_error() {
        let mut text = said.message().to_owned();
        for more in [said.detail(), said.hint()].into_iter().flatten() {
            text.push_str("; ");
            text.push_str(more);
        }
        return text;
    }
    let mut text = error.to_string();
    let mut cause = std::error::Error::source(error);
    while let Some(error) = cause {
        let more = error.to_string();
        if !text.contains(&more) {
            text.push_str(": ");
            text.push_str(&more);
        }
        cause = error.source();
    }
    text
}

/// The message with every secret masked.
fn scrub(message: String, secrets: &[String]) -> String {
    secrets
        .iter()
        .fold(message, |text, secret| text.replace(secret.as_str(), "***"))
}
