#!/bin/sh
# Installs cachex from a release:
#   sh install.sh [--version VERSION] [--prefix DIR] [--from ADDRESS] [--uninstall]
# `sh install.sh --help` says the rest. The shell may be any that is POSIX's.
#
# All of it is in functions, so that half of a script, which a download may have
# left, does nothing.
set -u

releases='@RELEASES@'

usage() {
    cat <<'END'
Installs cachex, its man pages and its completions.

  --version VERSION  this version (default: the latest release)
  --prefix DIR       below this folder (default: PREFIX, or /usr/local for root
                     and ~/.local for everybody else)
  --from ADDRESS     from this URL or folder, which has the packages and their
                     SHA256SUMS (default: CACHEX_FROM, or the project's releases)
  --sha256 SUM       only if the package has this checksum, whatever SHA256SUMS says
  --target TRIPLE    the package of this platform (default: this machine's)
  --uninstall        take out what was installed below the prefix
  --help             this text
END
}

fail() {
    echo "install.sh: $1" >&2
    exit 1
}

has() {
    command -v "$1" >/dev/null 2>&1
}

# The package for this machine.
this_target() {
    case $(uname -m) in
        x86_64 | amd64) processor=x86_64 ;;
        aarch64 | arm64) processor=aarch64 ;;
        *) fail "there is no package for this processor ($(uname -m)): cargo install builds one" ;;
    esac
    case $(uname -s) in
        # Linked statically: for any C library.
        Linux) echo "$processor-unknown-linux-gnu" ;;
        Darwin) echo "$processor-apple-darwin" ;;
        *) fail "there is no package for this system ($(uname -s))" ;;
    esac
}

# fetch NAME FILE: brings a file of the release.
fetch() {
    case $from in
        https://*) only='--proto-redir =https' ;;
        *://*) only= ;;
        *)
            [ -f "$from/$1" ] || fail "there is no $1 in $from"
            cp "$from/$1" "$2"
            return
            ;;
    esac
    if has curl; then
        # shellcheck disable=SC2086 # none or two words
        curl --fail --silent --show-error --location --retry 3 $only --output "$2" "$from/$1"
    elif has wget; then
        wget -q -O "$2" "$from/$1"
    else
        fail 'curl or wget is needed to download cachex'
    fi || fail "could not download $from/$1"
}

checksum() {
    if has sha256sum; then
        sha256sum "$1" | cut -d ' ' -f 1
    elif has shasum; then
        shasum -a 256 "$1" | cut -d ' ' -f 1
    elif has openssl; then
        openssl dgst -sha256 -r "$1" | cut -d ' ' -f 1
    else
        fail 'sha256sum, shasum or openssl is needed to check what was downloaded'
    fi
}

# Whether this user may write below the prefix, which need not be there yet.
may_write() {
    mkdir -p "$prefix/bin" "$prefix/share" 2>/dev/null && [ -w "$prefix/bin" ] && [ -w "$prefix/share" ]
}

# as_owner COMMAND…: does something below the prefix, as root if that takes root.
as_owner() {
    if may_write; then
        "$@"
    elif has sudo; then
        echo "install.sh: $prefix is not yours to write to: asking sudo" >&2
        sudo "$@"
    else
        fail "cannot write to $prefix, and there is no sudo: --prefix names another folder"
    fi
}

# What is done below the prefix, as a script of its own: it may run under sudo.
# Arguments: the prefix, and the folder with the files, or nothing to take them out.
# shellcheck disable=SC2016 # its own variables
lay_out='
set -eu
prefix=$1 files=$2
list=$prefix/share/cachex/files
if [ -n "$files" ]; then
    mkdir -p "$prefix/share/cachex"
    cd "$files"
    find . -type f | sed "s,^\./,," | sort | while IFS= read -r file; do
        mkdir -p "$prefix/${file%/*}"
        # Beside it first: a cachex that runs meanwhile goes on, and no call meets half of one.
        cp "$file" "$prefix/$file.new$$"
        chmod "$(if [ -x "$file" ]; then echo 755; else echo 644; fi)" "$prefix/$file.new$$"
        mv -f "$prefix/$file.new$$" "$prefix/$file"
    done
    find . -type f | sed "s,^\./,," | sort >"$list.new$$"
else
    : >"$list.new$$"
fi
# What an earlier version installed, and this one does not.
if [ -f "$list" ]; then
    while IFS= read -r file; do
        grep -qxF -e "$file" "$list.new$$" || rm -f "$prefix/$file"
    done <"$list"
fi
if [ -n "$files" ]; then
    mv -f "$list.new$$" "$list"
else
    rm -f "$list" "$list.new$$"
    rmdir "$prefix/share/cachex" "$prefix/share/doc/cachex" 2>/dev/null || :
fi
'

uninstall() {
    [ -f "$prefix/share/cachex/files" ] || fail "nothing was installed by this script below $prefix"
    as_owner sh -c "$lay_out" sh "$prefix" '' || fail "could not take cachex out of $prefix"
    echo "cachex is gone from $prefix; what it has recorded is in ${CACHEX_DIR:-${XDG_CACHE_HOME:-~/.cache}/cachex}"
}

install() {
    target=${target:-$(this_target)} || exit 1
    work=$(mktemp -d "${TMPDIR:-/tmp}/cachex-install.XXXXXX") || fail 'could not make a temporary folder'
    trap 'rm -rf "$work"' EXIT
    trap 'exit 1' HUP INT TERM
    fetch SHA256SUMS "$work/SHA256SUMS"
    # One line for this platform, with a checksum in front of the package's name.
    pattern="^[0-9a-f]\{64\} [ *]cachex-${version:-[0-9][0-9A-Za-z.+-]*}-$target\.tar\.gz$"
    line=$(grep -e "$pattern" "$work/SHA256SUMS") && [ "$(echo "$line" | wc -l)" -eq 1 ] ||
        fail "$from has no package of cachex${version:+ $version} for $target"
    package=${line##*[ *]}
    expected=${sha256:-${line%% *}}
    fetch "$package" "$work/$package"
    found=$(checksum "$work/$package") || exit 1
    [ "$found" = "$expected" ] ||
        fail "$package has the checksum $found, not $expected: damaged or not ours, and not installed"
    tar -xzf "$work/$package" -C "$work" || fail "could not unpack $package"
    files=$work/${package%.tar.gz}
    "$files/bin/cachex" --version >"$work/version" || fail "the cachex of $package does not run on this machine"
    as_owner sh -c "$lay_out" sh "$prefix" "$files" || fail "could not install below $prefix"
    echo "$(cat "$work/version") is installed: $prefix/bin/cachex"
    case :$PATH: in
        *:"$prefix/bin":*) ;;
        *) echo "$prefix/bin is not on your PATH" ;;
    esac
}

main() {
    version='' from=${CACHEX_FROM:-} sha256='' target='' act=install
    prefix=${PREFIX:-}
    while [ $# -gt 0 ]; do
        case $1 in
            --uninstall) act=uninstall ;;
            --help | -h)
                usage
                exit
                ;;
            --version | --prefix | --from | --sha256 | --target)
                [ $# -ge 2 ] || fail "$1 takes a value"
                case $1 in
                    --version) version=${2#v} ;;
                    --prefix) prefix=$2 ;;
                    --from) from=$2 ;;
                    --sha256) sha256=$2 ;;
                    --target) target=$2 ;;
                esac
                shift
                ;;
            *) fail "there is no option $1; --help lists them" ;;
        esac
        shift
    done
    case $version in
        *[!0-9A-Za-z.+-]*) fail "'$version' is not a version" ;;
    esac
    if [ -z "$prefix" ]; then
        if [ "$(id -u)" = 0 ]; then
            prefix=/usr/local
        else
            prefix=${HOME:?}/.local
        fi
    fi
    case $prefix in
        /*) ;;
        *) prefix=$PWD/$prefix ;;
    esac
    if [ "$act" = install ] && [ -z "$from" ]; then
        case $releases in
            @*) fail 'this script is not of a release: --from says where the packages are' ;;
        esac
        from=$releases/${version:+download/v$version}
        from=${from%/}
        [ -n "$version" ] || from=$releases/latest/download
    fi
    from=${from%/}
    "$act"
}

main "$@"
