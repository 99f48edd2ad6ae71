//! How far it is: a bar on a terminal, a line now and then elsewhere.

use std::time::Duration;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressState, ProgressStyle};

use crate::show::text::seconds;

/// Narrowest terminal that gets a bar beside the figures (columns).
const BAR_FROM: usize = 64;

/// How far it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Progress {
    /// Documents that are done with, whatever became of them.
    pub done: u64,
    /// All documents; none while they are still being counted.
    pub total: Option<u64>,
    /// Those among `done` that failed.
    pub failed: u64,
}

/// A line for those without a terminal: `34000 of 100000 (34.0%), 8500 a second, 7 s left, 3 failed`.
#[must_use]
pub fn line(progress: Progress, elapsed: Duration) -> String {
    let mut text = match progress.total {
        Some(total) => format!(
            "{} of {total} ({})",
            progress.done,
            super::share(progress.done, total)
        ),
        None => format!("{} so far", progress.done),
    };
    let ms = millis(elapsed);
    if let Some(rate) = progress.done.saturating_mul(1000).checked_div(ms) {
        text.push_str(&format!(", {rate} a second"));
        if let (Some(total), 1..) = (progress.total, rate)
            && progress.done < total
        {
            let left = (total - progress.done).saturating_mul(1000) / rate;
            text.push_str(&format!(", {} left", seconds(left)));
        }
    }
    if progress.failed > 0 {
        text.push_str(&format!(", {} failed", progress.failed));
    }
    text
}

fn millis(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}

/// A bar on the terminal's standard error, with count, rate and time left. It is gone when it is dropped.
#[derive(Debug)]
pub struct Bar {
    bar: ProgressBar,
    counting: bool,
    width: usize,
    colour: bool,
}

impl Bar {
    /// A bar on standard error of a terminal with so many columns.
    #[must_use]
    pub fn new(what: &'static str, width: usize, colour: bool) -> Self {
        Self::on(ProgressDrawTarget::stderr_with_hz(10), what, width, colour)
    }

    /// A bar on `target`.
    #[must_use]
    pub fn on(target: ProgressDrawTarget, what: &'static str, width: usize, colour: bool) -> Self {
        let bar = ProgressBar::with_draw_target(None, target);
        let bar = Self {
            bar,
            counting: true,
            width,
            colour,
        };
        // Whatever is set first is drawn at once, so the style comes before the words.
        bar.style("{prefix}  {pos} so far  {rate}{msg}");
        bar.bar.set_prefix(what);
        bar
    }

    fn style(&self, template: &str) {
        // A template that is not understood would be a defect; the default bar then still says how far it is.
        if let Ok(style) = ProgressStyle::with_template(template) {
            self.bar.set_style(
                style
                    .progress_chars("=> ")
                    .with_key(
                        "rate",
                        |state: &ProgressState, out: &mut dyn std::fmt::Write| {
                            let _ = write!(out, "{:.0}/s", state.per_sec());
                        },
                    )
                    .with_key(
                        "left",
                        |state: &ProgressState, out: &mut dyn std::fmt::Write| {
                            let _ = write!(out, "{} left", seconds(millis(state.eta())));
                        },
                    ),
            );
        }
    }

    /// Shows how far it is.
    pub fn show(&mut self, progress: Progress) {
        if let (true, Some(total)) = (self.counting, progress.total) {
            self.counting = false;
            self.bar.set_length(total);
            let bar = match (self.width >= BAR_FROM, self.colour) {
                (true, true) => "[{wide_bar:.cyan}] ",
                (true, false) => "[{wide_bar}] ",
                (false, _) => "",
            };
            self.style(&format!(
                "{{prefix}}  {bar}{{pos}}/{{len}}  {{rate}}  {{left}}{{msg}}"
            ));
            self.bar.reset_elapsed();
            self.bar.reset_eta();
        }
        if progress.failed > 0 {
            self.bar
                .set_message(format!("  {} failed", progress.failed));
        }
        self.bar.set_position(progress.done);
    }

    /// Takes the bar away while `f` prints.
    pub fn suspend<T>(&self, f: impl FnOnce() -> T) -> T {
        self.bar.suspend(f)
    }
}

impl Drop for Bar {
    fn drop(&mut self) {
        self.bar.finish_and_clear();
    }
}
