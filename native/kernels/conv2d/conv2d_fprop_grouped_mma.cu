// Convolution forward of groups of few channels on tensor cores: y[n,p,q,k] = sum over r,s,c of the group of
// x[n, p*u - pad + r*d, ..., c] * w[k,r,s,c], then the epilogue.
//
// Layouts    x NHWC, w KRSC, y NPQK in fp16 or bf16; bias fp32. Channels at a pitch.
// Mapping    kernels/conv2d/conv2d_grouped_mma.h. A block of four warps takes up to 32 channels of neighbouring groups and, one after the
//            other, some tiles of at most 128 outputs of an image; a warp 64 outputs and two times eight filters, each of one group.
//            Grid: x runs of tiles, y packs of groups.
// Limits     Any stride, dilation, padding, as far as a tile with its rim fits into 48 KB beside the filters. c and x_pitch divisible by 8,
//            tensors aligned to 16 bytes, at most 32 channels and filters per group, an even number of filters. bf16 needs sm_80.
// Resources  48 KB. Cost: 2*n*p*q*k*r*s*c/groups FLOP; floor bytes of x + w + y over bandwidth. For 3x3 windows and 4 of 4 channels a step
//            of mma is used to 9/10 in the taps, half in the depth and half in the columns: 4.4 times the FLOP.
// Lost       By estimate, for 256 images of 56x56 pixels and 128 channels in 32 groups (floor 96 us; x and y are 411 MB, 7.4 GFLOP):
//            one group in a tile of 128x32, scalars: 8 times the FLOP and 926 million scalar loads, 430 us and more. Packs of groups in an
//            im2col tile: x goes 9 times through the L2, 1.85 GB, 340 us; and block-diagonal filters turn an infinity into NaN in other
//            groups. FMA without tensor cores: 123 us at their peak, 250 us at half of it. Here: 33 GFLOP of mma are 67 us at its
//            peak; clearing registers and addresses take more, about 180 us in all. To exchange halves of registers between lanes instead of
//            clearing them would save the half of the depth, for a shuffle per register.
#include "heuristics/conv2d_launch.h"
#include "heuristics/kernel_budget.h"
#include "kernels/common/grid.h"
#include "kernels/conv2d/conv2d_grouped_mma.h"
#include "kernels/conv2d/conv2d_mma_gemm.h"

namespace jcuconv {

namespace {

template <class T>
JCUCONV_KERNEL(kGroupedThreads, 4)
conv2d_fprop_grouped_mma_kernel(const Conv2dGeometry g, const GroupedLayout layout, const T* x, const T* w, T* y, bool vectors_out,
                                const Conv2dEpilogue epilogue) {
    if constexpr (!has_mma<T>()) {
        refuse("this architecture's tensor cores do not know the type");
    } else {
        const GroupedProblem<T> problem{{g.p, 0, 1, g.p, g.stride_h, g.r, -g.pad_top, g.dilation_h, g.h},
                                        {g.q, 0, 1, g.q, g.stride_w, g.s, -g.pad_left, g.dilation_w, g.w},
                                        g.n, g.groups, g.group_c, g.group_k, x, g.x_pitch, y, g.y_pitch};
        const GroupedBlock<T> block(layout, problem, shared<typename GroupedBlock<T>::Shared>());
        block.run([&](int group, int filter, int tap, int c) {
            return w + ((std::int64_t{group} * g.group_k + filter) * g.r * g.s + tap) * g.group_c + c;
        }, vectors_out, epilogue);
    }
}

static_assert(kernel_budget("conv2d_fprop_grouped_mma").threads == kGroupedThreads);

}  // namespace

Outcome conv2d_fprop_grouped_mma(const Conv2dGeometry& g, jcuconv_type type, const Conv2dConfig& config, const void* x, const void* w,
                                 void* y, const Conv2dEpilogue& epilogue, device::Stream stream) {
    const LaunchShape shape = conv2d_launch(g, JCUCONV_FPROP, config);
    const auto run = [&]<class T>() {
        return launch("conv2d_fprop_grouped_mma", conv2d_fprop_grouped_mma_kernel<T>, grid_of(shape), shape.threads, shape.shared_bytes, stream,
                      g, config.layout, static_cast<const T*>(x), static_cast<const T*>(w), static_cast<T*>(y),
                      config.vec_out > 1, epilogue);
    };
    return type == JCUCONV_F16 ? run.template operator()<f16>() : run.template operator()<bf16>();
}

}  // namespace jcuconv
