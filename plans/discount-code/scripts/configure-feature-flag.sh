#!/usr/bin/env bash
# Sets the flag in one motion: configure-feature-flag.sh --percentage N --users internal|all
source scripts/common.sh

percentage='' users=''
while (($#)); do
  case $1 in
    --percentage) percentage=${2:?} ;;
    --users) users=${2:?} ;;
    *) fail "unknown option $1" ;;
  esac
  shift 2
done
[[ $percentage =~ ^[0-9]+$ && $percentage -le 100 ]] || fail "--percentage must be 0 to 100"
[[ $users == internal || $users == all ]] || fail "--users must be internal or all"

mkdir -p "$work/flags"
flag=$work/flags/discount-enabled.json
printf '{"percentage": %d, "users": "%s"}\n' "$percentage" "$users" > "$flag.new"
sync "$flag.new"
mv -f "$flag.new" "$flag"
echo "discount-enabled: $percentage % of $users"
