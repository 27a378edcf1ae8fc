# SPDX-License-Identifier: Apache-2.0
# Finds ONNX Runtime's C headers and, as a default place for dlopen, its shared library: what tools/setup fetched, else
# the system's. Nothing links the library. Defines OnnxRuntime::headers with ALARA_ONNXRUNTIME and, where the library
# was found, ALARA_ONNXRUNTIME_LIBRARY.
set(_ort_fetched ${CMAKE_SOURCE_DIR}/build/deps/onnxruntime)
find_path(OnnxRuntime_INCLUDE_DIR onnxruntime_c_api.h HINTS ${_ort_fetched}/include PATH_SUFFIXES onnxruntime)
find_file(OnnxRuntime_LIBRARY NAMES libonnxruntime.so.1 libonnxruntime.so libonnxruntime.so.1.21
          HINTS ${_ort_fetched}/lib PATHS /usr/lib /usr/local/lib PATH_SUFFIXES ${CMAKE_LIBRARY_ARCHITECTURE})
mark_as_advanced(OnnxRuntime_INCLUDE_DIR OnnxRuntime_LIBRARY)

include(FindPackageHandleStandardArgs)
find_package_handle_standard_args(OnnxRuntime REQUIRED_VARS OnnxRuntime_INCLUDE_DIR)

add_library(OnnxRuntime::headers INTERFACE IMPORTED)
if(OnnxRuntime_FOUND)
  target_include_directories(OnnxRuntime::headers SYSTEM INTERFACE ${OnnxRuntime_INCLUDE_DIR})
  target_compile_definitions(OnnxRuntime::headers INTERFACE ALARA_ONNXRUNTIME)
  if(OnnxRuntime_LIBRARY)
    target_compile_definitions(OnnxRuntime::headers INTERFACE ALARA_ONNXRUNTIME_LIBRARY="${OnnxRuntime_LIBRARY}")
  endif()
else()
  message(WARNING "ONNX Runtime's headers are missing: `model` steps will be refused. Run tools/setup.")
endif()
