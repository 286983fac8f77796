#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Ctrl-C and SIGTERM: the right exit status, soon, no process left, nothing half written; and the next run goes on.
. "$(dirname "$0")/begin.sh"
serve
warm_store
hello_project project
cd project
sed -i 's/^targets: .*/targets: [linux-x86_64]/' xbuild.yaml
expect 0 "$xbuild" lock
strike="python3 $XB_SOURCE/tests/cli/strike.py"

# struck STATUS SIGNAL WHO WHEN COMMAND...
struck() {
	wanted_status=$1
	shift
	# shellcheck disable=SC2086 # a command of two words
	result=$($strike "$@" 2>"$work/stderr") || fail "strike: $result"
	# shellcheck disable=SC2086
	set -- $result "$@"
	[ "$1" = "$wanted_status" ] || fail "$4 $5 $6: exit status $1 instead of $wanted_status: $(cat "$work/stderr")"
	awk -v took="$2" 'BEGIN { exit !(took < 2.0) }' || fail "$4 $5 $6: it took $2 s to end"
	[ "$3" = 0 ] || fail "$4 $5 $6: $3 processes left"
	sound_store
}

# downloads: slow enough that the signal comes in between
for how in 'INT group 130' 'TERM group 143' 'INT one 130' 'TERM one 143'; do
	# shellcheck disable=SC2086
	set -- $how
	rm -rf "$XBUILD_CACHE_DIR"
	: >"$work/requests"
	faults '*.deb slow 20000'
	struck "$3" "$1" "$2" "$work/requests=.deb" "$xbuild" fetch --quiet
	: >"$work/requests"
	struck "$3" "$1" "$2" "$work/requests=.deb" "$xbuild" build --quiet
done
faults '*/InRelease slow 10'
for how in 'INT group 130' 'TERM one 143'; do
	# shellcheck disable=SC2086
	set -- $how
	: >"$work/requests"
	mv xbuild.lock "$work/lock"
	struck "$3" "$1" "$2" "$work/requests=InRelease" "$xbuild" lock
	[ ! -e xbuild.lock ] || fail "half a lock"
	mv "$work/lock" xbuild.lock
done
faults

# unpacking: at some moments of it
expect 0 "$xbuild" fetch
for when in 0.05 0.3 0.7 1.2; do
	chmod -R u+w "$XBUILD_CACHE_DIR"
	rm -rf "$XBUILD_CACHE_DIR/trees"
	result=$($strike INT group "$when" "$xbuild" fetch --quiet 2>/dev/null)
	case $result in
	"130 "*" 0")
		awk -v took="$(echo "$result" | cut -d ' ' -f 2)" 'BEGIN { exit !(took < 2.0) }' || fail "unpacking went on: $result"
		;;
	"0 "*) ;; # it was faster
	*) fail "interrupted while unpacking: $result" ;;
	esac
	sound_store
done
expect 0 "$xbuild" fetch

# compiling: a source that takes the compiler long enough
awk 'BEGIN { for (i = 0; i < 60000; i++) printf "int f%d(int a, int b) { return a * %d + b / (a | 1); }\n", i, i }' >app/slow.c
for how in 'INT group 130' 'TERM group 143' 'INT one 130' 'TERM one 143'; do
	# shellcheck disable=SC2086
	set -- $how
	rm -rf out .xbuild "$XBUILD_CACHE_DIR/actions"
	struck "$3" "$1" "$2" 1.5 "$xbuild" build --quiet
	half=$(find out .xbuild -name '*slow*' -o -name '*.tmp*' -o -name hello | head -n 3)
	[ -z "$half" ] || fail "half written: $half"
	silent_about 'slow\.c.*error|Stack dump|PLEASE submit'
done
rm app/slow.c
expect 0 "$xbuild" build
expect 0 "$xbuild" test

# tests of the project that do not end
cat >tiny.c <<'C'
#include <unistd.h>
int main(void)
{
	for (;;)
		pause();
}
C
sed -i 's/^  greets: .*/  hangs: { run: [build:tiny] }/' xbuild.yaml
expect 0 "$xbuild" build
for how in 'INT group 130' 'TERM one 143'; do
	# shellcheck disable=SC2086
	set -- $how
	struck "$3" "$1" "$2" 1 "$xbuild" test --frozen --quiet
done
