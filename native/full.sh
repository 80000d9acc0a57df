#!/usr/bin/env bash
# The long checks of native/: everything that `mvn verify` runs, the sanitizer build, more random shapes, mechanical mutants.
#   native/full.sh FOLDER [SEEDS [MUTANTS]]
# Takes about an hour on two cores. What is done for a commit is not done again: call it once more after an interruption.
# FOLDER/<commit>/summary.txt gets one line per check; the last line printed says whether all of them passed.
set -uo pipefail
cd -- "$(dirname -- "${BASH_SOURCE[0]}")/.." || exit 1

folder=$(realpath -m -- "$1")
seeds=${2:-25}
mutants=${3:-300}
commit=$(git describe --always --abbrev=12 --dirty)
done_here=$folder/$commit
summary=$done_here/summary.txt
tests=(conv2d_test conv2d_variants_test epilogue_test pool2d_test lrn_test training_test batch_norm_test layers_test step_test api_test
    heuristics_test sparse_test)
mkdir -p -- "$done_here"
[[ -s $summary ]] || echo "native/full.sh on commit $commit" >"$summary"

# Runs "$@" unless it passed before; its log's last line that matches $2 is the result.
check() {
    local name=$1 pattern=$2 log=$done_here/$1.log began=$SECONDS state=passed
    shift 2
    [[ -e $done_here/$name.passed ]] && return 0
    echo "== $name"
    "$@" >"$log" 2>&1 || state=FAILED
    [[ $state == passed ]] && touch -- "$done_here/$name.passed"
    printf '%s  %-12s %s  %s (%d s)\n' "$(date -u +%FT%TZ)" "$name" "$state" "$(grep -E -- "$pattern" "$log" | tail -n 1)" \
        $((SECONDS - began)) | tee -a -- "$summary"
    [[ $state == passed ]] || failed=1
}

build_and_test() {
    cmake -S . -B "$@" && cmake --build "$1" -j "$(nproc)" && ctest --test-dir "$1" -j "$(nproc)" --output-on-failure --no-tests=error
}

# Every random number of the tests follows from this seed.
more_seeds() {
    local seed test
    for ((seed = 1; seed <= seeds; ++seed)); do
        for test in "${tests[@]}"; do
            if ! JCUCONV_SEED=$seed "$folder/plain/native/test/$test"; then
                echo "JCUCONV_SEED=$seed $test fails"
                return 1
            fi
        done
    done
    echo "$seeds seeds of ${#tests[@]} test programs"
}

failed=0
check tests 'tests passed|tests failed' build_and_test "$folder/plain"
check sanitizers 'tests passed|tests failed' build_and_test "$folder/sanitize" -DJCUCONV_SANITIZE=ON
check seeds 'seeds of|fails$' more_seeds
if command -v python3 >/dev/null; then
    check mutants ' mutants: ' python3 native/test/mutants/mutants.py "$folder/plain" "$done_here/mutants.tsv" --sanitized "$folder/sanitize" --count "$mutants"
else
    echo "mutants: not run (no python3)" | tee -a -- "$summary"
fi

cat -- "$summary"
if ((failed)); then
    echo "Long native checks: FAILED, see $done_here"
    exit 1
fi
echo "Long native checks: passed, see $summary"
