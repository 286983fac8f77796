/* SPDX-License-Identifier: Apache-2.0 */
#include "xbuild/sys/deb_members.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "xbuild/base/limits.h"
#include "xbuild/base/num.h"
#include "xbuild/base/sv.h"

/* The fields of an ar(5) member header. */
#define AR_MAGIC	"!<arch>\n"
#define AR_MAGIC_BYTES	8
#define AR_HEADER_BYTES 60
#define AR_NAME_BYTES	16
#define AR_SIZE_AT	48
#define AR_SIZE_BYTES	10
#define AR_END_AT	58

#define MAX_MEMBERS 64

struct scan {
	int fd;
	int64_t file_bytes;
	const char *name;
	enum { WANT_VERSION, WANT_CONTROL, WANT_DATA, WANT_NOTHING } state;
	struct xb_deb_member control, data;
};

/* Up to len bytes at the offset; fewer only at the end of the file. */
static int read_at(struct scan *s, int64_t at, void *buf, size_t len, size_t *out_len, struct xb_err *err)
{
	size_t got = 0;
	while (got < len) {
		ssize_t n = pread(s->fd, (char *)buf + got, len - got, (off_t)at + (off_t)got);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return xb_fail_errno(err, "read '%s'", s->name);
		if (n == 0)
			break;
		got += (size_t)n;
	}
	*out_len = got;
	return 0;
}

static struct xb_sv without_trailing_blanks(const char *field, size_t len)
{
	while (len > 0 && field[len - 1] == ' ')
		len--;
	return xb_sv_n(field, len);
}

static bool is_plain_name(struct xb_sv name)
{
	for (size_t i = 0; i < name.len; i++)
		if (name.ptr[i] <= ' ' || name.ptr[i] > '~' || name.ptr[i] == '/')
			return false;
	return name.len > 0;
}

static int parse_header(struct scan *s, const char *header, int64_t at, struct xb_deb_member *out, struct xb_err *err)
{
	if (memcmp(header + AR_END_AT, "`\n", 2) != 0)
		return xb_fail(err, XB_E_VERIFY, "read '%s': no member header at byte %lld", s->name, (long long)at);
	struct xb_sv name = without_trailing_blanks(header, AR_NAME_BYTES);
	/* The System V form of ar ends names with a slash. */
	if (xb_sv_ends(name, "/"))
		name.len--;
	if (!is_plain_name(name))
		return xb_fail(err, XB_E_VERIFY, "read '%s': the member at byte %lld has no valid name", s->name,
			       (long long)at);
	memcpy(out->name, name.ptr, name.len);
	out->name[name.len] = '\0';
	uint64_t size = 0;
	struct xb_sv digits = without_trailing_blanks(header + AR_SIZE_AT, AR_SIZE_BYTES);
	if (!xb_num_u64(digits, (uint64_t)XB_MAX_PACKAGE_BYTES, &size))
		return xb_fail(err, XB_E_VERIFY, "read '%s': member '%s' has no valid size", s->name, out->name);
	out->at = at + AR_HEADER_BYTES;
	out->size_bytes = (int64_t)size;
	return 0;
}

/* "2.0\n"; a higher minor version and further lines are allowed by deb(5). */
static int check_version(struct scan *s, const struct xb_deb_member *m, struct xb_err *err)
{
	char text[16] = {0};
	size_t len = m->size_bytes < (int64_t)sizeof(text) ? (size_t)m->size_bytes : sizeof(text);
	int rc = read_at(s, m->at, text, len, &len, err);
	if (rc < 0)
		return rc;
	bool has_line_end = memchr(text, '\n', len) != NULL;
	struct xb_sv rest = xb_sv_n(text, len);
	struct xb_sv minor = xb_sv_cut(&rest, '\n');
	struct xb_sv major = xb_sv_cut(&minor, '.');
	uint64_t number = 0;
	if (!has_line_end || !xb_sv_eq_str(major, "2") || !minor.ptr || !xb_num_u64(minor, 999, &number))
		return xb_fail(err, XB_E_VERIFY, "read '%s': its package format is not 2.x", s->name);
	return 0;
}

static int take_member(struct scan *s, const struct xb_deb_member *m, struct xb_err *err)
{
	struct xb_sv name = xb_sv(m->name);
	bool is_version = xb_sv_eq_str(name, "debian-binary");
	bool is_control = xb_sv_starts(name, "control.tar");
	bool is_data = xb_sv_starts(name, "data.tar");
	if (s->state == WANT_VERSION && is_version) {
		s->state = WANT_CONTROL;
		return check_version(s, m, err);
	}
	if (s->state == WANT_VERSION)
		return xb_fail(err, XB_E_VERIFY, "read '%s': its first member is '%s' instead of 'debian-binary'",
			       s->name, m->name);
	if (s->state == WANT_CONTROL && is_control) {
		s->state = WANT_DATA;
		s->control = *m;
		return 0;
	}
	if (s->state == WANT_DATA && is_data) {
		s->state = WANT_NOTHING;
		s->data = *m;
		return 0;
	}
	bool is_extra = !is_version && !is_control && !is_data;
	if (is_extra && (s->state == WANT_NOTHING || m->name[0] == '_'))
		return 0;
	return xb_fail(err, XB_E_VERIFY, "read '%s': member '%s' is out of place", s->name, m->name);
}

/* The offset behind a member's content and its padding to an even one. */
static int skip_content(struct scan *s, const struct xb_deb_member *m, int64_t *out_next, struct xb_err *err)
{
	int64_t end = m->at + m->size_bytes;
	if (end > s->file_bytes)
		return xb_fail(err, XB_E_VERIFY, "read '%s': it ends inside of member '%s'", s->name, m->name);
	if (end % 2 == 0 || end == s->file_bytes) {
		*out_next = end;
		return 0;
	}
	char pad = 0;
	size_t len = 0;
	int rc = read_at(s, end, &pad, 1, &len, err);
	if (rc < 0)
		return rc;
	if (pad != '\n')
		return xb_fail(err, XB_E_VERIFY, "read '%s': member '%s' has a wrong size", s->name, m->name);
	*out_next = end + 1;
	return 0;
}

static int scan_members(struct scan *s, struct xb_err *err)
{
	char header[AR_HEADER_BYTES];
	size_t len = 0;
	int rc = read_at(s, 0, header, AR_MAGIC_BYTES, &len, err);
	if (rc < 0)
		return rc;
	if (len != AR_MAGIC_BYTES || memcmp(header, AR_MAGIC, AR_MAGIC_BYTES) != 0)
		return xb_fail(err, XB_E_VERIFY, "read '%s': it is no Debian package", s->name);
	int64_t at = AR_MAGIC_BYTES;
	for (int n = 0; at < s->file_bytes; n++) {
		struct xb_deb_member m = {0};
		rc = read_at(s, at, header, sizeof(header), &len, err);
		if (rc < 0)
			return rc;
		if (len != sizeof(header))
			return xb_fail(err, XB_E_VERIFY, "read '%s': it ends inside of a member header", s->name);
		if (n == MAX_MEMBERS)
			return xb_fail(err, XB_E_VERIFY, "read '%s': it has more than %d members", s->name,
				       MAX_MEMBERS);
		rc = parse_header(s, header, at, &m, err);
		if (rc == 0)
			rc = skip_content(s, &m, &at, err);
		if (rc == 0)
			rc = take_member(s, &m, err);
		if (rc < 0)
			return rc;
	}
	return 0;
}

int xb_deb_find(int fd, const char *which, const char *name, struct xb_deb_member *out, struct xb_err *err)
{
	static const char *const missing[] = {"debian-binary", "control.tar", "data.tar"};
	struct scan s = {.fd = fd, .name = name};
	struct stat st;
	if (fstat(fd, &st) < 0)
		return xb_fail_errno(err, "read '%s'", name);
	s.file_bytes = st.st_size;
	int rc = scan_members(&s, err);
	if (rc < 0)
		return rc;
	if (s.state != WANT_NOTHING)
		return xb_fail(err, XB_E_VERIFY, "read '%s': member '%s' is missing", name, missing[s.state]);
	*out = strcmp(which, "control") == 0 ? s.control : s.data;
	return 0;
}
