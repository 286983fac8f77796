#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Rust: rustc, cargo, the standard library of every target and crates, locked and unpacked as all else is. rustc and cargo are
# small ones of our own (archive/cargo.c); the real ones are in long_rust.sh.
. "$(dirname "$0")/begin.sh"
serve
mkdir -p project/src && cd project
cat >xbuild.yaml <<'YAML'
name: parcel
version: "1"
toolchain: { llvm: "19", rust: "1.0", crates: [librust-tally-dev] }
sysroot: { debian: test, packages: [libtally-dev] } # a C library of a crate
hosts: [HOST]
targets: [linux-x86_64, linux-aarch64]
build:
  agent:
    sources: [src/agent.c]
YAML
host=linux-$(uname -m)
sed -i "s/HOST/$host/" xbuild.yaml
echo 'int main(void) { return 0; }' >src/agent.c

expect 0 "$xbuild" lock
python3 - xbuild.lock "$host" <<'PY'
import json, sys
lock = json.load(open(sys.argv[1]))
rust = lock["rust"]
names = lambda packages: [p["name"] for p in packages]
assert rust["name"] == "rust-1.0" and rust["version"] == "1.0.0", rust
assert {"rustc", "cargo", "libstd-rust-dev", "libstd-rust-1.0", "libc6"} <= set(names(rust["hosts"][sys.argv[2]])), rust
assert "binutils" not in names(rust["hosts"][sys.argv[2]])
# of a target its standard library alone
assert {t: names(p) for t, p in rust["std"].items()} == {t: ["libstd-rust-dev"] for t in ("linux-aarch64", "linux-x86_64")}, rust
assert rust["std"]["linux-aarch64"][0]["arch"] == "arm64"
# crates with their crates; C libraries are the sysroot's
assert {a: names(p) for a, p in rust["crates"].items()} == {"amd64": ["librust-count-dev", "librust-tally-dev"]}, rust
PY
expect 0 "$xbuild" lock --why librust-count-dev
prints '^crates: librust-count-dev 1\.0\.0-1$'
expect 0 "$xbuild" outdated
cp xbuild.lock first
expect 0 "$xbuild" lock --update
cmp first xbuild.lock || fail "the same archive gave another lock"

# one tree has the programs and all standard libraries, another the crates
expect 0 "$xbuild" fetch
says "Unpacked $host rust-1\.0 1\.0\.0"
says 'Unpacked amd64 2 packages of crates'
tree=$(dirname "$XBUILD_CACHE_DIR"/trees/*/root/usr/bin/rustc)
[ -x "$tree/cargo" ] || fail "no cargo beside rustc"
for triple in x86_64-unknown-linux-gnu aarch64-unknown-linux-gnu; do
	grep -q "^$triple$" "$tree/../lib/rustlib/$triple/lib/libstd-1.rlib" || fail "no standard library of $triple"
done
[ -f "$(echo "$XBUILD_CACHE_DIR"/trees/*/root/usr/share/cargo/registry/tally-1.0.0/Cargo.toml)" ] || fail "no crate"
expect 0 "$xbuild" fetch
says 'nothing'

# the project's cargo by hand: for a target, with its linker, the crates, and what runs its programs; no flags of the user
RUSTFLAGS=-Cbad expect 0 "$xbuild" cargo build --bin agent
prints '^rustc 1\.0\.0'
file .xbuild/cargo/"$host"/target/*/debug/agent | grep -q "ELF 64-bit" || fail "no program for $host"
for target in linux-x86_64 linux-aarch64; do
	expect 0 "$xbuild" cargo --target "$target" build --profile release --bin agent
	case $target in *x86_64) machine=x86-64 ;; *) machine=aarch64 ;; esac
	file .xbuild/cargo/$target/target/*/release/agent | grep -q "$machine" || fail "no program for $target"
done
expect 2 "$xbuild" cargo --target riscv64 build
says "target 'linux-riscv64' is not one of the project's"
if command -v qemu-aarch64 >/dev/null || command -v qemu-aarch64-static >/dev/null; then
	expect 0 "$xbuild" cargo --target linux-aarch64 test --bin agent
fi

# a unit: built by the same cargo for both targets, once; its program is an output like any other
cp -r ../project "$work/unit" && cd "$work/unit" && rm -rf .xbuild
sed -i 's/    sources: .*/    cargo: { bins: [agent] }/' xbuild.yaml
expect 0 "$xbuild" build -v
[ "$(grep -cE '^ *BUILD ' "$work/stderr")" = 2 ] || fail "expected two runs of cargo"
prints '^out/linux-aarch64/agent$'
file -b out/linux-aarch64/agent | grep -q 'ARM aarch64' || fail "no program for aarch64"
file -b out/linux-x86_64/agent | grep -q 'x86-64' || fail "no program for x86-64"
expect 0 "$xbuild" build -v
! grep -qE '^ *BUILD ' "$work/stderr" || fail "cargo ran again although nothing changed"
echo '/* other */' >>src/agent.c
expect 0 "$xbuild" build -v
[ "$(grep -cE '^ *BUILD ' "$work/stderr")" = 2 ] || fail "a changed source was not built"

# a store behind a link is the same store
mv "$XBUILD_CACHE_DIR" "$work/elsewhere" && ln -s elsewhere "$XBUILD_CACHE_DIR"
echo '/* linked */' >>src/agent.c
expect 0 "$xbuild" build

# crates that the lock does not have
sed 's/librust-tally-dev/librust-count-dev/' xbuild.yaml >new && mv new xbuild.yaml
expect 0 "$xbuild" lock
expect 1 "$xbuild" build
says 'no matching package named .tally. found'
says 'librust-tally-dev.*no registry is asked'
cd "$work/project"

# a tree that lost a file is found and mended
chmod -R u+w "$tree/.."
rm "$tree/cargo"
expect 0 "$xbuild" fetch --verify
says "damaged: 'usr/bin/cargo' is missing"
says "Unpacked $host rust-1\.0"
[ -x "$tree/cargo" ] || fail "the tree was not mended"

# the lock has to fit what the project says
sed 's/rust: "1.0"/rust: "1.1"/' xbuild.yaml >other.yaml
expect 2 "$xbuild" -f other.yaml lock
says "rust: there is no version '1.1'"
sed 's/librust-tally-dev/librust-count-dev/' xbuild.yaml >other.yaml
expect 3 "$xbuild" -f other.yaml lock --check
says 'does not fit the project'
sed 's/librust-tally-dev/librust-tall-dev/' xbuild.yaml >other.yaml
expect 2 "$xbuild" -f other.yaml lock --update
says "librust-tall-dev"
says "did you mean 'librust-tally-dev'"
# targets without a standard library: told with the place where a unit would be built for them
echo 'musl: { packages: [libc6-dev], exclude: [] }' >>"$work/data/sysroots/debian-test.yaml"
sed -e "s/^targets: .*/targets: [linux-x86_64, linux-x86_64-musl]/" -e "s/^    sources: .*/    cargo: { bins: [agent] }/" xbuild.yaml >third.yaml
expect 2 "$xbuild" -f third.yaml lock
says "third\.yaml:9:5: unit 'agent': cargo cannot build it for 'linux-x86_64-musl': there is no x86_64-unknown-linux-musl in rust-1\.0"
says "'targets: \[linux-x86_64\]'"
sed -i '/^musl:/d' "$work/data/sysroots/debian-test.yaml"
python3 - xbuild.lock <<'PY'
import json, sys
lock = json.load(open(sys.argv[1]))
del lock["rust"]["std"]["linux-aarch64"]
json.dump(lock, open(sys.argv[1], "w"))
PY
expect 3 "$xbuild" lock --check
says "no standard library of Rust for target 'linux-aarch64'"
