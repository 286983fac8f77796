/* SPDX-License-Identifier: Apache-2.0 */
/*
 * xbuild-wrap: the program behind <triple>-clang, <triple>-ar and the like. It is copied to <dir>/bin/<name>, finds what it
 * stands for in <dir>/conf/<name>, and becomes that program. include/xbuild/build/wrapper.h has the format of the file.
 *
 * It is started once for every compile of somebody else's build, so it links libc alone and looks at two files.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "linked.h"

#ifdef __APPLE__
#include <mach-o/dyld.h>
#endif

#define MAX_CONF   (1024 * 1024)
#define MAX_PATH   4096
#define EXIT_BROKE 126 /* a program that is there and cannot be started: sh(1), "Exit Status for Commands" */

/* What the file says, as words of `text`. */
struct conf {
	char *text;
	const char *program;		  /* X */
	const char **launch, **flags;	  /* L, F */
	const char **drop, **here;	  /* D, B */
	const char *record, *record_libs; /* R, K */
	bool by_script;			  /* S */
	char *libs;			  /* the record of this link, or NULL */
	size_t n_launch, n_flags, n_drops, n_here;
};

static int broken(const char *what, const char *path)
{
	const int code = errno;

	fprintf(stderr, "xbuild-wrap: %s '%s'%s", what, path, code ? ": " : "\n");
	errno = code;
	if (code)
		perror(NULL);
	return EXIT_BROKE;
}

/* The path by which this very name was started; links in bin/ are hard ones, which keep theirs. */
static bool own_path(char *out, size_t size)
{
#ifdef __APPLE__
	char path[MAX_PATH], real[PATH_MAX];
	uint32_t n = sizeof(path);

	if (_NSGetExecutablePath(path, &n) != 0 || !realpath(path, real) || strlen(real) >= size)
		return false;
	memcpy(out, real, strlen(real) + 1);
	return true;
#else
	const ssize_t n = readlink("/proc/self/exe", out, size - 1);

	if (n <= 0 || (size_t)n >= size - 1)
		return false;
	out[n] = 0;
	return true;
#endif
}

/* "<dir>/bin/<name>" to "<dir>/conf/<name>". */
static bool conf_path(const char *self, char *out, size_t size)
{
	const char *name = strrchr(self, '/'), *bin = name;

	while (bin && bin > self && bin[-1] != '/')
		bin--;
	if (!bin || bin <= self)
		return false;
	const int n = snprintf(out, size, "%.*sconf%s", (int)(bin - self), self, name);

	return n > 0 && (size_t)n < size;
}

/* The whole file, with a NUL behind it; NULL with errno, which is 0 where it is not one of ours. */
static char *read_all(const char *path, size_t *out_len)
{
	const int fd = open(path, O_RDONLY | O_CLOEXEC);
	struct stat st;
	char *text;
	size_t len = 0;

	if (fd < 0)
		return NULL;
	if (fstat(fd, &st) < 0 || st.st_size <= 0 || st.st_size > MAX_CONF ||
	    !(text = malloc((size_t)st.st_size + 1))) {
		errno = 0;
		return NULL;
	}
	while (len < (size_t)st.st_size) {
		const ssize_t n = read(fd, text + len, (size_t)st.st_size - len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			break;
		len += (size_t)n;
	}
	close(fd);
	text[len] = 0;
	*out_len = len;
	return text;
}

static void take_word(struct conf *conf, char kind, char *word)
{
	switch (kind) {
	case 'X':
		conf->program = word;
		break;
	case 'L':
		conf->launch[conf->n_launch++] = word;
		break;
	case 'F':
		conf->flags[conf->n_flags++] = word;
		break;
	case 'D':
		conf->drop[conf->n_drops++] = word;
		break;
	case 'B':
		conf->here[conf->n_here++] = word;
		break;
	case 'E':
		putenv(word);
		break;
	case 'U':
		unsetenv(word);
		break;
	case 'R':
		conf->record = word;
		break;
	case 'S':
		conf->by_script = true;
		break;
	case 'K':
		conf->record_libs = word;
		break;
	default:
		break;
	}
}

/* Words of one letter and text, each with a NUL behind it. */
static bool parse(struct conf *conf, size_t len)
{
	size_t n = 0;

	for (size_t i = 0; i < len; i++)
		n += !conf->text[i];
	conf->launch = calloc(4 * (n + 1), sizeof(*conf->launch));
	if (!conf->launch)
		return false;
	conf->flags = conf->launch + n + 1;
	conf->drop = conf->flags + n + 1;
	conf->here = conf->drop + n + 1;
	for (char *at = conf->text; at < conf->text + len; at += strlen(at) + 1)
		if (*at)
			take_word(conf, *at, at + 1);
	return conf->program && conf->n_launch;
}

static bool is_dropped(const struct conf *conf, const char *word)
{
	for (size_t i = 0; i < conf->n_drops; i++)
		if (!strncmp(word, conf->drop[i], strlen(conf->drop[i])))
			return true;
	return false;
}

/* The compiler's own second stage: its driver has put all words together already, in a file where they are too long. */
static bool is_second_stage(int argc, char **argv)
{
	char begin[6] = "";
	int fd;

	if (argc < 2 || argv[1][0] != '@')
		return argc > 1 && !strncmp(argv[1], "-cc1", 4);
	fd = open(argv[1] + 1, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return false;
	const ssize_t n = read(fd, begin, sizeof(begin) - 1);

	close(fd);
	return n > 0 && !strncmp(begin + (begin[0] == '"'), "-cc1", 4);
}

/* Where the record of this run begins: a number of a process may come again in one long build. */
static void record_name(const struct conf *conf, const char *ending, char *out, size_t size)
{
	static struct timespec now;

	if (!now.tv_sec)
		clock_gettime(CLOCK_REALTIME, &now);
	snprintf(out, size, "%s/%ld-%lld%09ld.%s", conf->record, (long)getpid(), (long long)now.tv_sec, now.tv_nsec,
		 ending);
}

/* Directory and words of this run; a build whose records cannot be written is not stopped for that. */
static void record_words(const struct conf *conf, int argc, char **argv)
{
	char path[MAX_PATH], cwd[MAX_PATH];
	FILE *out;

	record_name(conf, "cmd", path, sizeof(path));
	if (!getcwd(cwd, sizeof(cwd)) || !(out = fopen(path, "we")))
		return;
	fwrite(cwd, strlen(cwd) + 1, 1, out);
	for (int i = 0; i < argc; i++)
		fwrite(argv[i], strlen(argv[i]) + 1, 1, out);
	fclose(out);
}

/* The file of the caller's own that the linker is to write, with the words that say so; NULL: none. */
static const char *own_libs(char **argv, size_t *out_words)
{
	static const char *const spellings[] = {"--dependency-file", "-dependency-file"};

	for (size_t i = 0; i < 2; i++) {
		const size_t n = strlen(spellings[i]);

		if (strncmp(*argv, spellings[i], n) != 0)
			continue;
		*out_words = (*argv)[n] ? 1 : 2;
		return (*argv)[n] == '=' ? *argv + n + 1 : (*argv)[n] ? NULL : argv[1];
	}
	return NULL;
}

/*
 * One file under two names: the caller's own may be gone by the time it is looked at (ninja reads and removes it). False: no
 * file is shared, and the caller gets the only one, such as where he names /dev/null.
 */
static bool share_libs(const char *record, const char *path)
{
	char tmp[MAX_PATH];
	struct stat st;
	const int fd = open(record, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);

	if (fd < 0)
		return false;
	close(fd);
	if ((lstat(path, &st) == 0 ? !S_ISREG(st.st_mode) : errno != ENOENT) ||
	    (size_t)snprintf(tmp, sizeof(tmp), "%s.%ld.xbuild", path, (long)getpid()) >= sizeof(tmp) ||
	    link(record, tmp) < 0)
		return false;
	if (rename(tmp, path) == 0)
		return true;
	unlink(tmp);
	return false;
}

/*
 * Without anything to compile or link ("-v" alone) a word for the linker would be that, and a link of nothing begin; and the
 * compiler would tell of directories that it has no use for.
 */
static bool has_input(int argc, char **argv)
{
	for (int i = 1; i < argc; i++)
		if (argv[i][0] != '-' || !argv[i][1] || !strncmp(argv[i], "-l", 2) || !strncmp(argv[i], "-Wl,", 4))
			return true;
	return false;
}

static bool is_among(const char *word, const char *const *list, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (!strcmp(word, list[i]))
			return true;
	return false;
}

/* By its ending (clang, lib/Driver/Types.cpp, lookupTypeForExtension). */
static bool is_header(const char *name)
{
	static const char *const endings[] = {".h", ".H", ".hh", ".hpp", ".hxx", ".h++", ".hp"};
	const char *dot = strrchr(name, '.');

	return dot && is_among(dot, endings, sizeof(endings) / sizeof(*endings));
}

/* Headers alone are precompiled; a word for the linker would make it a link of what comes of that. */
static bool has_headers_alone(int argc, char **argv)
{
	static const char *const with_value[] = {
		"-o",	   "-I",	 "-D",		 "-U",	     "-L",	 "-F",
		"-MF",	   "-MT",	 "-MQ",		 "-include", "-imacros", "-isystem",
		"-iquote", "-idirafter", "-include-pch", "-Xclang",  "-mllvm",	 "-Xpreprocessor",
		"-target", "--param"};
	const char *language = "none";
	bool any = false;

	for (int i = 1; i < argc; i++) {
		const char *word = argv[i];

		if (!strncmp(word, "-x", 2)) {
			language = word[2] ? word + 2 : i + 1 < argc ? argv[++i] : "";
		} else if (is_among(word, with_value, sizeof(with_value) / sizeof(*with_value))) {
			i++;
		} else if (*word != '-' || !word[1]) {
			if (strcmp(language, "none") != 0 ? !strstr(language, "-header") : !is_header(word))
				return false;
			any = true;
		} else if (!strncmp(word, "-l", 2) || !strncmp(word, "-Wl,", 4)) {
			return false;
		}
	}
	return any;
}

static size_t add_flags(const struct conf *conf, int argc, char **argv, const char **out)
{
	const bool works = has_input(argc, argv), links = works && !has_headers_alone(argc, argv);
	size_t n = 0;

	for (size_t i = 0; i < conf->n_flags; i++)
		if ((links || strncmp(conf->flags[i], "-Wl,", 4) != 0) &&
		    (works || strncmp(conf->flags[i], "-ffile-prefix-map=", 18) != 0))
			out[n++] = conf->flags[i];
	return n;
}

/*
 * Cargo, "Build Cache": <target directory>/<profile>/build/<package>/build_script_<name>-<hash>. rustdoc makes an example of
 * documentation in a temporary directory: rustdoctest<random>/rust_out (rustc, src/librustdoc/doctest.rs).
 */
static bool runs_here(const char *path)
{
	const char *name = strrchr(path, '/'), *dir = name;

	if (!name)
		return false;
	while (dir > path && *--dir != '/')
		;
	if (!strncmp(name, "/build_script_", 14))
		return dir - path >= 6 && !strncmp(dir - 6, "/build", 6);
	return !strcmp(name, "/rust_out") && !strncmp(dir, "/rustdoctest", 12);
}

static bool makes_for_here(int argc, char **argv)
{
	for (int i = 1; i + 1 < argc; i++)
		if (!strcmp(argv[i], "-o"))
			return runs_here(argv[i + 1]);
	return false;
}

static const char **compose(struct conf *conf, int argc, char **argv)
{
	const char **words = calloc(conf->n_launch + conf->n_flags + conf->n_here + (size_t)argc + 2, sizeof(*words));
	static char deps[MAX_PATH + 32];
	char path[MAX_PATH];
	size_t n = conf->n_launch;

	if (!words)
		return NULL;
	memcpy(words, conf->launch, n * sizeof(*words));
	if (!is_second_stage(argc, argv)) {
		n += add_flags(conf, argc, argv, words + n);
		for (size_t i = 0; i < conf->n_here && makes_for_here(argc, argv); i++)
			words[n++] = conf->here[i];
		if (conf->record)
			record_words(conf, argc, argv);
		if (conf->record && conf->record_libs) {
			record_name(conf, "libs", path, sizeof(path));
			snprintf(deps, sizeof(deps), "%s%s", conf->record_libs, path);
			words[n++] = deps;
			conf->libs = strdup(path);
		} else if (conf->record) {
			record_name(conf, "headers", path, sizeof(path));
			setenv("CC_PRINT_HEADERS", "1", 1);
			setenv("CC_PRINT_HEADERS_FILE", path, 1);
		}
	}
	for (int i = 1; i < argc; i++) {
		size_t own = 1;
		const char *libs = *deps ? own_libs(argv + i, &own) : NULL;

		if (libs && share_libs(path, libs))
			i += (int)own - 1;
		else if (!is_dropped(conf, argv[i]))
			words[n++] = argv[i];
	}
	return words;
}

/* A link, whose result is looked at when it is there. */
static int link_and_note(const struct conf *conf, const char **words)
{
	char record[MAX_PATH];
	int status;
	const pid_t pid = fork();

	if (pid < 0)
		return broken("cannot start", conf->program);
	if (pid == 0) {
		execv(conf->program, (char *const *)(void *)words);
		_exit(broken("cannot start", conf->program));
	}
	while (waitpid(pid, &status, 0) < 0) {
		if (errno != EINTR)
			return broken("cannot wait for", conf->program);
	}
	/* whoever waits for us is told how it ended */
	if (WIFSIGNALED(status)) {
		signal(WTERMSIG(status), SIG_DFL);
		raise(WTERMSIG(status));
		return 128 + WTERMSIG(status);
	}
	record_name(conf, "id", record, sizeof(record));
	if (WEXITSTATUS(status) == 0)
		wrap_note_linked(conf->libs, record);
	return WEXITSTATUS(status);
}

int main(int argc, char **argv)
{
	char self[MAX_PATH], path[MAX_PATH];
	struct conf conf = {0};
	size_t len = 0;

	if (!own_path(self, sizeof(self)) || !conf_path(self, path, sizeof(path)))
		return broken("cannot tell where it is:", argc ? argv[0] : "");
	conf.text = read_all(path, &len);
	if (!conf.text) {
		const int status = broken("cannot read", path);

		fputs("xbuild-wrap: it is started by the names that 'xbuild env' tells, not by its own\n", stderr);
		return status;
	}
	errno = 0;
	if (!parse(&conf, len))
		return broken("not a description of a tool:", path);
	/* the script's name stands where the first of the caller's words is looked for */
	if (conf.by_script && argc > 1) {
		argc--;
		argv++;
	}
	const char **words = compose(&conf, argc, argv);

	if (!words)
		return broken("no memory for", path);
	if (conf.libs) {
		const int status = link_and_note(&conf, words);

		free(conf.libs);
		free(words);
		free(conf.launch);
		free(conf.text);
		return status;
	}
	execv(conf.program, (char *const *)(void *)words);
	return broken("cannot start", conf.program);
}
