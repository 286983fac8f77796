#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# A bug in either program ends with exit status 70, which says that trying again does not help.
. "$(dirname "$0")/begin.sh"
serve
hello_project project
cd project

# the helper is looked for beside the program
mkdir "$work/bin"
cp "$XB_BIN/xbuild" "$work/bin/"
# helper COMMAND...: all that xbuild-supply does
helper() {
	printf '#!/bin/sh\n%s\n' "$*" >"$work/bin/xbuild-supply"
	chmod 755 "$work/bin/xbuild-supply"
}
for signal in SEGV ABRT BUS ILL FPE; do
	helper "kill -$signal \$\$"
	expect 70 "$work/bin/xbuild" build
	says 'xbuild-supply ended with'
done
helper 'exit 70'
expect 70 "$work/bin/xbuild" build
says 'xbuild-supply ended with'
# what somebody else ends is no bug
# shellcheck disable=SC2016 # of the shell that is the helper
helper 'kill -KILL $$'
expect 4 "$work/bin/xbuild" build
says 'xbuild-supply ended with'

# what assert(3) and a lack of memory do, in both programs
# shellcheck disable=SC2016 # of the shell that is the helper
helper 'kill -ABRT $PPID'
expect 70 "$work/bin/xbuild" build
faults '*/InRelease slow 1'
"$xbuild" lock 2>"$work/stderr" &
pid=$!
tries=0
until grep -q InRelease "$work/requests"; do
	tries=$((tries + 1))
	[ "$tries" -lt 400 ] || fail "nothing was asked for: $(cat "$work/stderr")"
	sleep 0.05
done
kill -ABRT "$pid"
got=0
wait "$pid" || got=$?
[ "$got" = 70 ] || fail "exit status $got after SIGABRT instead of 70"
