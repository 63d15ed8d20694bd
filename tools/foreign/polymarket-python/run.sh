#!/bin/sh
# Runs the simulated Polymarket on loopback, and Polymarket's own Python SDK, with a deposit wallet, against it.
#
#   tools/foreign/polymarket-python/run.sh [PARALLAX]
#
# PARALLAX is the built binary; without it, the release build of this repository is used.
set -eu

here=$(cd "$(dirname "$0")" && pwd)
parallax=${1:-$here/../../../target/release/parallax}
[ -x "$parallax" ] || { echo "no $parallax: run cargo build --release, or name the binary" >&2; exit 1; }

if [ ! -x "$here/.venv/bin/python" ]; then
  python3 -m venv "$here/.venv"
  "$here/.venv/bin/pip" install --quiet --requirement "$here/requirements.txt"
fi
dir=$(mktemp -d)
"$parallax" sim polymarket --signature-type 3 --dir "$dir" >"$dir/out" &
venue=$!
trap 'kill "$venue" 2>/dev/null || true; wait "$venue" 2>/dev/null || true; rm -rf "$dir"' EXIT INT TERM

# The first line of its output says that it is ready.
tries=0
until [ -s "$dir/out" ]; do
  kill -0 "$venue" 2>/dev/null || { echo "parallax sim ended before it was ready" >&2; exit 1; }
  tries=$((tries + 1))
  [ "$tries" -le 100 ] || { echo "parallax sim was not ready within 20 s" >&2; exit 1; }
  sleep 0.2
done

# A proxy must not stand between two ends of loopback.
NO_PROXY=localhost,127.0.0.1 no_proxy=localhost,127.0.0.1 \
  SSL_CERT_FILE="$dir/ca.pem" "$here/.venv/bin/python" "$here/trade.py" "$dir"
