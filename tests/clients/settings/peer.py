"""A settings service on a bus of its own, and what it answers, in a form that JSON can hold."""
import math
import os
import shutil
import signal
import subprocess
import tempfile
import time

import dbus
import dbus.bus
from dbus.lowlevel import ErrorMessage, HANDLER_RESULT_NOT_YET_HANDLED, MethodCallMessage, SignalMessage
from dbus.mainloop.glib import DBusGMainLoop
from gi.repository import GLib

NAME = "com.victronenergy.settings"
SECONDS = 20

CONFIGURATION = """<!DOCTYPE busconfig PUBLIC "-//freedesktop//DTD D-BUS Bus Configuration 1.0//EN"
 "http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd">
<busconfig><listen>unix:path=%s</listen><auth>EXTERNAL</auth><policy context="default"><allow own="*"/>
<allow send_destination="*" eavesdrop="true"/><allow eavesdrop="true"/></policy></busconfig>"""

TYPES = {dbus.Boolean: "b", dbus.Byte: "y", dbus.Int16: "n", dbus.UInt16: "q", dbus.Int32: "i", dbus.UInt32: "u",
         dbus.Int64: "x", dbus.UInt64: "t", dbus.Double: "d", dbus.String: "s", dbus.ObjectPath: "o"}
PLAIN = {"b": bool, "d": float, "s": str, "o": str}


def typed(value):
    """[type, value]; dictionaries by sorted key."""
    if isinstance(value, dbus.Array):
        return ["a" + str(value.signature), [typed(v) for v in value]]
    if isinstance(value, dbus.Dictionary):
        return ["a{%s}" % value.signature, {str(k): typed(v) for k, v in sorted(value.items())}]
    kind = TYPES[type(value)]
    if kind == "d" and not math.isfinite(value):
        return [kind, str(float(value))]
    return [kind, PLAIN.get(kind, int)(value)]


class Bus:
    """A private dbus-daemon with one client on it that records the signals of the settings."""

    def __init__(self):
        self.folder = tempfile.mkdtemp(prefix="settings-")
        path = os.path.join(self.folder, "bus")
        configuration = os.path.join(self.folder, "bus.conf")
        with open(configuration, "w") as file:
            file.write(CONFIGURATION % path)
        self.address = "unix:path=" + path
        self.daemon = subprocess.Popen(["dbus-daemon", "--config-file=" + configuration, "--nofork", "--print-address"],
                                       stdout=subprocess.PIPE)
        self.daemon.stdout.readline()
        self.connection = dbus.bus.BusConnection(self.address, mainloop=DBusGMainLoop())
        self.connection.set_exit_on_disconnect(False)
        self.signals = []
        self.connection.add_message_filter(self._message)
        self.connection.add_match_string("type='signal',interface='com.victronenergy.BusItem'")

    def _message(self, _connection, message):
        if isinstance(message, SignalMessage) and message.get_interface() == "com.victronenergy.BusItem":
            self.signals.append([message.get_path(), message.get_member(), [typed(a) for a in message.get_args_list()]])
        return HANDLER_RESULT_NOT_YET_HANDLED

    def call(self, path, interface, member, signature="", *args):
        """{"reply": ...} or {"error": name}, and the signals that came before it."""
        message = MethodCallMessage(destination=NAME, path=path, interface=interface, method=member)
        if signature:
            message.append(signature=signature, *args)
        box = []
        self.connection.send_message_with_reply(message, box.append, SECONDS, require_main_loop=True)
        while not box:
            GLib.MainContext.default().iteration(True)
        signals, self.signals = self.signals, []
        if isinstance(box[0], ErrorMessage):
            result = {"error": box[0].get_error_name()}
        else:
            result = {"reply": [typed(a) for a in box[0].get_args_list()]}
        if signals:
            # One call that changes several settings may tell of them in any order.
            result["signals"] = sorted(signals, key=lambda s: s[0])
        return result

    def has_settings(self):
        return self.connection.name_has_owner(NAME)

    def close(self):
        self.connection.close()
        self.daemon.terminate()
        self.daemon.wait(SECONDS)
        shutil.rmtree(self.folder)


class Settings:
    """The service under test with a folder of its own. `{folder}` in its command is that folder."""

    def __init__(self, bus, command):
        self.bus, self.command, self.process = bus, command, None
        self.folder = tempfile.mkdtemp(prefix="settings-data-", dir=bus.folder)
        self.file = os.path.join(self.folder, "settings.xml")

    def start(self):
        environment = dict(os.environ, DBUS_SESSION_BUS_ADDRESS=self.bus.address,
                           DBUS_SYSTEM_BUS_ADDRESS=self.bus.address)
        log = open(os.path.join(self.bus.folder, "log"), "ab")
        self.process = subprocess.Popen([part.replace("{folder}", self.folder) for part in self.command],
                                        env=environment, stdout=log, stderr=log)
        end = time.monotonic() + SECONDS
        while not self.bus.has_settings():
            if self.process.poll() is not None or time.monotonic() > end:
                with open(log.name, errors="replace") as file:
                    raise SystemExit("%s did not start:\n%s" % (self.command, file.read()[-2000:]))
            time.sleep(0.01)

    def call_as_platform(self, path, member, argument):
        """A call by a program of the name that localsettings trusts: dbus-send under that name."""
        program = os.path.join(self.bus.folder, "venus-platform")
        shutil.copy(shutil.which("dbus-send"), program)
        printed = subprocess.run([program, "--bus=" + self.bus.address, "--print-reply=literal", "--dest=" + NAME, path,
                                  "com.victronenergy.BusItem." + member, argument], capture_output=True, text=True, timeout=SECONDS)
        return {"printed": " ".join((printed.stdout + printed.stderr).split())}

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        self.process.wait(SECONDS)
        self.process = None

    def kill(self):
        if self.process:
            self.process.kill()
            self.process.wait(SECONDS)
