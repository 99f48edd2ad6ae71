//! The plan text as an arena of nodes with spans.
