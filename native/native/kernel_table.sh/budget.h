    {"conv2d_fprop_gemm", 128, 256, 168},
    {"conv2d_fprop_gemm", 64, 256, 128},
