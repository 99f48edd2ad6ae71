//! What the interpreters themselves say of a text's syntax. Nothing is executed.

use std::ffi::OsString;
use std::ops::Range;

use serde::Deserialize;

use super::collect::{Language, Text};
use super::tools::Answer;
use crate::base::diagnostic::SourceText;

/// Texts of one call.
pub(super) const BATCH: usize = 100;

/// Compiles each file without running it and prints what is wrong, a line of JSON each. Nothing
/// is written: `compile` keeps what it makes in memory.
const COMPILE: &str = r#"
import json, sys, warnings
warnings.simplefilter("ignore")
for name in sys.argv[1:]:
    try:
        with open(name, "rb") as file:
            source = file.read()
    except OSError:
        continue
    try:
        compile(source, name, "exec", dont_inherit=True)
    except SyntaxError as error:
        found = {"line": error.lineno, "column": error.offset, "message": error.msg}
    except (ValueError, RecursionError, MemoryError, OverflowError) as error:
        found = {"line": None, "column": None, "message": str(error)}
    else:
        continue
    print(json.dumps(dict(found, file=name)))
"#;

/// What an interpreter does not understand.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Fault {
    /// From 1.
    line: usize,
    column: Option<usize>,
    pub(super) message: String,
    /// The interpreter refuses the text; else it only wonders.
    pub(super) refused: bool,
}

impl Fault {
    /// The bytes that it is about: from its column, or the whole line, without white space.
    pub(super) fn range(&self, text: &SourceText) -> Range<usize> {
        let (start, end) = text.line_range(self.line);
        let line = &text.text()[start..end];
        if let Some(column) = self.column {
            let from = text.byte(self.line, column);
            let next = text.text()[from..end].chars().next();
            return from..from + next.map_or(0, char::len_utf8);
        }
        let from = start + (line.len() - line.trim_start().len());
        from..(start + line.trim_end().len()).max(from)
    }
}

/// Lets one shell after the other read the files that are its arguments, and prints for each the
/// name, the exit code and what was said. Starting shells from a small process is much quicker
/// than starting them from this one.
const READ_EACH: &str = r#"
shell=$1 options=$2
shift 2
for file; do
  said=$("$shell" $options -n -- "$file" 2>&1)
  printf '%s\000%d\000%s\000' "$file" "$?" "$said"
done
"#;

/// The program and arguments that come before the files.
pub(super) fn shell(language: Language, patterns: bool) -> (&'static str, Vec<OsString>) {
    let (program, options) = match (language, patterns) {
        (Language::Sh, _) => ("sh", ""),
        // The script would say so itself, had it run that far.
        (_, true) => ("bash", "--noprofile --norc -O extglob"),
        (_, false) => ("bash", "--noprofile --norc"),
    };
    let arguments = ["-c", READ_EACH, "read-each", program, options];
    (program, arguments.into_iter().map(OsString::from).collect())
}

/// Whether a shell must know extended patterns to read a text.
pub(super) fn has_patterns(text: &Text) -> bool {
    text.language == Language::Bash && text.source().text().contains("extglob")
}

/// The name, the exit code and what was said, for each file.
pub(super) fn read_each(answer: &Answer) -> Vec<(String, i32, String)> {
    let said = String::from_utf8_lossy(&answer.stdout);
    let mut pieces = said.split('\0');
    let mut found = Vec::new();
    while let (Some(file), Some(code), Some(said)) = (pieces.next(), pieces.next(), pieces.next()) {
        if let Ok(code) = code.parse() {
            found.push((file.to_owned(), code, said.to_owned()));
        }
    }
    found
}

/// What a shell said of a file, if anything.
pub(super) fn read_shell(code: i32, said: &str, file: &str, text: &SourceText) -> Option<Fault> {
    // 126 and 127: the file could not be read, which is another finding.
    if matches!(code, 126 | 127) {
        return None;
    }
    let refused = code != 0;
    let first = said.lines().find(|line| !line.trim().is_empty());
    let Some(first) = first else {
        return refused.then(|| Fault {
            line: 1,
            column: None,
            message: "syntax error".to_owned(),
            refused,
        });
    };
    let rest = first.strip_prefix(file).unwrap_or(first);
    let rest = rest.trim_start_matches([':', ' ']);
    let rest = rest.strip_prefix("line ").unwrap_or(rest);
    let (line, message) = match rest.split_once(": ") {
        Some((line, message)) if line.bytes().all(|byte| byte.is_ascii_digit()) => {
            (line.parse().unwrap_or(1), message)
        }
        _ => (1, rest),
    };
    let message = ["syntax error: ", "Syntax error: ", "warning: "]
        .into_iter()
        .find_map(|prefix| message.strip_prefix(prefix))
        .unwrap_or(message);
    // "Unexpected end of file" is found on the line after the last one.
    let last = match text.line_count() {
        count if count > 1 && text.text().ends_with('\n') => count - 1,
        count => count,
    };
    let line = usize::clamp(line, 1, last.max(1));
    // A script that carries data after its last command is read only that far.
    let ended = refused
        && text
            .text()
            .lines()
            .take(line.saturating_sub(1))
            .any(|line| line == "exit" || line.starts_with("exit "));
    Some(Fault {
        line,
        column: None,
        message: message.trim_end_matches('.').to_owned(),
        refused: refused && !ended,
    })
}

/// The arguments that come before the files.
pub(super) fn python() -> Vec<OsString> {
    ["-I", "-B", "-S", "-c", COMPILE]
        .into_iter()
        .map(OsString::from)
        .collect()
}

#[derive(Deserialize)]
struct PythonFault {
    file: String,
    line: Option<usize>,
    column: Option<usize>,
    message: String,
}

/// What Python said, with the names of the files.
pub(super) fn read_python(answer: &Answer) -> Vec<(String, Fault)> {
    String::from_utf8_lossy(&answer.stdout)
        .lines()
        .filter_map(|line| serde_json::from_str::<PythonFault>(line).ok())
        .map(|fault| {
            let found = Fault {
                line: fault.line.unwrap_or(1).max(1),
                column: fault.column.filter(|column| *column > 0),
                message: fault.message,
                refused: true,
            };
            (fault.file, found)
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_shells_say_is_understood() {
        let text = SourceText::new("", "if true; then\n  done\n".to_owned());
        let bash =
            "x.sh: line 2: syntax error near unexpected token `done'\nx.sh: line 2: `  done'\n";
        let fault = read_shell(2, bash, "x.sh", &text).expect("a fault");
        assert_eq!((fault.line, fault.refused), (2, true));
        assert_eq!(fault.message, "syntax error near unexpected token `done'");
        assert_eq!(&text.text()[fault.range(&text)], "done");
        let dash = "x.sh: 9: Syntax error: end of file unexpected (expecting \"fi\")\n";
        let fault = read_shell(2, dash, "x.sh", &text).expect("a fault");
        assert_eq!(fault.line, 2, "no line after the last one");
        assert_eq!(fault.message, "end of file unexpected (expecting \"fi\")");
        let here = "x.sh: line 1: warning: here-document at line 1 delimited by end-of-file (wanted `EOF')\n";
        let fault = read_shell(0, here, "x.sh", &text).expect("a fault");
        assert!(!fault.refused);
        assert_eq!(read_shell(0, "", "x.sh", &text), None);
        assert_eq!(read_shell(127, "no such file", "x.sh", &text), None);
    }

    #[test]
    fn data_after_the_end_of_a_script_is_not_refused() {
        let text = SourceText::new("", "tail -n +3 \"$0\"\nexit 0\n(((\n".to_owned());
        let said = "x.sh: line 3: syntax error near unexpected token `('\n";
        let fault = read_shell(2, said, "x.sh", &text).expect("a fault");
        assert!(!fault.refused);
    }
}
