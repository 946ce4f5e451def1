"""What checks of kernel CAN share, inside the guest: interfaces, peers on raw sockets, the service and its D-Bus.

Everything here is independent of the product: CAN by Python's own sockets and can-utils, D-Bus by busctl.
"""

import fcntl
import json
import os
import pathlib
import pty
import re
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import threading
import time
import traceback
import tty

PROGRAM = os.environ.get("PROGRAM", "/host/target/debug/busbar")
SOON = 20

CAN_FRAME = struct.Struct("=IB3x8s")
EXTENDED, ERROR = 0x80000000, 0x20000000

TIOCSETD, N_SLCAN, N_TTY = 0x5423, 17, 0
SIOCGIFNAME = 0x8910


def sh(command):
    """Runs a shell command that has to work."""
    done = subprocess.run(command, shell=True, capture_output=True, text=True)
    if done.returncode:
        raise AssertionError(f"{command}: {done.stderr.strip()}")
    return done.stdout


def eventually(what, question, deadline=SOON):
    """Waits until the question is answered with something true, and returns that and the seconds it took."""
    start = time.monotonic()
    while True:
        answer = question()
        if answer:
            return answer, time.monotonic() - start
        if time.monotonic() - start > deadline:
            raise AssertionError(f"{what}: not within {deadline} s")
        time.sleep(0.02)


def vcan(name):
    sh(f"ip link add {name} type vcan && ip link set {name} up")


def raw_socket(interface, filters=None, errors=0):
    """A raw CAN socket, everything in it or what the filters (id, mask) say."""
    can = socket.socket(socket.AF_CAN, socket.SOCK_RAW, socket.CAN_RAW)
    if filters is not None:
        packed = b"".join(struct.pack("=II", *one) for one in filters)
        can.setsockopt(socket.SOL_CAN_RAW, socket.CAN_RAW_FILTER, packed)
    if errors:
        can.setsockopt(socket.SOL_CAN_RAW, socket.CAN_RAW_ERR_FILTER, errors)
    can.bind((interface,))
    return can


def frame(number, data):
    return CAN_FRAME.pack(number, len(data), data)


def pylontech(soc, address=0):
    """One cycle of a Pylontech battery at 50 V and rest, by the maker's table (CAN bus protocol low voltage V1.3)."""

    def one(number, text):
        return frame(number + 0x1000 * address | (EXTENDED if address else 0), bytes.fromhex(text))

    return [
        one(0x351, "1402 7400 7400 cc01"),
        one(0x355, f"{soc:02x}00 6400"),
        one(0x356, "8813 0000 d200"),
        one(0x359, "0000 0000 04 50 4e"),
        one(0x35C, "c000"),
        one(0x35E, "50594c4f4e202020"),
    ]


class Battery(threading.Thread):
    """Sends its cycle each second, whether anybody listens or the interface is there."""

    def __init__(self, interface, cycle):
        super().__init__(daemon=True)
        self.interface, self.cycle, self.ended = interface, cycle, threading.Event()
        self.start()

    def run(self):
        can = None
        while not self.ended.wait(1.0 if can else 0.05):
            try:
                can = can or raw_socket(self.interface, [])
                for one in self.cycle:
                    can.send(one)
            except OSError:
                can = None

    def stop(self):
        self.ended.set()
        self.join()


class Bus:
    """A private D-Bus daemon."""

    def __init__(self):
        self.folder = tempfile.mkdtemp()
        self.address = f"unix:path={self.folder}/bus"
        config = pathlib.Path(self.folder, "bus.conf")
        config.write_text(
            f"<busconfig><type>session</type><listen>{self.address}</listen><auth>EXTERNAL</auth>"
            '<policy context="default"><allow own="*"/><allow send_destination="*"/><allow receive_sender="*"/>'
            "</policy></busconfig>"
        )
        command = ["dbus-daemon", f"--config-file={config}", "--nofork"]
        self.daemon = subprocess.Popen(command, stderr=subprocess.DEVNULL)
        eventually("the D-Bus daemon", pathlib.Path(self.folder, "bus").exists)

    def items(self, name):
        """All values of a service by path; empty while it is not there."""
        call = ["busctl", f"--address={self.address}", "--json=short", "call", name, "/"]
        done = subprocess.run([*call, "com.victronenergy.BusItem", "GetItems"], capture_output=True, text=True)
        if done.returncode:
            return {}
        items = json.loads(done.stdout)["data"][0]
        return {path: item["Value"]["data"] for path, item in items.items()}

    def get(self, name, path):
        """One value; None for no value and for no service."""
        value = self.items(name).get(path)
        return None if value == [] else value


class Service:
    """A bms-can with this [can] table and these batteries."""

    def __init__(self, bus, can, battery="", prefix=(), log="info"):
        self.folder = tempfile.mkdtemp()
        config = pathlib.Path(self.folder, "bms-can.toml")
        config.write_text(f"[can]\n{can}\n[[battery]]\nprotocol = \"pylontech_lv\"\n{battery}\n")
        self.launch(bus, config, prefix, log)

    def launch(self, bus, config, prefix=(), log="info"):
        """Starts it with this configuration."""
        self.lines = []
        self.process = subprocess.Popen(
            [*prefix, PROGRAM, "bms-can", "--config", str(config), "--bus", bus.address],
            stderr=subprocess.PIPE,
            text=True,
            env={**os.environ, "BUSBAR_LOG": log},
        )
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self):
        for line in self.process.stderr:
            self.lines.append(line.rstrip())

    def said(self, pattern):
        return next((line for line in self.lines if re.search(pattern, line)), None)

    def says(self, pattern, deadline=SOON):
        try:
            return eventually(pattern, lambda: self.said(pattern), deadline)
        except AssertionError as error:
            raise AssertionError(f"{error}; it said:\n    " + "\n    ".join(self.lines)) from None

    def cpu_s(self):
        """CPU time so far, seconds."""
        return cpu_s(self.process.pid)

    def signal(self, number):
        self.process.send_signal(number)

    def stop(self):
        assert self.process.poll() is None, "it had ended: " + "\n    ".join(self.lines)
        self.process.terminate()
        self.process.wait(60)


def cpu_s(pid):
    """CPU time of a process in seconds, by the kernel's own sum and not by its ticks (clock_getcpuclockid)."""
    return time.clock_gettime(~pid << 3 | 2)


class Adapter:
    """An slcan adapter on a pseudo-terminal, with the kernel's own slcan driver on it: a CAN interface with a controller,
    whose state and errors are ours to tell."""

    def __init__(self, name=None):
        self.ours, self.theirs = pty.openpty()
        for end in self.ours, self.theirs:
            tty.setraw(end)
        fcntl.ioctl(self.theirs, TIOCSETD, struct.pack("i", N_SLCAN))
        self.interface = fcntl.ioctl(self.theirs, SIOCGIFNAME, bytes(16)).split(b"\0")[0].decode()
        self.heard = b""
        # A process of its own: the driver gives its adapter one second to take a command.
        self.reader = subprocess.Popen(["cat"], stdin=self.ours, stdout=subprocess.PIPE, bufsize=0)
        threading.Thread(target=self._read, daemon=True).start()
        if name:
            sh(f"ip link set {self.interface} name {name}")
            self.interface = name

    def _read(self):
        while said := self.reader.stdout.read(4096):
            self.heard += said

    def reads(self, willing):
        """Whether the adapter takes what the driver says."""
        self.reader.send_signal(signal.SIGCONT if willing else signal.SIGSTOP)

    def up(self, bit_rate=500_000):
        """Sets the interface up by hand. The driver gives its adapter one second to take the commands, and this machine
        may be slower."""

        def is_up():
            command = f"ip link set {self.interface} type can bitrate {bit_rate} && ip link set {self.interface} up"
            return subprocess.run(command, shell=True, capture_output=True).returncode == 0

        eventually(f"{self.interface} up", is_up, 30)

    def say(self, text):
        """A line to the driver: t1231AA a frame; sa, sw, sp, sb and two counters of three digits a state; e1a an error."""
        os.write(self.ours, text.encode() + b"\r")

    def frames(self, frames):
        for one in frames:
            number, length, data = CAN_FRAME.unpack(one)
            self.say(f"t{number:03X}{length}{data[:length].hex().upper()}")

    def battery(self, soc):
        """A battery that has told its limits twice, as it takes to be believed."""
        self.frames(pylontech(soc) * 2)

    def unplug(self):
        self.reader.kill()
        fcntl.ioctl(self.theirs, TIOCSETD, struct.pack("i", N_TTY))
        os.close(self.theirs)
        os.close(self.ours)


def run(checks, at_once=True, deadline=150):
    """Runs functions by their names, all at once (they mostly wait) or one after the other (where they look at all
    interfaces). Prints a line for each and the sum, and ends the program."""
    outcomes, threads = {}, []
    end = time.monotonic() + deadline

    def one(check, name):
        start = time.monotonic()
        try:
            figures = check()
        except Exception as error:
            outcomes[name] = False
            print(f"FAILED {name}: {type(error).__name__} {error}", flush=True)
        else:
            outcomes[name] = True
            figures = f" ({figures})" if figures else ""
            print(f"ok     {name}{figures} [{time.monotonic() - start:.1f} s]", flush=True)

    for check in checks:
        name = check.__name__.replace("_", " ")
        threads.append(threading.Thread(target=one, args=(check, name), name=name, daemon=True))
        threads[-1].start()
        if not at_once:
            threads[-1].join(max(0, end - time.monotonic()))
    for thread in threads:
        thread.join(max(0, end - time.monotonic()))
        if thread.is_alive():
            outcomes[thread.name] = False
            stack = "".join(traceback.format_stack(sys._current_frames()[thread.ident]))
            print(f"FAILED {thread.name}: still at it after {deadline} s\n{stack}", flush=True)
    passed = sum(outcomes.values())
    print(f"{passed} passed, {len(outcomes) - passed} failed", flush=True)
    os._exit(int(passed < len(outcomes)))
