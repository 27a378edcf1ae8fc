// SPDX-License-Identifier: Apache-2.0
// What a site file may say in its own sections, declared once: each option with its default, limits and sentence.
#include "node/site.hpp"

namespace alara::node {
namespace {

std::vector<std::string> signal_type_names() {
  std::vector<std::string> names;
  for (int i = 0; i <= static_cast<int>(SignalType::float64); ++i)
    names.emplace_back(name_of(static_cast<SignalType>(i)));
  return names;
}

}  // namespace

const Schema& settings_schema() {
  static const Schema kSchema{
      "settings",
      "How the node runs.",
      {
          {.name = "shards",
           .type = PropertyType::integer,
           .sentence = "Threads of the fast lane; assets are dealt out among them.",
           .fallback = "1",
           .least = 1,
           .most = 7},
          {.name = "memory",
           .type = PropertyType::size,
           .sentence =
               "What all pipelines together may come to hold; a file whose windows and models need more is refused.",
           .fallback = "256MB",
           .least = 1e6},
          {.name = "ring",
           .type = PropertyType::size,
           .sentence = "Buffer between each connector and each shard; larger rides out longer stalls.",
           .fallback = "1MB",
           .least = 65536,
           .most = 1e9},
          {.name = "when_full",
           .type = PropertyType::choice,
           .sentence = "When that buffer is full, block lets the source wait; the others drop the oldest or newest "
                       "samples and count them.",
           .fallback = "drop_oldest",
           .choices = {"block", "drop_oldest", "drop_newest"}},
          {.name = "max_skew",
           .type = PropertyType::duration,
           .sentence = "How far ahead of the clock a live sample's time may be. One further ahead is set to now, "
                       "marked uncertain and counted.",
           .fallback = "10s"},
          {.name = "time",
           .type = PropertyType::choice,
           .sentence = "live: windows follow the clock as well as the samples. replay: time is that of the samples "
                       "alone, for recordings.",
           .fallback = "live",
           .choices = {"live", "replay"}},
          {.name = "http",
           .type = PropertyType::text,
           .sentence = "Where /metrics, /health and /api/v1 are served, host:port; empty switches them off.",
           .fallback = "127.0.0.1:8090"},
          {.name = "audit",
           .type = PropertyType::text,
           .sentence = "File to which every command, refusal and answer is appended; empty switches it off."},
          {.name = "events",
           .type = PropertyType::text,
           .sentence = "JSON Lines file to which events are appended; empty switches it off."},
          {.name = "dead_letters",
           .type = PropertyType::text,
           .sentence = "JSON Lines file for samples that pipelines turn away with `otherwise: dead_letter`. A `file` "
                       "connector plays it again."},
          {.name = "dead_letters_size",
           .type = PropertyType::size,
           .sentence = "How large it may become; half of that, the older letters are in a second file, `.1`, which the "
                       "next full one replaces.",
           .fallback = "64MB",
           .least = 4096,
           .most = 1e12},
      }};
  return kSchema;
}

const Schema& signal_schema() {
  static const Schema kSchema{
      "signal",
      "One measured quantity of an asset type.",
      {
          {.name = "unit",
           .type = PropertyType::unit,
           .sentence = "Its unit, as in A, mm/s2, degC; checked in every expression. Without it, a plain number."},
          {.name = "type",
           .type = PropertyType::choice,
           .sentence =
               "How the source stores it. Sliding windows keep float32, 16-bit numbers and bool in half the memory.",
           .fallback = "float64",
           .choices = signal_type_names()},
          {.name = "rate",
           .type = PropertyType::frequency,
           .sentence =
               "Expected samples per second; waveform steps and sliding windows need it to reserve their memory."},
          {.name = "poll",
           .type = PropertyType::duration,
           .sentence = "How often a polled source reads it. Default: the connector's `poll`."},
      }};
  return kSchema;
}

const Schema& uplink_schema() {
  static const Schema kSchema{
      "uplink",
      "What goes to the layer above instead of the raw samples.",
      {
          {.name = "to",
           .type = PropertyType::text,
           .sentence = "A connector and a topic on it, as in cloud/line-1/insights.",
           .required = true},
          {.name = "summary",
           .type = PropertyType::duration,
           .sentence = "How often counts, latencies and asset states are summarised; 0 sends events only.",
           .fallback = "1min"},
      }};
  return kSchema;
}

const Schema& admit_schema() {
  static const Schema kSchema{
      "admit",
      "Which samples a pipeline takes in; the others never reach its steps and are counted under their reason.",
      {
          {.name = "quality",
           .type = PropertyType::choice,
           .sentence = "The worst quality that is taken in; bad takes all.",
           .fallback = "bad",
           .choices = {"good", "uncertain", "bad"}},
          {.name = "max_age",
           .type = PropertyType::duration,
           .sentence =
               "How old a sample may be when it comes. What a source sends late can then not start a machine. 0 "
               "takes all.",
           .fallback = "0s"},
          {.name = "otherwise",
           .type = PropertyType::choice,
           .sentence = "What becomes of the others: drop, or dead_letter to keep them in `settings.dead_letters`.",
           .fallback = "drop",
           .choices = {"drop", "dead_letter"}},
      }};
  return kSchema;
}

}  // namespace alara::node
