#!/usr/bin/env bash
# Compiles one kernel file and writes down what native/kernel_table.sh reads: OBJECT.report.
#   native/compile_kernel.sh SOURCE OBJECT NVCC OPTION...
# The report: source, seconds, bytes, then a line per kernel and architecture from the PTX (threads of a block, bytes of dynamic
# shared memory, which ptxas does not know) and what ptxas said (registers, stack, spills).
set -euo pipefail

source=$1
object=$2
shift 2
kept=$object.kept
said=$object.ptxas
trap 'rm -rf -- "$kept" "$said"' EXIT
rm -rf -- "$kept"
mkdir -p -- "$kept"

began=$(date +%s%N)
if ! "$@" -Xptxas -v --keep --keep-dir "$kept" -c "$source" -o "$object" >"$said" 2>&1; then
    grep -v '^ptxas info\|^ *[0-9]* bytes stack frame' "$said" >&2 || true
    exit 1
fi
milliseconds=$((($(date +%s%N) - began) / 1000000))
{
    echo "source $source"
    echo "seconds $((milliseconds / 1000)).$((milliseconds % 1000 / 100))"
    echo "bytes $(stat -c %s -- "$object")"
    # `shared` is what primitives/cuda/thread.h writes into the PTX for this purpose.
    find "$kept" -name '*.ptx' -exec awk '
        /\.entry / { match($0, /_Z[A-Za-z0-9_$]*/); name = substr($0, RSTART, RLENGTH); threads[name] += 0; bytes[name] += 0 }
        /^\.maxntid/ { sub(/,.*/, "", $2); threads[name] = $2 }
        /^\t\/\/ shared / { if ($3 + 0 > bytes[name]) bytes[name] = $3 }
        END { for (n in threads) print "entry", n, threads[n], bytes[n] }' {} + | LC_ALL=C sort -u
    cat -- "$said"
} >"$object.report"
