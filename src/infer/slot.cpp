// SPDX-License-Identifier: Apache-2.0
#include "infer/slot.hpp"

#include <algorithm>

namespace alara::infer {

ModelSlot::~ModelSlot() = default;

Result<std::shared_ptr<ModelSlot>> ModelSlot::open(std::shared_ptr<const Session> first, const RunPlan& plan,
                                                   Loader loader) {
  std::shared_ptr<ModelSlot> slot(new ModelSlot(plan, std::move(loader)));
  ALARA_TRY(const std::unique_ptr<Runner> runner, first->make_runner(plan));
  slot->session_ = std::move(first);
  slot->columns_ = runner->columns();
  return slot;
}

Status check_digest(const Session& session, const std::string& digest) {
  const ModelInfo& info = session.info();
  if (info.digest != digest)
    return fail(ErrorKind::refused, "model '{}' has digest {}, not the {} that is asked for", session.path(),
                info.digest, digest);
  if (info.external_data)
    return fail(ErrorKind::refused, "model '{}' keeps weights in other files, which its digest does not cover",
                session.path());
  return {};
}

Result<std::unique_ptr<ModelSlot::Seat>> ModelSlot::take_seat() {
  const std::lock_guard replacing(replacing_);  // so that the seat's model is the one that all others have
  ALARA_TRY(std::unique_ptr<Runner> runner, session()->make_runner(plan_));
  auto seat = std::make_unique<Seat>(shared_from_this(), std::move(runner));
  const std::lock_guard lock(mutex_);
  seats_.push_back(seat.get());
  return seat;
}

void ModelSlot::leave(Seat* seat) {
  const std::lock_guard lock(mutex_);
  std::erase(seats_, seat);
}

Status ModelSlot::replace(const std::string& path, const std::string& digest) {
  const std::lock_guard replacing(replacing_);
  ALARA_TRY(std::shared_ptr<const Session> fresh, loader_(path));
  if (!digest.empty()) ALARA_CHECK(check_digest(*fresh, digest));

  std::size_t wanted = 0;
  {
    const std::lock_guard lock(mutex_);
    wanted = seats_.size();
  }
  std::vector<std::unique_ptr<Runner>> runners;
  for (std::size_t i = 0; i < std::max<std::size_t>(wanted, 1); ++i) {
    ALARA_TRY(std::unique_ptr<Runner> runner, fresh->make_runner(plan_));
    if (runner->columns().size() != columns_.size())
      return fail(ErrorKind::bad_input, "model '{}' gives {} numbers per row, the one in use gives {}", path,
                  runner->columns().size(), columns_.size());
    runners.push_back(std::move(runner));
  }

  // Seats may have left meanwhile, none can have come: take_seat() waits for us.
  const std::lock_guard lock(mutex_);
  for (std::size_t i = 0; i < seats_.size(); ++i) seats_[i]->give(std::move(runners[i]));
  session_ = std::move(fresh);
  replaced_.fetch_add(1, std::memory_order_relaxed);
  return {};
}

void ModelSlot::free_retired() {
  const std::lock_guard lock(mutex_);
  for (Seat* seat : seats_) seat->bury();
}

std::shared_ptr<const Session> ModelSlot::session() const {
  const std::lock_guard lock(mutex_);
  return session_;
}

std::vector<OutputColumn> ModelSlot::columns() const {
  const std::lock_guard lock(mutex_);
  return columns_;
}

void ModelSlot::add_run_times(Histogram& into) const {
  const std::lock_guard lock(mutex_);
  for (const Seat* seat : seats_) into.add(seat->run_times_);
}

ModelSlot::Seat::Seat(std::shared_ptr<ModelSlot> slot, std::unique_ptr<Runner> runner)
    : slot_(std::move(slot)), current_(new Held{std::move(runner)}) {}

ModelSlot::Seat::~Seat() {
  slot_->leave(this);
  delete incoming_.load(std::memory_order_acquire);
  bury();
  delete current_;
}

void ModelSlot::Seat::take_over() {
  Held* fresh = incoming_.exchange(nullptr, std::memory_order_acquire);
  if (fresh == nullptr) return;  // replace() has just taken it back for a newer one
  Held* old = std::exchange(current_, fresh);
  old->next = retired_.load(std::memory_order_relaxed);
  while (!retired_.compare_exchange_weak(old->next, old, std::memory_order_release, std::memory_order_relaxed)) {
  }
}

void ModelSlot::Seat::give(std::unique_ptr<Runner> runner) {
  delete incoming_.exchange(new Held{std::move(runner)}, std::memory_order_acq_rel);
  bury();
}

void ModelSlot::Seat::bury() {
  Held* held = retired_.exchange(nullptr, std::memory_order_acquire);
  while (held != nullptr) delete std::exchange(held, held->next);
}

}  // namespace alara::infer
