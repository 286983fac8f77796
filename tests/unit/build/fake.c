/* SPDX-License-Identifier: Apache-2.0 */
#include "fake.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "xbuild/base/alloc.h"
#include "xbuild/base/path.h"
#include "xbuild/store/tree.h"
#include "xbuild/sys/atomic_file.h"
#include "xbuild/sys/fs.h"
#include "xbuild/sys/host.h"

/* ---- the tools ---- */

struct tool {
	FILE *out, *deps;
	const char *dirs[64];
	size_t n_dirs;
	int status;
	bool lost_deps; /* as clang 22 does: no dependency file, and still success */
};

static void copy_source(struct tool *t, const char *path, int depth);

static void include(struct tool *t, const char *from, const char *name, int depth)
{
	char path[1024];
	const char *slash = strrchr(from, '/');

	snprintf(path, sizeof(path), "%.*s%s", slash ? (int)(slash - from + 1) : 0, from, name);
	for (size_t i = 0; access(path, R_OK) != 0 && i < t->n_dirs; i++)
		snprintf(path, sizeof(path), "%s/%s", t->dirs[i], name);
	if (access(path, R_OK) != 0) {
		printf("%s: fatal: no file '%s'\n", from, name);
		t->status = 1;
		return;
	}
	copy_source(t, path, depth + 1);
}

static void obey(struct tool *t, const char *from, const char *line, int depth)
{
	char word[512];

	if (sscanf(line, "#include \"%511[^\"]\"", word) == 1 || sscanf(line, "#include <%511[^>]>", word) == 1) {
		include(t, from, word, depth);
	} else if (sscanf(line, "#warning %511[^\n]", word) == 1) {
		printf("%s: \033[35mwarning:\033[0m %s\n", from, word);
	} else if (sscanf(line, "#error %511[^\n]", word) == 1) {
		printf("%s: error: %s\n", from, word);
		t->status = 1;
	} else if (sscanf(line, "#say%*1[ ]%511[^\n]", word) == 1) {
		printf("%s\n", word);
		t->status = 1;
	} else if (sscanf(line, "#append %511s", word) == 1) {
		FILE *f = fopen(word, "a");

		if (f) {
			fputs("more\n", f);
			fclose(f);
		}
	} else if (sscanf(line, "#wait %511s", word) == 1) {
		while (access(word, R_OK) != 0)
			usleep(1000);
	} else if (!strcmp(line, "#embed lost\n")) {
		t->lost_deps = true;
	} else if (sscanf(line, "#read %511s", word) == 1) {
		fprintf(t->deps, " \\\n  %s", word);
	} else {
		fputs(line, t->out);
	}
}

static void copy_source(struct tool *t, const char *path, int depth)
{
	char line[1024];
	FILE *in = fopen(path, "r");

	if (!in || depth > 20) {
		printf("%s: fatal: cannot be read\n", path);
		t->status = 1;
		return;
	}
	if (t->deps)
		fprintf(t->deps, " \\\n  %s", path);
	while (fgets(line, sizeof(line), in))
		obey(t, path, line, depth);
	fclose(in);
}

static int clang(int argc, char **argv)
{
	struct tool t = {0};
	const char *source = NULL, *output = NULL, *deps = NULL, *std = "";

	for (int i = 1; i < argc; i++) {
		if (!strncmp(argv[i], "-I", 2))
			t.dirs[t.n_dirs++] = argv[i] + 2;
		else if (!strcmp(argv[i], "-Xclang") && i + 1 < argc && !strcmp(argv[i + 1], "-dependency-file"))
			deps = argv[i += 3];
		else if (!strcmp(argv[i], "-Xclang"))
			i++;
		else if (!strcmp(argv[i], "-o") && i + 1 < argc)
			output = argv[++i];
		else if (!strcmp(argv[i], "-x") && i + 1 < argc)
			i++;
		else if (!strncmp(argv[i], "-std=", 5))
			std = argv[i] + 5;
		else if (argv[i][0] != '-')
			source = argv[i];
	}
	t.out = fopen(output, "w");
	t.deps = deps ? fopen(deps, "w") : NULL;
	if (!t.out || !source)
		return 2;
	fprintf(t.out, "object %s %s\n", source, std);
	if (t.deps)
		fputs("object:", t.deps);
	copy_source(&t, source, 0);
	if (t.deps) {
		fputs("\n", t.deps);
		fclose(t.deps);
	}
	if (t.lost_deps && deps)
		unlink(deps);
	fclose(t.out);
	return t.status;
}

/* Another file of the same content in the place of `path`. */
static void replace(const char *path)
{
	char other[1024], line[1024];
	FILE *in = fopen(path, "r"), *out;

	snprintf(other, sizeof(other), "%s.other", path);
	out = fopen(other, "w");
	while (in && out && fgets(line, sizeof(line), in))
		fputs(line, out);
	if (in)
		fclose(in);
	if (out)
		fclose(out);
	(void)!rename(other, path);
}

static void join(FILE *out, const char *path)
{
	char line[1024];
	FILE *in = fopen(path, "r");

	if (!in)
		return;
	fprintf(out, "[%s]\n", path);
	while (fgets(line, sizeof(line), in)) {
		fputs(line, out);
		if (!strcmp(line, "replaced at link\n"))
			replace(path);
	}
	fclose(in);
}

/* What there is of start files, and of two archives: one gives something to the program, the other is opened in vain. */
static void read_sysroot(int argc, char **argv, FILE *deps, FILE *stats)
{
	fputs("members\textracted\tarchive\n", stats);
	for (int i = 1; i < argc; i++) {
		if (xb_sv_ends(xb_sv(argv[i]), ".o") && *argv[i] == '/' && access(argv[i], R_OK) == 0)
			fprintf(deps, " %s", argv[i]);
		for (int given = 0; given < 2 && !strncmp(argv[i], "-L/", 3); given++) {
			char *path XB_CLEANUP(xb_free_ptr) =
				xb_printf("%s/%s", argv[i] + 2, given ? "libgiven.a" : "libleft.a");

			if (access(path, R_OK) != 0)
				continue;
			fprintf(deps, " %s", path);
			fprintf(stats, "7\t%d\t%s\n", given, path);
		}
	}
}

static int linker(int argc, char **argv)
{
	FILE *out = NULL, *deps = NULL, *stats = NULL;

	for (int i = 1; i < argc; i++) {
		if (!strncmp(argv[i], "--dependency-file=", 18))
			deps = fopen(argv[i] + 18, "w");
		if (!strncmp(argv[i], "--print-archive-stats=", 22))
			stats = fopen(argv[i] + 22, "w");
		if (!strcmp(argv[i], "-o"))
			out = fopen(argv[i + 1], "w");
	}
	if (!out || !deps || !stats)
		return 2;
	fputs("program:", deps);
	read_sysroot(argc, argv, deps, stats);
	fclose(stats);
	for (int i = 1; i < argc; i++) {
		if (strncmp(argv[i], ".xbuild/", 8) != 0 && strncmp(argv[i], "out/", 4) != 0)
			continue;
		fprintf(deps, " %s", argv[i]);
		join(out, argv[i]);
	}
	fputs("\n", deps);
	fclose(deps);
	fclose(out);
	return 0;
}

static int archiver(int argc, char **argv)
{
	FILE *out = argc > 2 ? fopen(argv[2], "w") : NULL;

	if (!out)
		return 2;
	for (int i = 3; i < argc; i++)
		join(out, argv[i]);
	fclose(out);
	return 0;
}

static int objcopy(int argc, char **argv)
{
	FILE *out = argc > 3 ? fopen(argv[argc - 1], "w") : NULL;

	if (!out)
		return 2;
	fprintf(out, "%s\n", argv[1]);
	join(out, argv[argc - 2]);
	fclose(out);
	return 0;
}

void fake_main(int argc, char **argv)
{
	static const struct {
		const char *name;
		int (*run)(int, char **);
	} tools[] = {{"clang", clang}, {"ld.lld", linker}, {"llvm-ar", archiver}, {"llvm-objcopy", objcopy}};
	const struct xb_sv base = xb_path_base(xb_sv(argv[0]));

	for (size_t i = 0; i < XB_COUNT(tools); i++) {
		if (xb_sv_eq_str(base, tools[i].name)) {
			const int status = tools[i].run(argc, argv);

			fflush(NULL);
			_exit(status); /* no leak check in an environment without anything */
		}
	}
}

/* ---- the project ---- */

static void must(int rc, struct xb_err *err)
{
	if (rc < 0)
		fail_msg("%s", err->msg ? err->msg : "failed");
}

static void on_event(void *self, const struct xb_event *event)
{
	struct fake *f = self;

	if (event->kind == XB_EVENT_OUTPUT)
		xb_str_append(&f->output, event->text);
	if (event->kind == XB_EVENT_WARNING)
		xb_str_printf(&f->output, "WARNING %s\n", event->text);
	if (event->kind == XB_EVENT_JOB) {
		xb_str_printf(&f->jobs, "%s %s\n", event->verb, event->label);
		if (f->interrupt_on_job)
			f->interrupted = 2;
	}
}

static void make_dirs(struct fake *f)
{
	static const char *const tools[] = {"clang", "ld.lld", "llvm-ar", "llvm-objcopy"};
	struct xb_err err XB_CLEANUP(xb_err_release) = {0};
	char *bin XB_CLEANUP(xb_free_ptr) = xb_printf("%s/toolchain/bin", f->dir);
	char *sysroot XB_CLEANUP(xb_free_ptr) = xb_printf("%s/sysroot/usr/include", f->dir);
	char *manifest XB_CLEANUP(xb_free_ptr) = xb_path_join(f->dir, "manifest");
	char *self XB_CLEANUP(xb_free_ptr) = NULL;

	must(xb_atomic_file_write(manifest, "", 0, 0444, 0, &err), &err);
	must(xb_fs_mkdirs(bin, 0755, &err), &err);
	must(xb_fs_mkdirs(sysroot, 0755, &err), &err);
	must(xb_fs_mkdirs(f->project_dir, 0755, &err), &err);
	must(xb_host_self(&self, &err), &err);
	for (size_t i = 0; i < XB_COUNT(tools); i++) {
		char *link XB_CLEANUP(xb_free_ptr) = xb_path_join(bin, tools[i]);

		assert_int_equal(symlink(self, link), 0);
	}
}

/* What the manifest of both trees lists: nothing, so that nothing of them is ever missing. */
static void wire(struct fake *f)
{
	const struct xb_tree_entries none = {0};
	struct xb_digest empty;
	uint64_t size_bytes;

	xb_tree_directory_digest(&none, &empty, &size_bytes);
	f->project.dir = f->project_dir;
	f->project.file = "xbuild.yaml";
	f->target.target = xb_target_find(xb_sv("linux-x86_64"));
	f->profile.name = "dev";
	f->tools.dir = xb_arena_printf(&f->arena, "%s/toolchain", f->dir);
	f->tools.bin_dir = "bin";
	f->tools.major = 22;
	f->tools.digest = empty;
	f->sysroot.target = f->target.target;
	f->sysroot.dir = xb_arena_printf(&f->arena, "%s/sysroot", f->dir);
	f->sysroot.digest = empty;
	f->sysroot.gcc_dir = "usr/lib/gcc/x86_64-linux-gnu/12";
	f->setup = (struct xb_setup){.project = &f->project,
				     .target = &f->target,
				     .profile = &f->profile,
				     .tools = &f->tools,
				     .sysroot = &f->sysroot,
				     .jobs = 4};
	f->observer = (struct xb_observer){on_event, f};
	f->options = (struct xb_sched_options){.store = f->store,
					       .project_dir = f->project_dir,
					       .setups = &f->setup,
					       .n_setups = 1,
					       .jobs = 4,
					       .observer = &f->observer,
					       .interrupted = &f->interrupted};
}

void fake_open(struct fake *f)
{
	const char *tmp = getenv("TMPDIR");
	char *store XB_CLEANUP(xb_free_ptr) = NULL;

	memset(f, 0, sizeof(*f));
	snprintf(f->dir, sizeof(f->dir), "%s/xb-sched-XXXXXX", tmp && strlen(tmp) < 32 ? tmp : "/tmp");
	assert_non_null(mkdtemp(f->dir));
	snprintf(f->project_dir, sizeof(f->project_dir), "%s/project", f->dir);
	make_dirs(f);
	store = xb_printf("%s/store", f->dir);
	must(xb_store_open(store, NULL, &f->store, &f->err), &f->err);
	wire(f);
}

void fake_clone(const struct fake *from, struct fake *out)
{
	struct xb_err err XB_CLEANUP(xb_err_release) = {0};

	memset(out, 0, sizeof(*out));
	snprintf(out->dir, sizeof(out->dir), "%s", from->dir);
	snprintf(out->project_dir, sizeof(out->project_dir), "%s/elsewhere/clone", from->dir);
	must(xb_fs_mkdirs(out->project_dir, 0755, &err), &err);
	out->store = from->store;
	wire(out);
	out->project.units = from->project.units;
	out->project.n_units = from->project.n_units;
}

void fake_close(struct fake *f)
{
	struct xb_err err XB_CLEANUP(xb_err_release) = {0};

	xb_err_release(&f->err);
	xb_str_release(&f->output);
	xb_str_release(&f->jobs);
	xb_arena_release(&f->arena);
	if (strstr(f->project_dir, "/elsewhere/"))
		return; /* directory and store are those of the original */
	xb_store_close(f->store);
	must(xb_fs_remove(f->dir, &err), &err);
}

static void add_word(struct fake *f, struct xb_words *words, const char *word)
{
	const char **items = xb_arena_array(&f->arena, words->len + 1, sizeof(*items));
	struct xb_place *at = xb_arena_array(&f->arena, words->len + 1, sizeof(*at));

	for (size_t i = 0; i < words->len; i++)
		items[i] = words->items[i];
	items[words->len++] = word;
	words->items = items;
	words->at = at;
}

struct xb_unit *fake_unit(struct fake *f, const char *name, enum xb_unit_kind kind, const char *pattern)
{
	struct xb_unit *unit = xb_arena_alloc(&f->arena, sizeof(*unit));
	struct xb_unit **units = xb_arena_array(&f->arena, f->project.n_units + 1, sizeof(*units));

	unit->name = name;
	unit->kind = kind;
	unit->output_name = kind == XB_UNIT_STATIC   ? xb_arena_printf(&f->arena, "lib%s.a", name)
			    : kind == XB_UNIT_SHARED ? xb_arena_printf(&f->arena, "lib%s.so", name)
						     : name;
	add_word(f, &unit->sources, pattern);
	for (size_t i = 0; i < f->project.n_units; i++)
		units[i] = f->project.units[i];
	units[f->project.n_units++] = unit;
	f->project.units = units;
	return unit;
}

void fake_dep(struct fake *f, struct xb_unit *unit, struct xb_unit *dep)
{
	struct xb_unit **deps = xb_arena_array(&f->arena, unit->n_deps + 1, sizeof(*deps));

	for (size_t i = 0; i < unit->n_deps; i++)
		deps[i] = unit->deps[i];
	deps[unit->n_deps++] = dep;
	unit->deps = deps;
}

void fake_include(struct fake *f, struct xb_unit *unit, const char *dir)
{
	add_word(f, &unit->include, dir);
}

void fake_write(const struct fake *f, const char *path, const char *text)
{
	char *full XB_CLEANUP(xb_free_ptr) = xb_path_join(f->project_dir, path);
	char *dir XB_CLEANUP(xb_free_ptr) = xb_sv_dup(xb_path_dir(xb_sv(full)));
	struct xb_err err XB_CLEANUP(xb_err_release) = {0};
	FILE *out;

	must(xb_fs_mkdirs(dir, 0755, &err), &err);
	out = fopen(full, "w");
	assert_non_null(out);
	fputs(text, out);
	assert_int_equal(fclose(out), 0);
}

char *fake_read(const struct fake *f, const char *path)
{
	char *full XB_CLEANUP(xb_free_ptr) = xb_path_join(f->project_dir, path);
	struct xb_err err XB_CLEANUP(xb_err_release) = {0};
	struct xb_str text = {0};

	if (xb_fs_read(full, 1 << 20, &text, &err) < 0)
		return NULL;
	return xb_str_steal(&text);
}

bool fake_exists(const struct fake *f, const char *path)
{
	char *full XB_CLEANUP(xb_free_ptr) = xb_path_join(f->project_dir, path);

	return xb_fs_exists(full);
}

int fake_build(struct fake *f)
{
	const struct xb_plan_request request = {
		.setups = &f->setup, .n_setups = 1, .units = f->project.units, .n_units = f->project.n_units};
	struct xb_diags diags XB_CLEANUP(xb_diags_release) = {0};
	struct xb_graph *graph;
	int rc;

	xb_err_release(&f->err);
	f->err = (struct xb_err){0};
	xb_str_reset(&f->output);
	xb_str_reset(&f->jobs);
	f->result = (struct xb_sched_result){0};
	if (xb_plan(&request, &graph, &diags, &f->err) < 0)
		return f->err.code;
	rc = xb_sched_run(graph, &f->options, &f->arena, &f->result, &f->err);
	xb_graph_free(graph);
	return rc;
}
