// SPDX-License-Identifier: Apache-2.0
#include "learn/plan/checkpoint.hpp"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "base/hash.hpp"
#include "learn/data/file_bytes.hpp"
#include "learn/plan/json_count.hpp"

namespace alara::learn {
namespace {

using graph::Tensor;
using Json = nlohmann::ordered_json;

constexpr std::string_view kMagic = "ALARATR1";

void append_number(std::string& out, std::uint64_t number) {
  for (int i = 0; i < 8; ++i) out += static_cast<char>(number >> 8 * i & 0xFF);
}

std::uint64_t number_at(std::string_view bytes, std::size_t at) {
  std::uint64_t number = 0;
  for (std::size_t i = 8; i-- > 0;) number = number << 8 | static_cast<unsigned char>(bytes[at + i]);
  return number;
}

Json header_of(const Checkpoint& from) {
  Json curve = Json::array(), tensors = Json::array();
  for (const EpochReport& e : from.curve)
    curve.push_back({e.epoch, e.rate, e.loss, e.accuracy, e.validation_loss, e.validation_accuracy, e.seconds});
  for (const auto& [name, tensor] : from.tensors)
    tensors.push_back({{"name", name}, {"type", static_cast<int>(tensor.type)}, {"shape", tensor.shape}});
  return {{"fingerprint", from.fingerprint},
          {"epoch", from.epoch},
          {"batch", from.batch},
          {"step", from.step},
          {"loss_sum", from.loss_sum},
          {"rows", from.rows},
          {"right", from.right},
          {"seconds", from.seconds},
          {"best_epoch", from.best_epoch},
          {"best_score", from.best_score},
          {"curve", curve},
          {"tensors", tensors}};
}

// The state without the tensors. Throws what nlohmann::json throws.
Checkpoint state_of(const Json& header) {
  Checkpoint out;
  out.fingerprint = header.at("fingerprint").get<std::string>();
  out.epoch = count_of<int>(header.at("epoch"));
  out.batch = count_of<std::int64_t>(header.at("batch"));
  out.step = count_of<std::int64_t>(header.at("step"));
  out.loss_sum = header.at("loss_sum").get<double>();
  out.rows = count_of<std::int64_t>(header.at("rows"));
  out.right = count_of<std::int64_t>(header.at("right"));
  out.seconds = header.at("seconds").get<double>();
  out.best_epoch = count_of<int>(header.at("best_epoch"));
  out.best_score = header.at("best_score").get<double>();
  for (const Json& e : header.at("curve"))
    out.curve.push_back({count_of<int>(e.at(0)), e.at(1).get<double>(), e.at(2).get<double>(), e.at(3).get<double>(),
                         e.at(4).get<double>(), e.at(5).get<double>(), e.at(6).get<double>()});
  return out;
}

Status check_counts(const Checkpoint& state) {
  const bool curve = std::all_of(state.curve.begin(), state.curve.end(), [](const auto& e) { return e.epoch >= 0; });
  if (curve && std::min({state.epoch, state.best_epoch}) >= 0 &&
      std::min({state.batch, state.step, state.rows, state.right}) >= 0)
    return {};
  return fail(ErrorKind::corrupt, "the checkpoint has a count out of range");
}

// Takes the tensors' numbers from `data`, which must be used up. Throws what nlohmann::json throws.
Status take_tensors(const Json& header, std::string_view data, Checkpoint& out) {
  for (const Json& entry : header.at("tensors")) {
    const auto type = graph::type_of(count_of<int>(entry.at("type")));
    graph::Shape shape;
    for (const Json& size : entry.at("shape")) shape.push_back(count_of<std::int64_t>(size));
    if (!type || graph::bytes_of(*type) == 0)
      return fail(ErrorKind::corrupt, "the checkpoint has a tensor without numbers");
    ALARA_TRY(const std::int64_t elements, graph::elements_of(shape));
    const std::size_t size = static_cast<std::size_t>(elements) * graph::bytes_of(*type);
    if (size > data.size()) return fail(ErrorKind::corrupt, "the checkpoint has fewer numbers than it says");
    Tensor tensor = Tensor::zeros(*type, std::move(shape));
    std::copy_n(reinterpret_cast<const std::byte*>(data.data()), size, tensor.bytes.begin());
    data.remove_prefix(size);
    out.tensors.insert_or_assign(entry.at("name").get<std::string>(), std::move(tensor));
  }
  if (!data.empty()) return fail(ErrorKind::corrupt, "the checkpoint has more numbers than it says");
  return {};
}

}  // namespace

std::string sealed(std::string_view header, std::string_view numbers) {
  std::string out(kMagic);
  append_number(out, header.size());
  out.append(header).append(numbers);
  append_number(out, fnv1a(out));
  return out;
}

std::string to_bytes(const Checkpoint& checkpoint) {
  std::string numbers;
  for (const auto& [name, tensor] : checkpoint.tensors)
    numbers.append(reinterpret_cast<const char*>(tensor.bytes.data()), tensor.bytes.size());
  return sealed(header_of(checkpoint).dump(), numbers);
}

Result<Checkpoint> parse_checkpoint(std::span<const std::byte> bytes) {
  std::string_view text(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  constexpr std::size_t kFrame = 24;  // magic, length, checksum
  if (text.size() < kFrame || !text.starts_with(kMagic)) return fail(ErrorKind::corrupt, "this is no checkpoint");
  if (fnv1a(text.substr(0, text.size() - 8)) != number_at(text, text.size() - 8))
    return fail(ErrorKind::corrupt, "the checkpoint is damaged: its checksum is wrong");
  const std::uint64_t length = number_at(text, 8);
  if (length > kMaxCheckpointHeader || length > text.size() - kFrame)
    return fail(ErrorKind::corrupt, "the checkpoint's header has {} bytes, more than the file", length);
  text.remove_suffix(8);
  try {
    const Json header = Json::parse(text.substr(16, length));
    Checkpoint out = state_of(header);
    ALARA_CHECK(check_counts(out));
    ALARA_CHECK(take_tensors(header, text.substr(16 + length), out));
    return out;
  } catch (const nlohmann::json::exception& error) {
    return fail(ErrorKind::corrupt, "the checkpoint's header can not be read: {}", error.what());
  }
}

Result<Checkpoint> read_checkpoint(const std::filesystem::path& path) {
  ALARA_TRY(const std::vector<std::byte> bytes, read_bytes(path, kMaxCheckpointBytes));
  auto checkpoint = parse_checkpoint(bytes);
  if (!checkpoint) checkpoint.error().where = {path.string(), 0, 0};
  return checkpoint;
}

Status write_checkpoint(const Checkpoint& checkpoint, const std::filesystem::path& path) {
  return write_bytes(path, to_bytes(checkpoint));
}

}  // namespace alara::learn
