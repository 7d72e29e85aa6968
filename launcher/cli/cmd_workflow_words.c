/* SPDX-License-Identifier: Apache-2.0 */
/* Words of the caller's command line. Runs in airlock-cli as the caller; pure but for when_read. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../base/nearest.h"
#include "../base/units.h"
#include "cmd_workflow.h"
#include "view_when.h"

#define NONE "none"
#define BUDGET_FORM "it takes NAME=AMOUNT,... of calls=100, wall=2h, cpu=30m, disk=5G"

/* Sets the text, with the word in it, safe to print. */
static int
bad(struct err *err, const char *word, const char *what)
{
	auto_buf safe = BUF_INIT;

	text_safe(&safe, word, strlen(word), false);
	return err_set(err, -EINVAL, "%s: %s", buf_text(&safe), what);
}

/* ---- budgets -------------------------------------------------------------------------------- */

static int
find_budget(const char *word, enum budget_id *ret, struct err *err)
{
	const char *near = nearest_name(word, budget_words, BUDGET__COUNT);
	auto_buf safe = BUF_INIT;

	for (enum budget_id i = 0; i < BUDGET__COUNT; i++) {
		if (strcmp(budget_words[i], word) == 0) {
			*ret = i;
			return 0;
		}
	}
	text_safe(&safe, word, strlen(word), false);
	return near != NULL
		     ? err_set(err, -EINVAL, "--budget: nothing is bound by %s; did you mean %s?",
			       buf_text(&safe), near)
		     : err_set(err, -EINVAL, "--budget: nothing is bound by %s; " BUDGET_FORM,
			       buf_text(&safe));
}

static int
read_amount(enum budget_id id, const char *text, uint64_t *ret)
{
	switch (budget_units[id]) {
	case BUDGET_UNIT_COUNT:
		return units_count(text, ret);
	case BUDGET_UNIT_TIME:
		return units_duration(text, ret);
	case BUDGET_UNIT_SIZE:
		return units_size(text, ret);
	}
	return -EINVAL;
}

static int
take_amount(char *item, uint64_t limits[BUDGET__COUNT], struct err *err)
{
	char *amount = item;
	const char *word = strsep(&amount, "=");
	enum budget_id id = BUDGET__COUNT;
	uint64_t value;
	int rc;

	if (amount == NULL) {
		return bad(err, word, BUDGET_FORM);
	}
	rc = find_budget(word, &id, err);
	if (rc < 0) {
		return rc;
	}
	if (strcmp(amount, NONE) == 0) {
		limits[id] = 0;
		return 0;
	}
	if (read_amount(id, amount, &value) < 0 || value > INT64_MAX) {
		return bad(err, amount, "no amount; " BUDGET_FORM);
	}
	if (value == 0) {
		return err_set(err, -EINVAL,
			       "--budget %s=0 would let no call in: `airlock workflow stop` does; "
			       "%s=none is no bound",
			       word, word);
	}
	limits[id] = value;
	return 0;
}

int
workflow_words_budget(const char *text, uint64_t limits[BUDGET__COUNT], struct err *err)
{
	auto_free char *copy = strdup(text);
	char *rest = copy, *item;
	int rc = copy == NULL ? err_sys(err, -ENOMEM, "read a budget") : 0;

	while (rc == 0 && (item = strsep(&rest, ",")) != NULL) {
		rc = take_amount(item, limits, err);
	}
	return rc;
}

/* ---- the rest ------------------------------------------------------------------------------- */

int
workflow_words_deadline(const char *text, uint64_t now_ms, uint64_t *ret_ms, struct err *err)
{
	uint64_t after_ms, at_ms;

	if (strcmp(text, NONE) == 0) {
		*ret_ms = 0;
		return 0;
	}
	if (units_duration(text, &after_ms) == 0 && after_ms <= INT64_MAX - now_ms) {
		at_ms = now_ms + after_ms;
	} else if (when_read(text, now_ms, false, &at_ms) < 0) {
		return bad(err, text,
			   "no deadline; it takes a time from now on (90m, 4h, 2d), or a date with "
			   "a time (2026-01-31T14:05:00Z), or none");
	}
	if (at_ms <= now_ms) {
		return bad(err, text, "a deadline lies ahead, and that has passed");
	}
	*ret_ms = at_ms;
	return 0;
}

static int
add_step(const char *step, struct workflow_definition *d, struct err *err)
{
	if (!workflow_step_is_good(step)) {
		return bad(err, step,
			   "no name of a step: 1 to 64 letters, digits, '.', '_' and '-', the "
			   "first no '-'");
	}
	if (workflow_definition_step(d, step) != 0) {
		return bad(err, step, "that step is there twice");
	}
	if (d->step_count == WORKFLOW_STEPS_MAX) {
		return err_set(err, -EINVAL, "a workflow has at most %u steps", WORKFLOW_STEPS_MAX);
	}
	memcpy(d->steps[d->step_count++], step, strlen(step) + 1);
	return 0;
}

int
workflow_words_steps(const char *text, struct workflow_definition *d, struct err *err)
{
	auto_free char *copy = strdup(text);
	char *rest = copy;
	const char *item;
	int rc = copy == NULL ? err_sys(err, -ENOMEM, "read the steps") : 0;

	while (rc == 0 && (item = strsep(&rest, ",")) != NULL) {
		rc = add_step(item, d, err);
	}
	return rc;
}

int
workflow_words_label(const char *text, struct workflow_definition *d, struct err *err)
{
	if (!workflow_label_is_good(text)) {
		return bad(err, text,
			   "no label: 1 to 64 letters, digits, '.', '_', '-', ':' and '/', the "
			   "first no '-'");
	}
	for (uint32_t i = 0; i < d->label_count; i++) {
		if (strcmp(d->labels[i], text) == 0) {
			return 0;
		}
	}
	if (d->label_count == WORKFLOW_LABELS_MAX) {
		return err_set(err, -EINVAL, "a workflow begins with at most %u labels",
			       WORKFLOW_LABELS_MAX);
	}
	memcpy(d->labels[d->label_count++], text, strlen(text) + 1);
	return 0;
}

int
workflow_words_guard(const char *text, uint32_t *ret, struct err *err)
{
	uint64_t count;

	if (units_count(text, &count) < 0 || count > UINT32_MAX || count == 1) {
		return bad(err, text,
			   "no loop guard: it takes how many equal requests, or refusals, in a "
			   "row pause the workflow, from 2 on, or 0 for none");
	}
	*ret = (uint32_t)count;
	return 0;
}

int
workflow_words_owner(const char *text, struct workflow_definition *d, struct err *err)
{
	size_t len = strlen(text);

	if (len == 0 || len > WORKFLOW_OWNER_MAX) {
		return err_set(err, -EINVAL, "--owner takes 1 to %u bytes", WORKFLOW_OWNER_MAX);
	}
	memcpy(d->owner, text, len + 1);
	return 0;
}

int
workflow_words_bundle(const char *text, struct workflow_definition *d, struct err *err)
{
	if (!workflow_bundle_is_good(text)) {
		return bad(err, text,
			   "no name of a bundle: 1 to 64 small letters, digits, '.', '_' and '-', "
			   "a letter or digit first");
	}
	memcpy(d->bundle, text, strlen(text) + 1);
	return 0;
}

int
workflow_words_reason(const char *text, const char **ret, struct err *err)
{
	if (strlen(text) >= LEDGER_REASON_MAX) {
		return err_set(err, -EINVAL, "--reason takes at most %u bytes",
			       LEDGER_REASON_MAX - 1);
	}
	*ret = text_or_null(text);
	return 0;
}
