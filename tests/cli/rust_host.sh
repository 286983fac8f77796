#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# The host's own Rust, where there is one, with a crate that is vendored in the project: built, cached, the same in two
# directories; a target whose standard library is not installed is told.
rustup_home=${RUSTUP_HOME:-$HOME/.rustup}
. "$(dirname "$0")/begin.sh"
# a rustc that is rustup's looks for its choice there
[ ! -d "$rustup_home" ] || export RUSTUP_HOME="$rustup_home"
sysroot=$(rustc --print sysroot 2>/dev/null) || skip "there is no rustc"
[ -x "$sysroot/bin/cargo" ] || skip "there is no cargo beside rustc"
serve
warm_store
host=linux-$(uname -m)
mkdir -p project/src project/vendor/tally/src && cd project
cat >xbuild.yaml <<YAML
name: parcel
version: "1"
toolchain: { llvm: "19", rust: host }
sysroot: { debian: test }
hosts: [$host]
targets: [linux-x86_64, linux-aarch64]
build:
  agent:
    cargo: { bins: [agent], vendor: vendor, test: true }
    targets: [$host]
YAML
cat >Cargo.toml <<'TOML'
[package]
name = "agent"
version = "1.0.0"
edition = "2021"

[dependencies]
tally = "1"
TOML
cat >Cargo.lock <<'TOML'
version = 3

[[package]]
name = "agent"
version = "1.0.0"
dependencies = ["tally"]

[[package]]
name = "tally"
version = "1.0.0"
source = "registry+https://github.com/rust-lang/crates.io-index"
TOML
cat >src/main.rs <<'RUST'
fn main() { println!("{} in {}", tally::add(40, 2), tally::file()); }
#[test]
fn adds() { assert_eq!(tally::add(1, 2), 3); }
RUST
printf '[package]\nname = "tally"\nversion = "1.0.0"\nedition = "2021"\n' >vendor/tally/Cargo.toml
echo '{"files":{}}' >vendor/tally/.cargo-checksum.json
# a script that runs on this machine while the crate is built, and a panic that would have its path
cat >vendor/tally/build.rs <<'RUST'
fn main() { println!("cargo:rustc-env=TALLY=built"); }
RUST
cat >vendor/tally/src/lib.rs <<'RUST'
pub fn add(a: i32, b: i32) -> i32 { a.checked_add(b).expect(env!("TALLY")) }
pub fn file() -> &'static str { file!() }
RUST
cat >src/lib.rs <<'RUST'
/// ```
/// assert_eq!(agent::twice(2), 4);
/// ```
pub fn twice(n: i32) -> i32 { n * 2 }
RUST
cp -r . "$work/second directory"

expect 0 "$xbuild" lock
! grep -q '^ "rust"' xbuild.lock || fail "the host's Rust is in the lock"
RUSTFLAGS=-Cnonsense expect 0 "$xbuild" build -v
prints "^out/$host/agent$"
expect 0 "out/$host/agent"
prints '^42 in /crates/tally/src/lib\.rs$'
! grep -aq "$work" "out/$host/agent" || fail "a path of this machine is in the program"
expect 0 "$xbuild" build -v
! grep -qE '^ *BUILD ' "$work/stderr" || fail "cargo ran again although nothing changed"

# a source that changed: what crates of others have made stays
echo '// again' >>src/main.rs
expect 0 "$xbuild" build
! grep -q 'Compiling tally' .xbuild/foreign/"$host"/*/agent-*/log || fail "a crate that did not change was compiled again"
cp src/main.rs "$work/second directory/src"

# its own tests, by cargo and the runner of the target
expect 0 "$xbuild" test
prints "^cargo +agent +$host +passed +native$"
grep -q '^test src/lib\.rs - twice (line 1) \.\.\. ok' .xbuild/foreign/"$host"/*/agent-*/log || fail "no example of the documentation was run"
# what cargo runs meanwhile has the loader of the sysroot, whose C library may be newer than this machine's
script=$(find .xbuild/foreign -type f -name 'build_script_build-*' -perm -100 | head -n 1)
readelf -lW "$script" | grep -q "program interpreter: $XBUILD_CACHE_DIR/trees/" || fail "$script does not start by its sysroot's loader"
sed 's/, 3); }/, 4); }/' src/main.rs >new && cp new src/main.rs
expect 1 "$xbuild" test
prints "^cargo +agent +$host +FAILED"
prints 'test adds \.\.\. FAILED'
sed 's/, 4); }/, 3); }/' src/main.rs >new && mv new src/main.rs
expect 0 "$xbuild" build

# the same bytes elsewhere, by another cache
cp xbuild.lock "$work/second directory"
rm -rf "$XBUILD_CACHE_DIR/actions"
(cd "$work/second directory" && expect 0 "$xbuild" build)
cmp "out/$host/agent" "$work/second directory/out/$host/agent" || fail "other bytes in another directory"

# what cargo lacks is told with where it comes from
rm -rf vendor/tally
expect 1 "$xbuild" build
says 'no registry is asked'
cp -r "$work/second directory/vendor/tally" vendor

# a build script of its own finds nothing of what it made before it was changed
cat >build.rs <<'RUST'
use std::{env, fs, path::Path};
fn main() {
    let out = env::var("OUT_DIR").unwrap();
    fs::write(Path::new(&out).join("one.made"), "").unwrap();
    let n = fs::read_dir(&out).unwrap().filter(|e| e.as_ref().unwrap().path().extension().map_or(false, |x| x == "made")).count();
    fs::write(Path::new(&out).join("count.rs"), n.to_string()).unwrap();
}
RUST
echo 'fn main() { std::process::exit(include!(concat!(env!("OUT_DIR"), "/count.rs"))) }' >src/main.rs
expect 0 "$xbuild" build
expect 1 "out/$host/agent"
sed 's/one\.made/two.made/' build.rs >new && mv new build.rs
expect 0 "$xbuild" build
expect 1 "out/$host/agent"

other=linux-aarch64
[ "$host" != linux-aarch64 ] || other=linux-x86_64
if [ ! -d "$sysroot/lib/rustlib/${other#linux-}-unknown-linux-gnu/lib" ]; then
	sed '/    targets:/d' xbuild.yaml >new && mv new xbuild.yaml
	expect 1 "$xbuild" build --target "$other"
	says "xbuild\.yaml:[0-9]+:[0-9]+: unit 'agent': the Rust of this host has no standard library for target '$other'"
	says "rustup target add ${other#linux-}-unknown-linux-gnu"
fi
