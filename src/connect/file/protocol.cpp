// SPDX-License-Identifier: Apache-2.0
#include "connect/file/protocol.hpp"

#include "connect/file/connector.hpp"
#include "connect/file/npy.hpp"
#include "wire/payload_json.hpp"

namespace alara::file {
namespace {

class FileProtocol final : public Protocol {
 public:
  [[nodiscard]] std::string_view key() const override { return "file"; }
  [[nodiscard]] const Schema& schema() const override { return file::schema(); }
  [[nodiscard]] std::string_view address_help() const override {
    return "csv:   <column>                      spindle_current\n"
           "       <column>:category             texts as numbers, in the order in which they appear\n"
           "       <column>:category(A,B,C)      A is 0, B is 1, C is 2; anything else is rejected\n"
           "jsonl: <path>                        motor.current, axes[2], \"\" for lines that are one number\n"
           "npy:   [:] or [:, 0] or [:, :, 0]    the last ':' runs over samples, one before it over records\n"
           "written: any name; it becomes the column or member";
  }
  Result<std::unique_ptr<Connector>> make(const std::string& name, const Node& options,
                                          const std::string& directory) const override {
    ALARA_TRY(Settings settings, read_settings(options, directory));
    return std::make_unique<FileConnector>(name, std::move(settings));
  }
};

}  // namespace

const Protocol& file_protocol() {
  static const FileProtocol kProtocol;
  return kProtocol;
}

Status check_address(Format format, const std::string& address) {
  if (format == Format::npy) return check_npy_address(address);
  if (format == Format::jsonl) {
    wire::JsonPlan plan;
    ALARA_TRY(const std::uint32_t ignored, plan.add(address));
    static_cast<void>(ignored);
    return {};
  }
  ALARA_TRY(const CsvAddress ignored, parse_csv_address(address));
  static_cast<void>(ignored);
  return {};
}

}  // namespace alara::file
