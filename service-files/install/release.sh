# shellcheck shell=sh
# Releases: complete trees below $base/releases. The manifest of a tree names every file in it:
#
#   version 0.1.0
#   architecture arm64
#   file SHA256 MODE PATH
#   link TARGET PATH

# Sets $archive_manifest to the text of the manifest, $release to the name of the release, $version and $bytes.
read_source() { # ARCHIVE|DIRECTORY
    [ -e "$1" ] || refuse "$1 is not there" "it should be an archive of Busbar or an unpacked one" \
        "$0 --from FILE with the path of the archive"
    if [ -d "$1" ]; then
        archive_manifest=$(cat "$1/manifest" 2>/dev/null) || archive_manifest=
        bytes=$(($(du -sk "$1" | cut -f1) * 1024))
    else
        if [ -e "$1.sha256" ] && ! (cd "$(dirname "$1")" && sha256sum --status -c "$(basename "$1").sha256"); then
            refuse "$1 is not what $(basename "$1").sha256 says" "it was damaged or changed on its way" \
                "download both again, then this command again"
        fi
        listing=$(tar -tvzf "$1" 2>/dev/null) || refuse "$1 cannot be unpacked" "it is no archive, or its end is missing" \
            "download it again, and compare its checksum (sha256sum)"
        bytes=$(printf '%s\n' "$listing" | awk '{ bytes += $3 } END { printf "%d", bytes }')
        archive_manifest=$(tar -xOzf "$1" --wildcards '*/manifest' 2>/dev/null) || archive_manifest=
    fi
    version=$(printf '%s\n' "$archive_manifest" | sed -n 's/^version //p')
    architecture=$(printf '%s\n' "$archive_manifest" | sed -n 's/^architecture //p')
    case $version in
        '' | *[!A-Za-z0-9.+~_-]*)
            [ ! -e "$1/service-files/package" ] || refuse "$1 is a clone and no release" "it has no manifest and no programs" \
                "service-files/package, then $0 --from target/packages/busbar-VERSION-ARCHITECTURE.tar.gz"
            refuse "$1 is no release of Busbar" "it has no manifest" "an archive called busbar-VERSION-ARCHITECTURE.tar.gz" ;;
    esac
    release=$version-$(printf '%s\n' "$archive_manifest" | sha256sum | cut -c1-8)
    mine=$(dpkg --print-architecture)
    [ "$architecture" = "$mine" ] || refuse "$1 is for $architecture" "this system is $mine" \
        "the archive busbar-$version-$mine.tar.gz"
    ! [ "$mine" = armhf ] || ! [ "$(uname -m)" = armv6l ] || refuse "this processor is an ARMv6" \
        "Busbar's 32-bit programs need ARMv7" "a Raspberry Pi 2 or newer"
}

# Puts the release below $base/releases, complete and on the disk, or refuses.
stage() { # ARCHIVE|DIRECTORY
    if [ -d "$base/releases/$release" ]; then
        verify "$base/releases/$release" || run rm -rf "$base/releases/$release"
    fi
    [ ! -d "$base/releases/$release" ] || return 0
    incoming=$base/incoming
    run rm -rf "$incoming"
    run mkdir -p "$incoming"
    if [ -d "$1" ]; then
        run cp -a "$1" "$incoming/tree"
    else
        run tar -xzf "$1" --no-same-owner -C "$incoming"
    fi
    tree=$incoming/tree
    [ -n "$dry_run" ] || tree=$(dirname "$(find "$incoming" -maxdepth 2 -name manifest)")
    run chown -R 0:0 "$tree"
    # Who unpacked it may have a mask of his own.
    run find "$tree" -type d -exec chmod 755 {} +
    run find "$tree" -type f -perm /100 -exec chmod 755 {} +
    run find "$tree" -type f ! -perm /100 -exec chmod 644 {} +
    if [ -z "$dry_run" ]; then
        verify "$tree" || refuse "$1 is damaged" "not as its manifest says: $wrong" "download it again, then this command again"
        said=$("$tree/bin/busbar" --version 2>&1) ||
            refuse "$version does not start on this system: $said" "it may need a newer release of Debian" \
                "apt-get full-upgrade, or an older version of Busbar"
    fi
    run sync -f "$incoming"
    run mv -T "$tree" "$base/releases/$release"
    run sync "$base/releases"
    run rm -rf "$incoming"
}

# The lines of a manifest for every file and link that is in a tree.
describe() { # TREE
    (
        cd "$1"
        find . -type f ! -path ./manifest -printf 'mode %m %P\n'
        find . -type f ! -path ./manifest -exec sha256sum {} +
        find . ! -type f ! -type d -printf 'link %l %P\n'
    ) | awk '
        $1 == "mode" { mode[$3] = $2; next }
        $1 == "link" { print; next }
        { path = substr($2, 3); print "file", $1, mode[path], path }' | LC_ALL=C sort
}

# verify TREE: whether it is what its manifest says, neither less nor more; $wrong says what is not.
verify() {
    wrong=$(describe "$1" | diff - "$1/manifest" | sed -nE 's/^[<>] (file|link) .* //p' | sort -u | head -3 | paste -sd' ')
    [ -z "$wrong" ]
}

# The name of the release that a link points to.
pointed() { # current|previous
    target=$(readlink "$base/$1") || return 0
    printf '%s\n' "${target#releases/}"
}

# The one moment in which the release changes. Everything else of ours on this machine points through this link.
switch_to() { # RELEASE
    point "$base/current" "releases/$1"
}

# Two releases are kept: the current one and the one to go back to.
prune() {
    for tree in "$base"/releases/*; do
        name=${tree##*/}
        case $name in
            "$(pointed current)" | "$(pointed previous)" | '*') ;;
            *) run rm -rf "$tree" ;;
        esac
    done
}

# The launcher lies beside the releases and is replaced only if it has changed.
install_launcher() {
    ! cmp -s "$base/releases/$release/bin/launcher" "$base/launcher" || return 0
    run cp "$base/releases/$release/bin/launcher" "$base/launcher.new"
    run sync "$base/launcher.new"
    run mv -fT "$base/launcher.new" "$base/launcher"
    run sync "$base"
}
