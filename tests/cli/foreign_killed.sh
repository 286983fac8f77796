#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# kill -9 of xbuild and of everything that it has started, while another build system configures, compiles and installs: the
# next run gives what an undisturbed one gives. Each step waits at a gate, so that every kill hits the point that is meant. And
# what a step leaves running in the background ends with its build, however that ends.
. "$(dirname "$0")/begin.sh"
for tool in cmake ninja make; do
	command -v $tool >/dev/null || skip "no $tool"
done
serve
warm_store
mkdir -p project/c project/m
cd project
git init -q -b main
cat >xbuild.yaml <<'YAML'
name: killed
toolchain: { llvm: "19" }
sysroot: { debian: test }
hosts: [linux-x86_64]
targets: [linux-aarch64]
build:
  c:
    cmake: { dir: c }
    outputs: [bin/c, share/parts]
  m:
    make: { dir: m }
    outputs: [bin/m]
YAML
# gate NAME: what stops there when a test wants to kill it; written into the build systems' own files
gates=$work/gates
mkdir "$gates"
cat >"$work/gate" <<SH
#!/bin/sh
[ -e "$gates/\$1" ] || exit 0
touch "$gates/\$1.reached"
exec sleep 300.25
SH
chmod +x "$work/gate"
# shellcheck disable=SC2016 # of the shell that is written
printf '#!/bin/sh\necho half >one.h\n%s/gate generate\necho "#define ONE $1" >one.h\n' "$work" >"$work/one"
chmod +x "$work/one"
cat >c/CMakeLists.txt <<CMAKE
cmake_minimum_required(VERSION 3.16)
project(c C)
set(ANSWER 1 CACHE STRING "half of it is written when the configure step is killed")
execute_process(COMMAND $work/gate configure)
set(ANSWER 2 CACHE STRING "" FORCE)
add_custom_command(OUTPUT one.h COMMAND $work/one \${ANSWER})
include_directories(\${CMAKE_CURRENT_BINARY_DIR})
add_executable(c c.c one.h)
install(TARGETS c)
install(CODE "file(WRITE \\\$ENV{DESTDIR}/usr/share/parts/first first)")
install(CODE "execute_process(COMMAND $work/gate install)")
install(CODE "file(WRITE \\\$ENV{DESTDIR}/usr/share/parts/second second)")
CMAKE
printf '#include "one.h"\nint main(void) { return ONE; }\n' >c/c.c
# no .DELETE_ON_ERROR: a file that was begun looks finished to make
cat >m/Makefile <<MAKE
m: m.c m.h
	\$(CC) \$(CFLAGS) -o \$@ \$<
m.h:
	echo '#define HALF' >\$@
	$work/gate make
	echo '#define WHOLE 3' >>\$@
install: m
	mkdir -p \$(DESTDIR)/usr/bin
	cp m \$(DESTDIR)/usr/bin/m
MAKE
printf '#include "m.h"\n#ifndef WHOLE\n#define WHOLE 4\n#endif\nint main(void) { return WHOLE; }\n' >m/m.c
expect 0 "$xbuild" lock
expect 0 "$xbuild" fetch
expect 0 "$xbuild" build
outputs >"$work/outputs"
cp -a "$XBUILD_CACHE_DIR/actions" "$work/actions" 2>/dev/null || :

wait_for() {
	tries=0
	until [ -e "$1" ]; do
		tries=$((tries + 1))
		[ "$tries" -lt 1200 ] || fail "nothing came to $1: $(cat "$work/stderr")"
		sleep 0.05
	done
}

# killed GATE WHOM UNIT: `all`, the whole session; `xbuild`, it alone: what it has started goes on until it is killed later
killed() {
	rm -rf "$XBUILD_CACHE_DIR/actions" out
	rm -f "$gates"/*
	touch "$gates/$1"
	setsid "$xbuild" build "$3" >"$work/stdout" 2>"$work/stderr" &
	leader=$!
	wait_for "$gates/$1.reached"
	[ "$2" = all ] || kill -KILL "$leader"
	rm "$gates/$1"
	# by session: nothing of anybody else's has this number while its leader is not waited for
	members=$(ps -o pid= -s "$leader")
	# shellcheck disable=SC2086 # a list
	[ "$2" = xbuild ] || kill -KILL $members
	wait "$leader" || :
	# what was not killed: the sleeping gate and those above it, one by one, so that the lock is free
	while members=$(ps -o pid= -s "$leader" 2>/dev/null) && [ -n "$members" ]; do
		# shellcheck disable=SC2086 # a list
		kill -KILL $members 2>/dev/null || :
	done
	[ -z "$(find .xbuild/foreign/*/*/"$3"-* -name made-of)" ] || fail "$1: the directory of the killed run counts as whole"
}

for who in all xbuild; do
	for gate in configure generate install make; do
		unit=c
		[ $gate != make ] || unit=m
		# from nothing, and in a directory that was built before
		for state in new old; do
			if [ $state = new ]; then
				rm -rf .xbuild
			else
				# what makes every step run again
				echo "/* $who $gate */" | tee -a m/m.c >>c/c.c
				echo "# $who $gate" >>c/CMakeLists.txt
				rm -f .xbuild/foreign/*/*/*/build/one.h .xbuild/foreign/*/*/*/src/m.h
			fi
			killed $gate $who $unit
			expect 0 "$xbuild" build
			sound_store
			[ -n "$(find .xbuild/foreign/*/*/$unit-* -name made-of)" ] || fail "$gate: the directory does not count as whole"
			[ ! -e .xbuild/jobserver ] || fail "$gate: the FIFO is still there"
			outputs >"$work/outputs.now"
			cmp -s "$work/outputs" "$work/outputs.now" || {
				diff "$work/outputs" "$work/outputs.now" >&2
				fail "$who $gate $state: other outputs after the kill"
			}
		done
	done
done

# A recipe's process in the background, which only SIGKILL ends
mkdir b
cat >b/Makefile <<MAKE
all:
	(trap '' TERM INT HUP; exec sleep 300.75) & echo \$\$! >$work/left
	$work/gate background
install:
	mkdir -p \$(DESTDIR)/usr/share
	echo b >\$(DESTDIR)/usr/share/b
MAKE
printf '  b: { make: { dir: b }, outputs: [share/b] }\n' >>xbuild.yaml
# nothing_left HOW: the process has ended, or is about to; killed where it has not, so that a failure leaves nothing either
nothing_left() {
	tries=0
	while ps -o stat= -p "$(cat "$work/left")" | grep -qv Z; do
		tries=$((tries + 1))
		[ "$tries" -lt 200 ] || {
			kill -KILL "$(cat "$work/left")"
			fail "$1: what a recipe had started in the background is still there"
		}
		sleep 0.05
	done
	rm "$work/left"
}
for how in end TERM; do
	rm -rf "$XBUILD_CACHE_DIR/actions" out .xbuild "${gates:?}"/*
	case $how in
	end) expect 0 "$xbuild" build b ;;
	*)
		touch "$gates/background"
		"$xbuild" build b >"$work/stdout" 2>"$work/stderr" &
		leader=$!
		wait_for "$gates/background.reached"
		kill -"$how" "$leader"
		wait "$leader" && fail "$how: it went on"
		says interrupted
		;;
	esac
	nothing_left "$how"
done
