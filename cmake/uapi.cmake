# The kernel sees Linux's user API headers (package linux-libc-dev) and the compiler's own, and
# none of the C library's: a wrong include does not compile.
find_path(UAPI_LINUX linux/errno.h REQUIRED)
find_path(UAPI_ASM asm/unistd_64.h PATHS /usr/include/x86_64-linux-gnu REQUIRED)
find_path(BSD_TREE bsd/sys/tree.h REQUIRED)
set(UAPI_DIR ${CMAKE_BINARY_DIR}/uapi)
file(MAKE_DIRECTORY ${UAPI_DIR}/bsd/sys)
foreach(dir linux asm-generic)
  file(CREATE_LINK ${UAPI_LINUX}/${dir} ${UAPI_DIR}/${dir} SYMBOLIC)
endforeach()
file(CREATE_LINK ${UAPI_ASM}/asm ${UAPI_DIR}/asm SYMBOLIC)
file(CREATE_LINK ${BSD_TREE}/bsd/sys/tree.h ${UAPI_DIR}/bsd/sys/tree.h SYMBOLIC)
file(CREATE_LINK ${BSD_TREE}/bsd/sys/queue.h ${UAPI_DIR}/bsd/sys/queue.h SYMBOLIC)
# They only want this from the C library.
file(WRITE ${UAPI_DIR}/sys/cdefs.h "#pragma once\n")
file(WRITE ${UAPI_DIR}/bsd/sys/cdefs.h "#include <sys/cdefs.h>\n")
execute_process(COMMAND ${CMAKE_C_COMPILER} -print-file-name=include
                OUTPUT_VARIABLE COMPILER_INCLUDE OUTPUT_STRIP_TRAILING_WHITESPACE)

# Flags of everything that runs in the guest kernel.
add_library(hermit_guest INTERFACE)
target_link_libraries(hermit_guest INTERFACE hermit_warnings)
target_compile_options(hermit_guest INTERFACE
  -ffreestanding -nostdinc "SHELL:-isystem ${COMPILER_INCLUDE}" "SHELL:-isystem ${UAPI_DIR}"
  -mgeneral-regs-only -mpopcnt -mno-red-zone -fPIE -fvisibility=hidden -fno-stack-protector
  -fno-asynchronous-unwind-tables -fno-omit-frame-pointer -fcf-protection=none
  -fno-strict-aliasing -fno-delete-null-pointer-checks -ffunction-sections -fdata-sections)
target_include_directories(hermit_guest INTERFACE
  ${PROJECT_SOURCE_DIR}/include ${PROJECT_SOURCE_DIR}/kernel/include)
if(CMAKE_BUILD_TYPE STREQUAL "Debug")
  if(CMAKE_C_COMPILER_ID STREQUAL "GNU")
    target_compile_options(hermit_guest INTERFACE
      -fsanitize=undefined -fsanitize-undefined-trap-on-error)
  else()
    target_compile_options(hermit_guest INTERFACE -fsanitize=undefined -fsanitize-trap=all)
  endif()
endif()

# What is linked into the kernel image, and not into a host test.
add_library(hermit_image INTERFACE)
target_link_libraries(hermit_image INTERFACE hermit_guest)
target_compile_options(hermit_image INTERFACE
  "$<$<COMPILE_LANGUAGE:C>:SHELL:-include ${PROJECT_SOURCE_DIR}/kernel/include/kernel/hidden.h>")
