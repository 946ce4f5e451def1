"""busbar sniff on interfaces of the kernel. Run by tests/vm/checks/sniff."""

import fcntl
import os
import pty
import re
import struct
import subprocess
import termios
import threading

from can_bed import ERROR, PROGRAM, Battery, Bus, Service, eventually, frame, pylontech, raw_socket, run, sh, vcan

BUS = Bus()


class Sniff:
    """A sniff whose frames come as lines."""

    def __init__(self, *arguments):
        self.process = subprocess.Popen(
            [PROGRAM, "sniff", *arguments], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
        )
        self.lines = []
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self):
        for line in self.process.stdout:
            self.lines.append(line.rstrip())

    def says(self, part):
        return eventually(part, lambda: next((line for line in self.lines if part in line), None))[0]

    def end(self):
        self.process.terminate()
        code = self.process.wait(30)
        assert code == 0, f"exit code {code}: {self.lines[-1:]}"


class Screen:
    """A sniff on a terminal."""

    def __init__(self, *arguments):
        self.pid, self.terminal = pty.fork()
        if self.pid == 0:
            os.execv(PROGRAM, [PROGRAM, "sniff", *arguments])
        fcntl.ioctl(self.terminal, termios.TIOCSWINSZ, struct.pack("HHHH", 30, 200, 0, 0))
        self.text = ""
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self):
        while True:
            try:
                self.text += re.sub(r"\x1b\[[0-9;]*m", "", os.read(self.terminal, 65536).decode(errors="replace"))
            except OSError:
                return

    def shows(self, part):
        # The last picture may be half there.
        eventually(part, lambda: any(part in picture for picture in self.text.split("\x1b[H")[-2:]))

    def end(self):
        os.write(self.terminal, b"q")
        _, status = os.waitpid(self.pid, 0)
        assert status == 0, f"status {status}"


def refused(*arguments):
    done = subprocess.run([PROGRAM, "sniff", *arguments], capture_output=True, text=True, timeout=60)
    assert done.returncode == 1, f"exit code {done.returncode}"
    return done.stderr


def what_is_not_there_or_down_is_said_with_the_cure():
    assert "there is no CAN interface" in refused()
    sh("ip link add vcan0 type vcan")
    assert 'vcan0 is down: "ip link set vcan0 up"' in refused("vcan0")
    assert "there is no can7; there are vcan0" in refused("can7")


def the_only_interface_need_not_be_named_and_is_shared_with_its_service():
    sh("ip link set vcan0 up")
    battery, service = Battery("vcan0", pylontech(54)), Service(BUS, 'interface = "vcan0"')
    eventually("the battery", lambda: BUS.get("com.victronenergy.battery.bmscan_vcan0", "/Soc") == 54)
    sniff = Sniff()
    sniff.says("pylontech_lv (Pylontech low voltage)")
    sniff.says("soc_pct 54")
    sniff.says("inverter_alive")
    assert BUS.get("com.victronenergy.battery.bmscan_vcan0", "/Connected") == 1
    sniff.end()
    service.stop()
    battery.stop()


def listeners(interface):
    """How many sockets listen to an interface, by the kernel's lists."""
    lists = sh("cat /proc/net/can/rcvlist_all /proc/net/can/rcvlist_fil /proc/net/can/rcvlist_sff")
    return sum(line.split()[:1] == [interface] for line in lists.splitlines())


def what_is_recorded_is_what_candump_records():
    vcan("vcan1")
    sent = [frame(0x100 + n % 0x600, bytes([n % 256] * (n % 9))) for n in range(2000)]
    sniff = Sniff("vcan1", "--record", "/tmp/sniff.log")
    with open("/tmp/candump.log", "w") as log:
        # Its queue holds everything: it need not keep up.
        candump = subprocess.Popen(["candump", "-r", "8000000", "-L", "-n", str(len(sent)), "vcan1"], stdout=log)
    eventually("both listen", lambda: listeners("vcan1") == 2)
    can = raw_socket("vcan1", [])
    for n, one in enumerate(sent, 1):
        can.send(one)
        if n % 100 == 0:
            eventually("kept up", lambda: sum("  vcan1  " in line for line in sniff.lines) == n)
    sniff.end()
    candump.wait(60)
    ours, theirs = (
        [line.split()[1:] for line in open(name)] for name in ("/tmp/sniff.log", "/tmp/candump.log")
    )
    odd = [pair for pair in zip(ours, theirs) if pair[0] != pair[1]]
    assert not odd and len(ours) == len(theirs), f"{len(ours)} and {len(theirs)} frames, {odd[:3]}"
    return f"{len(ours)} frames"


def the_state_of_the_controller_and_its_counters_are_shown():
    vcan("vcan2")
    screen = Screen("vcan2")
    screen.shows("vcan2  500 kbit/s assumed")
    controller = raw_socket("vcan2", [])
    controller.send(frame(ERROR | 0x204, bytes([0, 0x10, 0, 0, 0, 0, 3, 130])))
    screen.shows("error passive  receive errors 130  send errors 3")
    screen.shows("bit rate")
    sh("ip link set vcan2 down")
    screen.shows("waiting for vcan2")
    sh("ip link set vcan2 up")
    sh("cansend vcan2 123#0102")
    eventually("open again", lambda: sh("cansend vcan2 123#0102") == "" and "0x123" in screen.text)
    screen.end()


run(
    [
        what_is_not_there_or_down_is_said_with_the_cure,
        the_only_interface_need_not_be_named_and_is_shared_with_its_service,
        what_is_recorded_is_what_candump_records,
        the_state_of_the_controller_and_its_counters_are_shown,
    ],
    at_once=False,
    deadline=90,
)
