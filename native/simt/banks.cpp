#include "simt/banks.h"

#include <algorithm>

#include "simt/text.h"

namespace jcuconv::simt {

namespace {

constexpr std::size_t kBanks = 32;
constexpr std::size_t kWord = 4;

}  // namespace

BankCounter::Site& BankCounter::site(const char* what, const Where& where) {
    Site& site = sites_[{where.file_name(), where.line(), where.column()}];
    if (site.count.place.empty()) {
        site.count.place = place(where);
        site.count.what = what;
    }
    return site;
}

void BankCounter::close(BankCount& count, const Access& access) {
    const std::size_t lanes_together = std::min<std::size_t>(kWarpSize, kBanks * kWord / std::max(access.bytes, kWord));
    ++count.accesses;
    for (std::size_t first = 0; first < kWarpSize; first += lanes_together) {
        std::array<std::vector<std::size_t>, kBanks> words;  // different words wanted from each bank
        std::size_t most = 0;
        for (std::size_t lane = first; lane < first + lanes_together; ++lane) {
            if (!access.active[lane]) continue;
            for (std::size_t word = access.offset[lane] / kWord; word * kWord < access.offset[lane] + access.bytes; ++word) {
                auto& bank = words[word % kBanks];
                if (std::find(bank.begin(), bank.end(), word) == bank.end()) bank.push_back(word);
                most = std::max(most, bank.size());
            }
        }
        count.wavefronts += most;
        if (most > 0) ++count.least_wavefronts;
    }
}

void BankCounter::lane(int thread, int warp_lanes, std::size_t offset, std::size_t bytes, const char* what, Where where) {
    Site& at = site(what, where);
    Warp& warp = at.warps[thread / kWarpSize];
    const auto lane = static_cast<std::size_t>(thread % kWarpSize);
    const std::uint64_t number = warp.passed[lane]++;
    if (warp.first + warp.open.size() <= number) warp.open.resize(number - warp.first + 1);
    Access& access = warp.open[number - warp.first];
    access.bytes = bytes;
    access.offset[lane] = offset;
    access.active[lane] = true;
    ++access.lanes;
    while (!warp.open.empty() && warp.open.front().lanes == warp_lanes) {
        close(at.count, warp.open.front());
        warp.open.erase(warp.open.begin());
        ++warp.first;
    }
}

void BankCounter::rows(const std::size_t* offsets, int count, const char* what, Where where) {
    Access access;
    access.bytes = 16;
    for (int row = 0; row < count; ++row) {
        access.offset[static_cast<std::size_t>(row)] = offsets[row];
        access.active[static_cast<std::size_t>(row)] = true;
    }
    close(site(what, where).count, access);
}

void BankCounter::finish_block() {
    for (auto& [key, site] : sites_) {
        for (auto& [index, warp] : site.warps)
            for (const Access& access : warp.open) close(site.count, access);
        site.warps.clear();
    }
}

std::vector<BankCount> BankCounter::counts() const {
    std::vector<BankCount> list;
    for (const auto& [key, site] : sites_) list.push_back(site.count);
    return list;
}

}  // namespace jcuconv::simt
