# Shared by the scripts of this plan; sourced, never run.
# Commands start in the folder of the plan; run these scripts from there too.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

shop=work/shop
customers=$shop/data/customers.csv
v1_header="id,name,email,country"
v2_header="id,first_name,last_name,email,country_code"
run=${ORCHESTRATE_RUN_ID:-by-hand}

fail() {
  echo "$(basename "$0"): $*" >&2
  exit 1
}

# PACE makes each step last longer, so that you can watch the run or kill it.
linger() {
  sleep "${PACE:-0}"
}

header_of() {
  local line
  IFS= read -r line < "$1" || fail "$1 is missing or empty"
  printf '%s' "$line"
}

# Puts standard input in the place of a file in one motion: readers see the old file or the new one.
replace() {
  cat > "$1.new"
  sync "$1.new"
  mv -f "$1.new" "$1"
}
