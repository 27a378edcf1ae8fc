// SPDX-License-Identifier: Apache-2.0
#include "connect/mqtt/dialer.hpp"

#include <mosquitto.h>
#include <mqtt_protocol.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <mutex>
#include <thread>

namespace alara::mqtt {
namespace {

// What CONNECT carries in MQTT 5; null for 3.1.1.
mosquitto_property* connect_properties(const LinkSettings& settings) {
  mosquitto_property* list = nullptr;
  if (settings.version != Version::mqtt5) return list;
  // No topic alias maximum: the library resolves none, so the broker must send topics in full.
  mosquitto_property_add_int32(&list, MQTT_PROP_MAXIMUM_PACKET_SIZE,
                               static_cast<std::uint32_t>(settings.maximum_packet));
  const Nanos expiry = std::min<Nanos>(settings.session_expiry / kSecond, UINT32_MAX);
  if (expiry > 0)
    mosquitto_property_add_int32(&list, MQTT_PROP_SESSION_EXPIRY_INTERVAL, static_cast<std::uint32_t>(expiry));
  return list;
}

}  // namespace

void ClientDeleter::operator()(mosquitto* client) const { mosquitto_destroy(client); }

// Shared by the dialling thread and the Dialer; the last of them closes and destroys.
struct Dialer::Shared {
  ~Shared() {
    if (ready >= 0) close(ready);
    mosquitto_property_free_all(&properties);
  }
  int ready = -1;
  std::string host;
  int port = 0;
  int keepalive = 0;
  mosquitto_property* properties = nullptr;

  std::mutex mutex;  // guards what follows
  Client client;     // with the thread while it dials
  int result = MOSQ_ERR_UNKNOWN;
  int error = 0;
};

Dialer::Dialer(std::shared_ptr<Shared> shared) : shared_(std::move(shared)) {}
Dialer::~Dialer() = default;

Result<std::unique_ptr<Dialer>> Dialer::start(Client client, const LinkSettings& settings) {
  auto shared = std::make_shared<Shared>();
  shared->ready = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
  if (shared->ready < 0)
    return fail(ErrorKind::exhausted, "can not open an event descriptor: {}", std::strerror(errno));
  shared->host = settings.host;
  shared->port = settings.port;
  shared->keepalive = static_cast<int>(settings.keepalive / kSecond);
  shared->properties = connect_properties(settings);
  shared->client = std::move(client);
  std::thread([shared] {
    Client dialling;
    {
      const std::lock_guard lock(shared->mutex);
      dialling = std::move(shared->client);
    }
    errno = 0;
    const int result = mosquitto_connect_bind_v5(dialling.get(), shared->host.c_str(), shared->port, shared->keepalive,
                                                 nullptr, shared->properties);
    const std::lock_guard lock(shared->mutex);
    shared->error = errno;
    shared->result = result;
    shared->client = std::move(dialling);
    const std::uint64_t one = 1;
    static_cast<void>(!write(shared->ready, &one, sizeof one));
  }).detach();
  return std::unique_ptr<Dialer>(new Dialer(std::move(shared)));
}

int Dialer::ready_fd() const { return shared_->ready; }

Result<Client> Dialer::collect() {
  const std::lock_guard lock(shared_->mutex);
  if (shared_->client == nullptr)
    return fail(ErrorKind::timed_out, "{}:{} does not answer", shared_->host, shared_->port);
  if (shared_->result != MOSQ_ERR_SUCCESS)
    return fail(ErrorKind::unavailable, "can not connect to {}:{}: {}", shared_->host, shared_->port,
                describe(shared_->result, shared_->error));
  return std::move(shared_->client);
}

std::string describe(int mosquitto_result, int saved_errno) {
  if (mosquitto_result == MOSQ_ERR_ERRNO && saved_errno != 0) return std::strerror(saved_errno);
  return mosquitto_strerror(mosquitto_result);
}

}  // namespace alara::mqtt
