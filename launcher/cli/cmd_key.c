/* SPDX-License-Identifier: Apache-2.0 */
/*
 * `airlock key`: the key that signs the log of the caller's state directory. Runs in airlock-cli as
 * the caller. The private key is never printed.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "../base/clock.h"
#include "../base/fdio.h"
#include "../base/json.h"
#include "../log/log_key.h"
#include "../log/log_rotate.h"
#include "../log/log_state.h"
#include "commands.h"
#include "view_evidence.h"

/* The only option of each of these verbs. -1 to go on, else the exit status. */
static int
parse(int argc, char **argv, const char **ret_argument, bool *ret_given)
{
	struct command_line cl = { .argc = argc, .argv = argv };
	const char *name;
	int rc;

	*ret_argument = NULL;
	*ret_given = false;
	while ((rc = command_line_next(&cl, &name, ret_argument)) > 0) {
		*ret_given = true;
	}
	return command_line_end(&cl, rc, 0, 0);
}

static void
print_key(const struct note_key *key)
{
	auto_buf text = BUF_INIT;

	note_key_print(key, &text);
	puts(buf_text(&text));
}

int
cmd_key_new(int argc, char **argv)
{
	auto_note_signer signer = { .key.algorithm = 0 };
	auto_store store = STORE_INIT;
	auto_index ix = NULL;
	auto_free char *path = NULL;
	struct err err = ERR_INIT;
	const char *origin;
	bool given;
	int rc = parse(argc, argv, &origin, &given);

	if (rc >= 0) {
		return rc;
	}
	rc = reading_path(&path, &err);
	/* Makes the state directory: before the first call is when one chooses a name. */
	rc = rc == 0 ? store_open_write(path, &store, &err) : rc;
	rc = rc == 0 ? index_open_write(&store, true, &ix, &err) : rc;
	if (rc == 0) {
		rc = log_key_make(&store, getenv("CREDENTIALS_DIRECTORY"), origin, &signer, &err);
	}
	if (rc == 0) {
		rc = log_key_publish(&store, &signer.key, &err);
	}
	if (rc != 0) {
		return commands_fail(1, &err);
	}
	print_key(&signer.key);
	fprintf(stderr,
		"airlock: the private key is %s/" LOG_KEY_FILE
		"; give the line above to whoever will verify\n",
		store.path);
	return 0;
}

/* ---- show ---------------------------------------------------------------------------------- */

struct shown {
	struct log_latest latest;
	char *path; /* of the private key; a heap string */
};

static void
shown_finish(struct shown *s)
{
	log_latest_finish(&s->latest);
	free(s->path);
}

static int
look(const struct signing *s, struct shown *ret, struct err *err)
{
	auto_note_signer signer = { .key.algorithm = 0 };
	auto_log_state state = NULL;
	int rc = log_state_open(&s->store, false, &state, err);

	if (rc == 0) {
		rc = log_state_latest(state, &ret->latest, err);
	}
	return rc == 0 ? log_key_load(&s->store, getenv("CREDENTIALS_DIRECTORY"), &signer,
				      &ret->path, err)
		       : rc;
}

static void
show_json(const struct shown *s)
{
	auto_buf vkey = BUF_INIT, line = BUF_INIT;
	struct json j;

	note_key_print(&s->latest.key, &vkey);
	json_init(&j, &line);
	json_begin_object(&j);
	json_kv_str(&j, "origin", s->latest.key.name);
	json_key(&j, "private_key");
	json_bytes(&j, s->path, strlen(s->path));
	json_key(&j, "root");
	json_hex(&j, s->latest.root, SHA256_SIZE);
	json_kv_uint(&j, "size", s->latest.size);
	json_kv_str(&j, "vkey", buf_text(&vkey));
	json_end(&j);
	puts(buf_text(&line));
}

static void
show_page(const struct shown *s)
{
	auto_buf safe = BUF_INIT;
	char root[HEX_DIGEST_SIZE];

	print_key(&s->latest.key);
	text_safe(&safe, s->path, strlen(s->path), false);
	text_hex(s->latest.root, SHA256_SIZE, root);
	printf("  signs the log %s\n  private key   %s\n  signed        %llu entries\n"
	       "  root          %s\n",
	       s->latest.key.name, buf_text(&safe), (unsigned long long)s->latest.size, root);
}

int
cmd_key_show(int argc, char **argv)
{
	__attribute__((cleanup(shown_finish))) struct shown shown = { .latest = LOG_LATEST_INIT };
	auto_signing s = SIGNING_INIT;
	struct err err = ERR_INIT;
	const char *argument;
	bool json;
	int rc = parse(argc, argv, &argument, &json);

	if (rc >= 0) {
		return rc;
	}
	rc = signing_open(&s, &err);
	if (rc == 0 && s.size == 0) {
		rc = err_set(&err, -ENOENT, "nothing is recorded yet in %s, so nothing is signed",
			     s.store.path);
	}
	rc = rc == 0 ? look(&s, &shown, &err) : rc;
	if (rc != 0) {
		return commands_fail(1, &err);
	}
	if (json) {
		show_json(&shown);
	} else {
		show_page(&shown);
	}
	return 0;
}

int
cmd_key_rotate(int argc, char **argv)
{
	auto_signing s = SIGNING_INIT;
	struct err err = ERR_INIT;
	struct note_key key;
	const char *next;
	bool given;
	int rc = parse(argc, argv, &next, &given);

	if (rc >= 0) {
		return rc;
	}
	rc = signing_open(&s, &err);
	if (rc == 0 && s.size == 0) {
		rc = err_set(&err, -ENOENT,
			     "nothing is signed yet in %s: airlock key new makes the first key",
			     s.store.path);
	}
	if (rc == 0) {
		rc = log_rotate(s.ix, &s.store, getenv("CREDENTIALS_DIRECTORY"), next, &key, &err);
	}
	if (rc == 0) {
		rc = log_key_publish(&s.store, &key, &err);
	}
	/* a key that is put in place later signs then */
	if (rc == 0 && next == NULL) {
		rc = signing_extend(&s, &err);
	}
	if (rc != 0) {
		return commands_fail(1, &err);
	}
	print_key(&key);
	fputs("airlock: the old key and this one signed the change; give the line above to whoever "
	      "verifies\n",
	      stderr);
	return 0;
}

/* ---- close --------------------------------------------------------------------------------- */

static int
refuse_held(void *arg, const struct index_call *call)
{
	return err_set(arg, -EBUSY, "call %s is held: apply or discard it first (airlock pending)",
		       call->id);
}

static int
append_close(const struct signing *s, const char *reason, struct err *err)
{
	auto_buf record = BUF_INIT;
	struct json j;
	int rc;

	json_init(&j, &record);
	json_begin_object(&j);
	json_key(&j, "actor");
	store_put_actor(&j);
	json_kv_bytes(&j, "reason", reason);
	json_kv_uint(&j, "t", clock_realtime_ms());
	json_kv_uint(&j, "v", 1);
	json_end(&j);
	rc = json_error(&j);
	return rc == 0 ? store_append_event_to(s->store.path, ENTRY_LOG_CLOSE, record.data,
					       record.len, err)
		       : err_sys(err, rc, "close the log");
}

int
cmd_key_close(int argc, char **argv)
{
	const struct index_query held = { .settled = "held" };
	auto_signing s = SIGNING_INIT;
	struct err err = ERR_INIT;
	const char *reason;
	bool given;
	int rc = parse(argc, argv, &reason, &given);

	if (rc >= 0) {
		return rc;
	}
	rc = signing_open(&s, &err);
	if (rc == 0 && s.size == 0) {
		rc = err_set(&err, -ENOENT, "nothing is signed yet in %s: there is no log to close",
			     s.store.path);
	}
	rc = rc == 0 ? index_list(s.ix, &held, refuse_held, &err, &err) : rc;
	rc = rc == 0 ? append_close(&s, reason, &err) : rc;
	rc = rc == 0 ? signing_extend(&s, &err) : rc;
	if (rc != 0) {
		return commands_fail(1, &err);
	}
	printf("closed: %llu entries are signed, and no call is added\n",
	       (unsigned long long)s.size);
	return 0;
}
