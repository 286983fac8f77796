# xb_layer(NAME name SOURCES a.c b.c ... [LINK libs ...])
#   A layer of the house is one static library, xb_<name>, made of src/<name>/*.c. It links what docs/LAYERS lets it
#   include, so an executable only names the top layers.
function(xb_layer)
  cmake_parse_arguments(L "" "NAME" "SOURCES;LINK" ${ARGN})
  add_library(xb_${L_NAME} STATIC ${L_SOURCES})
  target_include_directories(xb_${L_NAME} PUBLIC ${PROJECT_SOURCE_DIR}/include)
  target_link_libraries(xb_${L_NAME} PUBLIC ${L_LINK} PRIVATE xb_compile_flags)
endfunction()

# xb_unit_test(layer module [libs ...])
#   tests/unit/<layer>/test_<module>.c becomes the cmocka program test_<layer>_<module> and a ctest of that name.
function(xb_unit_test layer module)
  set(name test_${layer}_${module})
  add_executable(${name} ${CMAKE_CURRENT_SOURCE_DIR}/test_${module}.c)
  target_link_libraries(${name} PRIVATE xb_${layer} ${ARGN} PkgConfig::CMOCKA xb_compile_flags)
  target_compile_definitions(${name} PRIVATE XB_TEST_SOURCE_DIR="${PROJECT_SOURCE_DIR}")
  add_test(NAME ${layer}/${module} COMMAND ${name})
  set_tests_properties(${layer}/${module} PROPERTIES LABELS unit TIMEOUT 120 WORKING_DIRECTORY ${CMAKE_CURRENT_BINARY_DIR})
endfunction()
