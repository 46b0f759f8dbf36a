# The sets that kernels are compiled for, each containing those before it; as platform::Isa.
set(WEIR_ISA_SETS baseline)
if(CMAKE_SYSTEM_PROCESSOR MATCHES "x86_64|AMD64")
  list(APPEND WEIR_ISA_SETS avx2 avx512)
endif()

# weir_isa_sources(<target> SOURCES a.cpp ...)
# Compiles each source once per instruction set, into <target>: a room's (weir_kernels_cpu), whose
# objects go where the room goes, or a program.
# WEIR_ISA is the name of the set (baseline, avx2, avx512), to be used as a namespace: objects built
# with special flags must export kernel symbols only, so such a source keeps all it defines, inline
# functions of its own headers included, inside that namespace.
function(weir_isa_sources target)
  cmake_parse_arguments(PARSE_ARGV 1 arg "" "" "SOURCES")
  set(flags_baseline "")
  set(flags_avx2 -mavx2 -mfma -mf16c)
  set(flags_avx512 -mavx512f -mavx512bw -mavx512vl -mavx512dq -mfma -mf16c)
  get_target_property(libraries ${target} LINK_LIBRARIES)
  get_target_property(objects ${target} WEIR_OBJECT_TARGETS)
  get_target_property(type ${target} TYPE)
  if(NOT objects AND NOT type STREQUAL "INTERFACE_LIBRARY")
    set(objects ${target})
  endif()
  foreach(set IN LISTS WEIR_ISA_SETS)
    set(variant ${target}_${set})
    add_library(${variant} OBJECT EXCLUDE_FROM_ALL ${arg_SOURCES})
    _weir_includes(${variant})
    target_compile_definitions(${variant} PRIVATE WEIR_ISA=${set})
    target_compile_options(${variant} PRIVATE ${flags_${set}})
    if(libraries)
      target_link_libraries(${variant} PRIVATE ${libraries})
    endif()
    list(APPEND objects ${variant})
    if(type STREQUAL "EXECUTABLE")
      target_sources(${target} PRIVATE $<TARGET_OBJECTS:${variant}>)
    endif()
  endforeach()
  set_target_properties(${target} PROPERTIES WEIR_OBJECT_TARGETS "${objects}")
endfunction()

# weir_isa_tests(<name> <program> [<argument> ...])
# A test <name>_<set> for each instruction set: the program, told to use that one. On a machine that
# lacks the set the test is shown as skipped.
function(weir_isa_tests name program)
  if(NOT WEIR_BUILD_TESTS)
    return()
  endif()
  foreach(set IN LISTS WEIR_ISA_SETS)
    add_test(NAME ${name}_${set} COMMAND isa_guard $<TARGET_FILE:${program}> ${ARGN})
    set_tests_properties(${name}_${set} PROPERTIES
      ENVIRONMENT WEIR_ISA=${set} SKIP_RETURN_CODE 77 LABELS unit TIMEOUT 300)
  endforeach()
endfunction()
