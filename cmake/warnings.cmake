# One interface target carries the warnings, the sanitizers and the include root for every room.
add_library(nightjar_flags INTERFACE)
target_compile_options(nightjar_flags INTERFACE -Wall -Wextra -Wconversion -Wshadow -Werror)
target_include_directories(nightjar_flags INTERFACE ${PROJECT_SOURCE_DIR}/src)
target_compile_definitions(nightjar_flags INTERFACE NIGHTJAR_VERSION="${PROJECT_VERSION}")

if(NIGHTJAR_SANITIZE)
  target_compile_options(nightjar_flags INTERFACE
    -fsanitize=${NIGHTJAR_SANITIZE} -fno-omit-frame-pointer -fno-sanitize-recover=all)
  target_link_options(nightjar_flags INTERFACE -fsanitize=${NIGHTJAR_SANITIZE})
endif()
if(NIGHTJAR_FUZZ)
  # Only what is instrumented tells the fuzzer which paths it reached: every room, not just main.
  target_compile_options(nightjar_flags INTERFACE -fsanitize=fuzzer-no-link)
endif()
if(NIGHTJAR_COVERAGE)
  target_compile_options(nightjar_flags INTERFACE --coverage)
  target_link_options(nightjar_flags INTERFACE --coverage)
endif()

find_program(NIGHTJAR_CCACHE ccache)
if(NIGHTJAR_CCACHE)
  set(CMAKE_CXX_COMPILER_LAUNCHER ${NIGHTJAR_CCACHE})
endif()
