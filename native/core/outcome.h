// The result of a call inside the library: a status of the C API and one line that explains it.
#pragma once

#include <string>
#include <utility>

#include "jcuconv/status.h"

namespace jcuconv {

struct [[nodiscard]] Outcome {
    jcuconv_status status = JCUCONV_OK;
    std::string text;

    Outcome() = default;
    Outcome(jcuconv_status failed, std::string why) : status(failed), text(std::move(why)) {}

    bool ok() const { return status == JCUCONV_OK; }
};

// Leaves the calling function with the first outcome that is not OK.
#define JCUCONV_TRY(expression)                                         \
    do {                                                                \
        if (::jcuconv::Outcome outcome_ = (expression); !outcome_.ok()) \
            return outcome_;                                            \
    } while (false)

}  // namespace jcuconv
