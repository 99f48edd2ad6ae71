//! The folder of the default database: `.orchestrate` at the tree's root, which git ignores.

use std::fs;
use std::io;
use std::path::Path;

use super::IndexError;

/// Makes the folder of the file if it is not there. A symbolic link in its place is refused: an index of a tree is never
/// written outside of it unless a database is named.
pub(super) fn prepare(file: &Path) -> Result<(), IndexError> {
    let Some(folder) = file.parent() else {
        return Ok(());
    };
    let failed = |why: String| IndexError::Folder {
        path: folder.to_owned(),
        why,
    };
    let io = |error: io::Error| failed(error.to_string());
    match fs::create_dir(folder) {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => return Err(io(error)),
        _ => {}
    }
    if !fs::symlink_metadata(folder).map_err(io)?.is_dir() {
        return Err(failed(
            "something else has that name, or it is a symbolic link; name a file with `--database`"
                .to_owned(),
        ));
    }
    if fs::symlink_metadata(file).is_ok_and(|m| !m.is_file()) {
        return Err(failed(format!(
            "{} is not a regular file; name one with `--database`",
            file.display()
        )));
    }
    let ignore = folder.join(".gitignore");
    match fs::OpenOptions::new()
        .write(true)
        .create_new(true)
        .open(&ignore)
    {
        Ok(mut new) => io::Write::write_all(&mut new, b"*\n").map_err(io),
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(()),
        Err(error) => Err(io(error)),
    }
}
