#!/usr/bin/env python3
"""A Pylontech low-voltage battery at the other end of a serial CAN adapter, on python-can and nothing of ours.

battery.py TTY [--soc 54] [--alarm "cell over voltage"] ...

Sends the six frames once a second, and prints each keep-alive of the inverter side as "305 0000000000000000".
The bytes are written by hand from the maker's document "CAN-Bus-protocol-PYLON-low-voltage-V1.3" (2019-03-01):
little-endian, 500 kbit/s, eleven-bit identifiers. Prints "sending" after the first cycle.
"""
import argparse
import signal
import struct
import sys
import time

import can

# 0x359: (byte, bit) of protections (bytes 0 and 1) and alarms (bytes 2 and 3)
ALARMS = {
    "cell over voltage": (0, 1), "cell under voltage": (0, 2), "cell over temperature": (0, 3),
    "cell under temperature": (0, 4), "discharge over current": (0, 7),
    "charge over current": (1, 0), "system error": (1, 3),
    "cell high voltage": (2, 1), "cell low voltage": (2, 2), "cell high temperature": (2, 3),
    "cell low temperature": (2, 4), "discharge high current": (2, 7),
    "charge high current": (3, 0), "internal communication fail": (3, 3),
}
# 0x35C: bit of byte 0
REQUESTS = {"full charge": 3, "force charge 2": 4, "force charge 1": 5}


def frames(a):
    """One cycle: (identifier, bytes)."""
    flags = bytearray(4)
    for alarm in a.alarm:
        byte, bit = ALARMS[alarm]
        flags[byte] |= 1 << bit
    requests = (not a.no_charge) << 7 | (not a.no_discharge) << 6
    for request in a.request:
        requests |= 1 << REQUESTS[request]
    return [
        # protection, protection, alarm, alarm, number of modules, "PN"
        (0x359, bytes(flags) + bytes([a.modules, 0x50, 0x4E])),
        # charge voltage 0.1 V, charge current 0.1 A, discharge current 0.1 A; V1.3 adds the discharge voltage 0.1 V
        (0x351, struct.pack("<Hhh", round(a.cvl * 10), round(a.ccl * 10), round(a.dcl * 10))
         + (struct.pack("<H", round(a.dvl * 10)) if a.dvl is not None else b"")),
        # state of charge %, state of health %
        (0x355, struct.pack("<HH", a.soc, a.soh)),
        # voltage 0.01 V, current 0.1 A (positive while charging), temperature 0.1 degrees Celsius
        (0x356, struct.pack("<hhh", round(a.voltage * 100), round(a.current * 10), round(a.temperature * 10))),
        (0x35C, bytes([requests, 0x00])),
        (0x35E, a.name.encode("ascii").ljust(8)[:8]),
    ]


def arguments():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("tty")
    p.add_argument("--soc", type=int, default=54, help="%%")
    p.add_argument("--soh", type=int, default=98, help="%%")
    p.add_argument("--voltage", type=float, default=50.12, help="V")
    p.add_argument("--current", type=float, default=-12.3, help="A, positive while charging")
    p.add_argument("--temperature", type=float, default=23.4, help="degrees Celsius")
    p.add_argument("--cvl", type=float, default=53.2, help="V")
    p.add_argument("--ccl", type=float, default=74.0, help="A")
    p.add_argument("--dcl", type=float, default=100.0, help="A")
    p.add_argument("--dvl", type=float, help="V; the frame has six bytes without it, as in version 1.2 of the document")
    p.add_argument("--modules", type=int, default=2)
    p.add_argument("--name", default="PYLON")
    p.add_argument("--alarm", action="append", default=[], choices=ALARMS)
    p.add_argument("--request", action="append", default=[], choices=REQUESTS)
    p.add_argument("--no-charge", action="store_true")
    p.add_argument("--no-discharge", action="store_true")
    p.add_argument("--cycles", type=int, help="end after so many cycles (never without it)")
    p.add_argument("--interval", type=float, default=1.0, metavar="S", help="from cycle to cycle")
    return p.parse_args()


def main():
    a = arguments()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    cycle = [can.Message(arbitration_id=i, data=data, is_extended_id=False) for i, data in frames(a)]
    with can.Bus(interface="slcan", channel=a.tty, bitrate=500_000, sleep_after_open=0) as bus:
        due, sent = time.monotonic(), 0
        while a.cycles is None or sent < a.cycles:
            for message in cycle:
                bus.send(message)
            sent += 1
            if sent == 1:
                print("sending", flush=True)
            due += a.interval
            while (left := due - time.monotonic()) > 0:
                # At least python-can's own time-out of 1 ms, so that the end of the second is not a busy loop.
                message = bus.recv(left)
                if message is not None:
                    print(f"{message.arbitration_id:03X} {message.data.hex().upper()}", flush=True)


if __name__ == "__main__":
    main()
