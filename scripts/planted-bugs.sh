#!/usr/bin/env bash
# Plants bugs one at a time and counts the seeds that `parallax chaos` takes to catch each.
#
#   scripts/planted-bugs.sh [most seeds a bug] [simulated minutes a seed]
#   scripts/planted-bugs.sh --check        only looks whether all patches apply
#
# The bugs are patches, scripts/planted/*.patch, each behind a switch that the first of them makes.
# They are applied to a copy of the tree, which is built once; the tree itself stays as it is.
# Exit code 0 where every bug was caught and the copy without a bug keeps every promise.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

seeds=${1:-40}
minutes=${2:-20}
copy=$(mktemp -d)
trap 'rm -rf "$copy"' EXIT
git archive HEAD | tar -x -C "$copy"
for patch in scripts/planted/*.patch; do
    patch --quiet --strip 1 --directory "$copy" <"$patch" || {
        echo "error: $patch does not apply: the code that it breaks has changed" >&2
        exit 1
    }
done
[[ ${1:-} == --check ]] && exit 0
# A target folder of its own, so that no other build ever meets a planted bug.
export CARGO_TARGET_DIR=${PLANTED_TARGET_DIR:-$copy/target}
(cd "$copy" && cargo build --quiet --locked --profile "${PLANTED_PROFILE:-release}" -p parallax --bin parallax)
profile=${PLANTED_PROFILE:-release}
parallax=$CARGO_TARGET_DIR/${profile/#dev/debug}/parallax

try() {
    PLANTED=$1 "$parallax" chaos --fail-fast --seeds "$seeds" --minutes "$minutes" --json 2>/dev/null
}

caught=0
bugs=0
for patch in scripts/planted/*.patch; do
    name=$(basename "$patch" .patch)
    number=$((10#${name%%-*}))
    if ((number == 0)); then
        try 0 >/dev/null || {
            echo "error: the copy without a planted bug breaks a promise" >&2
            exit 1
        }
        continue
    fi
    bugs=$((bugs + 1))
    result=$(try "$number" || true)
    tried=$(sed -n 's/.*"seeds":\([0-9]*\).*/\1/p' <<<"$result")
    by=$(sed -n 's/.*"invariant":"\([a-z_]*\)".*/\1/p' <<<"$result")
    if [[ -n $by ]]; then
        caught=$((caught + 1))
        printf '%-64s caught by %-20s after %s seeds\n' "$name" "$by" "$tried"
    else
        printf '%-64s NOT CAUGHT in %s seeds\n' "$name" "${tried:-?}"
    fi
done
echo "$caught of $bugs planted bugs were caught"
((caught == bugs))
