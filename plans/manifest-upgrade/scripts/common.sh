# Shared by the scripts of this plan; sourced, never run.
# Commands start in the folder of the plan; run these scripts from there too.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

# The root of the step's `manifest_migration`. Change both for a tree of your own.
app=app
work=$(realpath --canonicalize-missing "${WORK_DIR:-./work}")
archive=$work/artifacts.tar.gz
index=$work/index.sqlite

fail() {
  echo "$(basename "$0"): $*" >&2
  exit 1
}

# The program that runs this plan, if it is not the one on the PATH: --var ORCHESTRATE=/path/to/orchestrate.
manifest() {
  "${ORCHESTRATE:-orchestrate}" manifest "$@"
}
