use super::*;

fn failed(path: &str, class: &str, message: &str, place: Option<(usize, usize)>) -> Failed {
    Failed {
        path: path.to_owned(),
        class: class.to_owned(),
        message: message.to_owned(),
        place,
    }
}

fn documented() -> Versions {
    let of = |version: &str, count, way| OfVersion {
        version: version.to_owned(),
        count,
        way,
    };
    Versions {
        place: "below artifacts, pattern **/manifest.json".to_owned(),
        versions: vec![
            of("1.0.0", 100, Way::Forward),
            of("1.1.0", 15, Way::Forward),
            of("1.2.0", 12, Way::There),
        ],
        target: "1.2.0".to_owned(),
        latest: "1.2.0".to_owned(),
        failures: Failures::default(),
        preview: "orchestrate manifest migrate artifacts --dry-run".to_owned(),
    }
}

fn migration() -> Migration {
    Migration {
        place: "below artifacts, pattern **/manifest.json".to_owned(),
        target: "1.2.0".to_owned(),
        from: vec![("1.0.0".to_owned(), 100), ("1.1.0".to_owned(), 15)],
        current: 12,
        backup: true,
        id: Some("20260228T103000Z-1".to_owned()),
        again: "orchestrate manifest migrate artifacts".to_owned(),
        restore: Some("orchestrate manifest restore artifacts --run 20260228T103000Z-1".to_owned()),
        verify: "orchestrate manifest verify artifacts --require-version 1.2.0".to_owned(),
        ..Migration::default()
    }
}

#[test]
fn shares_are_what_people_expect() {
    let shown: Vec<String> = [
        (100, 127),
        (15, 127),
        (12, 127),
        (0, 127),
        (127, 127),
        (1, 1_000_000),
        (999_999, 1_000_000),
        (1, 3),
        (0, 0),
        (1, 2000),
        (u64::MAX / 2, u64::MAX),
    ]
    .into_iter()
    .map(|(count, total)| share(count, total))
    .collect();
    assert_eq!(
        shown,
        [
            "78.7%", "11.8%", "9.4%", "0%", "100%", "<0.1%", ">99.9%", "33.3%", "0%", "0.1%",
            "50.0%"
        ]
    );
}

#[test]
fn sizes_are_what_people_expect() {
    let shown: Vec<String> = [0, 1023, 1024, 1536, 5_000_000, u64::MAX]
        .into_iter()
        .map(bytes)
        .collect();
    assert_eq!(
        shown,
        [
            "0 bytes",
            "1023 bytes",
            "1.0 KiB",
            "1.5 KiB",
            "4.7 MiB",
            "16383.9 PiB"
        ]
    );
}

#[test]
fn the_documented_distribution() {
    let mut drawn = documented().ledger().draw(Look::plain(80));
    let mut odd = documented();
    odd.versions.push(OfVersion {
        version: "9.0.0\u{1b}[2J".to_owned(),
        count: 2,
        way: Way::Unknown,
    });
    odd.failures.push(failed(
        "artifacts/a/manifest.json",
        "corrupted",
        "the key `run_id` is there twice",
        Some((3, 14)),
    ));
    odd.failures.push(failed(
        "artifacts/b\n\u{1b}]0;x/manifest.json",
        "no_permission",
        "failed to open it: permission denied",
        None,
    ));
    for width in [80, 40] {
        drawn.push_str(&format!("=== {width}\n"));
        drawn.push_str(&odd.ledger().draw(Look::plain(width)));
    }
    let empty = Versions {
        versions: Vec::new(),
        ..documented()
    };
    drawn.push_str("=== empty\n");
    drawn.push_str(&empty.ledger().draw(Look::plain(80)));
    drawn.push_str(&format!("=== JSON\n{:#}\n", odd.json()));
    insta::assert_snapshot!(drawn);
}

#[test]
fn the_documented_migration_and_its_bad_nights() {
    let mut drawn = String::new();
    let mut partly = migration();
    for n in 0..30 {
        partly.failures.push(failed(
            &format!("artifacts/job-{n}/manifest.json"),
            "corrupted",
            "expected `,` or `}`",
            Some((n + 1, 2)),
        ));
    }
    partly.failures.push(failed(
        "artifacts/locked/manifest.json",
        "no_permission",
        "failed to open it: permission denied",
        None,
    ));
    let nothing = Migration {
        from: Vec::new(),
        current: 0,
        ..partly.clone()
    };
    let dry = Migration {
        dry_run: true,
        id: None,
        ..migration()
    };
    let staged = Migration {
        from: vec![("1.0.0".to_owned(), 10)],
        remaining: 105,
        ..migration()
    };
    let cut_short = Migration {
        interrupted: true,
        ..staged.clone()
    };
    let full = Migration {
        stopped: Some("the disk is full; make room, then type the same command again".to_owned()),
        before: 4,
        swept: 2,
        ..staged.clone()
    };
    let empty = Migration {
        from: Vec::new(),
        current: 0,
        ..migration()
    };
    for (name, migration) in [
        ("all", migration()),
        ("in part", partly.clone()),
        ("nothing", nothing),
        ("dry run", dry),
        ("limit", staged),
        ("interrupted", cut_short),
        ("disk full", full),
        ("empty", empty),
    ] {
        drawn.push_str(&format!("=== {name}\n"));
        drawn.push_str(&migration.ledger().draw(Look::plain(80)));
        assert_eq!(
            migration.ledger().total(),
            migration.json()["total"].as_u64().unwrap_or(0)
        );
    }
    drawn.push_str(&format!("=== JSON\n{:#}\n", partly.json()));
    insta::assert_snapshot!(drawn);
}

#[test]
fn the_other_ends() {
    let mut failures = Failures::default();
    failures.push(failed(
        "a/manifest.json",
        "changed_since",
        "it is neither what the migration wrote nor what it was before",
        None,
    ));
    let restoration = Restoration {
        place: "below a".to_owned(),
        restored: 114,
        failures,
        again: "orchestrate manifest restore a".to_owned(),
        ..Restoration::default()
    };
    let mut drifted = Failures::default();
    drifted.push(failed(
        "a/manifest.json",
        "other_version",
        "it is at 1.0.0, not 1.2.0",
        Some((2, 21)),
    ));
    let verification = Verification {
        place: "below a, pattern **/manifest.json".to_owned(),
        verified: vec![("1.2.0".to_owned(), 126)],
        failures: drifted,
        required: Some("1.2.0".to_owned()),
        backups: Some(114),
    };
    let pruning = Pruning {
        place: "below a".to_owned(),
        pruned: 100,
        freed: 409_600,
        young: 15,
        older_than: "7d".to_owned(),
        ..Pruning::default()
    };
    let indexing = Indexing {
        place: "below a, pattern **/manifest.json".to_owned(),
        database: "a/.orchestrate/manifests.sqlite".to_owned(),
        unchanged: 12,
        read: 115,
        removed: 1,
        manifests: 125,
        problems: vec![("corrupted".to_owned(), 2)],
        because: None,
    };
    let mut drawn = String::new();
    for ledger in [
        restoration.ledger(),
        Restoration::default().ledger(),
        verification.ledger(),
        pruning.ledger(),
        indexing.ledger(),
    ] {
        drawn.push_str(&ledger.draw(Look::plain(80)));
        drawn.push_str("===\n");
    }
    drawn.push_str(&format!(
        "{:#}\n{:#}\n{:#}\n{:#}\n",
        restoration.json(),
        verification.json(),
        pruning.json(),
        indexing.json()
    ));
    insta::assert_snapshot!(drawn);
}

#[test]
fn lines_of_progress() {
    use std::time::Duration;
    let mut drawn = String::new();
    for (done, total, failed, ms) in [
        (0, None, 0, 0),
        (1200, None, 0, 1000),
        (0, Some(100_000), 0, 5),
        (34_000, Some(100_000), 0, 4_000),
        (99_999, Some(100_000), 3, 200_000),
        (100_000, Some(100_000), 3, 200_000),
        (1, Some(100_000), 0, 60_000),
    ] {
        let progress = Progress {
            done,
            total,
            failed,
        };
        drawn.push_str(&line(progress, Duration::from_millis(ms)));
        drawn.push('\n');
    }
    insta::assert_snapshot!(drawn);
}

#[test]
fn diffs_are_safe_and_bounded() {
    let before = b"{\r\n\t\"a\": \"x\x1b[2J\",\r\n\t\"v\": \"1.0.0\"\r\n}";
    let after = b"{\r\n\t\"a\": \"x\x1b[2J\",\r\n\t\"v\": \"1.2.0\"\r\n}";
    let change = Change {
        path: "a\u{1b}b/manifest.json",
        from: "1.0.0",
        to: "1.2.0",
        before,
        after,
    };
    let drawn = diff(&change, Look::plain(80));
    insta::assert_snapshot!(drawn);
    assert!(!drawn.contains('\u{1b}') && !drawn.contains('\r'));

    let long: String = (0..1000).map(|n| format!("{n}\n")).collect();
    let drawn = diff(
        &Change {
            before: b"",
            after: long.as_bytes(),
            ..change
        },
        Look::plain(80),
    );
    assert_eq!(drawn.lines().count(), 2 + LONGEST_DIFF + 1);
    assert!(drawn.ends_with("(and 801 more lines of this diff)\n"));
    let one_line = |version: &str, more: &str| {
        format!(
            "{{\"v\": \"{version}\", \"a\": \"{}\", \"b\": [1, 2, 3], \"c\": {{\"d\": null}}{more}}}",
            "x".repeat(100_000)
        )
    };
    let (before, after) = (one_line("1.0.0", ""), one_line("1.1.0", ", \"n\": null"));
    let drawn = diff(
        &Change {
            before: before.as_bytes(),
            after: after.as_bytes(),
            ..change
        },
        Look::plain(80),
    );
    insta::assert_snapshot!("a_document_in_one_line", drawn);
    assert!(drawn.len() < 2000);
    assert_eq!(
        diff(
            &Change {
                before: b"a",
                after: b"a",
                ..change
            },
            Look::plain(80)
        ),
        ""
    );
}
