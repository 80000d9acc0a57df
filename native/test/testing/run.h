// Makes a plan, runs it once with exact workspace, destroys it.
#pragma once

#include "test/testing/tensor.h"

namespace jcuconv::test {

template <class Problem>
bool run_plan(jcuconv_status (*create)(const Problem*, jcuconv_pass, uint64_t, jcuconv_handle*), const Problem& problem,
              jcuconv_pass pass, const Arguments& arguments) {
    jcuconv_handle plan = 0;
    std::uint64_t bytes = 0;
    jcuconv_status status = create(&problem, pass, UINT64_MAX, &plan);
    if (status == JCUCONV_OK) status = jcuconv_plan_workspace(plan, &bytes);
    {
        const Workspace workspace(bytes);
        if (status == JCUCONV_OK) status = jcuconv_execute(plan, arguments.data(), JCUCONV_ARG_COUNT, workspace.span(), nullptr);
        if (status == JCUCONV_OK) status = jcuconv_stream_synchronize(nullptr);
    }
    if (status != JCUCONV_OK) report(__FILE__, __LINE__, std::string(jcuconv_status_name(status)) + ": " + jcuconv_last_message());
    if (plan != 0) jcuconv_plan_destroy(plan);
    return status == JCUCONV_OK;
}

}  // namespace jcuconv::test
