//! What the author wrote, a file per section of the format.
