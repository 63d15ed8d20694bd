#!/bin/sh
# Runs the simulated Polymarket on loopback, and Polymarket's own Rust SDK against it.
#
#   tools/foreign/polymarket-rust/run.sh [PARALLAX]
#
# PARALLAX is the built binary; without it, the release build of this repository is used.
set -eu

here=$(cd "$(dirname "$0")" && pwd)
parallax=${1:-$here/../../../target/release/parallax}
[ -x "$parallax" ] || { echo "no $parallax: run cargo build --release, or name the binary" >&2; exit 1; }

# The build has a folder of its own; an inherited one could belong to Parallax.
(cd "$here" && CARGO_TARGET_DIR="${FOREIGN_TARGET_DIR:-$here/target}" cargo build --quiet --locked)
client=${FOREIGN_TARGET_DIR:-$here/target}/debug/foreign-polymarket-rust
dir=$(mktemp -d)
"$parallax" sim polymarket --signature-type 0 --dir "$dir" >"$dir/out" &
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
  SSL_CERT_FILE="$dir/ca.pem" "$client" "$dir"
