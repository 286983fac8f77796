/* SPDX-License-Identifier: Apache-2.0 */
#include "ldso_cache.h"

#include <stdlib.h>
#include <string.h>

#include "xbuild/base/path.h"

#define HEADER_BYTES 48
#define ENTRY_BYTES  24
#define ALIGN_BYTES  16

#define EM_X86_64	   62
#define EM_AARCH64	   183
#define FLAG_ELF_LIBC6	   0x0003U
#define FLAG_X8664_LIB64   0x0300U
#define FLAG_AARCH64_LIB64 0x0a00U

bool ldso_flags(uint16_t machine, uint32_t *out)
{
	if (machine != EM_X86_64 && machine != EM_AARCH64)
		return false;
	*out = FLAG_ELF_LIBC6 | (machine == EM_X86_64 ? FLAG_X8664_LIB64 : FLAG_AARCH64_LIB64);
	return true;
}

bool ldso_is_library(struct xb_sv name, struct xb_sv *out_stem)
{
	if (!xb_sv_starts(name, "lib") && !xb_sv_starts(name, "ld-"))
		return false;
	if (xb_sv_ends(name, ".so")) {
		*out_stem = xb_sv_n(name.ptr, name.len - 3);
		return true;
	}
	for (size_t i = name.len; i-- > 1;) {
		if (name.len - i > 4 && memcmp(name.ptr + i, ".so.", 4) == 0) {
			*out_stem = xb_sv_n(name.ptr, i);
			return true;
		}
	}
	return false;
}

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static uint64_t take_number(const char **text)
{
	uint64_t value = 0;

	for (; is_digit(**text); (*text)++)
		value = value * 10 + (uint64_t)(**text - '0');
	return value;
}

/* Numbers count as numbers, and more than other characters. */
static int compare_names(const char *a, const char *b)
{
	while (*a && *b) {
		if (is_digit(*a) && is_digit(*b)) {
			const uint64_t n_a = take_number(&a), n_b = take_number(&b);

			if (n_a != n_b)
				return n_a < n_b ? -1 : 1;
		} else if (is_digit(*a) || is_digit(*b)) {
			return is_digit(*a) ? 1 : -1;
		} else if (*a != *b) {
			return (unsigned char)*a < (unsigned char)*b ? -1 : 1;
		} else {
			a++;
			b++;
		}
	}
	return (*a != '\0') - (*b != '\0');
}

static const char *name_of(const struct ldso_entry *entry)
{
	return xb_path_base(xb_sv(entry->path)).ptr;
}

/* By insertion: equal names keep their order, that of the directories. */
static void sort(struct ldso_entry *entries, size_t len)
{
	for (size_t i = 1; i < len; i++) {
		const struct ldso_entry entry = entries[i];
		size_t k = i;

		for (; k > 0 && compare_names(name_of(&entries[k - 1]), name_of(&entry)) < 0; k--)
			entries[k] = entries[k - 1];
		entries[k] = entry;
	}
}

static void put_number(struct xb_str *out, uint32_t value)
{
	for (int i = 0; i < 4; i++)
		xb_str_append_char(out, (char)(value >> (8 * i) & 0xff));
}

void ldso_cache_write(struct ldso_entry *entries, size_t len, struct xb_str *out)
{
	const uint32_t table = (uint32_t)(HEADER_BYTES + len * ENTRY_BYTES);
	const size_t start = out->len;
	struct xb_str strings XB_CLEANUP(xb_str_release) = {0};

	sort(entries, len);
	for (size_t i = 0; i < len; i++)
		xb_str_append_n(&strings, entries[i].path, strlen(entries[i].path) + 1);
	xb_str_append(out, "glibc-ld.so.cache1.1");
	put_number(out, (uint32_t)len);
	put_number(out, (uint32_t)strings.len);
	while (out->len - start < HEADER_BYTES)
		xb_str_append_char(out, '\0');
	for (size_t i = 0, at = 0; i < len; i++) {
		put_number(out, entries[i].flags);
		put_number(out, table + (uint32_t)(at + (size_t)(name_of(&entries[i]) - entries[i].path)));
		put_number(out, table + (uint32_t)at);
		for (int k = 0; k < 3; k++) /* version of the system and capabilities of the processor: any */
			put_number(out, 0);
		at += strlen(entries[i].path) + 1;
	}
	xb_str_append_sv(out, xb_str_sv(&strings));
	do
		xb_str_append_char(out, '\0');
	while ((out->len - start) % ALIGN_BYTES);
}
