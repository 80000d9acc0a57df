# What the sanitizer build has to find: mistakes that can leave every result right. Each is made by sanitizers/mistakes.cpp on purpose
# and has to end the program with the text named here.
add_executable(sanitizer_mistakes sanitizers/mistakes.cpp main.cpp)
target_link_libraries(sanitizer_mistakes PRIVATE jcuconv_simt)
add_test(NAME sanitizer_right COMMAND sanitizer_mistakes right)

function(jcuconv_finding mistake text)
  add_test(NAME sanitizer_finds_${mistake} COMMAND sanitizer_mistakes ${mistake})
  set_tests_properties(sanitizer_finds_${mistake} PROPERTIES PASS_REGULAR_EXPRESSION ${text})
endfunction()

jcuconv_finding(write_behind_registers "index 4 out of bounds for type 'float *\\[4\\]'")
jcuconv_finding(write_behind_stack "ERROR: AddressSanitizer: stack-buffer-overflow")
jcuconv_finding(write_on_a_stack_after_a_barrier "ERROR: AddressSanitizer: stack-buffer-overflow")
jcuconv_finding(write_behind_shared "ERROR: AddressSanitizer: use-after-poison")
jcuconv_finding(write_behind_global "ERROR: AddressSanitizer: use-after-poison")
jcuconv_finding(signed_overflow "signed integer overflow: 1 \\+ 2147483647")
jcuconv_finding(shift_by_the_width "shift exponent 32 is too large")
jcuconv_finding(misaligned_vector "misaligned address .* which requires 16 byte alignment")

# The same in a kernel that ships: one textual change of it, caught only because the build is instrumented.
function(jcuconv_finding_in_kernel name file before after text)
  file(READ ${PROJECT_SOURCE_DIR}/native/${file} content)
  string(FIND "${content}" "${before}" first)
  string(FIND "${content}" "${before}" last REVERSE)
  if(first EQUAL -1 OR NOT first EQUAL last)
    message(FATAL_ERROR "sanitizer finding ${name}: \"${before}\" must occur exactly once in ${file}")
  endif()
  string(REPLACE "${before}" "${after}" content "${content}")
  set(overlay ${CMAKE_CURRENT_BINARY_DIR}/planted/${name})
  file(CONFIGURE OUTPUT ${overlay}/${file} CONTENT "@content@" @ONLY)
  set_source_files_properties(${overlay}/${file} PROPERTIES LANGUAGE CXX)
  add_executable(sanitizer_${name} ${overlay}/${file})
  target_link_libraries(sanitizer_${name} PRIVATE conv2d_test_objects jcuconv_emulated)
  add_test(NAME sanitizer_finds_${name} COMMAND sanitizer_${name})
  set_tests_properties(sanitizer_finds_${name} PROPERTIES PASS_REGULAR_EXPRESSION ${text})
endfunction()

jcuconv_finding_in_kernel(depthwise_strip_too_long kernels/depthwise/depthwise_fprop.cu "for (int j = 0; j < kStrip; ++j) set_zero(sum[j]);"
  "for (int j = 0; j <= kStrip; ++j) set_zero(sum[j]);" "runtime error: index 4 out of bounds|stack-buffer-overflow")
jcuconv_finding_in_kernel(fprop_depth_overflows_and_comes_back kernels/conv2d/conv2d_fprop_implicit_gemm.cu "const int tap = depth / g.group_c;"
  "int far = depth + 0x7fffffff; far -= 0x7fffffff; const int tap = far / g.group_c;" "signed integer overflow")
