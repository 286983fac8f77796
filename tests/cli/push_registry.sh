#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Push to Debian's docker-registry: plain, with passwords, with TLS and an authority of its own, with a token server. skopeo
# is the judge: what it finds and copies back has the digest that was pushed.
. "$(dirname "$0")/begin.sh"
command -v docker-registry >/dev/null || skip "docker-registry is not installed"
command -v skopeo >/dev/null || skip "skopeo is not installed"
unset DOCKER_CONFIG REGISTRY_AUTH_FILE XDG_RUNTIME_DIR SSL_CERT_FILE 2>/dev/null || :
export XBUILD_TEST_RUN_DIR="$work/run"

at_end() {
	for pid_file in "$work"/*.pid; do
		[ -s "$pid_file" ] || continue
		pid=$(cat "$pid_file")
		if grep -qE 'docker-registry|token_server' "/proc/$pid/cmdline" 2>/dev/null; then kill "$pid"; fi
	done
}

free_port() { python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])'; }

# until_true COMMAND...: waits for at most 20 seconds
until_true() {
	tries=0
	until "$@" >/dev/null 2>&1; do
		tries=$((tries + 1))
		[ "$tries" -lt 200 ] || fail "did not come: $*"
		sleep 0.1
	done
}

# registry NAME SCHEME EXTRA: starts one with an empty storage; $host is its address
registry() {
	host=127.0.0.1:$(free_port)
	printf 'version: 0.1\nlog: {level: error, accesslog: {disabled: true}}\nstorage: {filesystem: {rootdirectory: %s}}\nhttp:\n  addr: %s\n  secret: x\n%s' \
		"$work/$1.data" "$host" "$3" >"$work/$1.yml"
	docker-registry serve "$work/$1.yml" >"$work/$1.log" 2>&1 &
	echo $! >"$work/$1.pid"
	until_true curl_free "$2" "$host"
}
# shellcheck disable=SC2317 # called by until_true
curl_free() {
	python3 -c 'import ssl, sys, urllib.request, urllib.error
try:
    urllib.request.urlopen(sys.argv[1] + "://" + sys.argv[2] + "/v2/", context=ssl._create_unverified_context() if sys.argv[1] == "https" else None)
except urllib.error.HTTPError:
    pass' "$1" "$2"
}

# judged HOST/NAME:TAG DIGEST OPTION...: skopeo finds this image there, for both platforms, and can copy all of it
judged() {
	name=$1
	wanted=$2
	shift 2
	skopeo inspect --raw "$@" "docker://$name" >"$work/raw" || fail "skopeo does not find $name"
	[ "sha256:$(sha256sum "$work/raw" | cut -d ' ' -f 1)" = "$wanted" ] || fail "$name has another digest than $wanted"
	rm -rf "$work/back"
	# its options for a copy have another prefix
	options=$(printf '%s ' "$@" | sed 's/--tls-verify/--src-tls-verify/; s/--cert-dir/--src-cert-dir/; s/--creds/--src-creds/')
	# shellcheck disable=SC2086 # words without blanks
	skopeo copy -q --all --preserve-digests $options "docker://$name" "oci:$work/back:v1" || fail "skopeo cannot copy $name"
	[ "$(python3 -c 'import json,sys; print(json.load(open(sys.argv[1]))["manifests"][0]["digest"])' "$work/back/index.json")" = "$wanted" ] ||
		fail "$name copied back has another digest"
	expect 0 "$xbuild" verify "$work/back"
}

layout() { python3 "$XB_SOURCE/tests/cli/sample_layout.py" "$@"; }
digest=$(layout "$work/small" 300000 1)
large=$(layout "$work/large" 40000000 2)
docker=$(layout "$work/docker" 1000 3 --docker)

# ---- a name that does not resolve: said as it is
expect 4 "$xbuild" push nosuchhost.invalid/a/b:1 --from small
says 'nosuchhost.invalid'
silent_about 'refuses an option'

# ---- plain
registry plain http ''
expect 0 "$xbuild" push "$host/acme/parcel:v1" --from small --dry-run
prints '^send +[0-9]{6}  127.0.0.1:[0-9]+/acme/parcel@sha256:[0-9a-f]{64}$'
sent=$(awk '$1 == "send" { n += $2 } END { print n }' "$work/stdout")
[ "$(awk '$1 == "total" { print $2 }' "$work/stdout")" = "$sent" ] || fail "the sum is wrong"
[ "$(tail -n 1 "$work/stdout")" = "$host/acme/parcel@$digest" ] || fail "the last line is not name@digest"
expect 2 "$xbuild" push "$host/acme/parcel:v1@$digest" --from small
[ ! -e "$work/plain.data/docker/registry/v2/repositories" ] || fail "a dry run has sent something"
expect 0 "$xbuild" push "$host/acme/parcel:v1" "$host/acme/parcel:v2" --from small
[ "$(cat "$work/stdout")" = "$host/acme/parcel@$digest" ] || fail "stdout: $(cat "$work/stdout")"
judged "$host/acme/parcel:v1" "$digest" --tls-verify=false
judged "$host/acme/parcel:v2" "$digest" --tls-verify=false
expect 0 "$xbuild" push "$host/acme/parcel:v1" --from small --json
python3 -c 'import json,sys; d = json.load(open(sys.argv[1])); assert d["sent_bytes"] == 0 and {i["way"] for i in d["items"]} == {"there"}, d' "$work/stdout"
# chunks, and another repository of the same registry: nothing but documents is sent
expect 0 "$xbuild" push "$host/acme/large:v1" --from large
judged "$host/acme/large:v1" "$large" --tls-verify=false
expect 0 "$xbuild" push "$host/acme/large:v1" "$host/other/large:v1" --from large --json
python3 -c 'import json,sys; d = json.load(open(sys.argv[1])); ways = [i["way"] for i in d["items"] if i["name"].endswith("other/large")]
assert ways.count("mount") == 6 and ways.count("send") == 3 and d["sent_bytes"] < 5000, d' "$work/stdout"
judged "$host/other/large:v1" "$large" --tls-verify=false
[ -z "$(ls -A "$XBUILD_CACHE_DIR/uploads")" ] || fail "journals are left: $(ls -A "$XBUILD_CACHE_DIR/uploads")"
expect 0 "$xbuild" push "$host/acme/docker:v1" --from docker
skopeo copy -q --all --preserve-digests --src-tls-verify=false "docker://$host/acme/docker:v1" "dir:$work/dir"
[ "sha256:$(sha256sum "$work/dir/manifest.json" | cut -d ' ' -f 1)" = "$docker" ] || fail "Docker's types: another digest"

# ---- tags: those of the project, of one repository or with the repository's name; a tag that is no news
hello_project project
mkdir -p project/out/images && cp -r small project/out/images/hello && echo '*' >project/out/.gitignore
(cd project && expect 0 "$xbuild" tag)
tag=$(cat "$work/stdout")
expect 0 "$xbuild" -C project push "$host/acme/tagged"
judged "$host/acme/tagged:$tag" "$digest" --tls-verify=false
silent_about 'does not come after'
expect 2 "$xbuild" -C project push
says 'no tag of the project file names a repository'
printf 'tags: ["%s/by/template:main-20250101000000-abcdef1", plain, "%s/acme/tagged:own"]\n' "$host" "$host" >>project/xbuild.yaml
git -C project commit -q -a -m tags
expect 0 "$xbuild" -C project push
[ "$(cat "$work/stdout")" = "$host/by/template@$digest
$host/acme/tagged@$digest" ] || fail "tags with repositories: $(cat "$work/stdout")"
expect 0 "$xbuild" -C project push "$host/acme/tagged" --json
python3 -c 'import json,sys; d = json.load(open(sys.argv[1])); assert [t["tags"] for t in d["targets"]] == [["plain", "own"]], d' "$work/stdout"
expect 0 "$xbuild" push "$host/by/template:main-20240101000000-abcdef2" --from small
says "warning: the tag 'main-20240101000000-abcdef2' does not come after 'main-20250101000000-abcdef1'"
expect 5 "$xbuild" push "$host/by/template:main-20230101000000-abcdef3" --from small --strict-tags
expect 0 "$xbuild" push "$host/by/template:main-20260101000000-abcdef4" --from small --strict-tags
skopeo list-tags --tls-verify=false "docker://$host/by/template" >"$work/tags"
if grep -q abcdef3 "$work/tags"; then fail "--strict-tags has pushed"; fi

# ---- pull: what was pushed, byte for byte, in each form; nothing is fetched that the store has
expect 0 "$xbuild" pull "$host/acme/large:v1" --output oci=pulled -o oci-archive=pulled.oci.tar -o docker-archive=pulled.tar
[ "$(tail -n 1 "$work/stdout")" = "$host/acme/large@$large" ] || fail "pull: the last line is not name@digest"
diff -r "$work/large/blobs" "$work/pulled/blobs" || fail "pulled other blobs than were pushed"
for form in pulled pulled.oci.tar pulled.tar; do
	expect 0 "$xbuild" verify "$form"
	prints "^$large v1 linux/amd64, linux/arm64$"
done
skopeo inspect --config "docker-archive:pulled.tar:$host/acme/large:v1-arm64" >"$work/inspect"
grep -q '"architecture": *"arm64"' "$work/inspect" || fail "skopeo finds no arm64 in the archive"
expect 0 "$xbuild" pull "$host/acme/large@$large" --target arm64 --output oci=arm
expect 0 "$xbuild" verify arm
prints ' linux/arm64$'
[ "$(find "$work/arm/blobs" -type f | wc -l)" = 4 ] || fail "a pull of one platform has other blobs"
expect 0 "$xbuild" pull "$host/acme/docker:v1" --output oci=pulled # over the earlier one
diff -r "$work/docker/blobs" "$work/pulled/blobs" || fail "Docker's types: pulled other blobs"
sound_store
expect 2 "$xbuild" pull "$host/acme/large:none" --output oci=none
says '404 MANIFEST_UNKNOWN'
expect 5 "$xbuild" pull "$host/acme/large:v1" --output "oci=$work"
says 'holds other things'
expect 2 "$xbuild" pull "$host/acme/large:v1"
# a blob that the registry has with other content (its file was damaged) is not taken
victim=$(find "$work/plain.data" -path '*blobs/sha256*' -size +20000k -name data | head -n 1)
printf X | dd of="$victim" bs=1 seek=5 conv=notrunc 2>/dev/null
chmod -R u+w "$XBUILD_CACHE_DIR" && rm -rf "$XBUILD_CACHE_DIR"
expect 5 "$xbuild" pull "$host/acme/large:v1" --output oci=damaged
says 'its content has the digest'
[ ! -e "$work/damaged" ] || fail "half a pull was written"
sound_store

# ---- passwords: without, wrong, right; bcrypt by perl's crypt(3)
printf 'u:%s\n' "$(perl -e 'print crypt("p", "\$2y\$05\$abcdefghijklmnopqrstuu")')" >"$work/htpasswd"
registry basic http "auth: {htpasswd: {realm: tests, path: $work/htpasswd}}
"
login() { printf '{"auths":{"%s":{"auth":"%s"}}}\n' "$1" "$(printf %s "$2" | base64)" >"$HOME/.docker/config.json"; }
mkdir -p "$HOME/.docker"
expect 2 "$xbuild" push "$host/acme/parcel:v1" --from small
says ': 401'
says "log in with 'docker login'"
login "$host" u:wrong-s3cret
expect 2 "$xbuild" push -v "$host/acme/parcel:v1" --from small
silent_about 'wrong-s3cret|dTp3'
says "log in to '$host': the registry refuses the name or the password"
says "the login in '$HOME/.docker/config.json' is refused"
login "$host" u:p
expect 0 "$xbuild" push "$host/acme/parcel:v1" --from small
judged "$host/acme/parcel:v1" "$digest" --tls-verify=false --creds=u:p

# ---- TLS: an unknown authority is refused, its file makes it known; --insecure goes without
openssl req -x509 -newkey rsa:2048 -nodes -keyout "$work/tls.key" -out "$work/tls.crt" -days 2 -subj /CN=tests \
	-addext subjectAltName=IP:127.0.0.1 2>/dev/null
registry tls https "  tls: {certificate: $work/tls.crt, key: $work/tls.key}
"
expect 0 "$xbuild" push "$host/acme/parcel:v1" --from small --ca tls.crt
mkdir "$work/certs" && cp "$work/tls.crt" "$work/certs/ca.crt"
judged "$host/acme/parcel:v1" "$digest" --cert-dir="$work/certs"
openssl req -x509 -newkey rsa:2048 -nodes -keyout "$work/other.key" -out "$work/other.crt" -days 2 -subj /CN=other \
	-addext subjectAltName=IP:127.0.0.1 2>/dev/null
expect 4 "$xbuild" push "$host/acme/parcel:v2" --from small --ca other.crt
says 'certificate'
expect 4 "$xbuild" push "$host/acme/parcel:v2" --from small
says "HEAD http://$host/v2/acme/parcel/manifests/.*: the registry speaks TLS"
says 'hint: .*--ca FILE'
expect 4 "$xbuild" pull "$host/acme/parcel:v1" --output oci=none
says 'the registry speaks TLS'
expect 0 "$xbuild" push "$host/acme/parcel:v2" --from small --insecure
judged "$host/acme/parcel:v2" "$digest" --cert-dir="$work/certs"

# ---- tokens
rm -f "$HOME/.docker/config.json"
python3 "$XB_SOURCE/tests/cli/token_server.py" "$work/tls.key" "$work/tls.crt" "$work/tokens.port" "$work/requests.log" &
echo $! >"$work/tokens.pid"
until_true test -s "$work/tokens.port"
registry token http "auth: {token: {realm: \"http://127.0.0.1:$(cat "$work/tokens.port")/token\", service: tests, issuer: tests, rootcertbundle: $work/tls.crt}}
"
expect 2 "$xbuild" push "$host/acme/parcel:v1" --from small
login "$host" u:p
expect 0 "$xbuild" push "$host/acme/parcel:v1" --from small
judged "$host/acme/parcel:v1" "$digest" --tls-verify=false --creds=u:p
: >"$work/requests.log"
expect 0 "$xbuild" push "$host/acme/large:v1" "$host/other/large:v1" --from large --json
python3 -c 'import json,sys; d = json.load(open(sys.argv[1])); assert [i["way"] for i in d["items"]].count("mount") == 6, d' "$work/stdout"
grep -q '^known repository:other/large:pull,push repository:acme/large:pull$' "$work/requests.log" || fail "scopes: $(cat "$work/requests.log")"
[ "$(wc -l <"$work/requests.log")" -le 3 ] || fail "more tokens than needed: $(cat "$work/requests.log")"
