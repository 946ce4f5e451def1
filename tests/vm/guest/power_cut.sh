#!/bin/sh
# power_cut.sh prepare: a machine with a release, a battery and two releases to update between.
# power_cut.sh reboot: what is up there without a hand.
# power_cut.sh empty: a machine with nothing but an unpacked release.
# power_cut.sh update|installation POINT: what the last power cut has left; then an update (or a first installation) whose
# power is cut before its action number POINT, or the first one that matches this pattern. Says "END" if there is no such
# action any more.
# Names come from lib.sh; the words of a guest have no blanks.
# shellcheck disable=SC1091,SC2016,SC2086,SC2154,SC2254,SC3013
. /host/tests/vm/guest/lib.sh

trial="--yes --deadline 40 --healthy 1"

prepare() {
    unpack
    another next 0.2.0 && seal next
    # Before every action of an installation: counts them, and cuts the power at the one that is wanted.
    cat >$work/hook <<'HOOK'
#!/bin/sh
[ "$1" = before ] || exit 0
echo "$2" >>/run/actions
shift
point=$(cat /run/point)
# shellcheck disable=SC2254 # a pattern
case "$(wc -l </run/actions) $*" in "$point "* | *" "$point) touch /mnt/cut; sleep infinity ;; esac
HOOK
    chmod +x $work/hook
    hook_trial
}

# The hook is for the judge of an update too.
hook_trial() {
    mkdir -p /etc/systemd/system/busbar-trial.service.d
    printf '[Service]\nEnvironment=INSTALL_HOOK=%s/hook\nReadWritePaths=/run /mnt\n' $work >/etc/systemd/system/busbar-trial.service.d/hook.conf
}

install_first() {
    echo 0 >/run/point
    allow_stand_ins
    cat >/etc/systemd/system/battery.service <<U
[Service]
ExecStart=$work/good/bin/busbar simulator --link /run/battery0
ExecStartPost=/bin/sh -c 'until [ -e /run/battery0 ]; do sleep 0.05; done; chgrp dialout /run/battery0; chmod 660 /run/battery0'
[Install]
WantedBy=multi-user.target
U
    mkdir -p /etc/busbar
    printf '[can]\nport = "/run/battery0"\n[[battery]]\nprotocol = "pylontech_lv"\n' >/etc/busbar/bms-can.garage.toml
    systemctl -q enable --now battery
    $work/good/install.sh $trial && $busbar enable bms-can garage
}

removed() {
    $work/good/install.sh --uninstall --yes || $work/good/install.sh --uninstall --yes 2>&1 | grep "is not installed"
}

# Some release runs, whole, with the battery where it was enabled, and no trial is left over.
one_runs() {
    [ ! -e /opt/busbar/state/before ] && { runs 0.1.0 || runs 0.2.0; } && on_bus com.victronenergy.settings &&
        { [ ! -e /etc/busbar/bms-can.garage.toml ] || on_bus com.victronenergy.battery.bmscan_battery0; }
}
whole() {
    (
        # shellcheck source=/dev/null # the one of the release
        . "$1/service-files/install/release.sh"
        describe "$1" | diff - "$1/manifest" | grep -E '^[<>] (file|link)' && exit 1
        exit 0
    )
}

case $1 in
    prepare)
        prepare
        check "a machine is prepared" install_first
        check "a release runs there" within 40 one_runs ;;
    reboot)
        check "install, reboot: everything is up" within 40 one_runs
        check "  and is what was enabled" sh -c "$busbar list | grep -q '^bms-can garage  running' && $busbar list | grep -q '^settings        running'"
        check "  and nothing had to be started again" test "$(systemctl show -p NRestarts --value busbar-settings busbar-bms-can@garage | sort -u | paste -sd' ')" = " 0" ;;
    empty)
        prepare
        check "a machine is prepared" true ;;
    *)
        echo 0 >/run/point
        if [ -L /opt/busbar/current ]; then
            check "$1, next cut at action $2: after the reboot a release runs" within 60 one_runs
            check "  and is whole" whole /opt/busbar/current
            echo "       $(current), $(sed -n 's/^outcome //p' /opt/busbar/state/last 2>/dev/null || echo no trial yet)"
        else
            check "$1, next cut at action $2: after the reboot nothing of a half installation runs" not pgrep -f /opt/busbar
        fi
        # Each time the same actions, whatever the time before had done already.
        if [ "$1" = installation ]; then
            check "  and what is left can be removed" removed
            hook_trial
            sync
            other=good
        else
            for tree in /opt/busbar/releases/*; do
                [ "$tree" -ef /opt/busbar/current ] || rm -rf "$tree"
            done
            case $(current) in *0.2.0*) other=good ;; *) other=next ;; esac
        fi
        rm -f /run/actions
        echo "$2" >/run/point
        INSTALL_HOOK=$work/hook $work/$other/install.sh $trial >$work/said 2>&1
        echo "END after $(wc -l </run/actions) actions"
        check "the last one runs" within 40 one_runs ;;
esac
