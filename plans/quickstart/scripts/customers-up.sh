#!/usr/bin/env bash
# Version 1 to version 2: splits the name, replaces the country by its code.
# Everything is converted before anything is written.
source scripts/common.sh
linger

if [[ $(header_of "$customers") == "$v2_header" ]]; then
  echo "the customers are at version 2 already"
  exit 0
fi
[[ $(header_of "$customers") == "$v1_header" ]] || fail "neither version 1 nor version 2: $customers"

declare -A code_of
while IFS=, read -r code country; do code_of[$country]=$code; done < "$shop/data/countries.csv"

converted=$(
  echo "$v2_header"
  { read -r _
    while IFS=, read -r id name email country; do
      [[ -n ${code_of[$country]:-} ]] || fail "customer $id: no code for the country \"$country\""
      first=${name%% *}
      last=${name#"$first"}
      echo "$id,$first,${last# },$email,${code_of[$country]}"
    done
  } < "$customers"
)
printf '%s\n' "$converted" | replace "$customers"
echo "converted $(($(wc -l < "$customers") - 1)) customers to version 2"
