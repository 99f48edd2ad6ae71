//! Names that went and names that came: which of them are the same field.

use super::compare::Found;
use super::draft::{Item, Op, Path};
use super::node::Node;
use super::write::show;

/// Names closer than this (Jaro-Winkler) may be two names of one field though its value says nothing.
const ALIKE: f64 = 0.75;

/// The operations in an order in which they can be done: what is added may hold what is moved, and what is removed may
/// have held it.
pub(super) fn pair(found: Found) -> Vec<Item> {
    let Found {
        changed,
        mut removed,
        mut added,
    } = found;
    let mut renamed = Vec::new();
    renames(&mut removed, &mut added, &mut renamed);
    let mut moved = Vec::new();
    moves(&mut removed, &mut added, &mut moved);

    let mut items: Vec<Item> = added
        .iter()
        .map(|(at, default)| {
            let op = Op::Add {
                at: at.clone(),
                default: default.clone(),
            };
            let like = removed
                .iter()
                .find(|(gone, value)| value == default && parent(gone) == parent(at));
            match like {
                // The pair was not close enough to be taken for a rename.
                Some((gone, _)) => Item::asking(
                    op,
                    format!(
                        "{} had the same value and is removed below; if it is the same field, write this in place of both:",
                        show(gone)
                    ),
                    vec![vec![rename(gone, at)]],
                ),
                None => Item::plain(op),
            }
        })
        .collect();
    items.append(&mut renamed);
    items.append(&mut moved);
    items.extend(changed);
    items.extend(
        removed
            .into_iter()
            .map(|(at, _)| Item::plain(Op::Remove { at })),
    );
    items
}

fn parent(path: &[String]) -> &[String] {
    path.split_last().map_or(&[], |(_, before)| before)
}

fn last(path: &[String]) -> &str {
    path.last().map_or("", String::as_str)
}

fn rename(from: &Path, to: &Path) -> Op {
    Op::Rename {
        at: from.clone(),
        to: last(to).to_owned(),
    }
}

/// The same value under another name in the same object.
fn renames(removed: &mut Vec<(Path, Node)>, added: &mut Vec<(Path, Node)>, items: &mut Vec<Item>) {
    let mut kept = Vec::new();
    let all = std::mem::take(removed);
    for (i, (from, value)) in all.iter().enumerate() {
        let likeness = |at: &Path| strsim::jaro_winkler(last(from), last(at));
        let candidates: Vec<usize> = (0..added.len())
            .filter(|&n| added[n].1 == *value && parent(&added[n].0) == parent(from))
            .collect();
        let Some(best) = candidates
            .iter()
            .copied()
            .max_by(|&a, &b| likeness(&added[a].0).total_cmp(&likeness(&added[b].0)))
        else {
            kept.push((from.clone(), value.clone()));
            continue;
        };
        let rivals = all
            .iter()
            .enumerate()
            .filter(|(n, (at, other))| *n != i && other == value && parent(at) == parent(from))
            .count();
        let telling = value.is_telling();
        if !telling && likeness(&added[best].0) < ALIKE {
            kept.push((from.clone(), value.clone()));
            continue;
        }
        let others: Vec<Op> = candidates
            .iter()
            .filter(|&&n| n != best)
            .map(|&n| rename(from, &added[n].0))
            .collect();
        let (to, default) = added.remove(best);
        let op = rename(from, &to);
        if telling && others.is_empty() && rivals == 0 {
            items.push(Item::plain(op));
            continue;
        }
        let mut instead: Vec<Vec<Op>> = others.into_iter().map(|op| vec![op]).collect();
        instead.push(vec![
            Op::Add { at: to, default },
            Op::Remove { at: from.clone() },
        ]);
        let open = if telling {
            "several fields have this value, so which became which is a guess by their names"
        } else {
            "the value says too little to be sure that it is the same field under another name"
        };
        items.push(Item::asking(op, open.to_owned(), instead));
    }
    *removed = kept;
}

/// The same telling value in another object, be it inside of what was added or of what was removed.
fn moves(removed: &mut Vec<(Path, Node)>, added: &mut Vec<(Path, Node)>, items: &mut Vec<Item>) {
    let mut kept = Vec::new();
    for (from, value) in std::mem::take(removed) {
        let places = if value.is_telling() {
            places(added, &value)
        } else {
            Vec::new()
        };
        let Some((n, inner)) = places.first().cloned() else {
            kept.push((from, value));
            continue;
        };
        let to: Path = [added[n].0.clone(), inner.clone()].concat();
        if inner.is_empty() {
            added.remove(n);
        } else {
            // What is left of it is added first, and this is put inside.
            drop(added[n].1.take(&inner));
        }
        items.push(move_item(from, to, places.len()));
    }
    *removed = kept;

    // What came from inside of something that went.
    let mut left = Vec::new();
    for (to, value) in std::mem::take(added) {
        let places = if value.is_telling() {
            places(removed, &value)
        } else {
            Vec::new()
        };
        let Some((n, inner)) = places.first().cloned() else {
            left.push((to, value));
            continue;
        };
        let from: Path = [removed[n].0.clone(), inner.clone()].concat();
        drop(removed[n].1.take(&inner));
        items.push(move_item(from, to, places.len()));
    }
    *added = left;
}

fn move_item(from: Path, to: Path, places: usize) -> Item {
    let op = Op::Move { from, to };
    if places == 1 {
        return Item::plain(op);
    }
    Item::asking(
        op,
        format!("the value stands in {places} places, of which this is the first"),
        Vec::new(),
    )
}

/// Where the value stands: which tree, and the path inside of it.
fn places(trees: &[(Path, Node)], value: &Node) -> Vec<(usize, Path)> {
    fn search(
        node: &Node,
        value: &Node,
        path: &mut Path,
        n: usize,
        found: &mut Vec<(usize, Path)>,
    ) {
        if node == value {
            found.push((n, path.clone()));
            return;
        }
        if let Node::Object(members) = node {
            for (key, member) in members {
                path.push(key.clone());
                search(member, value, path, n, found);
                path.pop();
            }
        }
    }
    let mut found = Vec::new();
    for (n, (_, tree)) in trees.iter().enumerate() {
        search(tree, value, &mut Vec::new(), n, &mut found);
    }
    found
}
