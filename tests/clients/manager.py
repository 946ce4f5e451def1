#!/usr/bin/env python3
"""A manager of a bank with one share, on dbus-fast and nothing of ours: com.victronenergy.battery.busbar.

manager.py FOLLOWER

Publishes the frozen paths for one follower on the bus of DBUS_SESSION_BUS_ADDRESS, and counts /UpdateIndex up each second.
Lines on standard input, each answered by itself: "share VOLTS CHARGE DISCHARGE", "withdraw", "hang" (counts no more), "go".
"""
import asyncio
import os
import sys

from dbus_fast import Variant
from dbus_fast.aio import MessageBus
from dbus_fast.service import ServiceInterface, dbus_method, dbus_signal

NAME = "com.victronenergy.battery.busbar"


class Items(ServiceInterface):
    def __init__(self, values):
        super().__init__("com.victronenergy.BusItem")
        self.values = values

    def listed(self, paths):
        return {p: {"Value": self.values[p], "Text": Variant("s", str(self.values[p].value))} for p in paths}

    @dbus_method()
    def GetItems(self) -> "a{sa{sv}}":
        return self.listed(self.values)

    @dbus_signal()
    def ItemsChanged(self, paths) -> "a{sa{sv}}":
        return self.listed(paths)

    def change(self, values):
        self.values.update(values)
        self.ItemsChanged(list(values))


NOTHING = Variant("ai", [])


def share(volts, charge, discharge):
    values = {"Voltage": volts, "Current": charge}
    row = {f"/Share/0/MaxCharge{key}": Variant("d", value) for key, value in values.items()}
    return row | {"/Share/0/MaxDischargeCurrent": Variant("d", discharge)}


async def main(follower):
    items = Items({
        "/Connected": Variant("i", 1), "/DeviceInstance": Variant("i", 0), "/ProductName": Variant("s", "Test bank"),
        "/UpdateIndex": Variant("i", 0), "/Soc": Variant("d", 61.5), "/Soh": Variant("d", 97.0),
        "/Dc/0/Voltage": Variant("d", 52.75), "/Dc/0/Current": Variant("d", -20.5),
        "/Dc/0/Temperature": Variant("d", 19.5), "/InstalledCapacity": Variant("d", 300.0),
        "/Share/0/Service": Variant("s", follower), **share(54.4, 80.0, 90.0),
    })
    bus = await MessageBus(bus_address=os.environ["DBUS_SESSION_BUS_ADDRESS"]).connect()
    bus.export("/", items)
    await bus.request_name(NAME)
    print("deciding", flush=True)
    reader = asyncio.StreamReader()
    await asyncio.get_running_loop().connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    counts = True

    async def count():
        index = 0
        while True:
            await asyncio.sleep(1)
            if counts:
                index = (index + 1) % 256
                items.change({"/UpdateIndex": Variant("i", index)})

    asyncio.ensure_future(count())
    while line := (await reader.readline()).decode().split():
        match line:
            case ["share", *numbers]:
                items.change({"/Share/0/Service": Variant("s", follower), **share(*map(float, numbers))})
            case ["withdraw"]:
                items.change({"/Share/0/Service": NOTHING})
            case ["hang"]:
                counts = False
            case ["go"]:
                counts = True
        print(*line, flush=True)


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    asyncio.run(main(sys.argv[1]))
