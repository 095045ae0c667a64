# nightjar_room(NAME [USES room...] [LIBRARIES target...])
#
# A room is one folder of src/ and one static library. USES names the rooms it may include: exactly
# the arrows of docs/ARCHITECTURE.md, which tools/check-layers keeps. LIBRARIES are other people's.
function(nightjar_room name)
  cmake_parse_arguments(ROOM "" "" "USES;LIBRARIES" ${ARGN})
  file(GLOB sources CONFIGURE_DEPENDS ${CMAKE_CURRENT_SOURCE_DIR}/*.cc)
  if(sources)
    list(FILTER sources EXCLUDE REGEX "/main[.]cc$")  # A program, not part of the library.
    add_library(nightjar_${name} STATIC ${sources})
    set(scope PUBLIC)
  else()
    add_library(nightjar_${name} INTERFACE)
    set(scope INTERFACE)
  endif()
  target_link_libraries(nightjar_${name} ${scope} nightjar_flags)
  foreach(room IN LISTS ROOM_USES)
    target_link_libraries(nightjar_${name} ${scope} nightjar_${room})
  endforeach()
  target_link_libraries(nightjar_${name} ${scope} ${ROOM_LIBRARIES})
endfunction()

# nightjar_tests(ROOM [LIBRARIES target...]): every *_test.cc here becomes one program, test_ROOM.
function(nightjar_tests room)
  cmake_parse_arguments(TESTS "" "" "LIBRARIES" ${ARGN})
  file(GLOB sources CONFIGURE_DEPENDS ${CMAKE_CURRENT_SOURCE_DIR}/*.cc)
  if(NOT sources)
    return()
  endif()
  add_executable(test_${room} ${sources})
  target_include_directories(test_${room} PRIVATE ${PROJECT_SOURCE_DIR}/tests)
  target_link_libraries(test_${room} PRIVATE nightjar_${room} ${TESTS_LIBRARIES} GTest::gtest_main)
  nightjar_add_test(${room})
endfunction()

# nightjar_add_test(LABEL): the program test_LABEL. ctest runs each of its tests in a process of its
# own; with sanitizers all in one, since starting and ending such a process costs ten times what
# most tests do.
function(nightjar_add_test label)
  if(NIGHTJAR_SANITIZE)
    add_test(NAME ${label} COMMAND test_${label})
    set_tests_properties(${label} PROPERTIES TIMEOUT 900 LABELS ${label})
  else()
    gtest_discover_tests(test_${label} TEST_PREFIX ${label}. DISCOVERY_TIMEOUT 60
      PROPERTIES TIMEOUT 300 LABELS ${label})
  endif()
endfunction()
