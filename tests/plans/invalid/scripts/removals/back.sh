#!/usr/bin/env bash
set -euo pipefail
before=settings.ini.before
cp "$before" settings.ini
