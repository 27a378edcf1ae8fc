// SPDX-License-Identifier: Apache-2.0
// `alara trust`: which OPC UA servers and clients this node trusts.
#include <CLI/App.hpp>
#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>
#include <cstdio>

#include "base/quantity.hpp"
#include "node/commands/commands.hpp"

#ifdef ALARA_OPCUA
#include "connect/opcua/trust.hpp"
#endif

namespace alara::node {
namespace {

struct TrustArguments {
  std::string pki = "pki", which;
};

#ifdef ALARA_OPCUA

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
int run_trust_list(const TrustArguments&) { return without_opcua(); }
int run_trust_add(const TrustArguments&) { return without_opcua(); }
int run_trust_remove(const TrustArguments&) { return without_opcua(); }

#endif

}  // namespace

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
