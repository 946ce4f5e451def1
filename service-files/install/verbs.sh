# shellcheck shell=sh
# What install.sh is asked for, from the first check to the last word.

install_release() {
    [ $# = 0 ] || refuse "\"$1\" is not known" "--from takes one archive or folder" "$0 --help"
    check_root
    check_platform
    check_systemd
    read_source "$source"
    check_free "$base" $((bytes + 16 * 1048576)) "another release beside the two that are kept"
    check_name com.victronenergy.settings busbar-settings.service
    check_no_trial
    from=$(pointed current)
    if [ "$from" = "$release" ]; then
        say "Busbar $version is installed already; what is missing is put back."
    else
        confirm "Install Busbar $version${from:+, now ${from%-*}}?" || refuse "nothing is installed" "you said no" "the same command again"
    fi
    run mkdir -p "$base/releases" "$base/state"
    check_alone
    cleans=1
    stage "$source"
    install_launcher
    tree=$base/releases/$release
    [ -z "$dry_run" ] || [ -d "$tree" ] || tree=$here
    install_users_and_links "$tree"
    if [ "$from" = "$release" ]; then
        reload_all
        restart_others
        say "Busbar $version is installed. Its services: busbar list"
        return
    fi
    begin_trial "$release"
    switch_to "$release"
    reload_all
    # The user may end it.
    [ -n "$dry_run" ] || exec 8>&-
    run systemctl start busbar-trial
    if [ -n "$dry_run" ]; then
        say "That restarts the services, and keeps the release or goes back after $healthy s (within $deadline s)."
        return
    fi
    say "Busbar $version is in place and on trial: it stays if all services are as well as before for $healthy s (within $deadline s)."
    await_verdict
}

# The trial goes on by itself, whether somebody waits or not.
await_verdict() {
    while [ -e "$base/state/before" ] && is_judged; do
        sleep 1
    done
    last=$base/state/last
    case $(value outcome "$last") in
        good)
            say "Busbar $version is installed. Its services: busbar list" ;;
        rolled_back)
            refuse "$version was taken back: $(value reason "$last")" "a service was worse than with ${from%-*}, which runs again" \
                "busbar logs shows what it said; busbar bundle collects it for a report" ;;
        unhealthy)
            refuse "$version is installed, but not well: $(value reason "$last")" "there is no older release to go back to" \
                "busbar logs shows what it said; $0 --uninstall removes it" ;;
        *)
            refuse "nobody judges whether $version is well" "busbar-trial was stopped: journalctl -u busbar-trial" \
                "systemctl start busbar-trial" ;;
    esac
}

is_judged() {
    case $(systemctl show -p ActiveState --value busbar-trial) in
        inactive | failed) return 1 ;;
    esac
}

# Before a first release is current nothing of ours is of use: what was put there before a refusal goes again.
clean_up() {
    [ -n "$cleans" ] && [ -z "$dry_run" ] || return 0
    rm -rf "$base/incoming"
    [ ! -L "$base/current" ] || return 0
    { remove_links && remove_folders && remove_users && rm -rf "$base"; } || true # the refusal that is being told is not lost to it
    rmdir /etc/busbar 2>/dev/null || true # it stays when somebody has put something there
}

rollback() {
    [ $# = 0 ] || refuse "\"$1\" is not known" "--rollback takes nothing more" "$0 --help"
    check_root
    check_systemd
    current=$(pointed current)
    previous=$(pointed previous)
    [ -n "$previous" ] && [ "$previous" != "$current" ] || refuse "there is no release to go back to" \
        "${current:-no release} is the only one on this machine" "$0 --from FILE with the archive of another version"
    confirm "Go back from ${current%-*} to ${previous%-*}?" || refuse "nothing is changed" "you said no" "the same command again"
    check_alone
    run systemctl stop busbar-trial
    unlink "$base/state/trial"
    switch_to "$previous"
    replace "$base/state/last" "outcome rolled_back
from releases/$previous
to releases/$current
reason the user asked for it"
    point "$base/previous" "releases/$current"
    take_over
    tidy_up
    say "Busbar ${previous%-*} runs again. ${current%-*} is kept: the same command goes to it."
}

uninstall() {
    case "$*" in
        '') keep="" ;;
        --keep-settings) keep=1 ;;
        *) refuse "\"$*\" is not known" "--uninstall takes --keep-settings and nothing more" "$0 --help" ;;
    esac
    check_root
    check_alone
    [ -d "$base" ] || [ -n "$(our_links)" ] || [ -d /etc/busbar ] ||
        refuse "Busbar is not installed" "there is no $base" "nothing has to be done"
    confirm "Remove Busbar${keep:+, but not /etc/busbar and /var/lib/busbar}?" ||
        refuse "nothing is removed" "you said no" "the same command again"
    # Not from a folder that is going to be removed.
    cd /
    if [ -d /run/systemd/system ]; then
        # By pattern: of a half installation some may not be there.
        run systemctl stop 'busbar-*.service'
        run systemctl reset-failed 'busbar-*.service'
    fi
    remove_links
    remove_folders
    for folder in $units/busbar-*.d; do
        [ ! -d "$folder" ] || run rmdir --ignore-fail-on-non-empty "$folder"
    done
    run rm -rf /run/busbar
    [ -n "$keep" ] || run rm -rf /etc/busbar /var/lib/busbar $units/busbar-*.d
    [ ! -d /run/systemd/system ] || reload_all
    remove_users
    run rm -rf "$base"
    say "Busbar is removed.${keep:+ /etc/busbar and /var/lib/busbar are still there.}"
}
