# Shared by the scripts of this plan; sourced, never run.
# Commands start in the folder of the plan; run these scripts from there too.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

work=$(realpath --canonicalize-missing "${WORK_DIR:-./work}")
: "${DATABASE_URL:?set DATABASE_URL to the database of the shop, for example postgresql:///shop}"

fail() {
  echo "$(basename "$0"): $*" >&2
  exit 1
}

# One answer from the database, bare.
sql() {
  psql --no-psqlrc --quiet --no-align --tuples-only --set ON_ERROR_STOP=1 "$DATABASE_URL" --command "$1"
}

# Waits until a command succeeds: wait_for SECONDS WHAT COMMAND...
wait_for() {
  local deadline=$((SECONDS + $1)) what=$2
  shift 2
  until "$@"; do
    ((SECONDS < deadline)) || fail "gave up waiting: $what"
    sleep 0.05
  done
}

# The answer to a GET, or failure if it is not a 200.
get() {
  python3 -c 'import sys, urllib.request
try:
    print(urllib.request.urlopen(sys.argv[1], timeout=5).read().decode(), end="")
except OSError as error:
    sys.exit(f"GET {sys.argv[1]}: {error}")' "$1"
}

# Whether the process that the pid file names is there and is this service: a number may have been given to another
# process since. One that has ended but was not collected has no command line.
is_running() {
  local pid
  [[ -f $1/pid ]] && pid=$(< "$1/pid") && [[ -n $pid ]] && is_service "$pid" "$1"
}

is_service() {
  tr '\0' '\n' 2> /dev/null < "/proc/$1/cmdline" | grep --quiet --line-regexp --fixed-strings -- "$2"
}

healthy() {
  is_running "$1" && [[ -f $1/url ]] && get "$(< "$1/url")/healthz" > /dev/null
}

# Starts a service in a session of its own, so that it outlives the step: start_service HOME FILE ARGUMENT...
start_service() {
  local home=$1 file=$2
  shift 2
  if healthy "$home" 2> /dev/null; then
    echo "$home runs already"
    return
  fi
  stop_service "$home"
  mkdir -p "$home"
  PYTHONDONTWRITEBYTECODE=1 setsid --fork python3 "services/$file" --home "$home" "$@" < /dev/null >> "$home/log" 2>&1
  wait_for 15 "$home writes its address (see $home/log)" test -f "$home/url"
  healthy "$home" || fail "$home is not healthy (see $home/log)"
  echo "$home answers at $(< "$home/url")"
}

# Asks a service to end and waits until it has.
stop_service() {
  local home=$1 pid
  if is_running "$home"; then
    pid=$(< "$home/pid")
    kill -TERM "$pid"
    wait_for 15 "$home ends" has_ended "$pid" "$home"
    echo "$home has ended"
  fi
  rm -f "$home/pid" "$home/url"
}

has_ended() {
  ! is_service "$1" "$2"
}
