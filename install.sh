#!/bin/sh
# install.sh [--dry-run] [--yes] VERB [ARGUMENT...]
#
#   --from ARCHIVE|DIRECTORY      install or update from a packed release; in an unpacked one this is the default. The new
#                                 release stays if all services are as well as before, otherwise the old one comes back
#   --rollback                    go back to the release before
#   --uninstall [--keep-settings] remove everything; or everything but /etc/busbar and /var/lib/busbar
#   --demo                        watch a simulated battery live on a private D-Bus; in a clone, after installing what is
#                                 missing and building. Arguments that this script does not know go to the demo: --for 20s
#   --build-tools                 install what building needs, and stop
#
#   --deadline S, --healthy S     how long the services have to become healthy (180), and must then stay so (60)
#   --dry-run                     say what would be done, and do nothing
#   --yes                         ask nothing
#   --help                        this text
#
# Examples:
#   sudo ./install.sh                                    in an unpacked release: install it, or update to it
#   sudo ./install.sh --from busbar-0.2.0-arm64.tar.gz   the same from an archive, with its .sha256 beside it if it is there
#   ./install.sh --dry-run                               what would be done
#   sudo /opt/busbar/current/install.sh --rollback       the installed one has the same verbs
#   sudo /opt/busbar/current/install.sh --uninstall --keep-settings
#   ./install.sh --demo --for 20s                        nothing is installed as a service
#
# For Debian 12 or newer and Raspberry Pi OS. A release goes to /opt/busbar and is reached by links in /etc/systemd/system,
# /etc/dbus-1/system.d, /etc/udev/rules.d and /usr/local/bin; configuration is in /etc/busbar and is never changed by this
# script. Building takes packages of the distribution, named before they are installed, and libraries of the Rust registry into
# cargo's cache; what is built stays in this folder. Nothing else is fetched from anywhere.
set -eu
called_from=$PWD
command_line="$0${*:+ $*}"
cd "$(dirname "$0")"
here=$PWD

# Where releases are installed.
base=/opt/busbar
deadline=180
healthy=60

dry_run=""
yes=""
updated=""
doing=""
was_explained=""
cleans=""
apt_install="env DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends"

# --- saying and doing ---

# refuse WHAT WHY NEXT: every refusal has these three.
refuse() {
    was_explained=1
    printf 'install.sh: %s\n  why:  %s\n  next: %s\n' "$1" "$2" "$3" >&2
    exit 1
}

# Every action goes through here, so that --dry-run shows exactly what would run. The hook is for the tests: it is called
# before and behind each action.
run() {
    if [ -n "$dry_run" ]; then
        echo "would run: $*"
        return
    fi
    doing=$*
    [ -z "${INSTALL_HOOK:-}" ] || "$INSTALL_HOOK" before "$@"
    "$@" || return
    [ -z "${INSTALL_HOOK:-}" ] || "$INSTALL_HOOK" behind "$@"
    doing=""
}

# The last word about an end that nobody foresaw.
ended() {
    status=$?
    clean_up
    [ $status != 0 ] && [ -z "$was_explained" ] || return 0
    case $status in
        130) refuse "interrupted" "a signal ended this" "the same command: it goes on where this one stopped" ;;
        *) refuse "this failed: ${doing:-a step}" "its message stands above" "mend what it names, then the same command: it goes on where this one stopped" ;;
    esac
}
trap ended EXIT
trap 'exit 130' HUP INT TERM

as_root() {
    if [ "$(id -u)" = 0 ]; then
        run "$@"
    else
        run sudo "$@"
    fi
}

# confirm QUESTION: whether the user agrees.
confirm() {
    [ -z "$yes$dry_run" ] || return 0
    [ -t 0 ] || refuse "there is nobody to ask: $1" "standard input is no terminal" "the same command with --yes"
    printf '%s [Y/n] ' "$1"
    read -r answer
    case $answer in '' | y | Y | yes) ;; *) return 1 ;; esac
}

# --- what has to be there ---

os_release() {
    sed -n "s/^$1=\"\{0,1\}\([^\"]*\).*/\1/p" /etc/os-release 2>/dev/null || true # nothing without the file: who asks says so
}

check_platform() {
    id=$(os_release ID)
    version=$(os_release VERSION_ID)
    case $id in
        debian | raspbian) ;;
        *) refuse "this system is \"${id:-unknown}\"" "only Debian and Raspberry Pi OS are supported" \
            "with Rust $(rust_floor) or newer and dbus-daemon at hand: cargo run --release --bin busbar -- demo" ;;
    esac
    # Debian's testing has no number yet.
    [ "${version%%.*}" -ge 12 ] 2>/dev/null || [ -z "$version" ] || refuse "this is $id $version" "12 is the oldest supported release" "upgrade to $id 12 or newer"
    case $(uname -m) in
        x86_64 | aarch64 | armv7l) ;;
        *) refuse "this machine is $(uname -m)" "only x86_64, aarch64 and armv7l are supported" \
            "a Raspberry Pi 2 or newer, or any 64-bit PC" ;;
    esac
}

# check_space MIB: free space in this folder.
check_space() {
    free=$(($(df -Pk . | awk 'NR == 2 { print $4 }') / 1024))
    [ "$free" -ge "$1" ] || refuse "$free MiB are free in $PWD" "building takes $1 MiB" "free some space, or move this folder to a larger disk"
}

is_installed() {
    [ "$(dpkg-query -W -f='${db:Status-Status}' "$1" 2>/dev/null)" = installed ]
}

need_packages() {
    absent=
    for package in "$@"; do
        is_installed "$package" || absent="$absent $package"
    done
    [ -n "$absent" ] || return 0
    if [ "$(id -u)" != 0 ] && ! command -v sudo >/dev/null; then
        refuse "packages are missing:$absent" "installing them takes root, and there is no sudo" "as root: apt-get install$absent"
    fi
    confirm "Install these packages?$absent" ||
        refuse "packages are missing:$absent" "you said no" "apt-get install$absent, then this command again"
    # shellcheck disable=SC2086 # several packages
    if ! as_root $apt_install $absent; then
        # Old lists name packages that are not there any more.
        update_lists
        # shellcheck disable=SC2086
        as_root $apt_install $absent ||
            refuse "apt-get could not install$absent" "see its message above" "mend what apt-get names, then this command again"
    fi
}

update_lists() {
    [ -n "$updated" ] || as_root apt-get update
    updated=1
}

# The oldest Rust that builds this.
rust_floor() {
    sed -n 's/^rust-version = "\(.*\)"$/\1/p' Cargo.toml
}

# at_least VERSION FLOOR
at_least() {
    [ -n "$1" ] && dpkg --compare-versions "$1" ge "$2"
}

# What building takes, by the distribution's package names, in $build_packages. Rust is there already where it is new
# enough, from wherever it came.
choose_build_packages() {
    build_packages="ca-certificates gcc libc6-dev"
    floor=$(rust_floor)
    [ ! -x "$HOME/.cargo/bin/cargo" ] || PATH=$HOME/.cargo/bin:$PATH
    have=$(cargo --version 2>/dev/null | cut -d' ' -f2) || have=
    ! at_least "$have" "$floor" || return 0
    if command -v rustup >/dev/null; then
        refuse "Rust is ${have:-not there}" "$floor or newer is needed" "rustup update stable, then this command again"
    fi
    rust_packages=$(find_rust_packages)
    if [ -z "$rust_packages" ]; then
        update_lists
        rust_packages=$(find_rust_packages)
    fi
    if [ -n "$dry_run" ] && [ -z "$rust_packages" ]; then
        echo "would then look again for a Rust of $floor or newer among the distribution's packages"
    elif [ -z "$rust_packages" ]; then
        refuse "Rust is ${have:-not there}" "$floor or newer is needed, and this distribution has none" \
            "install Rust as https://rustup.rs tells, then this command again"
    fi
    for package in rustc cargo; do
        case " $rust_packages " in *" $package "*) continue ;; esac
        ! is_installed "$package" || refuse "the installed $package is ${have:-too old}" "$floor or newer is needed" \
            "apt-get remove $package, then this command again: it installs $rust_packages instead"
    done
    build_packages="$build_packages $rust_packages"
}

# The distribution's packages that are new enough. Debian keeps a second, recent Rust for building browsers.
find_rust_packages() {
    for suffix in "" -web; do
        offered=$(apt-cache policy "rustc$suffix" | sed -n 's/^  Candidate: //p')
        if at_least "$offered" "$floor"; then
            echo "rustc$suffix cargo$suffix"
            return
        fi
    done
}

# --- verbs ---

build_tools() {
    [ $# = 0 ] || refuse "\"$1\" is not known" "--build-tools takes nothing more" "./install.sh --help"
    check_platform
    choose_build_packages
    # shellcheck disable=SC2086 # several packages
    need_packages $build_packages
}

demo() {
    if [ -x bin/busbar ]; then
        need_packages dbus-daemon
        run exec bin/busbar demo "$@"
        return
    fi
    check_platform
    check_space 1500
    choose_build_packages
    # shellcheck disable=SC2086 # several packages
    need_packages $build_packages dbus-daemon
    run cargo build --release --locked --bin busbar
    run exec "${CARGO_TARGET_DIR:-target}/release/busbar" demo "$@"
}

# What a packed release is installed with; a clone has it too.
. service-files/install/steps.sh
. service-files/install/checks.sh
. service-files/install/release.sh
. service-files/install/system.sh
. service-files/install/trial.sh
. service-files/install/verbs.sh

usage() {
    sed -n '2,/^[^#]/s/^# \{0,1\}//p' "$0"
}

# --- arguments ---

verb=""
source=""
expects=""
count=$#
while [ "$count" -gt 0 ]; do
    argument=$1
    shift
    count=$((count - 1))
    if [ -n "$expects" ]; then
        case $expects in
            from) source=$argument ;;
            deadline) deadline=$argument ;;
            healthy) healthy=$argument ;;
        esac
        expects=""
        continue
    fi
    case $argument in
        --help | -h) usage; exit 0 ;;
        --dry-run) dry_run=1 ;;
        --yes | -y) yes=1 ;;
        --demo) verb=demo ;;
        --build-tools) verb=build_tools ;;
        --from) verb=install_release; expects=from ;;
        --rollback) verb=rollback ;;
        --uninstall) verb=uninstall ;;
        # For the unit busbar-trial.
        --finish) verb=finish_trial ;;
        --deadline | --healthy) expects=${argument#--} ;;
        # What is left over stays, in its order, behind what is still to be looked at.
        *) set -- "$@" "$argument" ;;
    esac
done
[ -z "$expects" ] || refuse "--$expects has no value" "it is the last argument" "./install.sh --help"
case $deadline$healthy in
    *[!0-9]*) refuse "--deadline and --healthy are whole seconds" "\"$deadline\" and \"$healthy\" are not" "./install.sh --help" ;;
esac
[ "$healthy" -lt "$deadline" ] || refuse "--healthy $healthy cannot be within --deadline $deadline" \
    "services have to become healthy first, and stay so then" "a longer --deadline"
if [ -z "$verb" ] && [ $# = 0 ] && [ -e manifest ]; then
    verb=install_release
    source=.
fi
case $source in
    /*) ;;
    .) source=$here ;;
    *) source=$called_from/$source ;;
esac

case $verb in
    '')
        [ $# = 0 ] || refuse "\"$1\" is not known" "it belongs to no verb" "./install.sh --help"
        usage
        was_explained=1
        exit 2
        ;;
    *) "$verb" "$@" ;;
esac
