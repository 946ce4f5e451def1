#!/bin/sh
# Four adapters that are found in another order at each start: every battery keeps its name, its number and its values.
# Names come from lib.sh; the words of a guest have no blanks.
# shellcheck disable=SC1091,SC2016,SC2046,SC2086,SC2154,SC2254,SC3013
. /host/tests/vm/guest/lib.sh

unpack
allow_stand_ins
$work/good/install.sh --yes --deadline 60 --healthy 1 >$work/said 2>&1
mkdir -p /dev/serial/by-id /etc/busbar

charge_of() { case $1 in A) echo 30 ;; B) echo 45 ;; C) echo 60 ;; D) echo 75 ;; esac; }
for adapter in A B C D; do
    printf '[[battery]]\nlink = "%s"\n[battery.pack]\nsoc_percent = %s\n' $work/$adapter "$(charge_of $adapter)" >$work/$adapter.toml
done

# plug ADAPTER...: the battery of each behind it, in this order: as udev does it, the number of the terminal is the next free
# one, and the link names the adapter.
plug() {
    for adapter in "$@"; do
        $work/good/bin/busbar simulator --scenario $work/$adapter.toml </dev/null >$work/$adapter.log 2>&1 &
        echo $! >$work/$adapter.pid
        # The next one comes when this one has its number.
        until [ -e $work/$adapter ]; do sleep 0.02; done
    done
    for adapter in "$@"; do
        terminal=$(readlink $work/$adapter)
        terminals="$terminals $terminal"
        ln -sfn "$terminal" /dev/serial/by-id/usb-CAN_$adapter-if00
    done
    chgrp dialout $terminals
    chmod 660 $terminals
    terminals=""
}
unplug_all() {
    rm -f /dev/serial/by-id/*
    kill "$(cat $work/A.pid)" "$(cat $work/B.pid)" "$(cat $work/C.pid)" "$(cat $work/D.pid)"
    wait
}
name_of() { echo "com.victronenergy.battery.bmscan_usb_CAN_$1_if00"; }
# Number and charge in whole percent; the pack is idle for seconds only.
picture_of() {
    busctl call "$(name_of $1)" / com.victronenergy.BusItem GetItems |
        sed -E "s|.*\"/DeviceInstance\" [0-9]+ [^/]*\"Value\" (i [0-9]+).*\"/Soc\" [0-9]+ [^/]*\"Value\" (d [0-9]+).*|$1 \1 \2|"
}
all() { for adapter in A B C D; do picture_of $adapter; done 2>&1; }
all_there() { on_bus "$(name_of A)" "$(name_of B)" "$(name_of C)" "$(name_of D)"; }

plug A B C D
for adapter in A B C D; do
    printf '[can]\nport = "/dev/serial/by-id/usb-CAN_%s-if00"\n[[battery]]\nprotocol = "pylontech_lv"\n' $adapter >/etc/busbar/bms-can.$adapter.toml
    # As "busbar enable" does it.
    ln -s /opt/busbar/current/service-files/systemd/busbar-bms-can@.service $wanted/busbar-bms-can@$adapter.service
done
systemctl daemon-reload
systemctl start $(units)
check "four batteries are on the bus" within 60 all_there
all >$work/first
sed 's/^/       /' $work/first
check "each has its charge" test "$(cut -d' ' -f1,4,5 $work/first | paste -sd' ')" = "A d 30 B d 45 C d 60 D d 75"
check "each has a number of its own" test "$(cut -d' ' -f2,3 $work/first | sort -u | grep -c '^i [0-9]')" = 4

orders="DCBA BADC CDAB ACBD BDCA DBAC CABD ADCB BCDA DACB CBAD ABDC DCAB BACD CDBA ACDB BDAC DBCA CADB ADBC"
wrong=""
for order in $orders; do
    systemctl stop 'busbar-*'
    unplug_all
    plug $(echo $order | sed 's/./& /g')
    systemctl start $(units)
    within 60 all_there || wrong="$wrong $order:missing"
    all >$work/now
    cmp -s $work/first $work/now || wrong="$wrong $order:$(tr '\n' ' ' <$work/now)"
done
check "after twenty restarts in changing order nothing is swapped" test -z "$wrong"
echo "$wrong"
