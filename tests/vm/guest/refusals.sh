#!/bin/sh
# Wrong situations: each gives its sentence with why and what next, and changes nothing.
# Names come from lib.sh; the words of a guest have no blanks.
# shellcheck disable=SC1091,SC2016,SC2086,SC2154,SC2254,SC3013
. /host/tests/vm/guest/lib.sh

unpack
good=$work/good/install.sh
tar -czf $work/good.tar.gz -C $work good

places() { find /etc /opt /usr/local /var -xdev \( -path $work -o -path /var/log/journal \) -prune -o -type d -printf '%p %m %u:%g\n' -o -printf '%p %y %m %u:%g %s %l\n' | sort; }

# refused TEXT COMMAND...
refused() {
    text=$1
    shift
    check "refused: $text" refuses "$text" "$@"
    check "  with what to do next, and nothing is changed" sh -c "grep -q '^  why:  .' $work/words && grep -q '^  next: .' $work/words"
    places >$work/now
    diff $work/places $work/now >$work/difference || echo "FAILED something is changed: $(cat $work/difference)"
}
places >$work/places

refused "this user is not root" runuser -u nobody -- $good --yes
refused 'this system is "arch"' unshare -m sh -c "echo ID=arch > $work/os && mount --bind $work/os /etc/os-release && $good --yes"
refused "this is debian 11" unshare -m sh -c "printf 'ID=debian\nVERSION_ID=11\n' > $work/os && mount --bind $work/os /etc/os-release && $good --yes"
refused "systemd does not run here" unshare -m sh -c "mount -t tmpfs none /run/systemd && $good --yes"
refused "/nowhere.tar.gz is not there" $good --yes --from /nowhere.tar.gz
tar -czf $work/other.tar.gz -C /etc passwd
refused "is no release of Busbar" $good --yes --from $work/other.tar.gz
head -c 100000 $work/good.tar.gz >$work/short.tar.gz
refused "cannot be unpacked" $good --yes --from $work/short.tar.gz
cp $work/good.tar.gz $work/changed.tar.gz
echo "$(sha256sum $work/short.tar.gz | cut -d' ' -f1)  changed.tar.gz" >$work/changed.tar.gz.sha256
refused "is not what changed.tar.gz.sha256 says" $good --yes --from $work/changed.tar.gz
another damaged 0.2.0 && seal damaged && echo >>$work/damaged/install.sh
refused "is damaged" $good --yes --from $work/damaged
another more 0.2.0 && seal more && touch $work/more/bin/unknown
refused "bin/unknown" $good --yes --from $work/more
another other 0.2.0 && sed -i 's/^architecture .*/architecture armhf/' $work/other/manifest && seal other
refused "is for armhf" $good --yes --from $work/other
another broken 0.2.0 && printf '\177ELF nonsense' >$work/broken/bin/busbar && seal broken
refused "does not start on this system" $good --yes --from $work/broken
refused "MiB are free in /opt" unshare -m sh -c "mount -t tmpfs -o size=10M none /opt && $good --yes"
refused "/opt cannot be written" unshare -m sh -c "mount -t tmpfs -o ro none /opt && $good --yes"
refused "there is nobody to ask" sh -c "$good < /dev/null"
refused '"now" is not known' $good --yes now
refused "--from has no value" $good --yes --from
refused "are whole seconds" $good --yes --deadline soon
refused "cannot be within" $good --yes --deadline 20 --healthy 20
refused "is a clone and no release" $good --yes --from /host
refused "this failed: systemd-sysusers" unshare -m sh -c "mount --bind /etc /etc && mount -o remount,bind,ro /etc && $good --yes"
refused "there is no release to go back to" $good --yes --rollback
refused "Busbar is not installed" $good --yes --uninstall

# The name that our settings service will own, owned by another.
cat >/etc/dbus-1/system.d/test.conf <<'XML'
<busconfig><policy user="root"><allow own="com.victronenergy.settings"/></policy></busconfig>
XML
systemctl reload dbus
printf 'folder = "%s/settings"\n' $work >$work/settings.toml
systemd-run -q --unit foreign $work/good/bin/busbar settings --config $work/settings.toml
within 10 sh -c 'busctl --no-legend list | grep -q "^com.victronenergy.settings .*foreign.service"'
places >$work/places
refused "the bus name com.victronenergy.settings is taken by" $good --yes
check "  what to do next names the unit" grep -q "systemctl disable --now foreign.service" $work/words
systemctl stop foreign

check "then it is installed" $good --yes --deadline 60 --healthy 1
places >$work/places
refused "there is no release to go back to" $good --yes --rollback
another next 0.2.0 && seal next
flock /opt/busbar/state/lock $work/next/install.sh --yes >$work/locked 2>&1
check "refused: another installation is running" grep -q "another installation is running" $work/locked
$work/next/install.sh --yes --deadline 60 --healthy 30 >$work/background 2>&1 &
check "an update is on trial" within 40 systemctl is-active -q busbar-trial
check "refused: an update is on trial" refuses "is on trial" $good --yes
check "which can be ended" $good --yes --rollback
check "the old release runs" within 20 runs 0.1.0
check "a service that is none is not enabled" refuses "no service is called" $busbar enable bms can0
check "a user does not enable" refuses "services belong to root" runuser -u nobody -- $busbar enable bms-can can0
