#!/usr/bin/env python3
"""An inverter at the other end of a serial CAN adapter, on python-can and nothing of ours.

inverter.py TTY PROFILE [--seconds S] [--mute]

PROFILE is pylontech, sma or growatt. It gives its sign of life (growatt: asks) once a second, reads its battery by the
maker's document, and says what it understands, a line for each change:

  listening
  told 53.2 74.0 100.0                charge voltage, charge current, discharge current
  alarm on | alarm off                system error (0x359 byte 1 bit 3), BMS internal (0x35A byte 2 bits 6 and 7)
  soc 54 98
  measured 50.12 -12.3 23.4
  permits 1 1                         charging, discharging (0x35C)
  name PYLON
  silent                              nothing for three seconds
  switch 1 | switch 2                 sma: it is told to start or to stop (0x35C), and does

After S seconds it ends with a line of JSON: for each identifier how often it came, its lengths, and the shortest,
mean and longest time between two, in milliseconds. What the document forbids is a line "wrong: ..." at once.
"""
import argparse
import json
import signal
import struct
import sys
import time

import can

PYLONTECH = {0x351: (6, 8), 0x355: (4,), 0x356: (6,), 0x359: (7,), 0x35C: (1, 2), 0x35E: (8,)}
# SMA allows nothing else on its bus; 0x351 has eight bytes, and 0x355 six for the fine state of charge.
SMA = {0x351: (8,), 0x355: (6,), 0x356: (6,), 0x35A: (8,), 0x35E: (8,), 0x35F: (8,)}
GROWATT = {0x311: (8,), 0x312: (8,), 0x313: (8,), 0x314: (8,), 0x319: (8,)}


class Inverter:
    def __init__(self, frames):
        self.frames, self.said, self.times, self.lengths, self.on = frames, {}, {}, {}, True

    def say(self, what, text):
        if self.said.get(what) != text:
            self.said[what] = text
            print(text if text == "silent" else f"{what} {text}", flush=True)

    def wrong(self, text):
        print(f"wrong: {text}", flush=True)

    def hear(self, message, at):
        number, data = message.arbitration_id, bytes(message.data)
        if self.frames is SMA and number == 0x35C and not message.is_extended_id:
            if data not in (b"\x01\0\0\0", b"\x02\0\0\0"):
                return self.wrong("a command that is none")
            self.on = data[0] == 1
            return self.say("switch", f"{data[0]}")
        if message.is_extended_id or number not in self.frames:
            return self.wrong(f"{number:X} is not for this bus")
        if len(data) not in self.frames[number]:
            return self.wrong(f"{number:03X} with {len(data)} bytes")
        self.times.setdefault(number, []).append(at)
        self.lengths.setdefault(number, set()).add(len(data))
        self.said.pop("silence", None)
        getattr(self, f"read_{number:03x}", lambda data: None)(data)

    def read_351(self, data):
        volts, charge, discharge = struct.unpack_from("<Hhh", data)
        if volts == 0:
            self.wrong("a charge voltage of 0")
        if charge < 0 or discharge < 0:
            self.wrong("a negative limit")
        self.say("told", f"{volts / 10} {charge / 10} {discharge / 10}")

    def read_311(self, data):
        volts, charge, discharge = struct.unpack_from(">Hhh", data)
        self.say("told", f"{volts / 10} {charge / 10} {discharge / 10}")

    def read_355(self, data):
        soc, soh = struct.unpack_from("<HH", data)
        if soc > 100 or soh > 100:
            self.wrong("more than 100 %")
        if len(data) == 6 and abs(struct.unpack_from("<H", data, 4)[0] / 100 - soc) >= 1:
            self.wrong("two states of charge")
        self.say("soc", f"{soc} {soh}")

    def read_356(self, data):
        volts, amps, celsius = struct.unpack("<hhh", data)
        self.say("measured", f"{volts / 100} {amps / 10} {celsius / 10}")

    def read_359(self, data):
        if data[5:7] != b"PN" or data[4] < 1:
            self.wrong("0x359 without modules or PN")
        self.say("alarm", "on" if data[1] & 0x08 else "off")

    def read_35a(self, data):
        pair = data[2] >> 6
        if pair not in (1, 2):
            self.wrong("the pair of the BMS is neither raised nor cleared")
        if data[7] & 0xFC:
            self.wrong("reserved bits")
        self.say("alarm", "on" if pair == 1 else "off")

    def read_35c(self, data):
        self.say("permits", f"{data[0] >> 7 & 1} {data[0] >> 6 & 1}")

    def read_35e(self, data):
        self.say("name", data.decode("ascii").rstrip(" \0"))

    def summary(self):
        rows = {}
        for number, times in sorted(self.times.items()):
            gaps = [(b - a) * 1000 for a, b in zip(times, times[1:])]
            rows[f"{number:03X}"] = {"count": len(times), "lengths": sorted(self.lengths[number]),
                                     "shortest": min(gaps, default=None),
                                     "mean": sum(gaps) / len(gaps) if gaps else None, "longest": max(gaps, default=None)}
        return rows


def sunny_island(inverter):
    """A cluster of two: 2000 W from the grid, 1100 W to the loads, the rest into the battery; every number a tenth or 100 W."""
    on = inverter.on
    return [
        (0x300, struct.pack("<4h", 12, 8, 0, 0)), (0x301, struct.pack("<4h", -5, -4, 0, 0)),
        (0x304, struct.pack("<3hH", *((1200, 1199, 0, 6001) if on else (0, 0, 0, 0)))),
        # The current is negative while it charges.
        (0x305, struct.pack("<HhhH", 542, -170, 230, 990)),
        # State of health, charging procedure of an external BMS, operating, no error, voltage that it aims at.
        (0x306, struct.pack("<HBBHH", 100, 10, 1, 0, 545)), (0x307, bytes([0, 0, 0xC0, 0, 0, 0, 0, 0])),
        (0x308, struct.pack("<4h", 11, 0, 0, 0)), (0x309, struct.pack("<3hH", 1205, 1201, 0, 6000)),
    ]


# What it expects, and what it sends each second.
CALLS = {
    "pylontech": (PYLONTECH, lambda inverter: [(0x305, bytes(8))]),
    "sma": (SMA, sunny_island),
    "growatt": (GROWATT, lambda inverter: [(0x301, bytes.fromhex("1122334455667788"))]),
}


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("tty")
    p.add_argument("profile", choices=CALLS)
    p.add_argument("--seconds", type=float)
    p.add_argument("--mute", action="store_true", help="gives no sign of life")
    a = p.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    frames, calls = CALLS[a.profile]
    inverter = Inverter(frames)
    with can.Bus(interface="slcan", channel=a.tty, bitrate=500_000, sleep_after_open=0) as bus:
        print("listening", flush=True)
        heard = None
        start = due = time.monotonic()
        while a.seconds is None or time.monotonic() < start + a.seconds:
            if time.monotonic() >= due:
                due += 1
                for number, data in [] if a.mute else calls(inverter):
                    bus.send(can.Message(arbitration_id=number, data=data, is_extended_id=False))
            message = bus.recv(max(0.001, due - time.monotonic()))
            now = time.monotonic()
            if message is not None:
                heard = now
                inverter.hear(message, now)
            elif heard is not None and now > heard + 3:
                heard = None
                inverter.said.clear()
                inverter.say("silence", "silent")
    print(json.dumps(inverter.summary()), flush=True)


if __name__ == "__main__":
    main()
