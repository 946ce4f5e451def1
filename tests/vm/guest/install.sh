#!/bin/sh
# Installing, and going again without a trace.
# Names come from lib.sh; the words of a guest have no blanks.
# shellcheck disable=SC1091,SC2016,SC2086,SC2154,SC2254,SC3013
. /host/tests/vm/guest/lib.sh

# Some keep what they unpack to themselves.
(umask 077 && unpack)
install="$work/good/install.sh --yes --deadline 60 --healthy 2"
# The system keeps the version before each change of its user files; here it is the same.
for file in passwd group shadow gshadow; do cp -p /etc/$file /etc/$file-; done
picture >$work/before

same() { picture >$work/now && diff "$1" $work/now; }

check "a dry run says what it would do" sh -c "$install --dry-run | grep -q 'would run: mv -fT /opt/busbar/current.new /opt/busbar/current'"
check "a dry run changes nothing" same $work/before

check "it is installed" $install
unpack
check "settings run at once" on_bus com.victronenergy.settings
check "the command is there" $busbar --version

allow_stand_ins
battery battery0
check "a battery is enabled" $busbar enable bms-can garage --port /dev/battery0
check "the battery is on the bus" within 20 on_bus com.victronenergy.battery.bmscan_battery0
echo "# mine" >>/etc/busbar/bms-can.garage.toml
sha256sum /etc/busbar/bms-can.garage.toml >$work/mine
check "it is enabled again without a change of its file" $busbar enable bms-can garage
check "options do not change a file that is there" refuses "is not changed" $busbar enable bms-can garage --port /dev/x
check "the file is as the user left it" sha256sum -c $work/mine

picture >$work/installed
check "install twice is install once" $install
check "nothing differs after the second time" same $work/installed

another next 0.2.0 && seal next
check "an update stays" $work/next/install.sh --yes --deadline 60 --healthy 2
check "the update runs" runs 0.2.0
check "the battery is back" within 20 on_bus com.victronenergy.battery.bmscan_battery0
check "two releases are kept" test "$(find /opt/busbar/releases -mindepth 1 -maxdepth 1 | wc -l)" = 2
check "the user goes back" /opt/busbar/current/install.sh --rollback --yes
check "the old release runs" within 20 runs 0.1.0
check "the user goes forth again" /opt/busbar/current/install.sh --rollback --yes
check "the new release runs" within 20 runs 0.2.0
check "the file is still as the user left it" sha256sum -c $work/mine

check "a configuration with a mistake is not enabled" sh -c 'printf "[can]\nprt = 1\n" > /etc/busbar/bms-can.x.toml; ! busbar enable bms-can x'
rm -f /etc/busbar/bms-can.x.toml
check "list shows what is enabled" sh -c 'busbar list | grep -q "^bms-can garage  running"'
check "logs are shown" sh -c 'busbar logs bms-can garage | grep -q "the battery is on the bus"'
check "the battery is on the bus with this release" within 20 on_bus com.victronenergy.battery.bmscan_battery0
check "a bundle is not written unasked" refuses "there is nobody to ask" $busbar bundle
check "a bundle is written" $busbar bundle --yes --output $work/bundle.tar.gz
check "the bundle holds the items of the battery" sh -c "tar -xOzf $work/bundle.tar.gz --wildcards '*/items/com.victronenergy.battery*' | grep -q '^/Soc  Real'"

check "the bundle holds what became of updates" sh -c "tar -xOzf $work/bundle.tar.gz --wildcards '*/logs/updates.txt' | grep -q 'busbar-trial'"

check "uninstall keeps settings if told to" /opt/busbar/current/install.sh --uninstall --keep-settings --yes
check "the file is there" sha256sum -c $work/mine
check "the settings are there" test -e /var/lib/busbar/settings/settings.xml
check "nothing of ours runs" not pgrep -f /opt/busbar
check "it is installed again" $install
check "settings of before are used" within 20 on_bus com.victronenergy.settings
check "uninstall" /opt/busbar/current/install.sh --uninstall --yes
check "a diff against before is empty" same $work/before
check "nothing is left in memory either" test ! -e /run/busbar
check "nothing of ours is known to systemd" test -z "$(systemctl list-units --all --no-legend 'busbar-*' && systemctl list-unit-files --no-legend 'busbar-*')"
