/* SPDX-License-Identifier: Apache-2.0 */
/*
 * `airlock-cli key-answer CALL [--locked]`, started by the front: what a retry gets whose key that
 * call has. The front has seen that no front runs the call. One word of key_answers.def on stdout,
 * and nothing else; or exit 125 with the reason. Runs as the caller.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "commands.h"
#include "settle_recover.h"
#include "view_replay.h"

/*
 * is_locked: the front holds the workflow's ledger. Then nothing is recovered, which may wait for a
 * workspace that is another front's who waits for the ledger; it was asked without before.
 */
static int
answer(const char *call, bool is_locked, enum key_answer *ret, struct err *err)
{
	auto_reading r = READING_INIT;
	auto_record rec = RECORD_INIT;
	uint64_t damaged = 0;
	uint8_t id[16];
	int rc = text_uuid_parse(call, id);

	if (rc < 0) {
		return err_set(err, rc, "%s is no call's id", call);
	}
	rc = is_locked ? reading_open_raw(&r, err) : reading_open_quiet(&r, err);
	/* its outcome may still be to come: recovery appends it when it finishes the commit */
	rc = rc < 0 ? rc : settle_check_commit(&r.store, call, err);
	rc = rc < 0 ? rc : record_load(&r, call, &rec, err);
	if (rc == 0) {
		*ret = key_answer_of(&rec);
	} else if (rc == -ENOENT) {
		rc = index_damaged_count(r.ix, &damaged, err);
		/* its front died before anything was recorded, or its record is damaged */
		*ret = damaged == 0 ? KEY_FREE : KEY_UNKNOWN;
	}
	return rc;
}

int
cmd_key_answer(int argc, char **argv)
{
	bool is_locked = argc == 3 && strcmp(argv[2], "--locked") == 0;
	enum key_answer said = KEY_FREE;
	struct err err = ERR_INIT;

	if (argc != (is_locked ? 3 : 2)) {
		fputs("usage: airlock-cli key-answer CALL [--locked]\n", stderr);
		return EXIT_AIRLOCK;
	}
	if (answer(argv[1], is_locked, &said, &err) < 0) {
		return commands_fail(EXIT_AIRLOCK, &err);
	}
	puts(key_answer_words[said]);
	return 0;
}
