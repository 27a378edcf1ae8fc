// SPDX-License-Identifier: Apache-2.0
#include "connect/mqtt/settings.hpp"

#include <gtest/gtest.h>

#include <cstdlib>

namespace alara::mqtt {
namespace {

Result<Settings> settings_of(const std::string& yaml) {
  const auto node = parse_document(yaml, "site.yaml");
  if (!node) return tl::unexpected<Error>(node.error());
  std::vector<Error> errors;
  schema().check(*node, errors);
  if (!errors.empty()) return tl::unexpected<Error>(errors.front());
  return read_settings("broker", *node, "/site");
}
std::string refusal_of(const std::string& yaml) {
  const auto settings = settings_of(yaml);
  return settings ? "" : settings.error().text();
}

TEST(MqttSettings, AnEndpointIsEnough) {
  const auto settings = settings_of("endpoint: mqtt://broker.local");
  ASSERT_TRUE(settings.has_value()) << settings.error().text();
  EXPECT_EQ(settings->host, "broker.local");
  EXPECT_EQ(settings->port, 1883);
  EXPECT_FALSE(settings->tls);
  EXPECT_EQ(settings->version, Version::mqtt5);
  EXPECT_EQ(settings->limits.bytes, 1'000'000u);
  EXPECT_TRUE(settings->client_id.starts_with("alara-broker-"));
}

TEST(MqttSettings, ReadsAllOptions) {
  const auto settings = settings_of(
      "endpoint: mqtts://[::1]:9883\nclient_id: n1\nqos: 1\nclean_start: false\nsession_expiry: 1h\nca: ca.pem\n"
      "cert: /c.pem\nkey: k.pem\ntls: 1.2\nusername: u\npassword_file: secret\nformat: int16\ntime: arrival\n"
      "will: {topic: dead, retain: false}\nsubscribe: [line/#]\nreconnect_min: 1s\nreconnect_max: 2s\n");
  ASSERT_TRUE(settings.has_value()) << settings.error().text();
  EXPECT_EQ(settings->host, "::1");
  EXPECT_EQ(settings->port, 9883);
  EXPECT_EQ(settings->ca, "/site/ca.pem");
  EXPECT_EQ(settings->certificate, "/c.pem");
  EXPECT_EQ(settings->tls_version, "tlsv1.2");
  EXPECT_EQ(settings->format, Format::bare);
  EXPECT_EQ(settings->element, wire::ElementType::int16);
  EXPECT_EQ(settings->time, TimeFrom::arrival);
  ASSERT_TRUE(settings->will.has_value());
  EXPECT_EQ(settings->will->payload, "offline");
  EXPECT_EQ(settings->patterns, std::vector<std::string>{"line/#"});
}

TEST(MqttSettings, WhatIsPublishedHasTheFormatOfWhatIsReadWhereBothCan) {
  const auto formats = [](const std::string& options) {
    const auto settings = settings_of("endpoint: mqtt://x\n" + options);
    EXPECT_TRUE(settings.has_value()) << options;
    return std::tuple(settings->format, settings->points, settings->publish_format, settings->publish_points);
  };
  using enum Format;
  using P = wire::PointFormat;
  EXPECT_EQ(formats(""), std::tuple(json, P::protobuf, json, P::protobuf));
  EXPECT_EQ(formats("format: float32"), std::tuple(bare, P::protobuf, json, P::protobuf));
  EXPECT_EQ(formats("format: array"), std::tuple(array, P::protobuf, json, P::protobuf));
  EXPECT_EQ(formats("format: messagepack"), std::tuple(points, P::messagepack, points, P::messagepack));
  EXPECT_EQ(formats("format: protobuf\npublish_format: json"), std::tuple(points, P::protobuf, json, P::protobuf));
  EXPECT_EQ(formats("format: protobuf\npublish_format: array"), std::tuple(points, P::protobuf, array, P::protobuf));
  EXPECT_EQ(formats("publish_format: flatbuffers"), std::tuple(json, P::protobuf, points, P::flatbuffers));
  EXPECT_NE(refusal_of("endpoint: mqtt://x\nformat: protobuf\ntime_path: t").find("format json"), std::string::npos);
}

TEST(MqttSettings, RefusalsNameThePlaceAndTheReason) {
  EXPECT_NE(refusal_of("endpoint: http://x").find("site.yaml:1"), std::string::npos);
  EXPECT_NE(refusal_of("endpoint: mqtt://u:p@x").find("password_file"), std::string::npos);
  EXPECT_NE(refusal_of("endpoint: mqtt://x:99999"), "");
  EXPECT_NE(refusal_of("endpoint: mqtt://"), "");
  EXPECT_NE(refusal_of("endpoint: mqtt://x\nqos: 2"), "");
  EXPECT_NE(refusal_of("endpoint: mqtt://x\nca: y").find("mqtts"), std::string::npos);
  EXPECT_NE(refusal_of("endpoint: mqtts://x\ncert: y").find("go together"), std::string::npos);
  EXPECT_NE(refusal_of("endpoint: mqtt://x\nclean_start: false").find("client_id"), std::string::npos);
  EXPECT_NE(refusal_of("endpoint: mqtt://x\nversion: 3.1.1\nsession_expiry: 1h").find("version 5"), std::string::npos);
  EXPECT_NE(refusal_of("endpoint: mqtt://x\nsubscribe: [a/#/b]").find("# stands last"), std::string::npos);
  EXPECT_NE(refusal_of("endpoint: mqtt://x\nreconnect_min: 2s\nreconnect_max: 1s"), "");
  EXPECT_NE(refusal_of("endpoint: mqtt://x\npassword_env: P").find("username"), std::string::npos);
  EXPECT_NE(refusal_of("endpoint: mqtt://x\nkeepalive: 1s"), "");
  EXPECT_NE(refusal_of("endpoint: mqtt://x\nqoss: 1").find("qos"), std::string::npos);
}

TEST(MqttSettings, PasswordsComeFromFileOrEnvironmentOnly) {
  Settings settings;
  EXPECT_EQ(read_password(settings).value(), "");
  settings.password_env = "ALARA_TEST_MQTT_PASSWORD";
  unsetenv("ALARA_TEST_MQTT_PASSWORD");
  EXPECT_FALSE(read_password(settings).has_value());
  setenv("ALARA_TEST_MQTT_PASSWORD", "s3cret", 1);
  EXPECT_EQ(read_password(settings).value(), "s3cret");
  settings.password_env.clear();
  settings.password_file = "/nonexistent/file";
  EXPECT_FALSE(read_password(settings).has_value());
}

}  // namespace
}  // namespace alara::mqtt
