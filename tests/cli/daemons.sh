# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=sh
# Sourced first, in the place of begin.sh, by tests that give images to the programs that people run them with: daemons of
# the test's own, each with everything below $work, ended by process id.
#
#   start_containerd, start_docker, start_podman, start_registry    return when the daemon answers; each once
#   ctr_, docker_, podman_, podman_run                              their clients
#   registry                                                        HOST:PORT
#   images                                                          what consumer_images.sh has made, with image.json that tells of it
#
# Root's tests run in name spaces of their own for mounts and processes: nothing that a daemon mounts is seen outside, and
# nothing outlives the test, however it ends. Nothing of the system is touched: no service, no group, no bridge or iptables.
#
# XB_COMPLETE says that a consumer that is not here is a failure and no reason to skip (scripts/test --all, or CI is set),
# for root; a user who is not root cannot start most of them.
if [ "$(id -u)" = 0 ] && [ -z "${XB_OWN_SPACES:-}" ] && unshare -m -p --fork --mount-proc true 2>/dev/null; then
	XB_OWN_SPACES=1 exec unshare -m -p --fork --kill-child --mount-proc sh "$0" "$@"
fi
: "${XB_COMPLETE:=${CI:-}}"
. "$(dirname "$0")/begin.sh"
daemons=
cgroup=xbuild-test-$(basename "$work" | sed 's/.*\.//')

# lacks CONSUMER REASON: ends the test, as skipped or failed
lacks() {
	if [ -n "$XB_COMPLETE" ] && [ "$(id -u)" = 0 ]; then fail "$1: $2"; fi
	skip "$1: $2"
}

# needs CONSUMER TOOL...: programs that have to be installed
needs() {
	consumer=$1
	shift
	for tool; do
		command -v "$tool" >/dev/null || lacks "$consumer" "$tool is not installed"
	done
}
needs_root() {
	[ "$(id -u)" = 0 ] || lacks "$1" "needs root's rights"
	[ -n "${XB_OWN_SPACES:-}" ] || lacks "$1" "no name spaces of mounts and processes here (unshare -m -p)"
}

running() { [ -e "/proc/$1/status" ] && ! grep -q '^State:.*Z' "/proc/$1/status" 2>/dev/null; }

# started NAME COMMAND...: the process that was just put into the background is the daemon NAME, with its log in NAME.log;
# returns when COMMAND, which asks it something, succeeds
started() {
	pid=$!
	name=$1
	daemons="$pid $daemons"
	shift
	tries=0
	until "$@" >/dev/null 2>&1; do
		tries=$((tries + 1))
		running "$pid" || lacks "$name" "ended at once: $(tail -n 5 "$work/$name.log")"
		[ "$tries" -lt 600 ] || fail "$name does not answer: $(tail -n 5 "$work/$name.log")"
		sleep 0.1
	done
}

at_end() {
	# the last one first: dockerd before its containerd
	for pid in $daemons; do
		kill "$pid" 2>/dev/null || continue
		tries=0
		while running "$pid"; do
			tries=$((tries + 1))
			[ "$tries" -lt 200 ] || kill -KILL "$pid" 2>/dev/null || :
			sleep 0.1
		done
	done
	find /sys/fs/cgroup -depth -type d -path "*/$cgroup*" -exec rmdir {} + 2>/dev/null || :
	# what is still mounted must not be removed through the mount; these name spaces are the test's own
	[ -z "${XB_OWN_SPACES:-}" ] || awk -v below="$work/" 'index($5, below) == 1 { print $5 }' /proc/self/mountinfo |
		sort -r | while read -r mount; do umount -l "$mount"; done
}

start_containerd() {
	needs "${1:-containerd}" containerd ctr runc
	needs_root "${1:-containerd}"
	cat >"$work/containerd.toml" <<-TOML
		version = 2
		root = "$work/containerd"
		state = "$work/containerd-run"
		disabled_plugins = ["io.containerd.grpc.v1.cri"]
		[grpc]
		address = "$work/containerd.sock"
		[plugins."io.containerd.internal.v1.opt"]
		path = "$work/containerd-opt"
	TOML
	containerd -c "$work/containerd.toml" >"$work/containerd.log" 2>&1 &
	started containerd ctr_ version
}
ctr_() { ctr -a "$work/containerd.sock" "$@"; }

start_docker() {
	needs docker dockerd
	[ -x /usr/bin/docker ] || needs docker docker
	start_containerd docker
	echo '{}' >"$work/docker.json"
	dockerd --config-file "$work/docker.json" --containerd "$work/containerd.sock" --data-root "$work/docker" \
		--exec-root "$work/docker-run" --pidfile "$work/docker.pid" --group root -H "unix://$work/docker.sock" \
		--cgroup-parent "/$cgroup" --iptables=false --ip6tables=false --ip-forward=false --ip-masq=false --bridge=none \
		--storage-driver=vfs >"$work/dockerd.log" 2>&1 &
	started dockerd docker_ version
}
# the client of dockerd's own package: a newer one does not speak to an older daemon
docker_() {
	if [ -x /usr/bin/docker ]; then
		/usr/bin/docker -H "unix://$work/docker.sock" "$@"
	else
		docker -H "unix://$work/docker.sock" "$@"
	fi
}

# podman has no daemon, but stores of the test's own
start_podman() {
	needs podman podman
	runtime=$(command -v crun || command -v runc) || lacks podman "neither crun nor runc is installed"
	podman_ info >/dev/null 2>"$work/stderr" || lacks podman "does not start here: $(tail -n 1 "$work/stderr")"
}
podman_() {
	podman --root "$work/podman" --runroot "$work/podman-run" --tmpdir "$work/podman-tmp" --storage-driver vfs \
		--cgroup-manager cgroupfs --events-backend file --runtime "$runtime" "$@"
}
# podman_run REFERENCE ARGUMENT...: with the limits of somebody who may not raise any
podman_run() {
	podman_ run --rm --network none --cgroup-parent "/$cgroup" --ulimit nofile=1024:1024 --ulimit nproc=1024:1024 "$@"
}

start_registry() {
	needs registry docker-registry
	cat >"$work/registry.yml" <<-YAML
		version: 0.1
		storage: { filesystem: { rootdirectory: $work/registry }, delete: { enabled: true } }
		http: { addr: "127.0.0.1:0" }
	YAML
	OTEL_TRACES_EXPORTER=none docker-registry serve "$work/registry.yml" >"$work/registry.log" 2>&1 &
	started registry registry_port
	registry=$(registry_port)
}
registry_port() { grep -oE 'listening on 127\.0\.0\.1:[0-9]+' "$work/registry.log" | grep -oE '127.*'; }

# of the program in the image, with the argument "judge"
# shellcheck disable=SC2034 # used by the tests
said='hello 1.2, judge: 42 7 5'
case $(uname -m) in x86_64) native=amd64 foreign=arm64 ;; *) native=arm64 foreign=amd64 ;; esac

# image_facts: $images, and from its image.json $tag, $digest (of the index), and for each platform its manifest
image_facts() {
	images=${XB_IMAGES:-$work/images}
	[ -s "$images/image.json" ] || XB_IMAGES=$images sh "$XB_SOURCE/tests/cli/consumer_images.sh"
	tag=$(fact tag)
	digest=$(fact digest)
}
# fact KEY...: from image.json
fact() {
	python3 -c '
import json, sys
found = json.load(open(sys.argv[1]))
for key in sys.argv[2:]:
    found = found[key]
print(found if isinstance(found, str) else json.dumps(found, sort_keys=True))' "$images/image.json" "$@"
}

# push: hello, all platforms, to the registry as team/hello:$tag
push() {
	expect 0 "$xbuild" push -q --from "$images/hello" "$registry/team/hello:$tag"
	[ "$(tail -n 1 "$work/stdout")" = "$registry/team/hello@$digest" ] || fail "pushed as $(tail -n 1 "$work/stdout")"
}
