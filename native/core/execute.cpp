#include "core/plan.h"

namespace jcuconv {

namespace {

constexpr std::uint64_t kWorkspaceAlignment = 256;

struct Named {
    const char* name;
    jcuconv_status status;
};
constexpr Named kSlots[] = {{"x", JCUCONV_INVALID_X},         {"w", JCUCONV_INVALID_W},         {"bias", JCUCONV_INVALID_BIAS},
                            {"y", JCUCONV_INVALID_Y},         {"dx", JCUCONV_INVALID_DX},       {"dw", JCUCONV_INVALID_DW},
                            {"dbias", JCUCONV_INVALID_DBIAS}, {"dy", JCUCONV_INVALID_DY},       {"saved", JCUCONV_INVALID_SAVED},
                            {"state", JCUCONV_INVALID_STATE}};
constexpr Named kWorkspace = {"workspace", JCUCONV_INVALID_WORKSPACE};
static_assert(std::size(kSlots) == static_cast<std::size_t>(Slot::kCount));

Named named(Slot slot) { return kSlots[static_cast<std::size_t>(slot)]; }

std::array<jcuconv_span, static_cast<std::size_t>(Slot::kCount)> spans(const jcuconv_tensors& t) {
    return {t.x, t.w, t.bias, t.y, t.dx, t.dw, t.dbias, t.dy, t.saved, t.state};
}

Outcome check(const Named& what, const jcuconv_span& span, std::uint64_t bytes, std::uint64_t alignment) {
    const auto wrong = [&](const std::string& text) { return Outcome(what.status, std::string(what.name) + text); };
    if (span.address == nullptr) return wrong(" is null: this plan needs it");
    if (span.bytes < bytes)
        return wrong(" has " + std::to_string(span.bytes) + " bytes: this plan needs " + std::to_string(bytes));
    if (reinterpret_cast<std::uintptr_t>(span.address) % alignment != 0)
        return wrong(" is not aligned to " + std::to_string(alignment) + " bytes");
    if (!device::is_device_memory(span.address, bytes)) return wrong(" is not inside live memory of this device");
    return {};
}

bool overlap(const device::Access& a, const device::Access& b) {
    const auto a0 = reinterpret_cast<std::uintptr_t>(a.begin), b0 = reinterpret_cast<std::uintptr_t>(b.begin);
    return a0 < b0 + b.bytes && b0 < a0 + a.bytes;
}

}  // namespace

Outcome execute(const Plan& plan, const jcuconv_tensors& tensors, jcuconv_span workspace, device::Stream stream) {
    const auto given = spans(tensors);
    Tensors addresses;
    std::vector<device::Access> accesses;
    std::vector<const Argument*> owners;
    for (const Argument& argument : plan.arguments) {
        const jcuconv_span& span = given[static_cast<std::size_t>(argument.slot)];
        JCUCONV_TRY(check(named(argument.slot), span, argument.bytes, static_cast<std::uint64_t>(argument.alignment)));
        addresses.address[static_cast<std::size_t>(argument.slot)] = span.address;
        accesses.push_back({span.address, argument.bytes, argument.writes});
        owners.push_back(&argument);
    }
    if (plan.workspace_bytes > 0) {
        JCUCONV_TRY(check(kWorkspace, workspace, plan.workspace_bytes, kWorkspaceAlignment));
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
            const Named culprit = owners[written] ? named(owners[written]->slot) : kWorkspace;
            const Named victim = owners[other] ? named(owners[other]->slot) : kWorkspace;
            return {culprit.status, std::string(culprit.name) + " overlaps " + victim.name};
        }
    }
    const device::Using declared(accesses);
    return plan.run(addresses, workspace.address, stream);
}

}  // namespace jcuconv
