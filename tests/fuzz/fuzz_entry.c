/* SPDX-License-Identifier: Apache-2.0 */
/*
 * libFuzzer target for the readers of records: a journal file of any bytes, and what one entry is
 * cut into. Run by a developer or CI; the file is in a directory of $TMPDIR. Every entry that is
 * read stands there, whole, behind the one before; where the reader stopped without a complaint,
 * a writer finds the end too, and its entry is read next.
 */
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../../launcher/base/crc32.h"
#include "../../launcher/base/fdio.h"
#include "../../launcher/store/entry.h"
#include "../../launcher/store/store_internal.h"
#include "fuzz.h"

#define WORKFLOW "01890000-0000-7000-8000-000000000001"

struct walk {
	const uint8_t *data;
	size_t size, next; /* behind the last entry */
	unsigned int count;
	bool own; /* the last one was ours */
};

static const char own[] = "{\"own\":1}";

/* What is cut out of an entry makes the entry again; what is forgotten of it is as long. */
static void
try_entry(const uint8_t *json, size_t len)
{
	auto_buf again = BUF_INIT, gone = BUF_INIT, leaf = BUF_INIT, leaf_gone = BUF_INIT;
	struct entry e, f;

	if (!entry_slice(json, len, &e)) {
		return;
	}
	entry_leaf(e.type, e.call, e.digest, &leaf);
	if (e.record == NULL) {
		require(e.forgotten[0] != '\0', "nothing of it is there");
		return;
	}
	buf_printf(&again, "{\"call\":\"%s\",\"record\":", e.call);
	buf_put(&again, e.record, e.record_len);
	buf_puts(&again, ",\"salt\":\"");
	for (size_t i = 0; i < ENTRY_SALT_SIZE; i++) {
		buf_printf(&again, "%02x", e.salt[i]);
	}
	buf_printf(&again, "\",\"type\":\"%s\"}", entry_type_word(e.type));
	require_shown(again.len == len && memcmp(again.data, json, len) == 0, "another spelling",
		      &again);
	if (entry_print_forgotten(&e, WORKFLOW, len, &gone) == 0) {
		require(gone.len == len && entry_slice(gone.data, gone.len, &f) &&
				f.record == NULL && strcmp(f.forgotten, WORKFLOW) == 0,
			"not what is left of it");
		entry_leaf(f.type, f.call, f.digest, &leaf_gone);
		require(strcmp(buf_text(&leaf), buf_text(&leaf_gone)) == 0,
			"the log would have another leaf");
	}
}

static int
one(void *arg, struct journal_pos pos, const uint8_t *json, size_t len)
{
	struct walk *w = arg;

	require(pos.file == 1 && pos.offset == w->next, "not behind the one before");
	w->own = len == strlen(own) && memcmp(json, own, len) == 0;
	if (w->next + JOURNAL_HEADER + len <= w->size && w->data != NULL) {
		require(memcmp(w->data + w->next + JOURNAL_HEADER, json, len) == 0,
			"it does not stand there");
	}
	w->next = pos.offset + JOURNAL_HEADER + len;
	w->count++;
	try_entry(json, len);
	return 0;
}

/* One for the process, where tests/fuzz/run removes it. */
static int
open_dir(void)
{
	const char *parent = getenv("TMPDIR");
	char path[4096];
	int fd;

	snprintf(path, sizeof(path), "%s/entry-XXXXXX", parent != NULL ? parent : "/tmp");
	require(mkdtemp(path) != NULL, "no directory");
	fd = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
	require(fd >= 0 && mkdirat(fd, "journal", 0700) == 0, "no journal");
	return fd;
}

static void
write_journal(int dir, const uint8_t *data, size_t size)
{
	auto_fd fd =
		openat(dir, "journal/0001.log", O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

	require(fd >= 0 && fdio_write(fd, data, size) == 0, "no file");
}

static void
remove_journal(int dir)
{
	ignore_err(unlinkat(dir, "journal/0001.log", 0), "it is made anew");
}

static void
try_journal(const uint8_t *data, size_t size, bool append)
{
	static int dir = -1;
	struct store s = STORE_INIT;
	struct walk w = { .data = data, .size = size };
	struct journal_pos next = { 0, 0 };
	struct err err = ERR_INIT;
	unsigned int count;

	dir = dir < 0 ? open_dir() : dir;
	s.dir_fd = dir;
	s.path = "state";
	write_journal(dir, data, size);
	if (journal_read(&s, (struct journal_pos){ 0, 0 }, &next, one, &w, &err) < 0) {
		require(err.text[0] != '\0', "refused without words");
		remove_journal(dir);
		return;
	}
	count = w.count;
	if (!append) {
		remove_journal(dir);
		return;
	}
	s.journal_fd = openat(dir, "journal/0001.log", O_RDWR | O_CLOEXEC);
	s.journal_number = 1;
	require(journal_append(&s, own, strlen(own), &next, &err) == 0, err.text);
	require(next.file == 1 && next.offset == w.next, "the writer found another end");
	w = (struct walk){ .data = NULL };
	require(journal_read(&s, (struct journal_pos){ 0, 0 }, &next, one, &w, &err) == 0,
		err.text);
	require(w.own && w.count == count + 1, "what was appended is not the next");
	close(s.journal_fd);
	remove_journal(dir);
}

/* The entries as the input has them, with the lengths and sums that a journal has. */
static void
frame(const uint8_t *data, size_t size, struct buf *ret)
{
	while (size > 0) {
		const uint8_t *end = memchr(data, 0, size);
		size_t len = end != NULL ? (size_t)(end - data) : size;

		if (len > 0) {
			buf_u32(ret, (uint32_t)len);
			buf_u32(ret, crc32_update(0, data, len));
			buf_put(ret, data, len);
		}
		data += len;
		size -= len;
		data += size > 0;
		size -= size > 0;
	}
}

/*
 * The first byte: a whole file as it is, or entries, the last cut short by half as many bytes; odd:
 * then something is appended, which reserves room and so takes its time.
 */
int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	auto_buf file = BUF_INIT;

	if (size == 0) {
		return 0;
	}
	if (data[0] == 0) {
		try_journal(data + 1, size - 1, false);
		return 0;
	}
	try_entry(data + 1, size - 1);
	frame(data + 1, size - 1, &file);
	file.len -= file.len > data[0] / 2u ? data[0] / 2u : 0;
	try_journal(file.len > 0 ? file.data : (const uint8_t *)"", file.len, data[0] % 2 == 1);
	return 0;
}
