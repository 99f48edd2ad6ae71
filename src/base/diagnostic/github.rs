//! Findings as workflow commands, which GitHub Actions shows beside the lines of a pull request.
//!
//! The form is that of GitHub's documentation of workflow commands; what it escapes, `@actions/core` escapes too.

use std::fmt::Write as _;

use super::{Finding, Level, Root};

/// One command, ending in a line break. Allowed findings have none: an annotation cannot be marked as settled.
#[must_use]
pub fn to_github(finding: &Finding, root: &Root) -> Option<String> {
    if finding.allowed.is_some() {
        return None;
    }
    let name = match finding.level {
        Level::Error => "error",
        Level::Warning => "warning",
        Level::Note => "notice",
    };
    let place = &finding.primary;
    let mut command = format!("::{name} file={}", property(&root.shown(&place.file)));
    // Writing to a String cannot fail.
    let _ = write!(command, ",line={},endLine={}", place.line, place.end_line);
    // Columns are for places within one line; GitHub refuses them otherwise.
    if place.line == place.end_line {
        let _ = write!(
            command,
            ",col={},endColumn={}",
            place.column, place.end_column
        );
    }
    let title = format!("{}: {}", finding.code, finding.code.info().title);
    let mut message = finding.message.clone();
    if let Some(told) = finding.told() {
        let _ = write!(message, "\n{told}");
    }
    if let Some(help) = &finding.help {
        let _ = write!(message, "\nhelp: {help}");
    }
    let _ = writeln!(command, ",title={}::{}", property(&title), data(&message));
    Some(command)
}

/// A message: a command ends with its line.
fn data(text: &str) -> String {
    text.replace('%', "%25")
        .replace('\r', "%0D")
        .replace('\n', "%0A")
}

/// A property's value: it ends at a comma or colon.
fn property(text: &str) -> String {
    data(text).replace(':', "%3A").replace(',', "%2C")
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use proptest::prelude::*;

    use super::super::{Location, codes};
    use super::*;

    fn finding(message: &str) -> Finding {
        let place = Location {
            line: 3,
            column: 5,
            end_line: 3,
            end_column: 9,
            ..Location::file("my plans/a,b:c%.yaml")
        };
        Finding::new(codes::NO_GATE, place, message)
    }

    fn root() -> Root {
        Root::new(Path::new("/repo"), Path::new("/repo"))
    }

    #[test]
    fn a_command_is_one_line() {
        let drawn = to_github(
            &finding("50% of\r\n::error::it").help("mend, it: so"),
            &root(),
        );
        assert_eq!(
            drawn.as_deref(),
            Some(
                "::warning file=my plans/a%2Cb%3Ac%25.yaml,line=3,endLine=3,col=5,endColumn=9,\
                 title=OR0405%3A A phase has no gate::50%25 of%0D%0A::error::it%0Ahelp: mend, it: so\n"
            )
        );
    }

    fn back(text: &str) -> String {
        let text = text.replace("%0D", "\r").replace("%0A", "\n");
        text.replace("%3A", ":")
            .replace("%2C", ",")
            .replace("%25", "%")
    }

    proptest! {
        #[test]
        fn every_text_survives(text in any::<String>()) {
            prop_assert_eq!(back(&data(&text)), text.clone());
            prop_assert_eq!(back(&property(&text)), text.clone());
            prop_assert!(!data(&text).contains(['\n', '\r']));
            prop_assert!(!property(&text).contains(['\n', '\r', ':', ',']));
        }
    }
}
