#!/usr/bin/env bash
# Builds the shared libraries that Java loads, and lays them out as they ride in the jar, with their SHA-256 beside them.
#   native/build.sh BUILD NATIVES HEADERS JDK LIBRARY... [-D...]
# BUILD is CMake's folder, NATIVES the root of the result, HEADERS what javac -h wrote, LIBRARY emulated or cuda; the rest goes to CMake.
# LIBRARY cudnn_stand_in is for Java's tests and stays in BUILD.
# Where a tool is missing, says so in its one line and passes: the tests that need these libraries then say that they did not run.
set -euo pipefail
cd -- "$(dirname -- "${BASH_SOURCE[0]}")/.."

build=$(realpath -m -- "$1")
natives=$(realpath -m -- "$2")
headers=$(realpath -m -- "$3")
jdk=$4
shift 4

not_built() {
    echo "Native libraries: not built ($1)"
    exit 0
}

targets=(jcuconv_jni)
options=()
names=jcuconv_jni
for argument in "$@"; do
    case $argument in
        -D*) options+=("$argument") ;;
        cudnn_stand_in) targets+=("$argument") ;;
        *)
            targets+=("libjcuconv_$argument")
            names+=", jcuconv_$argument"
            ;;
    esac
    [[ $argument != cuda ]] || command -v nvcc >/dev/null || not_built "no nvcc: install NVIDIA's CUDA toolkit, 12.4 or newer"
done

# Old libraries would meet newer Java classes.
rm -rf -- "$natives"
[[ $(uname -sm) == 'Linux x86_64' ]] || not_built "for Linux x86_64 only, this is $(uname -sm)"
for tool in cmake g++; do
    command -v "$tool" >/dev/null || not_built "no $tool: apt install cmake g++"
done

log=$build.log
began=$SECONDS
mkdir -p -- "$(dirname -- "$build")"
if ! {
    cmake -S . -B "$build" "-DJCUCONV_JNI_HEADERS=$headers" "-DJCUCONV_JAVA_HOME=$jdk" ${options[@]+"${options[@]}"} \
        && cmake --build "$build" -j "$(nproc)" --target "${targets[@]}"
} >"$log" 2>&1; then
    cat -- "$log"
    exit 1
fi

folder=$natives/io/github/jcuconv/native/linux-x86_64
mkdir -p -- "$folder"
for target in "${targets[@]}"; do
    find "$build/native" -name "lib${target#lib}.so" -exec cp -- {} "$folder" \;
done
(cd -- "$folder" && sha256sum -- *.so >SHA256SUMS)
echo "Native libraries: $names, $((SECONDS - began)) s"
