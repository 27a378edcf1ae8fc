// SPDX-License-Identifier: Apache-2.0
#include "connect/mqtt/outlets.hpp"

#include <algorithm>
#include <unordered_set>

#include "connect/mqtt/address.hpp"
#include "wire/payload_json.hpp"

namespace alara::mqtt {
namespace {

constexpr std::size_t kTopicsShown = 8;

}  // namespace

Outlets::Outlets(const Settings& settings) : settings_(settings) {
  if (settings.publish_format == Format::points) codec_ = wire::make_point_codec(settings.publish_points);
}

Status Outlets::add(const OutletBinding& outlet) {
  ALARA_CHECK(check_topic(outlet.address));
  const auto found = std::find(topics_.begin(), topics_.end(), outlet.address);
  if (found != topics_.end())
    return fail(ErrorKind::bad_input, "topic '{}' gets another value already; {{asset}} and {{value}} tell them apart",
                outlet.address);
  outlets_[index_of(outlet.outlet)] = {topics_.size(), outlet.boolean, outlet.unit.text()};
  topics_.push_back(outlet.address);
  return {};
}

std::vector<std::string> Outlets::explain() const {
  std::vector<std::string> lines;
  if (topics_.empty()) return lines;
  lines.push_back(fmt::format("{} published values at QoS {}{}", topics_.size(), settings_.qos,
                              settings_.retain ? ", retained" : ""));
  for (std::size_t i = 0; i < std::min(topics_.size(), kTopicsShown); ++i) lines.push_back("value to " + topics_[i]);
  if (topics_.size() > kTopicsShown) lines.push_back(fmt::format("… and {} more", topics_.size() - kTopicsShown));
  return lines;
}

void Outlets::count() { buffered_.store(waiting_.size() + in_flight_.size(), std::memory_order_relaxed); }

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
  if (settings_.buffer == 0 && (link == Link::down || waiting_.size() + in_flight_.size() > kMaxUnanswered)) {
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
  for (; waiting_.size() + in_flight_.size() > most && !waiting_.empty(); ++old) waiting_.pop_front();
  if (old > 0) queue.dropped("buffer_full", old);
  count();
}

void Outlets::compose(const Outlet& outlet, const OutletSample& sample) {
  if (codec_ != nullptr) {  // the topic says which point it is
    const wire::Point point{.value = sample.value, .time = sample.time, .quality = sample.quality, .unit = outlet.unit};
    return codec_->write({&point, 1}, text_);
  }
  text_.clear();
  if (settings_.publish_format != Format::array)
    return wire::append_point({sample.value, outlet.boolean, sample.time, sample.quality, outlet.unit}, text_);
  wire::write_array({wire::ElementType::float64, sample.time, 0}, std::span(&sample.value, 1), bytes_);
  text_.assign(bytes_.begin(), bytes_.end());
}

Status Outlets::send(Connection& connection, OutletQueue& queue) {
  const BrokerLimits& limits = connection.limits();
  const std::size_t window = std::min(kMaxUnanswered, limits.receive_maximum);
  const std::size_t aliases = std::min<std::size_t>(settings_.topic_aliases, limits.topic_alias_maximum);
  Status status;
  while (!waiting_.empty() && in_flight_.size() < window) {
    const Outlet& outlet = outlets_.at(index_of(waiting_.front().outlet));
    const std::string& topic = topics_[outlet.topic];
    compose(outlet, waiting_.front());
    Publication publication{topic, text_, settings_.qos, settings_.retain};
    if (settings_.message_expiry > 0) publication.expires_in = settings_.message_expiry;
    if (outlet.topic < aliases) publication.alias = static_cast<std::uint16_t>(outlet.topic + 1);
    in_flight_.push_back({-1, waiting_.front()});
    waiting_.pop_front();
    const std::size_t before = in_flight_.size();
    const Status sent = connection.publish(publication, in_flight_.back().id);
    if (sent) continue;
    status = sent;
    if (in_flight_.size() < before) break;  // the connection was lost meanwhile, and everything taken back
    if (sent.error().kind == ErrorKind::exhausted) {
      queue.dropped("too_large", 1);
    } else {
      waiting_.push_front(in_flight_.back().sample);
    }
    in_flight_.pop_back();
    if (sent.error().kind != ErrorKind::exhausted) break;
  }
  count();
  return status;
}

Outlets::Settled Outlets::settle(const Answer& answer, OutletQueue& queue) {
  const auto found =
      std::find_if(in_flight_.begin(), in_flight_.end(), [&](const Sent& sent) { return sent.id == answer.id; });
  if (found == in_flight_.end()) return {};
  const OutletSample sample = found->sample;
  in_flight_.erase(found);
  count();  // before it is settled: nobody sees it twice
  Settled settled{true};
  if (answer.accepted) {
    queue.delivered(1);
  } else {
    queue.dropped("refused_by_broker", 1);
    settled.refusal = fmt::format("the broker refuses values to {}: {}",
                                  topics_[outlets_.at(index_of(sample.outlet)).topic], answer.why);
  }
  return settled;
}

void Outlets::take_back(OutletQueue& queue) {
  while (!in_flight_.empty()) {
    waiting_.push_front(in_flight_.back().sample);
    in_flight_.pop_back();
  }
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
