//! What a run of the index refuses, and that it changes nothing then.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::PathBuf;

use orchestrate::manifest::index::{IndexError, Progress, Settings, Stamp, Target};
use tempfile::TempDir;

use super::Place;
use super::tree::{Tree, lines, update, update_as, update_with};

fn one() -> Tree {
    let mut tree = Tree::new();
    tree.manifest("a/manifest.json", "1.0.0", "job");
    tree
}

fn settings(root: &str, rebuild: bool) -> Settings {
    Settings {
        root: PathBuf::from(root),
        fingerprint: "other".to_owned(),
        rebuild,
        workers: 1,
    }
}

#[test]
fn tables_of_others_are_not_touched() {
    for place in Place::both() {
        match &place {
            Place::Sqlite(folder) => {
                let file = folder.path().join("index.sqlite");
                let connection = rusqlite::Connection::open(file).expect("a new file");
                connection
                    .execute_batch(
                        "CREATE TABLE manifests (mine TEXT); INSERT INTO manifests VALUES ('x')",
                    )
                    .expect("a table");
            }
            Place::Postgres(database) => {
                database
                    .psql("CREATE TABLE manifests (mine text); INSERT INTO manifests VALUES ('x')");
            }
        }
        for rebuild in [false, true] {
            let error =
                update_with(&place.target(), &one(), rebuild, &mut |_| {}).expect_err("refused");
            assert!(matches!(error, IndexError::Foreign { .. }), "{error}");
            assert_eq!(error.exit_code(), 9);
        }
        assert_eq!(place.ask("SELECT mine FROM manifests"), "x");
    }
}

#[test]
fn an_index_is_of_one_tree_until_it_is_rebuilt() {
    for place in Place::both() {
        update(&place.target(), &one(), false);
        let before = lines(&place.target());
        let error = update_as(
            &place.target(),
            &one(),
            &settings("/elsewhere", false),
            &mut |_| {},
        )
        .expect_err("refused");
        assert!(matches!(error, IndexError::OtherTree { .. }), "{error}");
        assert!(error.to_string().contains("/srv/artifacts"), "{error}");
        assert_eq!(lines(&place.target()), before);
        update_as(
            &place.target(),
            &one(),
            &settings("/elsewhere", true),
            &mut |_| {},
        )
        .expect("a rebuild takes the new tree");
        assert_eq!(
            place.ask("SELECT value FROM manifest_index WHERE key = 'root'"),
            "/elsewhere"
        );
    }
}

#[test]
fn another_format_is_rebuilt_only_when_asked() {
    for place in Place::both() {
        let tree = one();
        update(&place.target(), &tree, false);
        let before = lines(&place.target());
        let change = "UPDATE manifest_index SET value = '0' WHERE key = 'format' RETURNING value";
        assert_eq!(place.ask(change), "0");
        let error = update_with(&place.target(), &tree, false, &mut |_| {}).expect_err("refused");
        assert!(matches!(error, IndexError::Format { .. }), "{error}");
        update(&place.target(), &tree, true);
        assert_eq!(lines(&place.target()), before);
    }
}

#[test]
fn one_run_writes_at_a_time() {
    for place in Place::both() {
        let tree = one();
        update(&place.target(), &tree, false);
        let mut refused = 0;
        update_with(&place.target(), &tree, true, &mut |progress| {
            if matches!(progress, Progress::Reading { .. }) {
                let error =
                    update_with(&place.target(), &tree, false, &mut |_| {}).expect_err("refused");
                assert!(matches!(error, IndexError::Busy { .. }), "{error}");
                refused += 1;
            }
        })
        .expect("the first run goes on");
        assert_eq!(refused, 1);
    }
}

#[test]
fn a_file_that_is_no_database_stays() {
    let place = Place::sqlite();
    let file = PathBuf::from(place.given());
    let words = "These are my notes, and no database. ".repeat(100);
    fs::write(&file, &words).expect("a file");
    for rebuild in [false, true] {
        let error =
            update_with(&place.target(), &one(), rebuild, &mut |_| {}).expect_err("refused");
        assert!(error.to_string().contains("not a database"), "{error}");
    }
    assert_eq!(fs::read_to_string(&file).expect("it is there"), words);
}

#[test]
fn a_server_that_is_not_there_is_told_without_the_password() {
    for url in [
        "postgres://anna:hunter2@localhost:1/x",
        "postgres://anna:hunter2@/x?host=/nowhere",
        "postgres://anna@localhost:1/x?password=hunter2&sslmode=verify-full",
    ] {
        let target = Target::parse(url).expect("a URL");
        let error = update_with(&target, &one(), false, &mut |_| {}).expect_err("nobody is there");
        let text = format!("{error} {error:?}");
        assert!(matches!(error, IndexError::Connect { .. }), "{text}");
        assert!(!text.contains("hunter2"), "{text}");
    }
}

#[test]
fn the_default_is_a_file_in_the_tree_that_git_ignores() {
    let root = TempDir::new().expect("a folder");
    let target = Target::of_tree(root.path());
    update(&target, &one(), false);
    let folder = root.path().join(".orchestrate");
    assert!(folder.join("manifests.sqlite").is_file());
    assert_eq!(
        fs::read_to_string(folder.join(".gitignore")).expect("a file"),
        "*\n"
    );
    update(&target, &one(), false);
    let mut names: Vec<_> = fs::read_dir(&folder)
        .expect("a folder")
        .map(|entry| entry.expect("an entry").file_name())
        .collect();
    names.sort();
    assert_eq!(
        names,
        [".gitignore", "manifests.sqlite"],
        "no journal is left"
    );
}

#[test]
fn the_default_is_never_outside_of_the_tree() {
    let (root, elsewhere) = (
        TempDir::new().expect("a folder"),
        TempDir::new().expect("a folder"),
    );
    symlink(elsewhere.path(), root.path().join(".orchestrate")).expect("a link");
    let error = update_with(&Target::of_tree(root.path()), &one(), false, &mut |_| {})
        .expect_err("refused");
    assert!(matches!(error, IndexError::Folder { .. }), "{error}");
    assert_eq!(fs::read_dir(elsewhere.path()).expect("a folder").count(), 0);
}

#[test]
fn a_stamp_tells_of_a_change() {
    let folder = TempDir::new().expect("a folder");
    let (file, other) = (folder.path().join("a"), folder.path().join("b"));
    fs::write(&file, "one").expect("a file");
    let stamp = || Stamp::of(&fs::metadata(&file).expect("it is there"));
    let before = stamp();
    assert_eq!(before, stamp());
    assert_eq!(before.size, 3);
    fs::write(&other, "two").expect("a file");
    fs::rename(&other, &file).expect("renamed");
    assert_ne!(before.inode, stamp().inode);
}
