/* SPDX-License-Identifier: Apache-2.0 */
#include "xbuild/model/timestamp.h"

#include <stdio.h>

#include "xbuild/base/num.h"

#define SECONDS_PER_DAY 86400
#define LAST_SECOND	INT64_C(253402300799) /* 9999-12-31T23:59:59Z */

struct calendar {
	int year, month, day, hour, minute, second;
};

static bool is_leap(int year)
{
	return (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
}

static int days_of_month(int year, int month)
{
	static const int days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};

	return days[month - 1] + (month == 2 && is_leap(year));
}

/* Days from 1970-01-01 to the first day of a year. */
static int64_t days_before(int year)
{
	const int64_t y = year - 1;

	return y * 365 + y / 4 - y / 100 + y / 400 - 719162;
}

static struct calendar to_calendar(int64_t sec)
{
	struct calendar c = {.month = 1};
	int64_t days, rest;

	sec = sec < 0 ? 0 : sec > LAST_SECOND ? LAST_SECOND : sec;
	days = sec / SECONDS_PER_DAY;
	rest = sec % SECONDS_PER_DAY;
	/* The estimate may be one year late, never early. */
	c.year = (int)(1970 + days / 365);
	while (days_before(c.year) > days)
		c.year--;
	days -= days_before(c.year);
	while (days >= days_of_month(c.year, c.month))
		days -= days_of_month(c.year, c.month++);
	c.day = (int)days + 1;
	c.hour = (int)(rest / 3600);
	c.minute = (int)(rest / 60 % 60);
	c.second = (int)(rest % 60);
	return c;
}

/* In range by construction; the remainders tell that to the compiler's check of the buffer size. */
#define FIELDS(c)                                                                                                      \
	(unsigned)(c).year % 10000u, (unsigned)(c).month % 100u, (unsigned)(c).day % 100u, (unsigned)(c).hour % 100u,  \
		(unsigned)(c).minute % 100u, (unsigned)(c).second % 100u

const char *xb_timestamp_format(int64_t unix_sec, char buf[XB_TIMESTAMP_SIZE])
{
	const struct calendar c = to_calendar(unix_sec);

	(void)snprintf(buf, XB_TIMESTAMP_SIZE, "%04u-%02u-%02uT%02u:%02u:%02uZ", FIELDS(c));
	return buf;
}

const char *xb_timestamp_compact(int64_t unix_sec, bool plain, char buf[XB_TIMESTAMP_SIZE])
{
	const struct calendar c = to_calendar(unix_sec);

	if (plain)
		(void)snprintf(buf, XB_TIMESTAMP_SIZE, "%04u%02u%02u%02u%02u%02u", FIELDS(c));
	else
		(void)snprintf(buf, XB_TIMESTAMP_SIZE, "%04u%02u%02uT%02u%02u%02uZ", FIELDS(c));
	return buf;
}

/* The digits at `at`, which must make a number from min to max. */
static bool read_field(struct xb_sv text, size_t at, size_t len, int min, int max, int *out)
{
	uint64_t value;

	if (!xb_num_u64(xb_sv_n(text.ptr + at, len), (uint64_t)max, &value) || (int)value < min)
		return false;
	*out = (int)value;
	return true;
}

bool xb_timestamp_parse(struct xb_sv text, int64_t *out_unix_sec)
{
	static const char shape[] = "0000-00-00T00:00:00Z";
	struct calendar c;
	int64_t days;

	if (text.len != sizeof(shape) - 1)
		return false;
	for (size_t i = 0; i < text.len; i++) {
		const bool is_digit = text.ptr[i] >= '0' && text.ptr[i] <= '9';

		if (shape[i] == '0' ? !is_digit : text.ptr[i] != shape[i])
			return false;
	}
	if (!read_field(text, 0, 4, 1970, 9999, &c.year) || !read_field(text, 5, 2, 1, 12, &c.month) ||
	    !read_field(text, 8, 2, 1, days_of_month(c.year, c.month), &c.day) ||
	    !read_field(text, 11, 2, 0, 23, &c.hour) || !read_field(text, 14, 2, 0, 59, &c.minute) ||
	    !read_field(text, 17, 2, 0, 59, &c.second))
		return false;
	days = days_before(c.year) + c.day - 1;
	for (int month = 1; month < c.month; month++)
		days += days_of_month(c.year, month);
	*out_unix_sec = days * SECONDS_PER_DAY + c.hour * 3600 + c.minute * 60 + c.second;
	return true;
}
