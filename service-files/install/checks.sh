# shellcheck shell=sh
# What has to be true before anything is changed.

check_root() {
    [ -z "$dry_run" ] || return 0
    [ "$(id -u)" = 0 ] || refuse "this user is not root" "services, their users and /opt belong to root" "sudo $command_line"
}

check_systemd() {
    [ -d /run/systemd/system ] || refuse "systemd does not run here" "it is what starts and watches the services" \
        "boot this machine with systemd; to try Busbar without it: $0 --demo"
    systemctl is-active --quiet dbus || refuse "the D-Bus system bus does not run" "all services talk through it" \
        "apt-get install dbus, systemctl start dbus, then this command again"
}

# check_free FOLDER BYTES WHAT-FOR: of the file system that the folder is on or will be on.
check_free() {
    place=$1
    while [ ! -d "$place" ]; do place=$(dirname "$place"); done
    [ -n "$dry_run" ] || [ -w "$place" ] || refuse "$place cannot be written" "its file system is mounted read-only" \
        "mount -o remount,rw $(df -P "$place" | awk 'NR == 2 { print $6 }'), then this command again"
    free=$(($(df -Pk "$place" | awk 'NR == 2 { print $4 }') / 1024))
    need=$((($2 + 1048575) / 1048576))
    [ "$free" -ge "$need" ] || refuse "$free MiB are free in $place" "$3 takes $need MiB" \
        "free $((need - free)) MiB (apt-get clean, journalctl --vacuum-size=16M), then this command again"
}

# check_name NAME UNIT: a bus name that one of our units will own belongs to nobody else.
check_name() {
    owner=$(busctl --system --no-pager --no-legend list 2>/dev/null | awk -v name="$1" '$1 == name && $2 != "-" { print $2, $3, $6 }')
    [ -n "$owner" ] || return 0
    # shellcheck disable=SC2086 # pid, program and unit
    set -- "$1" "$2" $owner
    [ "$5" != "$2" ] || return 0
    case $5 in
        *.service) next="systemctl disable --now $5, then this command again" ;;
        *) next="end process $3, then this command again" ;;
    esac
    refuse "the bus name $1 is taken by $4 (process $3)" "two services of one name cannot run" "$next"
}

# One installation at a time; the lock is the kernel's and ends with this process.
check_alone() {
    [ -z "$dry_run" ] && [ -d "$base/state" ] || return 0
    exec 8>"$base/state/lock"
    flock -n 8 || refuse "another installation is running" "two would undo each other's work" "wait for its end"
}

check_no_trial() {
    [ -e "$base/state/trial" ] || return 0
    end=--rollback
    [ -n "$(value from "$base/state/trial")" ] || end=--uninstall
    refuse "$(value to "$base/state/trial") is on trial" "its end decides which release stays" \
        "wait for it (journalctl -fu busbar-trial), or end it: $0 $end"
}
