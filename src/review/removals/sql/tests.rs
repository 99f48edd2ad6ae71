use super::*;
use crate::review::removals::tests::beside_a_plan;

fn shown(text: &str) -> Vec<String> {
    beside_a_plan(|scripts| {
        let acts = acts(text, "", scripts);
        let keys = scripts.keys();
        let signs = acts.iter().filter_map(|act| {
            let name = keys.name(act.key);
            let sign = match act.deed {
                Deed::Remove { .. } => '-',
                // Columns are needed with their tables.
                Deed::Need { .. } if name.matches('/').count() > 3 => return None,
                Deed::Need { .. } => '?',
                Deed::Make { .. } | Deed::Check => '+',
            };
            Some(format!("{sign}{}", name.trim_start_matches("q//")))
        });
        signs.collect()
    })
}

#[test]
fn statements_are_understood() {
    assert_eq!(
        shown("DROP TABLE IF EXISTS a, s.b CASCADE"),
        ["-/a", "-s/b"]
    );
    assert_eq!(shown("truncate only a; delete from b"), ["-/a", "-/b"]);
    assert_eq!(
        shown("ALTER TABLE t DROP COLUMN IF EXISTS a, ADD b numeric(1,2), DROP CONSTRAINT c"),
        ["?/t", "-/t/a", "+/t/b"]
    );
    assert_eq!(shown("alter table t alter column a drop default"), ["?/t"]);
    assert_eq!(shown("ALTER TABLE t RENAME TO u"), ["?/t", "-/t", "+/u"]);
    assert_eq!(
        shown("CREATE TABLE a AS SELECT * FROM b JOIN c USING (x)"),
        ["?/b", "?/c", "+/a"]
    );
    assert_eq!(
        shown("INSERT INTO a SELECT extract(day from d) FROM b x, c"),
        ["?/b", "?/c", "+/a"]
    );
    assert_eq!(
        shown("UPDATE a SET x = b.x FROM b WHERE a.y IS DISTINCT FROM b.y"),
        ["?/a", "?/b"]
    );
    assert_eq!(
        shown("WITH x AS (SELECT 1 FROM b) SELECT * FROM x"),
        ["?/b"]
    );
    assert_eq!(shown("BEGIN; DROP TABLE a; ROLLBACK"), [""; 0]);
    assert_eq!(
        shown("SELECT * INTO a FROM b JOIN c ON true"),
        ["+/a", "?/b", "?/c"]
    );
    assert_eq!(
        shown("truncate a;\n\\copy a from 'x'\nselect 1"),
        ["-/a", "+q"]
    );
    assert_eq!(shown("-- DROP TABLE a;\nSELECT 'FROM b'"), [""; 0]);
}

#[test]
fn odd_texts_end() {
    for text in [
        "'",
        "\"",
        "$$",
        "$a$",
        "/*",
        "--",
        "drop table",
        "alter table t",
        "create table",
        "from",
        "\\i x",
        "é\"",
        "a as",
        "delete from",
        "with x",
    ] {
        shown(text);
    }
}
