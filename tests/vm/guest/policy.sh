#!/bin/sh
# Who may do what on the system bus, and what a process can reach. Goes on where supervision.sh has ended, in its guest.
# Names come from lib.sh; the words of a guest have no blanks.
# shellcheck disable=SC1091,SC2016,SC2086,SC2154,SC2254,SC3013
. /host/tests/vm/guest/lib.sh

settings=com.victronenergy.settings
battery=com.victronenergy.battery.bmscan_battery0
useradd -M plain
useradd -M -G busbar member
systemctl reload dbus

as() {
    user=$1
    shift
    runuser -u "$user" -- "$@"
}
# Of an interface of ours, which the services of this release do not have: the answer comes from the service, or from the bus.
ours() { as "$1" busctl call $battery / org.busbar.Bus1 Info 2>&1 | grep -q "$2"; }
may_own() { as "$1" busctl call org.freedesktop.DBus / org.freedesktop.DBus RequestName su "$2" 0; }
set_value() { as "$1" busctl call "$2" "$3" com.victronenergy.BusItem SetValue v s "$4"; }

for user in plain member busbar-settings busbar-bms-can busbar-charge-manager; do
    check "$user reads a value" as $user busctl call $battery /Soc com.victronenergy.BusItem GetText
    check "$user reads all items" as $user busctl call $battery / com.victronenergy.BusItem GetItems
    check "$user reads settings" as $user busctl call $settings /Settings com.victronenergy.BusItem GetValue
    check "$user introspects" as $user busctl introspect $battery /Soc
done
for user in plain busbar-settings busbar-bms-can busbar-charge-manager; do
    check "$user does not write" refuses "Access denied" set_value $user $battery /CustomName x
    check "$user does not write without an interface either" refuses "AccessDenied" as $user python3 /host/tests/vm/guest/no_interface.py $battery /CustomName SetValue
    check "$user does not call org.busbar" ours $user "Access denied"
done
check "plain is told who may write" refuses "members of the group busbar" as plain $busbar set $battery /CustomName x
check "plain writes no setting" refuses "Access denied" set_value plain $settings "/Settings/Devices/bmscan_battery0/CustomName" x
check "plain adds no setting" refuses "Access denied" as plain busctl call $settings /Settings com.victronenergy.Settings AddSettings "aa{sv}" 0
check "bms-can writes its settings" set_value busbar-bms-can $settings "/Settings/Devices/bmscan_battery0/CustomName" Barn
for user in member root; do
    check "$user writes without an interface too" as $user python3 /host/tests/vm/guest/no_interface.py $battery /CustomName SetValue
    check "$user writes" set_value $user $battery /CustomName $user
    check "$user calls org.busbar" ours $user "not org.busbar.Bus1"
done

for name in $settings com.victronenergy.battery.busbar $battery com.victronenergy.battery.bmscan_x com.victronenergy.multi.bmscan_x com.victronenergy.acsystem.bmscan_x com.victronenergy.vebus.bmscan_x com.victronenergy.dcdc.x com.victronenergy.grid.x org.busbar.dcdc_rs485.x org.busbar.inverter_modbus.x org.busbar.Gateway1; do
    for user in plain member busbar-settings busbar-bms-can busbar-charge-manager busbar-dcdc-rs485 busbar-inverter-modbus; do
        case $user-$name in
            busbar-settings-$settings | busbar-bms-can-$battery | busbar-bms-can-com.victronenergy.*.bmscan_x | busbar-charge-manager-com.victronenergy.battery.busbar | \
                busbar-dcdc-rs485-*.battery.bmscan_* | busbar-dcdc-rs485-*.dcdc.x | busbar-dcdc-rs485-*.dcdc_rs485.x | \
                busbar-inverter-modbus-*.multi.* | busbar-inverter-modbus-*.acsystem.* | busbar-inverter-modbus-*.grid.x | busbar-inverter-modbus-*.inverter_modbus.x)
                check "$user may own $name" may_own $user $name ;;
            *) check "$user may not own $name" refuses "Access denied" may_own $user $name ;;
        esac
    done
done

# In the sandbox of a service, by a unit like it.
mkdir -p /run/systemd/system/busbar-bms-can@sandbox.service.d
cat >/run/systemd/system/busbar-bms-can@sandbox.service.d/sh.conf <<'U'
[Service]
Type=oneshot
NoExecPaths=
WatchdogSec=0
ExecStart=
ExecStart=/bin/sh -c '! touch /etc/x && ! touch /opt/busbar/x && ! touch /var/lib/busbar/settings/x && ! cat /etc/shadow && ! ls /root && ! kill -0 1 && test "$(ls /proc | grep -cx "[0-9]*")" -lt 6'
U
systemctl daemon-reload
check "a service cannot write, read secrets or see others" systemctl start busbar-bms-can@sandbox
cat >/run/systemd/system/busbar-bms-can@sandbox.service.d/sh.conf <<'U'
[Service]
Type=oneshot
WatchdogSec=0
ExecStart=
ExecStart=/bin/sh -c true
U
systemctl daemon-reload
check "a service cannot start a program that is none of ours" not systemctl start busbar-bms-can@sandbox
ip link add vcan0 type vcan
check "CAN interfaces have room for a burst" within 20 grep -qx 100 /sys/class/net/vcan0/tx_queue_len
