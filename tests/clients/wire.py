#!/usr/bin/env python3
"""Two serial CAN adapters on one CAN bus, without hardware: wire.py PATH PATH

Each PATH becomes a link to a pseudo terminal that answers like a CAN232 (Lawicel CAN232 manual, version 3): what one host
sends with t, T, r or R comes out at the other, if both channels are open at the same bit rate. Two programs that both
speak the host's side of this protocol can thus talk to each other. Prints "ready" when both are there; ends on SIGTERM.
"""
import os
import re
import selectors
import signal
import sys
import tty

FRAME = re.compile(rb"t[0-7][0-9A-Fa-f]{2}([0-8])((?:[0-9A-Fa-f]{2})*)|T[01][0-9A-Fa-f]{7}([0-8])((?:[0-9A-Fa-f]{2})*)"
                   rb"|r[0-7][0-9A-Fa-f]{2}[0-8]|R[01][0-9A-Fa-f]{7}[0-8]")
OK, ERROR = b"\r", b"\a"
LONGEST = len("T1FFFFFFF8") + 2 * 8


class Adapter:
    def __init__(self, path):
        # Our own hold on the terminal keeps it alive while no host has it open.
        self.fd, self.terminal = os.openpty()
        tty.setraw(self.terminal)
        os.set_blocking(self.fd, False)
        os.symlink(os.ttyname(self.terminal), path)
        self.path, self.line, self.rate, self.mode = path, b"", None, None
        self.other = None

    def receive(self):
        for byte in os.read(self.fd, 4096):
            if byte == OK[0]:
                line, self.line = self.line, b""
                self.answer(self.carry_out(line))
            elif len(self.line) <= LONGEST:
                self.line += bytes([byte])

    def answer(self, text):
        try:
            os.write(self.fd, text)
        except BlockingIOError:
            pass        # the host does not read: lost, as in an adapter whose buffer is full

    def carry_out(self, line):
        command, argument = line[:1], line[1:]
        if line == b"":
            return OK
        if command == b"S" and argument in (b"0", b"1", b"2", b"3", b"4", b"5", b"6", b"7", b"8") and not self.mode:
            self.rate = argument
            return OK
        if line in (b"O", b"L") and self.rate and not self.mode:
            self.mode = line
            return OK
        if line == b"C" and self.mode:
            self.mode = None
            return OK
        if line == b"V":
            return b"V1013" + OK
        if line == b"N":
            return b"NBB01" + OK
        if line == b"F" and self.mode:
            return b"F00" + OK
        if command in b"tTrR" and self.mode == b"O" and self.well_formed(line):
            if self.other.mode and self.other.rate == self.rate:
                self.other.answer(line + OK)
            return (b"z" if command in b"tr" else b"Z") + OK
        return ERROR

    @staticmethod
    def well_formed(line):
        match = FRAME.fullmatch(line)
        if not match:
            return False
        for length, data in (match.group(1, 2), match.group(3, 4)):
            if length and len(data) != 2 * int(length):
                return False
        return True


def main():
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    one, two = Adapter(sys.argv[1]), Adapter(sys.argv[2])
    one.other, two.other = two, one
    selector = selectors.DefaultSelector()
    for adapter in (one, two):
        selector.register(adapter.fd, selectors.EVENT_READ, adapter)
    print("ready", flush=True)
    try:
        while True:
            for key, _ in selector.select():
                key.data.receive()
    finally:
        os.unlink(one.path)
        os.unlink(two.path)


if __name__ == "__main__":
    main()
