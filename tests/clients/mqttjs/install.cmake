# cmake -DNPM=... -DSOURCE=... -DFOLDER=... -P install.cmake
#
# Puts MQTT.js into FOLDER, as package-lock.json says. Does nothing if that has been done. The one
# step of all tests that needs a package registry: npm's cache will do, too.
file(MAKE_DIRECTORY ${FOLDER})
file(SHA256 ${SOURCE}/package-lock.json wanted)
if(EXISTS ${FOLDER}/installed)
  file(READ ${FOLDER}/installed installed)
  if(installed STREQUAL wanted)
    return()
  endif()
endif()
foreach(name package.json package-lock.json)
  configure_file(${SOURCE}/${name} ${FOLDER}/${name} COPYONLY)
endforeach()
execute_process(
  COMMAND ${NPM} ci --prefer-offline --no-audit --no-fund --ignore-scripts --loglevel=error
  WORKING_DIRECTORY ${FOLDER} RESULT_VARIABLE status OUTPUT_VARIABLE output ERROR_VARIABLE output)
if(NOT status EQUAL 0)
  message(FATAL_ERROR "MQTT.js cannot be installed (is there a package registry?):\n${output}")
endif()
file(WRITE ${FOLDER}/installed ${wanted})
