# SPDX-License-Identifier: Apache-2.0
# onnx::proto, the protobuf classes of ONNX files (Debian: libonnx-dev). Only graph/onnx_*.cpp include its header.
find_path(OnnxProto_INCLUDE_DIR onnx/onnx_pb.h)
find_library(OnnxProto_LIBRARY onnx_proto)
find_package(Protobuf QUIET)
include(FindPackageHandleStandardArgs)
find_package_handle_standard_args(OnnxProto REQUIRED_VARS OnnxProto_LIBRARY OnnxProto_INCLUDE_DIR Protobuf_FOUND)
if(OnnxProto_FOUND AND NOT TARGET onnx::proto)
  add_library(onnx::proto INTERFACE IMPORTED)
  target_include_directories(onnx::proto SYSTEM INTERFACE ${OnnxProto_INCLUDE_DIR})
  target_compile_definitions(onnx::proto INTERFACE ONNX_ML=1 ONNX_NAMESPACE=onnx)
  target_link_libraries(onnx::proto INTERFACE ${OnnxProto_LIBRARY} protobuf::libprotobuf)
endif()
mark_as_advanced(OnnxProto_INCLUDE_DIR OnnxProto_LIBRARY)
