#!/usr/bin/env bash
# After the migration to 1.3.0: identities, inputs, outputs and every member of old are what they were in the archive,
# and every manifest has a priority.
source scripts/common.sh
scripts/compare.py --version 1.3.0
python3 -c 'import sys; sys.path.insert(0, "scripts")
from tree import manifests, parse
found = {parse(path.read_bytes()).get("priority_level") for path in manifests()}
sys.exit(None if found == {"normal"} else f"priorities are {found}")'
