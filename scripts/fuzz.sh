#!/usr/bin/env bash
# Runs every fuzz target for some seconds, one after another, and prints how far each came.
# Usage: scripts/fuzz.sh [seconds per target, 60 unless told] [target...]
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

seconds=${1:-60}
[[ $seconds =~ ^[1-9][0-9]*$ ]] || { echo "usage: $0 [seconds] [target...]" >&2; exit 2; }
shift || true

missing=0
if ! cargo +nightly --version >/dev/null 2>&1; then
    echo "missing: a nightly compiler, which the sanitizer needs: rustup toolchain install nightly" >&2
    missing=1
fi
if ! cargo fuzz --version >/dev/null 2>&1; then
    echo "missing: cargo-fuzz, which runs the targets: cargo install --locked cargo-fuzz" >&2
    missing=1
fi
((missing == 0)) || exit 3

if (($# > 0)); then
    targets=("$@")
else
    mapfile -t targets < <(cargo +nightly fuzz list)
fi

log=$(mktemp)
trap 'rm -f "$log"' EXIT
cargo +nightly fuzz build
failed=()
summary=()
for target in "${targets[@]}"; do
    echo "== $target: $seconds s"
    if cargo +nightly fuzz run "$target" -- \
        -max_total_time="$seconds" -timeout=10 -rss_limit_mb=4096 -print_final_stats=1 \
        >"$log" 2>&1; then
        verdict=ok
    else
        verdict=FAILED
        failed+=("$target")
        tail -n 40 "$log"
    fi
    runs=$(sed -n 's/^stat::number_of_executed_units: *//p' "$log" | tail -n 1)
    cover=$(grep -oE 'cov: [0-9]+' "$log" | tail -n 1 || true)
    summary+=("$(printf '%-24s %14s executions in %s s   %-12s %s' \
        "$target" "${runs:-unknown}" "$seconds" "${cover:-}" "$verdict")")
done

echo
printf '%s\n' "${summary[@]}"
if ((${#failed[@]} > 0)); then
    echo "the inputs that failed are in fuzz/artifacts/: ${failed[*]}" >&2
    exit 1
fi
