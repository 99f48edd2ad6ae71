#!/usr/bin/env bash
# Stands for the real script: records that it was called, in the folder of the plan.
set -euo pipefail
printf '%s %s %s\n' "${ORCHESTRATE_DIRECTION:-none}" "${ORCHESTRATE_STEP_ID:--}" "scripts/validate-service.sh" >>"${CALLS_FILE:-calls.log}"
