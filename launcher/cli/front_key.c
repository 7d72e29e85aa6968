/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Run by the front, as the owner: what an idempotency key that was used before says
 * (docs/architecture.md, "Keys"). The front knows whether the call that has the key runs, and
 * whether this is the same request; what became of that call airlock-cli looks up in the index.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "../base/json.h"
#include "front.h"

enum key_answer {
#define KEY_ANSWER(id, word, meaning) KEY_##id,
#include "../workflow/key_answers.def"
#undef KEY_ANSWER
	KEY_ANSWER__COUNT
};

static const char *const answer_words[KEY_ANSWER__COUNT] = {
#define KEY_ANSWER(id, word, meaning) [KEY_##id] = (word),
#include "../workflow/key_answers.def"
#undef KEY_ANSWER
};

/* The ledger is given back: the other call needs it to end. */
static int
in_progress(struct front *f, const struct key_entry *used, bool *ret_again)
{
	int rc;

	if (!f->opt.wait) {
		return err_set(&f->err, -EINPROGRESS,
			       "in progress: call %s runs under --key %s (--wait waits for it)",
			       used->call, f->opt.key);
	}
	rc = running_wait(&f->store, used->call, 0, f->end_fd);
	if (rc == -EINTR) {
		return front_ended(f);
	}
	if (rc < 0 && rc != -ENOENT) {
		return err_sys(&f->err, rc, "wait for call %s", used->call);
	}
	*ret_again = true;
	return 0;
}

static int
ask(struct front *f, const char *call, bool is_locked, enum key_answer *ret)
{
	const char *argv[] = { "airlock-cli", "key-answer", call, is_locked ? "--locked" : NULL,
			       NULL };
	auto_buf said = BUF_INIT;
	int rc = front_read_cli(f, argv, &said);

	if (rc < 0) {
		return rc;
	}
	if (rc == 0) {
		const char *text = buf_text(&said);
		size_t len = strcspn(text, "\n");

		for (enum key_answer i = 0; i < KEY_ANSWER__COUNT; i++) {
			if (strlen(answer_words[i]) == len &&
			    strncmp(answer_words[i], text, len) == 0) {
				*ret = i;
				return 0;
			}
		}
	}
	return err_set(&f->err, -EBADMSG, "--key %s: what became of call %s is not known: %.300s",
		       f->opt.key, call, buf_text(&said));
}

static int
refuse_other(struct front *f, const struct key_entry *used)
{
	auto_buf what = BUF_INIT;

	keys_put_difference(&what, used->parts, f->key.parts);
	return err_set(&f->err, -EEXIST,
		       "--key %s was used by call %s for another request: other %s; a new request "
		       "wants a new key",
		       f->opt.key, used->call, buf_text(&what));
}

/* The key is this call's from here on, as soon as the ledger is had again. */
static void
take_over(struct front *f, const struct key_entry *used, bool counts)
{
	f->key_before = *used;
	f->key.attempt = used->attempt + (counts ? 1 : 0);
	f->retry_of = counts ? arena_string(&f->arena, used->call) : NULL;
}

static int
act(struct front *f, const struct key_entry *used, enum key_answer answer, bool *ret_again)
{
	if (answer == KEY_FREE) {
		take_over(f, used, false);
		*ret_again = true;
		return 0;
	}
	if (memcmp(used->request, f->key.request, SHA256_SIZE) != 0) {
		return refuse_other(f, used);
	}
	switch (answer) {
	case KEY_AGAIN:
		take_over(f, used, true);
		*ret_again = true;
		return 0;
	case KEY_UNKNOWN:
		return err_set(&f->err, -EBUSY,
			       "--key %s: nobody knows whether call %s did its work, and its "
			       "profile says retry: ask; look (airlock show %s) and decide: "
			       "airlock resolve %s done|not-done|rerun",
			       f->opt.key, used->call, used->call, used->call);
	case KEY_REPLAY:
	case KEY_DONE:
	case KEY_NOT_DONE:
		f->answered = true;
		return front_replay(f, used->call);
	case KEY_FREE:
	case KEY_ANSWER__COUNT:
		break;
	}
	return -EINVAL;
}

int
front_key(struct front *f, struct ledger_file *ledger, bool *ret_again)
{
	enum key_answer answer = KEY_FREE;
	struct key_entry used = { .call = "" };
	int rc;

	memcpy(f->key.call, f->req.call_text, sizeof(f->key.call));
	if (f->opt.key == NULL) {
		return 0;
	}
	rc = keys_read(f->workflow_fd, f->opt.key, &used);
	if (rc == -ENOENT) {
		f->key.attempt = f->key.attempt > 0 ? f->key.attempt : 1;
		return 0;
	}
	if (rc == 0 && f->retry_of != NULL && strcmp(used.call, f->retry_of) == 0 &&
	    f->key_before.call[0] == '\0') {
		/* the attempt before, whose end this airlock has seen */
		f->key_before = used;
		return 0;
	}
	if (rc < 0) {
		return err_sys(&f->err, rc, "read the key");
	}
	if (strcmp(used.call, f->key_before.call) == 0) {
		/*
		 * Asked before, without the ledger, as long as nobody was to wait for it. Now
		 * nobody can take the key, or resolve its call, before this call has it.
		 */
		rc = ask(f, used.call, true, &answer);
		if (rc < 0 || answer == KEY_FREE || answer == KEY_AGAIN) {
			return rc;
		}
		f->key_before.call[0] = '\0';
		ledger_close(ledger);
		return act(f, &used, answer, ret_again);
	}
	ledger_close(ledger);
	/* what cannot be looked at may run; dead ones are no answer, airlock-cli has it */
	if (running_is_alive(&f->store, used.call) != 0) {
		return in_progress(f, &used, ret_again);
	}
	rc = ask(f, used.call, false, &answer);
	return rc < 0 ? rc : act(f, &used, answer, ret_again);
}
