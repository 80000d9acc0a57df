// Judges a dump of a GPU by the emulated device's dump of the same kernel.
#pragma once

#include <string>

#include "conformance/dump.h"
#include "simt/mma.h"

namespace jcuconv::conformance {

struct Verdict {
    bool agrees;
    std::string text;  // what was found, also where they agree
};

// Bit for bit, NaN equal to NaN; elementary functions by a bound; rounding of mma by finding the rule that explains it.
Verdict compare(const Dump& gpu, const Dump& emulated);

// The smallest rule that gives all sums of a rounding dump: the fewest products per block, then the fewest extra bits.
struct Explanation {
    simt::MmaRounding rule;     // the nearest one, if none explains everything
    int unexplained = 0;        // sums that this rule gets wrong
    int first_unexplained = 0;  // index
};
Explanation explain(simt::MmaType type, const Dump& dump);

}  // namespace jcuconv::conformance
