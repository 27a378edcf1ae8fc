// SPDX-License-Identifier: Apache-2.0
#include "node/local_broker.hpp"

#include <filesystem>
#include <fstream>

namespace alara::node {

Result<std::unique_ptr<LocalBroker>> LocalBroker::start() {
  const std::string program = find_program("mosquitto");
  if (program.empty())
    return fail(ErrorKind::unavailable, "mosquitto is not installed; 'apt install mosquitto' or tools/setup brings it");
  auto broker = std::unique_ptr<LocalBroker>(new LocalBroker);
  std::string folder = (std::filesystem::temp_directory_path() / "alara-broker-XXXXXX").string();
  if (mkdtemp(folder.data()) == nullptr)
    return fail(ErrorKind::unavailable, "can not make a temporary folder '{}'", folder);
  broker->folder_ = folder;
  broker->port_ = free_loopback_port();
  const std::string file = folder + "/mosquitto.conf";
  // Without TCP_NODELAY small messages wait up to 40 ms for each other.
  std::ofstream(file) << "listener " << broker->port_ << " 127.0.0.1\nallow_anonymous true\npersistence false\n"
                      << "set_tcp_nodelay true\nmax_queued_messages 0\nlog_dest none\n";
  ALARA_TRY(broker->process_, ChildProcess::start({program, "-c", file}));
  if (!wait_for_listener(broker->port_, 5 * kSecond))
    return fail(ErrorKind::timed_out, "mosquitto did not listen on port {} within 5 s", broker->port_);
  return broker;
}

LocalBroker::~LocalBroker() {
  if (process_) process_->stop(kSecond);
  std::error_code ignored;
  std::filesystem::remove_all(folder_, ignored);
}

}  // namespace alara::node
