/* SPDX-License-Identifier: Apache-2.0 */
#include "xbuild/model/target.h"

#include <string.h>

#include "xbuild/base/attr.h"

/*
 * Triples, multiarch and Debian names: Debian "MultiarchTuples". OCI names: the OCI image-spec v1.1, config.md (GOARCH)
 * and image-index.md "platform variants"; an image for arm64 carries the variant "v8" that docker and containerd expect.
 * Loaders and machine numbers: the System V ABI supplements of each architecture and elf(5).
 */
static const struct xb_target targets[] = {
	{
		.name = "linux-x86_64",
		.triple = "x86_64-linux-gnu",
		.multiarch = "x86_64-linux-gnu",
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
		.aliases = {"x64", "x86-64", "linux/amd64", "linux-amd64", "x86_64-pc-linux-gnu", "linux/x86_64",
			    "linux-x64"},
	},
	{
		.name = "linux-aarch64",
		.triple = "aarch64-linux-gnu",
		.multiarch = "aarch64-linux-gnu",
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
		.aliases = {"armv8", "linux/arm64", "linux/arm64/v8", "linux-arm64", "arm64v8", "linux/aarch64"},
	},
};

/* What a host is called, and what it runs by itself. Hosts without a Debian architecture get toolchain archives. */
struct host {
	const char *name;
	const char *debian_arch;
	const char *runs; /* canonical target, or NULL */
};

static const struct host hosts[] = {
	{"linux-x86_64", "amd64", "linux-x86_64"},
	{"linux-aarch64", "arm64", "linux-aarch64"},
	{"darwin-aarch64", NULL, NULL},
	{"darwin-x86_64", NULL, NULL},
};

static const char *const host_names[] = {"linux-x86_64", "linux-aarch64", "darwin-aarch64", "darwin-x86_64", NULL};

const struct xb_target *xb_target_all(size_t *out_count)
{
	*out_count = XB_COUNT(targets);
	return targets;
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

/* The smallest distance of a name to the words that stand for a target. */
static unsigned distance_to(const struct xb_target *row, struct xb_sv name)
{
	const char *words[MAX_WORDS];
	const size_t len = words_of(row, words);
	unsigned best = xb_sv_distance(name, xb_sv(words[0]));

	for (size_t i = 1; i < len; i++) {
		const unsigned distance = xb_sv_distance(name, xb_sv(words[i]));

		best = distance < best ? distance : best;
	}
	return best;
}

const char *xb_target_suggest(struct xb_sv name)
{
	/* One slip in three letters, as xb_sv_suggest() has it. */
	unsigned best = (unsigned)(name.len / 3) + 1;
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

	return row && row->runs && strcmp(row->runs, target->name) == 0;
}
