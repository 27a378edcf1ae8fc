# SPDX-License-Identifier: Apache-2.0
"""A device made of the pymodbus library, for tests: prints its port, ends when its input is closed.

Holding registers 0..: 100 + number; a float32 123.456 at 40, and an int32 -123456789 with swapped registers at 50.
Input registers: 200 + number. Coils and discrete inputs: every third is set. Registers from 1000 on do not exist.
"""
import socket
import sys
import threading

from pymodbus.datastore import ModbusSequentialDataBlock, ModbusServerContext, ModbusSlaveContext
from pymodbus.server import StartTcpServer

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
    import os

    os._exit(0)


threading.Thread(target=end_with_input, daemon=True).start()
print(port, flush=True)
StartTcpServer(context=ModbusServerContext(slaves=unit, single=True), address=("127.0.0.1", port))
