#!/bin/sh
# Without systemd: the same processes under daemontools.
# Names come from lib.sh; the words of a guest have no blanks.
# shellcheck disable=SC1091,SC2016,SC2086,SC2154,SC2254,SC3013
. /host/tests/vm/guest/lib.sh

unpack
mkdir -p /opt/busbar/releases /opt/busbar/state /etc/service /run/dbus /usr/local/bin
cp -a $work/good /opt/busbar/releases/0.1.0-x
cp $work/good/bin/launcher /opt/busbar/
ln -s releases/0.1.0-x /opt/busbar/current
ln -s /opt/busbar/current/bin/busbar $busbar
# As on Venus OS everybody may own every name.
cat >$work/bus.conf <<'XML'
<busconfig><type>system</type><listen>unix:path=/run/dbus/system_bus_socket</listen><auth>EXTERNAL</auth>
<policy context="default"><allow own="*"/><allow send_destination="*" eavesdrop="true"/><allow eavesdrop="true"/></policy></busconfig>
XML
dbus-daemon --config-file=$work/bus.conf --nofork --nopidfile >$work/dbus.log 2>&1 &
within 10 test -S /run/dbus/system_bus_socket
svscan /etc/service >$work/svscan.log 2>&1 &

settings=com.victronenergy.settings
battery=com.victronenergy.battery.bmscan_battery0
bank=com.victronenergy.battery.busbar
owned() { dbus-send --system --print-reply --dest=org.freedesktop.DBus / org.freedesktop.DBus.NameHasOwner "string:$1" | grep -q "boolean true"; }
all() { owned $settings && owned $battery && owned $bank; }
number() { dbus-send --system --print-reply=literal --dest=$battery /DeviceInstance com.victronenergy.BusItem.GetValue; }
pids() { for name in settings charge-manager bms-can.garage; do svstat /etc/service/busbar-$name | sed -n 's/.*(pid \([0-9]*\)).*/\1/p'; done; }

battery battery0
check "settings are enabled" $busbar enable settings
check "a battery is enabled" $busbar enable bms-can garage --port /dev/battery0
check "a bank is enabled" $busbar enable charge-manager
check "all are on the bus" within 40 all
instance=$(number)
check "list shows them" sh -c "$busbar list | grep -q '^bms-can garage  running' && $busbar list | grep -q '^settings        running'"
check "it is the release that runs" sh -c "readlink /proc/$(pids | head -1)/exe | grep -q /opt/busbar/releases/0.1.0-x/bin/busbar"

back() {
    are_others() {
        for pid in $old; do [ ! -e "/proc/$pid" ] || return 1; done
        all
    }
    start=$(uptime_s)
    check "$1: all are back" within "$2" are_others
    echo "       after $(($(uptime_s) - start)) s"
    check "$1: the number is the same" test "$(number)" = "$instance"
}
old=$(pids)
kill -9 $old
back "kill -9" 20
old=$(pids)
python3 /host/tests/vm/guest/freeze.py $old >$work/frozen 2>&1 &
within 20 grep -q frozen $work/frozen
back "a stuck loop" 40
check "their log says that they hung" sh -c "test \$($busbar logs | grep -c 'the work loop has not come by') = 3"
check "the log is in local time" sh -c "$busbar logs settings -n 1 | grep -qE '^20[0-9]{2}-[0-9]{2}-[0-9]{2} [0-9:.]+ settings: '"
check "a log is followed" sh -c "timeout 5 $busbar logs bms-can garage -n 5 --follow | grep -q 'the battery is on the bus'"
mkdir -p $work/busbar-flood/log
ln -s /opt/busbar/current/service-files/daemontools/log/run $work/busbar-flood/log/run
(cd $work/busbar-flood/log && seq 100000 | ./run)
check "a log has an end" sh -c 'test "$(cat /var/log/busbar-flood/* | wc -c)" -le 125000'

# A wrong configuration is not tried again and again.
printf '[can]\nprt = 1\n' >/etc/busbar/bms-can.garage.toml
svc -t /etc/service/busbar-bms-can.garage
check "a wrong configuration is said once, and waited for" within 20 sh -c "$busbar logs bms-can garage | grep -q 'prt'"
check "  by a process that waits" sh -c "tr '\\0' ' ' < /proc/$(pids | tail -1)/cmdline | grep -q '^sleep 60'"
check "it is disabled" $busbar disable bms-can garage
check "it is gone" within 10 not owned $battery
check "and not listed" sh -c "! $busbar list | grep -q bms-can"
check "nothing supervises it" within 10 not pgrep -fa busbar-bms-can
check "a bundle is written" sh -c "$busbar bundle --yes --output $work/bundle.tar.gz && tar -tzf $work/bundle.tar.gz | grep -q logs/settings.txt"
