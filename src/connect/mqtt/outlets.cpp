// SPDX-License-Identifier: Apache-2.0
#include "connect/mqtt/outlets.hpp"

#include <algorithm>

#include "connect/mqtt/address.hpp"
#include "wire/payload_json.hpp"

namespace alara::mqtt {
namespace {

constexpr std::size_t kOutletsShown = 8;
// What a message and each of its points come to besides texts, at most and in any format.
constexpr std::size_t kFrameBytes = 128, kPointBytes = 64;

}  // namespace

Outlets::Outlets(const Settings& settings) : settings_(settings) {
  if (settings.publish_format == Format::points) codec_ = wire::make_point_codec(settings.publish_points);
}

Status Outlets::add(const OutletBinding& outlet) {
  ALARA_TRY(const Address address,
            codec_ != nullptr ? parse_address(outlet.address) : Result<Address>({outlet.address, ""}));
  ALARA_CHECK(check_topic(address.topic));
  if (address.path.size() > wire::kMaxPointText)
    return fail(ErrorKind::bad_input, "the name of a point may have {} bytes, not {}", wire::kMaxPointText,
                address.path.size());
  if (!addresses_.insert(outlet.address).second)
    return fail(ErrorKind::bad_input, "topic '{}' gets another value already; {{asset}} and {{value}} tell them apart",
                outlet.address);
  const auto [topic, is_new] = topic_numbers_.try_emplace(address.topic, topics_.size());
  if (is_new) {
    topics_.push_back(address.topic);
    names_.push_back(0);
  }
  const bool aliased = settings_.name_every > 0 && !address.path.empty();
  const std::uint32_t alias = aliased ? ++names_[topic->second] : 0;
  outlets_[index_of(outlet.outlet)] = {topic->second, address.path, outlet.boolean, outlet.unit.text(), alias};
  return {};
}

std::vector<std::string> Outlets::explain() const {
  std::vector<std::string> lines;
  if (topics_.empty()) return lines;
  lines.push_back(fmt::format("{} published values at QoS {}{}", outlets_.size(), settings_.qos,
                              settings_.retain ? ", retained" : ""));
  for (std::size_t i = 0; i < std::min(topics_.size(), kOutletsShown); ++i) lines.push_back("value to " + topics_[i]);
  if (topics_.size() > kOutletsShown) lines.push_back(fmt::format("… and {} more", topics_.size() - kOutletsShown));
  return lines;
}

void Outlets::count() { buffered_.store(waiting_.size() + unsettled_, std::memory_order_relaxed); }

void Outlets::take(OutletQueue& queue, Link link) {
  OutletSample sample;
  while (queue.pop(sample)) {
    if (outlets_.contains(index_of(sample.outlet))) {
      waiting_.push_back(sample);
    } else {  // of a plan before the last reload
      queue.dropped("unknown_outlet", 1);
    }
  }
  make_room(queue, link);
}

// Without a buffer, only the newest value of each topic is worth keeping: a subscriber wants to know how things stand,
// not how they stood. With one, the oldest goes.
void Outlets::make_room(OutletQueue& queue, Link link) {
  if (settings_.buffer == 0 && (link == Link::down || waiting_.size() + unsettled_ > kMaxUnanswered)) {
    std::unordered_set<std::uint32_t> seen;
    std::deque<OutletSample> newest;
    for (auto sample = waiting_.rbegin(); sample != waiting_.rend(); ++sample)
      if (seen.insert(index_of(sample->outlet)).second) newest.push_front(*sample);
    if (newest.size() < waiting_.size())
      queue.dropped(link == Link::down ? "not_connected" : "broker_behind", waiting_.size() - newest.size());
    waiting_ = std::move(newest);
  }
  const std::size_t most = settings_.buffer == 0 ? SIZE_MAX : settings_.buffer;
  std::uint64_t old = 0;
  for (; waiting_.size() + unsettled_ > most && !waiting_.empty(); ++old) waiting_.pop_front();
  if (old > 0) queue.dropped("buffer_full", old);
  count();
}

void Outlets::compose(std::span<const OutletSample> samples, Nanos now) {
  if (codec_ != nullptr) {
    points_.clear();
    for (const OutletSample& sample : samples) {
      const Outlet& outlet = outlet_of(sample);
      const bool named = outlet.alias == 0 || outlet.name_due <= now;
      points_.push_back({.name = named ? outlet.name : std::string_view(),
                         .alias = outlet.alias,
                         .value = sample.value,
                         .time = sample.time,
                         .quality = sample.quality,
                         .unit = named ? outlet.unit : std::string_view()});
    }
    return codec_->write(points_, text_);
  }
  const OutletSample& sample = samples.front();
  const Outlet& outlet = outlet_of(sample);
  text_.clear();
  if (settings_.publish_format != Format::array)
    return wire::append_point({sample.value, outlet.boolean, sample.time, sample.quality, outlet.unit}, text_);
  wire::write_array({wire::ElementType::float64, sample.time, 0}, std::span(&sample.value, 1), bytes_);
  text_.assign(bytes_.begin(), bytes_.end());
}

// These samples' names go out now, if they were due.
void Outlets::named(std::span<const OutletSample> samples, Nanos now) {
  for (const OutletSample& sample : samples)
    if (Outlet& outlet = outlet_of(sample); outlet.alias != 0 && outlet.name_due <= now)
      outlet.name_due = now + settings_.name_every;
}

std::size_t Outlets::bytes_of(const Outlet& outlet) { return kPointBytes + outlet.name.size() + outlet.unit.size(); }

// Moves what goes in the next message to in_flight_: the first that waits and, in formats of points, what waits behind
// it for the same topic.
void Outlets::take_next(std::size_t most_bytes) {
  in_flight_.push_back({-1, {}, 0});
  std::vector<OutletSample>& samples = in_flight_.back().samples;
  const Outlet& first = outlet_of(waiting_.front());
  std::size_t bytes = kFrameBytes + topics_[first.topic].size() + bytes_of(first);
  do {
    samples.push_back(waiting_.front());
    waiting_.pop_front();
  } while (codec_ != nullptr && !waiting_.empty() && outlet_of(waiting_.front()).topic == first.topic &&
           (bytes += bytes_of(outlet_of(waiting_.front()))) <= most_bytes);
  unsettled_ += samples.size();
}

// The samples of the last message wait again, before all others.
void Outlets::put_back() {
  const std::vector<OutletSample>& samples = in_flight_.back().samples;
  waiting_.insert(waiting_.begin(), samples.begin(), samples.end());
  unsettled_ -= samples.size();
  in_flight_.pop_back();
}

void Outlets::name_all() {
  for (auto& [id, outlet] : outlets_) outlet.name_due = 0;
}

Status Outlets::send(Connection& connection, OutletQueue& queue, Nanos now) {
  const BrokerLimits& limits = connection.limits();
  const std::size_t window = std::min(kMaxUnanswered, limits.receive_maximum);
  const std::size_t aliases = std::min<std::size_t>(settings_.topic_aliases, limits.topic_alias_maximum);
  Status status;
  while (!waiting_.empty() && in_flight_.size() < window) {
    take_next(std::min(kMaxPointsMessage, limits.packet));
    const std::size_t topic = outlet_of(in_flight_.back().samples.front()).topic;
    compose(in_flight_.back().samples, now);
    Publication publication{topics_[topic], text_, settings_.qos, settings_.retain};
    if (settings_.message_expiry > 0) publication.expires_in = settings_.message_expiry;
    if (topic < aliases) publication.alias = static_cast<std::uint16_t>(topic + 1);
    in_flight_.back().bytes = publication.topic.size() + text_.size();
    named(in_flight_.back().samples, now);
    const std::size_t before = in_flight_.size();
    const Status sent = connection.publish(publication, in_flight_.back().id);
    if (sent) continue;
    status = sent;
    if (in_flight_.size() < before) break;  // the connection was lost meanwhile, and everything taken back
    name_all();                             // the names did not go
    if (sent.error().kind != ErrorKind::exhausted) {
      put_back();
      break;
    }
    queue.dropped("too_large", in_flight_.back().samples.size());
    unsettled_ -= in_flight_.back().samples.size();
    in_flight_.pop_back();
  }
  count();
  return status;
}

Outlets::Settled Outlets::settle(const Answer& answer, OutletQueue& queue, ConnectorStats& stats) {
  const auto found =
      std::find_if(in_flight_.begin(), in_flight_.end(), [&](const Sent& sent) { return sent.id == answer.id; });
  if (found == in_flight_.end()) return {};
  const std::size_t topic = outlet_of(found->samples.front()).topic, values = found->samples.size();
  stats.messages_out.fetch_add(1, std::memory_order_relaxed);
  stats.bytes_out.fetch_add(found->bytes, std::memory_order_relaxed);
  Settled settled{true};
  unsettled_ -= values;
  in_flight_.erase(found);
  count();  // before it is settled: nobody sees it twice
  if (answer.accepted) {
    queue.delivered(values);
  } else {
    queue.dropped("refused_by_broker", values);
    settled.refusal = fmt::format("the broker refuses values to {}: {}", topics_[topic], answer.why);
  }
  return settled;
}

void Outlets::take_back(OutletQueue& queue) {
  name_all();  // what was under way may not have arrived
  while (!in_flight_.empty()) put_back();
  make_room(queue, Link::down);
}

void Outlets::give_up(OutletQueue& queue) {
  take_back(queue);
  const std::size_t left = waiting_.size();
  waiting_.clear();
  count();
  if (left > 0) queue.dropped("not_connected", left);
}

}  // namespace alara::mqtt
