// SPDX-License-Identifier: Apache-2.0
#include "connect/mqtt/edge_settings.hpp"

#include "base/text.hpp"

namespace alara::mqtt {
namespace {

constexpr std::size_t kMaxNameBytes = 512;
constexpr std::string_view kNamespace = "spBv1.0";

// Group, edge node, device and host ids become levels of topics (Sparkplug 3.0, section 4.1).
Status check_id(std::string_view what, std::string_view id) {
  if (id.empty()) return fail(ErrorKind::bad_input, "{} is empty", what);
  if (id.size() > kMaxNameBytes) return fail(ErrorKind::bad_input, "{} is longer than {} bytes", what, kMaxNameBytes);
  if (!valid_utf8(id) || id.find('\0') != std::string_view::npos)
    return fail(ErrorKind::bad_input, "{} is not UTF-8 text", what);
  if (id.find_first_of("/+#") != std::string_view::npos)
    return fail(ErrorKind::bad_input, "{} '{}' has one of / + #, which separate and match topics", what, id);
  return {};
}

Schema make_edge_schema() {
  using T = PropertyType;
  Schema made{"sparkplug connector",
              "A Sparkplug B edge node: published values become metrics of devices with birth and death certificates, "
              "and metrics written by a host become samples.",
              link_properties()};
  const std::vector<Property> own{
      {.name = "group", .type = T::text, .sentence = "Group id of the edge node.", .required = true},
      {.name = "edge_node",
       .type = T::text,
       .sentence = "Id of the edge node, unique within its group.",
       .required = true},
      {.name = "primary_host",
       .type = T::text,
       .sentence = "Id of the host application to wait for: while its STATE is offline nothing is sent but kept in the "
                   "store. Default: none, births go out at once."},
      {.name = "aliases",
       .type = T::boolean,
       .sentence = "Name metrics by number after the birth. Messages shrink; a host that missed a birth asks for a "
                   "rebirth.",
       .fallback = "true"},
      {.name = "dead_when_bad",
       .type = T::boolean,
       .sentence = "Report a device as dead (DDEATH) when all its values are bad, and born again with the first that "
                   "is not.",
       .fallback = "true"},
      {.name = "store",
       .type = T::integer,
       .sentence =
           "Values kept while the broker or the primary host is away, sent as historical afterwards; the oldest "
           "goes when one more comes. Each costs 40 bytes.",
       .fallback = "10000",
       .least = 1,
       .most = 1e7},
      {.name = "birth_jitter",
       .type = T::duration,
       .sentence = "The first birth after a connect waits a random time up to this, so that a plant is not born in one "
                   "moment.",
       .fallback = "500ms",
       .most = 600e9},
      {.name = "birth_spacing",
       .type = T::duration,
       .sentence = "Least time between two births of the node, and of each device. Requests for a rebirth in between "
                   "are answered by one.",
       .fallback = "1s",
       .most = 600e9},
      {.name = "bd_seq_file",
       .type = T::text,
       .sentence = "Where the birth and death sequence number is kept over restarts. Default: "
                   ".alara-<connector>.bdseq beside the site file."},
  };
  made.properties.insert(made.properties.end(), own.begin(), own.end());
  return made;
}

}  // namespace

const Schema& edge_schema() {
  static const Schema kSchema = make_edge_schema();
  return kSchema;
}

Result<EdgeSettings> read_edge_settings(const std::string& name, const Node& node, const std::string& directory) {
  const Options options(node, edge_schema());
  EdgeSettings out;
  ALARA_CHECK(read_link(name, options, directory, out));
  out.group = options.text("group");
  out.edge_node = options.text("edge_node");
  out.primary_host = options.text("primary_host");
  for (const std::string_view option : {"group", "edge_node", "primary_host"}) {
    if (option == "primary_host" && !options.has(option)) continue;
    if (const Status ok = check_id(option, options.text(option)); !ok)
      return fail_at(options.where(option), "{}", ok.error().message);
  }
  out.aliases = options.boolean("aliases");
  out.dead_when_bad = options.boolean("dead_when_bad");
  out.store = static_cast<std::size_t>(options.integer("store"));
  out.birth_jitter = options.duration("birth_jitter");
  out.birth_spacing = options.duration("birth_spacing");
  out.bd_seq_file = options.text("bd_seq_file");
  if (out.bd_seq_file.empty()) out.bd_seq_file = fmt::format(".alara-{}.bdseq", name);
  if (out.bd_seq_file.front() != '/' && !directory.empty()) out.bd_seq_file = directory + "/" + out.bd_seq_file;
  return out;
}

Result<MetricAddress> parse_metric_address(std::string_view text) {
  MetricAddress address;
  const std::size_t slash = text.find('/');
  if (slash == std::string_view::npos) {
    address.metric = text;
  } else {
    address.device = text.substr(0, slash);
    address.metric = text.substr(slash + 1);
    if (!address.device.empty()) ALARA_CHECK(check_id("the device id", address.device));
  }
  if (address.metric.empty()) return fail(ErrorKind::bad_input, "address '{}' names no metric", text);
  if (address.metric.size() > kMaxNameBytes)
    return fail(ErrorKind::bad_input, "the metric name is longer than {} bytes", kMaxNameBytes);
  if (!valid_utf8(address.metric)) return fail(ErrorKind::bad_input, "the metric name is not UTF-8 text");
  if (address.device.empty() && (address.metric == "bdSeq" || address.metric.starts_with("Node Control/")))
    return fail(ErrorKind::bad_input, "metric '{}' is Sparkplug's own", address.metric);
  return address;
}

std::string edge_topic(const EdgeSettings& settings, std::string_view message, std::string_view device) {
  return fmt::format("{}/{}/{}/{}{}{}", kNamespace, settings.group, message, settings.edge_node,
                     device.empty() ? "" : "/", device);
}

std::string state_topic(const EdgeSettings& settings) {
  return fmt::format("{}/STATE/{}", kNamespace, settings.primary_host);
}

}  // namespace alara::mqtt
