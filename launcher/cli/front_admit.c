/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Run by the front, as the owner: whether the call may be made at all. Its file in running/ comes
 * first, so that whoever stops calls sees it or is seen; then, under the workflow's ledger, its
 * key, the state and the budget of the workflow. Nothing is started yet.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#include "../base/clock.h"
#include "../base/json_find.h"
#include "../workflow/event.h"
#include "../workflow/stop.h"
#include "front.h"

static void
set_principal(struct front *f)
{
	auto_buf who = BUF_INIT;

	if (f->req.context != NULL &&
	    (json_find_text(f->req.context, "principal", &who) ||
	     json_find_text_in(f->req.context, "principal", "id", &who))) {
		f->principal = arena_string(&f->arena, buf_text(&who));
	}
}

/*
 * Whoever forgets or collects the workflow waits for no call: shared, this lock says that one is
 * under way. It is held until the outcome is durable.
 */
static int
hold_workflow(struct front *f)
{
	int rc;

	f->calls_fd =
		openat(f->workflow_fd, "calls", O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
	if (f->calls_fd < 0) {
		return err_sys(&f->err, -errno, "open the workflow's list of calls");
	}
	rc = store_lock_until(f->calls_fd, LOCK_SH, 0, f->end_fd);
	if (rc == -EINTR) {
		return front_ended(f);
	}
	return rc < 0 ? err_sys(&f->err, rc, "lock the workflow") : 0;
}

static int
enter(struct front *f)
{
	struct running_call *c = &f->running;
	int rc = running_self(c);

	if (rc < 0) {
		return err_sys(&f->err, rc, "look at this process");
	}
	memcpy(c->call, f->req.call, sizeof(c->call));
	memcpy(c->workflow, f->workflow, sizeof(c->workflow));
	memcpy(c->call_text, f->req.call_text, sizeof(c->call_text));
	c->t0_ms = f->t0_ms;
	snprintf(c->profile, sizeof(c->profile), "%s", f->profile->name);
	running_set_principal(c, f->principal);
	if (front_serves_owed(f)) {
		snprintf(c->serves, sizeof(c->serves), "%s", f->opt.serves);
	}
	return running_enter(&f->store, c, &f->running_fd, &f->err);
}

int
front_open_ledger(struct front *f, struct ledger_file *ret)
{
	int rc = ledger_open(f->workflow_fd, ret, &f->err);

	if (rc == -ESTALE) {
		ledger_close(ret);
		rc = front_recover_now(f);
		rc = rc < 0 ? rc : ledger_open(f->workflow_fd, ret, &f->err);
	}
	return rc;
}

/* The same for as long as nobody ends the call. */
static int
await_ledger(struct front *f, struct ledger_file *ret)
{
	int rc = ledger_open_until(f->workflow_fd, f->end_fd, ret, &f->err);

	if (rc == -EINTR) {
		return front_ended(f);
	}
	if (rc == -ESTALE) {
		ledger_close(ret);
		rc = front_open_ledger(f, ret);
	}
	return rc;
}

void
front_refuse(struct front *f)
{
	f->refused = true;
	f->outcome.verdict = VERDICT_DENIED;
	snprintf(f->outcome.reason, sizeof(f->outcome.reason), "%.500s", f->err.text);
	f->settled = "none";
	f->err = (struct err)ERR_INIT;
}

static int
check_stop(struct front *f)
{
	struct stop_order order;
	int rc = stop_find(&f->store, f->principal, &order);

	if (rc > 0 && front_serves_owed(f)) {
		return 0; /* what a call holds that was ended is revoked all the same */
	}
	if (rc > 0) {
		rc = err_set(&f->err, -ESHUTDOWN,
			     "stopped by uid %u%s%s; `airlock stop --release` "
			     "lets calls in again",
			     order.uid, order.reason[0] != '\0' ? ": " : "", order.reason);
	} else if (rc < 0) {
		rc = err_sys(&f->err, rc, "look whether calls are stopped");
	}
	return rc;
}

/* Its own limits as far as the budget goes; of what is bounded a person is told. */
static void
lower_limits(struct front *f, const struct ledger *l)
{
	struct limits *limits = &f->req.limits;
	uint64_t *const own[BUDGET__COUNT] = { [BUDGET_WALL] = &limits->wall_ms,
					       [BUDGET_CPU] = &limits->cpu_time_ms,
					       [BUDGET_DISK] = &limits->disk_bytes };

	for (enum budget_id i = 0; i < BUDGET__COUNT; i++) {
		auto_buf left = BUF_INIT;

		if (own[i] == NULL || *own[i] <= f->reserved[i]) {
			continue;
		}
		*own[i] = f->reserved[i];
		budget_print(&left, i, f->reserved[i]);
		front_warn(f, arena_printf(&f->arena,
					   "limits.%s is %s: so much is left of workflow %s",
					   i == BUDGET_CPU ? "cpu_time" : budget_words[i],
					   buf_text(&left), l->name));
	}
}

int
front_tell_move(struct front *f, struct ledger_file *file, const char *action, const char *by)
{
	struct workflow_event e = {
		.action = action, .by = by, .name = file->l.name, .reason = file->l.reason
	};
	int rc = ledger_distrust(file, &f->err);

	memcpy(e.workflow, f->workflow, sizeof(e.workflow));
	return rc < 0 ? rc : workflow_append_event(&f->store, &e, &f->err);
}

/* A name that the workflow's definition does not have would be no progress. */
static int
find_step(struct front *f, uint32_t *ret)
{
	struct workflow_definition d;
	unsigned int step;
	int rc;

	if (f->opt.step == NULL) {
		return 0;
	}
	rc = workflow_definition_read(f->workflow_fd, &d, &f->err);
	if (rc == -ENOENT) {
		return err_set(&f->err, -EINVAL,
			       "--step goes with a workflow that has steps: airlock workflow new "
			       "NAME --steps a,b,c");
	}
	step = rc == 0 ? workflow_definition_step(&d, f->opt.step) : 0;
	if (rc == 0 && step == 0) {
		auto_buf steps = BUF_INIT;

		for (unsigned int i = 0; i < d.step_count; i++) {
			buf_printf(&steps, "%s%s", i == 0 ? "" : ", ", d.steps[i]);
		}
		return err_set(&f->err, -EINVAL, "--step %s: workflow %s has the steps %s",
			       f->opt.step, d.name, d.step_count > 0 ? buf_text(&steps) : "(none)");
	}
	*ret = step;
	return rc;
}

static int
take_parent(void *arg, const struct running_call *c)
{
	struct running_call *parent = arg;

	if (!c->is_alive || c->pid != getppid()) {
		return 0;
	}
	*parent = *c;
	return 1;
}

/*
 * Over a held change set, two kinds of calls need no leave and reserve nothing: a postcondition,
 * which the call that it is part of has started; and a look at what a finished workflow has left.
 */
static bool
is_free(struct front *f, const struct ledger *l)
{
	struct err none = ERR_INIT;

	return f->opt.over != NULL &&
	       (running_each(&f->store, take_parent, &f->parent, &none) == 1 ||
		l->state == WORKFLOW_FINISHED);
}

/* What a postcondition may use is what its call has not used yet of the time that it reserved. */
static int
bound_by_parent(struct front *f, const struct ledger *l)
{
	const uint64_t reserved = f->parent.reserved[BUDGET_WALL];
	const uint64_t now_ms = clock_realtime_ms();
	uint64_t gone_ms = now_ms > f->parent.t0_ms ? now_ms - f->parent.t0_ms : 0;

	if (l->limit[BUDGET_WALL] == 0 || f->parent.call_text[0] == '\0') {
		return 0;
	}
	if (gone_ms >= reserved) {
		return err_set(
			&f->err, -EDQUOT,
			"call %s has no time left for a postcondition of what it reserved in "
			"the budget of workflow %s",
			f->parent.call_text, l->name);
	}
	if (reserved - gone_ms < f->req.limits.wall_ms) {
		f->req.limits.wall_ms = reserved - gone_ms;
	}
	return 0;
}

/* What a finished workflow has left may be looked at behind its deadline, too. */
static uint64_t
deadline_of(const struct front *f, const struct ledger *l)
{
	return f->is_free && f->parent.call_text[0] == '\0' ? 0 : l->deadline_ms;
}

/* Whoever makes the ledger again adds up what running calls say: theirs first, or not at all. */
static int
reserve(struct front *f, struct ledger *l, const uint64_t bound[BUDGET__COUNT])
{
	static const uint64_t nothing[BUDGET__COUNT];
	int rc;

	memcpy(f->running.reserved, bound, sizeof(f->running.reserved));
	rc = running_update(f->running_fd, &f->running);
	if (rc < 0) {
		memset(f->running.reserved, 0, sizeof(f->running.reserved));
		ledger_account(l, bound, nothing);
		return err_sys(&f->err, rc, "write down what the call reserves");
	}
	memcpy(f->reserved, bound, sizeof(f->reserved));
	lower_limits(f, l);
	return 0;
}

/* Under the ledger. 0: admitted or refused (f->refused). */
static int
admit(struct front *f, struct ledger_file *file)
{
	struct ledger *l = &file->l;
	const struct limits *limits = &f->req.limits;
	uint64_t bound[BUDGET__COUNT] = { [BUDGET_CALLS] = 1,
					  [BUDGET_WALL] = limits->wall_ms,
					  [BUDGET_CPU] = limits->cpu_time_ms,
					  [BUDGET_DISK] = limits->disk_bytes };
	uint32_t step = l->step;
	int rc = find_step(f, &step);

	if (rc < 0) {
		return rc;
	}
	f->asked = true;
	f->is_free = is_free(f, l);
	rc = check_stop(f);
	if (rc == 0 && !f->is_free) {
		/* not the moment of the start: it may have waited for the key */
		rc = ledger_admit(l, clock_realtime_ms(), bound, &f->err);
	}
	if (rc == 0) {
		rc = f->is_free ? bound_by_parent(f, l) : reserve(f, l, bound);
	}
	if (rc == 0) {
		l->step = step;
	} else {
		front_refuse(f);
		if (!f->is_free && ledger_guard_outcome(l, true, f->t0_ms) &&
		    front_tell_move(f, file, "pause", "guard") < 0) {
			return f->err.code;
		}
	}
	snprintf(f->workflow_name, sizeof(f->workflow_name), "%s", l->name);
	f->end_ms = deadline_of(f, l);
	return ledger_write(file, &f->err);
}

static int
admit_with_key(struct front *f, bool *ret_again)
{
	auto_ledger file = LEDGER_FILE_INIT;
	int rc = await_ledger(f, &file);

	*ret_again = false;
	if (rc == 0) {
		rc = front_key(f, &file, ret_again);
	}
	if (rc == 0 && !f->answered && !*ret_again) {
		rc = admit(f, &file);
	}
	if (rc == 0 && f->opt.key != NULL && !f->answered && !*ret_again && !f->refused) {
		rc = keys_write(f->workflow_fd, f->opt.key, &f->key);
		f->key_taken = rc == 0;
		rc = rc < 0 ? err_sys(&f->err, rc, "take the key") : 0;
	}
	return rc;
}

/*
 * Of the supervisor, when the workflow got another budget or deadline. Nothing here may wait: who
 * has the ledger may be stopped, and a kill must get through. A postcondition keeps its time.
 */
bool
front_limits(void *arg, uint64_t ran_ms, uint64_t *ret_wall_ms, uint64_t *ret_end_ms)
{
	struct front *f = arg;
	auto_ledger file = LEDGER_FILE_INIT;
	struct err none = ERR_INIT;

	if (ledger_try_open(f->workflow_fd, &file, &none) < 0) {
		return false;
	}
	*ret_end_ms = deadline_of(f, &file.l);
	*ret_wall_ms = f->req.limits.wall_ms;
	if (f->is_free) {
		return true;
	}
	if (ledger_lower(&file.l, f->reserved, ran_ms)) {
		memcpy(f->running.reserved, f->reserved, sizeof(f->reserved));
		ignore_err(running_update(f->running_fd, &f->running), "as when it is let in");
		ignore_err(ledger_write(&file, &none), "`airlock recover` makes it again");
	}
	*ret_wall_ms = f->reserved[BUDGET_WALL];
	return true;
}

int
front_admit(struct front *f)
{
	bool again = true;
	int rc;

	if (f->opt.dry_run) {
		return 0;
	}
	set_principal(f);
	f->workflow_fd = workflow_dir(&f->store, f->workflow, f->opt.workflow == NULL, &f->err);
	rc = f->workflow_fd < 0 ? f->workflow_fd : front_listen(f);
	rc = rc < 0 ? rc : hold_workflow(f);
	rc = rc < 0 ? rc : front_request_digest(f);
	rc = rc < 0 ? rc : enter(f);
	if (rc == 0 && f->backoff_ms > 0) {
		rc = front_wait_to_retry(f);
		f->t0_ms = clock_realtime_ms();
	}
	while (rc == 0 && again) {
		rc = admit_with_key(f, &again);
	}
	return rc;
}

/* Nothing came of this call: its key is what it was. */
static void
give_back_key(struct front *f)
{
	if (f->key_before.call[0] == '\0') {
		keys_remove(f->workflow_fd, f->opt.key);
	} else {
		ignore_err(keys_write(f->workflow_fd, f->opt.key, &f->key_before),
			   "the key names a call without a record, which frees it");
	}
}

/* What was asked, and the input that it took: a program on standard input is another request. */
static void
repeated(const struct front *f, uint8_t ret_digest[SHA256_SIZE])
{
	uint8_t input[SHA256_SIZE];
	struct sha256 hash;

	spool_digest(&f->relay.spool[RELAY_STDIN], input);
	sha256_init(&hash);
	sha256_update(&hash, f->repeat_digest, SHA256_SIZE);
	sha256_update(&hash, input, SHA256_SIZE);
	sha256_final(&hash, ret_digest);
}

/* The loop guard, of a call that ran. */
static void
guard(struct front *f, struct ledger_file *file)
{
	bool was_denied = f->outcome.verdict == VERDICT_DENIED ||
			  (f->outcome.verdict != VERDICT_OK && f->outcome.denials.count > 0);
	const uint64_t now_ms = clock_realtime_ms();
	uint8_t digest[SHA256_SIZE];
	bool paused;

	repeated(f, digest);
	paused = ledger_guard_request(&file->l, digest, now_ms);
	if (ledger_guard_outcome(&file->l, was_denied, now_ms) || paused) {
		ignore_err(front_tell_move(f, file, "pause", "guard"), "the ledger says it, too");
	}
}

/*
 * Counts what the call used, or gives everything back where it has no record. A call without an
 * outcome keeps its file, which nobody holds from then on: `airlock recover` looks at it.
 */
void
front_account(struct front *f, bool has_outcome)
{
	const struct usage *u = &f->outcome.usage;
	bool ran = f->recorded && !f->refused;
	const uint64_t used[BUDGET__COUNT] = { [BUDGET_CALLS] = ran ? f->reserved[BUDGET_CALLS] : 0,
					       [BUDGET_WALL] = u->wall_ms,
					       [BUDGET_CPU] = u->cpu_ms,
					       [BUDGET_DISK] = u->disk_bytes };
	auto_ledger file = LEDGER_FILE_INIT;
	struct err err = ERR_INIT;

	if (f->running_fd < 0) {
		return;
	}
	if (!f->asked) {
		running_leave(&f->store, f->req.call_text, &f->running_fd);
		return;
	}
	if (f->recorded && !has_outcome) {
		cleanup_fd(&f->running_fd);
		f->running_fd = -1;
		return;
	}
	if (ledger_open(f->workflow_fd, &file, &err) == 0) {
		ledger_account(&file.l, f->reserved, used);
		if (!f->recorded && f->key_taken) {
			give_back_key(f);
		}
		if (ran && !f->is_free) {
			guard(f, &file);
		}
		ignore_err(ledger_write(&file, &err), "`airlock recover` makes it again");
	}
	running_leave(&f->store, f->req.call_text, &f->running_fd);
}
