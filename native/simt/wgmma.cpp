#include "simt/wgmma.h"

#include <cmath>
#include <cstring>
#include <limits>

namespace jcuconv::simt {

namespace {

constexpr std::size_t kChunk = 16;

struct Operand {
    std::size_t start, leading, stride;
    Swizzle swizzle;
    bool by_rows;

    Operand(std::uint64_t bits, bool rows)
        : start((bits & 0x3FFF) * kChunk), leading((bits >> 16 & 0x3FFF) * kChunk), stride((bits >> 32 & 0x3FFF) * kChunk),
          swizzle(static_cast<Swizzle>((4 - (bits >> 62)) % 4)), by_rows(rows) {}

    // The byte at which element (row, depth) lies.
    std::size_t at(int row, int depth, int element) const {
        const auto r = static_cast<std::size_t>(row), k = static_cast<std::size_t>(depth), e = static_cast<std::size_t>(element);
        if (by_rows) return swizzled(swizzle, start + r % 64 * e + r / 64 * leading + k % 8 * 128 + k / 8 * stride);
        if (swizzle == Swizzle::kNone) return start + r / 8 * stride + k * e / kChunk * leading + r % 8 * kChunk + k * e % kChunk;
        return swizzled(swizzle, start + r / 8 * stride + r % 8 * swizzle_bytes(swizzle) + k * e);
    }
};

int depth_of(MmaType type) { return type == MmaType::kTf32 ? 8 : 16; }
int element_of(MmaType type) { return type == MmaType::kTf32 ? 4 : 2; }

// [row][depth] as bits. Elements that are neighbours in memory follow each other here, so each piece of 16 bytes is read once.
std::vector<std::uint32_t> fetch(const Operand& operand, MmaType type, int rows, const Wgmma::Read& read) {
    const int depth = depth_of(type), element = element_of(type), outer = operand.by_rows ? depth : rows, inner = operand.by_rows ? rows : depth;
    std::vector<std::uint32_t> bits(static_cast<std::size_t>(rows * depth));
    std::byte chunk[kChunk];
    std::size_t chunk_at = std::numeric_limits<std::size_t>::max();
    for (int i = 0; i < outer; ++i)
        for (int j = 0; j < inner; ++j) {
            const int row = operand.by_rows ? j : i, k = operand.by_rows ? i : j;
            const std::size_t at = operand.at(row, k, element), first = at / kChunk * kChunk;
            if (first != chunk_at) read(first, chunk);
            chunk_at = first;
            std::memcpy(&bits[static_cast<std::size_t>(row * depth + k)], chunk + at % kChunk, static_cast<std::size_t>(element));
        }
    return bits;
}

std::string legal(const WgmmaCall& call) {
    if (call.columns < 8 || call.columns > 256 || call.columns % 8 != 0)
        return "wgmma has 8 to 256 columns in steps of 8, not " + std::to_string(call.columns);
    for (const auto& [bits, by_rows] : {std::pair{call.a, call.a_by_rows}, std::pair{call.b, call.b_by_rows}}) {
        if ((bits >> 49 & 7) != 0) return "wgmma: a base offset other than 0 is not modelled";
        if (by_rows && call.type == MmaType::kTf32) return "wgmma takes tf32 only with neighbours along the depth";
        if (by_rows && (bits >> 62) != 1) return "wgmma: neighbours along the rows are modelled with the swizzle of 128 bytes only";
    }
    return {};
}

}  // namespace

std::uint64_t wgmma_descriptor(std::size_t start, std::size_t leading_bytes, std::size_t stride_bytes, Swizzle swizzle) {
    const auto units = [](std::size_t bytes) { return static_cast<std::uint64_t>(bytes / kChunk) & 0x3FFF; };
    const std::uint64_t mode = (4 - static_cast<std::uint64_t>(swizzle)) % 4;  // 1: 128 bytes, 2: 64, 3: 32, 0: none
    return units(start) | units(leading_bytes) << 16 | units(stride_bytes) << 32 | mode << 62;
}

void Wgmma::clear() {
    queue_.clear();
    sums_.clear();
    committed_ = 0;
    open_ = 0;
    fenced_ = false;
}

std::string Wgmma::issue(void** lanes, bool at_once, const MmaRounding& rounding, const Read& read, const Read& look) {
    const auto& call = *static_cast<const WgmmaCall*>(lanes[0]);
    if (std::string error = legal(call); !error.empty()) return error;
    for (int lane = 1; lane < kWarpgroup; ++lane) {
        const auto& other = *static_cast<const WgmmaCall*>(lanes[lane]);
        if (other.a != call.a || other.b != call.b || other.accumulate != call.accumulate)
            return "the lanes of a warpgroup give different descriptors";
    }
    if (!fenced_) return "no wgmma_fence stands before the first wgmma after registers were touched";
    // Memory that is still being filled would be read too early.
    fetch(Operand(call.a, call.a_by_rows), call.type, kWgmmaRows, look);
    fetch(Operand(call.b, call.b_by_rows), call.type, call.columns, look);

    Product product{call, call.d, committed_, false};
    Sums& sums = sums_[call.d];
    if (sums.pending == 0) {
        sums.columns = call.columns;
        sums.values.resize(static_cast<std::size_t>(kWgmmaRows * call.columns));
        sums.lanes.clear();
        for (int lane = 0; lane < kWarpgroup; ++lane) {
            float* d = static_cast<const WgmmaCall*>(lanes[lane])->d;
            sums.lanes.push_back(d);
            for (int i = 0; i < call.columns / 2; ++i) {
                const int row = lane / 32 * 16 + lane % 32 / 4 + i % 4 / 2 * 8, column = i / 4 * 8 + lane % 4 * 2 + i % 2;
                sums.values[static_cast<std::size_t>(row * call.columns + column)] = d[i];
                d[i] = std::numeric_limits<float>::quiet_NaN();
            }
        }
    }
    ++sums.pending;
    ++open_;
    queue_.push_back(product);
    if (at_once) run_all(rounding, read);
    return {};
}

void Wgmma::commit() {
    ++committed_;
    open_ = 0;
}

void Wgmma::wait(int keep, const MmaRounding& rounding, const Read& read) {
    while (!queue_.empty() && queue_.front().group + static_cast<std::uint64_t>(keep) < committed_) {
        Product& product = queue_.front();
        run(product, rounding, read);
        Sums& sums = sums_[product.sums];
        if (--sums.pending == 0) {
            for (int lane = 0; lane < kWarpgroup; ++lane)
                for (int i = 0; i < sums.columns / 2; ++i) {
                    const int row = lane / 32 * 16 + lane % 32 / 4 + i % 4 / 2 * 8, column = i / 4 * 8 + lane % 4 * 2 + i % 2;
                    sums.lanes[static_cast<std::size_t>(lane)][i] = sums.values[static_cast<std::size_t>(row * sums.columns + column)];
                }
            sums_.erase(product.sums);
            fenced_ = false;  // from now on the registers are the kernel's
        }
        queue_.pop_front();
    }
}

void Wgmma::run_all(const MmaRounding& rounding, const Read& read) {
    for (Product& product : queue_) run(product, rounding, read);
}

void Wgmma::run(Product& product, const MmaRounding& rounding, const Read& read) {
    if (product.done) return;
    product.done = true;
    const WgmmaCall& call = product.call;
    const int depth = depth_of(call.type), columns = call.columns;
    const auto a = fetch(Operand(call.a, call.a_by_rows), call.type, kWgmmaRows, read);
    const auto b = fetch(Operand(call.b, call.b_by_rows), call.type, columns, read);
    std::vector<double> x(a.size()), y(b.size());
    for (std::size_t i = 0; i < a.size(); ++i) x[i] = mma_value(call.type, a[i]);
    for (std::size_t i = 0; i < b.size(); ++i) y[i] = mma_value(call.type, b[i]);
    std::vector<float>& sums = sums_[product.sums].values;
    for (int row = 0; row < kWgmmaRows; ++row)
        for (int column = 0; column < columns; ++column) {
            float& d = sums[static_cast<std::size_t>(row * columns + column)];
            const float c = call.accumulate ? d : 0.0f;
            if (rounding.block != 0) {
                d = mma_element(rounding, call.type, a.data() + row * depth, b.data() + column * depth, depth, c);
                continue;
            }
            double sum = c;
            for (int k = 0; k < depth; ++k) sum += x[static_cast<std::size_t>(row * depth + k)] * y[static_cast<std::size_t>(column * depth + k)];
            d = static_cast<float>(sum);
        }
}

}  // namespace jcuconv::simt
