/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Runs in airlock-log and airlock-cli, as the caller, under index.lock. Trusts the state
 * directory's owner and nothing that lies in it: before it signs, what it signed last must still be
 * what the tiles hold and what the journal says.
 */
#include "log_write.h"

#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <stdio.h>
#include <string.h>

#include "../base/clock.h"
#include "../base/fdio.h"
#include "../base/json.h"
#include "log_key.h"
#include "log_rotate.h"
#include "log_state.h"
#include "../evidence/tiles.h"

#define BATCH_LEAVES 16384u

struct writer {
	struct index *ix; /* borrowed */
	struct store *store;
	struct log_state *state;
	struct note_signer signer;
	struct log_latest latest;
	int log_fd; /* $STATE/log */
};

static void
writer_finish(struct writer *w)
{
	log_state_close(&w->state);
	note_signer_finish(&w->signer);
	log_latest_finish(&w->latest);
	cleanup_fd(&w->log_fd);
}

/* ---- the key ------------------------------------------------------------------------------- */

static int
lost(const struct writer *w, const char *trace, struct err *err)
{
	return err_set(err, -EBADMSG,
		       "%s/" LOG_STATE_FILE " is missing or empty, but %s: signing again could "
		       "fork the log; put the file back, or start a new state directory",
		       w->store->path, trace);
}

/*
 * Without log.db nobody knows what was signed last, and a log that goes on without knowing can
 * fork. Whatever a log leaves behind shows that there was one.
 */
static int
check_no_trace(const struct writer *w, struct err *err)
{
	static const struct {
		const char *path, *trace;
	} traces[] = {
		{ LOG_CHECKPOINT_FILE, "a checkpoint was published" },
		{ LOG_DIR "/tile", "there are tiles" },
		{ COVERED_FILE, COVERED_FILE " is there" },
	};

	for (size_t i = 0; i < ARRAY_LEN(traces); i++) {
		if (faccessat(w->store->dir_fd, traces[i].path, F_OK, AT_SYMLINK_NOFOLLOW) == 0) {
			return lost(w, traces[i].trace, err);
		}
	}
	return 0;
}

static int
check_not_lost(const struct writer *w, struct err *err)
{
	return faccessat(w->store->dir_fd, LOG_STATE_FILE, F_OK, AT_SYMLINK_NOFOLLOW) < 0
		     ? check_no_trace(w, err)
		     : 0;
}

struct mention {
	const char *member, *vkey;
	bool found;
};

static int
look_for_mention(void *arg, const struct index_event *event)
{
	struct mention *m = arg;
	json_t *record = json_loadb(event->record, event->record_len, 0, NULL);
	const char *vkey = json_string_value(json_object_get(record, m->member));

	m->found = m->found || (vkey != NULL && strcmp(vkey, m->vkey) == 0);
	json_decref(record);
	return 0;
}

/* Whether the journal says that this key opened the log, or that it was rotated to. */
static int
is_mentioned(const struct writer *w, bool *ret, struct err *err)
{
	auto_buf vkey = BUF_INIT;
	struct mention open = { .member = "vkey" }, rotate = { .member = "new" };
	int rc;

	note_key_print(&w->signer.key, &vkey);
	if (buf_error(&vkey) != 0) {
		return err_sys(err, -ENOMEM, "look for the log's key");
	}
	open.vkey = rotate.vkey = buf_text(&vkey);
	rc = index_events(w->ix, entry_type_word(ENTRY_LOG_OPEN), look_for_mention, &open, err);
	if (rc == 0) {
		rc = index_events(w->ix, entry_type_word(ENTRY_KEY_ROTATE), look_for_mention,
				  &rotate, err);
	}
	*ret = open.found || rotate.found;
	return rc;
}

static int
begin_state(struct writer *w, struct err *err)
{
	bool mentioned = false;
	int rc = is_mentioned(w, &mentioned, err);

	if (rc == 0 && mentioned) {
		return lost(w, "the journal says that this key opened a log", err);
	}
	if (rc == 0) {
		rc = log_state_begin(w->state, &w->signer.key, err);
	}
	return rc == 0 ? log_state_latest(w->state, &w->latest, err) : rc;
}

/* The first key is the one that is there, or a new one; from then on it is the one in log.db. */
static int
choose_key(struct writer *w, const char *credentials, struct err *err)
{
	struct err none = ERR_INIT;
	int rc = log_state_latest(w->state, &w->latest, &none);
	bool is_first = rc == -ENODATA;

	if (rc != 0 && !is_first) {
		return err_set(err, rc, "%s", none.text);
	}
	if (is_first && check_no_trace(w, err) != 0) {
		return -EBADMSG;
	}
	rc = log_key_load(w->store, credentials, &w->signer, NULL, &none);
	if (rc == -ENOENT && is_first) {
		rc = log_key_make(w->store, credentials, NULL, &w->signer, &none);
	}
	if (rc != 0) {
		return err_set(err, rc, "the log's key: %s", none.text);
	}
	if (is_first) {
		return begin_state(w, err);
	}
	if (!note_key_equal(&w->signer.key, &w->latest.key)) {
		return err_set(err, -EPERM,
			       "the log is signed by %s+%02x%02x%02x%02x, and the key that is here "
			       "is another: put the right one back (airlock key show)",
			       w->latest.key.name, w->latest.key.id[0], w->latest.key.id[1],
			       w->latest.key.id[2], w->latest.key.id[3]);
	}
	return 0;
}

static int
write_open_record(const struct writer *w, struct buf *out)
{
	auto_buf vkey = BUF_INIT;
	struct json j;

	note_key_print(&w->signer.key, &vkey);
	json_init(&j, out);
	json_begin_object(&j);
	json_key(&j, "node");
	store_put_node(&j);
	json_kv_str(&j, "origin", w->signer.key.name);
	json_kv_uint(&j, "t", clock_realtime_ms());
	json_kv_uint(&j, "v", 1);
	json_kv_str(&j, "vkey", buf_text(&vkey));
	json_end(&j);
	return buf_error(&vkey) != 0 ? buf_error(&vkey) : json_error(&j);
}

/* Once per log: who signs it from when on. One of an earlier log may be there. */
static int
log_opening(struct writer *w, struct err *err)
{
	auto_buf record = BUF_INIT;
	uint64_t entries;
	bool mentioned = false;
	int rc = is_mentioned(w, &mentioned, err);

	if (rc != 0 || mentioned) {
		return rc;
	}
	rc = write_open_record(w, &record);
	if (rc != 0) {
		return err_sys(err, rc, "open the log");
	}
	rc = store_append_event_to(w->store->path, ENTRY_LOG_OPEN, record.data, record.len, err);
	return rc == 0 ? index_ingest(w->ix, w->store, &entries, err) : rc;
}

static int
begin(struct writer *w, const char *credentials, struct err *err)
{
	int rc = check_not_lost(w, err);

	if (rc == 0) {
		rc = log_state_open(w->store, true, &w->state, err);
	}
	if (rc == 0) {
		rc = log_rotate_recover(w->ix, w->store, w->state, err);
	}
	if (rc == 0) {
		rc = choose_key(w, credentials, err);
	}
	if (rc == 0) {
		rc = log_opening(w, err);
	}
	if (rc == 0) {
		rc = log_key_publish(w->store, &w->signer.key, err);
	}
	return rc == 0 ? log_dir_open(w->store, &w->log_fd, err) : rc;
}

/*
 * ---- what was signed still holds ---------------------------------------------------------------
 */

#define ENOUGH 1 /* ends a walk; no errno */

struct compare {
	struct tiles *tiles; /* borrowed */
	uint64_t end;
	struct err *err;
};

static int
compare_leaf(void *arg, const struct index_leaf *leaf)
{
	const struct compare *c = arg;
	const uint8_t *logged;
	auto_buf want = BUF_INIT;
	size_t len;
	int rc;

	if (leaf->n == c->end) {
		return ENOUGH;
	}
	rc = tiles_entry(c->tiles, leaf->n, &logged, &len, c->err);
	if (rc != 0) {
		return rc;
	}
	entry_leaf(leaf->type, leaf->call, leaf->digest, &want);
	if (buf_error(&want) != 0) {
		return err_sys(c->err, -ENOMEM, "compare the log");
	}
	return want.len == len && memcmp(want.data, logged, len) == 0
		     ? 0
		     : err_set(c->err, -EBADMSG,
			       "entry %llu of the journal is not what the log has: airlock verify "
			       "--store says what was changed",
			       (unsigned long long)leaf->n);
}

/*
 * A checkpoint that says more than log.db knows of: log.db was put back to an older state, and who
 * saw that checkpoint would see a fork. One that cannot be read is written again.
 */
static int
check_published(struct writer *w, struct err *err)
{
	auto_buf text = BUF_INIT;
	struct checkpoint c;
	struct note note;

	if (fdio_slurp_file_at(w->store->dir_fd, LOG_CHECKPOINT_FILE, NOTE_MAX, &text) != 0 ||
	    checkpoint_read(buf_text(&text), text.len, &note, &c, NULL) != 0 ||
	    strcmp(c.origin, w->latest.key.name) != 0 || c.size < w->latest.size ||
	    (c.size == w->latest.size && memcmp(c.root, w->latest.root, SHA256_SIZE) == 0)) {
		return 0;
	}
	return err_set(err, -EBADMSG,
		       "%s/" LOG_CHECKPOINT_FILE " is over %llu entries, and " LOG_STATE_FILE
		       " knows of %llu%s: one of the two was put back; nothing is signed, for it "
		       "would fork the log",
		       w->store->path, (unsigned long long)c.size,
		       (unsigned long long)w->latest.size,
		       c.size == w->latest.size ? " with another root" : "");
}

/*
 * The root of the tiles is the signed one, and the journal's last entries are those of the last
 * tile. What is before them is airlock verify's: that costs the whole log.
 */
static int
check_signed(struct writer *w, uint64_t size, struct err *err)
{
	auto_tiles tiles = NULL;
	uint8_t root[SHA256_SIZE];
	struct compare compare = { .err = err };
	uint64_t signed_size = w->latest.size;
	int rc;

	if (size < signed_size) {
		return err_set(
			err, -ESTALE,
			"the log in %s is signed over %llu entries and the journal has %llu: "
			"a restored backup, or a journal that was cut; nothing is signed, for "
			"it would fork the log",
			w->store->path, (unsigned long long)signed_size, (unsigned long long)size);
	}
	if (signed_size == 0) {
		return 0;
	}
	rc = tiles_open(w->log_fd, signed_size, &tiles, err);
	if (rc == 0) {
		rc = merkle_root(tiles_read, tiles, signed_size, root);
	}
	if (rc == 0 && memcmp(root, w->latest.root, SHA256_SIZE) != 0) {
		return err_set(err, -EBADMSG,
			       "the tiles in %s/" LOG_DIR
			       " are not those that were signed: airlock verify --store says "
			       "which",
			       w->store->path);
	}
	if (rc != 0) {
		return rc;
	}
	compare.tiles = tiles;
	compare.end = signed_size;
	rc = index_leaves(w->ix, signed_size - 1 - (signed_size - 1) % TILE_WIDTH, compare_leaf,
			  &compare, err);
	return rc == ENOUGH ? 0 : rc;
}

/* ---- publishing ---------------------------------------------------------------------------- */

int
log_publish(const struct store *s, struct log_state *state, const struct log_latest *latest,
	    struct err *err)
{
	auto_buf text = BUF_INIT;
	int rc;

	if (latest->size == 0) {
		return 0;
	}
	buf_put(&text, latest->note.data, latest->note.len);
	rc = log_state_cosignatures(state, latest->size, &text, err);
	if (rc != 0) {
		return rc;
	}
	rc = fdio_update_at(s->dir_fd, LOG_CHECKPOINT_FILE, text.data, text.len, 0644);
	return rc != 0 ? err_sys(err, rc, "write %s/" LOG_CHECKPOINT_FILE, s->path) : 0;
}

/* Behind log.close no call begins: the front looks nowhere else. */
static int
position_to_publish(struct writer *w, struct journal_pos *pos, struct err *err)
{
	bool is_closed = false;
	int rc = index_is_closed(w->ix, &is_closed, err);

	if (rc == 0 && is_closed) {
		*pos = (struct journal_pos){ .file = COVERED_CLOSED };
	}
	return rc;
}

/* ---- growing ------------------------------------------------------------------------------- */

struct batch {
	size_t wanted;
	struct buf bytes; /* leaves, one behind the other */
	size_t count;
	size_t len[BATCH_LEAVES];
};

static int
add_leaf(void *arg, const struct index_leaf *leaf)
{
	struct batch *b = arg;
	size_t before = b->bytes.len;

	if (b->count == b->wanted) {
		return ENOUGH;
	}
	entry_leaf(leaf->type, leaf->call, leaf->digest, &b->bytes);
	b->len[b->count++] = b->bytes.len - before;
	return buf_error(&b->bytes);
}

static int
append_batch(struct writer *w, const struct batch *b, uint8_t ret_root[SHA256_SIZE],
	     struct err *err)
{
	auto_free struct tile_entry *entries = calloc(b->count, sizeof(*entries));
	size_t at = 0;

	if (entries == NULL) {
		return err_sys(err, -ENOMEM, "extend the log");
	}
	for (size_t i = 0; i < b->count; i++) {
		entries[i] = (struct tile_entry){ b->bytes.data + at, b->len[i] };
		at += b->len[i];
	}
	return tiles_append(w->log_fd, w->latest.size, entries, b->count, ret_root, err);
}

/*
 * The new tree has the signed one as its beginning: whoever changed tiles meanwhile, and whatever
 * is wrong in the appending, nobody gets a signature over another history.
 */
static int
check_grown(struct writer *w, uint64_t size, const uint8_t root[SHA256_SIZE], struct err *err)
{
	auto_tiles tiles = NULL;
	struct merkle_proof proof;
	int rc;

	if (w->latest.size == 0) {
		return 0;
	}
	rc = tiles_open(w->log_fd, size, &tiles, err);
	if (rc == 0) {
		rc = merkle_prove_consistency(tiles_read, tiles, w->latest.size, size, &proof);
	}
	if (rc == 0 &&
	    merkle_check_consistency(&proof, w->latest.size, size, w->latest.root, root) != 0) {
		rc = err_set(err, -EBADMSG,
			     "the tiles in %s/" LOG_DIR " do not go on from what was signed: "
			     "airlock verify --store says which",
			     w->store->path);
	}
	return rc;
}

/* Signs the tree of that size and root, and makes it what was signed last. */
static int
sign(struct writer *w, uint64_t size, const uint8_t root[SHA256_SIZE], struct err *err)
{
	auto_log_latest next = LOG_LATEST_INIT;
	struct checkpoint c = { .size = size };
	auto_buf text = BUF_INIT;
	int rc;

	memcpy(c.root, root, SHA256_SIZE);
	memcpy(c.origin, w->signer.key.name, sizeof(c.origin));
	checkpoint_print(&c, &text);
	next.key = w->signer.key;
	next.size = size;
	memcpy(next.root, root, SHA256_SIZE);
	rc = buf_error(&text) != 0
		   ? err_sys(err, -ENOMEM, "sign a checkpoint")
		   : note_sign(&w->signer, buf_text(&text), text.len, &next.note, err);
	if (rc == 0) {
		rc = log_state_swap(w->state, &w->latest, &next, err);
	}
	if (rc == 0) {
		log_latest_finish(&w->latest);
		w->latest = next;
		next = (struct log_latest)LOG_LATEST_INIT;
	}
	return rc;
}

static int
grow(struct writer *w, uint64_t size, struct err *err)
{
	auto_free struct batch *b = calloc(1, sizeof(*b));
	uint8_t root[SHA256_SIZE];
	int rc = 0;

	if (b == NULL) {
		return err_sys(err, -ENOMEM, "extend the log");
	}
	while (rc == 0 && w->latest.size < size) {
		uint64_t left = size - w->latest.size, from = w->latest.size;
		uint64_t to = from + (left < BATCH_LEAVES ? left : BATCH_LEAVES);

		b->count = 0;
		b->wanted = to - from;
		buf_reset(&b->bytes);
		rc = index_leaves(w->ix, from, add_leaf, b, err);
		rc = rc == ENOUGH ? 0 : rc;
		if (rc == 0 && b->count != b->wanted) {
			rc = err_set(err, -EBADMSG, "the index lacks entries of the journal");
		}
		if (rc == 0) {
			rc = append_batch(w, b, root, err);
		}
		if (rc == 0) {
			rc = check_grown(w, to, root, err);
		}
		if (rc == 0) {
			rc = sign(w, to, root, err);
		}
		if (rc == 0) {
			rc = log_publish(w->store, w->state, &w->latest, err);
		}
	}
	buf_finish(&b->bytes);
	return rc;
}

/*
 * Nothing is signed that a power cut could still take out of the journal. Where a crash came before
 * log.at was written, that alone is made up for.
 */
static int
extend(struct writer *w, uint64_t size, struct err *err)
{
	struct journal_pos at = { 0, 0 }, covered = { 0, 0 };
	int rc = index_position(w->ix, &at, err);

	if (rc == 0) {
		rc = store_covered(w->store, &covered, err);
		if (rc == 0 && size == w->latest.size && journal_pos_order(covered, at) == 0) {
			return 0;
		}
		rc = rc == -ENOENT ? 0 : rc; /* then all of the journal is synced */
	}
	if (rc == 0 && covered.file == COVERED_CLOSED) {
		covered = (struct journal_pos){ 0, 0 }; /* a call that still ran has ended */
	}
	if (rc == 0) {
		rc = journal_sync(w->store, covered, at, err);
	}
	if (rc == 0) {
		rc = grow(w, size, err);
	}
	if (rc == 0) {
		rc = position_to_publish(w, &at, err);
	}
	return rc == 0 ? store_cover(w->store, at, err) : rc;
}

int
log_extend(struct index *ix, struct store *s, const char *credentials, uint64_t *ret_size,
	   struct err *err)
{
	__attribute__((cleanup(writer_finish))) struct writer w = {
		.ix = ix, .store = s, .log_fd = -1, .latest = LOG_LATEST_INIT
	};
	uint64_t size = 0;
	int rc = index_size(ix, &size, err);

	if (rc != 0 || (size == 0 && faccessat(s->dir_fd, LOG_STATE_FILE, F_OK, 0) < 0)) {
		*ret_size = 0;
		return rc; /* nothing was ever recorded: no log yet */
	}
	rc = begin(&w, credentials, err);
	if (rc == 0) {
		rc = index_size(ix, &size, err);
	}
	if (rc == 0) {
		rc = check_published(&w, err);
	}
	if (rc == 0) {
		rc = check_signed(&w, size, err);
	}
	if (rc == 0) {
		rc = log_publish(s, w.state, &w.latest, err);
	}
	if (rc == 0 && size > 0) {
		rc = extend(&w, size, err);
	}
	*ret_size = w.latest.size;
	return rc;
}

/* ---- when it cannot be extended ------------------------------------------------------------- */

int
log_refusal(const struct store *s, struct buf *ret)
{
	return fdio_slurp_file_at(s->dir_fd, LOG_REFUSED_FILE, 4096, ret);
}

int
log_refuse(const struct store *s, const char *why)
{
	if (why == NULL) {
		return unlinkat(s->dir_fd, LOG_REFUSED_FILE, 0) < 0 && errno != ENOENT ? -errno : 0;
	}
	return fdio_update_at(s->dir_fd, LOG_REFUSED_FILE, why, strlen(why), 0600);
}
