/* SPDX-License-Identifier: Apache-2.0 */
/* Without a network: what is in the store is unpacked, what is not is told. Downloads: tests/cli. */
#include "../pkg/packages_made.h"

#include <sys/wait.h>

#include "xbuild/app/op_fetch.h"

static const struct item clang[] = {
	{'0', "./usr/lib/llvm-22/bin/clang", "clang", 0755},
	{'0', "./usr/lib/x86_64-linux-gnu/ld-linux-x86-64.so.2", "loader", 0755},
	{0},
};
static const struct item libc[] = {{'0', "./usr/lib/x86_64-linux-gnu/libc.so.6", "libc", 0755}, {0}};
static const struct item libcrypt[] = {{'0', "./usr/lib/x86_64-linux-gnu/libcrypt.so.1", "libcrypt", 0755}, {0}};

struct sample {
	struct xb_app app;
	struct xb_project project;
	struct xb_project_target target;
	struct xb_toolchain_desc toolchain;
	struct xb_sysroot_desc sysroot;
	struct xb_archive_site site;
	struct xb_lock lock;
	struct xb_lock_suite suite;
	struct xb_lock_toolchain lock_toolchain;
	struct xb_lock_sysroot lock_sysroot;
	struct xb_lock_package compiler, libraries[2];
	const char *mirrors[1];
};

/* libc6 is in the toolchain and in the sysroot; all blobs are in the store. */
static void sample_init(struct sample *s, struct made *m)
{
	*s = (struct sample){
		.compiler = made_package(m->store, "clang-22", clang),
		.libraries = {made_package(m->store, "libc6", libc), made_package(m->store, "libcrypt1", libcrypt)},
		.mirrors = {"https://127.0.0.1:1/debian"}};
	s->site = (struct xb_archive_site){"debian", {s->mirrors, 1}, "https://127.0.0.1:1/snapshot"};
	s->suite = (struct xb_lock_suite){.id = "s", .archive = "debian", .path = "s", .date = 1700000000};
	s->toolchain.name = "llvm-22";
	s->toolchain.bin_dir = "usr/lib/llvm-22/bin";
	s->sysroot.name = "debian-test";
	s->sysroot.gcc = "12";
	s->toolchain.debian = s->sysroot.debian = (struct xb_debian){.sites = &s->site, .n_sites = 1};
	s->target.target = xb_target_find(xb_sv("linux-x86_64"));
	s->project.snapshot = "latest";
	s->project.file = "xbuild.yaml";
	s->project.targets = &s->target;
	s->project.n_targets = 1;
	s->lock_toolchain = (struct xb_lock_toolchain){
		.host = "linux-x86_64", .name = "llvm-22", .version = "22.1.8", .packages = {&s->compiler, 1}};
	s->lock_sysroot = (struct xb_lock_sysroot){
		.target = "linux-x86_64", .name = "debian-test", .packages = {s->libraries, 2}};
	s->lock = (struct xb_lock){.suites = &s->suite,
				   .n_suites = 1,
				   .toolchains = &s->lock_toolchain,
				   .n_toolchains = 1,
				   .sysroots = &s->lock_sysroot,
				   .n_sysroots = 1};
	s->app.project = &s->project;
	s->app.toolchain = &s->toolchain;
	s->app.sysroot = &s->sysroot;
	s->app.lock = &s->lock;
	s->app.store = m->store;
	s->app.host.name = "linux-x86_64";
	s->app.host.cpus = 2;
	s->app.options.offline = true;
}

static void unpacks_what_is_there(void **state)
{
	struct made *m = *state;
	struct xb_fetch_summary summary = {0};
	struct xb_sysroot_paths sysroot;
	struct xb_tools tools;
	struct xb_tree package XB_CLEANUP(xb_tree_release) = {0};
	const struct xb_want want = {.kind = XB_WANT_PACKAGE, .name = "linux-x86_64", .package = "libc6"};
	struct sample s;

	sample_init(&s, m);
	expect_ok(xb_op_fetch(&s.app, NULL, 0, &summary, &m->err), &m->err);
	assert_int_equal(summary.n_trees, 2);
	assert_int_equal(summary.n_files, 0);
	assert_int_equal(summary.n_cached, 3);
	expect_ok(xb_provision_tools(&s.app, true, &tools, &m->err), &m->err);
	expect_ok(xb_provision_sysroot(&s.app, s.target.target, &sysroot, &m->err), &m->err);
	assert_true(made_has(tools.dir, tools.loader));
	assert_true(made_has(sysroot.dir, "usr/lib/x86_64-linux-gnu/libcrypt.so.1"));
	/* Nothing is left to do. */
	summary = (struct xb_fetch_summary){0};
	expect_ok(xb_op_fetch(&s.app, NULL, 0, &summary, &m->err), &m->err);
	assert_int_equal(summary.n_trees, 0);
	expect_ok(xb_op_fetch(&s.app, &want, 1, &summary, &m->err), &m->err);
	assert_int_equal(summary.n_trees, 1);
	expect_ok(xb_provision_package(&s.app, &want, &package, &m->err), &m->err);
	xb_arena_release(&s.app.arena);
}

static void offline_names_what_is_missing(void **state)
{
	struct made *m = *state;
	struct xb_fetch_summary summary = {0};
	struct sample s;

	sample_init(&s, m);
	s.libraries[0].sha256.bytes[0] ^= 1;
	s.libraries[0].path = "pool/main/g/glibc/libc6_2.36-9_amd64.deb";
	assert_int_equal(xb_op_fetch(&s.app, NULL, 0, &summary, &m->err), XB_E_NETWORK);
	assert_non_null(strstr(m->err.msg, "'libc6_2.36-9_amd64.deb' is not in the store"));
	assert_non_null(strstr(m->err.hint, "without --offline"));
	xb_err_clear(&m->err);
	s.libraries[1].sha256.bytes[0] ^= 1;
	assert_int_equal(xb_op_fetch(&s.app, NULL, 0, &summary, &m->err), XB_E_NETWORK);
	assert_non_null(strstr(m->err.msg, "and 1 more files"));
	xb_arena_release(&s.app.arena);
}

static void what_the_lock_does_not_have(void **state)
{
	static const struct xb_want wants[] = {{.kind = XB_WANT_TOOLCHAIN, .name = "darwin-aarch64"},
					       {.kind = XB_WANT_SYSROOT, .name = "linux-aarch64"},
					       {.kind = XB_WANT_PACKAGE, .name = "linux-x86_64", .package = "libssl3"}};
	struct made *m = *state;
	struct xb_fetch_summary summary = {0};
	struct sample s;

	sample_init(&s, m);
	for (size_t i = 0; i < XB_COUNT(wants); i++) {
		assert_int_equal(xb_op_fetch(&s.app, &wants[i], 1, &summary, &m->err), XB_E_LOCK);
		assert_non_null(strstr(m->err.hint, "xbuild lock"));
		xb_err_clear(&m->err);
	}
	xb_arena_release(&s.app.arena);
}

static void a_damaged_tree_is_made_again(void **state)
{
	struct made *m = *state;
	struct xb_fetch_summary summary = {0};
	struct xb_sysroot_paths sysroot;
	char *digest XB_CLEANUP(xb_free_ptr) = NULL;
	struct sample s;

	sample_init(&s, m);
	expect_ok(xb_op_fetch(&s.app, NULL, 0, &summary, &m->err), &m->err);
	expect_ok(xb_provision_sysroot(&s.app, s.target.target, &sysroot, &m->err), &m->err);
	digest = xb_printf("%s/../digest", sysroot.dir);
	assert_int_equal(unlink(digest), 0);
	expect_ok(xb_op_fetch(&s.app, NULL, 0, &summary, &m->err), &m->err);
	assert_int_equal(summary.n_trees, 1);
	expect_ok(xb_provision_sysroot(&s.app, s.target.target, &sysroot, &m->err), &m->err);
	xb_arena_release(&s.app.arena);
}

struct warnings {
	int n;
	bool names_libcrypt;
};

static void count_warning(void *self, const struct xb_event *event)
{
	struct warnings *warnings = self;

	if (event->kind != XB_EVENT_WARNING)
		return;
	warnings->n++;
	warnings->names_libcrypt |= strstr(event->text, "libcrypt.so.1' is missing") != NULL;
}

/* A file went out of a sysroot, which still looks whole from outside; and another out of a package for an image. */
static void verify_mends_what_lost_files(void **state)
{
	static const char *const lost[] = {"usr/lib/x86_64-linux-gnu/libcrypt.so.1",
					   "usr/lib/x86_64-linux-gnu/libc.so.6"};
	struct made *m = *state;
	struct warnings warnings = {0};
	const struct xb_observer observer = {.event = count_warning, .self = &warnings};
	struct xb_fetch_summary summary = {0};
	struct xb_sysroot_paths sysroot;
	struct xb_tree package XB_CLEANUP(xb_tree_release) = {0};
	const struct xb_want want = {.kind = XB_WANT_PACKAGE, .name = "linux-x86_64", .package = "libc6"};
	struct sample s;

	sample_init(&s, m);
	s.app.observer = &observer;
	expect_ok(xb_op_fetch(&s.app, NULL, 0, &summary, &m->err), &m->err);
	expect_ok(xb_op_fetch(&s.app, &want, 1, &summary, &m->err), &m->err);
	expect_ok(xb_op_fetch_verify(&s.app, NULL, 0, &summary, &m->err), &m->err);
	assert_int_equal(warnings.n, 0);
	assert_int_equal(summary.n_trees, 0);
	expect_ok(xb_provision_sysroot(&s.app, s.target.target, &sysroot, &m->err), &m->err);
	expect_ok(xb_provision_package(&s.app, &want, &package, &m->err), &m->err);
	for (int i = 0; i < 2; i++) {
		char *path XB_CLEANUP(xb_free_ptr) = xb_path_join(i ? package.dir : sysroot.dir, lost[i]);

		assert_int_equal(unlink(path), 0);
	}
	expect_ok(xb_op_fetch_verify(&s.app, NULL, 0, &summary, &m->err), &m->err);
	assert_int_equal(warnings.n, 2);
	assert_true(warnings.names_libcrypt);
	assert_int_equal(summary.n_trees, 2);
	assert_true(made_has(sysroot.dir, lost[0]));
	assert_true(made_has(package.dir, lost[1]));
	expect_ok(xb_op_fetch_verify(&s.app, NULL, 0, &summary, &m->err), &m->err);
	assert_int_equal(warnings.n, 2);
	assert_int_equal(unlink(package.manifest), 0);
	expect_ok(xb_op_fetch_verify(&s.app, NULL, 0, &summary, &m->err), &m->err);
	assert_int_equal(warnings.n, 3);
	assert_true(xb_fs_exists(package.manifest));
	xb_arena_release(&s.app.arena);
}

/* In a child: what the store tells (it waits) and warnings go to the pipe, one letter each. */
static void tell_pipe(void *self, const struct xb_event *event)
{
	const char letter = event->kind == XB_EVENT_WARNING ? 'w' : 'n';

	if (event->kind == XB_EVENT_WARNING || event->kind == XB_EVENT_NOTE)
		assert_int_equal(write(*(const int *)self, &letter, 1), 1);
}

/* Another process holds the lock of a damaged tree and mends it: who verifies waits, and then nothing is damaged. */
static void verify_waits_for_who_mends(void **state)
{
	struct made *m = *state;
	struct xb_fetch_summary summary = {0};
	struct xb_sysroot_paths sysroot;
	struct xb_filelock lock = {.fd = -1};
	struct xb_digest recipe;
	char *path XB_CLEANUP(xb_free_ptr) = NULL, *kept XB_CLEANUP(xb_free_ptr) = NULL;
	const struct xb_want want = {.kind = XB_WANT_SYSROOT, .name = "linux-x86_64"};
	char hex[XB_DIGEST_HEX], letter = 0;
	bool none;
	int fds[2], status = -1;
	struct sample s;
	pid_t pid;

	sample_init(&s, m);
	expect_ok(xb_op_fetch(&s.app, NULL, 0, &summary, &m->err), &m->err);
	expect_ok(xb_provision_sysroot(&s.app, s.target.target, &sysroot, &m->err), &m->err);
	path = xb_path_join(sysroot.dir, "usr/lib/x86_64-linux-gnu/libcrypt.so.1");
	kept = xb_path_join(m->dir, "kept");
	expect_ok(xb_want_recipe(&s.app, &want, &recipe, &none, &m->err), &m->err);
	expect_ok(xb_store_lock(m->store, xb_digest_hex(&recipe, hex), &lock, &m->err), &m->err);
	assert_int_equal(rename(path, kept), 0);
	assert_int_equal(pipe(fds), 0);
	pid = fork();
	if (pid == 0) {
		const struct xb_observer observer = {.event = tell_pipe, .self = &fds[1]};
		struct xb_err err = {0};

		xb_filelock_release(&lock);
		s.app.observer = &observer;
		if (xb_store_open(m->dir, &observer, &s.app.store, &err) < 0 ||
		    xb_op_fetch_verify(&s.app, NULL, 0, &summary, &err) < 0)
			_exit(99);
		_exit((int)summary.n_trees);
	}
	close(fds[1]);
	assert_int_equal(read(fds[0], &letter, 1), 1);
	assert_int_equal(letter, 'n');
	assert_int_equal(rename(kept, path), 0);
	xb_filelock_release(&lock);
	assert_int_equal(read(fds[0], &letter, 1), 0);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 0);
	close(fds[0]);
	xb_arena_release(&s.app.arena);
}

/* Of the right size, and yet not what it was: it is neither unpacked nor kept. */
static void a_damaged_blob_is_not_unpacked(void **state)
{
	struct made *m = *state;
	struct xb_fetch_summary summary = {0};
	char *blob XB_CLEANUP(xb_free_ptr) = NULL;
	struct sample s;
	int fd;

	sample_init(&s, m);
	s.libraries[0].path = "pool/main/g/glibc/libc6_2.36-9_amd64.deb";
	blob = xb_cas_path(m->store, &s.libraries[0].sha256);
	assert_int_equal(chmod(blob, 0600), 0);
	fd = open(blob, O_WRONLY);
	assert_int_equal(pwrite(fd, "\xff", 1, (off_t)s.libraries[0].size_bytes / 2), 1);
	close(fd);
	assert_int_equal(xb_op_fetch(&s.app, NULL, 0, &summary, &m->err), XB_E_NETWORK);
	assert_non_null(strstr(m->err.msg, "'libc6_2.36-9_amd64.deb' is not in the store"));
	assert_int_equal(access(blob, F_OK), -1);
	xb_arena_release(&s.app.arena);
}

static void a_wrong_size_in_the_lock_costs_nothing(void **state)
{
	struct made *m = *state;
	struct xb_fetch_summary summary = {0};
	struct sample s;

	sample_init(&s, m);
	s.libraries[0].path = "pool/main/g/glibc/libc6_2.36-9_amd64.deb";
	s.libraries[0].size_bytes++;
	assert_int_equal(xb_op_fetch(&s.app, NULL, 0, &summary, &m->err), XB_E_DIGEST);
	assert_non_null(strstr(m->err.msg, "'libc6_2.36-9_amd64.deb' of xbuild.lock"));
	assert_non_null(strstr(m->err.hint, "version control"));
	assert_true(xb_cas_has(m->store, &s.libraries[0].sha256, -1));
	xb_arena_release(&s.app.arena);
}

/* Four processes at once: one makes the trees, the others wait and find them. */
static void several_processes(void **state)
{
	struct made *m = *state;
	struct sample s;
	pid_t pids[4];
	int made = 0;

	sample_init(&s, m);
	for (size_t i = 0; i < XB_COUNT(pids); i++) {
		pids[i] = fork();
		if (pids[i] == 0) {
			struct xb_fetch_summary summary = {0};
			struct xb_err err = {0};

			if (xb_store_open(m->dir, NULL, &s.app.store, &err) < 0 ||
			    xb_op_fetch(&s.app, NULL, 0, &summary, &err) < 0)
				_exit(99);
			xb_store_close(s.app.store);
			_exit((int)summary.n_trees);
		}
	}
	for (size_t i = 0; i < XB_COUNT(pids); i++) {
		int status = -1;

		assert_int_equal(waitpid(pids[i], &status, 0), pids[i]);
		assert_true(WIFEXITED(status));
		assert_true(WEXITSTATUS(status) != 99);
		made += WEXITSTATUS(status);
	}
	assert_int_equal(made, 2);
}

static void an_interrupt_is_heard(void **state)
{
	struct made *m = *state;
	struct xb_fetch_summary summary = {0};
	const volatile int interrupted = 2;
	struct sample s;

	sample_init(&s, m);
	s.app.interrupted = &interrupted;
	assert_int_equal(xb_op_fetch(&s.app, NULL, 0, &summary, &m->err), XB_E_INTERRUPTED);
	xb_arena_release(&s.app.arena);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(unpacks_what_is_there, made_setup, made_teardown),
		cmocka_unit_test_setup_teardown(offline_names_what_is_missing, made_setup, made_teardown),
		cmocka_unit_test_setup_teardown(what_the_lock_does_not_have, made_setup, made_teardown),
		cmocka_unit_test_setup_teardown(a_damaged_tree_is_made_again, made_setup, made_teardown),
		cmocka_unit_test_setup_teardown(verify_mends_what_lost_files, made_setup, made_teardown),
		cmocka_unit_test_setup_teardown(verify_waits_for_who_mends, made_setup, made_teardown),
		cmocka_unit_test_setup_teardown(a_damaged_blob_is_not_unpacked, made_setup, made_teardown),
		cmocka_unit_test_setup_teardown(a_wrong_size_in_the_lock_costs_nothing, made_setup, made_teardown),
		cmocka_unit_test_setup_teardown(several_processes, made_setup, made_teardown),
		cmocka_unit_test_setup_teardown(an_interrupt_is_heard, made_setup, made_teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
