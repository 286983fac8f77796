/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "xbuild/image/provenance.h"

static void fill(struct xb_provenance *p, struct xb_material subjects[1], struct xb_material inputs[3])
{
	static const char *const targets[] = {"linux-x86_64"};

	*p = (struct xb_provenance){.image = "parcel",
				    .profile = "release",
				    .tool_version = "9.9",
				    .project_file = "xbuild.yaml",
				    .project = {{0xaa}},
				    .targets = targets,
				    .n_targets = 1,
				    .subjects = {subjects, 1, 1},
				    .inputs = {inputs, 3, 3}};
	subjects[0] = (struct xb_material){.name = "parcel", .sha256 = {{0xbb}}};
	inputs[0] = (struct xb_material){
		.name = "source", .git_commit = "0123", .note_name = "dirty", .note = "files of the project differ"};
	inputs[1] = (struct xb_material){.name = "libc6", .uri = "pkg:deb/debian/libc6@2", .sha256 = {{0xcc}}};
	inputs[2] = (struct xb_material){.name = "nothing", .note_name = "unsaid"};
}

#define ZEROS "00000000000000000000000000000000000000000000000000000000000000"

static void a_statement(void **state)
{
	struct xb_material subjects[1], inputs[3];
	struct xb_str out XB_CLEANUP(xb_str_release) = {0}, again XB_CLEANUP(xb_str_release) = {0};
	struct xb_err err XB_CLEANUP(xb_err_release) = {0};
	struct xb_provenance p;
	const char *id;

	(void)state;
	fill(&p, subjects, inputs);
	assert_int_equal(xb_provenance_write(&p, &out, &err), 0);
	id = strstr(out.data, "\"invocationId\":\"");
	assert_non_null(id);
	assert_memory_equal(
		out.data,
		"{\n"
		" \"_type\": \"https://in-toto.io/Statement/v1\",\n"
		" \"subject\": [\n"
		"  {\"name\":\"parcel\",\"digest\":{\"sha256\":\"bb" ZEROS "\"}}\n"
		" ],\n"
		" \"predicateType\": \"https://slsa.dev/provenance/v1\",\n"
		" \"predicate\": {\n"
		"  \"buildDefinition\": {\"buildType\":\"urn:xbuild:build:image:v1\",\"externalParameters\":"
		"{\"image\":\"parcel\",\"profile\":\"release\",\"targets\":[\"linux-x86_64\"],"
		"\"project\":{\"name\":\"xbuild.yaml\",\"digest\":{\"sha256\":\"aa" ZEROS "\"}}},"
		"\"resolvedDependencies\":["
		"{\"name\":\"source\",\"digest\":{\"gitCommit\":\"0123\"},\"annotations\":{\"dirty\":\"files of the "
		"project differ\"}},"
		"{\"name\":\"libc6\",\"uri\":\"pkg:deb/debian/libc6@2\",\"digest\":{\"sha256\":\"cc" ZEROS "\"}},"
		"{\"name\":\"nothing\"}]},\n"
		"  \"runDetails\": {\"builder\":{\"id\":\"urn:xbuild:builder:local\",\"version\":{\"xbuild\":\"9.9\"}},"
		"\"metadata\":{\"invocationId\":\"",
		(size_t)(id - out.data));
	/* of the content: another input, another name */
	inputs[1].sha256.bytes[0] = 0xdd;
	assert_int_equal(xb_provenance_write(&p, &again, &err), 0);
	assert_int_equal(again.len, out.len);
	assert_string_not_equal(strstr(again.data, "\"invocationId\""), strstr(out.data, "\"invocationId\""));
}

static void what_is_no_utf8_is_refused(void **state)
{
	struct xb_material subjects[1], inputs[3];
	struct xb_str out XB_CLEANUP(xb_str_release) = {0};
	struct xb_err err XB_CLEANUP(xb_err_release) = {0};
	struct xb_provenance p;

	(void)state;
	fill(&p, subjects, inputs);
	inputs[0].uri = "git+file:///\xff";
	assert_int_equal(xb_provenance_write(&p, &out, &err), XB_E_INPUT);
	assert_int_equal(out.len, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_statement),
		cmocka_unit_test(what_is_no_utf8_is_refused),
	};

	return cmocka_run_group_tests_name("image/provenance", tests, NULL, NULL);
}
