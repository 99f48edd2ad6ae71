//! How it is told.

use std::sync::Arc;

use super::marks::{Gone, Spot};
use super::order::{Piece, What, Whose};
use super::scripts::{DEEPEST, Unread};
use super::{Need, Sweep};
use crate::base::diagnostic::{Finding, Location, codes};

impl Need<'_> {
    fn spot(&self) -> Spot {
        Spot {
            unit: self.unit,
            forward: false,
            piece: self.piece,
            range: self.act.range.clone(),
        }
    }
}

impl Sweep<'_, '_, '_> {
    /// What was left out in a text: nobody shall believe that it was looked at.
    pub(super) fn tell_unread(&mut self, piece: &Piece<'_>) {
        for why in self.scripts.take_unread() {
            let message = match why {
                Unread::TooLarge(path) => {
                    format!("`{path}` is larger than 1 MiB: what it removes was not looked at")
                }
                Unread::Again(path) => {
                    format!("`{path}` calls itself: what it removes then was not looked at")
                }
                Unread::TooDeep(path) => format!(
                    "`{path}` is called by a chain of {DEEPEST} scripts: what it removes was not looked at"
                ),
                Unread::TooMuch(path) => format!(
                    "the scripts of this plan do too much to follow it all: what `{path}`, and maybe others, remove was not looked at"
                ),
                Unread::TooMany => {
                    "too many steps and texts would have to be compared: not all that is gone when the way back needs it was found"
                        .to_owned()
                }
            };
            self.cx.find(
                codes::REMOVALS_UNREAD,
                &piece.pointer(),
                message,
                "check by hand that nothing is removed that the way back needs",
            );
        }
    }

    fn piece(&self, spot: &Spot) -> &Piece<'_> {
        let unit = &self.units[spot.unit];
        match spot.forward {
            true => &unit.forward[spot.piece].1,
            false => &unit.back[spot.piece],
        }
    }

    /// Where it is written; inside a file, the place that runs it, and where in the file.
    fn place(&self, spot: &Spot) -> (Location, String) {
        let piece = self.piece(spot);
        let pointer = piece.pointer();
        match &piece.what {
            What::File { script } => {
                let text = self
                    .scripts
                    .text(script.path())
                    .unwrap_or_else(|| Arc::from(""));
                let before = text.get(..spot.range.start).unwrap_or_default();
                let line = before.matches('\n').count() + 1;
                (
                    self.cx.locate(&pointer),
                    format!(" (`{}`, line {line})", script.path()),
                )
            }
            What::Written { .. } | What::Person(_) => (
                self.cx
                    .loaded
                    .arena
                    .locate_within(&pointer, spot.range.clone()),
                String::new(),
            ),
        }
    }

    pub(super) fn undone_too_early(&self, need: &Need<'_>, gone: &Gone) -> Finding {
        let here = &need.spot();
        let (place, at) = self.place(here);
        let (other, other_at) = self.place(&gone.spot);
        let needing = self.units[here.unit].whose;
        let thing = thing(self.scripts.keys().name(need.act.key));
        let what = if gone.emptied { "empties" } else { "removes" };
        let state = if gone.emptied { "empty" } else { "gone" };
        if gone.spot.unit == here.unit {
            let message =
                format!("{needing} needs {thing}{at}, which it {what} itself before{other_at}");
            return Finding::new(codes::REMOVED_BY_UNDO, place, message)
                .label(other, format!("it is {state} from here on"))
                .help("use it first and remove it afterwards");
        }
        let removing = self.units[gone.spot.unit].whose;
        let message = format!(
            "{thing} is {state} when {needing} needs it{at}: {removing} comes before and {what} it{other_at}"
        );
        let help = match (needing, removing) {
            (Whose::Step(_, first), Whose::Step(_, second)) => format!(
                "a rollback undoes in reverse: `{second}`, then `{first}`; let the undo that comes last remove it"
            ),
            _ => "a rollback undoes in reverse; let the undo that comes last remove it".to_owned(),
        };
        Finding::new(codes::REMOVED_BY_UNDO, place, message)
            .label(other, format!("{what} it, earlier in a rollback"))
            .help(help)
    }

    pub(super) fn gone_going_forward(&self, need: &Need<'_>, gone: &Gone) -> Finding {
        let here = &need.spot();
        let (place, at) = self.place(&gone.spot);
        let (other, other_at) = self.place(here);
        let unit = &self.units[gone.spot.unit];
        let step = self.program.steps[unit.forward[gone.spot.piece].0]
            .id
            .as_str();
        let needing = self.units[here.unit].whose;
        let thing = thing(self.scripts.keys().name(need.act.key));
        let what = if gone.emptied { "empties" } else { "removes" };
        let message = format!("`{step}` {what} {thing}{at}, and {needing} needs it{other_at}");
        Finding::new(codes::REMOVED_BEFORE_UNDO, place, message)
            .label(other, "the way back needs it")
            .help("keep it as long as that way back is open: remove it after the migration, or behind a step that says `can_rollback: false`")
    }
}

/// A key as people name the thing.
fn thing(key: &str) -> String {
    let (kind, rest) = key.split_once('/').unwrap_or(("", key));
    match kind {
        "q" => {
            let mut parts = rest.split('/').skip(1);
            let schema = parts.next().unwrap_or_default();
            let (table, column) = (parts.next(), parts.next());
            let dot = if schema.is_empty() { "" } else { "." };
            match (table, column) {
                (Some(table), Some(column)) => {
                    format!("column `{column}` of `{schema}{dot}{table}`")
                }
                (Some(table), None) => format!("`{schema}{dot}{table}`"),
                (None, _) => format!("schema `{schema}`"),
            }
        }
        "d" => format!("database `{rest}`"),
        "i" => format!("image `{}`", rest.replace(':', "/")),
        "v" => format!("volume `{rest}`"),
        "g" => format!("`{rest}`"),
        "k" => {
            let (_, name) = rest.split_once(' ').unwrap_or(("", rest));
            format!("`{name}`")
        }
        _ => format!(
            "`{}`",
            rest.strip_prefix("s3:/")
                .map_or_else(|| rest.to_owned(), |rest| format!("s3://{rest}"))
        ),
    }
}
