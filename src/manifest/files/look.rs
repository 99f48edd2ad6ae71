//! A look at a tree without reading it: where the files are and in what state, and single files read on demand.
//!
//! For readers that know from an earlier look what is unchanged, such as the index.

use std::os::fd::AsFd;
use std::path::{Path, PathBuf};

use rustix::fs::Stat;

use super::Place;
use super::problem::{Class, Problem};
use super::scan::ScanError;
use super::tree::{self, Root};
use super::walk::{Met, Seek, Walk};

/// What the walk came to.
#[derive(Debug)]
pub enum Seen {
    /// A regular file that matches: its path from the root, and its state.
    File(PathBuf, Stat),
    /// What could not be looked at.
    Problem(Problem),
}

/// A tree that is held open.
#[derive(Debug)]
pub struct Look<'a> {
    place: &'a Place,
    root: Root,
    only: Option<PathBuf>,
}

impl<'a> Look<'a> {
    /// Opens the root of a place.
    ///
    /// # Errors
    /// When the root cannot be opened.
    pub fn open(place: &'a Place) -> Result<Self, ScanError> {
        let root = place.open().map_err(|source| ScanError {
            root: place.root.clone(),
            source,
        })?;
        let only = place.only(&root);
        Ok(Self { place, root, only })
    }

    /// Every file that matches, in the order of the walk.
    pub fn files(&self) -> impl Iterator<Item = Seen> + '_ {
        let walk = Walk::new(
            &self.root,
            &self.place.matcher,
            self.only.as_deref(),
            Seek::Manifests,
            self.place.closed(),
            &*self.place.disk,
        );
        walk.map(|met| match met {
            Met::Problem(problem) => Seen::Problem(problem),
            Met::File(item) => {
                let path = item.path();
                let stat = item.open_dir(&self.root).and_then(|dir| {
                    tree::stat(dir.as_fd(), &item.name)
                        .map_err(|e| Problem::io(&path, "look at it", e))
                });
                match stat {
                    Ok(stat) => Seen::File(path, stat),
                    Err(problem) => Seen::Problem(problem),
                }
            }
        })
    }

    /// The bytes of a file below the root, and its state when they were read.
    ///
    /// # Errors
    /// The problem that is in the way; [`Class::Vanished`] if there is no such file any more.
    pub fn read(&self, path: &Path) -> Result<(Vec<u8>, Stat), Problem> {
        let (Some(folder), Some(name)) = (path.parent(), path.file_name()) else {
            return Err(Problem::new(path, Class::Io, "it is no file name"));
        };
        let dir = self
            .root
            .dir(folder)
            .map_err(|e| Problem::io(path, "open its directory", e))?;
        let opened = tree::read_file(dir.as_fd(), name).map_err(|p| p.at(path))?;
        Ok((opened.bytes, opened.stat))
    }
}
