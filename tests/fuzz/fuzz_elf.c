/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Fuzz target of the ELF reader: clang -fsanitize=fuzzer,address tests/fuzz/fuzz_elf.c <libraries>. The unit test
 * model/elf_broken calls it with mutations of its own. Whatever the bytes are, a result keeps the promises of the header.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "xbuild/model/elf.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool holds)
{
	if (!holds)
		abort();
}

static void check_result(const struct xb_elf *elf)
{
	volatile size_t touched = 0;

	require(elf->elf_class == 1 || elf->elf_class == 2);
	require(elf->elf_data == 1 || elf->elf_data == 2);
	require(elf->is_dynamic || (elf->n_needed == 0 && elf->n_needs == 0 && elf->n_exports == 0));
	for (size_t i = 0; i < elf->n_needed; i++)
		touched += strlen(elf->needed[i]);
	for (size_t i = 0; i < elf->n_needs; i++) {
		const struct xb_elf_need *need = &elf->needs[i];
		int order;

		touched += strlen(need->library) + strlen(need->version) + strlen(need->symbol);
		if (i == 0)
			continue;
		require(strcmp(need[-1].library, need->library) <= 0);
		if (strcmp(need[-1].library, need->library) == 0 &&
		    xb_elf_version_compare(need[-1].version, need->version, &order))
			require(order <= 0);
	}
	for (size_t i = 0; i < elf->n_defs; i++)
		touched += strlen(elf->defs[i]);
	for (size_t i = 0; i < elf->n_exports; i++) {
		touched += strlen(elf->exports[i]);
		require(i == 0 || strcmp(elf->exports[i - 1], elf->exports[i]) <= 0);
	}
	touched += elf->comment ? strlen(elf->comment) : 0;
	touched += elf->build_id ? strlen(elf->build_id) : 0;
	touched += elf->interpreter ? strlen(elf->interpreter) : 0;
	touched += elf->soname ? strlen(elf->soname) : 0;
	touched += elf->rpath ? strlen(elf->rpath) : 0;
	touched += elf->runpath ? strlen(elf->runpath) : 0;
	require(touched < SIZE_MAX);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct xb_err err XB_CLEANUP(xb_err_release) = {0};
	struct xb_elf *elf = NULL;
	int rc = xb_elf_parse(data, size, "fuzz", XB_ELF_EXPORTS | XB_ELF_COMMENT, &elf, &err);

	require((rc == 1) == (elf != NULL));
	require(rc == 1 || rc == 0 || rc == XB_E_INPUT);
	require((rc < 0) == (err.msg != NULL));
	require(rc != 0 || size < 4 || memcmp(data, "\177ELF", 4) != 0);
	if (elf)
		check_result(elf);
	xb_elf_free(elf);
	return 0;
}
