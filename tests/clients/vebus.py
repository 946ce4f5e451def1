#!/usr/bin/env python3
"""A real Multi as far as its name goes, on dbus-fast and nothing of ours.

vebus.py NAME [--mute]    takes NAME on the bus of DBUS_SESSION_BUS_ADDRESS; --mute answers no call
"""
import asyncio
import os
import sys

from dbus_fast import Variant
from dbus_fast.aio import MessageBus
from dbus_fast.service import ServiceInterface, dbus_method


class Items(ServiceInterface):
    def __init__(self):
        super().__init__("com.victronenergy.BusItem")

    @dbus_method()
    def GetItems(self) -> "a{sa{sv}}":
        values = {"/Connected": 1, "/DeviceInstance": 276}
        return {p: {"Value": Variant("i", v), "Text": Variant("s", str(v))} for p, v in values.items()}


async def main(name, mute):
    bus = await MessageBus(bus_address=os.environ["DBUS_SESSION_BUS_ADDRESS"]).connect()
    if not mute:
        bus.export("/", Items())
    await bus.request_name(name)
    print("there", flush=True)
    await asyncio.get_running_loop().create_future()


if __name__ == "__main__":
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    asyncio.run(main(sys.argv[1], "--mute" in sys.argv[2:]))
