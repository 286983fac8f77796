/* SPDX-License-Identifier: Apache-2.0 */
#include "linked.h"

#include <fcntl.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define MAX_PATH     4096
#define MAX_SEGMENTS 1000
#define MAX_NOTES    (64 * 1024)
#define MAX_ID	     64
#define ET_EXEC	     2
#define ET_DYN	     3
#define PT_NOTE	     4
#define BUILD_ID     3

struct elf {
	int fd;
	bool big, wide;
};

static uint64_t number(const struct elf *elf, const uint8_t *at, unsigned width)
{
	uint64_t value = 0;

	for (unsigned i = 0; i < width; i++)
		value |= (uint64_t)at[i] << 8 * (elf->big ? width - 1 - i : i);
	return value;
}

static bool is_padding(char c)
{
	return c == '\n' || c == '\\' || c == ' ' || c == ':';
}

/* "NAME: \" is the first line; the name is written as it is. */
static bool result_of(const char *libs, char *out, size_t size)
{
	FILE *in = fopen(libs, "re");
	const bool is_read = in && fgets(out, (int)size, in);
	size_t n = is_read ? strlen(out) : 0;

	if (in)
		fclose(in);
	while (n && is_padding(out[n - 1]))
		n--;
	out[n] = 0;
	return n > 0;
}

/* The ID among the notes of one segment: a head of three words, then name and description, each to a multiple of four. */
static bool find_id(const struct elf *elf, uint64_t offset, uint64_t size, char *out)
{
	static uint8_t notes[MAX_NOTES];
	const ssize_t got = pread(elf->fd, notes, size < MAX_NOTES ? size : MAX_NOTES, (off_t)offset);

	for (uint64_t at = 0; got > 0 && at + 12 <= (uint64_t)got;) {
		const uint64_t name = number(elf, notes + at, 4), desc = number(elf, notes + at + 4, 4);
		const uint64_t from = at + 12 + (name + 3) / 4 * 4;

		if (from > (uint64_t)got || desc > (uint64_t)got - from)
			return false;
		if (number(elf, notes + at + 8, 4) == BUILD_ID && name == 4 && memcmp(notes + at + 12, "GNU", 4) == 0 &&
		    desc > 0 && desc <= MAX_ID) {
			for (uint64_t i = 0; i < desc; i++)
				snprintf(out + 2 * i, 3, "%02x", notes[from + i]);
			return true;
		}
		at = from + (desc + 3) / 4 * 4;
	}
	return false;
}

/* False: no program and no shared library. Without an ID, *out is "none". */
static bool id_of(struct elf *elf, char *out)
{
	uint8_t head[64], segment[56];

	if (pread(elf->fd, head, sizeof(head), 0) != sizeof(head) || memcmp(head, "\177ELF", 4) != 0)
		return false;
	elf->wide = head[4] == 2;
	elf->big = head[5] == 2;
	const uint64_t type = number(elf, head + 16, 2), n = number(elf, head + (elf->wide ? 56 : 44), 2);
	const uint64_t at = number(elf, head + (elf->wide ? 32 : 28), elf->wide ? 8 : 4);
	const size_t size = elf->wide ? 56 : 32;

	if (type != ET_EXEC && type != ET_DYN)
		return false;
	snprintf(out, 2 * MAX_ID + 1, "none");
	for (uint64_t i = 0; i < n && i < MAX_SEGMENTS; i++) {
		if (pread(elf->fd, segment, size, (off_t)(at + i * size)) != (ssize_t)size)
			break;
		if (number(elf, segment, 4) == PT_NOTE &&
		    find_id(elf, number(elf, segment + (elf->wide ? 8 : 4), elf->wide ? 8 : 4),
			    number(elf, segment + (elf->wide ? 32 : 16), elf->wide ? 8 : 4), out))
			break;
	}
	return true;
}

void wrap_note_linked(const char *libs, const char *record)
{
	char path[MAX_PATH], id[2 * MAX_ID + 1];
	struct elf elf = {.fd = -1};
	FILE *out;

	if (!result_of(libs, path, sizeof(path)) || (elf.fd = open(path, O_RDONLY | O_CLOEXEC)) < 0)
		return;
	if (id_of(&elf, id) && (out = fopen(record, "we"))) {
		fprintf(out, "%s\n", id);
		fclose(out);
	}
	close(elf.fd);
}
