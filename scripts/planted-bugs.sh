#!/usr/bin/env bash
# Plants bugs one at a time and counts the seeds that `parallax chaos` takes to catch each.
#
#   scripts/planted-bugs.sh [most seeds a bug] [simulated minutes a seed]
#   scripts/planted-bugs.sh --check        only looks whether all patches apply
#
# The bugs are patches, scripts/planted/*.patch, each behind a switch that the first of them makes.
# They are applied to a copy of the tree, which is built once with the profile `planted` (a few
# minutes on two cores); the tree itself stays as it is. Each bug gets at most PLANTED_SECONDS (600); one
# that takes longer is `hung`, which is no catch: only a broken promise is, a panic of a tile among
# them.
#
# PLANTED_ONLY="3 21" tries these alone. PLANTED_PROFILE and PLANTED_TARGET_DIR say how and where
# the copy is built.
# Exit code 0 where every bug was caught and the copy without a bug keeps every promise.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

seeds=${1:-80}
minutes=${2:-20}
seconds=${PLANTED_SECONDS:-600}
profile=${PLANTED_PROFILE:-planted}
copy=$(mktemp -d)
trap 'rm -rf "$copy"' EXIT
git archive HEAD | tar -x -C "$copy"
for patch in scripts/planted/*.patch; do
    # Without fuzz: a bug in another place is another bug.
    patch --quiet --fuzz 0 --strip 1 --directory "$copy" <"$patch" || {
        echo "error: $patch does not apply: the code that it breaks has changed" >&2
        exit 1
    }
done
[[ ${1:-} == --check ]] && exit 0
# A target folder of its own, so that no other build ever meets a planted bug.
export CARGO_TARGET_DIR=${PLANTED_TARGET_DIR:-$copy/target}
(cd "$copy" && cargo build --quiet --locked --profile "$profile" -p parallax --bin parallax)
parallax=$CARGO_TARGET_DIR/${profile/#dev/debug}/parallax

try() {
    PLANTED=$1 timeout --kill-after 5 "$2" "$parallax" chaos --fail-fast --seeds "$seeds" \
        --minutes "$minutes" --json 2>/dev/null
}

caught=0
bugs=0
for patch in scripts/planted/*.patch; do
    name=$(basename "$patch" .patch)
    number=$((10#${name%%-*}))
    if ((number == 0)); then
        # Without a bug every seed runs to its end.
        try 0 $((seconds * 10)) >/dev/null || {
            echo "error: the copy without a planted bug breaks a promise" >&2
            exit 1
        }
        continue
    fi
    [[ -n ${PLANTED_ONLY:-} && " $PLANTED_ONLY " != *" $number "* ]] && continue
    bugs=$((bugs + 1))
    status=0
    result=$(try "$number" "$seconds") || status=$?
    tried=$(sed -n 's/.*"seeds":\([0-9]*\).*/\1/p' <<<"$result")
    by=$(sed -n 's/.*"invariant":"\([a-z_]*\)".*/\1/p' <<<"$result")
    if [[ -n $by ]]; then
        caught=$((caught + 1))
        printf '%-64s caught by %-24s after %s seeds\n' "$name" "$by" "$tried"
    elif ((status == 124 || status == 137)); then
        printf '%-64s NOT CAUGHT: hung for %s s\n' "$name" "$seconds"
    else
        printf '%-64s NOT CAUGHT in %s seeds\n' "$name" "${tried:-?}"
    fi
done
echo "$caught of $bugs planted bugs were caught"
((caught == bugs))
