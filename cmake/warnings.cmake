# Strict warnings for every target of the project.
add_library(hermit_warnings INTERFACE)
target_compile_options(hermit_warnings INTERFACE
  -Wall -Wextra -Werror -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Wpointer-arith
  -Wvla -Wundef -Wwrite-strings -Wimplicit-fallthrough -Wno-unused-parameter
  # KVM's own structures end in arrays that their users lay out behind them.
  $<$<C_COMPILER_ID:Clang>:-Wno-gnu-variable-sized-type-not-at-end>)

# Host code in a debug build runs under ASan and UBSan.
add_library(hermit_host INTERFACE)
target_link_libraries(hermit_host INTERFACE hermit_warnings)
target_compile_definitions(hermit_host INTERFACE _GNU_SOURCE)
target_include_directories(hermit_host INTERFACE ${PROJECT_SOURCE_DIR}/include)
if(CMAKE_BUILD_TYPE STREQUAL "Debug")
  target_compile_options(hermit_host INTERFACE -fsanitize=address,undefined -fno-omit-frame-pointer)
  target_link_options(hermit_host INTERFACE -fsanitize=address,undefined)
endif()
