#!/usr/bin/env bash
# The way back from customers-up.sh. It converts instead of copying the backup, so that customers
# who signed up in the meantime are kept.
source scripts/common.sh
linger

if [[ $(header_of "$customers") == "$v1_header" ]]; then
  echo "the customers are at version 1 already"
  exit 0
fi
[[ $(header_of "$customers") == "$v2_header" ]] || fail "neither version 1 nor version 2: $customers"

declare -A country_of
while IFS=, read -r code country; do country_of[$code]=$country; done < "$shop/data/countries.csv"

converted=$(
  echo "$v1_header"
  { read -r _
    while IFS=, read -r id first last email code; do
      [[ -n ${country_of[$code]:-} ]] || fail "customer $id: no country for the code \"$code\""
      echo "$id,$first${last:+ $last},$email,${country_of[$code]}"
    done
  } < "$customers"
)
printf '%s\n' "$converted" | replace "$customers"
echo "converted $(($(wc -l < "$customers") - 1)) customers back to version 1"
