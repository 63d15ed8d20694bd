#!/bin/sh
# Has the engine of a demonstration kill itself with SIGKILL at each numbered step of an order's
# way (tools/src/crash.rs), and resumes it each time, while the simulated venues live on. Fails
# unless both ledgers agree to the micro-dollar in the end, nothing is left open, and no order was
# sent twice.
set -eu
cd "$(dirname "$0")/.."
PARALLAX_CRASH_POINTS=all cargo test --locked -p parallax --test resume killed_at_each_step -- --nocapture
