//! The layout of a plan's text: key order, indentation, blank lines. Text in, text out.
//!
//! Only layout changes. Scalars and flow collections keep their bytes, comments stay with what they comment on, lists
//! keep their order, and an anchor still comes before its aliases. The result is parsed again and compared with the
//! original as data and by its comments; where they differ there is no result ([`FormatError::Defect`]).
//!
//! * Keys of a mapping come in the order of the schema; `<<` before them; keys that the schema does not know after
//!   them, in the order in which they were written.
//! * Two spaces a level; the dashes of a list stand two columns inside its key.
//! * One blank line between sections, phases and steps; elsewhere at most one; none at the start of a block.
//! * No white space at line ends, a newline at the end. CRLF stays CRLF if the first line has it; a byte order mark stays.
//! * A comment on a line of its own belongs to the item below it, unless it stands deeper than that: then it belongs to
//!   the block above. Comments at the top of the file that a blank line sets apart stay there, and so do lines that
//!   speak to an editor.
//!
//! Text with explicit keys (`? key`), or with an anchor or a tag on a line of its own, is left as it is.

mod order;
mod tokens;
mod tree;
mod write;

#[cfg(test)]
mod tests;

use std::sync::Arc;

use super::source::{Arena, Kind, NodeId, parse};
use crate::base::diagnostic::{Finding, SourceText, Sources, any_error};

/// Why there is no formatted text.
#[derive(Debug, thiserror::Error)]
pub enum FormatError {
    /// The text is not YAML that a plan could be.
    #[error("read the text: it is not valid YAML")]
    Invalid {
        /// What is wrong.
        findings: Vec<Finding>,
        /// The texts that the findings point into.
        sources: Sources,
    },
    /// Formatting would have changed what the text says. That is a defect of this program, never of the text.
    #[error("format the text without changing {0}")]
    Defect(&'static str),
}

/// The text in its canonical layout; `name` is what findings call it.
///
/// # Errors
///
/// [`FormatError`]; nothing is half formatted.
pub fn format(name: &str, text: &str) -> Result<String, FormatError> {
    let (mark, body) = match text.strip_prefix('\u{feff}') {
        Some(body) => ("\u{feff}", body),
        None => ("", text),
    };
    let before = read(name, body)?;
    let crlf = body.find('\n').is_some_and(|at| body[..at].ends_with('\r'));
    let mut unified = body.replace("\r\n", "\n").replace('\r', "\n");
    let open_end = !unified.ends_with('\n');
    if open_end {
        unified.push('\n');
    }
    let Some(mut formatted) = lay_out(&unified) else {
        return Ok(text.to_owned());
    };
    // The last line of a block scalar differs by its newline, so it stays as it was.
    if open_end && !read(name, &formatted).is_ok_and(|after| same(&before, &after)) {
        formatted.pop();
    }
    let after = read(name, &formatted).map_err(|_| FormatError::Defect("its syntax"))?;
    if !same(&before, &after) {
        return Err(FormatError::Defect("its data"));
    }
    if comments(&unified) != comments(&formatted) {
        return Err(FormatError::Defect("its comments"));
    }
    if crlf {
        formatted = formatted.replace('\n', "\r\n");
    }
    Ok(format!("{mark}{formatted}"))
}

/// Whether [`format()`] leaves a text as it is because it has forms that are not laid out.
#[must_use]
pub fn leaves_alone(text: &str) -> bool {
    let body = text.strip_prefix('\u{feff}').unwrap_or(text);
    let mut unified = body.replace("\r\n", "\n").replace('\r', "\n");
    if !unified.ends_with('\n') {
        unified.push('\n');
    }
    let tokens = tokens::scan(&unified);
    tokens.is_none_or(|tokens| tree::read(&unified, &tokens).is_none())
}

/// `None` where the text has forms that are left alone.
fn lay_out(text: &str) -> Option<String> {
    let tokens = tokens::scan(text)?;
    let mut document = tree::read(text, &tokens)?;
    order::sort(&mut document, &tokens.marks);
    Some(write::write(document))
}

fn read(name: &str, text: &str) -> Result<Arena, FormatError> {
    let source = Arc::new(SourceText::new(name, text.to_owned()));
    match parse(&source) {
        (Some(arena), findings) if !any_error(&findings, false) => Ok(arena),
        (_, findings) => {
            let mut sources = Sources::default();
            sources.add(source);
            Err(FormatError::Invalid { findings, sources })
        }
    }
}

/// Whether two documents are the same data: lists in order, mappings in any.
fn same(one: &Arena, other: &Arena) -> bool {
    same_node((one, one.root()), (other, other.root()))
}

fn same_node(one: (&Arena, NodeId), other: (&Arena, NodeId)) -> bool {
    match (&one.0.node(one.1).kind, &other.0.node(other.1).kind) {
        (Kind::List(a), Kind::List(b)) => {
            a.len() == b.len()
                && a.iter()
                    .zip(b)
                    .all(|(a, b)| same_node((one.0, *a), (other.0, *b)))
        }
        (Kind::Map(a), Kind::Map(b)) => {
            let (mut a, mut b): (Vec<_>, Vec<_>) = (a.iter().collect(), b.iter().collect());
            a.sort_by(|x, y| x.key.cmp(&y.key));
            b.sort_by(|x, y| x.key.cmp(&y.key));
            a.len() == b.len()
                && a.iter()
                    .zip(&b)
                    .all(|(a, b)| a.key == b.key && same_node((one.0, a.value), (other.0, b.value)))
        }
        (a, b) => a == b,
    }
}

/// Every comment, sorted.
fn comments(text: &str) -> Option<Vec<&str>> {
    let mut all = tokens::comments(text)?;
    all.sort_unstable();
    Some(all)
}
