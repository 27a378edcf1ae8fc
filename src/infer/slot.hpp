// SPDX-License-Identifier: Apache-2.0
// The place of one model in a pipeline, in which it can be exchanged while rows flow. replace() loads, checks and warms
// up the new model on the caller's thread; each operator takes it over between two batches without lock, wait or
// allocation, so no row is lost and none is computed twice. On any error the old model stays.
#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "base/histogram.hpp"
#include "base/result.hpp"
#include "infer/session.hpp"

namespace alara::infer {

class ModelSlot : public std::enable_shared_from_this<ModelSlot> {
 public:
  // How a path becomes a session; load_session() with the step's options, or a fake.
  using Loader = std::function<Result<std::shared_ptr<const Session>>(const std::string& path)>;
  class Seat;

  // Begins with `first`, which must fit the plan. The loader serves later replace() calls.
  [[nodiscard]] static Result<std::shared_ptr<ModelSlot>> open(std::shared_ptr<const Session> first,
                                                               const RunPlan& plan, Loader loader);
  ModelSlot(const ModelSlot&) = delete;
  ModelSlot& operator=(const ModelSlot&) = delete;
  ~ModelSlot();

  // A place for one operator, with a runner of the current model.
  [[nodiscard]] Result<std::unique_ptr<Seat>> take_seat();

  // Any thread but a shard's: takes as long as the model needs to load. The new model must give the same number of
  // columns. `digest` "" accepts any file.
  Status replace(const std::string& path, const std::string& digest = "");

  // Frees models that operators have let go since the last replace(), which does it too. Any thread but a shard's.
  void free_retired();

  [[nodiscard]] std::shared_ptr<const Session> session() const;
  [[nodiscard]] std::uint64_t replaced() const { return replaced_.load(std::memory_order_relaxed); }
  [[nodiscard]] std::vector<OutputColumn> columns() const;
  // Adds the time of each run (of a whole batch), over all seats that exist.
  void add_run_times(Histogram& into) const;

 private:
  ModelSlot(RunPlan plan, Loader loader) : plan_(std::move(plan)), loader_(std::move(loader)) {}
  void leave(Seat* seat);

  const RunPlan plan_;
  const Loader loader_;
  std::mutex replacing_;      // one replace() at a time
  mutable std::mutex mutex_;  // guards what follows
  std::shared_ptr<const Session> session_;
  std::vector<OutputColumn> columns_;
  std::vector<Seat*> seats_;
  std::atomic<std::uint64_t> replaced_{0};
};

// Whether the model is the file with this digest ("sha256:…"), all of it.
[[nodiscard]] Status check_digest(const Session& session, const std::string& digest);

// One operator's end of a slot. current() and refresh() are for the operator's thread only.
class ModelSlot::Seat {
 public:
  explicit Seat(std::shared_ptr<ModelSlot> slot, std::unique_ptr<Runner> runner);
  ~Seat();
  Seat(const Seat&) = delete;
  Seat& operator=(const Seat&) = delete;

  [[nodiscard]] Runner& runner() { return *current_->runner; }
  // Takes over a new model if one has come. Between batches only: what was written to the old runner is gone.
  void refresh() {
    if (incoming_.load(std::memory_order_relaxed) != nullptr) take_over();
  }
  [[nodiscard]] Histogram& run_times() { return run_times_; }
  [[nodiscard]] const std::shared_ptr<ModelSlot>& slot() const { return slot_; }

 private:
  friend class ModelSlot;
  struct Held {
    std::unique_ptr<Runner> runner;
    Held* next = nullptr;  // in the list of the retired
  };
  void take_over();
  void give(std::unique_ptr<Runner> runner);  // from replace()
  void bury();                                // frees the retired; from replace() or the destructor

  const std::shared_ptr<ModelSlot> slot_;
  Histogram run_times_;
  Held* current_;  // the operator's thread
  std::atomic<Held*> incoming_{nullptr};
  std::atomic<Held*> retired_{nullptr};  // pushed by the operator's thread, taken as a whole by replace()
};

}  // namespace alara::infer
