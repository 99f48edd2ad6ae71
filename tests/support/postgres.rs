//! A real PostgreSQL for tests: its own data folder, a socket in a temporary folder, no network.
//!
//! A test that needs PostgreSQL fails when there is none; it never skips. `tests/run` installs it.

use std::fs;
use std::io;
use std::os::unix::fs::{PermissionsExt, chown};
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, PoisonError, Weak};

use tempfile::TempDir;

/// The server that tests of this process share, as long as one of them holds it.
static SHARED: Mutex<Weak<Postgres>> = Mutex::new(Weak::new());

/// A running server. Dropping it stops the server and deletes its data.
pub(crate) struct Postgres {
    programs: PathBuf,
    folder: TempDir,
    account: Option<Account>,
    databases: AtomicU32,
}

/// A database of its own on a running server, which it keeps alive.
pub(crate) struct Database {
    server: Arc<Postgres>,
    name: String,
}

/// The account that runs the server when the tests run as root, which PostgreSQL refuses.
#[derive(Clone, Copy)]
struct Account {
    user: u32,
    group: u32,
}

impl Postgres {
    /// The server that tests of this process share; started by the first that asks, stopped after the last.
    pub(crate) fn shared() -> Arc<Self> {
        let mut shared = SHARED.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(server) = shared.upgrade() {
            return server;
        }
        let server = Arc::new(Self::start());
        *shared = Arc::downgrade(&server);
        server
    }

    /// Starts a server of its own. Panics with what to install if there is no PostgreSQL.
    pub(crate) fn start() -> Self {
        let programs = find_programs();
        // The path of a socket has at most 107 bytes, so the folder is a short one.
        let folder = tempfile::Builder::new()
            .prefix("pg-")
            .tempdir_in("/tmp")
            .expect("failed to create a folder for PostgreSQL");
        let account = rustix::process::getuid().is_root().then(unprivileged);
        if let Some(account) = account {
            chown(folder.path(), Some(account.user), Some(account.group))
                .expect("failed to give PostgreSQL its folder");
        }
        fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o711))
            .expect("failed to open PostgreSQL's folder to clients");

        let server = Self {
            programs,
            folder,
            account,
            databases: AtomicU32::new(0),
        };
        let data = server.folder.path().join("data");
        let initdb = server
            .command("initdb")
            .arg("--pgdata")
            .arg(&data)
            .args(["--username=postgres", "--auth=trust", "--encoding=UTF8"])
            .args(["--locale=C", "--no-sync", "--no-instructions"])
            .output();
        succeed("initdb", initdb);

        let options = format!(
            "-c listen_addresses= -c unix_socket_directories={} -c fsync=off -c full_page_writes=off \
             -c synchronous_commit=off -c max_connections=200 -c shared_buffers=16MB",
            server.folder.path().display()
        );
        let log = server.folder.path().join("log");
        // The server keeps what it inherits open; a pipe of ours would keep us reading for ever.
        let started = server
            .command("pg_ctl")
            .args(["start", "--wait", "--timeout=60", "--silent", "--pgdata"])
            .arg(&data)
            .arg("--log")
            .arg(&log)
            .args(["--options", &options])
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .status()
            .expect("failed to run pg_ctl");
        assert!(
            started.success(),
            "PostgreSQL did not start:\n{}",
            fs::read_to_string(&log).unwrap_or_default()
        );
        server
    }

    /// The URL of the server's own database, `postgres`.
    pub(crate) fn url(&self) -> String {
        self.url_of("postgres")
    }

    /// Runs SQL in the server's own database; its rows, one a line, fields parted by `|`. Panics if it fails.
    pub(crate) fn psql(&self, sql: &str) -> String {
        self.psql_in("postgres", sql)
    }

    /// A new, empty database.
    pub(crate) fn create_database(self: &Arc<Self>) -> Database {
        let number = self.databases.fetch_add(1, Ordering::Relaxed);
        let name = format!("test_{number}");
        self.psql(&format!("CREATE DATABASE {name}"));
        Database {
            server: Arc::clone(self),
            name,
        }
    }

    fn url_of(&self, database: &str) -> String {
        format!(
            "postgresql://postgres@/{database}?host={}",
            self.folder.path().display()
        )
    }

    fn psql_in(&self, database: &str, sql: &str) -> String {
        let output = Command::new(self.programs.join("psql"))
            .args(["--no-psqlrc", "--quiet", "--no-align", "--tuples-only"])
            .args(["--set", "ON_ERROR_STOP=1", "--command", sql])
            .arg(self.url_of(database))
            .output();
        succeed(sql, output).trim_end().to_owned()
    }

    /// One of PostgreSQL's programs, as the account that may run the server.
    fn command(&self, program: &str) -> Command {
        let program = self.programs.join(program);
        let mut command = match self.account {
            None => Command::new(program),
            Some(account) => {
                let mut command = Command::new("setpriv");
                command
                    .arg(format!("--reuid={}", account.user))
                    .arg(format!("--regid={}", account.group))
                    .arg("--clear-groups")
                    .arg("--")
                    .arg(program);
                command
            }
        };
        // Where we are may be closed to that account.
        command.current_dir(self.folder.path()).stdin(Stdio::null());
        command
    }
}

impl Drop for Postgres {
    fn drop(&mut self) {
        let stopped = self
            .command("pg_ctl")
            .args(["stop", "--mode=immediate", "--wait", "--silent", "--pgdata"])
            .arg(self.folder.path().join("data"))
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .status();
        if !matches!(stopped, Ok(status) if status.success()) {
            eprintln!(
                "failed to stop PostgreSQL in {}: {stopped:?}",
                self.folder.path().display()
            );
        }
    }
}

impl Database {
    /// The URL to connect to.
    pub(crate) fn url(&self) -> String {
        self.server.url_of(&self.name)
    }

    /// Runs SQL; its rows, one a line, fields parted by `|`. Panics if it fails.
    pub(crate) fn psql(&self, sql: &str) -> String {
        self.server.psql_in(&self.name, sql)
    }

    /// Everything in it as `pg_dump` writes it, line by line: without what differs from dump to dump, and sorted, as
    /// the order of rows in a table means nothing.
    pub(crate) fn dump(&self) -> Vec<String> {
        let output = Command::new(self.server.programs.join("pg_dump"))
            .arg("--no-owner")
            .arg(self.url())
            .output();
        let mut lines: Vec<String> = succeed("pg_dump", output)
            .lines()
            .filter(|line| !line.starts_with("\\restrict") && !line.starts_with("\\unrestrict"))
            .map(str::to_owned)
            .collect();
        lines.sort_unstable();
        lines
    }
}

/// The folder with `initdb`, `pg_ctl`, `postgres`, `psql` and `pg_dump`: the newest that Debian has, else from `PATH`.
fn find_programs() -> PathBuf {
    let mut versions: Vec<(u32, PathBuf)> = fs::read_dir("/usr/lib/postgresql")
        .into_iter()
        .flatten()
        .filter_map(Result::ok)
        .filter_map(|entry| {
            let version = entry.file_name().to_str()?.parse().ok()?;
            Some((version, entry.path().join("bin")))
        })
        .collect();
    versions.sort();
    let path = std::env::var_os("PATH").unwrap_or_default();
    versions
        .into_iter()
        .rev()
        .map(|(_, folder)| folder)
        .chain(std::env::split_paths(&path))
        .find(|folder| is_complete(folder))
        .expect("there is no PostgreSQL in /usr/lib/postgresql/*/bin or PATH: install the package postgresql")
}

fn is_complete(folder: &Path) -> bool {
    ["initdb", "pg_ctl", "postgres", "psql", "pg_dump"]
        .iter()
        .all(|program| folder.join(program).is_file())
}

/// The account `postgres`, else `nobody`.
fn unprivileged() -> Account {
    ["postgres", "nobody"]
        .iter()
        .find_map(|name| {
            Some(Account {
                user: id("-u", name)?,
                group: id("-g", name)?,
            })
        })
        .expect(
            "PostgreSQL does not run as root, and there is neither an account postgres nor nobody",
        )
}

fn id(option: &str, name: &str) -> Option<u32> {
    let output = Command::new("id").args([option, name]).output().ok()?;
    String::from_utf8(output.stdout).ok()?.trim().parse().ok()
}

fn succeed(what: &str, output: io::Result<Output>) -> String {
    let output = output.unwrap_or_else(|error| panic!("failed to run {what}: {error}"));
    assert!(
        output.status.success(),
        "{what} failed:\n{}{}",
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    );
    String::from_utf8_lossy(&output.stdout).into_owned()
}

#[test]
fn a_server_starts_and_is_gone_afterwards() {
    let server = Postgres::start();
    assert_eq!(server.psql("SELECT 1 + 1"), "2");
    assert!(server.url().starts_with("postgresql://"));
    let folder = server.folder.path().to_owned();
    assert!(folder.join("data/postmaster.pid").exists());
    drop(server);
    assert!(
        !folder.exists(),
        "the data is deleted, so nothing of the server may be left"
    );
}

#[test]
fn databases_do_not_see_each_other() {
    let server = Postgres::shared();
    let (one, other) = (server.create_database(), server.create_database());
    one.psql("CREATE TABLE mine (number int)");
    assert_eq!(one.psql("SELECT count(*) FROM mine"), "0");
    assert_eq!(other.psql("SELECT to_regclass('mine') IS NULL"), "t");
    assert_ne!(one.url(), other.url());
}

#[test]
#[should_panic(expected = "does not exist")]
fn a_statement_that_fails_is_loud() {
    Postgres::shared().psql("SELECT * FROM nowhere");
}
