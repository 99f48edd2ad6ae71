//! A run of the index that is killed has not happened.

use std::process::Command;

use orchestrate::manifest::index::{Progress, Target};

use super::Place;
use super::tree::{Tree, lines, update, update_with};

const DATABASE: &str = "ORCHESTRATE_TEST_INDEX";

fn small() -> Tree {
    let mut tree = Tree::new();
    for n in 0..300 {
        tree.manifest(&format!("{n:04}/manifest.json"), "1.0.0", "job");
    }
    tree
}

fn large() -> Tree {
    let mut tree = small();
    for n in 200..900 {
        tree.manifest(&format!("{n:04}/manifest.json"), "1.2.0", "job");
    }
    tree
}

/// Not a test of its own: what the tests below run as another process, and which ends in the middle of the run.
#[test]
#[ignore = "run by other tests as a process of its own"]
fn a_run_that_ends_in_the_middle() {
    let Ok(given) = std::env::var(DATABASE) else {
        return;
    };
    let rebuild = std::env::var_os("ORCHESTRATE_TEST_REBUILD").is_some();
    let target = Target::parse(&given).expect("a database");
    update_with(&target, &large(), rebuild, &mut |progress| {
        if matches!(progress, Progress::Reading { done, due } if done * 2 > due) {
            // No destructor, no rollback, nothing said to the server: as if killed.
            std::process::abort();
        }
    })
    .expect("it gets that far");
    panic!("it got to its end");
}

fn kill(place: &Place, rebuild: bool) {
    let mut command = Command::new(std::env::current_exe().expect("this program"));
    command
        .args([
            "--ignored",
            "--exact",
            "manifest_index::killed::a_run_that_ends_in_the_middle",
        ])
        .env(DATABASE, place.given());
    if rebuild {
        command.env("ORCHESTRATE_TEST_REBUILD", "1");
    }
    let output = command.output().expect("it runs");
    let text = String::from_utf8_lossy(&output.stdout);
    use std::os::unix::process::ExitStatusExt as _;
    assert_eq!(output.status.signal(), Some(6), "{text}");
}

#[test]
fn a_killed_run_has_not_happened() {
    for place in Place::both() {
        for rebuild in [false, true] {
            update(&place.target(), &small(), true);
            let before = lines(&place.target());
            kill(&place, rebuild);
            assert_eq!(lines(&place.target()), before);
            let report = update(&place.target(), &large(), false);
            assert_eq!(report.manifests, 900);
        }
    }
}

#[test]
fn a_first_run_that_is_killed_leaves_nothing() {
    for place in Place::both() {
        kill(&place, false);
        let report = update(&place.target(), &large(), false);
        assert_eq!((report.read, report.manifests), (900, 900));
    }
}
