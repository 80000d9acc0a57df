#!/usr/bin/env bash
# Builds the native libraries as they are published: the kernels compiled for every GPU architecture, beside the emulated device.
#   native/dist.sh BUILD NATIVES HEADERS JDK LIBRARY...
# takes what build.sh takes and calls it. Writes BUILD/kernels.csv and BUILD/kernel_files.csv (native/kernel_table.sh), and fails where
# a kernel breaks one of the rules there, or the libraries are larger than 30 MB.
set -euo pipefail
cd -- "$(dirname -- "${BASH_SOURCE[0]}")/.."

most_bytes=30000000
build=$1
natives=$2
for tool in cmake g++ nvcc c++filt; do
    command -v "$tool" >/dev/null || { echo "native/dist.sh needs $tool" >&2; exit 1; }
done

began=$SECONDS
native/build.sh "$@" cuda -DJCUCONV_CUDA_DIST=ON
native/kernel_table.sh files "$build/native/cuda" >"$build/kernel_files.csv"
native/kernel_table.sh kernels "$build/native/cuda" >"$build/kernels.csv"

bytes=$(find "$natives" -name '*.so' -printf '%s\n' | awk '{ sum += $1 } END { print sum + 0 }')
kernels=$(($(wc -l <"$build/kernels.csv") - 1))
echo "Kernels: $kernels instantiations of $(grep -c '^kernels/' "$build/kernel_files.csv") files, no spill and no stack; natives $((bytes / 1000)) kB; $((SECONDS - began)) s; tables in $build"
((bytes > 0 && bytes < most_bytes)) || { echo "natives: $bytes bytes, less than $most_bytes wanted" >&2; exit 1; }
