#!/usr/bin/python3
"""The load of the example publish_load with Victron's Python library, as its own services use it.

usage: velib_publisher.py VELIB_PYTHON ADDRESS ITEMS CHANGING
Needs Debian's python3-dbus and python3-gi, and a checkout of victronenergy/velib_python.
"""
import os
import sys

sys.path.insert(0, sys.argv[1])
import dbus.bus
from dbus.mainloop.glib import DBusGMainLoop
from gi.repository import GLib
from vedbus import VeDbusService

address, items, changing = sys.argv[2], *map(int, sys.argv[3:5])


def cpu_ns():
    with open('/proc/self/schedstat') as f:
        return int(f.read().split()[0])


def private_kib():
    with open('/proc/self/smaps_rollup') as f:
        return sum(int(line.split()[1]) for line in f if line.startswith('Private_Dirty'))


DBusGMainLoop(set_as_default=True)
bus = dbus.bus.BusConnection(address)
service = VeDbusService('com.victronenergy.battery.bench', bus, register=False)
paths = ['/Bench/Value%d' % n for n in range(items)]
for path in paths:
    service.add_path(path, 0.0, gettextcallback=lambda p, v: '%.2fV' % v)
service.register()
print('ready', flush=True)
loop, start, messages = GLib.MainLoop(), cpu_ns(), 0


def tick(fd, _condition):
    global messages
    if not os.read(fd, 1):
        loop.quit()
        return False
    messages += 1
    with service as s:
        for path in paths[:changing]:
            s[path] = messages * 0.01
    return True


GLib.io_add_watch(0, GLib.IO_IN | GLib.IO_HUP, tick)
loop.run()
print(cpu_ns() - start, messages, private_kib(), flush=True)
