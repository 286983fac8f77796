#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Makes a small signed Debian archive out of what is installed on this machine, for tests without a network.

Usage: make.py DIRECTORY

  DIRECTORY/debian/              the archive: pool/, dists/test/ with by-hash and InRelease
  DIRECTORY/data/                data files for it (XBUILD_DATA_DIR): toolchains/, sysroots/, keys
  DIRECTORY/gnupg/               the signing key (an own GNUPGHOME)

The host's architecture: clang-19, lld-19, llvm-19 and the C and C++ development packages, repacked from their installed
files with their own dependencies. The other architecture: Debian's cross packages, moved to where native ones have them.
libtally is a library of our own, for both. Its rustc and cargo are small ones of our own too (cargo.c).
"""

import gzip
import hashlib
import lzma
import os
import re
import shutil
import subprocess
import sys
import time
from string import Template

ARCHES = {"amd64": "x86_64-linux-gnu", "arm64": "aarch64-linux-gnu"}
INTERPRETERS = {"amd64": "lib64/ld-linux-x86-64.so.2", "arm64": "lib/ld-linux-aarch64.so.1"}
TOOLCHAIN = ["clang-19", "lld-19"]
TOOLS = ["llvm-19"]
# Taken as installed, as the shipped data files do: nothing of it is needed to compile and link.
EXCLUDE = """libclang1-19 llvm-19-linker-tools llvm-19-runtime libobjc-12-dev libobjc-14-dev binutils libclang-rt-19-dev
 libpfm4 libcurl4 libcurl4t64 debconf debconf-2.0 libc-dev-bin libnsl-dev rpcsvc-proto libtirpc-dev libasan8 liblsan0 libtsan2
 libubsan1 libhwasan0 libitm1 libquadmath0 libcc1-0 libgomp1 libgcc-12-dev libgcc-14-dev libstdc++-12-dev libstdc++-14-dev
 libc6-dev""".split()
SYSROOT_EXCLUDE = [name for name in EXCLUDE if not name.endswith("-dev") or name in ("libnsl-dev", "libtirpc-dev")]


def run(*argv, **more):
    return subprocess.run(argv, check=True, stdout=subprocess.PIPE, text=True, **more).stdout


def field(stanza, name):
    match = re.search(rf"^{name}: (.*(?:\n .*)*)", stanza, re.M)
    return match.group(1).replace("\n", "") if match else ""


class Archive:
    def __init__(self, top):
        self.top = top
        self.work = os.path.join(top, "work")
        self.stanzas = {arch: [] for arch in ARCHES}
        self.contents = {arch: {} for arch in (*ARCHES, "all")}
        os.makedirs(self.work)

    def add(self, name, version, arch, root, depends="", provides="", extra=""):
        """Builds a package of the tree `root` and records it in the index of its architecture."""
        control = f"Package: {name}\nVersion: {version}\nArchitecture: {arch}\nMaintainer: nobody <nobody@example.org>\n"
        control += f"Depends: {depends}\n" if depends else ""
        control += f"Provides: {provides}\n" if provides else ""
        control += extra + f"Description: {name}\n"
        os.makedirs(os.path.join(root, "DEBIAN"), exist_ok=True)
        with open(os.path.join(root, "DEBIAN", "control"), "w") as f:
            f.write(control)
        path = f"pool/main/{name}_{version.split(':')[-1]}_{arch}.deb"
        full = os.path.join(self.top, "debian", path)
        os.makedirs(os.path.dirname(full), exist_ok=True)
        # zstd is quick; two packages show the other compressors that Debian has used
        for folder, _, names in os.walk(root):
            for inside in (os.path.relpath(os.path.join(folder, each), root) for each in names):
                if not inside.startswith("DEBIAN/"):
                    self.contents[arch].setdefault(inside, []).append(f"libdevel/{name}")
        compressor = {"libc6": "xz", "libtally1": "gzip"}.get(name, "zstd")
        run("dpkg-deb", "--root-owner-group", f"-Z{compressor}", "-z1", "-b", root, full)
        with open(full, "rb") as f:
            data = f.read()
        stanza = control + f"Filename: {path}\nSize: {len(data)}\nSHA256: {hashlib.sha256(data).hexdigest()}\n"
        for each in ARCHES if arch == "all" else [arch]:
            self.stanzas[each].append(stanza)

    def tree(self, name, arch):
        return os.path.join(self.work, f"{name}_{arch}")

    def write_indexes(self):
        dist = os.path.join(self.top, "debian", "dists", "test")
        sums = []
        for arch, stanzas in self.stanzas.items():
            text = "\n".join(stanzas).encode()
            folder = f"main/binary-{arch}"
            for suffix, data in (("", text), (".xz", lzma.compress(text))):
                digest = hashlib.sha256(data).hexdigest()
                by_hash = os.path.join(dist, folder, "by-hash", "SHA256")
                os.makedirs(by_hash, exist_ok=True)
                for path in (os.path.join(dist, folder, "Packages" + suffix), os.path.join(by_hash, digest)):
                    with open(path, "wb") as f:
                        f.write(data)
                sums.append(f" {digest} {len(data)} {folder}/Packages{suffix}")
        for arch, files in self.contents.items():
            text = "".join(f"{path:55} {','.join(sorted(files[path]))}\n" for path in sorted(files))
            data = gzip.compress(text.encode(), mtime=0)
            digest = hashlib.sha256(data).hexdigest()
            by_hash = os.path.join(dist, "main", "by-hash", "SHA256")
            os.makedirs(by_hash, exist_ok=True)
            for path in (os.path.join(dist, "main", f"Contents-{arch}.gz"), os.path.join(by_hash, digest)):
                with open(path, "wb") as f:
                    f.write(data)
            sums.append(f" {digest} {len(data)} main/Contents-{arch}.gz")
        with open(os.path.join(self.top, "sums"), "w") as f:
            f.write("\n".join(sums) + "\n")


def host_arch():
    return run("dpkg", "--print-architecture").strip()


def status(name):
    return run("dpkg-query", "-s", name)


def installed(name):
    done = subprocess.run(["dpkg-query", "-W", "-f", "${Status}", name], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
                          text=True)
    return done.stdout.endswith("ok installed")


def depends_of(stanza):
    """Names in Pre-Depends and Depends, first installed alternative of each."""
    names = []
    for part in (field(stanza, "Pre-Depends") + ", " + field(stanza, "Depends")).split(","):
        choices = [re.sub(r"[ (:].*", "", choice.strip()) for choice in part.split("|")]
        names += [next((c for c in choices if c and installed(c)), "")]
    return [name for name in names if name]


def closure(wanted, exclude):
    seen, todo = [], list(wanted)
    while todo:
        name = todo.pop()
        if name in seen or name in exclude:
            continue
        seen.append(name)
        todo += depends_of(status(name))
    return sorted(seen)


MERGED = ("/bin", "/sbin", "/lib", "/lib32", "/lib64", "/libx32")  # links on an installed system, directories in packages
SKIP = re.compile(r"^/usr/share/(doc|man|locale|info|lintian|bug|bash-completion|emacs)/|/gconv/|\.pyc$|/lib(asan|tsan|ubsan)")


def copy_installed(name, root):
    for path in run("dpkg-query", "-L", name).splitlines():
        if SKIP.search(path) or path == "/." or path in MERGED or (os.path.isdir(path) and not os.path.islink(path)):
            continue
        if not os.path.lexists(path):
            continue
        to = root + path
        os.makedirs(os.path.dirname(to), exist_ok=True)
        shutil.copy2(path, to, follow_symlinks=False)


def add_installed(archive, name):
    stanza = status(name)
    root = archive.tree(name, "host")
    os.makedirs(root)
    copy_installed(name, root)
    version, arch = field(stanza, "Version"), field(stanza, "Architecture")
    depends = ", ".join(x for x in (field(stanza, "Pre-Depends"), field(stanza, "Depends")) if x)
    extra = "Multi-Arch: same\n" if field(stanza, "Multi-Arch") == "same" else ""
    archive.add(name, version, arch, root, depends, field(stanza, "Provides"), extra)
    return version


def move_cross(arch, gcc, path):
    """Where a native package has the file that a cross package has at `path`; None to leave it out."""
    triple = ARCHES[arch]
    if path.startswith("/usr/share/"):
        return None
    for old, new in (
        (f"/usr/{triple}/include/c++/{gcc}/{triple}/", f"/usr/include/{triple}/c++/{gcc}/"),
        (f"/usr/{triple}/include/c++/", "/usr/include/c++/"),
        (f"/usr/{triple}/include/bits/", f"/usr/include/{triple}/bits/"),
        (f"/usr/{triple}/include/gnu/", f"/usr/include/{triple}/gnu/"),
        (f"/usr/{triple}/include/sys/", f"/usr/include/{triple}/sys/"),
        (f"/usr/{triple}/include/asm/", f"/usr/include/{triple}/asm/"),
        (f"/usr/{triple}/include/", "/usr/include/"),
        (f"/usr/lib/gcc-cross/{triple}/", f"/usr/lib/gcc/{triple}/"),
        (f"/usr/{triple}/lib/", f"/usr/lib/{triple}/"),
    ):
        if path.startswith(old):
            return new + path[len(old):]
    return None


def add_cross(archive, arch, gcc, name, version, depends):
    triple = ARCHES[arch]
    root = archive.tree(name, arch)
    os.makedirs(root)
    package = f"{name}-{arch}-cross"
    for path in run("dpkg-query", "-L", package).splitlines():
        new = move_cross(arch, gcc, path)
        if not new or (os.path.isdir(path) and not os.path.islink(path)):
            continue
        if not os.path.exists(path):
            continue  # a link to a library whose cross package is not here
        to = root + new
        os.makedirs(os.path.dirname(to), exist_ok=True)
        if os.path.islink(path):
            # as Debian's own packages: some links are absolute
            target = os.path.join(os.path.dirname(path), os.readlink(path))
            moved = move_cross(arch, gcc, os.path.normpath(target))
            os.symlink(moved or os.readlink(path), to)
        elif path.endswith(".so") and b"GROUP" in open(path, "rb").read(4096):
            with open(path) as f, open(to, "w") as out:
                out.write(f.read().replace(f"/usr/{triple}/lib/", f"/usr/lib/{triple}/"))
        else:
            shutil.copy2(path, to)
    if name == "libc6":
        loader = os.path.join(root, INTERPRETERS[arch])
        os.makedirs(os.path.dirname(loader), exist_ok=True)
        os.symlink(f"/usr/lib/{triple}/{os.path.basename(loader)}", loader)
    archive.add(name, version, arch, root, depends)


def add_stubs(archive, made, arch):
    """The excluded packages are in the archive, as in Debian's, but nobody should ever ask for their bytes: empty."""
    for name in sorted(set(EXCLUDE) - made):
        root = archive.tree("stub-" + name, arch)
        os.makedirs(root)
        version = field(status(name), "Version") if installed(name) else "1"
        archive.add(name, version, arch, root)


TALLY_C = "static int n;\nint tally_add(int k);\nint tally_add(int k) { return n += k; }\n"
TALLY_H = "#ifdef __cplusplus\nextern \"C\"\n#endif\nint tally_add(int k);\n"


def add_tally(archive, arch, version):
    triple = ARCHES[arch]
    lib = f"usr/lib/{triple}"
    root, dev = archive.tree("libtally1", arch + version), archive.tree("libtally-dev", arch + version)
    os.makedirs(os.path.join(root, lib))
    os.makedirs(os.path.join(dev, lib, "pkgconfig"))
    os.makedirs(os.path.join(dev, "usr/include"))
    source = os.path.join(archive.work, "tally.c")
    with open(source, "w") as f:
        f.write(TALLY_C)
    compile_library(archive, arch, "libtally.so.1", os.path.join(root, lib, "libtally.so.1.0"), source)
    os.symlink("libtally.so.1.0", os.path.join(root, lib, "libtally.so.1"))
    os.symlink(f"/{lib}/libtally.so.1", os.path.join(dev, lib, "libtally.so"))
    with open(os.path.join(dev, "usr/include/tally.h"), "w") as f:
        f.write(TALLY_H)
    with open(os.path.join(dev, lib, "pkgconfig", "tally.pc"), "w") as f:
        f.write(f"prefix=/usr\nlibdir=${{prefix}}/lib/{triple}\nincludedir=${{prefix}}/include\n\nName: tally\n"
                f"Description: counts\nVersion: {version}\nCflags: -I${{includedir}} -DHAVE_TALLY=1\nLibs: -L${{libdir}} -ltally\n")
    archive.add("libtally1", version, arch, root, "libc6")
    archive.add("libtally-dev", version, arch, dev, f"libtally1 (= {version}), debconf")


def write(root, path, text, mode=0o644):
    full = os.path.join(root, path)
    os.makedirs(os.path.dirname(full), exist_ok=True)
    with open(full, "w") as f:
        f.write(text)
    os.chmod(full, mode)


def add_md5sums(root):
    lines = ""
    for folder, _, names in sorted(os.walk(root)):
        for name in sorted(names):
            path = os.path.join(folder, name)
            if not os.path.islink(path):
                with open(path, "rb") as f:
                    lines += f"{hashlib.md5(f.read()).hexdigest()}  {os.path.relpath(path, root)}\n"
    write(root, "DEBIAN/md5sums", lines)


def add_base(archive):
    """What bases of images are made of, in small. What only scripts need is not in the archive: nobody may ask for it."""
    root = archive.tree("base-files", "all")
    write(root, "usr/lib/os-release", 'PRETTY_NAME="Debian GNU/Linux test"\nID=debian\nVERSION_ID="99"\n')
    write(root, "etc/debian_version", "99.1\n")
    write(root, "usr/share/common-licenses/BSD", "a license\n")
    write(root, "usr/share/doc/base-files/README", "left out\n")
    write(root, "usr/share/doc/base-files/copyright", "kept\n")
    write(root, "usr/share/bash-completion/base", "left out\n")
    os.symlink("../usr/lib/os-release", os.path.join(root, "etc/os-release"))
    for path, mode in (("tmp", 0o1777), ("root", 0o700), ("home", 0o755), ("run", 0o755), ("var/mail", 0o2775), ("lib", 0o755)):
        os.makedirs(os.path.join(root, path), exist_ok=True)
        os.chmod(os.path.join(root, path), mode)
    os.symlink("/run", os.path.join(root, "var/run"))
    add_md5sums(root)
    archive.add("base-files", "99.1", "all", root, "awk, libc6 (>= 2.3.4)")
    root = archive.tree("ca-certificates", "all")
    # not in the order of the disk, and the first without a newline at its end
    write(root, "usr/share/ca-certificates/mozilla/Z_Root.crt", "-----BEGIN CERTIFICATE-----\nWg==\n-----END CERTIFICATE-----")
    write(root, "usr/share/ca-certificates/mozilla/A_Root.crt", "-----BEGIN CERTIFICATE-----\nQQ==\n-----END CERTIFICATE-----\n")
    write(root, "usr/sbin/update-ca-certificates", "#!/bin/sh\nexit 1\n", 0o755)
    os.makedirs(os.path.join(root, "etc/ssl/certs"))
    add_md5sums(root)
    archive.add("ca-certificates", "20990101", "all", root, "openssl (>= 1.1.1), debconf (>= 0.5) | debconf-2.0")
    for name, path in (("tzdata", "usr/share/zoneinfo/Etc/UTC"), ("netbase", "etc/protocols"), ("media-types", "etc/mime.types")):
        root = archive.tree(name, "all")
        write(root, path, f"{name}\n")
        archive.add(name, "1", "all", root, "debconf" if name == "tzdata" else "")
    root = archive.tree("allheaders-dev", "all")
    write(root, "usr/include/allheaders.h", "#define ALL_HEADERS 1\n")
    archive.add("allheaders-dev", "2", "all", root)
    root = archive.tree("set-id", "all")
    write(root, "usr/bin/set-user-id", "a\n", 0o4755)
    write(root, "usr/bin/set-group-id", "b\n", 0o2755)
    archive.add("set-id", "1", "all", root, "base-files")


def compile_library(archive, arch, name, path, source):
    os.makedirs(os.path.dirname(path), exist_ok=True)
    run("clang-19", f"--target={ARCHES[arch]}", "-O2", "-fPIC", "-shared", "-nostdlib", "-fuse-ld=lld", f"-Wl,-soname,{name}",
        source, "-o", path)


def add_ssl(archive, arch):
    lib = f"usr/lib/{ARCHES[arch]}"
    root, dev = archive.tree("libssl3", arch), archive.tree("libssl-dev", arch)
    source = os.path.join(archive.work, "ssl.c")
    with open(source, "w") as f:
        f.write("int ssl_new(void);\nint ssl_new(void) { return 3; }\n")
    compile_library(archive, arch, "libssl.so.3", os.path.join(root, lib, "libssl.so.3"), source)
    os.makedirs(os.path.join(dev, lib))
    os.symlink("libssl.so.3", os.path.join(dev, lib, "libssl.so"))
    write(dev, "usr/include/openssl/ssl.h", "int ssl_new(void);\n")
    write(dev, f"{lib}/libsslall.so", "INPUT(libssl.so.3 -lssl)\n")  # as libncurses.so
    archive.add("libssl3", "3.0.1-1", arch, root, "libc6", extra="Source: openssl (3.0.1-1)\n")
    archive.add("libssl-dev", "3.0.1-1", arch, dev, "libssl3 (= 3.0.1-1)")


def add_rust(archive, host):
    """A rustc and a cargo of C (cargo.c), standard libraries that are a text, and crates that need each other and a C library."""
    root = archive.tree("rustc", host)
    os.makedirs(os.path.join(root, "usr/bin"))
    run("clang-19", "-O1", os.path.join(os.path.dirname(os.path.abspath(__file__)), "cargo.c"), "-o",
        os.path.join(root, "usr/bin/rustc"))
    os.makedirs(archive.tree("cargo", host) + "/usr/bin")
    shutil.copy2(os.path.join(root, "usr/bin/rustc"), archive.tree("cargo", host) + "/usr/bin/cargo")
    archive.add("rustc", "1.0.0+dfsg-1", host, root, "libc6, libstd-rust-dev (= 1.0.0+dfsg-1), binutils")
    archive.add("cargo", "1.0.0+dfsg-1", host, archive.tree("cargo", host), "libc6, rustc, binutils")
    for arch, triple in ARCHES.items():
        name = triple.replace("-linux", "-unknown-linux")
        shared, dev = archive.tree("libstd-rust-1.0", arch), archive.tree("libstd-rust-dev", arch)
        write(shared, f"usr/lib/{triple}/libstd-1.so", "shared\n")
        write(dev, f"usr/lib/rustlib/{name}/lib/libstd-1.rlib", name + "\n")
        write(dev, "usr/share/doc/libstd-rust-dev/changelog." + arch, "left out\n")
        os.symlink(f"../../../{triple}/libstd-1.so", os.path.join(dev, f"usr/lib/rustlib/{name}/lib/libstd-1.so"))
        archive.add("libstd-rust-1.0", "1.0.0+dfsg-1", arch, shared, "libc6", extra="Multi-Arch: same\n")
        archive.add("libstd-rust-dev", "1.0.0+dfsg-1", arch, dev, "libstd-rust-1.0 (= 1.0.0+dfsg-1)", extra="Multi-Arch: same\n")
    for crate, needs in (("tally", "librust-count-1+default-dev, libtally-dev"), ("count", "")):
        root = archive.tree(f"librust-{crate}-dev", "amd64")
        write(root, f"usr/share/cargo/registry/{crate}-1.0.0/Cargo.toml", f'[package]\nname = "{crate}"\nversion = "1.0.0"\n')
        write(root, f"usr/share/cargo/registry/{crate}-1.0.0/.cargo-checksum.json", '{"package":"none","files":{}}')
        write(root, f"usr/share/doc/librust-{crate}-dev/copyright", "left out\n")
        archive.add(f"librust-{crate}-dev", "1.0.0-1", "amd64", root, needs, f"librust-{crate}-1+default-dev (= 1.0.0-1)")


def gcc_version(cross):
    for number in ("12", "14", "13"):
        if installed(f"libstdc++-{number}-dev") and installed(f"libstdc++-{number}-dev-{cross}-cross"):
            return number
    sys.exit(f"no libstdc++-*-dev is installed for both this machine and {cross}")


def make_key(home):
    os.makedirs(home, mode=0o700)
    env = dict(os.environ, GNUPGHOME=home)
    subprocess.run(["gpg", "--batch", "--quiet", "--passphrase", "", "--quick-generate-key", "xbuild test archive",
                    "ed25519", "sign", "never"], check=True, env=env, stderr=subprocess.DEVNULL)
    listing = run("gpg", "--list-keys", "--with-colons", env=env)
    return re.search(r"^fpr:+([0-9A-F]{40}):", listing, re.M).group(1)


def main():
    top = os.path.abspath(sys.argv[1])
    shutil.rmtree(top, ignore_errors=True)
    os.makedirs(top)
    archive = Archive(top)
    host = host_arch()
    other = "arm64" if host == "amd64" else "amd64"
    gcc = gcc_version(other)
    dev = ["libc6-dev", f"libstdc++-{gcc}-dev", f"libgcc-{gcc}-dev", "linux-libc-dev"]
    names = set(closure(TOOLCHAIN + TOOLS, EXCLUDE)) | set(closure(dev, SYSROOT_EXCLUDE))
    versions = {name: add_installed(archive, name) for name in sorted(names)}
    for name, needs in (
        ("libc6", "libgcc-s1"),
        ("libgcc-s1", "libc6"),
        ("libstdc++6", "libc6, libgcc-s1"),
        ("libatomic1", "libc6"),
        ("linux-libc-dev", ""),
        ("libc6-dev", f"libc6 (= {versions['libc6']}), linux-libc-dev, libc-dev-bin"),
        (f"libgcc-{gcc}-dev", "libgcc-s1, libatomic1, libasan8"),
        (f"libstdc++-{gcc}-dev", f"libstdc++6, libgcc-{gcc}-dev, libc6-dev"),
    ):
        add_cross(archive, other, gcc, name, versions[name], needs)
    add_stubs(archive, names, host)
    add_stubs(archive, {"libc6-dev", f"libgcc-{gcc}-dev", f"libstdc++-{gcc}-dev"}, other)
    for arch in ARCHES:
        add_tally(archive, arch, "1.0-1")
        add_ssl(archive, arch)
    add_base(archive)
    add_rust(archive, host)
    archive.write_indexes()
    home = os.path.join(top, "gnupg")
    fingerprint = make_key(home)
    subprocess.run([sys.executable, os.path.join(os.path.dirname(os.path.abspath(__file__)), "release.py"), top], check=True)
    write_data(top, gcc, dev, versions, fingerprint, home)
    shutil.rmtree(archive.work)


def write_data(top, gcc, dev, versions, fingerprint, home):
    upstream = re.match(r"(?:\d+:)?([0-9.]+)", versions["clang-19"]).group(1)
    words = ", ".join
    for kind in ("toolchains", "sysroots/keys"):
        os.makedirs(os.path.join(top, "data", kind))
    run("gpg", "--batch", "--output", os.path.join(top, "data", "sysroots", "keys", "test.gpg"), "--export", fingerprint,
        env=dict(os.environ, GNUPGHOME=home))
    here = os.path.dirname(os.path.abspath(__file__))
    values = {
        "version": upstream, "fingerprint": fingerprint, "gcc": gcc, "packages": words(TOOLCHAIN), "tools": words(TOOLS),
        "exclude": words(EXCLUDE), "sysroot_packages": words(dev), "sysroot_exclude": words(SYSROOT_EXCLUDE),
        "host_name": "linux-x86_64" if host_arch() == "amd64" else "linux-aarch64",
    }
    for template, to in (("toolchain.yaml.in", "toolchains/llvm-19.yaml"), ("sysroot.yaml.in", "sysroots/debian-test.yaml"),
                         ("rust.yaml.in", "toolchains/rust-1.0.yaml")):
        with open(os.path.join(here, template)) as f:
            text = Template(f.read()).substitute(values)
        with open(os.path.join(top, "data", to), "w") as f:
            f.write(text)
    # the bases are the shipped ones: they name no archive
    shutil.copytree(os.path.join(here, "..", "..", "..", "images"), os.path.join(top, "data", "images"))


if __name__ == "__main__":
    start = time.monotonic()
    main()
    print(f"archive made in {time.monotonic() - start:.1f} s")
