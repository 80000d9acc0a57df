#!/usr/bin/env bash
# On a machine with a GPU and nvcc: builds the conformance kernels for that GPU, runs them and writes native/conformance/golden/<gpu>/.
set -euo pipefail
here=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")" && pwd)

for tool in nvidia-smi nvcc cmake g++; do
    if ! command -v "$tool" >/dev/null; then
        echo "GPU conformance: not recorded (no $tool)" >&2
        exit 3
    fi
done
IFS=, read -r name capability < <(nvidia-smi --query-gpu=name,compute_cap --format=csv,noheader | head -n 1)
architecture=${capability//[ .]/}
# The code that uses Hopper's own instructions is compiled for that chip alone.
[[ $architecture == 90 ]] && architecture=90a
gpu=sm_$architecture-$(tr -cs '[:alnum:]\n' '-' <<<"${name,,}")

build=${1:-$here/../../build/conformance}
cmake -S "$here/../.." -B "$build" -DJCUCONV_CUDA_ARCHITECTURE="$architecture"
cmake --build "$build" -j "$(nproc)" --target jcuconv_conformance_cuda jcuconv_conformance_compare
program=$build/native/conformance/jcuconv_conformance
"$program"_cuda "$here/golden/$gpu" | tee "$build/device.txt"
{
    sed 's/ in .*//' "$build/device.txt"
    echo "$(nvcc --version | sed -n 's/.*release \(.*\)/nvcc \1/p'), commit $(git -C "$here" rev-parse --short HEAD 2>/dev/null || echo unknown), $(date -u +%F)"
} >"$here/golden/$gpu/device.txt"
"$program"_compare "$here/golden"
