//! Whether the backups fit on the disk (SPEC section 8: their size × 1.2, and 20% stays free).

use std::fmt;
use std::io;
use std::os::fd::BorrowedFd;

use super::TreeDisk;

/// The arithmetic, all in bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Space {
    /// Manifests that may have to be backed up.
    pub files: u64,
    /// Their size.
    pub backups: u64,
    /// Size of the file system.
    pub total: u64,
    /// What is free on it for this user.
    pub free: u64,
}

impl Space {
    pub(super) fn measure(
        disk: &dyn TreeDisk,
        root: BorrowedFd<'_>,
        files: u64,
        backups: u64,
    ) -> io::Result<Self> {
        let (total, free) = disk.room(root)?;
        Ok(Self {
            files,
            backups,
            total,
            free,
        })
    }

    /// The backups' size × 1.2. Backups that are hard links count as well: they keep the old bytes on the disk beside
    /// the new ones.
    #[must_use]
    pub const fn needed(&self) -> u64 {
        self.backups.saturating_add(self.backups / 5)
    }

    /// What must stay free: 20% of the file system.
    #[must_use]
    pub const fn reserve(&self) -> u64 {
        self.total / 5
    }

    /// True if the run may begin.
    #[must_use]
    pub const fn suffices(&self) -> bool {
        self.free >= self.needed().saturating_add(self.reserve())
    }
}

impl fmt::Display for Space {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (needed, reserve) = (self.needed(), self.reserve());
        write!(
            f,
            "{} manifests of {} need {} for their backups (× 1.2), and {} (20% of {}) must stay free: {} together, but \
             {} is free",
            self.files,
            Bytes(self.backups),
            Bytes(needed),
            Bytes(reserve),
            Bytes(self.total),
            Bytes(needed.saturating_add(reserve)),
            Bytes(self.free),
        )
    }
}

/// A size as people read it.
struct Bytes(u64);

impl fmt::Display for Bytes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const UNITS: [&str; 6] = ["KiB", "MiB", "GiB", "TiB", "PiB", "EiB"];
        if self.0 < 1024 {
            return write!(f, "{} bytes", self.0);
        }
        let mut value = self.0 as f64 / 1024.0;
        let mut unit = 0;
        while value >= 1024.0 && unit + 1 < UNITS.len() {
            value /= 1024.0;
            unit += 1;
        }
        write!(f, "{value:.1} {}", UNITS[unit])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_arithmetic_is_shown() {
        let mut space = Space {
            files: 127,
            backups: 1000 << 20,
            total: 100 << 30,
            free: 22 << 30,
        };
        assert!(space.suffices());
        assert_eq!(space.needed(), 1200 << 20);
        space.free = 21 << 30;
        assert!(!space.suffices());
        assert_eq!(
            space.to_string(),
            "127 manifests of 1000.0 MiB need 1.2 GiB for their backups (× 1.2), and 20.0 GiB (20% of 100.0 GiB) must \
             stay free: 21.2 GiB together, but 21.0 GiB is free"
        );
    }
}
