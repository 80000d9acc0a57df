// Words that error messages share.
#pragma once

#include <cstring>
#include <string>

#include "simt/executor.h"

namespace jcuconv::simt {

// file.cu:17
inline std::string place(const Where& where) {
    const char* slash = std::strrchr(where.file_name(), '/');
    return std::string(slash == nullptr ? where.file_name() : slash + 1) + ":" + std::to_string(where.line());
}

// 16-31
inline std::string bytes_text(std::size_t offset, std::size_t bytes) {
    return std::to_string(offset) + "-" + std::to_string(offset + bytes - 1);
}

}  // namespace jcuconv::simt
