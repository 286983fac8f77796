#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# A disk that is full at any point: exit status 4, which file and "No space left", and when there is room again the same
# command succeeds. In a mount name space of its own, so that nobody else sees the small disks.
if [ "${XB_UNSHARED:-}" = "" ]; then
	if unshare -m true 2>/dev/null; then
		XB_UNSHARED=1 exec unshare -m sh "$0"
	elif unshare -Urm true 2>/dev/null; then
		XB_UNSHARED=1 exec unshare -Urm sh "$0"
	fi
	echo "SKIPPED: neither root nor user name spaces (unshare -m, unshare -Urm)"
	exit 77
fi
. "$(dirname "$0")/begin.sh"
own_archive
python3 "$XB_SOURCE/tests/cli/archive/evil.py" "$archive" "$work/canary" bomb
serve "$archive"
hello_project project

at_end() { umount "$work/tiny" "$work/cache" 2>/dev/null || :; }

# small DIRECTORY SIZE: a disk of that size there, or the one that is there gets that size
small() {
	mkdir -p "$1"
	if mountpoint -q "$1"; then
		# with both names the old options are not read: in a user name space they say users that it does not know
		mount -t tmpfs -o "remount,size=$2" tmpfs "$1"
	else
		mount -t tmpfs -o "size=$2,mode=700" tmpfs "$1"
	fi
}
full() {
	says "$1"
	says 'No space left on device'
}

# undisturbed, on the large disk
cd project
export XBUILD_CACHE_DIR="$work/large"
expect 0 "$xbuild" lock
cp xbuild.lock "$work/good.lock"
expect 0 "$xbuild" fetch
digest=$(image_digest)
outputs >"$work/outputs"
size=$(du -sm "$work/large" | cut -f 1)
git clean -qfdx

# the store
export XBUILD_CACHE_DIR="$work/cache"
small "$work/cache" 8k
expect 4 "$xbuild" lock
full "$work/cache"
[ ! -e xbuild.lock ] || fail "a lock was written"
cp "$work/good.lock" xbuild.lock
for part in 1 10 25 40 60 80; do
	small "$work/cache" $((size * part / 100 + 1))m
	expect 4 "$xbuild" fetch
	full "$work/cache"
	sound_store
done
small "$work/cache" $((size + 200))m
expect 0 "$xbuild" fetch
sound_store
# results of compiling do not fit either
used=$(du -sk "$work/cache" | cut -f 1)
for more in 4 40 120; do
	small "$work/cache" $((used + more))k
	expect 4 "$xbuild" image --frozen
	full "$work/cache"
	silent_about 'Stack dump|PLEASE submit'
done
small "$work/cache" $((size + 200))m
[ "$(image_digest --frozen)" = "$digest" ] || fail "another image after a full store"
outputs >"$work/outputs.now"
cmp -s "$work/outputs" "$work/outputs.now" || fail "other outputs after a full store"
sound_store

# a package that unpacks to more than there is room for, from next to nothing
mkdir "$work/victim" && cd "$work/victim"
echo 'int main(void) { return 0; }' >a.c
cat >xbuild.yaml <<-'YAML'
	name: victim
	toolchain: { llvm: "19" }
	sysroot: { debian: test, packages: [evil-bomb] }
	hosts: [linux-x86_64]
	targets: [linux-aarch64]
	build: { victim: { sources: [a.c] } }
YAML
expect 0 "$xbuild" lock
expect 4 timeout 120 "$xbuild" fetch --want sysroot:linux-aarch64
full "$work/cache"
says 'evil-bomb'
sound_store
[ $(($(du -sm "$work/cache" | cut -f 1))) -lt $((size + 50)) ] || fail "the bomb's bytes were left"

# the project's own disk
small "$work/tiny" 300m
cp -r "$work/project" "$work/tiny/project"
cd "$work/tiny/project"
rm -rf out .xbuild
used=$(du -sk "$work/tiny" | cut -f 1)
for more in 4 16 40 80 160; do
	small "$work/tiny" $((used + more))k
	expect 4 "$xbuild" image --frozen
	full "$work/tiny/project"
	sound_store
done
small "$work/tiny" 300m
[ "$(image_digest --frozen)" = "$digest" ] || fail "another image after a full project disk"
outputs >"$work/outputs.now"
cmp -s "$work/outputs" "$work/outputs.now" || fail "other outputs after a full project disk"
cd "$work"

# another build system: the store, where it installs, and the project, where it builds, are full at any point
command -v make >/dev/null || exit 0
export XBUILD_CACHE_DIR="$work/large"
make_project() {
	mkdir -p "$1"
	cat >"$1/Makefile" <<'MAKE'
made: made.c
	$(CC) $(CFLAGS) -o $@ $<
	dd if=/dev/zero of=big bs=65536 count=64
install: made
	mkdir -p $(DESTDIR)/usr/bin
	cp made $(DESTDIR)/usr/bin/made
	cp big $(DESTDIR)/usr/big
MAKE
	echo 'int main(void) { return 0; }' >"$1/made.c"
	cat >"$1/xbuild.yaml" <<-'YAML'
		name: made
		toolchain: { llvm: "19" }
		sysroot: { debian: test }
		hosts: [linux-x86_64]
		targets: [linux-x86_64]
		build:
		  made: { make: { dir: . }, outputs: [bin/made] }
	YAML
}
umount "$work/tiny"
small "$work/tiny" 300m
make_project "$work/tiny/made"
cd "$work/tiny/made"
expect 0 "$xbuild" lock
expect 0 "$xbuild" build
outputs >"$work/made"
for more in 4 64 400 3000; do
	rm -rf out .xbuild "$work/large/actions"
	used=$(du -sk "$work/tiny" | cut -f 1)
	small "$work/tiny" $((used + more))k
	expect 4 "$xbuild" build
	says 'No space left on device'
	says "$work/tiny/made"
	small "$work/tiny" 300m
	sound_store
	expect 0 "$xbuild" build
	outputs | cmp -s - "$work/made" || fail "other outputs after a full project disk ($more k)"
done

# the store's: it is linked with the tools, so those are copied to it first
umount "$work/cache"
small "$work/cache" $((size + 400))m
cp -a "$work/large/." "$work/cache/"
export XBUILD_CACHE_DIR="$work/cache"
expect 0 "$xbuild" build
for more in 8 400 3000; do
	rm -rf out .xbuild "$work/cache/actions"
	# what it had kept is asked for again
	big=$(blob "$(head -c 4194304 /dev/zero | sha256sum | cut -d ' ' -f 1)")
	rm -f "$big"
	used=$(($(df -k --output=used "$work/cache" | tail -n 1) + 0))
	small "$work/cache" $((used + more))k
	expect 4 "$xbuild" build
	full "$work/cache"
	sound_store
	small "$work/cache" $((size + 400))m
	expect 0 "$xbuild" build
	outputs | cmp -s - "$work/made" || fail "other outputs after a full store ($more k)"
done
cd "$work"
