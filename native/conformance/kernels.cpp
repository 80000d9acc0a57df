#include "conformance/kernels.h"

namespace jcuconv::conformance {

namespace {

// Device memory that is released at the end of the scope.
class Memory {
  public:
    ~Memory() { (void)device::release(p_); }
    Outcome take(std::size_t bytes) { return device::allocate(bytes, &p_); }
    void* get() const { return p_; }

  private:
    void* p_ = nullptr;
};

}  // namespace

std::vector<Kernel> all_kernels() {
    std::vector<Kernel> all;
    for (const auto kernels : {thread_kernels(), copy_kernels(), layout_kernels(), rounding_kernels(), conversion_kernels(),
                               function_kernels(), gemm_kernels(), hopper_kernels()})
        all.insert(all.end(), kernels.begin(), kernels.end());
    return all;
}

Outcome run(const Kernel& kernel, Dump* dump) {
    dump->name = kernel.name;
    dump->type = kernel.type;
    dump->columns = kernel.columns;
    dump->bits.assign(static_cast<std::size_t>(kernel.rows) * static_cast<std::size_t>(kernel.columns), kUnwritten);
    const std::vector<std::uint32_t> input = kernel.input == nullptr ? std::vector<std::uint32_t>(1) : kernel.input();
    const std::size_t in_bytes = input.size() * sizeof(std::uint32_t), out_bytes = dump->bits.size() * sizeof(std::uint64_t);
    Memory in, out;
    JCUCONV_TRY(in.take(in_bytes));
    JCUCONV_TRY(out.take(out_bytes));
    JCUCONV_TRY(device::copy(in.get(), input.data(), in_bytes, device::Copy::kToDevice, nullptr));
    JCUCONV_TRY(device::copy(out.get(), dump->bits.data(), out_bytes, device::Copy::kToDevice, nullptr));
    JCUCONV_TRY(kernel.launch(static_cast<const std::uint32_t*>(in.get()), static_cast<std::uint64_t*>(out.get()),
                              static_cast<int>(dump->bits.size())));
    JCUCONV_TRY(device::copy(dump->bits.data(), out.get(), out_bytes, device::Copy::kToHost, nullptr));
    return device::stream_synchronize(nullptr);
}

}  // namespace jcuconv::conformance
