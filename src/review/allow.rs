//! `# orchestrate: allow CODE because REASON`: findings that the author lets stand.
//!
//! An allowed finding keeps its place in the data with the reason, and counts for nothing. Errors cannot be allowed: they
//! say that the run could not start or would act wrongly, and a comment does not change that. What is wrong with such
//! a comment is a finding itself, and those cannot be allowed either.

use std::collections::HashMap;
use std::sync::Arc;

use crate::base::diagnostic::codes::{self, REGISTRY};
use crate::base::diagnostic::{Allowed, Code, Finding, Level, Location};
use crate::plan::load::Loaded;
use crate::plan::source::{Arena, Span, comments_of};

const WORD: &str = "orchestrate";
/// Words of other tools for the same thing.
const OTHERS: [&str; 7] = [
    "ignore", "disable", "suppress", "skip", "noqa", "nolint", "expect",
];
const FORM: &str = "write `# orchestrate: allow OR0405 because <reason>`";

/// Marks the findings that comments allow, and adds what is wrong with such comments.
///
/// `complete` says whether all rules looked at the plan: only then is it known that an allowed finding is not there.
pub fn allow(loaded: &Loaded, findings: &mut Vec<Finding>, complete: bool) {
    let arena = &loaded.arena;
    let mut wrong = Vec::new();
    let mut allows = Vec::new();
    for comment in comments_of(arena, WORD) {
        let text = arena.source_of(comment.span).text();
        let text = &text[comment.span.start as usize..comment.span.end as usize];
        let place = |from: usize, to: usize| {
            let at = |offset: usize| comment.span.start + u32::try_from(offset).unwrap_or(0);
            let (start, end) = (at(from), at(to));
            arena.location(
                Span {
                    start,
                    end,
                    ..comment.span
                },
                "",
            )
        };
        match read(text) {
            Directive::None => {}
            Directive::Malformed(why) => {
                let whole = place(0, text.len());
                wrong.push(Finding::new(codes::ALLOW_MALFORMED, whole, why).help(FORM));
            }
            Directive::Allow { codes, because } => {
                if because.is_none() {
                    wrong.push(unreasoned(place(0, text.len()), &codes));
                }
                for (offset, name) in codes {
                    let at = place(offset, offset + name.len());
                    match Code::find(name) {
                        None => wrong.push(unknown(at, name)),
                        // Without a reason nothing is allowed, and that is said already.
                        Some(info) => allows.extend(because.map(|because| Allow {
                            code: info.code,
                            allowed: Allowed {
                                because: because.to_owned(),
                                at: place(0, text.len()),
                            },
                            at,
                            covers: comment.covers,
                            used: false,
                            refused: None,
                        })),
                    }
                }
            }
        }
    }
    if !allows.is_empty() {
        mark(arena, &mut allows, findings);
        wrong.extend(
            allows
                .into_iter()
                .filter_map(|allow| allow.verdict(complete)),
        );
    }
    findings.append(&mut wrong);
}

/// A code that a comment allows.
#[derive(Debug)]
struct Allow {
    code: Code,
    allowed: Allowed,
    /// Where the code is written.
    at: Location,
    covers: Option<Span>,
    used: bool,
    /// The error that it would have hidden.
    refused: Option<Location>,
}

impl Allow {
    fn verdict(self, complete: bool) -> Option<Finding> {
        let code = self.code;
        if code.as_str().starts_with("OR13") {
            let message = format!("`{code}` is about comments that allow, and cannot be allowed");
            return Some(
                Finding::new(codes::ALLOW_REFUSED, self.at, message)
                    .help("mend or remove the comment that it is about"),
            );
        }
        if self.refused.is_some() || (!self.used && code.info().level == Level::Error) {
            let message = format!("`{code}` is an error, and errors cannot be allowed");
            let mut finding = Finding::new(codes::ALLOW_REFUSED, self.at, message)
                .help("mend what it names and remove this comment");
            if let Some(error) = self.refused {
                finding = finding.label(error, "the error stands");
            }
            return Some(finding);
        }
        // Whether a linter is installed differs from machine to machine, and the clocks change twice a year.
        let comes_and_goes = code.as_str().starts_with("OR12") || code == codes::CLOCK_CHANGE;
        if self.used || !complete || comes_and_goes {
            return None;
        }
        let (message, help) = match self.covers {
            None => (
                format!("`{code}` is allowed where nothing begins"),
                "put the comment directly above the step, gate or field that it is about",
            ),
            Some(_) => (
                format!("`{code}` is allowed, and is not found here"),
                "remove the comment, or put it where the finding is",
            ),
        };
        Some(Finding::new(codes::ALLOW_UNUSED, self.at, message).help(help))
    }
}

/// What one code is allowed for in one file, by where it begins.
#[derive(Debug, Default)]
struct Spans {
    /// Start, end, and which allow.
    sorted: Vec<(usize, usize, usize)>,
    /// The furthest end of each one and all before it.
    reach: Vec<usize>,
}

impl Spans {
    fn sort(&mut self) {
        self.sorted.sort_unstable();
        let mut far = 0;
        for (_, end, _) in &self.sorted {
            far = far.max(*end);
            self.reach.push(far);
        }
    }

    /// The innermost allow around a byte.
    fn around(&self, byte: usize) -> Option<usize> {
        let mut at = self.sorted.partition_point(|(start, ..)| *start <= byte);
        while at > 0 && self.reach[at - 1] > byte {
            at -= 1;
            let (_, end, allow) = self.sorted[at];
            if end > byte {
                return Some(allow);
            }
        }
        None
    }
}

/// Marks each finding by the innermost comment around it that allows its code.
fn mark(arena: &Arena, allows: &mut [Allow], findings: &mut [Finding]) {
    let mut spans: HashMap<(Arc<str>, Code), Spans> = HashMap::new();
    for (which, allow) in allows.iter().enumerate() {
        let Some(covers) = allow.covers else { continue };
        let key = (Arc::clone(&allow.at.file), allow.code);
        let (start, end) = (covers.start as usize, covers.end as usize);
        spans
            .entry(key)
            .or_default()
            .sorted
            .push((start, end, which));
    }
    spans.values_mut().for_each(Spans::sort);
    for finding in findings {
        let place = &finding.primary;
        let Some(spans) = spans.get(&(Arc::clone(&place.file), finding.code)) else {
            continue;
        };
        let Some(text) = arena.sources().get(&place.file) else {
            continue;
        };
        let byte = text.byte(place.line, place.column);
        let Some(allow) = spans.around(byte).and_then(|which| allows.get_mut(which)) else {
            continue;
        };
        if finding.level == Level::Error {
            allow.refused.get_or_insert_with(|| place.clone());
        } else {
            allow.used = true;
            finding.allowed = Some(allow.allowed.clone());
        }
    }
}

/// What a comment says.
#[derive(Debug, PartialEq, Eq)]
enum Directive<'a> {
    /// Nothing to us.
    None,
    /// It means to allow something; why it does not.
    Malformed(String),
    Allow {
        /// Each code and its offset in the comment.
        codes: Vec<(usize, &'a str)>,
        because: Option<&'a str>,
    },
}

fn read(comment: &str) -> Directive<'_> {
    let text = comment.trim_start_matches('#').trim_start();
    let Some(rest) = text
        .strip_prefix(WORD)
        .filter(|rest| !rest.starts_with(|c: char| c.is_alphanumeric() || matches!(c, '_' | '-')))
    else {
        return Directive::None;
    };
    let (colon, rest) = match rest.trim_start().strip_prefix(':') {
        Some(rest) => (true, rest.trim_start()),
        None => (false, rest.trim_start()),
    };
    let end = rest
        .find(|c: char| !c.is_alphanumeric() && c != '_' && c != '-')
        .unwrap_or(rest.len());
    let (verb, rest) = rest.split_at(end);
    let lower = verb.to_ascii_lowercase();
    let names_code = comment
        .split(|c: char| !c.is_ascii_alphanumeric())
        .any(is_code);
    if lower != "allow" {
        let near = strsim::levenshtein(&lower, "allow") <= 2;
        let meant = names_code || (colon && (near || OTHERS.contains(&lower.as_str())));
        return if !meant {
            Directive::None
        } else if verb.is_empty() {
            Directive::Malformed("this comment does not say `allow`".to_owned())
        } else {
            Directive::Malformed(format!(
                "this comment says `{verb}` where `allow` is expected"
            ))
        };
    }
    if !colon {
        return match names_code {
            true => Directive::Malformed("`orchestrate` wants a colon behind it".to_owned()),
            false => Directive::None,
        };
    }
    let (list, because) = match word(rest, "because") {
        Some(at) => {
            let reason = rest[at + "because".len()..]
                .trim_start_matches([':', ' ', '\t'])
                .trim();
            let says = reason.chars().any(char::is_alphanumeric);
            (&rest[..at], Some(reason).filter(|_| says))
        }
        None => (rest, None),
    };
    let mut codes = Vec::new();
    for token in list
        .split([' ', '\t', ',', ':'])
        .filter(|token| !token.is_empty())
    {
        if token.eq_ignore_ascii_case("and") {
            continue;
        }
        // What follows without a `because` is a reason in its author's eyes, not a list of codes.
        if because.is_none() && !codes.is_empty() && !looks_like_code(token) {
            break;
        }
        codes.push((token.as_ptr() as usize - comment.as_ptr() as usize, token));
    }
    if codes.is_empty() || (because.is_none() && !looks_like_code(codes[0].1)) {
        return Directive::Malformed("this comment names no code to allow".to_owned());
    }
    Directive::Allow { codes, because }
}

/// Where a whole word stands, whatever its case.
fn word(text: &str, word: &str) -> Option<usize> {
    let lower = text.to_ascii_lowercase();
    let whole = |at: &usize| {
        let edge = |c: Option<char>| c.is_none_or(|c| !c.is_alphanumeric() && c != '_');
        edge(lower[..*at].chars().next_back()) && edge(lower[at + word.len()..].chars().next())
    };
    lower.match_indices(word).map(|(at, _)| at).find(whole)
}

fn is_code(token: &str) -> bool {
    token.len() == 6
        && token[..2].eq_ignore_ascii_case("OR")
        && token[2..].bytes().all(|byte| byte.is_ascii_digit())
}

/// Whether a word was meant as a code: `OR301`, `OR-0301`, `0301`.
fn looks_like_code(token: &str) -> bool {
    let digits = token.bytes().filter(u8::is_ascii_digit).count();
    digits >= 2 && digits + 3 >= token.len()
}

fn unreasoned(place: Location, codes: &[(usize, &str)]) -> Finding {
    let names: Vec<_> = codes.iter().map(|(_, name)| format!("`{name}`")).collect();
    let verb = if names.len() == 1 { "is" } else { "are" };
    let message = format!("{} {verb} allowed without a reason", names.join(", "));
    Finding::new(codes::ALLOW_WITHOUT_REASON, place, message).help(
        "say behind the codes why it is right to let it stand: `because <reason>`; until then nothing is allowed",
    )
}

fn unknown(at: Location, name: &str) -> Finding {
    let upper = name.to_ascii_uppercase();
    let near = REGISTRY
        .iter()
        .map(|info| (strsim::levenshtein(info.code.as_str(), &upper), info))
        .min_by_key(|(distance, _)| *distance)
        .filter(|(distance, _)| *distance == 1 && upper.len() != 6);
    let help = match near {
        Some((_, info)) => format!("did you mean `{}` ({})?", info.code, info.title),
        None => "a code is written as findings show it, such as `OR0501`".to_owned(),
    };
    let message = format!("there is no code `{name}` to allow");
    Finding::new(codes::ALLOW_UNKNOWN_CODE, at, message).help(help)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn allowed(comment: &str) -> (Vec<&str>, Option<&str>) {
        match read(comment) {
            Directive::Allow { codes, because } => {
                for (at, code) in &codes {
                    assert!(comment[*at..].starts_with(code), "{comment}");
                }
                (codes.into_iter().map(|(_, code)| code).collect(), because)
            }
            other => panic!("{comment}: {other:?}"),
        }
    }

    #[test]
    fn what_allows() {
        let one = (vec!["OR0501"], Some("the table is new"));
        assert_eq!(
            allowed("# orchestrate: allow OR0501 because the table is new"),
            one
        );
        assert_eq!(
            allowed("#orchestrate:allow OR0501 because: the table is new  "),
            one
        );
        assert_eq!(
            allowed("## orchestrate: Allow OR0501, BECAUSE the table is new"),
            one
        );
        let two = (
            vec!["OR0501", "or0503"],
            Some("so it is, because of OR0301"),
        );
        assert_eq!(
            allowed("# orchestrate: allow OR0501,or0503 because so it is, because of OR0301"),
            two
        );
        assert_eq!(
            allowed("# orchestrate: allow OR0501 and or0503 because so it is, because of OR0301"),
            two
        );
        assert_eq!(
            allowed("# orchestrate: allow OR0501"),
            (vec!["OR0501"], None)
        );
        assert_eq!(
            allowed("# orchestrate: allow OR0501 because ..."),
            (vec!["OR0501"], None)
        );
        assert_eq!(
            allowed("# orchestrate: allow OR0501 it is new"),
            (vec!["OR0501"], None)
        );
        assert_eq!(
            allowed("# orchestrate: allow everything because so").0,
            ["everything"]
        );
        assert_eq!(allowed("# orchestrate: allow OR501 because ü").0, ["OR501"]);
    }

    #[test]
    fn what_means_to() {
        for comment in [
            "# orchestrate: alow OR0501 because x",
            "# orchestrate: ignore OR0501",
            "# orchestrate: disable",
            "# orchestrate: OR0501 because x",
            "# orchestrate allow OR0501 because x",
            "# orchestrate: allow",
            "# orchestrate: allow because x",
            "# orchestrate: allow this, please",
        ] {
            assert!(
                matches!(read(comment), Directive::Malformed(_)),
                "{comment}: {:?}",
                read(comment)
            );
        }
    }

    #[test]
    fn what_is_prose() {
        for comment in [
            "# orchestrate: see the README",
            "# orchestrate validate shows OR",
            "# orchestrated by hand",
            "# we allow OR0501 here",
            "# orchestrate allows approvals from elsewhere",
            "#",
            "# orchestrate-next: allow OR0501 because x",
        ] {
            assert_eq!(read(comment), Directive::None, "{comment}");
        }
    }
}
