#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# What somebody sees who has just installed Debian: scripts/demo in a fresh bookworm and a fresh trixie, scripts/test in the
# bookworm. The mirror is this machine's own.
if [ "${XB_UNSHARED:-}" = "" ]; then
	[ "$(id -u)" = 0 ] || {
		echo "SKIPPED: needs root for debootstrap and chroot"
		exit 77
	}
	unshare -m true 2>/dev/null || {
		echo "SKIPPED: no mount name spaces (unshare -m)"
		exit 77
	}
	XB_UNSHARED=1 exec unshare -m sh "$0"
fi
. "$(dirname "$0")/begin.sh"
command -v debootstrap >/dev/null || skip "no debootstrap"
mirror=$(sed -nE -e 's/^URIs: *(http[^ ]*\/debian)\/?.*/\1/p' -e 's/^deb .*(http[^ ]*\/debian)\/? .*/\1/p' \
	/etc/apt/sources.list /etc/apt/sources.list.d/*.sources /etc/apt/sources.list.d/*.list 2>/dev/null | head -n 1)
[ -n "$mirror" ] || skip "no Debian mirror in this machine's apt sources"

# inside ROOT COMMAND...: as a new user would, with nothing of this machine's environment
inside() {
	root=$1
	shift
	env -i HOME=/root PATH=/usr/sbin:/usr/bin:/sbin:/bin TERM=dumb DEBIAN_FRONTEND=noninteractive chroot "$root" "$@"
}

# new_root SUITE: a minimal system in $work/SUITE with the tracked files of the checkout in /root/xbuild
new_root() {
	root=$work/$1
	debootstrap --variant=minbase "$1" "$root" "$mirror" >"$work/$1.log" 2>&1 || {
		tail -n 20 "$work/$1.log" >&2
		fail "debootstrap $1"
	}
	cp /etc/resolv.conf "$root/etc/resolv.conf"
	cp /etc/hosts "$root/etc/hosts"
	for file in /etc/apt/apt.conf /etc/apt/apt.conf.d/*proxy*; do
		[ -f "$file" ] && cp "$file" "$root/etc/apt/apt.conf.d/"
	done
	mount -t proc proc "$root/proc"
	mount -t devtmpfs devtmpfs "$root/dev" 2>/dev/null || mount --bind /dev "$root/dev"
	mkdir -p "$root/dev/pts" "$root/dev/shm"
	mount -t tmpfs tmpfs "$root/dev/shm"
	mkdir -p "$root/root/xbuild"
	(cd "$XB_SOURCE" && git ls-files -z | xargs -0 tar -cf - --no-recursion) | tar -xf - -C "$root/root/xbuild"
	(cd "$root/root/xbuild" && git init -q -b main && git add -A && git commit -q -m checkout)
}

end_root() {
	umount "$work/$1/dev/shm" "$work/$1/dev" "$work/$1/proc"
	rm -rf "${work:?}/$1"
}

for suite in bookworm trixie; do
	new_root "$suite"
	inside "$work/$suite" sh -c 'cd /root/xbuild && exec scripts/demo' >"$work/$suite.demo" 2>&1 || {
		tail -n 40 "$work/$suite.demo" >&2
		fail "scripts/demo in a fresh $suite"
	}
	grep -q '^sha256:' "$work/$suite.demo" || fail "scripts/demo in a fresh $suite gives no digest"
	sed -n 's/^sha256://p' "$work/$suite.demo" | tail -n 1 >"$work/$suite.digest"
	if [ "$suite" = bookworm ]; then
		inside "$work/$suite" sh -c 'cd /root/xbuild && exec scripts/test' >"$work/$suite.test" 2>&1 || {
			tail -n 60 "$work/$suite.test" >&2
			fail "scripts/test in a fresh $suite"
		}
		grep -E 'tests passed|Skipped|\*\*\*' "$work/$suite.test" || :
	fi
	end_root "$suite"
done
