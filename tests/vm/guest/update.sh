#!/bin/sh
# Updates that must not stay go back by themselves and say so; missing hardware alone is no reason.
# Names come from lib.sh; the words of a guest have no blanks.
# shellcheck disable=SC1091,SC2016,SC2086,SC2154,SC2254,SC3013
. /host/tests/vm/guest/lib.sh

unpack
allow_stand_ins
battery battery0
$work/good/install.sh --yes --deadline 60 --healthy 1 >$work/said 2>&1
enable_all
check "a battery and a bank are on the bus" within 30 on_bus com.victronenergy.battery.bmscan_battery0 com.victronenergy.battery.busbar
first=$(current)

# goes_back NAME TEXT DEADLINE: the update is refused with this text in time, and everything is as before.
goes_back() {
    check "an update whose program $1 is taken back" refuses "was taken back: busbar-" "$work/$1/install.sh" --yes --deadline $3 --healthy 4
    check "  because $2" sh -c "cat $work/words && grep -q '$2' $work/words"
    # From the start of the judge, who looks again every few seconds, to his word.
    began=$(systemctl show -p ExecMainStartTimestamp --timestamp=unix --value busbar-trial | tr -d @)
    took=$(($(stat -c %Y /opt/busbar/state/last) - began))
    check "  within its deadline of $3 s ($took s)" test $took -le $(($3 + 30))
    check "  and the report says so" grep -q "^outcome rolled_back" /opt/busbar/state/last
    check "  the old release is current" test "$(current)" = "$first"
    check "  and runs" within 15 runs 0.1.0
    check "  with the battery" within 20 on_bus com.victronenergy.battery.bmscan_battery0 com.victronenergy.battery.busbar
    check "  and the new one is gone" test "$(ls /opt/busbar/releases)" = "${first#releases/}"
    check "  and no trial" test ! -e /opt/busbar/state/trial -a ! -e /opt/busbar/state/before -a ! -e /opt/busbar/state/attempts
}

bad exits 0.2.1 exits
goes_back exits "was started 3 times" 40
bad stumbles 0.2.2 stumbles
goes_back stumbles "was started 3 times" 40
bad hangs 0.2.3 hangs
goes_back hangs "is activating" 10

# A program that the sandbox does not let start: the launcher falls back to the old one, and that is no success.
another script 0.2.5
printf '#!/bin/sh\necho busbar 0.2.5\n' >$work/script/bin/busbar
seal script
goes_back script "cannot be started from the new release" 20

# One service alone runs and does nothing.
another worse 0.2.6
rm $work/worse/bin/bms-can
cp /host/target/vm/bad_release $work/worse/bin/bms-can
echo idles >$work/worse/wrong
seal worse
goes_back worse "busbar-bms-can@garage.service does not own com.victronenergy.battery.bmscan_battery0" 10

# Hardware may go at any time, and with it who depends on it.
unplug battery0
another without 0.3.0 && seal without
check "an update without the adapter stays" $work/without/install.sh --yes --deadline 30 --healthy 3
check "it runs" runs 0.3.0
battery battery0
check "the adapter is back, and the battery" within 30 on_bus com.victronenergy.battery.bmscan_battery0 com.victronenergy.battery.busbar

# A service that did not run before is no reason either.
printf '[can]\nprt = 1\n' >/etc/busbar/bms-can.wrong.toml
ln -s /opt/busbar/current/service-files/systemd/busbar-bms-can@.service /etc/systemd/system/multi-user.target.wants/busbar-bms-can@wrong.service
systemctl daemon-reload
systemctl start busbar-bms-can@wrong >$work/said 2>&1
check "a wrong configuration is not tried again" sh -c 'test "$(systemctl show -p ExecMainStatus --value busbar-bms-can@wrong)" = 78 && systemctl is-failed -q busbar-bms-can@wrong'
another later 0.4.0 && seal later
check "an update stays although a service was broken before" $work/later/install.sh --yes --deadline 30 --healthy 3
check "it is current" sh -c "readlink /opt/busbar/current | grep -q 0.4.0"

# The person who started it goes away, and then who judges it: the trial goes on.
another alone 0.5.0 && seal alone
setsid $work/alone/install.sh --yes --deadline 30 --healthy 3 >$work/said 2>&1 &
check "an update is on trial" within 90 systemctl is-active -q busbar-trial
kill -9 "$(pgrep -f alone/install.sh | head -1)"
check "who judges it dies" systemctl kill -s KILL busbar-trial
check "an update whose person went away is finished" within 90 grep -qs "^to releases/0.5.0" /opt/busbar/state/last
check "  and good" grep -q "^outcome good" /opt/busbar/state/last
