test -n "${IN_A_SCRIPT:-}" || true
