#!/usr/bin/env bash
set -euo pipefail
cp settings.ini settings.ini.before
cp settings.new settings.ini
rm settings.ini.before
