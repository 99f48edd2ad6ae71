//! `status`: how a run stands, at once or as it changes.

use std::io::IsTerminal as _;
use std::time::Duration;

use jiff::Timestamp;
use serde_json::{Value, json};

use super::arguments::StatusArgs;
use super::context::Context;
use super::failure::Failure;
use super::records::{Alive, alive};
use crate::base::watch::Watch;
use crate::run::drive::View;
use crate::run::engine::{RunState, State, standing};
use crate::run::journal::StateDir;
use crate::show::answer::Address;
use crate::show::plain;
use crate::show::status::StatusView;
use crate::show::text::{Look, visible};

/// How long at most until the picture is drawn anew: durations grow, and nothing tells when a driver dies.
const LOOK_AGAIN: Duration = Duration::from_secs(1);

/// To the upper left corner.
const HOME: &str = "\u{1b}[H";
/// Clears to the end of the line.
const LINE: &str = "\u{1b}[K";
/// Clears to the end of the screen.
const REST: &str = "\u{1b}[J";

/// The verb: 0 when it could tell how the run stands, 8 when its record is damaged.
pub(super) fn status(context: &Context, arguments: &StatusArgs) -> Result<u8, Failure> {
    let (state_dir, run, folder) = context.pick(arguments.run.as_deref())?;
    let view = context.view(run, folder)?;
    let mut reader = Reader {
        context,
        address: Address::new(&state_dir, context.finds(&state_dir)),
        state_dir,
        view,
    };
    let picture = if arguments.watch {
        reader.watch()?
    } else {
        let picture = reader.picture()?;
        reader.show(&picture);
        picture
    };
    let state = picture.view.state.to_string();
    context.result("status", 0, Some(reader.view.run.as_str()), Some(&state));
    Ok(0)
}

struct Reader<'a> {
    context: &'a Context,
    state_dir: StateDir,
    /// What commands need to work where they are typed.
    address: Address,
    view: View,
}

/// A run at one moment.
struct Picture {
    view: StatusView,
    living: Alive,
    /// Final, or saved with nobody who goes on.
    over: bool,
}

impl Reader<'_> {
    fn picture(&self) -> Result<Picture, Failure> {
        let (view, now) = (&self.view, Timestamp::now());
        let living = alive(
            &self.state_dir,
            &view.run,
            &view.folder,
            &view.contents.records,
        )
        .map_err(Failure::io)?;
        let standing = standing(&view.program, &view.state, now);
        let head = view.contents.head.as_str();
        let picture = StatusView::new(
            &view.program,
            &view.state,
            &standing,
            now,
            living.driver,
            Some(head),
            &self.address,
        );
        Ok(Picture {
            over: view.state.is_final() || !living.any(),
            view: picture,
            living,
        })
    }

    fn text(&self, picture: &Picture) -> String {
        let mut text = picture.view.text(Look {
            width: self.context.width,
            colour: self.context.colour && std::io::stdout().is_terminal(),
        });
        if !picture.living.driver && !picture.living.running.is_empty() {
            let running: Vec<String> = picture.living.running.iter().map(|r| visible(r)).collect();
            text.insert_str(
                0,
                &format!(
                    "still running although no process drives the run: {}\n",
                    running.join(", ")
                ),
            );
        }
        text
    }

    fn show(&self, picture: &Picture) {
        if self.context.json() {
            self.context.print_json(&as_json(picture));
        } else {
            self.context.print(&self.text(picture));
        }
    }

    /// Shows every change until the run is over or nobody drives it any more.
    fn watch(&mut self) -> Result<Picture, Failure> {
        let folder = self.view.folder.path().to_owned();
        let failed = |e: std::io::Error| Failure::io(format!("watch {}: {e}", folder.display()));
        let watch = Watch::changes(&[&folder]).map_err(failed)?;
        let draws = self.context.live && std::io::stdout().is_terminal();
        let mut shown = None;
        if draws {
            // What stands on the screen scrolls up instead of being drawn over.
            self.context.print("\u{1b}[2J");
        }
        loop {
            // Looked at before the record is read: what is written until the end is there once nobody is alive.
            let over = self.picture()?.over;
            let known = self.view.contents.records.len();
            self.reopen()?;
            let mut picture = self.picture()?;
            picture.over &= over;
            let records = self.view.contents.records.len();
            let news = (records, picture.view.state, picture.view.driven);
            if draws {
                self.context.print(&over_drawn(&self.text(&picture)));
            } else if shown.is_none() || (self.context.json() && shown != Some(news)) {
                self.show(&picture);
            } else if records > known {
                self.context.print(&self.lines_after(known)?);
            }
            shown = Some(news);
            if picture.over {
                if !draws && !self.context.json() && picture.view.state != RunState::Running {
                    self.context.print(&format!("\n{}", self.text(&picture)));
                }
                return Ok(picture);
            }
            watch.wait(LOOK_AGAIN).map_err(failed)?;
        }
    }

    /// Reads the record again if it has grown.
    fn reopen(&mut self) -> Result<(), Failure> {
        let path = self.view.folder.journal();
        let length = std::fs::metadata(&path)
            .map_err(|e| Failure::io(format!("read {}: {e}", path.display())))?
            .len();
        let contents = &self.view.contents;
        if length != contents.length + contents.torn.len() as u64 {
            let (run, folder) = (self.view.run.clone(), self.view.folder.clone());
            self.view = self.context.view(run, folder)?;
        }
        Ok(())
    }

    /// Lines of the records after the first `known`.
    fn lines_after(&self, known: usize) -> Result<String, Failure> {
        let mut state = State::new(&self.view.program);
        let mut text = String::new();
        for (i, record) in self.view.contents.records.iter().enumerate() {
            state
                .apply(&self.view.program, record)
                .map_err(|illegal| Failure::io(format!("follow the journal: {illegal}")))?;
            if i >= known {
                for line in plain::line(&self.view.program, &state, record) {
                    text.push_str(&line);
                    text.push('\n');
                }
            }
        }
        Ok(text)
    }
}

fn as_json(picture: &Picture) -> Value {
    let mut value = json!(picture.view);
    // What runs now is no part of the record, but whoever waits for the run wants to know.
    value["processes"] = json!(picture.living.running);
    value
}

/// A page over the one before, without a moment at which the screen is empty.
fn over_drawn(text: &str) -> String {
    let mut page = HOME.to_owned();
    for line in text.lines() {
        page.push_str(line);
        page.push_str(LINE);
        page.push('\n');
    }
    page + REST
}
