//! `orchestrate manifest`, process against process, on trees that `plans/manifest-upgrade/generate.py` makes:
//!
//! * `migrate` beside a bare loop in C (`manifest/bare.c`: for each file read, write a copied backup and the new file, fsync
//!   both, rename; two threads), target 0.6 of its time; and beside the straightforward engine in Python
//!   (`manifest/engine.py`), target 8 times faster with warm caches. Each of the three has every file and name on disk
//!   before it ends.
//! * `list-versions` beside a bare walk that reads every file once, two threads: target 1.5 times.
//! * the peak of memory from 1,000 to 100,000 manifests: flat.
//!
//! `cargo bench --bench manifest -- [--manifests N] [--rounds N] [--million] [--in FOLDER]`. Before each measurement the
//! tree is made anew and synced; measurements with cold caches need root, who may drop them. The order changes from round
//! to round. Measure on a quiet machine and a real disk.

use std::ffi::OsStr;
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use support::{BINARY, Failure, Figures, LAUNCHER, Run, build, run};

mod support;

const MANIFESTS: usize = 10_000;
const ROUNDS: usize = 5;
const LIST_ROUNDS: usize = 11;
/// What memory may differ by between the least and the largest tree, in KiB: buffers and allocator, not lists of files.
const FLAT_KIB: u64 = 16 * 1024;
const TARGET: &str = "1.2.0";

/// All manifests need the migration, in the layout that Python writes: each contender writes as many files.
const UNIFORM: &[&str] = &["--versions", "1.0.0=1", "--odd", "0"];
const MIXED: &[&str] = &[];
const MANIFESTS_ALONE: &[&str] = &["--beside", "nothing"];

struct Options {
    manifests: usize,
    rounds: usize,
    million: bool,
    folder: PathBuf,
}

struct Tools {
    launcher: String,
    bare: String,
    /// Where trees are made.
    scratch: PathBuf,
    drops_caches: bool,
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Contender {
    Bare,
    Python,
    Ours,
}

fn main() -> Result<(), Failure> {
    if std::env::args().any(|a| a == "--test") {
        // `cargo test --benches` only wants to know that it starts.
        return Ok(());
    }
    let options = options()?;
    let scratch = tempfile::tempdir_in(&options.folder)?;
    let tools = Tools::new(scratch.path())?;
    let mut met = migrate(&tools, &options)?;
    met &= list_versions(&tools, &options)?;
    met &= memory(&tools, &options)?;
    if met {
        Ok(())
    } else {
        Err("a target was missed".into())
    }
}

fn options() -> Result<Options, Failure> {
    let mut options = Options {
        manifests: MANIFESTS,
        rounds: ROUNDS,
        million: false,
        folder: env!("CARGO_TARGET_TMPDIR").into(),
    };
    let mut words = std::env::args().skip(1);
    while let Some(word) = words.next() {
        let mut value = || words.next().ok_or(format!("{word} wants a value"));
        match word.as_str() {
            "--manifests" => options.manifests = value()?.parse()?,
            "--rounds" => options.rounds = value()?.parse::<usize>()?.max(1),
            "--in" => options.folder = value()?.into(),
            "--million" => options.million = true,
            // What `cargo bench` adds.
            "--bench" => {}
            _ => return Err(format!("unknown argument {word}").into()),
        }
    }
    Ok(options)
}

impl Tools {
    fn new(scratch: &Path) -> Result<Self, Failure> {
        let launcher = build(scratch, "launcher", LAUNCHER, &[])?;
        let bare = build(
            scratch,
            "bare",
            include_str!("manifest/bare.c"),
            &["-pthread"],
        )?;
        let tools = Self {
            launcher,
            bare,
            scratch: scratch.to_owned(),
            drops_caches: fs::write("/proc/sys/vm/drop_caches", "3").is_ok(),
        };
        if !tools.drops_caches {
            println!("caches cannot be dropped (not root): everything is measured with warm ones");
        }
        let system = rustix::fs::statfs(scratch)?;
        // TMPFS_MAGIC of linux/magic.h.
        if system.f_type == 0x0102_1994 {
            println!(
                "{} is memory, where syncing costs nothing: name a folder on a disk (--in)",
                scratch.display()
            );
        }
        Ok(tools)
    }

    /// A tree of its own, on disk and in the caches.
    fn tree(&self, manifests: usize, arguments: &[&str]) -> Result<PathBuf, Failure> {
        let folder = self.scratch.join("tree");
        if folder.exists() {
            fs::remove_dir_all(&folder)?;
        }
        let generator =
            Path::new(env!("CARGO_MANIFEST_DIR")).join("plans/manifest-upgrade/generate.py");
        let made = Command::new("python3")
            .arg(generator)
            .arg(&folder)
            .args(["--manifests", &manifests.to_string()])
            .args(arguments)
            .stdout(Stdio::null())
            .status()?;
        if !made.success() {
            return Err(format!("no tree was made: {made}").into());
        }
        rustix::fs::sync();
        Ok(folder)
    }

    fn forget(&self) -> Result<(), Failure> {
        if self.drops_caches {
            fs::write("/proc/sys/vm/drop_caches", "3")?;
        }
        Ok(())
    }

    fn run(&self, program: &str, arguments: &[&OsStr]) -> Result<Run, Failure> {
        run(&self.launcher, program, arguments)
    }

    fn migrate(&self, contender: Contender, tree: &Path) -> Result<Run, Failure> {
        let tree = tree.as_os_str();
        let python = Path::new(env!("CARGO_MANIFEST_DIR")).join("benches/manifest/engine.py");
        match contender {
            Contender::Bare => self.run(&self.bare, &["migrate".as_ref(), tree]),
            Contender::Python => {
                self.run("/usr/bin/env", &["python3".as_ref(), python.as_ref(), tree])
            }
            Contender::Ours => {
                let words = ["manifest", "migrate", "--yes", "--target-version", TARGET];
                let mut arguments: Vec<&OsStr> = words.iter().map(AsRef::as_ref).collect();
                arguments.push(tree);
                self.run(BINARY, &arguments)
            }
        }
    }

    fn list_versions(&self, tree: &Path) -> Result<Run, Failure> {
        let arguments = [
            "manifest".as_ref(),
            "list-versions".as_ref(),
            tree.as_os_str(),
        ];
        self.run(BINARY, &arguments)
    }
}

/// How many files of this name there are, outside of inputs.
fn count(folder: &Path, name: &str) -> Result<usize, Failure> {
    let mut found = 0;
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        if entry.file_type()?.is_dir() {
            if entry.file_name() != "inputs" {
                found += count(&entry.path(), name)?;
            }
        } else if entry.file_name() == name {
            found += 1;
        }
    }
    Ok(found)
}

fn migrate(tools: &Tools, options: &Options) -> Result<bool, Failure> {
    let Options {
        manifests, rounds, ..
    } = *options;
    println!(
        "migrate: {manifests} manifests of 1.0.0, {rounds} rounds of each, the order changing:"
    );
    let order = [Contender::Bare, Contender::Python, Contender::Ours];
    let mut met = true;
    for warm in [false, true] {
        if !warm && !tools.drops_caches {
            continue;
        }
        let mut runs = order.map(|_| Vec::new());
        for round in 0..rounds {
            for turn in 0..order.len() {
                let at = (round + turn) % order.len();
                let tree = tools.tree(manifests, UNIFORM)?;
                if !warm {
                    tools.forget()?;
                }
                let took = tools.migrate(order[at], &tree)?;
                let backups = count(&tree, "manifest.json.backup")?;
                if backups != manifests {
                    let who = order[at];
                    return Err(format!("{who:?} left {backups} backups of {manifests}").into());
                }
                runs[at].push(took);
            }
        }
        let [bare, python, ours] = runs.map(Figures::of);
        println!("  {}", if warm { "warm caches" } else { "cold caches" });
        println!("    bare loop    {bare}");
        println!("    Python       {python}");
        println!("    orchestrate  {ours}");
        let of_bare = ours.median.as_secs_f64() / bare.median.as_secs_f64();
        let faster = python.median.as_secs_f64() / ours.median.as_secs_f64();
        println!("    {of_bare:.2} of the time of the bare loop (target: 0.6)");
        if warm {
            println!("    {faster:.1} times faster than Python (target: 8)");
        } else {
            // Most of it is the disk's time for finding the files, which is the same for all.
            println!(
                "    {faster:.1} times faster than Python (the target of 8 is for warm caches)"
            );
        }
        met &= of_bare <= 0.6 && (faster >= 8.0 || !warm);
    }
    Ok(met)
}

fn list_versions(tools: &Tools, options: &Options) -> Result<bool, Failure> {
    let manifests = options.manifests;
    println!("list-versions: {manifests} manifests, {LIST_ROUNDS} rounds of each, alternating:");
    let tree = tools.tree(manifests, MIXED)?;
    let mut met = true;
    for warm in [false, true] {
        if !warm && !tools.drops_caches {
            continue;
        }
        let (mut bare, mut ours) = (Vec::new(), Vec::new());
        let read = ["read".as_ref(), tree.as_os_str()];
        tools.run(&tools.bare, &read)?;
        for round in 0..LIST_ROUNDS {
            for turn in 0..2 {
                if !warm {
                    tools.forget()?;
                }
                if (round + turn) % 2 == 0 {
                    bare.push(tools.run(&tools.bare, &read)?);
                } else {
                    ours.push(tools.list_versions(&tree)?);
                }
            }
        }
        let (bare, ours) = (Figures::of(bare), Figures::of(ours));
        let ratio = ours.median.as_secs_f64() / bare.median.as_secs_f64();
        println!("  {}", if warm { "warm caches" } else { "cold caches" });
        println!("    bare walk    {bare}");
        println!("    orchestrate  {ours}");
        println!("    {ratio:.2} times as long (target: 1.5)");
        met &= ratio <= 1.5;
    }
    Ok(met)
}

fn memory(tools: &Tools, options: &Options) -> Result<bool, Failure> {
    println!("peak of memory:");
    let mut sizes = vec![1_000, 10_000, 100_000];
    if options.million {
        sizes.push(1_000_000);
    }
    let (mut migrating, mut listing) = (Vec::new(), Vec::new());
    for manifests in sizes {
        let tree = tools.tree(manifests, MANIFESTS_ALONE)?;
        let list = tools.list_versions(&tree)?;
        let migrate = tools.migrate(Contender::Ours, &tree)?;
        let mut line = format!("  {manifests:>7} manifests");
        let _ = write!(line, "  list-versions {} KiB ({:.2?})", list.kib, list.took);
        let _ = write!(line, "  migrate {} KiB ({:.2?})", migrate.kib, migrate.took);
        println!("{line}");
        listing.push(list.kib);
        migrating.push(migrate.kib);
    }
    println!("  target: {FLAT_KIB} KiB between the least tree and any other");
    let flat = |peaks: &[u64]| peaks.iter().all(|kib| *kib <= peaks[0] + FLAT_KIB);
    Ok(flat(&migrating) && flat(&listing))
}
