// SPDX-License-Identifier: Apache-2.0
// What every command that takes a site file does first: read it, check it, and say what is wrong.
#pragma once

#include <memory>
#include <string>

#include "node/compile.hpp"

namespace alara::node {

// Errors and warnings to stderr, at most kMaxShown of each.
void print_diagnosis(const Diagnosis& diagnosis);

// nullptr when the file has errors, which have then been printed; warnings are printed in any case.
[[nodiscard]] std::unique_ptr<CheckedSite> open_site(const std::string& path);

}  // namespace alara::node
