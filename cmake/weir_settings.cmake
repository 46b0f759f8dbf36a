# Compiler settings that hold for every target, and the places where outputs go.

if(NOT CMAKE_BUILD_TYPE AND NOT CMAKE_CONFIGURATION_TYPES)
  set(CMAKE_BUILD_TYPE Release CACHE STRING "Release, Dev, Asan, Tsan ..." FORCE)
endif()

set(CMAKE_CXX_STANDARD 20)
set(CMAKE_CXX_STANDARD_REQUIRED ON)
set(CMAKE_CXX_EXTENSIONS OFF)
set(CMAKE_C_STANDARD 99)
set(CMAKE_C_EXTENSIONS OFF)
set(CMAKE_POSITION_INDEPENDENT_CODE ON)
set(CMAKE_CXX_VISIBILITY_PRESET hidden)
set(CMAKE_C_VISIBILITY_PRESET hidden)
set(CMAKE_VISIBILITY_INLINES_HIDDEN ON)
set(CMAKE_EXPORT_COMPILE_COMMANDS ON)

set(CMAKE_RUNTIME_OUTPUT_DIRECTORY ${PROJECT_BINARY_DIR}/bin)
set(CMAKE_LIBRARY_OUTPUT_DIRECTORY ${PROJECT_BINARY_DIR}/lib)
set(CMAKE_ARCHIVE_OUTPUT_DIRECTORY ${PROJECT_BINARY_DIR}/lib)

# The numeric contract needs -ffp-contract=off: a fused multiply-add stands only where it is written.
# -Wrestrict of g++ 12 is wrong about std::string (GCC bug 105651).
add_compile_options($<$<CXX_COMPILER_ID:GNU>:-Wno-restrict>)
# clang warns where `omp simd` had to stay a plain loop, as it may at -O1.
add_compile_options($<$<CXX_COMPILER_ID:Clang>:-Wno-pass-failed>)
add_compile_options(-ffp-contract=off -fno-math-errno -fno-trapping-math -Wall -Wextra)

option(WEIR_EXACT "No fused multiply-adds at all: the same bits on every target" OFF)
if(WEIR_EXACT)
  add_compile_definitions(WEIR_EXACT)
endif()

find_program(WEIR_CCACHE ccache)
if(WEIR_CCACHE AND NOT CMAKE_CXX_COMPILER_LAUNCHER)
  set(CMAKE_C_COMPILER_LAUNCHER ${WEIR_CCACHE})
  set(CMAKE_CXX_COMPILER_LAUNCHER ${WEIR_CCACHE})
endif()

find_program(WEIR_LLD NAMES ld.lld)
if(WEIR_LLD)
  add_link_options(-fuse-ld=lld)
endif()

find_package(Threads REQUIRED)
