#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Further suites and somebody else's repository, with a key of its own: what is asked for comes from there, what it needs too,
# and nothing else; and its signature counts.
. "$(dirname "$0")/begin.sh"
mkdir site
cp -al "$XB_ARCHIVE/debian" site/debian 2>/dev/null || cp -a "$XB_ARCHIVE/debian" site/debian
cp -r "$XB_ARCHIVE/data" site/data
export GNUPGHOME="$work/gnupg"
mkdir -m 700 gnupg
key() { gpg --batch --quiet --passphrase '' --quick-generate-key "$1" ed25519 sign never 2>/dev/null; }
key vendor
key stranger

# package ARCH NAME VERSION DEPENDS FILE: one of the repository's, with one file
package() {
	rm -rf tree
	mkdir -p "tree/DEBIAN" "tree/$(dirname "$5")"
	echo "/* $2 $3 */" >"tree/$5"
	printf 'Package: %s\nVersion: %s\nArchitecture: %s\nMaintainer: nobody\nDepends: %s\nDescription: %s\n' \
		"$2" "$3" "$1" "$4" "$2" | sed '/^Depends: $/d' >tree/DEBIAN/control
	mkdir -p site/vendor/pool
	dpkg-deb --root-owner-group -Zgzip -b tree "site/vendor/pool/$2_$3_$1.deb" >/dev/null
}
# publish KEY: the index of what is there, signed
publish() {
	rm -rf site/vendor/dists
	for arch in amd64 arm64; do
		mkdir -p "site/vendor/dists/stable/main/binary-$arch"
		for deb in site/vendor/pool/*_"$arch".deb; do
			dpkg-deb -f "$deb"
			printf 'Filename: pool/%s\nSize: %s\nSHA256: %s\n\n' "$(basename "$deb")" "$(stat -c %s "$deb")" \
				"$(sha256sum <"$deb" | cut -d ' ' -f 1)"
		done >"site/vendor/dists/stable/main/binary-$arch/Packages"
	done
	(
		cd site/vendor/dists/stable
		printf 'Origin: Vendor\nDate: %s\nComponents: main\nSHA256:\n' "$(date -u -d '-1 hour' '+%a, %d %b %Y %H:%M:%S UTC')"
		for file in main/*/Packages; do
			printf ' %s %s %s\n' "$(sha256sum <"$file" | cut -d ' ' -f 1)" "$(stat -c %s "$file")" "$file"
		done
	) >release
	gpg --batch --quiet --yes --local-user "$1" --clearsign --output site/vendor/dists/stable/InRelease release
}
for arch in amd64 arm64; do
	package $arch libvend-dev 2.0 'libvend-common (= 2.0), libtally-dev' usr/include/vend.h
	package $arch libvend-common 2.0 '' usr/include/vend-common.h
	package $arch libtally-dev 9.0 '' usr/include/tally-nine.h
done
publish vendor
serve "$work/site"
warm_store

# project WHAT: the sample project with these keys in its sysroot
project() {
	rm -rf project
	hello_project project
	gpg --batch --armor --export vendor >project/vendor.asc
	python3 - "$1" <<'PY'
import sys
text = open("project/xbuild.yaml").read()
text = text.replace("  packages: [libtally-dev]\n", sys.argv[1] + "\n", 1)
open("project/xbuild.yaml", "w").write(text)
PY
}
repository="url: \"http://127.0.0.1:$port/vendor\", suite: stable, components: [main], key: vendor.asc"
locked() { grep -o "\"name\":\"$1\",.*\"suite\":\"[^\"]*\",\"version\":\"[^\"]*\"" project/xbuild.lock | sed 's/.*"suite"://; s/"//g; s/version://' | sort -u; }

# without being asked for, a newer package of the repository is not taken; what only it has is
project "  packages: [libtally-dev, libvend-dev]
  repositories:
    vendor: { $repository }"
expect 0 "$xbuild" -C project lock
[ "$(locked libtally-dev)" = test,1.0-1 ] || fail "libtally-dev comes from '$(locked libtally-dev)'"
[ "$(locked libvend-dev)" = vendor,2.0 ] || fail "libvend-dev comes from '$(locked libvend-dev)'"
[ "$(locked libvend-common)" = vendor,2.0 ] || fail "libvend-common comes from '$(locked libvend-common)'"
python3 - project/xbuild.lock "$(gpg --batch --list-keys --with-colons vendor | awk -F: '$1 == "fpr" { print $10; exit }')" <<'PY'
import json, sys
suite = json.load(open(sys.argv[1]))["suites"]["vendor"]
assert suite["archive"] == "vendor" and suite["path"] == "stable" and suite["signed-by"] == sys.argv[2], suite
PY
printf '#include <vend.h>\n#include <vend-common.h>\nint main(void) { return 0; }\n' >project/tiny.c
expect 0 "$xbuild" -C project build tiny
cp project/xbuild.lock before.lock
expect 0 "$xbuild" -C project lock --update
cmp project/xbuild.lock before.lock || fail "an update with nothing new changed the lock"

# asked for, it is, and nowhere else; a lock that has the other one does not keep it
python3 - <<'PY'
text = open("project/xbuild.yaml").read()
text = text.replace("packages: [libtally-dev, libvend-dev]\n", "packages: [libvend-dev]\n")
text = text.replace("key: vendor.asc }", "key: vendor.asc, packages: [libtally-dev] }")
open("project/xbuild.yaml", "w").write(text)
PY
expect 3 "$xbuild" -C project build tiny
expect 0 "$xbuild" -C project lock
[ "$(locked libtally-dev)" = vendor,9.0 ] || fail "libtally-dev comes from '$(locked libtally-dev)'"

# signatures: by another key, none, of another text; an older one; a component and an architecture that are not there
publish stranger
rm project/xbuild.lock
expect 5 "$xbuild" -C project lock
says "read suite 'vendor' from .*its key is not among the given ones"
publish vendor
sed -i 's/^Origin: Vendor/Origin: vendor/' site/vendor/dists/stable/InRelease
expect 5 "$xbuild" -C project lock
says "read suite 'vendor' from .*it is bad"
cp release site/vendor/dists/stable/InRelease
expect 5 "$xbuild" -C project lock
says 'not a clearsigned document'
publish vendor
sed -i 's/components: \[main\]/components: [extra]/' project/xbuild.yaml
expect 2 "$xbuild" -C project lock
says "suite 'vendor' has no 'extra'"

# what the project file cannot say, each at its place
while IFS='|' read -r keys pattern; do
	project "  $keys"
	expect 2 "$xbuild" -C project lock
	says "xbuild.yaml:[0-9]+:[0-9]+: .*$pattern"
done <<LIST
repositories: { vendor: { $repository, packages: [libnone-dev] } }|package 'libnone-dev' does not exist in suite 'vendor'
repositories: { vendor: { url: "http://127.0.0.1:$port/vendor", suite: stable, components: [main] } }|key
repositories: { vendor: { url: "http://example.org/vendor", suite: stable, components: [main], key: vendor.asc } }|https
repositories: { vendor: { url: "http://127.0.0.1:$port/vendor", suite: stable, components: [main], key: none.asc } }|there is no file 'none.asc'
repositories: { test: { $repository } }|'test' is the name of a suite
repositories: { loopback: { $repository } }|'loopback' is the name of an archive
suites: [backports]|has no further suite 'backports'
suites: backports|expected a list or a map
LIST
