// SPDX-License-Identifier: Apache-2.0
// A running node: engine, connectors, journal and pages, made from one site file and changed by reload. Control calls
// (reload, stop) come from one thread; status() and the like from any.
#pragma once

#include <atomic>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "flow/engine/engine.hpp"
#include "node/compile.hpp"
#include "node/event_store.hpp"
#include "node/journal.hpp"
#include "node/status.hpp"

namespace alara::node {

struct RuntimeOptions {
  bool realtime = true;   // ask for SCHED_FIFO and locked memory; what is not granted is a note
  std::string http = {};  // overrides settings.http when not empty; "off" switches it off
};

// A value as the API shows it.
struct ShownValue {
  std::string name, unit;
  flow::LatestValue latest;
};

class Runtime {
 public:
  // Reads, checks, compiles and starts. The diagnosis has the reasons when nullptr is returned.
  [[nodiscard]] static std::unique_ptr<Runtime> start(const std::string& path, Clock& clock,
                                                      const RuntimeOptions& options, Diagnosis& diagnosis);
  ~Runtime();
  Runtime(const Runtime&) = delete;
  Runtime& operator=(const Runtime&) = delete;

  // Reads the file again and changes what differs; on any error nothing changes and the old configuration goes on.
  [[nodiscard]] Diagnosis reload();
  // Commands the safe values, ends connectors and shards; within 2 s. Idempotent.
  void stop();

  [[nodiscard]] NodeStatus status() const;
  [[nodiscard]] std::vector<ShownValue> signals(std::string_view name_part, std::size_t at_most) const;
  [[nodiscard]] std::vector<ShownValue> results(std::string_view name_part, std::size_t at_most) const;
  [[nodiscard]] const EventStore& events() const { return events_; }
  // All finite sources (files) have ended and everything they sent has been worked on.
  [[nodiscard]] bool finished() const { return finished_.load(std::memory_order_acquire); }
  [[nodiscard]] std::string http_address() const;  // where the pages should be served; "" = nowhere
  [[nodiscard]] const std::vector<std::string>& notes() const { return notes_; }  // e.g. priority not granted

 private:
  struct Attached {  // a connector of the running plan
    CompiledConnector compiled;
    flow::Engine::Connection* connection = nullptr;
    bool running = false;
  };
  struct Io {  // one per protocol
    std::unique_ptr<IoLoop> loop;
    std::jthread thread;
  };

  Runtime(Clock& clock, RuntimeOptions options) : clock_(clock), options_(std::move(options)) {}
  [[nodiscard]] Status create_engine(const Site& site);
  [[nodiscard]] Diagnosis read(Site& site, Compiled& compiled, const Compiled* before);
  [[nodiscard]] Status install(Site site, Compiled compiled);
  [[nodiscard]] Status start_connector(Attached& attached);
  [[nodiscard]] Result<IoLoop*> loop_of(const std::string& protocol);
  void stop_connector(Attached& attached);
  void start_journal();
  void housekeeping(const std::stop_token& stop);
  void replace_changed_models(Diagnosis& diagnosis);
  void watch_finish();
  void lock_memory();

  Clock& clock_;
  const RuntimeOptions options_;
  std::string path_;
  Nanos started_ = 0;
  std::vector<std::string> notes_;

  std::unique_ptr<flow::Engine> engine_;
  std::vector<Decisions*> decisions_;
  EventStore events_;
  std::unique_ptr<Journal> journal_;
  std::map<std::string, Io> io_;

  mutable std::mutex plan_mutex_;  // guards the running plan against readers while reload swaps it
  Site site_;
  Identities identities_;
  Compiled compiled_;
  std::map<std::string, Attached> connectors_;

  std::atomic<std::uint64_t> reloads_{0}, reloads_refused_{0};
  std::atomic<bool> finished_{false};
  bool stopped_ = false;
  std::jthread housekeeper_;
};

}  // namespace alara::node
