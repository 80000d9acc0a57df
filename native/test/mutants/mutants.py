#!/usr/bin/env python3
"""Makes seeded mistakes in the kernels and demands that the tests find them.

    mutants.py BUILD LOG [--sanitized BUILD] [--count 300] [--seed 1] [--only TEXT] [--retry]

BUILD is a CMake build of this repository with its test programs. One mutant is one textual change of one file under kernels/; it is
compiled, linked to the objects of its test and run. One that survives its own test meets the sanitizer build of it, then the other tests
and, if it is about synchronisation, the race build. LOG gets one line per mutant as it goes; a second call goes on where the first one stopped.
Mutants that do not compile do not count; those that survivors.md proves to be equivalent are not run. The last line on standard output is the sum.
"""
import argparse
import hashlib
import itertools
import os
import random
import re
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import operators

NATIVE = Path(__file__).resolve().parents[2]
FLAGS = ["-std=c++20", "-fPIC", "-ffp-contract=off", "-fno-math-errno", "-O1", "-w", f"-I{NATIVE}/include"]
RACE_FLAGS = ["-fsanitize=thread", "--param", "tsan-instrument-func-entry-exit=0"]
SANITIZE_FLAGS = ["-DJCUCONV_SANITIZE", "-fsanitize=address,undefined", "-fno-sanitize-recover=all"]
# Test programs that run kernels; the others test what lies around them.
TESTS = ["conv2d_test", "epilogue_test", "pool2d_test", "lrn_test", "training_test", "batch_norm_test", "layers_test", "step_test",
         "sparse_test", "api_test", "launch_test", "conv2d_variants_test", "conv2d_mma_test", "conv2d_wgmma_test"]
SURVIVORS = Path(__file__).with_name("survivors.md")
CPU_LIMIT = 30  # seconds of processor time, which load hardly lengthens; a right test takes one to ten, with sanitizers three times that
WALL_LIMIT = 1800  # for what waits and does not work; long, since the mutants run beside other things

# Folder of kernels/ -> the test that knows it best. Survivors meet the rest.
MATCHING = {"conv2d": "conv2d_test", "depthwise": "conv2d_test", "common": "conv2d_test", "pool2d": "pool2d_test", "lrn": "lrn_test",
            "batch_norm": "batch_norm_test", "dropout": "layers_test"}
# Header -> the kernel that stands for those that include it, where the first by name would be a poor choice.
PRINCIPAL = {"kernels/conv2d/conv2d_epilogue.h": "kernels/conv2d/conv2d_fprop_implicit_gemm.cu",
             "kernels/common/gemm_tile.h": "kernels/conv2d/conv2d_fprop_implicit_gemm.cu",
             "kernels/common/mma_tile.h": "kernels/conv2d/conv2d_fprop_mma_gemm.cu",
             "kernels/common/mma_stage.h": "kernels/conv2d/conv2d_fprop_mma_gemm.cu",
             "kernels/common/mma_operand.h": "kernels/conv2d/conv2d_wgrad_mma_gemm.cu",
             "kernels/conv2d/conv2d_mma_tiles.h": "kernels/conv2d/conv2d_fprop_mma_gemm.cu",
             "kernels/conv2d/conv2d_wgmma_maps.h": "kernels/conv2d/conv2d_fprop_wgmma_gemm.cu",
             "kernels/common/index.h": "kernels/depthwise/depthwise_fprop.cu",
             "kernels/common/windows.h": "kernels/pool2d/max_pool2d_bwd.cu"}


def includers(header):
    """Kernels that see this header, directly or not."""
    sources = {str(p.relative_to(NATIVE)): re.findall(r'#include "(kernels/[^"]+)"', p.read_text()) for p in NATIVE.glob("kernels/**/*.*")}
    seen, todo = set(), [header]
    while todo:
        wanted = todo.pop()
        for source, included in sources.items():
            if wanted in included and source not in seen:
                seen.add(source)
                todo.append(source)
    return sorted(s for s in seen if s.endswith(".cu"))


class Mutant:
    def __init__(self, file, number, line, operator, start, end, text):
        self.file, self.number, self.operator = file, number, operator
        self.before, self.after = line.rstrip("\n"), (line[:start] + text + line[end:]).rstrip("\n")

    def key(self, occurrence):
        told = f"{self.file}|{self.before}|{self.after}|{occurrence}"
        return hashlib.sha256(told.encode()).hexdigest()[:12]


def candidates(seed, only):
    """All mutants in seeded order, one kind after the other, so that each kind has its share."""
    kinds = {operator.__name__: [] for operator in operators.ALL}
    seen = {}
    for path in sorted(NATIVE.glob("kernels/**/*")):
        file = str(path.relative_to(NATIVE))
        if path.suffix not in (".cu", ".h") or only not in file:
            continue
        for number, line in enumerate(path.read_text().splitlines(), 1):
            code = operators.code_of(line)
            for operator in operators.ALL:
                for start, end, text in operator(code) if code else ():
                    mutant = Mutant(file, number, line, operator.__name__, start, end, text)
                    if operators.in_string(code, start) or mutant.after == mutant.before:
                        continue
                    same = (file, mutant.before, mutant.after, number)
                    if same in seen:
                        continue
                    seen[same] = True
                    told = (file, mutant.before, mutant.after)
                    seen[told] = seen.get(told, 0) + 1
                    mutant.id = mutant.key(seen[told])
                    kinds[operator.__name__].append(mutant)
    shuffle = random.Random(seed)
    for mutants in kinds.values():
        mutants.sort(key=lambda m: m.id)
        shuffle.shuffle(mutants)
    for row in itertools.zip_longest(*kinds.values()):
        yield from (m for m in row if m is not None)


class Build:
    def __init__(self, build, scratch, flags=()):
        self.native, self.test, self.scratch, self.flags = Path(build) / "native", Path(build) / "native/test", Path(scratch), flags
        self.cpu_limit = CPU_LIMIT * (4 if flags else 1)
        self.tests = [t for t in TESTS if (self.test / t).exists()]
        self.race_objects = [p for p in self.test.glob("CMakeFiles/jcuconv_race_kernels.dir/**/*.o")]

    def objects(self, test):
        """In CMake's order, since cases run in the order in which they are linked."""
        words = (self.test / "CMakeFiles" / f"{test}.dir/link.txt").read_text().split()
        return [self.test / word for word in words if word.endswith(".o") and "/" in word]

    def check(self):
        """A test that fails anyway would kill every mutant."""
        for test in self.tests:
            if killer := self.failure(test, [*self.objects(test), *self.libraries()]):
                sys.exit(f"{self.native}: without a mutant {killer} fails")

    def libraries(self):
        return [self.native / "libjcuconv_emulated.a", self.native / "libjcuconv_simt.a", "-pthread"]

    def compile(self, source, overlay, flags=()):
        output = self.scratch / "mutant.o"
        place = overlay / source if (overlay / source).exists() else NATIVE / source
        command = ["g++", *FLAGS, *self.flags, *flags, f"-I{overlay}", f"-I{NATIVE}", "-x", "c++", "-c", place, "-o", output]
        return output if subprocess.run(command, capture_output=True).returncode == 0 else None

    def failure(self, test, inputs):
        """None, or the name of the test with what it did."""
        program = self.scratch / "mutant"
        subprocess.run(["g++", "-o", program, *self.flags, *inputs], check=True, capture_output=True)
        try:
            code = subprocess.run([program], capture_output=True, timeout=WALL_LIMIT, preexec_fn=self.limit_cpu).returncode
        except subprocess.TimeoutExpired:
            return f"{test} (time limit)"
        return None if code == 0 else test if code == 1 else f"{test} (signal {-code})"

    def limit_cpu(self):
        resource.setrlimit(resource.RLIMIT_CPU, (self.cpu_limit, self.cpu_limit))

    def run(self, source, overlay, tests):
        """"no compile", None, or the name of the test that failed."""
        compiled = self.compile(source, overlay)
        if compiled is None:
            return "no compile"
        for test in tests:
            if killer := self.failure(test, [compiled, *self.objects(test), *self.libraries()]):
                return killer
        return None

    def race(self, source, overlay):
        mutant = self.compile(source, overlay, RACE_FLAGS)
        right = source.replace("kernels/", "__/kernels/") + ".o"
        receiver = self.scratch / "receiver.o"
        if not receiver.exists():
            subprocess.run(["g++", *FLAGS, f"-I{NATIVE}", "-c", NATIVE / "simt/tsan_receiver.cpp", "-o", receiver], check=True)
        tests = {o for t in ("conv2d_test", "training_test", "pool2d_test") for o in self.objects(t)}
        others = [p for p in self.race_objects if not str(p).endswith(right)]
        return self.failure("race_test", [mutant, *others, *tests, receiver, *self.libraries()])


def best_test(source, operator):
    """The test that knows a kernel best; what is far is the matter of one test."""
    if operator == "narrow":
        return "sparse_test"
    return "conv2d_wgmma_test" if "wgmma" in source else "conv2d_mma_test" if "mma" in source else MATCHING.get(source.split("/")[1], "training_test")


def verdict(mutant, build, sanitized):
    """"no compile", "survived", or the name of the test that killed it."""
    with tempfile.TemporaryDirectory(dir=build.scratch) as folder:
        overlay = Path(folder)
        target = overlay / mutant.file
        target.parent.mkdir(parents=True)
        lines = (NATIVE / mutant.file).read_text().splitlines()
        lines[mutant.number - 1] = mutant.after
        target.write_text("\n".join(lines) + "\n")
        sources = [mutant.file] if mutant.file.endswith(".cu") else includers(mutant.file)
        if mutant.file in PRINCIPAL:
            sources.sort(key=lambda s: s != PRINCIPAL[mutant.file])
        # Every kernel that sees a header with the test that knows it best, the sanitizers included, before any meets the other tests.
        flavours = [("", build)] + ([("sanitized ", sanitized)] if sanitized else [])
        for others in (False, True):
            for name, flavour in flavours:
                for source in sources:
                    best = best_test(source, mutant.operator)
                    if killer := flavour.run(source, overlay, [t for t in flavour.tests if (t != best) == others]):
                        return name + killer
        if re.search(r"sync|barrier|buffer|shared|smem|wait|cp_async", mutant.before):
            for source in sources:
                if killer := build.race(source, overlay):
                    return killer
    return "survived"


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("build"), parser.add_argument("log")
    parser.add_argument("--sanitized", help="a build with JCUCONV_SANITIZE")
    parser.add_argument("--count", type=int, default=300), parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--only", default="", help="a part of the file's name")
    parser.add_argument("--retry", action="store_true", help="run again what the log says survived")
    options = parser.parse_args()
    log = Path(options.log)
    known = {}
    for line in log.read_text().splitlines() if log.exists() else ():
        fields = line.split("\t")
        known[fields[0]] = fields[1]
    equivalent = set(re.findall(r"^\| `([0-9a-f]{12})` \| equivalent", SURVIVORS.read_text(), re.MULTILINE))
    counted = {"killed": 0, "survived": 0, "no compile": 0, "equivalent": 0}
    with tempfile.TemporaryDirectory() as scratch, log.open("a") as out:
        build = Build(options.build, scratch)
        sanitized = Build(options.sanitized, scratch, SANITIZE_FLAGS) if options.sanitized else None
        for flavour in filter(None, (build, sanitized)):
            flavour.check()
        for mutant in candidates(options.seed, options.only):
            if counted["killed"] + counted["survived"] >= options.count:
                break
            began = time.monotonic()
            found = known.get(mutant.id)
            if mutant.id in equivalent:
                found = "equivalent"
            elif found is None or (options.retry and found == "survived"):
                found = verdict(mutant, build, sanitized)
                told = (mutant.id, found, mutant.operator, f"{mutant.file}:{mutant.number}", mutant.before.strip(), mutant.after.strip(),
                        f"{time.monotonic() - began:.1f}")
                print("\t".join(told), file=out, flush=True)
            counted[found if found in counted else "killed"] += 1
    ran = counted["killed"] + counted["survived"]
    print(f"{ran} mutants: {counted['killed']} killed, {counted['survived']} survived; not counted: {counted['equivalent']} equivalent "
          f"(survivors.md), {counted['no compile']} did not compile")
    return 0 if ran >= options.count and counted["killed"] >= 0.95 * ran else 1


if __name__ == "__main__":
    os.nice(5)
    os.environ["JCUCONV_FIRST_FAILURE"] = "1"
    sys.exit(main())
