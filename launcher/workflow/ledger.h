/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The ledger of a workflow, wf/<id>/ledger (docs/formats.md, "Workflows"): its state, its budget,
 * what was used and what running calls may still use, and what the loop guard counts. It follows
 * the journal: airlock-cli makes it again from there (`recover`) where it was lost, is damaged, or
 * is of another boot, because the front writes it without a sync. Whoever has it open has it alone
 * (flock(2)); the front holds it for two system calls.
 */
#ifndef AIRLOCK_WORKFLOW_LEDGER_H
#define AIRLOCK_WORKFLOW_LEDGER_H

#include <stdbool.h>
#include <stdint.h>

#include "../base/buf.h"
#include "../base/err.h"
#include "../base/sha256.h"
#include "../store/store.h"
#include "workflow.h"

#define LEDGER_FILE "ledger"
#define LEDGER_REASON_MAX 256u
#define LEDGER_BOOT_SIZE 16u

enum workflow_state {
#define WORKFLOW_STATE(id, word, meaning) WORKFLOW_##id,
#define WORKFLOW_MOVE(from, what, to)
#define CALL_STATE(id, word, meaning)
#define CALL_MOVE(from, what, to)
#include "states.def"
#undef WORKFLOW_STATE
#undef WORKFLOW_MOVE
#undef CALL_STATE
#undef CALL_MOVE
	WORKFLOW__COUNT
};

extern const char *const workflow_state_words[WORKFLOW__COUNT];

struct ledger {
	enum workflow_state state;
	uint64_t since_ms;    /* when it got that state */
	uint64_t deadline_ms; /* no call is let in from then on; 0: none */
	/* 0: no bound */
	uint64_t limit[BUDGET__COUNT];
	uint64_t used[BUDGET__COUNT]; /* of calls whose outcome is durable, and of unknown ones */
	uint64_t reserved[BUDGET__COUNT]; /* of calls that run */
	uint32_t guard;			  /* so many in a row pause it; 0: none (local) */
	uint32_t equal;			  /* requests in a row that were the same */
	uint32_t denied; /* calls in a row that were refused, or failed with a denial */
	uint8_t last_request[SHA256_SIZE]; /* what `equal` compares with */
	uint32_t step;			   /* of the definition's steps, from 1; 0: none yet */
	char name[WORKFLOW_NAME_MAX + 1];
	char reason[LEDGER_REASON_MAX]; /* of its state; "" */
};

struct ledger_file {
	int fd; /* locked; -1 when it is not open */
	uint8_t boot[LEDGER_BOOT_SIZE]; /* of this host; read when it is opened */
	struct ledger l;
};

#define LEDGER_FILE_INIT \
	{                \
		.fd = -1 \
	}
#define auto_ledger __attribute__((cleanup(ledger_close))) struct ledger_file

/*
 * Opens, locks and reads the ledger in the workflow's directory. Where there is none: an empty one
 * (active, no bounds, named "local") when the workflow has had no call and was not made by name,
 * else -ESTALE. -ESTALE as well where it is damaged or of another boot: `airlock recover` makes it
 * again. The file stays open and locked then, so that who makes it again is alone.
 */
int ledger_open(int workflow_fd, struct ledger_file *ret, struct err *err) must_check;
/* The same, but -EWOULDBLOCK where another has it now: for who must not wait. */
int ledger_try_open(int workflow_fd, struct ledger_file *ret, struct err *err) must_check;
/* The same; -EINTR, and nothing is open, when wake_fd is readable before it can be locked. */
int ledger_open_until(int workflow_fd, int wake_fd, struct ledger_file *ret, struct err *err)
	must_check;
/* What it says now, without keeping it: makes and changes nothing. -ENOENT, -ESTALE as above. */
int ledger_read(int workflow_fd, struct ledger *ret, struct err *err) must_check;
/*
 * From here to ledger_write whoever opens it has it made again from the journal: for a change whose
 * entry is on its way there. The lock keeps others out; it is for who dies in between.
 */
int ledger_distrust(struct ledger_file *f, struct err *err) must_check;
/* Stores f->l; not synced. */
int ledger_write(struct ledger_file *f, struct err *err) must_check;
void ledger_close(struct ledger_file *f);

/*
 * What one call may use: bound has its own limits (1 for BUDGET_CALLS), is lowered to the rest of
 * the budget, and is what the call reserves from then on. -EDQUOT when something of the budget is
 * used up or reserved, -ETIME at the deadline, -EBUSY when the workflow is paused, -ESHUTDOWN when
 * it is stopped or finished; err says all of it. Both are changed on success only.
 */
int ledger_admit(struct ledger *l, uint64_t now_ms, uint64_t bound[BUDGET__COUNT], struct err *err)
	must_check;
/* Gives back what a call reserved, and counts what it used (all 0 where it never had a record). */
void ledger_account(struct ledger *l, const uint64_t reserved[BUDGET__COUNT],
		    const uint64_t used[BUDGET__COUNT]);

/*
 * Lowers the time that a running call has reserved to what the budget and the other calls leave of
 * it, but not below ran_ms, which is gone. Both are changed where it returns true.
 */
bool ledger_lower(struct ledger *l, uint64_t reserved[BUDGET__COUNT], uint64_t ran_ms) must_check;
/*
 * What a call may have used at most of what it reserved when nobody saw its end, and it had lived
 * for ran_ms on a machine of so many processors.
 */
void ledger_lost_use(const uint64_t reserved[BUDGET__COUNT], uint64_t ran_ms, uint64_t cpus,
		     uint64_t ret_used[BUDGET__COUNT]);

/*
 * The loop guard. Each returns true when it paused the workflow: its state and reason say so, and
 * the caller appends the event. Asked when a call has ended, guard_request with the digest of what
 * makes two requests the same; guard_outcome also of one that was not let in.
 */
bool ledger_guard_request(struct ledger *l, const uint8_t request[SHA256_SIZE], uint64_t now_ms);
bool ledger_guard_outcome(struct ledger *l, bool was_denied, uint64_t now_ms);

/* Whether states.def has that move. */
bool workflow_may_move(enum workflow_state from, enum workflow_state to);
/*
 * Gives it that state; what the loop guard counted begins anew. reason: cut, or NULL, which keeps
 * the one of a state that stays.
 */
void ledger_move(struct ledger *l, enum workflow_state to, uint64_t now_ms, const char *reason);

/* An amount as a person writes it. */
void budget_print(struct buf *b, enum budget_id id, uint64_t amount);
/*
 * The members calls, cpu_ms, disk_bytes, wall_ms of an object that was begun, as records have them;
 * is_bound: 0 is null, no bound.
 */
struct json;
void ledger_put_amounts(struct json *j, const uint64_t amounts[BUDGET__COUNT], bool is_bound);

#endif
