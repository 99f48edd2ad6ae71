//! A script as parse trees, with what could not be parsed.

use std::ops::Range;

use sqlparser::ast;
use sqlparser::dialect::PostgreSqlDialect;
use sqlparser::parser::{Parser, ParserError};

use super::split::{Include, Script, split, words};

/// A longer statement is data rather than code, and its tree could be as deep as it is long.
const LONGEST: usize = 64 * 1024;

/// The words that statements of PostgreSQL begin with.
const COMMANDS: [&str; 62] = [
    "ABORT",
    "ALTER",
    "ANALYZE",
    "BEGIN",
    "CALL",
    "CHECKPOINT",
    "CLOSE",
    "CLUSTER",
    "COMMENT",
    "COMMIT",
    "COPY",
    "CREATE",
    "DEALLOCATE",
    "DECLARE",
    "DELETE",
    "DISCARD",
    "DO",
    "DROP",
    "END",
    "EXECUTE",
    "EXPLAIN",
    "FETCH",
    "GRANT",
    "IMPORT",
    "INSERT",
    "LISTEN",
    "LOAD",
    "LOCK",
    "MERGE",
    "MOVE",
    "NOTIFY",
    "PREPARE",
    "REASSIGN",
    "REFRESH",
    "REINDEX",
    "RELEASE",
    "RESET",
    "REVOKE",
    "ROLLBACK",
    "SAVEPOINT",
    "SECURITY",
    "SELECT",
    "SET",
    "SHOW",
    "START",
    "TABLE",
    "TRUNCATE",
    "UNLISTEN",
    "UPDATE",
    "VACUUM",
    "VALUES",
    "WITH",
    // Of other databases, and of `psql` variables in front.
    "USE",
    "GO",
    "REPLACE",
    "PRAGMA",
    "ATTACH",
    "DETACH",
    "DESCRIBE",
    "RENAME",
    "UNLOCK",
    "OPTIMIZE",
];

/// A script that was read.
pub(super) struct Parsed {
    pub(super) statements: Vec<Stated>,
    pub(super) unclear: Vec<Unclear>,
    pub(super) includes: Vec<Include>,
    /// What follows may not follow: files are included, or parts are conditional.
    pub(super) branches: bool,
}

/// A statement, parsed as far as that goes.
pub(super) struct Stated {
    /// Its text and where that begins in the script.
    pub(super) text: String,
    pub(super) start: usize,
    /// The bytes of its first line in the script: what is shown.
    pub(super) head: Range<usize>,
    /// Its first words in upper case.
    pub(super) words: Vec<String>,
    /// None when the parser does not know it.
    pub(super) tree: Option<ast::Statement>,
}

impl Stated {
    /// Whether it begins with these words.
    pub(super) fn begins(&self, wanted: &[&str]) -> bool {
        self.words.len() >= wanted.len() && self.words.iter().zip(wanted).all(|(a, b)| a == b)
    }

    /// Where a name of it is written.
    pub(super) fn place_of(&self, name: &ast::Ident) -> Range<usize> {
        let (from, to) = (name.span.start, name.span.end);
        let offset = |line: u64, column: u64| offset(&self.text, line, column);
        match (offset(from.line, from.column), offset(to.line, to.column)) {
            (Some(from), Some(to)) if from < to => self.start + from..self.start + to,
            _ => self.head.clone(),
        }
    }
}

/// Something that is no SQL, or that the parser does not know.
pub(super) struct Unclear {
    pub(super) range: Range<usize>,
    pub(super) message: String,
    /// The database would not know it either.
    pub(super) certain: bool,
}

/// Parses a script statement by statement: one that is not understood hides no other.
pub(super) fn parse(text: &str) -> Parsed {
    let Script {
        statements,
        includes,
        open,
        branches,
    } = split(text);
    let mut parsed = Parsed {
        statements: Vec::with_capacity(statements.len()),
        unclear: Vec::new(),
        includes,
        branches,
    };
    for statement in statements {
        let range = statement.range;
        let line = text[range.clone()].find('\n');
        let head = range.start..line.map_or(range.end, |length| range.start + length);
        let head = head.start..head.start + text[head.clone()].trim_end().len();
        let words = words(&statement.sql, 12);
        let tree = if statement.sql.len() > LONGEST {
            None
        } else {
            match one(&statement.sql) {
                Ok(tree) => tree,
                Err(error) => {
                    let unclear = unclear(text, &range, &head, &words, &error);
                    parsed.unclear.extend(unclear);
                    None
                }
            }
        };
        parsed.statements.push(Stated {
            text: statement.sql,
            start: range.start,
            head,
            words,
            tree,
        });
    }
    if let Some((at, what)) = open {
        let end = text[at..]
            .find('\n')
            .map_or(text.len(), |length| at + length);
        let end = at + text[at..end].trim_end().len();
        parsed.unclear.push(Unclear {
            range: at..end,
            message: format!("this {what} is never closed"),
            certain: true,
        });
    }
    parsed
}

fn one(sql: &str) -> Result<Option<ast::Statement>, ParserError> {
    let dialect = PostgreSqlDialect {};
    let mut statements = Parser::new(&dialect)
        .try_with_sql(sql)?
        .parse_statements()?;
    Ok(match statements.len() {
        1 => statements.pop(),
        _ => None,
    })
}

fn unclear(
    text: &str,
    range: &Range<usize>,
    head: &Range<usize>,
    words: &[String],
    error: &ParserError,
) -> Option<Unclear> {
    let first = words.first()?;
    if !COMMANDS.contains(&first.as_str()) {
        let near = COMMANDS
            .iter()
            .map(|command| (strsim::damerau_levenshtein(command, first), command))
            .min()
            .filter(|(distance, _)| *distance <= 2);
        let hint = near.map_or(String::new(), |(_, command)| {
            format!(": did you mean `{command}`?")
        });
        return Some(Unclear {
            range: head.start..(head.start + first.len()).min(head.end),
            message: format!("no statement of SQL begins with `{first}`{hint}"),
            certain: true,
        });
    }
    let (ParserError::ParserError(message) | ParserError::TokenizerError(message)) = error else {
        // Nested too deep for this parser: no fault of the statement.
        return None;
    };
    // Statements that the parser knows well; of the others it knows too little to judge.
    let known = match first.as_str() {
        "SELECT" | "INSERT" | "UPDATE" | "DELETE" | "WITH" | "VALUES" => true,
        "CREATE" => words[1..]
            .iter()
            .find(|word| !matches!(word.as_str(), "UNIQUE" | "TEMP" | "TEMPORARY" | "UNLOGGED"))
            .is_some_and(|word| matches!(word.as_str(), "TABLE" | "INDEX" | "VIEW")),
        "ALTER" => {
            words.get(1).is_some_and(|word| word == "TABLE")
                && words[2..]
                    .iter()
                    .any(|word| matches!(word.as_str(), "ADD" | "DROP" | "RENAME"))
        }
        "DROP" => words
            .get(1)
            .is_some_and(|word| matches!(word.as_str(), "TABLE" | "VIEW" | "SCHEMA")),
        _ => false,
    };
    // Clauses that PostgreSQL has and the parser has not.
    let lacking = ["including", "excluding", "system", "user"];
    let found = message.split(", found: ").nth(1).unwrap_or_default();
    let found = found.split(' ').next().unwrap_or_default();
    if !known || lacking.iter().any(|word| word.eq_ignore_ascii_case(found)) {
        return None;
    }
    let (message, place) = match message.rsplit_once(" at Line: ") {
        Some((message, place)) => (message, place.split_once(", Column: ")),
        None => (message.as_str(), None),
    };
    let place = place.and_then(|(line, column)| {
        let (line, column) = (line.parse().ok()?, column.parse().ok()?);
        let at = range.start + offset(&text[range.clone()], line, column)?;
        if at >= range.end {
            return None;
        }
        let word = text[at..range.end]
            .find(|c: char| !(c.is_alphanumeric() || c == '_'))
            .unwrap_or(range.end - at);
        let width = match word {
            0 => text[at..].chars().next().map_or(0, char::len_utf8),
            word => word,
        };
        Some(at..at + width)
    });
    let cut_short = message.ends_with("found: EOF") || message.ends_with("found: ;");
    let message =
        message
            .replacen("Expected: ", "expected ", 1)
            .replacen(", found: ", ", found ", 1);
    let message = message.replace("found EOF", "found the end of the statement");
    Some(Unclear {
        range: place.unwrap_or_else(|| match cut_short {
            true => last_word(text, range),
            false => head.clone(),
        }),
        message: format!("this SQL is not understood: {message}"),
        certain: cut_short,
    })
}

/// The byte of a line and a column in characters, both from 1.
fn offset(text: &str, line: u64, column: u64) -> Option<usize> {
    let lines = usize::try_from(line.checked_sub(1)?).ok()?;
    let characters = usize::try_from(column.checked_sub(1)?).ok()?;
    let start: usize = text.split_inclusive('\n').take(lines).map(str::len).sum();
    let rest = &text[start..];
    let at = rest.char_indices().nth(characters).map(|(at, _)| at);
    Some(start + at.unwrap_or(rest.len()))
}

/// Where a statement ends too early.
fn last_word(text: &str, range: &Range<usize>) -> Range<usize> {
    let start = text[range.clone()]
        .rfind(char::is_whitespace)
        .map_or(range.start, |at| range.start + at + 1);
    start.min(range.end)..range.end
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Statements that PostgreSQL 15 accepts.
    const VALID: &str = include_str!("valid.sql");

    #[test]
    fn valid_statements_raise_no_warning() {
        let parsed = parse(VALID);
        let certain: Vec<&str> = parsed
            .unclear
            .iter()
            .filter(|unclear| unclear.certain)
            .map(|unclear| &VALID[unclear.range.clone()])
            .collect();
        assert!(certain.is_empty(), "{certain:#?}");
        let noted: Vec<(&str, &str)> = parsed
            .unclear
            .iter()
            .map(|unclear| (unclear.message.as_str(), &VALID[unclear.range.clone()]))
            .collect();
        assert!(noted.is_empty(), "{noted:#?}");
    }

    #[test]
    fn mistakes_are_found_where_they_are() {
        for (text, message, at, certain) in [
            (
                "selct 1;",
                "no statement of SQL begins with `SELCT`: did you mean `SELECT`?",
                "selct",
                true,
            ),
            ("select 1;\nselect * form t where a;", "", "t", false),
            ("select 1;\nselect * from t where;", "", "where", true),
            ("alter table t add column;", "", "column", true),
            ("create table t (a int,, b int);", "", ",", false),
            ("select 'x;", "this string is never closed", "'x;", true),
        ] {
            let parsed = parse(text);
            let [unclear] = parsed.unclear.as_slice() else {
                panic!("{text}: {} findings", parsed.unclear.len());
            };
            assert_eq!(
                &text[unclear.range.clone()],
                at,
                "{text}: {}",
                unclear.message
            );
            assert_eq!(unclear.certain, certain, "{text}: {}", unclear.message);
            if !message.is_empty() {
                assert_eq!(unclear.message, message);
            }
        }
    }

    #[test]
    fn hostile_statements_end_quickly() {
        let started = std::time::Instant::now();
        let deep = std::thread::Builder::new()
            .stack_size(super::super::STACK)
            .spawn(|| {
                parse(&format!("select {}", "(".repeat(60_000)));
                parse(&format!("select 1{}", "+1".repeat(32_000)));
                parse(&format!("select {} 1", "not ".repeat(16_000)));
                parse(&format!("select a{} from t", "[1]".repeat(20_000)));
                parse(&"select 1;".repeat(100_000));
                parse(&format!(
                    "insert into t values {} (1)",
                    "(1),".repeat(1_000_000)
                ));
            })
            .map(std::thread::JoinHandle::join);
        assert!(matches!(deep, Ok(Ok(()))));
        assert!(started.elapsed().as_secs() < 20);
    }
}
