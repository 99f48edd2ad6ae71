//! Tells when something changes in a folder, so that nobody has to look again and again.

use std::io;
use std::mem::MaybeUninit;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd, RawFd};
use std::path::Path;
use std::time::Duration;

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::fs::inotify;

/// Folders that are watched (not what is in folders within them).
#[derive(Debug)]
pub struct Watch(OwnedFd);

impl Watch {
    /// Watches for files that appear whole: moved into the folder, or closed after writing.
    ///
    /// # Errors
    /// When the folder cannot be watched.
    pub fn new(folder: &Path) -> io::Result<Self> {
        let flags = inotify::WatchFlags::MOVED_TO | inotify::WatchFlags::CLOSE_WRITE;
        Self::with(&[folder], flags)
    }

    /// Watches for any change: files that appear, grow or go.
    ///
    /// # Errors
    /// When one of the folders cannot be watched.
    pub fn changes(folders: &[&Path]) -> io::Result<Self> {
        let flags = inotify::WatchFlags::CREATE
            | inotify::WatchFlags::MODIFY
            | inotify::WatchFlags::MOVED_TO
            | inotify::WatchFlags::CLOSE_WRITE
            | inotify::WatchFlags::DELETE;
        Self::with(folders, flags)
    }

    fn with(folders: &[&Path], flags: inotify::WatchFlags) -> io::Result<Self> {
        let fd = inotify::init(inotify::CreateFlags::CLOEXEC | inotify::CreateFlags::NONBLOCK)?;
        for folder in folders {
            inotify::add_watch(&fd, *folder, flags)?;
        }
        Ok(Self(fd))
    }

    /// Forgets what has been told so far.
    pub fn drain(&self) {
        let mut buffer = [MaybeUninit::uninit(); 4096];
        let mut reader = inotify::Reader::new(&self.0, &mut buffer);
        // It ends with "would block", because the descriptor never blocks.
        while reader.next().is_ok() {}
    }

    /// Waits for a change, at most this long, and forgets it.
    ///
    /// # Errors
    /// When the system refuses to wait.
    pub fn wait(&self, patience: Duration) -> io::Result<()> {
        let timeout = Timespec::try_from(patience).map_err(|e| io::Error::other(e.to_string()))?;
        match poll(&mut [PollFd::new(&self.0, PollFlags::IN)], Some(&timeout)) {
            Ok(_) | Err(rustix::io::Errno::INTR) => {}
            Err(error) => return Err(error.into()),
        }
        self.drain();
        Ok(())
    }
}

impl AsRawFd for Watch {
    fn as_raw_fd(&self) -> RawFd {
        self.0.as_raw_fd()
    }
}

impl AsFd for Watch {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.0.as_fd()
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]
    use super::*;
    use std::io::Write as _;
    use std::time::Instant;

    #[test]
    fn a_file_that_grows_ends_the_wait() {
        let dir = tempfile::tempdir().unwrap();
        let mut file = std::fs::File::create(dir.path().join("a")).unwrap();
        let watch = Watch::changes(&[dir.path()]).unwrap();
        file.write_all(b"x").unwrap();
        let begun = Instant::now();
        watch.wait(Duration::from_secs(60)).unwrap();
        assert!(begun.elapsed() < Duration::from_secs(30));
        // It was forgotten, so the next wait lasts.
        watch.wait(Duration::from_millis(10)).unwrap();
    }
}
