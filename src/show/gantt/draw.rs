//! A chart as SVG.

use std::fmt::Write as _;

use super::scale::Scale;
use super::{Bar, BarKind, Chart, Group, Row};
use crate::show::text::{columns, cut, millis, visible, wrap};

/// Pixels.
const WIDTH: f64 = 1000.0;
/// Where names end and bars begin.
const LEFT: f64 = 310.0;
const RIGHT: f64 = 980.0;
const MARGIN: f64 = 20.0;
const ROW: f64 = 24.0;
/// What a column of text takes at 12 pixels; generous, because the font is not known.
const COLUMN: f64 = 6.7;

const STYLE: &str = "\
:root{--page:#fff;--text:#1c2430;--dim:#5b6675;--line:#d9dee5;--band:#e6f3e6;--edge:#4d8a4d;--work:#7fa6d6;\
--critical:#d4572a;--watch:#9aa5b3;--undo:#b08a2e;--by:#a3330c;--gate:#6a4fb0}\
@media(prefers-color-scheme:dark){:root{--page:#14181e;--text:#e4e8ee;--dim:#9aa5b3;--line:#323a45;--band:#1c2e20;\
--edge:#7ac07a;--work:#5b87bf;--critical:#f0794a;--watch:#6c7786;--undo:#d3ab48;--by:#ff9d78;--gate:#a890ee}}\
text{font:12px system-ui,'Segoe UI',Roboto,'Helvetica Neue',Arial,sans-serif;fill:var(--text)}\
.d,.b,.s,.byt,.et{paint-order:stroke;stroke:var(--page);stroke-width:3px;stroke-linejoin:round}.t{font-size:18px;font-weight:600}.b{font-weight:600}.d{fill:var(--dim)}.s{font-size:11px;fill:var(--dim)}\
.page{fill:var(--page)}.line{stroke:var(--line)}.band{fill:var(--band)}.edge{stroke:var(--edge);stroke-dasharray:2 3}\
.work{fill:var(--work)}.crit{fill:var(--critical)}.unk{fill:none;stroke:var(--work);stroke-dasharray:4 3}\
.unkc{fill:none;stroke:var(--critical);stroke-dasharray:4 3}.watch{fill:url(#hatch);stroke:var(--watch)}\
.slack{stroke:var(--work);stroke-width:2;stroke-dasharray:1 3}.undo{fill:var(--undo)}\
.by{stroke:var(--by);stroke-width:1.5;stroke-dasharray:6 3}.span{fill:var(--dim);opacity:.45}.gate{fill:var(--gate)}\
.byt{fill:var(--by);font-weight:600;font-size:11px}.et{fill:var(--edge);font-size:11px}";

/// Text for XML: harmless, and escaped.
fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in visible(text).chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            // Two characters that XML 1.0 does not have.
            '\u{fffe}' | '\u{ffff}' => out.push('\u{fffd}'),
            c => out.push(c),
        }
    }
    out
}

fn wide(text: &str) -> f64 {
    #[expect(clippy::cast_precision_loss, reason = "a line of text")]
    let columns = columns(text) as f64;
    columns * COLUMN
}

/// As much of a text as fits into so many pixels.
fn fit(text: &str, pixels: f64) -> String {
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a few hundred at most, and never negative"
    )]
    let columns = (pixels.max(0.0) / COLUMN) as usize;
    cut(&visible(text), columns)
}

struct Drawing<'a> {
    chart: &'a Chart,
    scale: Scale,
    out: String,
    y: f64,
}

impl Drawing<'_> {
    fn put(&mut self, text: std::fmt::Arguments<'_>) {
        // Writing into a string cannot fail.
        let _ = self.out.write_fmt(text);
        self.out.push('\n');
    }

    fn text(&mut self, class: &str, x: f64, y: f64, text: &str) {
        let text = escape(text);
        self.put(format_args!(
            r#"<text class="{class}" x="{x:.1}" y="{y:.1}">{text}</text>"#
        ));
    }

    fn line(&mut self, class: &str, (x1, y1): (f64, f64), (x2, y2): (f64, f64)) {
        self.put(format_args!(
            r#"<line class="{class}" x1="{x1:.1}" y1="{y1:.1}" x2="{x2:.1}" y2="{y2:.1}"/>"#
        ));
    }

    fn rect(&mut self, class: &str, (x1, x2): (f64, f64), y: f64, height: f64) {
        let width = (x2 - x1).max(2.5);
        self.put(format_args!(
            r#"<rect class="{class}" x="{x1:.1}" y="{y:.1}" width="{width:.1}" height="{height:.1}" rx="2"/>"#
        ));
    }

    /// Title and facts.
    fn head(&mut self) {
        let title = fit(&self.chart.title, (WIDTH - 2.0 * MARGIN) / 1.5);
        self.text("t", MARGIN, 34.0, &title);
        self.y = 40.0;
        for fact in &self.chart.facts {
            self.y += 17.0;
            let fact = fit(fact, WIDTH - 2.0 * MARGIN);
            self.text("d", MARGIN, self.y, &fact);
        }
        self.y += 14.0;
    }

    /// Times at which something begins or ends, as far as there is room for their names.
    fn ticks(&self) -> Vec<(f64, u64)> {
        if !self.chart.axis {
            return Vec::new();
        }
        let mut wanted: Vec<u64> = vec![0];
        wanted.extend(self.chart.groups.iter().map(|group| group.span.1));
        let rows = self.chart.groups.iter().flat_map(|group| &group.rows);
        wanted.extend(
            rows.flat_map(|row| &row.bars)
                .filter(|bar| matches!(bar.kind, BarKind::Work | BarKind::Watch))
                .map(|bar| bar.to),
        );
        let mut placed: Vec<(f64, f64, u64)> = Vec::new();
        for at in wanted {
            let x = self.scale.x(at);
            let right = x + wide(&name(at)) + 10.0;
            if right < RIGHT + 24.0 && placed.iter().all(|&(l, r, _)| right <= l || x >= r) {
                placed.push((x, right, at));
            }
        }
        placed.into_iter().map(|(x, _, at)| (x, at)).collect()
    }

    fn behind(&mut self, top: f64, bottom: f64) {
        let end = self.scale.end();
        let mut free = f64::MIN;
        for band in &self.chart.bands {
            if band.from >= end {
                break;
            }
            let squeezed = self
                .scale
                .squeezed
                .iter()
                .any(|&(from, to)| from <= band.from && band.from < to);
            if squeezed {
                continue;
            }
            let (x1, x2) = (self.scale.x(band.from), self.scale.x(band.to));
            self.rect("band", (x1, x2), top, bottom - top);
            if band.to > end {
                continue;
            }
            self.line("edge", (x2, top - 16.0), (x2, bottom));
            let label = &band.label;
            let length = wide(label);
            let x = if x2 - length - 4.0 > LEFT {
                x2 - length - 4.0
            } else {
                x2 + 4.0
            };
            if x > free && x + length < RIGHT + 14.0 {
                self.text("et", x, top - 20.0, label);
                free = x + length + 10.0;
            }
        }
        for (x, at) in self.ticks() {
            self.line("line", (x, top - 4.0), (x, bottom));
            self.text("s", x + 2.0, top - 6.0, &name(at));
        }
    }

    fn group(&mut self, group: &Group) {
        let top = self.y;
        self.line("line", (MARGIN, top), (RIGHT, top));
        let alone = group.rows.is_empty();
        let room = if alone {
            LEFT - MARGIN - 6.0
        } else {
            (WIDTH - 2.0 * MARGIN) * 0.92
        };
        let name = fit(&group.label, room);
        self.text("b", MARGIN, top + 17.0, &name);
        let (x1, x2) = (self.scale.x(group.span.0), self.scale.x(group.span.1));
        let summary = fit(&group.note, WIDTH - 2.0 * MARGIN);
        self.text("s", MARGIN, top + 33.0, &summary);
        // The phase as a whole, and the way back from its end.
        self.put(format_args!("<g>"));
        let tip = escape(&format!("{}: {}", group.label, group.note));
        self.put(format_args!("<title>{tip}</title>"));
        let (y, height, class) = if alone {
            (top + 7.0, 12.0, "work")
        } else {
            (top + 38.0, 5.0, "span")
        };
        self.rect(class, (x1, x2), y, height);
        if let Some(until) = group.back_until {
            let x3 = self.scale.x(until);
            self.rect("undo", (x2, x3), y + height - 5.0, 5.0);
        }
        self.put(format_args!("</g>"));
        self.y = if alone { top + 36.0 } else { top + 48.0 };
        for row in &group.rows {
            self.row(row);
        }
        if let Some(at) = group.back_by
            && self.chart.axis
            && at <= self.scale.end()
        {
            let x = self.scale.x(at);
            self.line("by", (x, y - 2.0), (x, self.y));
        }
        self.y += 8.0;
    }

    fn row(&mut self, row: &Row) {
        let y = self.y;
        self.put(format_args!("<g>"));
        let tip = escape(&row.tip);
        self.put(format_args!("<title>{tip}</title>"));
        let room = LEFT - MARGIN - 26.0;
        // Bold letters are wider.
        let (class, room) = if row.critical {
            ("b", room * 0.92)
        } else {
            ("n", room)
        };
        let name = fit(&row.label, room);
        self.text(class, MARGIN + 14.0, y + 15.0, &name);
        let mut from = LEFT;
        let mut to = LEFT;
        if let Some(at) = row.gate {
            let x = self.scale.x(at);
            let m = y + 11.0;
            self.put(format_args!(
                r#"<path class="gate" d="M{:.1} {m:.1}l7 -7l7 7l-7 7z"/>"#,
                x - 7.0
            ));
            (from, to) = (x - 9.0, x + 9.0);
        }
        for bar in &row.bars {
            let (x1, x2) = self.bar(bar, y, row.critical);
            if bar.kind != BarKind::Undo {
                from = if to == LEFT { x1 } else { from.min(x1) };
            }
            to = to.max(x2);
        }
        // Beside the bars, where there is room.
        let note = &row.note;
        if !note.is_empty() {
            let length = wide(note);
            if to + 8.0 + length <= RIGHT + 10.0 {
                self.text("d", to + 6.0, y + 15.0, note);
            } else if from - 8.0 - length >= LEFT {
                self.text("d", from - 6.0 - length, y + 15.0, note);
            } else {
                let inside = fit(note, to - from - 8.0);
                self.text("b", from + 4.0, y + 15.0, &inside);
            }
        }
        self.put(format_args!("</g>"));
        self.y += ROW;
    }

    fn bar(&mut self, bar: &Bar, y: f64, critical: bool) -> (f64, f64) {
        let x1 = self.scale.x(bar.from);
        let least = if bar.kind == BarKind::Unknown {
            12.0
        } else {
            2.5
        };
        let x2 = self.scale.x(bar.to).max(x1 + least);
        match bar.kind {
            BarKind::Work => {
                let class = if critical { "crit" } else { "work" };
                self.rect(class, (x1, x2), y + 4.0, 13.0);
            }
            BarKind::Unknown => {
                let class = if critical { "unkc" } else { "unk" };
                self.rect(class, (x1, x2), y + 4.0, 13.0);
            }
            BarKind::Watch => self.rect("watch", (x1, x2), y + 4.0, 13.0),
            BarKind::Slack => self.line("slack", (x1, y + 10.5), (x2, y + 10.5)),
            BarKind::Undo => self.rect("undo", (x1, x2), y + 18.5, 3.0),
        }
        (x1, x2)
    }

    fn legend(&mut self) {
        self.y += 22.0;
        let y = self.y;
        let mut x = MARGIN;
        let rows = || self.chart.groups.iter().flat_map(|group| &group.rows);
        let has = |kind: BarKind, critical: Option<bool>| {
            rows().any(|row| {
                critical.is_none_or(|c| c == row.critical)
                    && row.bars.iter().any(|bar| bar.kind == kind)
            })
        };
        let groups = &self.chart.groups;
        let back = groups.iter().any(|group| group.back_until.is_some());
        let by = groups.iter().any(|group| group.back_by.is_some());
        let alone = groups.iter().any(|group| group.rows.is_empty());
        let all: Vec<(&str, &str)> = [
            ("crit", "critical path", has(BarKind::Work, Some(true))),
            ("work", "other work", has(BarKind::Work, Some(false))),
            ("work", "a phase", alone),
            ("unk", "no estimate", has(BarKind::Unknown, None)),
            ("watch", "watched", has(BarKind::Watch, None)),
            ("slack", "may end later", has(BarKind::Slack, None)),
            ("undo", "way back", back || has(BarKind::Undo, None)),
            ("gate", "gate", rows().any(|row| row.gate.is_some())),
            ("by", "start back by", by && self.chart.axis),
        ]
        .into_iter()
        .filter(|&(_, _, used)| used)
        .map(|(class, label, _)| (class, label))
        .collect();
        for (class, label) in all {
            match class {
                "slack" | "by" => self.line(class, (x, y - 4.0), (x + 22.0, y - 4.0)),
                "gate" => self.put(format_args!(
                    r#"<path class="gate" d="M{:.1} {:.1}l7 -7l7 7l-7 7z"/>"#,
                    x + 4.0,
                    y - 4.0
                )),
                "undo" => self.rect(class, (x, x + 22.0), y - 6.0, 4.0),
                _ => self.rect(class, (x, x + 22.0), y - 10.0, 12.0),
            }
            self.text("s", x + 27.0, y, label);
            x += 27.0 + wide(label) + 22.0;
        }
        if !self.chart.bands.is_empty() {
            self.y += 20.0;
            let y = self.y;
            self.rect("band", (MARGIN, MARGIN + 22.0), y - 10.0, 12.0);
            self.text("s", MARGIN + 27.0, y, "the migration window is open");
        }
        if !self.scale.squeezed.is_empty() {
            self.y += 18.0;
            let words = "Long stretches in which nothing happens but watching are drawn shorter than they are.";
            self.text("s", MARGIN, self.y, words);
        }
        for note in &self.chart.notes {
            for part in wrap(&visible(note), 140) {
                self.y += 18.0;
                self.text("s", MARGIN, self.y, &part);
            }
        }
        self.y += 20.0;
    }
}

/// A time on the axis.
fn name(at: u64) -> String {
    match at {
        0 => "start".to_owned(),
        at => format!("+{}", millis(at)),
    }
}

/// A chart as one SVG document, 1,000 pixels wide.
#[must_use]
pub fn svg(chart: &Chart) -> String {
    let mut drawing = Drawing {
        chart,
        scale: Scale::of(chart, LEFT, RIGHT),
        out: String::new(),
        y: 0.0,
    };
    drawing.head();
    let head = std::mem::take(&mut drawing.out);
    // The axis, and a line above it for the window's end.
    drawing.y += if chart.bands.is_empty() { 22.0 } else { 38.0 };
    let top = drawing.y;
    for group in &chart.groups {
        drawing.group(group);
    }
    let bottom = drawing.y;
    let rows = std::mem::take(&mut drawing.out);
    drawing.behind(top, bottom);
    let behind = std::mem::take(&mut drawing.out);
    drawing.legend();
    let legend = std::mem::take(&mut drawing.out);
    let height = drawing.y.ceil();
    let title = escape(&chart.title);
    let about = escape(&chart.facts.join(". "));
    format!(
        r#"<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" width="{WIDTH}" height="{height}" role="img">
<title>{title}</title>
<desc>{about}</desc>
<style>{STYLE}</style>
<defs><pattern id="hatch" width="6" height="6" patternUnits="userSpaceOnUse" patternTransform="rotate(45)"><rect width="6" height="6" class="page"/><line x1="0" y1="0" x2="0" y2="6" stroke="var(--watch)" stroke-width="3"/></pattern></defs>
<rect class="page" width="{WIDTH}" height="{height}"/>
{head}{behind}{rows}{legend}</svg>
"#
    )
}
