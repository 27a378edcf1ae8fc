// SPDX-License-Identifier: Apache-2.0
#include "node/site.hpp"

#include <algorithm>
#include <charconv>
#include <optional>
#include <set>
#include <unordered_map>

#include "base/text.hpp"
#include "core/operator.hpp"
#include "node/registry.hpp"

namespace alara::node {
namespace {

const Node kEmptyMap{Node::Kind::map, {}, false, {}, {}, {}};

// Reads one section after the other; every fault is collected, none stops the reading of the rest.
class SiteReader {
 public:
  SiteReader(const Node& document, Site& site, Diagnosis& diagnosis)
      : document_(document), site_(site), diagnosis_(diagnosis) {}

  void read() {
    if (!document_.is_map()) {
      error({site_.path, 1, 1}, "a site file is a map with node, connectors, assets and pipelines");
      return;
    }
    check_sections();
    read_name();
    read_settings();
    read_connectors();
    read_asset_types();
    read_assets();
    read_pipelines();
    read_uplink();
    if (const Node* tests = document_.find("tests")) site_.tests = *tests;
  }

 private:
  void error(const Where& where, std::string message, std::string hint = {}) {
    diagnosis_.errors.push_back({ErrorKind::bad_input, std::move(message), where, std::move(hint)});
  }
  void error(Error problem) { diagnosis_.errors.push_back(std::move(problem)); }

  // The section as a map, or nullptr (absent, empty, or reported as wrong).
  const Node* section(std::string_view key) {
    const Node* node = document_.find(key);
    if (node == nullptr || node->is_null()) return nullptr;
    if (node->is_map()) return node;
    error(node->where, fmt::format("{}: a map is expected here", key));
    return nullptr;
  }

  void check_sections() {
    static constexpr std::string_view kSections[] = {"node",   "settings",  "connectors", "asset_types",
                                                     "assets", "pipelines", "uplink",     "tests"};
    for (const Node::Entry& entry : document_.entries) {
      if (std::ranges::find(kSections, entry.key) != std::end(kSections)) continue;
      const std::string guess = nearest(entry.key, std::span<const std::string_view>(kSections));
      error(entry.key_where, fmt::format("unknown section '{}'", entry.key),
            guess.empty() ? fmt::format("allowed are {}", enumerate(kSections))
                          : fmt::format("did you mean '{}'?", guess));
    }
  }

  void read_name() {
    const Node* name = document_.find("node");
    if (name == nullptr || !name->is_scalar() || name->scalar.empty())
      error(name ? name->where : Where{site_.path, 1, 1}, "node: the node's name is missing", "as in 'node: line-1'");
    else
      site_.name = name->scalar;
  }

  void read_settings() {
    const Node* map = section("settings");
    if (map == nullptr) map = &kEmptyMap;
    const std::size_t before = diagnosis_.errors.size();
    settings_schema().check(*map, diagnosis_.errors);
    if (diagnosis_.errors.size() != before) return;
    const Options options(*map, settings_schema());
    Settings& settings = site_.settings;
    settings.shards = static_cast<int>(options.integer("shards"));
    settings.memory = options.size("memory");
    settings.ring = options.size("ring");
    settings.when_full = options.text("when_full");
    settings.max_skew = options.duration("max_skew");
    settings.replay = options.text("time") == "replay";
    settings.http = options.text("http");
    settings.audit = options.text("audit");
    settings.events = options.text("events");
    settings.dead_letters = options.text("dead_letters");
    settings.dead_letters_most = options.size("dead_letters_size");
  }

  void read_connectors() {
    const Node* map = section("connectors");
    if (map == nullptr) return;
    for (const Node::Entry& entry : map->entries) {
      const auto names = expand_name(entry.key, entry.key_where);
      if (!names) {
        error(names.error());
        continue;
      }
      for (const ExpandedName& name : *names)
        if (!read_connector(name, entry)) {
          for (const ExpandedName& each : *names) faulty_connectors_.insert(each.name);
          break;
        }
    }
  }

  // False when it makes no sense to try the next name of the same range.
  bool read_connector(const ExpandedName& name, const Node::Entry& entry) {
    if (!entry.value.is_map() || entry.value.entries.size() != 1) {
      error(entry.value.where, fmt::format("connector '{}': exactly one protocol is expected", name.name),
            fmt::format("as in {}: {{modbus: {{endpoint: tcp://10.0.0.5:502}}}}", name.name));
      return false;
    }
    const Node::Entry& protocol_entry = entry.value.entries.front();
    const Protocol* protocol = protocol_named(protocol_entry.key);
    if (protocol == nullptr) {
      std::vector<std::string_view> known;
      for (const Protocol* each : protocols()) known.push_back(each->key());
      const std::string guess = nearest(protocol_entry.key, std::span<const std::string_view>(known));
      error(protocol_entry.key_where,
            fmt::format("connector '{}': unknown protocol '{}'", name.name, protocol_entry.key),
            guess.empty() ? fmt::format("allowed are {}", enumerate(known)) : fmt::format("did you mean '{}'?", guess));
      return false;
    }
    if (name.name.find('/') != std::string::npos) {
      error(entry.key_where, fmt::format("connector '{}': a name must not contain '/'", name.name));
      return false;
    }
    if (!connector_index_.emplace(name.name, site_.connectors.size()).second) {
      error(entry.key_where, fmt::format("connector '{}' is defined twice", name.name));
      return false;
    }
    auto options = fill_tree(protocol_entry.value, name.placeholders);
    if (!options) {
      error(options.error());
      return false;
    }
    const std::size_t before = diagnosis_.errors.size();
    protocol->schema().check(*options, diagnosis_.errors);
    site_.connectors.push_back({name.name, protocol, std::move(*options), entry.key_where});
    return diagnosis_.errors.size() == before;
  }

  void read_asset_types() {
    const Node* map = section("asset_types");
    if (map == nullptr) return;
    for (const Node::Entry& entry : map->entries) {
      AssetType type{entry.key, {}, entry.key_where};
      const Node* signals = entry.value.is_map() ? entry.value.find("signals") : nullptr;
      if (signals == nullptr || !signals->is_map() || entry.value.entries.size() != 1) {
        error(entry.value.where, fmt::format("asset type '{}': exactly one map 'signals' is expected", entry.key));
        continue;
      }
      for (const Node::Entry& signal : signals->entries) read_signal(signal, type);
      type_index_.emplace(type.name, site_.asset_types.size());
      site_.asset_types.push_back(std::move(type));
    }
  }

  void read_signal(const Node::Entry& entry, AssetType& type) {
    const auto names = expand_name(entry.key, entry.key_where);
    if (!names) {
      error(names.error());
      return;
    }
    const std::size_t before = diagnosis_.errors.size();
    signal_schema().check(entry.value, diagnosis_.errors);
    const bool faulty =
        diagnosis_.errors.size() != before;  // its name stays known, so that its uses are no errors, too
    const Options options(faulty ? kEmptyMap : entry.value, signal_schema());
    for (const ExpandedName& name : *names) {
      SignalSpec signal;
      signal.name = name.name;
      signal.unit = Unit::parse(options.text("unit")).value_or(Unit{});
      signal.type = signal_type_named(options.text("type")).value_or(SignalType::float64);
      signal.rate_hz = options.has("rate") ? options.frequency("rate") : 0;
      signal.poll = options.duration("poll");
      signal.where = entry.key_where;
      for (const SignalSpec& other : type.signals)
        if (other.name == signal.name)
          error(entry.key_where, fmt::format("asset type '{}': signal '{}' is defined twice", type.name, signal.name));
      type.signals.push_back(std::move(signal));
    }
  }

  void read_assets() {
    const Node* map = section("assets");
    if (map == nullptr) return;
    for (const Node::Entry& entry : map->entries) {
      const auto names = expand_name(entry.key, entry.key_where);
      if (!names) {
        error(names.error());
        continue;
      }
      const std::size_t type = asset_type_of(entry);
      if (type == site_.asset_types.size()) continue;
      for (const ExpandedName& name : *names) {
        const std::size_t before = diagnosis_.errors.size();
        read_asset(name, entry, type);
        if (diagnosis_.errors.size() != before) break;
      }
    }
    site_.assets.shrink_to_fit();  // they stay while the node runs, by the ten thousand
  }

  // The index of the asset's type; the number of types when it has none that is known.
  std::size_t asset_type_of(const Node::Entry& entry) {
    const std::size_t none = site_.asset_types.size();
    if (!entry.value.is_map()) {
      error(entry.value.where, fmt::format("asset '{}': a map with type and from is expected", entry.key));
      return none;
    }
    for (const Node::Entry& option : entry.value.entries)
      if (option.key != "type" && option.key != "from" && option.key != "with")
        error(option.key_where, fmt::format("asset '{}': unknown option '{}'", entry.key, option.key),
              "allowed are type, from and with");
    const Node* type = entry.value.find("type");
    if (type == nullptr || !type->is_scalar()) {
      error(entry.value.where, fmt::format("asset '{}': 'type' is missing", entry.key));
      return none;
    }
    const auto found = type_index_.find(type->scalar);
    if (found != type_index_.end()) return found->second;
    std::vector<std::string> known;
    for (const AssetType& each : site_.asset_types) known.push_back(each.name);
    const std::string guess = nearest(type->scalar, std::span<const std::string>(known));
    error(type->where, fmt::format("asset '{}': there is no asset type '{}'", entry.key, type->scalar),
          guess.empty() ? "" : fmt::format("did you mean '{}'?", guess));
    return none;
  }

  void read_asset(const ExpandedName& name, const Node::Entry& entry, std::size_t type_at) {
    const AssetType& type = site_.asset_types[type_at];
    AssetSpec asset{name.name, type_at, name.placeholders, {}, entry.key_where};
    asset.placeholders.texts["asset"] = name.name;
    if (const Node* with = entry.value.find("with"); with != nullptr)
      for (const Node::Entry& variable : with->entries) {
        if (const auto number = parse_integer_text(variable.value.scalar))
          asset.placeholders.numbers[variable.key] = *number;
        else
          asset.placeholders.texts[variable.key] = variable.value.scalar;
      }
    if (!asset_index_.emplace(name.name, site_.assets.size()).second) {
      error(entry.key_where, fmt::format("asset '{}' is defined twice", name.name));
      return;
    }
    if (const Node* from = entry.value.find("from"); from != nullptr)
      for (const Node::Entry& source : from->entries) read_source(source, type, asset);
    site_.assets.push_back(std::move(asset));
  }

  static std::optional<std::int64_t> parse_integer_text(std::string_view text);

  // One line of `from`: the key may be a range over the type's signals ("s{000..099}": m counts along).
  void read_source(const Node::Entry& source, const AssetType& type, AssetSpec& asset) {
    const auto names = expand_name(source.key, source.key_where);
    if (!names) {
      error(names.error());
      return;
    }
    for (const ExpandedName& name : *names) {
      const auto found = std::ranges::find(type.signals, name.name, &SignalSpec::name);
      if (found == type.signals.end()) {
        std::vector<std::string> known;
        for (const SignalSpec& each : type.signals) known.push_back(each.name);
        const std::string guess = nearest(name.name, std::span<const std::string>(known));
        error(source.key_where,
              fmt::format("asset '{}': type '{}' has no signal '{}'", asset.name, type.name, name.name),
              guess.empty() ? "" : fmt::format("did you mean '{}'?", guess));
        return;
      }
      Placeholders placeholders = asset.placeholders;
      placeholders.texts["signal"] = name.name;
      if (const auto n = name.placeholders.numbers.find("n"); n != name.placeholders.numbers.end())
        placeholders.numbers["s"] = n->second;
      if (!source.value.is_scalar()) {
        error(source.value.where, fmt::format("asset '{}': signal '{}': an address is expected, as in plc/holding/100",
                                              asset.name, name.name));
        return;
      }
      const auto address = fill(source.value.scalar, placeholders, source.value.where);
      if (!address) {
        error(address.error());
        return;
      }
      if (faulty_connectors_.contains(address->substr(0, address->find('/')))) return;  // has been reported
      auto endpoint = resolve_endpoint(site_, *address, source.value.where);
      if (!endpoint) {
        error(endpoint.error());
        return;
      }
      asset.sources.push_back({static_cast<std::size_t>(found - type.signals.begin()), std::move(*endpoint)});
    }
  }

  void read_pipelines() {
    const Node* map = section("pipelines");
    if (map == nullptr) return;
    for (const Node::Entry& entry : map->entries) read_pipeline(entry);
  }

  void read_pipeline(const Node::Entry& entry) {
    if (!entry.value.is_map()) {
      error(entry.value.where, fmt::format("pipeline '{}': a map is expected", entry.key));
      return;
    }
    PipelineSpec pipeline;
    pipeline.name = entry.key;
    pipeline.where = entry.key_where;
    pipeline.source = entry.value;
    bool found_steps = false;
    for (const Node::Entry& option : entry.value.entries) {
      if (option.key == "for") {
        read_for(option.value, pipeline);
      } else if (option.key == "lane") {
        if (option.value.scalar == "fast" || option.value.scalar == "slow")
          pipeline.lane = option.value.scalar == "fast" ? Lane::fast : Lane::slow;
        else
          error(option.value.where,
                fmt::format("pipeline '{}': lane '{}' is neither fast nor slow", entry.key, option.value.scalar));
      } else if (option.key == "admit") {
        read_admit(option.value, pipeline);
      } else if (option.key == "steps") {
        found_steps = true;
        read_steps(option.value, pipeline);
      } else if (const OperatorKind* kind = operator_kind_named(option.key)) {
        found_steps = true;  // shorthand: one unnamed step of this kind
        add_step(option.key, *kind, option.value, option.key_where, pipeline);
      } else {
        unknown_pipeline_option(entry, option);
      }
    }
    if (entry.value.find("for") == nullptr)
      error(entry.value.where,
            fmt::format("pipeline '{}': 'for' is missing; it names an asset type or an asset", entry.key));
    if (!found_steps) error(entry.value.where, fmt::format("pipeline '{}' has no steps", entry.key));
    site_.pipelines.push_back(std::move(pipeline));
  }

  void unknown_pipeline_option(const Node::Entry& pipeline, const Node::Entry& option) {
    std::vector<std::string_view> known{"for", "lane", "admit", "steps"};
    for (const OperatorKind* kind : operator_kinds()) known.push_back(kind->key());
    const std::string guess = nearest(option.key, std::span<const std::string_view>(known));
    error(option.key_where, fmt::format("pipeline '{}': unknown option '{}'", pipeline.key, option.key),
          guess.empty() ? fmt::format("allowed are {}", enumerate(known)) : fmt::format("did you mean '{}'?", guess));
  }

  void read_admit(const Node& map, PipelineSpec& pipeline) {
    const std::size_t before = diagnosis_.errors.size();
    admit_schema().check(map, diagnosis_.errors);
    if (diagnosis_.errors.size() != before) return;
    const Options options(map, admit_schema());
    const std::string worst = options.text("quality");
    pipeline.admit.worst = worst == "good" ? Quality::good : worst == "uncertain" ? Quality::uncertain : Quality::bad;
    pipeline.admit.max_age = options.duration("max_age");
    pipeline.admit.keep = options.text("otherwise") == "dead_letter";
    if (pipeline.admit.keep && site_.settings.dead_letters.empty())
      error(options.where("otherwise"), fmt::format("pipeline '{}': dead letters have no place to go", pipeline.name),
            "name a file in settings.dead_letters");
  }

  void read_for(const Node& target, PipelineSpec& pipeline) {
    if (const auto type = type_index_.find(target.scalar); type != type_index_.end()) {
      pipeline.type = type->second;
      for (std::size_t i = 0; i < site_.assets.size(); ++i)
        if (site_.assets[i].type == pipeline.type) pipeline.assets.push_back(i);
      if (pipeline.assets.empty())
        diagnosis_.warnings.push_back(
            {ErrorKind::bad_input,
             fmt::format("pipeline '{}' never runs: there is no asset of type '{}'", pipeline.name, target.scalar),
             target.where,
             {}});
      return;
    }
    if (const auto asset = asset_index_.find(target.scalar); asset != asset_index_.end()) {
      pipeline.type = site_.assets[asset->second].type;
      pipeline.assets.push_back(asset->second);
      return;
    }
    std::vector<std::string> known;
    for (const auto& [name, index] : type_index_) known.push_back(name);
    for (const auto& [name, index] : asset_index_) known.push_back(name);
    const std::string guess = nearest(target.scalar, std::span<const std::string>(known));
    error(target.where,
          fmt::format("pipeline '{}': there is no asset type or asset '{}'", pipeline.name, target.scalar),
          guess.empty() ? "" : fmt::format("did you mean '{}'?", guess));
  }

  void read_steps(const Node& steps, PipelineSpec& pipeline) {
    if (!steps.is_map()) {
      error(steps.where,
            fmt::format("pipeline '{}': steps are a map of names, as in load: {{window: {{...}}}}", pipeline.name));
      return;
    }
    for (const Node::Entry& step : steps.entries) {
      if (!step.value.is_map() || step.value.entries.size() != 1) {
        error(step.value.where, fmt::format("step '{}': exactly one kind is expected, as in {}: {{window: {{...}}}}",
                                            step.key, step.key));
        continue;
      }
      const Node::Entry& kind_entry = step.value.entries.front();
      const OperatorKind* kind = operator_kind_named(kind_entry.key);
      if (kind == nullptr) {
        std::vector<std::string_view> known;
        for (const OperatorKind* each : operator_kinds()) known.push_back(each->key());
        const std::string guess = nearest(kind_entry.key, std::span<const std::string_view>(known));
        error(
            kind_entry.key_where, fmt::format("step '{}': unknown kind '{}'", step.key, kind_entry.key),
            guess.empty() ? fmt::format("allowed are {}", enumerate(known)) : fmt::format("did you mean '{}'?", guess));
        continue;
      }
      add_step(step.key, *kind, kind_entry.value, step.key_where, pipeline);
    }
  }

  void add_step(const std::string& name, const OperatorKind& kind, const Node& options, const Where& where,
                PipelineSpec& pipeline) {
    for (const SignalSpec& signal : type_signals(pipeline))
      if (signal.name == name)
        error(where, fmt::format("pipeline '{}': step '{}' has the name of a signal", pipeline.name, name));
    if (!kind.schema().properties.empty()) kind.schema().check(options, diagnosis_.errors);
    pipeline.steps.push_back({name, &kind, options, where});
  }

  std::span<const SignalSpec> type_signals(const PipelineSpec& pipeline) const {
    if (pipeline.type >= site_.asset_types.size()) return {};
    return site_.asset_types[pipeline.type].signals;
  }

  void read_uplink() {
    const Node* map = section("uplink");
    if (map == nullptr) return;
    const std::size_t before = diagnosis_.errors.size();
    uplink_schema().check(*map, diagnosis_.errors);
    if (diagnosis_.errors.size() != before) return;
    const Options options(*map, uplink_schema());
    auto endpoint = resolve_endpoint(site_, options.text("to"), options.where("to"));
    if (!endpoint) {
      error(endpoint.error());
      return;
    }
    site_.uplink = {true, std::move(*endpoint), options.duration("summary")};
  }

  const Node& document_;
  Site& site_;
  Diagnosis& diagnosis_;
  std::unordered_map<std::string, std::size_t> connector_index_, type_index_, asset_index_;
  std::set<std::string> faulty_connectors_;
};

std::optional<std::int64_t> SiteReader::parse_integer_text(std::string_view text) {
  const auto [value, ok] = [&] {
    std::int64_t number = 0;
    const auto result = std::from_chars(text.data(), text.data() + text.size(), number);
    return std::pair{number, result.ec == std::errc{} && result.ptr == text.data() + text.size()};
  }();
  return ok ? std::optional(value) : std::nullopt;
}

}  // namespace

Result<Endpoint> resolve_endpoint(const Site& site, std::string_view text, const Where& where) {
  const std::size_t slash = text.find('/');
  const std::string_view name = text.substr(0, slash);
  for (std::size_t i = 0; i < site.connectors.size(); ++i)
    if (site.connectors[i].name == name) {
      if (slash == std::string_view::npos || slash + 1 == text.size())
        return fail_at(
            where,
            "'{}' names a connector but no address behind it; `alara connectors describe {}` shows how one is written",
            text, site.connectors[i].protocol->key());
      return Endpoint{i, std::string(text.substr(slash + 1)), where};
    }
  std::vector<std::string> known;
  for (const ConnectorSpec& connector : site.connectors) known.push_back(connector.name);
  const std::string guess = nearest(name, std::span<const std::string>(known));
  Error error{ErrorKind::bad_input, fmt::format("'{}': there is no connector '{}'", text, name), where,
              guess.empty() ? "an address is written <connector>/<address>" : fmt::format("did you mean '{}'?", guess)};
  return tl::unexpected<Error>(std::move(error));
}

Diagnosis read_site(const Node& document, const std::string& path, Site& site) {
  site.path = path;
  const std::size_t slash = path.rfind('/');
  site.directory = slash == std::string::npos ? "." : path.substr(0, slash);
  Diagnosis diagnosis;
  SiteReader(document, site, diagnosis).read();
  return diagnosis;
}

}  // namespace alara::node
