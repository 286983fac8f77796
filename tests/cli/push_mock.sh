#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Push and pull against a registry with bad days (mock_registry.py): each case starts one with some switches.
. "$(dirname "$0")/begin.sh"
unset DOCKER_CONFIG REGISTRY_AUTH_FILE XDG_RUNTIME_DIR SSL_CERT_FILE 2>/dev/null || :
export XBUILD_TEST_RUN_DIR="$work/run"
mkdir -p "$HOME/.docker"
mock_pid=
stop_mock() {
	if [ -n "$mock_pid" ] && grep -q mock_registry "/proc/$mock_pid/cmdline" 2>/dev/null; then
		kill "$mock_pid"
		wait "$mock_pid" 2>/dev/null || :
	fi
	mock_pid=
}
at_end() { stop_mock; }

# mock SWITCH...: a new one; $host is its address, $log what it was asked
mock() {
	if [ -e "${log:-}" ] && grep -E '^(LEAK|BUG)' "$log"; then fail "the registry before this one complains"; fi
	stop_mock
	rm -f "$work/mock.port" "$work/mock.log" "$work/mock.log.go"
	log=$work/mock.log
	: >"$log"
	python3 "$XB_SOURCE/tests/cli/mock_registry.py" "$work/mock.port" "$log" "$@" &
	mock_pid=$!
	tries=0
	until [ -s "$work/mock.port" ]; do
		tries=$((tries + 1))
		[ "$tries" -lt 200 ] || fail "the mock did not start"
		sleep 0.05
	done
	host=127.0.0.1:$(cut -d ' ' -f 1 "$work/mock.port")
	case_name="$*"
}
login() { printf '{"auths":{"%s":{"auth":"%s"}}}\n' "$host" "$(printf %s "$1" | base64)" >"$HOME/.docker/config.json"; }
logout() { rm -f "$HOME/.docker/config.json"; }
# sent METHOD: bytes of body that came with it
sent() { awk -v m="$1" '$1 == m { n += $3 } END { print n + 0 }' "$log"; }
asked() { grep -cE -- "$1" "$log" || :; }
layout() { python3 "$XB_SOURCE/tests/cli/sample_layout.py" "$@"; }
# whole NAME: what the registry has under this name is the image, by pull and verify
whole() {
	chmod -R u+w "$work/pulled" "$XBUILD_CACHE_DIR/blobs" 2>/dev/null || :
	rm -rf "$work/pulled" "$XBUILD_CACHE_DIR/blobs"
	expect 0 "$xbuild" pull "$host/$1" --output oci=pulled -j1
	diff -r "$2/blobs" pulled/blobs || fail "$case_name: $1 has other blobs"
}
small=$(layout "$work/small" 100000 1)
layout "$work/large" 40000000 2 >/dev/null
total=$(find "$work/small/blobs" -type f -size +0 -exec stat -c %s {} + | awk '{ n += $1 } END { print n }')
# the index goes by its digest and by its tag
total=$((total + $(stat -c %s "small/blobs/sha256/${small#sha256:}")))

# ---- uploads: wherever Location says, and however it is written
for switches in relative query 'relative query' 'query minchunk=100' elsewhere 'elsewhere query' nomount nochunks; do
	# shellcheck disable=SC2086 # switches are words
	mock $switches
	expect 0 "$xbuild" push "$host/a/b:v1" "$host/c/d:v1" --from small
	[ "$(tail -n 1 "$work/stdout")" = "$host/c/d@$small" ] || fail "$case_name: $(cat "$work/stdout")"
	whole a/b:v1 small
	whole c/d:v1 small
done
[ "$(sent PUT)" -gt "$total" ] || fail "without mount everything is sent twice"
mock
expect 0 "$xbuild" push "$host/a/b:v1" --from small
first=$(sent PUT)
expect 0 "$xbuild" push "$host/c/d:v1" "$host/a/b:v2" --from small
expect 0 "$xbuild" push "$host/a/b:v1" --from small
[ "$(sent PATCH)" = 0 ] || fail "small blobs in pieces"
[ "$first" = "$total" ] || fail "sent $first bytes, expected $total"
mock userinfo
expect 4 "$xbuild" push "$host/a/b:v1" --from small
says 'without a user name'
silent_about 'u:p'
mock nolocation
expect 4 "$xbuild" push "$host/a/b:v1" --from small
says 'no Location'
mock wrongupload
expect 5 "$xbuild" push "$host/a/b:v1" --from small
says 'says that it stored'
mock wrongput
expect 5 "$xbuild" push "$host/a/b:v1" --from small
says 'what the registry says that it stored is sha256:'
[ "$(asked 'PUT .*/manifests/v1 ')" = 0 ] || fail "a tag was set on what is something else"
# content that is not what its name says never arrives, and no tag is set
cp -r small damaged
victim=$(find damaged/blobs -type f -size +90k | head -n 1)
chmod u+w "$victim"
printf X | dd of="$victim" bs=1 seek=2000 conv=notrunc 2>/dev/null
mock
expect 5 "$xbuild" push "$host/a/b:v1" --from damaged
says 'the content of the file has the digest'
[ "$(asked 'PUT .*/manifests/')" = 0 ] || fail "a manifest went out with a damaged blob"
ln -sf "$work/small/oci-layout" "$victim"
expect 5 "$xbuild" push "$host/a/b:v1" --from damaged
says 'expected a regular file'
layout "$work/foreign" 1000 5 --foreign >/dev/null
expect 0 "$xbuild" push "$host/a/f:v1" --from foreign
whole a/f:v1 foreign

# ---- who has forgotten something is told what
mock
for tag in 1.0 1.1 2.0; do expect 0 "$xbuild" push "$host/a/b:$tag" --from small; done
expect 2 "$xbuild" pull "$host/a/b:2.1" --output oci=none
says "did you mean '2.0'. its tags: 1.0, 1.1, 2.0$"
expect 2 "$xbuild" pull "$host/a/c" --output oci=none
says "'$host/a/c' has no tags: is the name right"
for n in 1 2 3 4 5 6 7; do expect 0 "$xbuild" push "$host/a/b:r$n" --from small; done
expect 2 "$xbuild" verify "$host/a/b:nothing"
says 'its last tags: 2.0, r1, r2, r3, r4, r5, r6, r7 .10 in all.$'
mkdir empty ungit
expect 2 "$xbuild" -C empty push "$host/a/b"
says 'hint: .*--from DIR'
silent_about 'xbuild init'
cat >ungit/xbuild.yaml <<'YAML'
name: hello
targets: [linux-x86_64]
build: { hello: { sources: [hello.c] } }
image: { hello: { base: scratch } }
YAML
mkdir -p ungit/out/images && cp -r small ungit/out/images/hello
expect 2 "$xbuild" -C ungit push "$host/a/b"
says "in no git repository: name the tag, as in 'xbuild push $host/a/b:1.0'"
expect 2 "$xbuild" -C ungit push
says "name the tag, as in 'xbuild push ghcr.io/acme/parcel:1.0'"
expect 0 "$xbuild" -C ungit push "$host/a/b:1.0"
# authorities are looked at before the registry is
: >"$log"
expect 2 "$xbuild" push "$host/a/b:1.0" --from small --ca nothing.pem
says "^error: --ca: open '.*nothing.pem'"
expect 2 "$xbuild" push "$host/a/b:1.0" --from small --ca small/index.json
says "^error: --ca: '.*index.json' has no certificate in PEM form"
expect 2 "$xbuild" -C small pull "$host/a/b:1.0" --output oci=none --ca index.json
says 'has no certificate in PEM form'
printf -- '-----BEGIN CERTIFICATE-----\nnothing\n-----END CERTIFICATE-----\n' >broken.pem
expect 2 "$xbuild" push "$host/a/b:1.0" --from small --ca broken.pem
says "no certificates can be read from '.*broken.pem'"
[ "$(asked .)" = 0 ] || fail "asked: $(cat "$log")"
stop_mock
expect 4 "$xbuild" push "$host/a/b:1.0" --from small
says "does a registry listen at $host. start it, or correct the port"

# ---- a registry that lost a blob below manifests that it has
mock forgetful
expect 0 "$xbuild" push "$host/a/b:v1" --from small
before=$(sent PUT)
expect 0 "$xbuild" push "$host/a/b:v1" --from small
[ "$(sent PUT)" -gt "$before" ] || fail "the lost blob was not sent again"
whole a/b:v1 small
before=$(sent PUT)
expect 0 "$xbuild" push "$host/a/b:v1" --from small
[ "$(sent PUT)" = "$before" ] || fail "the third push sent something"

# ---- broken connections
mock drop=20000:2
expect 0 "$xbuild" push "$host/a/b:v1" --from small
whole a/b:v1 small
[ "$(asked ' dropped$')" = 2 ] || fail "dropped: $(cat "$log")"
mock unanswered
expect 0 "$xbuild" push "$host/a/b:v1" --from small
whole a/b:v1 small
[ "$(sent PUT)" = "$total" ] || fail "a blob that had arrived was sent again"
# a large one goes on where it broke off: what came is not sent again
bytes=$(find "$work/large/blobs" -type f -size +1000k -exec stat -c %s {} + | awk '{ n += $1 } END { print n }')
for switches in 'drop=3000000:3' 'drop=3000000:3 relative' 'drop=34000000:1'; do
	# shellcheck disable=SC2086
	mock $switches
	expect 0 "$xbuild" push "$host/a/b:v1" --from large
	whole a/b:v1 large
	[ "$(sent PATCH)" -le "$bytes" ] || fail "$case_name: sent $(sent PATCH) bytes of $bytes"
done
mock drop=3000000 lost
expect 0 "$xbuild" push "$host/a/b:v1" --from large -j1
whole a/b:v1 large
mock drop=1000:1000
expect 4 "$xbuild" push "$host/a/b:v1" --from small
[ "$(asked ' dropped$')" -le 40 ] || fail "tried without end"

# killed in the middle of an upload: the next run sends the rest alone
mock hold=20000000
"$xbuild" push "$host/a/b:v1" --from large -j1 >"$work/out" 2>&1 &
push_pid=$!
tries=0
until grep -q '^HOLD' "$log"; do
	tries=$((tries + 1))
	[ "$tries" -lt 400 ] || fail "the upload did not begin"
	sleep 0.05
done
kill -9 "$push_pid"
wait "$push_pid" 2>/dev/null || :
: >"$log.go"
tries=0
until grep -q ' dropped$' "$log"; do
	tries=$((tries + 1))
	[ "$tries" -lt 200 ] || fail "the registry did not notice"
	sleep 0.05
done
before=$(sent PATCH)
[ "$before" -ge 20000000 ] || fail "only $before bytes had come"
[ "$(find "$XBUILD_CACHE_DIR/uploads" -type f -perm 600 ! -name '*.lock' | wc -l)" = 1 ] || fail "journal: $(ls -lA "$XBUILD_CACHE_DIR/uploads")"
expect 0 "$xbuild" push "$host/a/b:v1" --from large -j1
whole a/b:v1 large
[ "$(sent PATCH)" = "$bytes" ] || fail "after the kill $(($(sent PATCH) - before)) bytes were sent of the $((bytes - before)) that lacked"
[ -z "$(find "$XBUILD_CACHE_DIR/uploads" -type f)" ] || fail "a journal is left"
# an upload that the registry has forgotten meanwhile starts anew
mkdir -p "$XBUILD_CACHE_DIR/uploads"
mock
key=$(find large/blobs -type f -size +1000k | head -n 1 | sed 's|.*/||')
name=$(printf %s "$host/a/b@$key" | sha256sum | cut -d ' ' -f 1)
printf '{"location":"http://%s/v2/a/b/blobs/uploads/gone"}\n' "$host" >"$XBUILD_CACHE_DIR/uploads/$name"
expect 0 "$xbuild" push "$host/a/b:v1" --from large
[ "$(asked 'GET .*/uploads/gone .* 404$')" = 1 ] || fail "the journal was not read: $(cat "$log")"
whole a/b:v1 large

# ---- busy
for switches in busy=2 busydate=1 bad=3; do
	mock "$switches"
	expect 0 "$xbuild" push "$host/a/b:v1" --from small
	whole a/b:v1 small
done
[ "$(asked ' 502$')" = 3 ] || fail "502: $(cat "$log")"
# it is waited as long as was asked for, which is longer than a second attempt waits by itself
mock busy=1 after=4
start=$(date +%s%N)
expect 0 "$xbuild" push "$host/a/b:v1" --from small
[ $((($(date +%s%N) - start) / 1000000)) -ge 4000 ] || fail "Retry-After: 4 was not waited for"
mock bad=1000
expect 4 "$xbuild" push "$host/a/b:v1" --from small
says ': 502$'
[ "$(asked .)" -le 4 ] || fail "tried without end"
mock wait=86400
expect 4 "$xbuild" push "$host/a/b:v1" --from small
says 'asks to wait 86400 s'
[ "$(asked .)" = 1 ] || fail "did not believe it"
mock warn
expect 0 "$xbuild" push "$host/a/b:v1" --from small
[ "$(grep -c 'warning: .*closes on friday' "$work/stderr")" = 1 ] || fail "the registry's warning is not told once"
mock errors
expect 2 "$xbuild" push "$host/a/b:v1" --from small
says "PUT http://$host/v2/a/b/manifests/sha256:[0-9a-f]*: 403 DENIED: quota.* of acme is used up$"

# ---- reading
for switches in redirect dropget=30000:3 'dropget=30000 norange' 'redirect dropget=50000:2' 'redirect basic' 'redirect bearer'; do
	# shellcheck disable=SC2086
	mock $switches
	login u:p
	expect 0 "$xbuild" push "$host/a/b:v1" --from small
	whole a/b:v1 small
	logout
done
mock wrongblob
expect 0 "$xbuild" push "$host/a/b:v1" --from small
chmod -R u+w "$work/pulled" "$XBUILD_CACHE_DIR/blobs"
rm -rf "$work/pulled" "$XBUILD_CACHE_DIR/blobs"
expect 5 "$xbuild" pull "$host/a/b:v1" --output oci=pulled
says 'its content has the digest'
[ ! -e "$work/pulled" ] || fail "wrong content was written"
mock wrongmanifest
expect 0 "$xbuild" push "$host/a/b:v1" --from small
expect 5 "$xbuild" pull "$host/a/b:v1" --output oci=pulled
expect 5 "$xbuild" pull "$host/a/b@$small" --output oci=pulled
says 'the digest of what was sent is sha256:'
mock othermanifest
expect 0 "$xbuild" push "$host/a/b:v1" --from small
expect 5 "$xbuild" pull "$host/a/b@$small" --output oci=pulled
says 'the digest of what was sent is sha256:'
# refused PATTERN SWITCH...: blobs that come like this are not taken, and not asked for without end
refused() {
	pattern=$1
	shift
	mock "$@"
	expect 0 "$xbuild" push "$host/a/b:v1" --from small
	rm -rf "$XBUILD_CACHE_DIR/blobs"
	got=0
	timeout 60 "$xbuild" pull "$host/a/b:v1" --output oci=pulled -j1 >"$work/stdout" 2>"$work/stderr" || got=$?
	case $got in 4 | 5) ;; *) fail "$*: exit status $got: $(cat "$work/stderr")" ;; esac
	says "$pattern"
	[ ! -e "$work/pulled" ] || fail "wrong content was written"
}
refused 'more than the [0-9]+ bytes' moreblob
refused 'another part than was asked for' dropget=30000:1000 otherpart
refused 'has the digest|ended after' dropget=100000:1000 wrongblob
sound_store
# tags in pages: the last page decides
mock page=1
for tag in main-20240101000000-aaaaaaa main-20240301000000-bbbbbbb main-20260101000000-ccccccc; do
	expect 0 "$xbuild" push "$host/a/b:$tag" --from small
	silent_about 'does not come after'
done
expect 0 "$xbuild" push "$host/a/b:main-20250101000000-ddddddd" --from small
says "does not come after 'main-20260101000000-ccccccc'"
mock moretags=100001
expect 5 "$xbuild" push "$host/a/b:main-20270101000000-ccccccc" --from small --strict-tags
says 'has more tags than the 100000 that were looked at'
expect 0 "$xbuild" push --dry-run "$host/a/b:main-20270101000000-ccccccc" --from small
says '^warning: .*has more tags than'
mock page=1 pageaway basic
login u:p
expect 0 "$xbuild" push "$host/a/b:main-20240101000000-aaaaaaa" "$host/a/b:main-20240301000000-bbbbbbb" --from small
expect 4 "$xbuild" push "$host/a/b:main-20250101000000-ccccccc" --from small --strict-tags
says 'on another server'
logout

# ---- what lies beside the image: signatures under their tag, documents as referrers, in the registry's list or in one of our own
cp -r small with && python3 - "$work/with" "$small" <<'PY'
import hashlib, json, os, sys
image, digest = sys.argv[1:]
index = json.load(open(image + "/index.json"))["manifests"][0]

def layout(name, entries):
    os.makedirs(image + name + "/blobs/sha256")
    def put(data, media_type):
        data = data if isinstance(data, bytes) else json.dumps(data).encode()
        hex = hashlib.sha256(data).hexdigest()
        open(image + name + "/blobs/sha256/" + hex, "wb").write(data)
        return {"mediaType": media_type, "digest": "sha256:" + hex, "size": len(data)}
    found = []
    for text, kind, extra, entry in entries:
        m = {"schemaVersion": 2, "mediaType": "application/vnd.oci.image.manifest.v1+json", "artifactType": kind,
             "config": put(b"{}", "application/vnd.oci.empty.v1+json"), "layers": [put(text, kind)], **extra}
        found.append(dict(put(m, m["mediaType"]), artifactType=kind, **entry))
    json.dump({"schemaVersion": 2, "manifests": found}, open(image + name + "/index.json", "w"))
    open(image + name + "/oci-layout", "w").write('{"imageLayoutVersion":"1.0.0"}')

subject = {"subject": {k: index[k] for k in ("mediaType", "digest", "size")}, "annotations": {"a": "b"}}
layout(".referrers", [(b"bill", "text/bill", subject, {}), (b"origin", "text/origin", subject, {})])
layout(".sig", [(b"signed", "text/signature", {},
                 {"annotations": {"org.opencontainers.image.ref.name": digest.replace(":", "-") + ".sig"}})])
PY
list=sha256-${small#sha256:}
# two documents and signatures have one empty configuration: it is told once, and counted once
mock
expect 0 "$xbuild" push "$host/a/b:v1" --from with --dry-run
[ -z "$(awk 'NF == 3 { print $3 }' "$work/stdout" | sort | uniq -d)" ] || fail "told twice: $(cat "$work/stdout")"
planned=$(awk '$1 == "total" { print $2 }' "$work/stdout")
expect 0 "$xbuild" push "$host/a/b:v1" --from with --json
python3 -c 'import json,sys; d = json.load(open(sys.argv[1])); assert d["sent_bytes"] == int(sys.argv[2]), d' "$work/stdout" "$planned"
get() { python3 -c 'import sys, urllib.request; r = urllib.request.Request(sys.argv[1]); sys.stdout.write(urllib.request.urlopen(r).read().decode())' "http://$host/v2/a/b/$1"; }
is_listed='import json, sys
m = json.load(sys.stdin)["manifests"]
assert sorted(x["artifactType"] for x in m) == ["text/bill", "text/origin"], m'
mock
for tag in v1 v2; do
	expect 0 "$xbuild" push "$host/a/b:$tag" --from with
	get "manifests/$list" | python3 -c "$is_listed
assert all(x['annotations'] == {'a': 'b'} for x in m), m"
	get "manifests/$list.sig" >/dev/null
done
[ "$(asked "PUT .*/manifests/$list ")" = 2 ] || fail "the list was written $(asked "PUT .*/manifests/$list ") times"
[ "$(awk '/PUT .*manifests\/v1 /{ print NR }' "$log")" -gt "$(awk "/PUT .*manifests.$list.sig /{ print NR }" "$log")" ] || fail "the tag came before the signature"
mock referrers
expect 0 "$xbuild" push "$host/a/b:v1" --from with
[ "$(asked "PUT .*/manifests/$list ")" = 0 ] || fail "a list of our own where the registry has one"
get "referrers/$small" | python3 -c "$is_listed"
mock
expect 0 "$xbuild" push "$host/a/b:v1" --from with --alone
[ "$(asked "/manifests/$list")" = 0 ] || fail "--alone is not alone"

# ---- logins
mock basic
expect 2 "$xbuild" push "$host/a/b:v1" --from small
login u:wrong
expect 2 "$xbuild" push "$host/a/b:v1" --from small
[ "$(asked .)" -le 4 ] || fail "a wrong password was tried again and again"
for switches in basic bearer 'bearer uses=3' 'bearer scope' 'bearer manychallenges' 'bearer uses=2 elsewhere' oldidentity; do
	# shellcheck disable=SC2086
	mock $switches
	login u:p
	# one at a time: else they use up each other's tokens
	expect 0 "$xbuild" push "$host/a/b:v1" "$host/c/d:v1" --from small -j1
	whole a/b:v1 small
	silent_about 'token[0-9]'
done
mock bearer uses=15
login u:p
expect 0 "$xbuild" push "$host/a/b:v1" --from large
whole a/b:v1 large
[ "$(asked 'GET /token')" -ge 2 ] || fail "tokens were not renewed"
mock identity
printf '{"auths":{"%s":{"identitytoken":"T"}}}\n' "$host" >"$HOME/.docker/config.json"
expect 0 "$xbuild" push "$host/a/b:v1" --from small
[ "$(asked 'POST /token')" = 1 ] || fail "no token by POST"
printf '{"auths":{"%s":{"identitytoken":"wrong-s3cret"}}}\n' "$host" >"$HOME/.docker/config.json"
expect 2 "$xbuild" push "$host/a/b:v2" --from small
silent_about 's3cret'
# the second port gets no login of the registry's: neither when it asks for one nor when requests for tokens are sent there
mock identity tokenaway
printf '{"auths":{"%s":{"identitytoken":"T"}}}\n' "$host" >"$HOME/.docker/config.json"
expect 4 "$xbuild" push "$host/a/b:v1" --from small
says 'the token server answers 307'
[ "$(asked '/token')" = 1 ] || fail "the identity token was sent on: $(cat "$log")"
mock bearer tokenaway
login u:p
expect 2 "$xbuild" push "$host/a/b:v1" --from small
says 'the token server answers 401'
for switches in 'asks redirect' 'asks redirect basic' 'asks redirect bearer'; do
	# shellcheck disable=SC2086
	mock $switches
	login u:p
	expect 0 "$xbuild" push "$host/a/b:v1" --from small
	rm -rf "$XBUILD_CACHE_DIR/blobs"
	expect 2 "$xbuild" pull "$host/a/b:v1" --output oci=pulled
	says ': 401'
	if [ "$switches" != 'asks redirect bearer' ] && [ "$(asked /token)" != 0 ]; then fail "$case_name: a login for somebody else"; fi
done
mock bearer realm=ftp://127.0.0.1/token
login u:p
expect 4 "$xbuild" push "$host/a/b:v1" --from small
says 'only http and https'
mock bearer realm=http://example.org/token # not of this machine: nothing is sent there
login u:p
expect 4 "$xbuild" push "$host/a/b:v1" --from small
says 'sends logins by http'
# a program that keeps the login, run without a shell
mkdir "$work/bin"
mock basic
# shellcheck disable=SC2016 # a script
printf '#!/bin/sh\nread -r server || :\n[ "$#" = 1 ] && [ "$server" = %s ] && echo "{\\"Username\\":\\"u\\",\\"Secret\\":\\"p\\"}"\n' "$host" >"$work/bin/docker-credential-test"
chmod +x "$work/bin/docker-credential-test"
printf '{"credsStore":"test"}\n' >"$HOME/.docker/config.json"
expect 0 env PATH="$work/bin:$PATH" "$xbuild" push "$host/a/b:v1" --from small
logout
mock # the complaints of the last one
