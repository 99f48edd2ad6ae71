#![expect(clippy::unwrap_used, reason = "tests")]

use super::acts::{Act, Deed, shell};
use super::first_look::FirstLook;
use super::scripts::{Process, Scripts, Unread};

fn shown(text: &str) -> Vec<String> {
    with(text, &[], &[])
}

fn with(text: &str, env: &[(&str, &str)], args: &[&str]) -> Vec<String> {
    beside_a_plan(|scripts| {
        let mut found = told(text, env, args, scripts);
        found.dedup();
        found
    })
}

fn told(text: &str, env: &[(&str, &str)], args: &[&str], scripts: &Scripts<'_>) -> Vec<String> {
    let process = Process {
        env: env.iter().copied().collect(),
        args: args.to_vec(),
    };
    let acts = shell(text, scripts, &process);
    acts.iter().map(|act| sign(act, scripts)).collect()
}

/// With some scripts beside a plan.
pub(super) fn beside_a_plan<T>(see: impl FnOnce(&Scripts<'_>) -> T) -> T {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("migration-strategy.yaml");
    let files = [
        (
            "migration-strategy.yaml",
            "metadata: {version: \"1.0.0\", migration_name: x}\nmigration_overview: {name: x}\nmigration_phases: [{phase_id: P, name: P, order: 1}]\n",
        ),
        ("undo.sh", "rm -f \"$1\"\n"),
        ("down.sql", "DROP TABLE old;\n"),
        ("by-name.sh", "rm \"$WHAT/x\"\n./undo.sh \"$2\"\n"),
        ("set.sh", "WHAT=$WHAT/set\n. ./more.sh\n"),
        ("more.sh", "MORE=$1\nrm \"$WHAT\"\n"),
        ("shift.sh", "shift\ncd x\n"),
        ("self.sh", "rm own\n././self.sh\n"),
        ("ping.sh", "rm ping\n./pong.sh\n./pong.sh a\n"),
        ("pong.sh", "rm pong\n./ping.sh\n. ./ping.sh\n"),
    ];
    for (name, text) in files {
        std::fs::write(folder.path().join(name), text).unwrap();
    }
    for link in 0..20 {
        let text = format!("rm link-{link}\n./chain-{}.sh\n", link + 1);
        std::fs::write(folder.path().join(format!("chain-{link}.sh")), text).unwrap();
    }
    let loaded = crate::plan::load::load(&path).unwrap();
    see(&Scripts::new(&loaded))
}

fn sign(act: &Act, scripts: &Scripts<'_>) -> String {
    let sign = match act.deed {
        Deed::Remove { .. } => '-',
        Deed::Need { .. } => '?',
        Deed::Make { .. } => '+',
        Deed::Check => '!',
    };
    let keys = scripts.keys();
    let name = keys.name(act.key);
    format!("{sign}{}", name.strip_prefix("f/").unwrap_or(name))
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

#[test]
fn a_script_does_what_its_caller_tells_it() {
    let texts = [
        ("./by-name.sh a b", "-$WHAT/x -b"),
        // What is set here, and not exported, is not seen there: nobody knows.
        ("WHAT=y; ./by-name.sh a b", "-b"),
        ("./by-name.sh a c", "-$WHAT/x -c"),
        ("./by-name.sh", "-$WHAT/x"),
        (". ./nowhere.sh; ./by-name.sh a b", "?nowhere.sh -b"),
        ("WHAT=y; . ./by-name.sh", "?by-name.sh -y/x"),
        (
            ". ./set.sh; rm $WHAT $MORE",
            "?set.sh ?more.sh -$WHAT/set -$WHAT/set -one",
        ),
        ("WHAT=a; . ./set.sh; rm b", "?set.sh ?more.sh -a/set -b"),
        ("cd x; ./by-name.sh a b", ""),
        (". ./shift.sh; rm a /b $1", "?shift.sh -/b"),
    ];
    beside_a_plan(|scripts| {
        // A second time what is known is said again.
        for _ in 0..2 {
            for (text, wanted) in texts {
                let mut found = told(text, &[], &["one"], scripts);
                found.retain(|act| act.starts_with(['-', '?']));
                assert_eq!(found.join(" "), wanted, "{text}");
            }
        }
        let of_the_process = told("./by-name.sh a b", &[("WHAT", "z")], &[], scripts);
        assert_eq!(of_the_process, ["-z/x", "-b"]);
        let argument = told(". ./more.sh; rm $MORE", &[], &["one"], scripts);
        assert_eq!(argument.last().map(String::as_str), Some("-one"));
        assert!(scripts.take_unread().is_empty());
    });
}

#[test]
fn calls_in_circles_end_and_are_told() {
    beside_a_plan(|scripts| {
        assert_eq!(told("./self.sh", &[], &[], scripts)[0], "-own");
        let unread = scripts.take_unread();
        assert_eq!(unread, [Unread::Again("self.sh".into())]);
        let found = told("./ping.sh; ./pong.sh", &[], &[], scripts);
        assert!(found.contains(&"-ping".to_owned()) && found.contains(&"-pong".to_owned()));
        assert_eq!(scripts.take_unread().len(), 2);
        let found = told("./chain-0.sh", &[], &[], scripts);
        assert_eq!(
            found.iter().filter(|act| act.starts_with("-link")).count(),
            16
        );
        let unread = scripts.take_unread();
        assert_eq!(unread, [Unread::TooDeep("chain-16.sh".into())]);
        assert!(told("./chain-10.sh", &[], &[], scripts).contains(&"-link-19".to_owned()));
        // Each is told once.
        assert!(scripts.take_unread().is_empty());
    });
}

#[test]
fn a_first_look_follows_scripts() {
    beside_a_plan(|scripts| {
        for text in [
            "rm a",
            "./undo.sh a",
            "A=1 sudo bash -e ./undo.sh a",
            "echo 'x/y'; . ./more.sh",
            "if a; then \"./undo.sh\" a; fi",
            ". ./set.sh",
            "RM=1 x",
            "psql -X -f down.sql",
            "psql --file=down.sql \"$URL\"",
            "$WHAT/x.sh",
            "bash \"$WHAT\"",
        ] {
            assert!(FirstLook::new(scripts).finds(text), "{text}");
        }
        for text in [
            "./nowhere.sh --from a/b",
            "cat ./undo.sh undo.sh",
            "curl -H \"Accept: a/b\" https://example.org/\"$X\" | jq .x",
            "echo ./undo.sh",
            "\"$(dirname \"$0\")/x.sh\"",
        ] {
            assert!(!FirstLook::new(scripts).finds(text), "{text}");
        }
    });
}

#[test]
fn what_is_left_unread_is_told() {
    beside_a_plan(|scripts| {
        let path = std::rc::Rc::from("undo.sh");
        assert!(!scripts.may_act(&path, usize::MAX));
        assert_eq!(told("./undo.sh a", &[], &[], scripts), ["+a", "+"]);
        assert_eq!(scripts.take_unread(), [Unread::TooMuch(path)]);
    });
}
