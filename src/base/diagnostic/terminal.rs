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
            let (near, far): (Vec<_>, Vec<_>) = finding.labels.iter().partition(|label| {
                label.location.file == place.file && label.location.line.abs_diff(place.line) <= 20
            });
            let first = near
                .iter()
                .map(|l| l.location.line)
                .min()
                .unwrap_or(place.line);
            let last = near
                .iter()
                .map(|l| l.location.line)
                .max()
                .unwrap_or(place.line);
            let (first, last) = (first.min(place.line), last.max(place.line));
            let (window, start) = text.window(first, last);
            let mut snippet = Snippet::source(window)
                .line_start(first)
                .path(&*place.file)
                .annotation(AnnotationKind::Primary.span(span(text, place, start, window.len())));
            for label in near {
                snippet = snippet.annotation(
                    AnnotationKind::Context
                        .span(span(text, &label.location, start, window.len()))
                        .label(label.message.as_str()),
                );
            }
            group = group.element(snippet);
            for label in far {
                let Some(text) = sources.get(&label.location.file) else {
                    group = group.element(Tone::NOTE.message(label.message.as_str()));
                    continue;
                };
                let line = label.location.line;
                let (window, start) = text.window(line, line);
                group = group.element(
                    Snippet::source(window)
                        .line_start(line)
                        .path(&*label.location.file)
                        .annotation(
                            AnnotationKind::Context
                                .span(span(text, &label.location, start, window.len()))
                                .label(label.message.as_str()),
                        ),
                );
            }
        }
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
    !text.text().is_empty() && !(place.end_line == 1 && place.end_column == 1)
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
