#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# The pool of jobs in the form that a tool understands: descriptors, the name of the FIFO, or a share. A make and a ninja that say
# another version stand before this machine's own: they look at what they were told and take what is in the pool, as the jobserver's
# protocol has it, and then build.
. "$(dirname "$0")/begin.sh"
for tool in cmake ninja make; do
	command -v $tool >/dev/null || skip "there is no $tool"
done
serve
warm_store
mkdir -p project/lib project/plain fake
cat >fake/client <<'PY'
#!/usr/bin/env python3
"""make or ninja, by its name: says the version in versions/NAME; notes in told/NAME the form and how many jobs it could take."""
import os, re, sys

here, name = os.path.dirname(os.path.abspath(sys.argv[0])), os.path.basename(sys.argv[0])
real = [d for d in os.environ["PATH"].split(":") if os.path.exists(f"{d}/{name}") and os.path.abspath(d) != here][0] + "/" + name
version = open(f"{here}/versions/{name}").read()
if sys.argv[1:] == ["--version"]:
    print(version, end="")
    sys.exit(0)
flags = os.environ.get("MAKEFLAGS", "")
found = re.search(r"--jobserver-auth=(?:fifo:(\S+)|(\d+),(\d+))", flags)
words = [w for w in sys.argv[1:] if w.startswith("-j")]
note = "none"
if found:
    if found.group(1):
        fd, form = os.open(found.group(1), os.O_RDWR | os.O_NONBLOCK), "fifo"
    else:
        fd, form = os.open(f"/dev/fd/{found.group(2)}", os.O_RDWR | os.O_NONBLOCK), "fds"
    tokens = b""
    while len(tokens) < 99:
        try:
            tokens += os.read(fd, 1)
        except BlockingIOError:
            break
    os.write(fd, tokens)
    note = f"{form} {len(tokens)}"
with open(f"{here}/told/{name}", "a") as f:
    f.write(f"{note} {' '.join(words)}".strip() + "\n")
os.environ.pop("MAKEFLAGS", None)
os.execv(real, [real] + sys.argv[1:])
PY
chmod +x fake/client
cp fake/client fake/make
mv fake/client fake/ninja
mkdir fake/versions fake/told
cd project
cat >xbuild.yaml <<'YAML'
name: jobs
version: "1"
toolchain: { llvm: "19" }
sysroot: { debian: test }
hosts: [linux-x86_64]
targets: [linux-x86_64]
build:
  cm: { cmake: { dir: lib }, outputs: [bin/tool] }
  mk: { make: { dir: plain }, outputs: [share/list] }
YAML
cat >lib/CMakeLists.txt <<'CMAKE'
cmake_minimum_required(VERSION 3.16)
project(tool C)
add_executable(tool tool.c)
install(TARGETS tool DESTINATION bin)
CMAKE
echo 'int main(void) { return 0; }' >lib/tool.c
# shellcheck disable=SC2016 # make's
printf 'all:\n\ttouch list\ninstall:\n\tinstall -D list $(DESTDIR)/usr/share/list\n' >plain/Makefile
expect 0 "$xbuild" lock

# told NAME LINE: what the tool saw while it built
told() {
	grep -qx -- "$2" "$work/fake/told/$1" || fail "$1: expected '$2', found: $(cat "$work/fake/told/$1")"
	rm "$work/fake/told/$1"
}
# with MAKE NINJA: builds one unit after the other, by tools of these versions; each has one job itself, and two of the pool's three
with() {
	printf 'GNU Make %s\nBuilt for here\n' "$1" >"$work/fake/versions/make"
	echo "$2" >"$work/fake/versions/ninja"
	touch plain/"make-$1" lib/"ninja-$2"
	for unit in cm mk; do
		PATH="$work/fake:$PATH" expect 0 "$xbuild" build -j 3 $unit
	done
	[ ! -e .xbuild/jobserver ] || fail "the FIFO is still there"
}
with 4.3 1.11.1
told make 'fds 2'
told ninja 'none -j3'
with 4.4.1 1.13.0
told make 'fifo 2'
told ninja 'fifo 2'

# a path that no word can hold: descriptors, and a share
mv "$work/project" "$work/a project" && cd "$work/a project"
with 4.4.2 1.13.1
told make 'fds 2'
told ninja 'none -j3'
