#!/usr/bin/env bash
# A client of version 1.0 can read every manifest, whatever was added since.
source scripts/common.sh
clients/old_client.py "$app/artifacts"
