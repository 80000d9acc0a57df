#include "core/device_objects.h"
#include "core/memory_registry.h"
#include "core/plan.h"

namespace jcuconv {

namespace {

constexpr std::uint64_t kWorkspaceAlignment = 256;

constexpr const char* kNames[] = {
    "x",     "x2",     "w",    "bias",  "y",      "residual",     "dx",          "dw",        "dbias",    "dy",
    "argmax", "saved", "gamma", "beta",  "dgamma", "dbeta",        "running_mean", "running_var", "save_mean", "save_var",
    "labels", "loss",  "loss_scale", "hyper", "m",  "v",            "w_storage",   "seed",      "flag",
    "rates",  "counters", "dx2", "scale"};
static_assert(std::size(kNames) == JCUCONV_ARG_COUNT);
static_assert(int{JCUCONV_INVALID_SCALE} == int{JCUCONV_INVALID_X} + int{JCUCONV_ARG_SCALE},
              "statuses count like arguments");

struct Named {
    const char* name;
    jcuconv_status status;
};
constexpr Named kWorkspace = {"workspace", JCUCONV_INVALID_WORKSPACE};

Named named(jcuconv_arg arg) { return {kNames[arg], static_cast<jcuconv_status>(int{JCUCONV_INVALID_X} + int{arg})}; }

Outcome check(const MemoryRegistry::Reading& memory, const Named& what, const jcuconv_span& span, std::uint64_t bytes,
              std::uint64_t alignment) {
    const auto wrong = [&](const std::string& text) { return Outcome(what.status, std::string(what.name) + text); };
    if (span.address == nullptr) return wrong(" is null: this plan needs it");
    if (span.bytes < bytes)
        return wrong(" has " + std::to_string(span.bytes) + " bytes: this plan needs " + std::to_string(bytes));
    if (reinterpret_cast<std::uintptr_t>(span.address) % alignment != 0)
        return wrong(" is not aligned to " + std::to_string(alignment) + " bytes");
    if (!memory.on_device(span.address, bytes)) return wrong(" is not inside live memory of this device");
    return {};
}

bool overlap(const device::Access& a, const device::Access& b) {
    const auto a0 = reinterpret_cast<std::uintptr_t>(a.begin), b0 = reinterpret_cast<std::uintptr_t>(b.begin);
    return a0 < b0 + b.bytes && b0 < a0 + a.bytes;
}

}  // namespace

Outcome execute(const Plan& plan, std::span<const jcuconv_span> spans, jcuconv_span workspace, const StreamUse& stream) {
    const MemoryRegistry::Reading memory;
    Tensors addresses;
    std::vector<device::Access> accesses;
    std::vector<const Argument*> owners;
    for (const Argument& argument : plan.arguments) {
        if (spans.size() <= argument.arg)
            return {JCUCONV_INVALID_ARGUMENTS, "the array of " + std::to_string(spans.size()) + " arguments lacks " +
                                                   kNames[argument.arg]};
        const jcuconv_span& span = spans[argument.arg];
        JCUCONV_TRY(check(memory, named(argument.arg), span, argument.bytes, static_cast<std::uint64_t>(argument.alignment)));
        addresses.address[argument.arg] = span.address;
        accesses.push_back({span.address, argument.bytes, argument.writes});
        owners.push_back(&argument);
    }
    if (plan.workspace_bytes > 0) {
        JCUCONV_TRY(check(memory, kWorkspace, workspace, plan.workspace_bytes, kWorkspaceAlignment));
        accesses.push_back({workspace.address, plan.workspace_bytes, true});
        owners.push_back(nullptr);
    }
    for (std::size_t i = 0; i < accesses.size(); ++i) {
        for (std::size_t j = 0; j < i; ++j) {
            if (!(accesses[i].writes || accesses[j].writes) || !overlap(accesses[i], accesses[j])) continue;
            const bool in_place = owners[i] != nullptr && owners[i]->in_place && owners[j]->in_place &&
                                  accesses[i].begin == accesses[j].begin;
            if (in_place) continue;
            const std::size_t written = accesses[i].writes ? i : j, other = written == i ? j : i;
            const Named culprit = owners[written] ? named(owners[written]->arg) : kWorkspace;
            const Named victim = owners[other] ? named(owners[other]->arg) : kWorkspace;
            return {culprit.status, std::string(culprit.name) + " overlaps " + victim.name};
        }
    }
    for (const device::Access& access : accesses) stream.keep(access.begin, access.bytes);
    const device::Using declared(accesses);
    return plan.run(addresses, workspace.address, stream.native());
}

}  // namespace jcuconv
