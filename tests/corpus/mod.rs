//! Every plan under `tests/plans`: the invalid ones are found out at the right place, with the
//! code in their name; the valid ones, near misses of these, have no error.

use std::fs;
use std::io::{self, BufRead as _, Read as _};
use std::path::{Path, PathBuf};

use orchestrate::base::config::Config;
use orchestrate::base::diagnostic::{Level, Style, render};
use orchestrate::cli::validate::{self, Validated};
use orchestrate::review::Surroundings;
use orchestrate::review::lint::{Programs, Tools};

/// When plans are reviewed whose first line is not `# reviewed at <time>`.
const NOW: &str = "2026-06-01T12:00:00Z";

/// Reviews a plan on a day of its own, far from any machine's configuration.
fn check(path: &Path) -> Validated {
    let mut first = String::new();
    // What cannot be read is refused below.
    let _ = fs::File::open(path)
        .and_then(|file| io::BufReader::new(file).take(100).read_line(&mut first));
    let now = first
        .trim_end()
        .strip_prefix("# reviewed at ")
        .unwrap_or(NOW);
    let surroundings = Surroundings {
        now: now.parse().expect("a time"),
        config: &Config::default(),
    };
    // Starting programs for every plan would take longer than all the rest.
    let about_scripts = path.to_string_lossy().contains("OR12");
    let programs = Programs::new(std::env::var_os("PATH"), std::env::var_os("HOME"));
    let tools = about_scripts.then_some(&programs as &dyn Tools);
    let validated = validate::check_with(path, surroundings, tools);
    assert_eq!(
        validated.skipped,
        [],
        "tests/run installs what looks at scripts"
    );
    validated
}

fn plans(folder: &str) -> Vec<PathBuf> {
    let folder = Path::new("tests/plans").join(folder);
    let mut plans: Vec<PathBuf> = fs::read_dir(&folder)
        .expect("the corpus is beside the tests")
        .map(|entry| entry.expect("a readable folder").path())
        .map(|path| match path.is_dir() {
            true => path.join("migration-strategy.yaml"),
            false => path,
        })
        .filter(|path| {
            path.extension()
                .is_some_and(|extension| extension == "yaml")
        })
        .filter(|path| path.is_file())
        .collect();
    plans.sort();
    assert!(!plans.is_empty(), "{} has plans", folder.display());
    plans
}

/// What is true of every plan as small as these; shown only where it is the point.
const SMALL: [&str; 1] = ["OR0901"];

#[test]
fn invalid_plans_are_found_out() {
    for path in plans("invalid") {
        let stem = path
            .file_stem()
            .expect("a name")
            .to_string_lossy()
            .into_owned();
        let code = stem.split('-').next().expect("a code").to_owned();
        let validated = check(&path);
        assert!(
            validated.findings.iter().any(|f| f.code.as_str() == code),
            "{} triggers {code}: {:#?}",
            path.display(),
            validated.findings
        );
        let drawn: String = validated
            .findings
            .iter()
            .filter(|finding| {
                let of_any_small_plan = SMALL.contains(&finding.code.as_str());
                !of_any_small_plan || finding.code.as_str() == code
            })
            .map(|finding| render(finding, &validated.sources, Style::default()))
            .collect::<Vec<_>>()
            .join("\n");
        insta::assert_snapshot!(stem, drawn);
    }
}

#[test]
fn valid_plans_have_no_error() {
    for path in plans("valid") {
        let validated = check(&path);
        let errors: Vec<_> = validated
            .findings
            .iter()
            .filter(|finding| finding.level == Level::Error)
            .collect();
        assert!(errors.is_empty(), "{}: {errors:#?}", path.display());
        let stem = path.file_stem().expect("a name").to_string_lossy();
        if let Some(code) = stem.split('-').next().filter(|code| code.starts_with("OR")) {
            assert!(
                validated.findings.iter().all(|f| f.code.as_str() != code),
                "{} is a near miss of {code}: {:#?}",
                path.display(),
                validated.findings
            );
        }
    }
}

/// The plans that people start from.
#[test]
fn shipped_plans_have_no_error() {
    for name in ["quickstart", "discount-code", "manifest-upgrade"] {
        let path = Path::new("plans")
            .join(name)
            .join("migration-strategy.yaml");
        let validated = check(&path);
        let errors: Vec<_> = validated
            .findings
            .iter()
            .filter(|finding| finding.level == Level::Error)
            .map(|finding| render(finding, &validated.sources, Style::default()))
            .collect();
        assert!(errors.is_empty(), "{}", errors.join("\n"));
    }
}

#[test]
fn every_rule_has_a_plan_that_triggers_it() {
    // These need a file that is no plan text, or more of it than belongs into a repository; they
    // are tested where files are made.
    const ELSEWHERE: [&str; 5] = ["OR0001", "OR0002", "OR0003", "OR0004", "OR0008"];
    let names: Vec<String> = plans("invalid")
        .iter()
        .map(|path| {
            path.file_name()
                .expect("a name")
                .to_string_lossy()
                .into_owned()
        })
        .collect();
    let missing: Vec<_> = orchestrate::base::diagnostic::codes::REGISTRY
        .iter()
        .map(|info| info.code.as_str())
        .filter(|code| !ELSEWHERE.contains(code) && *code != "OR0109")
        // These are found in migrations of manifests: see `tests/migrations`.
        .filter(|code| !("OR1400".."OR1420").contains(code))
        .filter(|code| !names.iter().any(|name| name.starts_with(code)))
        .collect();
    assert!(missing.is_empty(), "no plan triggers {missing:?}");
}

/// Bad input is a clear finding within a second or two, and nothing is written beside it.
#[test]
fn bad_input_is_refused_quickly() {
    let folder = tempfile::tempdir().expect("a folder");
    let plan = folder.path().join("plan.yaml");
    let cases: [(&str, Vec<u8>); 7] = [
        ("OR0005", Vec::new()),
        ("OR0008", "[".repeat(10_000).into_bytes()),
        ("OR0008", "- ".repeat(10_000).into_bytes()),
        ("OR0008", "{a: ".repeat(10_000).into_bytes()),
        ("OR0007", b"a: 1\n---\nb: 2\n".to_vec()),
        ("OR0004", b"a: \xff\xfe\n".to_vec()),
        ("OR0003", vec![b' '; 64 * 1024 * 1024 + 1]),
    ];
    for (code, bytes) in cases {
        fs::write(&plan, bytes).expect("a file");
        let started = std::time::Instant::now();
        let found = check(&plan).findings;
        assert!(started.elapsed().as_secs() < 2, "{code} takes too long");
        assert_eq!(
            found.iter().map(|f| f.code.as_str()).collect::<Vec<_>>(),
            [code]
        );
        assert!(found[0].help.is_some());
    }
    let mut bomb = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n".to_owned();
    for level in 1..30 {
        let item = format!("*a{}, ", level - 1).repeat(10);
        bomb.push_str(&format!("a{level}: &a{level} [{item}]\n"));
    }
    fs::write(&plan, bomb).expect("a file");
    assert_eq!(check(&plan).findings[0].code.as_str(), "OR0009");
    assert_eq!(check(folder.path()).findings[0].code.as_str(), "OR0002");
    let missing = folder.path().join("none.yaml");
    assert_eq!(check(&missing).findings[0].code.as_str(), "OR0001");
    let left = fs::read_dir(folder.path()).expect("a folder").count();
    assert_eq!(left, 1, "nothing is written");
}
