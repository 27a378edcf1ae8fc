// SPDX-License-Identifier: Apache-2.0
#include "graph/nhwc/dims.hpp"

#include <algorithm>

namespace alara::graph::nhwc {

Result<std::size_t> axis_of(std::int64_t axis, std::size_t rank) {
  const auto size = static_cast<std::int64_t>(rank);
  if (axis < -size || axis >= size) return fail(ErrorKind::bad_input, "axis {} of a value with {} axes", axis, rank);
  return static_cast<std::size_t>(axis < 0 ? axis + size : axis);
}

Result<std::vector<std::size_t>> axes_of(std::span<const std::int64_t> axes, std::size_t rank) {
  std::vector<std::size_t> out;
  for (const std::int64_t axis : axes) {
    ALARA_TRY(const std::size_t found, axis_of(axis, rank));
    if (std::find(out.begin(), out.end(), found) == out.end()) out.push_back(found);
  }
  std::sort(out.begin(), out.end());
  return out;
}

std::optional<std::int64_t> count(const Dims& dims) {
  std::int64_t product = 1;
  for (const Dim& dim : dims) {
    if (!dim.known()) return std::nullopt;
    product *= dim.size;
  }
  return product;
}

Result<Dims> broadcast(const Dims& a, const Dims& b) {
  const std::size_t rank = std::max(a.size(), b.size());
  Dims out(rank);
  for (std::size_t i = 0; i < rank; ++i) {  // from the last axis on
    const Dim left = i < a.size() ? a[a.size() - 1 - i] : Dim{1, {}};
    const Dim right = i < b.size() ? b[b.size() - 1 - i] : Dim{1, {}};
    if (left.known() && right.known() && left.size != right.size && left.size != 1 && right.size != 1)
      return fail(ErrorKind::bad_input, "shapes {} and {} do not fit each other", text_of(a), text_of(b));
    const bool take_right = left.known() && (left.size == 1 || (right.known() && right.size != 1));
    out[rank - 1 - i] = take_right ? right : !left.known() && right.known() && right.size != 1 ? right : left;
  }
  return out;
}

Result<Dims> agreed(const Dims& computed, const Dims& declared) {
  bool fits = computed.size() == declared.size();
  Dims out = computed;
  for (std::size_t i = 0; fits && i < out.size(); ++i) {
    if (!out[i].known() && declared[i].known()) out[i] = declared[i];
    fits = !declared[i].known() || out[i].size == declared[i].size;
  }
  if (!fits)
    return fail(ErrorKind::bad_input, "its output has shape {}, but is declared as {}", text_of(computed),
                text_of(declared));
  return out;
}

Result<Dims> reshaped(const Dims& from, std::span<const std::int64_t> target) {
  const auto misfit = [&] {
    return fail(ErrorKind::bad_input, "{} can not be reshaped to {}", text_of(from), text_of(target));
  };
  if (target.size() > kMaxRank) return misfit();
  const std::optional<std::int64_t> elements = count(from);
  std::int64_t known = 1;
  std::optional<std::size_t> free;
  Dims out;
  for (std::size_t i = 0; i < target.size(); ++i) {
    if (target[i] < -1 || target[i] > kMaxElements || (target[i] == -1 && free)) return misfit();
    if (target[i] == -1) free = i;
    out.push_back({target[i], {}});
    if (target[i] >= 0 && (known *= target[i]) > kMaxElements) return misfit();
  }
  if (!elements) {
    // A batch that stays where it is keeps its name.
    if (free && *free == 0 && !from.empty() && !from[0].known()) {
      const std::optional<std::int64_t> rest = count({from.begin() + 1, from.end()});
      if (rest && *rest == known) out[0] = from[0];
    }
    return out;
  }
  if (!free && known != *elements) return misfit();
  if (free && (known == 0 || *elements % known != 0)) return misfit();
  if (free) out[*free].size = *elements / known;
  return out;
}

}  // namespace alara::graph::nhwc
