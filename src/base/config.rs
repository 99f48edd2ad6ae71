//! orchestrate.yaml: people, channels, connections, policy.
