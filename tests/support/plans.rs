//! Copies of the plans in `plans/`, so that tests never touch the originals and never meet each other.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Arc;

use tempfile::TempDir;

use super::cli::Cli;
use super::postgres::{Database, Postgres};

/// A plan's folder, copied to a temporary place without what earlier runs left behind.
pub(crate) struct PlanCopy {
    folder: TempDir,
}

/// The discount-code plan with its shop set up: a database, and version 1 of CartService running.
/// Dropping it ends the services.
pub(crate) struct Shop {
    plan: PlanCopy,
    database: Database,
}

impl PlanCopy {
    /// Copies `plans/<name>`.
    pub(crate) fn of(name: &str) -> Self {
        Self::of_folder(&Path::new("plans").join(name))
    }

    /// Copies a plan's folder, named from the root of the repository.
    pub(crate) fn of_folder(path: &Path) -> Self {
        let folder = tempfile::Builder::new()
            .prefix("plan-")
            .tempdir()
            .expect("failed to create a folder for the plan");
        copy(
            &Path::new(env!("CARGO_MANIFEST_DIR")).join(path),
            folder.path(),
        );
        Self { folder }
    }

    /// The copy's folder.
    pub(crate) fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// The plan's file in it.
    pub(crate) fn file(&self) -> PathBuf {
        self.folder().join("migration-strategy.yaml")
    }
}

impl Shop {
    /// Sets the shop up in a new database.
    pub(crate) fn open() -> Self {
        let plan = PlanCopy::of("discount-code");
        let database = Arc::clone(&Postgres::shared()).create_database();
        let shop = Self { plan, database };
        let status = shop
            .command("./setup.sh")
            .stdout(Stdio::null())
            .status()
            .expect("failed to run setup.sh");
        assert!(status.success(), "setup.sh failed");
        shop
    }

    /// The copy of the plan.
    pub(crate) fn plan(&self) -> &PlanCopy {
        &self.plan
    }

    /// Its database.
    pub(crate) fn database(&self) -> &Database {
        &self.database
    }

    /// `orchestrate` typed in the plan's folder, with `DATABASE_URL` set.
    pub(crate) fn cli(&self) -> Cli {
        Cli::new(self.plan.folder()).env("DATABASE_URL", &self.database.url())
    }

    /// A command in the plan's folder, with `DATABASE_URL` set. Anything that runs this plan needs that variable.
    pub(crate) fn command(&self, program: &str) -> Command {
        let mut command = Command::new(program);
        command
            .current_dir(self.plan.folder())
            .env("DATABASE_URL", self.database.url())
            .stdin(Stdio::null());
        command
    }

    /// The columns of table `cart.cart`, parted by commas.
    pub(crate) fn columns(&self) -> String {
        self.database.psql(
            "SELECT string_agg(column_name, ',' ORDER BY ordinal_position) FROM information_schema.columns \
             WHERE table_schema = 'cart' AND table_name = 'cart'",
        )
    }

    /// Which CartService customers use: `blue` is version 1, `green` version 2.
    pub(crate) fn live(&self) -> String {
        let link = fs::read_link(self.plan.folder().join("work/cart/live"));
        link.expect("setup.sh makes this link")
            .to_string_lossy()
            .into_owned()
    }
}

impl Drop for Shop {
    fn drop(&mut self) {
        let ended = self.command("./teardown.sh").stdout(Stdio::null()).status();
        if !matches!(ended, Ok(status) if status.success()) {
            eprintln!("failed to tear the shop down: {ended:?}");
        }
    }
}

/// Copies a folder with its run bits and links, leaving out `work` and `.orchestrate`.
fn copy(from: &Path, to: &Path) {
    for entry in fs::read_dir(from)
        .unwrap_or_else(|error| panic!("failed to read {}: {error}", from.display()))
    {
        let entry = entry.expect("failed to read an entry of the plan");
        let name = entry.file_name();
        if ["work", ".orchestrate", "__pycache__", "calls.log"]
            .iter()
            .any(|left_out| name == *left_out)
        {
            continue;
        }
        let target = to.join(&name);
        let kind = entry
            .file_type()
            .expect("failed to tell what an entry of the plan is");
        if kind.is_dir() {
            fs::create_dir(&target).expect("failed to create a folder of the copy");
            copy(&entry.path(), &target);
        } else if kind.is_symlink() {
            let aim = fs::read_link(entry.path()).expect("failed to read a link of the plan");
            symlink(aim, target).expect("failed to create a link of the copy");
        } else {
            fs::copy(entry.path(), target).expect("failed to copy a file of the plan");
        }
    }
}

#[test]
fn a_copy_holds_the_plan_and_its_scripts() {
    let copy = PlanCopy::of("quickstart");
    assert!(copy.file().is_file());
    let script = copy.folder().join("scripts/lay-out-shop.sh");
    let status = Command::new(script)
        .current_dir(copy.folder())
        .stdout(Stdio::null())
        .status();
    assert!(status.expect("failed to run the script").success());
}

#[test]
fn a_shop_opens_and_leaves_nothing_running() {
    let shop = Shop::open();
    assert_eq!(shop.columns(), "id,user_id,user_group,created_at");
    assert_eq!(shop.live(), "blue");
    assert_eq!(
        shop.database().psql("SELECT count(*) FROM cart.cart"),
        "200"
    );
    let pid = fs::read_to_string(shop.plan().folder().join("work/cart/blue/pid"));
    let pid = pid
        .expect("the service writes its process id")
        .trim()
        .to_owned();
    drop(shop);
    // A process that has ended but was not yet collected has no command line.
    let command_line = fs::read(Path::new("/proc").join(pid).join("cmdline"));
    assert!(!command_line.is_ok_and(|bytes| !bytes.is_empty()));
}
