#!/bin/sh
# Services that die, are stopped or hang come back with the same names and numbers.
# Names come from lib.sh; the words of a guest have no blanks.
# shellcheck disable=SC1091,SC2016,SC2086,SC2154,SC2254,SC3013
. /host/tests/vm/guest/lib.sh

unpack
allow_stand_ins
battery battery0
$work/good/install.sh --yes --deadline 60 --healthy 1 >$work/said 2>&1
$busbar enable bms-can garage --port /dev/battery0 >$work/said 2>&1
settings=com.victronenergy.settings
battery=com.victronenergy.battery.bmscan_battery0
check "both services are on the bus" within 20 on_bus $settings $battery
instance=$(get $battery /DeviceInstance)
units="busbar-settings busbar-bms-can@garage"
pids() { systemctl show -p MainPID --value $units; }

# back WHAT SECONDS: both are there again, as other processes under the same names.
back() {
    are_others() {
        for pid in $old; do
            [ ! -e "/proc/$pid" ] || return 1
        done
        on_bus $settings $battery
    }
    start=$(uptime_s)
    check "$1: both are back" within "$2" are_others
    echo "       after $(($(uptime_s) - start)) s"
    check "$1: the number is the same" test "$(get $battery /DeviceInstance)" = "$instance"
    check "$1: both run" sh -c "systemctl is-active $units"
}

old=$(pids)
kill -9 $old
back "kill -9" 20

old=$(pids)
kill -STOP $old
back "SIGSTOP" 60
check "SIGSTOP: it was systemd's watchdog" sh -c 'journalctl -u "busbar-*" -o cat | grep -c "Watchdog timeout" | grep -q 2'

old=$(pids)
python3 /host/tests/vm/guest/freeze.py $old >$work/frozen 2>&1 &
within 5 grep -q frozen $work/frozen
back "a stuck loop" 40
check "a stuck loop: it was their own watchdog" sh -c 'journalctl -u "busbar-*" -o cat | grep -c "work loop" | grep -q 2'

# What the sandbox is worth, for the record.
systemd-analyze security --no-pager 2>/dev/null | grep busbar- | sed 's/^/       /'
