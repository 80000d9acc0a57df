// Problem -> launch configuration for convolutions: pure host functions, tested without a GPU.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "core/conv2d_geometry.h"
#include "core/types.h"
#include "jcuconv/problem.h"
#include "heuristics/grouped_layout.h"
#include "heuristics/pixel_split.h"

namespace jcuconv {

enum class Conv2dTile { kLarge, kMedium, kSmall };

constexpr int tile_extent(Conv2dTile tile) { return tile == Conv2dTile::kLarge ? 128 : tile == Conv2dTile::kMedium ? 64 : 32; }

constexpr int tile_depth(Conv2dTile tile) { return tile == Conv2dTile::kLarge ? 8 : 16; }

enum class Conv2dAlgorithm { kImplicitGemm, kDepthwise, kPointwise, kMmaGemm, kGroupedMma, kWgmmaGemm };
constexpr Conv2dAlgorithm kConv2dAlgorithms[] = {Conv2dAlgorithm::kImplicitGemm, Conv2dAlgorithm::kDepthwise,
                                                 Conv2dAlgorithm::kPointwise, Conv2dAlgorithm::kMmaGemm,
                                                 Conv2dAlgorithm::kGroupedMma, Conv2dAlgorithm::kWgmmaGemm};

struct Conv2dConfig {
    Conv2dAlgorithm algorithm = Conv2dAlgorithm::kImplicitGemm;
    Conv2dTile tile = Conv2dTile::kSmall;  // of the GEMMs
    int vec = 1;  // elements per access: 4 or 1; of the tensor cores 16 bytes or 1
    int vec_out = 1;  // elements per store of the tensor-core kernels
    jcuconv_math math = JCUCONV_MATH_EXACT;
    int pack = 1;  // neighbouring groups that one block takes together
    PixelSplit split;  // of wgrad
    GroupedLayout layout;  // of kGroupedMma

    bool operator==(const Conv2dConfig&) const = default;
};

// What a choice depends on. `alignment`: what the caller promises for every tensor, in bytes. `workspace_limit`: upper bound for
// the workspace. Of the device only its architecture, never its size or load, because bits depend on the choice.
struct Conv2dTask {
    const Conv2dGeometry& g;
    jcuconv_type type;
    jcuconv_pass pass;
    int alignment;
    std::size_t workspace_limit;
    jcuconv_math math = JCUCONV_MATH_EXACT;
    int architecture = 90;  // compute capability, major * 10 + minor
    bool y_f32 = false;     // of fprop: y is fp32 whatever the type
};

// Bytes of an element of what fprop writes.
inline std::size_t output_size(const Conv2dTask& t) { return t.y_f32 ? sizeof(float) : size_of(t.type); }

// True if the algorithm can do it at all, whether or not it would be chosen.
bool conv2d_legal(Conv2dAlgorithm algorithm, const Conv2dTask& task);

// How a legal algorithm does it.
Conv2dConfig configure_conv2d(Conv2dAlgorithm algorithm, const Conv2dTask& task);

// The first row of the table of algorithms that is legal and pays; where none is, because of a max-pool, implicit_gemm.
Conv2dConfig choose_conv2d(const Conv2dTask& task);

// Everything that is legal, for those who measure: each row that can do it, with every tile that it is compiled for and, in wgrad, with
// parts for a few numbers of blocks. No two are alike, choose_conv2d's is among them, and the order depends on the task alone.
std::vector<Conv2dConfig> conv2d_choices(const Conv2dTask& task);

// Why the rows before the chosen one were passed over: "not depthwise: groups of more than one channel; not grouped_mma: fp32"; empty if
// it is the first.
std::string explain_conv2d(const Conv2dTask& task);

// What wgrad counts when it is split: pixels, or the units of the algorithm.
std::int64_t reduction_size(const Conv2dGeometry& g, const Conv2dConfig& config);

const char* name_of(Conv2dAlgorithm algorithm);

// The part of its unit's peak that the inner loop of a configuration is expected to reach, 1 for kernels that memory bounds.
double inner_loop_rate(const Conv2dConfig& config);

// One line for logs: "implicit_gemm tile 64x64 vec 4 splits 3 workspace 1024".
std::string describe(const Conv2dConfig& config);

}  // namespace jcuconv
