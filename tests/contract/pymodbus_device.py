# SPDX-License-Identifier: Apache-2.0
"""A device made of the pymodbus library, for tests: prints its port, ends when its input is closed. With --check it
only says by its exit status whether the library is there. With --serial DEVICE it is units 1 and 2 of an RTU line
(115200 baud) until it is ended; unit 2's holding registers are 1000 higher. With --ask PORT UNIT REGISTER
it is a Modbus TCP client instead, which prints a holding register or the name of the refusal.

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

if "--ask" in sys.argv:
    from pymodbus.client import ModbusTcpClient

    port, unit_number, register = (int(text) for text in sys.argv[2:5])
    client = ModbusTcpClient("127.0.0.1", port)
    answer = client.read_holding_registers(register, 1, slave=unit_number)
    print(answer if answer.isError() else answer.registers[0])
    sys.exit(0)

SIZE = 1000

holding = [100 + i for i in range(SIZE)]
holding[40:42] = [0x42F6, 0xE979]
holding[50:52] = [0x32EB, 0xF8A4]
bits = [i % 3 == 0 for i in range(SIZE)]


def unit_of(registers):
    return ModbusSlaveContext(
        hr=ModbusSequentialDataBlock(0, registers),
        ir=ModbusSequentialDataBlock(0, [200 + i for i in range(SIZE)]),
        co=ModbusSequentialDataBlock(0, list(bits)),
        di=ModbusSequentialDataBlock(0, list(bits)),
        zero_mode=True,
    )


if "--serial" in sys.argv:
    from pymodbus.server import StartSerialServer
    from pymodbus.transaction import ModbusRtuFramer

    units = {1: unit_of(holding), 2: unit_of([(1000 + value) % 65536 for value in holding])}
    StartSerialServer(
        context=ModbusServerContext(slaves=units, single=False),
        framer=ModbusRtuFramer,
        port=sys.argv[2],
        baudrate=115200,
        parity="N",  # a pseudo terminal knows no other
        ignore_missing_slaves=True,
    )

with socket.socket() as probe:
    probe.bind(("127.0.0.1", 0))
    port = probe.getsockname()[1]


def end_with_input():
    sys.stdin.read()
    os._exit(0)


threading.Thread(target=end_with_input, daemon=True).start()
print(port, flush=True)
StartTcpServer(context=ModbusServerContext(slaves=unit_of(holding), single=True), address=("127.0.0.1", port))
