//! Findings as people read them: the source underlined, the cause, the way out.
//!
//! Each snippet gets only a window of a few lines, never the whole text: a plan may have a quarter
//! of a million lines.

use annotate_snippets::{AnnotationKind, Level as Tone, Origin, Renderer, Snippet};

use super::{Finding, Level, Location, SourceText, Sources};

/// How to draw; the caller knows the terminal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Style {
    /// Whether to use colour.
    pub color: bool,
    /// Columns of the terminal.
    pub width: usize,
}

impl Default for Style {
    fn default() -> Self {
        Self {
            color: false,
            width: 100,
        }
    }
}

/// A line of more bytes than this is cut to a piece of it.
const LONG: usize = 8 * 1024;

/// One finding, ending in a line break.
#[must_use]
pub fn render(finding: &Finding, sources: &Sources, style: Style) -> String {
    let tone = match finding.level {
        Level::Error => Tone::ERROR,
        Level::Warning => Tone::WARNING,
        Level::Note => Tone::NOTE,
    };
    let mut group = tone
        .primary_title(finding.message.as_str())
        .id(finding.code.as_str())
        .elements(std::iter::empty::<annotate_snippets::Padding>());

    let place = &finding.primary;
    let text = sources
        .get(&place.file)
        .filter(|text| has_source(text, place));
    match text {
        None => {
            group = group.element(Origin::path(&*place.file));
        }
        Some(text) => {
            // Labels in the same file and near the place share its snippet; others get their own.
            // A line of many kilobytes is cut around its place, so nothing else fits beside it.
            let whole = window(text, place);
            let (near, far): (Vec<_>, Vec<_>) = finding.labels.iter().partition(|label| {
                let there = &label.location;
                whole.is_some()
                    && there.file == place.file
                    && there.line.abs_diff(place.line) <= 20
                    && window(text, there).is_some()
            });
            let lines = near.iter().map(|label| label.location.line);
            let first = lines.clone().min().unwrap_or(place.line).min(place.line);
            let last = lines.max().unwrap_or(place.line).max(place.line);
            let (shown, start) = match whole {
                Some(_) => text.window(first, last),
                None => {
                    group = group.element(origin(place));
                    cut(text, place)
                }
            };
            let mut snippet = Snippet::source(shown)
                .line_start(first)
                .path(whole.map(|_| &*place.file))
                .annotation(AnnotationKind::Primary.span(span(text, place, start, shown.len())));
            for label in near {
                snippet = snippet.annotation(
                    AnnotationKind::Context
                        .span(span(text, &label.location, start, shown.len()))
                        .label(label.message.as_str()),
                );
            }
            group = group.element(snippet);
            for label in far {
                let there = &label.location;
                let Some(text) = sources.get(&there.file) else {
                    group = group.element(Tone::NOTE.message(label.message.as_str()));
                    continue;
                };
                let whole = window(text, there);
                let (shown, start) = whole.unwrap_or_else(|| cut(text, there));
                if whole.is_none() {
                    group = group.element(origin(there));
                }
                group = group.element(
                    Snippet::source(shown)
                        .line_start(there.line)
                        .path(whole.map(|_| &*there.file))
                        .annotation(
                            AnnotationKind::Context
                                .span(span(text, there, start, shown.len()))
                                .label(label.message.as_str()),
                        ),
                );
            }
        }
    }
    let told = finding.told();
    if let Some(told) = &told {
        group = group.element(Tone::NOTE.message(format!("how a run gets there\n{told}")));
    }
    if let Some(allowed) = &finding.allowed {
        group = group.element(Tone::NOTE.message(format!(
            "allowed by the comment in line {} because {}",
            allowed.at.line, allowed.because
        )));
    }
    if let Some(help) = &finding.help {
        group = group.element(Tone::HELP.message(help.as_str()));
    }
    let renderer = if style.color {
        Renderer::styled()
    } else {
        Renderer::plain()
    };
    let mut drawn = renderer.term_width(style.width).render(&[group]);
    drawn.push('\n');
    drawn
}

/// Whether the place is more than "this file".
fn has_source(text: &SourceText, place: &Location) -> bool {
    !text.text().is_empty() && (place.end_line, place.end_column) != (1, 1)
}

/// The line of a place and the offset where it begins, unless it is too long to show.
fn window<'t>(text: &'t SourceText, place: &Location) -> Option<(&'t str, usize)> {
    Some(text.window(place.line, place.line)).filter(|(line, _)| line.len() <= LONG)
}

/// The piece of a long line around a place, and the offset where it begins.
fn cut<'t>(text: &'t SourceText, place: &Location) -> (&'t str, usize) {
    let from = text.byte(place.line, place.column);
    let to = if place.end_line > place.line {
        from
    } else {
        text.byte(place.end_line, place.end_column).min(from + LONG)
    };
    text.around(from, to, 60)
}

/// A place by its own line and column: a cut snippet counts from its cut.
fn origin(place: &Location) -> Origin<'_> {
    Origin::path(&*place.file)
        .line(place.line)
        .char_column(place.column)
}

/// Byte range of a place inside its window, cut to its first line.
fn span(text: &SourceText, place: &Location, start: usize, len: usize) -> std::ops::Range<usize> {
    let from = text.byte(place.line, place.column);
    let (_, line_end) = text.line_range(place.line);
    let to = if place.end_line > place.line {
        line_end
    } else {
        text.byte(place.end_line, place.end_column)
    };
    let from = from.saturating_sub(start).min(len);
    let to = to.saturating_sub(start).clamp(from, len);
    from..to
}
