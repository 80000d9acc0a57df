#!/usr/bin/env bash
# The table of all kernels that nvcc compiled, as CSV on standard output; fails, and names the row, where a kernel breaks a rule.
#   native/kernel_table.sh kernels REPORTS [BUDGETS]     an instantiation per row: threads, shared memory, registers per architecture
#   native/kernel_table.sh files REPORTS                 a file per row: kernels, seconds, bytes of the object
# REPORTS holds what native/compile_kernel.sh wrote, BUDGETS is heuristics/kernel_budget.h. The rules: no kernel spills or has a stack;
# one of a convolution stands in BUDGETS and keeps within its threads and registers; the library has at most 250 instantiations.
set -euo pipefail

most_instantiations=250
what=$1
reports=$(realpath -- "$2")
budgets=${3:-$(dirname -- "${BASH_SOURCE[0]}")/heuristics/kernel_budget.h}

# shellcheck disable=SC2016
program='
function fail(text) { print "kernel table: " text >"/dev/stderr"; failed = 1 }
# "void jcuconv::(anonymous namespace)::add_kernel<float, 4>(int)" -> kernel "add", arguments "float 4", tile 0.
function read_name(text) {
    sub(/^void /, "", text)
    gsub(/jcuconv::|\(anonymous namespace\)::/, "", text)
    gsub(/__half/, "f16", text)
    gsub(/__nv_bfloat16/, "bf16", text)
    kernel = arguments = text
    sub(/_kernel.*/, "", kernel)
    if (sub(/^[a-z0-9_]*_kernel</, "", arguments)) sub(/>\(.*/, "", arguments); else arguments = ""
    gsub(/,/, "", arguments)
    tile = 0
    sub(/Tile<[A-Za-z0-9]+<[^>]*>, /, "Tile<", text)  # the arithmetic, where a tile names it first
    if (match(text, /Tile<[0-9]+, [0-9]+/)) {  # the shorter side, as the budgets count
        split(substr(text, RSTART + 5, RLENGTH - 5), side, ", ")
        tile = side[1] + 0 < side[2] + 0 ? side[1] : side[2]
    }
    id = file "," kernel "," arguments
    if (!(id in seen)) { seen[id] = 1; row[++rows] = id; kernel_of[id] = kernel; tile_of[id] = tile; ++count[file] }
}
FILENAME == budgets {
    if (match($0, /^ *\{"[a-z0-9_]+", [0-9]+, [0-9]+, [0-9]+\}/)) {
        split($0, part, /[{}", ]+/)
        threads_of[part[2] " " part[3]] = part[4]
        registers_of[part[2] " " part[3]] = part[5]
    }
    next
}
/^source / { file = $2; sub(/.*native\//, "", file); files[++file_count] = file; count[file] = 0; next }
/^seconds / { seconds[file] = $2; next }
/^bytes / { bytes[file] = $2; next }
/^entry / {
    text = $0; sub(/^entry /, "", text); read_name(text)
    threads[id] = $(NF - 1); shared[id] = $NF
    next
}
/Compiling entry function/ {
    architecture = $0; sub(/.* for .sm_/, "", architecture); sub(/[^0-9a-z].*/, "", architecture)
    text = $0; sub(/.*Compiling entry function ./, "", text); sub(/. for .sm_.*/, "", text); read_name(text)
    if (!(architecture in known)) { known[architecture] = 1; order[++architectures] = architecture }
    next
}
/bytes stack frame/ {
    if ($1 > 0) fail(id " for sm_" architecture ": " $1 " bytes of stack")
    if ($5 > 0 || $9 > 0) fail(id " for sm_" architecture ": spills " $5 " bytes, reloads " $9)
    next
}
/Used [0-9]+ registers/ {
    match($0, /Used [0-9]+/); used = substr($0, RSTART + 5, RLENGTH - 5) + 0
    registers[id, architecture] = used
    if (match($0, /[0-9]+ bytes smem/)) fixed[id] = substr($0, RSTART, RLENGTH - 11)
    next
}
END {
    for (i = 1; i <= rows; ++i) {
        id = row[i]
        budget = kernel_of[id] " " tile_of[id]
        if (id ~ /kernels\/(conv2d|depthwise)\// && !(budget in registers_of)) fail(id ": no row in kernel_budget.h for tile " tile_of[id])
        if (budget in registers_of && threads[id] > threads_of[budget]) fail(id ": " threads[id] " threads, " threads_of[budget] " in kernel_budget.h")
        for (a = 1; a <= architectures; ++a) {
            used = registers[id, order[a]]
            if (used == "") fail(id ": not compiled for sm_" order[a])
            if (budget in registers_of && used > registers_of[budget]) fail(id " for sm_" order[a] ": " used " registers, " registers_of[budget] " in kernel_budget.h")
        }
    }
    if (rows == 0) fail("no kernel found")
    if (rows > most) {
        print "kernel table: " rows " instantiations, " rows - most " more than the budget of " most "; most of them in:" >"/dev/stderr"
        for (i = 1; i <= file_count; ++i) if (count[files[i]] > 8) print "  " count[files[i]] " " files[i] >"/dev/stderr"
    }
    if (what == "files") {
        print "file,kernels,seconds,object_bytes"
        for (i = 1; i <= file_count; ++i) print files[i] "," count[files[i]] "," seconds[files[i]] "," bytes[files[i]]
    } else {
        printf "file,kernel,arguments,threads,shared_bytes"
        for (a = 1; a <= architectures; ++a) printf ",registers_%s", order[a]
        print ",budget"
        for (i = 1; i <= rows; ++i) {
            id = row[i]
            printf "%s,%s,%s", id, threads[id], shared[id] + fixed[id]
            for (a = 1; a <= architectures; ++a) printf ",%s", registers[id, order[a]]
            print "," registers_of[kernel_of[id] " " tile_of[id]]
        }
    }
    exit failed
}'
find "$reports" -name '*.report' -print0 | LC_ALL=C sort -z | xargs -0 cat -- | c++filt \
    | LC_ALL=C awk -v what="$what" -v most="$most_instantiations" -v budgets="$budgets" "$program" "$budgets" -
