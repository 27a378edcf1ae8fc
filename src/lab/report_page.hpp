// SPDX-License-Identifier: Apache-2.0
// A report as one HTML page: no scripts, nothing fetched from elsewhere, light and dark, names of files and models
// never read as markup.
#pragma once

#include <string>

#include "lab/report_data.hpp"

namespace alara::lab {

[[nodiscard]] std::string report_page(const Report& report);

}  // namespace alara::lab
