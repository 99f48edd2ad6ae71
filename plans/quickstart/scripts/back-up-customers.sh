#!/usr/bin/env bash
# Copies the customer file and writes its checksum beside the copy.
source scripts/common.sh
linger

[[ $(header_of "$customers") == "$v1_header" ]] || fail "the customers are not at version 1: nothing to back up"
mkdir -p "$shop/backup"
replace "$shop/backup/customers.csv" < "$customers"
(cd "$shop/backup" && sha256sum customers.csv | replace customers.csv.sha256)
(cd "$shop/backup" && sha256sum --check customers.csv.sha256)
