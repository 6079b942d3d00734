# SPDX-License-Identifier: MIT
# CMake toolchain file: C programs with Hermit's musl.
#   cmake --toolchain .../musl/hermit-musl.cmake [-DHERMIT_MUSL_LINK=static|static-pie|dynamic]
# It lies in the musl directory of a build tree or of an installation; hermit-musl-gcc is found from
# there, unless HERMIT_MUSL_GCC (variable or environment) names it.
set(CMAKE_SYSTEM_NAME Linux)
set(CMAKE_SYSTEM_PROCESSOR x86_64)

if(NOT HERMIT_MUSL_GCC AND DEFINED ENV{HERMIT_MUSL_GCC})
  set(HERMIT_MUSL_GCC $ENV{HERMIT_MUSL_GCC})
endif()
# BUILD/musl and BUILD/bin; PREFIX/lib/hermit/musl, or one level more, and PREFIX/bin.
find_program(HERMIT_MUSL_GCC hermit-musl-gcc NO_CMAKE_FIND_ROOT_PATH
             HINTS ${CMAKE_CURRENT_LIST_DIR}/../bin ${CMAKE_CURRENT_LIST_DIR}/../../../bin
                   ${CMAKE_CURRENT_LIST_DIR}/../../../../bin)
if(NOT HERMIT_MUSL_GCC)
  message(FATAL_ERROR "hermit-musl-gcc not found: set HERMIT_MUSL_GCC")
endif()
set(CMAKE_C_COMPILER ${HERMIT_MUSL_GCC})

set(HERMIT_MUSL_LINK static CACHE STRING "How programs are linked: static, static-pie or dynamic")
set_property(CACHE HERMIT_MUSL_LINK PROPERTY STRINGS static static-pie dynamic)
if(HERMIT_MUSL_LINK STREQUAL "static")
  set(CMAKE_EXE_LINKER_FLAGS_INIT -static)
elseif(HERMIT_MUSL_LINK STREQUAL "static-pie")
  set(CMAKE_EXE_LINKER_FLAGS_INIT -static-pie)
elseif(NOT HERMIT_MUSL_LINK STREQUAL "dynamic")
  message(FATAL_ERROR "HERMIT_MUSL_LINK is ${HERMIT_MUSL_LINK}")
endif()

# The machine's own libraries and headers are another libc's.
set(CMAKE_FIND_ROOT_PATH ${CMAKE_CURRENT_LIST_DIR})
set(CMAKE_FIND_ROOT_PATH_MODE_PROGRAM NEVER)
set(CMAKE_FIND_ROOT_PATH_MODE_LIBRARY ONLY)
set(CMAKE_FIND_ROOT_PATH_MODE_INCLUDE ONLY)
set(CMAKE_FIND_ROOT_PATH_MODE_PACKAGE ONLY)
set(CMAKE_TRY_COMPILE_PLATFORM_VARIABLES HERMIT_MUSL_GCC HERMIT_MUSL_LINK)
