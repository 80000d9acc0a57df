// Receives the calls that GCC's thread-sanitizer instrumentation puts before every plain memory access. Linked in place of
// libtsan, whose own model knows nothing of fibers.
#include "simt/race.h"

using jcuconv::simt::observe;

extern "C" {

void __tsan_init() { jcuconv::simt::enable_race_detection(); }

#define JCUCONV_TSAN_ACCESS(bytes)                                                \
    void __tsan_read##bytes(void* p) { observe(p, bytes, false); }                \
    void __tsan_write##bytes(void* p) { observe(p, bytes, true); }                \
    void __tsan_unaligned_read##bytes(void* p) { observe(p, bytes, false); }      \
    void __tsan_unaligned_write##bytes(void* p) { observe(p, bytes, true); }

JCUCONV_TSAN_ACCESS(1)
JCUCONV_TSAN_ACCESS(2)
JCUCONV_TSAN_ACCESS(4)
JCUCONV_TSAN_ACCESS(8)
JCUCONV_TSAN_ACCESS(16)

void __tsan_read_range(void* p, unsigned long bytes) { observe(p, bytes, false); }
void __tsan_write_range(void* p, unsigned long bytes) { observe(p, bytes, true); }

// Guards of static variables in host code.
unsigned char __tsan_atomic8_load(const volatile unsigned char* p, int) { return __atomic_load_n(p, __ATOMIC_ACQUIRE); }

// Objects with virtual functions live on the host only.
void __tsan_vptr_update(void**, void*) {}
void __tsan_vptr_read(void**) {}
}
