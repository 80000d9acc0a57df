#!/usr/bin/env bash
# Builds native/ with g++ into the folder $1 and runs its tests: `mvn verify` calls this. Where cmake or g++ is missing, says so and passes.
set -euo pipefail
cd -- "$(dirname -- "${BASH_SOURCE[0]}")/.."

for tool in cmake g++; do
    if ! command -v "$tool" >/dev/null; then
        echo "Native tests: not run (no $tool: apt install cmake g++)"
        exit 0
    fi
done

log=$1.log
if ! {
    cmake -S . -B "$1" && cmake --build "$1" -j "$(nproc)" && ctest --test-dir "$1" --output-on-failure --no-tests=error
} >"$log" 2>&1; then
    cat -- "$log"
    exit 1
fi
echo "Native tests: $(sed -n 's/^100% tests passed.* out of \([0-9]*\)$/\1 passed/p' "$log")"
