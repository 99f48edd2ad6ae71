//! Reports as JUnit XML: a suite for each plan, a case for each finding, and a passing one where there is none.
//!
//! Only errors fail, so that the reader and the exit code say the same; warnings and notes pass with what they say as
//! their output, allowed findings are skipped with the reason.

use std::fmt::Write as _;

use super::{Finding, Level, Report, Root};

/// The whole document, ending in a line break.
#[must_use]
pub fn to_junit(reports: &[Report], root: &Root) -> String {
    let mut xml = String::from("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n");
    let mut sum = Counts::default();
    for report in reports {
        sum.add(&Counts::of(report));
    }
    // Writing to a String cannot fail.
    let _ = writeln!(
        xml,
        "<testsuites name=\"orchestrate validate\"{}>",
        sum.attributes()
    );
    for report in reports {
        suite(&mut xml, report, root);
    }
    xml.push_str("</testsuites>\n");
    xml
}

#[derive(Debug, Default)]
struct Counts {
    tests: usize,
    failures: usize,
    skipped: usize,
}

impl Counts {
    fn of(report: &Report) -> Self {
        let of = |test: fn(&Finding) -> bool| report.findings.iter().filter(|f| test(f)).count();
        Self {
            tests: report.findings.len().max(1),
            failures: of(|f| f.allowed.is_none() && f.level == Level::Error),
            skipped: of(|f| f.allowed.is_some()),
        }
    }

    fn add(&mut self, other: &Self) {
        self.tests += other.tests;
        self.failures += other.failures;
        self.skipped += other.skipped;
    }

    fn attributes(&self) -> String {
        format!(
            " tests=\"{}\" failures=\"{}\" errors=\"0\" skipped=\"{}\" time=\"0\"",
            self.tests, self.failures, self.skipped
        )
    }
}

fn suite(xml: &mut String, report: &Report, root: &Root) {
    let plan = escape(&root.shown(&report.plan));
    let counts = Counts::of(report).attributes();
    let _ = writeln!(xml, "  <testsuite name=\"{plan}\"{counts}>");
    let hidden = report.tally.hidden;
    let _ = writeln!(
        xml,
        "    <properties>\n      <property name=\"hidden\" value=\"{hidden}\"/>\n    </properties>"
    );
    if report.findings.is_empty() {
        let name = match hidden {
            0 => "nothing is found".to_owned(),
            _ => format!("nothing is shown, {hidden} hidden"),
        };
        let _ = writeln!(
            xml,
            "    <testcase classname=\"{plan}\" name=\"{name}\" file=\"{plan}\" time=\"0\"/>"
        );
    }
    for finding in &report.findings {
        case(xml, finding, &plan, root);
    }
    xml.push_str("  </testsuite>\n");
}

fn case(xml: &mut String, finding: &Finding, plan: &str, root: &Root) {
    let place = &finding.primary;
    let file = root.shown(&place.file);
    let (code, line, column) = (finding.code, place.line, place.column);
    let at = format!("{file}:{line}:{column}");
    let name = escape(&format!("{code} at {at}"));
    let _ = writeln!(
        xml,
        "    <testcase classname=\"{plan}\" name=\"{name}\" file=\"{}\" line=\"{line}\" time=\"0\">",
        escape(&file)
    );
    let level = finding.level.as_str();
    let mut text = format!("{level}[{code}]: {}\n  --> {at}", finding.message);
    for label in &finding.labels {
        let there = &label.location;
        let file = root.shown(&there.file);
        let _ = write!(
            text,
            "\n  {file}:{}:{}: {}",
            there.line, there.column, label.message
        );
    }
    if let Some(told) = finding.told() {
        let _ = write!(text, "\n{told}");
    }
    if let Some(help) = &finding.help {
        let _ = write!(text, "\nhelp: {help}");
    }
    let (text, message) = (body(&text), escape(&finding.message));
    let _ = match (&finding.allowed, finding.level) {
        (Some(allowed), _) => writeln!(
            xml,
            "      <skipped message=\"allowed because {}\"/>\n      <system-out>{text}</system-out>",
            escape(&allowed.because)
        ),
        (None, Level::Error) => writeln!(
            xml,
            "      <failure type=\"{code}\" message=\"{message}\">{text}</failure>"
        ),
        (None, Level::Warning | Level::Note) => {
            writeln!(xml, "      <system-out>{text}</system-out>")
        }
    };
    xml.push_str("    </testcase>\n");
}

/// Text for an attribute or an element. What XML 1.0 cannot hold, not even escaped, becomes a picture of itself.
fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            // Always: so that no `]]>` is left.
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            // Readers turn these into spaces in attributes, and a return into a line break everywhere.
            '\t' | '\n' | '\r' => drop(write!(escaped, "&#{};", u32::from(c))),
            _ => escaped.push(visible(c)),
        }
    }
    escaped
}

/// Text for an element, which keeps its lines.
fn body(text: &str) -> String {
    escape(text).replace("&#10;", "\n").replace("&#9;", "\t")
}

/// The character, or the picture of one that XML 1.0 has no place for.
fn visible(c: char) -> char {
    match c {
        '\t' | '\n' | '\r' => c,
        '\0'..='\u{1f}' => {
            char::from_u32(0x2400 + u32::from(c)).unwrap_or(char::REPLACEMENT_CHARACTER)
        }
        '\u{fffe}' | '\u{ffff}' => char::REPLACEMENT_CHARACTER,
        _ => c,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn back(text: &str) -> String {
        let pairs = [
            ("&#9;", "\t"),
            ("&#10;", "\n"),
            ("&#13;", "\r"),
            ("&lt;", "<"),
        ];
        let more = [("&gt;", ">"), ("&quot;", "\""), ("&amp;", "&")];
        let all = pairs.into_iter().chain(more);
        all.fold(text.to_owned(), |text, (from, to)| text.replace(from, to))
    }

    proptest! {
        #[test]
        fn every_text_survives(text in any::<String>()) {
            let escaped = escape(&text);
            prop_assert!(!escaped.contains(['<', '>', '"', '\n']));
            let wanted: String = text.chars().map(visible).collect();
            prop_assert_eq!(back(&escaped), wanted.clone());
            prop_assert_eq!(back(&body(&text)), wanted);
        }
    }

    #[test]
    fn what_xml_cannot_hold_is_drawn() {
        assert_eq!(
            escape("a\u{1b}[0m]]>\u{0}\u{ffff}"),
            "a\u{241b}[0m]]&gt;\u{2400}\u{fffd}"
        );
    }
}
