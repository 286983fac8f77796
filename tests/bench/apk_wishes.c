/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Resolves every package of a signed apk index as the only wish, and tells how many can be had and how long it took.
 * Usage: apk_wishes INDEX KEY ARCH [--sets|--why]
 * --sets prints "name: package-version ..." in the order of installation, or the error; --why one line per package of each.
 */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>

#include "xbuild/base/alloc.h"
#include "xbuild/pkg/apk_solve.h"
#include "xbuild/sys/fs.h"

enum print { PRINT_SUM, PRINT_SETS, PRINT_WHY };

static double seconds(void)
{
	struct timespec now;
	(void)clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static double peak_mb(void)
{
	struct rusage usage = {0};
	(void)getrusage(RUSAGE_SELF, &usage);
	return (double)usage.ru_maxrss * 1024 / 1e6; /* Linux counts in KiB */
}

static int open_index(const char *path, const char *key_path, const char *arch, struct xb_apk_index **out,
		      struct xb_err *err)
{
	struct xb_str pem XB_CLEANUP(xb_str_release) = {0};
	const char *slash = strrchr(key_path, '/');
	int fd XB_CLEANUP(xb_fs_close) = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return xb_fail_errno(err, "open '%s'", path);
	int rc = xb_fs_read(key_path, 65536, &pem, err);
	if (rc < 0)
		return rc;
	struct xb_rsa_key key = {.pem = xb_str_sv(&pem), .name = slash ? slash + 1 : key_path};
	struct xb_apk_index_source source = {.fd = fd,
					     .name = path,
					     .repository = {.url = "https://repository.invalid", .arch = arch},
					     .keys = &key,
					     .n_keys = 1};
	return xb_apk_index_open(&source, out, err);
}

static void print_solution(const struct xb_apk_solution *s, const char *wish, enum print print)
{
	if (print == PRINT_SETS)
		printf("%s:", wish);
	for (size_t i = 0; i < s->len && print != PRINT_SUM; i++) {
		struct xb_str why XB_CLEANUP(xb_str_release) = {0};
		const struct xb_apk_package *p = s->items[i].package;
		if (print == PRINT_WHY && xb_apk_solution_why(s, p->name, &why))
			puts(why.data);
		else
			printf(" %s-%s", p->name, p->version);
	}
	if (print == PRINT_SETS)
		puts("");
}

/* True when the wish can be had. */
static bool try_wish(struct xb_apk_resolver *resolver, const char *wish, enum print print)
{
	struct xb_err err XB_CLEANUP(xb_err_release) = {0};
	struct xb_arena arena XB_CLEANUP(xb_arena_release) = {0};
	struct xb_apk_solution *solution = NULL;
	struct xb_list wishes = {.items = &wish, .len = 1};
	if (xb_apk_resolver_run(resolver, &wishes, &arena, &solution, &err) < 0) {
		if (print == PRINT_SETS)
			printf("%s: error: %s\n", wish, err.msg);
		return false;
	}
	print_solution(&solution[0], wish, print);
	return true;
}

int main(int argc, char **argv)
{
	struct xb_err err XB_CLEANUP(xb_err_release) = {0};
	struct xb_apk_index *index = NULL;
	struct xb_apk_resolver *resolver = NULL;
	enum print print = PRINT_SUM;
	size_t had = 0;
	if (argc < 4 || argc > 5)
		return 2;
	if (argc == 5)
		print = strcmp(argv[4], "--why") == 0 ? PRINT_WHY : PRINT_SETS;
	double start = seconds();
	if (open_index(argv[1], argv[2], argv[3], &index, &err) < 0) {
		fprintf(stderr, "%s\n", err.msg);
		return 1;
	}
	double opened = seconds();
	const struct xb_apk_index *indexes[] = {index};
	struct xb_apk_arch arch = {.name = argv[3], .indexes = indexes, .n_indexes = 1};
	xb_apk_resolver_new(&arch, 1, &resolver);
	for (size_t i = 0; i < index->n_packages; i++)
		had += try_wish(resolver, index->packages[i].name, print);
	double done = seconds();
	fprintf(print == PRINT_SUM ? stdout : stderr,
		"wishes %zu resolved %zu open_seconds %.3f resolve_seconds %.3f peak_mb %.1f\n", index->n_packages, had,
		opened - start, done - opened, peak_mb());
	xb_apk_resolver_free(resolver);
	xb_apk_index_free(index);
	return 0;
}
