# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=sh
# Sourced first by every end-to-end test. Gives it a directory of its own ($work, the current directory, removed at the
# end), an empty store, the test archive on loopback, and a few words to say what is expected.
#
# From the environment (tests/cli/CMakeLists.txt): XB_BIN directory of the programs, XB_ARCHIVE directory made by
# archive/make.py, XB_SOURCE the source tree, XB_STORE (may be missing) a store that store.sh has filled, XB_SANITIZED (may
# be missing): the programs were built with sanitizers.
set -eu
: "${XB_BIN:?}" "${XB_ARCHIVE:?}" "${XB_SOURCE:?}"
test_name=$(basename "$0" .sh)
work=$(mktemp -d "${TMPDIR:-/tmp}/xbuild-$test_name.XXXXXX")
server_pid=

stop_serving() {
	# not by number alone: a server that has ended may have left its number to somebody else
	if [ -n "$server_pid" ] && grep -q serve.py "/proc/$server_pid/cmdline" 2>/dev/null; then kill "$server_pid"; fi
	server_pid=
}

finish() {
	status=$?
	trap - EXIT
	stop_serving
	if command -v at_end >/dev/null; then at_end; fi
	chmod -R u+w "$work" 2>/dev/null || :
	rm -rf "$work"
	exit "$status"
}
trap finish EXIT
trap 'exit 130' INT TERM

# The user's own settings stay outside.
unset CI XBUILD_PROGRESS XBUILD_JOBS XBUILD_LOCKED XBUILD_OFFLINE XBUILD_PROFILE XBUILD_EMULATOR SOURCE_DATE_EPOCH NO_COLOR \
	http_proxy https_proxy HTTP_PROXY HTTPS_PROXY ALL_PROXY all_proxy 2>/dev/null || :
export HOME="$work/home" XDG_CONFIG_HOME="$work/config" XBUILD_CACHE_DIR="$work/cache" LC_ALL=C
export GIT_AUTHOR_NAME=t GIT_AUTHOR_EMAIL=t@example.org GIT_COMMITTER_NAME=t GIT_COMMITTER_EMAIL=t@example.org
export GIT_CONFIG_GLOBAL=/dev/null GIT_CONFIG_NOSYSTEM=1
mkdir -p "$HOME"
# shellcheck disable=SC2034 # used by the tests
xbuild=$XB_BIN/xbuild
cd "$work"

fail() {
	echo "FAIL: $*" >&2
	exit 1
}

# expect STATUS COMMAND...: runs it, keeps stdout in $work/stdout and stderr in $work/stderr
expect() {
	wanted=$1
	shift
	got=0
	"$@" >"$work/stdout" 2>"$work/stderr" </dev/null || got=$?
	if [ "$got" != "$wanted" ]; then
		echo "--- stdout" >&2 && head -c 4000 "$work/stdout" >&2
		echo "--- stderr" >&2 && head -c 4000 "$work/stderr" >&2
		fail "expected exit status $wanted, got $got: $*"
	fi
}

# says PATTERN: stderr of the last expect has a line that matches (extended regular expression)
says() {
	grep -qE -- "$1" "$work/stderr" || {
		head -c 4000 "$work/stderr" >&2
		fail "stderr does not say '$1'"
	}
}
prints() {
	grep -qE -- "$1" "$work/stdout" || {
		head -c 4000 "$work/stdout" >&2
		fail "stdout does not have '$1'"
	}
}
silent_about() {
	if grep -qE -- "$1" "$work/stderr"; then
		head -c 4000 "$work/stderr" >&2
		fail "stderr should not say '$1'"
	fi
}

# serve [DIRECTORY]: starts the archive server, instead of the one before it; its requests are in $work/requests, faults go
# into $work/faults
serve() {
	stop_serving
	rm -f "$work/port"
	: >>"$work/requests"
	python3 "$XB_SOURCE/tests/cli/archive/serve.py" "${1:-$XB_ARCHIVE}" "$work/port" "$work/requests" "$work/faults" &
	server_pid=$!
	tries=0
	until [ -s "$work/port" ]; do
		tries=$((tries + 1))
		[ "$tries" -lt 200 ] || fail "the archive server did not start"
		sleep 0.05
	done
	port=$(cat "$work/port")
	export XBUILD_DEBIAN_MIRROR="http://127.0.0.1:$port/debian"
	own_data "${1:-$XB_ARCHIVE}/data" "\"http://127.0.0.1:$port/debian\""
}
export XBUILD_DATA_DIR="$XB_ARCHIVE/data"

# own_data DIRECTORY MIRRORS: data files whose archive has no other mirror than these, so that a failure on loopback never
# goes on to the mirrors that this machine's apt knows (they are for archives called "debian")
own_data() {
	rm -rf "$work/data"
	cp -r "$1" "$work/data"
	sed -i -e 's/^    debian:$/    loopback:/' -e 's/archive: debian$/archive: loopback/' -e "s|mirrors: .*|mirrors: [$2]|" \
		-e "s|snapshot: .*|snapshot: http://127.0.0.1:$port/snapshot|" "$work"/data/*/*.yaml
	export XBUILD_DATA_DIR="$work/data"
}

# faults LINE...: what the server does wrong from now on (archive/serve.py); none: nothing
faults() {
	[ $# = 0 ] || printf '%s\n' "$@" >"$work/faults.new"
	[ $# != 0 ] || : >"$work/faults.new"
	mv "$work/faults.new" "$work/faults"
}

# own_archive: a copy of the archive that the test may change, served; $archive is its directory
own_archive() {
	archive=$work/archive
	cp -r "$XB_ARCHIVE" "$archive"
	serve "$archive"
}
requests() { grep -c -- "$1" "$work/requests" || :; }

# hello_project [DIRECTORY]: a project with C, C++, a static and a shared library, a test and an image, in git
# shellcheck disable=SC2120 # most tests take the default
hello_project() {
	dir=${1:-$work/project}
	mkdir -p "$dir"
	cp -r "$XB_SOURCE/tests/cli/project/." "$dir/"
	(cd "$dir" && git init -q -b main && git add -A &&
		GIT_AUTHOR_DATE=@1700000000 GIT_COMMITTER_DATE=@1700000000 git commit -q -m start)
}

# sound_store: every blob has the content of its name, and nobody's work in progress is left
sound_store() {
	store=$XBUILD_CACHE_DIR
	[ -d "$store/blobs" ] || return 0
	left=$(find "$store/tmp" -mindepth 1 | head -n 5)
	[ -z "$left" ] || fail "left in the store: $left"
	wrong=$(cd "$store/blobs" && find . -type f -exec sha256sum {} + |
		awk '{ name = $2; gsub(/[.\/]/, "", name); if (name != $1) print $2 }')
	[ -z "$wrong" ] || fail "blobs with the content of another name: $wrong"
}

# warm_store: the store already has all that the project needs; saves unpacking where a test is about something else
warm_store() {
	[ -d "${XB_STORE:-}/trees" ] || return 0
	cp -al "$XB_STORE" "$XBUILD_CACHE_DIR" 2>/dev/null || {
		rm -rf "$XBUILD_CACHE_DIR"
		cp -a "$XB_STORE" "$XBUILD_CACHE_DIR"
	}
}

# literally TEXT: as a pattern that matches itself
# shellcheck disable=SC2016 # a pattern
literally() { printf '%s' "$1" | sed 's/[].[*^$()+?{|\\]/\\&/g'; }

# blob SHA256: path of a blob of the store
blob() { echo "$XBUILD_CACHE_DIR/blobs/$(echo "$1" | cut -c 1-2)/$(echo "$1" | cut -c 3-)"; }

# outputs [PROJECT]: digests of all that was built, to compare
# shellcheck disable=SC2120 # most tests take the project here
outputs() { (cd "${1:-.}/out" && find . -type f ! -path './images/*' -exec sha256sum {} + | LC_ALL=C sort -k 2); }

# jobs_run: how many tools the last expect ran (it was called with -v)
jobs_run() { grep -cE '^ *(CC|CXX|CPP|AS|AR|LINK|DEBUG|STRIP) ' "$work/stderr" || :; }

# image_digest OPTION...: of the only image of the project here
# shellcheck disable=SC2120 # most tests give none
image_digest() {
	expect 0 "$xbuild" image --quiet "$@"
	tail -n 1 "$work/stdout"
}

# schemas PLACE...: layouts and archives, every document by the schemas of the OCI image-spec (check_oci_schema.py)
schemas() {
	got=0
	python3 -W ignore "$XB_SOURCE/tests/cli/check_oci_schema.py" "${XB_FIXTURES:-XB_FIXTURES}/oci-schema" "$@" >"$work/stdout" 2>&1 || got=$?
	case $got in
	0) ;;
	77) echo "SKIPPED: OCI schemas ($(sed 's/.*: //' "$work/stdout"))" ;;
	*) fail "schemas: $(cat "$work/stdout")" ;;
	esac
}

# skip REASON: ends the test as skipped
skip() {
	echo "SKIPPED: $*"
	exit 77
}
