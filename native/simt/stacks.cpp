#include "simt/stacks.h"

#include <sys/mman.h>
#include <unistd.h>

#include <new>

namespace jcuconv::simt {

Stacks::~Stacks() { release(); }

void Stacks::reserve(int count) {
    if (count <= count_) return;
    release();
    page_ = static_cast<std::size_t>(sysconf(_SC_PAGESIZE));
    stride_ = page_ + kStackBytes;
    void* mapping = mmap(nullptr, stride_ * static_cast<std::size_t>(count), PROT_READ | PROT_WRITE,
                         MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_STACK, -1, 0);
    if (mapping == MAP_FAILED) throw std::bad_alloc();
    mapping_ = static_cast<std::byte*>(mapping);
    count_ = count;
    // Without its guard a stack that grows too far would silently destroy its neighbour.
    for (int i = 0; i < count_; ++i) {
        if (mprotect(mapping_ + static_cast<std::size_t>(i) * stride_, page_, PROT_NONE) != 0) {
            release();
            throw std::bad_alloc();
        }
    }
}

void Stacks::abandon() { allow(mapping_, stride_ * static_cast<std::size_t>(count_)); }

void Stacks::release() {
    abandon();
    if (mapping_ != nullptr) munmap(mapping_, stride_ * static_cast<std::size_t>(count_));
    mapping_ = nullptr;
    count_ = 0;
}

}  // namespace jcuconv::simt
