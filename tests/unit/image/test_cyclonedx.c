/* SPDX-License-Identifier: Apache-2.0 */
#include "bill_sample.h"

#include <stdlib.h>

#include "xbuild/base/alloc.h"
#include "xbuild/base/limits.h"
#include "xbuild/image/cyclonedx.h"
#include "xbuild/sys/fs.h"

/* tests/cases/bill/cyclonedx.json was compared with the schema of the format. */
static void a_bill_with_everything(void **state)
{
	struct sample s;
	struct xb_str out XB_CLEANUP(xb_str_release) = {0}, again XB_CLEANUP(xb_str_release) = {0},
			  golden XB_CLEANUP(xb_str_release) = {0};
	struct xb_err err XB_CLEANUP(xb_err_release) = {0};

	(void)state;
	sample_fill(&s);
	assert_int_equal(xb_cyclonedx_write(&s.bill, &out, &err), 0);
	assert_int_equal(xb_fs_read(XB_TEST_SOURCE_DIR "/tests/cases/bill/cyclonedx.json", XB_MIB, &golden, &err), 0);
	assert_string_equal(out.data, golden.data);

	/* another content is another document */
	s.files[1].sha256.bytes[31] ^= 1;
	assert_int_equal(xb_cyclonedx_write(&s.bill, &again, &err), 0);
	assert_int_equal(again.len, out.len);

	assert_memory_not_equal(strstr(again.data, "serialNumber"), strstr(out.data, "serialNumber"), 90);
	xb_arena_release(&s.arena);
}

static void an_index_has_its_platforms(void **state)
{
	struct sample s;
	struct xb_str out XB_CLEANUP(xb_str_release) = {0};
	struct xb_err err XB_CLEANUP(xb_err_release) = {0};

	(void)state;
	sample_fill(&s);
	s.bill.target = NULL;
	s.bill.n_files = 0;
	s.bill.components = &s.components[5];
	s.bill.n_components = 1;
	assert_int_equal(xb_cyclonedx_write(&s.bill, &out, &err), 0);
	assert_non_null(strstr(out.data, "\"bom-ref\":\"pkg:oci/base@sha256%3A00\""));
	assert_null(strstr(out.data, "\"formulation\""));
	xb_arena_release(&s.arena);
}

static void what_is_no_utf8_is_refused(void **state)
{
	struct sample s;
	struct xb_str out XB_CLEANUP(xb_str_release) = {0};
	struct xb_err err XB_CLEANUP(xb_err_release) = {0};

	(void)state;
	sample_fill(&s);
	s.files[0].path = "src/\xff.c";
	assert_int_equal(xb_cyclonedx_write(&s.bill, &out, &err), XB_E_INPUT);
	assert_non_null(strstr(err.msg, "not UTF-8"));
	assert_int_equal(out.len, 0);
	xb_arena_release(&s.arena);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_bill_with_everything),
		cmocka_unit_test(an_index_has_its_platforms),
		cmocka_unit_test(what_is_no_utf8_is_refused),
	};

	return cmocka_run_group_tests_name("image/cyclonedx", tests, NULL, NULL);
}
