# SPDX-License-Identifier: Apache-2.0
# libtorch::libtorch, the C++ library of PyTorch for training (Debian: libtorch-dev), with its headers as system headers.
# Lighter than its own package file, which brings a list of compiler flags along.
find_path(LibTorch_INCLUDE_DIR torch/csrc/api/include/torch/torch.h)
find_library(LibTorch_LIBRARY torch)
find_library(LibTorch_CPU_LIBRARY torch_cpu)
find_library(LibTorch_C10_LIBRARY c10)
include(FindPackageHandleStandardArgs)
find_package_handle_standard_args(LibTorch REQUIRED_VARS LibTorch_LIBRARY LibTorch_CPU_LIBRARY LibTorch_C10_LIBRARY
                                  LibTorch_INCLUDE_DIR)
if(LibTorch_FOUND AND NOT TARGET libtorch::libtorch)
  add_library(libtorch::libtorch INTERFACE IMPORTED)
  target_include_directories(libtorch::libtorch SYSTEM INTERFACE ${LibTorch_INCLUDE_DIR}
                             ${LibTorch_INCLUDE_DIR}/torch/csrc/api/include)
  target_link_libraries(libtorch::libtorch INTERFACE ${LibTorch_LIBRARY} ${LibTorch_CPU_LIBRARY} ${LibTorch_C10_LIBRARY})
endif()
mark_as_advanced(LibTorch_INCLUDE_DIR LibTorch_LIBRARY LibTorch_CPU_LIBRARY LibTorch_C10_LIBRARY)
