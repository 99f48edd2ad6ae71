#![expect(clippy::unwrap_used, reason = "tests")]

use super::acts::{Act, Deed, Scripts, shell};

fn shown(text: &str) -> Vec<String> {
    with(text, &[], &[])
}

fn with(text: &str, env: &[(&str, &str)], args: &[&str]) -> Vec<String> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("migration-strategy.yaml");
    std::fs::write(
        &path,
        "metadata: {version: \"1.0.0\", migration_name: x}\nmigration_overview: {name: x}\nmigration_phases: [{phase_id: P, name: P, order: 1}]\n",
    )
    .unwrap();
    std::fs::write(folder.path().join("undo.sh"), "rm -f \"$1\"\n").unwrap();
    std::fs::write(folder.path().join("down.sql"), "DROP TABLE old;\n").unwrap();
    let loaded = crate::plan::load::load(&path).unwrap();
    let scripts = Scripts::new(&loaded);
    let mut found: Vec<String> = shell(text, env, args, &scripts).iter().map(sign).collect();
    found.dedup();
    found
}

fn sign(act: &Act) -> String {
    let sign = match act.deed {
        Deed::Remove { .. } => '-',
        Deed::Need { .. } => '?',
        Deed::Make { .. } => '+',
        Deed::Check => '!',
    };
    format!("{sign}{}", act.key.strip_prefix("f/").unwrap_or(&act.key))
}

/// Removals and needs only.
fn hard(text: &str) -> Vec<String> {
    shown(text)
        .into_iter()
        .filter(|act| act.starts_with(['-', '?']))
        .collect()
}

#[test]
fn removals_are_exact() {
    assert_eq!(
        hard("rm -rf -- ./a/ 'b c' \"$X/d\""),
        ["-a", "-b c", "-$X/d"]
    );
    assert_eq!(hard("mv a b"), ["?a", "-a"]);
    assert_eq!(
        hard("find old -type f -delete; find new -name x -delete"),
        ["-old"]
    );
    assert_eq!(
        hard(": > full; > other; echo x > third"),
        ["-full", "-other"]
    );
    assert_eq!(
        hard("truncate -s 0 a; truncate -s 10 b; shred -u c; shred d"),
        ["-a", "-c"]
    );
    assert_eq!(hard("gzip a; gunzip -k b.gz"), ["?a", "-a", "?b.gz"]);
    assert_eq!(
        hard("sudo rm a; X=1 rm b; git worktree remove --force c"),
        ["-a", "-b", "-c"]
    );
    assert_eq!(
        hard("aws s3 rm s3://b/x --recursive; docker volume rm data"),
        ["-s3:/b/x", "-v/data"]
    );
    assert_eq!(
        hard("kubectl delete deploy/old -n shop; kubectl delete -f x.yaml"),
        ["-k/shop deployment/old"]
    );
    assert_eq!(
        hard("psql -c 'DROP TABLE a' && dropdb shop"),
        ["-q///a", "-d/shop"]
    );
    assert_eq!(hard("psql -X <<E\nDROP TABLE a;\nE"), ["-q///a"]);
    assert_eq!(hard("psql -f down.sql"), ["?down.sql", "-q///old"]);
    assert_eq!(
        hard("./undo.sh a; bash undo.sh b"),
        ["-a", "?undo.sh", "-b"]
    );
}

#[test]
fn doubt_is_neither_a_removal_nor_a_need() {
    for text in [
        "if test -e a; then rm a; fi",
        "test -e a && rm a",
        "[ -d a ] || cp a b",
        "false || rm a",
        "cd x; rm a",
        "rm \"$(cat x)\"",
        "rm {a,b}",
        "f() { rm a; }",
        "for f in a b; do rm $f; done",
        "(cd x && rm a)",
        "f=$(mktemp); rm \"$f\"",
        ". ./nowhere.sh; rm \"$X\"",
        "echo rm a",
        "rm \"$ORCHESTRATE_EVIDENCE_DIR/x\"",
        "ssh host rm a",
        "rmdir --ignore-fail-on-non-empty a",
        "{ echo 1; echo 2; } > a",
        "for f in x; do echo $f; done > a",
        "(echo 1) > a",
        "exec > a",
        "! test -e a",
        ": > app.log",
        "docker run -v data:/data shop",
        "cat a 2>/dev/null || true",
    ] {
        let found: Vec<String> = hard(text)
            .into_iter()
            .filter(|act| act != "?nowhere.sh")
            .collect();
        assert_eq!(found, [""; 0], "{text}");
    }
}

#[test]
fn needs_are_inputs() {
    assert_eq!(hard("cp -a a b"), ["?a"]);
    assert_eq!(hard("psql < a.sql"), ["?a.sql"]);
    assert_eq!(hard("tar xzf a.tgz -C b"), ["?a.tgz"]);
    assert_eq!(hard("tar czf a.tgz b"), [""; 0]);
    assert_eq!(hard("pg_restore -d shop --clean a.dump"), ["?a.dump"]);
    assert_eq!(
        hard("ln -sfn v1 live/current; ln -sfn releases/v1 current"),
        ["?live/v1", "?releases/v1"]
    );
    assert_eq!(hard("test -f a"), ["?a"]);
}

#[test]
fn variables_are_followed() {
    assert_eq!(hard("d=work; rm \"$d/a\" ${d}/b"), ["-work/a", "-work/b"]);
    assert_eq!(hard("export d=work\nrm \"${d:?}/a\""), ["-work/a"]);
    assert_eq!(with("rm $X", &[("X", "a")], &[]), ["-a"]);
    assert_eq!(with("rm $1", &[], &["a"]), ["-a"]);
    assert_eq!(with("shift; rm $1", &[], &["a"]), [""; 0]);
}
