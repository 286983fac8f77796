# One interface target carries the language level, the warnings and the hardening of every file.
set(CMAKE_C_STANDARD 17)
set(CMAKE_C_STANDARD_REQUIRED ON)
set(CMAKE_C_EXTENSIONS OFF)
set(CMAKE_POSITION_INDEPENDENT_CODE ON)
if(NOT CMAKE_BUILD_TYPE)
  set(CMAKE_BUILD_TYPE RelWithDebInfo CACHE STRING "" FORCE)
endif()

option(XBUILD_WERROR "Warnings are errors" OFF)
option(XBUILD_SANITIZE "Build with AddressSanitizer and UndefinedBehaviorSanitizer" OFF)

include(CheckCCompilerFlag)
include(CheckPIESupported)
check_pie_supported()

add_library(xb_compile_flags INTERFACE)
target_compile_definitions(xb_compile_flags INTERFACE _GNU_SOURCE _FILE_OFFSET_BITS=64)
target_compile_options(xb_compile_flags INTERFACE
  -Wall -Wextra -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Wold-style-definition -Wvla -Wwrite-strings
  -Wpointer-arith -Wcast-qual -Wundef -Wformat=2 -Wimplicit-fallthrough -Wconversion -Wno-sign-conversion
  -Werror=format-security -Werror=implicit-function-declaration -Werror=incompatible-pointer-types
  -fno-strict-aliasing -fno-common)
if(XBUILD_WERROR)
  target_compile_options(xb_compile_flags INTERFACE -Werror)
endif()

function(xb_try_flag flag)
  string(MAKE_C_IDENTIFIER "HAVE${flag}" have)
  check_c_compiler_flag(${flag} ${have})
  if(${have})
    target_compile_options(xb_compile_flags INTERFACE ${flag})
  endif()
endfunction()

# gcc also takes a comment for the attribute that clang asks for
xb_try_flag(-Wimplicit-fallthrough=5)

if(XBUILD_SANITIZE)
  target_compile_options(xb_compile_flags INTERFACE -fsanitize=address,undefined -fno-sanitize-recover=all
    -fno-omit-frame-pointer
    # the checks that it adds keep gcc from seeing that a conversion in a library's macro is harmless
    -Wno-conversion)
  target_link_options(xb_compile_flags INTERFACE -fsanitize=address,undefined)
else()
  xb_try_flag(-fstack-protector-strong)
  xb_try_flag(-fstack-clash-protection)
  if(CMAKE_SYSTEM_PROCESSOR MATCHES "x86_64|amd64")
    xb_try_flag(-fcf-protection=full)
  else()
    xb_try_flag(-mbranch-protection=standard)
  endif()
  if(NOT CMAKE_BUILD_TYPE STREQUAL "Debug")
    target_compile_options(xb_compile_flags INTERFACE -U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=2)
  endif()
  if(NOT APPLE)
    target_link_options(xb_compile_flags INTERFACE -Wl,-z,relro,-z,now -Wl,-z,noexecstack)
  endif()
endif()
if(NOT APPLE)
  target_link_options(xb_compile_flags INTERFACE -Wl,--as-needed)
endif()
