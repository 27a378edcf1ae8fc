// SPDX-License-Identifier: Apache-2.0
#include "node/runtime.hpp"

#include <link.h>
#include <malloc.h>
#include <sched.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>
#include <fstream>
#include <set>

#include "base/quantity.hpp"

namespace alara::node {
namespace {

constexpr int kFastPriority = 50;
constexpr int kIoPriority = 51;                      // acks must not wait for the shard that waits for them
constexpr Nanos kSlowLaneGather = 5 * kMillisecond;  // fewer, larger rounds where nothing waits for them
constexpr Nanos kHousekeeping = 20 * kMillisecond;
constexpr Nanos kSafeStop = 500 * kMillisecond;  // for safe values to be acknowledged, and published ones to leave

double resident_mb() {
  std::ifstream statm("/proc/self/statm");
  double total = 0, resident = 0;
  statm >> total >> resident;
  return resident * static_cast<double>(sysconf(_SC_PAGESIZE)) / 1e6;
}

double cpu_seconds() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  const auto seconds = [](const timeval& t) {
    return static_cast<double>(t.tv_sec) + static_cast<double>(t.tv_usec) * 1e-6;
  };
  return seconds(usage.ru_utime) + seconds(usage.ru_stime);
}

flow::WhenFull when_full_named(std::string_view name) {
  if (name == "block") return flow::WhenFull::block;
  return name == "drop_newest" ? flow::WhenFull::drop_newest : flow::WhenFull::drop_oldest;
}

flow::InletOptions inlet_options(const Settings& settings, const std::string& name) {
  flow::InletOptions options;
  options.name = name;
  options.live = !settings.replay;
  options.max_skew = settings.max_skew;
  options.ring.bytes = settings.ring;
  options.ring.when_full = when_full_named(settings.when_full);
  // A replay waits for its engine as long as it takes; a live source must not hang on a stuck one.
  if (settings.replay) options.ring.block_at_most = kHour;
  return options;
}

// What only reading and building needed: freed memory, and pages of programs and libraries that have run and may not
// run again. Locked memory could not be taken back; code that does run again is mapped again from the page cache.
void release_what_starting_took() {
  malloc_trim(0);
  const auto release = [](dl_phdr_info* object, std::size_t, void*) {
    const auto page = static_cast<std::uintptr_t>(sysconf(_SC_PAGESIZE));
    for (int i = 0; i < object->dlpi_phnum; ++i) {
      const auto& segment = object->dlpi_phdr[i];
      if (segment.p_type != PT_LOAD || (segment.p_flags & PF_W) != 0) continue;
      const std::uintptr_t begin = (object->dlpi_addr + segment.p_vaddr) & ~(page - 1);
      const std::uintptr_t end = object->dlpi_addr + segment.p_vaddr + segment.p_filesz;
      static_cast<void>(madvise(reinterpret_cast<void*>(begin), end - begin, MADV_DONTNEED));  // NOLINT: an address
    }
    return 0;
  };
  dl_iterate_phdr(release, nullptr);
}

Error restart_needed(const Site& site, std::string_view what) {
  return {ErrorKind::bad_input,
          fmt::format("settings.{} can not change while the node runs", what),
          {site.path},
          "restart the node"};
}

}  // namespace

std::unique_ptr<Runtime> Runtime::start(const std::string& path, Clock& clock, const RuntimeOptions& options,
                                        Diagnosis& diagnosis) {
  auto runtime = std::unique_ptr<Runtime>(new Runtime(clock, options));
  runtime->path_ = path;
  runtime->started_ = clock.monotonic();
  Site site;
  Compiled compiled;
  diagnosis = runtime->read(site, compiled, nullptr);
  if (!diagnosis.ok()) return nullptr;
  const Settings settings = site.settings;
  if (Status installed = runtime->install(std::move(site), std::move(compiled)); !installed) {
    diagnosis.errors.push_back(std::move(installed).error());
    return nullptr;
  }
  release_what_starting_took();
  runtime->lock_memory();
  auto& self = *runtime;
  auto journal = Journal::open({settings.events, settings.audit, settings.dead_letters, settings.dead_letters_most},
                               {[&self](PipelineId id) {
                                  const std::lock_guard lock(self.plan_mutex_);
                                  const std::string name = self.identities_.pipelines.name_of(id);
                                  return name.substr(0, name.find('#'));
                                },
                                [&self](AssetId id) {
                                  const std::lock_guard lock(self.plan_mutex_);
                                  return self.identities_.assets.name_of(id);
                                },
                                [&self](ActuatorId id) {
                                  const std::lock_guard lock(self.plan_mutex_);
                                  const std::string* name = self.identities_.actuators.find_name(id);
                                  return name != nullptr ? *name : std::string("?");
                                },
                                [&self](SignalId id) {
                                  const std::lock_guard lock(self.plan_mutex_);
                                  return self.identities_.signals.name_of(id);
                                }},
                               self.events_);
  if (!journal) {
    diagnosis.errors.push_back(std::move(journal).error());
    return nullptr;
  }
  self.journal_ = std::move(*journal);
  self.engine_->start();
  for (std::size_t i = 0; i < self.engine_->shard_count(); ++i)
    if (const std::string note = self.engine_->shard(i).scheduling_note(); !note.empty()) self.notes_.push_back(note);
  for (auto& [name, attached] : self.connectors_)
    if (Status begun = self.start_connector(attached); !begun) {
      diagnosis.errors.push_back(std::move(begun).error());
      return nullptr;
    }
  self.start_journal();
  return runtime;
}

Runtime::~Runtime() { stop(); }

// Reads the file into `site`, makes the engine at the first call, compiles.
Diagnosis Runtime::read(Site& site, Compiled& compiled, const Compiled* before) {
  Diagnosis diagnosis;
  auto document = load_document(path_);
  if (document)
    if (Status filled = fill_environment(*document); !filled)
      document = tl::unexpected<Error>(std::move(filled).error());
  if (!document) {
    diagnosis.errors.push_back(std::move(document).error());
    return diagnosis;
  }
  diagnosis = read_site(*document, path_, site);
  if (!diagnosis.ok()) return diagnosis;
  if (!engine_) {
    if (Status created = create_engine(site); !created) {
      diagnosis.errors.push_back(std::move(created).error());
      return diagnosis;
    }
  }
  const std::lock_guard lock(plan_mutex_);  // new names join the tables readers look into
  compiled = compile(site, identities_, decisions_, before, diagnosis);
  return diagnosis;
}

Status Runtime::create_engine(const Site& site) {
  std::vector<flow::ShardOptions> shards;
  for (int i = 0; i < site.settings.shards; ++i) {
    flow::ShardOptions fast;
    fast.name = fmt::format("fast-{}", i);
    fast.live = !site.settings.replay;
    fast.fifo_priority = options_.realtime && fast.live ? kFastPriority : 0;
    shards.push_back(std::move(fast));
  }
  flow::ShardOptions slow;
  slow.name = "slow";
  slow.live = !site.settings.replay;
  slow.gather = slow.live ? kSlowLaneGather : 0;
  shards.push_back(std::move(slow));
  engine_ = std::make_unique<flow::Engine>(std::move(shards), clock_);
  for (std::size_t i = 0; i < engine_->shard_count(); ++i) decisions_.push_back(&engine_->shard(i).decisions());
  return {};
}

// Makes `compiled` the running plan: stops what goes or changes, lets the engine switch, remembers. Connectors that are
// new or changed are left stopped; the caller starts them.
Status Runtime::install(Site site, Compiled compiled) {
  std::set<std::string> kept, named;
  for (CompiledConnector& connector : compiled.connectors) {
    named.insert(connector.name);
    const auto running = connectors_.find(connector.name);
    if (running != connectors_.end() && running->second.compiled.fingerprint == connector.fingerprint)
      kept.insert(connector.name);
  }
  for (auto& [name, attached] : connectors_)
    if (!kept.contains(name)) stop_connector(attached);
  for (const CompiledConnector& connector : compiled.connectors)
    if (!connectors_.contains(connector.name)) {
      ALARA_TRY(flow::Engine::Connection* const connection,
                engine_->connect(connector.id, inlet_options(site.settings, connector.name)));
      connectors_[connector.name].connection = connection;
    }
  ALARA_CHECK(engine_->apply(std::move(compiled.engine)));
  const std::lock_guard lock(plan_mutex_);
  for (auto entry = connectors_.begin(); entry != connectors_.end();) {
    if (named.contains(entry->first)) {
      ++entry;
      continue;
    }
    engine_->remove(entry->second.compiled.id);
    entry = connectors_.erase(entry);
  }
  for (CompiledConnector& connector : compiled.connectors) {
    Attached& attached = connectors_[connector.name];
    if (kept.contains(connector.name)) continue;
    attached.compiled = std::move(connector);
  }
  site_ = std::move(site);
  compiled_ = std::move(compiled);
  return {};
}

Diagnosis Runtime::reload() {
  Site site;
  Compiled compiled;
  Diagnosis diagnosis = read(site, compiled, &compiled_);
  if (diagnosis.ok()) {
    const Settings &now = site_.settings, &wished = site.settings;
    for (const auto& [what, differs] : std::initializer_list<std::pair<std::string_view, bool>>{
             {"shards", wished.shards != now.shards},
             {"ring", wished.ring != now.ring},
             {"when_full", wished.when_full != now.when_full},
             {"max_skew", wished.max_skew != now.max_skew},
             {"time", wished.replay != now.replay},
             {"http", wished.http != now.http},
             {"audit", wished.audit != now.audit},
             {"dead_letters",
              wished.dead_letters != now.dead_letters || wished.dead_letters_most != now.dead_letters_most},
             {"events", wished.events != now.events}})
      if (differs) diagnosis.errors.push_back(restart_needed(site, what));
  }
  if (diagnosis.ok()) {
    journal_->set_uplink(nullptr, "");
    journal_->set_event_sinks({});
    if (Status installed = install(std::move(site), std::move(compiled)); !installed)
      diagnosis.errors.push_back(std::move(installed).error());
    for (auto& [name, attached] : connectors_)
      if (!attached.running)
        if (Status begun = start_connector(attached); !begun) diagnosis.errors.push_back(std::move(begun).error());
    start_journal();
    replace_changed_models(diagnosis);
  }
  (diagnosis.ok() ? reloads_ : reloads_refused_).fetch_add(1, std::memory_order_relaxed);
  return diagnosis;
}

// Models of pipelines that were kept, whose files have changed meanwhile: exchanged without missing a row. One that can
// not be used leaves the old one in place and is said.
void Runtime::replace_changed_models(Diagnosis& diagnosis) {
  std::set<infer::ModelSlot*> seen;
  for (const PipelinePart& part : compiled_.parts)
    for (const PipelinePart::Step& step : part.steps) {
      if (!step.model || !seen.insert(step.model.get()).second) continue;
      const auto session = step.model->session();
      const auto file = infer::read_model_file(session->path());
      if (file && file->info.digest == session->info().digest) continue;
      const Status replaced = file ? step.model->replace(session->path()) : Status(tl::unexpected<Error>(file.error()));
      if (!replaced)
        diagnosis.warnings.push_back({replaced.error().kind,
                                      fmt::format("pipeline '{}': step '{}' goes on with its old model: {}", part.name,
                                                  step.name, replaced.error().message),
                                      {site_.path},
                                      {}});
    }
}

Result<IoLoop*> Runtime::loop_of(const std::string& protocol) {
  Io& io = io_[protocol];
  if (!io.loop) {
    ALARA_TRY(io.loop, IoLoop::create(clock_));
    io.thread = std::jthread([loop = io.loop.get(), realtime = options_.realtime](const std::stop_token& stop) {
      if (realtime) {
        sched_param priority{};
        priority.sched_priority = kIoPriority;
        static_cast<void>(sched_setscheduler(0, SCHED_FIFO, &priority));  // not granted: the shards' note says so
      }
      loop->run(stop);
    });
  }
  return io.loop.get();
}

Status Runtime::start_connector(Attached& attached) {
  ALARA_TRY(IoLoop * loop, loop_of(attached.compiled.protocol));
  attached.connection->inlet.resume();
  ConnectorContext context;
  context.inlet = &attached.connection->inlet;
  context.commands = attached.connection->inbox.get();
  context.clock = &clock_;
  context.loop = loop;
  context.seed = static_cast<std::uint64_t>(clock_.wall()) ^ index_of(attached.compiled.id);
  if (!attached.compiled.outlets.empty()) context.outlets = attached.connection->outlets.get();
  ALARA_CHECK(attached.compiled.code->start(context));
  attached.running = true;
  return {};
}

void Runtime::stop_connector(Attached& attached) {
  if (!attached.running) return;
  attached.connection->inlet.stop();  // a push that waits for room gives up
  attached.compiled.code->stop();
  attached.running = false;
}

// Points the journal at the uplink and the alarm displays of the running site and starts the housekeeping thread at the
// first call.
void Runtime::start_journal() {
  MessageSink* sink = nullptr;
  std::string address;
  if (site_.uplink.enabled) {
    sink = connectors_.at(site_.connectors[site_.uplink.to.connector].name).compiled.code->message_sink();
    address = site_.uplink.to.address;
    if (sink == nullptr)
      notes_.push_back(fmt::format("uplink: connector '{}' can not carry messages",
                                   site_.connectors[site_.uplink.to.connector].name));
  }
  journal_->set_uplink(sink, address);
  std::vector<EventSink*> event_sinks;
  for (auto& [name, attached] : connectors_)
    if (EventSink* each = attached.compiled.code->event_sink()) event_sinks.push_back(each);
  journal_->set_event_sinks(std::move(event_sinks));
  if (!housekeeper_.joinable())
    housekeeper_ = std::jthread([this](const std::stop_token& stop) { housekeeping(stop); });
}

void Runtime::housekeeping(const std::stop_token& stop) {
  NodeStatus last = status();
  Nanos next = clock_.monotonic(), next_flush = next;
  while (!stop.stop_requested()) {
    next += kHousekeeping;
    clock_.sleep_until(next);
    while (journal_->drain(*engine_)) {
    }
    if (clock_.monotonic() >= next_flush) {
      journal_->flush();
      next_flush = clock_.monotonic() + kSecond;
    }
    if (!finished_.load(std::memory_order_relaxed)) watch_finish();
    const Nanos every = [this] {
      const std::lock_guard lock(plan_mutex_);
      return site_.uplink.enabled ? site_.uplink.summary_every : 0;
    }();
    if (every > 0 && clock_.monotonic() - last.now >= every) {
      NodeStatus now = status();
      journal_->send_up(summary_json(now, &last));
      last = std::move(now);
    }
  }
  while (journal_->drain(*engine_)) {
  }
  journal_->flush();
}

void Runtime::watch_finish() {
  const std::lock_guard lock(plan_mutex_);
  if (!connectors_.empty() && engine_->finished()) finished_.store(true, std::memory_order_release);
}

void Runtime::stop() {
  if (stopped_ || !engine_) return;
  stopped_ = true;
  std::vector<std::uint64_t> turns;
  for (std::size_t i = 0; i < engine_->shard_count(); ++i) turns.push_back(engine_->shard(i).stats().turns.get());
  engine_->make_safe();
  const Nanos patience = clock_.monotonic() + kSafeStop;
  const auto pending = [&] {
    for (std::size_t i = 0; i < engine_->shard_count(); ++i)
      if (engine_->shard(i).stats().turns.get() == turns[i] || engine_->shard(i).decisions().pending() > 0) return true;
    return std::ranges::any_of(connectors_, [](const auto& entry) {
      const Attached& attached = entry.second;
      return attached.running && attached.compiled.code->stats().connected.load() &&
             attached.connection->outlets->account().buffered > 0;
    });
  };
  while (pending() && clock_.monotonic() < patience) clock_.sleep_until(clock_.monotonic() + kMillisecond);
  for (auto& [name, attached] : connectors_) stop_connector(attached);
  for (auto& [protocol, io] : io_) io.thread.request_stop();
  for (auto& [protocol, io] : io_)
    if (io.thread.joinable()) io.thread.join();
  engine_->stop();
  if (housekeeper_.joinable()) {
    housekeeper_.request_stop();
    housekeeper_.join();
  }
}

// Pages are locked as they are touched, so that locking costs no memory that is not used. Under a limit it is left
// alone: once future memory is locked, every allocation beyond the limit would fail.
void Runtime::lock_memory() {
  if (!options_.realtime) return;
  rlimit limit{};
  getrlimit(RLIMIT_MEMLOCK, &limit);
  if (limit.rlim_cur != RLIM_INFINITY && geteuid() != 0) {
    notes_.push_back(
        fmt::format("memory is not locked: the limit is {} (set LimitMEMLOCK=infinity)", format_size(limit.rlim_cur)));
    return;
  }
  if (mlockall(MCL_CURRENT | MCL_FUTURE | MCL_ONFAULT) != 0)
    notes_.push_back(fmt::format("memory is not locked: {}", std::strerror(errno)));
}

std::string Runtime::http_address() const {
  if (options_.http == "off") return {};
  return options_.http.empty() ? site_.settings.http : options_.http;
}

NodeStatus Runtime::status() const {
  NodeStatus status;
  status.now = clock_.monotonic();
  status.wall = clock_.wall();
  status.started = started_;
  status.reloads = reloads_.load(std::memory_order_relaxed);
  status.reloads_refused = reloads_refused_.load(std::memory_order_relaxed);
  status.resident_mb = resident_mb();
  status.cpu_seconds = cpu_seconds();
  const EventStore::Counts counts = events_.counts();
  status.events_raised = counts.raised;
  status.events_cleared = counts.cleared;
  if (journal_) {
    status.bytes_up = journal_->bytes_up();
    status.messages_up = journal_->messages_up();
    status.messages_up_failed = journal_->failed_up();
  }
  const std::lock_guard lock(plan_mutex_);
  status.node = site_.name;
  for (const auto& [name, attached] : connectors_) {
    ConnectorStatus c;
    c.name = name;
    c.protocol = attached.compiled.protocol;
    c.signals = attached.compiled.signals.size();
    c.account = attached.connection->inlet.account();
    c.finished = attached.connection->inlet.is_finished();
    c.outlets = attached.compiled.outlets.size();
    c.outlet_account = attached.connection->outlets->account();
    if (attached.compiled.code) {
      const ConnectorStats& s = attached.compiled.code->stats();
      c.connected = s.connected.load();
      c.bytes_in = s.bytes_in.load();
      c.bytes_out = s.bytes_out.load();
      c.messages_in = s.messages_in.load();
      c.messages_out = s.messages_out.load();
      c.connects = s.connects.load();
      c.disconnects = s.disconnects.load();
      c.errors = s.errors.load();
      c.polls_done = s.polls_done.load();
      c.polls_missed = s.polls_missed.load();
      c.last_progress = s.last_progress.load();
      c.expected_every = s.expected_every.load();
      c.last_error = attached.compiled.code->last_error();
      std::vector<Connector::Counter> counters;
      attached.compiled.code->counters(counters);
      for (const Connector::Counter& counter : counters) c.counters.emplace_back(counter.name, counter.value);
    }
    status.connectors.push_back(std::move(c));
  }
  std::set<const infer::ModelSlot*> seen;
  for (const PipelinePart& part : compiled_.parts)
    for (const PipelinePart::Step& step : part.steps) {
      if (!step.model || !seen.insert(step.model.get()).second) continue;
      const auto run_times = std::make_shared<Histogram>();
      step.model->add_run_times(*run_times);
      const auto session = step.model->session();
      status.models.push_back(
          {part.name, step.name, session->path(), session->info().digest, step.model->replaced(), run_times});
    }
  for (std::size_t i = 0; i < engine_->shard_count(); ++i) {
    flow::Shard& shard = engine_->shard(i);
    const Nanos last_turn = shard.stats().last_turn.load();
    bool waiting = false;
    for (const auto& [name, attached] : connectors_)
      if (const flow::Ring* ring = attached.connection->inlet.existing_ring_to(i))
        waiting = waiting || ring->account().buffered > 0;
    status.shards.push_back({shard.options().name, last_turn, waiting});
    status.events_lost += shard.decisions().lost_events();
    status.audit_lines_lost += shard.decisions().lost_audit_lines();
    for (const auto& stats : shard.pipelines())
      status.pipelines.push_back(
          {identities_.pipelines.name_of(stats->id), stats, stats->rows_in.get(), stats->account()});
  }
  return status;
}

std::vector<ShownValue> Runtime::signals(std::string_view name_part, std::size_t at_most) const {
  const std::lock_guard lock(plan_mutex_);
  std::vector<ShownValue> out;
  for (const SignalInfo& signal : compiled_.signals) {
    if (out.size() >= at_most) break;
    if (signal.name.find(name_part) != std::string::npos)
      out.push_back({signal.name, signal.unit.text(), engine_->latest().read(signal.id)});
  }
  return out;
}

std::vector<ShownValue> Runtime::results(std::string_view name_part, std::size_t at_most) const {
  const std::lock_guard lock(plan_mutex_);
  std::vector<ShownValue> out;
  for (const PipelinePart& part : compiled_.parts)
    for (const PipelinePart::Step& step : part.steps)
      for (std::size_t k = 0; k < step.gives.size(); ++k)
        for (std::size_t slot = 0; slot < part.assets.size(); ++slot) {
          if (out.size() >= at_most) return out;
          const std::string name =
              fmt::format("{}.{}.{}", site_.assets[part.assets[slot]].name, part.name, step.gives[k].name);
          if (name.find(name_part) == std::string::npos) continue;
          const auto id = static_cast<SignalId>(step.first_result + k * part.assets.size() + slot);
          out.push_back({name, step.gives[k].unit.text(), engine_->latest().read(id)});
        }
  return out;
}

}  // namespace alara::node
