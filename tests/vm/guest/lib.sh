# shellcheck shell=sh
# For the scripts that checks run in a guest: releases to install, batteries to see, and words about what holds.

busbar=/usr/local/bin/busbar
work=/var/work
mkdir -p $work

# --- words ---

# check WHAT COMMAND...: one line for what holds or not.
check() {
    what=$1
    shift
    if "$@" >$work/said 2>&1; then
        echo "ok     $what"
    else
        echo "FAILED $what: $*"
        sed 's/^/       /' $work/said | tail -30
    fi
}

uptime_s() {
    cut -d. -f1 /proc/uptime
}

# within SECONDS COMMAND...: whether it comes true in time.
within() {
    end=$(($(uptime_s) + $1))
    shift
    until "$@"; do
        [ "$(uptime_s)" -lt $end ] || return 1
        # A guest is slow at starting programs: who asks all the time delays what he waits for.
        sleep 0.3
    done
}

not() {
    ! "$@"
}

# refuses TEXT COMMAND...: whether the command fails and its words hold this text.
refuses() {
    text=$1
    shift
    if "$@" >$work/words 2>&1; then
        cat $work/words
        return 1
    fi
    cat $work/words
    grep -qF -- "$text" $work/words
}

# The whole root file system: names, modes, owners, links, sizes; and contents but for those of packages. Not what lives in
# memory or belongs to the test.
picture() {
    find / -xdev \( -path /proc -o -path /sys -o -path /dev -o -path /run -o -path /tmp -o -path /mnt -o -path /host -o -path /old \
        -o -path $work -o -path /var/log/journal \) -prune -o -type d -printf '%p %m %u:%g\n' -o -printf '%p %y %m %u:%g %s %l\n' | sort
    find /etc /home /opt /root /srv /usr/local /var -xdev \( -path $work -o -path /var/log/journal \) -prune -o -type f \
        -exec sha256sum {} + | sort -k2
}

# --- releases ---

# An unpacked release that works: $work/good/install.sh.
unpack() {
    rm -rf $work/good $work/unpacked
    mkdir $work/unpacked
    tar --no-same-permissions -xzf /host/target/vm/release.tar.gz -C $work/unpacked
    mv $work/unpacked/* $work/good
}

# another NAME VERSION: a copy of the good release under another version; what else differs is done before "seal".
another() {
    rm -rf "${work:?}/$1"
    cp -a $work/good "$work/$1"
    sed -i "s/^version .*/version $2/" "$work/$1/manifest"
}

# bad NAME VERSION WHAT-IT-DOES-WRONG: services/launcher/examples/bad_release.rs.
bad() {
    another "$1" "$2"
    cp /host/target/vm/bad_release "$work/$1/bin/busbar"
    echo "$3" >"$work/$1/wrong"
    seal "$1"
}

# Makes the manifest true.
seal() {
    (
        # shellcheck source=/dev/null # the one of the release
        . "$work/$1/service-files/install/release.sh"
        grep -vE '^(file|link) ' "$work/$1/manifest" >$work/manifest
        describe "$work/$1" >>$work/manifest
        cp $work/manifest "$work/$1/manifest"
    )
}

current() {
    readlink /opt/busbar/current
}

# The units of the services that are enabled.
wanted=/etc/systemd/system/multi-user.target.wants
units() {
    find $wanted -name 'busbar-*.service' ! -name busbar-trial.service -printf '%f\n' | sort
}

# runs VERSION: whether every enabled service runs, from the current release, and that is of this version.
runs() {
    case $(current) in releases/"$1"-*) ;; *) return 1 ;; esac
    for unit in $(units); do
        systemctl is-active --quiet "$unit" || return 1
        pid=$(systemctl show -p MainPID --value "$unit")
        case $(readlink "/proc/$pid/exe") in /opt/busbar/"$(current)"/*) ;; *) return 1 ;; esac
    done
}

# --- batteries ---

# battery NAME: a simulated battery behind the serial adapter /dev/NAME, which looks as one of USB does to the services.
battery() {
    $work/good/bin/busbar simulator --link "/dev/$1" </dev/null >"$work/$1.log" 2>&1 &
    echo $! >"$work/$1.pid"
    within 10 test -e "/dev/$1"
    chgrp dialout "/dev/$1"
    chmod 660 "/dev/$1"
}

unplug() {
    kill "$(cat "$work/$1.pid")"
    within 10 not test -e "/dev/$1"
}

# The services may open serial adapters; these stand-ins are pseudo-terminals.
allow_stand_ins() {
    mkdir -p /etc/systemd/system/busbar-bms-can@.service.d
    printf '[Service]\nDeviceAllow=char-136 rw\n' >/etc/systemd/system/busbar-bms-can@.service.d/stand-ins.conf
}

# on_bus NAME...: whether these are on the system bus.
on_bus() {
    busctl --no-pager --no-legend list | awk -v wanted="$*" '
        $6 ~ /^busbar-/ { ours[$1] = 1 }
        END { n = split(wanted, names, " "); for (i = 1; i <= n; i++) if (!ours[names[i]]) exit 1 }'
}

# "UNIT NAME NUMBER" of everything that services of ours have on the bus.
on_bus_now() {
    busctl --no-pager --no-legend list | awk '$1 ~ /^[a-z]/ && $6 ~ /^busbar-/ { print $6, $1 }' | sort | while read -r unit name; do
        echo "$unit $name $(get "$name" /DeviceInstance 2>/dev/null)"
    done
}

get() { # NAME PATH
    busctl call "$1" "$2" com.victronenergy.BusItem GetValue
}

# One process of each kind, for the battery behind /dev/battery0.
enable_all() {
    $busbar enable bms-can garage --port /dev/battery0 >$work/said 2>&1
    $busbar enable charge-manager >$work/said 2>&1
}
