/* SPDX-License-Identifier: Apache-2.0 */
/* What a ledger says of a call: no system call here. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "../base/json.h"
#include "../base/units.h"
#include "ledger.h"

static const struct {
	enum workflow_state from, to;
} moves[] = {
#define WORKFLOW_STATE(id, word, meaning)
#define WORKFLOW_MOVE(from, what, to) { WORKFLOW_##from, WORKFLOW_##to },
#define CALL_STATE(id, word, meaning)
#define CALL_MOVE(from, what, to)
#include "states.def"
#undef WORKFLOW_STATE
#undef WORKFLOW_MOVE
#undef CALL_STATE
#undef CALL_MOVE
};

bool
workflow_may_move(enum workflow_state from, enum workflow_state to)
{
	for (size_t i = 0; i < ARRAY_LEN(moves); i++) {
		if (moves[i].from == from && moves[i].to == to) {
			return true;
		}
	}
	return false;
}

void
ledger_move(struct ledger *l, enum workflow_state to, uint64_t now_ms, const char *reason)
{
	bool is_kept = l->state == to && (reason == NULL || reason[0] == '\0');

	l->state = to;
	l->since_ms = now_ms;
	l->equal = l->denied = 0;
	if (!is_kept) {
		snprintf(l->reason, sizeof(l->reason), "%s", reason != NULL ? reason : "");
	}
}

void
budget_print(struct buf *b, enum budget_id id, uint64_t amount)
{
	static void (*const print[])(struct buf * b, uint64_t amount) = {
		[BUDGET_UNIT_COUNT] = units_print_count,
		[BUDGET_UNIT_TIME] = units_print_duration,
		[BUDGET_UNIT_SIZE] = units_print_size,
	};

	print[budget_units[id]](b, amount);
}

void
ledger_put_amounts(struct json *j, const uint64_t amounts[BUDGET__COUNT], bool is_bound)
{
	static const struct {
		const char *member;
		enum budget_id id;
	} sorted[] = { { "calls", BUDGET_CALLS },
		       { "cpu_ms", BUDGET_CPU },
		       { "disk_bytes", BUDGET_DISK },
		       { "wall_ms", BUDGET_WALL } };

	_Static_assert(ARRAY_LEN(sorted) == BUDGET__COUNT, "each has its member");
	for (size_t i = 0; i < ARRAY_LEN(sorted); i++) {
		uint64_t amount = amounts[sorted[i].id];

		json_kv_known(j, sorted[i].member, !is_bound || amount != 0, (int64_t)amount);
	}
}

static int
refuse_state(const struct ledger *l, struct err *err)
{
	const char *between = l->reason[0] != '\0' ? ": " : "";

	switch (l->state) {
	case WORKFLOW_ACTIVE:
		return 0;
	case WORKFLOW_PAUSED:
		return err_set(err, -EBUSY,
			       "workflow %s is paused%s%s; `airlock workflow resume %s` lets it "
			       "go on",
			       l->name, between, l->reason, l->name);
	case WORKFLOW_STOPPED:
	case WORKFLOW_FINISHED:
	case WORKFLOW__COUNT:
		break;
	}
	return err_set(err, -ESHUTDOWN, "workflow %s is %s%s%s: it takes no more calls", l->name,
		       workflow_state_words[l->state], between, l->reason);
}

static int
refuse_budget(const struct ledger *l, enum budget_id id, struct err *err)
{
	auto_buf limit = BUF_INIT, used = BUF_INIT, reserved = BUF_INIT;

	budget_print(&limit, id, l->limit[id]);
	budget_print(&used, id, l->used[id]);
	budget_print(&reserved, id, l->reserved[id]);
	return err_set(err, -EDQUOT,
		       "workflow %s has no %s left in its budget of %s: %s used, %s reserved by "
		       "calls that run; `airlock workflow budget %s --budget %s=...` gives it more",
		       l->name, budget_words[id], buf_text(&limit), buf_text(&used),
		       buf_text(&reserved), l->name, budget_words[id]);
}

int
ledger_admit(struct ledger *l, uint64_t now_ms, uint64_t bound[BUDGET__COUNT], struct err *err)
{
	uint64_t lowered[BUDGET__COUNT];
	int rc = refuse_state(l, err);

	if (rc == 0 && l->deadline_ms != 0 && now_ms >= l->deadline_ms) {
		rc = err_set(err, -ETIME,
			     "the deadline of workflow %s has passed; `airlock workflow budget %s "
			     "--deadline ...` sets another",
			     l->name, l->name);
	}
	for (enum budget_id i = 0; rc == 0 && i < BUDGET__COUNT; i++) {
		uint64_t gone = l->used[i] + l->reserved[i];

		lowered[i] = bound[i];
		if (l->limit[i] == 0) {
			continue;
		}
		if (gone >= l->limit[i]) {
			rc = refuse_budget(l, i, err);
		} else if (l->limit[i] - gone < bound[i]) {
			lowered[i] = l->limit[i] - gone;
		}
	}
	if (rc == 0 && l->deadline_ms != 0 && l->deadline_ms - now_ms < lowered[BUDGET_WALL]) {
		lowered[BUDGET_WALL] = l->deadline_ms - now_ms;
	}
	for (enum budget_id i = 0; rc == 0 && i < BUDGET__COUNT; i++) {
		bound[i] = lowered[i];
		l->reserved[i] += lowered[i];
	}
	return rc;
}

void
ledger_account(struct ledger *l, const uint64_t reserved[BUDGET__COUNT],
	       const uint64_t used[BUDGET__COUNT])
{
	for (enum budget_id i = 0; i < BUDGET__COUNT; i++) {
		l->reserved[i] -= reserved[i] < l->reserved[i] ? reserved[i] : l->reserved[i];
		l->used[i] += used[i];
	}
}

bool
ledger_lower(struct ledger *l, uint64_t reserved[BUDGET__COUNT], uint64_t ran_ms)
{
	const uint64_t all = l->reserved[BUDGET_WALL], own = reserved[BUDGET_WALL];
	const uint64_t gone = l->used[BUDGET_WALL] + (all > own ? all - own : 0);
	const uint64_t limit = l->limit[BUDGET_WALL], rest = limit > gone ? limit - gone : 0;
	const uint64_t lowered = rest > ran_ms ? rest : ran_ms;

	if (limit == 0 || lowered >= own) {
		return false;
	}
	reserved[BUDGET_WALL] = lowered;
	l->reserved[BUDGET_WALL] = all > own ? all - own + lowered : lowered;
	return true;
}

/* What it had written is gone with its sandbox, and was not looked at: all of that counts. */
void
ledger_lost_use(const uint64_t reserved[BUDGET__COUNT], uint64_t ran_ms, uint64_t cpus,
		uint64_t ret_used[BUDGET__COUNT])
{
	uint64_t cpu_ms = cpus == 0 || ran_ms > UINT64_MAX / cpus ? UINT64_MAX : ran_ms * cpus;

	memcpy(ret_used, reserved, BUDGET__COUNT * sizeof(*reserved));
	if (ran_ms < reserved[BUDGET_WALL]) {
		ret_used[BUDGET_WALL] = ran_ms;
	}
	if (cpu_ms < reserved[BUDGET_CPU]) {
		ret_used[BUDGET_CPU] = cpu_ms;
	}
}

static bool
guard(struct ledger *l, uint32_t count, const char *what, uint64_t now_ms)
{
	char reason[LEDGER_REASON_MAX];

	if (l->guard == 0 || count < l->guard || l->state != WORKFLOW_ACTIVE) {
		return false;
	}
	snprintf(reason, sizeof(reason), "loop guard: %u %s in a row", count, what);
	ledger_move(l, WORKFLOW_PAUSED, now_ms, reason);
	return true;
}

bool
ledger_guard_request(struct ledger *l, const uint8_t request[SHA256_SIZE], uint64_t now_ms)
{
	bool is_same = memcmp(l->last_request, request, SHA256_SIZE) == 0;

	l->equal = is_same && l->equal < UINT32_MAX ? l->equal + 1 : 1;
	memcpy(l->last_request, request, SHA256_SIZE);
	return guard(l, l->equal, "equal requests", now_ms);
}

bool
ledger_guard_outcome(struct ledger *l, bool was_denied, uint64_t now_ms)
{
	l->denied = was_denied && l->denied < UINT32_MAX ? l->denied + 1 : 0;
	return guard(l, l->denied, "denials", now_ms);
}
