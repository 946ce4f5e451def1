# shellcheck shell=sh
# What changes this machine. Every change is one "run", so that --dry-run shows it and a test can stop before and behind
# it. What has to outlast a power cut is written beside, synced, renamed, and its directory synced.

say() {
    printf '%s\n' "$*"
}

# write_file FILE TEXT
write_file() {
    printf '%s\n' "$2" >"$1"
}

# write_down LINE FILE: once.
write_down() {
    grep -qsxF "$1" "$2" || printf '%s\n' "$1" >>"$2"
}

# replace FILE TEXT: the old content or the new one is there, whatever happens.
replace() {
    run write_file "$1.new" "$2"
    run sync "$1.new"
    run mv -fT "$1.new" "$1"
    run sync "$(dirname "$1")"
}

# point LINK TARGET: the same for a link.
point() {
    [ "$(readlink "$1")" != "$2" ] || return 0
    run ln -sfn "$2" "$1.new"
    run mv -fT "$1.new" "$1"
    run sync "$(dirname "$1")"
}

# unlink FILE...: gone, also after a power cut.
unlink() {
    for file in "$@"; do
        if [ -e "$file" ] || [ -L "$file" ]; then
            run rm -f "$file"
            run sync "$(dirname "$file")"
        fi
    done
}

# value KEY FILE: of a file of "key value" lines.
value() {
    sed -n "s/^$1 //p" "$2" 2>/dev/null | head -1
}
