#!/bin/sh
# Runs every official client in the folders beside this file against the simulated venues, one after
# the other, and says of each whether it could trade. Exit code 1 where one could not.
#
#   cargo build --release && tools/foreign/run.sh [PARALLAX]
#
# PARALLAX is the built binary; without it, the release build of this repository is used.
# Needs cargo, python3 with venv, and npm; each client fetches its own packages once. The Rust SDK is
# built first, which takes from five to thirty minutes; all else is a matter of seconds. A client that
# takes longer than FOREIGN_SECONDS_MAX (3600 unless told), its build with it, counts as failed.
set -u

here=$(cd "$(dirname "$0")" && pwd)
parallax=${1:-${CARGO_TARGET_DIR:-$here/../../target}/release/parallax}
limit=${FOREIGN_SECONDS_MAX:-3600}
[ -x "$parallax" ] || { echo "no $parallax: run cargo build --release, or name the binary" >&2; exit 2; }
for tool in cargo python3 npm timeout; do
  command -v "$tool" >/dev/null || { echo "no $tool, which the clients need" >&2; exit 2; }
done

failed=0
summary=
for client in "$here"/*/run.sh; do
  name=$(basename "$(dirname "$client")")
  echo "== $name"
  began=$(date +%s)
  timeout "$limit" "$client" "$parallax"
  code=$?
  seconds=$(($(date +%s) - began))
  case $code in
    0) verdict=traded ;;
    124) verdict="FAILED: not done within $limit s" failed=1 ;;
    *) verdict="FAILED: exit code $code" failed=1 ;;
  esac
  summary="$summary$(printf '%-20s %5s s   %s' "$name" "$seconds" "$verdict")
"
done

echo
printf '%s' "$summary"
exit "$failed"
