//! A finding as plain data, and its renderers.
