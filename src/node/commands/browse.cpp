// SPDX-License-Identifier: Apache-2.0
// `alara browse`: what an OPC UA server or a CoAP device has.
#include <CLI/App.hpp>
#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>
#include <cstdio>

#include "connect/coap/discover.hpp"
#include "node/commands/commands.hpp"

#ifdef ALARA_OPCUA
#include "connect/opcua/browse.hpp"
#endif

namespace alara::node {
namespace {

struct BrowseArguments {
  std::string endpoint, security = "aes256_sha256_rsapss", mode = "sign_and_encrypt", pki = "pki", node = "i=85";
  std::string username, password_file, psk_file, ca, connector = "plc";
  int depth = 4;
  std::size_t most = 2000;
  bool signals = false;
};

// Options as in a site file, without places: there is no file.
Result<Node> checked(const std::string& text, const Schema& schema) {
  ALARA_TRY(Node document, parse_document(text, ""));
  std::vector<Error> errors;
  schema.check(document, errors);
  if (errors.empty()) return document;
  return tl::unexpected<Error>(Error{ErrorKind::bad_input, errors.front().message, {}, errors.front().hint});
}

int browse_coap(const BrowseArguments& arguments) {
  std::string text = fmt::format("endpoint: \"{}\"\ntimeout: 5s\n", arguments.endpoint);
  if (!arguments.psk_file.empty()) text += fmt::format("psk_file: \"{}\"\n", arguments.psk_file);
  if (!arguments.ca.empty()) text += fmt::format("ca: \"{}\"\n", arguments.ca);
  const auto document = checked(text, coap::schema());
  if (!document) return report(document.error());
  auto settings = coap::read_settings(*document, ".");
  if (!settings) return report({settings.error().kind, settings.error().message, {}, settings.error().hint});
  SystemClock clock;
  const auto links = coap::discover(*settings, clock);
  if (!links) return report(links.error());
  fmt::print("{}", arguments.signals ? coap::format_signals(*links, arguments.connector) : coap::format_links(*links));
  return kGood;
}

#ifdef ALARA_OPCUA

int browse_opcua(const BrowseArguments& arguments) {
  // The same reader as for a site file, so that the same is allowed and refused.
  std::string text = fmt::format("endpoint: \"{}\"\nsecurity: {}\nmode: {}\npki: \"{}\"\ntimeout: 5s\n",
                                 arguments.endpoint, arguments.security, arguments.mode, arguments.pki);
  if (!arguments.username.empty())
    text += fmt::format("username: \"{}\"\npassword_file: \"{}\"\n", arguments.username, arguments.password_file);
  const auto document = checked(text, opcua::schema());
  if (!document) return report(document.error());
  auto settings = opcua::read_settings(*document, ".");
  if (!settings) return report({settings.error().kind, settings.error().message, {}, settings.error().hint});
  SystemClock clock;
  const auto browsed = opcua::browse(*settings, {arguments.node, arguments.depth, arguments.most}, clock);
  if (!browsed) return report(browsed.error());
  fmt::print("{}",
             arguments.signals ? opcua::format_signals(*browsed, arguments.connector) : opcua::format_tree(*browsed));
  return kGood;
}

#else

int browse_opcua(const BrowseArguments&) {
  return report(
      {ErrorKind::unavailable, "this program was built without OPC UA: run tools/setup and build again", {}, {}});
}

#endif

int run_browse(const BrowseArguments& arguments) {
  const std::string_view endpoint = arguments.endpoint;
  if (endpoint.starts_with("coap://") || endpoint.starts_with("coaps://")) return browse_coap(arguments);
  if (endpoint.starts_with("opc.tcp://")) return browse_opcua(arguments);
  return report({ErrorKind::bad_input,
                 fmt::format("endpoint '{}' is neither opc.tcp://host:port nor coap://host:port or coaps://", endpoint),
                 {},
                 {}});
}

}  // namespace

void add_browse_command(CLI::App& app, CommandLine& line) {
  CLI::App* command = app.add_subcommand(
      "browse", "Show the nodes of an OPC UA server or the resources of a CoAP device, to find what can be read");
  command->footer(
      "Example:\n  alara browse opc.tcp://10.0.0.5:4840 --security none\n"
      "  alara browse opc.tcp://10.0.0.5:4840 --security none --node 'ns=2;s=Line1' --signals\n"
      "  alara browse coap://10.0.0.7");
  auto arguments = std::make_shared<BrowseArguments>();
  command
      ->add_option("ENDPOINT", arguments->endpoint,
                   "The server: opc.tcp://host:port/path, coap://host:port or coaps://")
      ->required()
      ->option_text(" ");
  command
      ->add_option("--security", arguments->security,
                   "none, or a policy as in a site file; default aes256_sha256_rsapss")
      ->option_text("POLICY");
  command->add_option("--mode", arguments->mode, "sign or sign_and_encrypt; default the latter")->option_text("MODE");
  command->add_option("--pki", arguments->pki, "Folder of certificates; default pki")->option_text("DIR");
  command->add_option("--username", arguments->username, "Name to log in with; default anonymous")->option_text("NAME");
  command->add_option("--password-file", arguments->password_file, "File whose first line is the password")
      ->option_text("FILE");
  command->add_option("--node", arguments->node, "Where to begin; default i=85, the Objects folder")->option_text("ID");
  command->add_option("--depth", arguments->depth, "How many levels to go down; default 4")
      ->check(CLI::Range(0, 50))
      ->option_text("N");
  command->add_option("--most", arguments->most, "Nodes to show at most; default 2000")
      ->check(CLI::Range(1, 1000000))
      ->option_text("N");
  command->add_option("--psk-file", arguments->psk_file, "For coaps://: file with identity:secret")
      ->option_text("FILE");
  command->add_option("--ca", arguments->ca, "For coaps://: PEM file of the authorities to trust")->option_text("FILE");
  command->add_flag("--signals", arguments->signals, "As signals and addresses of a site file");
  command->add_option("--connector", arguments->connector, "Name of the connector in these addresses; default plc")
      ->option_text("NAME");
  command->callback([&line, arguments] { line.exit_code = run_browse(*arguments); });
}

}  // namespace alara::node
