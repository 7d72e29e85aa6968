/* SPDX-License-Identifier: Apache-2.0 */
/*
 * `airlock stop`: the stop button. Runs in airlock-cli as the caller. First no call can begin any
 * more, then each that is under way is told to end; all else, also what fails or waits for a disk,
 * comes behind that.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "../base/clock.h"
#include "../base/json.h"
#include "../workflow/stop.h"
#include "commands.h"
#include "control.h"
#include "view_format.h"
#include "view_state.h"

struct request {
	bool all, release;
	const char *principal, *reason;
};

static int
refuse(const char *why)
{
	fprintf(stderr, "airlock: stop: %s\n", why);
	return EXIT_AIRLOCK;
}

/* -1 to go on, else the exit status. */
static int
parse(int argc, char **argv, struct request *ret)
{
	struct command_line cl = { .argc = argc, .argv = argv };
	const char *name, *argument;
	int rc;

	while ((rc = command_line_next(&cl, &name, &argument)) > 0) {
		if (strcmp(name, "all") == 0) {
			ret->all = true;
		} else if (strcmp(name, "release") == 0) {
			ret->release = true;
		} else {
			*(strcmp(name, "reason") == 0 ? &ret->reason : &ret->principal) = argument;
		}
	}
	rc = command_line_end(&cl, rc, 0, 0);
	if (rc >= 0) {
		return rc;
	}
	if (ret->all && ret->principal != NULL) {
		return refuse("--all or --principal WHO, not both");
	}
	if (ret->principal != NULL && ret->principal[0] == '\0') {
		return refuse("--principal has no name");
	}
	if (ret->reason != NULL && !ret->all && !ret->release && ret->principal == NULL) {
		return refuse("--reason: whom to stop? --all or --principal WHO");
	}
	if (ret->reason != NULL &&
	    strlen(ret->reason) >= sizeof(((struct stop_order *)NULL)->reason)) {
		return refuse("--reason has at most 255 bytes");
	}
	return -1;
}

static int
append_entry(const struct store *s, const struct request *req, struct err *err)
{
	auto_buf record = BUF_INIT;
	struct json j;

	json_init(&j, &record);
	json_begin_object(&j);
	json_kv_str(&j, "action", req->release ? "release" : "stop");
	json_key(&j, "actor");
	store_put_actor(&j);
	json_kv_bytes(&j, "principal", req->principal);
	json_kv_bytes(&j, "reason", req->reason);
	json_kv_uint(&j, "t", clock_realtime_ms());
	json_kv_uint(&j, "v", 1);
	json_end(&j);
	if (json_error(&j) < 0) {
		return err_sys(err, json_error(&j), "write an entry");
	}
	return store_append_event_to(s->path, ENTRY_STOP, record.data, record.len, err);
}

static void
print_principal(const char *principal)
{
	auto_buf safe = BUF_INIT;

	if (principal == NULL || principal[0] == '\0') {
		printf("every call");
		return;
	}
	text_safe(&safe, principal, strlen(principal), false);
	printf("calls of %s", buf_text(&safe));
}

/* ---- what is stopped ----------------------------------------------------------------------- */

static int
print_order(void *arg, const struct stop_order *o)
{
	unsigned int *count = arg;
	auto_buf line = BUF_INIT;

	*count += 1;
	printf("stopped: ");
	print_principal(o->principal);
	buf_puts(&line, ", since ");
	view_time(&line, o->since_ms, VIEW_TIME_FULL);
	buf_printf(&line, ", by uid %u", (unsigned int)o->uid);
	if (o->reason[0] != '\0') {
		buf_puts(&line, ": ");
		text_safe(&line, o->reason, strlen(o->reason), false);
	}
	printf("%s\n", buf_text(&line));
	return 0;
}

static int
list_orders(struct err *err)
{
	auto_store s = STORE_INIT;
	unsigned int count = 0;
	int rc = control_open(&s, err);

	rc = rc == 0 ? stop_each(&s, print_order, &count, err) : rc == -ENOENT ? 0 : rc;
	if (rc == 0 && count == 0) {
		printf("nothing is stopped\n");
	}
	return rc;
}

/* ---- stop ---------------------------------------------------------------------------------- */

/* Of all that were told to end. */
static int
await_ends(const struct store *s, const struct control_calls *calls, struct err *err)
{
	size_t living = control_wait(s, calls, CONTROL_WAIT_MS);
	auto_buf line = BUF_INIT;

	view_count(&line, calls->count, "call was", "calls were");
	printf("%s under way and told to end; %zu ended\n", buf_text(&line), calls->count - living);
	if (living + calls->unreachable == 0) {
		return 0;
	}
	return err_set(
		err, -ETIMEDOUT,
		"%zu did not end yet, %zu cannot be reached from here: airlock ps shows them",
		living, calls->unreachable);
}

/* A state directory that is not there yet can be stopped, too. */
static int
open_or_make(struct store *ret, struct err *err)
{
	auto_free char *path = NULL;
	int rc = control_open(ret, err);

	if (rc == -ENOENT) {
		*err = (struct err)ERR_INIT;
		rc = reading_path(&path, err);
		rc = rc == 0 ? store_open_write(path, ret, err) : rc;
	}
	return rc;
}

/* Whatever fails, those that are under way are told to end; the first failure is returned. */
static int
stop(const struct request *req, struct err *err)
{
	/* a token that nobody ends any more would outlive the calls that had it */
	const struct control_filter which = { .principal = req->principal, .but_owed = true };
	struct stop_order order = { .since_ms = clock_realtime_ms(), .uid = getuid() };
	auto_control_calls calls = { .texts = NULL };
	struct err later = ERR_INIT;
	auto_store s = STORE_INIT;
	int rc = open_or_make(&s, err), more;

	if (rc < 0) {
		return rc;
	}
	if (req->reason != NULL) {
		snprintf(order.reason, sizeof(order.reason), "%s", req->reason);
	}
	rc = stop_set(&s, req->principal, &order, err);
	more = control_signal(&s, &which, RUNNING_SIGNAL_KILL, RUNNING_BY_STOP, &calls,
			      rc == 0 ? err : &later);
	rc = rc == 0 ? more : rc;
	more = stop_sync(&s, req->principal, rc == 0 ? err : &later);
	rc = rc == 0 ? more : rc;
	if (more == 0) {
		printf("refused from here on, until airlock stop --release: ");
		print_principal(req->principal);
		putchar('\n');
	}
	more = append_entry(&s, req, rc == 0 ? err : &later);
	rc = rc == 0 ? more : rc;
	more = await_ends(&s, &calls, rc == 0 ? err : &later);
	return rc == 0 ? more : rc;
}

static int
release(const struct request *req, struct err *err)
{
	auto_store s = STORE_INIT;
	int rc = control_open(&s, err);

	rc = rc == 0 ? stop_release(&s, req->principal, err) : rc;
	if (rc < 0) {
		return rc;
	}
	/* they may, whatever becomes of the entry */
	printf("may begin again: ");
	print_principal(req->principal);
	putchar('\n');
	return append_entry(&s, req, err);
}

int
cmd_stop(int argc, char **argv)
{
	struct request req = { .all = false };
	struct err err = ERR_INIT;
	int rc = parse(argc, argv, &req);

	if (rc >= 0) {
		return rc;
	}
	if (req.release) {
		rc = release(&req, &err);
	} else {
		rc = req.all || req.principal != NULL ? stop(&req, &err) : list_orders(&err);
	}
	return rc < 0 ? commands_fail(1, &err) : 0;
}
