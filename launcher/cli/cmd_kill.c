/* SPDX-License-Identifier: Apache-2.0 */
/*
 * `airlock kill CALL`: ends a call that is under way. Runs in airlock-cli as the caller. What it
 * leaves is in the call's own record: interrupted, and by what.
 */
#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "commands.h"
#include "control.h"
#include "view_state.h"

/* Whether name, whose dashes may be left out, is the start of that id. */
static bool
begins(const char *id, const char *name)
{
	size_t digits = 0;

	for (; *name != '\0'; name++) {
		if (*name == '-') {
			continue;
		}
		id += *id == '-' ? 1 : 0;
		if (*id == '\0' || tolower((unsigned char)*name) != *id) {
			return false;
		}
		id++;
		digits++;
	}
	return digits >= INDEX_PREFIX_MIN;
}

/* Those that are under way; -ENOENT when it is none of them. */
static int
find_running(const struct control_list *l, const char *name, const struct running_call **ret,
	     struct err *err)
{
	size_t count = 0;

	for (size_t i = 0; i < l->count; i++) {
		if (begins(l->items[i].call_text, name)) {
			*ret = &l->items[i];
			count++;
		}
	}
	return count > 1  ? err_set(err, -ENOTUNIQ,
				    "%zu calls that are under way begin so: airlock ps shows them",
				    count)
	     : count == 1 ? 0
			  : -ENOENT;
}

/* @last, and one that is not under way: what the records say. */
static int
find_recorded(const struct control_list *l, const char *name, const struct running_call **ret,
	      struct err *err)
{
	auto_reading r = READING_INIT;
	char id[UUID_TEXT_SIZE];
	int rc = reading_open(&r, err);

	rc = rc == 0 ? index_find(r.ix, name, id, err) : rc;
	rc = rc == 0 ? find_running(l, id, ret, err) : rc;
	return rc == -ENOENT && err->code == 0
		     ? err_set(err, rc, "call %s is not under way any more: airlock show %s", id,
			       id)
		     : rc;
}

static int
end_call(const struct store *s, const struct running_call *c, struct err *err)
{
	const struct control_filter which = { .call = c->call };
	auto_control_calls calls = { .texts = NULL };
	int rc = 0;

	if (!c->is_alive) {
		return err_set(err, -ESRCH,
			       "call %s is lost: airlock was killed in it, airlock recover looks "
			       "what became of it",
			       c->call_text);
	}
	rc = control_signal(s, &which, RUNNING_SIGNAL_KILL, RUNNING_BY_KILL, &calls, err);
	if (rc < 0) {
		return rc;
	}
	if (calls.unreachable > 0) {
		return err_set(err, -ESRCH,
			       "call %s cannot be reached from here: pid %d is none that this "
			       "process sees, or another user's",
			       c->call_text, (int)c->pid);
	}
	if (calls.count == 0) {
		return err_set(err, -ESRCH, "call %s has ended meanwhile", c->call_text);
	}
	if (control_wait(s, &calls, CONTROL_WAIT_MS) > 0) {
		return err_set(err, -ETIMEDOUT, "call %s was told to end, and has not yet",
			       c->call_text);
	}
	printf("call %s: ended\n", c->call_text);
	return 0;
}

int
cmd_kill(int argc, char **argv)
{
	struct command_line cl = { .argc = argc, .argv = argv };
	auto_control_list list = { .items = NULL };
	const struct running_call *call = NULL;
	auto_store s = STORE_INIT;
	struct err err = ERR_INIT;
	const char *name, *argument;
	int rc;

	while ((rc = command_line_next(&cl, &name, &argument)) > 0) {
		/* it has none */
	}
	rc = command_line_end(&cl, rc, 1, 1);
	if (rc >= 0) {
		return rc;
	}
	rc = control_open(&s, &err);
	rc = rc == 0 ? control_list(&s, &list, &err) : rc;
	if (rc == 0) {
		rc = find_running(&list, cl.operand[0], &call, &err);
		rc = rc == -ENOENT ? find_recorded(&list, cl.operand[0], &call, &err) : rc;
	}
	rc = rc == 0 && call != NULL ? end_call(&s, call, &err) : rc;
	return rc == 0 ? 0 : commands_fail(1, &err);
}
