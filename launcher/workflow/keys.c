/* SPDX-License-Identifier: Apache-2.0 */
/* Run by the front and airlock-cli, as the caller, under the workflow's ledger. */
#include "keys.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "../base/cleanup.h"
#include "../base/fdio.h"

#define NAME_SIZE (sizeof("key-") + HEX_DIGEST_SIZE)
#define LINE_MAX_SIZE 256

const char *const request_part_words[REQUEST_PART__COUNT] = {
#define PART(id, word) [REQUEST_##id] = (word),
#include "request_parts.def"
#undef PART
};

static void
name_of(const char *key, char ret_name[NAME_SIZE])
{
	uint8_t digest[SHA256_SIZE];

	sha256_of(key, strlen(key), digest);
	memcpy(ret_name, "key-", sizeof("key-"));
	text_hex(digest, SHA256_SIZE, ret_name + 4);
}

static int
print_entry(const struct key_entry *e, char ret_line[LINE_MAX_SIZE])
{
	char hex[HEX_DIGEST_SIZE];

	text_hex(e->request, SHA256_SIZE, hex);
	return snprintf(ret_line, LINE_MAX_SIZE, "%s %s %u %s\n", e->call, hex, e->attempt,
			e->parts);
}

/* Only what print_entry makes: what a crash left half written is no entry. */
static int
parse_entry(const char *line, size_t len, struct key_entry *ret)
{
	const size_t digest_at = UUID_TEXT_SIZE, attempt_at = digest_at + HEX_DIGEST_SIZE;
	char again[LINE_MAX_SIZE], hex[HEX_DIGEST_SIZE] = "";
	const char *parts;
	uint64_t attempt;
	uint8_t id[16];

	if (len < attempt_at) {
		return -EBADMSG;
	}
	memcpy(ret->call, line, UUID_TEXT_SIZE - 1);
	ret->call[UUID_TEXT_SIZE - 1] = '\0';
	memcpy(hex, line + digest_at, HEX_DIGEST_SIZE - 1);
	parts = text_numbers(line + attempt_at, ' ', &attempt, 1);
	if (text_uuid_parse(ret->call, id) != 0 ||
	    text_unhex(hex, ret->request, SHA256_SIZE) != 0 || parts == NULL ||
	    attempt > UINT32_MAX) {
		return -EBADMSG;
	}
	ret->attempt = (uint32_t)attempt;
	snprintf(ret->parts, sizeof(ret->parts), "%s", parts + (*parts == ' '));
	return print_entry(ret, again) == (int)len && memcmp(line, again, len) == 0 ? 0 : -EBADMSG;
}

int
keys_read(int workflow_fd, const char *key, struct key_entry *ret)
{
	char name[NAME_SIZE], line[LINE_MAX_SIZE] = "";
	const char *end;
	auto_fd fd = -1;
	ssize_t len;

	name_of(key, name);
	fd = openat(workflow_fd, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	if (fd < 0) {
		return -errno;
	}
	len = pread(fd, line, sizeof(line) - 1, 0);
	if (len < 0) {
		return -errno;
	}
	end = memchr(line, '\n', (size_t)len);
	return end == NULL || parse_entry(line, (size_t)(end + 1 - line), ret) < 0 ? -ENOENT : 0;
}

int
keys_write(int workflow_fd, const char *key, const struct key_entry *e)
{
	char name[NAME_SIZE], line[LINE_MAX_SIZE];
	auto_fd fd = -1;

	name_of(key, name);
	fd = openat(workflow_fd, name, O_WRONLY | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (fd < 0) {
		return -errno;
	}
	/* in place: an empty file would free the key of a call that ran */
	return fdio_rewrite(fd, line, (size_t)print_entry(e, line));
}

void
keys_put_difference(struct buf *b, const char *parts_a, const char *parts_b)
{
	const size_t width = (size_t)REQUEST_PART_BYTES * 2;
	bool is_first = true;

	for (enum request_part i = 0; i < REQUEST_PART__COUNT; i++) {
		if (memcmp(parts_a + i * width, parts_b + i * width, width) != 0) {
			buf_printf(b, "%s%s", is_first ? "" : ", ", request_part_words[i]);
			is_first = false;
		}
	}
}

void
keys_remove(int workflow_fd, const char *key)
{
	char name[NAME_SIZE];

	name_of(key, name);
	ignore_err(unlinkat(workflow_fd, name, 0),
		   "what it names has no record: the key is free all the same");
}
