// SPDX-License-Identifier: Apache-2.0
#include "bench/bench.hpp"

#include <array>

namespace alara::bench {

Result<Report> run_anomalies(const Arguments& arguments);
Result<Report> run_codecs(const Arguments& arguments);
Result<Report> run_connectors(const Arguments& arguments);
Result<Report> run_engine(const Arguments& arguments);
Result<Report> run_features(const Arguments& arguments);
Result<Report> run_infer(const Arguments& arguments);
Result<Report> run_line(const Arguments& arguments);
Result<Report> run_modbus(const Arguments& arguments);
Result<Report> run_start(const Arguments& arguments);
Result<Report> run_translate(const Arguments& arguments);

std::span<const Bench> all_benches() {
  static constexpr auto kBenches = std::to_array<Bench>({
      {"anomalies", "NAB's scoring of the detector that needs no choice (--data DIR)", run_anomalies},
      {"codecs", "bytes and time of a message of points in each format, beside JSON", run_codecs},
      {"connectors", "each protocol's connector under a full load: cores, points unaccounted", run_connectors},
      {"engine", "from a sample's arrival to the rule, one core, 10,000 signals", run_engine},
      {"features", "waveform features of 100 machines x 3 axes", run_features},
      {"infer", "the model step against bare ONNX Runtime calls, and batching over assets", run_infer},
      {"line", "the whole: a million points a second over MQTT, Modbus trips beside it, one machine", run_line},
      {"modbus", "100 devices x 100 registers at 100 Hz: is the schedule kept, and at what cost", run_modbus},
      {"start", "time to the first decision, idle memory, size on disk", run_start},
      {"translate", "from a changed Modbus register to the MQTT message at a subscriber", run_translate},
  });
  return kBenches;
}

}  // namespace alara::bench
