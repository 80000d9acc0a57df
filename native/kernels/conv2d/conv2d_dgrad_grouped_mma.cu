// Convolution data gradient of groups of few channels on tensor cores: dx[n,h,w,c] = sum over the taps (r,s) that met (h,w), and over k of
// the group, of dy[n,p,q,k] * w[k,r,s,c]. Also the forward pass of the transposed convolution, hence the epilogue.
//
// Layouts    dy NPQK, w KRSC, dx NHWC in fp16 or bf16. Channels at a pitch.
// Mapping    kernels/conv2d/conv2d_grouped_mma.h, as fprop with dy for x. Pixels of dx with the same remainder by the stride ("phase") meet
//            the same taps, at a fixed distance backwards: a phase is a convolution of stride 1. Grid: x runs of tiles, y packs of
//            groups, z phases.
// Limits     As fprop, with k and y_pitch divisible by 8 and an even number of channels per group.
// Resources  As fprop. Cost: 2*n*p*q*k*r*s*c/groups FLOP; floor bytes of dy + w + dx over bandwidth.
// Lost       As fprop. All phases in one block would load dy once instead of once per phase, from the L2 though.
#include "heuristics/conv2d_launch.h"
#include "heuristics/conv2d_phases.h"
#include "heuristics/kernel_budget.h"
#include "kernels/common/grid.h"
#include "kernels/conv2d/conv2d_grouped_mma.h"
#include "kernels/conv2d/conv2d_mma_gemm.h"

namespace jcuconv {

namespace {

// The pixels of a phase along one axis, as outputs.
JCUCONV_DEVICE GroupedAxis axis_of(const PhaseAxis& phase, int inputs, int outputs, int pad, int stride, int dilation) {
    return {phase.count, phase.first, stride, inputs, 1, phase.tap_count, phase.output(0, pad, stride, dilation),
            phase.output_step(stride, dilation), outputs};
}

template <class T>
JCUCONV_KERNEL(kGroupedThreads, 4)
conv2d_dgrad_grouped_mma_kernel(const Conv2dGeometry g, const GroupedLayout layout, const T* dy, const T* w, T* dx, bool vectors_out,
                                const Conv2dEpilogue epilogue) {
    if constexpr (!has_mma<T>()) {
        refuse("this architecture's tensor cores do not know the type");
    } else {
        const Phase phase(g, static_cast<int>(block_index().z));
        const PhaseAxis &rows = phase.rows, &columns = phase.columns;
        const GroupedProblem<T> problem{axis_of(rows, g.h, g.p, g.pad_top, g.stride_h, g.dilation_h),
                                        axis_of(columns, g.w, g.q, g.pad_left, g.stride_w, g.dilation_w),
                                        g.n, g.groups, g.group_k, g.group_c, dy, g.y_pitch, dx, g.x_pitch};
        const GroupedBlock<T> block(layout, problem, shared<typename GroupedBlock<T>::Shared>());
        block.run([&](int group, int c, int tap, int k) {
            const int r = rows.tap_first + tap / columns.tap_count * rows.tap_step;
            const int s = columns.tap_first + tap % columns.tap_count * columns.tap_step;
            return w + (((std::int64_t{group} * g.group_k + k) * g.r + r) * g.s + s) * g.group_c + c;
        }, vectors_out, epilogue);
    }
}

static_assert(kernel_budget("conv2d_dgrad_grouped_mma").threads == kGroupedThreads);

}  // namespace

Outcome conv2d_dgrad_grouped_mma(const Conv2dGeometry& g, jcuconv_type type, const Conv2dConfig& config, const void* dy, const void* w,
                                 void* dx, const Conv2dEpilogue& epilogue, device::Stream stream) {
    const LaunchShape shape = conv2d_launch(g, JCUCONV_DGRAD, config);
    const auto run = [&]<class T>() {
        return launch("conv2d_dgrad_grouped_mma", conv2d_dgrad_grouped_mma_kernel<T>, grid_of(shape), shape.threads, shape.shared_bytes, stream,
                      g, config.layout, static_cast<const T*>(dy), static_cast<const T*>(w), static_cast<T*>(dx),
                      config.vec_out > 1, epilogue);
    };
    return type == JCUCONV_F16 ? run.template operator()<f16>() : run.template operator()<bf16>();
}

}  // namespace jcuconv
