# The kernel's memcpy, strlen and so on are musl's, compiled with the kernel's flags (no vector
# registers).  The source is a Debian source package at a pinned version, fetched when the build
# is configured; nothing of it is committed.  Needs the interface target hermit_guest (uapi.cmake).
execute_process(
  COMMAND ${Python3_EXECUTABLE} ${CMAKE_CURRENT_LIST_DIR}/../scripts/fetch-source musl
  OUTPUT_VARIABLE MUSL_SOURCE OUTPUT_STRIP_TRAILING_WHITESPACE
  RESULT_VARIABLE MUSL_FETCH_STATUS)
if(NOT MUSL_FETCH_STATUS EQUAL 0)
  message(FATAL_ERROR "the source of musl's string functions could not be fetched (see above)")
endif()

# What musl's own Makefile does to make bits/alltypes.h.
set(MUSL_GENERATED ${CMAKE_BINARY_DIR}/musl_string/include)
file(MAKE_DIRECTORY ${MUSL_GENERATED}/bits)
execute_process(
  COMMAND sed -f ${MUSL_SOURCE}/tools/mkalltypes.sed
          ${MUSL_SOURCE}/arch/x86_64/bits/alltypes.h.in ${MUSL_SOURCE}/include/alltypes.h.in
  OUTPUT_FILE ${MUSL_GENERATED}/bits/alltypes.h COMMAND_ERROR_IS_FATAL ANY)

set(MUSL_STRING_C memcmp memchr memrchr strlen strnlen strcmp strncmp strchr strrchr strchrnul
                  strstr strlcpy)
set(MUSL_STRING_S memcpy memmove memset)
list(TRANSFORM MUSL_STRING_C PREPEND ${MUSL_SOURCE}/src/string/)
list(TRANSFORM MUSL_STRING_C APPEND .c)
list(TRANSFORM MUSL_STRING_S PREPEND ${MUSL_SOURCE}/src/string/x86_64/)
list(TRANSFORM MUSL_STRING_S APPEND .s)

add_library(musl_string OBJECT ${MUSL_STRING_C} ${MUSL_STRING_S})
target_link_libraries(musl_string PRIVATE hermit_guest)
# In musl's order: its internal headers shadow the public ones.
target_include_directories(musl_string BEFORE PRIVATE
  ${MUSL_SOURCE}/arch/x86_64 ${MUSL_SOURCE}/arch/generic ${MUSL_SOURCE}/src/include
  ${MUSL_SOURCE}/src/internal ${MUSL_GENERATED} ${MUSL_SOURCE}/include)
# Per source, because these must come after what hermit_guest sets.  Third-party code: its own
# language level, no warnings and no sanitizer (word-at-a-time loops read beyond a string's end);
# the compiler must not turn memcmp's loop into a call of memcmp.
set_source_files_properties(${MUSL_STRING_C} PROPERTIES COMPILE_OPTIONS
  "-std=c99;-D_XOPEN_SOURCE=700;-w;-fno-sanitize=all;-fno-builtin;-fomit-frame-pointer")
set_source_files_properties(${MUSL_STRING_S} PROPERTIES COMPILE_OPTIONS "-w;-Wa,--noexecstack")
