#!/usr/bin/env bash
# native/kernel_table.sh on a report as native/compile_kernel.sh writes them, right and with every mistake that it has to name.
#   kernel_table_test.sh FOLDER
set -euo pipefail
cd -- "$(dirname -- "${BASH_SOURCE[0]}")/.."

folder=$1
rm -rf -- "$folder"
mkdir -p -- "$folder"
report=$folder/gemm.o.report
failures=0

wrong() {
    echo "FAILED: $1"
    failures=$((failures + 1))
}

cat >"$folder/budget.h" <<'END'
    {"conv2d_fprop_gemm", 128, 256, 168},
    {"conv2d_fprop_gemm", 64, 256, 128},
END
# Two kernels of a convolution, one mangled as compilers write it, for two architectures.
kernel128='void jcuconv::(anonymous namespace)::conv2d_fprop_gemm_kernel<__half, jcuconv::GemmTile<128, 128, 8, 8, 8>, 4>(int)'
kernel64=_ZN7jcuconv24conv2d_fprop_gemm_kernelIfNS_8GemmTileILi64ELi64ELi16ELi4ELi4EEELi4EEEvi
{
    echo "source /somewhere/jcuconv/native/kernels/conv2d/conv2d_fprop_gemm.cu"
    echo "seconds 12.5"
    echo "bytes 4000"
    echo "entry $kernel128 256 16896"
    echo "entry $kernel64 256 17408"
    for architecture in 75 90a; do
        for kernel in "$kernel128" "$kernel64"; do
            echo "ptxas info    : Compiling entry function '$kernel' for 'sm_$architecture'"
            echo "ptxas info    : Function properties for $kernel"
            echo "    0 bytes stack frame, 0 bytes spill stores, 0 bytes spill loads"
            echo "ptxas info    : Used 120 registers, used 1 barriers, 496 bytes cmem[0]"
        done
    done
} >"$report"
cp -- "$report" "$folder/right"

table() {
    bash kernel_table.sh "$1" "$folder" "$folder/budget.h" 2>&1
}

expected='file,kernel,arguments,threads,shared_bytes,registers_75,registers_90a,budget
kernels/conv2d/conv2d_fprop_gemm.cu,conv2d_fprop_gemm,f16 GemmTile<128 128 8 8 8> 4,256,16896,120,120,168
kernels/conv2d/conv2d_fprop_gemm.cu,conv2d_fprop_gemm,float GemmTile<64 64 16 4 4> 4,256,17408,120,120,128'
[[ $(table kernels) == "$expected" ]] || wrong "the table is
$(table kernels)"
[[ $(table files) == 'file,kernels,seconds,object_bytes
kernels/conv2d/conv2d_fprop_gemm.cu,2,12.5,4000' ]] || wrong "the files are
$(table files)"

# refuses PART SED-SCRIPT: the changed report fails with a line that holds PART.
refuses() {
    local said status=0
    sed "$2" "$folder/right" >"$report"
    cmp -s -- "$folder/right" "$report" && wrong "the change $2 changes nothing"
    said=$(table kernels) || status=$?
    [[ $status == 1 && $said == *"$1"* ]] || wrong "after $2, status $status: $said"
    cp -- "$folder/right" "$report"
}

refuses 'conv2d_fprop_gemm,f16 GemmTile<128 128 8 8 8> 4 for sm_75: spills 8 bytes, reloads 0' '0,/0 bytes spill stores/s//8 bytes spill stores/'
refuses 'conv2d_fprop_gemm,f16 GemmTile<128 128 8 8 8> 4 for sm_75: spills 0 bytes, reloads 4' '0,/0 bytes spill loads/s//4 bytes spill loads/'
refuses 'conv2d_fprop_gemm,f16 GemmTile<128 128 8 8 8> 4 for sm_75: 16 bytes of stack' '0,/0 bytes stack/s//16 bytes stack/'
refuses 'float GemmTile<64 64 16 4 4> 4 for sm_90a: 129 registers, 128 in kernel_budget.h' '$s/120/129/'
refuses 'no row in kernel_budget.h for tile 32' 's/GemmTile<128, 128/GemmTile<32, 32/'
refuses 'no row in kernel_budget.h for tile 16' 's/GemmTile<128, 128/MmaTile<jcuconv::MmaMath<float, tf32, 3>, 128, 16/'
refuses 'no row in kernel_budget.h for tile 64' 's/24conv2d_fprop_gemm_kernel/24conv2d_dgrad_gemm_kernel/'
refuses '512 threads, 256 in kernel_budget.h' 's/ 256 16896/ 512 16896/'
refuses 'not compiled for sm_90a' '/<128, 128.*sm_90a/,+3d'
refuses 'no kernel found' '/entry\|ptxas/d'

for ((i = 0; i < 249; ++i)); do echo "entry add_kernel<$i>(int) 256 0"; done >>"$report"
said=$(table kernels) || true
[[ $said == *'251 instantiations, 1 more than the budget of 250'*'251 kernels/conv2d/conv2d_fprop_gemm.cu'* ]] || wrong "251 instantiations: ${said:0:300}"

echo "kernel_table: $failures failed checks"
((failures == 0))
