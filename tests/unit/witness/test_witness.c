/* SPDX-License-Identifier: Apache-2.0 */
/* Runs as the developer or CI. Each answer of add-checkpoint, and what is remembered then. */
#include <criterion/criterion.h>
#include <errno.h>

#include "../../../launcher/evidence/tiles.h"
#include "../../../launcher/witness/state.h"
#include "../../../launcher/witness/witness.h"
#include "../evidence/log_temp.h"
#include "../evidence/note_golden.h"

#define NOW 1679315147u

static struct err err;

struct world {
	struct log_temp t;
	struct note_signer log, key;
	struct witness w;
	int state_fd;
};

#define auto_world __attribute__((cleanup(world_finish))) struct world

static void
world_finish(struct world *x)
{
	close(x->state_fd);
	log_temp_finish(&x->t);
}

/* A log of 600 entries, a witness that knows it and has cosigned nothing. */
static void
world_make(struct world *x)
{
	static const uint64_t sizes[] = {
		0, 1, 200, 280, 300, 600
	}; /* what has its partial tiles */
	uint8_t root[SHA256_SIZE];
	char path[128];

	x->t = log_temp_make();
	for (size_t i = 1; i < ARRAY_LEN(sizes); i++) {
		cr_assert_eq(log_temp_grow(&x->t, sizes[i - 1], sizes[i], root, &err), 0);
	}
	x->log = golden_signer(LOG_NAME, NOTE_ALGORITHM_ED25519);
	x->key = golden_signer(WITNESS_NAME, NOTE_ALGORITHM_COSIGNATURE);
	snprintf(path, sizeof(path), "%s/state", x->t.path);
	cr_assert_eq(witness_state_open(path, &x->state_fd, &err), 0);
	x->w = (struct witness){ .dir_fd = x->state_fd, .key = &x->key, .logs = 1 };
	x->w.log[0] = x->log.key;
}

/* A request from old to size, with the right proof; flip changes the root that is signed. */
static void
make_request(const struct world *x, uint64_t old, uint64_t size, bool flip, struct buf *out)
{
	struct checkpoint c = { .origin = LOG_NAME, .size = size };
	struct merkle_proof proof = { .count = 0 };
	auto_tiles tiles = NULL;
	auto_buf text = BUF_INIT;

	cr_assert_eq(tiles_open(x->t.fd, size, &tiles, &err), 0);
	cr_assert_eq(merkle_root(tiles_read, tiles, size, c.root), 0);
	if (old <= size) {
		cr_assert_eq(merkle_prove_consistency(tiles_read, tiles, old, size, &proof), 0);
	}
	c.root[0] ^= flip ? 1 : 0;
	buf_printf(out, "old %lu\n", old);
	for (size_t i = 0; i < proof.count; i++) {
		text_base64(out, proof.hash[i], SHA256_SIZE);
		buf_puts(out, "\n");
	}
	buf_puts(out, "\n");
	checkpoint_print(&c, &text);
	cr_assert_eq(note_sign(&x->log, buf_text(&text), text.len, out, &err), 0);
}

static unsigned int
add(const struct world *x, const struct buf *body, struct witness_answer *ret)
{
	struct witness_answer a = { .body = BUF_INIT };

	err = (struct err)ERR_INIT;
	witness_add_checkpoint(&x->w, buf_text(body), body->len, NOW, &a, &err);
	*ret = a;
	return a.status;
}

/* The status of a request; body and type as wanted, NULL: anything. */
static void
expect(const struct world *x, uint64_t old, uint64_t size, unsigned int status, const char *type,
       const char *text)
{
	auto_buf body = BUF_INIT;
	struct witness_answer a;

	make_request(x, old, size, false, &body);
	cr_expect_eq(add(x, &body, &a), status, "%lu to %lu: %u %s", old, size, a.status,
		     buf_text(&a.body));
	if (type != NULL) {
		cr_expect_str_eq(a.type, type);
		cr_expect_str_eq(buf_text(&a.body), text);
	}
	buf_finish(&a.body);
}

static void
expect_stored(const struct world *x, uint64_t size)
{
	struct checkpoint c;

	cr_assert_eq(witness_state_read(x->state_fd, LOG_NAME, &c, &err), 0);
	cr_expect_eq(c.size, size);
}

Test(witness, cosigns_what_only_grew)
{
	auto_world x;

	world_make(&x);
	expect(&x, 0, 1, 200, NULL, NULL);
	expect_stored(&x, 1);
	expect(&x, 1, 300, 200, NULL, NULL);
	expect(&x, 300, 600, 200, "text/plain; charset=utf-8", GOLDEN_COSIGNATURE);
	expect_stored(&x, 600);
	/* The same once more, as after an answer that was lost. */
	expect(&x, 600, 600, 200, "text/plain; charset=utf-8", GOLDEN_COSIGNATURE);
}

Test(witness, an_old_size_that_is_not_the_stored_one)
{
	auto_world x;

	world_make(&x);
	expect(&x, 5, 300, 409, "text/x.tlog.size", "0\n");
	expect(&x, 0, 300, 200, NULL, NULL);
	expect(&x, 0, 600, 409, "text/x.tlog.size", "300\n");
	expect(&x, 299, 600, 409, "text/x.tlog.size", "300\n");
	expect(&x, 250, 280, 409, "text/x.tlog.size", "300\n");
	expect_stored(&x, 300);
}

Test(witness, an_old_size_beyond_the_checkpoint)
{
	auto_world x;

	world_make(&x);
	expect(&x, 0, 300, 200, NULL, NULL);
	expect(&x, 300, 200, 400, "text/plain; charset=utf-8",
	       "the old size is greater than the checkpoint's\n");
	expect_stored(&x, 300);
}

Test(witness, another_root_of_the_same_size)
{
	auto_world x;
	auto_buf body = BUF_INIT, empty = BUF_INIT;
	struct witness_answer a;

	world_make(&x);
	make_request(&x, 0, 0, true, &empty);
	cr_expect_eq(add(&x, &empty, &a), 409);
	buf_finish(&a.body);
	expect(&x, 0, 300, 200, NULL, NULL);
	make_request(&x, 300, 300, true, &body);
	cr_expect_eq(add(&x, &body, &a), 409);
	cr_expect_str_eq(a.type, "text/plain; charset=utf-8");
	cr_expect_not_null(strstr(buf_text(&a.body), "two histories"));
	buf_finish(&a.body);
	expect_stored(&x, 300);
}

Test(witness, a_proof_that_does_not_hold)
{
	auto_world x;
	auto_buf fork = BUF_INIT, body = BUF_INIT, first = BUF_INIT;
	struct witness_answer a;
	char *line;

	world_make(&x);
	/* From nothing there is no proof to send. */
	make_request(&x, 1, 300, false, &first);
	first.data[4] = '0';
	cr_expect_eq(add(&x, &first, &a), 422);
	buf_finish(&a.body);
	expect_stored(&x, 0);
	expect(&x, 0, 300, 200, NULL, NULL);
	make_request(&x, 300, 600, true, &fork);
	cr_expect_eq(add(&x, &fork, &a), 422);
	buf_finish(&a.body);
	make_request(&x, 300, 600, false, &body);
	line = strchr(buf_text(&body), '\n') + 1;
	line[3] = line[3] == 'A' ? 'B' : 'A';
	cr_expect_eq(add(&x, &body, &a), 422);
	cr_expect_str_eq(buf_text(&a.body), "the proof does not show that the log only grew\n");
	buf_finish(&a.body);
	expect_stored(&x, 300);
}

Test(witness, logs_and_keys_that_it_does_not_know)
{
	auto_world x;
	auto_buf body = BUF_INIT;
	struct witness_answer a;

	world_make(&x);
	make_request(&x, 0, 300, false, &body);
	x.w.log[0].pub[0] ^= 1; /* the right name and id, a wrong key */
	cr_expect_eq(add(&x, &body, &a), 403);
	buf_finish(&a.body);
	x.w.log[0].id[0] ^= 1; /* no signature of that key */
	cr_expect_eq(add(&x, &body, &a), 403);
	buf_finish(&a.body);
	x.w.log[0].name[0] = 'L';
	cr_expect_eq(add(&x, &body, &a), 404);
	buf_finish(&a.body);
	expect_stored(&x, 0);
	/* Of two keys of one log, as while it is rotated, one is enough. */
	x.w.log[0] = x.log.key;
	x.w.log[1] = x.log.key;
	x.w.log[0].id[0] ^= 1;
	x.w.logs = 2;
	cr_expect_eq(add(&x, &body, &a), 200);
	buf_finish(&a.body);
	expect_stored(&x, 300);
}

Test(witness, what_is_no_request)
{
	static const char *const rows[] = {
		"",
		"old 0\n",
		"old 0\n\n",
		"old 0\n\nx\n\n" GOLDEN_LINE,
		"old 0\n\n" GOLDEN_TEXT,
		"old 0\n\n" LOG_NAME
		"\n600\n6KgEr1lnie1PU5QuKUz+RNW+1McUDH8PX6UsDBIiMtY=\nmore\n\n" GOLDEN_LINE,
	};
	auto_world x;

	world_make(&x);
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		auto_buf body = BUF_INIT;
		struct witness_answer a;

		buf_puts(&body, rows[i]);
		cr_expect_eq(add(&x, &body, &a), 400, "row %zu: %u", i, a.status);
		buf_finish(&a.body);
	}
	expect_stored(&x, 0);
}

Test(witness, signs_nothing_that_it_could_not_store)
{
	char hex[HEX_DIGEST_SIZE], unfinished[HEX_DIGEST_SIZE + 4];
	uint8_t digest[SHA256_SIZE];
	auto_world x;
	auto_buf body = BUF_INIT;
	struct witness_answer a;

	world_make(&x);
	make_request(&x, 0, 300, false, &body);
	/* What it remembers is damaged. */
	cr_assert_eq(witness_state_write(x.state_fd, LOG_NAME, "x", 1, &err), 0);
	cr_expect_eq(add(&x, &body, &a), 500);
	cr_expect_null(strstr(buf_text(&a.body), "\xe2\x80\x94"));
	cr_expect_eq(err.code, -EBADMSG);
	buf_finish(&a.body);
	cr_assert_eq(
		witness_state_write(x.state_fd, LOG_NAME, GOLDEN_NOTE, strlen(GOLDEN_NOTE), &err),
		0);
	/* The temporary file cannot be made. */
	sha256_of(LOG_NAME, strlen(LOG_NAME), digest);
	text_hex(digest, sizeof(digest), hex);
	snprintf(unfinished, sizeof(unfinished), "%s.new", hex);
	cr_assert_eq(mkdirat(x.state_fd, unfinished, 0700), 0);
	buf_reset(&body);
	cr_assert_eq(log_temp_grow(&x.t, 600, 700, (uint8_t[32]){ 0 }, &err), 0);
	make_request(&x, 600, 700, false, &body);
	cr_expect_eq(add(&x, &body, &a), 500);
	cr_expect_null(strstr(buf_text(&a.body), "\xe2\x80\x94"));
	buf_finish(&a.body);
	expect_stored(&x, 600);
}
