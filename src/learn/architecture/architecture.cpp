// SPDX-License-Identifier: Apache-2.0
#include "learn/architecture/architecture.hpp"

#include <algorithm>
#include <map>

#include "base/text.hpp"
#include "learn/architecture/layer_kinds.hpp"
#include "learn/architecture/templates.hpp"

namespace alara::learn {
namespace {

const Schema& file_schema() {
  static const Schema schema{
      "architecture",
      "A network, by its layers or as a template with options",
      {{.name = "name", .type = PropertyType::text, .sentence = "Of the graph", .fallback = "network"},
       {.name = "input", .type = PropertyType::any, .sentence = "Shape of one sample, channels first"},
       {.name = "layers", .type = PropertyType::any, .sentence = "One after the other"},
       {.name = "template", .type = PropertyType::text, .sentence = "A template's name, in place of input and layers"},
       {.name = "options", .type = PropertyType::any, .sentence = "The template's options"}}};
  return schema;
}

tl::unexpected<Error> unknown(const Where& where, std::string_view what, std::string_view name,
                              std::span<const std::string_view> known) {
  const std::string near = nearest(name, known);
  return tl::unexpected<Error>(
      Error{ErrorKind::bad_input, fmt::format("there is no {} '{}'", what, name), where,
            near.empty() ? "there are " + enumerate(known) : fmt::format("did you mean '{}'?", near)});
}

Status check(const Schema& schema, const Node& map) {
  std::vector<Error> errors;
  schema.check(map, errors);
  if (errors.empty()) return {};
  return tl::unexpected<Error>(std::move(errors.front()));
}

Node map_at(const Where& where) {
  Node map;
  map.kind = Node::Kind::map;
  map.where = where;
  return map;
}

// Reads the layers of one file into a network.
class Reader {
 public:
  explicit Reader(Layers& net) : net_(net) {}

  Result<Flow> layers(const Node& list, Flow flow) {
    if (!list.is_list()) return fail_at(list.where, "layers are a list");
    for (const Node& item : list.items) {
      ALARA_TRY(flow, layer(item, flow));
    }
    return flow;
  }
  [[nodiscard]] bool has_outputs() const { return outputs_ > 0; }

 private:
  // One item: "relu", {dense: 10}, {conv: {…}, as: name, output: name}.
  Result<Flow> layer(const Node& item, const Flow& in) {
    if (item.is_scalar()) return build(item.scalar, map_at(item.where), item.where, in);
    if (!item.is_map() || item.entries.empty()) return fail_at(item.where, "a layer is a name or a map of one name");
    const Node::Entry& entry = item.entries.front();
    ALARA_TRY(Flow out, build(entry.key, entry.value, entry.key_where, in));
    for (const Node::Entry& more : std::span(item.entries).subspan(1)) ALARA_CHECK(mark(more, out));
    return out;
  }

  Status mark(const Node::Entry& entry, const Flow& flow) {
    if (!entry.value.is_scalar() || (entry.key != "as" && entry.key != "output"))
      return fail_at(entry.key_where, "'{}' does not belong here: beside a layer stand 'as: name' and 'output: name'",
                     entry.key);
    if (entry.key == "as") {
      if (!named_.emplace(entry.value.scalar, flow).second)
        return fail_at(entry.value.where, "the name '{}' is given twice", entry.value.scalar);
      return {};
    }
    net_.output(flow, entry.value.scalar);
    ++outputs_;
    return settled(entry.value.where);
  }

  // The network's error, if there is one, at the place where it came up.
  Status settled(const Where& where) {
    if (net_.status()) return {};
    Error error = net_.status().error();
    if (!error.where.known()) error.where = where;
    return tl::unexpected<Error>(std::move(error));
  }

  Result<Flow> build(const std::string& name, const Node& value, const Where& where, const Flow& in) {
    Flow out;
    if (name == "residual") {
      ALARA_TRY(out, residual(value, where, in));
    } else if (name == "branches") {
      ALARA_TRY(out, branches(value, in));
    } else if (name == "concat" || name == "add") {
      ALARA_TRY(out, join(name, value, in));
    } else {
      ALARA_TRY(out, plain(name, value, where, in));
    }
    ALARA_CHECK(settled(where));
    return out;
  }

  Result<Flow> plain(const std::string& name, const Node& value, const Where& where, const Flow& in) {
    const LayerKind* kind = layer_kind(name);
    if (kind == nullptr) return unknown_layer(where, name);
    Node map = map_at(where);
    if (value.is_map()) {
      map = value;
    } else if (!value.is_null()) {
      if (kind->shorthand.empty()) return fail_at(value.where, "{} takes no value", name);
      map.entries.push_back({kind->shorthand, value.where, value});
    }
    ALARA_CHECK(check(kind->schema, map));
    const Node whole = completed(map, kind->schema);
    return kind->build(net_, in, Options(whole, kind->schema));
  }

  static tl::unexpected<Error> unknown_layer(const Where& where, const std::string& name) {
    std::vector<std::string_view> known = {"residual", "branches", "concat", "add"};
    for (const LayerKind& kind : layer_kinds()) known.push_back(kind.schema.name);
    return unknown(where, "layer", name, known);
  }

  // The input is added to what the layers make of it, by a convolution of 1 x 1 where the shapes differ.
  Result<Flow> residual(const Node& list, const Where& where, const Flow& in) {
    ALARA_TRY(const Flow out, layers(list, in));
    if (out.shape == in.shape) return net_.add(out, in);
    if (out.shape.size() != in.shape.size() || in.shape.size() < 2)
      return fail_at(where, "residual: {} can not be added to {}", graph::text_of(in.shape), graph::text_of(out.shape));
    std::vector<std::int64_t> stride;
    for (std::size_t i = 1; i < in.shape.size(); ++i) stride.push_back((in.shape[i] + out.shape[i] - 1) / out.shape[i]);
    const Flow projected =
        net_.conv_norm(in, {.filters = out.shape[0], .kernel = 1, .stride = Sizes(stride)}, Activation::none);
    return net_.add(out, projected);
  }

  Result<Flow> branches(const Node& lists, const Flow& in) {
    if (!lists.is_list() || lists.items.empty()) return fail_at(lists.where, "branches are a list of lists of layers");
    std::vector<Flow> parts;
    for (const Node& list : lists.items) {
      ALARA_TRY(Flow part, layers(list, in));
      parts.push_back(std::move(part));
    }
    return net_.concat(parts);
  }

  Result<Flow> join(const std::string& how, const Node& names, const Flow& in) {
    std::vector<Flow> parts = {in};
    std::vector<Node> items = names.items;
    if (names.is_scalar()) items.push_back(names);
    for (const Node& name : items) {
      const auto found = named_.find(name.scalar);
      if (found == named_.end()) return fail_at(name.where, "{}: nothing before it is named '{}'", how, name.scalar);
      parts.push_back(found->second);
    }
    if (parts.size() < 2) return fail_at(names.where, "{} takes names that were given by 'as'", how);
    if (how == "concat") return net_.concat(parts);
    Flow sum = parts.front();
    for (const Flow& part : std::span(parts).subspan(1)) sum = net_.add(sum, part);
    return sum;
  }

  Layers& net_;
  std::map<std::string, Flow> named_;
  int outputs_ = 0;
};

Result<graph::Model> build_from(const Template& chosen, const Node& settings, const BuildOptions& options) {
  ALARA_CHECK(check(chosen.schema, settings));
  const Node whole = completed(settings, chosen.schema);
  Layers net(chosen.schema.name, options.seed, options.max_parameters);
  chosen.build(net, Options(whole, chosen.schema));
  auto model = std::move(net).finish();
  if (!model && !model.error().where.known()) model.error().where = settings.where;
  return model;
}

Result<graph::Model> build_from(std::string_view name, const Where& where, const Node& settings,
                                const BuildOptions& options) {
  const Template* chosen = template_named(name);
  if (chosen != nullptr) return build_from(*chosen, settings, options);
  std::vector<std::string_view> known;
  for (const Template& each : templates()) known.push_back(each.schema.name);
  return unknown(where, "template", name, known);
}

Result<graph::Model> build_layers(const Node& document, const BuildOptions& options) {
  const Node* input = document.find("input");
  const Node* layers = document.find("layers");
  if (input == nullptr || layers == nullptr)
    return fail_at(document.where, "an architecture has 'input' and 'layers', or 'template'");
  const std::vector<std::int64_t> shape = numbers_of(*input);
  if (shape.empty()) return fail_at(input->where, "input is the shape of one sample, as [1, 28, 28]");
  const Node whole = completed(document, file_schema());
  Layers net(Options(whole, file_schema()).text("name"), options.seed, options.max_parameters);
  Flow flow = net.input("input", shape);
  if (net.failed()) return fail_at(input->where, "{}", net.status().error().message);
  Reader reader(net);
  ALARA_TRY(flow, reader.layers(*layers, flow));
  if (!reader.has_outputs()) net.output(flow, "output");
  auto model = std::move(net).finish();
  if (!model && !model.error().where.known()) model.error().where = layers->where;
  return model;
}

}  // namespace

Result<graph::Model> build_architecture(const Node& document, const BuildOptions& options) {
  if (!document.is_map()) return fail_at(document.where, "an architecture is a map with 'input' and 'layers'");
  ALARA_CHECK(check(file_schema(), document));
  const Node* chosen = document.find("template");
  if (chosen == nullptr) return build_layers(document, options);
  if (document.find("layers") != nullptr || document.find("input") != nullptr)
    return fail_at(chosen->where, "a template has neither 'input' nor 'layers' beside it, but 'options'");
  const Node* settings = document.find("options");
  if (settings != nullptr && !settings->is_map()) return fail_at(settings->where, "options are a map");
  return build_from(chosen->scalar, chosen->where, settings != nullptr ? *settings : map_at(chosen->where), options);
}

Result<graph::Model> parse_architecture(std::string_view yaml, const std::string& name, const BuildOptions& options) {
  ALARA_TRY(const Node document, parse_document(yaml, name));
  return build_architecture(document, options);
}

Result<graph::Model> load_architecture(const std::string& path, const BuildOptions& options) {
  ALARA_TRY(const Node document, load_document(path));
  return build_architecture(document, options);
}

Result<graph::Model> build_template(std::string_view name, std::string_view settings, const BuildOptions& options) {
  Node map = map_at({});
  if (!trim(settings).empty()) {
    ALARA_TRY(map, parse_document(settings, fmt::format("options of {}", name)));
    if (!map.is_map()) return fail_at(map.where, "options are a map, as {{classes: 10}}");
  }
  return build_from(name, {}, map, options);
}

std::string layer_reference() {
  std::string out;
  for (const LayerKind& kind : layer_kinds()) out += markdown_reference(kind.schema);
  return out;
}

std::string template_reference() {
  std::string out;
  for (const Template& each : templates()) out += markdown_reference(each.schema) + "\n";
  return out;
}

}  // namespace alara::learn
