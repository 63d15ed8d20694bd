#!/bin/sh
# Runs every official client in the folders beside this file against the simulated venues.
#
#   cargo build --release && tools/foreign/run.sh [PARALLAX]
#
# Needs cargo, python3 with venv, and npm; each client fetches its own packages once.
set -eu

here=$(cd "$(dirname "$0")" && pwd)
for client in "$here"/*/run.sh; do
  echo "== $(basename "$(dirname "$client")")"
  "$client" "$@"
done
