"""no_interface.py SERVICE PATH METHOD: calls a method with a text in a variant on the system bus, without naming an interface,
which D-Bus allows and its command line tools do not. Prints the name of the error, or "answered"."""
import os
import socket
import struct
import sys


def padded(data, to):
    return data + bytes(-len(data) % to)


def text(value):
    return struct.pack("<I", len(value)) + value.encode() + b"\0"


def field(code, kind, value):
    return struct.pack("<BB", code, len(kind)) + kind.encode() + b"\0" + value


def call(serial, destination, path, member, interface=None, signature="", body=b""):
    fields = [field(1, "o", text(path)), field(3, "s", text(member)), field(6, "s", text(destination))]
    if interface:
        fields.append(field(2, "s", text(interface)))
    if signature:
        fields.append(field(8, "g", struct.pack("<B", len(signature)) + signature.encode() + b"\0"))
    array = b""
    for one in fields:
        array = padded(array, 8) + one
    head = struct.pack("<cBBBIII", b"l", 1, 0, 1, len(body), serial, len(array)) + array
    return padded(head, 8) + body


service, path, method = sys.argv[1:]
bus = socket.socket(socket.AF_UNIX)
bus.connect("/run/dbus/system_bus_socket")
bus.settimeout(60)
bus.sendall(b"\0AUTH EXTERNAL " + str(os.getuid()).encode().hex().encode() + b"\r\nBEGIN\r\n")
daemon = "org.freedesktop.DBus"
bus.sendall(call(1, daemon, "/org/freedesktop/DBus", "Hello", daemon))
bus.sendall(call(2, service, path, method, None, "v", b"\x01s\0\0" + text("x")))
said = b""
while True:
    said += bus.recv(65536)
    # The reply to serial 2: its header field 5.
    if b"\x05\x01u\0" + struct.pack("<I", 2) in said:
        break
print("AccessDenied" if b"AccessDenied" in said else "answered")
sys.exit(b"AccessDenied" in said)
