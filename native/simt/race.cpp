#include "simt/race.h"

#include <algorithm>

namespace jcuconv::simt {

void RaceDetector::start_block(int threads, std::size_t shared_bytes) {
    threads_ = static_cast<std::size_t>(threads);
    clocks_.assign(threads_ * threads_, 0);
    for (int t = 0; t < threads; ++t) clock(t)[t] = 1;
    fenced_.assign(threads_, 0);
    words_.resize((shared_bytes + kWord - 1) / kWord);
    for (Word& word : words_) {
        word.writer = -1;
        word.read.clear();
    }
}

void RaceDetector::arrive(int thread, std::vector<std::uint32_t>& knowledge) {
    knowledge.resize(threads_, 0);
    std::uint32_t* mine = clock(thread);
    for (std::size_t other = 0; other < threads_; ++other) knowledge[other] = std::max(knowledge[other], mine[other]);
    ++mine[thread];  // what the thread does from now on is not covered by this arrival
}

void RaceDetector::leave(int thread, const std::vector<std::uint32_t>& knowledge) {
    std::uint32_t* mine = clock(thread);
    for (std::size_t other = 0; other < threads_; ++other) mine[other] = std::max(mine[other], knowledge[other]);
}

std::string RaceDetector::access(int thread, std::size_t offset, std::size_t bytes, Access access) {
    for (std::size_t word = offset / kWord; word * kWord < offset + bytes && word < words_.size(); ++word)
        if (std::string race = touch(thread, word, access); !race.empty()) return race;
    return {};
}

std::string RaceDetector::touch(int thread, std::size_t index, Access access) {
    Word& word = words_[index];
    const std::uint32_t* known = clock(thread);
    const auto race = [&](std::size_t other, const char* did) {
        return "race on byte " + std::to_string(index * kWord) + " of shared memory: this thread " + (access == Access::kRead ? "reads" : "writes") +
               " what thread " + std::to_string(other) + did + ", and no barrier lies between";
    };
    const bool both_atomic = word.atomic && access == Access::kAtomic;
    if (word.writer >= 0 && word.writer != thread && word.written > known[word.writer] && !both_atomic)
        return race(static_cast<std::size_t>(word.writer), " wrote");
    if (access == Access::kRead) {
        word.read.resize(threads_, 0);
        word.read[static_cast<std::size_t>(thread)] = known[thread];
        return {};
    }
    for (std::size_t other = 0; other < word.read.size(); ++other)
        if (other != static_cast<std::size_t>(thread) && word.read[other] > known[other]) return race(other, " read");
    word.read.clear();
    word.writer = thread;
    word.atomic = access == Access::kAtomic;
    word.plain = true;
    word.written = known[thread];
    return {};
}

void RaceDetector::fence(int thread) {
    std::uint32_t* mine = clock(thread);
    fenced_[static_cast<std::size_t>(thread)] = mine[thread];
    ++mine[thread];
}

std::string RaceDetector::unfenced(std::size_t offset, std::size_t bytes) const {
    for (std::size_t i = offset / kWord; i * kWord < offset + bytes && i < words_.size(); ++i) {
        const Word& word = words_[i];
        if (word.writer >= 0 && word.plain && word.written > fenced_[static_cast<std::size_t>(word.writer)])
            return "reads byte " + std::to_string(i * kWord) + " of shared memory, which thread " + std::to_string(word.writer) +
                   " stored without a fence_async_proxy afterwards";
    }
    return {};
}

void RaceDetector::written_by_copy(std::size_t offset, std::size_t bytes) {
    for (std::size_t i = offset / kWord; i * kWord < offset + bytes && i < words_.size(); ++i) words_[i].plain = false;
}

}  // namespace jcuconv::simt
