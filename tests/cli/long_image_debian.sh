#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# The shipped bases of Debian packages against Debian's real archive, in two releases: names that differ, programs that run.
. "$(dirname "$0")/begin.sh"
unset XBUILD_DEBIAN_MIRROR XBUILD_DATA_DIR
case $(uname -m) in x86_64) native=amd64 foreign=arm64 qemu=qemu-aarch64 ;; *) native=arm64 foreign=amd64 qemu=qemu-x86_64 ;; esac
for tool in skopeo umoci $qemu openssl; do command -v "$tool" >/dev/null || skip "no $tool"; done
mkdir project
cd project
cat >hi.cc <<'CC'
#include <fstream>
#include <iostream>
#include <pwd.h>
#include <unistd.h>

int main(int argc, char **)
{
	std::ifstream release(argc > 1 ? "/dev/null" : "/etc/os-release");
	const passwd *who = getpwuid(getuid());
	std::string line;

	std::getline(release, line);
	std::cout << "hi " << (who ? who->pw_name : "?") << " of " << line << "\n";
}
CC
printf '#include <stdio.h>\nint main(void)\n{\n\tputs("no libraries");\n\treturn 0;\n}\n' >alone.c

# unpack IMAGE ARCH: its files in $root
unpack() {
	rm -rf "$work/one" "$work/bundle"
	skopeo copy -q --override-os linux --override-arch "$2" "oci:out/images/$1" "oci:$work/one:x"
	if [ "$(id -u)" = 0 ]; then rootless=; else rootless=--rootless; fi
	# shellcheck disable=SC2086
	umoci unpack $rootless --image "$work/one:x" "$work/bundle" >/dev/null 2>&1
	root=$work/bundle/rootfs
}

# runs EXPECTED PROGRAM: as the user of the image where that can be
runs() {
	if [ "$(id -u)" != 0 ]; then
		echo "SKIPPED: chroot (not root)"
		return
	fi
	said=$(chroot --userspec=65532:65532 "$root" "$2" 2>&1) || fail "$2 fails: $said"
	[ "$said" = "$1" ] || fail "$2 says $said"
}

for release in bookworm trixie; do
	case $release in bookworm) number=12 ssl=libssl3 ;; *) number=13 ssl=libssl3t64 ;; esac
	cat >xbuild.yaml <<YAML
name: bases
sysroot: { debian: $release }
build:
  hi: { sources: [hi.cc] }
  alone: { sources: [alone.c], ldflags: [-static] }
image:
  hi: { base: debian-cc, user: nonroot }
  alone: { base: debian-static, user: nonroot }
  shell: { base: { debian: [base-files, bash, curl] }, files: { /etc/motd: alone.c }, cmd: [/bin/bash] }
YAML
	rm -rf xbuild.lock
	expect 0 "$xbuild" lock
	expect 0 "$xbuild" image
	for name in hi alone shell; do expect 0 "$xbuild" verify "out/images/$name"; done
	unpack hi $native
	runs "hi nonroot of PRETTY_NAME=\"Debian GNU/Linux $number ($release)\"" /usr/bin/hi
	[ -s "$root/var/lib/dpkg/status.d/$ssl" ] || fail "$release: no record of $ssl"
	[ -s "$root/usr/share/zoneinfo/Europe/Berlin" ] || fail "$release: no time zones"
	# every certificate is in the bundle, as openssl reads it
	n=$(find "$root/usr/share/ca-certificates" -name '*.crt' | wc -l)
	[ "$n" -gt 100 ] || fail "$release: $n certificates"
	[ "$(openssl crl2pkcs7 -nocrl -certfile "$root/etc/ssl/certs/ca-certificates.crt" | openssl pkcs7 -print_certs -noout | grep -c '^subject')" = "$n" ] ||
		fail "$release: other certificates in the bundle"
	# in the order that the machine's own script has, where that has made one
	if [ -s /etc/ca-certificates.conf ]; then
		sed -n '/^[^#!]/p' /etc/ca-certificates.conf | LC_ALL=C sort -c || fail "Debian's order is another one"
	fi
	unpack hi $foreign
	said=$($qemu -L "$root" "$root/usr/bin/hi" x) || fail "$release: hi fails under $qemu"
	case $said in hi*) ;; *) fail "$release: it says $said" ;; esac
	unpack alone $native
	runs 'no libraries' /usr/bin/alone
	[ -z "$(find "$root" -name '*.so*')" ] || fail "$release: a static base with libraries"
	unpack shell $native
	if [ -e "$root/usr/bin/dpkg" ] || [ -e "$root/usr/bin/perl" ]; then fail "$release: what scripts need is there"; fi
	if [ "$(id -u)" = 0 ]; then
		# shellcheck disable=SC2016 # for the shell in the image
		[ "$(chroot "$root" /bin/bash -c 'echo $((6 * 7)); curl --version' | sed -n '1p; s/^curl .*OpenSSL.*/curl/p' | tr '\n' ' ')" = '42 curl ' ] ||
			fail "$release: bash and curl"
	fi
done
