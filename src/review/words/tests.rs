use super::*;

fn shown(text: &str) -> Vec<String> {
    commands(text)
        .iter()
        .map(|command| {
            let words: Vec<String> = command
                .words
                .iter()
                .map(|word| {
                    word.parts
                        .iter()
                        .map(|part| match part {
                            Part::Text(text) => text.clone(),
                            Part::Variable(name) => format!("${name}"),
                            Part::Unknown => "…".to_owned(),
                        })
                        .collect()
                })
                .collect();
            let nested = if command.nested { "  " } else { "" };
            format!("{nested}{}", words.join("|"))
        })
        .collect()
}

#[test]
fn words_lose_their_quotes() {
    assert_eq!(
        shown("rm -f \"$A\"/x '${b}' c\\ d"),
        ["rm|-f|$A/x|${b}|c d"]
    );
    assert_eq!(
        shown("rm \"$(cat x)\" ${A:-b} ${C:?no} x{a,b}"),
        ["rm|…|…|$C|x…a,b}"]
    );
    assert_eq!(
        shown("a; b && c | d # e\nf \\\n  g"),
        ["a", "b", "c", "d", "f|g"]
    );
    assert_eq!(shown("cp a b 2>/dev/null >c"), ["cp|a|b"]);
    assert_eq!(shown("x=(a b) y=1 z"), ["x=…|y=1|z"]);
}

#[test]
fn what_is_nested_is_said() {
    assert_eq!(
        shown("if test a; then rm b; fi; rm c"),
        ["  test|a", "  rm|b", "rm|c"]
    );
    assert_eq!(shown("f() { rm a; }\nf"), ["  rm|a", "f"]);
    assert_eq!(shown("function f {\n rm a\n}\nf"), ["  rm|a", "f"]);
    assert_eq!(shown("(cd a; rm b)\nrm c"), ["  cd|a", "  rm|b", "rm|c"]);
    assert_eq!(
        shown("case $x in\n a) rm b;;\nesac\nrm c")
            .last()
            .map(String::as_str),
        Some("rm|c")
    );
    assert_eq!(
        shown("for f in a b; do rm $f; done; rm c")
            .last()
            .map(String::as_str),
        Some("rm|c")
    );
}

#[test]
fn patterns_are_no_commands() {
    assert_eq!(
        shown("case $x in\n a|b) c;; # d\n (e) f;;\n *) g\nesac; h"),
        ["  case|$x|in", "  c", "  f", "  g", "h"]
    );
    assert_eq!(shown("case a in esac; b"), ["  case|a|in", "b"]);
}

#[test]
fn here_documents_are_no_commands() {
    let text = "psql x <<'SQL'\nDROP TABLE a;\nSQL\nrm b";
    let found = commands(text);
    assert_eq!(found.len(), 2);
    let Direction::Here(range) = &found[0].redirects[0].kind else {
        panic!("a here-document");
    };
    assert_eq!(&text[range.clone()], "DROP TABLE a;\n");
}

#[test]
fn odd_texts_end() {
    for text in [
        "'",
        "\"",
        "$(",
        "${",
        "`",
        "<<",
        "a <<E",
        "((",
        "}",
        ")",
        "$",
        "\\",
        "x{",
        "é'ü",
        "\"\\",
        "a=(",
        "<(",
        "2>",
        "case x in",
        "case x in a",
        "case x in (",
        "case x in a) b;;",
    ] {
        commands(text);
    }
}
