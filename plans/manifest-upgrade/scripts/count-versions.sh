#!/usr/bin/env bash
# How many manifests there are of each version. Changes nothing.
source scripts/common.sh
manifest list-versions "$app" --migrations migrations
