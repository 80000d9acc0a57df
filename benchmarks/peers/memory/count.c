/* Preloaded under a process: counts what it takes with posix_memalign, aligned_alloc and memalign, where PyTorch's CPU tensors and the scratch
 * of oneDNN inside it come from. At the end of the process the most bytes ever alive at once are written to the file that JCUCONV_COUNT names.
 * Build: cc -O2 -shared -fPIC -o libcount.so count.c */
#include <errno.h>
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

extern void* __libc_memalign(size_t alignment, size_t bytes);
extern void __libc_free(void* memory);

enum { kSlots = 1 << 20 };
static struct {
    void* memory;
    size_t bytes;
} slots[kSlots]; /* open addressing; what was freed keeps its place with 0 bytes */
static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static size_t live, most;

static size_t slot_of(const void* memory, int to_fill) {
    size_t i = (uintptr_t)memory / 16 * 2654435761u % kSlots;
    for (size_t tried = 0; tried < kSlots; ++tried, i = (i + 1) % kSlots) {
        if (slots[i].memory == memory || slots[i].memory == NULL || (to_fill && slots[i].bytes == 0)) return i;
    }
    fputs("count.c: the table is full\n", stderr);
    abort();
}

static void* counted(void* memory, size_t bytes) {
    if (memory == NULL) return NULL;
    pthread_mutex_lock(&mutex);
    const size_t i = slot_of(memory, 1);
    slots[i].memory = memory;
    slots[i].bytes = bytes;
    live += bytes;
    if (live > most) most = live;
    pthread_mutex_unlock(&mutex);
    return memory;
}

void* memalign(size_t alignment, size_t bytes) { return counted(__libc_memalign(alignment, bytes), bytes); }
void* aligned_alloc(size_t alignment, size_t bytes) { return counted(__libc_memalign(alignment, bytes), bytes); }
int posix_memalign(void** memory, size_t alignment, size_t bytes) {
    *memory = counted(__libc_memalign(alignment, bytes), bytes);
    return *memory == NULL && bytes > 0 ? ENOMEM : 0;
}

void free(void* memory) {
    if (memory == NULL) return;
    pthread_mutex_lock(&mutex);
    const size_t i = slot_of(memory, 0);
    if (slots[i].memory == memory) {
        live -= slots[i].bytes;
        slots[i].bytes = 0;
    }
    pthread_mutex_unlock(&mutex);
    __libc_free(memory);
}

__attribute__((destructor)) static void report(void) {
    const char* name = getenv("JCUCONV_COUNT");
    FILE* file = name == NULL ? NULL : fopen(name, "w");
    if (file == NULL) return;
    fprintf(file, "%zu\n", most);
    fclose(file);
}
