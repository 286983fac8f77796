#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# An archive that lies: every lie is refused with the right exit status and words, changes nothing, and once it is gone
# the same command gives the same result.
. "$(dirname "$0")/begin.sh"
own_archive
hello_project project
cd project
dist=$archive/debian/dists/test
cp "$dist/InRelease" "$work/InRelease"

release() { python3 "$XB_SOURCE/tests/cli/archive/release.py" "$archive" "$@"; }
restore() {
	faults
	cp "$work/InRelease" "$dist/InRelease"
}

expect 0 "$xbuild" lock
cp xbuild.lock "$work/good.lock"

# refuses STATUS WHAT PATTERN...: a first lock fails so, and works again without the fault
refuses() {
	wanted_status=$1 what=$2
	shift 2
	rm -rf xbuild.lock "$XBUILD_CACHE_DIR"
	expect "$wanted_status" timeout 60 "$xbuild" lock
	for pattern; do says "$pattern"; done
	[ ! -e xbuild.lock ] || fail "$what: a lock was written"
	sound_store
	# with a lock that is there, an update changes nothing
	cp "$work/good.lock" xbuild.lock
	expect "$wanted_status" timeout 60 "$xbuild" lock --update
	cmp -s xbuild.lock "$work/good.lock" || fail "$what: the lock was changed"
	restore
	rm -f xbuild.lock
	expect 0 "$xbuild" lock
	cmp -s xbuild.lock "$work/good.lock" || fail "$what: afterwards the lock is another one"
	sound_store
}

size=$(wc -c <"$dist/InRelease")
body=$(grep -abo 'Codename: test' "$dist/InRelease" | cut -d : -f 1)
faults "*/InRelease flip $((body + 11))"
refuses 5 "a flipped bit in the signed text" "suite 'test'" '/dists/test/InRelease' 'signature'
faults "*/InRelease flip $((size - 60))"
refuses 5 "a flipped bit in the signature" "suite 'test'" '/dists/test/InRelease' 'signature'
faults "*/InRelease flip 5"
refuses 5 "a broken first line" '/dists/test/InRelease' 'signature'

release --unsigned
refuses 5 "no signature" '/dists/test/InRelease' 'signature'

mkdir -m 700 "$work/stranger"
GNUPGHOME=$work/stranger gpg --batch --quiet --passphrase '' --quick-generate-key stranger ed25519 sign never 2>/dev/null
stranger=$(GNUPGHOME=$work/stranger gpg --list-keys --with-colons | sed -n 's/^fpr:*\([0-9A-F]*\):/\1/p' | head -n 1)
release --unsigned
GNUPGHOME=$work/stranger gpg --batch --quiet --clearsign --output "$work/strange" "$dist/InRelease"
mv "$work/strange" "$dist/InRelease"
refuses 5 "an unknown key" '/dists/test/InRelease' 'signature' "$(echo "$stranger" | cut -c 25-40)"

# two messages: what stands outside of the signed one does not count
{
	cat "$work/InRelease"
	printf '\nSuite: evil\n'
} >"$dist/InRelease"
refuses 5 "text behind the signature" '/dists/test/InRelease'

now=$(date +%s)
release --date $((now - 200000)) --valid-until $((now - 100000))
refuses 5 "expired" "was valid until" 'clock'
release --codename other
refuses 5 "another suite" "Codename 'other' instead of 'test'"
release --date $((now + 86400))
refuses 5 "from the future" 'clock'

# expired by the clock of this machine alone
release --valid-until $((now + 600000))
rm -f xbuild.lock
expect 5 env XBUILD_TEST_NOW=$((now + 700000)) "$xbuild" lock
says 'was valid until'
expect 0 "$xbuild" lock
restore

printf '<!DOCTYPE html>\n<html><body>Please log in to this network</body></html>\n' >"$dist/InRelease"
refuses 5 "a captive portal" '/dists/test/InRelease' 'signature'
faults "*/InRelease cut $((body + 40))"
refuses 5 "a cut InRelease" '/dists/test/InRelease' 'signature'
faults "*/InRelease cut 0"
refuses 5 "an empty InRelease" '/dists/test/InRelease' 'signature'

index=$(sed -n 's/^ \([0-9a-f]*\) .* main\/binary-arm64\/Packages.xz$/\1/p' "$archive/sums")
faults '*/binary-arm64/* flip 100'
refuses 5 "a flipped bit in an index" 'binary-arm64/' "expected $index" 'SHA-256 is [0-9a-f]{64}'
faults '*/binary-arm64/* cut 100'
refuses 5 "a cut index" 'binary-arm64/' 'expected' 'hint: a mirror that is being updated .* --mirror URL'

# Release files go forward only
cp "$work/good.lock" xbuild.lock
release --date $((now - 400000))
expect 5 "$xbuild" lock --update
says 'older than'
says '--allow-rollback'
cmp -s xbuild.lock "$work/good.lock" || fail "a rollback changed the lock"
expect 0 "$xbuild" lock --update --allow-rollback
cmp -s xbuild.lock "$work/good.lock" && fail "--allow-rollback did not take the older Release"
restore

# what a mirror was refused for is told, also when those behind it cannot be reached
own_data "$archive/data" "\"$XBUILD_DEBIAN_MIRROR\", \"http://127.0.0.1:1/debian\""
release --date $((now - 400000))
cp "$work/good.lock" xbuild.lock
expect 5 "$xbuild" lock --update
says 'older than'
says '--allow-rollback'
restore
expect 5 env XBUILD_TEST_NOW=1000 "$xbuild" lock --update
says 'clock'
silent_about 'online'
faults "*/InRelease flip $((body + 11))"
expect 5 "$xbuild" lock --update
says 'error: .*signature'
cmp -s xbuild.lock "$work/good.lock" || fail "a mirror that lies changed the lock"
own_data "$archive/data" "\"$XBUILD_DEBIAN_MIRROR\""
restore
cp "$work/good.lock" xbuild.lock

# a suite that may be missing is not left out once a lock has it: that would hide all that it updates
cp -r "$dist" "$archive/debian/dists/test-updates"
release --suite test-updates
sed -n '/^    test:$/,/signed-by/p' "$XBUILD_DATA_DIR/sysroots/debian-test.yaml" >"$work/suite"
sed -i -e 's/^    test:$/    test-updates:/' -e '$a\      optional: true' "$work/suite"
sed -i "/^  suites:\$/r $work/suite" "$XBUILD_DATA_DIR/sysroots/debian-test.yaml"
rm xbuild.lock
expect 0 "$xbuild" lock
cp xbuild.lock "$work/both.lock"
grep -q '"test-updates": {' xbuild.lock || fail "the lock has no suite test-updates"
faults '*/test-updates/* status 404'
expect 4 "$xbuild" lock --update
says "suite 'test-updates'"
cmp -s xbuild.lock "$work/both.lock" || fail "a suite that is gone changed the lock"
expect 0 "$xbuild" lock --update --allow-rollback
says "suite 'test-updates' is on no mirror and left out"
rm xbuild.lock
expect 0 "$xbuild" lock
says "suite 'test-updates' is on no mirror and left out"
if grep -q '"test-updates": {' xbuild.lock; then fail "the lock has a suite that is gone"; fi
restore
own_data "$archive/data" "\"$XBUILD_DEBIAN_MIRROR\""
cp "$work/good.lock" xbuild.lock

# packages
deb=$(cd "$archive/debian/pool/main" && echo libtally1_*_arm64.deb)
sum=$(sha256sum "$archive/debian/pool/main/$deb" | cut -d ' ' -f 1)
for fault in 'flip 700' 'cut 700' 'cut 0'; do
	rm -rf "$XBUILD_CACHE_DIR"
	faults "*/libtally1_*_arm64.deb $fault"
	expect 5 "$xbuild" fetch --want sysroot:linux-aarch64
	says "$(literally "$deb")"
	says 'expected'
	case $fault in flip*) says "expected $sum" && says 'SHA-256 is [0-9a-f]{64}' ;; esac
	sound_store
	[ ! -e "$(blob "$sum")" ] || fail "$fault: the blob is there"
	[ -z "$(ls "$XBUILD_CACHE_DIR/trees" 2>/dev/null)" ] || fail "$fault: a tree was made"
done
faults
expect 0 "$xbuild" fetch --want sysroot:linux-aarch64
[ -f "$(blob "$sum")" ] || fail "the blob is missing"
sound_store

# a blob that went bad on this disk is found, not used: its size is wrong, or its tree does not come to be
rm -rf "$XBUILD_CACHE_DIR/trees"
chmod u+w "$(blob "$sum")"
echo garbage >"$(blob "$sum")"
expect 0 "$xbuild" fetch --want sysroot:linux-aarch64
sound_store
