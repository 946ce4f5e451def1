"""A settings service on a bus of its own, and what it answers, in a form that JSON can hold."""
import asyncio
import math
import os
import shutil
import signal
import subprocess
import tempfile
import time

from dbus_fast import Message, MessageType, Variant
from dbus_fast.aio import MessageBus

NAME = "com.victronenergy.settings"
ITEM = "com.victronenergy.BusItem"
SECONDS = 20

CONFIGURATION = """<!DOCTYPE busconfig PUBLIC "-//freedesktop//DTD D-BUS Bus Configuration 1.0//EN"
 "http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd">
<busconfig><listen>unix:path=%s</listen><auth>EXTERNAL</auth><policy context="default"><allow own="*"/>
<allow send_destination="*" eavesdrop="true"/><allow eavesdrop="true"/></policy></busconfig>"""


def typed(kind, value):
    """[type, value]; dictionaries by sorted key, variants opened."""
    if isinstance(value, Variant):
        return typed(value.type, value.value)
    if kind.token == "a":
        element = kind.children[0]
        if element.token == "{":
            return [kind.signature, {k: typed(element.children[1], v) for k, v in sorted(value.items())}]
        return [kind.signature, [typed(element, v) for v in value]]
    if kind.token == "d" and not math.isfinite(value):
        return [kind.signature, str(value)]
    return [kind.signature, value]


def arguments(message):
    return [typed(kind, value) for kind, value in zip(message.signature_tree.types, message.body)]


class Bus:
    """A private dbus-daemon with one client on it that records the signals of the settings."""

    @classmethod
    async def start(cls):
        bus = cls()
        bus.folder = tempfile.mkdtemp(prefix="settings-")
        path = os.path.join(bus.folder, "bus")
        configuration = os.path.join(bus.folder, "bus.conf")
        with open(configuration, "w") as file:
            file.write(CONFIGURATION % path)
        bus.address = "unix:path=" + path
        bus.daemon = subprocess.Popen(["dbus-daemon", "--config-file=" + configuration, "--nofork", "--print-address"],
                                      stdout=subprocess.PIPE)
        bus.daemon.stdout.readline()
        bus.connection = await MessageBus(bus_address=bus.address).connect()
        bus.signals = []
        bus.connection.add_message_handler(bus.heard)
        await bus.to_daemon("AddMatch", "type='signal',interface='%s'" % ITEM)
        return bus

    def heard(self, message):
        if message.message_type is MessageType.SIGNAL and message.interface == ITEM:
            self.signals.append([message.path, message.member, arguments(message)])

    async def to_daemon(self, member, argument):
        name = "org.freedesktop.DBus"
        reply = await self.connection.call(Message(destination=name, path="/org/freedesktop/DBus", interface=name,
                                                   member=member, signature="s", body=[argument]))
        return reply.body

    async def call(self, path, interface, member, signature="", *body):
        """{"reply": ...} or {"error": name}, and the signals that came before it."""
        message = Message(destination=NAME, path=path, interface=interface, member=member, signature=signature, body=list(body))
        reply = await asyncio.wait_for(self.connection.call(message), SECONDS)
        signals, self.signals = self.signals, []
        result = {"error": reply.error_name} if reply.message_type is MessageType.ERROR else {"reply": arguments(reply)}
        if signals:
            # One call that changes several settings may tell of them in any order.
            result["signals"] = sorted(signals, key=lambda s: s[0])
        return result

    async def has_settings(self):
        return (await self.to_daemon("NameHasOwner", NAME))[0]

    def close(self):
        self.connection.disconnect()
        self.daemon.terminate()
        self.daemon.wait(SECONDS)
        shutil.rmtree(self.folder)


class Settings:
    """The service under test with a folder of its own. `{folder}` in its command is that folder."""

    def __init__(self, bus, command):
        self.bus, self.command, self.process = bus, command, None
        self.folder = tempfile.mkdtemp(prefix="settings-data-", dir=bus.folder)
        self.file = os.path.join(self.folder, "settings.xml")

    async def start(self):
        environment = dict(os.environ, DBUS_SESSION_BUS_ADDRESS=self.bus.address,
                           DBUS_SYSTEM_BUS_ADDRESS=self.bus.address)
        log = os.path.join(self.bus.folder, "log")
        with open(log, "ab") as file:
            self.process = subprocess.Popen([part.replace("{folder}", self.folder) for part in self.command],
                                            env=environment, stdout=file, stderr=file)
        end = time.monotonic() + SECONDS
        while not await self.bus.has_settings():
            if self.process.poll() is not None or time.monotonic() > end:
                with open(log, errors="replace") as file:
                    raise SystemExit("%s did not start:\n%s" % (self.command, file.read()[-2000:]))
            await asyncio.sleep(0.01)

    async def call_as_platform(self, path, member, argument):
        """A call by a program of the name that localsettings trusts: dbus-send under that name."""
        program = os.path.join(self.bus.folder, "venus-platform")
        shutil.copy(shutil.which("dbus-send"), program)
        process = await asyncio.create_subprocess_exec(
            program, "--bus=" + self.bus.address, "--print-reply=literal", "--dest=" + NAME, path, "%s.%s" % (ITEM, member),
            argument, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        printed, _ = await asyncio.wait_for(process.communicate(), SECONDS)
        return {"printed": " ".join(printed.decode().split())}

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        self.process.wait(SECONDS)
        self.process = None

    def kill(self):
        if self.process:
            self.process.kill()
            self.process.wait(SECONDS)
