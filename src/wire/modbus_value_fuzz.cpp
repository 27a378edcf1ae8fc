// SPDX-License-Identifier: Apache-2.0
// Any bytes in any format: decoding stays within its bytes, and a finite whole value that was read writes back the
// same number.
#include <array>
#include <cmath>
#include <cstdlib>
#include <vector>

#include "wire/modbus_value.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace alara::wire;
  if (size < 3) return 0;
  RegisterFormat format;
  format.type = static_cast<RegisterType>(data[0] % 13);
  format.order = static_cast<ByteOrder>(data[1] % 4);
  format.bit = data[2] % 16;
  format.text_registers = static_cast<std::uint8_t>(1 + data[2] % kMaxTextRegisters);
  const std::vector<std::uint8_t> bytes(data + 3, data + size);  // its own block: sanitizers see every overrun
  static_cast<void>(decode_text(format.order, bytes));
  if (bytes.size() < 2 * registers_of(format)) return 0;
  const double value = decode_value(format, bytes.data());
  std::array<std::uint8_t, 8> out{};
  if (std::isfinite(value) && encode_value(format, value, out) && decode_value(format, out.data()) != value)
    std::abort();
  return 0;
}
