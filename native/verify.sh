#!/usr/bin/env bash
# Builds the rest of native/ with g++ in the folder $1, which native/build.sh began, and runs its tests: `mvn verify` calls this.
# Where cmake or g++ is missing, says so and passes.
set -euo pipefail
cd -- "$(dirname -- "${BASH_SOURCE[0]}")/.."

for tool in cmake g++; do
    if ! command -v "$tool" >/dev/null; then
        echo "Native tests: not run (no $tool: apt install cmake g++)"
        exit 0
    fi
done

log=$1-tests.log
if ! {
    cmake -S . -B "$1" && cmake --build "$1" -j "$(nproc)" && ctest --test-dir "$1" -j "$(nproc)" --output-on-failure --no-tests=error
} >"$log" 2>&1; then
    cat -- "$log"
    exit 1
fi
# ctest counts what it skipped among the passed.
total=$(sed -n 's/^100% tests passed.* out of \([0-9]*\)$/\1/p' "$log")
echo "Native tests: $((total - $(grep -c '\*\*\*Skipped' "$log" || true))) passed"
# ctest has judged it above; this repeats what it said, also that nothing was compared.
{ "$1"/native/conformance/jcuconv_conformance_compare native/conformance/golden || true; } | grep '^GPU conformance:'
