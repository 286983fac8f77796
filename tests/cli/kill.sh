#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# kill -9 at any moment: the next run gives what an undisturbed one gives, and nothing wrong or half is left behind.
# XB_KILL_ROUNDS: rounds of five kills for each of fetch and build (6).
. "$(dirname "$0")/begin.sh"
rounds=${XB_KILL_ROUNDS:-6}
serve
hello_project project
cd project

milliseconds() { date +%s%3N; }

# delays SEED LIMIT-MS: five delays in seconds, the same ones every time
delays() {
	awk -v seed="$1" -v limit="$2" 'BEGIN {
		x = seed * 7919 + 12345
		for (i = 0; i < 5; i++) {
			x = (x * 1103515245 + 12345) % 2147483648
			printf "%.3f ", x / 2147483648 * limit / 1000
		}
	}'
}

# killed COMMAND...: started five times and killed; 137 is expected, or 0 when it was faster: then the next delays are
# shorter, and it starts from nothing again
killed() {
	for part in $(delays "$round" 1000); do
		delay=$(awk -v part="$part" -v limit="$limit" 'BEGIN { printf "%.3f", part * limit / 1000 }')
		result=$(python3 "$XB_SOURCE/tests/cli/strike.py" KILL group "$delay" "$@" 2>"$work/stderr" | tail -n 1)
		case $result in "137 "* | "0 "*) ;; *) fail "killed after $delay s: $result: $(cat "$work/stderr")" ;; esac
		case $result in
		137*) hits=$((hits + 1)) ;;
		*)
			limit=$((limit * 7 / 10 + 5))
			again
			;;
		esac
	done
}

# undisturbed
expect 0 "$xbuild" lock
start=$(milliseconds)
expect 0 "$xbuild" fetch --want sysroot:linux-aarch64
limit=$(($(milliseconds) - start))
(cd "$XBUILD_CACHE_DIR/trees" && find . -type f -exec sha256sum {} + | sort -k 2) >"$work/trees"

again() {
	chmod -R u+w "$XBUILD_CACHE_DIR"
	rm -rf "$XBUILD_CACHE_DIR"
}
hits=0
round=0
while [ "$round" -lt "$rounds" ]; do
	round=$((round + 1))
	again
	killed "$xbuild" fetch --quiet --want sysroot:linux-aarch64
	expect 0 "$xbuild" fetch --want sysroot:linux-aarch64
	sound_store
	(cd "$XBUILD_CACHE_DIR/trees" && find . -type f -exec sha256sum {} + | sort -k 2) >"$work/trees.now"
	cmp -s "$work/trees" "$work/trees.now" || fail "round $round: other trees after kills"
done
[ "$hits" -ge $((rounds * 2)) ] || fail "only $hits kills of a fetch came in time"
echo "fetch: $hits kills"

expect 0 "$xbuild" fetch
start=$(milliseconds)
expect 0 "$xbuild" build
limit=$(($(milliseconds) - start))
outputs >"$work/outputs"
digest=$(image_digest --frozen)

again() { rm -rf "$XBUILD_CACHE_DIR/actions" out .xbuild; }
hits=0
round=0
while [ "$round" -lt "$rounds" ]; do
	round=$((round + 1))
	rm -rf "$XBUILD_CACHE_DIR/actions"
	# every other round starts from an older state of the project instead of from none
	if [ $((round % 2)) = 0 ]; then rm -rf out .xbuild; else echo "/* $round */" >>lib/core.h; fi
	killed "$xbuild" build --frozen --quiet
	git checkout -q lib/core.h
	[ $((round % 4)) != 3 ] || killed "$xbuild" image --frozen --quiet
	expect 0 "$xbuild" build --frozen
	sound_store
	outputs >"$work/outputs.now"
	cmp -s "$work/outputs" "$work/outputs.now" || {
		diff "$work/outputs" "$work/outputs.now" >&2
		fail "round $round: other outputs after kills"
	}
	[ -z "$(find .xbuild out -name '*.tmp*' -o -name '.tmp*' | head -n 1)" ] || fail "left: $(find .xbuild out -name '*tmp*')"
done
[ "$hits" -ge $((rounds * 2)) ] || fail "only $hits kills of a build came in time"
echo "build: $hits kills"
[ "$(image_digest --frozen)" = "$digest" ] || fail "another image after kills"
expect 0 "$xbuild" test --frozen
