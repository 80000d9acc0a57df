#!/usr/bin/env bash
# What became of the tests that need a GPU, in one line. $1 holds a line per test, with tabs: "run" or "not run", the reason, the test.
# The last real run stands in benchmarks/results/last-gpu-run.txt, where whoever ran it on a GPU commits it: date, GPU, commit.
set -euo pipefail
cd -- "$(dirname -- "${BASH_SOURCE[0]}")/.."

record=benchmarks/results/last-gpu-run.txt
last=never
if [[ -r $record ]]; then read -r last <"$record"; fi

tests=
if [[ -r $1 ]]; then
    # A test may have been reported by more than one run of Maven: its last line counts.
    tests=$(awk -F '\t' '{ line[$3] = $0 } END { for (test in line) print line[test] }' "$1" | LC_ALL=C sort)
    rm -- "$1"
fi
run=$(grep -c '^run' <<<"$tests" || true)
not_run=$(grep -c '^not run' <<<"$tests" || true)
reason=$(sed -n 's/^not run\t\([^\t]*\).*/\1/p' <<<"$tests" | head -n 1)

if ((run > 0)); then
    gpu=$(nvidia-smi --query-gpu=name --format=csv,noheader 2>/dev/null | head -n 1 || true)
    now="$(date +%F), ${gpu:-unknown GPU}, $(git rev-parse --short HEAD 2>/dev/null || echo 'unknown commit')"
    echo "GPU tests: $run run, $not_run not run${reason:+ ($reason)}; this run, for $record: $now"
else
    echo "GPU tests: $not_run not run${reason:+ ($reason)}; last real run $last"
fi
