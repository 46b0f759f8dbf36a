# Rooms: one CMake target per folder of src/, named after it (src/kernels/cpu is weir_kernels_cpu).
#
#   weir_room(<folder> [SOURCES a.cpp ...] [DEPENDS <folder> ...] [LIBRARIES <target> ...] [GENERATED])
#   weir_test(<folder> SOURCES a_test.cpp ... [DEPENDS <folder> ...] [LIBRARIES <target> ...])
#
# A room without sources holds headers. DEPENDS names the rooms whose objects a program needs beside this one (transitively). LIBRARIES are
# third-party targets, seen by this room and its tests only. GENERATED: the room includes generated
# headers, so the target weir_generated is built before it (generators hang their outputs on it with
# add_dependencies; generated sources live in <build>/generated, public headers in
# <build>/generated/include/weir). A test binary links the closure of its
# room and of its own DEPENDS; the library `weir` links every room.

add_custom_target(weir_generated)
define_property(GLOBAL PROPERTY WEIR_ROOMS)
define_property(GLOBAL PROPERTY WEIR_TESTS)

function(_weir_target folder out)
  string(REPLACE "/" "_" name ${folder})
  set(${out} weir_${name} PARENT_SCOPE)
endfunction()

function(_weir_includes target)
  target_include_directories(${target} PUBLIC
    ${PROJECT_SOURCE_DIR}/include ${PROJECT_SOURCE_DIR}/src
    ${PROJECT_BINARY_DIR}/generated ${PROJECT_BINARY_DIR}/generated/include)
endfunction()

function(weir_room folder)
  cmake_parse_arguments(PARSE_ARGV 1 arg "GENERATED" "" "SOURCES;DEPENDS;LIBRARIES")
  _weir_target(${folder} target)
  set(objects "")
  if(arg_SOURCES)
    set(objects ${target})
    add_library(${target} OBJECT ${arg_SOURCES})
    _weir_includes(${target})
    target_link_libraries(${target} PRIVATE ${arg_LIBRARIES})
  else()
    add_library(${target} INTERFACE)
  endif()
  if(arg_GENERATED)
    add_dependencies(${target} weir_generated)
  endif()
  set_target_properties(${target} PROPERTIES
    WEIR_OBJECT_TARGETS "${objects}" WEIR_DEPENDS "${arg_DEPENDS}" WEIR_LIBRARIES "${arg_LIBRARIES}")
  set_property(GLOBAL APPEND PROPERTY WEIR_ROOMS ${folder})
endfunction()

function(weir_test folder)
  cmake_parse_arguments(PARSE_ARGV 1 arg "" "" "SOURCES;DEPENDS;LIBRARIES")
  if(NOT WEIR_BUILD_TESTS)
    return()
  endif()
  string(REPLACE "/" "_" name ${folder})
  set(test weir_test_${name})
  add_executable(${test} ${arg_SOURCES})
  _weir_includes(${test})
  target_link_libraries(${test} PRIVATE ${arg_LIBRARIES} GTest::gtest_main)
  set_target_properties(${test} PROPERTIES WEIR_DEPENDS "${folder};${arg_DEPENDS}")
  set_property(GLOBAL APPEND PROPERTY WEIR_TESTS ${test})
  add_test(NAME ${name} COMMAND ${test})
  set_tests_properties(${name} PROPERTIES LABELS unit TIMEOUT 300)
endfunction()

# A program of this repository (command line, benchmark, generator) that links the closure of rooms.
#   weir_program(<target> SOURCES a.cpp ... DEPENDS <folder> ... [LIBRARIES <target> ...])
function(weir_program target)
  cmake_parse_arguments(PARSE_ARGV 1 arg "" "" "SOURCES;DEPENDS;LIBRARIES")
  add_executable(${target} ${arg_SOURCES})
  _weir_includes(${target})
  target_link_libraries(${target} PRIVATE ${arg_LIBRARIES})
  set_target_properties(${target} PROPERTIES WEIR_DEPENDS "${arg_DEPENDS}")
  set_property(GLOBAL APPEND PROPERTY WEIR_TESTS ${target})
endfunction()

# All rooms that `folders` need, themselves included.
function(_weir_closure folders out)
  set(seen "")
  while(folders)
    list(POP_FRONT folders folder)
    if(folder IN_LIST seen)
      continue()
    endif()
    list(APPEND seen ${folder})
    _weir_target(${folder} target)
    if(NOT TARGET ${target})
      message(FATAL_ERROR "DEPENDS names the room '${folder}', which does not exist")
    endif()
    get_target_property(depends ${target} WEIR_DEPENDS)
    list(APPEND folders ${depends})
  endwhile()
  set(${out} ${seen} PARENT_SCOPE)
endfunction()

# Adds the objects of `folders` and the libraries they need to `target`.
function(_weir_add_objects target folders)
  foreach(folder IN LISTS folders)
    _weir_target(${folder} room)
    get_target_property(objects ${room} WEIR_OBJECT_TARGETS)
    get_target_property(libraries ${room} WEIR_LIBRARIES)
    foreach(object IN LISTS objects)
      target_sources(${target} PRIVATE $<TARGET_OBJECTS:${object}>)
    endforeach()
    target_link_libraries(${target} PRIVATE ${libraries})
  endforeach()
endfunction()

# Called once, when all rooms are known: links tests and programs, and defines the library `weir`.
function(weir_link_rooms)
  get_property(programs GLOBAL PROPERTY WEIR_TESTS)
  foreach(program IN LISTS programs)
    get_target_property(depends ${program} WEIR_DEPENDS)
    _weir_closure("${depends}" closure)
    _weir_add_objects(${program} "${closure}")
    add_dependencies(${program} weir_generated)
    target_link_libraries(${program} PRIVATE Threads::Threads ${CMAKE_DL_LIBS})
  endforeach()

  get_property(rooms GLOBAL PROPERTY WEIR_ROOMS)
  add_library(weir)
  add_library(weir::weir ALIAS weir)
  _weir_add_objects(weir "${rooms}")
  target_link_libraries(weir PRIVATE Threads::Threads ${CMAKE_DL_LIBS})
  target_compile_features(weir PUBLIC cxx_std_20)
  target_include_directories(weir PUBLIC
    $<BUILD_INTERFACE:${PROJECT_SOURCE_DIR}/include>
    $<BUILD_INTERFACE:${PROJECT_BINARY_DIR}/generated/include>
    $<INSTALL_INTERFACE:${CMAKE_INSTALL_INCLUDEDIR}>)
  set_target_properties(weir PROPERTIES
    LINKER_LANGUAGE CXX VERSION ${PROJECT_VERSION} SOVERSION ${PROJECT_VERSION_MAJOR})
endfunction()
