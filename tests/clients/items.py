#!/usr/bin/env python3
"""The items of services on the bus of DBUS_SESSION_BUS_ADDRESS, through the proxies that dbus-fast makes from introspection.

items.py list                      {"service": ..., "instance": ...} for each service under com.victronenergy
items.py items SERVICE             {"path": ..., "value": ..., "text": ...} for each item, by GetItems
items.py get SERVICE PATH          the same for one item, by GetValue and GetText; null for no value
items.py set SERVICE PATH JSON     {"code": ...}, what SetValue returns
items.py listen SERVICE            "listening", then each changed item, one line a signal: [{"path": ..., ...}, ...]
"""
import asyncio
import json
import os
import signal
import sys

from dbus_fast import Variant
from dbus_fast.aio import MessageBus

ITEM = "com.victronenergy.BusItem"
DAEMON = "org.freedesktop.DBus"
PREFIX = "com.victronenergy."


def plain(value):
    """Any empty array is no value."""
    if isinstance(value, Variant):
        return plain(value.value)
    if isinstance(value, list):
        return [plain(v) for v in value] or None
    if isinstance(value, dict):
        return {k: plain(v) for k, v in value.items()}
    return value


def variant(value):
    if value is None:
        return Variant("ai", [])
    for kind, sign in ((bool, "b"), (int, "i"), (float, "d"), (str, "s")):
        if isinstance(value, kind):
            return Variant(sign, value)
    raise SystemExit(f"{value!r} is nothing that an item holds")


def described(items):
    return [{"path": path, "value": plain(item.get("Value")), "text": plain(item.get("Text"))}
            for path, item in sorted(items.items())]


async def item(bus, service, path):
    introspection = await bus.introspect(service, path)
    return bus.get_proxy_object(service, path, introspection).get_interface(ITEM)


async def names(bus):
    introspection = await bus.introspect(DAEMON, "/org/freedesktop/DBus")
    daemon = bus.get_proxy_object(DAEMON, "/org/freedesktop/DBus", introspection).get_interface(DAEMON)
    return sorted(n for n in await daemon.call_list_names() if n.startswith(PREFIX))


def say(what):
    print(json.dumps(what), flush=True)


async def main(verb, *arguments):
    bus = await MessageBus(bus_address=os.environ["DBUS_SESSION_BUS_ADDRESS"]).connect()
    if verb == "list":
        for name in await names(bus):
            items = await (await item(bus, name, "/")).call_get_items()
            say({"service": name, "instance": plain(items.get("/DeviceInstance", {}).get("Value"))})
    elif verb == "items":
        for entry in described(await (await item(bus, arguments[0], "/")).call_get_items()):
            say(entry)
    elif verb == "get":
        service, path = arguments
        leaf = await item(bus, service, path)
        say({"path": path, "value": plain(await leaf.call_get_value()), "text": await leaf.call_get_text()})
    elif verb == "set":
        service, path, value = arguments
        say({"code": await (await item(bus, service, path)).call_set_value(variant(json.loads(value)))})
    elif verb == "listen":
        root = await item(bus, arguments[0], "/")
        root.on_items_changed(lambda items: say(described(items)))
        # The bus takes the rule in before it answers.
        await names(bus)
        print("listening", flush=True)
        await bus.wait_for_disconnect()
    else:
        sys.exit(__doc__)


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    asyncio.run(main(*sys.argv[1:]))
