//! Durations, windows, percentages, thresholds and ranges as people write them.
