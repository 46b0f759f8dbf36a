# weir_fuzz(<name> SOURCES a_fuzz.cpp ... DEPENDS <folder> ... [SEEDS <file> ...])
# The sources define LLVMFuzzerTestOneInput. With WEIR_FUZZ (preset `fuzz`) this is a libFuzzer
# program fuzz_<name>; else a test that gives the same function each seed, its prefixes and
# single-byte changes of it (tests/fuzz_main.cpp), so that every build checks the parser on bad input.
option(WEIR_FUZZ "Build the fuzz targets with libFuzzer" OFF)
add_custom_target(fuzz)

function(weir_fuzz name)
  cmake_parse_arguments(PARSE_ARGV 1 arg "" "" "SOURCES;DEPENDS;SEEDS")
  if(NOT WEIR_BUILD_TESTS)
    return()
  endif()
  set(target fuzz_${name})
  list(TRANSFORM arg_SEEDS PREPEND ${CMAKE_CURRENT_SOURCE_DIR}/)
  if(WEIR_FUZZ)
    weir_program(${target} SOURCES ${arg_SOURCES} DEPENDS ${arg_DEPENDS})
    target_link_options(${target} PRIVATE -fsanitize=fuzzer)
    add_dependencies(fuzz ${target})
    file(COPY ${arg_SEEDS} DESTINATION ${PROJECT_BINARY_DIR}/corpus/${target})
    return()
  endif()
  weir_program(${target} SOURCES ${arg_SOURCES} ${PROJECT_SOURCE_DIR}/tests/fuzz_main.cpp
               DEPENDS ${arg_DEPENDS})
  add_test(NAME ${target} COMMAND ${target} ${arg_SEEDS})
  set_tests_properties(${target} PROPERTIES LABELS unit TIMEOUT 120)
endfunction()
