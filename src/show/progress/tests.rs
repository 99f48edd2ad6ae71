#![expect(clippy::unwrap_used, reason = "tests")]

use std::sync::{Arc, Mutex};

use indicatif::{ProgressDrawTarget, TermLike};

use super::frame::migrated;
use super::{Frame, JsonAudience, LiveAudience, Manifests, Outputs, PlainAudience, frame};
use crate::run::drive::Audience;
use crate::run::perform::manifest::Progress;
use crate::show::answer::Address;
use crate::show::testing::Story;
use crate::show::text::{Look, columns};

fn lines(story: &Story, width: usize, height: usize) -> Vec<String> {
    let mut outputs = Outputs::new();
    outputs.insert(
        "STEP-1-1".to_owned(),
        "ALTER TABLE carts ADD COLUMN discount_code text; -- \u{1b}[2J and a long tail that must be cut".to_owned(),
    );
    let manifests = Manifests::new();
    frame(&Frame {
        program: &story.program,
        state: &story.state,
        waiting: &story.standing().waiting,
        outputs: &outputs,
        manifests: &manifests,
        now: story.now,
        look: Look::plain(width),
        height,
    })
}

#[test]
fn how_far_a_manifest_step_is() {
    let far = |done, total, failed| {
        migrated(
            Progress {
                done,
                total,
                failed,
            },
            10_000,
        )
    };
    assert_eq!(far(800, None, 0), "800 manifests found");
    assert_eq!(
        far(1_200, Some(115_000), 3),
        "1,200 of 115,000 manifests, 15 min 48 s left, 3 failed"
    );
    assert_eq!(far(0, Some(9), 0), "0 of 9 manifests");
    assert_eq!(far(9, Some(9), 0), "9 of 9 manifests");
}

#[test]
fn frames_at_all_widths() {
    let mut drawn = String::new();
    for width in [40, 80, 200] {
        for (name, story) in Story::all() {
            let lines = lines(&story, width, 40);
            for line in &lines {
                assert!(columns(line) < width, "{width}: {line}");
                assert!(!line.chars().any(char::is_control), "{line:?}");
            }
            if width == 80 || name.contains("running") || name.contains("approvals") {
                drawn.push_str(&format!("=== {width}: {name}\n{}\n\n", lines.join("\n")));
            }
        }
    }
    insta::assert_snapshot!(drawn);
}

#[test]
fn a_frame_never_outgrows_the_terminal() {
    for (name, story) in Story::all() {
        for height in [5, 6, 8, 10] {
            let lines = lines(&story, 60, height);
            assert!(lines.len() <= height - 2, "{name}: {}", lines.join("\n"));
        }
    }
}

/// Tells an audience the whole story.
fn tell(audience: &mut dyn Audience, story: &Story) {
    let mut state = crate::run::engine::State::new(&story.program);
    for record in &story.records {
        state.apply(&story.program, record).unwrap();
        audience.recorded(&story.program, &state, record);
    }
    audience.waiting(&story.program, &state, &story.standing().waiting);
    audience.notice("the file hook.log could not be read");
}

#[test]
fn plain_lines_tell_the_story() {
    let mut drawn = String::new();
    for (name, story) in Story::all() {
        let mut audience = PlainAudience::new(Vec::new(), Address::default());
        tell(&mut audience, &story);
        let text = String::from_utf8(audience.into_inner()).unwrap();
        assert!(!text.chars().any(|c| c.is_control() && c != '\n'), "{text}");
        if !name.contains("running") {
            drawn.push_str(&format!("=== {name}\n{text}\n"));
        }
    }
    insta::assert_snapshot!(drawn);
}

#[test]
fn silence_is_broken_once_a_minute() {
    let story = Story::running();
    let mut audience = PlainAudience::new(Vec::new(), Address::default());
    tell(&mut audience, &story);
    let later = story.now + jiff::SignedDuration::from_secs(120);
    audience.tick(&story.program, &story.state, later);
    audience.tick(&story.program, &story.state, later);
    let text = String::from_utf8(audience.into_inner()).unwrap();
    assert_eq!(text.matches("STEP-1-1  still going on").count(), 1);
}

#[test]
fn json_lines_and_text_never_mix() {
    let story = Story::to_the_gate();
    let mut audience = JsonAudience::new(
        Vec::new(),
        PlainAudience::new(Vec::new(), Address::default()),
    );
    tell(&mut audience, &story);
    let (json, people) = audience.into_inner();
    let json = String::from_utf8(json).unwrap();
    for (line, record) in json.lines().zip(&story.records) {
        let value: serde_json::Value = serde_json::from_str(line).unwrap();
        assert_eq!(value["format_version"], 1);
        assert_eq!(value["type"], "event");
        assert_eq!(value["n"], record.n);
        assert!(value["event"]["type"].is_string());
    }
    assert_eq!(json.lines().count(), story.records.len());
    assert!(!people.into_inner().is_empty());
}

/// A terminal of 80 columns that wraps as terminals do: after the last column, the next character opens a line.
#[derive(Debug, Clone, Default)]
struct Screen(Arc<Mutex<Grid>>);

#[derive(Debug, Default)]
struct Grid {
    lines: Vec<Vec<char>>,
    row: usize,
    column: usize,
}

const COLUMNS: usize = 80;

impl Grid {
    fn put(&mut self, c: char) {
        if c == '\r' {
            self.column = 0;
            return;
        }
        if c == '\n' || self.column == COLUMNS {
            self.row += 1;
            self.column = 0;
        }
        while self.lines.len() <= self.row {
            self.lines.push(vec![' '; COLUMNS]);
        }
        if c != '\n' {
            self.lines[self.row][self.column] = c;
            self.column += 1;
        }
    }
}

impl Screen {
    fn with<T>(&self, f: impl FnOnce(&mut Grid) -> T) -> std::io::Result<T> {
        Ok(f(&mut self.0.lock().unwrap()))
    }

    fn text(&self) -> String {
        let lines: Vec<String> = self
            .with(|grid| grid.lines.clone())
            .unwrap()
            .into_iter()
            .map(|line| line.into_iter().collect::<String>().trim_end().to_owned())
            .collect();
        lines.join("\n").trim_end().to_owned()
    }
}

impl TermLike for Screen {
    fn width(&self) -> u16 {
        80
    }

    fn height(&self) -> u16 {
        24
    }

    fn move_cursor_up(&self, n: usize) -> std::io::Result<()> {
        self.with(|grid| grid.row = grid.row.saturating_sub(n))
    }

    fn move_cursor_down(&self, n: usize) -> std::io::Result<()> {
        self.with(|grid| grid.row += n)
    }

    fn move_cursor_right(&self, n: usize) -> std::io::Result<()> {
        self.with(|grid| grid.column = (grid.column + n).min(COLUMNS))
    }

    fn move_cursor_left(&self, n: usize) -> std::io::Result<()> {
        self.with(|grid| grid.column = grid.column.saturating_sub(n))
    }

    fn write_line(&self, s: &str) -> std::io::Result<()> {
        self.write_str(s)?;
        self.with(|grid| grid.put('\n'))
    }

    fn write_str(&self, s: &str) -> std::io::Result<()> {
        self.with(|grid| s.chars().for_each(|c| grid.put(c)))
    }

    fn clear_line(&self) -> std::io::Result<()> {
        self.with(|grid| {
            grid.column = 0;
            let row = grid.row;
            if let Some(line) = grid.lines.get_mut(row) {
                line.fill(' ');
            }
        })
    }

    fn flush(&self) -> std::io::Result<()> {
        Ok(())
    }
}

#[test]
fn the_live_display_leaves_only_plain_lines() {
    let screen = Screen::default();
    let story = Story::to_the_gate();
    let target = ProgressDrawTarget::term_like(Box::new(screen.clone()));
    let mut audience = LiveAudience::on(target, Box::new(|| (80, 24)), false, Address::default());
    tell(&mut audience, &story);
    audience.tick(&story.program, &story.state, story.now);
    let during = screen.text();
    assert!(
        during.contains("gate GATE-1 Ready to write: approving"),
        "{during}"
    );
    drop(audience);
    let after = screen.text();
    assert!(
        after.contains("STEP-1-1  succeeded (attempt 1, 44 s)"),
        "{after}"
    );
    assert!(
        !after.contains("gate GATE-1 Ready to write: approving"),
        "{after}"
    );
    insta::assert_snapshot!(after);
}
