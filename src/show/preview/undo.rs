//! How something would be undone.

use serde::Serialize;

use super::{CheckPreview, ProcessPreview, check};
use crate::plan::program::{Phase, PhaseUndo, Undo, UndoPiece, UndoWay, Work};
use crate::show::words;

/// A way back, or that there is none.
#[derive(Debug, Clone, Serialize)]
#[expect(missing_docs, reason = "fields are named after what they hold")]
pub struct UndoPreview {
    /// run (processes), by_hand (a person), mixed, nothing (to undo), each_step, or none.
    pub way: &'static str,
    /// Why there is none.
    pub why: Option<String>,
    /// In order.
    pub pieces: Vec<PiecePreview>,
    pub only_if: Option<CheckPreview>,
    pub test: Option<CheckPreview>,
}

/// A part of a way back.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum PiecePreview {
    /// Processes.
    Run(Vec<ProcessPreview>),
    /// A person's work.
    ByHand(CheckPreview),
}

pub(super) fn has_way(undo: &Undo) -> bool {
    !matches!(undo.way, UndoWay::Wall(_))
}

pub(super) fn processes(work: &Work) -> Vec<ProcessPreview> {
    words::processes(work)
        .zip(&work.processes)
        .map(|((run, with), process)| ProcessPreview {
            run,
            with,
            env: process.env.iter().map(|(name, _)| name.clone()).collect(),
            timeout_ms: process.timeout_ms,
        })
        .collect()
}

fn bare(way: &'static str, why: Option<String>) -> UndoPreview {
    UndoPreview {
        way,
        why,
        pieces: Vec::new(),
        only_if: None,
        test: None,
    }
}

pub(super) fn of(undo: &Undo, effect_none: bool) -> UndoPreview {
    let mut out = match &undo.way {
        UndoWay::NothingToUndo => bare("nothing", None),
        UndoWay::Wall(_) if effect_none => bare("nothing", None),
        UndoWay::Wall(why) => bare("none", Some(why.clone())),
        UndoWay::Pieces(pieces) => {
            let runs = pieces.iter().any(|p| matches!(p, UndoPiece::Run(_)));
            let hands = pieces.iter().any(|p| matches!(p, UndoPiece::Person(_)));
            let way = match (runs, hands) {
                (true, true) => "mixed",
                (false, true) => "by_hand",
                _ => "run",
            };
            let mut out = bare(way, None);
            out.pieces = pieces
                .iter()
                .map(|piece| match piece {
                    UndoPiece::Run(work) => PiecePreview::Run(processes(work)),
                    UndoPiece::Person(item) => PiecePreview::ByHand(check(item)),
                })
                .collect();
            out
        }
    };
    out.only_if = undo.only_if.as_ref().map(check);
    out.test = undo.test.as_ref().map(check);
    out
}

pub(super) fn of_phase(phase: &Phase) -> UndoPreview {
    let mut out = match &phase.undo {
        PhaseUndo::EachStep => bare("each_step", None),
        PhaseUndo::Wall(why) => bare("none", Some(why.clone())),
        PhaseUndo::Procedure(undo) => of(undo, false),
    };
    if let Some(test) = &phase.undo_test {
        out.test = Some(check(test));
    }
    out
}
