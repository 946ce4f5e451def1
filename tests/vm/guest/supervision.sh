#!/bin/sh
# Services that die, are stopped or hang come back with the same names and numbers. Then policy.sh.
# Names come from lib.sh; the words of a guest have no blanks.
# shellcheck disable=SC1091,SC2016,SC2046,SC2086,SC2154,SC2254,SC3013
. /host/tests/vm/guest/lib.sh

unpack
allow_stand_ins
# One that has an inverter on its busbar, on a bus of its own.
printf '[[battery]]\nlink = "/dev/battery0"\n[battery.hybrid]\nlink = "/dev/inverter0"\nkind = "pylontech"\n' >$work/scenario.toml
$work/good/bin/busbar simulator --scenario $work/scenario.toml </dev/null >$work/simulator.log 2>&1 &
within 10 test -e /dev/inverter0 -a -e /dev/battery0
chgrp dialout /dev/battery0 /dev/inverter0
chmod 660 /dev/battery0 /dev/inverter0
$work/good/install.sh --yes --deadline 60 --healthy 1 >$work/said 2>&1
enable_all
check "the battery of an inverter is enabled" $busbar enable bms-can house --port /dev/inverter0 --inverter pylontech_lv
count=$(units | wc -l)
check "$count services are on the bus" within 30 sh -c ". /host/tests/vm/guest/lib.sh && test \$(on_bus_now | cut -d' ' -f1 | sort -u | wc -l) = $count"
on_bus_now >$work/first
sed 's/^/       /' $work/first
pids() { systemctl show -p MainPID --value $(units) | grep .; }

# back WHAT SECONDS: all are there again, as other processes with the same names and numbers.
back() {
    are_others() {
        for pid in $old; do
            [ ! -e "/proc/$pid" ] || return 1
        done
        on_bus_now >$work/now
        cmp -s $work/first $work/now
    }
    start=$(uptime_s)
    check "$1: all are back with their names and numbers" within "$2" are_others
    echo "       after $(($(uptime_s) - start)) s"
    diff $work/first $work/now
    check "$1: all run" systemctl is-active $(units)
}
# said TEXT: whether every service's log has it.
said() {
    for unit in $(units); do
        journalctl -u "$unit" -o cat | grep -q "$1" || { echo "$unit does not"; return 1; }
    done
}

old=$(pids)
kill -9 $old
back "kill -9" 30

old=$(pids)
kill -STOP $old
back "SIGSTOP" 60
check "SIGSTOP: it was systemd's watchdog" said "Watchdog timeout"

old=$(pids)
python3 /host/tests/vm/guest/freeze.py $old >$work/frozen 2>&1 &
within 20 grep -q frozen $work/frozen
back "a stuck loop" 40
check "a stuck loop: it was their own watchdog" said "the work loop has not come by"

# What the sandbox is worth. Everything is forbidden that is not needed: the figure is the sum of what is left.
systemd-analyze security --no-pager 2>/dev/null | awk '/busbar-/ { print $1, $2 }' >$work/figures
sed 's/^/       /' $work/figures
check "every service is confined" sh -c "test \$(grep -v busbar-trial $work/figures | wc -l) -ge $count && ! awk '\$1 != \"busbar-trial.service\" && \$2 > 1.5' $work/figures | grep ."

. /host/tests/vm/guest/policy.sh
