"""The battery's side of an inverter on an interface of the kernel, seen by candump and by raw sockets. In a guest."""

import pathlib
import subprocess
import tempfile

from can_bed import CAN_FRAME, Battery, Bus, Service, eventually, frame, pylontech, raw_socket, run, vcan

BUS = Bus()
BATTERY = "com.victronenergy.battery.bmscan_"
UNIT = "com.victronenergy.multi.bmscan_"
# Pylontech, CAN bus protocol low voltage V1.3: all of them each second.
PYLONTECH = {0x351, 0x355, 0x356, 0x359, 0x35C, 0x35E}
# SMA, FSS-ConnectingBat: nothing else may be on this bus; nothing sooner than 200 ms.
SMA = {0x351, 0x355, 0x356, 0x35A, 0x35E, 0x35F}


class Inverter(Service):
    """A bms-can whose battery is on another interface, and whose inverter is on this one."""

    def __init__(self, interface, profile, follows, bus=BUS):
        folder = tempfile.mkdtemp()
        config = pathlib.Path(folder, "bms-can.toml")
        config.write_text(
            f'[can]\ninterface = "{interface}"\n[inverter]\nprofile = "{profile}"\n'
            f'follow = "{BATTERY}{follows}"\n'
        )
        self.launch(bus, config)


def hears(interface, seconds):
    """What candump sees: for each id the times, in seconds."""
    command = ["timeout", str(seconds), "candump", "-L", f"{interface},0:0"]
    said = subprocess.run(command, capture_output=True, text=True).stdout
    times = {}
    for line in said.splitlines():
        at, _, what = line.split()
        times.setdefault(int(what.split("#")[0], 16), []).append(float(at.strip("()")))
    return times


def gaps(times):
    return [b - a for a, b in zip(times, times[1:])]


def bed(number, profile):
    """A battery on one interface and the inverter's bus on another."""
    ours, theirs = f"vcan{number}", f"vcan{number + 1}"
    vcan(ours)
    vcan(theirs)
    battery, service = Battery(ours, pylontech(54)), Service(BUS, f'interface = "{ours}"')
    eventually("the battery", lambda: BUS.get(BATTERY + ours, "/Soc") == 54)
    inverter = Inverter(theirs, profile, ours)
    eventually("it tells", lambda: BUS.get(UNIT + theirs, "/Told/State") == 4)
    return theirs, battery, service, inverter


def a_pylontech_inverter_hears_six_ids_each_second_and_no_other():
    interface, battery, service, inverter = bed(0, "pylontech_lv")
    limits = raw_socket(interface, [(0x351, 0x7FF)])
    limits.settimeout(10)
    # 53.2 V, 11.6 A, 11.6 A: as the battery on the other interface says.
    _, length, data = CAN_FRAME.unpack(limits.recv(16))
    assert (length, data.hex()[:12]) == (8, "140274007400"), data.hex()
    times = hears(interface, 10)
    assert set(times) == PYLONTECH, [f"{number:X}" for number in times]
    every = [gap for at in times.values() for gap in gaps(at)]
    # One may come late in a busy guest; an inverter of this make waits for ten seconds.
    mean = sum(every) / len(every)
    assert 0.5 <= mean <= 2.5 and max(every) <= 10, (min(every), mean, max(every))
    Battery(interface, [frame(0x305, bytes(8))])
    eventually("its sign of life", lambda: BUS.get(UNIT + interface, "/Told/InverterIsThere") == 1)
    for one in battery, inverter, service:
        one.stop()
    return f"{1000 * min(every):.0f} to {1000 * max(every):.0f} ms"


def a_sunny_island_hears_its_six_ids_every_two_seconds_and_a_second_battery_stays_silent():
    interface, battery, service, inverter = bed(4, "sma_sunny_island")
    first = hears(interface, 5)
    assert set(first) == SMA, [f"{number:X}" for number in first]
    # Once more on the same interface, for another system with a D-Bus of its own.
    elsewhere = Bus()
    reader = Service(elsewhere, 'interface = "vcan4"')
    eventually("the battery there", lambda: elsewhere.get(BATTERY + "vcan4", "/Soc") == 54)
    second = Inverter(interface, "sma_sunny_island", "vcan4", elsewhere)
    eventually("it gives way", lambda: elsewhere.get(UNIT + interface, "/Told/State") == 2)
    second.says("another battery sends on this bus")
    both = hears(interface, 7)
    every = [gap for at in both.values() for gap in gaps(at)]
    assert set(both) == SMA and 0.2 <= min(every), min(every)
    assert len(both[0x351]) <= 4, f"{len(both[0x351])} in 7 s: one battery's"
    assert BUS.get(UNIT + interface, "/Told/State") == 4, "the first one goes on"
    for one in second, reader, inverter, service, battery:
        one.stop()
    return f"{1000 * min(every):.0f} to {1000 * max(every):.0f} ms"


run([a_pylontech_inverter_hears_six_ids_each_second_and_no_other,
     a_sunny_island_hears_its_six_ids_every_two_seconds_and_a_second_battery_stays_silent], deadline=90)
