// jcuconv_conformance_compare GOLDEN: compares the emulated device with every folder of golden files below GOLDEN, one per GPU. Exits with
// 1 where they disagree, and with 77, which ctest calls skipped, where no GPU has written golden files yet.
#include <algorithm>
#include <cstdio>
#include <filesystem>

#include "conformance/compare.h"
#include "conformance/kernels.h"

int main(int argc, char** argv) {
    using namespace jcuconv;
    using namespace jcuconv::conformance;
    namespace fs = std::filesystem;
    if (argc != 2) {
        std::fprintf(stderr, "usage: %s GOLDEN\n", argv[0]);
        return 2;
    }
    std::vector<fs::path> gpus;
    if (fs::is_directory(argv[1]))
        for (const auto& entry : fs::directory_iterator(argv[1]))
            if (entry.is_directory()) gpus.push_back(entry.path());
    std::sort(gpus.begin(), gpus.end());
    if (gpus.empty()) {
        std::printf("GPU conformance: not run (no golden files of a GPU yet)\n");
        return 77;
    }
    bool all_agree = true;
    for (const fs::path& folder : gpus) {
        int agree = 0, disagree = 0, absent = 0;
        for (const Kernel& kernel : all_kernels()) {
            Dump emulated, gpu;
            const Outcome outcome = run(kernel, &emulated);
            Verdict verdict{false, outcome.ok() ? read(&gpu, folder / (std::string(kernel.name) + ".txt")) : outcome.text};
            if (verdict.text.empty()) verdict = compare(gpu, emulated);
            absent += gpu.absent() ? 1 : 0;
            (verdict.agrees ? agree : disagree) += 1;
            std::printf("  %-9s %s: %s\n", verdict.agrees ? "agrees" : "DISAGREES", kernel.name, verdict.text.c_str());
        }
        std::printf("GPU conformance: %s: %d dumps agree with the emulated device (%d absent), %d disagree\n",
                    folder.filename().c_str(), agree - absent, absent, disagree);
        all_agree = all_agree && disagree == 0;
    }
    return all_agree ? 0 : 1;
}
