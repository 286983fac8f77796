/* SPDX-License-Identifier: Apache-2.0 */
#include "xbuild/build/cc.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "cc_run.h"

#include "xbuild/base/alloc.h"
#include "xbuild/base/path.h"
#include "xbuild/base/vec.h"
#include "xbuild/store/cas.h"
#include "xbuild/sys/atomic_file.h"
#include "xbuild/sys/fs.h"
#include "xbuild/sys/host.h"
#include "xbuild/sys/proc.h"

/* What clang, lld or the loader listen to, besides what the wrapper takes away (clang and LLVM sources, getenv). */
static const char *const heard[] = {
	"CC_PRINT_",
	"CC_LOG_",
	"CCC_ADD",
	"CLANG_",
	"LLVM_",
	"LLD_",
	"LIBCLANG_",
	"FORCE_CLANG_",
	"RC_DEBUG_OPTIONS",
	"AS_SECURE_LOG_",
	"DEPENDENCIES_OUTPUT",
	"SUNPRO_DEPENDENCIES",
	"LD_DEBUG",
	"LD_AUDIT",
	"LD_PROFILE",
	"LD_TRACE_",
	"GLIBC_TUNABLES",
	"XBUILD_EMULATOR",
};

extern char **environ;

/*
 * The linker, started before there is anything to link: its first response file is a pipe, and it loads until it reads that. It
 * reads every response file twice (lld looks for a flavor first), so the words are in a second one, a file.
 */
struct linker {
	int barrier; /* closed when the words are there; -1: it was not started */
	char *words; /* the file; owned */
	bool ended;
	struct xb_proc_result result;
};

struct run {
	struct cc *cc;
	struct xb_procs *procs;
	struct linker linker;
	struct xb_err *err;
};

static void cc_release(struct cc *cc)
{
	for (size_t i = 0; cc->done && i < cc->plan.n_steps; i++) {
		free(cc->done[i].made);
		free(cc->done[i].depfile);
	}
	xb_map_release(&cc->seen);
	xb_arena_release(&cc->arena);
}

static bool is_heard(void)
{
	for (char **e = environ; *e; e++)
		for (size_t i = 0; i < XB_COUNT(heard); i++)
			if (!strncmp(*e, heard[i], strlen(heard[i])))
				return true;
	return false;
}

/* PWD: the compiler writes it into debug information where it is another name of the directory. */
static void choose_env(struct cc *cc)
{
	static const char *const kept[] = {"PWD", "SOURCE_DATE_EPOCH"};
	const char **env = xb_arena_array(&cc->arena, XB_COUNT(kept) + 2, sizeof(*env));
	size_t n = 0;

	env[n++] = "LC_ALL=C";
	for (size_t i = 0; i < XB_COUNT(kept); i++) {
		const char *value = getenv(kept[i]);

		if (value)
			env[n++] = xb_arena_printf(&cc->arena, "%s=%s", kept[i], value);
	}
	cc->env = env;
	cc->dates_told = getenv("SOURCE_DATE_EPOCH") != NULL;
}

static int64_t now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

static int start(struct run *r, const char *const *argv, int pass_fd, void *user)
{
	const struct xb_proc_spec spec = {.argv = argv, .env = r->cc->env, .share_group = true, .pass_fd = pass_fd};
	struct xb_err ignored XB_CLEANUP(xb_err_release) = {0};

	return xb_procs_start(r->procs, &spec, user, &ignored);
}

/* Until `user` has ended; the linker may do so at any time. False: interrupted, or the system refuses. */
static bool wait_for(struct run *r, void *user, struct xb_proc_result *out)
{
	struct xb_err ignored XB_CLEANUP(xb_err_release) = {0};

	for (;;) {
		struct xb_proc_result result = {0};
		void *who = NULL;

		if (user == &r->linker && r->linker.ended) {
			*out = r->linker.result;
			r->linker.result = (struct xb_proc_result){0};
			return true;
		}
		if (xb_procs_wait(r->procs, -1, r->cc->call->interrupted, &who, &result, &ignored) <= 0)
			return false;
		if (who == &r->linker) {
			r->linker.ended = true;
			r->linker.result = result;
			continue;
		}
		*out = result;
		return true;
	}
}

static bool ask_driver(struct cc *cc, struct run *r, struct xb_sv *out)
{
	struct xb_proc_result result = {0};
	struct xb_dirs argv = {0};
	bool done;

	xb_dirs_add(&argv, &cc->arena, cc->call->compiler);
	xb_dirs_add(&argv, &cc->arena, "-###");
	if (cc->call->color)
		xb_dirs_add(&argv, &cc->arena, "-fcolor-diagnostics");
	for (const char *const *w = cc->call->words; *w; w++)
		xb_dirs_add(&argv, &cc->arena, *w);
	xb_dirs_add(&argv, &cc->arena, NULL);
	done = start(r, argv.items, 0, r) == 0 && wait_for(r, r, &result) && result.exit_code == 0 && !result.cut;
	if (done) {
		*out = xb_sv(xb_arena_sv(&cc->arena, xb_str_sv(&result.output)));
		cc_keep_plan(cc, *out);
	}
	xb_proc_result_release(&result);
	return done;
}

/* A place where a file appears by a rename, and nothing else is meant. */
static bool is_plain_output(const struct cc *cc, const char *path)
{
	struct stat st, input;
	char *dir XB_CLEANUP(xb_free_ptr) = xb_sv_dup(xb_path_dir(xb_sv(path)));

	if (lstat(path, &st) < 0)
		return errno == ENOENT && xb_fs_is_dir(*dir ? dir : *path == '/' ? "/" : ".");
	for (size_t i = 0; i < cc->words.inputs.len; i++)
		if (stat(cc->words.inputs.items[i], &input) == 0 && input.st_ino == st.st_ino &&
		    input.st_dev == st.st_dev)
			return false;
	return S_ISREG(st.st_mode);
}

static bool make_plan(struct cc *cc, struct run *r)
{
	struct xb_sv text;

	if ((!cc_kept_plan(cc, &text) && !ask_driver(cc, r, &text)) || !cc_plan_read(text, &cc->arena, &cc->plan))
		return false;
	cc->done = xb_arena_array(&cc->arena, cc->plan.n_steps, sizeof(*cc->done));
	for (size_t i = 0; i < cc->plan.n_steps; i++) {
		const struct cc_step *step = &cc->plan.steps[i];

		if (!step->is_part && !is_plain_output(cc, step->words[step->output]))
			return false;
	}
	/* what is known of their content now is what a step will read, or else its result is not kept */
	for (size_t i = 0; i < cc->words.inputs.len; i++)
		if (!cc_see(cc, cc_absolute(cc, cc->words.inputs.items[i])))
			return false;
	return true;
}

static const struct cc_step *link_of(const struct cc *cc)
{
	return cc->plan.has_link ? &cc->plan.steps[cc->plan.n_steps - 1] : NULL;
}

static struct cc_done *done_of(struct cc *cc, const struct cc_step *step)
{
	return &cc->done[step - cc->plan.steps];
}

/* Whatever fails here, the linker is started again when it has work. */
static void start_linker(struct run *r)
{
	const struct cc_step *link = link_of(r->cc);
	struct xb_err ignored XB_CLEANUP(xb_err_release) = {0};
	/* the wrapper looks for a response file in its first word alone, and must not read this one */
	const char *argv[] = {link->words[0], link->words[1], NULL, NULL, NULL};
	int fds[2];

	if (xb_host_pipe(fds, &ignored) < 0)
		return;
	argv[2] = xb_arena_printf(&r->cc->arena, "@/dev/fd/%d", XB_PROC_PASSED);
	if (!r->linker.words)
		r->linker.words = xb_store_tmp(r->cc->call->store);
	argv[3] = xb_arena_printf(&r->cc->arena, "@%s", r->linker.words);
	if (start(r, argv, fds[0], &r->linker) == 0)
		r->linker.barrier = fds[1];
	else
		close(fds[1]);
	close(fds[0]);
}

/* As LLVM's tools read it: a backslash before what has a meaning. */
static void add_quoted(struct xb_str *text, const char *word)
{
	for (; *word; word++) {
		if (strchr(" \t\n\r\"'\\", *word))
			xb_str_append_char(text, '\\');
		xb_str_append_char(text, *word);
	}
	xb_str_append_char(text, '\n');
}

/* A name by which messages can speak of the object, as those of the driver do: "hello-1.o". */
static bool name_object(struct cc *cc, const struct cc_step *step)
{
	struct cc_done *done = done_of(cc, step);
	char *tmp XB_CLEANUP(xb_free_ptr) = xb_store_tmp(cc->call->store);
	char *blob XB_CLEANUP(xb_free_ptr) = xb_cas_path(cc->call->store, &done->result.hash);
	const struct xb_sv temporary = xb_path_base(xb_sv(step->words[step->output]));

	done->object = xb_arena_printf(&cc->arena, "%s-%.*s", tmp, XB_SV_ARG(temporary));
	return symlink(blob, done->object) == 0;
}

static bool tell_linker(struct run *r)
{
	struct cc *cc = r->cc;
	const struct cc_step *link = link_of(cc);
	struct cc_done *done = done_of(cc, link);
	struct xb_err ignored XB_CLEANUP(xb_err_release) = {0};
	struct xb_str text XB_CLEANUP(xb_str_release) = {0};

	for (size_t i = 2; i < link->n_words; i++) {
		const struct cc_step *part = cc_plan_part(&cc->plan, link->words[i]);

		if (part && !name_object(cc, part))
			return false;
		add_quoted(&text, part ? done_of(cc, part)->object : i == link->output ? done->made : link->words[i]);
	}
	add_quoted(&text, xb_arena_printf(&cc->arena, "--dependency-file=%s", done->depfile));
	return xb_atomic_file_write(r->linker.words, text.data, text.len, 0600, 0, &ignored) == 0;
}

static const char no_room[] = "No space left on device";

/* The end of a step that was run: its result goes to the store. False: this is not for us to tell. */
static bool take_end(struct run *r, const struct cc_step *step, struct xb_proc_result *ended)
{
	struct cc *cc = r->cc;
	struct cc_done *done = done_of(cc, step);
	struct xb_err ignored XB_CLEANUP(xb_err_release) = {0};

	done->text = xb_sv(xb_arena_sv(&cc->arena, xb_str_sv(&ended->output)));
	done->failed = ended->exit_code == 1;
	/* the store's disk is full: the compiler may have room where its output goes */
	if (done->failed)
		return done->text.len > 0 && !memmem(done->text.ptr, done->text.len, no_room, strlen(no_room));
	/* clang 22 says nothing and makes no list where an #embed is not found */
	return ended->exit_code == 0 && !ended->cut && xb_fs_exists(done->depfile) &&
	       xb_cas_adopt(cc->call->store, done->made, step->is_link, &done->result.hash, &done->result.size_bytes,
			    &ignored) == 0;
}

static void begin_step(struct cc *cc, struct cc_done *done)
{
	done->made = xb_store_tmp(cc->call->store);
	done->depfile = xb_store_tmp(cc->call->store);
	done->started_ns = now_ns();
}

static bool compile(struct run *r, const struct cc_step *step)
{
	struct cc *cc = r->cc;
	struct cc_done *done = done_of(cc, step);
	struct xb_proc_result ended = {0};
	struct xb_dirs argv = {0};
	bool fine;

	begin_step(cc, done);
	xb_dirs_add(&argv, &cc->arena, step->words[0]);
	xb_dirs_add(&argv, &cc->arena, step->words[1]);
	xb_dirs_add(&argv, &cc->arena, "-dependency-file");
	xb_dirs_add(&argv, &cc->arena, done->depfile);
	xb_dirs_add(&argv, &cc->arena, "-sys-header-deps");
	xb_dirs_add(&argv, &cc->arena, "-MT");
	xb_dirs_add(&argv, &cc->arena, "o");
	for (size_t i = 2; i < step->n_words; i++)
		xb_dirs_add(&argv, &cc->arena, i == step->output ? done->made : step->words[i]);
	xb_dirs_add(&argv, &cc->arena, NULL);
	fine = start(r, argv.items, 0, done) == 0 && wait_for(r, done, &ended) && take_end(r, step, &ended);
	xb_proc_result_release(&ended);
	return fine;
}

/* All compiles that are not known. One that fails does not keep the others from being done, as in the driver. */
static bool compile_all(struct run *r)
{
	for (size_t i = 0; i < r->cc->plan.n_steps; i++)
		if (!r->cc->plan.steps[i].is_link && !r->cc->done[i].known && !compile(r, &r->cc->plan.steps[i]))
			return false;
	return true;
}

static void keep_compiles(struct cc *cc)
{
	for (size_t i = 0; i < cc->plan.n_steps; i++) {
		struct cc_reads reads;

		if (cc->plan.steps[i].is_link || !cc->done[i].made || cc->done[i].failed)
			continue;
		cc_reads_compile(cc, &cc->done[i], &reads);
		cc_keep(cc, i, &reads);
	}
}

static bool any_failed(const struct cc *cc)
{
	for (size_t i = 0; i < cc->plan.n_steps; i++)
		if (cc->done[i].failed)
			return true;
	return false;
}

static void explain_link(struct cc *cc, struct cc_done *done)
{
	const struct xb_sv name = xb_path_base(xb_sv(cc->call->compiler));

	done->text = xb_sv(xb_arena_printf(
		&cc->arena, "%.*s%.*s: error: linker command failed with exit code 1 (use -v to see invocation)\n",
		XB_SV_ARG(done->text), XB_SV_ARG(name)));
}

static bool link_all(struct run *r)
{
	struct cc *cc = r->cc;
	const struct cc_step *step = link_of(cc);
	struct cc_done *done = done_of(cc, step);
	struct xb_proc_result ended = {0};
	struct cc_reads reads;
	bool fine;

	if (r->linker.barrier < 0)
		start_linker(r);
	begin_step(cc, done);
	fine = r->linker.barrier >= 0 && tell_linker(r);
	xb_fs_close(&r->linker.barrier);
	if (!fine)
		return false;
	keep_compiles(cc);
	fine = wait_for(r, &r->linker, &ended) && take_end(r, step, &ended);
	xb_proc_result_release(&ended);
	if (!fine)
		return false;
	if (done->failed) {
		explain_link(cc, done);
		return true;
	}
	cc_reads_link(cc, done, &reads);
	cc_keep(cc, (size_t)(step - cc->plan.steps), &reads);
	return true;
}

/* Every step is known, or has failed. */
static bool do_steps(struct run *r)
{
	struct cc *cc = r->cc;
	const struct cc_step *link = link_of(cc);
	bool all = true;

	for (size_t i = 0; i < cc->plan.n_steps; i++)
		if (!cc->plan.steps[i].is_link)
			all = cc_kept(cc, i) && all;
	if (!all && link)
		start_linker(r);
	if (!compile_all(r))
		return false;
	if (!link || any_failed(cc) || cc_kept(cc, cc->plan.n_steps - 1)) {
		keep_compiles(cc);
		return true;
	}
	return link_all(r);
}

/* As the tools do: modes by the umask, and nothing is left of an output whose step failed. */
static bool place(struct cc *cc, const struct cc_step *step, mode_t mask)
{
	const struct cc_done *done = done_of(cc, step);
	const char *path = step->words[step->output];
	char *blob XB_CLEANUP(xb_free_ptr) = xb_cas_path(cc->call->store, &done->result.hash);
	struct xb_err ignored XB_CLEANUP(xb_err_release) = {0};

	if (done->failed)
		return unlink(path) == 0 || errno == ENOENT;
	return xb_fs_copy_replace(blob, path, (step->is_link ? 0777 : 0666) & ~mask, &ignored) == 0;
}

static bool finish(struct cc *cc, struct xb_cc_result *out)
{
	const mode_t mask = umask(0);
	bool fine = true;

	umask(mask);
	for (size_t i = 0; i < cc->plan.n_steps; i++) {
		const struct cc_step *step = &cc->plan.steps[i];

		/* a link that was not begun leaves what was there */
		if (step->is_part || (step->is_link && !cc->done[i].failed && any_failed(cc)))
			continue;
		fine = place(cc, step, mask) && fine;
	}
	if (!fine)
		return false;
	for (size_t i = 0; i < cc->plan.n_steps; i++)
		xb_str_append_sv(&out->text, cc->done[i].text);
	out->status = any_failed(cc);
	out->done = true;
	return true;
}

int xb_cc_run(const struct xb_cc_call *call, struct xb_cc_result *out, struct xb_err *err)
{
	struct cc cc XB_CLEANUP(cc_release) = {.call = call};
	struct run r = {.cc = &cc, .procs = xb_procs_new(), .linker = {.barrier = -1}};
	struct xb_err ignored XB_CLEANUP(xb_err_release) = {0};
	char *cwd XB_CLEANUP(xb_free_ptr) = NULL;

	*out = (struct xb_cc_result){0};
	if (!is_heard() && xb_fs_cwd(&cwd, &ignored) == 0) {
		cc.cwd = cwd;
		choose_env(&cc);
		if (cc_words_read(call->words, cwd, &cc.arena, &cc.words) && make_plan(&cc, &r) && do_steps(&r))
			finish(&cc, out);
	}
	xb_fs_close(&r.linker.barrier);
	xb_procs_free(r.procs);
	xb_proc_result_release(&r.linker.result);
	free(r.linker.words);
	if (call->interrupted && *call->interrupted)
		return xb_fail(err, XB_E_INTERRUPTED, "interrupted");
	return 0;
}
