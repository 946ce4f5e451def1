# shellcheck shell=sh
# What the system knows of us: users, and links through $base/current, which change with the release in one moment. Before
# the first release is current they point to nothing, and nothing sees them.

units=/etc/systemd/system
wanted=$units/multi-user.target.wants

# "LINK TARGET" for every link that the release in TREE needs.
links_of() { # TREE
    for file in "$1"/service-files/systemd/*.service; do
        echo "$units/${file##*/} $base/current/service-files/systemd/${file##*/}"
    done
    for file in "$1"/service-files/dbus/*.conf; do
        echo "/etc/dbus-1/system.d/${file##*/} $base/current/service-files/dbus/${file##*/}"
    done
    for file in "$1"/service-files/udev/*.rules; do
        echo "/etc/udev/rules.d/${file##*/} $base/current/service-files/udev/${file##*/}"
    done
    echo "/usr/local/share/bash-completion/completions/busbar $base/current/service-files/completions/busbar.bash"
    echo "/usr/local/share/zsh/site-functions/_busbar $base/current/service-files/completions/busbar.zsh"
    echo "/etc/fish/completions/busbar.fish $base/current/service-files/completions/busbar.fish"
    echo "$wanted/busbar-trial.service $base/current/service-files/systemd/busbar-trial.service"
    echo "/usr/local/bin/busbar $base/current/bin/busbar"
}

# Every link of ours on this machine.
our_links() {
    find $units $wanted $units/busbar-*.d /etc/dbus-1/system.d /etc/udev/rules.d /usr/local/bin /usr/local/share/bash-completion/completions \
        /usr/local/share/zsh/site-functions /etc/fish/completions -maxdepth 1 -type l -lname "$base/*" 2>/dev/null
}

install_users_and_links() { # TREE
    run systemd-sysusers "$1"/service-files/sysusers/busbar.conf
    run mkdir -p /etc/busbar
    links_of "$1" | while read -r link target; do
        make_folder "$(dirname "$link")"
        point "$link" "$target"
    done
}

# Folders that were not there before are written down first: they go with us.
make_folder() {
    [ ! -d "$1" ] || return 0
    make_folder "$(dirname "$1")"
    run write_down "$1" "$base/state/folders"
    run mkdir "$1"
}

# In the order in which they were made, so the last ones first.
remove_folders() {
    [ -e "$base/state/folders" ] || return 0
    tac "$base/state/folders" | while read -r folder; do
        [ ! -d "$folder" ] || run rmdir --ignore-fail-on-non-empty "$folder"
    done
}

remove_links() {
    our_links | while read -r link; do
        unlink "$link"
    done
}

# Links to what the current release does not have any more.
remove_dead_links() {
    our_links | while read -r link; do
        [ -e "$link" ] || unlink "$link"
    done
}

# Tells everybody who reads our files that they have changed.
reload_all() {
    run systemctl daemon-reload
    run systemctl reload dbus
    if [ -S /run/udev/control ]; then
        run udevadm control --reload
        run udevadm trigger --subsystem-match=net --subsystem-match=tty --subsystem-match=usb-serial
    fi
}

# The services that are to run, by unit.
enabled_units() {
    for link in $wanted/busbar-*.service; do
        unit=${link##*/}
        case $unit in
            busbar-trial.service | 'busbar-*.service') ;;
            *) echo "$unit" ;;
        esac
    done
}

# The file that a service's process runs.
program_of() { # UNIT
    readlink "/proc/$(systemctl show -p MainPID --value "$1")/exe" || true # nothing if there is no process just now
}

# Whether a service runs the current release. The launcher falls back to the one before where a program cannot be started.
runs_current() { # UNIT
    program=$(program_of "$1")
    case $program in
        "$base/releases/$(pointed current)"/*) ;;
        *) return 1 ;;
    esac
}

# Whether a service is about to be started, and takes the current release by itself: a restart would count as one more start.
is_coming() { # UNIT
    case $(systemctl show -p MainPID -p ActiveState "$1") in
        *MainPID=0*ActiveState=activating* | *ActiveState=activating*MainPID=0*) ;;
        *) return 1 ;;
    esac
}

# Restarts the services that do not run the current release.
restart_others() {
    for unit in $(enabled_units); do
        if ! runs_current "$unit" && ! is_coming "$unit"; then
            run systemctl reset-failed "$unit" || true # fails for a unit that has never failed
            run systemctl restart --no-block "$unit"
        fi
    done
}

# Where the system's user files are kept twice, our names go from both.
remove_users() {
    for user in $(getent passwd | cut -d: -f1 | grep '^busbar-'); do
        run userdel "$user"
    done
    for group in $(getent group | cut -d: -f1 | grep -E '^busbar(-|$)'); do
        run groupdel "$group"
    done
    for copy in passwd- group- shadow- gshadow-; do
        ! grep -qE '^busbar(-|:)' "/etc/$copy" 2>/dev/null || run sed -i -E '/^busbar(-|:)/d' "/etc/$copy"
    done
}
