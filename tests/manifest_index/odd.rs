//! Documents that a database would change or refuse, and paths that are no text.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

use super::Place;
use super::tree::{Tree, lines, update};

/// What a document becomes: whether it is there as JSON, whether its text is kept besides, and a word of the note.
struct Expected {
    json: bool,
    text: bool,
    note: &'static str,
}

const fn expected(json: bool, text: bool, note: &'static str) -> Expected {
    Expected { json, text, note }
}

#[test]
fn nothing_is_lost_silently() {
    let deep = format!("{}{}", "[".repeat(20_000), "]".repeat(20_000));
    let cases = [
        (
            r#""plain""#,
            expected(true, false, ""),
            expected(true, false, ""),
        ),
        (
            r#""a\u0000b""#,
            expected(true, false, ""),
            expected(false, true, "U+0000"),
        ),
        (
            "1e400",
            expected(true, false, "`->>`"),
            expected(true, true, "numbers"),
        ),
        (
            "12345678901234567890",
            expected(true, false, "`->>`"),
            expected(true, false, ""),
        ),
        ("1.10", expected(true, false, ""), expected(true, false, "")),
        (
            "-0.0",
            expected(true, false, ""),
            expected(true, true, "numbers"),
        ),
        (
            "1e200000",
            expected(true, false, "`->>`"),
            expected(false, true, "JSONB refuses"),
        ),
        (
            &deep,
            expected(false, true, "JSON"),
            expected(false, true, "JSONB refuses"),
        ),
        (
            r#""\ud800\udc00 \u00e4 \/""#,
            expected(true, false, ""),
            expected(true, false, ""),
        ),
    ];
    for place in Place::both() {
        let mut tree = Tree::new();
        let text = |value: &str| format!("{{\"schema_version\": \"1.0.0\", \"x\": {value} }}\r\n");
        for (n, (value, ..)) in cases.iter().enumerate() {
            tree.write(&format!("{n}.json"), text(value).as_bytes());
        }
        let marked = "\u{feff}{\"schema_version\": \"1.0.0\"}";
        tree.write("marked.json", marked.as_bytes());
        let report = update(&place.target(), &tree, false);
        assert_eq!(
            report.manifests,
            cases.len() as u64 + 1,
            "{:?}",
            report.problems
        );

        for (n, (value, sqlite, postgres)) in cases.iter().enumerate() {
            let expected = match place {
                Place::Sqlite(_) => sqlite,
                Place::Postgres(_) => postgres,
            };
            let column = |what: &str| {
                place.ask(&format!(
                    "SELECT {what} FROM manifests WHERE path = '{n}.json'"
                ))
            };
            let short: String = value.chars().take(30).collect();
            assert_eq!(
                column("count(document)"),
                u8::from(expected.json).to_string(),
                "{short}"
            );
            assert_eq!(
                column("count(text)"),
                u8::from(expected.text).to_string(),
                "{short}"
            );
            let note = column("note");
            assert_eq!(note.is_empty(), expected.note.is_empty(), "{short}: {note}");
            assert!(note.contains(expected.note), "{short}: {note}");
            // The whole text, byte for byte, wherever the JSON is not all there is to know.
            if expected.text {
                assert_eq!(
                    column("length(text)"),
                    text(value).chars().count().to_string(),
                    "{short}"
                );
            } else if matches!(place, Place::Sqlite(_)) {
                assert_eq!(column("document"), text(value), "{short}");
            }
        }
        assert_eq!(
            place.ask("SELECT text FROM manifests WHERE path = 'marked.json'"),
            marked
        );
        assert_eq!(
            place.ask("SELECT count(document) FROM manifests WHERE path = 'marked.json'"),
            "1"
        );
        if let Place::Postgres(_) = place {
            let digits = "SELECT document ->> 'x' FROM manifests WHERE path = '3.json'";
            assert_eq!(place.ask(digits), "12345678901234567890");
        }
    }
}

#[test]
fn every_path_has_a_row() {
    for place in Place::both() {
        let mut tree = Tree::new();
        let document = b"{\"schema_version\": \"1.0.0\"}";
        let paths: [&[u8]; 7] = [
            b"a b/manifest.json",
            b"\xff\xfe/manifest.json",
            b"\\xff\\xfe/manifest.json",
            b"quote'\"/manifest.json",
            b"new\nline\ttab/manifest.json",
            "ü/manifest.json".as_bytes(),
            b"%s\x01\x7f/manifest.json",
        ];
        for path in paths {
            tree.write_at(Path::new(OsStr::from_bytes(path)), document);
        }
        let long = format!("{}/manifest.json", "x/".repeat(3_000));
        tree.write(&long, document);
        let report = update(&place.target(), &tree, false);
        assert_eq!(report.manifests, 7);
        assert_eq!(report.problems["unreadable"], 1);
        assert_eq!(
            place.ask(r"SELECT count(*) FROM manifests WHERE path = '\xff\xfe/manifest.json'"),
            "1"
        );
        let before = lines(&place.target());
        let again = update(&place.target(), &tree, false);
        assert_eq!((again.unchanged, again.removed), (7, 0));
        assert_eq!(lines(&place.target()), before);
    }
}

#[test]
fn fields_of_any_length_and_shape_are_taken() {
    for place in Place::both() {
        let mut tree = Tree::new();
        let noise: String = (0..9_000_u32)
            .map(|n| {
                char::from(
                    b'a' + u8::try_from(n.wrapping_mul(2_654_435_761) >> 24).unwrap_or(0) % 26,
                )
            })
            .collect();
        tree.write(
            "long.json",
            format!(
                "{{\"schema_version\": \"1.0.0\", \"job_id\": \"{noise}\", \"run_id\": 007.5e}}"
            )
            .as_bytes(),
        );
        tree.write(
            "long2.json",
            format!("{{\"schema_version\": \"1.0.0\", \"job_id\": \"{noise}\", \"run_id\": 7.50}}")
                .as_bytes(),
        );
        let report = update(&place.target(), &tree, false);
        assert_eq!((report.manifests, report.problems["corrupted"]), (1, 1));
        assert_eq!(place.ask("SELECT run_id FROM manifests"), "7.50");
        assert!(place.ask("SELECT note FROM manifests").contains("`job_id`"));
    }
}
