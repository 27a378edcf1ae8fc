// SPDX-License-Identifier: Apache-2.0
// The configuration reference and the JSON Schema of a site file, made from the declarations that also check it.
// `alara reference` prints them; docs/reference.md and docs/site.schema.json are their committed copies (a test
// compares).
#pragma once

#include <string>

#include "core/connector.hpp"

namespace alara::node {

[[nodiscard]] std::string reference_markdown();
[[nodiscard]] std::string site_json_schema();                           // indented, draft 2020-12
[[nodiscard]] std::string describe_protocol(const Protocol& protocol);  // for a terminal

}  // namespace alara::node
