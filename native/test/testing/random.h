// Seeded random numbers for tests: the same on every machine, and others for each value of the environment variable JCUCONV_SEED.
#pragma once

#include <cstdint>
#include <cstdlib>
#include <vector>

namespace jcuconv::test {

class Random {
  public:
    explicit Random(std::uint64_t seed) : state_(seed + 0x632BE59BD9B4E019u * environment()) {}

    std::uint64_t next() {  // splitmix64
        state_ += 0x9E3779B97F4A7C15u;
        std::uint64_t z = state_;
        z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9u;
        z = (z ^ (z >> 27)) * 0x94D049BB133111EBu;
        return z ^ (z >> 31);
    }

    // low..high, both included
    int between(int low, int high) { return low + static_cast<int>(next() % static_cast<std::uint64_t>(high - low + 1)); }
    bool chance(int percent) { return between(1, 100) <= percent; }
    double uniform() { return static_cast<double>(next() >> 11) * 0x1p-53; }  // [0, 1)

    // Small integers: products and sums of few thousand of them are exact in fp32.
    std::vector<float> integers(std::size_t count, int magnitude) {
        std::vector<float> values(count);
        for (float& v : values) v = static_cast<float>(between(-magnitude, magnitude));
        return values;
    }

    std::vector<float> reals(std::size_t count) {
        std::vector<float> values(count);
        for (float& v : values) v = static_cast<float>(2 * uniform() - 1);
        return values;
    }

  private:
    static std::uint64_t environment() {
        static const char* text = std::getenv("JCUCONV_SEED");
        return text == nullptr ? 0 : std::strtoull(text, nullptr, 10);
    }

    std::uint64_t state_;
};

}  // namespace jcuconv::test
