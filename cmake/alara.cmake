# SPDX-License-Identifier: Apache-2.0
# One function for each thing the project is made of. Files find their target by their name: x.cpp belongs to the
# module's library, x_test.cpp to its test program, x_fuzz.cpp is a fuzz target of its own.

include(GoogleTest)

add_custom_target(fast_tests)  # every test program of the fast set
add_custom_target(fuzzers)     # every fuzz target

# alara_module(<folder under src> [DEPENDS <module>…] [LINK <target>…] [WHOLE] [APART])
# makes library alara_<module>, test program test_<module>, fuzz targets fuzz_<file>. "/" becomes "_" in target names.
# With ALARA_UNITY its files are compiled six at a time, so what they have in anonymous namespaces needs names of its own
# within the module; APART for one that has not. WHOLE as for alara_test.
function(alara_module folder)
  cmake_parse_arguments(ARG "WHOLE;APART" "" "DEPENDS;LINK" ${ARGN})
  string(REPLACE "/" "_" module ${folder})
  set(directory ${CMAKE_SOURCE_DIR}/src/${folder})
  file(GLOB sources CONFIGURE_DEPENDS ${directory}/*.cpp)
  file(GLOB tests CONFIGURE_DEPENDS ${directory}/*_test.cpp)
  file(GLOB fuzzers CONFIGURE_DEPENDS ${directory}/*_fuzz.cpp)
  list(REMOVE_ITEM sources ${tests} ${fuzzers})
  list(TRANSFORM ARG_DEPENDS PREPEND alara_)
  if(sources)
    add_library(alara_${module} STATIC ${sources})
    target_link_libraries(alara_${module} PUBLIC ${ARG_DEPENDS} PRIVATE ${ARG_LINK} PUBLIC alara_flags)
    if(ALARA_UNITY AND NOT ARG_APART)
      set_target_properties(alara_${module} PROPERTIES UNITY_BUILD ON UNITY_BUILD_BATCH_SIZE 6)
      # GCC takes a type of an anonymous namespace for one of a header where the file is not the one it was given.
      target_compile_options(alara_${module} PRIVATE $<$<CXX_COMPILER_ID:GNU>:-Wno-subobject-linkage>)
    endif()
  else()
    add_library(alara_${module} INTERFACE)
    target_link_libraries(alara_${module} INTERFACE ${ARG_DEPENDS} alara_flags)
  endif()
  if(module STREQUAL "base")
    target_link_libraries(alara_base PUBLIC fmt::fmt tl::expected Threads::Threads)
  endif()
  if(tests)
    set(whole)
    if(ARG_WHOLE)
      set(whole WHOLE)
    endif()
    alara_test(test_${module} SOURCES ${tests} LINK alara_${module} ${ARG_LINK} ${whole})
  endif()
  if(ALARA_FUZZ)
    foreach(fuzzer ${fuzzers})
      get_filename_component(name ${fuzzer} NAME_WE)
      string(REPLACE "_fuzz" "" name ${name})
      add_executable(fuzz_${name} ${fuzzer})
      target_link_libraries(fuzz_${name} PRIVATE alara_${module} ${ARG_LINK})
      target_link_options(fuzz_${name} PRIVATE -fsanitize=fuzzer)
      add_dependencies(fuzzers fuzz_${name})
    endforeach()
  endif()
endfunction()

# alara_test(<name> SOURCES … LINK … [LABEL <label>] [WHOLE]) registers each TEST() with ctest, or with WHOLE the program as
# one test: for what links libtorch, which takes half a second to load. Label `slow` keeps it out of the fast set and the
# sanitizer runs.
function(alara_test name)
  cmake_parse_arguments(ARG "WHOLE" "LABEL" "SOURCES;LINK" ${ARGN})
  if(NOT ARG_LABEL)
    set(ARG_LABEL fast)
  endif()
  add_executable(${name} ${ARG_SOURCES})
  target_link_libraries(${name} PRIVATE ${ARG_LINK} alara_flags GTest::gtest_main)
  if(ARG_LABEL STREQUAL "fast")
    add_dependencies(fast_tests ${name})
  endif()
  set(environment TSAN_OPTIONS=suppressions=${CMAKE_SOURCE_DIR}/tests/tsan.supp)
  if(ARG_WHOLE)
    add_test(NAME ${name} COMMAND ${name} WORKING_DIRECTORY ${CMAKE_SOURCE_DIR})
    set_tests_properties(${name} PROPERTIES LABELS ${ARG_LABEL} TIMEOUT 120 ENVIRONMENT ${environment})
  else()
    gtest_discover_tests(${name} WORKING_DIRECTORY ${CMAKE_SOURCE_DIR} DISCOVERY_MODE PRE_TEST
                         PROPERTIES LABELS ${ARG_LABEL} TIMEOUT 120 ENVIRONMENT ${environment})
  endif()
endfunction()

# alara_flatbuffers(<name> <schema>.fbs) makes the interface target <name>, with <schema>_generated.h on its include path.
function(alara_flatbuffers name schema)
  get_filename_component(stem ${schema} NAME_WE)
  set(directory ${CMAKE_BINARY_DIR}/flatbuffers)
  set(header ${directory}/${stem}_generated.h)
  add_custom_command(OUTPUT ${header} COMMAND ${FLATC} --cpp --scoped-enums -o ${directory} ${CMAKE_SOURCE_DIR}/${schema}
                     DEPENDS ${schema} VERBATIM)
  add_custom_target(${name}_headers DEPENDS ${header})
  add_library(${name} INTERFACE)
  target_include_directories(${name} SYSTEM INTERFACE ${directory})
  add_dependencies(${name} ${name}_headers)
endfunction()
