/* SPDX-License-Identifier: Apache-2.0 */
#include "xbuild/model/names.h"

#include <string.h>

#include "xbuild/base/num.h"
#include "xbuild/base/path.h"

/* Kinds of ASCII letters; a set is some of them, and single bytes. Millions of names are checked when a lock is made. */
enum { LOWER = 1, UPPER = 2, DIGIT = 4 };

static bool is_in(char c, unsigned kinds, const char *others)
{
	if (c >= 'a' && c <= 'z')
		return kinds & LOWER;
	if (c >= '0' && c <= '9')
		return kinds & DIGIT;
	if (c >= 'A' && c <= 'Z')
		return kinds & UPPER;
	return c && strchr(others, c); /* strchr() would find the NUL that ends the string */
}

static bool all_in(struct xb_sv text, unsigned kinds, const char *others)
{
	for (size_t i = 0; i < text.len; i++) {
		if (!is_in(text.ptr[i], kinds, others))
			return false;
	}
	return true;
}

/* min to max bytes, all of the set, the first a letter or digit of it. */
static bool is_word(struct xb_sv text, size_t min, size_t max, unsigned kinds, const char *others)
{
	return text.len >= min && text.len <= max && is_in(text.ptr[0], kinds, "") && all_in(text, kinds, others);
}

bool xb_name_is_unit(struct xb_sv name)
{
	return is_word(name, 1, 63, LOWER | DIGIT, "._-");
}

bool xb_name_is_debian_package(struct xb_sv name)
{
	return is_word(name, 2, 255, LOWER | DIGIT, "+.-");
}

/* Policy 5.6.12: the epoch is a number; the upstream version starts with a digit; a revision follows the last hyphen. */
bool xb_name_is_debian_version(struct xb_sv name)
{
	struct xb_sv rest = name;
	const bool has_epoch = name.len && memchr(name.ptr, ':', name.len);

	if (has_epoch) {
		const struct xb_sv epoch = xb_sv_cut(&rest, ':');

		if (!epoch.len || epoch.len > 9 || !all_in(epoch, DIGIT, ""))
			return false;
	}
	/* Some packages in the archive start with a letter, which Policy only advises against; a colon may then follow. */
	return is_word(rest, 1, 255, LOWER | UPPER | DIGIT, ".+-~:");
}

bool xb_name_is_debian_path(struct xb_sv path)
{
	if (!xb_path_is_safe(path))
		return false;
	for (size_t i = 0; i < path.len; i++) {
		const char c = path.ptr[i];

		if (c <= ' ' || c > '~' || is_in(c, 0, "%?#\\\"'<>|^`{}"))
			return false;
	}
	return true;
}

bool xb_name_is_apk_package(struct xb_sv name)
{
	return is_word(name, 1, 255, LOWER | UPPER | DIGIT, "._+-");
}

bool xb_name_is_apk_version(struct xb_sv name)
{
	return name.len && is_in(name.ptr[0], DIGIT, "") && is_word(name, 1, 255, LOWER | UPPER | DIGIT, "._~-");
}

bool xb_name_is_suite(struct xb_sv name)
{
	return is_word(name, 1, 128, LOWER | DIGIT, ".-");
}

/* distribution-spec: [a-z0-9]+((\.|_|__|-+)[a-z0-9]+)* between the slashes */
static bool is_path_component(struct xb_sv part)
{
	size_t i = 0;

	if (!is_word(part, 1, 255, LOWER | DIGIT, "._-") || !is_in(part.ptr[part.len - 1], LOWER | DIGIT, ""))
		return false;
	while (i < part.len) {
		const size_t start = i;

		while (i < part.len && is_in(part.ptr[i], 0, "._-"))
			i++;
		if (i - start > 1) {
			const struct xb_sv separator = xb_sv_n(part.ptr + start, i - start);

			if (!all_in(separator, 0, "-") && !xb_sv_eq_str(separator, "__"))
				return false;
		}
		if (i == start)
			i++;
	}
	return true;
}

/* host[:port]; told from a first path component by a dot, a colon or "localhost", as docker does. */
static bool is_registry_host(struct xb_sv host)
{
	struct xb_sv rest = host;
	const struct xb_sv name = xb_sv_cut(&rest, ':');

	if (rest.ptr && (!rest.len || rest.len > 5 || !all_in(rest, DIGIT, "")))
		return false;
	return is_word(name, 1, 253, LOWER | UPPER | DIGIT, ".-") && !xb_sv_ends(name, ".") && !xb_sv_ends(name, "-");
}

static bool looks_like_host(struct xb_sv part)
{
	return memchr(part.ptr, '.', part.len) || memchr(part.ptr, ':', part.len) || xb_sv_eq_str(part, "localhost");
}

bool xb_name_is_repository(struct xb_sv name)
{
	struct xb_sv rest = name;
	bool is_first = true;

	if (!name.len || name.len > 255)
		return false;
	while (rest.ptr) {
		const struct xb_sv part = xb_sv_cut(&rest, '/');
		const bool is_host = is_first && rest.ptr && part.len && looks_like_host(part);

		if (is_host ? !is_registry_host(part) : !is_path_component(part))
			return false;
		is_first = false;
	}
	return true;
}

bool xb_name_is_tag(struct xb_sv tag)
{
	return tag.len >= 1 && tag.len <= 128 && is_in(tag.ptr[0], LOWER | UPPER | DIGIT, "_") &&
	       all_in(tag, LOWER | UPPER | DIGIT, "._-");
}

bool xb_name_is_env(struct xb_sv name)
{
	return name.len >= 1 && name.len <= 255 && is_in(name.ptr[0], LOWER | UPPER, "_") &&
	       all_in(name, LOWER | UPPER | DIGIT, "_");
}

bool xb_name_is_macro(struct xb_sv name)
{
	return xb_name_is_env(name);
}

bool xb_name_is_fingerprint(struct xb_sv text)
{
	if (text.len != 40 && text.len != 64)
		return false;
	for (size_t i = 0; i < text.len; i++) {
		if (!strchr("0123456789ABCDEF", text.ptr[i]))
			return false;
	}
	return true;
}

bool xb_name_is_version_number(struct xb_sv text)
{
	struct xb_sv rest = text;

	if (!text.len || text.len > 64)
		return false;
	while (rest.ptr) {
		const struct xb_sv part = xb_sv_cut(&rest, '.');

		if (!part.len || part.len > 9 || !all_in(part, DIGIT, ""))
			return false;
	}
	return true;
}

/* The number of the next component; 0 when there is none, so that "2.0" equals "2". */
static unsigned long next_number(struct xb_sv *rest)
{
	const struct xb_sv part = rest->ptr ? xb_sv_cut(rest, '.') : (struct xb_sv){0};
	unsigned long value = 0;

	for (size_t i = 0; i < part.len && is_in(part.ptr[i], DIGIT, ""); i++)
		value = value * 10 + (unsigned long)(part.ptr[i] - '0');
	return value;
}

int xb_version_number_compare(struct xb_sv a, struct xb_sv b)
{
	while (a.ptr || b.ptr) {
		const unsigned long x = next_number(&a), y = next_number(&b);

		if (x != y)
			return x < y ? -1 : 1;
	}
	return 0;
}

static bool is_number_behind(struct xb_sv text, const char *start, uint64_t max)
{
	const size_t n = strlen(start);
	uint64_t value;

	return xb_sv_starts(text, start) && xb_num_u64(xb_sv_n(text.ptr + n, text.len - n), max, &value);
}

bool xb_name_is_signal(struct xb_sv text)
{
	static const char *const names[] = {
		"SIGABRT", "SIGALRM", "SIGBUS",	 "SIGCHLD", "SIGCONT",	"SIGFPE",    "SIGHUP",	 "SIGILL",
		"SIGINT",  "SIGIO",   "SIGKILL", "SIGPIPE", "SIGPROF",	"SIGPWR",    "SIGQUIT",	 "SIGSEGV",
		"SIGSTOP", "SIGSYS",  "SIGTERM", "SIGTRAP", "SIGTSTP",	"SIGTTIN",   "SIGTTOU",	 "SIGURG",
		"SIGUSR1", "SIGUSR2", "SIGXCPU", "SIGXFSZ", "SIGWINCH", "SIGVTALRM", "SIGRTMIN", "SIGRTMAX",
	};

	for (size_t i = 0; i < XB_COUNT(names); i++) {
		if (xb_sv_eq_str(text, names[i]))
			return true;
	}
	return is_number_behind(text, "SIGRTMIN+", 15) || is_number_behind(text, "SIGRTMAX-", 14);
}
