/* SPDX-License-Identifier: Apache-2.0 */
#include "xbuild/model/target.h"

#include <limits.h>
#include <string.h>

#include "xbuild/base/attr.h"

/*
 * Triples, multiarch and Debian names: Debian "MultiarchTuples". OCI names: the OCI image-spec v1.1, config.md (GOARCH)
 * and image-index.md "platform variants"; an image for arm64 carries the variant "v8" that docker and containerd expect.
 * Loaders, machine numbers and ABI bits: the System V ABI supplements of each architecture and elf(5); for ARM the "ELF for
 * the Arm Architecture" 5.2 (EF_ARM_ABI_FLOAT_*), for ppc64le the "OpenPOWER ELFv2 ABI" 3.1, for RISC-V the psABI "e_flags".
 * Baselines are Debian's ("Architecture baselines" of the release notes). Where two rows share a word (two C libraries for
 * one machine), the first of them is meant.
 */
static const struct xb_target targets[] = {
	{
		.name = "linux-x86_64",
		.is_default = true,
		.libc = XB_LIBC_GLIBC,
		.triple = "x86_64-linux-gnu",
		.multiarch = "x86_64-linux-gnu",
		.gcc_triple = "x86_64-linux-gnu",
		.debian_arch = "amd64",
		.apk_arch = "x86_64",
		.rust_triple = "x86_64-unknown-linux-gnu",
		.oci_arch = "amd64",
		.oci_variant = NULL,
		.cmake_processor = "x86_64",
		.meson_cpu_family = "x86_64",
		.lld_emulation = "elf_x86_64",
		.interpreter = "/lib64/ld-linux-x86-64.so.2",
		.qemu = "qemu-x86_64",
		.elf_class = 2,
		.elf_data = 1,
		.elf_machine = 62,
		.cpu_option = "-march=",
		.lto_cpu = "x86-64",
		.aliases = {"x64", "x86-64", "linux/amd64", "linux-amd64", "x86_64-pc-linux-gnu", "linux/x86_64",
			    "linux-x64"},
	},
	{
		.name = "linux-aarch64",
		.is_default = true,
		.libc = XB_LIBC_GLIBC,
		.triple = "aarch64-linux-gnu",
		.multiarch = "aarch64-linux-gnu",
		.gcc_triple = "aarch64-linux-gnu",
		.debian_arch = "arm64",
		.apk_arch = "aarch64",
		.rust_triple = "aarch64-unknown-linux-gnu",
		.oci_arch = "arm64",
		.oci_variant = "v8",
		.cmake_processor = "aarch64",
		.meson_cpu_family = "aarch64",
		.lld_emulation = "aarch64linux",
		.interpreter = "/lib/ld-linux-aarch64.so.1",
		.qemu = "qemu-aarch64",
		.elf_class = 2,
		.elf_data = 1,
		.elf_machine = 183,
		.cpu_option = "-mcpu=",
		.lto_cpu = "generic",
		.link_words = {"-EL", "--fix-cortex-a53-843419"},
		.aliases = {"armv8", "linux/arm64", "linux/arm64/v8", "linux-arm64", "arm64v8", "linux/aarch64"},
	},
	{
		.name = "linux-armv7",
		.libc = XB_LIBC_GLIBC,
		.triple = "armv7-linux-gnueabihf",
		.multiarch = "arm-linux-gnueabihf",
		.gcc_triple = "arm-linux-gnueabihf",
		.debian_arch = "armhf",
		.apk_arch = "armv7",
		.rust_triple = "armv7-unknown-linux-gnueabihf",
		.oci_arch = "arm",
		.oci_variant = "v7",
		.cmake_processor = "armv7l",
		.meson_cpu_family = "arm",
		.lld_emulation = "armelf_linux_eabi",
		.interpreter = "/lib/ld-linux-armhf.so.3",
		.qemu = "qemu-arm",
		.elf_class = 1,
		.elf_data = 1,
		.elf_machine = 40,
		.elf_abi_mask = 0x600,
		.elf_abi = 0x400,
		.cpu_option = "-mcpu=",
		.baseline = {"-march=armv7-a", "-mfpu=vfpv3-d16"},
		.lto_cpu = "generic",
		.link_words = {"-EL", "-X"},
		.no_static_pie = true,
		.aliases = {"armv7hf", "linux/arm", "linux/arm/v7", "linux-arm", "linux-armhf", "arm32v7"},
	},
	{
		.name = "linux-riscv64",
		.libc = XB_LIBC_GLIBC,
		.triple = "riscv64-linux-gnu",
		.multiarch = "riscv64-linux-gnu",
		.gcc_triple = "riscv64-linux-gnu",
		.debian_arch = "riscv64",
		.debian_since = "trixie",
		.apk_arch = "riscv64",
		.rust_triple = "riscv64gc-unknown-linux-gnu",
		.oci_arch = "riscv64",
		.oci_variant = NULL,
		.cmake_processor = "riscv64",
		.meson_cpu_family = "riscv64",
		.lld_emulation = "elf64lriscv",
		.interpreter = "/lib/ld-linux-riscv64-lp64d.so.1",
		.qemu = "qemu-riscv64",
		.elf_class = 2,
		.elf_data = 1,
		.elf_machine = 243,
		.elf_abi_mask = 0x6,
		.elf_abi = 0x4,
		.cpu_option = "-mcpu=",
		.baseline = {"-march=rv64gc"},
		.lto_cpu = "generic-rv64",
		.link_words = {"-X"},
		.aliases = {"rv64", "riscv64gc", "linux/riscv64", "riscv64-unknown-linux-gnu"},
	},
	{
		.name = "linux-ppc64le",
		.libc = XB_LIBC_GLIBC,
		.triple = "powerpc64le-linux-gnu",
		.multiarch = "powerpc64le-linux-gnu",
		.gcc_triple = "powerpc64le-linux-gnu",
		.debian_arch = "ppc64el",
		.apk_arch = "ppc64le",
		.rust_triple = "powerpc64le-unknown-linux-gnu",
		.oci_arch = "ppc64le",
		.oci_variant = NULL,
		.cmake_processor = "ppc64le",
		.meson_cpu_family = "ppc64",
		.lld_emulation = "elf64lppc",
		.interpreter = "/lib64/ld64.so.2",
		.qemu = "qemu-ppc64le",
		.elf_class = 2,
		.elf_data = 1,
		.elf_machine = 21,
		.elf_abi_mask = 0x3,
		.elf_abi = 0x2,
		.cpu_option = "-mcpu=",
		.baseline = {"-mcpu=pwr8"},
		.lto_cpu = "pwr8",
		.no_static_pie = true,
		.aliases = {"powerpc64le", "linux/ppc64le", "linux-ppc64el", "linux-powerpc64le"},
	},
	{
		.name = "linux-s390x",
		.libc = XB_LIBC_GLIBC,
		.triple = "s390x-linux-gnu",
		.multiarch = "s390x-linux-gnu",
		.gcc_triple = "s390x-linux-gnu",
		.debian_arch = "s390x",
		.apk_arch = "s390x",
		.rust_triple = "s390x-unknown-linux-gnu",
		.oci_arch = "s390x",
		.oci_variant = NULL,
		.cmake_processor = "s390x",
		.meson_cpu_family = "s390x",
		.lld_emulation = "elf64_s390",
		.interpreter = "/lib/ld64.so.1",
		.qemu = "qemu-s390x",
		.elf_class = 2,
		.elf_data = 2,
		.elf_machine = 22,
		.cpu_option = "-march=",
		.baseline = {"-march=z196"},
		.lto_cpu = "z196",
		.aliases = {"linux/s390x", "systemz"},
	},
	{
		.name = "linux-x86",
		.libc = XB_LIBC_GLIBC,
		.triple = "i686-linux-gnu",
		.multiarch = "i386-linux-gnu",
		.gcc_triple = "i686-linux-gnu",
		.debian_arch = "i386",
		.apk_arch = "x86",
		.rust_triple = "i686-unknown-linux-gnu",
		.oci_arch = "386",
		.oci_variant = NULL,
		.cmake_processor = "i686",
		.meson_cpu_family = "x86",
		.lld_emulation = "elf_i386",
		.interpreter = "/lib/ld-linux.so.2",
		.qemu = "qemu-i386",
		.elf_class = 1,
		.elf_data = 1,
		.elf_machine = 3,
		.cpu_option = "-march=",
		.baseline = {"-march=i686"},
		.lto_cpu = "i686",
		.aliases = {"i386-linux-gnu", "linux/386", "linux-i386", "linux-i686", "i586", "x86_32"},
	},
	{
		.name = "linux-x86_64-musl",
		.libc = XB_LIBC_MUSL,
		.triple = "x86_64-linux-musl",
		.multiarch = "x86_64-linux-musl",
		.gcc_triple = "x86_64-linux-gnu",
		.debian_arch = "amd64",
		.apk_arch = "x86_64",
		.rust_triple = "x86_64-unknown-linux-musl",
		.oci_arch = "amd64",
		.oci_variant = NULL,
		.cmake_processor = "x86_64",
		.meson_cpu_family = "x86_64",
		.lld_emulation = "elf_x86_64",
		.interpreter = "/lib/ld-musl-x86_64.so.1",
		.qemu = "qemu-x86_64",
		.elf_class = 2,
		.elf_data = 1,
		.elf_machine = 62,
		.cpu_option = "-march=",
		.lto_cpu = "x86-64",
		.aliases = {"x86_64-musl", "amd64-musl", "linux-amd64-musl", "x86_64-pc-linux-musl",
			    "x86_64-alpine-linux-musl"},
	},
	{
		.name = "linux-aarch64-musl",
		.libc = XB_LIBC_MUSL,
		.triple = "aarch64-linux-musl",
		.multiarch = "aarch64-linux-musl",
		.gcc_triple = "aarch64-linux-gnu",
		.debian_arch = "arm64",
		.apk_arch = "aarch64",
		.rust_triple = "aarch64-unknown-linux-musl",
		.oci_arch = "arm64",
		.oci_variant = "v8",
		.cmake_processor = "aarch64",
		.meson_cpu_family = "aarch64",
		.lld_emulation = "aarch64linux",
		.interpreter = "/lib/ld-musl-aarch64.so.1",
		.qemu = "qemu-aarch64",
		.elf_class = 2,
		.elf_data = 1,
		.elf_machine = 183,
		.cpu_option = "-mcpu=",
		.lto_cpu = "generic",
		.link_words = {"-EL", "--fix-cortex-a53-843419"},
		.aliases = {"aarch64-musl", "arm64-musl", "linux-arm64-musl", "aarch64-alpine-linux-musl"},
	},
};

/* What a host is called, and what it runs by itself. Hosts without a Debian architecture get toolchain archives. */
struct host {
	const char *name;
	const char *debian_arch;
	const char *runs[3]; /* canonical targets, ends with NULL */
};

static const struct host hosts[] = {
	{"linux-x86_64", "amd64", {"linux-x86_64", "linux-x86_64-musl"}},
	{"linux-aarch64", "arm64", {"linux-aarch64", "linux-aarch64-musl"}},
	{"darwin-aarch64", NULL, {NULL}},
	{"darwin-x86_64", NULL, {NULL}},
};

static const char *const host_names[] = {"linux-x86_64", "linux-aarch64", "darwin-aarch64", "darwin-x86_64", NULL};

const struct xb_target *xb_target_all(size_t *out_count)
{
	*out_count = XB_COUNT(targets);
	return targets;
}

bool xb_target_accepts(const struct xb_target *target, uint8_t elf_class, uint8_t elf_data, uint16_t machine,
		       uint32_t elf_flags)
{
	const uint32_t abi = elf_flags & target->elf_abi_mask;

	return elf_class == target->elf_class && elf_data == target->elf_data && machine == target->elf_machine &&
	       (abi == 0 || abi == target->elf_abi);
}

#define MAX_WORDS 17 /* vocabularies and aliases */

/* Every word that stands for a row; their number. */
static size_t words_of(const struct xb_target *row, const char *out[MAX_WORDS])
{
	const char *const words[] = {row->name,	      row->triple,   row->multiarch,	   row->debian_arch,
				     row->apk_arch,   row->oci_arch, row->cmake_processor, row->meson_cpu_family,
				     row->rust_triple};
	size_t len = 0;

	_Static_assert(XB_COUNT(words) + XB_COUNT(row->aliases) <= MAX_WORDS, "words of a target");
	for (; len < XB_COUNT(words); len++)
		out[len] = words[len];
	for (size_t i = 0; i < XB_COUNT(row->aliases) && row->aliases[i]; i++)
		out[len++] = row->aliases[i];
	return len;
}

/* Two rows may share a word of a vocabulary that has no bits in it; then the first row is meant. */
static bool row_is_called(const struct xb_target *row, struct xb_sv name)
{
	const char *words[MAX_WORDS];
	const size_t len = words_of(row, words);

	for (size_t i = 0; i < len; i++) {
		if (xb_sv_eq_str(name, words[i]))
			return true;
	}
	return false;
}

const struct xb_target *xb_target_find(struct xb_sv name)
{
	for (size_t i = 0; i < XB_COUNT(targets); i++) {
		if (row_is_called(&targets[i], name))
			return &targets[i];
	}
	return NULL;
}

static bool has_same_letters(struct xb_sv a, struct xb_sv b)
{
	int count[256] = {0};

	if (a.len != b.len)
		return false;
	for (size_t i = 0; i < a.len; i++) {
		count[(unsigned char)a.ptr[i]]++;
		count[(unsigned char)b.ptr[i]]--;
	}
	for (size_t i = 0; i < XB_COUNT(count); i++)
		if (count[i])
			return false;
	return true;
}

/*
 * Two for each slip between a name and the closest word that stands for a target, less one where the letters are the same:
 * "amr64" is "arm64" rather than "amd64", "adm64" the other way round.
 */
static unsigned distance_to(const struct xb_target *row, struct xb_sv name)
{
	const char *words[MAX_WORDS];
	const size_t len = words_of(row, words);
	unsigned best = UINT_MAX;

	for (size_t i = 0; i < len; i++) {
		const struct xb_sv word = xb_sv(words[i]);
		const unsigned slips = xb_sv_distance(name, word);
		const unsigned distance = 2 * slips - (slips && has_same_letters(name, word));

		best = distance < best ? distance : best;
	}
	return best;
}

const char *xb_target_suggest(struct xb_sv name)
{
	/* One slip in three letters, as xb_sv_suggest() has it. */
	unsigned best = 2 * (unsigned)(name.len / 3) + 1;
	const char *found = NULL;

	for (size_t i = 0; i < XB_COUNT(targets); i++) {
		const unsigned distance = distance_to(&targets[i], name);

		if (distance < best) {
			best = distance;
			found = targets[i].name;
		}
	}
	return found;
}

const char *const *xb_host_names(void)
{
	return host_names;
}

const char *xb_host_find(struct xb_sv name)
{
	for (const char *const *host = host_names; *host; host++)
		if (xb_sv_eq_str(name, *host))
			return *host;
	return NULL;
}

static const struct host *find_host(const char *name)
{
	for (size_t i = 0; i < XB_COUNT(hosts); i++) {
		if (strcmp(hosts[i].name, name) == 0)
			return &hosts[i];
	}
	return NULL;
}

const char *xb_host_debian_arch(const char *host)
{
	const struct host *row = find_host(host);

	return row ? row->debian_arch : NULL;
}

bool xb_host_runs(const char *host, const struct xb_target *target)
{
	const struct host *row = find_host(host);

	for (size_t i = 0; row && row->runs[i]; i++) {
		if (strcmp(row->runs[i], target->name) == 0)
			return true;
	}
	return false;
}
