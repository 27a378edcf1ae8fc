// SPDX-License-Identifier: Apache-2.0
// `codecs`: what a message of points costs in each format, in bytes and in time, beside JSON as the node reads and
// writes it. Every message is decoded and held against its source first; while the clock runs, every value, time and
// quality is read and added up. Decoding is measured alone, and as part of what the MQTT connector does with a message.
#include <algorithm>
#include <cmath>
#include <functional>
#include <random>

#include "bench/bench.hpp"
#include "connect/mqtt/router.hpp"
#include "wire/payload_json.hpp"
#include "wire/payload_points.hpp"

namespace alara::bench {
namespace {

using wire::PayloadFault;
using wire::Point;

constexpr std::size_t kPoints = 100, kMachines = 10;
constexpr std::size_t kMessages = 64;  // different ones, so that no branch predictor learns one by heart
constexpr std::size_t kRoundsPerTurn = 4;
constexpr Nanos kStart = 1'769'860'800 * kSecond;

struct Sensor {
  const char* name;
  const char* unit;
  double middle, swing;
};
constexpr Sensor kSensors[kPoints / kMachines] = {
    {"spindle/temperature", "degC", 55, 20}, {"spindle/speed", "rpm", 9000, 4000},
    {"spindle/current", "A", 14, 9},         {"vibration/rms", "mm/s2", 900, 600},
    {"vibration/peak", "mm/s2", 4000, 3000}, {"coolant/pressure", "bar", 6, 2},
    {"coolant/flow", "l/min", 12, 4},        {"axis/x/position", "mm", 400, 350},
    {"axis/y/position", "mm", 300, 250},     {"power", "kW", 8, 6}};

// The points of one message: values with the digits of a sensor, times within one second, now and then a doubtful one.
struct Batch {
  std::vector<std::string> names;
  std::vector<Point> points;
};
Batch make_batch(std::mt19937_64& random) {
  std::uniform_real_distribution<double> spread(-1, 1);
  Batch batch;
  batch.names.reserve(kPoints);
  for (std::size_t i = 0; i < kPoints; ++i) {
    const Sensor& sensor = kSensors[i % std::size(kSensors)];
    batch.names.push_back(fmt::format("cnc-{:02}/{}", i / std::size(kSensors), sensor.name));
    const double value = std::round((sensor.middle + sensor.swing * spread(random)) * 1000) / 1000;
    batch.points.push_back({.name = batch.names.back(),
                            .value = value,
                            .time = kStart + static_cast<Nanos>(random() % 1'000'000) * kMicrosecond,
                            .quality = random() % 50 == 0 ? Quality::uncertain : Quality::good,
                            .unit = sensor.unit});
  }
  return batch;
}

std::span<const std::uint8_t> bytes_of(const std::string& message) {
  return {reinterpret_cast<const std::uint8_t*>(message.data()), message.size()};
}

// What the points of a message come to; the same for every format, or something was not read.
struct Sum {
  double value = 0;
  std::uint64_t time = 0, quality = 0;
  void add(double v, Nanos t, Quality q) {
    value += v;
    time += static_cast<std::uint64_t>(t);
    quality += static_cast<std::uint64_t>(q);
  }
  bool operator==(const Sum&) const = default;
};

// One format under test. Decoding returns nullopt when a message is not understood.
class Format {
 public:
  virtual ~Format() = default;
  virtual void encode(std::span<const Point> points, std::string& out) = 0;
  virtual std::optional<Sum> decode(const std::string& message) = 0;
  // What the last decode() read, to be held against the source; true when it is the same.
  [[nodiscard]] virtual bool read_as(std::span<const Point> points) const = 0;
};

// An object with a member for each point, written and read by the functions that the connectors use.
class Json final : public Format {
 public:
  Status declare(const Batch& batch) {
    for (const std::string& name : batch.names) {
      std::string path = "[";
      wire::append_json_string(name, path);
      ALARA_CHECK(plan_.add(path + "]"));
    }
    return {};
  }
  void encode(std::span<const Point> points, std::string& out) override {
    out.clear();
    for (const Point& point : points) {
      out += out.empty() ? '{' : ',';
      wire::append_json_string(point.name, out);
      out += ':';
      wire::append_point({point.value, false, point.time, point.quality, point.unit}, out);
    }
    out += '}';
  }
  std::optional<Sum> decode(const std::string& message) override {
    if (plan_.read(message, {}, row_) != PayloadFault::none) return std::nullopt;
    Sum sum;
    for (const wire::JsonRow::Point& point : row_.points) {
      if (point.fault != PayloadFault::none) return std::nullopt;
      sum.add(point.value, point.time, point.quality);
    }
    return sum;
  }
  [[nodiscard]] bool read_as(std::span<const Point> points) const override {
    return std::ranges::equal(row_.points, points, [](const wire::JsonRow::Point& got, const Point& expected) {
      return got.value == expected.value && got.time == expected.time && got.quality == expected.quality;
    });
  }

 private:
  wire::JsonPlan plan_;
  wire::JsonRow row_;
};

class Codec final : public Format {
 public:
  explicit Codec(wire::PointFormat format) : codec_(wire::make_point_codec(format)) {}

  void encode(std::span<const Point> points, std::string& out) override { codec_->write(points, out); }
  std::optional<Sum> decode(const std::string& message) override {
    if (codec_->read(bytes_of(message), {}, points_) != PayloadFault::none) return std::nullopt;
    Sum sum;
    for (const Point& point : points_) {
      if (point.fault != PayloadFault::none) return std::nullopt;
      sum.add(point.value, point.time, point.quality);
    }
    return sum;
  }
  [[nodiscard]] bool read_as(std::span<const Point> points) const override {
    return std::ranges::equal(points_, points, [](const Point& got, const Point& expected) {
      return got.name == expected.name && got.alias == expected.alias && got.value == expected.value &&
             got.time == expected.time && got.quality == expected.quality && got.unit == expected.unit;
    });
  }

 private:
  std::unique_ptr<wire::PointCodec> codec_;
  std::vector<Point> points_;
};

// The end of the way through the connector: adds up what arrives.
struct Summing final : Inlet {
  void push(const alara::Batch& batch) override {
    for (std::size_t i = 0; i < batch.size(); ++i) sum.add(batch.value[i], batch.time_at(i), batch.quality_at(i));
  }
  void reject(std::string_view, std::uint64_t points) override { rejected += points; }
  void finished() override {}
  Sum sum;
  std::uint64_t rejected = 0;
};

// Messages on their way through the connector's router to a signal for each name.
class Delivery {
 public:
  static Result<std::unique_ptr<Delivery>> create(const mqtt::Settings& settings, const Batch& batch) {
    auto made = std::unique_ptr<Delivery>(new Delivery(settings));
    for (std::size_t i = 0; i < batch.names.size(); ++i) {
      SignalBinding signal;
      signal.signal = static_cast<SignalId>(i);
      const std::string& name = batch.names[i];
      const std::string path = settings.format == mqtt::Format::json ? fmt::format("[\"{}\"]", name) : name;
      ALARA_CHECK(made->router_.add({"cell", path}, signal));
    }
    made->router_.seal();
    return made;
  }
  // nullopt when a point was turned away.
  std::optional<Sum> deliver(const std::string& message) {
    inlet_.sum = {};
    router_.deliver({"cell", bytes_of(message)}, inlet_);
    return inlet_.rejected == 0 ? std::optional(inlet_.sum) : std::nullopt;
  }

 private:
  explicit Delivery(const mqtt::Settings& settings) : settings_(settings), router_(settings_) {}

  const mqtt::Settings settings_;
  mqtt::Router router_;
  Summing inlet_;
};

// One row of the result: a format, the points as it sends them, and its messages.
struct Case {
  std::string name;
  std::unique_ptr<Format> format;
  std::unique_ptr<Delivery> delivery;
  std::vector<std::vector<Point>> points = {};
  std::vector<std::string> messages = {};
  std::vector<double> encode_ns = {}, decode_ns = {}, deliver_ns = {};  // per point, one of each turn

  [[nodiscard]] double bytes_per_point() const {
    std::size_t bytes = 0;
    for (const std::string& message : messages) bytes += message.size();
    return static_cast<double>(bytes) / static_cast<double>(messages.size() * kPoints);
  }
};

// The points with aliases beside their names, and as they go once the aliases are known.
std::vector<Point> with_aliases(std::vector<Point> points) {
  for (std::size_t i = 0; i < points.size(); ++i) points[i].alias = static_cast<std::uint32_t>(i + 1);
  return points;
}
std::vector<Point> by_alias(std::vector<Point> points) {
  points = with_aliases(std::move(points));
  for (Point& point : points) point.name = point.unit = {};
  return points;
}

Status prepare(Case& one, const std::vector<Batch>& batches) {
  const bool aliases = one.name.ends_with("_aliases");
  if (aliases) {
    std::string first;
    one.format->encode(with_aliases(batches.front().points), first);
    if (!one.delivery->deliver(first)) return fail(ErrorKind::internal, "{} does not give names", one.name);
  }
  for (const Batch& batch : batches) {
    const std::vector<Point>& points = one.points.emplace_back(aliases ? by_alias(batch.points) : batch.points);
    std::string& message = one.messages.emplace_back();
    one.format->encode(points, message);
    const auto read = one.format->decode(message), delivered = one.delivery->deliver(message);
    if (!read || !one.format->read_as(points) || !delivered || std::fabs(read->value - delivered->value) > 1e-6 ||
        read->time != delivered->time || read->quality != delivered->quality)
      return fail(ErrorKind::internal, "{} does not read back what it wrote", one.name);
  }
  return {};
}

// CPU time of `work` over all items, per point.
template <typename Items, typename Work>
double ns_per_point(const Items& items, Work work) {
  const double start = thread_cpu_seconds();
  for (std::size_t round = 0; round < kRoundsPerTurn; ++round)
    for (const auto& item : items) work(item);
  return (thread_cpu_seconds() - start) * 1e9 / static_cast<double>(kRoundsPerTurn * items.size() * kPoints);
}

void take_turn(Case& one) {
  std::string out;
  one.encode_ns.push_back(ns_per_point(one.points, [&](const std::vector<Point>& points) {
    one.format->encode(points, out);
    keep(out.data());
  }));
  one.decode_ns.push_back(
      ns_per_point(one.messages, [&](const std::string& message) { keep(one.format->decode(message)->value); }));
  one.deliver_ns.push_back(
      ns_per_point(one.messages, [&](const std::string& message) { keep(one.delivery->deliver(message)->value); }));
}

// Bytes of a message of one point that its topic names, as published values are.
double bytes_of_one(Case& one, Point point) {
  std::string out;
  point.name = {};
  if (one.name == "json")
    wire::append_point({point.value, false, point.time, point.quality, point.unit}, out);
  else
    one.format->encode({&point, 1}, out);
  return static_cast<double>(out.size());
}

double median(std::vector<double> values) {
  std::ranges::nth_element(values, values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2));
  return values[values.size() / 2];
}

Result<std::vector<Case>> make_cases(const std::vector<Batch>& batches) {
  const Batch& any = batches.front();
  std::vector<Case> cases;
  auto json = std::make_unique<Json>();
  ALARA_CHECK(json->declare(any));
  mqtt::Settings settings;
  ALARA_TRY(auto delivery, Delivery::create(settings, any));
  cases.push_back({"json", std::move(json), std::move(delivery)});
  settings.format = mqtt::Format::points;
  for (const auto format :
       {wire::PointFormat::protobuf, wire::PointFormat::flatbuffers, wire::PointFormat::messagepack})
    for (const char* const aliases : {"", "_aliases"}) {
      settings.points = format;
      ALARA_TRY(delivery, Delivery::create(settings, any));
      cases.push_back(
          {fmt::format("{}{}", wire::name_of(format), aliases), std::make_unique<Codec>(format), std::move(delivery)});
    }
  for (Case& one : cases) ALARA_CHECK(prepare(one, batches));
  return cases;
}

}  // namespace

Result<Report> run_codecs(const Arguments& arguments) {
  std::mt19937_64 random(7);
  std::vector<Batch> batches;
  for (std::size_t i = 0; i < kMessages; ++i) batches.push_back(make_batch(random));
  ALARA_TRY(std::vector<Case> cases, make_cases(batches));
  Report report;
  report.workload = fmt::format(
      "{} messages of {} points each (name, value, unit, quality, time), written and read; `_aliases`: names and units "
      "were sent before, once. CPU time of one thread per point, median of turns; decoding verifies the message and "
      "adds "
      "up all values, times and qualities; delivering also finds the signal of each point, as the MQTT connector does",
      kMessages, kPoints);
  report.checked = true;  // by prepare()

  const double end = seconds_now() + (arguments.seconds > 0 ? arguments.seconds : arguments.quick ? 0.1 : 3);
  do  // in turns, so that all meet the same machine
    for (Case& one : cases) take_turn(one);
  while (seconds_now() < end);

  std::map<std::string, double>& figures = report.figures;
  for (Case& one : cases) {
    std::map<std::string, double>& out = one.name == "json" ? report.baseline : figures;
    out[one.name + "_bytes_per_point"] = one.bytes_per_point();
    if (!one.name.ends_with("_aliases"))
      out[one.name + "_bytes_of_one"] = bytes_of_one(one, batches.front().points.front());
    out[one.name + "_encode_ns"] = median(one.encode_ns);
    out[one.name + "_decode_ns"] = median(one.decode_ns);
    out[one.name + "_deliver_ns"] = median(one.deliver_ns);
  }
  const std::map<std::string, double>& json = report.baseline;
  figures["protobuf_shrink"] = json.at("json_bytes_per_point") / figures.at("protobuf_aliases_bytes_per_point");
  figures["flatbuffers_read_speedup"] = json.at("json_decode_ns") / figures.at("flatbuffers_decode_ns");
  figures["flatbuffers_deliver_speedup"] = json.at("json_deliver_ns") / figures.at("flatbuffers_deliver_ns");
  return report;
}

}  // namespace alara::bench
