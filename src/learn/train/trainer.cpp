// SPDX-License-Identifier: Apache-2.0
#include "learn/train/trainer.hpp"

#include <ATen/ATen.h>

#include <cmath>
#include <numeric>

#include "base/clock.hpp"
#include "base/hash.hpp"
#include "learn/data/file_bytes.hpp"
#include "learn/train/batches.hpp"

namespace alara::learn {
namespace {

// Seeds for what is drawn by chance in a training, each its own stream.
enum Purpose : std::uint64_t { kOrder = 1, kAugmentation = 2, kDropout = 3 };

std::int64_t now_ns() { return SystemClock().monotonic(); }

constexpr std::size_t kRowsHashed = 64;  // enough to tell data sets apart

}  // namespace

Trainer::Trainer(Network& network, const Dataset& data, TrainOptions options, Objective objective, Hooks hooks)
    : network_(network),
      data_(data),
      options_(std::move(options)),
      objective_(std::move(objective)),
      hooks_(std::move(hooks)),
      optimiser_(network.parameters(), options_) {}

// Rows that do not fill the last batch are left out: each epoch leaves out others.
std::size_t Trainer::batches() const { return std::max<std::size_t>(1, data_.size(Part::train) / options_.batch); }
std::int64_t Trainer::steps() const { return static_cast<std::int64_t>(batches()) * options_.epochs; }

std::map<std::string, at::Tensor> Trainer::weights() const {
  std::map<std::string, at::Tensor> out;
  for (const auto& [name, tensor] : network_.parameters()) out.emplace("parameter/" + name, tensor);
  for (const auto& [name, tensor] : network_.statistics()) out.emplace("statistic/" + name, tensor);
  return out;
}

std::uint64_t Trainer::hash_of_weights() const {
  std::uint64_t hash = kFnvBasis;
  for (const auto& [name, tensor] : weights()) {
    const at::Tensor dense = tensor.detach().contiguous();
    hash = fnv1a({static_cast<const char*>(dense.data_ptr()), static_cast<std::size_t>(dense.nbytes())},
                 fnv1a(name, hash));
  }
  return hash;
}

Status Trainer::begin() {
  ALARA_CHECK(options_.check());
  ALARA_CHECK(data_.check(options_.augmentation));
  if (data_.size(Part::train) == 0) return fail(ErrorKind::bad_input, "the data set has no rows to train with");
  if (network_.parameters().empty()) return fail(ErrorKind::bad_input, "the network has nothing to train");
  set_up_process(options_.threads);
  state_ = {};
  state_.fingerprint =
      fmt::format("{} {} {} weights={:016x} rows={} data={:016x}", options_.fingerprint(), objective_.identity,
                  hooks_.identity, hash_of_weights(), data_.size(Part::train), data_.hash(Part::train, kRowsHashed));
  averages_.clear();
  best_.clear();
  if (options_.average > 0)
    for (const auto& [name, tensor] : weights()) averages_.emplace(name, tensor.detach().clone());
  if (options_.checkpoint.empty()) return {};
  ALARA_TRY(const bool begun, is_there(options_.checkpoint));
  if (!begun) return {};
  ALARA_TRY(const Checkpoint stored, read_checkpoint(options_.checkpoint));
  return restore(stored);
}

Result<TrainReport> Trainer::run(Progress& progress) {
  ALARA_CHECK(begin());
  const bool continued = state_.step > 0;
  if (hooks_.at_start) hooks_.at_start(network_, state_.step);
  progress.begin("train", static_cast<std::size_t>(steps()));
  Outcome outcome = Outcome::done;
  while (outcome == Outcome::done && state_.epoch < options_.epochs) {
    ALARA_TRY(outcome, run_epoch(progress));
  }
  take_final_weights(outcome);
  return TrainReport{state_.curve, state_.best_epoch, outcome == Outcome::stopped, outcome == Outcome::ended_early,
                     continued};
}

Result<Trainer::Outcome> Trainer::run_epoch(Progress& progress) {
  std::vector<std::uint32_t> order(data_.size(Part::train));
  std::iota(order.begin(), order.end(), 0);
  Random({options_.seed, kOrder, static_cast<std::uint64_t>(state_.epoch)}).shuffle(std::span(order));
  begun_ns_ = now_ns();
  const std::size_t size = std::min(options_.batch, order.size());
  while (state_.batch < static_cast<std::int64_t>(batches())) {
    if (progress.stopped()) {
      ALARA_CHECK(save());
      return Outcome::stopped;
    }
    ALARA_CHECK(run_batch(std::span(order).subspan(static_cast<std::size_t>(state_.batch) * size, size)));
    progress.step(static_cast<std::size_t>(state_.step),
                  fmt::format("epoch {}/{}, loss {:.4f}", state_.epoch + 1, options_.epochs,
                              state_.loss_sum / static_cast<double>(state_.batch)));
  }
  ALARA_TRY(const bool over, finish_epoch());
  return over ? Outcome::ended_early : Outcome::done;
}

Status Trainer::run_batch(std::span<const std::uint32_t> rows) {
  const auto step = static_cast<std::uint64_t>(state_.step);
  const Minibatch batch =
      data_.batch(Part::train, rows, options_.augmentation, Random({options_.seed, kAugmentation, step}));
  network_.reseed(Random({options_.seed, kDropout, step}).bits());
  ALARA_TRY(const BatchLoss result, loss_of(network_, batch, data_, objective_, Mode::train));
  const auto loss = static_cast<double>(result.loss.item<float>());
  if (!std::isfinite(loss))
    return fail(ErrorKind::bad_input,
                "training: the loss is {} in epoch {}; a lower rate than {} or clipped gradients may help", loss,
                state_.epoch + 1, options_.rate);
  ALARA_CHECK(backward(result.loss));
  rate_ = options_.rate * options_.schedule.factor_at(state_.step, steps());
  optimiser_.step(rate_, ++state_.step);
  if (hooks_.after_step) hooks_.after_step(network_, state_.step);
  if (options_.average > 0) update_average();
  ++state_.batch;
  state_.loss_sum += loss;
  state_.rows += static_cast<std::int64_t>(rows.size());
  state_.right += result.right;
  return {};
}

// Polyak and Juditsky, 1992, as a decaying mean; in the first steps it decays faster, so that the beginning is
// forgotten.
void Trainer::update_average() {
  const at::NoGradGuard no_gradients;
  const double step = static_cast<double>(state_.step), decay = std::min(options_.average, (1 + step) / (10 + step));
  for (const auto& [name, tensor] : weights()) averages_.at(name).lerp_(tensor, 1 - decay);
}

void Trainer::exchange_with(std::map<std::string, at::Tensor>& others) {
  const at::NoGradGuard no_gradients;
  for (const auto& [name, tensor] : weights()) {
    at::Tensor& other = others.at(name);
    const at::Tensor kept = tensor.detach().clone();
    tensor.copy_(other);
    other.copy_(kept);
  }
}

Result<Evaluation> Trainer::validate() {
  if (data_.size(Part::validation) == 0) return Evaluation{};
  if (!averages_.empty()) exchange_with(averages_);
  auto found = evaluate(network_, data_, Part::validation, objective_);
  if (!averages_.empty()) exchange_with(averages_);
  return found;
}

Result<bool> Trainer::finish_epoch() {
  ALARA_TRY(const Evaluation validation, validate());
  if (!std::isfinite(validation.loss))
    return fail(
        ErrorKind::bad_input,
        "training: the validation loss is {} after epoch {}; a lower rate than {} or clipped gradients may help",
        validation.loss, state_.epoch + 1, options_.rate);
  EpochReport report;
  report.epoch = ++state_.epoch;
  report.rate = rate_;
  report.loss = state_.loss_sum / static_cast<double>(state_.batch);
  if (data_.target() == Target::classes)
    report.accuracy = 100 * static_cast<double>(state_.right) / static_cast<double>(state_.rows);
  report.validation_loss = validation.loss;
  report.validation_accuracy = validation.accuracy;
  report.seconds = state_.seconds + static_cast<double>(now_ns() - begun_ns_) * 1e-9;
  state_.curve.push_back(report);
  state_.batch = state_.rows = state_.right = 0;
  state_.loss_sum = state_.seconds = 0;
  if (data_.size(Part::validation) > 0) keep_if_best(report);
  if (hooks_.after_epoch) ALARA_CHECK(hooks_.after_epoch(network_, report));
  begun_ns_ = now_ns();
  ALARA_CHECK(save());
  return options_.patience > 0 && state_.best_epoch > 0 && state_.epoch - state_.best_epoch >= options_.patience;
}

// Better is more accurate, and with equal accuracy (or without classes) of smaller loss.
void Trainer::keep_if_best(const EpochReport& epoch) {
  const double score = epoch.validation_accuracy - 1e-6 * epoch.validation_loss;
  if (state_.step < hooks_.counts_from || (state_.best_epoch > 0 && score <= state_.best_score)) return;
  state_.best_epoch = epoch.epoch;
  state_.best_score = score;
  if (!options_.keep_best) return;
  best_.clear();
  const auto kept = averages_.empty() ? weights() : averages_;
  for (const auto& [name, tensor] : kept) best_.emplace(name, tensor.detach().clone());
}

void Trainer::take_final_weights(Outcome outcome) {
  if (outcome == Outcome::stopped) return;
  if (!best_.empty()) {
    exchange_with(best_);
  } else if (!averages_.empty()) {
    exchange_with(averages_);
  }
}

Status Trainer::save() {
  if (options_.checkpoint.empty()) return {};
  const std::int64_t now = now_ns();
  state_.seconds += static_cast<double>(now - begun_ns_) * 1e-9;
  begun_ns_ = now;
  const auto store = [&](const std::string& prefix, const std::map<std::string, at::Tensor>& tensors) {
    for (const auto& [name, tensor] : tensors)
      state_.tensors.insert_or_assign(prefix + name, from_torch(tensor.detach()));
  };
  store("", weights());
  store("", optimiser_.state());
  store("average/", averages_);
  store("best/", best_);
  const Status written = write_checkpoint(state_, options_.checkpoint);
  state_.tensors.clear();
  return written;
}

Status Trainer::restore(const Checkpoint& from) {
  const auto refuse = [&](const std::string& why) {
    return tl::unexpected<Error>(Error{ErrorKind::bad_input,
                                       "the checkpoint is of another training: " + why,
                                       {options_.checkpoint.string(), 0, 0},
                                       "remove it to begin anew, or give the options that it was made with"});
  };
  if (from.fingerprint != state_.fingerprint)
    return refuse(fmt::format("'{}', not '{}'", from.fingerprint, state_.fingerprint));
  if (!best_.empty()) best_.clear();
  for (const auto& [name, tensor] : weights())
    if (from.tensors.contains("best/" + name)) best_.emplace(name, tensor.detach().clone());
  const at::NoGradGuard no_gradients;
  const auto fill = [&](const std::string& prefix, const std::map<std::string, at::Tensor>& tensors) -> Status {
    for (const auto& [name, tensor] : tensors) {
      const auto found = from.tensors.find(prefix + name);
      if (found == from.tensors.end()) return refuse(fmt::format("it has no '{}'", prefix + name));
      ALARA_TRY(const at::Tensor stored, to_torch(found->second));
      if (stored.sizes() != tensor.sizes())
        return refuse(fmt::format("'{}' is {}", prefix + name, found->second.text()));
      tensor.copy_(stored);
    }
    return {};
  };
  ALARA_CHECK(fill("", weights()));
  ALARA_CHECK(fill("", optimiser_.state()));
  ALARA_CHECK(fill("average/", averages_));
  ALARA_CHECK(fill("best/", best_));
  state_ = from;
  state_.tensors.clear();
  return {};
}

}  // namespace alara::learn
