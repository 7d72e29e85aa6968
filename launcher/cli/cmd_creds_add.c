/* SPDX-License-Identifier: Apache-2.0 */
/*
 * `airlock creds add`: a value, sealed, and its place in the manifest. Runs in airlock-cli as the
 * caller.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "../base/text.h"
#include "../base/units.h"
#include "cmd_creds.h"
#include "commands.h"

/* ---- options --------------------------------------------------------------------------------- */

static int
bad(struct err *err, const char *option, const char *text, const char *wants)
{
	auto_buf safe = BUF_INIT;

	text_safe(&safe, text, strlen(text), false);
	return err_set(err, -EINVAL, "--%s %s: it takes %s", option, buf_text(&safe), wants);
}

static int
take_number(const char *name, const char *argument, struct bundle_item *item, struct err *err)
{
	if (strcmp(name, "ttl") == 0) {
		return units_duration(argument, &item->ttl_ms) < 0 || item->ttl_ms == 0
			     ? bad(err, name, argument, "a duration, such as 10m")
			     : 0;
	}
	if (strcmp(name, "max-uses") == 0) {
		return units_count(argument, &item->max_uses) < 0 || item->max_uses == 0
			     ? bad(err, name, argument, "a number of calls, such as 100")
			     : 0;
	}
	return creds_not_after(argument, &item->not_after_ms, err);
}

static int
take_option(const char *name, const char *argument, struct bundle_item *item, struct err *err)
{
	if (strcmp(name, "deliver") == 0) {
		return bundle_delivery_find(argument, &item->deliver)
			     ? 0
			     : bad(err, name, argument, "file, env, fd, ssh-agent or proxy");
	}
	if (strcmp(name, "access") == 0) {
		return bundle_access_find(argument, &item->access)
			     ? 0
			     : bad(err, name, argument, "read or write");
	}
	if (strcmp(name, "name") == 0) {
		item->deliver_name = argument;
		return 0;
	}
	if (strcmp(name, "about") == 0) {
		item->about = argument;
		return 0;
	}
	return take_number(name, argument, item, err);
}

/* ---- sealing --------------------------------------------------------------------------------- */

int
creds_seal(struct creds *c, const struct bundle_item *to, const struct sealed_value *value,
	   const struct buf *manifest)
{
	const struct bundle_words *recipients = &c->at.bundle.recipients;
	const struct sealed_place place = { c->at.bundle.name, to->name, to->version };
	auto_locked room = LOCKED_INIT;
	auto_buf file = BUF_INIT;
	int rc = creds_lock(&room, SEALED_ROOM, &c->err);

	if (rc < 0) {
		return rc;
	}
	rc = sealed_make(recipients->items, recipients->count, &place, value, &room, &file,
			 &c->err);
	if (rc < 0) {
		err_prefix(&c->err, "seal %s/%s", place.bundle, place.item);
		return rc;
	}
	/* the file first: no manifest names one that is not there */
	rc = bundle_write_sealed(&c->at, to, &file, &c->err);
	return rc < 0 ? rc : bundle_write_manifest(&c->at, manifest, &c->err);
}

/* What is known to be refused is refused before a person is asked for the value, and again then. */
static int
prepare(struct creds *c, const char *bundle, const struct bundle_item *item, struct buf *manifest)
{
	int rc;

	bundle_at_finish(&c->at);
	buf_reset(manifest);
	rc = bundle_open_write(&c->req, bundle, &c->at, &c->report, &c->err);
	if (rc == 0 && c->at.bundle.recipients.count == 0) {
		return err_set(&c->err, -EINVAL,
			       "%s/" BUNDLE_MANIFEST " has no recipients; write recipients: "
			       "[age1...] with the public key of who opens it (airlock creds init "
			       "says it)",
			       c->at.path);
	}
	return rc < 0 ? rc : bundle_edit_add(&c->at, item, manifest, &c->err);
}

static int
add(struct creds *c, const char *bundle, const struct bundle_item *item,
    const struct creds_from *from)
{
	struct sealed_value value = { .not_after_ms = item->not_after_ms };
	auto_locked memory = LOCKED_INIT;
	auto_buf manifest = BUF_INIT, what = BUF_INIT;
	int rc = prepare(c, bundle, item, &manifest);

	bundle_at_finish(&c->at); /* nobody waits while a person types */
	buf_printf(&what, "value of %s/%s", bundle, item->name);
	rc = rc < 0 ? rc : creds_harden(&c->err);
	rc = rc < 0 ? rc : creds_value_read(from, buf_text(&what), &memory, &value.len, &c->err);
	value.data = memory.data;
	rc = rc < 0 ? rc : creds_value_check(item->deliver, value.data, value.len, &c->err);
	rc = rc < 0 ? rc : prepare(c, bundle, item, &manifest);
	return rc < 0 ? rc : creds_seal(c, item, &value, &manifest);
}

static void
tell(const struct creds *c, const struct bundle_item *item)
{
	const char *later = bundle_item_later(item);
	auto_buf path = BUF_INIT;

	text_safe(&path, c->at.path, strlen(c->at.path), false);
	printf("added %s/%s: %s/" BUNDLE_MANIFEST "\n", c->at.bundle.name, item->name,
	       buf_text(&path));
	if (later != NULL) {
		printf("no call gets it: %s\n", later);
	}
}

int
cmd_creds_add(int argc, char **argv)
{
	struct command_line cl = { .argc = argc, .argv = argv };
	struct creds_from from = { .file = NULL };
	struct bundle_item item = { .about = "",
				    .source = BUNDLE_SOURCE_SEALED,
				    .version = 1,
				    BUNDLE_ITEM_UNSAID,
				    .access = BUNDLE_WRITE };
	auto_creds c = { .at = BUNDLE_AT_INIT };
	const char *name, *argument;
	int rc, wrong = 0;

	creds_init(&c);
	while (wrong == 0 && (rc = command_line_next(&cl, &name, &argument)) > 0) {
		wrong = creds_from_option(&from, name, argument)
			      ? 0
			      : take_option(name, argument, &item, &c.err);
	}
	if (wrong < 0) {
		return creds_fail(&c, EXIT_AIRLOCK);
	}
	rc = command_line_end(&cl, rc, 2, 2);
	if (rc >= 0) {
		return rc;
	}
	item.name = cl.operand[1];
	rc = bundle_name_check("an item", item.name, &c.err);
	rc = rc < 0 ? rc : add(&c, cl.operand[0], &item, &from);
	if (rc < 0) {
		return creds_fail(&c, EXIT_AIRLOCK);
	}
	tell(&c, &item);
	return 0;
}
