#!/usr/bin/env python3
"""pymodbus at one end of a line, and nothing of ours.

modbus.py read PLACE RECORD              reads what the record names and compares it
modbus.py functions PLACE UNIT REGISTER tries every function code with a holding register that can be written
modbus.py poll PLACE,PLACE... READ...    reads for ever: each TABLE+FIRST+COUNT+PERIOD in s, 0 for once, of unit 1
modbus.py serve PLACE RECORD             is a device whose registers the record holds; says what is written to it

PLACE is HOST:PORT for Modbus TCP, a terminal for RTU at 9600 8N1, or for serve a link to a terminal that is made for it. A record is TOML: profile, unit, and rows with table,
addr and words: a count with the raw number in `is`, or the words in hexadecimal.
"""
import argparse
import asyncio
import os
import pty
import signal
import sys
import threading
import time
import tomllib
import tty

from pymodbus.client import AsyncModbusTcpClient, ModbusSerialClient, ModbusTcpClient
from pymodbus.server import ModbusSerialServer, ModbusTcpServer
from pymodbus.simulator import DataType, SimData, SimDevice


def host_and_port(place):
    host, _, port = place.rpartition(":")
    return (host, int(port)) if port.isdigit() and host else None


def client(place):
    address = host_and_port(place)
    made = (ModbusTcpClient(address[0], port=address[1], timeout=5) if address
            else ModbusSerialClient(place, baudrate=9600, timeout=5))
    if not made.connect():
        sys.exit(f"{place} cannot be opened")
    return made


def record(path):
    with open(path, "rb") as file:
        return tomllib.load(file)


def read_registers(line, table, addr, count, unit):
    read = line.read_input_registers if table == "input" else line.read_holding_registers
    answer = read(addr, count=count, device_id=unit)
    if answer.isError():
        sys.exit(f"{table} {addr}: {answer}")
    return answer.registers


def read(place, path):
    wanted = record(path)
    low_first = wanted.get("order") == "low word first"
    wrong = []
    with client(place) as line:
        for row in wanted["rows"]:
            words = read_registers(line, row["table"], row["addr"], row["words"], wanted["unit"])
            if low_first:
                words = words[::-1]
            raw = int.from_bytes(b"".join(word.to_bytes(2, "big") for word in words), "big")
            # Negative where a negative number is expected.
            if row["is"] < 0:
                raw -= 1 << (16 * len(words))
            # What is rounded may be rounded the other way.
            if abs(raw - row["is"]) > (abs(row["is"]) > 20):
                wrong.append(f"{row['table']} {row['addr']} is {raw}, not {row['is']}")
    for line in wrong:
        print(line)
    print(f"{len(wanted['rows'])} compared, {len(wrong)} wrong", flush=True)
    return bool(wrong)


def functions(place, unit, register):
    said = []
    with client(place) as line:
        def told(name, answer):
            said.append(f"{name} {answer.exception_code if answer.isError() else 'ok'}")
            return answer

        before = told("3", line.read_holding_registers(register, device_id=unit)).registers[0]
        told("6", line.write_register(register, before - 1, device_id=unit))
        assert line.read_holding_registers(register, device_id=unit).registers == [before - 1]
        told("16", line.write_registers(register, [before - 2], device_id=unit))
        assert line.read_holding_registers(register, device_id=unit).registers == [before - 2]
        told("3 beyond", line.read_holding_registers(65535, device_id=unit))
        told("6 beyond", line.write_register(65535, 1, device_id=unit))
        told("16 beyond", line.write_registers(65534, [1, 2], device_id=unit))
        told("4", line.read_input_registers(65535, device_id=unit))
        told("1", line.read_coils(0, device_id=unit))
        told("2", line.read_discrete_inputs(0, device_id=unit))
        told("5", line.write_coil(0, True, device_id=unit))
        told("15", line.write_coils(0, [True], device_id=unit))
        told("22", line.mask_write_register(address=register, and_mask=0xFF, or_mask=0, device_id=unit))
    print(", ".join(said), flush=True)


async def poll(places, reads):
    """Each read when it is due, by absolute deadlines, on one connection per place."""
    async def one(place):
        host, port = host_and_port(place)
        line = AsyncModbusTcpClient(host, port=port, timeout=5)
        await line.connect()
        due = [[time.monotonic(), *read.split("+")] for read in reads]
        while due:
            next_one = min(due)
            at, table, addr, count, period = next_one
            await asyncio.sleep(max(0, at - time.monotonic()))
            read = line.read_input_registers if table == "input" else line.read_holding_registers
            await read(int(addr), count=int(count), device_id=1)
            next_one[0] += float(period)
            if not float(period):
                due.remove(next_one)

    print("polling", flush=True)
    await asyncio.gather(*map(one, places.split(",")))


def registers_of(rows):
    tables = {"holding": {}, "input": {}}
    for row in rows:
        if isinstance(row.get("words"), str):
            for n, word in enumerate(row["words"].split()):
                tables[row["table"]][row["addr"] + n] = int(word, 16)
    return tables


def blocks(registers, spare):
    """Rows without gaps: up to `spare` registers between two that are known hold 0, as in a device."""
    found = []
    for addr, word in sorted(registers.items()):
        if found and addr - (found[-1][0] + len(found[-1][1])) <= spare:
            found[-1][1].extend([0] * (addr - found[-1][0] - len(found[-1][1])))
            found[-1][1].append(word)
        else:
            found.append((addr, [word]))
    return [SimData(addr, values=words, datatype=DataType.REGISTERS) for addr, words in found]


def cable(link):
    """Two terminals of which each hears the other: one is under the link, the other is returned."""
    (here, its_end), (there, our_end) = pty.openpty(), pty.openpty()
    for end in (here, there, its_end, our_end):
        tty.setraw(end)

    def carry(source, target):
        while data := os.read(source, 256):
            os.write(target, data)

    for ends in ((here, there), (there, here)):
        threading.Thread(target=carry, args=ends, daemon=True).start()
    os.symlink(os.ttyname(its_end), link)
    return os.ttyname(our_end)


async def serve(place, path):
    wanted = record(path)
    tables = registers_of(wanted["rows"])

    def told(is_sent, pdu):
        if not is_sent and pdu.function_code in (6, 16):
            print(f"written {pdu.function_code} {pdu.address} {' '.join(map(str, pdu.registers))}", flush=True)
        return pdu

    # What a profile reads beyond its points is there too.
    # And 16 coils.
    nothing = [SimData(0, values=[0], datatype=DataType.BITS)]
    holding = blocks(tables["holding"] or {0: 0}, 130)
    inputs = blocks(tables["input"] or {0: 0}, 130)
    device = SimDevice(wanted["unit"], simdata=(nothing, nothing, holding, inputs))
    address = host_and_port(place)
    server = (ModbusTcpServer(device, address=address, trace_pdu=told) if address
              else ModbusSerialServer(device, port=cable(place), baudrate=9600, trace_pdu=told))
    await server.serve_forever(background=True)
    if address:
        port = server.transport.sockets[0].getsockname()[1]
        print(f"serving {address[0]}:{port}", flush=True)
    else:
        print(f"serving {place}", flush=True)
    await asyncio.Event().wait()


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("what", choices=["read", "functions", "poll", "serve"])
    p.add_argument("place")
    p.add_argument("rest", nargs="+")
    a = p.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    if a.what == "read":
        sys.exit(read(a.place, a.rest[0]))
    if a.what == "functions":
        functions(a.place, int(a.rest[0]), int(a.rest[1]))
    elif a.what == "poll":
        asyncio.run(poll(a.place, a.rest))
    else:
        asyncio.run(serve(a.place, a.rest[0]))


main()
