// SPDX-License-Identifier: Apache-2.0
#include "core/document.hpp"

#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/exceptions.h>
#include <yaml-cpp/parser.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <sstream>

namespace alara {
namespace {

// Thrown through yaml-cpp's parser by the handler below and caught at this file's border.
struct Refused {
  Error error;
};

// Builds the tree from the parser's events. The stack holds the containers that are still open.
class TreeBuilder final : public YAML::EventHandler {
 public:
  explicit TreeBuilder(std::string name) : name_(std::move(name)) {}

  [[nodiscard]] Node take() { return std::move(root_); }

  void OnDocumentStart(const YAML::Mark&) override {}
  void OnDocumentEnd() override {}
  void OnNull(const YAML::Mark& mark, YAML::anchor_t) override { add(make(Node::Kind::null, mark)); }
  void OnAlias(const YAML::Mark& mark, YAML::anchor_t) override {
    refuse(mark, "aliases (*name) are not supported; write the value out");
  }
  void OnScalar(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t, const std::string& value) override {
    Node node = make(Node::Kind::scalar, mark);
    node.quoted = tag == "!";  // yaml-cpp marks quoted scalars with the non-specific tag
    node.scalar = value;
    const bool null = !node.quoted && (value == "~" || value == "null" || value.empty());
    if (null && !expecting_key()) node.kind = Node::Kind::null;
    add(std::move(node));
  }
  void OnSequenceStart(const YAML::Mark& mark, const std::string&, YAML::anchor_t, YAML::EmitterStyle::value) override {
    open(make(Node::Kind::list, mark), mark);
  }
  void OnSequenceEnd() override { close(); }
  void OnMapStart(const YAML::Mark& mark, const std::string&, YAML::anchor_t, YAML::EmitterStyle::value) override {
    open(make(Node::Kind::map, mark), mark);
  }
  void OnMapEnd() override { close(); }

 private:
  struct Level {
    Node node;
    bool has_key = false;  // of a map: the next value belongs to `key`
    std::string key;
    Where key_where;
  };

  [[nodiscard]] Where place(const YAML::Mark& mark) const { return {name_, mark.line + 1, mark.column + 1}; }
  [[noreturn]] void refuse(const YAML::Mark& mark, std::string message) const {
    throw Refused{{ErrorKind::bad_input, std::move(message), place(mark), {}}};
  }
  [[nodiscard]] bool expecting_key() const {
    return !levels_.empty() && levels_.back().node.is_map() && !levels_.back().has_key;
  }

  Node make(Node::Kind kind, const YAML::Mark& mark) {
    if (++nodes_ > kMaxDocumentNodes) refuse(mark, fmt::format("more than {} values in one file", kMaxDocumentNodes));
    Node node;
    node.kind = kind;
    node.where = place(mark);
    return node;
  }
  void open(Node node, const YAML::Mark& mark) {
    if (levels_.size() >= kMaxDocumentDepth)
      refuse(mark, fmt::format("nested deeper than {} levels", kMaxDocumentDepth));
    if (expecting_key()) refuse(mark, "a key must be a plain text");
    levels_.push_back({std::move(node), false, {}, {}});
  }
  void close() {
    Node node = std::move(levels_.back().node);
    levels_.pop_back();
    add(std::move(node));
  }
  void add(Node node) {
    if (levels_.empty()) {
      root_ = std::move(node);
      return;
    }
    Level& level = levels_.back();
    if (level.node.is_list()) {
      level.node.items.push_back(std::move(node));
    } else if (!level.has_key) {
      take_key(level, std::move(node));
    } else {
      level.node.entries.push_back({std::move(level.key), std::move(level.key_where), std::move(node)});
      level.has_key = false;
    }
  }
  static void take_key(Level& level, Node node) {
    for (const Node::Entry& entry : level.node.entries)
      if (entry.key == node.scalar)
        throw Refused{
            {ErrorKind::bad_input,
             fmt::format("key '{}' is given twice; the first is at line {}", node.scalar, entry.key_where.line),
             node.where,
             {}}};
    level.key = std::move(node.scalar);
    level.key_where = std::move(node.where);
    level.has_key = true;
  }

  std::string name_;
  Node root_;
  std::vector<Level> levels_;
  std::size_t nodes_ = 0;
};

void append_quoted(std::string& out, std::string_view text) {
  out += '"';
  for (const char c : text) {
    if (c == '"' || c == '\\') out += '\\';
    out += c;
  }
  out += '"';
}

void append_canonical(std::string& out, const Node& node) {
  switch (node.kind) {
    case Node::Kind::null:
      out += '~';
      break;
    case Node::Kind::scalar:
      append_quoted(out, node.scalar);
      break;
    case Node::Kind::list:
      out += '[';
      for (const Node& item : node.items) {
        append_canonical(out, item);
        out += ',';
      }
      out += ']';
      break;
    case Node::Kind::map:
      out += '{';
      for (const Node::Entry& entry : node.entries) {
        append_quoted(out, entry.key);
        out += ':';
        append_canonical(out, entry.value);
        out += ',';
      }
      out += '}';
      break;
  }
}

}  // namespace

const Node* Node::find(std::string_view key) const {
  for (const Entry& entry : entries)
    if (entry.key == key) return &entry.value;
  return nullptr;
}

std::string Node::canonical() const {
  std::string out;
  append_canonical(out, *this);
  return out;
}

Result<Node> parse_document(std::string_view text, const std::string& name) {
  if (text.size() > kMaxDocumentBytes)
    return fail_at({name}, "the file has {} bytes; at most {} are read", text.size(), kMaxDocumentBytes);
  try {
    std::istringstream stream{std::string(text)};
    YAML::Parser parser(stream);
    TreeBuilder builder(name);
    if (!parser.HandleNextDocument(builder)) return Node{Node::Kind::null, {}, false, {}, {}, {name, 1, 1}};
    Node root = builder.take();
    if (TreeBuilder rest(name); parser.HandleNextDocument(rest))
      return fail_at(rest.take().where, "a second YAML document begins here; a site file has one");
    return root;
  } catch (const Refused& refused) {
    return tl::unexpected<Error>(refused.error);
  } catch (const YAML::Exception& error) {
    return tl::unexpected<Error>(Error{ErrorKind::bad_input,
                                       fmt::format("not well-formed YAML: {}", error.msg),
                                       {name, error.mark.line + 1, error.mark.column + 1},
                                       "texts with [ ] { } # or ': ' stand in quotes; indent with spaces"});
  } catch (const std::exception& error) {
    return fail_at({name}, "not well-formed YAML: {}", error.what());
  }
}

Result<Node> load_document(const std::string& path) {
  std::error_code error;
  const auto kind = std::filesystem::status(path, error).type();  // before opening: a pipe without a writer would hang
  if (error || kind == std::filesystem::file_type::not_found)
    return fail(ErrorKind::bad_input, "can not read '{}': {}", path, error ? error.message() : std::strerror(ENOENT));
  if (kind != std::filesystem::file_type::regular)
    return fail(ErrorKind::bad_input, "can not read '{}': it is not a regular file", path);
  std::ifstream file(path, std::ios::binary);
  if (!file) return fail(ErrorKind::bad_input, "can not read '{}': {}", path, std::strerror(errno));
  const auto size = static_cast<std::size_t>(std::filesystem::file_size(path, error));
  std::string text(std::min(error ? 0 : size, kMaxDocumentBytes) + 1, '\0');
  file.read(text.data(), static_cast<std::streamsize>(text.size()));
  if (file.bad()) return fail(ErrorKind::bad_input, "can not read '{}': {}", path, std::strerror(errno));
  text.resize(static_cast<std::size_t>(file.gcount()));
  return parse_document(text, path);
}

}  // namespace alara
