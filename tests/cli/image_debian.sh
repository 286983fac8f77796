#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Images that stand on Debian packages: what is locked, what is in them, what is refused.
. "$(dirname "$0")/begin.sh"
own_archive
warm_store
hello_project project
cd project
case $(uname -m) in x86_64) native=amd64 triple=x86_64-linux-gnu ;; *) native=arm64 triple=aarch64-linux-gnu ;; esac

# base BASE [PACKAGES]: what the image stands on
base() {
	git checkout -q xbuild.yaml
	sed -i "s/^    base: auto\$/    base: $1${2:+\n    packages: $2}/" xbuild.yaml
}

# locked IMAGE TARGET: "name version" of its list
locked() {
	python3 -c 'import json, sys
for p in json.load(open("xbuild.lock"))["images"][sys.argv[1]][sys.argv[2]]: print(p["name"], p["version"])' "$1" "$2"
}

# rootfs: the native platform's files in $work/rootfs, as umoci unpacks them
rootfs() {
	rm -rf "$work/one" "$work/bundle"
	skopeo copy -q --override-os linux --override-arch $native oci:out/images/hello "oci:$work/one:x"
	if [ "$(id -u)" = 0 ]; then
		umoci unpack --image "$work/one:x" "$work/bundle" >/dev/null 2>&1
	else
		umoci unpack --rootless --image "$work/one:x" "$work/bundle" >/dev/null 2>&1
	fi
	root=$work/bundle/rootfs
}

# a lock without lists of images is what it was
expect 0 "$xbuild" lock
if grep -q '"images"' xbuild.lock; then fail "base auto is in the lock"; fi
cp xbuild.lock "$work/auto.lock"

# names that nobody has, at their place
base debian-statik
expect 2 "$xbuild" lock
says "xbuild.yaml:31:11: .*there is no base 'debian-statik'"
says "did you mean 'debian-static'"
base '{ debian: [base-files, ca-certificate] }'
expect 2 "$xbuild" lock
says "xbuild.yaml:31:34: .*package 'ca-certificate' does not exist"
says "did you mean 'ca-certificates'"

# a base of names: their dependencies are followed, those of plain files and what only scripts need are not
base '{ debian: [base-files, ca-certificates, tzdata, set-id, libstdc++6, libtally1] }'
expect 3 "$xbuild" image --locked
says "base of image 'hello': locked nothing, now debian \\[base-files, "
says "run 'xbuild lock'"
expect 0 "$xbuild" lock
prints '^\+ base-files 99.1 \(image hello, linux-x86_64\)$'
for target in linux-x86_64 linux-aarch64; do
	names=$(locked hello $target | cut -d ' ' -f 1 | grep -v '^gcc-.*-base$' | tr '\n' ' ')
	[ "$names" = 'base-files ca-certificates libc6 libgcc-s1 libstdc++6 libtally1 set-id tzdata ' ] || fail "$target locks $names"
done
: >"$work/requests"
expect 0 "$xbuild" lock
[ ! -s "$work/requests" ] || fail "an up-to-date lock asked the network"
expect 0 "$xbuild" fetch
: >"$work/requests"
expect 0 "$xbuild" image --offline
[ ! -s "$work/requests" ] || fail "fetch did not bring all packages: $(cat "$work/requests")"
digest=$(tail -n 1 "$work/stdout")
says 'hello, .* packages base-files, ca-certificates, .*libtally1, set-id, tzdata$'
expect 0 "$xbuild" verify out/images/hello

if command -v skopeo >/dev/null && command -v umoci >/dev/null; then
	rootfs
	# files, merged /usr, modes
	[ "$(cat "$root/etc/debian_version")" = 99.1 ] || fail "base-files is not there"
	[ "$(readlink "$root/etc/os-release")" = ../usr/lib/os-release ] || fail "os-release"
	grep -q '^ID=debian' "$root/etc/os-release" || fail "os-release"
	[ "$(readlink "$root/lib")" = usr/lib ] || fail "/lib is not merged"
	[ "$(readlink "$root/var/run")" = ../run ] || fail "/var/run"
	[ -e "$root/usr/share/zoneinfo/Etc/UTC" ] || fail "files of packages"
	[ -e "$root/usr/lib/$triple/libtally.so.1" ] || fail "files of packages"
	if [ -e "$root/usr/share/doc/base-files/README" ] || [ -e "$root/usr/share/bash-completion" ]; then fail "what is left out is there"; fi
	[ -e "$root/usr/share/doc/base-files/copyright" ] || fail "no copyright"
	[ "$(stat -c %a "$root/tmp" "$root/root" "$root/home/nonroot" | tr '\n' ' ')" = '1777 700 700 ' ] || fail "modes of directories"
	if [ "$(id -u)" = 0 ]; then
		# umoci sets what the layer says; without root the kernel may drop these bits
		[ "$(stat -c %a "$root/usr/bin/set-user-id" "$root/usr/bin/set-group-id" "$root/var/mail" | tr '\n' ' ')" = '4755 2755 2775 ' ] ||
			fail "set-id bits"
		[ "$(stat -c %u:%g "$root/home/nonroot")" = 65532:65532 ] || fail "owner of /home/nonroot"
		[ "$(chroot --userspec=10001:10001 "$root" /usr/bin/hello judge)" = 'hello 1.2, judge: 42 7 5' ] || fail "the program does not run"
	fi
	# accounts
	grep -qx 'root:x:0:0:root:/root:/usr/sbin/nologin' "$root/etc/passwd" || fail "no root"
	grep -qx 'nobody:x:65534:65534:nobody:/nonexistent:/usr/sbin/nologin' "$root/etc/passwd" || fail "no nobody"
	grep -qx 'nonroot:x:65532:65532:nonroot:/home/nonroot:/usr/sbin/nologin' "$root/etc/passwd" || fail "no nonroot"
	grep -qx 'app:x:10001:10001:app:/nonexistent:/usr/sbin/nologin' "$root/etc/passwd" || fail "no app"
	grep -qx 'nonroot:x:65532:' "$root/etc/group" || fail "no group"
	grep -qx 'mail:x:8:' "$root/etc/group" || fail "no group"
	# certificates: sorted, each ended by a newline
	printf -- '-----BEGIN CERTIFICATE-----\n%s==\n-----END CERTIFICATE-----\n' QQ Wg |
		cmp - "$root/etc/ssl/certs/ca-certificates.crt" || fail "certificates"
	grep -q 'SSL_CERT_FILE=/etc/ssl/certs/ca-certificates.crt' "$work/bundle/config.json" || fail "no SSL_CERT_FILE"
	# records: each package of the list has one, which dpkg and a reader of such files understand
	for name in $(locked hello "linux-$(uname -m)" | cut -d ' ' -f 1); do
		[ "$(sed -n 's/^Package: //p' "$root/var/lib/dpkg/status.d/$name")" = "$name" ] || fail "no record of $name"
	done
	[ "$(find "$root/var/lib/dpkg/status.d" -type f ! -name '*.md5sums' | wc -l)" = "$(locked hello "linux-$(uname -m)" | wc -l)" ] ||
		fail "other records"
	(cd "$root" && grep -v 'README$\|bash-completion' var/lib/dpkg/status.d/base-files.md5sums | md5sum -c --quiet) || fail "md5sums"
	mkdir -p "$work/admin"
	for file in "$root"/var/lib/dpkg/status.d/*; do
		case $file in *.md5sums) continue ;; esac
		sed 's/^\(Package: .*\)/\1\nStatus: install ok installed/' "$file" && echo
	done >"$work/admin/status"
	dpkg-query --admindir="$work/admin" -W -f '${Package} ${Version}\n' 2>"$work/warnings" >"$work/queried"
	[ ! -s "$work/warnings" ] || fail "dpkg-query does not like the records: $(cat "$work/warnings")"
	sort "$work/queried" >"$work/sorted"
	locked hello "linux-$(uname -m)" | sort | cmp - "$work/sorted" || fail "dpkg-query reads other packages"
else
	echo "SKIPPED: umoci"
fi

# the same inputs give the same image, with any number of threads
rm -rf out/images
expect 0 "$xbuild" image -j 1
[ "$(tail -n 1 "$work/stdout")" = "$digest" ] || fail "another digest"

# the project's own files go before those of packages; a directory of a package is none to replace
base '{ debian: [base-files, ca-certificates, libstdc++6, libtally1] }'
echo mine >mine
sed -i 's|^      /etc/hello.conf: .*|&\n      /etc/debian_version: mine\n      /etc/os-release: mine\n      /etc/ssl/certs/ca-certificates.crt: mine|' xbuild.yaml
expect 0 "$xbuild" lock
expect 0 "$xbuild" image
if command -v umoci >/dev/null && command -v skopeo >/dev/null; then
	rootfs
	for file in debian_version os-release ssl/certs/ca-certificates.crt; do
		[ "$(cat "$root/etc/$file")" = mine ] || fail "/etc/$file is not the project's"
		[ ! -L "$root/etc/$file" ] || fail "/etc/$file is not the project's"
	done
	if grep -q SSL_CERT_FILE "$work/bundle/config.json"; then fail "SSL_CERT_FILE for what is the project's own"; fi
fi
sed -i 's|/etc/os-release: mine|/root: mine|' xbuild.yaml
expect 5 "$xbuild" image
says "'/root' would come from both package base-files and"

# certificates of the project's own are trusted too, after those of the package
base '{ debian: [ca-certificates, libstdc++6, libtally1] }'
sed -i 's|^      /etc/hello.conf: .*|&\n      /usr/local/share/ca-certificates/mine.crt: mine|' xbuild.yaml
expect 0 "$xbuild" lock
expect 0 "$xbuild" image
if command -v umoci >/dev/null && command -v skopeo >/dev/null; then
	rootfs
	[ "$(tail -n 1 "$root/etc/ssl/certs/ca-certificates.crt")" = mine ] || fail "the project's own certificate"
	[ "$(grep -c BEGIN "$root/etc/ssl/certs/ca-certificates.crt")" = 2 ] || fail "the package's certificates"
fi

# what is missing is told with the packages that have it
base '{ debian: [libc6] }'
expect 0 "$xbuild" lock
expect 5 "$xbuild" image
says "'/usr/bin/hello' \(unit hello\) needs library 'libtally.so.1', which is not in the image"
says "hint: add 'packages: \[libtally1, libstdc\+\+6\]' to the image and run 'xbuild lock'"
base debian-static
expect 0 "$xbuild" lock
expect 5 "$xbuild" image
says "needs the program loader"
says "packages: \[libc6, "

# the shipped bases, and a user of theirs by its name alone
for name in static base cc; do
	base debian-$name
	sed -i 's/^    user: .*/    user: nonroot/; s/, owner: app//; s/^      \/usr\/bin\/hello: .*//; s/^      \/usr\/lib\/libplug.so: .*//; s/^    entrypoint: .*//; s/^    cmd: .*//' xbuild.yaml
	expect 0 "$xbuild" lock
	expect 0 "$xbuild" image
	expect 0 "$xbuild" verify out/images/hello
	config=$(python3 - <<'PY'
import json
def blob(d): return json.load(open("out/images/hello/blobs/sha256/" + d["digest"].split(":")[1]))
print(blob(blob(blob(json.load(open("out/images/hello/index.json"))["manifests"][0])["manifests"][0])["config"])["config"]["User"])
PY
	)
	[ "$config" = 65532:65532 ] || fail "nonroot is $config"
	case $name in
	static) if locked hello linux-x86_64 | grep libc6 >/dev/null; then fail "a static base has libc6"; fi ;;
	base) locked hello linux-x86_64 | grep -x 'libssl3 3.0.1-1' >/dev/null || fail "no libssl3: $(locked hello linux-x86_64)" ;;
	cc) locked hello linux-x86_64 | grep '^libgomp1 ' >/dev/null || fail "no libgomp1" ;;
	esac
done

# packages beside those that base auto finds
base auto '[ca-certificates, libtally1]'
expect 0 "$xbuild" lock
[ "$(locked hello linux-aarch64 | cut -d ' ' -f 1 | tr '\n' ' ')" = 'ca-certificates libc6 libgcc-s1 libtally1 ' ] || fail "auto locks $(locked hello linux-aarch64)"
expect 0 "$xbuild" image
says 'linux-aarch64 hello, .* packages ca-certificates, libc6, libgcc-s1, libstdc\+\+6, libtally1$'

# newer versions: kept until asked for, then in sysroot and image together
cp xbuild.lock "$work/kept.lock"
python3 "$XB_SOURCE/tests/cli/archive/newer.py" "$archive" libtally1 1.0-2
python3 "$XB_SOURCE/tests/cli/archive/newer.py" "$archive" ca-certificates 20990202
expect 0 "$xbuild" lock
cmp xbuild.lock "$work/kept.lock" || fail "a plain lock took newer versions"
sed -i 's/packages: \[ca-certificates, libtally1\]/packages: [ca-certificates, libtally1, netbase]/' xbuild.yaml
expect 0 "$xbuild" lock
prints '^\+ netbase 1 \(image hello, linux-x86_64\)$'
[ "$(locked hello linux-x86_64 | grep -E '^(libtally1|ca-)' | tr '\n' ' ')" = 'ca-certificates 20990101 libtally1 1.0-1 ' ] || fail "a new package moved others"
# a second image on the same packages takes nothing newer than the first has
cp xbuild.yaml first.yaml
awk '/^image:$/ { n = 1 } n' first.yaml | sed '1d; s/^  hello:$/  other:/' >>xbuild.yaml
expect 0 "$xbuild" lock
locked hello linux-aarch64 >"$work/hello.list"
locked other linux-aarch64 | cmp - "$work/hello.list" || fail "two images with the same packages have other versions"
mv first.yaml xbuild.yaml
expect 0 "$xbuild" lock
expect 0 "$xbuild" lock --update ca-certificates
prints '^~ ca-certificates 20990101 -> 20990202 \(image hello, linux-x86_64\)$'
expect 2 "$xbuild" lock --update ca-certificate
says "did you mean 'ca-certificates'"

# what the sysroot has to keep, its images keep too
cp xbuild.lock "$work/moved.lock"
cp xbuild.yaml "$work/moved.yaml"
cp -r "$XB_ARCHIVE/." "$archive/"
python3 "$XB_SOURCE/tests/cli/archive/newer.py" "$archive" libtally1 1.0-3 beside
cp "$work/kept.lock" xbuild.lock
base auto '[ca-certificates, libtally1]'
expect 0 "$xbuild" lock --update libtally1
says "sysroot for linux-x86_64: 'libtally1' stays at 1.0-1 although 1.0-3 is there"
locked hello linux-x86_64 | grep -x 'libtally1 1.0-1' >/dev/null || fail "an image left its sysroot: $(locked hello linux-x86_64)"
cp "$work/moved.lock" xbuild.lock
cp "$work/moved.yaml" xbuild.yaml

# a lock whose image has another version than its sysroot is refused
python3 - <<'PY'
import json
lock = json.load(open("xbuild.lock"))
for p in lock["images"]["hello"]["linux-x86_64"]:
    if p["name"] == "libc6":
        p["version"] = "9-9"
json.dump(lock, open("xbuild.lock", "w"))
PY
expect 3 "$xbuild" image --locked
says "image 'hello' has package 'libc6' 9-9 for target 'linux-x86_64', and the sysroot has "

git checkout -q xbuild.yaml
rm xbuild.lock
cp -r "$XB_ARCHIVE/." "$archive/"
expect 0 "$xbuild" lock
sed '/"date"\|"in-release"/d' xbuild.lock >"$work/after"
sed '/"date"\|"in-release"/d' "$work/auto.lock" | cmp - "$work/after" || fail "without lists the lock is another one"
