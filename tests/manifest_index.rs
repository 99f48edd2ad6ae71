//! The index of manifests in a real SQLite and a real PostgreSQL: equal whichever way it was made, never half there.

mod killed;
mod odd;
mod refused;
mod tree;

use std::cell::Cell;

use orchestrate::manifest::index::{Progress, Target};
use proptest::prelude::*;
use proptest::test_runner::TestRunner;
use tempfile::TempDir;

use crate::support::postgres::{Database, Postgres};
use tree::{Tree, lines, update};

/// A place for an index that ends with the test.
enum Place {
    Sqlite(TempDir),
    Postgres(Database),
}

impl Place {
    fn sqlite() -> Self {
        Self::Sqlite(TempDir::new().expect("a temporary folder"))
    }

    fn postgres() -> Self {
        Self::Postgres(Postgres::shared().create_database())
    }

    fn both() -> [Self; 2] {
        [Self::sqlite(), Self::postgres()]
    }

    fn given(&self) -> String {
        match self {
            Self::Sqlite(folder) => folder.path().join("index.sqlite").display().to_string(),
            Self::Postgres(database) => database.url(),
        }
    }

    fn target(&self) -> Target {
        Target::parse(&self.given()).expect("a database")
    }

    /// The first column of the first row, through a client that is not ours.
    fn ask(&self, sql: &str) -> String {
        match self {
            Self::Sqlite(folder) => rusqlite::Connection::open(folder.path().join("index.sqlite"))
                .and_then(|c| c.query_row(sql, [], |row| row.get::<_, rusqlite::types::Value>(0)))
                .map(|value| match value {
                    rusqlite::types::Value::Null => String::new(),
                    rusqlite::types::Value::Integer(number) => number.to_string(),
                    rusqlite::types::Value::Text(text) => text,
                    other => panic!("{other:?}"),
                })
                .expect("the query runs"),
            Self::Postgres(database) => database.psql(sql),
        }
    }
}

#[test]
fn a_tree_becomes_tables() {
    for place in Place::both() {
        let mut tree = Tree::new();
        tree.manifest("a/1/manifest.json", "1.0.0", "job-a");
        tree.manifest("a/2/manifest.json", "1.2.0", "job-a");
        tree.manifest("b/1/manifest.json", "9.9.9", "job-b");
        tree.write("c/manifest.json", b"{\"schema_version\": \"1.0.0\",");
        tree.lock("d/manifest.json");
        tree.unreadable_folder("e");
        let report = update(&place.target(), &tree, false);
        assert_eq!((report.found, report.read, report.manifests), (6, 5, 2));
        let problems: Vec<_> = report
            .problems
            .iter()
            .map(|(c, n)| (c.as_str(), *n))
            .collect();
        assert_eq!(
            problems,
            [("corrupted", 1), ("unknown_version", 1), ("unreadable", 2)]
        );
        let by_version =
            "SELECT count(*) FROM manifests WHERE schema_version = '1.0.0' AND job_id = 'job-a'";
        assert_eq!(place.ask(by_version), "1");
        assert_eq!(
            place.ask(
                "SELECT document ->> 'status' FROM manifests WHERE path = 'a/2/manifest.json'"
            ),
            "completed"
        );
        assert_eq!(
            place.ask("SELECT line FROM manifest_problems WHERE path = 'c/manifest.json'"),
            "1"
        );
        assert_eq!(
            place.ask("SELECT message FROM manifest_problems WHERE path = 'e'"),
            "permission denied"
        );
    }
}

#[test]
fn what_is_unchanged_is_not_read() {
    for place in Place::both() {
        let mut tree = Tree::new();
        for n in 0..600 {
            tree.manifest(&format!("{n:03}/manifest.json"), "1.0.0", "job");
        }
        tree.write("bad/manifest.json", b"[");
        assert_eq!(update(&place.target(), &tree, false).read, 601);
        let second = update(&place.target(), &tree, false);
        assert_eq!(
            (second.read, second.unchanged, second.manifests),
            (0, 601, 600)
        );

        tree.manifest("007/manifest.json", "1.2.0", "job");
        tree.remove("008/manifest.json");
        tree.write("009/manifest.json", b"");
        tree.manifest("bad/manifest.json", "1.0.0", "job");
        let third = update(&place.target(), &tree, false);
        assert_eq!(
            (third.read, third.unchanged, third.removed, third.manifests),
            (3, 597, 1, 599)
        );
        assert_eq!(third.problems.len(), 1);

        // A file that could not be read is tried again, though nothing says that it changed.
        tree.lock("010/manifest.json");
        let locked = update(&place.target(), &tree, false);
        assert_eq!((locked.problems["unreadable"], locked.manifests), (1, 598));
        assert_eq!(update(&place.target(), &tree, false).read, 1);
        tree.unlock("010/manifest.json");
        assert_eq!(update(&place.target(), &tree, false).manifests, 599);
    }
}

#[test]
fn a_change_in_the_same_instant_is_not_overlooked() {
    for place in Place::both() {
        let mut tree = Tree::new();
        tree.manifest("a/manifest.json", "1.0.0", "one");
        // The index is made at once, and the file changes again before the clock of the file system goes on.
        tree.delay_ns = 1_000;
        update(&place.target(), &tree, false);
        tree.change_unnoticed("a/manifest.json", b"one", b"two");
        update(&place.target(), &tree, false);
        assert_eq!(place.ask("SELECT job_id FROM manifests"), "two");
    }
}

#[test]
fn versions_that_become_known_are_judged_anew() {
    for place in Place::both() {
        let mut tree = Tree::new();
        tree.manifest("a/manifest.json", "9.9.9", "job");
        tree.manifest("b/manifest.json", "1.0.0", "job");
        assert_eq!(update(&place.target(), &tree, false).manifests, 1);
        tree.known.push("9.9.9");
        let report = update(&place.target(), &tree, false);
        assert_eq!((report.read, report.manifests), (2, 2));
        assert!(report.because.is_some());
    }
}

#[test]
fn a_reader_sees_the_index_before_the_run_until_it_ends() {
    for place in Place::both() {
        let mut tree = Tree::new();
        for n in 0..40 {
            tree.manifest(&format!("{n}/manifest.json"), "1.0.0", "job");
        }
        update(&place.target(), &tree, false);
        for n in 20..300 {
            tree.manifest(&format!("{n}/manifest.json"), "1.2.0", "job");
        }
        for rebuild in [false, true] {
            let seen = Cell::new(0);
            let before = place.ask("SELECT count(*) FROM manifests WHERE schema_version = '1.2.0'");
            tree::update_with(&place.target(), &tree, rebuild, &mut |progress| {
                if matches!(progress, Progress::Reading { .. }) {
                    let now =
                        place.ask("SELECT count(*) FROM manifests WHERE schema_version = '1.2.0'");
                    assert_eq!(now, before);
                    seen.set(seen.get() + 1);
                }
            })
            .expect("the index is made");
            assert!(seen.get() > 0, "nobody looked");
            assert_eq!(
                place.ask("SELECT count(*) FROM manifests WHERE schema_version = '1.2.0'"),
                "280"
            );
        }
    }
}

/// What may happen to a tree between two runs.
#[derive(Debug, Clone)]
enum Change {
    Write(u8, &'static str),
    Remove(u8),
    Lock(u8),
    Unlock(u8),
    Know(&'static str),
    Index,
}

const TEXTS: [&str; 9] = [
    r#"{"schema_version": "1.0.0", "job_id": "a", "status": "ok"}"#,
    r#"{"schema_version": "1.2.0", "job_id": "b\u0000", "n": 12345678901234567890}"#,
    r#"{"schema_version": "9.9.9"}"#,
    r#"{"schema_version": "1.0.0", "n": [1e400, -0, 1e200000]}"#,
    "\u{feff}{\"schema_version\": \"1.0.0\"}",
    r#"{"schema_version": "1.0.0", "job_id": {"x": 1}, "status": 1.50}"#,
    "{",
    "",
    r#"{"schema_version": 3}"#,
];

fn changes() -> impl Strategy<Value = Vec<Change>> {
    let file = 0_u8..6;
    let change = prop_oneof![
        6 => (file.clone(), prop::sample::select(&TEXTS[..])).prop_map(|(f, t)| Change::Write(f, t)),
        2 => file.clone().prop_map(Change::Remove),
        1 => file.clone().prop_map(Change::Lock),
        1 => file.prop_map(Change::Unlock),
        1 => Just(Change::Know("9.9.9")),
        3 => Just(Change::Index),
    ];
    prop::collection::vec(change, 1..24)
}

fn brought_up_to_date_equals_built_anew(cases: u32, place: fn() -> Place) {
    let (kept, fresh) = (place(), place());
    let mut runner = TestRunner::new(ProptestConfig {
        cases,
        failure_persistence: None,
        ..ProptestConfig::default()
    });
    runner
        .run(&changes(), |changes| {
            let mut tree = Tree::new();
            // What an earlier case left is one more state to start from.
            for change in changes {
                let name = |file: u8| format!("{file}/manifest.json");
                match change {
                    Change::Write(file, text) => tree.write(&name(file), text.as_bytes()),
                    Change::Remove(file) => tree.remove(&name(file)),
                    Change::Lock(file) => tree.lock(&name(file)),
                    Change::Unlock(file) => tree.unlock(&name(file)),
                    Change::Know(version) => tree.known.push(version),
                    Change::Index => drop(update(&kept.target(), &tree, false)),
                }
            }
            let kept_report = update(&kept.target(), &tree, false);
            let fresh_report = update(&fresh.target(), &tree, true);
            prop_assert_eq!(lines(&kept.target()), lines(&fresh.target()));
            prop_assert_eq!(kept_report.manifests, fresh_report.manifests);
            prop_assert_eq!(kept_report.problems, fresh_report.problems);
            Ok(())
        })
        .unwrap_or_else(|error| panic!("{error}"));
}

#[test]
fn brought_up_to_date_or_built_anew_is_the_same_in_sqlite() {
    brought_up_to_date_equals_built_anew(48, Place::sqlite);
}

#[test]
fn brought_up_to_date_or_built_anew_is_the_same_in_postgres() {
    brought_up_to_date_equals_built_anew(16, Place::postgres);
}
