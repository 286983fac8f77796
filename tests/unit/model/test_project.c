/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The project file. tests/cases/yaml/NAME.case holds a file, the line "=== expected", and "ok" or the diagnostics, each
 * as "file:line:col: message" and "  help: ...".
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "xbuild/base/alloc.h"
#include "xbuild/base/path.h"
#include "xbuild/base/str.h"
#include "xbuild/model/project.h"
#include "xbuild/sys/fs.h"

#define CASES	  XB_TEST_SOURCE_DIR "/tests/cases/yaml"
#define SEPARATOR "=== expected\n"

struct loaded {
	char *dir;
	struct xb_project *project;
	struct xb_diags diags;
	struct xb_err err;
	int rc;
};

static void write_file(const char *path, struct xb_sv text)
{
	FILE *file = fopen(path, "wb");

	assert_non_null(file);
	assert_int_equal(fwrite(text.ptr, 1, text.len, file), text.len);
	assert_int_equal(fclose(file), 0);
}

static void load_sv(struct loaded *l, struct xb_sv text)
{
	struct xb_err err XB_CLEANUP(xb_err_release) = {0};
	const char *tmp = getenv("TMPDIR");
	char *path;

	*l = (struct loaded){0};
	l->dir = xb_printf("%s/xbuild-project-XXXXXX", tmp ? tmp : "/tmp");
	assert_non_null(mkdtemp(l->dir));
	path = xb_path_join(l->dir, "xbuild.yaml");
	write_file(path, text);
	l->rc = xb_project_load(l->dir, "xbuild.yaml", &l->project, &l->diags, &l->err);
	free(path);
	assert_int_equal(xb_fs_remove(l->dir, &err), 0);
}

static void unload(struct loaded *l)
{
	xb_project_free(l->project);
	xb_diags_release(&l->diags);
	xb_err_release(&l->err);
	free(l->dir);
}

static void load_ok(struct loaded *l, const char *text)
{
	load_sv(l, xb_sv(text));
	if (l->rc < 0 && l->diags.list.len)
		fail_msg("%d: %s", l->diags.list.items[0].at.line, l->diags.list.items[0].message);
	assert_int_equal(l->rc, 0);
}

static void render(const struct loaded *l, struct xb_str *out)
{
	if (l->rc == 0)
		xb_str_append(out, "ok\n");
	for (size_t i = 0; i < l->diags.list.len; i++) {
		const struct xb_diag *diag = &l->diags.list.items[i];

		xb_str_printf(out, "%s:%d:%d: %s\n", diag->at.file, diag->at.line, diag->at.col, diag->message);
		if (diag->help)
			xb_str_printf(out, "  help: %s\n", diag->help);
	}
}

static void check_case(const char *name)
{
	char *path = xb_printf("%s/%s", CASES, name);
	struct xb_err err = {0};
	struct xb_str text = {0}, found = {0};
	const char *expected;
	struct loaded l;

	assert_int_equal(xb_fs_read(path, 1 << 20, &text, &err), 0);
	expected = strstr(xb_str_get(&text), SEPARATOR);
	assert_non_null(expected);
	load_sv(&l, xb_sv_n(xb_str_get(&text), (size_t)(expected - xb_str_get(&text))));
	render(&l, &found);
	if (strcmp(xb_str_get(&found), expected + strlen(SEPARATOR)) != 0)
		fail_msg("%s: found\n%s", name, xb_str_get(&found));
	assert_true(l.rc == 0 || (l.rc == XB_E_INPUT && !l.project));
	unload(&l);
	xb_str_release(&text);
	xb_str_release(&found);
	free(path);
}

static void test_cases(void **state)
{
	struct xb_fs_list list XB_CLEANUP(xb_fs_list_release) = {0};
	struct xb_err err = {0};
	size_t n = 0;

	(void)state;
	assert_int_equal(xb_fs_list(CASES, &list, &err), 0);
	for (size_t i = 0; i < list.len; i++) {
		if (xb_sv_ends(xb_sv(list.items[i].name), ".case")) {
			check_case(list.items[i].name);
			n++;
		}
	}
	assert_true(n >= 30);
}

static const char ten_lines[] = "name: hello\n"
				"sysroot:\n"
				"  debian: bookworm\n"
				"targets: [linux-x86_64, linux-aarch64]\n"
				"build:\n"
				"  hello:\n"
				"    sources: [hello.c]\n"
				"image:\n"
				"  hello:\n"
				"    base: auto\n";

static void test_defaults(void **state)
{
	const struct xb_profile *dev, *release;
	const struct xb_project *p;
	const struct xb_image *image;
	struct loaded l;

	(void)state;
	load_ok(&l, ten_lines);
	p = l.project;
	assert_string_equal(p->dir, l.dir);
	assert_string_equal(p->toolchain, "llvm-22");
	assert_false(p->toolchain_full);
	assert_string_equal(p->sysroot, "debian-bookworm");
	assert_string_equal(p->snapshot, "latest");
	assert_int_equal(p->version_kind, XB_VERSION_GIT);
	assert_int_equal(p->hosts.len, 3);
	assert_string_equal(p->hosts.items[2], "darwin-aarch64");
	assert_int_equal(p->n_targets, 2);
	assert_string_equal(p->targets[1].target->name, "linux-aarch64");
	dev = xb_project_profile(p, "dev");
	assert_int_equal(dev->optimize, XB_OPTIMIZE_NONE);
	assert_int_equal(dev->debug, XB_DEBUG_FULL);
	assert_false(dev->strip);
	release = xb_project_profile(p, "release");
	assert_int_equal(release->optimize, XB_OPTIMIZE_SPEED);
	assert_int_equal(release->debug, XB_DEBUG_NONE);
	assert_int_equal(release->lto, XB_LTO_NONE);
	assert_true(release->strip);
	assert_string_equal(p->units[0]->output_name, "hello");
	image = xb_project_image(p, xb_sv("hello"));
	assert_int_equal(image->n_files, 1);
	assert_string_equal(image->files[0].dest, "/usr/bin/hello");
	assert_ptr_equal(image->files[0].unit, p->units[0]);
	assert_int_equal(image->entrypoint.len, 1);
	assert_string_equal(image->entrypoint.items[0], "/usr/bin/hello");
	assert_int_equal(image->uid, -1);
	assert_int_equal(p->n_tags, 1);
	assert_string_equal(p->tags[0].text, "${git.branch}-${git.time}-${git.sha7}");
	assert_false(p->tags[0].only_git_tag);
	unload(&l);
}

static void test_units(void **state)
{
	const struct xb_unit *server, *core, *plugin;
	struct loaded l;

	(void)state;
	load_ok(&l, "name: x\n"
		    "profiles: { fast: { lto: thin }, release: { debug: lines } }\n"
		    "build:\n"
		    "  server:\n"
		    "    sources: [s.c]\n"
		    "    deps: [core, plugin]\n"
		    "    ldflags: [-latomic]\n"
		    "    per-target: { arm64: { defines: { A: 1 }, sources: [arm.S] } }\n"
		    "    per-profile: { fast: { flags: [-DFAST] } }\n"
		    "  core: { kind: static, sources: [c.c], c: { std: c17, flags: [-Wall] } }\n"
		    "  plugin: { kind: shared, sources: [p.cc], cxx: { std: c++20 } }\n");
	server = xb_project_unit(l.project, xb_sv("server"));
	core = xb_project_unit(l.project, xb_sv("core"));
	plugin = xb_project_unit(l.project, xb_sv("plugin"));
	assert_int_equal(server->n_deps, 2);
	assert_ptr_equal(server->deps[0], core);
	assert_ptr_equal(server->deps[1], plugin);
	assert_string_equal(server->settings.ldflags.items[0], "-latomic");
	assert_int_equal(server->n_overrides, 2);
	assert_string_equal(server->overrides[0].target->name, "linux-aarch64");
	assert_string_equal(server->overrides[0].settings.defines.names[0], "A");
	assert_string_equal(server->overrides[0].settings.defines.values[0], "1");
	assert_string_equal(server->overrides[0].sources.items[0], "arm.S");
	assert_null(server->overrides[0].profile);
	assert_string_equal(server->overrides[1].profile, "fast");
	assert_string_equal(core->output_name, "libcore.a");
	assert_string_equal(core->settings.c_std, "c17");
	assert_null(core->soname);
	assert_string_equal(plugin->output_name, "libplugin.so");
	assert_string_equal(plugin->soname, "libplugin.so");
	assert_string_equal(plugin->settings.cxx_std, "c++20");
	/* A new profile is based on release as the file has it, also when that stands behind it. */
	assert_int_equal(xb_project_profile(l.project, "fast")->debug, XB_DEBUG_LINES);
	assert_int_equal(xb_project_profile(l.project, "fast")->lto, XB_LTO_THIN);
	assert_true(xb_project_profile(l.project, "fast")->strip);
	unload(&l);
}

static void test_images(void **state)
{
	const struct xb_image *api, *named;
	struct loaded l;

	(void)state;
	load_ok(&l, "name: x\n"
		    "build: { app: { sources: [a.c] } }\n"
		    "image:\n"
		    "  api:\n"
		    "    base: scratch\n"
		    "    files:\n"
		    "      /bin/app: { from: build:app, mode: \"0750\", owner: app }\n"
		    "      /etc/c: { from: c, owner: 1:2 }\n"
		    "      /bin/l: { link: app }\n"
		    "    user: { name: app, uid: 7 }\n"
		    "    ports: [80, 53/udp]\n"
		    "    stop-signal: SIGRTMIN+3\n"
		    "  named: { files: { /a: a }, user: app }\n"
		    "  root: { files: { /a: a }, user: root }\n"
		    "  number: { files: { /a: a }, user: 65532 }\n");
	api = xb_project_image(l.project, xb_sv("api"));
	assert_int_equal(api->base, XB_BASE_SCRATCH);
	assert_int_equal(api->files[0].mode, 0750);
	assert_non_null(api->files[0].unit);
	assert_null(api->files[0].from);
	assert_string_equal(api->files[1].from, "c");
	assert_string_equal(api->files[2].link, "app");
	assert_string_equal(api->files[2].owner, "root");
	assert_int_equal(api->uid, 7);
	assert_int_equal(api->gid, 7);
	assert_string_equal(api->ports.items[0], "80/tcp");
	assert_string_equal(api->ports.items[1], "53/udp");
	assert_int_equal(api->entrypoint.len, 0);
	named = xb_project_image(l.project, xb_sv("named"));
	assert_string_equal(named->user_name, "app");
	assert_int_equal(named->uid, 1000); /* never root by accident */
	assert_int_equal(xb_project_image(l.project, xb_sv("root"))->uid, 0);
	assert_null(xb_project_image(l.project, xb_sv("root"))->user_name);
	assert_int_equal(xb_project_image(l.project, xb_sv("number"))->uid, 65532);
	unload(&l);
}

static void test_tests(void **state)
{
	const struct xb_test *test;
	struct loaded l;

	(void)state;
	load_ok(&l, "name: x\n"
		    "build: { app: { sources: [a.c] } }\n"
		    "test:\n"
		    "  a: { run: [build:app, --x, \"\"] }\n"
		    "  b: { run: [build:app], timeout: 5, expect-exit: 3, env: { K: v } }\n");
	test = &l.project->tests[0];
	assert_ptr_equal(test->unit, l.project->units[0]);
	assert_int_equal(test->args.len, 2);
	assert_string_equal(test->args.items[0], "--x");
	assert_int_equal(test->timeout_ms, 60000);
	test = &l.project->tests[1];
	assert_int_equal(test->args.len, 0);
	assert_int_equal(test->timeout_ms, 5000);
	assert_int_equal(test->expect_exit, 3);
	assert_string_equal(test->env.values[0], "v");
	unload(&l);
}

static void inputs_of(const char *keys, struct xb_digest *out)
{
	char *text = xb_printf("name: x\nbuild: { app: { sources: [a.c] } }\n%s", keys);
	struct loaded l;

	load_ok(&l, text);
	xb_project_lock_inputs(l.project, out);
	unload(&l);
	free(text);
}

/* A unit that cargo makes needs a Rust, of which there is one by default. */
static void test_default_rust(void **state)
{
	struct loaded l;

	(void)state;
	load_ok(&l, "name: x\nbuild: { app: { cargo: { bins: [app] } } }\n");
	assert_string_equal(l.project->rust, "rust-1.85");
	unload(&l);
	load_ok(&l, "name: x\ntoolchain: { rust: host }\nbuild: { app: { cargo: { bins: [app] } } }\n");
	assert_string_equal(l.project->rust, XB_RUST_HOST);
	unload(&l);
	load_ok(&l, "name: x\nbuild: { app: { sources: [a.c] } }\n");
	assert_null(l.project->rust);
	unload(&l);
}

static void test_lock_inputs(void **state)
{
	/* Each changes what is locked, so no two digests may be the same. */
	static const char *const different[] = {
		"",
		"toolchain: { llvm: 19 }",
		"toolchain: { profile: full }",
		"sysroot: { debian: trixie }",
		"sysroot: { snapshot: 2026-01-02T03:04:05Z }",
		"sysroot: { packages: [zlib1g-dev] }",
		"sysroot: { packages: [zlib1g-dev, libssl-dev] }",
		"toolchain: { source: official }",
		"toolchain: { source: minimal }",
		"toolchain: { version: 22.1.8, archive: { linux-x86_64: { file: a.tar } } }",
		"toolchain: { version: 22.1.9, archive: { linux-x86_64: { file: a.tar } } }",
		"toolchain: { version: 22.1.8, archive: { linux-x86_64: { file: b.tar } } }",
		"toolchain: { version: 22.1.8, archive: { linux-x86_64: { file: a.tar, signature: a.sig, key: k } } }",
		"sysroot: { dir: root }",
		"sysroot: { dir: other }",
		"sysroot: { dir: { linux-x86_64: root } }",
		"sysroot: { archive: { file: root } }",
		"sysroot: { archive: { file: root }, drop: [usr/bin/**] }",
		"sysroot: { suites: [backports] }",
		"sysroot: { suites: { backports: { packages: [zlib1g-dev] } } }",
		"sysroot: { repositories: { x: { url: \"https://x.org/deb\", suite: x, components: [main], key: k } } "
		"}",
		"sysroot: { repositories: { x: { url: \"https://x.org/deb\", suite: x, components: [main], key: l } } "
		"}",
		"sysroot: { repositories: { x: { url: \"https://x.org/deb\", suite: y, components: [main], key: k } } "
		"}",
		"hosts: [linux-x86_64]",
		"targets: [arm64]",
		"image: { x: { files: { /a: a }, base: auto, packages: [tzdata] } }",
		"image: { x: { files: { /a: a }, base: debian-base } }",
		"image: { x: { files: { /a: a }, base: debian-cc } }",
		"image: { x: { files: { /a: a }, base: { debian: [tzdata] } } }",
		"image: { y: { files: { /a: a }, base: { debian: [tzdata] } } }",
		"image: { x: { files: { /a: a }, base: { apko: a.yaml } } }",
		"image: { x: { files: { /a: a }, base: { apko: a.yaml, lock: a.lock.json } } }",
		"image: { x: { files: { /a: a }, base: { image: a/b:1 } } }",
		"toolchain: { rust: host }",
		"toolchain: { rust: \"1.85\" }",
		"toolchain: { crates: [librust-libc-dev] }",
		"toolchain: { rust: \"1.86\", crates: [librust-libc-dev] }",
	};
	struct xb_digest digests[XB_COUNT(different)], same;

	(void)state;
	for (size_t i = 0; i < XB_COUNT(different); i++) {
		inputs_of(different[i], &digests[i]);
		for (size_t k = 0; k < i; k++)
			assert_false(xb_digest_eq(&digests[i], &digests[k]));
	}
	/* The order of lists and everything else in the file do not count. */
	inputs_of("toolchain: { rust: \"1.85\", crates: [librust-libc-dev] }", &same);
	inputs_of("toolchain: { crates: [librust-libc-dev] }", &digests[0]);
	assert_true(xb_digest_eq(&same, &digests[0]));
	inputs_of("", &digests[0]);
	inputs_of("sysroot: { packages: [libssl-dev, zlib1g-dev] }", &same);
	assert_true(xb_digest_eq(&same, &digests[6]));
	inputs_of("targets: [arm64, amd64]\nhosts: [darwin-aarch64, linux-aarch64, linux-x86_64]\nlicense: MIT", &same);
	assert_true(xb_digest_eq(&same, &digests[0]));
}

static void test_find(void **state)
{
	struct xb_err err XB_CLEANUP(xb_err_release) = {0};
	char *dir = xb_strdup("/tmp/xbuild-find-XXXXXX"), *below, *file, *found = NULL;

	(void)state;
	assert_non_null(mkdtemp(dir));
	below = xb_path_join(dir, "a/b");
	file = xb_path_join(dir, "xbuild.yaml");
	assert_int_equal(xb_fs_mkdirs(below, 0755, &err), 0);
	assert_int_equal(xb_project_find(below, &found, &err), XB_E_NOT_FOUND);
	assert_non_null(err.hint);
	xb_err_clear(&err);
	write_file(file, xb_sv("name: x\n"));
	assert_int_equal(xb_project_find(below, &found, &err), 0);
	assert_string_equal(found, dir);
	free(found);
	assert_int_equal(xb_fs_remove(dir, &err), 0);
	free(below);
	free(file);
	free(dir);
}

static void test_template(void **state)
{
	struct xb_str text XB_CLEANUP(xb_str_release) = {0};
	struct loaded l;

	(void)state;
	xb_project_template("hello", XB_DRIVER_SOURCES, "src/*.c", &text);
	load_ok(&l, xb_str_get(&text));
	assert_string_equal(l.project->name, "hello");
	assert_string_equal(l.project->units[0]->sources.items[0], "src/*.c");
	unload(&l);
}

static void test_templates_of_build_systems(void **state)
{
	static const struct {
		enum xb_driver_kind driver;
		const char *file;
	} rows[] = {
		{XB_DRIVER_CMAKE, "CMakeLists.txt"},   {XB_DRIVER_MESON, "meson.build"},
		{XB_DRIVER_AUTOTOOLS, "configure"},    {XB_DRIVER_MAKE, "Makefile"},
		{XB_DRIVER_CARGO, "Cargo.toml"},       {XB_DRIVER_GO, "go.mod"},
		{XB_DRIVER_AUTOTOOLS, "configure.ac"},
	};

	(void)state;
	for (size_t i = 0; i < XB_COUNT(rows); i++) {
		struct xb_str text XB_CLEANUP(xb_str_release) = {0};
		const struct xb_unit *unit;
		struct loaded l;

		xb_project_template("hello", rows[i].driver, rows[i].file, &text);
		load_ok(&l, xb_str_get(&text));
		unit = l.project->units[0];
		assert_int_equal(unit->driver, rows[i].driver);
		assert_int_equal(unit->outputs.len, 1);
		assert_string_equal(unit->outputs.items[0], "bin/hello");
		assert_int_equal(unit->foreign->autoreconf, strcmp(rows[i].file, "configure.ac") == 0);
		assert_non_null(strstr(xb_str_get(&text), rows[i].file));
		unload(&l);
	}
}

static void test_missing_file(void **state)
{
	struct xb_diags diags = {0};
	struct xb_err err XB_CLEANUP(xb_err_release) = {0};
	struct xb_project *project = NULL;

	(void)state;
	assert_int_equal(xb_project_load("/nonexistent", "xbuild.yaml", &project, &diags, &err), XB_E_NOT_FOUND);
	assert_null(project);
	xb_diags_release(&diags);
}

/* A thousand problems are reported as fifty and a number. */
static void test_many_problems(void **state)
{
	struct xb_str text XB_CLEANUP(xb_str_release) = {0};
	struct loaded l;

	(void)state;
	xb_str_append(&text, "name: x\n");
	for (int i = 0; i < 1000; i++)
		xb_str_printf(&text, "k%d: v\n", i);
	load_sv(&l, xb_str_sv(&text));
	assert_int_equal(l.rc, XB_E_INPUT);
	assert_int_equal(l.diags.list.len, 50);
	assert_int_equal(l.diags.dropped, 951); /* and 'build' is missing */
	unload(&l);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_cases),	     cmocka_unit_test(test_defaults),
		cmocka_unit_test(test_units),	     cmocka_unit_test(test_images),
		cmocka_unit_test(test_tests),	     cmocka_unit_test(test_lock_inputs),
		cmocka_unit_test(test_default_rust), cmocka_unit_test(test_find),
		cmocka_unit_test(test_template),     cmocka_unit_test(test_templates_of_build_systems),
		cmocka_unit_test(test_missing_file), cmocka_unit_test(test_many_problems),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
