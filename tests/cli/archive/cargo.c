/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A cargo and a rustc in small, by the name that they are started by, for tests without the real ones: they do with C what the
 * real ones do with Rust, by the same words and variables. `cargo build` "compiles" src/<bin>.c with the linker that it was
 * told; `cargo test` runs what it built, by the runner.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static int run(char *const argv[])
{
	int status = 1;
	const pid_t pid = fork();

	if (pid == 0) {
		execvp(argv[0], argv);
		_exit(127);
	}
	waitpid(pid, &status, 0);
	return WIFEXITED(status) ? WEXITSTATUS(status) : 1;
}

static int fail(const char *what)
{
	fprintf(stderr, "error: %s\n", what);
	return 101;
}

/* What the files of --config say. */
static char build_target[256], linker[4096], runner[8][4096], directory[4096];

/* The text between the n-th pair of quotes of a line. */
static int quoted(const char *line, int n, char *out, size_t size)
{
	const char *begin = strchr(line, '"'), *end = begin ? strchr(begin + 1, '"') : NULL;

	while (n-- > 0 && end) {
		begin = strchr(end + 1, '"');
		end = begin ? strchr(begin + 1, '"') : NULL;
	}
	if (!end)
		return 0;
	snprintf(out, size, "%.*s", (int)(end - begin - 1), begin + 1);
	return 1;
}

/* A later file counts more; the sections of other targets are passed over. */
static void read_config(const char *path, const char *target)
{
	char line[8192], section[512] = "", wanted[512];
	FILE *f = fopen(path, "r");

	while (f && fgets(line, sizeof(line), f)) {
		if (line[0] == '[')
			snprintf(section, sizeof(section), "%.*s", (int)strcspn(line, "\n"), line);
		if (!strncmp(line, "target = ", 9) && !target)
			quoted(line, 0, build_target, sizeof(build_target));
		if (!strncmp(line, "directory = ", 12))
			quoted(line, 0, directory, sizeof(directory));
		snprintf(wanted, sizeof(wanted), "[target.%s]", target ? target : build_target);
		if (!strncmp(line, "linker = ", 9) && !strcmp(section, wanted))
			quoted(line, 0, linker, sizeof(linker));
		for (int i = 0; !strncmp(line, "runner = ", 9) && !strcmp(section, wanted) && i < 7; i++)
			if (!quoted(line, i, runner[i], sizeof(runner[i])))
				break;
	}
	if (f)
		fclose(f);
}

static int check_crates(void)
{
	char path[8192];

	snprintf(path, sizeof(path), "%s/tally-1.0.0/Cargo.toml", directory);
	return access(path, R_OK) == 0 ? 0 : fail("no matching package named `tally` found");
}

static int build(const char *target, const char *profile, const char *bin, char *out, size_t size)
{
	const char *dir = getenv("CARGO_TARGET_DIR");
	char source[256];

	if (!dir || !*linker)
		return fail("linker `cc` not found");
	snprintf(out, size, "%s", dir);
	mkdir(out, 0755);
	snprintf(out, size, "%s/%s", dir, target);
	mkdir(out, 0755);
	snprintf(out, size, "%s/%s/%s", dir, target, profile);
	mkdir(out, 0755);
	snprintf(out, size, "%s/%s/%s/%s", dir, target, profile, bin);
	snprintf(source, sizeof(source), "src/%s.c", bin);
	fprintf(stderr, "   Compiling %s\n", bin);
	char *argv[] = {linker, "-o", out, source, NULL};

	return run(argv) ? fail("linking failed") : 0;
}

static int test(const char *program)
{
	char *words[10];
	size_t n = 0;

	while (n < 8 && *runner[n]) {
		words[n] = runner[n];
		n++;
	}
	words[n++] = (char *)program;
	words[n] = NULL;
	return run(words) ? fail("test failed") : 0;
}

static int cargo(int argc, char **argv)
{
	const char *target = NULL, *profile = "debug", *command = "";
	char path[4096], *rustc[] = {getenv("RUSTC"), "--version", NULL};
	int offline = 0, status = 0;

	for (int i = 1; i + 1 < argc; i++)
		if (!strcmp(argv[i], "--target"))
			target = argv[i + 1];
	for (int i = 1; i < argc; i++) {
		offline |= !strcmp(argv[i], "--offline") || !strcmp(argv[i], "--frozen");
		if (!strcmp(argv[i], "build") || !strcmp(argv[i], "test"))
			command = argv[i];
		if (i + 1 < argc && !strcmp(argv[i], "--profile") && strcmp(argv[i + 1], "dev"))
			profile = argv[i + 1];
		if (i + 1 < argc && !strcmp(argv[i], "--config"))
			read_config(argv[i + 1], target);
	}
	if (!offline || getenv("RUSTFLAGS"))
		return fail("not offline, or flags of the user");
	if (!rustc[0] || run(rustc) || (*directory && check_crates()))
		return 101;
	for (int i = 1; i + 1 < argc && !status && *command; i++) {
		if (!strcmp(argv[i], "--bin"))
			status = build(target ? target : build_target, profile, argv[i + 1], path, sizeof(path));
		if (!strcmp(argv[i], "--bin") && !status && !strcmp(command, "test"))
			status = test(path);
	}
	return status;
}

int main(int argc, char **argv)
{
	const char *slash = strrchr(argv[0], '/');

	if (strcmp(slash ? slash + 1 : argv[0], "cargo") == 0 && argc > 2)
		return cargo(argc, argv);
	printf("%s 1.0.0 (of a test)\n", slash ? slash + 1 : argv[0]);
	return 0;
}
