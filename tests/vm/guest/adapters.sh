#!/bin/sh
# Four adapters that are found in another order at each start: every battery keeps its name, its number and its values.
# Names come from lib.sh; the words of a guest have no blanks.
# shellcheck disable=SC1091,SC2016,SC2086,SC2154,SC2254,SC3013
. /host/tests/vm/guest/lib.sh

unpack
allow_stand_ins
$work/good/install.sh --yes --deadline 60 --healthy 1 >$work/said 2>&1
mkdir -p /dev/serial/by-id /etc/busbar

# The battery with the charge $2 behind the adapter with the serial number $1.
plug() {
    cat >$work/$1.toml <<E
[[battery]]
link = "$work/$1"
[battery.pack]
soc_percent = $2
E
    $work/good/bin/busbar simulator --scenario $work/$1.toml </dev/null >$work/$1.log 2>&1 &
    echo $! >$work/$1.pid
    within 10 test -e $work/$1
    # As udev does it: the number of the terminal is the next free one, the link names the adapter.
    terminal=$(readlink $work/$1)
    chgrp dialout "$terminal"
    chmod 660 "$terminal"
    ln -sfn "$terminal" /dev/serial/by-id/usb-CAN_$1-if00
}
unplug_all() {
    rm -f /dev/serial/by-id/*
    for adapter in A B C D; do
        kill "$(cat $work/$adapter.pid)"
    done
    wait
}
charge_of() { echo "A 30 B 45 C 60 D 75" | tr ' ' '\n' | grep -A1 -x "$1" | tail -1; }
name_of() { echo "com.victronenergy.battery.bmscan_usb_CAN_$1_if00"; }
# Charge to whole percent; the pack is idle for seconds only.
picture_of() { echo "$1 $(get "$(name_of "$1")" /DeviceInstance) $(get "$(name_of "$1")" /Soc | sed 's/\..*//')"; }
all() { for adapter in A B C D; do picture_of $adapter; done 2>&1; }
all_there() { on_bus "$(name_of A)" "$(name_of B)" "$(name_of C)" "$(name_of D)"; }

for adapter in A B C D; do
    plug $adapter "$(charge_of $adapter)"
    printf '[can]\nport = "/dev/serial/by-id/usb-CAN_%s-if00"\n[[battery]]\nprotocol = "pylontech_lv"\n' $adapter >/etc/busbar/bms-can.$adapter.toml
    $busbar enable bms-can $adapter >$work/said 2>&1
done
check "four batteries are on the bus" within 60 all_there
all >$work/first
cat $work/first | sed 's/^/       /'
check "each has a number of its own" test "$(cut -d' ' -f4 $work/first | grep -c .)" = "$(cut -d' ' -f2- $work/first | sort -u | wc -l)"

orders="DCBA BADC CDAB ACBD BDCA DBAC CABD ADCB BCDA DACB CBAD ABDC DCAB BACD CDBA ACDB BDAC DBCA CADB ADBC"
wrong=""
for order in $orders; do
    systemctl stop 'busbar-*'
    unplug_all
    for adapter in $(echo $order | sed 's/./& /g'); do
        plug "$adapter" "$(charge_of "$adapter")"
    done
    systemctl start busbar-settings busbar-bms-can@A busbar-bms-can@B busbar-bms-can@C busbar-bms-can@D
    within 60 all_there || wrong="$wrong $order:missing"
    all >$work/now
    cmp -s $work/first $work/now || wrong="$wrong $order:$(tr '\n' ' ' <$work/now)"
done
check "after twenty restarts in changing order nothing is swapped" test -z "$wrong"
echo "$wrong"
