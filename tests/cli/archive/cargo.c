/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A cargo and a rustc in small, by the name that they are started by, for tests without the real ones: they do with C what the
 * real ones do with Rust, by the same words and variables. `cargo build` "compiles" src/<bin>.c with the linker that it was
 * told; `cargo test` runs what it built, by the runner.
 */
#include <ctype.h>
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

/* CARGO_TARGET_<TARGET>_<what> */
static char *of_target(const char *target, const char *what)
{
	char name[256];
	size_t n = (size_t)snprintf(name, sizeof(name), "CARGO_TARGET_%s_%s", target, what);

	for (size_t i = 0; i < n; i++)
		name[i] = name[i] == '-' ? '_' : (char)toupper((unsigned char)name[i]);
	return getenv(name);
}

static int fail(const char *what)
{
	fprintf(stderr, "error: %s\n", what);
	return 101;
}

/* directory = "..." of the configuration: it must have the crate that Cargo.toml asks for. */
static int check_crates(const char *config)
{
	char line[4096], path[8192], *begin, *end;
	FILE *f = fopen(config, "r");

	while (f && fgets(line, sizeof(line), f)) {
		if (strncmp(line, "directory = \"", 13) != 0)
			continue;
		begin = line + 13;
		end = strrchr(begin, '"');
		snprintf(path, sizeof(path), "%.*s/tally-1.0.0/Cargo.toml", (int)(end - begin), begin);
		return access(path, R_OK) == 0 ? 0 : fail("no matching package named `tally` found");
	}
	return fail("no source of crates");
}

static int build(const char *target, const char *profile, const char *bin, char *out, size_t size)
{
	const char *dir = getenv("CARGO_TARGET_DIR");
	char *linker = of_target(target, "LINKER"), source[256];

	if (!dir || !linker)
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

static int test(const char *target, const char *program)
{
	char *runner = of_target(target, "RUNNER"), *words[16];
	size_t n = 0;

	for (char *word = runner ? strtok(runner, " ") : NULL; word && n < 14; word = strtok(NULL, " "))
		words[n++] = word;
	words[n++] = (char *)program;
	words[n] = NULL;
	return run(words) ? fail("test failed") : 0;
}

static int cargo(int argc, char **argv)
{
	const char *target = "none", *profile = "debug", *config = NULL;
	char path[4096], *rustc[] = {getenv("RUSTC"), "--version", NULL};
	int offline = 0, status = 0;

	for (int i = 2; i < argc; i++) {
		offline |= !strcmp(argv[i], "--offline") || !strcmp(argv[i], "--frozen");
		if (i + 1 < argc && !strcmp(argv[i], "--target"))
			target = argv[i + 1];
		if (i + 1 < argc && !strcmp(argv[i], "--profile") && strcmp(argv[i + 1], "dev"))
			profile = argv[i + 1];
		if (i + 1 < argc && !strcmp(argv[i], "--config"))
			config = argv[i + 1];
	}
	if (!offline || getenv("RUSTFLAGS"))
		return fail("not offline, or flags of the user");
	if (!rustc[0] || run(rustc) || (config && check_crates(config)))
		return 101;
	for (int i = 2; i + 1 < argc && !status; i++) {
		if (!strcmp(argv[i], "--bin"))
			status = build(target, profile, argv[i + 1], path, sizeof(path));
		if (!strcmp(argv[i], "--bin") && !status && !strcmp(argv[1], "test"))
			status = test(target, path);
	}
	return status;
}

int main(int argc, char **argv)
{
	const char *slash = strrchr(argv[0], '/');

	if (strcmp(slash ? slash + 1 : argv[0], "cargo") == 0 && argc > 1 && argv[1][0] != '-')
		return cargo(argc, argv);
	printf("%s 1.0.0 (of a test)\n", slash ? slash + 1 : argv[0]);
	return 0;
}
