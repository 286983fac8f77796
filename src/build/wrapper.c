/* SPDX-License-Identifier: Apache-2.0 */
#include "xbuild/build/wrapper.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "xbuild/base/alloc.h"
#include "xbuild/base/arena.h"
#include "xbuild/base/path.h"
#include "xbuild/base/str.h"
#include "xbuild/base/vec.h"
#include "xbuild/build/command.h"
#include "xbuild/build/compile.h"
#include "xbuild/build/loader.h"
#include "xbuild/sys/atomic_file.h"
#include "xbuild/sys/fs.h"

/* Raised when the program in bin/ reads another format. */
#define FORMAT "xbuild wrapper 2\n"

enum kind { COMPILER, TOOL, LINKER, PKG_CONFIG };

/* One name in bin/, behind "<triple>-". */
struct tool {
	const char *name;
	enum kind kind;
	const char *program; /* of the toolchain */
	const char *as;	     /* COMPILER: the name under which the compiler starts itself again, behind "<triple>-" */
	const char *mode;    /* COMPILER: --driver-mode, or NULL */
};

static const struct tool all_tools[] = {
	{"clang", COMPILER, "clang", "clang", NULL},   {"gcc", COMPILER, "clang", "clang", NULL},
	{"cc", COMPILER, "clang", "clang", NULL},      {"clang++", COMPILER, "clang", "clang++", "g++"},
	{"g++", COMPILER, "clang", "clang++", "g++"},  {"c++", COMPILER, "clang", "clang++", "g++"},
	{"cpp", COMPILER, "clang", "cpp", "cpp"},      {"ar", TOOL, "llvm-ar", NULL, NULL},
	{"ranlib", TOOL, "llvm-ranlib", NULL, NULL},   {"nm", TOOL, "llvm-nm", NULL, NULL},
	{"strip", TOOL, "llvm-strip", NULL, NULL},     {"objcopy", TOOL, "llvm-objcopy", NULL, NULL},
	{"objdump", TOOL, "llvm-objdump", NULL, NULL}, {"readelf", TOOL, "llvm-readelf", NULL, NULL},
	{"ld", LINKER, "ld.lld", NULL, NULL},	       {"ld.lld", LINKER, "ld.lld", NULL, NULL},
	{"gcc-ar", TOOL, "llvm-ar", NULL, NULL},       {"gcc-ranlib", TOOL, "llvm-ranlib", NULL, NULL},
	{"gcc-nm", TOOL, "llvm-nm", NULL, NULL},       {"size", TOOL, "llvm-size", NULL, NULL},
	{"strings", TOOL, "llvm-strings", NULL, NULL}, {"pkg-config", PKG_CONFIG, NULL, NULL, NULL},
};

/* What makes clang or lld look at the host, or the loader load something else (clang, "Environment" of its manual; ld.so(8)). */
static const char *const scrubbed[] = {
	"CPATH",
	"C_INCLUDE_PATH",
	"CPLUS_INCLUDE_PATH",
	"OBJC_INCLUDE_PATH",
	"OBJCPLUS_INCLUDE_PATH",
	"LIBRARY_PATH",
	"COMPILER_PATH",
	"GCC_EXEC_PREFIX",
	"LD_RUN_PATH",
	"CCC_OVERRIDE_OPTIONS",
	"QA_OVERRIDE_GCC3_OPTIONS",
	"SDKROOT",
	"MACOSX_DEPLOYMENT_TARGET",
	"LD_LIBRARY_PATH",
	"LD_PRELOAD",
};

#define MAX_SCRIPT_LINE 255 /* execve(2), from Linux 5.1 on; others have more */

struct plan {
	const struct xb_wrapper_spec *spec;
	struct xb_arena arena;
	/* all files of conf/, by the index of all_tools; empty text where the toolchain has no such program */
	struct xb_str files[XB_COUNT(all_tools)];
};

static void plan_release(struct plan *plan)
{
	for (size_t i = 0; i < XB_COUNT(all_tools); i++)
		xb_str_release(&plan->files[i]);
	xb_arena_release(&plan->arena);
}

static void say(struct xb_str *file, char letter, const char *text)
{
	xb_str_append_char(file, letter);
	xb_str_append_n(file, text, strlen(text) + 1);
}

static const char *triple_of(const struct xb_wrapper_spec *spec)
{
	return spec->sysroot->target->triple;
}

const char *xb_wrapper_tool(const struct xb_wrapper_spec *spec, const char *tool, struct xb_arena *arena)
{
	return xb_arena_printf(arena, "%s/bin/%s-%s", spec->dir, triple_of(spec), tool);
}

static void say_launch(struct plan *plan, const struct tool *tool, struct xb_str *file)
{
	const char *argv0 = tool->as ? xb_wrapper_tool(plan->spec, tool->as, &plan->arena) : NULL;
	struct xb_argv argv = {.arena = &plan->arena};

	xb_command_launch_as(plan->spec->tools, tool->program, tool->kind == TOOL, argv0, &argv);
	say(file, 'X', argv.items[0]);
	/* without a loader, which is told the name, the name is just argv[0] */
	if (argv0 && argv.len == 1)
		argv.items[0] = argv0;
	for (size_t i = 0; i < argv.len; i++)
		say(file, 'L', argv.items[i]);
	for (size_t i = 0; i < XB_COUNT(scrubbed); i++)
		say(file, 'U', scrubbed[i]);
}

/* Of clang's own headers and libraries: it would look beside the name it was started by. */
static const char *resource_dir(struct plan *plan)
{
	const struct xb_tools *tools = plan->spec->tools;
	const struct xb_sv prefix = xb_path_dir(xb_sv(tools->bin_dir));

	return xb_arena_printf(&plan->arena, "%s/%.*s%slib/clang/%d", tools->dir, XB_SV_ARG(prefix),
			       prefix.len ? "/" : "", tools->major);
}

static void add_prefixes(struct plan *plan, struct xb_command *out)
{
	const char *multiarch = plan->spec->sysroot->target->multiarch;

	for (const char *const *p = plan->spec->prefixes; p && *p; p++) {
		xb_command_word(out, xb_arena_printf(&plan->arena, "-isystem%s/usr/include", *p));
		xb_command_word(out, xb_arena_printf(&plan->arena, "-L%s/usr/lib/%s", *p, multiarch));
		xb_command_word(out, xb_arena_printf(&plan->arena, "-L%s/usr/lib", *p));
	}
}

/* Debian's directory of musl and GCC's are not where the driver looks, and libgcc_s was linked with glibc. */
static void add_musl_link(struct plan *plan, struct xb_command *out)
{
	const struct xb_sysroot_paths *sysroot = plan->spec->sysroot;
	const char *const dirs[] = {xb_arena_printf(&plan->arena, "usr/lib/%s", sysroot->target->multiarch),
				    sysroot->gcc_dir};

	for (size_t i = 0; i < XB_COUNT(dirs); i++) {
		xb_command_rooted(out, "-B", XB_ROOT_SYSROOT, dirs[i], NULL);
		xb_command_rooted(out, "-L", XB_ROOT_SYSROOT, dirs[i], NULL);
	}
	xb_command_word(out, "-static-libgcc");
}

/*
 * The driver knows libc++.so, which is a script that names libc++abi, and not that libc++.a needs libc++abi.a. The linker takes
 * of an archive what is missing, wherever it stands.
 */
static void add_stdlib(struct plan *plan, struct xb_command *out)
{
	if (plan->spec->static_stdlib)
		xb_command_word(out, "-static-libstdc++");
	if (!plan->spec->libcxx)
		return;
	xb_command_word(out, "-stdlib=libc++");
	xb_compile_libcxx(out);
	if (plan->spec->sysroot->libcxx_dir)
		xb_command_rooted(out, "-L", XB_ROOT_SYSROOT, plan->spec->sysroot->libcxx_dir, NULL);
	xb_command_word(out, plan->spec->static_stdlib ? "-Wl,--push-state,-Bstatic,-lc++abi,--pop-state"
						       : "-Wl,--push-state,--as-needed,-lc++abi,--pop-state");
}

/*
 * Between the two words no compile warns of an option that only a link needs, and -Werror stays usable. -fuse-ld tells what
 * kind of linker --ld-path is.
 */
static void add_link(struct plan *plan, bool is_cxx, struct xb_command *out)
{
	xb_command_word(out, "--start-no-unused-arguments");
	xb_command_word(out, "-fuse-ld=lld");
	xb_command_word(out, xb_arena_printf(&plan->arena, "--ld-path=%s",
					     xb_wrapper_tool(plan->spec, "ld.lld", &plan->arena)));
	xb_command_word(out, "-Wl,--build-id=sha1,-z,relro,-z,now,-z,noexecstack");
	add_prefixes(plan, out);
	if (is_cxx)
		add_stdlib(plan, out);
	if (plan->spec->sysroot->target->libc == XB_LIBC_MUSL)
		add_musl_link(plan, out);
	xb_command_word(out, "--end-no-unused-arguments");
}

/* RPATH, unlike RUNPATH, also goes for what the libraries need. */
static void say_here(struct plan *plan, struct xb_str *file)
{
	const struct xb_sysroot_paths *sysroot = plan->spec->sysroot;
	const struct xb_target *target = sysroot->target;
	const char *loader = xb_loader_find(&plan->arena, sysroot->dir, target);
	const char *const words[] = {
		xb_arena_printf(&plan->arena, "--dynamic-linker=%s", loader ? loader : ""),
		xb_arena_printf(&plan->arena, "--rpath=%s",
				xb_loader_library_path(&plan->arena, sysroot->dir, target, NULL)),
		"--disable-new-dtags",
	};

	for (size_t i = 0; loader && target->rust_triple && i < XB_COUNT(words); i++) {
		say(file, 'B', "-Xlinker");
		say(file, 'B', words[i]);
	}
}

static void say_compiler(struct plan *plan, const struct tool *tool, struct xb_str *file)
{
	const struct xb_wrapper_spec *spec = plan->spec;
	struct xb_argv argv = {.arena = &plan->arena};
	const struct xb_command_files none = {0};
	struct xb_command words;
	struct xb_roots roots;

	xb_command_init(&words, &plan->arena);
	if (tool->mode)
		xb_command_word(&words, xb_arena_printf(&plan->arena, "--driver-mode=%s", tool->mode));
	xb_command_word(&words, xb_arena_printf(&plan->arena, "-resource-dir=%s", resource_dir(plan)));
	xb_compile_target(spec->tools, spec->sysroot, &words);
	xb_compile_maps(spec->project_dir != NULL, &words);
	xb_compile_cpu(spec->sysroot->target, spec->target ? spec->target->cpu : NULL, &words);
	add_link(plan, tool->mode && strcmp(tool->mode, "g++") == 0, &words);
	xb_roots_real(spec->project_dir, spec->tools, spec->sysroot, &roots);
	xb_command_argv(&words, &roots, &none, &argv);
	for (size_t i = 0; i < argv.len; i++)
		say(file, 'F', argv.items[i]);
	say(file, 'D', "-fuse-ld=");
	say_here(plan, file);
}

static void say_pkg_config(struct plan *plan, struct xb_str *file)
{
	const struct xb_wrapper_spec *spec = plan->spec;

	if (spec->tools->emulator) {
		say(file, 'S', "");
		say(file, 'X', spec->tools->emulator);
		say(file, 'L', spec->tools->emulator);
	} else {
		say(file, 'X', spec->xbuild);
	}
	say(file, 'L', spec->xbuild);
	say(file, 'L', "pkg-config");
	say(file, 'L', "--sysroot");
	say(file, 'L', spec->sysroot->dir);
	say(file, 'L', "--target");
	say(file, 'L', spec->sysroot->target->name);
	for (const char *const *p = spec->prefixes; p && *p; p++) {
		say(file, 'L', "--prefix");
		say(file, 'L', *p);
	}
	say(file, 'L', "--");
}

/* 0: no such program in the toolchain, which is no error: archives differ, and the further tools are not always fetched. */
static bool is_there(const struct plan *plan, const struct tool *tool)
{
	const struct xb_tools *tools = plan->spec->tools;
	const char *base = tool->kind == TOOL && tools->extra_dir ? tools->extra_dir : tools->dir;
	char *path XB_CLEANUP(xb_free_ptr) = NULL;

	if (!tool->program)
		return true;
	path = xb_printf("%s/%s/%s", base, tools->bin_dir, tool->program);
	return xb_fs_exists(path);
}

static void plan_make(struct plan *plan)
{
	for (size_t i = 0; i < XB_COUNT(all_tools); i++) {
		const struct tool *tool = &all_tools[i];
		struct xb_str *file = &plan->files[i];

		if (!is_there(plan, tool))
			continue;
		if (tool->kind == PKG_CONFIG) {
			say_pkg_config(plan, file);
			continue;
		}
		if (plan->spec->tools->emulator)
			say(file, 'S', "");
		say_launch(plan, tool, file);
		if (tool->kind == COMPILER)
			say_compiler(plan, tool, file);
		/* version scripts may name what a library does not define, as with GNU's linker, for which they were written */
		if (tool->kind == LINKER)
			say(file, 'F', "--undefined-version");
		if (plan->spec->record_dir && tool->kind != TOOL)
			say(file, 'R', plan->spec->record_dir);
		if (plan->spec->record_dir && tool->kind == LINKER)
			say(file, 'K', "--dependency-file=");
	}
}

static int plan_digest(const struct plan *plan, struct xb_digest *out, struct xb_err *err)
{
	struct xb_digest program;
	struct xb_hasher h;

	if (xb_digest_file(plan->spec->program, &program, NULL, err) < 0)
		return err->code;
	xb_hasher_init(&h);
	xb_hasher_update(&h, FORMAT, strlen(FORMAT));
	xb_hasher_update(&h, program.bytes, sizeof(program.bytes));
	for (size_t i = 0; i < XB_COUNT(all_tools); i++) {
		xb_hasher_update(&h, all_tools[i].name, strlen(all_tools[i].name) + 1);
		xb_hasher_update(&h, &plan->files[i].len, sizeof(plan->files[i].len));
		xb_hasher_update(&h, xb_str_get(&plan->files[i]), plan->files[i].len);
	}
	xb_hasher_final(&h, out);
	return 0;
}

int xb_wrapper_digest(const struct xb_wrapper_spec *spec, struct xb_digest *out, struct xb_err *err)
{
	struct xb_wrapper_spec anywhere = *spec;
	struct plan plan XB_CLEANUP(plan_release) = {.spec = &anywhere};

	anywhere.dir = "";
	anywhere.record_dir = NULL;
	plan_make(&plan);
	return plan_digest(&plan, out, err);
}

/* One of bin/: a link to the first of them; a copy where the file system has no hard links. */
static int put_program(const char *program, const char *path, const char **first, struct xb_err *err)
{
	if (*first && link(*first, path) == 0)
		return 0;
	if (xb_fs_copy(program, path, 0755, err) < 0)
		return err->code;
	if (!*first)
		*first = path;
	return 0;
}

/*
 * Where programs of our own kind run under an emulator, the kernel starts none for others: bin/ has scripts then, whose
 * interpreter is the emulator, and the program in run/ is its argument (execve(2), "Interpreter scripts").
 */
static int put_script(struct plan *plan, const char *dir, const char *name, const char **first, struct xb_err *err)
{
	const char *emulator = plan->spec->tools->emulator;
	const char *program = xb_arena_printf(&plan->arena, "%s/run/%s", plan->spec->dir, name);
	const char *text = xb_arena_printf(&plan->arena, "#!%s %s\n", emulator, program);

	if (strlen(text) > MAX_SCRIPT_LINE || strchr(emulator, ' '))
		return xb_fail(err, XB_E_INPUT,
			       "start tools by '%s': expected a line of at most %d bytes and an emulator without "
			       "blanks, found '%s %s'",
			       emulator, MAX_SCRIPT_LINE, emulator, program);
	if (put_program(plan->spec->program, xb_arena_printf(&plan->arena, "%s/run/%s", dir, name), first, err) < 0)
		return err->code;
	return xb_atomic_file_write(xb_arena_printf(&plan->arena, "%s/bin/%s", dir, name), text, strlen(text), 0755, 0,
				    err);
}

static int put_tool(struct plan *plan, const char *dir, const char *name, const char **first, struct xb_err *err)
{
	if (plan->spec->tools->emulator)
		return put_script(plan, dir, name, first, err);
	return put_program(plan->spec->program, xb_arena_printf(&plan->arena, "%s/bin/%s", dir, name), first, err);
}

static int write_all(struct plan *plan, const char *dir, struct xb_err *err)
{
	const char *first = NULL;

	if (xb_fs_mkdirs(xb_arena_printf(&plan->arena, "%s/bin", dir), 0755, err) < 0 ||
	    xb_fs_mkdirs(xb_arena_printf(&plan->arena, "%s/conf", dir), 0755, err) < 0 ||
	    (plan->spec->tools->emulator && xb_fs_mkdirs(xb_arena_printf(&plan->arena, "%s/run", dir), 0755, err) < 0))
		return err->code;
	for (size_t i = 0; i < XB_COUNT(all_tools); i++) {
		const struct xb_str *file = &plan->files[i];
		const char *name = xb_arena_printf(&plan->arena, "%s-%s", triple_of(plan->spec), all_tools[i].name);

		if (!file->len)
			continue;
		if (xb_atomic_file_write(xb_arena_printf(&plan->arena, "%s/conf/%s", dir, name), xb_str_get(file),
					 file->len, 0644, 0, err) < 0 ||
		    put_tool(plan, dir, name, &first, err) < 0)
			return err->code;
	}
	return 0;
}

static bool says_already(const char *dir, const char *hex)
{
	char *path XB_CLEANUP(xb_free_ptr) = xb_path_join(dir, "stamp");
	struct xb_str text XB_CLEANUP(xb_str_release) = {0};
	struct xb_err ignored XB_CLEANUP(xb_err_release) = {0};

	return xb_fs_read(path, 4096, &text, &ignored) == 0 && !strcmp(xb_str_get(&text), hex);
}

/* Puts the finished directory in its place. Another process may do the same at this moment, with the same content. */
static int publish(const char *tmp, const char *dir, const char *hex, struct xb_err *err)
{
	char *old XB_CLEANUP(xb_free_ptr) = xb_printf("%s.old", tmp);

	for (int tries = 0; tries < 10; tries++) {
		if (rename(tmp, dir) == 0)
			return 0;
		if (errno != ENOTEMPTY && errno != EEXIST)
			return xb_fail_errno(err, "rename '%s' to '%s'", tmp, dir);
		if (says_already(dir, hex))
			return xb_fs_remove(tmp, err);
		if (rename(dir, old) < 0 && errno != ENOENT)
			return xb_fail_errno(err, "rename '%s' to '%s'", dir, old);
		if (xb_fs_remove(old, err) < 0)
			return err->code;
	}
	return xb_fail(err, XB_E_SYSTEM, "cannot replace '%s': it comes back", dir);
}

int xb_wrapper_make(const struct xb_wrapper_spec *spec, struct xb_err *err)
{
	struct plan plan XB_CLEANUP(plan_release) = {.spec = spec};
	char *tmp XB_CLEANUP(xb_free_ptr) = xb_printf("%s.%ld", spec->dir, (long)getpid());
	char *stamp XB_CLEANUP(xb_free_ptr) = xb_path_join(tmp, "stamp");
	char *parent XB_CLEANUP(xb_free_ptr) = xb_sv_dup(xb_path_dir(xb_sv(spec->dir)));
	struct xb_err ignored XB_CLEANUP(xb_err_release) = {0};
	struct xb_digest digest;
	char hex[XB_DIGEST_HEX];

	plan_make(&plan);
	if (plan_digest(&plan, &digest, err) < 0)
		return xb_wrap(err, "wrappers of %s", spec->sysroot->target->name);
	xb_digest_hex(&digest, hex);
	if (says_already(spec->dir, hex))
		return 0;
	if (xb_fs_mkdirs(parent, 0755, err) < 0 || xb_fs_remove(tmp, err) < 0)
		return err->code;
	if (write_all(&plan, tmp, err) < 0 || xb_atomic_file_write(stamp, hex, strlen(hex), 0644, 0, err) < 0 ||
	    publish(tmp, spec->dir, hex, err) < 0) {
		(void)!xb_fs_remove(tmp, &ignored);
		return xb_wrap(err, "wrappers of %s", spec->sysroot->target->name);
	}
	return 0;
}
