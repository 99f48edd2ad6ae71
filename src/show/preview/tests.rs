#![expect(clippy::unwrap_used, reason = "tests")]

use super::{Preview, Variables};
use crate::show::testing::program;
use crate::show::text::{Look, columns};

fn preview() -> Preview {
    let mut variables = Variables::new();
    variables.insert("TARGET".to_owned(), Some("v2".to_owned()));
    variables.insert("TOKEN".to_owned(), None);
    Preview::new(
        &program(),
        Some("staging"),
        variables,
        &[],
        "2026-11-21T12:00:00Z".parse().unwrap(),
    )
}

#[test]
fn everything_that_would_happen() {
    let mut drawn = String::new();
    for width in [40, 60, 80, 120] {
        let text = preview().text(Look::plain(width));
        for line in text.lines() {
            // Digests and commands stay whole.
            let whole = line.starts_with("plan digest:") || line.contains("./");
            assert!(whole || columns(line) <= width, "{width}: {line}");
        }
        drawn.push_str(&format!("=== {width}\n{text}\n"));
    }
    insta::assert_snapshot!(drawn);
}

#[test]
fn as_data() {
    insta::assert_json_snapshot!(preview());
}
