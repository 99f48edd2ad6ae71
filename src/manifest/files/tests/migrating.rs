use super::*;

fn real(root: &Path) -> Options {
    options(root, Arc::new(RealDisk), 1_800_000_000)
}

#[test]
fn what_a_run_does_to_a_tree() {
    let tree = small_tree();
    let root = tree.path();
    let before = picture(root);
    let mut heard = Heard::default();
    let summary = run(&real(root), &mut heard);
    assert_eq!(summary.ended, Ended::Finished);
    let counts = &summary.counts;
    assert_eq!(
        (
            counts.total,
            counts.looked,
            counts.migrated,
            counts.current,
            counts.failures()
        ),
        (8, 8, 6, 1, 1)
    );
    assert_eq!(heard.classes(), [("a/3/manifest.json", "corrupted")]);
    let changed: Vec<_> = heard.changed.iter().map(|p| p.to_str().unwrap()).collect();
    assert_eq!(
        changed,
        [
            "a/1/manifest.json",
            "b/manifest.json",
            "c/manifest.json",
            "d/manifest.json",
            "e/manifest.json",
            "g/manifest.json"
        ]
    );
    let after = picture(root);
    let text = |name: &str| String::from_utf8(after[Path::new(name)].1.clone()).unwrap();
    assert_eq!(text("a/1/manifest.json"), "v2 one @2027-01-15T08:00:00Z");
    assert_eq!(after[Path::new("a/1/manifest.json")].0 & 0o7777, 0o640);
    assert_eq!(
        after[Path::new("a/1/manifest.json.backup")],
        before[Path::new("a/1/manifest.json")]
    );
    let meta = std::fs::metadata(root.join("a/1/manifest.json.backup")).unwrap();
    assert_eq!((meta.mtime(), meta.nlink()), (1_700_000_000, 1));
    assert_eq!(text("b/manifest.json.backup"), "something else");
    assert_eq!(text("b/manifest.json.backup.1.0.0"), "v1 four");
    assert_eq!(text("b/inputs/manifest.json"), "v1 input");
    assert_eq!(text("c/manifest.json.backup"), "v1 five");
    assert_eq!(text("d/manifest.json.dropped"), "side");
    assert!(!root.join("e/manifest.json.dropped").exists());
    assert_eq!(text("e/manifest.json.dropped.backup"), "kept");
    assert_eq!(text("g/manifest.json.dropped"), "new");
    assert_eq!(text("g/manifest.json.dropped.backup"), "somebody else's");
    // The shared name and the backup are independent.
    let shared = std::fs::metadata(root.join("c/shared")).unwrap();
    let backup = std::fs::metadata(root.join("c/manifest.json.backup")).unwrap();
    assert_ne!(shared.ino(), backup.ino());
    assert_eq!((shared.nlink(), text("c/shared").as_str()), (1, "v1 five"));
    assert!(
        !after
            .keys()
            .any(|p| p.to_string_lossy().contains("orchestrate"))
    );
    assert_eq!(
        std::fs::read_to_string(root.join(".orchestrate/.gitignore")).unwrap(),
        "*\n"
    );

    let second = run(&options(root, Arc::new(RealDisk), 1_900_000_000), &mut ());
    assert_eq!((second.counts.migrated, second.counts.current), (0, 7));
    assert_eq!(picture(root), after);
    assert_ne!(second.run, summary.run);
}

#[test]
fn a_pattern_chooses() {
    let tree = small_tree();
    let root = tree.path();
    for (pattern, n) in [
        ("**/manifest.json", 8),
        ("a/*/manifest.json", 3),
        ("*/manifest.json", 5),
        ("**/*", 9),
        ("c/shared", 1),
        ("inputs/**", 0),
    ] {
        let mut options = real(root);
        options.place.matcher = Matcher::new(pattern).unwrap();
        let dry = dry_run(&options, upgrade, &mut (), &NEVER).unwrap();
        assert_eq!(dry.counts.total, n, "{pattern}");
    }
    let mut options = real(root);
    for (only, n) in [
        ("a/1/manifest.json", 1),
        ("b/inputs/manifest.json", 0),
        ("nothing", 0),
    ] {
        options.place.only = Some(root.join(only));
        let dry = dry_run(&options, upgrade, &mut (), &NEVER).unwrap();
        assert_eq!(
            (dry.counts.total, dry.counts.failures()),
            (n, 1 - n),
            "{only}"
        );
    }
    assert!(
        !root.join(".orchestrate").exists(),
        "a dry run writes nothing"
    );
}

#[test]
fn a_limit_counts_changes_and_goes_on() {
    let tree = small_tree();
    let root = tree.path();
    let mut options = real(root);
    options.limit = Some(2);
    let first = run(&options, &mut ());
    assert_eq!((first.counts.migrated, first.ended), (2, Ended::Limit));
    let text = std::fs::read_to_string(root.join("c/manifest.json")).unwrap();
    assert_eq!(text, "v1 five", "the first two of the walk are changed");
    options.limit = Some(4);
    let second = run(&options, &mut ());
    assert_eq!(second.counts.migrated, 4);
    let third = run(&options, &mut ());
    assert_eq!((third.counts.migrated, third.ended), (0, Ended::Finished));
}

#[test]
fn stopped_and_continued_but_not_with_other_settings() {
    let tree = small_tree();
    let root = tree.path();
    let stop = AtomicBool::new(false);
    let stopping = |input: Input<'_>| {
        stop.store(true, Ordering::Relaxed);
        upgrade(input)
    };
    let first = migrate(&real(root), stopping, &mut (), &stop).unwrap();
    assert_eq!((first.ended, first.counts.migrated), (Ended::Stopped, 1));
    let mut other = real(root);
    other.backup = false;
    let refused = migrate(&other, upgrade, &mut (), &NEVER).unwrap_err();
    let text = refused.to_string();
    assert!(
        text.contains("backup = true; now: backup = false") && text.contains("restore --run"),
        "{text}"
    );
    let second = run(&options(root, Arc::new(RealDisk), 1_900_000_000), &mut ());
    assert!(second.continued);
    assert_eq!(
        (second.run, second.started_at),
        (first.run, first.started_at)
    );
    assert_eq!(
        (second.counts.migrated, second.counts.migrated_before),
        (6, 1)
    );
}

#[test]
fn one_run_at_a_time() {
    let tree = small_tree();
    let root = tree.path();
    let inner = |input: Input<'_>| {
        let mut other = real(root);
        assert!(matches!(
            migrate(&other, upgrade, &mut (), &NEVER),
            Err(MigrateError::Busy { .. })
        ));
        other.place.state = root.join("elsewhere");
        assert!(matches!(
            migrate(&other, upgrade, &mut (), &NEVER),
            Err(MigrateError::Busy { .. })
        ));
        upgrade(input)
    };
    let summary = migrate(&real(root), inner, &mut (), &NEVER).unwrap();
    assert_eq!(summary.counts.migrated, 6);
}

#[test]
fn temporary_files_of_the_dead_are_swept_and_the_living_tell_progress() {
    let tree = small_tree();
    let root = tree.path();
    write(&root.join("a/.orchestrate-new.manifest.json"), "half a f");
    let mut heard = Heard::default();
    let summary = run(&real(root), &mut heard);
    assert_eq!(summary.counts.swept, 1);
    assert!(!root.join("a/.orchestrate-new.manifest.json").exists());
    let last = heard.progress.last().unwrap();
    assert_eq!(
        (last.done, last.total, last.changed, last.failed),
        (8, 8, 6, 1)
    );
}

/// 50 bytes match, 41 of them would change: 49 for their backups, 200 of 1000 stay free.
#[test]
fn a_tree_that_would_fill_the_disk_is_refused_with_the_arithmetic() {
    let tree = small_tree();
    let root = tree.path();
    let before = picture(root);
    let with = |free: u64, limit: Option<u64>| {
        let mut options = options(root, Faulty::with_room(1000, free), 1_800_000_000);
        options.check_space = true;
        options.limit = limit;
        migrate(&options, upgrade, &mut (), &NEVER)
    };
    let refused = with(248, None).unwrap_err();
    assert_eq!(
        refused.to_string(),
        "start: 6 manifests of 41 bytes need 49 bytes for their backups (× 1.2), and 200 bytes (20% of 1000 bytes) must \
         stay free: 249 bytes together, but 248 bytes is free. Free some space, or migrate in parts with a limit and \
         prune between them"
    );
    assert_eq!(picture(root), before);
    assert!(
        Runs::of(&root.join(".orchestrate"))
            .list()
            .unwrap()
            .is_empty()
    );
    assert_eq!(with(207, Some(1)).unwrap().counts.migrated, 1);
    assert_eq!(with(249, None).unwrap().counts.migrated, 5);
    let nothing = with(0, None).unwrap();
    assert_eq!(
        nothing.counts.migrated, 0,
        "nothing to back up: no reason to refuse"
    );
}

#[test]
fn a_torn_record_is_mended_and_an_edited_one_is_refused() {
    let tree = small_tree();
    let root = tree.path();
    let stop = AtomicBool::new(false);
    let stopping = |input: Input<'_>| {
        stop.store(true, Ordering::Relaxed);
        upgrade(input)
    };
    let first = migrate(&real(root), stopping, &mut (), &stop).unwrap();
    let folder = Runs::of(&root.join(".orchestrate")).folder(&first.run.unwrap());
    let path = folder.join("entries.jsonl");
    let sound = std::fs::read(&path).unwrap();
    let mut torn = sound.clone();
    torn.extend_from_slice(b"0123456789abcdef {\"intent\":{\"se");
    torn.extend_from_slice(&[0; 100]);
    std::fs::write(&path, &torn).unwrap();
    let mut edited = sound.clone();
    edited[40] ^= 1;
    let elsewhere = tempfile::tempdir().unwrap();
    std::fs::write(elsewhere.path().join("entries.jsonl"), &edited).unwrap();
    let damaged = record::Lines::open(elsewhere.path())
        .unwrap()
        .unwrap()
        .next();
    assert!(
        matches!(damaged, Err(RecordError::Damaged { line: 1, .. })),
        "{damaged:?}"
    );
    let second = run(&real(root), &mut ());
    assert!(second.continued);
    assert_eq!(second.counts.migrated, 6);
}

#[test]
fn a_scan_reads_everything_in_order() {
    let tree = small_tree();
    let mut place = place(tree.path(), Arc::new(RealDisk));
    place.workers = 3;
    let mut seen = Vec::new();
    let scanned = scan(
        &place,
        |_, text| text.len(),
        |path, bytes, length| {
            assert_eq!(bytes, length as u64);
            seen.push(path.to_str().unwrap().to_owned());
        },
        &mut (),
        &NEVER,
    )
    .unwrap();
    assert_eq!((scanned.files, scanned.problems), (8, 0));
    let mut sorted = seen.clone();
    sorted.sort();
    assert_eq!(seen, sorted);
}
