// SPDX-License-Identifier: Apache-2.0
#include "connect/opcua/address.hpp"

#include <gtest/gtest.h>

namespace alara::opcua {
namespace {

TEST(OpcuaAddress, ReadsNodesPathsAndMethods) {
  EXPECT_EQ(parse_address("ns=2;s=Line.Speed")->node.text, "ns=2;s=Line.Speed");
  EXPECT_EQ(parse_address("i=2258")->node.text, "i=2258");
  const auto uri = parse_address("nsu=urn:plant:a;s=A;B");
  EXPECT_EQ(uri->node.namespace_uri, "urn:plant:a");
  EXPECT_EQ(uri->node.text, "s=A;B");
  EXPECT_EQ(parse_address("ns=2;s=Values#[3]")->path, (std::vector<PathStep>{{"", 3}}));
  EXPECT_EQ(parse_address("ns=2;i=7#Motor.speed[1]")->path,
            (std::vector<PathStep>{{"Motor", {}}, {"speed", {}}, {"", 1}}));
  EXPECT_EQ(parse_address("ns=2;s=a##b#[0]")->node.text, "ns=2;s=a#b");
  const auto call = parse_address("call ns=2;s=Pump ns=2;s=Pump.Start");
  EXPECT_EQ(call->node.text, "ns=2;s=Pump");
  EXPECT_EQ(call->method->text, "ns=2;s=Pump.Start");
}

TEST(OpcuaAddress, RefusesWhatIsNone) {
  for (const char* bad :
       {"", "Line.Speed", "ns=2", "ns=x;s=A", "ns=70000;s=A", "ns=2;i=x", "ns=2;i=", "ns=2;z=1", "nsu=;s=A", "nsu=urn",
        "ns=2;s=A#", "ns=2;s=A#[", "ns=2;s=A#[x]", "ns=2;s=A#a..b", "ns=2;s=A#[1]b", "call ns=2;s=A", "call x y"})
    EXPECT_FALSE(parse_address(bad).has_value()) << bad;
}

}  // namespace
}  // namespace alara::opcua
