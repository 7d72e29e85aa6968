/* SPDX-License-Identifier: Apache-2.0 */
/*
 * wf/<id>/definition, lines of "KEY VALUE" (docs/formats.md, "Workflows"). Run by the front and
 * airlock-cli, as the caller. There is one spelling of each definition: what is read is written
 * again and compared, so a file that somebody edited is not believed.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "../base/cleanup.h"
#include "../base/fdio.h"
#include "workflow_internal.h"

#define FILE_MAX 16384u
#define STEP_CHARACTERS "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-"

bool
workflow_step_is_good(const char *step)
{
	size_t len = strlen(step);

	return len > 0 && len <= WORKFLOW_STEP_MAX && step[0] != '-' &&
	       strspn(step, STEP_CHARACTERS) == len;
}

bool
workflow_label_is_good(const char *label)
{
	size_t len = strlen(label);

	return len > 0 && len <= WORKFLOW_LABEL_MAX && label[0] != '-' &&
	       strspn(label, STEP_CHARACTERS ":/") == len;
}

bool
workflow_bundle_is_good(const char *bundle)
{
	size_t len = strlen(bundle);

	return len > 0 && len <= WORKFLOW_BUNDLE_MAX && bundle[0] != '.' && bundle[0] != '_' &&
	       bundle[0] != '-' &&
	       strspn(bundle, "abcdefghijklmnopqrstuvwxyz0123456789._-") == len;
}

unsigned int
workflow_definition_step(const struct workflow_definition *d, const char *step)
{
	for (unsigned int i = 0; i < d->step_count; i++) {
		if (strcmp(d->steps[i], step) == 0) {
			return i + 1;
		}
	}
	return 0;
}

/* ---- writing -------------------------------------------------------------------------------- */

static void
put_number(struct buf *b, const char *key, uint64_t value)
{
	if (value != 0) {
		buf_printf(b, "%s %llu\n", key, (unsigned long long)value);
	}
}

void
workflow_definition_print(const struct workflow_definition *d, struct buf *out)
{
	char id[UUID_TEXT_SIZE];

	text_uuid_print(d->id, id);
	buf_printf(out, "v 1\nid %s\nname %s\n", id, d->name);
	put_number(out, "created", d->created_ms);
	if (d->owner[0] != '\0') {
		text_vis_line(out, "owner", d->owner);
	}
	if (d->bundle[0] != '\0') {
		buf_printf(out, "bundle %s\n", d->bundle);
	}
	for (uint32_t i = 0; i < d->step_count; i++) {
		buf_printf(out, "step %s\n", d->steps[i]);
	}
	for (uint32_t i = 0; i < d->label_count; i++) {
		buf_printf(out, "label %s\n", d->labels[i]);
	}
	for (enum budget_id i = 0; i < BUDGET__COUNT; i++) {
		put_number(out, budget_words[i], d->limits[i]);
	}
	put_number(out, "deadline", d->deadline_ms);
	put_number(out, "guard", d->guard);
}

/* ---- reading -------------------------------------------------------------------------------- */

static int
take_text(const char *value, char *ret, size_t size)
{
	size_t len = strlen(value);

	if (len >= size) {
		return -EBADMSG;
	}
	memcpy(ret, value, len + 1);
	return 0;
}

static int
take_number(const char *value, uint64_t max, uint64_t *ret)
{
	const char *end = text_numbers(value, ' ', ret, 1);

	return end != NULL && *end == '\0' && *ret <= max ? 0 : -EBADMSG;
}

static int
take_owner(struct workflow_definition *d, const char *value)
{
	auto_buf raw = BUF_INIT;

	if (text_unvis_strict(value, &raw) < 0 || strlen(buf_text(&raw)) != raw.len) {
		return -EBADMSG;
	}
	return take_text(buf_text(&raw), d->owner, sizeof(d->owner));
}

static int
take_guard(struct workflow_definition *d, const char *value)
{
	uint64_t guard;
	int rc = take_number(value, UINT32_MAX, &guard);

	if (rc == 0) {
		d->guard = (uint32_t)guard;
	}
	return rc;
}

static int
take_budget(struct workflow_definition *d, const char *key, const char *value)
{
	for (enum budget_id i = 0; i < BUDGET__COUNT; i++) {
		if (strcmp(budget_words[i], key) == 0) {
			return take_number(value, UINT64_MAX, &d->limits[i]);
		}
	}
	return -EBADMSG;
}

static int
take(struct workflow_definition *d, const char *key, const char *value)
{
	if (strcmp(key, "v") == 0) {
		return strcmp(value, "1") == 0 ? 0 : -EBADMSG;
	}
	if (strcmp(key, "id") == 0) {
		return text_uuid_parse(value, d->id);
	}
	if (strcmp(key, "name") == 0) {
		return take_text(value, d->name, sizeof(d->name));
	}
	if (strcmp(key, "created") == 0) {
		return take_number(value, UINT64_MAX, &d->created_ms);
	}
	if (strcmp(key, "owner") == 0) {
		return take_owner(d, value);
	}
	if (strcmp(key, "bundle") == 0) {
		return take_text(value, d->bundle, sizeof(d->bundle));
	}
	if (strcmp(key, "step") == 0 && d->step_count < WORKFLOW_STEPS_MAX) {
		return take_text(value, d->steps[d->step_count++], sizeof(d->steps[0]));
	}
	if (strcmp(key, "label") == 0 && d->label_count < WORKFLOW_LABELS_MAX) {
		return take_text(value, d->labels[d->label_count++], sizeof(d->labels[0]));
	}
	if (strcmp(key, "deadline") == 0) {
		return take_number(value, UINT64_MAX, &d->deadline_ms);
	}
	return strcmp(key, "guard") == 0 ? take_guard(d, value) : take_budget(d, key, value);
}

bool
workflow_definition_is_good(const struct workflow_definition *d)
{
	if (!workflow_name_is_good(d->name) || d->step_count > WORKFLOW_STEPS_MAX ||
	    d->label_count > WORKFLOW_LABELS_MAX ||
	    (d->bundle[0] != '\0' && !workflow_bundle_is_good(d->bundle))) {
		return false;
	}
	for (uint32_t i = 0; i < d->step_count; i++) {
		if (!workflow_step_is_good(d->steps[i]) ||
		    workflow_definition_step(d, d->steps[i]) != i + 1) {
			return false;
		}
	}
	for (uint32_t i = 0; i < d->label_count; i++) {
		if (!workflow_label_is_good(d->labels[i])) {
			return false;
		}
	}
	return true;
}

int
workflow_definition_parse(const struct buf *text, struct workflow_definition *ret)
{
	struct workflow_definition d = { .name = "" };
	auto_free char *lines = strdup(buf_text(text));
	auto_buf again = BUF_INIT;
	char *rest = lines, *line;

	if (lines == NULL) {
		return -ENOMEM;
	}
	while ((line = strsep(&rest, "\n")) != NULL && line[0] != '\0') {
		char *value = line;
		const char *key = strsep(&value, " ");

		if (value == NULL || take(&d, key, value) < 0) {
			return -EBADMSG;
		}
	}
	workflow_definition_print(&d, &again);
	if (buf_error(&again) < 0) {
		return -ENOMEM;
	}
	if (!workflow_definition_is_good(&d) || again.len != text->len ||
	    memcmp(again.data, text->data, text->len) != 0) {
		return -EBADMSG;
	}
	*ret = d;
	return 0;
}

int
workflow_definition_read(int workflow_fd, struct workflow_definition *ret, struct err *err)
{
	auto_buf text = BUF_INIT;
	int rc = fdio_slurp_file_at(workflow_fd, WORKFLOW_DEFINITION, FILE_MAX, &text);

	rc = rc == 0 ? workflow_definition_parse(&text, ret) : rc;
	if (rc == -EBADMSG) {
		return err_set(err, rc,
			       "the workflow's definition is damaged: `airlock recover` makes it "
			       "again");
	}
	return rc < 0 ? err_sys(err, rc, "read the workflow's definition") : 0;
}
