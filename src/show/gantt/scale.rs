//! From milliseconds to pixels. Long stretches in which nothing is done but watching are drawn shorter than they are,
//! or days of watching would leave no room for hours of work.

use super::{BarKind, Chart};

/// How much of the work's width a stretch of watching takes at most.
const WATCHED_SHARE: f64 = 0.12;

/// How much of it all of them take at most.
const ALL_WATCHED: f64 = 0.6;

/// A piecewise linear scale.
#[derive(Debug)]
pub(super) struct Scale {
    /// Milliseconds and pixels, both rising.
    points: Vec<(u64, f64)>,
    /// Stretches that are drawn shorter than they are.
    pub(super) squeezed: Vec<(u64, u64)>,
}

fn float(ms: u64) -> f64 {
    // A hundred years of milliseconds are far below 2^52.
    #[expect(clippy::cast_precision_loss, reason = "small enough to be exact")]
    let value = ms as f64;
    value
}

/// Stretches sorted and joined where they touch.
fn joined(mut spans: Vec<(u64, u64)>) -> Vec<(u64, u64)> {
    spans.sort_unstable();
    let mut all: Vec<(u64, u64)> = Vec::new();
    for (from, to) in spans {
        match all.last_mut() {
            Some(last) if from <= last.1 => last.1 = last.1.max(to),
            _ => all.push((from, to)),
        }
    }
    all
}

impl Scale {
    /// From `left` to `right` pixels.
    pub(super) fn of(chart: &Chart, left: f64, right: f64) -> Self {
        let bars = || {
            chart
                .groups
                .iter()
                .flat_map(|group| &group.rows)
                .flat_map(|row| &row.bars)
        };
        let mut work: Vec<(u64, u64)> = bars()
            .filter(|bar| matches!(bar.kind, BarKind::Work | BarKind::Unknown))
            .map(|bar| (bar.from, bar.to))
            .collect();
        // A phase that is drawn as one bar has no bars of its own to go by.
        work.extend(
            chart
                .groups
                .iter()
                .filter(|group| group.rows.is_empty())
                .map(|group| group.span),
        );
        let ways_back = chart
            .groups
            .iter()
            .filter_map(|group| Some((group.span.1, group.back_until?)));
        let end = bars()
            .map(|bar| bar.to)
            .chain(chart.groups.iter().map(|group| group.span.1))
            .max()
            .unwrap_or(0);
        let last = ways_back.map(|(_, until)| until).fold(end, u64::max).max(1);
        // A way back is drawn to scale as well, also where it would run into watching.
        work.extend(
            chart
                .groups
                .iter()
                .filter_map(|group| Some((group.span.1, group.back_until?))),
        );
        let work = joined(work);
        let busy: f64 = work.iter().map(|(from, to)| float(to - from)).sum();
        // What lies between the work is watching, cut where one thing ends and the next begins.
        let mut cuts: Vec<u64> = bars()
            .filter(|bar| bar.kind == BarKind::Watch)
            .flat_map(|bar| [bar.from, bar.to])
            .collect();
        cuts.sort_unstable();
        let mut pieces: Vec<(u64, u64, bool)> = Vec::new();
        let mut at = 0;
        for (from, to) in work.into_iter().chain([(last, last)]) {
            let first = cuts.partition_point(|&cut| cut <= at);
            for &cut in cuts[first..].iter().take_while(|&&cut| cut < from) {
                if cut > at {
                    pieces.push((at, cut, true));
                    at = cut;
                }
            }
            if from > at {
                pieces.push((at, from, true));
            }
            if to > from.max(at) {
                pieces.push((from.max(at), to, false));
            }
            at = at.max(to);
        }
        let watched = pieces.iter().filter(|piece| piece.2).count();
        #[expect(clippy::cast_precision_loss, reason = "a count of bars")]
        let share = WATCHED_SHARE.min(ALL_WATCHED / (watched.max(1) as f64));
        let most = if busy > 0.0 { busy * share } else { f64::MAX };
        let mut squeezed = Vec::new();
        let widths: Vec<f64> = pieces
            .iter()
            .map(|&(from, to, watched)| {
                let own = float(to - from);
                if watched && own > most {
                    squeezed.push((from, to));
                    most
                } else {
                    own
                }
            })
            .collect();
        let total: f64 = widths.iter().sum::<f64>().max(1.0);
        let mut points = vec![(0, left)];
        let mut x = left;
        for (&(_, to, _), width) in pieces.iter().zip(&widths) {
            x += width / total * (right - left);
            points.push((to, x));
        }
        if points.len() == 1 {
            points.push((1, right));
        }
        Self { points, squeezed }
    }

    /// Where a time is; what lies behind the end is at the end.
    pub(super) fn x(&self, ms: u64) -> f64 {
        let after = self.points.partition_point(|&(at, _)| at <= ms);
        let Some(&(to, right)) = self.points.get(after) else {
            return self.points.last().map_or(0.0, |&(_, x)| x);
        };
        let (from, left) = self.points[after.saturating_sub(1)];
        if to == from {
            return left;
        }
        left + (right - left) * float(ms - from) / float(to - from)
    }

    /// The last time that is drawn.
    pub(super) fn end(&self) -> u64 {
        self.points.last().map_or(0, |&(at, _)| at)
    }
}
