#!/usr/bin/python3
"""The load of the example publish_load with Victron's Python library, as its own services use it.

usage: velib_publisher.py VELIB_PYTHON ADDRESS ITEMS CHANGING PER_SECOND SECONDS
Needs Debian's python3-dbus and python3-gi, and a checkout of victronenergy/velib_python.
"""
import sys

sys.path.insert(0, sys.argv[1])
import dbus.bus
from dbus.mainloop.glib import DBusGMainLoop
from gi.repository import GLib
from vedbus import VeDbusService

address, items, changing, per_second, seconds = sys.argv[2], *map(int, sys.argv[3:7])


def cpu_ns():
    with open('/proc/self/schedstat') as f:
        return int(f.read().split()[0])


def private_kib():
    with open('/proc/self/smaps_rollup') as f:
        return sum(int(line.split()[1]) for line in f if line.startswith('Private_'))


DBusGMainLoop(set_as_default=True)
bus = dbus.bus.BusConnection(address)
service = VeDbusService('com.victronenergy.battery.bench', bus, register=False)
for n in range(items):
    service.add_path('/Bench/Value%d' % n, float(n), gettextcallback=lambda p, v: '%.2fV' % v)
service.register()
print('ready', flush=True)
loop, start, done = GLib.MainLoop(), cpu_ns(), [0]


def tick():
    with service as s:
        for n in range(changing):
            s['/Bench/Value%d' % n] = n + done[0] * 0.01 + 0.01
    done[0] += 1
    if done[0] < per_second * seconds:
        return True
    loop.quit()
    return False


GLib.timeout_add(1000 // per_second, tick)
loop.run()
print(cpu_ns() - start, done[0], private_kib(), flush=True)
