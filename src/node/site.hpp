// SPDX-License-Identifier: Apache-2.0
// A site file, read: connectors, assets with their signals, pipelines, settings and fixtures, with every pattern
// expanded and every name resolved, but nothing built yet. Purely data; the compile step (compile.hpp) makes it run.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"
#include "base/units.hpp"
#include "core/connector.hpp"
#include "core/document.hpp"
#include "core/operator.hpp"
#include "core/sample.hpp"
#include "node/expand.hpp"

namespace alara::node {

struct SignalSpec {  // of an asset type
  std::string name;
  Unit unit;
  SignalType type = SignalType::float64;
  double rate_hz = 0;
  Nanos poll = 0;
  Where where;
};

struct AssetType {
  std::string name;
  std::vector<SignalSpec> signals;
  Where where;
};

struct ConnectorSpec {
  std::string name;
  const Protocol* protocol = nullptr;
  Node options;  // placeholders filled, checked against protocol->schema()
  Where where;
};

// "<connector>/<address>" taken apart.
struct Endpoint {
  std::size_t connector = 0;  // index into Site::connectors
  std::string address;
  Where where;
};

struct SourceSpec {
  std::size_t signal = 0;  // index into the type's signals
  Endpoint endpoint;
};

struct AssetSpec {
  std::string name;
  std::size_t type = 0;  // index into Site::asset_types
  Placeholders placeholders;
  std::vector<SourceSpec> sources;
  Where where;
};

enum class Lane : std::uint8_t { fast, slow };

struct StepSpec {
  std::string name;
  const OperatorKind* kind = nullptr;
  Node options;
  Where where;
};

// Which samples a pipeline takes in.
struct AdmitSpec {
  Quality worst = Quality::bad;
  Nanos max_age = 0;  // 0 = of any age
  bool keep = false;  // what is turned away becomes a dead letter
};

struct PipelineSpec {
  std::string name;
  Lane lane = Lane::fast;
  std::size_t type = 0;             // asset type whose signals it sees
  std::vector<std::size_t> assets;  // indices into Site::assets
  AdmitSpec admit;
  std::vector<StepSpec> steps;
  Node source;  // as written; two equal canonical texts mean the pipeline did not change
  Where where;
};

struct UplinkSpec {
  bool enabled = false;
  Endpoint to;              // topic on a connector that can carry messages
  Nanos summary_every = 0;  // 0 = events only
};

struct Settings {
  int shards = 1;
  std::uint64_t memory = 0;  // bytes that pipelines may come to hold
  std::uint64_t ring = 0;    // bytes of each connector's ring to each shard
  std::string when_full;     // block, drop_oldest, drop_newest
  Nanos max_skew = 0;
  bool replay = false;                  // time is that of the samples
  std::string http;                     // "127.0.0.1:8090"; "" = off
  std::string audit;                    // path of the audit log; "" = off
  std::string events;                   // path of the event log (JSON Lines); "" = off
  std::string dead_letters;             // path of the dead letter file (JSON Lines); "" = off
  std::uint64_t dead_letters_most = 0;  // bytes
};

struct Site {
  std::string path;
  std::string directory;
  std::string name;
  Settings settings;
  std::vector<ConnectorSpec> connectors;
  std::vector<AssetType> asset_types;
  std::vector<AssetSpec> assets;
  std::vector<PipelineSpec> pipelines;
  UplinkSpec uplink;
  Node tests;  // read by fixtures.cpp
};

// Everything wrong with a file at once, and what is only odd.
struct Diagnosis {
  std::vector<Error> errors;
  std::vector<Error> warnings;
  [[nodiscard]] bool ok() const { return errors.empty(); }
};

// Reads and resolves; `site` is complete only when the diagnosis is ok.
[[nodiscard]] Diagnosis read_site(const Node& document, const std::string& path, Site& site);

// Resolves "<connector>/<address>" of a site; the error names the nearest connector.
[[nodiscard]] Result<Endpoint> resolve_endpoint(const Site& site, std::string_view text, const Where& where);

// The declarations behind the file, for the reference and the JSON Schema.
[[nodiscard]] const Schema& settings_schema();
[[nodiscard]] const Schema& signal_schema();
[[nodiscard]] const Schema& uplink_schema();
[[nodiscard]] const Schema& admit_schema();

}  // namespace alara::node
