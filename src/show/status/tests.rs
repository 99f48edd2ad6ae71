#![expect(clippy::unwrap_used, reason = "tests")]

use super::StatusView;
use crate::show::answer::Address;
use crate::show::testing::Story;
use crate::show::text::{Look, columns};

const HEAD: &str = "5f2c9c0e3f1d5f2c9c0e3f1d5f2c9c0e3f1d5f2c9c0e3f1d5f2c9c0e3f1d5f2c";

fn view(story: &Story) -> StatusView {
    let driven = story.standing().exit_code == 5;
    StatusView::new(
        &story.program,
        &story.state,
        &story.standing(),
        story.now,
        driven,
        Some(HEAD),
        &Address::default(),
    )
}

/// Only commands, which must stay whole, and digests may be wider than the terminal.
fn assert_fits(text: &str, width: usize) {
    for line in text.lines() {
        let exempt = line.contains("orchestrate ") || line.starts_with("journal head:");
        assert!(exempt || columns(line) <= width, "{width}: {line}");
    }
}

#[test]
fn every_state_at_eighty_columns() {
    let mut drawn = String::new();
    for (name, story) in Story::all() {
        let text = view(&story).text(Look::plain(80));
        assert_fits(&text, 80);
        drawn.push_str(&format!("=== {name}\n{text}\n"));
    }
    insta::assert_snapshot!(drawn);
}

#[test]
fn narrow_and_wide() {
    let mut drawn = String::new();
    for width in [40, 200] {
        for (name, story) in Story::all() {
            let text = view(&story).text(Look::plain(width));
            assert_fits(&text, width);
            if name.contains("running") || name.contains("approvals") || name.contains("by hand") {
                drawn.push_str(&format!("=== {width}: {name}\n{text}\n"));
            }
        }
    }
    insta::assert_snapshot!(drawn);
}

#[test]
fn the_last_line_is_what_to_type_next() {
    for (name, story) in Story::all() {
        let text = view(&story).text(Look::plain(80));
        assert!(text.lines().last().unwrap().starts_with("next: "), "{name}");
    }
}

#[test]
fn colour_changes_nothing_but_colour() {
    for (name, story) in Story::all() {
        let look = Look {
            width: 80,
            colour: true,
        };
        let coloured = view(&story).text(look);
        let mut bare = String::new();
        let mut rest = coloured.as_str();
        while let Some((before, after)) = rest.split_once('\u{1b}') {
            bare.push_str(before);
            rest = after.split_once('m').unwrap().1;
        }
        bare.push_str(rest);
        assert_eq!(bare, view(&story).text(Look::plain(80)), "{name}");
    }
}

#[test]
fn json_is_the_contract() {
    insta::assert_json_snapshot!(view(&Story::to_the_gate()));
}

#[test]
fn a_run_that_lost_its_driver_says_so() {
    let story = Story::running();
    let view = StatusView::new(
        &story.program,
        &story.state,
        &story.standing(),
        story.now,
        false,
        None,
        &Address::default(),
    );
    assert!(view.text(Look::plain(80)).contains("no process drives it"));
    assert_eq!(
        view.next.as_deref(),
        Some("orchestrate resume 0123456789ab-1")
    );
}
