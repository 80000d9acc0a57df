// The natives of io.github.jcuconv.cuda.DeviceNatives.
#include <cstddef>
#include <cstdint>
#include <type_traits>

#include "jni/guard.h"
#include "io_github_jcuconv_cuda_DeviceNatives.h"

using jcuconv::jni::Library;
using jcuconv::jni::made_by;
using jcuconv::jni::part_of;
using jcuconv::jni::pointer;
using jcuconv::jni::status_of;

#define NATIVE(type, name) JNIEXPORT type JNICALL Java_io_github_jcuconv_cuda_DeviceNatives_##name

extern "C" {

NATIVE(jint, open)(JNIEnv* env, jclass, jstring path) {
    const char* text = path == nullptr ? nullptr : env->GetStringUTFChars(path, nullptr);
    const jint library = jcuconv::jni::open_library(text);
    if (text != nullptr) env->ReleaseStringUTFChars(path, text);
    return library;
}

NATIVE(jstring, openError)(JNIEnv* env, jclass) { return env->NewStringUTF(jcuconv::jni::open_error()); }

NATIVE(jstring, lastMessage)(JNIEnv* env, jclass, jint library) {
    const Library* api = jcuconv::jni::find_library(library);
    return env->NewStringUTF(api == nullptr ? "no such library" : api->jcuconv_last_message());
}

NATIVE(jlong, version)(JNIEnv*, jclass, jint library) {
    return made_by<std::uint32_t>(library, [](const Library& api, std::uint32_t* version) {
        *version = api.jcuconv_version();
        return JCUCONV_OK;
    });
}

NATIVE(jint, deviceCount)(JNIEnv*, jclass, jint library) {
    return static_cast<jint>(made_by<int>(library, [](const Library& api, int* count) { return api.jcuconv_device_count(count); }));
}

NATIVE(jstring, describe)(JNIEnv* env, jclass, jint library) {
    char text[256] = "";
    status_of(library, [&](const Library& api) { return api.jcuconv_device_describe(text, sizeof text); });
    return env->NewStringUTF(text);
}

NATIVE(jlong, freeMemory)(JNIEnv*, jclass, jint library) {
    std::uint64_t total = 0;
    return made_by<std::uint64_t>(
        library, [&](const Library& api, std::uint64_t* left) { return api.jcuconv_memory_info(left, &total); });
}

NATIVE(jlong, malloc)(JNIEnv*, jclass, jint library, jlong bytes) {
    return made_by<void*>(library, [&](const Library& api, void** address) {
        return api.jcuconv_malloc(static_cast<std::uint64_t>(bytes), address);
    });
}

NATIVE(jint, free)(JNIEnv*, jclass, jint library, jlong address) {
    return status_of(library, [&](const Library& api) { return api.jcuconv_free(pointer(address)); });
}

NATIVE(jobject, mallocHost)(JNIEnv* env, jclass, jint library, jlong bytes) {
    const jlong address = made_by<void*>(library, [&](const Library& api, void** memory) {
        return api.jcuconv_malloc_host(static_cast<std::uint64_t>(bytes), memory);
    });
    return address <= 0 ? nullptr : env->NewDirectByteBuffer(pointer(address), bytes);
}

NATIVE(jint, freeHost)(JNIEnv* env, jclass, jint library, jobject memory) {
    return status_of(library, [&](const Library& api) { return api.jcuconv_free_host(part_of(env, memory, 0, 0)); });
}

NATIVE(jint, wrap)(JNIEnv*, jclass, jint library, jlong address, jlong bytes) {
    return status_of(library, [&](const Library& api) {
        return api.jcuconv_wrap(pointer(address), static_cast<std::uint64_t>(bytes));
    });
}

NATIVE(jint, unwrap)(JNIEnv*, jclass, jint library, jlong address) {
    return status_of(library, [&](const Library& api) { return api.jcuconv_unwrap(pointer(address)); });
}

NATIVE(jint, upload)(JNIEnv* env, jclass, jint library, jobject from, jlong offset, jlong bytes, jlong to, jlong stream) {
    return status_of(library, [&](const Library& api) {
        return api.jcuconv_copy_to_device(pointer(to), part_of(env, from, offset, bytes), static_cast<std::uint64_t>(bytes),
                                          pointer(stream));
    });
}

NATIVE(jint, download)(JNIEnv* env, jclass, jint library, jlong from, jobject to, jlong offset, jlong bytes, jlong stream) {
    return status_of(library, [&](const Library& api) {
        return api.jcuconv_copy_to_host(part_of(env, to, offset, bytes), pointer(from), static_cast<std::uint64_t>(bytes),
                                        pointer(stream));
    });
}

NATIVE(jint, copy)(JNIEnv*, jclass, jint library, jlong from, jlong to, jlong bytes, jlong stream) {
    return status_of(library, [&](const Library& api) {
        return api.jcuconv_copy_on_device(pointer(to), pointer(from), static_cast<std::uint64_t>(bytes), pointer(stream));
    });
}

NATIVE(jint, fill)(JNIEnv*, jclass, jint library, jlong to, jint value, jlong bytes, jlong stream) {
    return status_of(library, [&](const Library& api) {
        return api.jcuconv_fill(pointer(to), static_cast<std::uint8_t>(value), static_cast<std::uint64_t>(bytes), pointer(stream));
    });
}

NATIVE(jlong, streamCreate)(JNIEnv*, jclass, jint library) {
    return made_by<jcuconv_stream>(library,
                                   [](const Library& api, jcuconv_stream* stream) { return api.jcuconv_stream_create(stream); });
}

NATIVE(jlong, streamWrap)(JNIEnv*, jclass, jint library, jlong native) {
    return made_by<jcuconv_stream>(library, [&](const Library& api, jcuconv_stream* stream) {
        return api.jcuconv_stream_wrap(pointer(native), stream);
    });
}

NATIVE(jlong, streamNative)(JNIEnv*, jclass, jint library, jlong stream) {
    return made_by<void*>(library, [&](const Library& api, void** native) { return api.jcuconv_stream_native(pointer(stream), native); });
}

NATIVE(jint, streamSynchronize)(JNIEnv*, jclass, jint library, jlong stream) {
    return status_of(library, [&](const Library& api) { return api.jcuconv_stream_synchronize(pointer(stream)); });
}

NATIVE(jint, streamDestroy)(JNIEnv*, jclass, jint library, jlong stream) {
    return status_of(library, [&](const Library& api) { return api.jcuconv_stream_destroy(pointer(stream)); });
}

NATIVE(jint, streamWaitEvent)(JNIEnv*, jclass, jint library, jlong stream, jlong event) {
    return status_of(library, [&](const Library& api) {
        return api.jcuconv_stream_wait_event(pointer(stream), static_cast<jcuconv_handle>(event));
    });
}

NATIVE(jlong, eventCreate)(JNIEnv*, jclass, jint library) {
    return made_by<jcuconv_handle>(library,
                                   [](const Library& api, jcuconv_handle* event) { return api.jcuconv_event_create(event); });
}

NATIVE(jint, eventRecord)(JNIEnv*, jclass, jint library, jlong event, jlong stream) {
    return status_of(library, [&](const Library& api) {
        return api.jcuconv_event_record(static_cast<jcuconv_handle>(event), pointer(stream));
    });
}

NATIVE(jint, eventSynchronize)(JNIEnv*, jclass, jint library, jlong event) {
    return status_of(library, [&](const Library& api) { return api.jcuconv_event_synchronize(static_cast<jcuconv_handle>(event)); });
}

NATIVE(jlong, eventElapsed)(JNIEnv*, jclass, jint library, jlong from, jlong to) {
    return made_by<std::uint64_t>(library, [&](const Library& api, std::uint64_t* nanoseconds) {
        return api.jcuconv_event_elapsed(static_cast<jcuconv_handle>(from), static_cast<jcuconv_handle>(to), nanoseconds);
    });
}

NATIVE(jint, eventDestroy)(JNIEnv*, jclass, jint library, jlong event) {
    return status_of(library, [&](const Library& api) { return api.jcuconv_event_destroy(static_cast<jcuconv_handle>(event)); });
}

NATIVE(jint, graphBegin)(JNIEnv*, jclass, jint library, jlong stream) {
    return status_of(library, [&](const Library& api) { return api.jcuconv_graph_begin(pointer(stream)); });
}

NATIVE(jlong, graphEnd)(JNIEnv*, jclass, jint library, jlong stream) {
    return made_by<jcuconv_handle>(library, [&](const Library& api, jcuconv_handle* graph) {
        return api.jcuconv_graph_end(pointer(stream), graph);
    });
}

NATIVE(jint, graphLaunch)(JNIEnv*, jclass, jint library, jlong graph, jlong stream) {
    return status_of(library, [&](const Library& api) {
        return api.jcuconv_graph_launch(static_cast<jcuconv_handle>(graph), pointer(stream));
    });
}

NATIVE(jint, graphDestroy)(JNIEnv*, jclass, jint library, jlong graph) {
    return status_of(library, [&](const Library& api) { return api.jcuconv_graph_destroy(static_cast<jcuconv_handle>(graph)); });
}
}
