//! `explain`: the page of a code.

use std::io::IsTerminal as _;

use serde_json::{Value, json};

use super::arguments::ExplainArgs;
use super::context::Context;
use super::failure::Failure;
use crate::base::diagnostic::codes::REGISTRY;
use crate::base::diagnostic::{Code, CodeInfo, Finding};
use crate::show::page;

/// Lines longer than this are hard to read, however wide the terminal is.
const WIDEST: usize = 100;

/// How many codes a line names at most.
const NAMED: usize = 4;

pub(super) fn verb(context: &Context, arguments: &ExplainArgs) -> Result<u8, Failure> {
    let mut found = Vec::new();
    for typed in &arguments.codes {
        found.push(find(typed)?);
    }
    if context.json() {
        let all: Vec<Value> = match arguments.list {
            true => REGISTRY.iter().map(row).collect(),
            false => found.into_iter().map(explanation).collect(),
        };
        for value in &all {
            context.print_json(value);
        }
        context.result("explain", 0, None, None);
        return Ok(0);
    }
    let mut text = String::new();
    if arguments.list {
        for info in REGISTRY {
            let level = info.level.as_str();
            text.push_str(&format!("{}  {level:<7}  {}\n", info.code, info.title));
        }
    }
    let style = page::Style {
        colour: context.colour && std::io::stdout().is_terminal(),
        width: context.width.min(WIDEST),
    };
    for (at, info) in found.iter().enumerate() {
        if at > 0 {
            text.push('\n');
        }
        let title = format!("{} {}: {}", info.level.as_str(), info.code, info.title);
        text.push_str(&page::draw(&title, info.page, style));
    }
    context.print(&text);
    Ok(0)
}

/// The code that was meant: in any case, also without its letters.
fn find(typed: &str) -> Result<&'static CodeInfo, Failure> {
    let word = typed.trim();
    let spelled = match word.bytes().all(|byte| byte.is_ascii_digit()) {
        true => format!("OR{word:0>4}"),
        false => word.to_uppercase(),
    };
    Code::find(&spelled).ok_or_else(|| {
        let near = REGISTRY
            .iter()
            .map(|info| info.code.as_str())
            .min_by_key(|code| strsim::damerau_levenshtein(code, &spelled));
        let near = near.unwrap_or_default();
        Failure::usage(format!("there is no code {typed:?}; {near} is the nearest"))
            .next("list all of them with `orchestrate explain --list`")
    })
}

fn row(info: &CodeInfo) -> Value {
    json!({
        "format_version": 1,
        "type": "code",
        "code": info.code.as_str(),
        "level": info.level.as_str(),
        "title": info.title,
    })
}

fn explanation(info: &CodeInfo) -> Value {
    let sections: Vec<Value> = page::sections(info.page)
        .into_iter()
        .map(|(title, text)| json!({ "title": title, "text": text }))
        .collect();
    json!({
        "format_version": 1,
        "type": "explanation",
        "code": info.code.as_str(),
        "level": info.level.as_str(),
        "title": info.title,
        "sections": sections,
    })
}

/// Where more is said about what was found: the heaviest codes first.
pub(super) fn more_about<'a>(findings: impl IntoIterator<Item = &'a Finding>) -> Option<String> {
    let mut codes: Vec<_> = findings.into_iter().map(|f| (f.level, f.code)).collect();
    codes.sort();
    codes.dedup_by_key(|(_, code)| *code);
    let names: Vec<_> = codes
        .iter()
        .take(NAMED)
        .map(|(_, code)| code.as_str())
        .collect();
    let first = names.first()?;
    let about = match codes.len() {
        1 => (*first).to_owned(),
        _ => "these".to_owned(),
    };
    Some(format!(
        "for more about {about}: orchestrate explain {}",
        names.join(" ")
    ))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::diagnostic::{Location, codes};

    #[test]
    fn codes_are_found_as_people_type_them() {
        for typed in ["OR0301", "or0301", "0301", "301", " oR0301 "] {
            assert_eq!(
                find(typed).ok().map(|info| info.code),
                Some(codes::SCRIPT_MISSING)
            );
        }
        let failure = find("OR0331").map(|_| ()).err();
        let failure = failure.map(|f| (f.exit_code, f.message));
        assert_eq!(
            failure,
            Some((
                2,
                "there is no code \"OR0331\"; OR0301 is the nearest".to_owned()
            ))
        );
    }

    #[test]
    fn a_line_names_the_heaviest_codes_once() {
        let at = || Location::file("f");
        assert_eq!(more_about(&[]), None);
        let one = [Finding::new(codes::NO_GATE, at(), "m")];
        assert_eq!(
            more_about(&one).as_deref(),
            Some("for more about OR0405: orchestrate explain OR0405")
        );
        let several = [
            Finding::new(codes::NO_GATE, at(), "m"),
            Finding::new(codes::SCRIPT_MISSING, at(), "m"),
            Finding::new(codes::NO_GATE, at(), "m"),
        ];
        assert_eq!(
            more_about(&several).as_deref(),
            Some("for more about these: orchestrate explain OR0301 OR0405")
        );
    }
}
