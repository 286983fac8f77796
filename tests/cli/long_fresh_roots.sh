#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# What somebody sees who has just installed Debian and cloned this: scripts/demo and scripts/test, in a bookworm as root and
# in a trixie as a user with sudo, each made by debootstrap from the mirror of this machine. What is committed is what is
# tested. Both must give the image that this machine gives, byte for byte.
#
# scripts/demo runs in both; scripts/test, which takes ten minutes, in the release that this machine is not, where it ran
# already. XBUILD_FRESH_SUITES and XBUILD_FRESH_TESTS say otherwise, XBUILD_FRESH_LOGS where the logs go.
proxies=$(env | grep -iE '^(https?|all|no)_proxy=' || :)
. "$(dirname "$0")/begin.sh"
unset XBUILD_DEBIAN_MIRROR XBUILD_DATA_DIR
suites=${XBUILD_FRESH_SUITES:-bookworm trixie}
logs=${XBUILD_FRESH_LOGS:-$work}
[ "$(id -u)" = 0 ] || skip "debootstrap and chroot need root"
for tool in debootstrap apt-get chroot; do command -v "$tool" >/dev/null || skip "$tool is not installed"; done
unshare -m -p --fork true 2>/dev/null || skip "no name spaces of mounts and processes (unshare -m -p)"
mknod "$work/null" c 1 3 2>/dev/null || skip "no device nodes can be made here (mknod)"

# The mirror of a suite of this machine, as apt reads its own sources.
codename=$(sed -n 's/^VERSION_CODENAME=//p' /etc/os-release)
tests=${XBUILD_FRESH_TESTS:-$(echo "$suites" | tr ' ' '\n' | grep -vx "$codename" | tr '\n' ' ')}
mirror_of() {
	# shellcheck disable=SC2016 # apt's own variables
	apt-get indextargets --format '$(RELEASE) $(REPO_URI)' 'Created-By: Packages' |
		sed -nE "s/^$codename$1 (https?:.*)/\1/p" | head -n 1
}
mirror=$(mirror_of "")
[ -n "$mirror" ] || skip "this machine's apt has no http mirror of Debian"
security=$(mirror_of "-security")

# inside ROOT SCRIPT: with nothing of this machine's environment. The mounts are gone with the name space that they are in:
# nothing outside ever sees them, so nothing can be removed through them. The root is one by pivot_root: the kernel gives no
# name spaces to a user in a chroot, which is no place that people work in.
inside() {
	# shellcheck disable=SC2016 # of the inner shell
	unshare -m -p --fork --kill-child sh -euc '
		mount --bind "$1" "$1"
		cd "$1"
		mount -t proc proc proc
		mount -t devpts devpts dev/pts
		mount -t tmpfs tmpfs dev/shm
		mkdir -p mnt/outside
		pivot_root . mnt/outside
		cd /
		umount -l mnt/outside
		exec env -i HOME=/root PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin TERM=dumb $3 \
			sh -euc "$2" </dev/null' sh "$1" "$2" "$proxies"
}

# as_user ROOT SCRIPT: in the clone, as root where nobody is called newcomer
as_user() {
	if [ -d "$1/home/newcomer" ]; then
		inside "$1" "cd /home/newcomer/xbuild && exec setpriv --reuid newcomer --regid newcomer --init-groups \
			env HOME=/home/newcomer USER=newcomer sh -euc '$2'"
	else
		inside "$1" "cd /root/xbuild; $2"
	fi
}

# logged NAME COMMAND...: says how long it took, and on failure the end of what was said
logged() {
	name=$1
	shift
	begun=$(date +%s)
	"$@" >"$logs/$name.log" 2>&1 || {
		grep -E '\*\*\*|^FAIL|rror:' "$logs/$name.log" | head -n 40 >&2
		tail -n 60 "$logs/$name.log" >&2
		fail "$name"
	}
	echo "$name: $(($(date +%s) - begun)) s"
}

new_root() {
	root=$work/$1
	logged "$1-debootstrap" debootstrap --variant=minbase "$1" "$root" "$mirror"
	{
		echo "deb $mirror $1 main"
		echo "deb $mirror $1-updates main"
		[ -z "$security" ] || echo "deb $security $1-security main"
	} >"$root/etc/apt/sources.list"
	apt-config dump | grep -E '^Acquire::(https?|Check-[A-Za-z-]*|Retries)[: ]' >"$root/etc/apt/apt.conf.d/90host" || :
	cp /etc/resolv.conf /etc/hosts "$root/etc/"
	home=$root/root
	if [ "$1" != bookworm ]; then
		logged "$1-user" inside "$root" 'apt-get update -q; apt-get install -q -y --no-install-recommends sudo
			useradd -m newcomer; echo "newcomer ALL=(ALL) NOPASSWD: ALL" >/etc/sudoers.d/newcomer'
		home=$root/home/newcomer
	fi
	clone "$home/xbuild"
	[ "$1" = bookworm ] || inside "$root" 'chown -R newcomer:newcomer /home/newcomer'
}

# the same commit everywhere, whatever is committed meanwhile: an image tells its commit
commit=$(GIT_CONFIG_COUNT=1 GIT_CONFIG_KEY_0=safe.directory GIT_CONFIG_VALUE_0='*' git -C "$XB_SOURCE" rev-parse HEAD)
clone() {
	GIT_CONFIG_COUNT=1 GIT_CONFIG_KEY_0=safe.directory GIT_CONFIG_VALUE_0='*' \
		git clone -q --no-hardlinks "$XB_SOURCE" "$1" 2>"$work/clone.log" || {
		cat "$work/clone.log" >&2
		fail "git clone"
	}
	git -C "$1" -c safe.directory="$1" reset -q --hard "$commit"
}

# same_image NAME: what the last line of $logs/NAME.log says must be what the first root said
same_image() {
	digest=$(grep -E '^sha256:[0-9a-f]{64}$' "$logs/$1.log" | tail -n 1)
	[ -n "$digest" ] || fail "$1 gives no digest"
	[ -s "$work/digest" ] || echo "$digest $1" >"$work/digest"
	[ "$(cut -d ' ' -f 1 "$work/digest")" = "$digest" ] || fail "$1 gives $digest, but $(cat "$work/digest")"
}

for suite in $suites; do
	new_root "$suite"
	hello=$home/xbuild/examples/hello
	logged "$suite-demo" as_user "$root" scripts/demo
	for said in '4 passed, 0 failed, 0 skipped' '^run .*linux-aarch64 +passed +qemu-aarch64' '^[A-Za-z0-9._-]+-[0-9]{14}-[0-9a-f]{7}$'; do
		grep -qE -- "$said" "$logs/$suite-demo.log" || fail "the demo in $suite does not say '$said'"
	done
	# two locks of one day may differ, when the archive moved meanwhile
	[ -s "$work/lock" ] || cp "$hello/xbuild.lock" "$work/lock"
	cat "$work/lock" >"$hello/xbuild.lock"
	logged "$suite-image" as_user "$root" 'cd examples/hello; exec ../../build/release/bin/xbuild image'
	same_image "$suite-image"
	case " $tests " in *" $suite "*)
		logged "$suite-test" as_user "$root" scripts/test
		grep -E 'tests passed|\*\*\*(Skipped|Not Run)|^[a-z]+/[a-z_]+ skipped: ' "$logs/$suite-test.log" ||
			fail "scripts/test in $suite ran no test"
		# the packages that scripts/test installs are all that it needs; but for these
		lacks=$(grep -E '^[a-z]+/[a-z_]+ skipped: ' "$logs/$suite-test.log" |
			grep -vE "clang-format 14|OCI schemas|root's rights|needs root|not root" || :)
		[ -z "$lacks" ] || fail "skipped in $suite: $lacks"
		;;
	esac
	rm -rf --one-file-system "$root"
done

clone "$work/here"
cp "$work/lock" "$work/here/examples/hello/xbuild.lock"
logged here-image "$xbuild" -C "$work/here/examples/hello" image
same_image here-image
echo "one image everywhere: $(cut -d ' ' -f 1 "$work/digest")"
