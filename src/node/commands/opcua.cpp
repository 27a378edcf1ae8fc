// SPDX-License-Identifier: Apache-2.0
// `alara browse` and `alara trust`: what an OPC UA server has, and whom this node trusts.
#include <CLI/App.hpp>
#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>
#include <cstdio>

#include "base/quantity.hpp"
#include "node/commands/commands.hpp"

#ifdef ALARA_OPCUA
#include "connect/opcua/browse.hpp"
#include "connect/opcua/trust.hpp"
#endif

namespace alara::node {
namespace {

struct BrowseArguments {
  std::string endpoint, security = "aes256_sha256_rsapss", mode = "sign_and_encrypt", pki = "pki", node = "i=85";
  std::string username, password_file, connector = "plc";
  int depth = 4;
  std::size_t most = 2000;
  bool signals = false;
};

struct TrustArguments {
  std::string pki = "pki", which;
};

#ifdef ALARA_OPCUA

int run_browse(const BrowseArguments& arguments) {
  // The same reader as for a site file, so that the same is allowed and refused.
  std::string text = fmt::format("endpoint: \"{}\"\nsecurity: {}\nmode: {}\npki: \"{}\"\ntimeout: 5s\n",
                                 arguments.endpoint, arguments.security, arguments.mode, arguments.pki);
  if (!arguments.username.empty())
    text += fmt::format("username: \"{}\"\npassword_file: \"{}\"\n", arguments.username, arguments.password_file);
  const auto document = parse_document(text, "");
  if (!document) return report(document.error());
  std::vector<Error> errors;
  opcua::schema().check(*document, errors);
  if (!errors.empty()) return report({ErrorKind::bad_input, errors.front().message, {}, errors.front().hint});
  auto settings = opcua::read_settings(*document, ".");
  if (!settings) return report({settings.error().kind, settings.error().message, {}, settings.error().hint});
  SystemClock clock;
  const auto browsed = opcua::browse(*settings, {arguments.node, arguments.depth, arguments.most}, clock);
  if (!browsed) return report(browsed.error());
  fmt::print("{}",
             arguments.signals ? opcua::format_signals(*browsed, arguments.connector) : opcua::format_tree(*browsed));
  return kGood;
}

void print_certificate(const opcua::CertificateInfo& info, std::string_view what) {
  fmt::print("{:<9} {}  {}  {}  until {}\n", what, info.fingerprint.substr(0, 16), info.subject,
             info.uri.empty() ? "-" : info.uri, format_instant(info.not_after).substr(0, 10));
}

int run_trust_list(const TrustArguments& arguments) {
  for (const auto& entry : opcua::TrustList(arguments.pki).entries())
    print_certificate(entry.info, !entry.trusted ? "rejected" : entry.info.authority ? "authority" : "trusted");
  return kGood;
}
int run_trust_add(const TrustArguments& arguments) {
  const auto added = opcua::TrustList(arguments.pki).accept(arguments.which);
  if (!added) return report(added.error());
  print_certificate(*added, "trusted");
  return kGood;
}
int run_trust_remove(const TrustArguments& arguments) {
  const auto removed = opcua::TrustList(arguments.pki).remove(arguments.which);
  if (!removed) return report(removed.error());
  print_certificate(*removed, "removed");
  return kGood;
}

#else

int without_opcua() {
  return report(
      {ErrorKind::unavailable, "this program was built without OPC UA: run tools/setup and build again", {}, {}});
}
int run_browse(const BrowseArguments&) { return without_opcua(); }
int run_trust_list(const TrustArguments&) { return without_opcua(); }
int run_trust_add(const TrustArguments&) { return without_opcua(); }
int run_trust_remove(const TrustArguments&) { return without_opcua(); }

#endif

}  // namespace

void add_browse_command(CLI::App& app, CommandLine& line) {
  CLI::App* command = app.add_subcommand("browse", "Show the nodes of an OPC UA server, to find what can be read");
  command->footer(
      "Example:\n  alara browse opc.tcp://10.0.0.5:4840 --security none\n"
      "  alara browse opc.tcp://10.0.0.5:4840 --security none --node 'ns=2;s=Line1' --signals");
  auto arguments = std::make_shared<BrowseArguments>();
  command->add_option("ENDPOINT", arguments->endpoint, "The server: opc.tcp://host:port/path")
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
  command->add_flag("--signals", arguments->signals, "As signals and addresses of a site file");
  command->add_option("--connector", arguments->connector, "Name of the connector in these addresses; default plc")
      ->option_text("NAME");
  command->callback([&line, arguments] { line.exit_code = run_browse(*arguments); });
}

void add_trust_command(CLI::App& app, CommandLine& line) {
  CLI::App* command = app.add_subcommand("trust", "Show and decide which OPC UA servers and clients this node trusts");
  command->footer("Example:\n  alara trust list --pki pki\n  alara trust add 3f2a9c01d4e8b7a6 --pki pki");
  command->require_subcommand(1);
  auto arguments = std::make_shared<TrustArguments>();
  const auto pki = [&arguments](CLI::App* to) {
    to->add_option("--pki", arguments->pki, "Folder of certificates; default pki")->option_text("DIR");
  };
  CLI::App* list = command->add_subcommand("list", "Certificates that are trusted, and those that came and were not");
  pki(list);
  list->callback([&line, arguments] { line.exit_code = run_trust_list(*arguments); });
  CLI::App* add = command->add_subcommand("add", "Trust a certificate");
  pki(add);
  add->add_option("WHICH", arguments->which, "The beginning of its fingerprint, or a file in DER or PEM")
      ->required()
      ->option_text(" ");
  add->callback([&line, arguments] { line.exit_code = run_trust_add(*arguments); });
  CLI::App* remove = command->add_subcommand("remove", "Trust a certificate no longer");
  pki(remove);
  remove->add_option("WHICH", arguments->which, "The beginning of its fingerprint")->required()->option_text(" ");
  remove->callback([&line, arguments] { line.exit_code = run_trust_remove(*arguments); });
}

}  // namespace alara::node
