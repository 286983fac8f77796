/* SPDX-License-Identifier: Apache-2.0 */
#include "sample.h"

#include "xbuild/base/num.h"
#include "xbuild/base/vec.h"
#include "xbuild/pkg/solve.h"

#define CASES XB_TEST_SOURCE_DIR "/tests/cases/"

/*
 * A case of tests/cases/solve: "key: words" lines (arch, wanted, exclude, free; last: suites behind the others; take: package and suite
 * that it comes from), then parts that begin with "---":
 *   --- suite ID       stanzas; Filename, Size and SHA256 are made up where they are not given, and "Variant: x" makes the
 *                      content another one
 *   --- locked         one package a line: name version arch suite [depends ...]
 *   --- result         the expected packages: name version suite [depends ...]
 *   --- held           packages of the result of which the indexes have newer ones: name newest
 *   --- error CODE     lines that the message (or the hint) must hold
 */
struct parsed {
	struct xb_arena arena;
	const char *arch;
	struct xb_list wanted, exclude, free_names, data_only, last, take;
	struct xb_lock_packages locked;
	struct xb_sv result, error, held;
	const char *error_code;
	struct xb_solver *solver;
};

static struct xb_list words(struct xb_arena *arena, struct xb_sv text)
{
	struct xb_list list = {xb_arena_array(arena, 64, sizeof(*list.items)), 0};

	while (text.ptr) {
		struct xb_sv word = xb_sv_trim(xb_sv_cut(&text, ' '));

		if (word.len && list.len < 64)
			list.items[list.len++] = xb_arena_sv(arena, word);
	}
	return list;
}

static void digest_of(const char *name, const char *version, const char *variant, struct xb_digest *out)
{
	char *text XB_CLEANUP(xb_free_ptr) = xb_printf("%s %s %s", name, version, variant);

	xb_digest_bytes(text, strlen(text), out);
}

static struct xb_sv value_of(struct xb_sv stanza, const char *field)
{
	while (stanza.ptr) {
		struct xb_sv value = xb_sv_cut(&stanza, '\n'), name = xb_sv_cut(&value, ':');

		if (xb_sv_eq_str(name, field))
			return xb_sv_trim(value);
	}
	return xb_sv("");
}

static void append_stanza(struct parsed *p, struct xb_sv stanza, struct xb_str *out)
{
	const char *name = xb_arena_sv(&p->arena, value_of(stanza, "Package"));
	const char *version = xb_arena_sv(&p->arena, value_of(stanza, "Version"));
	struct xb_digest digest;
	char hex[XB_DIGEST_HEX];

	digest_of(name, version, xb_arena_sv(&p->arena, value_of(stanza, "Variant")), &digest);
	xb_str_append_sv(out, stanza);
	if (!value_of(stanza, "Architecture").len)
		xb_str_printf(out, "\nArchitecture: %s", p->arch);
	xb_str_printf(out, "\nFilename: pool/%s_%s.deb\nSize: %zu\nSHA256: %s\n\n", name, version,
		      strlen(name) + strlen(version), xb_digest_hex(&digest, hex));
}

static void add_suite(struct parsed *p, struct xb_sv id, struct xb_sv text, struct xb_err *err)
{
	struct xb_str stanzas XB_CLEANUP(xb_str_release) = {0};
	struct xb_str stanza XB_CLEANUP(xb_str_release) = {0};

	if (!p->solver)
		expect_ok(xb_solver_new(p->arch, &p->solver, err), err);
	while (text.ptr) {
		struct xb_sv line = xb_sv_cut(&text, '\n');

		if (line.len)
			xb_str_printf(&stanza, "%s%.*s", stanza.len ? "\n" : "", XB_SV_ARG(line));
		if (stanza.len && (!line.len || !text.ptr)) {
			append_stanza(p, xb_str_sv(&stanza), &stanzas);
			xb_str_reset(&stanza);
		}
	}
	expect_ok(xb_solver_add(p->solver, xb_arena_sv(&p->arena, id), xb_str_sv(&stanzas), err), err);
}

static void add_locked(struct parsed *p, struct xb_sv text)
{
	p->locked.items = xb_arena_array(&p->arena, 64, sizeof(*p->locked.items));
	while (text.ptr) {
		struct xb_list line = words(&p->arena, xb_sv_cut(&text, '\n'));
		struct xb_lock_package *package = &p->locked.items[p->locked.len];

		if (line.len < 4)
			continue;
		*package = (struct xb_lock_package){
			.name = line.items[0],
			.version = line.items[1],
			.arch = line.items[2],
			.suite = line.items[3],
			.path = xb_arena_printf(&p->arena, "pool/%s_%s.deb", line.items[0], line.items[1]),
			.size_bytes = (int64_t)(strlen(line.items[0]) + strlen(line.items[1])),
			.depends = line.items + 4,
			.n_depends = line.len - 4,
		};
		digest_of(package->name, package->version, "", &package->sha256);
		p->locked.len++;
	}
}

static void take_part(struct parsed *p, struct xb_sv head, struct xb_sv body, struct xb_err *err)
{
	struct xb_sv kind = xb_sv_cut(&head, ' ');

	if (xb_sv_eq_str(kind, "suite"))
		add_suite(p, head, body, err);
	else if (xb_sv_eq_str(kind, "locked"))
		add_locked(p, body);
	else if (xb_sv_eq_str(kind, "result"))
		p->result = body;
	else if (xb_sv_eq_str(kind, "held"))
		p->held = body;
	else if (xb_sv_eq_str(kind, "error")) {
		p->error = body;
		p->error_code = xb_arena_sv(&p->arena, head);
	} else
		fail_msg("unknown part '%.*s'", XB_SV_ARG(kind));
}

static void take_key(struct parsed *p, struct xb_sv line)
{
	struct xb_sv value = line, key = xb_sv_cut(&value, ':');

	if (!line.len || *line.ptr == '#')
		return;
	if (xb_sv_eq_str(key, "arch"))
		p->arch = xb_arena_sv(&p->arena, xb_sv_trim(value));
	else if (xb_sv_eq_str(key, "wanted"))
		p->wanted = words(&p->arena, value);
	else if (xb_sv_eq_str(key, "exclude"))
		p->exclude = words(&p->arena, value);
	else if (xb_sv_eq_str(key, "free"))
		p->free_names = words(&p->arena, value);
	else if (xb_sv_eq_str(key, "data-only"))
		p->data_only = words(&p->arena, value);
	else if (xb_sv_eq_str(key, "last"))
		p->last = words(&p->arena, value);
	else if (xb_sv_eq_str(key, "take"))
		p->take = words(&p->arena, value);
	else
		fail_msg("unknown key '%.*s'", XB_SV_ARG(key));
}

static void parse_case(struct parsed *p, struct xb_sv text, struct xb_err *err)
{
	struct xb_sv head = {0};
	const char *body = NULL, *end = text.ptr + text.len;

	p->arch = "amd64";
	while (text.ptr && text.len) {
		const char *start = text.ptr;
		struct xb_sv line = xb_sv_cut(&text, '\n');

		if (!xb_sv_starts(line, "--- ")) {
			if (!body)
				take_key(p, line);
			continue;
		}
		if (body)
			take_part(p, head, xb_sv_n(body, (size_t)(start - body)), err);
		head = xb_sv_n(line.ptr + 4, line.len - 4);
		body = text.ptr ? text.ptr : end;
	}
	take_part(p, head, xb_sv_n(body, (size_t)(end - body)), err);
}

static void compare_result(const struct xb_lock_packages *found, struct xb_sv expected)
{
	struct xb_str text XB_CLEANUP(xb_str_release) = {0};
	char *wanted XB_CLEANUP(xb_free_ptr) = xb_sv_dup(xb_sv_trim(expected));
	struct xb_digest digest;

	for (size_t i = 0; i < found->len; i++) {
		const struct xb_lock_package *p = &found->items[i];

		xb_str_printf(&text, "%s%s %s %s", i ? "\n" : "", p->name, p->version, p->suite);
		for (size_t k = 0; k < p->n_depends; k++)
			xb_str_printf(&text, " %s", p->depends[k]);
		digest_of(p->name, p->version, "", &digest);
		assert_true(xb_digest_eq(&digest, &p->sha256));
		assert_int_equal(p->size_bytes, strlen(p->name) + strlen(p->version));
		assert_true(xb_sv_starts(xb_sv(p->path), "pool/"));
	}
	assert_string_equal(xb_str_get(&text), wanted);
}

static void compare_error(const struct parsed *p, const struct xb_err *err)
{
	struct xb_sv lines = p->error;
	char *code XB_CLEANUP(xb_free_ptr) = xb_printf("%d", (int)err->code);
	char *all XB_CLEANUP(xb_free_ptr) = xb_printf("%s\nhint: %s", err->msg, err->hint ? err->hint : "");

	if (!p->error_code)
		fail_msg("%s", all);
	assert_string_equal(code, p->error_code);
	while (lines.ptr) {
		char *line XB_CLEANUP(xb_free_ptr) = xb_sv_dup(xb_sv_trim(xb_sv_cut(&lines, '\n')));

		if (!strstr(all, line))
			fail_msg("'%s' does not hold '%s'", all, line);
	}
}

/* Exactly these are older than what the indexes have; only said where a case has the part. */
static void compare_held(struct parsed *p, const struct xb_lock_packages *found)
{
	struct xb_str text XB_CLEANUP(xb_str_release) = {0};

	if (!p->held.ptr)
		return;
	for (size_t i = 0; i < found->len; i++) {
		const char *newer = xb_solver_newer(p->solver, &found->items[i]);

		if (newer)
			xb_str_printf(&text, "%s %s\n", found->items[i].name, newer);
	}
	assert_string_equal(xb_str_get(&text), xb_arena_sv(&p->arena, p->held));
}

static void run_case(const char *path)
{
	struct xb_err err XB_CLEANUP(xb_err_release) = {0};
	struct xb_str text XB_CLEANUP(xb_str_release) = {0};
	struct parsed p = {0};
	struct xb_lock_packages found = {0};
	int rc = 0;

	print_message("%s\n", path);
	expect_ok(xb_fs_read(path, XB_MIB, &text, &err), &err);
	parse_case(&p, xb_str_sv(&text), &err);
	for (size_t i = 0; i < p.last.len; i++)
		xb_solver_rank_last(p.solver, p.last.items[i]);
	for (size_t i = 0; i + 1 < p.take.len && rc == 0; i += 2)
		rc = xb_solver_take_from(p.solver, p.take.items[i], p.take.items[i + 1], &err);
	if (p.locked.len && rc == 0)
		rc = xb_solver_prefer(p.solver, &p.locked, &p.free_names, &err);
	if (rc == 0)
		xb_solver_cut_needs(p.solver, &p.data_only);
	if (rc == 0)
		rc = xb_solver_run(p.solver, &p.wanted, &p.exclude, &p.arena, &found, &err);
	if (rc < 0)
		compare_error(&p, &err);
	else
		compare_result(&found, p.result);
	if (rc == 0)
		compare_held(&p, &found);
	xb_solver_free(p.solver);
	xb_arena_release(&p.arena);
}

static void golden_cases(void **state)
{
	struct xb_err err XB_CLEANUP(xb_err_release) = {0};
	struct xb_fs_list files XB_CLEANUP(xb_fs_list_release) = {0};

	(void)state;
	expect_ok(xb_fs_list(CASES "solve", &files, &err), &err);
	assert_true(files.len >= 15);
	for (size_t i = 0; i < files.len; i++) {
		char *path XB_CLEANUP(xb_free_ptr) = xb_path_join(CASES "solve", files.items[i].name);

		run_case(path);
	}
}

/* The same input a second time gives the same result, byte for byte, whatever else was solved before. */
static void long_chain_and_loops_end(void **state)
{
	struct xb_err err XB_CLEANUP(xb_err_release) = {0};
	struct xb_str text XB_CLEANUP(xb_str_release) = {0};
	const char *wanted_names[] = {"p0"};
	const struct xb_list wanted = {wanted_names, 1}, exclude = {0};
	struct xb_arena arena XB_CLEANUP(xb_arena_release) = {0};
	struct xb_lock_packages found = {0};
	struct xb_solver *solver = NULL;
	const int n = 20000;

	(void)state;
	for (int i = 0; i < n; i++)
		xb_str_printf(&text,
			      "Package: p%d\nVersion: 1\nArchitecture: all\nDepends: p%d, p%d\nFilename: pool/%d\n"
			      "Size: 1\nSHA256: %064d\n\n",
			      i, (i + 1) % n, i, i, i + 1);
	expect_ok(xb_solver_new("amd64", &solver, &err), &err);
	expect_ok(xb_solver_add(solver, "main", xb_str_sv(&text), &err), &err);
	expect_ok(xb_solver_run(solver, &wanted, &exclude, &arena, &found, &err), &err);
	assert_int_equal(found.len, n);
	assert_int_equal(found.items[0].n_depends, 1);
	assert_string_equal(found.items[0].depends[0], "p1");
	xb_solver_free(solver);
}

static void an_empty_suite_is_none(void **state)
{
	struct xb_err err XB_CLEANUP(xb_err_release) = {0};
	struct xb_solver *solver = NULL;

	(void)state;
	expect_ok(xb_solver_new("amd64", &solver, &err), &err);
	expect_ok(xb_solver_add(solver, "main", xb_sv(""), &err), &err);
	xb_solver_free(solver);
	xb_solver_free(NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(golden_cases),
		cmocka_unit_test(long_chain_and_loops_end),
		cmocka_unit_test(an_empty_suite_is_none),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
