# shellcheck shell=sh
# An update on trial. $base/state/trial is there from before the switch until the verdict:
#
#   from releases/OLD         empty for a first installation
#   to releases/NEW
#   deadline SECONDS          until when the services must be healthy
#   healthy SECONDS           for how long without a break
#
# state/before holds how the services were, state/last what became of the last trial. The launcher ends a trial by itself
# when a process of the new release is started too often.

# "UNIT ActiveState NAME..." for each enabled service: its bus names among Victron's.
snapshot() {
    owners=$(busctl --system --no-pager --no-legend list 2>/dev/null | awk '$1 ~ /^com\.victronenergy\./ && $2 != "-" { print $6, $1 }')
    for unit in $(enabled_units); do
        names=$(printf '%s\n' "$owners" | awk -v unit="$unit" '$1 == unit { printf " %s", $2 }')
        echo "$unit $(systemctl show -p ActiveState --value "$unit")$names"
    done
}

begin_trial() { # RELEASE
    from=$(pointed current)
    run rm -rf "$base/state/attempts"
    unlink "$base/state/last"
    replace "$base/state/before" "$(snapshot)"
    replace "$base/state/trial" "from ${from:+releases/$from}
to releases/$1
deadline $deadline
healthy $healthy"
    [ -z "$from" ] || point "$base/previous" "releases/$from"
}

# Goes on with a trial from wherever it was left, also after a reboot, and tidies up behind it. The result is in state/last.
finish_trial() {
    [ -e "$base/state/before" ] || return 0
    from=$(value from "$base/state/trial")
    to=$(value to "$base/state/trial")
    if [ -z "$to" ]; then
        # The launcher has ended it, or it never began.
        take_over
    elif [ "$(readlink "$base/current")" != "$to" ]; then
        verdict rolled_back "the power went"
        take_over
    elif [ -z "$from" ] && ! run "$base/current/bin/busbar" enable settings && [ ! -e "$wanted/busbar-settings.service" ]; then
        verdict unhealthy "busbar enable settings fails (journalctl -u busbar-trial)"
    else
        restart_others
        if judge; then
            verdict good "all services are as well as before"
        elif [ -z "$from" ]; then
            # There is nothing to go back to, and what runs may help to find out.
            verdict unhealthy "$reason"
        else
            switch_to "${from#releases/}"
            verdict rolled_back "$reason"
            take_over
        fi
    fi
    tidy_up
}

# The current release runs, whatever ran before.
take_over() {
    remove_dead_links
    reload_all
    restart_others
}

# Nothing is left of the trial, and of releases before the last two.
tidy_up() {
    remove_dead_links
    prune
    run rm -rf "$base/state/attempts" "$base/state/now"
    unlink "$base/state/before"
}

verdict() { # OUTCOME REASON
    [ -e "$base/state/trial" ] || return 0
    if [ "$(value to "$base/state/last")" != "$to" ] || [ "$(value outcome "$base/state/last")" != rolled_back ]; then
        replace "$base/state/last" "outcome $1
from $from
to $to
reason $2"
    fi
    unlink "$base/state/trial"
}

# Waits until the services have been healthy long enough (true), or the deadline is over ($reason).
judge() {
    deadline=$(value deadline "$base/state/trial")
    healthy=$(value healthy "$base/state/trial")
    start=$(uptime_s)
    since="" restarts=0
    while :; do
        reason=$(worse)
        now=$(uptime_s)
        if [ ! -e "$base/state/trial" ]; then
            reason=$(value reason "$base/state/last")
            return 1
        elif [ "$(readlink "$base/current")" != "$to" ]; then
            # The launcher is about to end it, and says why.
            reason="its services were started too often"
            since=""
        elif [ -n "$reason" ] || [ "$(restarts)" != "$restarts" ]; then
            restarts=$(restarts)
            since=""
        fi
        since=${since:-$now}
        [ -z "$reason" ] || since=""
        if [ -n "$since" ] && [ $((now - since)) -ge "$healthy" ]; then
            return 0
        fi
        # What systemd has given up does not come back by waiting.
        case $reason in *" is failed" | *" cannot be started "*) return 1 ;; esac
        if [ $((now - start)) -ge "$deadline" ]; then
            reason=${reason:-services were restarted again and again}
            return 1
        fi
        sleep 1
    done
}

uptime_s() {
    cut -d. -f1 /proc/uptime
}

# How often systemd had to restart services of ours.
restarts() {
    enabled_units | xargs -r systemctl show -p NRestarts --value | awk '{ sum += $1 } END { print sum + 0 }'
}

# Prints the first thing that is worse than before, if any.
worse() {
    snapshot >"$base/state/now"
    missing=$(missing_hardware)
    while read -r unit state names; do
        before=$(grep "^$unit " "$base/state/before") || before="$unit active"
        was=$(printf '%s\n' "$before" | cut -d' ' -f2)
        [ "$was" = active ] || continue
        if [ "$state" != active ]; then
            echo "$unit is $state"
            return
        fi
        if ! runs_current "$unit"; then
            # One that has ended since it was looked at is no verdict: it is started again.
            case $program in
                "$base"/releases/*) echo "$unit cannot be started from the new release" ;;
                *) echo "$unit is being restarted" ;;
            esac
            return
        fi
        # Who waits for hardware that is gone, or for somebody who does, is as well as can be.
        [ -z "$missing" ] || [ -z "$(waits_for "$unit")" ] || continue
        for name in $(printf '%s\n' "$before" | cut -d' ' -f3-); do
            case " $names " in *" $name "*) continue ;; esac
            echo "$unit does not own $name any more"
            return
        done
    done <"$base/state/now"
}

# What a service says that it waits for.
waits_for() { # UNIT
    systemctl show -p StatusText --value "$1" | sed -n 's/^waiting for //p'
}

# What services wait for that their configuration names and that is really not there: no fault of the release.
missing_hardware() {
    for unit in $(enabled_units); do
        thing=$(waits_for "$unit")
        name=${unit#busbar-}
        if [ -n "$thing" ] && grep -qsF "\"$thing\"" "/etc/busbar/$(printf '%s' "${name%.service}" | tr @ .).toml" &&
            [ ! -e "$thing" ] && [ ! -e "/sys/class/net/$thing" ]; then
            echo "$thing"
        fi
    done
}
