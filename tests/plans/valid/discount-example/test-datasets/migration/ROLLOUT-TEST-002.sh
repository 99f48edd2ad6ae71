#!/usr/bin/env bash
# A test dataset as a script: it passes on exit 0.
set -euo pipefail
printf '%s %s dataset %s\n' "${ORCHESTRATE_DIRECTION:-none}" "${ORCHESTRATE_STEP_ID:--}" "ROLLOUT-TEST-002" >>"${CALLS_FILE:-calls.log}"
