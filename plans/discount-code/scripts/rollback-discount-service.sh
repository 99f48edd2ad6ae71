#!/usr/bin/env bash
# The way back from deploy-discount-service.sh.
source scripts/common.sh
stop_service "$work/discount"
rm -rf "$work/discount"
