"""full_bus.py READER SECONDS: a full bus of 4000 frames a second on vcan0, each frame at its own time, and one reader or
none. Prints what was lost. Run by tests/bench/socketcan."""

import itertools
import re
import subprocess
import sys
import time

from can_bed import Bus, Service, eventually, pylontech, raw_socket, vcan

RATE = 4000

reader, seconds = sys.argv[1], float(sys.argv[2])
vcan("vcan0")
bus = service = candump = None
if reader == "candump":
    candump = subprocess.Popen(["candump", "vcan0"], stdout=subprocess.DEVNULL)
elif reader == "bms-can":
    bus = Bus()
    service = Service(bus, 'interface = "vcan0"', log="warn")
if reader != "none":
    eventually("a reader", lambda: "vcan0" in open("/proc/net/can/rcvlist_all").read())

can = raw_socket("vcan0", [])
frames, due = int(RATE * seconds), time.monotonic()
start = due
for _, one in zip(range(frames), itertools.cycle(pylontech(54))):
    now = time.monotonic()
    if now < due:
        time.sleep(due - now)
    # A bus does not catch up on what it has missed.
    due = max(due + 1 / RATE, now - 0.002)
    can.send(one)
lasted = time.monotonic() - start

lost, process = 0, candump
if service:
    time.sleep(0.5)
    name = "com.victronenergy.battery.bmscan_vcan0"
    lost, process = bus.get(name, "/Can/Overflows"), service.process
    assert bus.get(name, "/Soc") == 54
print(f"lost={lost} {frames / lasted:.0f} frames/s", end="")
if process:
    status = open(f"/proc/{process.pid}/status").read()
    switches = int(re.search(r"^voluntary_ctxt_switches:\s*(\d+)", status, re.MULTILINE)[1])
    print(f", {switches / lasted:.0f} wake-ups/s", end="")
    process.terminate()
    process.wait(30)
print()
