#![expect(clippy::unwrap_used, reason = "tests")]

use super::*;
use proptest::prelude::*;

fn formatted(text: &str) -> String {
    let once = format("plan.yaml", text).unwrap();
    let twice = format("plan.yaml", &once).unwrap();
    assert_eq!(once, twice, "formatting again changes nothing");
    once
}

#[test]
fn keys_come_in_the_order_of_the_schema() {
    let text = "\
# yaml-language-server: $schema=x
# about the file

# phases
migration_phases:
- order: 1   # first
  name: 'A'

  # the id
  phase_id: P
  steps:
    -   name: s
        x-own: 1
        step_id: S
        order: 1
        type: configuration
        # kept at the end
    - {step_id: T, name: t,
       order: 2}
metadata: {version: '1'}
x-mine: y
migration_overview:
    name:    n # n
    zzz: 1
";
    let wanted = "\
# yaml-language-server: $schema=x
# about the file

metadata: {version: '1'}

migration_overview:
  name: n # n
  zzz: 1

# phases
migration_phases:
  # the id
  - phase_id: P
    name: 'A'
    order: 1   # first
    steps:
      - step_id: S
        name: s
        order: 1
        type: configuration
        x-own: 1
        # kept at the end

      - {step_id: T, name: t,
         order: 2}

x-mine: y
";
    assert_eq!(formatted(text), wanted);
}

#[test]
fn scalars_keep_their_bytes() {
    let text = "\
metadata:
    version:  \"a
      b\\
      c\"
    migration_name: |2-
          two spaces in

        none
    x-a: >+
       keep


    x-b: |+

    x-c: plain
      on two lines

      and three
    x-d:
        far below
    x-e: |
      text   
        more
    # below it
    x-f: [
      1, # one
    ]
migration_overview: {}
";
    let wanted = "\
metadata:
  version: \"a
    b\\
    c\"
  migration_name: |2-
        two spaces in

      none
  x-a: >+
    keep


  x-b: |+

  x-c: plain
    on two lines

    and three
  x-d:
    far below
  x-e: |
    text   
      more
  # below it
  x-f: [
    1, # one
  ]

migration_overview: {}
";
    assert_eq!(formatted(text), wanted);
}

#[test]
fn an_anchor_stays_before_its_alias() {
    let text = "\
migration_overview: &o {name: n}
metadata: {version: '1', x-a: *o}
";
    let spaced = text.replace("metadata", "\nmetadata");
    assert_eq!(formatted(text), spaced);
    let free = "\
migration_overview: {name: &o n}
metadata: &m
  migration_name: a
  version: '1'
x-a: *o
";
    assert!(formatted(free).starts_with("metadata: &m\n  version: '1'\n"));
    let twice = "\
migration_overview: &a {name: n}
metadata: &a {version: '1'}
x-z: *a
";
    assert!(formatted(twice).starts_with("migration_overview"));
    let merged = "x-base: &b {name: n}\nmigration_overview:\n  objective: o\n  <<: *b\n";
    assert!(formatted(merged).contains("  <<: *b\n  objective: o\n"));
}

#[test]
fn line_ends_and_the_mark_at_the_start_stay() {
    let text = "\u{feff}migration_overview:\r\n    name: n\r\nmetadata: {}";
    assert_eq!(
        formatted(text),
        "\u{feff}metadata: {}\r\n\r\nmigration_overview:\r\n  name: n\r\n"
    );
    assert_eq!(
        formatted("--- # top\nb: 1\n\n\n...\n"),
        "--- # top\nb: 1\n...\n"
    );
}

#[test]
fn what_is_unusual_is_left_alone() {
    for text in [
        "? a\n: b\n",
        "- a\n-  b",
        "a: &x\n  !!map\n  b:   1\n",
        "just text",
    ] {
        assert_eq!(format("f", text).unwrap(), text);
    }
    assert!(matches!(
        format("f", "a: [\n"),
        Err(FormatError::Invalid { .. })
    ));
    assert!(matches!(
        format("f", "a: 1\na: 2\n"),
        Err(FormatError::Invalid { .. })
    ));
}

#[test]
fn files_of_other_kinds_keep_their_order() {
    let text = "people: {}\nconnections: {}\n\nmetadatas: 1\n";
    assert_eq!(
        formatted(text),
        "people: {}\n\nconnections: {}\n\nmetadatas: 1\n"
    );
}

#[test]
fn every_plan_of_the_corpus_keeps_its_meaning() {
    let mut open = vec!["tests/plans", "plans", "examples", "src/cli/init/templates"]
        .into_iter()
        .map(|folder| std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join(folder))
        .collect::<Vec<_>>();
    let mut seen = 0;
    while let Some(path) = open.pop() {
        if path.is_dir() {
            open.extend(std::fs::read_dir(&path).unwrap().map(|e| e.unwrap().path()));
        } else if path.extension().is_some_and(|e| e == "yaml") {
            let text = std::fs::read_to_string(&path).unwrap();
            match format("f", &text) {
                Ok(once) => assert_eq!(once, format("f", &once).unwrap(), "{}", path.display()),
                Err(FormatError::Invalid { .. }) => {}
                Err(error) => panic!("{}: {error}", path.display()),
            }
            seen += 1;
        }
    }
    assert!(seen > 100, "only {seen} plans");
}

/// A block of YAML in many layouts, each line with its indentation.
#[derive(Debug, Clone)]
enum Tree {
    Line(&'static str),
    Scalar(&'static str, Vec<&'static str>, usize),
    Map(Vec<(usize, usize, Tree)>),
    List(Vec<(usize, usize, Tree)>),
}

const KEYS: [&str; 14] = [
    "metadata",
    "name",
    "migration_phases",
    "steps",
    "order",
    "step_id",
    "phase_id",
    "x-a",
    "zz",
    "version",
    "migration_overview",
    "\"type\"",
    "description",
    "rollback_procedure",
];
const NOTES: [&str; 5] = ["", "", "# note", "\n# note", "# deep\n\n# two\n"];

fn tree() -> impl Strategy<Value = Tree> {
    let line = prop::sample::select(vec![
        "1",
        "'a # b'",
        "\"q\\n\"",
        "{a: 1}",
        "[x, y]",
        "",
        "text with: no",
        "v # why",
        "&n v",
        "!!str 5",
        "  # only",
    ])
    .prop_map(|text| {
        Tree::Line(if text == "text with: no" {
            "text"
        } else {
            text
        })
    });
    let scalar = (
        prop::sample::select(vec!["|", ">-", "|+", ">2", "|1-", "| # c"]),
        prop::collection::vec(
            prop::sample::select(vec!["a", "  b", "", "# c", "d "]),
            0..5,
        ),
        1..4_usize,
    )
        .prop_map(|(header, lines, indent)| Tree::Scalar(header, lines, indent));
    let leaf = prop_oneof![3 => line, 1 => scalar];
    leaf.prop_recursive(4, 40, 5, |inner| {
        let parts = prop::collection::vec((0..8_usize, 0..NOTES.len(), inner), 1..5);
        prop_oneof![
            parts.clone().prop_map(Tree::Map),
            parts.prop_map(Tree::List),
        ]
    })
}

/// Writes the block at a column; deeper blocks stand `step` further in.
fn draw(tree: &Tree, column: usize, step: usize, out: &mut String) {
    let note = |out: &mut String, which: usize, shift: usize| {
        for line in NOTES[which]
            .split('\n')
            .filter(|_| !NOTES[which].is_empty())
        {
            if !line.is_empty() {
                out.push_str(&" ".repeat(column + shift));
            }
            out.push_str(line);
            out.push('\n');
        }
    };
    let body = |out: &mut String, body: &Tree, column: usize| match body {
        Tree::Line("") => out.push('\n'),
        Tree::Line(text) => {
            out.push(' ');
            out.push_str(text);
            out.push('\n');
        }
        Tree::Scalar(header, lines, indent) => {
            let said = header.chars().find_map(|c| c.to_digit(10));
            let columns = column + said.map_or(*indent, |d| d as usize);
            out.push_str(&format!(" {header}\n"));
            for line in lines {
                // The first line of a scalar without a figure must not be deeper than the others.
                let line = if said.is_none() {
                    line.trim_start()
                } else {
                    line
                };
                if line.is_empty() {
                    out.push('\n');
                } else {
                    out.push_str(&format!("{}{line}\n", " ".repeat(columns)));
                }
            }
        }
        nested @ (Tree::Map(_) | Tree::List(_)) => {
            out.push('\n');
            draw(nested, column + step, step, out);
        }
    };
    match tree {
        Tree::Map(parts) => {
            for (at, (key, which, value)) in parts.iter().enumerate() {
                note(out, *which, if key % 3 == 0 { 1 } else { 0 });
                // Keys are told apart by a number, unless this one is the first.
                let name = KEYS[(key + at * 5) % KEYS.len()];
                let name = match at {
                    0..=1 => name.to_owned(),
                    _ => format!("{}{at}", name.trim_matches('"')),
                };
                out.push_str(&format!("{}{name}:", " ".repeat(column)));
                body(out, value, column);
            }
        }
        Tree::List(parts) => {
            for (kind, which, value) in parts {
                note(out, *which, if kind % 3 == 0 { 2 } else { 0 });
                out.push_str(&format!("{}-", " ".repeat(column)));
                let mut inner = String::new();
                if let (0..4, Tree::Map(_) | Tree::List(_)) = (kind, value) {
                    draw(value, column + 2, step, &mut inner);
                }
                // A compact collection, unless a comment stands above its first part.
                match inner.strip_prefix(&" ".repeat(column + 2)) {
                    Some(compact) if !compact.starts_with([' ', '#']) => {
                        out.push(' ');
                        out.push_str(compact);
                    }
                    _ => body(out, value, column),
                }
            }
        }
        Tree::Line(_) | Tree::Scalar(..) => body(out, tree, column),
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2_000, ..ProptestConfig::default() })]

    #[test]
    fn formatting_keeps_data_and_comments_and_settles(
        parts in prop::collection::vec((0..8_usize, 0..NOTES.len(), tree()), 1..6),
        step in 1..5_usize,
        crlf in any::<bool>(),
    ) {
        let mut text = String::new();
        draw(&Tree::Map(parts), 0, step, &mut text);
        if crlf {
            text = text.replace('\n', "\r\n");
        }
        match format("f", &text) {
            // `format` itself compares data and comments.
            Ok(once) => {
                let twice = format("f", &once).unwrap();
                prop_assert_eq!(&once, &twice, "from\n{}", text);
                prop_assert!(once.lines().all(|line| !line.ends_with('\t')));
            }
            Err(FormatError::Invalid { .. }) => {}
            Err(error) => prop_assert!(false, "{error}\n{text}"),
        }
    }
}
