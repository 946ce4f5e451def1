"""bms-can on interfaces of the kernel: what no machine without kernel CAN can show. Run by tests/vm/checks/socketcan."""

import signal
import subprocess
import time

from can_bed import (
    ERROR, EXTENDED, Adapter, Battery, Bus, Service, eventually, frame, pylontech, raw_socket, run, sh, vcan,
)

BUS = Bus()
NAME = "com.victronenergy.battery.bmscan_"


def receive_lists(interface):
    """The ids that sockets on an interface wait for, by the kernel's lists; "all" for everything."""
    ids = set()
    for kind in "all", "fil", "sff", "eff":
        with open(f"/proc/net/can/rcvlist_{kind}") as lists:
            for line in lists:
                fields = line.split()
                if fields and fields[0] == interface and len(fields) > 5:
                    ids.add("all" if kind == "all" else int(fields[1], 16))
    return ids


def per_second(can, seconds):
    """How many frames a socket gets in a second, from now on."""
    can.settimeout(0.05)
    while pending(can):
        pass
    start, frames = time.monotonic(), 0
    while (lasted := time.monotonic() - start) < seconds:
        frames += pending(can)
    return frames / lasted


def pending(can):
    try:
        return len(can.recv(16)) == 16
    except TimeoutError:
        return False


# Started first and looked at last: after a minute it listens to its battery alone.
vcan("vcan9")
PATIENT_BATTERY = Battery("vcan9", pylontech(77))
PATIENT = Service(BUS, 'interface = "vcan9"')


def a_battery_on_a_kernel_interface_is_on_the_bus():
    vcan("vcan0")
    battery, service = Battery("vcan0", pylontech(54)), Service(BUS, 'interface = "vcan0"')
    _, seconds = eventually("the battery", lambda: BUS.get(NAME + "vcan0", "/Soc") == 54)
    items = BUS.items(NAME + "vcan0")
    assert items["/Mgmt/Connection"] == "CAN-bus vcan0", items["/Mgmt/Connection"]
    assert items["/Dc/0/Voltage"] == 50.0 and items["/Info/MaxChargeVoltage"] == 53.2
    # vcan has no controller, hence neither a state nor a bit rate, and nothing is wrong with it.
    assert [items[f"/Can/{p}"] for p in ("State", "BitRate", "Load", "Trouble")] == [[], [], [], []]
    assert items["/Can/Overflows"] == 0 and items["/Can/TxDropped"] == 0
    candump = subprocess.run(["candump", "-n", "1", "vcan0,305:7FF"], capture_output=True, text=True, timeout=60)
    assert "305   [8]  00 00 00 00 00 00 00 00" in candump.stdout, candump.stdout
    service.stop()
    battery.stop()
    return f"on the bus after {seconds:.2f} s"


def an_interface_that_goes_down_or_away_is_awaited_at_no_cost_and_used_again():
    vcan("vcan1")
    battery, service = Battery("vcan1", pylontech(60)), Service(BUS, 'interface = "vcan1"')
    name = NAME + "vcan1"
    eventually("the battery", lambda: BUS.get(name, "/Soc") == 60)
    figures = []

    sh("ip link set vcan1 down")
    service.says(r'vcan1 is down: "ip link set vcan1 up"')
    eventually("the state", lambda: BUS.get(name, "/Can/State") == 4)
    eventually("the cure", lambda: BUS.get(name, "/Can/Trouble") == 'vcan1 is down: "ip link set vcan1 up"')
    before = service.cpu_s()
    time.sleep(5)
    cost = (service.cpu_s() - before) / 5
    assert cost < 0.1, f"{cost:.4f} of a CPU while down"
    figures.append(f"down costs {100 * cost:.2f} % CPU")
    sh("ip link set vcan1 up")
    _, seconds = eventually("open again", lambda: service.said(r"vcan1 is open after"))
    figures.append(f"up again after {seconds:.2f} s")
    eventually("no state", lambda: BUS.get(name, "/Can/State") is None)
    eventually("no trouble", lambda: BUS.get(name, "/Can/Trouble") is None)

    sh("ip link del vcan1")
    service.says(r"there is no interface vcan1|vcan1 was unplugged")
    eventually("no adapter", lambda: BUS.get(name, "/Can/State") == 6)
    before = service.cpu_s()
    time.sleep(5)
    cost = (service.cpu_s() - before) / 5
    assert cost < 0.1, f"{cost:.4f} of a CPU while there is none"
    figures.append(f"gone costs {100 * cost:.2f} % CPU")
    opened = sum("is open after" in line for line in service.lines)
    vcan("vcan1")
    _, seconds = eventually("open again", lambda: sum("is open after" in line for line in service.lines) > opened)
    figures.append(f"back after {seconds:.2f} s")
    eventually("connected", lambda: BUS.get(name, "/Connected") == 1 and BUS.get(name, "/Can/State") is None)
    service.stop()
    battery.stop()
    return ", ".join(figures)


def two_services_share_an_interface_and_one_of_them_sends_the_sign_of_life():
    vcan("vcan2")
    batteries = [Battery("vcan2", pylontech(40)), Battery("vcan2", pylontech(41, address=1))]
    listener = raw_socket("vcan2", [(0x305, 0x7FF | EXTENDED)])
    services = [
        Service(BUS, 'interface = "vcan2"', "device_instance = 100"),
        Service(BUS, 'interface = "vcan2"', "address = 1\ndevice_instance = 101"),
    ]
    eventually("one", lambda: BUS.get(NAME + "vcan2", "/Soc") == 40)
    eventually("the other", lambda: BUS.get(NAME + "vcan2_1", "/Soc") == 41)
    eventually("one gives way", lambda: any(s.said("another inverter") for s in services))
    signs = per_second(listener, 5)
    assert 0.3 <= signs <= 1.6, f"{signs:.1f} signs of life each second"
    sender, other = sorted(services, key=lambda s: bool(s.said("another inverter")))
    sender.stop()
    other.says("the other inverter is gone")
    signs = per_second(listener, 4)
    assert 0.3 <= signs <= 1.6, f"{signs:.1f} signs of life each second from the other"
    # An inverter of somebody else's silences it.
    inverter = Battery("vcan2", [frame(0x305, bytes(8))])
    time.sleep(2)
    signs = per_second(listener, 4)
    assert 0.3 <= signs <= 1.6, f"{signs:.1f} signs of life each second with an inverter"
    inverter.stop()
    other.stop()
    for battery in batteries:
        battery.stop()


def frames_that_are_read_too_late_are_counted_and_told():
    vcan("vcan3")
    battery, service = Battery("vcan3", pylontech(50)), Service(BUS, 'interface = "vcan3"')
    name = NAME + "vcan3"
    eventually("the battery", lambda: BUS.get(name, "/Soc") == 50)
    assert BUS.get(name, "/Can/Overflows") == 0
    sender = raw_socket("vcan3", [])
    service.signal(signal.SIGSTOP)
    for _ in range(3000):
        sender.send(frame(0x351, bytes.fromhex("14020000")))
    service.signal(signal.SIGCONT)
    lost, _ = eventually("the loss", lambda: BUS.get(name, "/Can/Overflows"))
    assert 1000 < lost < 3000, lost
    eventually("the cause", lambda: "too busy" in (BUS.get(name, "/Can/Trouble") or ""))
    service.says("frames were lost because this machine was too busy")
    service.says("vcan3 is well again", 60)
    assert BUS.get(name, "/Connected") == 1
    service.stop()
    battery.stop()
    return f"{lost} of 3000 lost while stopped"


def error_frames_become_states_counters_and_words():
    # A virtual interface hands on error frames like any others.
    vcan("vcan4")
    battery, service = Battery("vcan4", pylontech(50)), Service(BUS, 'interface = "vcan4"')
    name = NAME + "vcan4"
    eventually("the battery", lambda: BUS.get(name, "/Soc") == 50)
    controller = raw_socket("vcan4", [])
    controller.send(frame(ERROR | 0x204, bytes([0, 0x10, 0, 0, 0, 0, 3, 130])))
    eventually("error passive", lambda: BUS.get(name, "/Can/State") == 2)
    eventually("the counters", lambda: (BUS.get(name, "/Can/TxErrors"), BUS.get(name, "/Can/RxErrors")) == (3, 130))
    eventually("the bit rate is named", lambda: "bit rate" in (BUS.get(name, "/Can/Trouble") or ""))
    assert "120 ohm" in BUS.get(name, "/Can/Trouble")
    service.says("vcan4: frames arrive broken")
    sh("cansend vcan4 20000040#0000000000000000")
    eventually("bus-off", lambda: BUS.get(name, "/Can/State") == 3)
    service.says("vcan4: the controller has left the bus")
    controller.send(frame(ERROR | 0x304, bytes([0, 0x40, 0, 0, 0, 0, 0, 0])))
    eventually("error active", lambda: BUS.get(name, "/Can/State") == 0)
    eventually("no trouble", lambda: BUS.get(name, "/Can/Trouble") is None, 25)
    service.says("vcan4 is well again", 60)
    assert BUS.get(name, "/Connected") == 1
    service.stop()
    battery.stop()


def the_bit_rate_is_set_only_when_told_and_told_when_it_differs():
    adapter = Adapter()
    interface = adapter.interface
    sh(f"ip link set {interface} type can bitrate 250000")
    told = Service(BUS, f'interface = "{interface}"')
    told.says(rf'{interface} is down: "ip link set {interface} up type can bitrate 500000"')
    adapter.up(250_000)
    told.says(rf"{interface} is open.*, 250000 bit/s")
    told.says(rf"{interface} runs at 250000 bit/s and not at 500000: .*set_bit_rate = true")
    told.stop()

    powerless = "setpriv --bounding-set=-net_admin --inh-caps=-net_admin --".split()
    config = f'interface = "{interface}"\nset_bit_rate = true'
    service = Service(BUS, config, prefix=powerless)
    service.says(rf"{interface} cannot be set up from here: .*CAP_NET_ADMIN.*; by hand: \"ip link set {interface} down")
    assert "bitrate 250000" in sh(f"ip -d link show {interface}")
    service.stop()

    service = Service(BUS, config)
    service.says(rf"{interface} is open.*, 500000 bit/s")
    shown = sh(f"ip -d link show {interface}")
    assert "bitrate 500000" in shown and ",UP" in shown, shown
    eventually("the adapter was told", lambda: b"S6\rO\r" in adapter.heard)
    adapter.battery(33)
    name = NAME + interface
    eventually("the battery", lambda: BUS.get(name, "/Soc") == 33)
    eventually("the bit rate", lambda: (BUS.get(name, "/Can/BitRate"), BUS.get(name, "/Can/State")) == (500_000, 0))
    eventually("the load", lambda: adapter.frames(pylontech(33)) or BUS.get(name, "/Can/Load") is not None, 15)
    service.stop()
    adapter.unplug()


def bus_off_is_told_with_its_cure_or_cured_when_told_to():
    adapter = Adapter()
    interface = adapter.interface
    name = NAME + interface
    adapter.up()
    service = Service(BUS, f'interface = "{interface}"')
    service.says(f"{interface} is open.*, 500000 bit/s")
    adapter.battery(33)
    eventually("the battery", lambda: BUS.get(name, "/Soc") == 33)
    adapter.say("sp130050")
    eventually("error passive", lambda: BUS.get(name, "/Can/State") == 2)
    # The driver's order is receive, send.
    eventually("the counters", lambda: (BUS.get(name, "/Can/TxErrors"), BUS.get(name, "/Can/RxErrors")) == (50, 130))
    adapter.say("sb000000")
    eventually("bus-off", lambda: BUS.get(name, "/Can/State") == 3)
    service.says(rf'bus-off.*it stays so: "ip link set {interface} type can restart"')
    time.sleep(3)
    assert BUS.get(name, "/Can/State") == 3, "nobody has told it to do anything about it"
    service.stop()

    service = Service(BUS, f'interface = "{interface}"\nrestart_bus_off = true')
    service.says(f"{interface} was restarted after bus-off")
    eventually("it is active", lambda: "ERROR-ACTIVE" in sh(f"ip -d link show {interface}"))
    adapter.battery(34)
    eventually("the battery", lambda: BUS.get(name, "/Soc") == 34)
    eventually("error active", lambda: BUS.get(name, "/Can/State") == 0)
    service.stop()
    adapter.unplug()


def a_bus_of_another_bit_rate_is_told_and_not_disturbed():
    adapter = Adapter()
    interface = adapter.interface
    name = NAME + interface
    adapter.up()
    service = Service(BUS, f'interface = "{interface}"')
    service.says(f"{interface} is open")
    eventually("a call into the silence", lambda: b"t305" in adapter.heard or b"t301" in adapter.heard)
    for _ in range(3):
        adapter.say("e2fs")
    service.says(f"{interface}: frames arrive broken: another bit rate")

    def is_left_alone():
        """Whether nothing is sent for four seconds; what was on its way before may come in the first of them."""
        adapter.heard = b""
        end = time.monotonic() + 4
        while time.monotonic() < end:
            adapter.say("e2fs")
            time.sleep(0.1)
        return adapter.heard == b""

    eventually("silence", is_left_alone)
    adapter.battery(33)
    eventually("the battery", lambda: BUS.get(name, "/Soc") == 33)
    eventually("the sign of life", lambda: b"t3058" in adapter.heard)
    service.stop()
    adapter.unplug()


def nobody_takes_our_frames_and_the_process_goes_on():
    adapter = Adapter()
    interface = adapter.interface
    name = NAME + interface
    adapter.up()
    service = Service(BUS, f'interface = "{interface}"')
    service.says(f"{interface} is open")
    adapter.battery(33)
    eventually("the battery", lambda: BUS.get(name, "/Soc") == 33)
    # The adapter takes nothing any more, another program fills the queue.
    adapter.reads(False)
    flood = raw_socket(interface, [])
    try:
        for _ in range(2000):
            flood.send(frame(0x7FF, bytes(8)))
        raise AssertionError("the queue has no end")
    except OSError as error:
        assert error.errno == 105, error  # ENOBUFS
    for soc in 34, 35, 36, 37:
        adapter.frames(pylontech(soc))
        eventually("the battery goes on", lambda soc=soc: BUS.get(name, "/Soc") == soc)
        time.sleep(1)
    dropped, _ = eventually("drops are counted", lambda: BUS.get(name, "/Can/TxDropped"))
    lines = [line for line in service.lines if "send queue is full" in line]
    assert len(lines) == 1, lines
    adapter.reads(True)
    service.says(f"{interface} sends again")
    service.stop()
    adapter.unplug()
    return f"{dropped} dropped, one line"


def an_adapter_that_is_unplugged_is_used_again_when_it_is_back():
    interface = "plugged"
    adapter = Adapter(interface)
    name = NAME + interface
    service = Service(BUS, f'interface = "{interface}"\nset_bit_rate = true')
    service.says(f"{interface} is open.*, 500000 bit/s")
    adapter.battery(33)
    eventually("the battery", lambda: BUS.get(name, "/Soc") == 33)
    adapter.unplug()
    eventually("no adapter", lambda: BUS.get(name, "/Can/State") == 6)
    assert "unplugged" in service.says("was unplugged")[0]
    adapter = Adapter(interface)
    _, seconds = eventually("open again", lambda: service.said(f"{interface} is open after .* s, 500000"))
    adapter.frames(pylontech(34))
    eventually("the battery", lambda: BUS.get(name, "/Soc") == 34)
    service.stop()
    adapter.unplug()
    return f"back after {seconds:.2f} s, bit rate set anew"


def after_a_minute_the_kernel_leaves_out_what_no_battery_sends():
    # The kernel's lists name no process; this interface has one reader.
    eventually("the battery", lambda: BUS.get(NAME + "vcan9", "/Soc") == 77)
    eventually("filters", lambda: receive_lists("vcan9") - {"all"} and "all" not in receive_lists("vcan9"), 110)
    ids = receive_lists("vcan9")
    assert {0x351, 0x355, 0x356, 0x359, 0x305} <= ids and 0x123 not in ids, ids
    sender = raw_socket("vcan9", [])
    before = PATIENT.cpu_s()
    for _ in range(5000):
        sender.send(frame(0x123, bytes(8)))
    cost = PATIENT.cpu_s() - before
    # What inverters send by the same number in another width is not for us either.
    sender.send(frame(EXTENDED | 0x351, bytes(8)))
    PATIENT_BATTERY.stop()
    sh("ip link set vcan9 down")
    PATIENT.says("vcan9 is down")
    sh("ip link set vcan9 up")
    PATIENT.says("vcan9 is open after")
    eventually("filters again", lambda: 0x351 in receive_lists("vcan9"))
    PATIENT.stop()
    return f"{len(ids)} ids; 5000 frames of others cost {1000 * cost:.1f} ms"


run(
    [
        a_battery_on_a_kernel_interface_is_on_the_bus,
        an_interface_that_goes_down_or_away_is_awaited_at_no_cost_and_used_again,
        two_services_share_an_interface_and_one_of_them_sends_the_sign_of_life,
        frames_that_are_read_too_late_are_counted_and_told,
        error_frames_become_states_counters_and_words,
        the_bit_rate_is_set_only_when_told_and_told_when_it_differs,
        bus_off_is_told_with_its_cure_or_cured_when_told_to,
        a_bus_of_another_bit_rate_is_told_and_not_disturbed,
        nobody_takes_our_frames_and_the_process_goes_on,
        an_adapter_that_is_unplugged_is_used_again_when_it_is_back,
        after_a_minute_the_kernel_leaves_out_what_no_battery_sends,
    ]
)
