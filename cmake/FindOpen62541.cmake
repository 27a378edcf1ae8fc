# SPDX-License-Identifier: Apache-2.0
# open62541::open62541, the static library that tools/setup builds under build/deps (or a system's own).
set(_open62541_root ${CMAKE_SOURCE_DIR}/build/deps/open62541)
find_path(Open62541_INCLUDE_DIR open62541/client.h HINTS ${_open62541_root}/include)
find_library(Open62541_LIBRARY open62541 HINTS ${_open62541_root}/lib)
include(FindPackageHandleStandardArgs)
find_package_handle_standard_args(Open62541 REQUIRED_VARS Open62541_LIBRARY Open62541_INCLUDE_DIR)
if(Open62541_FOUND AND NOT TARGET open62541::open62541)
  find_package(OpenSSL REQUIRED)
  add_library(open62541::open62541 UNKNOWN IMPORTED)
  set_target_properties(open62541::open62541 PROPERTIES
    IMPORTED_LOCATION ${Open62541_LIBRARY}
    INTERFACE_INCLUDE_DIRECTORIES ${Open62541_INCLUDE_DIR}
    INTERFACE_LINK_LIBRARIES "OpenSSL::SSL;OpenSSL::Crypto;Threads::Threads;rt;m")
endif()
mark_as_advanced(Open62541_INCLUDE_DIR Open62541_LIBRARY)
