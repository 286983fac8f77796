#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Toolchains that are archives, in the layouts that are published: locked by digest and signature, unpacked in part, started,
# and the same programs come out as of the toolchain of packages. And what is wrong with one is found.
. "$(dirname "$0")/begin.sh"
if [ "$(uname -m)" != x86_64 ]; then skip "the sample project is locked for x86-64 hosts"; fi
mkdir -p site
cp -al "$XB_ARCHIVE/debian" site/debian 2>/dev/null || cp -a "$XB_ARCHIVE/debian" site/debian
cp -r "$XB_ARCHIVE/data" site/data
python3 "$XB_SOURCE/tests/cli/archive/toolchain.py" site/llvm
serve "$work/site"
hello_project project
hello_project packages
sum() { awk -v name="$1" '$1 == name { print $2 }' "$work/site/llvm/sums"; }
size() { awk -v name="$1" '$1 == name { print $3 }' "$work/site/llvm/sums"; }

# the reference: the toolchain of packages
warm_store
expect 0 "$xbuild" -C packages build --profile release

# toolchain LINE: the project's toolchain is this one
toolchain() { sed "s|^toolchain: .*|toolchain: $1|" packages/xbuild.yaml >project/xbuild.yaml; }
trees() { find "$XBUILD_CACHE_DIR/trees" -mindepth 1 -maxdepth 1 | sort; }

# works NAME: locks, builds with nothing of before, and compares
works() {
	rm -rf project/xbuild.lock project/out project/.xbuild "$XBUILD_CACHE_DIR/actions"
	trees >"$work/before"
	expect 0 "$xbuild" -C project lock
	grep -q "\"sha256\": \"$(sum "$1")\"" project/xbuild.lock || fail "$1: the lock does not have its digest"
	expect 0 "$xbuild" -C project build --profile release
	outputs packages >"$work/expected"
	outputs project >"$work/found"
	cmp "$work/expected" "$work/found" || fail "$1: another toolchain of the same version builds something else"
	trees >"$work/after"
	tree=$(comm -13 "$work/before" "$work/after")
	[ "$(echo "$tree" | wc -l)" = 1 ] || fail "$1: expected one new tree: $tree"
	[ -x "$tree/root/bin/clang" ] || fail "$1: no clang at the top of its tree"
	[ -f "$tree/root/lib/clang/19/include/stddef.h" ] || fail "$1: no resource directory"
	left=$(find "$tree/root" -name '*lldb*' -o -name '*.a' -o -name clang-tidy -o -path '*/share/*' -o -path '*/include/llvm/*')
	[ -z "$left" ] || fail "$1: what nobody needs was unpacked: $left"
	sound_store
}

# the layout of upstream and of minimal builds, named by the project
for name in LLVM-19-Linux.tar.xz llvm-minimal.tar.zst; do
	toolchain "{ version: 19.1.7, archive: { linux-x86_64: { url: \"http://127.0.0.1:$port/llvm/$name\", sha256: $(sum $name), size: $(size $name) } } }"
	works $name
done
expect 0 "$xbuild" -C project test --profile release

# the same as choices of a data file
cat >>"$work/data/toolchains/llvm-19.yaml" <<YAML
archives:
  linux-x86_64: { url: "http://127.0.0.1:$port/llvm/LLVM-19-Linux.tar.xz", file: LLVM-19-Linux.tar.xz, sha256: $(sum LLVM-19-Linux.tar.xz) }
minimal:
  linux-x86_64: { url: "http://127.0.0.1:$port/llvm/llvm-minimal.tar.zst", file: llvm-minimal.tar.zst, sha256: $(sum llvm-minimal.tar.zst) }
YAML
for source in official minimal packages; do
	toolchain "{ llvm: \"19\", source: $source }"
	rm project/xbuild.lock
	expect 0 "$xbuild" -C project lock
	case $source in
	official) grep -q '"url": ".*LLVM-19-Linux.tar.xz"' project/xbuild.lock || fail "official is not upstream's" ;;
	minimal) grep -q '"url": ".*llvm-minimal.tar.zst"' project/xbuild.lock || fail "minimal is not the minimal one" ;;
	packages) cmp project/xbuild.lock packages/xbuild.lock || fail "packages is not the default" ;;
	esac
done

# hosts that a source does not have are refused at their place
toolchain '{ llvm: "19", source: minimal }'
sed -i 's/^hosts: .*/hosts: [linux-x86_64, darwin-aarch64]/' project/xbuild.yaml
expect 2 "$xbuild" -C project lock --update
says "xbuild.yaml:[0-9]+:[0-9]+: .*nothing for host 'darwin-aarch64'"

# a file of the project, and a signature: the key is the project's own
name=llvm-minimal.tar.zst
ln site/llvm/$name project/$name
GNUPGHOME=$XB_ARCHIVE/gnupg gpg --batch --quiet --armor --export >project/key.asc
GNUPGHOME=$XB_ARCHIVE/gnupg gpg --batch --quiet --armor --detach-sign --output site/llvm/$name.asc project/$name
signed() { toolchain "{ version: 19.1.7, archive: { linux-x86_64: { file: $name, signature: \"http://127.0.0.1:$port/llvm/$name.asc\", key: key.asc } } }"; }
signed
rm -rf project/xbuild.lock
find "$XBUILD_CACHE_DIR/trees" -mindepth 1 -maxdepth 1 -exec chmod -R u+w {} + -exec rm -rf {} +
expect 0 "$xbuild" -C project fetch --want toolchain:linux-x86_64
grep -q '"signature": {"key":' project/xbuild.lock || fail "the signature is not locked"
cp project/xbuild.lock good.lock

# nothing is unpacked when the signature is of something else, the key another, the file another, the version another
forget() { find "$XBUILD_CACHE_DIR/trees" -mindepth 1 -maxdepth 1 -exec chmod -R u+w {} + -exec rm -rf {} +; }
forget
echo other >other
GNUPGHOME=$XB_ARCHIVE/gnupg gpg --batch --quiet --yes --armor --detach-sign --output site/llvm/$name.asc other
rm project/xbuild.lock
expect 5 "$xbuild" -C project fetch --want toolchain:linux-x86_64
says "verify the signature of '$name': no signature counts"
[ -z "$(trees)" ] || fail "an archive with a bad signature was unpacked"
GNUPGHOME=$XB_ARCHIVE/gnupg gpg --batch --quiet --yes --armor --detach-sign --output site/llvm/$name.asc project/$name
cp good.lock project/xbuild.lock
printf '\n' >>project/key.asc
expect 3 "$xbuild" -C project fetch --want toolchain:linux-x86_64
says "'key.asc' is not the key that was locked"
GNUPGHOME=$XB_ARCHIVE/gnupg gpg --batch --quiet --armor --export >project/key.asc

toolchain "{ version: 19.1.6, archive: { linux-x86_64: { file: $name } } }"
rm project/xbuild.lock
expect 5 "$xbuild" -C project fetch --want toolchain:linux-x86_64
says 'its clang is of version 19.1.7, and the lock says 19.1.6'
[ -z "$(trees)" ] || fail "an archive of another version was unpacked"

# archives that are not what they say: digest, damage, an end too early, names that leave, no clang, a clang that does not start
url() { toolchain "{ version: 19.1.7, archive: { linux-x86_64: { url: \"http://127.0.0.1:$port/llvm/$1\", sha256: $2 } } }"; }
refused() {
	rm -f project/xbuild.lock
	expect "$1" "$xbuild" -C project fetch --want toolchain:linux-x86_64
	[ -z "$(trees)" ] || fail "$2: unpacked"
	says "$2"
	sound_store
}
url LLVM-19-Linux.tar.xz "$(sum llvm-minimal.tar.zst | tr 0-9 1-90)"
refused 5 'LLVM-19-Linux.tar.xz'
python3 - site/llvm <<'PY'
import io, os, sys, tarfile
os.chdir(sys.argv[1])
def make(name, entries):
    with tarfile.open(name, "w:gz") as tar:
        for path, kind, data in entries:
            info = tarfile.TarInfo(path)
            info.type, info.mode = kind, 0o755
            if kind == tarfile.REGTYPE:
                info.size = len(data)
                tar.addfile(info, io.BytesIO(data))
            else:
                info.linkname = data
                tar.addfile(info)
file, link = tarfile.REGTYPE, tarfile.SYMTYPE
make("none.tar.gz", [("x/share/a", file, b"a")])
make("script.tar.gz", [("x/bin/clang", file, b"no program")])
make("leaves.tar.gz", [("x/bin/clang", file, b"a"), ("x/../../evil", file, b"a")])
make("linked.tar.gz", [("bin/clang", link, "../../../../../../bin/true")])
make("below.tar.gz", [("bin", link, "/tmp"), ("bin/clang", file, b"a")])
make("absolute.tar.gz", [("bin/clang", link, "/bin/true")])
make("device.tar.gz", [("bin/clang", tarfile.CHRTYPE, "")])
open("cut.tar.xz", "wb").write(open("LLVM-19-Linux.tar.xz", "rb").read()[:3000000])
data = bytearray(open("LLVM-19-Linux.tar.xz", "rb").read())
data[2000000] ^= 255
open("flipped.tar.xz", "wb").write(data)
PY
while read -r file pattern; do
	url "$file" "$(sha256sum <"site/llvm/$file" | cut -d ' ' -f 1)"
	refused 5 "$pattern"
done <<'LIST'
none.tar.gz has no bin/clang
script.tar.gz clang --version
leaves.tar.gz no safe name
linked.tar.gz leaves the tree
below.tar.gz bin/clang
absolute.tar.gz has no bin/clang
device.tar.gz device
cut.tar.xz cut.tar.xz
flipped.tar.xz flipped.tar.xz
LIST

# what the project file cannot say
while IFS='|' read -r line pattern; do
	toolchain "$line"
	expect 2 "$xbuild" -C project lock --update
	says "xbuild.yaml:[0-9]+:[0-9]+: .*$pattern"
done <<'LIST'
{ version: 19.1.7, archive: { linux-x86_64: { url: "https://example.org/a.tar.xz" } } }|needs a sha256
{ version: 19.1.7, archive: { linux-x86_64: { url: "http://example.org/a.tar.xz", sha256: 0000000000000000000000000000000000000000000000000000000000000001 } } }|https
{ version: 19.1.7, archive: { linux-x86_64: { file: a.tar.xz, key: key.asc } } }|go together
{ version: 19.1.7, archive: { linux-x86_64: { file: ../a.tar.xz } } }|below the project
{ version: 19.1.7, archive: { linux-x86_64: { file: missing.tar.xz } } }|there is no file 'missing.tar.xz'
{ archive: { linux-x86_64: { file: a.tar.xz } } }|needs a version
{ version: "19", archive: { linux-x86_64: { file: a.tar.xz } } }|whole version
{ llvm: "19", version: 19.1.7 }|belongs to 'archive'
{ llvm: "19", source: somewhere }|somewhere
LIST
