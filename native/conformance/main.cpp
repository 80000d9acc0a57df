// jcuconv_conformance DIR: runs every conformance kernel on the device at hand and writes one file per kernel.
#include <cstdio>
#include <filesystem>

#include "conformance/kernels.h"

int main(int argc, char** argv) {
    using namespace jcuconv;
    if (argc != 2) {
        std::fprintf(stderr, "usage: %s DIR\n", argv[0]);
        return 2;
    }
    const std::string folder = argv[1];
    std::string device;
    if (const Outcome described = device::describe(&device); !described.ok()) {
        std::fprintf(stderr, "no device: %s\n", described.text.c_str());
        return 3;
    }
    std::error_code error;
    std::filesystem::create_directories(folder, error);
    int written = 0;
    for (const auto& kernel : conformance::all_kernels()) {
        conformance::Dump dump;
        const Outcome outcome = conformance::run(kernel, &dump);
        const std::string error = outcome.ok() ? conformance::write(dump, folder + "/" + kernel.name + ".txt") : outcome.text;
        if (!error.empty()) {
            std::fprintf(stderr, "%s: %s\n", kernel.name, error.c_str());
            return 1;
        }
        ++written;
    }
    std::printf("%d dumps of %s in %s\n", written, device.c_str(), folder.c_str());
    return 0;
}
