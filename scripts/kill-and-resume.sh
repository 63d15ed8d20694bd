#!/bin/sh
# Kills the engine with SIGKILL at random moments, as often as the first argument says (10), and
# resumes it each time, while the simulated venues live on with faults high. Fails unless both
# ledgers agree to the micro-dollar in the end and no order was sent twice.
set -eu
cd "$(dirname "$0")/.."
PARALLAX_KILLS="${1:-10}" cargo test --locked -p parallax --test resume -- --nocapture
