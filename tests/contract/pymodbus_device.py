# SPDX-License-Identifier: Apache-2.0
"""A device made of the pymodbus library, for tests: prints its port, ends when its input is closed. With --check it
only says by its exit status whether the library is there.

Holding registers 0..: 100 + number; a float32 123.456 at 40, and an int32 -123456789 with swapped registers at 50.
Input registers: 200 + number. Coils and discrete inputs: every third is set. Registers from 1000 on do not exist.
"""
import importlib.util
import os
import socket
import sys
import threading
import types

# pymodbus imports what it needs for serial lines even where only TCP is used; Debian only recommends those packages.
for name, wanted in (("serial", None), ("serial_asyncio", "create_serial_connection")):
    if importlib.util.find_spec(name) is None:
        sys.modules[name] = types.ModuleType(name)
        if wanted:
            setattr(sys.modules[name], wanted, None)

from pymodbus.datastore import ModbusSequentialDataBlock, ModbusServerContext, ModbusSlaveContext
from pymodbus.server import StartTcpServer

if "--check" in sys.argv:
    sys.exit(0)

SIZE = 1000

with socket.socket() as probe:
    probe.bind(("127.0.0.1", 0))
    port = probe.getsockname()[1]

holding = [100 + i for i in range(SIZE)]
holding[40:42] = [0x42F6, 0xE979]
holding[50:52] = [0x32EB, 0xF8A4]
bits = [i % 3 == 0 for i in range(SIZE)]
unit = ModbusSlaveContext(
    hr=ModbusSequentialDataBlock(0, holding),
    ir=ModbusSequentialDataBlock(0, [200 + i for i in range(SIZE)]),
    co=ModbusSequentialDataBlock(0, list(bits)),
    di=ModbusSequentialDataBlock(0, list(bits)),
    zero_mode=True,
)


def end_with_input():
    sys.stdin.read()
    os._exit(0)


threading.Thread(target=end_with_input, daemon=True).start()
print(port, flush=True)
StartTcpServer(context=ModbusServerContext(slaves=unit, single=True), address=("127.0.0.1", port))
