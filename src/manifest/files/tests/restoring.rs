use super::*;

const FIRST: i64 = 1_800_000_000;

/// Mode and bytes of each file.
type Files = BTreeMap<PathBuf, (u32, Vec<u8>)>;

fn migrated() -> (tempfile::TempDir, Files, String) {
    let tree = small_tree();
    let before = picture(tree.path());
    let summary = run(&options(tree.path(), Arc::new(RealDisk), FIRST), &mut ());
    (tree, before, summary.run.unwrap())
}

fn back(root: &Path, scope: Scope, disk: Arc<dyn TreeDisk>, watch: &mut dyn Watch) -> Restored {
    let options = RestoreOptions {
        place: place(root, disk),
        scope,
        durability: Durability::Auto,
        now: at(FIRST + 60),
    };
    restore(&options, trace, watch, &NEVER).unwrap()
}

fn real(root: &Path, scope: Scope) -> (Restored, Heard) {
    let mut heard = Heard::default();
    let restored = back(root, scope, Arc::new(RealDisk), &mut heard);
    (restored, heard)
}

#[test]
fn a_run_is_taken_back_to_the_byte() {
    let (tree, before, run) = migrated();
    let times = |root: &Path| {
        let meta = std::fs::metadata(root.join("a/1/manifest.json")).unwrap();
        (meta.mtime(), meta.mode(), meta.uid())
    };
    let (restored, heard) = real(tree.path(), Scope::Run(run.clone()));
    assert_eq!(
        (restored.restored, restored.failures()),
        (6, 0),
        "{:?}",
        heard.problems
    );
    assert_eq!(picture(tree.path()), before);
    assert_eq!(times(tree.path()).0, 1_700_000_000);
    let (again, _) = real(tree.path(), Scope::Run(run));
    assert_eq!((again.restored, again.original), (0, 6));
    assert_eq!(picture(tree.path()), before);
}

#[test]
fn the_place_is_taken_back_by_what_its_documents_say() {
    let (tree, before, _) = migrated();
    std::fs::remove_file(tree.path().join("a/1/manifest.json")).unwrap();
    std::fs::write(tree.path().join("b/manifest.json"), "torn").unwrap();
    let (restored, heard) = real(tree.path(), Scope::Place);
    // `a/3` was corrupted all along, and nobody has a backup of it; `d`, `e` and `g` have no history of ours.
    assert_eq!(heard.classes(), [("a/3/manifest.json", "no_backup")]);
    assert_eq!(restored.restored, 3);
    let mut after = picture(tree.path());
    let mut before = before;
    for part in [&mut before, &mut after] {
        part.retain(|p, _| !["d", "e", "g"].iter().any(|d| p.starts_with(d)));
    }
    assert_eq!(after, before);
}

#[test]
fn a_change_since_is_refused_and_a_wrong_backup_too() {
    let (tree, _, run) = migrated();
    let root = tree.path();
    std::fs::write(root.join("a/1/manifest.json"), "v2 one @ edited").unwrap();
    std::fs::write(root.join("b/manifest.json.backup.1.0.0"), "v1 FOUR").unwrap();
    std::fs::remove_file(root.join("c/manifest.json.backup")).unwrap();
    let before = picture(root);
    let (restored, heard) = real(root, Scope::Run(run));
    assert_eq!(
        heard.classes(),
        [
            ("a/1/manifest.json", "changed_since"),
            ("b/manifest.json", "no_backup"),
            ("c/manifest.json", "no_backup"),
        ]
    );
    assert_eq!(restored.restored, 3);
    let mut after = picture(root);
    let mut before = before;
    for part in [&mut before, &mut after] {
        part.retain(|p, _| !["d", "e", "g"].iter().any(|d| p.starts_with(d)));
    }
    assert_eq!(after, before, "what was refused is as it was");
}

#[test]
fn one_manifest_is_taken_back_also_when_it_is_gone() {
    let (tree, before, _) = migrated();
    let root = tree.path();
    std::fs::remove_file(root.join("c/manifest.json")).unwrap();
    let options = RestoreOptions {
        place: Place {
            only: Some(PathBuf::from("c/manifest.json")),
            ..place(root, Arc::new(RealDisk))
        },
        scope: Scope::Place,
        durability: Durability::PerFile,
        now: at(FIRST),
    };
    let restored = restore(&options, trace, &mut (), &NEVER).unwrap();
    assert_eq!((restored.restored, restored.failures()), (1, 0));
    let path = Path::new("c/manifest.json");
    assert_eq!(picture(root)[path], before[path]);
    assert!(root.join("a/1/manifest.json.backup").exists());
}

#[test]
fn a_killed_restore_converges() {
    for n in 0.. {
        let (tree, before, run) = migrated();
        // A backup with a second name cannot be moved, it is copied.
        std::fs::hard_link(
            tree.path().join("a/1/manifest.json.backup"),
            tree.path().join("second name"),
        )
        .unwrap();
        let disk = Faulty::new(Fault::Killed(n));
        back(tree.path(), Scope::Run(run.clone()), disk.clone(), &mut ());
        back(tree.path(), Scope::Run(run), Arc::new(RealDisk), &mut ());
        // A temporary file that was left is swept by the next walk over the tree.
        let options = options(tree.path(), Arc::new(RealDisk), FIRST);
        migrate(
            &options,
            |_| {
                Ok(Change::Current {
                    version: String::new(),
                })
            },
            &mut (),
            &NEVER,
        )
        .unwrap();
        std::fs::remove_file(tree.path().join("second name")).unwrap();
        assert_eq!(picture(tree.path()), before, "killed at {n}");
        if n >= disk.operations() {
            return;
        }
    }
}

#[test]
fn an_unfinished_run_is_taken_back_and_then_over() {
    let tree = small_tree();
    let root = tree.path();
    let before = picture(root);
    let probe = Faulty::new(Fault::Never);
    run(&options(small_tree().path(), probe.clone(), FIRST), &mut ());
    let renames = probe
        .done
        .lock()
        .unwrap()
        .iter()
        .position(|d| d == "exchange manifest.json");
    let disk = Faulty::new(Fault::Killed(renames.unwrap() as u64 + 1));
    let killed = migrate(&options(root, disk, FIRST), upgrade, &mut (), &NEVER).unwrap();
    assert!(matches!(killed.ended, Ended::Broken(_)));
    let (restored, _) = real(root, Scope::Run("latest".to_owned()));
    assert_eq!((restored.restored, restored.original), (1, 5));
    let runs = Runs::of(&root.join(".orchestrate")).list().unwrap();
    assert_eq!(runs[0].end.as_ref().unwrap().state, EndState::Restored);
    let fresh = run(&options(root, Arc::new(RealDisk), FIRST + 5), &mut ());
    assert!(!fresh.continued);
    real(root, Scope::Run("latest".to_owned()));
    assert_eq!(picture(root), before);
}

#[test]
fn old_backups_go_if_their_manifest_is_sound() {
    let (tree, _, _) = migrated();
    let root = tree.path();
    std::fs::write(root.join("c/manifest.json.backup"), "v1 FIVE").unwrap();
    let verify = |path: &Path, text: &[u8]| match trace(path, text) {
        Trace::Migrated { before, .. } => Ok(vec![before]),
        other => Err(format!("{other:?}")),
    };
    let now = jiff::Timestamp::now().as_second();
    let mut options = PruneOptions {
        place: place(root, Arc::new(RealDisk)),
        older_than_days: 7,
        now: at(now + 6 * 86_400),
        dry_run: true,
    };
    let mut gone = Vec::new();
    let mut go = |options: &PruneOptions| {
        gone.clear();
        let mut heard = Heard::default();
        let note = |path: &Path, _| gone.push(path.to_str().unwrap().to_owned());
        let pruned = prune(options, verify, note, &mut heard, &NEVER).unwrap();
        (pruned, heard, gone.clone())
    };
    let (pruned, ..) = go(&options);
    assert_eq!((pruned.young, pruned.removed), (7, 0));
    options.now = at(now + 8 * 86_400);
    let before = picture(root);
    let (pruned, heard, gone) = go(&options);
    assert_eq!(
        gone,
        ["a/1/manifest.json.backup", "b/manifest.json.backup.1.0.0"]
    );
    assert_eq!(
        heard.classes(),
        [
            ("b/manifest.json.backup", "backup_kept"),
            ("c/manifest.json.backup", "backup_kept"),
            ("d/manifest.json.backup", "backup_kept"),
            ("e/manifest.json.backup", "backup_kept"),
            ("g/manifest.json.backup", "backup_kept"),
        ]
    );
    assert_eq!(pruned.bytes, 13);
    assert_eq!(picture(root), before, "a dry run removes nothing");
    options.dry_run = false;
    go(&options);
    assert!(!root.join("a/1/manifest.json.backup").exists());
    assert_eq!(picture(root).len(), before.len() - 2);
}
