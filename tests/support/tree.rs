//! Everything in a folder, to compare before and after.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

/// Path to what is there: kind, permissions, and content.
#[derive(PartialEq, Eq)]
pub(crate) struct Tree(BTreeMap<String, Entry>);

#[derive(PartialEq, Eq, Debug)]
enum Entry {
    Folder(u32),
    File(u32, Vec<u8>),
    Link(String),
}

impl Tree {
    /// Everything in a folder, but nothing under these names at its top.
    pub(crate) fn of(folder: &Path, without: &[&str]) -> Self {
        let mut all = BTreeMap::new();
        collect(folder, "", without, &mut all);
        Self(all)
    }

    /// Panics with the names of what differs.
    #[track_caller]
    pub(crate) fn assert_equals(&self, later: &Self) {
        let names: std::collections::BTreeSet<&String> =
            self.0.keys().chain(later.0.keys()).collect();
        let differing: Vec<String> = names
            .into_iter()
            .filter_map(|name| match (self.0.get(name), later.0.get(name)) {
                (Some(before), Some(after)) if before == after => None,
                (Some(_), Some(_)) => Some(format!("{name} changed")),
                (Some(_), None) => Some(format!("{name} is gone")),
                _ => Some(format!("{name} is new")),
            })
            .collect();
        assert!(
            differing.is_empty(),
            "not as before: {}",
            differing.join(", ")
        );
    }
}

fn collect(folder: &Path, prefix: &str, without: &[&str], all: &mut BTreeMap<String, Entry>) {
    let entries = fs::read_dir(folder).expect("failed to read a folder");
    for entry in entries {
        let entry = entry.expect("failed to read a folder's entry");
        let name = entry.file_name().to_string_lossy().into_owned();
        if without.contains(&name.as_str()) {
            continue;
        }
        let (path, name) = (entry.path(), format!("{prefix}{name}"));
        let metadata = fs::symlink_metadata(&path).expect("failed to look at an entry");
        let mode = metadata.permissions().mode();
        let what = if metadata.is_symlink() {
            let aim = fs::read_link(&path).expect("failed to read a link");
            Entry::Link(aim.to_string_lossy().into_owned())
        } else if metadata.is_dir() {
            collect(&path, &format!("{name}/"), &[], all);
            Entry::Folder(mode)
        } else {
            Entry::File(mode, fs::read(&path).expect("failed to read a file"))
        };
        all.insert(name, what);
    }
}
