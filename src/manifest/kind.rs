//! Kinds of documents: which files belong together, where their version stands, which fields may never change.

/// A kind of document: run manifests, briefs, resolved briefs, or one that a migrations folder describes.
#[derive(Debug, Clone, PartialEq)]
pub struct Kind {
    /// Its name, such as `run_manifest`.
    pub name: String,
    /// Which files are of this kind, as a glob below the root, such as `**/manifest.json`.
    pub pattern: String,
}

impl Kind {
    /// Manifests of runs: `**/manifest.json`.
    #[must_use]
    pub fn run_manifest() -> Self {
        Self {
            name: "run_manifest".to_owned(),
            pattern: "**/manifest.json".to_owned(),
        }
    }
}
